"""Somebody says what a field is that the description of a source does not know: once a source, for all of its cases."""

from datetime import datetime
from typing import NoReturn
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from cases.collection.store import Form
from cases.errors import not_yours
from cases.models import Case, FieldChoice, FieldClass, FieldInCase, UnknownField
from cases.permissions import By
from cases.words import State
from dsar.audit.actions import Action
from dsar.audit.record import Codes, record, record_whatever_happens
from dsar.jobs.queue import enqueue
from dsar.jobs.run import Claim
from dsar.lib.errors import Refused
from identity.roles import Permission

APPLY = "apply_field"
BATCH = 500
# What is approved stays as it was approved; it is applied where such a case comes back.
CHANGEABLE = (
    State.AWAITING_CLARIFICATION,
    State.AWAITING_FEE,
    State.SEARCHING,
    State.REVIEW,
    State.APPROVAL,
    State.WITH_CONTROLLER,
)


def classify(field: UnknownField, choice: FieldClass, reason: str, by: By, now: datetime) -> UnknownField:
    """Keep a new version of what a field is, and have it applied to what was collected already."""
    if not by.allows(Permission.CLASSIFY, field.controller_id):
        _refuse(field, by, now)
    if choice not in FieldClass.values:
        raise Refused(_("Say what this field is."), "choice_missing")
    if not reason.strip():
        raise Refused(_("Give the reason."), "reason_missing")
    with transaction.atomic():
        locked = (
            UnknownField.objects.select_for_update(of=("self",)).select_related("source").get(pk=field.pk)
        )
        locked.choice, locked.version = choice, locked.version + 1
        locked.save(update_fields=["choice", "version"])
        _keep(locked, reason, by, now)
        order(locked, now)
        return locked


def _refuse(field: UnknownField, by: By, now: datetime) -> NoReturn:
    refusal = not_yours("classify_field")
    data = {"act": "classify_field", "code": refusal.code}
    record_whatever_happens(
        Action.ACT_REFUSED, by.actor, now, controller_id=field.controller_id, case_id=None, data=data
    )
    raise refusal


def _keep(field: UnknownField, reason: str, by: By, now: datetime) -> None:
    assert by.person_id is not None
    made = FieldChoice(
        controller_id=field.controller_id,
        field=field,
        version=field.version,
        choice=field.choice,
        decided_by_id=by.person_id,
        decided_at=now,
    )
    made.reason = reason.strip()
    made.save()
    codes: Codes = {
        "source": str(field.source_id),
        "field": str(field.pk),
        "version": field.version,
        "choice": field.choice,
    }
    record(Action.FIELD_CLASSIFIED, by.actor, now, controller_id=field.controller_id, data=codes)


def order(field: UnknownField, now: datetime) -> None:
    """Have what was said applied to the items of open cases."""
    enqueue(
        APPLY,
        controller_id=field.controller_id,
        key=f"field:{field.pk}:{field.version}",
        args={"field": str(field.pk)},
        now=now,
    )


def order_lagging(controller_id: UUID, now: datetime) -> None:
    """The same for fields that a case lags behind with: it could not be changed when something was said of them."""
    lagging = _behind().filter(controller=controller_id, case__state__in=CHANGEABLE)
    for field in UnknownField.objects.filter(pk__in=lagging.values("field")):
        order(field, now)


def _behind() -> QuerySet[FieldInCase]:
    return FieldInCase.objects.filter(field__version__gt=0).exclude(applied=F("field__version"))


def apply(claim: Claim, field_id: UUID) -> None:
    """Bring the items of each open case in line, some at a time, each batch in a step of its own."""
    passed: set[UUID] = set()
    while True:
        with claim.step():
            waiting = _behind().filter(field=field_id, case__state__in=CHANGEABLE).exclude(pk__in=passed)
            wanted = waiting.select_related("field", "case").first()
        if wanted is None:
            return
        passed.add(wanted.pk)
        _apply(claim, wanted)


def _apply(claim: Claim, wanted: FieldInCase) -> None:
    after: UUID | None = None
    while True:
        with claim.step():
            case = Case.objects.select_for_update(no_key=True).get(pk=wanted.case_id)
            field = UnknownField.objects.get(pk=wanted.field_id)
            if case.state not in CHANGEABLE:
                return
            after = _batch(case, field, after)
            if after is None:
                # Somebody may have said something else meanwhile: that is another job's, over all items again.
                FieldInCase.objects.filter(pk=wanted.pk).update(applied=wanted.field.version)
                return


def _batch(case: Case, field: UnknownField, after: UUID | None) -> UUID | None:
    """Classify the next items after this one; the last of them, or None where there are no more."""
    items = case.items.filter(source=field.source_id, collection=field.collection).order_by("pk")
    found = list((items.filter(pk__gt=after) if after else items)[:BATCH])
    form = Form.of(case, field.source_id)
    changed = []
    for item in found:
        item.case = case
        if form.classify(item):
            changed.append(item)
    for item in changed:
        item.save(update_fields=["content", "content_hash", "redactions", "decision"])
    return found[-1].pk if len(found) == BATCH else None
