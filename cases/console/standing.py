"""Where a request stands, in words that an agent can say; never what was collected, nor what is only proposed."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import authority
from cases.fulfilment import plans
from cases.models import Case, DataSubject, SubjectRequest
from cases.models.case import authority_suffices, requester_suffices
from cases.why import why
from cases.words import DISCLOSING, AnswerBy, Outcome, Right, State
from cases.workflow import letters, recipients
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.vault.keyring import KeyDestroyed
from identity.models import User

SHOWN_EVENTS = 40

_STATES: dict[str, Any] = {
    State.RECEIVED: gettext_lazy("It is logged; work has not begun yet."),
    State.AWAITING_IDENTITY: gettext_lazy("We wait for the customer to show that it is them."),
    State.AWAITING_CLARIFICATION: gettext_lazy("We asked the customer a question and wait for the answer."),
    State.AWAITING_FEE: gettext_lazy("We told the customer of a fee and wait for it."),
    State.REVIEW: gettext_lazy("A colleague goes through it and prepares the answer."),
    State.APPROVAL: gettext_lazy("The answer is being checked by a second person."),
    State.WITH_CONTROLLER: gettext_lazy("The brand's own people look at it before it goes out."),
}

_OUTCOMES: dict[str, Any] = {
    Outcome.FULFILLED: gettext_lazy("It is answered and closed."),
    Outcome.PARTLY_FULFILLED: gettext_lazy(
        "It is answered in part and closed; the letter gives the reasons."
    ),
    Outcome.NO_DATA: gettext_lazy("It is closed: nothing about the customer was found. A letter says so."),
    Outcome.REFUSED: gettext_lazy("It was refused; the letter gives the reasons and says where to complain."),
    Outcome.WITHDRAWN: gettext_lazy("The customer took it back."),
    Outcome.IDENTITY_NOT_VERIFIED: gettext_lazy("It is closed, because nobody showed that it was them."),
    Outcome.NO_REPLY: gettext_lazy("It is closed, because our question was not answered."),
    Outcome.NOT_A_REQUEST: gettext_lazy(
        "It turned out to be no request under data protection law; a letter says so."
    ),
    Outcome.DUPLICATE: gettext_lazy("It is closed, because an earlier request asks the same."),
    Outcome.TRANSFERRED: gettext_lazy("It concerns another company; a letter says which."),
    Outcome.UPHELD: gettext_lazy("The complaint was looked into and is upheld; a letter says what follows."),
    Outcome.PARTLY_UPHELD: gettext_lazy(
        "The complaint was looked into and is upheld in part; a letter says why."
    ),
    Outcome.NOT_UPHELD: gettext_lazy("The complaint was looked into and is not upheld; a letter says why."),
    Outcome.LOGGED_IN_ERROR: gettext_lazy("It was logged in error and logged again rightly."),
}


@dataclass(frozen=True)
class Standing:
    """One case as the page shows it."""

    case: Case
    says: str
    days_left: int | None
    due_state: str
    may_be_withdrawn: bool
    may_be_complained_about: bool
    why: str = ""
    may_ask_recipients: bool = False
    recipients: tuple[str, ...] = ()


def name_of(subject: DataSubject) -> str:
    """What to call the person in a list; empty once what was known of them is destroyed."""
    try:
        return subject.name or subject.email or subject.phone or subject.external_id
    except KeyDestroyed:
        return ""


def reachable_by_email(request: SubjectRequest) -> bool:
    try:
        return bool(letters.address_of(request)[0])
    except KeyDestroyed:
        return False


def standing(case: Case, today: date) -> Standing:
    return Standing(
        case=case,
        says=_says(case),
        days_left=(case.due_on - today).days if case.due_on else None,
        due_state=_due_state(case),
        may_be_withdrawn=case.is_open and not case.carried_out,
        may_be_complained_about=case.right != Right.COMPLAINT,
        may_ask_recipients=recipients.can_be_asked(case) and not case.names_recipients,
        recipients=tuple(recipients.names(case)) if _may_be_named(case) else (),
    )


def _may_be_named(case: Case) -> bool:
    """Those who received the data are named where somebody asked, who is known."""
    return recipients.can_be_asked(case) and case.names_recipients and requester_suffices(case)


def explained(found: Standing, now: datetime) -> Standing:
    """The same, with why the date is what it is, in a sentence to read out."""
    return replace(found, why=why(found.case, now).in_short) if found.case.is_open else found


def _says(case: Case) -> str:
    if case.state == State.AWAITING_IDENTITY and not authority_suffices(case):
        return _("It is being checked whether the caller may ask for this person.")
    if case.state == State.CLOSED:
        return str(_OUTCOMES[case.outcome])
    if case.state == State.SEARCHING:
        if case.right in DISCLOSING:
            return _("We are collecting what is held about the customer.")
        return _("We are finding the records that it concerns.")
    if case.state == State.FULFILLING:
        if case.right in DISCLOSING:
            return _("It is decided; the answer is being made ready and sent.")
        if until := plans.cancel_until(case, timezone.now()):
            day = date_format(timezone.localtime(until, case.controller.zone), _("l j F Y, H:i"))
            return _("The data will be erased after %(day)s. Until then the customer can cancel.") % {
                "day": day
            }
        return _("It is decided and being carried out.")
    return str(_STATES[case.state])


def _due_state(case: Case) -> str:
    """Which chip the date wears; empty where the days left decide."""
    if not case.is_open:
        return "done"
    return "paused" if case.clock_state == "paused" else ""


# -- what to say ---------------------------------------------------------------------------------------


def identity_outstanding(cases: Iterable[Case]) -> bool:
    return any(case.is_open and not requester_suffices(case) for case in cases if not _is_outside(case))


def authority_outstanding(cases: Iterable[Case]) -> bool:
    """Whether somebody who asks for another person has still to show that they may."""
    return any(case.is_open and not authority_suffices(case) for case in cases if not _is_outside(case))


def _is_outside(case: Case) -> bool:
    return case.authority == authority.OUTSIDE


def answer_by(cases: Iterable[Case]) -> date | None:
    """The first date by which something is due."""
    return min((case.due_on for case in cases if case.is_open and case.due_on), default=None)


def date_sentence(cases: list[Case]) -> str:
    """The date with its condition, ready to be said."""
    due_on = answer_by(cases)
    if due_on is None:
        return _("Nothing is outstanding: there is no date any more.")
    day = date_format(due_on, _("l j F Y"))
    if authority_outstanding(cases):
        sentence = _(
            "Once we have seen that you may ask for this person, we answer without delay."
            " If you send it today, there is an answer by %(day)s at the latest."
        )
        return sentence % {"day": day}
    if identity_outstanding(cases):
        sentence = _(
            "Once you have shown that it is you, we answer without delay."
            " If you do that today, you have the answer by %(day)s at the latest."
        )
        return sentence % {"day": day}
    return _("You have our answer by %(day)s at the latest, and sooner if we can.") % {"day": day}


def next_sentence(request: SubjectRequest, cases: list[Case], by_email: bool) -> str:
    """What happens now, from the customer's side."""
    if all(case.right == Right.OBJECTION and case.about_marketing for case in cases):
        return _("We stop the advertising now. You need do nothing.")
    if any(_is_outside(case) for case in cases):
        return _("The law has rules of its own for this. A colleague looks at it and writes to you.")
    if authority_outstanding(cases):
        return _next_of_authority(cases, by_email)
    if not identity_outstanding(cases):
        return _("We begin at once. You need do nothing; we write to you when there is something to ask.")
    if by_email:
        return _(
            "In a few minutes you get an e-mail with a link. Open it and enter the code that we send you:"
            " that shows that the address is yours."
        )
    return _("We write to you by post and say what we need to be sure that it is you.")


