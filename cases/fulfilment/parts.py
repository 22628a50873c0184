"""The parts of a plan as rows: which may begin, in which order, and how they are queued."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils import timezone

from cases.collection import order
from cases.fulfilment import plans, steps
from cases.models import (
    Case,
    ChangePlan,
    ChangeStep,
    LineState,
    PartStage,
    PlanPart,
    PlanStage,
    StepState,
    Verdict,
)
from cases.words import State
from dsar.jobs.queue import bring_forward, enqueue
from dsar.lib.prepared import Prepared, write

BEGIN = "begin_changes"
EXECUTE = "execute_changes"
PROVE = "prove_changes"
LOOK = "look_again"
MAX_ATTEMPTS = 6

LIVE: Final = (PlanStage.APPROVED, PlanStage.EXECUTING, PlanStage.PROVING)
# What holds a part by itself, and is over when the source is well, or was seen to.
BY_SOURCE: Final = ("stopped", "paused", "needs_admin", "resting", "throttled")
OPEN: Final = (PartStage.EXECUTING, PartStage.HELD)
STALE = "stale"
PENDING = "pending"


def key(kind: str, row_id: UUID) -> str:
    """Under which the one job of this kind for a plan or part is queued."""
    return f"{kind}:{row_id}"


def make(plan: ChangePlan) -> None:
    """One part for each source of which the plan speaks, to be tried where a connector does anything."""
    wanted = set(plan.lines.exclude(source=None).values_list("source_id", flat=True).distinct())
    machine = set(plans.by_machine(plan.lines.all()).values_list("source_id", flat=True).distinct())
    plan.parts.exclude(source__in=wanted).delete()
    for source_id in wanted:
        part, _is_new = PlanPart.objects.get_or_create(
            controller_id=plan.controller_id, plan=plan, source_id=source_id
        )
        part.stage = PartStage.WAITING if source_id in machine else PartStage.PLANNED
        part.save(update_fields=["stage"])


def queue_plan(plan: ChangePlan, now: datetime) -> None:
    """Begin when the time to cancel is over."""
    enqueue(
        BEGIN,
        controller_id=plan.controller_id,
        case_id=plan.case_id,
        key=key(BEGIN, plan.pk),
        args={"plan": str(plan.pk)},
        now=now,
        not_before=plan.executes_at,
        max_attempts=MAX_ATTEMPTS,
    )


def queue(kind: str, part: PlanPart, now: datetime) -> None:
    """Have a part carried out, proven, or its changed records looked at."""
    enqueue(
        kind,
        controller_id=part.controller_id,
        case_id=part.plan.case_id,
        key=key(kind, part.pk),
        args={"part": str(part.pk)},
        now=now,
        max_attempts=MAX_ATTEMPTS,
        takes_turns=True,
    )


def has_steps(part: PlanPart) -> bool:
    """Whether anything is to be written there."""
    return ChangeStep.objects.filter(steps.approved(), part=part).exists()


def ready(plan: ChangePlan) -> list[PlanPart]:
    """Parts that wait and may begin: in all that feed them nothing more is written for now.

    What was erased further down the line would come back from there.
    """
    every = list(plan.parts.select_related("source", "plan"))
    by_slug = {part.source.slug: part for part in every}
    after = {slug: set(part.source.erase_after) & set(by_slug) for slug, part in by_slug.items()}
    if order.circle({slug: sorted(first) for slug, first in after.items()}):
        after = {slug: set() for slug in by_slug}
    written = {slug for slug, part in by_slug.items() if part.ended_at}
    return [
        part for slug, part in by_slug.items() if part.stage == PartStage.PLANNED and after[slug] <= written
    ]


def count(part: PlanPart) -> None:
    """Bring the numbers of a part in step with its steps; the caller saves."""
    every = ChangeStep.objects.filter(part=part)
    part.steps_total = every.count()
    part.steps_done = every.filter(state__in=steps.ENDED).count()


# -- one part, in hand -------------------------------------------------------------------------------


def mark(part: PlanPart, stage: PartStage, why: str = "") -> None:
    """Show how a locked part stands."""
    if (part.stage, part.held_for) != (stage, why):
        part.stage, part.held_for = stage, why
        part.started_at = part.started_at or timezone.now()
        write(part, "stage", "held_for", "started_at")


def locked(case_id: UUID | None, part_id: UUID) -> PlanPart:
    """The part, its case locked before it as everywhere, so that nothing is begun once the case was cancelled."""
    assert case_id is not None
    case = _CASE.get(case_id)
    part = _PART.get(part_id)
    part.plan.case = case
    return part


_CASE = Prepared(
    lambda case_id: (
        Case.objects.select_for_update(of=("self",), no_key=True)
        .select_related("subject", "subject_request", "controller")
        .filter(pk=case_id)
    ),
    UUID,
)
_PART = Prepared(
    lambda part_id: PlanPart.objects.select_related("plan__decision", "source").order_by().filter(pk=part_id),
    UUID,
)


def stands(part: PlanPart) -> bool:
    """Whether the part is to be carried out: approved, begun, neither taken back nor cancelled, nor ended."""
    plan = part.plan
    return (
        part.stage in OPEN
        and plan.stage == PlanStage.EXECUTING
        and plan.decision is not None
        and plan.decision.verdict == Verdict.APPROVED
        and plan.case.state == State.FULFILLING
    )


# -- what sources hold up ------------------------------------------------------------------------------


def release(source_ids: Iterable[UUID], healed: Iterable[str], now: datetime) -> None:
    """Let go on what these sources held up: what was put on hold, and what failed of what is over now."""
    waiting = PlanPart.objects.filter(source_id__in=list(source_ids), plan__stage=PlanStage.EXECUTING)
    waiting = waiting.select_related("plan")
    held = list(waiting.filter(held_for__in=BY_SOURCE))
    # Jobs before parts, as workers lock them.
    wake(held, now)
    bring_forward([key(LOOK, part.pk) for part in waiting.filter(held_for=STALE)], now)
    mine = waiting.filter(pk__in=[part.pk for part in held])
    mine.filter(stage=PartStage.HELD).update(stage=PartStage.EXECUTING)
    mine.update(held_for="")
    for part in waiting.filter(stage=PartStage.FAILED, error_code__in=list(healed)):
        again(part, now)


def wake(held: Iterable[PlanPart], now: datetime) -> None:
    """What these waited for is over."""
    bring_forward([key(kind, part.pk) for part in held for kind in (EXECUTE, PROVE)], now)


def again(part: PlanPart, now: datetime) -> None:
    """Take up a part that failed from where it stopped; what is done is not done again."""
    ChangeStep.objects.filter(steps.in_trouble(), part=part).update(
        state=StepState.WAITING, error_code="", ended_at=None
    )
    steps.judge(part.plan.lines.filter(state=LineState.FAILED, source=part.source_id))
    part.stage, part.error_code, part.error_text, part.ended_at = PartStage.EXECUTING, "", "", None
    part.held_for = ""
    count(part)
    part.save()
    queue(EXECUTE, part, now)
