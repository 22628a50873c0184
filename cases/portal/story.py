"""A request as its requester may read it: stages in plain words, dates with their reasons, what happened.

Internal states, colleagues, proposals and what is withheld in silence have no words here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cases import authority, queries, rights
from cases.deadlines.deadline import Deadline, StretchKind
from cases.deadlines.deadline import State as ClockState
from cases.deadlines.events import EventKind, ExtensionReason
from cases.deadlines.steps import Step, StepCode
from cases.fulfilment import plans
from cases.models import (
    Case,
    ClockEvent,
    Delivery,
    Extension,
    ExtensionState,
    Letter,
    LetterState,
    PackState,
    SubjectRequest,
)
from cases.models.case import authority_suffices, requester_suffices
from cases.portal.words import RIGHTS, Words
from cases.why import Bar, why_of
from cases.words import CLOSINGS, DISCLOSING, REVIEWED, AnswerTo, Outcome, Party, Right, State
from cases.workflow import certificate, recipients

STEPS = (
    gettext_lazy("We have your request"),
    gettext_lazy("We know it is you"),
    gettext_lazy("We work on it"),
    gettext_lazy("You have our answer"),
)
STEPS_OF_REPRESENTED = (
    gettext_lazy("We have your request"),
    gettext_lazy("We know that you may ask"),
    gettext_lazy("We work on it"),
    gettext_lazy("The answer is given"),
)
ASKED, IDENTITY, WORK, ANSWER = range(4)
COMPLAINT_STEPS = (
    gettext_lazy("We have your complaint"),
    gettext_lazy("We look into it"),
    gettext_lazy("You have our answer"),
)


@dataclass(frozen=True)
class Stage:
    """Where a case stands: the step, a few words, and what it means for the reader."""

    step: int
    title: Words
    text: Words
    needs_answer: bool = False


_LOOKING = Stage(
    WORK,
    gettext_lazy("We are looking for your data"),
    gettext_lazy("We search our systems for what belongs to your request. You need not do anything."),
)
_PREPARING = Stage(
    WORK,
    gettext_lazy("We are preparing our answer"),
    gettext_lazy("People of our team look through everything with care. You need not do anything."),
)
_STAGES: dict[str, Stage] = {
    State.RECEIVED: Stage(
        ASKED,
        gettext_lazy("We have your request"),
        gettext_lazy("We will look at it soon. You need not do anything."),
    ),
    State.AWAITING_IDENTITY: Stage(
        IDENTITY,
        gettext_lazy("We need to be sure that it is you"),
        gettext_lazy(
            "Thank you, your e-mail address is confirmed. For this request we need one more check, so that nobody else "
            "gets your data. Where this page offers no way to do it, our team will write to you and say what is needed."
        ),
    ),
    State.AWAITING_CLARIFICATION: Stage(
        WORK,
        gettext_lazy("We have a question for you"),
        gettext_lazy("Please read our question below and answer it. A short answer is enough."),
        needs_answer=True,
    ),
    State.AWAITING_FEE: Stage(
        WORK,
        gettext_lazy("We wait for the fee"),
        gettext_lazy("Our message below says how much it is, why, and how to pay it."),
    ),
    State.SEARCHING: _LOOKING,
    State.REVIEW: _PREPARING,
    State.APPROVAL: _PREPARING,
    State.WITH_CONTROLLER: _PREPARING,
    State.FULFILLING: _PREPARING,
}
# A complaint is about us: nobody has to show who they are once more, and nothing is searched for.
_LOOKING_INTO_IT = Stage(
    1,
    gettext_lazy("We are looking into your complaint"),
    gettext_lazy(
        "Somebody who has not worked on your request looks at what happened. You need not do anything: we write to you."
    ),
)
_ANSWERED = Stage(
    ANSWER,
    gettext_lazy("We have answered"),
    gettext_lazy("Our letter says what we did and why. You find it among the messages below."),
)
_MAY_YOU_ASK = Stage(
    IDENTITY,
    gettext_lazy("We need to see that you may ask"),
    gettext_lazy(
        "You ask for somebody else. So that nobody gets data of theirs without their will, please send us what shows"
        " that you may."
    ),
)
_JUDGING = Stage(
    IDENTITY,
    gettext_lazy("We look at what you sent"),
    gettext_lazy(
        "Somebody of our team looks whether it shows that you may ask. You need not do anything: we write to you."
    ),
)
_RESTRICTED = Stage(
    ANSWER,
    gettext_lazy("The use of your data is restricted"),
    gettext_lazy(
        "We keep it, but do not use it. Before we lift this we write to you, so that you can tell us if you do not"
        " agree."
    ),
)
_RESTS = Stage(
    WORK,
    gettext_lazy("We look into it, and do not use the data meanwhile"),
    gettext_lazy(
        "People of our team look into what you asked. Until they have decided, the data concerned is only kept."
    ),
)
# What is being done, where the right has a path of its own.
_OWN_WORK: dict[str, Stage] = {
    Right.OBJECTION: Stage(
        WORK,
        gettext_lazy("We weigh your reasons"),
        gettext_lazy(
            "People of our team weigh your reasons against ours for using the data. You need not do anything."
        ),
    ),
    Right.AUTOMATED: Stage(
        WORK,
        gettext_lazy("A person looks at the decision"),
        gettext_lazy(
            "Somebody who had no part in the decision looks at it again, with what you told us. You need not do"
            " anything."
        ),
    ),
}
_MARKETING_STOPS = Stage(
    WORK,
    gettext_lazy("We are stopping the marketing"),
    gettext_lazy("We take you off our lists. You need not do anything: we write to you when it is done."),
)
_ANSWERED_THEM = Stage(
    ANSWER,
    gettext_lazy("We have answered the person themselves"),
    gettext_lazy("Our answer went to the person for whom you asked, as what you showed us lets it."),
)
_OUR_LETTER = gettext_lazy("Our letter says what was done. You find it among the messages below.")
# What was done as it was asked for.
_DONE: dict[str, Stage] = {
    Right.ERASURE: Stage(ANSWER, gettext_lazy("We have erased your data"), _OUR_LETTER),
    Right.RECTIFICATION: Stage(ANSWER, gettext_lazy("We have put your data right"), _OUR_LETTER),
    Right.OBJECTION: Stage(ANSWER, gettext_lazy("We have stopped the use that you objected to"), _OUR_LETTER),
}
_STOPPED = Stage(ANSWER, gettext_lazy("We have stopped the marketing"), _OUR_LETTER)
# Which other answer it was is the letter's to say; only what the requester did or was told in other words differs.
_ENDINGS: dict[str, Stage] = {
    Outcome.WITHDRAWN: Stage(
        ANSWER,
        gettext_lazy("You took this request back"),
        gettext_lazy("We stopped working on it. You can ask again at any time."),
    ),
    Outcome.LOGGED_IN_ERROR: Stage(
        ANSWER,
        gettext_lazy("This was entered by mistake"),
        gettext_lazy("Nothing was done. If you miss something, write to us."),
    ),
    Outcome.IDENTITY_NOT_VERIFIED: Stage(
        IDENTITY,
        gettext_lazy("We stopped because we were not sure that it was you"),
        gettext_lazy(
            "Our letter below gives the reasons. You can still show it: then we go on with your request."
        ),
    ),
}


@dataclass(frozen=True)
class Due:
    """By when, how it is doing (as the component names it), and why."""

    on: date | None
    days_left: int
    tone: str
    sentence: str
    reasons: tuple[str, ...]
    bars: tuple[Bar, ...] = ()
    today_x: int | None = None


@dataclass(frozen=True)
class CaseStory:
    """One case, told."""

    case: Case
    right: Words
    stage: Stage
    steps: list[dict[str, object]]
    due: Due | None
    delivery: Delivery | None
    can_withdraw: bool
    is_complaint: bool
    more_time: "MoreTime | None" = None
    recipients: "Recipients | None" = None
    is_certified: bool = False
    cancel_until: datetime | None = None


@dataclass(frozen=True)
class Recipients:
    """Who received the person's data: whether they asked, and the names once these were told."""

    asked: bool
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class MoreTime:
    """That we wrote to take more time: until when, and why."""

    until: date
    reason: Words
    explanation: str


