"""Facts of the clock as they happen, and the date that follows from them."""

from collections.abc import Mapping
from datetime import date, datetime

from django.utils.translation import gettext as _

from cases import queries
from cases.deadlines.deadline import Deadline
from cases.deadlines.events import EventKind
from cases.models import Case, ClockEvent
from cases.permissions import By
from cases.workflow.perform import put_on_record
from dsar.audit.actions import Action
from dsar.lib.errors import Refused


def add_fact(
    case: Case,
    kind: EventKind,
    at: datetime,
    by: By,
    now: datetime,
    *,
    data: Mapping[str, str | bool] | None = None,
    reason: str = "",
    supersedes: ClockEvent | None = None,
) -> ClockEvent:
    """Record one fact of a locked case and compute its dates anew.

    ``at`` may lie in the past, never in the future (Refused).
    """
    event = note_fact(case, kind, at, by, now, data=data, reason=reason, supersedes=supersedes)
    recompute(case, by, now)
    return event


def note_fact(
    case: Case,
    kind: EventKind,
    at: datetime,
    by: By,
    now: datetime,
    *,
    data: Mapping[str, str | bool] | None = None,
    reason: str = "",
    supersedes: ClockEvent | None = None,
) -> ClockEvent:
    """Record one fact and leave the dates as they are: for a caller that goes on to compute them."""
    if at > now:
        raise Refused(_("A fact cannot lie in the future."), "fact_in_the_future")
    event = ClockEvent(
        controller_id=case.controller_id,
        case=case,
        kind=kind.value,
        at=at,
        data=dict(data or {}),
        supersedes=supersedes,
        recorded_by_id=by.person_id,
        recorded_at=now,
    )
    event.reason = reason
    event.save()
    put_on_record(case, Action.CLOCK_EVENT, by, now, _codes(event))
    return event


def _codes(event: ClockEvent) -> dict[str, str]:
    """What the trail keeps of a fact: what it is, and whether it takes the place of another."""
    codes = {"kind": event.kind, "at": event.at.isoformat()}
    if event.supersedes_id is not None:
        codes |= {"what": "removed" if event.data.get("withdraws") else "corrected"}
        codes |= {"replaces": str(event.supersedes_id)}
    return codes


def cached(deadline: Deadline) -> dict[str, date | str | None]:
    """What a case keeps of its dates, to be sorted and searched by; while the clock waits, counted from receipt."""
    return {
        "due_on": deadline.due_on or deadline.shadow_due_on,
        "target_on": deadline.target_on,
        "clock_state": deadline.state.value,
        "letter_on": deadline.reasoned_letter_by,
        "paused_on": deadline.paused_on,
    }


def recompute(case: Case, by: By, now: datetime) -> bool:
    """Bring the cached dates in line with the facts; True where one moved."""
    deadline = queries.deadline_of(case, now)
    found = cached(deadline)
    if all(getattr(case, name) == value for name, value in found.items()):
        return False
    if case.due_on is not None and case.due_on != found["due_on"]:
        put_move_on_record(case, deadline, by, now)
    for name, value in found.items():
        setattr(case, name, value)
    case.dates_version, case.dates_moved_at = case.dates_version + 1, now
    case.save(update_fields=[*found, "dates_version", "dates_moved_at"])
    return True


def put_move_on_record(case: Case, deadline: Deadline, by: By, now: datetime) -> None:
    """That the date of a case moves from the one that it still bears, and what says so."""
    due_on = deadline.due_on or deadline.shadow_due_on
    codes = {
        "from": case.due_on.isoformat() if case.due_on else None,
        "to": due_on.isoformat() if due_on else None,
        "calendar": deadline.calendar_version,
        "rules": deadline.rule_version,
    }
    put_on_record(case, Action.DUE_DATE_MOVED, by, now, codes)
