"""Portability (Art 20): what is left out is left out by the facts of each source, and said; the rest a person looks at.

Where the person asks for it and it is feasible, the data goes to another controller directly (Art 20(2)).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from cases import rights
from cases.fulfilment.portable import Reach, reach
from cases.models import Case, Decision, FulfilmentTask, Item, ItemDecision, SourceSystem, TaskState
from cases.permissions import By
from cases.review import items
from cases.words import DISCLOSING, Right, State
from cases.workflow.perform import act, put_on_record, touch
from dsar.audit.actions import Action
from dsar.lib.errors import Refused
from dsar.vault.fields import opener, sealer
from identity.roles import Permission

PAGE = 1000
TRANSFER = "transfer"
# What rules have decided so far: nothing, or what of another person is taken out.
BY_RULES = (ItemDecision.UNDECIDED, ItemDecision.REDACT)


def sort(case: Case, by: By, now: datetime) -> int:
    """Leave out of a portability case what the sources' facts say cannot be taken along; returns how many records.

    What somebody decided stays; records of which nothing is stated wait for a person.
    """
    if case.right != Right.PORTABILITY:
        return 0
    left_out = 0
    for source_id, collection, found in _reaches(case):
        group = case.items.filter(
            source_id=source_id, collection=collection, decision__in=BY_RULES, decided_by=None
        )
        if found.code:
            left_out += group.update(
                decision=ItemDecision.WITHHOLD, exemption=found.code, redactions=None, decided_at=now
            )
        elif found.fields:
            _mark(case, group, found, now)
    put_on_record(case, Action.PORTABLE_SORTED, by, now, {"left_out": left_out})
    return left_out


def give_the_rest(case: Case, by: By, now: datetime, *, version: int | None = None) -> int:
    """Everything that is the person's own and still to be decided goes along."""
    with transaction.atomic():
        locked = act(case, Permission.WORK, by, now, version=version, name="give_the_rest")
        if locked.right != Right.PORTABILITY or locked.state != State.REVIEW:
            raise Refused(_("Items are decided while the case is in review."), "not_in_review")
        open_ = locked.items.filter(decision=ItemDecision.UNDECIDED, is_third_party=False)
        given: int = open_.update(decision=ItemDecision.DISCLOSE, decided_by=by.person_id, decided_at=now)
        codes: dict[str, str | int] = {"decision": ItemDecision.DISCLOSE.value, "count": given}
        put_on_record(locked, Action.ITEMS_DECIDED, by, now, codes)
        touch(locked)
        return given


def is_transfer_wanted(case: Case) -> bool:
    """The person named another controller to whom the data is to go."""
    return case.right == Right.PORTABILITY and bool(rights.said(case).get("to"))


def order_transfer(case: Case, decision: Decision, now: datetime) -> FulfilmentTask | None:
    """A task to pass the data on, with where to; how it went there is its proof."""
    if case.right not in DISCLOSING or not is_transfer_wanted(case):
        return None
    said = rights.said(case)
    task = FulfilmentTask(
        controller_id=case.controller_id, case=case, decision=decision, verb=TRANSFER, created_at=now
    )
    task.what = "\n".join(part for part in (said["to"], said.get("address", "")) if part)
    task.save()
    return task


def is_transferred(case: Case) -> bool | None:
    """Whether the data was passed on; None where nobody asked for it, or it is still to be done."""
    task = case.tasks.filter(verb=TRANSFER).last()
    return None if task is None or task.state == TaskState.OPEN else task.state == TaskState.DONE


def reaches_of(case: Case) -> list[tuple[items.Group, Reach | None]]:
    """Each group of what was found, with what is stated of it."""
    stated = _stated(case)
    return [(group, reach(stated.get(group.source_id, {}), group.collection)) for group in items.groups(case)]


def _reaches(case: Case) -> Iterator[tuple[UUID | None, str, Reach]]:
    for group, found in reaches_of(case):
        if found is not None and not found.is_whole:
            yield group.source_id, group.collection, found


def _stated(case: Case) -> dict[UUID | None, Any]:
    own = SourceSystem.objects.filter(controller_id=case.controller_id)
    return dict(own.values_list("pk", "portable"))


def _mark(case: Case, group: Any, found: Reach, now: datetime) -> None:
    """Take these fields out of each record of the group, beside what is marked already; a page at a time."""
    open_, seal = (make(Item, "redactions", case.collected_key_id) for make in (opener, sealer))
    field: Any = Item._meta.get_field("redactions")
    rows = list(group.values_list("pk", "redactions"))
    with connection.cursor() as cursor:
        for start in range(0, len(rows), PAGE):
            page = [
                (pk, seal(pk, field.encode(_together(open_(pk, marks), found))))
                for pk, marks in rows[start : start + PAGE]
            ]
            ids, sealed = zip(*page, strict=True)
            cursor.execute(_MARK, [ItemDecision.REDACT.value, now, list(ids), list(sealed)])


def _together(marks: Any, found: Reach) -> dict[str, Any]:
    known = marks or {}
    fields = [mark for mark in known.get("fields", []) if mark["field"] not in found.fields]
    passages = [mark for mark in known.get("passages", []) if mark["field"] not in found.fields]
    return {"fields": [*fields, *found.marks["fields"]], "passages": passages}


_MARK = (
    "UPDATE cases_item SET redactions = marked.redactions, decision = %s, decided_at = %s"
    " FROM unnest(%s::uuid[], %s::bytea[]) AS marked (id, redactions) WHERE cases_item.id = marked.id"
)
