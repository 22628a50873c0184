"""The short notation of histories: ``identity_requested=2026-09-02;identity_received=2026-09-10``.

Names and values are those of the vectors file. A day without a time of day is taken at local noon,
which exists on every day in every zone. Facts keep their written order within a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from cases.deadlines.calendars import Override
from cases.deadlines.engine import DEFAULT_POLICY, Deadline, Limit, Policy, State, compute
from cases.deadlines.events import ASKED, CaseFacts, ClockEvent, EventKind, ExtensionReason, FeeBasis, Right
from cases.deadlines.loader import Catalogue, calendar_for
from cases.deadlines.rules import ClockKind

NOON = time(12)

_Choice = TypeVar("_Choice", Right, ClockKind, FeeBasis)


class NotationError(ValueError):
    """A history cannot be read; the message says which part."""


@dataclass(frozen=True, slots=True)
class Row:
    """One case as a row of the vectors file gives it."""

    regime: str
    received_on: date
    events: str = ""
    right: str = Right.ACCESS
    deadline_kind: str = ClockKind.RESPONSE


STATUS: dict[State, str] = {
    State.RUNNING: "DUE",
    State.PAUSED: "PAUSED",
    State.NOT_STARTED: "NOT_STARTED",
    State.NOT_APPLICABLE: "NOT_APPLICABLE",
    State.MET: "NOT_APPLICABLE",
}

_KINDS: dict[str, EventKind] = {
    **{kind.value: kind for kind in EventKind if kind is not EventKind.RECEIVED},
    "extended": EventKind.EXTENSION_NOTIFIED,
}

# They describe how a request came in, which moves no date (U1).
_DESCRIPTIVE = frozenset(
    {
        "channel",
        "forwarded_on",
        "logged_on",
        "note",
        "noticed_on",
        "office",
        "opened_on",
        "read_on",
        "received_at",
        "received_by",
        "taken_by",
    }
)

_YES = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}


def row_of(cells: Mapping[str, str | None]) -> Row:
    """Read the columns that matter; raises NotationError for a missing or unreadable one."""
    return Row(
        regime=_cell(cells, "regime"),
        received_on=_day(_cell(cells, "received_on")),
        events=(cells.get("events") or "").strip(),
        right=(cells.get("right") or "").strip() or Right.ACCESS,
        deadline_kind=(cells.get("deadline_kind") or "").strip() or ClockKind.RESPONSE,
    )


def _cell(cells: Mapping[str, str | None], name: str) -> str:
    found = (cells.get(name) or "").strip()
    if not found:
        raise NotationError(f"no {name}")
    return found


def limit_of(
    row: Row,
    catalogue: Catalogue,
    *,
    now: datetime | None = None,
    overrides: tuple[Override, ...] = (),
    policy: Policy = DEFAULT_POLICY,
) -> tuple[Limit, Deadline]:
    """Compute the date that a row asks for, and all others of its case.

    Without ``now`` every fact of the row is taken as known. Raises NotationError, UnknownRegimeError
    or, for a region that the holidays package does not know, UnknownCalendarError.
    """
    kind = _kind_of(row)
    regime = catalogue.regime(row.regime, row.received_on)
    facts = facts_of(row, regime.zone)
    received_on = facts.events[0].instant.astimezone(regime.zone).date()
    if received_on != row.received_on:
        # The wall clock decides on the day (U1), and the day on the version of the rules.
        regime = catalogue.regime(row.regime, received_on)
    known = now if now is not None else max(event.instant for event in facts.events)
    deadline = compute(facts, regime, calendar_for(regime, overrides), now=known, policy=policy)
    return deadline.limit(kind), deadline


def _kind_of(row: Row) -> ClockKind:
    """What acknowledges a complaint is a complaint's only acknowledgement."""
    kind = _choice(ClockKind, row.deadline_kind, "deadline_kind")
    of_complaint = kind is ClockKind.ACKNOWLEDGEMENT and row.right == Right.COMPLAINT
    return ClockKind.COMPLAINT_ACK if of_complaint else kind


def facts_of(row: Row, zone: ZoneInfo) -> CaseFacts:
    """Read a row's history; raises NotationError."""
    pairs = tuple(_pairs(row.events))
    arrivals = [_instant(value, zone) for name, value in pairs if name == "received_at"]
    received_at = arrivals[0] if arrivals else _noon(row.received_on, zone)
    right = _choice(Right, row.right, "right")
    events = _events(pairs, zone)
    return CaseFacts(right, zone, (ClockEvent(EventKind.RECEIVED, received_at), *_in_order(events)))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        name, equals, value = part.partition("=")
        if not equals or not value.strip():
            raise NotationError(f"not name=value: {part!r}")
        yield name.strip(), value.strip()