def _next_of_authority(cases: list[Case], by_email: bool) -> str:
    """What somebody who asks for another person does next."""
    if any(case.authority == authority.UNJUDGED for case in cases):
        return _("We look at what you sent to show that you may ask for this person, and write to you.")
    if by_email:
        return _(
            "In a few minutes you get an e-mail that says what shows that you may ask for this person."
            " With the link in it you can send us a picture or a PDF."
        )
    return _("We write to you by post and say what shows that you may ask for this person.")


@dataclass(frozen=True)
class Reply:
    """What the customer may ask next, and what to say."""

    asks: str
    say: str


def replies(request: SubjectRequest, cases: list[Case], by_email: bool) -> list[Reply]:
    """The next things that customers ask, answered for this very request."""
    route = _route(request, by_email)
    return [
        Reply(_("When do I get it?"), date_sentence(cases)),
        Reply(_("Do you need anything from me?"), _needed(request, cases, by_email)),
        Reply(_("How do I get the answer?"), route),
        Reply(_("What does it cost?"), _cost(cases)),
        Reply(
            _("Can you tell me on the phone what you hold?"),
            _("No. I do not see it, and we only give it to you once we are sure that it is you."),
        ),
        Reply(
            _("Send it to another address, please."),
            _("I cannot do that on the phone. My colleagues can, once they know that it is you."),
        ),
        Reply(
            _("I am not content with this."),
            _(
                "I note it as a complaint; somebody who has not dealt with it so far looks at it and writes to you."
            ),
        ),
    ]


