"""Reads over plans: the live one, its groups and counts, what is open in it, and its digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Q, QuerySet
from django.utils.translation import gettext as _

from cases.fulfilment import abilities
from cases.fulfilment.rules import AT_REST
from cases.models import (
    Case,
    ChangePlan,
    ItemDecision,
    KeepingRule,
    LineState,
    PartStage,
    PlannedChange,
    PlanPart,
    PlanStage,
    SourceSystem,
)
from cases.words import Right
from dsar.lib.errors import Refused

# What is asked for by these is done to records in their sources; a correction that no field was found for, by hand.
RIGHTS: Final = frozenset({Right.ERASURE, Right.RECTIFICATION})
ENDED: Final = (PlanStage.DONE, PlanStage.VOID)
UNDECIDED: Final = (LineState.PROPOSED, LineState.RETURNED, LineState.STALE)
# Why something stays: the code of the exception, the rule's own words, and of how many records.
Kept: TypeAlias = tuple[str, str, int]


def live(case: Case) -> ChangePlan | None:
    """The plan of a case that is being made, decided or carried out; other rights than these have none."""
    if case.right not in RIGHTS:
        return None
    found: ChangePlan | None = (
        ChangePlan.objects.filter(case=case).exclude(stage__in=ENDED).select_related("case").first()
    )
    return found


def cancel_until(case: Case, now: datetime) -> datetime | None:
    """When the time to cancel an erasure is over; None where there is none, or it is."""
    plan = live(case)
    if plan is None or plan.stage != PlanStage.APPROVED or plan.executes_at is None:
        return None
    return plan.executes_at if plan.executes_at > now else None


def returned(case: Case) -> int:
    """How many lines an approver sent back that nobody has decided anew."""
    plan = live(case)
    return plan.lines.filter(state=LineState.RETURNED).count() if plan is not None else 0


def new(case: Case, now: datetime) -> ChangePlan:
    """The next plan of a locked case, to be made."""
    last = ChangePlan.objects.filter(case=case).aggregate(last=Max("number"))["last"] or 0
    made: ChangePlan = ChangePlan.objects.create(
        controller_id=case.controller_id, case=case, number=last + 1, made_at=now
    )
    return made


def by_machine(lines: "QuerySet[PlannedChange]") -> "QuerySet[PlannedChange]":
    """Those of the lines that a connector carries out."""
    return lines.filter(by_hand=False).exclude(treatment__in=AT_REST)


def acting(case: Case) -> ChangePlan | None:
    """The live plan of a case, where it changes anything at all, by a connector or by hand."""
    plan = live(case)
    return plan if plan is not None and plan.lines.exclude(treatment__in=AT_REST).exists() else None


def to_do_by_hand(plan: ChangePlan) -> "QuerySet[PlannedChange]":
    """What a human has to carry out in a source."""
    chosen: QuerySet[PlannedChange] = plan.lines.filter(by_hand=True).exclude(treatment__in=AT_REST)
    return chosen


@dataclass(frozen=True)
class Group:
    """Lines of one source and type with one treatment, for one reason."""

    source_id: UUID | None
    source: str
    collection: str
    treatment: str
    rule: str
    basis: str
    by_hand: bool
    total: int
    undecided: int
    untouched: int
    returned: int
    obstacles: int

    @property
    def label(self) -> str:
        """The type's name as a person reads it."""
        return self.collection.replace("_", " ").capitalize()


def groups(plan: ChangePlan) -> list[Group]:
    """The lines by source, type, treatment and rule, with counts; one query whatever their number."""
    rows: Any = (
        plan.lines.values("source_id", "source__name", "collection", "treatment", "rule", "basis", "by_hand")
        .annotate(
            total=Count("pk"),
            undecided=Count("pk", filter=Q(state__in=UNDECIDED)),
            untouched=Count("pk", filter=Q(state=LineState.PROPOSED)),
            returned=Count("pk", filter=Q(state=LineState.RETURNED)),
            obstacles=Count("pk", filter=~Q(obstacle="")),
        )
        .order_by("source__name", "source_id", "collection", "treatment", "rule", "basis", "by_hand")
    )
    return [Group(**{"source": row.pop("source__name") or "", **row}) for row in rows]