@dataclass(frozen=True)
class Event:
    """One line of what happened; the names are the timeline's."""

    title: str
    at: datetime
    icon: str = ""
    tone: str = "neutral"
    text: str = ""
    rank: int = 0


@dataclass(frozen=True)
class Message:
    """What was written, by either side."""

    is_mine: bool
    title: str
    body: str
    at: datetime
    files: list[dict[str, object]] = field(default_factory=list)


# -- cases -------------------------------------------------------------------------------------------


def cases_of(request: SubjectRequest) -> list[Case]:
    """The request's cases, and the complaints about them, which are requests of their own."""
    cases = Case.objects.select_related("subject_request", "controller").prefetch_related("clock_events")
    own = list(cases.filter(subject_request=request).order_by("opened_at", "right"))
    return own + list(cases.filter(linked_to__subject_request=request).order_by("opened_at"))


def tell(cases: list[Case], now: datetime, party: Party = Party.REQUESTER) -> list[CaseStory]:
    """As this party may read it, where a representative asked."""
    deliveries, extended = _deliveries(cases, now, party), _extended(cases)
    return [_told(case, deliveries.get(case.pk), extended.get(case.pk), now, party) for case in cases]


def _told(
    case: Case, delivery: Delivery | None, more_time: MoreTime | None, now: datetime, party: Party
) -> CaseStory:
    stage = stage_of(case, party)
    return CaseStory(
        case=case,
        right=RIGHTS[case.right],
        stage=stage,
        steps=_steps(case, stage),
        due=due_of(case, now) if case.is_open else None,
        delivery=delivery,
        can_withdraw=case.is_open and not case.carried_out,
        is_complaint=case.right == Right.COMPLAINT,
        more_time=more_time if case.is_open else None,
        recipients=_recipients(case, party),
        is_certified=case.right in certificate.CERTIFIED,
        cancel_until=plans.cancel_until(case, now) if case.state == State.FULFILLING else None,
    )


