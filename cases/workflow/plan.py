"""The plan of an erasure: the rules propose it, a handler decides it by line or by rule, a second person approves it.

What is decided about a line stands with its record as well (``Item.decision``), so that outcome, digest and letters
read one thing only.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases import corrections
from cases.fulfilment import abilities, dry_run, plans, proposing
from cases.fulfilment.anonymise import StrategyWrong, check
from cases.fulfilment.rules import AT_REST
from cases.law import loader as law
from cases.models import (
    Case,
    ChangePlan,
    Decision,
    Item,
    ItemDecision,
    LineState,
    PartStage,
    PlannedChange,
    PlanPart,
    PlanStage,
    SourceSystem,
    Treatment,
)
from cases.permissions import BY_SYSTEM, By
from cases.words import Outcome, Right, State
from cases.workflow.perform import act, lock, put_on_record, touch
from dsar.audit.actions import Action
from dsar.audit.record import Codes
from dsar.jobs.queue import enqueue
from dsar.lib.errors import Refused
from dsar.vault.fields import Ciphertext, sealer
from identity.roles import Permission

PROPOSE: Final = "propose_plan"
NOT_OURS: Final = "NOT_OURS"
PAGE: Final = 5000
# What a handler may choose for a record whose erasure is asked for.
CHOICES: Final = (Treatment.DELETE, Treatment.ANONYMISE, Treatment.BLOCK, Treatment.KEEP, Treatment.REFER)

live = plans.live


# -- making --------------------------------------------------------------------------------------------


def propose(case: Case, by: By, now: datetime) -> ChangePlan | None:
    """Have the rules propose what becomes of each record of an erasure case; what was decided before stands.

    Called inside the transaction that brings the case to review. None for other rights.
    """
    if case.right != Right.ERASURE:
        return None
    plan = plans.live(case) or plans.new(case, now)
    plan.stage, plan.made_at, plan.decision, plan.executes_at = PlanStage.MAKING, now, None, None
    plan.save(update_fields=["stage", "made_at", "decision", "executes_at"])
    plan.lines.filter(state=LineState.APPROVED).update(
        state=LineState.DECIDED, approved_by=None, approved_at=None
    )
    enqueue(
        PROPOSE,
        controller_id=case.controller_id,
        case_id=case.pk,
        key=f"{PROPOSE}:{plan.pk}:{case.version}",
        args={"plan": str(plan.pk)},
        now=now,
    )
    return plan


def begin_proposing(plan_id: UUID) -> None:
    """What nobody has decided, or what is another record by now, is proposed anew; inside a step."""
    plan = ChangePlan.objects.select_for_update(of=("self",)).select_related("case").get(pk=plan_id)
    if plan.stage == PlanStage.MAKING and plan.case.state == State.REVIEW:
        proposing.forget_undecided(plan)


def proposed(plan_id: UUID, now: datetime) -> None:
    """Every record has its line: the sources are tried; inside a step."""
    case = lock(ChangePlan.objects.values_list("case_id", flat=True).get(pk=plan_id))
    plan = ChangePlan.objects.select_for_update(of=("self",)).select_related("case").get(pk=plan_id)
    if plan.stage != PlanStage.MAKING:
        return
    plan.stage = PlanStage.READY
    plan.save(update_fields=["stage"])
    _try_out(plan, None, now)
    codes: Codes = {"plan": plan.number, "lines": plan.lines.count()}
    put_on_record(case, Action.PLAN_PROPOSED, BY_SYSTEM, now, codes)


def dry_run_ended(part_id: UUID, now: datetime) -> None:
    """Put on record what a source answered; inside a step."""
    part = PlanPart.objects.select_related("plan__case", "source").get(pk=part_id)
    refused = dry_run.machine_lines(part).exclude(obstacle="").count()
    codes: Codes = {
        "plan": part.plan.number,
        "source": str(part.source_id),
        "stage": part.stage,
        "steps": part.steps_total,
        "obstacles": refused,
    }
    put_on_record(part.plan.case, Action.DRY_RUN_ENDED, BY_SYSTEM, now, codes)


def rerun_dry(case: Case, by: By, now: datetime) -> None:
    """Ask every source again, whatever it answered before."""
    with transaction.atomic():
        case, plan = _in_hand(case, by, now, None)
        _try_out(plan, None, now)
        put_on_record(case, Action.DRY_RUN_ORDERED, by, now, {"plan": plan.number})


def _try_out(plan: ChangePlan, source_ids: "set[UUID] | None", now: datetime) -> None:
    """Have these sources tried, or all; one in which no connector does anything has nothing to be asked."""
    chosen = plan.parts.select_related("plan__case", "source")
    if source_ids is not None:
        chosen = chosen.filter(source__in=source_ids)
    for part in chosen:
        if dry_run.machine_lines(part).exists():
            dry_run.order(part, now)
        elif part.stage != PartStage.PLANNED:
            part.generation += 1
            part.stage, part.digest, part.error_code, part.error_text = PartStage.PLANNED, "", "", ""
            part.save()


# -- deciding ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lines:
    """Some lines by id; or all of a source and type, of those with this treatment and rule; or every one."""

    ids: Sequence[UUID] = ()
    source_id: UUID | None = None
    collection: str = ""
    treatment: str = ""
    rule: str | None = None
    basis: str | None = None
    by_hand: bool | None = None
    only_undecided: bool = False
    everything: bool = False

    def of(self, plan: ChangePlan) -> "QuerySet[PlannedChange]":
        """The lines that are meant. Raises Refused where none was named."""
        lines: QuerySet[PlannedChange] = plan.lines.all()
        if self.ids:
            lines = lines.filter(pk__in=self.ids)
        elif self.collection:
            lines = lines.filter(source_id=self.source_id, collection=self.collection)
        elif not self.everything:
            raise Refused(_("Choose the lines first."), "nothing_selected")
        if self.treatment:
            lines = lines.filter(treatment=self.treatment)
        narrowed = {"rule": self.rule, "basis": self.basis, "by_hand": self.by_hand}
        lines = lines.filter(**{name: value for name, value in narrowed.items() if value is not None})
        return lines.filter(state__in=plans.UNDECIDED) if self.only_undecided else lines


@dataclass(frozen=True)
class Treat:
    """What is decided: how a record is treated, under which code, and in whose words.

    ``strategies`` say by field how it is made anonymous; without any, the source's own way is taken. ``by_hand`` asks a
    human to do what a connector could.
    """

    treatment: str
    basis: str = ""
    reason: str = ""
    by_hand: bool = False
    strategies: Mapping[str, Any] = field(default_factory=dict)


def accept(case: Case, selection: Lines, by: By, now: datetime, *, version: int | None = None) -> int:
    """Take these lines as the rules proposed them; returns how many.

    Where all are meant, what was sent back or has changed is left out: somebody wants it looked at by itself.
    """
    states = (LineState.PROPOSED,) if selection.everything else plans.UNDECIDED
    with transaction.atomic():
        case, plan = _in_hand(case, by, now, version)
        lines = selection.of(plan).filter(state__in=states)
        ids = list(lines.values_list("pk", flat=True))
        for page in pages(ids):
            _decided(page, by, now)
        touch(case)
        codes: Codes = {"plan": plan.number, "treatment": "as_proposed", "count": len(ids)}
        put_on_record(case, Action.PLAN_LINES_DECIDED, by, now, codes)
        return len(ids)


def treat(
    case: Case, selection: Lines, wanted: Treat, by: By, now: datetime, *, version: int | None = None
) -> int:
    """Decide otherwise about these lines, or decide by hand; returns how many.

    A group leaves other people's records as they are. Raises Refused for a code that the law has not, a connector's
    work on what is not proven to be the person's, and a strategy that nobody knows.
    """
    with transaction.atomic():
        case, plan = _in_hand(case, by, now, version)
        wanted = _checked(case, wanted)
        ids = list(_treatable(selection, wanted, plan).values_list("pk", flat=True))
        touched = set[UUID]()
        for page in pages(ids):
            chosen = PlannedChange.objects.filter(pk__in=page)
            touched |= _by_machine_at(chosen)
            _write(chosen, wanted)
            _seal(case, page, wanted)
            _decided(page, by, now)
            touched |= _by_machine_at(chosen)
        _try_out(plan, touched, now)
        touch(case)
        codes: Codes = {
            "plan": plan.number,
            "treatment": wanted.treatment,
            "basis": wanted.basis,
            "by_hand": wanted.by_hand,
            "count": len(ids),
        }
        put_on_record(case, Action.PLAN_LINES_DECIDED, by, now, codes)
        return len(ids)


def pages(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), PAGE):
        yield ids[start : start + PAGE]


def _by_machine_at(lines: "QuerySet[PlannedChange]") -> "set[UUID]":
    """The sources in which a connector carries out some of these."""
    return set(plans.by_machine(lines).values_list("source_id", flat=True).distinct())


def choose_ground(case: Case, code: str, by: By, now: datetime, *, version: int | None = None) -> None:
    """Record why the data is erased (Art 17(1)). Raises Refused for a ground that the law has not."""
    with transaction.atomic():
        case, plan = _in_hand(case, by, now, version)
        if code not in {one.code for one in law.grounds_for("erasure_ground", case.regime)}:
            raise Refused(_("Choose the ground from the list."), "ground_missing")
        plan.ground = code
        plan.save(update_fields=["ground"])
        touch(case)
        chosen = {"ground": code, "regime": str(case.regime)}
        put_on_record(case, Action.PLAN_GROUND_CHOSEN, by, now, {"plan": plan.number, **chosen})


def _in_hand(case: Case, by: By, now: datetime, version: int | None) -> tuple[Case, ChangePlan]:
    """The case and its plan, locked, while a handler may decide."""
    case = act(case, Permission.WORK, by, now, version=version, name="decide_plan")
    if case.state != State.REVIEW:
        raise Refused(_("A plan is decided while the case is in review."), "not_in_review")
    plan = ChangePlan.objects.select_for_update(of=("self",)).select_related("case").filter(case=case)
    found: ChangePlan | None = plan.exclude(stage__in=plans.ENDED).first()
    if found is None or found.stage == PlanStage.MAKING:
        raise Refused(_("The plan is still being made."), "plan_being_made")
    found.case = case
    return case, found


def _checked(case: Case, wanted: Treat) -> Treat:
    """With the code that goes without saying."""
    if wanted.treatment not in CHOICES:
        raise Refused(_("This cannot be decided about a record of such a case."), "wrong_decision")
    basis = {
        Treatment.KEEP: wanted.basis,
        Treatment.REFER: NOT_OURS,
        Treatment.BLOCK: wanted.basis or law.blocks_instead_of_erasing(case.regime),
    }.get(Treatment(wanted.treatment), "")
    if wanted.treatment == Treatment.KEEP and basis not in exceptions(case):
        raise Refused(_("Choose the exception under which this is kept."), "exception_missing")
    if wanted.by_hand and not wanted.reason.strip():
        raise Refused(_("Say why this is done by hand, and how."), "reason_missing")
    try:
        for strategy in wanted.strategies.values():
            check(strategy)
    except StrategyWrong:
        raise Refused(_("Choose how the field is made anonymous."), "strategy_wrong") from None
    return Treat(wanted.treatment, basis, wanted.reason.strip(), wanted.by_hand, wanted.strategies)


def exceptions(case: Case) -> frozenset[str]:
    """The codes under which a record may stay."""
    return frozenset(one.code for one in law.grounds_for("erasure_exception", case.regime))


def _treatable(selection: Lines, wanted: Treat, plan: ChangePlan) -> "QuerySet[PlannedChange]":
    """Nothing of other people's is erased by a group, and one by one only with a reason, by hand."""
    lines = selection.of(plan)
    if wanted.treatment in AT_REST:
        return lines
    others = lines.filter(item__is_third_party=True)
    if selection.ids and others.exists():
        raise Refused(
            _("A record about somebody else is not erased at this person's request."), "third_party"
        )
    return lines.exclude(item__is_third_party=True)


