"""The dry run: each source is asked what it would do for the lines of a plan, and what stands in the way.

It reads only, batch by batch, each stored in a step with how far it came, so that it goes on from there. A change of a
line begins it anew: the answer for one record depends on what becomes of those that refer to it.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Max, QuerySet
from django.utils import timezone

from cases.collection import identifiers, turns
from cases.collection.gate import SHARE, SharedGate
from cases.connectors.base import ConfigurationError, Connector, ConnectorError, ContractBroken
from cases.connectors.changes import Action, Blocker, ChangesRecords, Obstacle, Plan, PlansInParts, Wish
from cases.fulfilment import abilities, plans, steps
from cases.fulfilment.anonymise import StrategyWrong
from cases.fulfilment.rules import REFERENCED, SOURCE_KEEPS
from cases.fulfilment.wishes import NoWish, wish_of
from cases.models import (
    ChangeStep,
    Item,
    LineState,
    PartStage,
    PlannedChange,
    PlanPart,
    PlanStage,
    Treatment,
)
from dsar.jobs.queue import bring_forward, enqueue
from dsar.jobs.run import Claim
from dsar.vault.fields import opener, sealer

DRY_RUN: Final = "dry_run"
BATCH: Final = 500
# Of a source with a published limit, so many calls may be needed for one record.
CALLS_A_LINE: Final = 5
MOST_TASKS: Final = 20
# What a source answers to a line that the rules proposed is heeded at once; a human's word is not overruled.
_HEEDED: Final[Mapping[str, tuple[Treatment, str, str]]] = {
    Obstacle.REFERENCED: (Treatment.ANONYMISE, REFERENCED, ""),
    Obstacle.LEGAL_RETENTION: (Treatment.KEEP, SOURCE_KEEPS, "LEGAL_OBLIGATION_OR_PUBLIC_TASK"),
}


def order(part: PlanPart, now: datetime) -> None:
    """Have a part tried anew: what was answered before does not hold any more."""
    part.generation += 1
    part.stage, part.looked, part.digest, part.tasks = PartStage.WAITING, 0, "", []
    part.held_for = part.error_code = part.error_text = ""
    part.save()
    enqueue(
        DRY_RUN,
        controller_id=part.controller_id,
        case_id=part.plan.case_id,
        key=_key(part),
        args={"part": str(part.pk), "generation": str(part.generation)},
        now=now,
        max_attempts=6,
        takes_turns=True,
    )


def _key(part: PlanPart) -> str:
    return f"{DRY_RUN}:{part.pk}:{part.generation}"


def release(source_ids: Collection[UUID], healed: Collection[str], now: datetime) -> None:
    """Let go on what these sources held up, and try again what failed of what is over now."""
    parts = PlanPart.objects.filter(source_id__in=source_ids, plan__stage=PlanStage.READY)
    bring_forward([_key(part) for part in parts.filter(stage=PartStage.HELD)], now)
    failed = parts.filter(stage=PartStage.FAILED, error_code__in=healed)
    for part in failed.select_related("plan__case", "source"):
        order(part, now)


def machine_lines(part: PlanPart) -> "QuerySet[PlannedChange]":
    """What a connector is to do in this source."""
    return plans.by_machine(PlannedChange.objects.filter(plan=part.plan_id, source=part.source_id))


class NotWanted(Exception):
    """The lines were changed, or the plan has gone on: a newer dry run answers for it."""


@dataclass(frozen=True)
class Asked:
    """A line with what is wished for it; the reason where nothing can be."""

    line: PlannedChange
    wish: Wish | None = None
    trouble: str = ""


@dataclass
class _Going(Mapping[tuple[str, str], str]):
    """The deletions that are wished for, by place: digests and ids alone, so that very many fit into memory."""

    _lines: dict[bytes, bytes] = field(default_factory=dict)

    @staticmethod
    def digest(kind: str, ref: str) -> bytes:
        return hashlib.blake2b(f"{kind}\x1f{ref}".encode(), digest_size=12).digest()

    def add(self, kind: str, ref: str, line: UUID) -> None:
        self._lines[self.digest(kind, ref)] = line.bytes

    def drop(self, kind: str, ref: str) -> None:
        self._lines.pop(self.digest(kind, ref), None)

    def __getitem__(self, place: tuple[str, str]) -> str:
        return self._lines[self.digest(*place)].hex()

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        raise TypeError("places are not kept, only their digests")


def run(claim: Claim, part_id: UUID, generation: int) -> bool:
    """Try a part; False where a newer dry run answers for it.

    Raises ConnectorError for what went wrong at the source, and PutBack where it has to wait.
    """
    try:
        _admit(claim, part_id, generation)
        part, ids = _begin(claim, part_id, generation)
        gate = SharedGate(part.source_id, part.plan.case_id)
        with claim.step():
            connector = identifiers.connect_to_change(part.source, gate)
        with closing(connector):
            _try_all(claim, part, ids, connector)
        gate.leave()
        _end(claim, part_id, generation)
    except NotWanted:
        return False
    return True


def fail(claim: Claim, part_id: UUID, generation: int, error: ConnectorError | None, code: str) -> None:
    """Show what went wrong and what to do; the other sources' parts go on."""
    try:
        with claim.step():
            part = _wanted(part_id, generation)
            part.stage, part.error_code = PartStage.FAILED, error.code if error else code[:60]
            part.error_text = turns.told(error) if error else _UNEXPECTED
            part.save(update_fields=["stage", "error_code", "error_text"])
    except NotWanted:
        return


