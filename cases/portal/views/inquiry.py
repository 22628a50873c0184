"""The owner of a source answers: opens the link, sees whom to look for, hands in what was found."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from cases.models import Inquiry, InquiryState
from cases.portal import inquiry as pages
from cases.portal import limits
from cases.portal.attempts import attempt
from cases.portal.door import open_door, page, see_other, unhurried
from cases.portal.errors import too_many_of
from cases.portal.inquiry import AnswerForm
from cases.workflow import inquiry as verbs
from dsar.lib.errors import Refused
from dsar.lib.tenancy import unit_of_work
from identity.limits import INQUIRY
from identity.models import Controller


@require_http_methods(["GET", "POST"])
@open_door
def open_link(request: HttpRequest, controller: Controller, token: str) -> HttpResponse:
    """The link of the mail. Programs that look into mails open it too: only the button shows a person's data."""
    now = timezone.now()
    with unhurried(), unit_of_work([controller.pk]):
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
            return _shown(request, controller, found, AnswerForm())
    return _posted(request, controller, found, now)


def _posted(request: HttpRequest, controller: Controller, found: Inquiry, now: datetime) -> HttpResponse:
    over = limits.take(controller, [(INQUIRY, str(found.pk))], now)
    if over is not None:
        return too_many_of(request, controller, over)
    if request.POST.get("act") == pages.REMOVE:
        return _removed(request, controller, found)
    form = AnswerForm(request.POST, request.FILES)
    if form.is_valid() and _taken(controller, found, form, now) and form.is_answer:
        return _thanked(request, controller, found, form)
    with unit_of_work([controller.pk]):
        return _shown(request, controller, found, form, 422 if form.errors else 200)


def _taken(controller: Controller, found: Inquiry, form: AnswerForm, now: datetime) -> bool:
    """Keep the files, and give the answer where it was sent; the files stay where the answer is refused."""
    data = form.cleaned_data
    if data["found"]:
        with unit_of_work([controller.pk]):
            attempt(lambda: verbs.add_files(found.pk, data["found"], now), form)
    if form.is_answer and not form.errors:
        said = InquiryState(data["said"])
        with unit_of_work([controller.pk]):
            attempt(lambda: verbs.answer(found.pk, said, data["note"], None, now), form)
    return not form.errors


def _removed(request: HttpRequest, controller: Controller, found: Inquiry) -> HttpResponse:
    sent = request.POST.get("file", "")
    with unit_of_work([controller.pk]), suppress(ValueError, Refused):
        verbs.remove_file(found.pk, UUID(sent))
    return see_other(reverse("portal:inquiry", args=[controller.slug]) + "#files")


def _thanked(request: HttpRequest, controller: Controller, found: Inquiry, form: AnswerForm) -> HttpResponse:
    context = {"inquiry": found, "said": form.cleaned_data["said"]}
    response = page(request, controller, "portal/inquiry_done.html", context)
    pages.forget(response, controller)
    return response


def _shown(
    request: HttpRequest, controller: Controller, found: Inquiry, form: AnswerForm, status: int = 200
) -> HttpResponse:
    context = {
        "inquiry": found,
        "source": found.search.source,
        "whom": list(pages.whom(found)),
        "instructions": pages.instructions(found),
        "handed": found.files.select_related("file"),
        "form": form,
    }
    return page(request, controller, "portal/inquiry.html", context, status)