def _write(lines: "QuerySet[PlannedChange]", wanted: Treat) -> None:
    """What a connector cannot do, or may not because nothing proves whose record it is, is for a human."""
    at_rest = wanted.treatment in AT_REST
    lines.update(
        treatment=wanted.treatment,
        basis=wanted.basis,
        rule="",
        obstacle="",
        remedy="",
        predicted="",
        by_hand=wanted.by_hand or not at_rest,
    )
    if at_rest or wanted.by_hand:
        return
    for source_id in lines.exclude(source=None).values_list("source_id", flat=True).distinct():
        kinds = abilities.kinds_of(SourceSystem.objects.get(pk=source_id))
        able = [name for name, kind in kinds.items() if kind.can.do(wanted.treatment)]
        lines.filter(source=source_id, collection__in=able, may_write=True).update(by_hand=False)


def _seal(case: Case, ids: Sequence[UUID], wanted: Treat) -> None:
    """The words and strategies that go with it, sealed for each line."""
    put(ids, "reason", case.file_key_id, wanted.reason.encode())
    strategies = dict(wanted.strategies) if wanted.treatment == Treatment.ANONYMISE else {}
    plain = json.dumps(strategies, ensure_ascii=False).encode() if strategies else b""
    put(ids, "wanted", case.collected_key_id, plain)