def _cost(cases: list[Case]) -> str:
    if any(case.state == State.AWAITING_FEE for case in cases):
        return _("We wrote to you about a fee; the letter says how much and why.")
    return _("Nothing.")


def _needed(request: SubjectRequest, cases: list[Case], by_email: bool) -> str:
    if any(case.state == State.AWAITING_CLARIFICATION for case in cases):
        return _("Yes: we asked you a question. The sooner you answer, the sooner we go on.")
    if identity_outstanding(cases):
        return next_sentence(request, cases, by_email)
    return _("No, we have all that we need.")


def _route(request: SubjectRequest, by_email: bool) -> str:
    if request.answer_by == AnswerBy.POST or not by_email:
        return _("By recorded post, to the address that we have noted.")
    return _("You get an e-mail when it is ready, and fetch it in our portal.")


# -- what happened -------------------------------------------------------------------------------------

# Nothing here tells what was found, withheld or proposed.
_TOLD: dict[str, tuple[Any, str, str]] = {
    Action.CASE_OPENED: (gettext_lazy("Logged"), "accent", "inbox"),
    Action.SCRIPT_READ: (gettext_lazy("Reference and date were read out"), "neutral", "phone"),
    Action.CASE_CORRECTED: (gettext_lazy("Corrected"), "warning", "edit"),
    Action.NOTE_ADDED: (gettext_lazy("A note was written"), "neutral", "edit"),
    Action.DUE_DATE_MOVED: (gettext_lazy("The date moved"), "warning", "calendar"),
    Action.FILE_ADDED: (gettext_lazy("A file was added"), "neutral", "upload"),
    Action.IDENTITY_ASKED: (
        gettext_lazy("The customer was asked to show that it is them"),
        "neutral",
        "shield",
    ),
    Action.IDENTITY_REMINDED: (
        gettext_lazy("The customer was asked again to show that it is them"),
        "neutral",
        "mail",
    ),
    Action.CODE_SENT: (gettext_lazy("A code was sent"), "neutral", "mail"),
    Action.CODE_FAILED: (gettext_lazy("A wrong code was typed"), "warning", "x-circle"),
    Action.CODE_ACCEPTED: (gettext_lazy("The code was right"), "success", "check"),
    Action.IDENTITY_RECORDED: (gettext_lazy("We know that it is the customer"), "success", "shield"),
    Action.LETTER_SENT: (gettext_lazy("We wrote to the customer"), "neutral", "send"),
    Action.LETTER_BOUNCED: (gettext_lazy("A letter came back"), "danger", "alert"),
    Action.LETTER_FAILED: (gettext_lazy("A letter could not be sent"), "danger", "alert"),
    Action.MESSAGE_RECEIVED: (gettext_lazy("The customer wrote"), "accent", "chat"),
    Action.PACK_DELIVERED: (gettext_lazy("The answer was made available"), "success", "send"),
    Action.PACK_DOWNLOADED: (gettext_lazy("The customer fetched the answer"), "success", "download"),
}


@dataclass(frozen=True)
class Event:
    """One line of the timeline component."""

    title: str
    at: datetime
    actor: str
    text: str
    icon: str
    tone: str


def history(cases: Iterable[Case]) -> list[Event]:
    """What happened with these cases, newest first: two queries, whatever their number."""
    references = {case.pk: case.reference for case in cases}
    wanted = AuditEvent.objects.filter(case_id__in=references, action__in=[*_TOLD, Action.STATE_CHANGED])
    events = list(wanted.order_by("-at", "-seq")[:SHOWN_EVENTS])
    names = dict(User.objects.filter(pk__in={one.actor_id for one in events}).values_list("pk", "full_name"))
    return [_event(one, references[one.case_id], names) for one in events if one.case_id]


def _event(event: AuditEvent, reference: str, names: dict[Any, str]) -> Event:
    title, tone, icon = _TOLD.get(event.action) or _moved(event)
    return Event(str(title), event.at, _actor(event, names), reference, icon, tone)


def _moved(event: AuditEvent) -> tuple[str, str, str]:
    state = State(event.data["to"])
    return (
        _("Now: %(state)s") % {"state": state.label},
        "success" if state == State.CLOSED else "accent",
        "arrow-right",
    )


def _actor(event: AuditEvent, names: dict[Any, str]) -> str:
    if event.actor_kind == "customer":
        return _("the customer")
    return names.get(event.actor_id, "") if event.actor_kind == "staff" else ""
