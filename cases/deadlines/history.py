"""Turn the events of a case into questions with their answers, by local date."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from operator import attrgetter

from cases.deadlines.events import ANSWERED, ASKED, CaseFacts, ClockEvent, EventKind, Right, Subject


class NoReceiptError(ValueError):
    """A case without a day of receipt has no clock."""


@dataclass(slots=True)
class Question:
    """Something asked of the requester; ``answered_on`` is None while it is open."""

    subject: Subject
    asked_on: date
    event: ClockEvent
    answered_on: date | None = None


@dataclass(slots=True)
class History:
    """The events of a case, read up to now, in order of time."""

    right: Right
    received_on: date
    questions: list[Question] = field(default_factory=list)
    extensions: list[tuple[date, ClockEvent]] = field(default_factory=list)
    confirmed: list[date] = field(default_factory=list)
    unasked: list[tuple[Subject, date]] = field(default_factory=list)
    future: list[date] = field(default_factory=list)
    complaint_on: date | None = None
    acknowledged_on: date | None = None
    appeal_on: date | None = None


_BY_INSTANT = attrgetter("instant")


def read_history(facts: CaseFacts, now: datetime) -> History:
    """Read the facts known by ``now``; raises NoReceiptError when nothing was received by then."""
    ordered = sorted(facts.events, key=_BY_INSTANT) if len(facts.events) > 1 else facts.events
    known = [event for event in ordered if event.instant <= now]
    history = History(facts.right, _received_on(facts, known))
    for event in known:
        _take(history, event, event.instant.astimezone(facts.zone).date())
    if len(known) < len(ordered):
        history.future = [e.instant.astimezone(facts.zone).date() for e in ordered if e.instant > now]
    return history


def _received_on(facts: CaseFacts, known: list[ClockEvent]) -> date:
    """U1: the local date of the first event that brought the request, by whatever channel."""
    for event in known:
        if event.kind in _ARRIVALS.get(facts.right, _REQUEST):
            return event.instant.astimezone(facts.zone).date()
    raise NoReceiptError("no event says when this was received")


_REQUEST = frozenset({EventKind.RECEIVED})
_ARRIVALS = {
    Right.COMPLAINT: _REQUEST | {EventKind.COMPLAINT_RECEIVED},
    Right.APPEAL: _REQUEST | {EventKind.APPEAL_RECEIVED},
}


def _take(history: History, event: ClockEvent, on: date) -> None:
    if event.kind is EventKind.RECEIVED:
        return
    if event.kind in ASKED:
        history.questions.append(Question(ASKED[event.kind], on, event))
    elif event.kind in ANSWERED:
        _answer(history, event, ANSWERED[event.kind], on)
    elif event.kind is EventKind.EXTENSION_NOTIFIED:
        history.extensions.append((on, event))
    elif event.kind is EventKind.IDENTITY_CONFIRMED:
        history.confirmed.append(on)
    else:
        _take_arrival(history, event, on)


def _take_arrival(history: History, event: ClockEvent, on: date) -> None:
    """The first complaint and the first appeal count, as the first receipt does; so does its acknowledgement."""
    if event.kind is EventKind.COMPLAINT_RECEIVED and history.complaint_on is None:
        history.complaint_on = on
    if event.kind is EventKind.COMPLAINT_ACKNOWLEDGED and history.acknowledged_on is None:
        history.acknowledged_on = on
    if event.kind is EventKind.APPEAL_RECEIVED and history.appeal_on is None:
        history.appeal_on = on


def _answer(history: History, event: ClockEvent, subject: Subject, on: date) -> None:
    """Give the answer to its own question, or to the oldest open one of its subject.

    A question without reasonable ground has no effect, so it takes no answer from one that has.
    """
    waiting = [
        question
        for question in history.questions
        if question.subject is subject and question.answered_on is None and _fits(question, event)
    ]
    if waiting:
        min(waiting, key=_is_groundless).answered_on = on
    else:
        history.unasked.append((subject, on))


def _is_groundless(question: Question) -> bool:
    return not question.event.reasonable


def _fits(question: Question, answer: ClockEvent) -> bool:
    return answer.question is None or question.event.question == answer.question
