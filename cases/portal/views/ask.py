"""Asking: the form, and what is said when it arrived."""

from datetime import datetime

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases import authority
from cases.models import Case, SubjectRequest
from cases.models.case import requester_suffices
from cases.permissions import By
from cases.portal import claims, limits
from cases.portal.attempts import attempt
from cases.portal.door import open_door, page, see_other
from cases.portal.errors import too_many_of
from cases.portal.forms import AskForm
from cases.portal.views.enter import send_and_ask
from cases.words import AnswerBy, Channel
from cases.workflow import signals
from cases.workflow.identity import requester_email
from cases.workflow.intake import log_request
from dsar.audit.record import Actor
from dsar.lib.tenancy import unit_of_work
from identity.limits import ASK_FOR_ADDRESS, Over, network_of
from identity.models import Controller
from identity.whereabouts import client_address, country_of, language_of

RECEIPT_SECONDS = 2 * 3600
SOMEBODY = By(Actor("customer"))


@require_http_methods(["GET", "POST"])
@open_door
def ask(request: HttpRequest, controller: Controller) -> HttpResponse:
    """The form. What was typed stays when something is missing; nothing tells whether the person is known."""
    if request.method == "GET":
        return _form(request, controller, AskForm(controller, initial={"language": get_language()}))
    now = timezone.now()
    form = AskForm(controller, request.POST, request.FILES)
    if not form.is_valid():
        return _form(request, controller, form, 422)
    over = _over(controller, form, now)
    if over is not None:
        return too_many_of(request, controller, over)
    pictures = form.pages()  # decoded outside of any transaction, which holds nobody up
    if form.errors:
        return _form(request, controller, form, 422)
    with unit_of_work([controller.pk]):
        asked_for = form.intake(now, Channel.PORTAL, pictures)
        logged = attempt(lambda: log_request(asked_for, SOMEBODY, now), form)
        if logged is None:
            return _form(request, controller, form, 422)
        place = network_of(client_address(request))
        signals.note_origin(logged, place, language_of(request), country_of(request), now)
        return see_other(reverse("portal:asked", args=[controller.slug, _receipt(controller, logged)]))


def _form(request: HttpRequest, controller: Controller, form: AskForm, status: int = 200) -> HttpResponse:
    return page(request, controller, "portal/ask.html", {"form": form}, status)


def _over(controller: Controller, form: AskForm, now: datetime) -> Over | None:
    """By the address that all the mail would go to."""
    email = str(form.cleaned_data["email"]).strip().lower()
    return limits.take(controller, [(ASK_FOR_ADDRESS, email)] if email else [], now)


@require_http_methods(["GET", "POST"])
@open_door
def asked(request: HttpRequest, controller: Controller, receipt: str) -> HttpResponse:
    """The reference and the date, for whoever has just asked; and the way on to the code."""
    now = timezone.now()
    with unit_of_work([controller.pk]):
        logged = _of_receipt(controller, receipt)
        if request.method == "GET":
            return page(request, controller, "portal/asked.html", _said(controller, logged, now))
        claim = claims.make(controller, logged.reference, requester_email(logged), now)
    return send_and_ask(request, controller, claim, now)


def _said(controller: Controller, logged: SubjectRequest, now: datetime) -> dict[str, object]:
    cases = list(logged.cases.all())
    due_on = min((case.due_on for case in cases if case.due_on), default=None)
    return {
        "logged": logged,
        "due_on": due_on,
        "days_left": (due_on - now.astimezone(controller.zone).date()).days if due_on else None,
        "is_identity_outstanding": any(
            not requester_suffices(case) and case.authority != authority.OUTSIDE for case in cases
        ),
        "may_ask": _may_ask_words(cases),
        "can_prove": bool(requester_email(logged)),
        "is_by_post": logged.answer_by == AnswerBy.POST,
    }


def _may_ask_words(cases: list[Case]) -> str:
    """What somebody who asks for another person does next; empty for everybody else."""
    codes = {case.authority for case in cases}
    if authority.OUTSIDE in codes:
        return _("The law has rules of its own for this. Somebody of our team looks at it and writes to you.")
    if authority.UNJUDGED in codes:
        return _("We look at what you sent to show that you may ask for this person, and write to you.")
    if authority.MISSING in codes:
        return _("We need to see that you may ask for this person. You can send it as a picture or a PDF.")
    return ""


def _receipt(controller: Controller, logged: SubjectRequest) -> str:
    """What the confirmation's address says: unreadable to guess, and worth nothing after some hours."""
    return signing.dumps(str(logged.pk), salt=_salt(controller))


def _of_receipt(controller: Controller, receipt: str) -> SubjectRequest:
    try:
        found: SubjectRequest = SubjectRequest.objects.select_related("subject", "representative").get(
            pk=signing.loads(receipt, salt=_salt(controller), max_age=RECEIPT_SECONDS), controller=controller
        )
    except (signing.BadSignature, SubjectRequest.DoesNotExist):
        raise Http404 from None
    return found


def _salt(controller: Controller) -> str:
    return f"cases.portal.asked.{controller.pk}"
