"""Whether the source would still do what was approved: the dry run once more, right before anything is written.

What it answers is compared line by line with the steps that were approved. A line that differs is taken out and goes
back to be decided; the others go on. Lines that were decided anew meanwhile get their steps here.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from cases.connectors.changes import Action, Blocker, ChangesRecords, Obstacle, Plan
from cases.fulfilment import dry_run, parts, steps
from cases.fulfilment.dry_run import Asked
from cases.models import ChangePlan, ChangeStep, LineState, PlannedChange, PlanPart, StepState
from dsar.jobs.run import Claim

_STAYS: Final = "A record that refers to it stays. Decide anew about this one."
_CHANGED: Final = "It is not as it was when this was approved. Look at it again, and decide anew."


def look(claim: Claim, part_id: UUID, connector: ChangesRecords) -> None:
    """Ask the source what it would do now, as far as nothing was begun; raises ConnectorError."""
    with claim.step():
        part = parts.locked(claim.case_id, part_id)
        ids, anew = list(_untouched(part)), list(_decided_anew(part))
    for start, asked, plan in dry_run.asking(claim, part, ids, connector, part.looked):
        with claim.step():
            _compare(parts.locked(claim.case_id, part_id), asked, plan)
            PlanPart.objects.filter(pk=part_id).update(looked=start + len(asked))
            claim.progress(looked=start + len(asked), total=len(ids))
    for _start, asked, plan in dry_run.asking(claim, part, anew, connector, beside_others=True):
        with claim.step():
            _plan_anew(parts.locked(claim.case_id, part_id), asked, plan)


def _untouched(part: PlanPart) -> Sequence[UUID]:
    """Every line of the part, in one order; none once a step was tried."""
    if ChangeStep.objects.filter(part=part, attempts__gt=0).exists():
        return ()
    return list(dry_run.machine_lines(part).order_by("-number").values_list("pk", flat=True))


def _decided_anew(part: PlanPart) -> Sequence[UUID]:
    """Approved lines without steps, or with those of what was approved before."""
    approved = dry_run.machine_lines(part).filter(state=LineState.APPROVED, approved_by__isnull=False)
    anew = approved.filter(Q(steps__isnull=True) | Q(steps__state=StepState.STALE))
    return list(anew.order_by("-number").values_list("pk", flat=True).distinct())


# -- comparing -----------------------------------------------------------------------------------------


def _compare(part: PlanPart, asked: Sequence[Asked], plan: Plan) -> None:
    lines = {one.line.key: one.line for one in asked if one.line.state == LineState.APPROVED}
    blockers = {one.key: one for one in plan.blockers}
    now = _by_line(plan.actions, {one.line.key: one.line for one in asked})
    before: dict[UUID, list[ChangeStep]] = {}
    for step in ChangeStep.objects.filter(line__in=list(lines.values())).select_related("line__case"):
        before.setdefault(step.line_id, []).append(step)
    for key, line in lines.items():
        if key in blockers or _shapes(now.get(line.pk, ())) != _shapes(
            map(steps.action_of, before.get(line.pk, ()))
        ):
            _stale(line, blockers.get(key))


def _by_line(actions: Sequence[Action], lines: Mapping[str, PlannedChange]) -> dict[UUID, list[Action]]:
    found: dict[UUID, list[Action]] = {}
    for action in actions:
        found.setdefault(steps.line_of(action, lines).pk, []).append(action)
    return found


def _shapes(actions: "Iterator[Action] | Sequence[Action]") -> list[tuple[str, object]]:
    """What was approved of them; the order among them is the source's own matter."""
    return sorted(
        ((one.key, {"verb": one.verb.value, **steps.kept(one)}) for one in actions), key=lambda one: one[0]
    )


def _stale(line: PlannedChange, blocker: Blocker | None) -> None:
    line.state = LineState.STALE
    line.obstacle = blocker.obstacle.value if blocker else Obstacle.CHANGED.value
    line.remedy = blocker.remedy if blocker else _CHANGED
    line.save(update_fields=["state", "obstacle", "remedy"])
    ChangeStep.objects.filter(line=line, state=StepState.WAITING).update(state=StepState.STALE)


def give_back_followers(plan: ChangePlan, gone: "QuerySet[ChangeStep]") -> None:
    """What was to follow steps that are not taken after all goes back: it would take their records with it."""
    keys = list(gone.values_list("key", flat=True))
    own = ChangeStep.objects.filter(part__plan=plan, state=StepState.WAITING)
    lines = list(own.filter(after__overlap=keys).values_list("line", flat=True).distinct()) if keys else []
    PlannedChange.objects.filter(pk__in=lines).update(
        state=LineState.STALE, obstacle=Obstacle.REFERENCED.value, remedy=_STAYS
    )
    own.filter(line__in=lines).update(state=StepState.STALE)


# -- planning anew -------------------------------------------------------------------------------------


def _plan_anew(part: PlanPart, asked: Sequence[Asked], plan: Plan) -> None:
    """The steps of lines that were decided anew; what the source refuses by now goes back once more."""
    lines = {one.line.key: one.line for one in asked}
    blockers = {one.key: one for one in plan.blockers}
    actions = _by_line(plan.actions, lines)
    number = ChangeStep.objects.filter(part=part).aggregate(last=Max("number"))["last"] or 0
    for key, line in lines.items():
        if key in blockers or not actions.get(line.pk):
            _stale(line, blockers.get(key))
            continue
        PlannedChange.objects.filter(pk=line.pk).update(obstacle="", remedy="")
        number = _replace(part, line, actions[line.pk], number)


def _replace(part: PlanPart, line: PlannedChange, actions: Sequence[Action], number: int) -> int:
    """New actions in the place of those that were never carried out; gives the last number."""
    undone = ChangeStep.objects.filter(line=line).exclude(state__in=steps.SUCCEEDED)
    known = {step.key: step for step in undone}
    undone.exclude(key__in=[one.key for one in actions]).delete()
    for action in actions:
        step = known.get(action.key)
        number += step is None
        made = steps.made(part, line, action, step.number if step else number)
        if step is not None:
            made.pk, made._state.adding = step.pk, False
            made.attempts = step.attempts
        made.action = steps.kept(action)
        made.save()
    return number
