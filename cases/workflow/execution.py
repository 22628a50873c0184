"""An approved plan is carried out: the time to cancel, the parts in their order, the proof, what is left, the end.

What is done in the sources, ``cases.fulfilment`` does; here it is said when, and what follows from it. A part that has
to wait goes on by itself when what it waits for is over; a part that failed, and what is left after an erasure, hold
the case until somebody has seen to it (``cases.workflow.mending``).
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from cases.collection import turns
from cases.connectors.base import ConnectorError, Throttled
from cases.connectors.changes import Remains
from cases.fulfilment import execution as engine
from cases.fulfilment import parts, plans, proof, steps, tasks
from cases.fulfilment.proof import Left
from cases.models import (
    Case,
    ChangePlan,
    ChangeStep,
    HeldFor,
    Leftover,
    LineState,
    PartStage,
    PlanPart,
    PlanStage,
    Settled,
    StepState,
    TaskState,
)
from cases.permissions import BY_SYSTEM, By
from cases.words import State
from cases.workflow import aftermath, carry_out, plan, standing
from cases.workflow.perform import lock, put_on_record
from dsar.audit.actions import Action
from dsar.audit.record import Codes
from dsar.jobs.run import Claim, PutBack, RetryLater
from dsar.lib.errors import Refused

LEFTOVERS: Final = "leftovers"
FINISHED: Final = (PartStage.DONE,)
_UNEXPECTED: Final = (
    "Something unexpected went wrong while this source was changed. Go on with it; if it fails again, tell the"
    " administrator."
)
_SOME_FAILED: Final = (
    "What the source answered about some records could not be understood; what became of them is not sure."
    " Go on with them, or end here and see what is left."
)


# -- the beginning -------------------------------------------------------------------------------------


def order(found: ChangePlan, now: datetime) -> None:
    """Have an approved plan carried out when the time to cancel is over; inside the approval, the case locked.

    What is done by hand is listed at once where there is no such time, also while something keeps it from being done.
    """
    if found.executes_at is not None and found.executes_at <= now:
        tasks.make_by_hand(found, now)
        if begin(found.pk, now) is None:
            return
    parts.queue_plan(found, now)


def obstacle(case: Case, now: datetime) -> str:
    """What keeps a locked case's changes from being made at this very moment, as a code; empty where nothing does."""
    try:
        carry_out.may_be_done(case, now)
    except Refused as refusal:
        return refusal.code
    return ""


def begin(plan_id: UUID, now: datetime) -> timedelta | None:
    """Begin, inside a step; else how long to wait before looking again. None where nothing is to be waited for."""
    case, found = _held(plan_id)
    if found.stage != PlanStage.APPROVED or case.state != State.FULFILLING or found.executes_at is None:
        return None
    if found.executes_at > now:
        return found.executes_at - now
    why = obstacle(case, now)
    if why:
        _waits(case, found, why, now)
        return engine.LOOK_AGAIN
    found.stage = PlanStage.EXECUTING
    found.save(update_fields=["stage"])
    found.parts.update(held_for="", looked=0)
    tasks.make_by_hand(found, now)
    put_on_record(case, Action.CHANGES_BEGUN, BY_SYSTEM, now, {"plan": found.number})
    go_on(found, BY_SYSTEM, now)
    return None


def _held(plan_id: UUID) -> tuple[Case, ChangePlan]:
    """The plan, its case locked."""
    case = lock(ChangePlan.objects.values_list("case_id", flat=True).get(pk=plan_id))
    found: ChangePlan = ChangePlan.objects.select_related("decision").get(pk=plan_id)
    found.case = case
    return case, found


def _waits(case: Case, found: ChangePlan, why: str, now: datetime) -> None:
    if found.parts.exclude(held_for=why).update(held_for=why):
        put_on_record(case, Action.CHANGES_HELD, BY_SYSTEM, now, {"plan": found.number, "code": why})


def go_on(found: ChangePlan, by: By, now: datetime) -> None:
    """Set off every part that may begin, and end the plan when all is done; inside a transaction, the case locked."""
    if found.stage != PlanStage.EXECUTING:
        return
    while ready := parts.ready(found):
        for part in ready:
            _set_off(part, now)
    if _is_done(found):
        _end(found, by, now)


def _set_off(part: PlanPart, now: datetime) -> None:
    parts.count(part)
    part.stage, part.started_at = PartStage.EXECUTING, now
    if parts.has_steps(part):
        part.save()
        parts.queue(parts.EXECUTE, part, now)
    else:
        part.stage, part.ended_at = PartStage.DONE, now
        part.save()


# -- one part ------------------------------------------------------------------------------------------


