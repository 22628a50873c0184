"""The part of a drill that changes sources: the plan as the rules make it, tried out, and where asked for carried out.

A dry run ends with the plan: nothing is written to any source. Carrying it out is for test systems alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models import Count
from django.utils.translation import gettext as _

from cases import corrections
from cases.fulfilment import plans
from cases.models import (
    Case,
    ChangePlan,
    ChangeStep,
    CorrectionOutcome,
    Found,
    Leftover,
    PlanStage,
    StepState,
    TaskState,
)
from cases.permissions import By
from cases.words import Right, State
from cases.workflow import carry_out, certificate, decide, people, plan, rectify, review
from cases.workflow.plan import Lines, Treat
from cases.workflow.rectify import Judged, Unwritable
from dsar.jobs.models import Job, JobState

# What is done to records in their sources.
CHANGING: Final = frozenset({Right.ERASURE, Right.RECTIFICATION})


@dataclass(frozen=True)
class Wish:
    """What a rectification is to set, by field; and whether anything is to be carried out at all."""

    values: Mapping[str, str] = field(default_factory=dict)
    execute: bool = False

    @property
    def claims(self) -> list[dict[str, str]]:
        return [{"field": name, "wrong": "", "right": value} for name, value in self.values.items()]


@dataclass(frozen=True)
class PlannedLines:
    """How many records of one type are treated so.

    ``code`` is the ground or exception; ``by_hand`` where no connector can.
    """

    source: str
    collection: str
    treatment: str
    rule: str
    code: str
    by_hand: bool
    count: int


@dataclass(frozen=True)
class Refusals:
    """How many records a source would not change, and why, as a code."""

    source: str
    collection: str
    obstacle: str
    count: int


@dataclass(frozen=True)
class Left:
    """Something of the person that is still there."""

    source: str
    where: str
    remains: str
    settled: str


@dataclass(frozen=True)
class Changes:
    """What a drill tells of a plan: its lines, what stands in the way, receipts by state, and what is left."""

    is_executed: bool = False
    stage: str = ""
    lines: tuple[PlannedLines, ...] = ()
    refusals: tuple[Refusals, ...] = ()
    receipts: Mapping[str, int] = field(default_factory=dict)
    leftovers: tuple[Left, ...] = ()
    unwritable: Mapping[str, str] = field(default_factory=dict)


# -- the way through ---------------------------------------------------------------------------------


def is_idle(case: Case) -> bool:
    """No work is under way or waits, so that nothing more comes by itself."""
    return not Job.objects.filter(case_id=case.pk, state__in=[JobState.QUEUED, JobState.RUNNING]).exists()


def judge_values(case: Case, by: By, now: datetime) -> dict[str, str]:
    """Take each value as it is claimed; those that a field cannot hold are refused. Gives why, by field."""
    unwritable: dict[str, str] = {}
    for one in corrections.of(case).filter(outcome=""):
        claimed = str(one.claimed or "")
        wanted = Judged(CorrectionOutcome.CORRECTED, wanted=claimed)
        if one.found == Found.WITHIN:
            wanted = Judged(CorrectionOutcome.NOT_MEANT)
        try:
            rectify.decide(one, wanted, by, now)
        except Unwritable as refusal:
            place = f"{one.source.slug if one.source else ''}.{one.collection}.{one.field}"
            unwritable[place] = refusal.code
            rectify.decide(one, Judged(CorrectionOutcome.REFUSED, reason=str(refusal)), by, now)
    return unwritable


def is_planned(case: Case) -> bool:
    """The plan is made and tried, as far as the sources answer; a case without disputed values needs none."""
    found = plans.live(case)
    if found is None:
        return is_idle(case)
    return found.stage == PlanStage.READY and is_idle(case)


def told(case: Case, *, is_executed: bool = False, unwritable: Mapping[str, str] | None = None) -> Changes:
    """What there is to tell of the newest plan of a case, whatever became of it."""
    found = case.plans.order_by("-number").first()
    if found is None:
        return Changes(is_executed=is_executed, unwritable=unwritable or {})
    return Changes(
        is_executed=is_executed,
        stage=found.stage,
        lines=tuple(_lines(found)),
        refusals=tuple(_refusals(found)),
        receipts=_receipts(found),
        leftovers=tuple(_leftovers(found)),
        unwritable=unwritable or {},
    )


def end_dry(case: Case, by: By, now: datetime) -> Case:
    """The rehearsal is over: the case ends as if it had been taken back, and its plan with it."""
    return people.withdraw(case, by, now, reason=_("A drill: nothing was to be changed."))


def decide_all(case: Case, by: By, now: datetime) -> None:
    """The plan as the rules have it; what a source refuses is for a human, who in a drill does nothing."""
    found = plans.live(case)
    if found is not None and case.right == Right.ERASURE:
        refused = plans.by_machine(found.lines.exclude(obstacle=""))
        ids = list(refused.values_list("pk", "treatment"))
        for treatment in sorted({treatment for _pk, treatment in ids}):
            chosen = [pk for pk, its in ids if its == treatment]
            words = Treat(treatment, reason=_("A drill: the source refuses it."), by_hand=True)
            plan.treat(case, Lines(ids=chosen), words, by, now)
        plan.accept(case, Lines(everything=True), by, now)
    elif not corrections.is_by_value(case):
        review.decide_by_rules(case, by, now)


def approve(case: Case, preparer: By, approver: By, now: datetime) -> Case:
    """Prepare the answer and have it approved."""
    outcome = decide.outcome_of(case)
    reasons = _("A drill: nothing of what was found is changed.") if outcome == "refused" else ""
    title, body = decide.draft_letter(case, outcome, reasons, now)
    case = decide.submit(case, title, body, preparer, now, reasons=reasons)
    case = decide.approve(case, approver, now)
    if case.state == State.WITH_CONTROLLER:
        case = decide.approve_for_controller(case, approver, now)
    return case


def record_by_hand(case: Case, by: By, now: datetime) -> None:
    """What a person would have to do in a source is not done in a drill, and recorded as looked at."""
    for task in case.tasks.filter(state=TaskState.OPEN):
        evidence = _("A drill: nothing was changed in the source system.")
        carry_out.record_task(task, True, evidence, by, now)


def certify(case: Case, by: By, now: datetime) -> None:
    """The certificate that the customer would get; a drill gives it to nobody."""
    found = case.plans.order_by("-number").first()
    if found is not None and found.decision is not None:
        certificate.make(case, found, found.decision, by, now)


def is_held_up(case: Case) -> bool:
    """Nothing more happens by itself: a part failed, or something of the person is left."""
    found = plans.live(case)
    if found is None or not is_idle(case):
        return False
    return found.parts.filter(stage__in=["failed", "held"]).exists()


# -- what it tells -----------------------------------------------------------------------------------


def _lines(found: ChangePlan) -> Sequence[PlannedLines]:
    slugs = _slugs(found)
    return [
        PlannedLines(
            slugs.get(group.source_id, ""),
            group.collection,
            group.treatment,
            group.rule,
            group.basis,
            group.by_hand,
            group.total,
        )
        for group in plans.groups(found)
    ]


def _slugs(found: ChangePlan) -> dict[object, str]:
    return dict(
        found.lines.exclude(source=None).values_list("source_id", "source__slug").distinct().order_by()
    )


def _refusals(found: ChangePlan) -> Sequence[Refusals]:
    rows = (
        found.lines.exclude(obstacle="")
        .values_list("source__slug", "collection", "obstacle")
        .annotate(count=Count("pk"))
        .order_by("source__slug", "collection", "obstacle")
    )
    return [
        Refusals(source or "", collection, obstacle, count) for source, collection, obstacle, count in rows
    ]


def _receipts(found: ChangePlan) -> dict[str, int]:
    """How each step ended; one that nobody has taken has no receipt."""
    taken = ChangeStep.objects.filter(part__plan=found).exclude(state=StepState.WAITING)
    states = taken.values_list("state", flat=True)
    return dict(sorted(Counter(states).items()))


def _leftovers(found: ChangePlan) -> Sequence[Left]:
    rows = Leftover.objects.filter(part__plan=found).select_related("part__source")
    return [Left(one.part.source.slug, one.where, one.remains, one.settled) for one in rows]