def _recipients(case: Case, party: Party) -> Recipients | None:
    """What may be said of them to whoever showed who they are, and asked; None where there is nothing to ask."""
    shown = party == Party.REQUESTER and requester_suffices(case)
    if not shown or not recipients.can_be_asked(case) or case.outcome in _NOTHING_DONE:
        return None
    return Recipients(case.names_recipients, tuple(recipients.names(case)) if case.names_recipients else ())


# Nothing was changed, so that there is nobody to be told.
_NOTHING_DONE = frozenset(CLOSINGS) | {Outcome.WITHDRAWN, Outcome.NO_DATA, Outcome.LOGGED_IN_ERROR}


def stage_of(case: Case, party: Party = Party.REQUESTER) -> Stage:
    if case.authority in authority.CODES:
        found = _stage_of_represented(case, party)
        if found is not None:
            return found
    if case.is_open and case.waits_for_proof:
        return _STAGES[State.AWAITING_IDENTITY]
    if case.is_open:
        return _LOOKING_INTO_IT if case.right == Right.COMPLAINT else _working(case)
    if case.right == Right.RESTRICTION and rights.is_in_force(case):
        return _RESTRICTED
    if case.right == Right.ERASURE and case.outcome == Outcome.WITHDRAWN:
        return _CANCELLED
    if case.outcome == Outcome.FULFILLED:
        return _STOPPED if case.about_marketing else _DONE.get(case.right, _ANSWERED)
    return _ENDINGS.get(case.outcome, _ANSWERED)


