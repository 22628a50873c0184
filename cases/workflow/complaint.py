"""A complaint against the handling: who may look into it, and when it was acknowledged (UK: s.164A DPA 2018)."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from cases.deadlines.events import EventKind
from cases.models import Case, Letter
from cases.permissions import By
from cases.words import Right
from cases.workflow.clock import add_fact
from cases.workflow.perform import lock
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent


def dealt_with(case: Case | None, person_id: UUID) -> bool:
    """Whether somebody has handled a case, or decided anything about it: they do not judge a complaint about it."""
    if case is None:
        return False
    return (
        case.owner_id == person_id
        or _owned_before(case, person_id)
        or case.decisions.filter(_decided(person_id)).exists()
        or case.extensions.filter(_decided(person_id)).exists()
        or case.items.filter(decided_by=person_id).exists()
        or _decided_items_that_are_gone(case, person_id)
    )


def _decided(person_id: UUID) -> Q:
    return Q(proposed_by=person_id) | Q(approved_by=person_id) | Q(controller_decided_by=person_id)


def _owned_before(case: Case, person_id: UUID) -> bool:
    assigned = AuditEvent.objects.filter(case_id=case.pk, action=Action.CASE_ASSIGNED)
    return assigned.filter(data__owner=str(person_id)).exists()


def _decided_items_that_are_gone(case: Case, person_id: UUID) -> bool:
    """What was collected may be forgotten by now; the trail still says who decided about it."""
    decided = AuditEvent.objects.filter(case_id=case.pk, action=Action.ITEMS_DECIDED, actor_id=person_id)
    return bool(decided.exists())


def acknowledged(letter: Letter, by: By, now: datetime) -> None:
    """A letter to whoever complained is out: it stops the clock of the acknowledgement.

    A final answer within the time does as well, so that it is asked whatever letter it was.
    """
    for case in _complaints(letter):
        if not case.clock_events.filter(_standing()).exists():
            data = {"letter": str(letter.pk)}
            add_fact(lock(case.pk), EventKind.COMPLAINT_ACKNOWLEDGED, now, by, now, data=data)


def not_acknowledged(letter: Letter, by: By, now: datetime) -> None:
    """The letter came back: nothing was acknowledged by it, and the clock is where it was."""
    for case in _complaints(letter):
        for event in case.clock_events.filter(_standing(), data__letter=str(letter.pk)):
            add_fact(
                lock(case.pk),
                EventKind.COMPLAINT_ACKNOWLEDGED,
                event.at,
                by,
                now,
                data={"withdraws": True},
                reason=_("The letter came back."),
                supersedes=event,
            )


def _standing() -> Q:
    """An acknowledgement that nothing has taken back."""
    told = Q(kind=EventKind.COMPLAINT_ACKNOWLEDGED.value, superseded_by=None)
    return told & ~Q(data__has_key="withdraws")


def _complaints(letter: Letter) -> list[Case]:
    """The open or answered complaints that a letter to the requester speaks of."""
    cases = Case.objects.filter(subject_request_id=letter.subject_request_id, right=Right.COMPLAINT)
    if letter.case_id is not None:
        cases = cases.filter(pk=letter.case_id)
    return list(cases.order_by("pk"))