def put(ids: Sequence[UUID], name: str, key_id: UUID, plain: bytes) -> None:
    """Seal the same words for many lines: no two ciphertexts are alike, so it takes a list of them."""
    if not plain:
        PlannedChange.objects.filter(pk__in=ids).update(**{name: Ciphertext(b"")})
        return
    seal = sealer(PlannedChange, name, key_id)
    with connection.cursor() as cursor:
        cursor.execute(_PUT[name], [list(ids), [seal(pk, plain) for pk in ids]])


_PUT: Final[Mapping[str, str]] = {
    name: f"UPDATE cases_plannedchange SET {name} = given.value"  # noqa: S608  Names of our own columns.
    " FROM unnest(%s::uuid[], %s::bytea[]) AS given (id, value) WHERE cases_plannedchange.id = given.id"
    for name in ("reason", "wanted", "return_reason")
}


def _decided(ids: Sequence[UUID], by: By, now: datetime) -> None:
    """The lines are decided, and their records with them."""
    lines = PlannedChange.objects.filter(pk__in=ids)
    lines.update(state=LineState.DECIDED, decided_by=by.person_id, decided_at=now)
    _decide_items(lines.exclude(treatment__in=AT_REST), ItemDecision.ACT, "", by, now)
    at_rest = lines.filter(treatment__in=AT_REST)
    for basis in list(at_rest.values_list("basis", flat=True).distinct()):
        _decide_items(at_rest.filter(basis=basis), ItemDecision.KEEP, basis, by, now)