def _working(case: Case) -> Stage:
    """What is done about an open case, by its right where that says more than its state."""
    if case.about_marketing and case.state == State.FULFILLING:
        return _MARKETING_STOPS
    if case.state == State.FULFILLING and plans.live(case) is not None:
        return _carried_out(case)
    if case.state in _PREPARED:
        if case.right in {Right.OBJECTION, Right.RECTIFICATION} and rights.is_in_force(case):
            return _RESTS
        return _OWN_WORK.get(case.right, _STAGES[case.state])
    return _STAGES[case.state]


def _carried_out(case: Case) -> Stage:
    """What is being done to the person's records, and until when they can still say no."""
    until = plans.cancel_until(case, timezone.now())
    if until is None and _lacks_copy(case):
        return _AFTER_THE_COPY
    if until is None:
        return _CORRECTING if case.right == Right.RECTIFICATION else _ERASING
    day = date_format(timezone.localtime(until), _("l j F Y, H:i"))
    return Stage(
        WORK,
        _("Your data will be erased after %(day)s") % {"day": day},
        _(
            "Until then you can change your mind: cancel it here, and nothing is erased. After that it is final."
        ),
    )


def _lacks_copy(case: Case) -> bool:
    """Whether an erasure waits for the copy that was asked for with it; other requests are not told of here."""
    copies = Case.objects.filter(subject_request=case.subject_request_id, right__in=DISCLOSING)
    return case.right == Right.ERASURE and copies.exclude(state=State.CLOSED).exists()


_CANCELLED = Stage(
    ANSWER,
    gettext_lazy("You cancelled the erasure"),
    gettext_lazy("Nothing was erased. You can ask again at any time."),
)
_AFTER_THE_COPY = Stage(
    WORK,
    gettext_lazy("We erase your data once you have your copy"),
    gettext_lazy("You asked for both, so the copy comes first. Until it is with you nothing is erased."),
)
_ERASING = Stage(
    WORK,
    gettext_lazy("We are erasing your data"),
    gettext_lazy(
        "Afterwards we search again whether anything is left, and write to you what was done. You need not do anything."
    ),
)
_CORRECTING = Stage(
    WORK,
    gettext_lazy("We are putting your data right"),
    gettext_lazy("Then we write to you what was done. You need not do anything."),
)
_PREPARED = frozenset({State.REVIEW, State.APPROVAL, State.WITH_CONTROLLER})


def _stage_of_represented(case: Case, party: Party) -> Stage | None:
    """What differs where somebody asks for another person; None where nothing does."""
    if case.is_open and case.waits_for_proof and not authority_suffices(case):
        return _JUDGING if case.authority == authority.UNJUDGED else _MAY_YOU_ASK
    went_elsewhere = (
        party == Party.REQUESTER
        and not case.is_open
        and case.outcome in REVIEWED
        and authority.chosen(case.subject_request) == AnswerTo.SUBJECT
    )
    return _ANSWERED_THEM if went_elsewhere else None


def _steps(case: Case, stage: Stage) -> list[dict[str, object]]:
    labels: tuple[Words, ...] = STEPS_OF_REPRESENTED if case.authority in authority.CODES else STEPS
    if case.right == Right.COMPLAINT:
        labels = COMPLAINT_STEPS
    return [
        {"label": label, "state": _place(number, stage.step, not case.is_open)}
        for number, label in enumerate(labels)
    ]


def _place(number: int, current: int, is_over: bool) -> str:
    if number < current or is_over:
        return "done"
    return "current" if number == current else "todo"


def _deliveries(cases: list[Case], now: datetime, party: Party) -> dict[UUID, Delivery]:
    """What lies ready to be fetched by this party, by case: told of, not revoked, not expired."""
    found = fetchable(now).filter(pack__case__in=cases, party=party)
    return {delivery.pack.case_id: delivery for delivery in found}