def _events(pairs: tuple[tuple[str, str], ...], zone: ZoneInfo) -> list[ClockEvent]:
    events: list[ClockEvent] = []
    early: list[tuple[str, str]] = []
    for name, value in pairs:
        if name in _KINDS:
            events.append(ClockEvent(_KINDS[name], _instant(value, zone)))
        elif name not in _DESCRIPTIVE and not _qualify_last(events, name, value):
            early.append((name, value))
    return [_qualified(event, early) for event in events]


def _qualify_last(events: list[ClockEvent], name: str, value: str) -> bool:
    """Apply a property to the event of its kind that stands last before it; False where none does."""
    kind, change = _property(name)
    for index in reversed(range(len(events))):
        if events[index].kind is kind:
            events[index] = change(events[index], value)
            return True
    return False


def _qualified(event: ClockEvent, early: list[tuple[str, str]]) -> ClockEvent:
    """A property written before any event of its kind holds for all of them."""
    for name, value in early:
        kind, change = _property(name)
        event = change(event, value) if event.kind is kind else event
    return event


def _property(name: str) -> tuple[EventKind, Callable[[ClockEvent, str], ClockEvent]]:
    if name not in _PROPERTIES:
        raise NotationError(f"unknown name {name!r}")
    return _PROPERTIES[name]


def _reasonable(event: ClockEvent, value: str) -> ClockEvent:
    return replace(event, reasonable=_yes(value))


def _prompt(event: ClockEvent, value: str) -> ClockEvent:
    return replace(event, prompt=_yes(value))


def _large(event: ClockEvent, value: str) -> ClockEvent:
    return replace(event, large_quantity=_yes(value))


def _reason(event: ClockEvent, value: str) -> ClockEvent:
    known = {reason.value for reason in ExtensionReason}
    return replace(event, extension_reason=ExtensionReason(value if value in known else "other"))


def _basis(event: ClockEvent, value: str) -> ClockEvent:
    return replace(event, fee_basis=_choice(FeeBasis, value, "fee_basis"))


def _new_date(event: ClockEvent, value: str) -> ClockEvent:
    return replace(event, new_due_on=_day(value))


_PROPERTIES: dict[str, tuple[EventKind, Callable[[ClockEvent, str], ClockEvent]]] = {
    **{f"{subject}_reasonable": (kind, _reasonable) for kind, subject in ASKED.items()},
    **{f"{subject}_prompt": (kind, _prompt) for kind, subject in ASKED.items()},
    "large_quantity": (EventKind.CLARIFICATION_REQUESTED, _large),
    "recital_63": (EventKind.CLARIFICATION_REQUESTED, _large),
    "recital63": (EventKind.CLARIFICATION_REQUESTED, _large),
    "extension_reason": (EventKind.EXTENSION_NOTIFIED, _reason),
    "extended_to": (EventKind.EXTENSION_NOTIFIED, _new_date),
    "fee_basis": (EventKind.FEE_REQUESTED, _basis),
}


def _in_order(events: list[ClockEvent]) -> Iterator[ClockEvent]:
    """A second apart in the written order, so that an answer may follow its question at noon."""
    for index, event in enumerate(events):
        yield replace(event, instant=event.instant + timedelta(microseconds=index + 1))


def _yes(value: str) -> bool:
    if value.lower() not in _YES:
        raise NotationError(f"neither yes nor no: {value!r}")
    return _YES[value.lower()]


def _choice(kinds: type[_Choice], value: str, name: str) -> _Choice:
    try:
        return kinds(value)
    except ValueError as error:
        raise NotationError(f"unknown {name} {value!r}") from error


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise NotationError(f"not a day: {value!r}") from error


def _instant(value: str, zone: ZoneInfo) -> datetime:
    if "T" not in value:
        return _noon(_day(value), zone)
    try:
        read = datetime.fromisoformat(value)
    except ValueError as error:
        raise NotationError(f"not an instant: {value!r}") from error
    return read if read.tzinfo is not None else read.replace(tzinfo=zone)


def _noon(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, NOON, zone)
