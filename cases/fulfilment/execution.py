"""Carry out one source's part of an approved plan: step by step, each receipt kept as it comes.

Between two calls there is one transaction, fenced by the job's attempt: it keeps the receipt of the last step, looks
whether the plan still stands, and marks the next step as under way. So whatever dies, the step that was under way is
known: it is tried again, and the connector reads before it writes. What goes wrong with one record is noted with that
record, and the others go on.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from cases.collection import identifiers, turns
from cases.collection.gate import SharedGate
from cases.connectors.base import ConfigurationError, Conflict, Connector, ContractBroken, Refused
from cases.connectors.changes import Action, ChangesRecords, Obstacle, Outcome, Receipt
from cases.fulfilment import freshness, parts, steps
from cases.models import Case, ChangeStep, HeldFor, PartStage, PlanPart, StepState
from dsar.jobs.run import Claim, PutBack
from dsar.lib.prepared import Prepared, write

LOOK_SECONDS = 2.0  # how often it is looked afresh whether the changes may be made
PATIENCE = 3  # after so many tries the other steps go first
BROKEN_IN_A_ROW = 5  # so many answers that cannot be understood: the source is not asked any more
LONGEST_PENDING = timedelta(days=3)
SHORTEST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=5)
LOOK_AGAIN = timedelta(minutes=10)


def _wanted(part_id: UUID, state: StepState) -> "QuerySet[ChangeStep]":
    """Steps that may be taken, in their order, with what opens them."""
    found = ChangeStep.objects.filter(steps.approved(), part_id=part_id, state=state)
    return found.select_related("line__case").order_by("number")


_TRYING = Prepared(lambda part_id: _wanted(part_id, StepState.TRYING), UUID)
_WAITING = Prepared(
    lambda part_id, passed: _wanted(part_id, StepState.WAITING).filter(number__gt=passed)[:1], UUID, int
)


@dataclass(frozen=True)
class Desk:
    """What the engine asks of the workflow.

    ``obstacle`` is what keeps a locked case's changes from being made at this moment, as a code, empty where nothing
    does; ``went_well`` is told when a source that had been in trouble answers.
    """

    obstacle: Callable[[Case, datetime], str]
    went_well: Callable[[UUID, datetime], None]


@dataclass(frozen=True)
class Result:
    """How one step ended, to be kept with the next transaction: by a receipt, or without one."""

    step: ChangeStep
    receipt: Receipt | None = None
    state: StepState = StepState.FAILED
    code: str = ""
    obstacle: str = ""

    @property
    def is_broken(self) -> bool:
        return self.receipt is None and self.state == StepState.FAILED


def carry_out(claim: Claim, part_id: UUID, desk: Desk) -> None:
    """Take every step that can be taken now; nothing where the part is not wanted any more.

    Raises ConnectorError for what went wrong at the source, and PutBack where it goes on later.
    """
    if not _admitted(claim, part_id):
        return
    with claim.step():
        part = parts.locked(claim.case_id, part_id)
        gate = SharedGate(part.source_id, part.plan.case_id)
        connector = identifiers.connect_to_change(part.source, gate)
    with closing(connector):
        able = changing(connector)
        freshness.look(claim, part_id, able)
        going = _Going(claim, part_id, desk, able)
        going.ask_after()
        going.run()
    gate.leave()


def changing(connector: Connector) -> ChangesRecords:
    """The connector, where it can change anything. Raises ConfigurationError."""
    if not isinstance(connector, ChangesRecords):
        raise ConfigurationError("it can only be read.")
    return connector


def _admitted(claim: Claim, part_id: UUID) -> bool:
    """False where the part is not wanted. Raises PutBack where the source may not be asked, and says so with it."""
    with claim.step():
        part = parts.locked(claim.case_id, part_id)
        if not parts.stands(part):
            return False
        hold = turns.held(part.source, timezone.now())
        if hold is not None:
            parts.mark(part, PartStage.HELD, hold.why)
        elif part.source.failures >= turns.FAILURES_TO_REST:
            turns.probe(part.source_id, timezone.now())
    if hold is not None:
        raise hold.put_back()
    return True


def waits(part_id: UUID, now: datetime) -> timedelta | None:
    """When to ask again after what the source has accepted; None where there is nothing to ask after.

    The longer it takes, the more seldom.
    """
    first = pending(part_id).order_by("started_at").values_list("started_at", flat=True).first()
    return None if first is None else min(max((now - first) / 4, SHORTEST_WAIT), LONGEST_WAIT)


def pending(part_id: UUID) -> "QuerySet[ChangeStep]":
    """What the source has accepted and not done yet."""
    return ChangeStep.objects.filter(part=part_id, state=StepState.PENDING)


def _answered(step: ChangeStep, receipt: Receipt) -> Result:
    if receipt.key != step.key:
        raise ContractBroken(what="the receipt of another step")
    return Result(step, receipt)


@dataclass
class _Going:
    """One stretch of work on a part, by one worker."""

    claim: Claim
    part_id: UUID
    desk: Desk
    connector: ChangesRecords
    began: float = field(default_factory=time.monotonic)
    looked: float = float("-inf")
    version: int = -1
    passed: int = -1  # the number of the step that was looked at last
    skipped: bool = False  # steps that wait for others were passed
    again: bool = False  # and since then another one has ended
    broken: int = 0

    def run(self) -> None:
        """Take one step after the other, until none is left that can be taken now."""
        result: Result | None = None
        while (step := self._turn(result)) is not None:
            result = self._try(*step)

    def ask_after(self) -> None:
        """Ask after what the source had accepted and not done yet; what it still has not done stays as it is."""
        with self.claim.step():
            waiting = [(step, steps.receipt_of(step)) for step in pending(self.part_id)]
        for step, receipt in waiting:
            result = self._ask(step, receipt)
            if result is not None:
                with self.claim.step():
                    self._keep(parts.locked(self.claim.case_id, self.part_id), result)

    def _ask(self, step: ChangeStep, receipt: Receipt) -> Result | None:
        try:
            found = self.connector.poll(receipt)
        except (Refused, ContractBroken, Conflict) as error:
            return Result(step, code=error.code)
        if found.outcome is not Outcome.PENDING:
            return _answered(step, found)
        is_late = timezone.now() - receipt.started_at > LONGEST_PENDING
        return Result(step, code="pending_too_long") if is_late else None

    def _try(self, step: ChangeStep, action: Action) -> Result:
        """One call, outside of any transaction. Raises what concerns more than this record."""
        try:
            result = _answered(step, self.connector.apply(action))
        except Conflict as error:
            return Result(step, state=StepState.STALE, code=error.code, obstacle=Obstacle.CHANGED)
        except Refused as error:
            return Result(step, state=StepState.REFUSED, code=error.code, obstacle=Obstacle.STATE)
        except ContractBroken as error:
            self.broken += 1
            if self.broken >= BROKEN_IN_A_ROW:
                raise
            return Result(step, code=error.code)
        self.broken = 0
        return result

    # -- between two calls -----------------------------------------------------------------------

    def _turn(self, last: Result | None) -> tuple[ChangeStep, Action] | None:
        """Keep what the last step gave, and mark the next as under way. Raises PutBack where it goes on later."""
        with self.claim.step():
            part = parts.locked(self.claim.case_id, self.part_id)
            if last is not None:
                self._keep(part, last)
            if not parts.stands(part):
                return None
            back = self._put_back(part)
            if back is None:
                return self._begin_next(part)
        raise back

    def _keep(self, part: PlanPart, result: Result) -> None:
        """The receipt, its line, and the numbers. A receipt is a fact: it is kept whatever became of the plan."""
        step, now = result.step, timezone.now()
        if result.receipt is not None:
            steps.receive(step, result.receipt)
        else:
            steps.end(step, result.state, now, code=result.code, obstacle=result.obstacle)
        steps.save(step)
        steps.judge_one(step.line_id)
        self.again = self.again or self.skipped
        if step.state in steps.ENDED:
            part.steps_done += 1
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE cases_planpart SET steps_done = steps_done + 1 WHERE id = %s", [part.pk]
                )
        _note_carried_out(part.plan.case, step)
        if not result.is_broken:
            self._got_on(part, now)

    def _got_on(self, part: PlanPart, now: datetime) -> None:
        self.claim.progress(done=part.steps_done, total=part.steps_total)
        if part.source.failures:
            part.source.failures = 0
            self.desk.went_well(part.source_id, now)

    def _put_back(self, part: PlanPart) -> PutBack | None:
        """Where the source was paused or all was stopped, something keeps the case, or it is another's turn."""
        now = timezone.now()
        hold = turns.held(part.source, now)
        if hold is not None and hold.why in {HeldFor.STOPPED, HeldFor.PAUSED}:
            parts.mark(part, PartStage.HELD, hold.why)
            return hold.put_back()
        obstacle = self._obstacle(part.plan.case, now)
        if obstacle:
            parts.mark(part, PartStage.HELD, obstacle)
            return PutBack(f"held_{obstacle}", LOOK_AGAIN)
        parts.mark(part, PartStage.EXECUTING)
        is_over = time.monotonic() - self.began >= turns.SLICE_SECONDS
        return PutBack("lets_others_by") if is_over and self.claim.others_wait else None

    def _obstacle(self, case: Case, now: datetime) -> str:
        """Asked whenever the case has changed, and every other second."""
        tick = time.monotonic()
        if case.version == self.version and tick - self.looked < LOOK_SECONDS:
            return ""
        self.version, self.looked = case.version, tick
        return self.desk.obstacle(case, now)

    def _begin_next(self, part: PlanPart) -> tuple[ChangeStep, Action] | None:
        step = self._next(part)
        if step is None:
            return None
        action = steps.action_of(step)
        step.state, step.attempts = StepState.TRYING, step.attempts + 1
        step.started_at = step.started_at or timezone.now()
        write(step, "state", "attempts", "started_at")
        return step, action

    def _next(self, part: PlanPart) -> ChangeStep | None:
        """What was under way when somebody died, then what waits in its order, then what failed several times."""
        trying = _TRYING.all(part.pk)
        fresh = (step for step in trying if step.attempts < PATIENCE)
        return next(fresh, None) or self._waiting(part) or next(iter(trying), None)

    def _waiting(self, part: PlanPart) -> ChangeStep | None:
        """The next that waits for nothing; those that were passed are looked at again when others have ended."""
        found = self._pass(part)
        while found is None and self.again:
            self.passed, self.skipped, self.again = -1, False, False
            found = self._pass(part)
        return found

    def _pass(self, part: PlanPart) -> ChangeStep | None:
        while (step := _WAITING.first(part.pk, self.passed)) is not None:
            self.passed = step.number
            before = steps.holds_back(step)
            if not before:
                return step
            self.skipped = True
            if StepState.REFUSED in before:
                # What it stands on is still there, so the source would refuse it too, or take more with it.
                self._keep(part, Result(step, state=StepState.REFUSED, obstacle=Obstacle.REFERENCED))
        return None


def _note_carried_out(case: Case, step: ChangeStep) -> None:
    """A write whose receipt was lost is answered with “already” the next time, and was ours all the same."""
    ours = step.state == StepState.DONE or (step.state == StepState.ALREADY and step.attempts > 1)
    if ours and not case.carried_out:
        case.carried_out, case.version = True, case.version + 1
        case.save(update_fields=["carried_out", "version"])