def executed(claim: Claim, part_id: UUID, now: datetime) -> None:
    """No step can be taken any more for now: what that means. Raises PutBack where the source is still at it."""
    with claim.step():
        part = parts.locked(claim.case_id, part_id)
        if not parts.stands(part):
            return
        wait = engine.waits(part_id, now)
        if wait is None:
            _written(part, now)
        else:
            parts.mark(part, PartStage.EXECUTING, parts.PENDING)
    if wait is not None:
        raise PutBack(parts.PENDING, wait)


def _written(part: PlanPart, now: datetime) -> None:
    """Nothing more is written: failed steps and changed records wait for people, else it is proven."""
    failed = (
        ChangeStep.objects.filter(steps.in_trouble(), part=part).values_list("error_code", flat=True).first()
    )
    is_stale = part.plan.lines.filter(source=part.source_id, state=LineState.STALE).exists()
    part.ended_at, part.held_for = now, ""
    if failed is not None:
        part.stage, part.error_code, part.error_text = PartStage.FAILED, failed, _SOME_FAILED
    elif is_stale:
        part.stage, part.held_for = PartStage.HELD, parts.STALE
        parts.queue(parts.LOOK, part, now)
    else:
        part.stage = PartStage.PROVING
        parts.queue(parts.PROVE, part, now)
    _ended(part, now)


def _ended(part: PlanPart, now: datetime) -> None:
    parts.count(part)
    part.save()
    codes: Codes = {
        "source": str(part.source_id),
        "stage": part.stage,
        "steps": part.steps_total,
        "ended": part.steps_done,
        "code": part.error_code or part.held_for,
    }
    put_on_record(part.plan.case, Action.PART_WRITTEN, BY_SYSTEM, now, codes)
    go_on(part.plan, BY_SYSTEM, now)


def fail(claim: Claim, part_id: UUID, error: ConnectorError | None, code: str, now: datetime) -> None:
    """Show what went wrong and what to do; the other sources' parts go on."""
    with claim.step():
        part = parts.locked(claim.case_id, part_id)
        if parts.stands(part):
            part.stage, part.held_for, part.ended_at = PartStage.FAILED, "", now
            part.error_code = error.code if error else code[:60]
            part.error_text = turns.told(error) if error else _UNEXPECTED
            _ended(part, now)


def in_trouble(claim: Claim, part_id: UUID, error: ConnectorError, now: datetime) -> None:
    """What a source's trouble means for the part and for others. Raises where it goes on later; else it returns."""
    part = PlanPart.objects.filter(pk=part_id)
    if isinstance(error, Throttled):
        raise turns.patience(claim, part, error, lambda _wait: _mark(claim, part_id, HeldFor.THROTTLED))
    goes_on = error.retryable and not claim.last_attempt
    with claim.step():
        rests = standing.went_wrong(part.get().source_id, error, now)
        if rests and goes_on:
            _mark(claim, part_id, HeldFor.RESTING)
    if goes_on:
        raise RetryLater(error.code, rests)


def _mark(claim: Claim, part_id: UUID, why: str) -> None:
    part = parts.locked(claim.case_id, part_id)
    if part.stage == PartStage.PROVING:
        parts.mark(part, PartStage.PROVING, why)
    elif parts.stands(part):
        parts.mark(part, PartStage.HELD, why)


# -- the proof -----------------------------------------------------------------------------------------


def not_proven(claim: Claim, part_id: UUID, code: str, now: datetime) -> None:
    """The source could not be searched again: what can't be checked never counts as done."""
    with claim.step():
        name = PlanPart.objects.values_list("source__name", flat=True).get(pk=part_id)
        left = Left("", "", name[: proof.LONGEST], Remains.CANNOT_CHECK)
        proven(claim.case_id, part_id, [left], now, code=code)


def proven(
    case_id: UUID | None, part_id: UUID, found: Sequence[Left], now: datetime, *, code: str = ""
) -> None:
    """Keep what is left, inside a step; a part of which nothing is left is done."""
    part = parts.locked(case_id, part_id)
    if part.stage != PartStage.PROVING:
        return
    _keep(part, found, now)
    part.proven_at, part.held_for = now, ""
    is_open = Leftover.objects.filter(part=part, settled=Settled.OPEN).exists()
    part.stage = PartStage.HELD if is_open else PartStage.DONE
    part.held_for = LEFTOVERS if is_open else ""
    part.save()
    codes: Codes = {"source": str(part.source_id), "left": len(found), "stage": part.stage, "code": code}
    put_on_record(part.plan.case, Action.PART_PROVEN, BY_SYSTEM, now, codes)
    go_on(part.plan, BY_SYSTEM, now)


