"""The lines of a plan, as the rules propose them: page by page, each page in a step of its own.

A plan has as many lines as there are records, so that nothing of them is kept in memory but their ids and the keys of
those records on which others hang.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Max, Q
from django.utils import timezone

from cases import queries
from cases.fulfilment import abilities, parts
from cases.fulfilment.abilities import Kind
from cases.fulfilment.proven import Proven, keys_of, parents_of
from cases.fulfilment.rules import AT_REST, USUAL, Judge, Proposal, Record, Rule
from cases.law import loader as law
from cases.models import (
    Case,
    ChangePlan,
    ChangeStep,
    Item,
    ItemDecision,
    KeepingRule,
    LineState,
    PlannedChange,
    PlanStage,
    SourceSystem,
    Treatment,
)
from dsar.jobs.run import Claim
from dsar.lib.uuid7 import uuid7
from dsar.vault.fields import Ciphertext, opener, sealer

PAGE: Final = 500
NOTHING: Final = Ciphertext(b"")
COLUMNS: Final = (
    "pk", "source_id", "collection", "content", "is_third_party", "decision", "exemption", "decided_by_id",
    "decided_at",
)  # fmt: skip


def make_lines(claim: Claim, plan_id: UUID) -> bool:
    """Propose a line for each record that has none; False where the plan is not being made any more."""
    with claim.step():
        plan = _being_made(plan_id)
        making = Making.of(plan, timezone.now()) if plan else None
    if making is None:
        return False
    for ids in making.pages():
        with claim.step():
            if _being_made(plan_id) is None:
                return False
            making.store(ids)
            claim.progress(done=making.seen, total=len(making.ids))
    with claim.step():
        if _being_made(plan_id) is None:
            return False
        parts.make(making.plan)
    return True


def _being_made(plan_id: UUID) -> ChangePlan | None:
    """The plan, locked, so that numbers are given once."""
    found: ChangePlan | None = (
        ChangePlan.objects.select_for_update(of=("self",))
        .select_related("case__subject", "case__controller")
        .filter(pk=plan_id, stage=PlanStage.MAKING)
        .first()
    )
    return found


def forget_undecided(plan: ChangePlan) -> None:
    """Lines that nobody has decided, or whose record is another by now, are proposed anew."""
    changed = Q(item__decision=ItemDecision.UNDECIDED) & ~Q(state=LineState.RETURNED)
    old = plan.lines.filter(Q(state=LineState.PROPOSED) | Q(item=None) | changed)
    ids = list(old.values_list("pk", flat=True))
    for start in range(0, len(ids), PAGE):
        page = ids[start : start + PAGE]
        ChangeStep.objects.filter(line__in=page).delete()
        PlannedChange.objects.filter(pk__in=page).delete()


def rules_of(case: Case) -> list[Rule]:
    """The controller's keeping rules."""
    return [
        Rule(
            slug=one.slug,
            treatment=one.treatment,
            exception=one.exception,
            source_id=one.source_id,
            collection=one.collection,
            parts=frozenset(one.parts),
            category=one.category,
            date_field=one.date_field,
            keep_months=one.keep_months,
            strategies=one.strategies,
        )
        for one in KeepingRule.objects.filter(controller=case.controller_id)
    ]


