"""One's own request: where it stands, messages, taking it back, complaining."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases.law.loader import remedies
from cases.models import Case
from cases.permissions import by_customer
from cases.portal import authority, claims, external, sessions, story, words
from cases.portal import questions as questions_card
from cases.portal.attempts import attempt, version_of
from cases.portal.document import card_of
from cases.portal.door import door, open_door, page, see_other
from cases.portal.forms import ComplaintForm, MessageForm, PlainForm
from cases.portal.proof import proof_of
from cases.portal.sessions import Visitor
from cases.portal.views.enter import send_and_ask, text_and_ask
from cases.words import Channel, Party, Right
from cases.workflow import letters as workflow_letters
from cases.workflow import people, questions, rectify
from cases.workflow import recipients as told
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller

View = Callable[..., HttpResponse]


def inside(view: View) -> View:
    """A view for whoever has a session of this brand; others are asked for their reference.

    It is called with the request, the controller and the visitor.
    """

    @wraps(view)
    def guarded(request: HttpRequest, controller: Controller, **kwargs: Any) -> HttpResponse:
        here = sessions.visitor(request, controller, timezone.now())
        if here is None:
            return see_other(reverse("portal:enter", args=[controller.slug]) + "?ended")
        return view(request, controller, here, **kwargs)

    return guarded


@require_GET
@door
@inside
def mine(request: HttpRequest, controller: Controller, here: Visitor) -> HttpResponse:
    return _mine(request, controller, here, MessageForm())


def _mine(
    request: HttpRequest, controller: Controller, here: Visitor, form: MessageForm, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    is_requester = here.party == Party.REQUESTER
    cases = [
        one
        for one in story.cases_of(here.request)
        if is_requester or one.subject_request_id == here.request.pk
    ]
    letters = story.letters_of(cases, here.party)
    context = {
        "is_requester": is_requester,
        "logged": here.request,
        "stories": story.tell(cases, now, here.party),
        "events": story.history(cases, letters, here.party),
        "letters": story.messages(letters),
        "form": form,
        "authority": authority.card_of(here.request) if is_requester else None,
        "document": card_of(here.request, now),
        "external": external.card_of(here.request, now),
        "questions": questions_card.card_of(here.request, now),
        "proof": proof_of(cases, here.request.pk, now),
        "pointing": next((one for one in cases if rectify.may_point(one, now, here.party)), None),
        "done": words.DONE.get(request.GET.get("done", "")),
    }
    return page(request, controller, "portal/mine.html", context, status)


@require_POST
@open_door
def prove(request: HttpRequest, controller: Controller) -> HttpResponse:
    """A fresh code to the address that the request was made from; it counts where the address is on file."""
    return _proven(request, controller, send_and_ask)


@require_POST
@open_door
def prove_by_text(request: HttpRequest, controller: Controller) -> HttpResponse:
    """A code to the telephone number of the request; none is sent to a number that is not on file."""
    return _proven(request, controller, text_and_ask)


def _proven(request: HttpRequest, controller: Controller, ask: Callable[..., HttpResponse]) -> HttpResponse:
    now = timezone.now()
    with unit_of_work([controller.pk]):
        here = sessions.visitor(request, controller, now)
        if here is None:
            return see_other(reverse("portal:enter", args=[controller.slug]) + "?ended")
        claim = claims.make(controller, here.request.reference, _address(here), now)
    return ask(request, controller, claim, now)


def _address(here: Visitor) -> str:
    return workflow_letters.address_of(here.request, here.party)[0]


@require_POST
@door
@inside
def message(request: HttpRequest, controller: Controller, here: Visitor) -> HttpResponse:
    """Write to the team; it answers an open question."""
    form = MessageForm(request.POST, request.FILES)
    if not form.is_valid() or not _said(form, here, timezone.now()):
        return _mine(request, controller, here, form, 422)
    return _back(controller, "message")


def _said(form: MessageForm, here: Visitor, now: datetime) -> bool:
    given = form.cleaned_data
    return bool(
        attempt(
            lambda: questions.take_message(
                here.request,
                given["text"],
                here.by,
                now,
                uploads=given["attachments"],
                party=here.party,
            ),
            form,
        )
    )


@require_http_methods(["GET", "POST"])
@door
@inside
def withdraw(request: HttpRequest, controller: Controller, here: Visitor, case_id: UUID) -> HttpResponse:
    """Take one case back, after a page that says what that means."""
    case, now = _case(here, case_id), timezone.now()
    form = PlainForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        if attempt(lambda: _withdrawn(case, now, version_of(request)), form):
            return _back(controller, "cancelled" if case.right == Right.ERASURE else "withdrawn")
        case = _case(here, case_id)
    return _about(request, controller, "portal/withdraw.html", case, form)


def _withdrawn(case: Case, now: datetime, version: int | None) -> Case:
    # A complaint is a request of its own, by the same person: they act as its requester.
    return people.withdraw(case, by_customer(case.subject_request_id), now, version=version)


@require_POST
@door
@inside
def recipients(request: HttpRequest, controller: Controller, here: Visitor, case_id: UUID) -> HttpResponse:
    """Ask who received one's data (Article 19); the page and our letter name them."""
    case, form = _case(here, case_id), PlainForm(request.POST)
    by, now = by_customer(case.subject_request_id), timezone.now()
    asked = attempt(lambda: told.ask_names(case, by, now), form)
    if asked is None:
        return _mine(request, controller, here, MessageForm(), 422)
    return _back(controller, "recipients")


@require_http_methods(["GET", "POST"])
@door
@inside
def complain(request: HttpRequest, controller: Controller, here: Visitor, case_id: UUID) -> HttpResponse:
    """Say that something went wrong; it becomes a case of its own, for somebody else."""
    case, now = _case(here, case_id), timezone.now()
    if case.right == Right.COMPLAINT:
        raise Http404
    form = ComplaintForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        logged = attempt(
            lambda: people.complain(
                case, given["text"], Channel.PORTAL, now, here.by, now, submission=given["submission"]
            ),
            form,
        )
        if logged:
            return _back(controller, "complaint")
    return _about(request, controller, "portal/complain.html", case, form)


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _case(here: Visitor, case_id: UUID) -> Case:
    """A case of the requester's own request, or a complaint about one. Raises Http404.

    The person for whom a representative asked reads, fetches and writes here; what ends the request is between us
    and them.
    """
    if here.party != Party.REQUESTER:
        raise Http404
    try:
        return next(case for case in story.cases_of(here.request) if case.pk == case_id)
    except StopIteration:
        raise Http404 from None


def _about(
    request: HttpRequest, controller: Controller, template: str, case: Case, form: PlainForm
) -> HttpResponse:
    now = timezone.now()
    context = {
        "case": case,
        "told": story.tell([case], now)[0],
        "form": form,
        "remedies": remedies(controller.regime, now.astimezone(controller.zone).date(), gettext),
    }
    return page(request, controller, template, context, 422 if form.errors else 200)


def _back(controller: Controller, done: str) -> HttpResponse:
    return see_other(reverse("portal:mine", args=[controller.slug]) + f"?done={done}")