_UNEXPECTED = (
    "Something unexpected went wrong in the dry run. Try again; if it fails again, tell the administrator."
)


def _wanted(part_id: UUID, generation: int) -> PlanPart:
    """The part, locked, as long as this is its present dry run. Raises NotWanted."""
    part: PlanPart = (
        PlanPart.objects.select_for_update(of=("self",), no_key=True)
        .select_related("source", "plan__case")
        .get(pk=part_id)
    )
    if part.generation != generation or part.plan.stage not in {PlanStage.READY, PlanStage.MAKING}:
        raise NotWanted
    return part


def _admit(claim: Claim, part_id: UUID, generation: int) -> None:
    """Raise PutBack where the source is not to be asked now; what it waits for stands with the part."""
    with claim.step():
        part = _wanted(part_id, generation)
        hold = turns.held(part.source, timezone.now())
        if hold is not None:
            part.stage, part.held_for = PartStage.HELD, hold.why
            part.save(update_fields=["stage", "held_for"])
    if hold is not None:
        raise hold.put_back()


def _begin(claim: Claim, part_id: UUID, generation: int) -> tuple[PlanPart, Sequence[UUID]]:
    """The part and its lines, what refers to others before what it refers to: in the reverse of how they were found."""
    with claim.step():
        part = _wanted(part_id, generation)
        if part.looked == 0:
            _forget(part)
        part.stage, part.held_for = PartStage.PLANNING, ""
        part.save(update_fields=["stage", "held_for"])
        return part, list(machine_lines(part).order_by("-number").values_list("pk", flat=True))


def _forget(part: PlanPart) -> None:
    """What an earlier dry run answered."""
    ChangeStep.objects.filter(part=part).delete()
    answered = PlannedChange.objects.filter(plan=part.plan_id, source=part.source_id)
    answered.exclude(obstacle="", remedy="", predicted="").update(obstacle="", remedy="", predicted="")


def _try_all(claim: Claim, part: PlanPart, ids: Sequence[UUID], connector: Connector) -> None:
    if not isinstance(connector, ChangesRecords):
        raise ConfigurationError("its connector cannot change anything.")
    for start, asked, plan in asking(claim, part, ids, connector, part.looked):
        with claim.step():
            _store(_wanted(part.pk, part.generation), asked, plan)
            claim.progress(done=start + len(asked), total=len(ids))


def asking(
    claim: Claim,
    part: PlanPart,
    ids: Sequence[UUID],
    connector: ChangesRecords,
    begin: int = 0,
    *,
    beside_others: bool = False,
) -> Iterator[tuple[int, Sequence[Asked], Plan]]:
    """Ask the source about these lines, batch by batch: where each begins, its lines, and the answer.

    ``beside_others`` says that they are not all: the deletions among the others are taken care of as well.
    """
    size = _batch_size(connector) if isinstance(connector, PlansInParts) else max(len(ids), 1)
    going = _all_going(claim, part) if ids and (beside_others or len(ids) > size) else _Going()
    for start in range(begin, len(ids), size):
        with claim.step():
            asked = list(_asked(part, ids[start : start + size]))
        wishes = [one.wish for one in asked if one.wish]
        plan = _plan(connector, wishes, going)
        for blocker in plan.blockers:
            going.drop(blocker.type, blocker.ref)
        yield start, asked, plan


def _plan(connector: ChangesRecords, wishes: Sequence[Wish], going: _Going) -> Plan:
    if isinstance(connector, PlansInParts):
        return connector.plan_part(wishes, going)
    return connector.plan(wishes)