@dataclass
class Making:
    """One making of a plan: what is read once, and what it has come to."""

    plan: ChangePlan
    case: Case
    judge: Judge
    proven: Proven
    kinds: Mapping[UUID | None, Mapping[str, Kind]]
    ids: Sequence[UUID]
    others: str
    seen: int = 0

    @classmethod
    def of(cls, plan: ChangePlan, now: datetime) -> "Making":
        case = plan.case
        sources = SourceSystem.objects.filter(pk__in=case.items.values("source_id").distinct())
        # A record comes behind those to which it refers, as it was collected.
        in_order = case.items.order_by("source__name", "source_id", "number", "pk")
        return cls(
            plan,
            case,
            Judge(
                rules_of(case),
                timezone.localdate(now, case.controller.zone),
                is_on_hold=queries.is_held(case.subject),
                blocks_under=law.blocks_instead_of_erasing(case.regime),
            ),
            Proven.of(case),
            {source.pk: abilities.kinds_of(source) for source in sources},
            list(in_order.values_list("pk", flat=True)),
            law.others_code(case.regime),
        )

    def pages(self) -> Iterator[Sequence[UUID]]:
        for start in range(0, len(self.ids), PAGE):
            yield self.ids[start : start + PAGE]

    def store(self, ids: Sequence[UUID]) -> None:
        """Propose for these records, inside a step; those that have a line keep it."""
        opened = opener(Item, "content", self.case.collected_key_id)
        held = dict(self.plan.lines.filter(item__in=ids).values_list("item_id", "state"))
        rows: Any = Item.objects.filter(pk__in=ids).values_list(*COLUMNS)
        by_id = {row[0]: row for row in rows}
        number = self.plan.lines.aggregate(last=Max("number"))["last"] or 0
        made = list[PlannedChange]()
        for item in (by_id[pk] for pk in ids if pk in by_id):
            content = opened(item[0], item[3]) or {}
            line = self._line(item, content, number + len(made) + 1)
            if item[0] not in held:
                made.append(line)
            elif held[item[0]] == LineState.RETURNED:
                self.plan.lines.filter(item=item[0]).update(
                    expected=_sealed(self.plan.lines.get(item=item[0]), content)
                )
        PlannedChange.objects.bulk_create(made)
        self.seen += len(ids)

    def _line(self, item: Sequence[Any], content: Mapping[str, Any], number: int) -> PlannedChange:
        pk, source_id, collection, _content, is_third_party, decision, exemption, decided_by, decided_at = (
            item
        )
        kind = self.kinds.get(source_id, {}).get(collection, abilities.UNKNOWN)
        keys = keys_of(collection, content, kind.keys)
        record = Record(
            source_id,
            collection,
            content.get("data") or {},
            kind.categories,
            parents_of(collection, content),
            keys,
            (exemption or self.others) if is_third_party else "",
        )
        may_write = self.proven.shows(source_id, collection, content, keys) and not is_third_party
        said = _as_decided(self.judge.propose(record, kind.can), decision, exemption, kind)
        is_open = decision == ItemDecision.UNDECIDED
        line = PlannedChange(
            id=uuid7(),
            controller_id=self.plan.controller_id,
            plan=self.plan,
            case=self.case,
            item_id=pk,
            source_id=source_id,
            collection=collection,
            number=number,
            treatment=said.treatment,
            basis=said.basis,
            rule=said.rule,
            by_hand=said.treatment not in AT_REST and (said.by_hand or not may_write),
            may_write=may_write,
            state=LineState.PROPOSED if is_open else LineState.DECIDED,
            decided_by_id=None if is_open else decided_by,
            decided_at=None if is_open else decided_at,
        )
        line.wanted, line.reason, line.return_reason = NOTHING, NOTHING, NOTHING  # type: ignore[assignment]
        if said.strategies:
            line.wanted = dict(said.strategies)
        line.expected = _sealed(line, content)
        return line


def _sealed(line: PlannedChange, content: Mapping[str, Any]) -> Ciphertext:
    seal = sealer(PlannedChange, "expected", line.case.collected_key_id)
    data = content.get("data") or {}
    return seal(line.pk, json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode())


def _as_decided(said: Proposal, decision: str, exemption: str, kind: Kind) -> Proposal:
    """What somebody has decided about the record already goes before the rules."""
    if decision == ItemDecision.ACT and said.treatment in AT_REST:
        return Proposal(Treatment.DELETE, USUAL, by_hand=not kind.can.delete)
    if decision in {ItemDecision.KEEP, ItemDecision.WITHHOLD} and said.basis != exemption:
        return Proposal(Treatment.KEEP, "", exemption)
    return said
