"""A legal hold on a person: nothing of theirs is erased while it lies."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases import queries
from cases.models import Case, DataSubject, LegalHold
from cases.permissions import By
from cases.workflow.perform import act, put_on_record, touch
from dsar.audit.actions import Action
from dsar.lib.errors import Conflict, Refused
from identity.roles import Permission


def set_hold(case: Case, reason: str, by: By, now: datetime, *, version: int | None = None) -> LegalHold:
    """Keep all that is held of the case's person, under whatever rows the brand knows them. Raises Refused."""
    if not reason.strip():
        raise Refused(_("Say why the data has to be kept."), "reason_missing")
    with transaction.atomic():
        held = _everything_of(case, by, now, version)
        if queries.is_held(case.subject):
            raise Conflict(_("A legal hold lies on this person already."), "hold_set")
        assert by.person_id is not None
        hold = LegalHold(
            controller_id=case.controller_id, subject=case.subject, set_by_id=by.person_id, set_at=now
        )
        hold.reason = reason.strip()
        hold.save()
        _mark(case, True)
        _on_record(held, Action.HOLD_SET, by, now)
        return hold


def lift_hold(case: Case, reason: str, by: By, now: datetime, *, version: int | None = None) -> None:
    """End the hold; what waited for that can go on. Raises Refused where none lies."""
    if not reason.strip():
        raise Refused(_("Say why the hold can end."), "reason_missing")
    with transaction.atomic():
        held = _everything_of(case, by, now, version)
        if not queries.is_held(case.subject):
            raise Conflict(_("No legal hold lies on this person."), "no_hold")
        for hold in open_holds(case).select_for_update(of=("self",)):
            hold.lift_reason, hold.lifted_by_id, hold.lifted_at = reason.strip(), by.person_id, now
            hold.save()
        _mark(case, False)
        _on_record(held, Action.HOLD_LIFTED, by, now)


def open_holds(case: Case) -> "QuerySet[LegalHold]":
    """The holds that lie on the case's person."""
    found: QuerySet[LegalHold] = (
        LegalHold.objects.filter(subject__in=queries.same_person(case.subject), lifted_at=None)
        .select_related("subject", "set_by")
        .order_by("set_at")
    )
    return found


def _everything_of(case: Case, by: By, now: datetime, version: int | None) -> list[Case]:
    """Every case of the person, locked in one order: an erasure is either recorded before the hold, or sees it."""
    persons = queries.same_person(case.subject)
    held = list(Case.objects.filter(subject__in=persons).order_by("pk").select_for_update(of=("self",)))
    act(case, Permission.LEGAL_HOLD, by, now, version=version, name="legal_hold")
    return held


def _mark(case: Case, is_held: bool) -> None:
    DataSubject.objects.filter(pk__in=queries.same_person(case.subject)).update(legal_hold=is_held)


def _on_record(cases: list[Case], action: Action, by: By, now: datetime) -> None:
    """On the chain of every case of the person: each is held, or free again."""
    for case in cases:
        put_on_record(case, action, by, now)
        touch(case)
