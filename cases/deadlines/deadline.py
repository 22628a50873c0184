"""What the engine gives: dates with their reasons, and the stretches of a timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cases.deadlines.rules import ClockKind
from cases.deadlines.steps import Step, StepCode

LAST_SECOND = time(23, 59, 59)


class State(StrEnum):
    """How a clock stands."""

    RUNNING = "running"
    PAUSED = "paused"
    NOT_STARTED = "not_started"
    NOT_APPLICABLE = "not_applicable"
    MET = "met"


class StretchKind(StrEnum):
    """What a stretch of days on the timeline is."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    EXTENDED = "extended"


class Stretch(NamedTuple):
    """Days of one kind, both ends included; ``to_on`` is None while the end is unknown."""

    kind: StretchKind
    from_on: date
    to_on: date | None


class Limit(NamedTuple):
    """One date of a case. ``due_on`` is None unless the clock runs; ``safe_due_on`` is never later."""

    kind: ClockKind
    state: State
    due_on: date | None
    safe_due_on: date | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a controller may choose.

    ``target_days`` replaces the regime's own aim, in days after the start. ``suspension`` off means
    that pauses which rest on guidance alone (E5) are never used.
    """

    target_days: int | None = None
    suspension: bool = True


DEFAULT_POLICY = Policy()

# The step that tells of an open question, and its value that says since when.
_SINCE = {StepCode.WAITING_FOR: "asked_on", StepCode.PAUSE_OPEN: "first_on"}


class Deadline(NamedTuple):
    """All dates of a case, with reasons; a named tuple, since many are made at once.

    The fields speak of the case's own clock: the response, or for a complaint its acknowledgement.
    ``reasoned_letter_by`` is the day by which a letter with reasons must be out even though the
    requester has not answered (Art 12(4)).
    """

    state: State
    due_on: date | None
    shadow_due_on: date | None
    safe_due_on: date | None
    refusal_by: date | None
    reasoned_letter_by: date | None
    extension_notice_by: date | None
    target_on: date | None
    received_on: date
    started_on: date | None
    is_extended: bool
    is_late: bool
    stretches: tuple[Stretch, ...]
    steps: tuple[Step, ...]
    warnings: tuple[Step, ...]
    limits: Mapping[ClockKind, Limit]
    regime: str
    rule_version: str
    calendar_version: str
    zone: ZoneInfo

    @property
    def due_at(self) -> datetime | None:
        """The last second of the last day, local (U9): by then sent, not queued."""
        return None if self.due_on is None else datetime.combine(self.due_on, LAST_SECOND, self.zone)

    @property
    def paused_on(self) -> date | None:
        """The day since which the clock waits for the requester; None while it runs."""
        if self.state not in (State.PAUSED, State.NOT_STARTED):
            return None
        found = next(step.values[_SINCE[step.code]] for step in self.steps if step.code in _SINCE)
        assert isinstance(found, date)
        return found

    def limit(self, kind: ClockKind) -> Limit:
        """Give one date of the case; a clock that the regime does not know is NOT_APPLICABLE."""
        found = self.limits.get(kind)
        return found if found is not None else self._unknown(kind)

    def _unknown(self, kind: ClockKind) -> Limit:
        step = Step(
            StepCode.UNKNOWN_TO_REGIME, self.regime, None, {}, self.rule_version, self.calendar_version
        )
        return Limit(kind, State.NOT_APPLICABLE, None, None, (step,))
