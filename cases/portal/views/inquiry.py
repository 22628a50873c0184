"""The owner of a source answers: opens the link, sees whom to look for, hands in what was found."""

from datetime import datetime
from uuid import UUID

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from cases.models import Inquiry, InquiryState
from cases.portal import inquiry as pages
from cases.portal import limits
from cases.portal.attempts import attempt
from cases.portal.door import open_door, page, see_other, unhurried
from cases.portal.inquiry import AnswerForm, FilesForm
from cases.workflow import inquiry as verbs
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller
from identity.whereabouts import client_address


@require_http_methods(["GET", "POST"])
@open_door
def open_link(request: HttpRequest, controller: Controller, token: str) -> HttpResponse:
    """The link of the mail. Programs that look into mails open it too: only the button shows a person's data."""
    now = timezone.now()
    with unhurried():
        if not limits.spend(controller, limits.INQUIRY_FROM_HERE, client_address(request), now):
            return page(request, controller, "portal/too_many.html", status=429)
        with unit_of_work([controller.pk]):
            inquiry = pages.of_brand(token, controller, now)
            if inquiry is None:
                return page(request, controller, "portal/inquiry_closed.html", status=404)
            if request.method == "GET":
                return page(request, controller, "portal/inquiry_open.html", {"inquiry": inquiry})
    response = see_other(reverse("portal:inquiry", args=[controller.slug]))
    pages.remember(response, controller, token)
    return response


@require_http_methods(["GET", "POST"])
@open_door
def inquiry(request: HttpRequest, controller: Controller) -> HttpResponse:
    """Whom to look for, what was handed in so far, and the answer."""
    now = timezone.now()
    with unit_of_work([controller.pk]):
        found = pages.remembered(request, controller, now)
        if found is None:
            return page(request, controller, "portal/inquiry_closed.html", status=404)
        if request.method == "GET":
            verbs.looked(found, now)
            return _shown(request, controller, found)
    return _posted(request, controller, found, now)


def _posted(request: HttpRequest, controller: Controller, found: Inquiry, now: datetime) -> HttpResponse:
    if not limits.spend(controller, limits.INQUIRY, str(found.pk), now):
        return page(request, controller, "portal/too_many.html", status=429)
    act = request.POST.get("act")
    if act == pages.ANSWER:
        return _answered(request, controller, found, now)
    if act == pages.REMOVE:
        return _removed(request, controller, found)
    form = FilesForm(request.POST, request.FILES)
    if form.is_valid() and _done(controller, found, form, now):
        return see_other(reverse("portal:inquiry", args=[controller.slug]) + "#files")
    return _again(request, controller, found, files=form)


def _done(controller: Controller, found: Inquiry, form: FilesForm, now: datetime) -> bool:
    with unit_of_work([controller.pk]):
        attempt(lambda: verbs.add_files(found.pk, form.cleaned_data["found"], now), form)
    return not form.errors


def _removed(request: HttpRequest, controller: Controller, found: Inquiry) -> HttpResponse:
    form = FilesForm()
    form.cleaned_data = {}
    sent = request.POST.get("file", "")
    with unit_of_work([controller.pk]):
        attempt(lambda: verbs.remove_file(found.pk, UUID(sent)) if _is_id(sent) else None, form)
    return see_other(reverse("portal:inquiry", args=[controller.slug]) + "#files")


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _answered(request: HttpRequest, controller: Controller, found: Inquiry, now: datetime) -> HttpResponse:
    form = AnswerForm(request.POST)
    if form.is_valid():
        said, note = InquiryState(form.cleaned_data["said"]), form.cleaned_data["note"]
        with unit_of_work([controller.pk]):
            attempt(lambda: verbs.answer(found.pk, said, note, None, now), form)
        if not form.errors:
            response = page(request, controller, "portal/inquiry_done.html", {"inquiry": found, "said": said})
            pages.forget(response, controller)
            return response
    return _again(request, controller, found, answer=form)


def _again(
    request: HttpRequest,
    controller: Controller,
    found: Inquiry,
    *,
    files: Form | None = None,
    answer: Form | None = None,
) -> HttpResponse:
    with unit_of_work([controller.pk]):
        return _shown(request, controller, found, files=files, answer=answer, status=422)


def _shown(
    request: HttpRequest,
    controller: Controller,
    found: Inquiry,
    *,
    files: Form | None = None,
    answer: Form | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "inquiry": found,
        "source": found.search.source,
        "whom": list(pages.whom(found)),
        "instructions": pages.instructions(found),
        "handed": found.files.select_related("file"),
        "files": files or FilesForm(),
        "answer": answer or AnswerForm(),
        "acts": pages,
    }
    return page(request, controller, "portal/inquiry.html", context, status)
