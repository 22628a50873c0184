"""The plan of a rectification: what was decided about values becomes one line a record, and each source is tried.

It is made anew whenever a value is decided otherwise; nobody has approved it before. Refusals are in it as well: where
a source can hold a note of the dispute one is written, elsewhere a person does it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import corrections
from cases.connectors.base import JSON
from cases.fulfilment import parts, plans
from cases.fulfilment.abilities import Reach, reach_of
from cases.fulfilment.corrected import Change, changes_of
from cases.fulfilment.proven import Key, Proven, keys_of
from cases.fulfilment.rules import AT_REST
from cases.models import (
    Case,
    ChangePlan,
    Correction,
    Item,
    LineState,
    PlannedChange,
    PlanStage,
    SourceSystem,
)
from cases.permissions import By
from cases.words import State
from cases.workflow import plan as planning
from cases.workflow.perform import act, lock, put_on_record, touch
from dsar.audit.actions import Action
from dsar.audit.record import Codes
from dsar.jobs.queue import enqueue
from dsar.jobs.run import Claim
from dsar.lib.errors import Refused
from dsar.vault.fields import opener
from identity.roles import Permission

PLAN: Final = "plan_corrections"
PAGE: Final = 1000


def order(case: Case, now: datetime) -> None:
    """Have the plan made when the last value is decided; one that was made before does not hold any more."""
    if not corrections.is_by_value(case):
        planning.void(case, now)
        return
    made = plans.live(case) or plans.new(case, now)
    made.stage, made.made_at = PlanStage.MAKING, now
    made.save(update_fields=["stage", "made_at"])
    if corrections.undecided(case) == 0:
        enqueue(
            PLAN,
            controller_id=case.controller_id,
            case_id=case.pk,
            key=f"{PLAN}:{made.pk}:{case.version}",
            args={"plan": str(made.pk)},
            now=now,
        )


def make(claim: Claim, plan_id: UUID) -> None:
    """Write the lines anew and have the sources tried, inside a step."""
    with claim.step():
        case = lock(ChangePlan.objects.values_list("case_id", flat=True).get(pk=plan_id))
        found = ChangePlan.objects.select_for_update(of=("self",)).get(pk=plan_id)
        found.case = case
        is_wanted = found.stage == PlanStage.MAKING and case.state == State.REVIEW
        if not is_wanted or corrections.undecided(case):
            return
        found.parts.all().delete()
        found.lines.all().delete()
        _write(found)
        parts.make(found)
        planning.proposed(plan_id, timezone.now())


def _write(found: ChangePlan) -> None:
    """One line a record, and one more for what a person has to do there besides."""
    case = found.case
    records = corrections.by_item(corrections.disputed(case))
    sources = SourceSystem.objects.filter(pk__in=case.items.values("source").distinct())
    reaches: Mapping[UUID | None, Reach] = {source.pk: reach_of(source) for source in sources}
    proven = _proven(case, set(records), reaches)
    numbers = count(1)
    for item in case.items.filter(pk__in=records).select_related("case").order_by("number", "pk"):
        data: Mapping[str, JSON] = (item.content or {}).get("data") or {}
        reach = reaches.get(item.source_id, Reach())
        for place, change in enumerate(changes_of(records[item.pk], data, reach, item.collection)):
            _line(found, item, records[item.pk], change, next(numbers), place == 0, item.pk in proven)


def _line(
    found: ChangePlan,
    item: Item,
    decided: Sequence[Correction],
    change: Change,
    number: int,
    is_first: bool,
    may_write: bool,
) -> None:
    newest = max(decided, key=lambda one: one.decided_at or found.made_at)
    line = PlannedChange(
        controller_id=found.controller_id,
        plan=found,
        case=found.case,
        item=item if is_first else None,
        source_id=item.source_id,
        collection=item.collection,
        number=number,
        treatment=change.treatment,
        basis=change.basis,
        by_hand=change.by_hand or (change.treatment not in AT_REST and not may_write),
        may_write=may_write,
        state=LineState.DECIDED,
        decided_by_id=newest.decided_by_id,
        decided_at=newest.decided_at,
    )
    line.wanted, line.expected = dict(change.wanted), dict(change.expected)
    line.reason = "\n".join(dict.fromkeys(one.reason for one in decided if one.reason))
    line.return_reason = ""
    line.save()


def _proven(case: Case, wanted: set[UUID], reaches: Mapping[UUID | None, Reach]) -> set[UUID]:
    """Which of these records may be written to; a record is judged behind those to which it refers."""
    judge = Proven.of(case)
    return {
        pk
        for pk, source_id, collection, is_third_party, content in _records(case)
        if judge.shows(source_id, collection, content, _keys(reaches.get(source_id), collection, content))
        and pk in wanted
        and not is_third_party
    }


def _keys(reach: Reach | None, collection: str, content: Mapping[str, Any]) -> frozenset[Key]:
    known = reach.types.get(collection) if reach else None
    return keys_of(collection, content, known.keys if known else frozenset())


def _records(case: Case) -> Iterator[tuple[UUID, UUID | None, str, bool, Mapping[str, Any]]]:
    opened = opener(Item, "content", case.collected_key_id)
    columns = ("pk", "source_id", "collection", "is_third_party", "content")
    rows: Any = case.items.order_by("source__name", "source_id", "number", "pk").values_list(*columns)
    for pk, source_id, collection, is_third_party, content in rows.iterator(chunk_size=PAGE):
        yield pk, source_id, collection, is_third_party, opened(pk, content) or {}


def by_hand(line: PlannedChange, by: By, now: datetime, *, version: int | None = None) -> None:
    """What a source refused in the dry run, a person does there. Raises Refused where nothing was refused."""
    with transaction.atomic():
        case = act(line.case, Permission.WORK, by, now, version=version, name="correct_by_hand")
        held = PlannedChange.objects.select_for_update().get(pk=line.pk, case=case)
        if case.state != State.REVIEW or not held.obstacle:
            raise Refused(_("The source did not refuse this."), "nothing_refused")
        held.by_hand, held.obstacle, held.predicted = True, "", ""
        held.decided_by_id, held.decided_at = by.person_id, now
        held.save(update_fields=["by_hand", "obstacle", "predicted", "decided_by", "decided_at"])
        held.steps.all().delete()
        codes: Codes = {"treatment": held.treatment, "basis": held.basis, "by_hand": True, "count": 1}
        put_on_record(case, Action.PLAN_LINES_DECIDED, by, now, codes)
        touch(case)