_REASONS: dict[str, Words] = {
    ExtensionReason.COMPLEXITY: gettext_lazy("Your request is complex."),
    ExtensionReason.NUMBER_OF_REQUESTS: gettext_lazy("You have made several requests."),
    ExtensionReason.OTHER: "",
}


def _extended(cases: list[Case]) -> dict[UUID, MoreTime]:
    """What we wrote about taking more time, by case; what is only proposed has no words here."""
    sent = Extension.objects.filter(case__in=cases, state=ExtensionState.NOTIFIED).select_related("case")
    return {
        one.case_id: MoreTime(one.due_after, _REASONS[ExtensionReason(one.reason)], one.explanation)
        for one in sent
    }


def fetchable(now: datetime) -> Any:
    """Deliveries through the portal that their recipient was told of, and that stand."""
    return Delivery.objects.filter(
        route="portal",
        revoked_at=None,
        sent_at__isnull=False,
        available_until__gte=now,
        pack__state=PackState.READY,
    ).select_related("pack__case__subject_request", "pack__case__controller")


# -- the date ----------------------------------------------------------------------------------------


def due_of(case: Case, now: datetime) -> Due | None:
    """By when the answer is due, and how that date comes about; None where the law fixes no date, or it was kept."""
    deadline = queries.deadline_of(case, now)
    if deadline.state in {ClockState.MET, ClockState.NOT_APPLICABLE}:
        return None
    today = now.astimezone(case.controller.zone).date()
    reasons = tuple(sentence for step in deadline.steps if (sentence := _reason(step)))
    drawn = why_of(deadline, now)
    bars = tuple(replace(bar, words=str(_STRETCHES[StretchKind(bar.kind)])) for bar in drawn.bars)
    if deadline.due_on is None:
        return Due(None, 0, "paused", _waiting(case), reasons, bars, drawn.today_x)
    days_left = (deadline.due_on - today).days
    tone = _tone(deadline, days_left)
    return Due(deadline.due_on, days_left, tone, "", reasons, bars, drawn.today_x)


_STRETCHES: dict[StretchKind, Words] = {
    StretchKind.WAITING: gettext_lazy("We waited for something from you"),
    StretchKind.RUNNING: gettext_lazy("Our time"),
    StretchKind.PAUSED: gettext_lazy("The time stood still"),
    StretchKind.EXTENDED: gettext_lazy("More time, as we wrote to you"),
}


def _tone(deadline: Deadline, days_left: int) -> str:
    return "late" if days_left < 0 else "ok"


def _waiting(case: Case) -> str:
    if case.state == State.AWAITING_IDENTITY and not authority_suffices(case):
        return _("The time for our answer begins when we have what shows that you may ask.")
    if case.state == State.AWAITING_IDENTITY:
        return _("The time for our answer begins when we have what shows that it is you.")
    return _("The time for our answer stands still until we hear from you.")


def _reason(step: Step) -> str:
    """A step of the law in plain words; what moves nothing is left out."""
    if step.code in _COUNTED:
        return _COUNTED[step.code](step)
    sentence = _SENTENCES.get(step.code)
    return str(sentence) % {"day": _day(step.on)} if sentence else ""


def _day(day: date | None) -> str:
    return date_format(day, "DATE_FORMAT") if day else ""


def _count(step: Step) -> int:
    return int(str(step.values.get("count", 0)))


def _reason_of_period(step: Step) -> str:
    count, day = _count(step), _day(step.on)
    if step.code == StepCode.MONTHS:
        sentence = ngettext(
            "By law we have %(count)d month: until %(day)s.",
            "By law we have %(count)d months: until %(day)s.",
            count,
        )
    else:
        sentence = ngettext(
            "By law we have %(count)d day: until %(day)s.",
            "By law we have %(count)d days: until %(day)s.",
            count,
        )
    return sentence % {"count": count, "day": day}


