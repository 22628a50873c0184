"""A closed case is worked again: why, from where, and what that means for its clock."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from cases.deadlines.events import ANSWERED, ASKED, EventKind
from cases.models import Case
from cases.permissions import By
from cases.words import Right
from cases.workflow import retention, search
from cases.workflow.clock import note_fact, recompute
from cases.workflow.perform import perform
from dsar.lib.errors import Refused
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose

SEARCH, REVIEW = "search", "review"

# What a closed case may still wait for, and what ends the wait. Identity is not among them: proof is a fact of its own.
_ENDS = {
    EventKind.CLARIFICATION_REQUESTED: EventKind.CLARIFICATION_RECEIVED,
    EventKind.FEE_REQUESTED: EventKind.FEE_PAID,
}


def reopen(
    case: Case,
    where: str,
    reason: str,
    by: By,
    now: datetime,
    *,
    answered_at: datetime | None = None,
    version: int | None = None,
) -> Case:
    """Go back to searching or to the review, with the reason; the engine sets the date from the facts as they are.

    A question that was never answered no longer stops the clock: the wait ends with the reopening, or, where the
    customer answered after all, at ``answered_at``. Raises NotAllowed, Conflict or Refused.
    """
    if not reason.strip():
        raise Refused(_("Say why the case is opened again."), "reason_missing")
    if answered_at is not None and answered_at > now:
        raise Refused(_("A fact cannot lie in the future."), "fact_in_the_future")
    with transaction.atomic():
        name = "reopen_to_review" if where != SEARCH or case.right == Right.COMPLAINT else "reopen_to_search"
        opened = perform(
            case, name, by, now, version=version, reason=reason.strip(), prepare=_prepared(name, now)
        )
        _end_waits(opened, answered_at or now, by, now)
        recompute(opened, by, now)
        if name == "reopen_to_search":
            search.start_run(opened, by, now)
        return opened


def _prepared(name: str, now: datetime) -> Callable[[Case], None]:
    """Where what was collected is gone, what is collected anew has a key of its own; there is nothing to review."""

    def prepare(locked: Case) -> None:
        if not retention.is_forgotten(locked):
            return
        if name == "reopen_to_review" and locked.right != Right.COMPLAINT:
            raise retention.collected_is_gone()
        locked.collected_key = keyring.new_key(KeyPurpose.COLLECTED, locked.controller_id, now)

    return prepare


def _end_waits(case: Case, at: datetime, by: By, now: datetime) -> None:
    """Whoever goes on without an answer does not need it: the days from here on count."""
    for asked, ends in _ENDS.items():
        for asked_at in waits(case, asked):
            note_fact(case, ends, max(at, asked_at), by, now, data={"reopened": True})


def waits(case: Case, asked: EventKind) -> list[datetime]:
    """When questions of this kind were asked that nobody has answered."""
    events = case.clock_events.filter(superseded_by=None).exclude(data__has_key="withdraws")
    subject = ASKED[asked]
    answers = [kind.value for kind, about in ANSWERED.items() if about is subject]
    put = list(events.filter(kind=asked.value).values_list("at", flat=True))
    return put[events.filter(kind__in=answers).count() :]
