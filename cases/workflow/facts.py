"""Facts of the clock that were learned late, were noted wrongly, or never were. Each change is a new row.

What happens in the workflow becomes a fact by itself; this is for the letter that lay in another department.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases import queries
from cases.deadlines.deadline import Deadline
from cases.deadlines.events import ASKED, EventKind, Subject
from cases.errors import not_yours, somebody_was_quicker
from cases.models import Case, ClockEvent
from cases.permissions import By
from cases.queries import NotedRow
from cases.words import State
from cases.workflow import people
from cases.workflow.clock import add_fact
from cases.workflow.perform import AlreadyDone, act, lock_all, refuse, touch
from dsar.lib import cards
from dsar.lib.errors import Refused
from identity.roles import Permission

KEEPERS = (Permission.CORRECT, Permission.APPROVE)

RECEIPTS = frozenset({EventKind.RECEIVED, EventKind.COMPLAINT_RECEIVED, EventKind.APPEAL_RECEIVED})
# These follow from a letter that went out, so that no hand can make or unmake them.
BY_LETTER = frozenset({EventKind.EXTENSION_NOTIFIED, EventKind.COMPLAINT_ACKNOWLEDGED})
ADDABLE = tuple(kind for kind in EventKind if kind not in RECEIPTS | BY_LETTER)

# While a case waits for one of these, recording it is an act of its own, which lets the case go on as well.
_GOES_ON = {
    State.AWAITING_CLARIFICATION: EventKind.CLARIFICATION_RECEIVED,
    State.AWAITING_FEE: EventKind.FEE_PAID,
}

Data = Mapping[str, str | bool]


@dataclass(frozen=True)
class Change:
    """A fact to add; with ``replaces`` one to correct, and with ``removes`` one that did not happen."""

    kind: EventKind
    at: datetime
    reason: str
    data: Data = field(default_factory=dict)
    replaces: UUID | None = None
    removes: bool = False

    @property
    def codes(self) -> dict[str, str | bool]:
        """What the row keeps: of the properties those that the kind has."""
        if self.removes:
            return {"withdraws": True}
        return {name: value for name, value in self.data.items() if name in properties_of(self.kind)}


def properties_of(kind: EventKind) -> frozenset[str]:
    """What can be said of a fact beside its time."""
    subject = ASKED.get(kind)
    if subject is None:
        return frozenset()
    own = {Subject.CLARIFICATION: {"large_quantity"}, Subject.FEE: {"fee_basis"}}
    return frozenset({"reasonable", *own.get(subject, set())})


def may_keep(case: Case, by: By) -> bool:
    """Whether this person may change what the clock of the case knows."""
    return case.is_open and any(by.allows(one, case.controller_id) for one in KEEPERS)


# -- what it would do --------------------------------------------------------------------------------------


def would_be(case: Case, change: Change, now: datetime) -> Deadline:
    """The dates as they would be; nothing is kept. Raises Refused for what cannot be."""
    _check(case, change, now)
    noted: list[queries.Noted] = [*case.clock_events.all(), _row(change)]
    facts = queries.facts_from(noted, case.right, case.controller.zone)
    considered = copy(case)
    if change.kind in RECEIPTS:
        considered.regime_version = people.regime_version_at(case, change.at)
    return queries.deadline_from(considered, facts, now)


def _row(change: Change) -> NotedRow:
    nobody = UUID(int=0)
    return NotedRow(nobody, change.kind.value, change.at, dict(change.codes), change.replaces)


# -- doing it ----------------------------------------------------------------------------------------------


def change(case: Case, wanted: Change, by: By, now: datetime, *, version: int | None = None) -> Case:
    """Add, correct or remove a fact, and compute the dates anew.

    ``version`` is the one that the person saw. The receipt of a request is that of all its cases. Raises
    NotAllowed, Conflict or Refused; AlreadyDone where the same person pressed twice.
    """
    with transaction.atomic():
        if wanted.kind in RECEIPTS:
            lock_all(case.subject_request_id)
        locked = act(case, None, by, now, name="change_clock")
        _allowed(locked, by, now)
        _once(locked, wanted, by, version)
        if wanted.kind in RECEIPTS:
            _check(locked, wanted, now)
            people.correct_received(locked, wanted.at, wanted.reason, by, now)
            return locked
        replaced = _check(locked, wanted, now)
        words, _masked = cards.mask_cards(wanted.reason.strip())
        touch(locked)
        add_fact(
            locked, wanted.kind, wanted.at, by, now, data=wanted.codes, reason=words, supersedes=replaced
        )
        return locked


def _allowed(case: Case, by: By, now: datetime) -> None:
    if not any(by.allows(one, case.controller_id) for one in KEEPERS):
        refuse(case, "change_clock", by, now, not_yours("change_clock"))


def _once(case: Case, wanted: Change, by: By, version: int | None) -> None:
    if version is None or version == case.version:
        return
    mine = case.clock_events.filter(
        kind=wanted.kind.value, supersedes=wanted.replaces, recorded_by=by.person_id, data=dict(wanted.codes)
    )
    if mine.filter(at=wanted.at).exists():
        raise AlreadyDone(case)
    raise somebody_was_quicker()


# -- what cannot be ----------------------------------------------------------------------------------------


def _check(case: Case, wanted: Change, now: datetime) -> ClockEvent | None:
    """The fact that is replaced, if one is. Raises Refused."""
    if not case.is_open:
        _no(_("The case is closed: its dates stay as they were."), "case_closed")
    if not wanted.reason.strip():
        _no(_("Give the reason: somebody will ask for it."), "reason_missing")
    if wanted.at > now:
        _no(_("A fact cannot lie in the future."), "fact_in_the_future")
    if wanted.kind in BY_LETTER:
        _no(_("This fact follows from the letter that was sent, and changes with it alone."), "by_letter")
    replaced = _replaced(case, wanted) if wanted.replaces else None
    if wanted.kind in RECEIPTS:
        _check_receipt(case, wanted)
    else:
        _check_other(case, wanted)
    return replaced


def _replaced(case: Case, wanted: Change) -> ClockEvent:
    standing = {event.pk: event for event in queries.standing_of(case.clock_events.all())}
    found = standing.get(wanted.replaces) if wanted.replaces else None
    if found is None or found.kind != wanted.kind:
        _no(_("This fact was corrected or removed meanwhile."), "fact_replaced")
    return found


def _check_receipt(case: Case, wanted: Change) -> None:
    if wanted.removes or wanted.replaces is None:
        _no(_("A request has one receipt: it can be corrected, not added or removed."), "receipt_stays")
    earlier = [
        event for event in _others(case, wanted) if event.at < wanted.at and event.kind not in RECEIPTS
    ]
    if earlier:
        _no(_("Another fact is older than that: nothing comes before the receipt."), "before_the_receipt")


def _check_other(case: Case, wanted: Change) -> None:
    received = [event.at for event in _others(case, wanted) if EventKind(event.kind) in RECEIPTS]
    if not wanted.removes and received and wanted.at < min(received):
        _no(_("That is before the request was received."), "before_the_receipt")
    if wanted.replaces is None and _GOES_ON.get(State(case.state)) == wanted.kind:
        _no(
            _("The case waits for this: record it on the case's page, so that the case goes on as well."),
            "goes_on",
        )


def _others(case: Case, wanted: Change) -> list[ClockEvent]:
    return [event for event in queries.standing_of(case.clock_events.all()) if event.pk != wanted.replaces]


def _no(sentence: str, code: str) -> NoReturn:
    raise Refused(sentence, code)