def _batch_size(connector: Any) -> int:
    """So many lines that a batch fits into the source's limit: it is refused as a whole, and asked again as a whole."""
    calls = [int(limit.calls * SHARE) // CALLS_A_LINE for limit in connector.capabilities().limits]
    return max(1, min([BATCH, *calls]))


def _all_going(claim: Claim, part: PlanPart) -> _Going:
    """Every deletion that met no obstacle so far."""
    going = _Going()
    with claim.step():
        opened = opener(Item, "content", part.plan.case.collected_key_id)
        wanted = machine_lines(part).filter(treatment=Treatment.DELETE, obstacle="")
        rows: Any = wanted.values_list("pk", "collection", "item_id", "item__content")
        for pk, collection, item_id, content in rows.iterator(chunk_size=BATCH):
            going.add(collection, opened(item_id, content)["ref"], pk)
    return going


def _asked(part: PlanPart, ids: Sequence[UUID]) -> Iterator[Asked]:
    lines = PlannedChange.objects.filter(pk__in=ids).select_related("item__case", "case").order_by("-number")
    for line in lines:
        try:
            yield Asked(line, wish_of(line))
        except NoWish:
            yield Asked(
                line, trouble="Nothing shows whose record it is any more. Have it dealt with by hand."
            )
        except StrategyWrong as wrong:
            yield Asked(line, trouble=f"It cannot be made anonymous so: {wrong}")


def _store(part: PlanPart, asked: Sequence[Asked], plan: Plan) -> None:
    """Keep what was answered for a batch, inside a step."""
    by_key = {one.line.key: one.line for one in asked}
    for one in asked:
        if one.trouble:
            _answer([one.line.pk], obstacle=Obstacle.STATE.value, remedy=one.trouble)
    _keep_blockers(by_key, plan.blockers)
    _keep_actions(part, by_key, plan.actions)
    part.looked += len(asked)
    part.tasks = list(dict.fromkeys([*part.tasks, *plan.tasks]))[:MOST_TASKS]
    part.digest = hashlib.sha256(f"{part.digest}|{plan.digest}".encode()).hexdigest()
    part.save(update_fields=["looked", "tasks", "digest"])


def _answer(ids: Sequence[UUID], **said: str) -> None:
    PlannedChange.objects.filter(pk__in=ids).update(**said)


def _keep_blockers(by_key: Mapping[str, PlannedChange], blockers: Sequence[Blocker]) -> None:
    """What stands in the way, with what to do about it; the source's own words may name people, and are not kept."""
    by_answer: dict[tuple[str, str], list[UUID]] = {}
    for one in blockers:
        if one.key not in by_key:
            raise ContractBroken(what="an obstacle to what nobody had wished for")
        by_answer.setdefault((one.obstacle.value, one.remedy), []).append(by_key[one.key].pk)
    for (obstacle, remedy), ids in by_answer.items():
        _answer(ids, obstacle=obstacle, remedy=remedy)


def _keep_actions(part: PlanPart, by_key: Mapping[str, PlannedChange], actions: Sequence[Action]) -> None:
    number = ChangeStep.objects.filter(part=part).aggregate(last=Max("number"))["last"] or 0
    seal = sealer(ChangeStep, "action", part.plan.case.collected_key_id)
    rows, predicted = list[ChangeStep](), dict[str, list[UUID]]()
    for one in actions:
        number += 1
        line = steps.line_of(one, by_key)
        step = steps.made(part, line, one, number)
        step.action = seal(step.pk, _encoded(steps.kept(one)))
        rows.append(step)
        if one.key == line.key:
            predicted.setdefault(one.predicted.value, []).append(line.pk)
    ChangeStep.objects.bulk_create(rows)
    for effect, ids in predicted.items():
        _answer(ids, predicted=effect)


def _encoded(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _end(claim: Claim, part_id: UUID, generation: int) -> None:
    with claim.step():
        part = _wanted(part_id, generation)
        _block_what_waits(part)
        part.steps_total, part.planned_at = part.steps.count(), timezone.now()
        part.stage = PartStage.PLANNED
        part.save(update_fields=["stage", "steps_total", "planned_at"])
        if _heed(part):
            order(part, timezone.now())


def _block_what_waits(part: PlanPart) -> None:
    """What waits for a record in whose way something stands cannot go either, whichever batch it was in."""
    while stopped := _waiting_for_stopped(part):
        _answer(stopped, obstacle=Obstacle.REFERENCED.value, remedy=_STOPPED, predicted="")
        ChangeStep.objects.filter(part=part, line__in=stopped).delete()


_STOPPED = "A record that refers to it cannot be changed. See what stands in its way."


def _waiting_for_stopped(part: PlanPart) -> Sequence[UUID]:
    blocked = [pk.hex for pk in machine_lines(part).exclude(obstacle="").values_list("pk", flat=True)]
    waiting = ChangeStep.objects.filter(part=part, line__obstacle="", after__overlap=blocked)
    return list(waiting.values_list("line", flat=True).distinct()) if blocked else []


def _heed(part: PlanPart) -> int:
    """Propose anew what the source will not do as the rules proposed it; how many lines that are."""
    kinds = abilities.kinds_of(part.source)
    anonymisable = [name for name, kind in kinds.items() if kind.can.anonymise]
    changed = 0
    for obstacle, (treatment, rule, basis) in _HEEDED.items():
        refused = machine_lines(part).filter(
            state=LineState.PROPOSED, treatment=Treatment.DELETE, obstacle=obstacle
        )
        if treatment == Treatment.ANONYMISE:
            refused = refused.filter(collection__in=anonymisable)
        changed += refused.update(treatment=treatment, rule=rule, basis=basis, obstacle="", remedy="")
    return changed