def _reason_of_pause(step: Step) -> str:
    sentence = ngettext(
        "%(count)d day does not count, because we waited for your answer: until %(day)s.",
        "%(count)d days do not count, because we waited for your answer: until %(day)s.",
        _count(step),
    )
    return sentence % {"count": _count(step), "day": _day(step.on)}


_COUNTED: dict[StepCode, Callable[[Step], str]] = {
    StepCode.MONTHS: _reason_of_period,
    StepCode.DAYS: _reason_of_period,
    StepCode.PAUSED_DAYS: _reason_of_pause,
}
_SENTENCES: dict[StepCode, Words] = {
    StepCode.RECEIVED: gettext_lazy("We received your request on %(day)s."),
    StepCode.STARTED_BY: gettext_lazy("The time began on %(day)s, when we had from you what we needed."),
    StepCode.NEXT_DAY: gettext_lazy("The time is counted from the day after: %(day)s."),
    StepCode.CLOCK_STARTED: gettext_lazy("The time is counted from %(day)s."),
    StepCode.WORKING_DAYS: gettext_lazy("By law we have until %(day)s; only working days count."),
    StepCode.CLAMPED: gettext_lazy("That month is shorter, so its last day counts: %(day)s."),
    StepCode.EXTENDED: gettext_lazy("We wrote to you that we need more time, and why."),
    StepCode.EXTENDED_PAUSED: gettext_lazy("We wrote to you that we need more time, and why."),
    StepCode.EXTENSION_NAMED: gettext_lazy("We wrote to you that we need more time, until %(day)s."),
    StepCode.SUSPENSION_IGNORED: gettext_lazy(
        "The longer time is counted from your request, so the days of waiting are in it."
    ),
    StepCode.NO_ROLL: gettext_lazy("That is not a working day, but the day stays as it is."),
    StepCode.QUESTION_UNREASONABLE: gettext_lazy("A question of ours does not change the date."),
    StepCode.QUESTION_TOO_LATE: gettext_lazy("A question of ours came too late to change the date."),
    StepCode.QUESTION_DELAYED: gettext_lazy("A question of ours came too late to change the date."),
    StepCode.EXTENSION_LATE: gettext_lazy("We wrote too late that we need more time, so the date stays."),
    StepCode.NO_FIXED_PERIOD: gettext_lazy("The law names no number of days; we answer as soon as we can."),
    StepCode.ACKNOWLEDGED: gettext_lazy("We confirmed your complaint on %(day)s."),
    StepCode.ROLLED: gettext_lazy("That is not a working day, so it becomes %(day)s."),
    StepCode.WAITING_FOR: gettext_lazy("The time has not begun: we wait for something from you."),
    StepCode.PAUSE_OPEN: gettext_lazy("The time stands still since we asked you a question."),
}


# -- what happened -----------------------------------------------------------------------------------

_CLOCK_WORDS: dict[str, tuple[Words, str, str]] = {
    EventKind.RECEIVED: (gettext_lazy("We received your request"), "inbox", "neutral"),
    EventKind.COMPLAINT_RECEIVED: (gettext_lazy("We received your complaint"), "flag", "neutral"),
    EventKind.COMPLAINT_ACKNOWLEDGED: (
        gettext_lazy("We wrote to you that we have your complaint"),
        "mail",
        "accent",
    ),
    EventKind.IDENTITY_REQUESTED: (gettext_lazy("We asked you to show that it is you"), "shield", "neutral"),
    EventKind.IDENTITY_RECEIVED: (gettext_lazy("You showed us that it is you"), "shield", "accent"),
    EventKind.IDENTITY_CONFIRMED: (gettext_lazy("We are sure that it is you"), "check", "success"),
    EventKind.AUTHORITY_REQUESTED: (
        gettext_lazy("We asked you to show that you may ask for somebody else"),
        "shield",
        "neutral",
    ),
    EventKind.AUTHORITY_RECEIVED: (
        gettext_lazy("You showed us that you may ask for somebody else"),
        "shield",
        "accent",
    ),
    EventKind.CLARIFICATION_REQUESTED: (gettext_lazy("We asked you a question"), "help", "warning"),
    EventKind.CLARIFICATION_RECEIVED: (gettext_lazy("You answered our question"), "chat", "accent"),
    EventKind.FEE_REQUESTED: (gettext_lazy("We asked for a fee"), "file", "warning"),
    EventKind.FEE_PAID: (gettext_lazy("We received the fee"), "check", "success"),
    EventKind.EXTENSION_NOTIFIED: (gettext_lazy("We wrote that we need more time"), "clock", "warning"),
}