def _keep(part: PlanPart, found: Sequence[Left], now: datetime) -> None:
    """What was left before and is not found any more is gone since; what was accepted stays accepted."""
    known: dict[tuple[str, str, str], Leftover] = {}
    for leftover in Leftover.objects.filter(part=part).select_related("part__plan__case"):
        known[(leftover.place["type"], leftover.place["ref"], leftover.where)] = leftover
    there = {left.place for left in found}
    for place, leftover in known.items():
        if leftover.settled == Settled.OPEN and place not in there:
            leftover.settled, leftover.settled_at = Settled.GONE, now
            leftover.save(update_fields=["settled", "settled_at"])
    for left in found:
        before = known.get(left.place)
        if before is None or before.settled in {Settled.GONE, Settled.AGAIN}:
            _new(part, left, now)


def _new(part: PlanPart, left: Left, now: datetime) -> None:
    leftover = Leftover(
        controller_id=part.controller_id,
        part=part,
        line_id=left.line_id,
        where=left.where,
        remains=left.remains.value,
        found_at=now,
    )
    leftover.place = {"ref": left.ref, "type": left.type}
    leftover.save()


# -- the end -------------------------------------------------------------------------------------------


def _is_done(found: ChangePlan) -> bool:
    """Every part is done, nothing is left open, and what was done by hand is recorded."""
    return not (
        found.parts.exclude(stage__in=FINISHED).exists()
        or Leftover.objects.filter(part__plan=found, settled=Settled.OPEN).exists()
        or found.case.tasks.filter(state=TaskState.OPEN).exists()
    )


def _end(found: ChangePlan, by: By, now: datetime) -> None:
    """All is done and proven: what follows, and then the letter. Where nothing could be done, it is decided anew."""
    case = found.case
    _record_by_hand(found)
    places, kept = not_done(found), plans.kept_since(found)
    codes: Codes = {"plan": found.number, "not_done": len(places)}
    put_on_record(case, Action.CHANGES_ENDED, BY_SYSTEM, now, codes)
    if (places or kept) and not _is_anything_done(found):
        carry_out.take_back(case, _("None of it could be carried out."), by, now)
        return
    found.stage, found.ended_at = PlanStage.DONE, now
    found.save(update_fields=["stage", "ended_at"])
    aftermath.begin(found, by, now)
    carry_out.changes_ended(case, found.decision, places, by, now, kept)


def _record_by_hand(found: ChangePlan) -> None:
    """What was done by hand is recorded with its lines, as that of connectors is; done where nothing was impossible."""
    by_hand = plans.to_do_by_hand(found).filter(state=LineState.APPROVED)
    states = defaultdict[UUID | None, set[str]](set)
    for source_id, state in found.case.tasks.filter(decision=found.decision).values_list("source", "state"):
        states[source_id].add(state)
    for place, seen in states.items():
        is_done = seen == {TaskState.DONE}
        by_hand.filter(source=place).update(state=LineState.DONE if is_done else LineState.FAILED)


def not_done(found: ChangePlan) -> list[str]:
    """The names of the places where something that was decided could not be done, or is still there."""
    lines = found.lines.filter(state__in=[LineState.REFUSED, LineState.FAILED, LineState.STALE])
    accepted = Leftover.objects.filter(part__plan=found, settled=Settled.ACCEPTED)
    impossible = found.case.tasks.filter(decision=found.decision, state=TaskState.IMPOSSIBLE)
    names = {
        *lines.values_list("source__name", flat=True),
        *accepted.values_list("part__source__name", flat=True),
        *impossible.values_list("source__name", flat=True),
    }
    return sorted(name or _("our files") for name in names)


def _is_anything_done(found: ChangePlan) -> bool:
    """By a connector or by hand; what was gone already counts."""
    by_hand = found.case.tasks.filter(decision=found.decision, state=TaskState.DONE)
    return found.case.carried_out or found.lines.filter(state=LineState.DONE).exists() or by_hand.exists()


def stop(case: Case, now: datetime) -> None:
    """Nothing of the plan was carried out, and nothing will be: the case was taken back, and is decided anew."""
    found = plans.live(case)
    if found is None:
        return
    if found.stage == PlanStage.EXECUTING:
        ended = found.lines.filter(state__in=[LineState.REFUSED, LineState.FAILED, LineState.STALE])
        ended.update(state=LineState.RETURNED, approved_by=None, approved_at=None)
        ChangeStep.objects.filter(part__plan=found).exclude(state__in=steps.SUCCEEDED).update(
            state=StepState.WAITING, error_code="", obstacle="", ended_at=None
        )
        found.parts.update(stage=PartStage.PLANNED, held_for="", error_code="", error_text="", ended_at=None)
        found.stage = PlanStage.APPROVED
        found.save(update_fields=["stage"])
    plan.taken_back(case, now)