def _decide_items(
    lines: "QuerySet[PlannedChange]", decision: ItemDecision, exemption: str, by: By, now: datetime
) -> None:
    Item.objects.filter(pk__in=lines.values("item")).update(
        decision=decision,
        exemption=exemption,
        is_silent=False,
        redactions=None,
        decided_by=by.person_id,
        decided_at=now,
    )


# -- what others decided -------------------------------------------------------------------------------


def follow(case: Case, items: Sequence[UUID], wanted: Treat, by: By, now: datetime) -> None:
    """Bring lines in step with records that were decided one by one; inside a transaction, by the one who decided."""
    plan = plans.live(case)
    if plan is None:
        return
    if plan.stage == PlanStage.MAKING:
        raise Refused(_("The plan is still being made."), "plan_being_made")
    lines = plan.lines.filter(item__in=items)
    acting = wanted.treatment not in AT_REST
    # What is to be erased keeps how: a rule may have it made anonymous.
    changed = lines.filter(treatment__in=AT_REST) if acting else lines
    touched = _by_machine_at(changed)
    ids = list(changed.values_list("pk", flat=True))
    _write(PlannedChange.objects.filter(pk__in=ids), wanted)
    lines.update(state=LineState.DECIDED, decided_by=by.person_id, decided_at=now)
    _try_out(plan, touched | _by_machine_at(PlannedChange.objects.filter(pk__in=ids)), now)


# -- approval ------------------------------------------------------------------------------------------


def approved(plan: ChangePlan, decision: Decision, by: By, now: datetime) -> None:
    """What was decided is approved: it is carried out when the time to cancel is over. Inside the approval."""
    plan.lines.filter(state=LineState.DECIDED).update(
        state=LineState.APPROVED, approved_by=by.person_id, approved_at=now
    )
    plan.decision, plan.stage = decision, PlanStage.APPROVED
    # A drill has nobody who could cancel it.
    may_cancel = plan.case.right == Right.ERASURE and not plan.case.is_drill
    grace = plan.case.controller.grace_days if may_cancel else 0
    plan.executes_at = now + timedelta(days=grace)
    plan.save(update_fields=["decision", "stage", "executes_at"])


def decided(case: Case, decision: Decision, by: By, now: datetime) -> None:
    """A decision is approved: its plan is as well, or is of no use any more where the case ends otherwise."""
    plan = plans.live(case) if case.right in plans.RIGHTS else None
    if plan is None:
        return
    plan.case = case
    acts = plan.lines.exclude(treatment__in=AT_REST).exists()
    stays = decision.outcome == Outcome.REFUSED and (not acts or _notes_dispute(plan))
    if decision.outcome in _CARRIED_OUT or stays:
        approved(plan, decision, by, now)
    if not acts and plan.stage == PlanStage.APPROVED:
        plan.stage, plan.ended_at = PlanStage.DONE, now
        plan.save(update_fields=["stage", "ended_at"])
    elif plan.stage != PlanStage.APPROVED:
        void(case, now)


def _notes_dispute(plan: ChangePlan) -> bool:
    """Where every value is refused, all that is left to do is to note the dispute on the records."""
    case = plan.case
    is_refused = corrections.is_by_value(case) and corrections.outcome_of(case) == Outcome.REFUSED
    return is_refused and plan.stage == PlanStage.READY and not plans.open_parts(plan)


_CARRIED_OUT: Final = (Outcome.FULFILLED, Outcome.PARTLY_FULFILLED)


def void(case: Case, now: datetime) -> None:
    """The case ends without the plan being carried out."""
    ChangePlan.objects.filter(case=case).exclude(stage__in=plans.ENDED).update(
        stage=PlanStage.VOID, ended_at=now
    )


def taken_back(case: Case, now: datetime) -> None:
    """An approval is undone before anything was carried out: what was decided stands, and can be changed again."""
    plan = plans.live(case)
    if plan is None or plan.stage != PlanStage.APPROVED:
        return
    plan.lines.filter(state=LineState.APPROVED).update(
        state=LineState.DECIDED, approved_by=None, approved_at=None
    )
    plan.stage, plan.decision, plan.executes_at = PlanStage.READY, None, None
    plan.expedited_by, plan.expedited_at, plan.expedite_reason = None, None, None
    plan.save()
