"""What people do about an execution: hurry it, take it up again, end it, settle what is left, and decide anew.

What ends somebody's wait, or leaves something of theirs where it is, takes two: who proposes gives the reason, another
agrees. What changed in a source meanwhile goes back to a handler, and to a second person, while the rest goes on.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases.errors import not_yours
from cases.fulfilment import freshness, parts, plans, steps, tasks
from cases.models import (
    Case,
    ChangePlan,
    ChangeStep,
    Item,
    ItemDecision,
    Leftover,
    LineState,
    PartStage,
    PlannedChange,
    PlanPart,
    PlanStage,
    Settled,
    StepState,
    Treatment,
)
from cases.permissions import By
from cases.words import Right
from cases.workflow import execution, plan
from cases.workflow.perform import act, note, put_on_record, refuse, touch
from dsar.audit.actions import Action
from dsar.audit.record import Codes
from dsar.jobs.queue import bring_forward
from dsar.lib.errors import Refused
from identity.roles import Permission

# What a handler may decide about a record that changed: as before, to keep it, or to have it done by hand.
AGAIN, KEEP, BY_HAND = "again", "keep", "by_hand"


def expedite(case: Case, reason: str, by: By, now: datetime, *, version: int | None = None) -> ChangePlan:
    """Begin at once, before the time to cancel is over. Raises Refused where it has begun, or without a reason."""
    _demand(reason, _("Say why it cannot wait: the customer loses the time to cancel."))
    with transaction.atomic():
        locked, found = _in_hand(case, Permission.WORK, "expedite", by, now, version)
        if found.stage != PlanStage.APPROVED or found.executes_at is None or found.executes_at <= now:
            raise Refused(_("There is no time to cancel any more that could be cut short."), "begun_already")
        found.expedited_by_id, found.expedited_at, found.executes_at = by.person_id, now, now
        found.expedite_reason = reason.strip()
        found.save(update_fields=["expedited_by", "expedited_at", "executes_at", "expedite_reason"])
        put_on_record(locked, Action.CHANGES_EXPEDITED, by, now, {"plan": found.number})
        bring_forward([parts.key(parts.BEGIN, found.pk)], now)
        touch(locked)
        return found


# -- a part that failed --------------------------------------------------------------------------------


def retry(part: PlanPart, by: By, now: datetime) -> PlanPart:
    """Take a part up again that failed, or is on hold for what is over; what is done is not done again."""
    with transaction.atomic():
        case, mine = _part_in_hand(part, "retry_part", by, now)
        if mine.stage != PartStage.FAILED:
            raise Refused(_("Only a source that ended with an error is taken up again."), "part_not_failed")
        parts.again(mine, now)
        put_on_record(case, Action.PART_RETRIED, by, now, {"source": str(mine.source_id)})
        touch(case)
        return mine


def end_here(part: PlanPart, reason: str, by: By, now: datetime) -> PlanPart:
    """Try no more in this source, and look at what is left there: that is a finding, which two people settle."""
    _demand(reason, _("Say why it is not tried any more."))
    with transaction.atomic():
        case, mine = _part_in_hand(part, "end_part", by, now)
        if mine.stage != PartStage.FAILED:
            raise Refused(_("Only a source that ended with an error is given up."), "part_not_failed")
        _fail_the_rest(mine, now)
        mine.stage, mine.held_for, mine.ended_at = PartStage.PROVING, "", now
        mine.save(update_fields=["stage", "held_for", "ended_at"])
        parts.queue(parts.PROVE, mine, now)
        put_on_record(case, Action.PART_GIVEN_UP, by, now, {"source": str(mine.source_id)})
        note(case, by, now, reason.strip(), about="end_part")
        touch(case)
        return mine


def _fail_the_rest(part: PlanPart, now: datetime) -> None:
    undone = ChangeStep.objects.filter(part=part).exclude(state__in=steps.ENDED)
    lines = set(undone.values_list("line_id", flat=True))
    undone.update(state=StepState.FAILED, error_code=steps.GIVEN_UP, ended_at=now)
    part.plan.lines.filter(pk__in=lines).update(state=LineState.FAILED)


# -- what is left --------------------------------------------------------------------------------------


def look_again(part: PlanPart, by: By, now: datetime) -> None:
    """Search for what is left once more: what is gone by now holds nothing any more."""
    with transaction.atomic():
        case, mine = _held_part(part, "look_for_leftovers", by, now)
        mine.stage, mine.held_for = PartStage.PROVING, ""
        mine.save(update_fields=["stage", "held_for"])
        parts.queue(parts.PROVE, mine, now)
        put_on_record(case, Action.PART_RETRIED, by, now, {"source": str(mine.source_id), "what": "proof"})
        touch(case)


def carry_out_again(leftover: Leftover, by: By, now: datetime) -> None:
    """Take the steps of the record that is left once more, as they were approved."""
    with transaction.atomic():
        case, mine = _held_part(leftover.part, "carry_out_again", by, now)
        locked = _open_leftover(leftover)
        # What failed, or was given up, was approved as well.
        line = PlannedChange.objects.filter(pk__in=[locked.line_id])
        line.filter(state=LineState.FAILED).update(state=LineState.APPROVED)
        again = ChangeStep.objects.filter(steps.approved(), part=mine, line=locked.line_id)
        if locked.line_id is None or not again.exists():
            raise Refused(_("No approved step belongs to this: it cannot be carried out again."), "no_step")
        again.update(state=StepState.WAITING, ended_at=None, error_code="", obstacle="")
        steps.judge(line)
        locked.settled, locked.settled_by_id, locked.settled_at = Settled.AGAIN, by.person_id, now
        locked.save(update_fields=["settled", "settled_by", "settled_at"])
        parts.again(mine, now)
        _settled(case, locked, by, now)


def propose_acceptance(leftover: Leftover, reason: str, by: By, now: datetime) -> None:
    """Ask a second person to let the case go on though this is still there."""
    _demand(reason, _("Say why this may stay."))
    with transaction.atomic():
        case, _mine = _held_part(leftover.part, "propose_acceptance", by, now)
        locked = _open_leftover(leftover)
        locked.proposed_by_id, locked.reason = by.person_id, reason.strip()
        locked.save(update_fields=["proposed_by", "reason"])
        put_on_record(case, Action.LEFTOVER_PROPOSED, by, now, {"leftover": str(locked.pk)})
        touch(case)


def accept(leftover: Leftover, by: By, now: datetime) -> None:
    """A second person agrees; the letter then says that it is only partly done."""
    with transaction.atomic():
        case, mine = _held_part(leftover.part, "accept_leftover", by, now, Permission.WAIVE_SOURCE)
        locked = _open_leftover(leftover)
        if locked.proposed_by_id is None:
            raise Refused(_("Nobody has proposed to let this stay."), "nothing_proposed")
        if locked.proposed_by_id == by.person_id:
            refuse(case, "accept_leftover", by, now, not_yours("accept_own_proposal"))
        locked.settled, locked.settled_by_id, locked.settled_at = Settled.ACCEPTED, by.person_id, now
        locked.save(update_fields=["settled", "settled_by", "settled_at"])
        if not mine.leftovers.filter(settled=Settled.OPEN).exists():
            mine.stage, mine.held_for = PartStage.DONE, ""
            mine.save(update_fields=["stage", "held_for"])
        _settled(case, locked, by, now)
        execution.go_on(mine.plan, by, now)


def _held_part(
    part: PlanPart, name: str, by: By, now: datetime, permission: Permission = Permission.WORK
) -> tuple[Case, PlanPart]:
    """A part that is held by what is left, its case locked."""
    case, mine = _part_in_hand(part, name, by, now, permission)
    if (mine.stage, mine.held_for) != (PartStage.HELD, execution.LEFTOVERS):
        raise Refused(_("Nothing is left open in this source."), "no_leftovers")
    return case, mine


def _open_leftover(leftover: Leftover) -> Leftover:
    locked = Leftover.objects.select_related("part__plan__case").get(pk=leftover.pk)
    if locked.settled != Settled.OPEN:
        raise Refused(_("This is settled already."), "settled_already")
    return locked


def _settled(case: Case, leftover: Leftover, by: By, now: datetime) -> None:
    codes: Codes = {"leftover": str(leftover.pk), "settled": leftover.settled}
    put_on_record(case, Action.LEFTOVER_SETTLED, by, now, codes)
    touch(case)


# -- what changed meanwhile ----------------------------------------------------------------------------


def stale(found: ChangePlan) -> "QuerySet[PlannedChange]":
    """Lines whose records changed after the approval, and that nobody has decided anew."""
    lines: QuerySet[PlannedChange] = found.lines.filter(state=LineState.STALE)
    return lines


def decided_anew(found: ChangePlan) -> "QuerySet[PlannedChange]":
    """Lines that were decided anew and wait for a second person."""
    lines: QuerySet[PlannedChange] = found.lines.filter(state=LineState.DECIDED)
    return lines


def redecide(
    case: Case, line_ids: Sequence[UUID], choice: str, basis: str, reason: str, by: By, now: datetime
) -> int:
    """Decide anew about records that changed, while the rest is carried out; a second person approves. How many."""
    with transaction.atomic():
        locked, found = _executing(case, Permission.WORK, "decide_changed", by, now)
        lines = stale(found).filter(pk__in=line_ids)
        ids = list(lines.values_list("pk", flat=True))
        if not ids:
            raise Refused(_("Choose the lines first."), "nothing_selected")
        _choose(locked, lines, choice, basis, reason)
        chosen = PlannedChange.objects.filter(pk__in=ids)
        chosen.update(state=LineState.DECIDED, decided_by=by.person_id, decided_at=now, approved_by=None)
        if reason.strip():
            plan.put(ids, "reason", locked.file_key_id, reason.strip().encode())
        codes: Codes = {"plan": found.number, "choice": choice, "basis": basis, "count": len(ids)}
        put_on_record(locked, Action.STALE_DECIDED, by, now, codes)
        touch(locked)
        return len(ids)


def _choose(case: Case, lines: "QuerySet[PlannedChange]", choice: str, basis: str, reason: str) -> None:
    if choice == KEEP and case.right == Right.ERASURE:
        if basis not in plan.exceptions(case):
            raise Refused(_("Choose the exception under which this is kept."), "exception_missing")
        kept = Item.objects.filter(pk__in=lines.values("item"))
        kept.update(decision=ItemDecision.KEEP, exemption=basis)
        lines.update(treatment=Treatment.KEEP, basis=basis, rule="")
    elif choice == BY_HAND:
        _demand(reason, _("Say why this is done by hand, and how."))
        lines.update(by_hand=True)
    elif choice != AGAIN:
        raise Refused(_("Say what is to become of them."), "choice_missing")


def approve_changed(case: Case, by: By, now: datetime) -> int:
    """A second person agrees to what was decided anew; it is carried out now. How many lines."""
    with transaction.atomic():
        locked, found = _for_second(case, "approve_changed", by, now)
        lines = decided_anew(found)
        ids = list(lines.values_list("pk", flat=True))
        if not ids:
            raise Refused(_("Nothing that was decided anew waits for you."), "nothing_selected")
        if lines.filter(decided_by=by.person_id).exists():
            refuse(locked, "approve_changed", by, now, not_yours("approve_own_decision"))
        lines.update(state=LineState.APPROVED, approved_by=by.person_id, approved_at=now)
        _carry_on(found, PlannedChange.objects.filter(pk__in=ids), now)
        put_on_record(locked, Action.STALE_APPROVED, by, now, {"plan": found.number, "count": len(ids)})
        touch(locked)
        return len(ids)


def return_changed(case: Case, reason: str, by: By, now: datetime) -> None:
    """The second person sends it back to be decided once more."""
    _demand(reason, _("Say what has to change about it."))
    with transaction.atomic():
        locked, found = _for_second(case, "return_changed", by, now)
        lines = decided_anew(found)
        ids = list(lines.values_list("pk", flat=True))
        lines.update(state=LineState.STALE, decided_by=None, decided_at=None)
        plan.put(ids, "return_reason", locked.file_key_id, reason.strip().encode())
        put_on_record(locked, Action.STALE_RETURNED, by, now, {"plan": found.number, "count": len(ids)})
        touch(locked)


def _carry_on(found: ChangePlan, lines: "QuerySet[PlannedChange]", now: datetime) -> None:
    """The parts go on with their new steps; what is kept or done by hand has none."""
    without = lines.exclude(treatment__in=steps.WRITING) | lines.filter(by_hand=True)
    gone = ChangeStep.objects.filter(line__in=without.values("pk"), state=StepState.STALE)
    freshness.give_back_followers(found, gone)
    gone.delete()
    tasks.add_by_hand(found, lines.filter(by_hand=True), now)
    for part in found.parts.filter(source__in=lines.values("source"), stage=PartStage.HELD):
        part.plan = found
        parts.again(part, now)


def _for_second(case: Case, name: str, by: By, now: datetime) -> tuple[Case, ChangePlan]:
    """Whoever approved, or may: the controller's own where its instruction keeps the decision."""
    needed = Permission.APPROVE_FOR_CONTROLLER if case.controller_decides else Permission.APPROVE
    return _executing(case, needed, name, by, now)