def history(cases: list[Case], letters: list[Letter], party: Party = Party.REQUESTER) -> list[Event]:
    """What happened, newest first; what several cases share is told once.

    What we asked of a representative, and they of us, is not told to the person for whom they asked.
    """
    asked = _clock_events(cases) if party == Party.REQUESTER else ()
    events = {*asked, *_letters(letters), *_answers(cases, party), *_endings(cases, party)}
    return sorted(events, key=lambda event: (event.at, event.rank, event.title), reverse=True)


def _clock_events(cases: list[Case]) -> Iterator[Event]:
    for case in cases:
        every: list[ClockEvent] = list(case.clock_events.all())
        gone = {event.supersedes_id for event in every}
        for event in every:
            if event.pk not in gone and not event.data.get("withdraws") and event.kind in _CLOCK_WORDS:
                title, icon, tone = _CLOCK_WORDS[event.kind]
                # What happened at the same moment is told in the order in which it follows.
                rank = list(_CLOCK_WORDS).index(event.kind)
                yield Event(str(title), event.at, icon, tone, rank=rank)


def _letters(letters: list[Letter]) -> Iterator[Event]:
    for letter in letters:
        at = letter.sent_at or letter.written_at
        if letter.is_incoming:
            yield Event(_("You wrote to us"), at, "chat")
        else:
            yield Event(_("We wrote to you"), at, "mail", text=letter.title)


def _answers(cases: list[Case], party: Party) -> Iterator[Event]:
    told = Delivery.objects.filter(pack__case__in=cases, sent_at__isnull=False, route="portal", party=party)
    for delivery in told:
        if delivery.first_downloaded_at:
            yield Event(_("You fetched our answer"), delivery.first_downloaded_at, "download", "success")
        if delivery.revoked_at:
            yield Event(_("The files of our answer were closed"), delivery.revoked_at, "lock", "warning")


def _endings(cases: list[Case], party: Party) -> Iterator[Event]:
    for case in cases:
        if case.closed_at:
            yield Event(
                str(stage_of(case, party).title),
                case.closed_at,
                "check-circle",
                "success",
                text=case.reference,
            )


# -- messages ----------------------------------------------------------------------------------------

# What never went out, or was taken back before it did, is not shown.
_OUT = (LetterState.SENT, LetterState.BOUNCED)


def letters_of(cases: list[Case], party: Party = Party.REQUESTER) -> list[Letter]:
    """What the customer wrote, and what went out to them, oldest first; complaints' letters too."""
    requests = {case.subject_request_id for case in cases}
    found = Letter.objects.filter(
        subject_request__in=requests, to_requester=True, party=party
    ).prefetch_related("files__file")
    return [letter for letter in found if letter.is_incoming or letter.state in _OUT]


def messages(letters: list[Letter]) -> list[Message]:
    """The conversation, newest first."""
    return [_message(letter) for letter in reversed(letters)]


def _message(letter: Letter) -> Message:
    files = [{"name": entry.file.name, "size": entry.file.size, "url": ""} for entry in letter.files.all()]
    at = letter.sent_at or letter.written_at
    return Message(letter.is_incoming, letter.title, letter.body, at, files)