def digest(plan: ChangePlan) -> str:
    """SHA-256 over every line as it was decided and tried: what an approval is given for."""
    with connection.cursor() as cursor:
        cursor.execute(_DIGEST, [plan.pk, plan.pk])
        return str(cursor.fetchone()[0])


def kept(case: Case) -> list[Kept]:
    """What stays of what was asked to be erased: the code of each exception, the rule's own words, how many records.

    What is about somebody else was not asked for, and what the law forbids to speak of is not told.
    """
    plan = live(case)
    return _kept(case, plan.lines.all()) if plan is not None else []


def kept_since(plan: ChangePlan) -> list[Kept]:
    """The same of what was to be erased when that was approved: it changed meanwhile, and two decided anew."""
    decision = plan.decision
    if decision is None:
        return []
    approved = [at for at in (decision.approved_at, decision.controller_decided_at) if at]
    return _kept(plan.case, plan.lines.filter(approved_at__gt=max(approved)))


def _kept(case: Case, lines: "QuerySet[PlannedChange]") -> list[Kept]:
    if case.right != Right.ERASURE:
        return []
    named = lines.exclude(item__is_silent=True).exclude(item__is_third_party=True)
    rows: Any = named.filter(treatment__in=AT_REST).values_list("basis", "rule").annotate(Count("pk"))
    words = dict(KeepingRule.objects.filter(controller=case.controller_id).values_list("slug", "words"))
    counts: dict[tuple[str, str], int] = {}
    for basis, rule, count in rows.order_by("basis", "rule"):
        said = words.get(rule.partition(":")[2], "")
        counts[basis, said] = counts.get((basis, said), 0) + count
    return [(basis, said, count) for (basis, said), count in counts.items()]


# What was sealed stands for what is in it: sealed anew it differs, which is on the safe side.
_DIGEST = """
SELECT encode(sha256(convert_to(
    coalesce((SELECT string_agg(concat_ws('|', id, item_id, source_id, collection, treatment, basis, by_hand, may_write,
                                obstacle, predicted, encode(sha256(wanted), 'hex'), encode(sha256(expected), 'hex')),
                                ',' ORDER BY number)
                FROM cases_plannedchange WHERE plan_id = %s), '') || '#' ||
    coalesce((SELECT string_agg(concat_ws('|', source_id, digest), ',' ORDER BY source_id)
                FROM cases_planpart WHERE plan_id = %s), ''), 'UTF8')), 'hex')
"""


def digest_of(case: Case) -> str:
    """The digest of the case's plan; empty where there is none."""
    plan = live(case)
    return digest(plan) if plan else ""


def decided_by(case: Case, person_id: UUID | None) -> bool:
    """Whether this person decided a line of the case's plan."""
    plan = live(case)
    return plan is not None and person_id is not None and plan.lines.filter(decided_by=person_id).exists()


def demand_ready(case: Case) -> None:
    """Raise Refused for what has to happen before a plan can be approved: nothing open, nothing untried."""
    if case.right not in RIGHTS:
        return
    plan = live(case)
    if plan is None:
        if case.right == Right.ERASURE:
            _demand_no_need(case)
        return
    if plan.stage == PlanStage.MAKING:
        raise Refused(_("The plan is still being made."), "plan_being_made")
    if plan.lines.filter(state__in=UNDECIDED).exists():
        raise Refused(_("Some lines of the plan are still to be decided."), "lines_undecided")
    if open_parts(plan):
        raise Refused(_("The dry run is not through: wait for it, or see what went wrong."), "dry_run_open")
    if by_machine(plan.lines.exclude(obstacle="")).exists():
        raise Refused(
            _("A source refuses some of it: keep those records, or have them dealt with by hand."),
            "obstacles_open",
        )


def _demand_no_need(case: Case) -> None:
    """A case that came to review before there were plans has none; what is erased by hand needs none."""
    acted = case.items.filter(decision=ItemDecision.ACT).values("source_id")
    if any(abilities.changes(source) for source in SourceSystem.objects.filter(pk__in=acted)):
        raise Refused(_("There is no plan yet: search the sources again to have one made."), "plan_missing")


def open_parts(plan: ChangePlan) -> Sequence[PlanPart]:
    """The sources whose dry run is not through."""
    machine = by_machine(plan.lines.all()).values("source_id")
    return list(plan.parts.filter(source__in=machine).exclude(stage=PartStage.PLANNED))