# -- common --------------------------------------------------------------------------------------------


def _in_hand(
    case: Case, permission: Permission, name: str, by: By, now: datetime, version: int | None = None
) -> tuple[Case, ChangePlan]:
    """The case and its live plan, locked."""
    locked = act(case, permission, by, now, version=version, name=name)
    found = plans.live(locked)
    if found is None or found.stage not in parts.LIVE:
        raise Refused(_("Nothing is being carried out for this case."), "no_plan_under_way")
    found.case = locked
    return locked, found


def _part_in_hand(
    part: PlanPart, name: str, by: By, now: datetime, permission: Permission = Permission.WORK
) -> tuple[Case, PlanPart]:
    case, found = _in_hand(part.plan.case, permission, name, by, now)
    mine: PlanPart = found.parts.select_related("source").get(pk=part.pk)
    mine.plan = found
    return case, mine


def _executing(
    case: Case, permission: Permission, name: str, by: By, now: datetime
) -> tuple[Case, ChangePlan]:
    locked, found = _in_hand(case, permission, name, by, now)
    if found.stage != PlanStage.EXECUTING:
        raise Refused(_("Nothing is being carried out for this case."), "no_plan_under_way")
    return locked, found


def _demand(text: str, sentence: str) -> None:
    if not text.strip():
        raise Refused(sentence, "reason_missing")
