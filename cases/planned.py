"""A plan as it reads on a page, for those who decide it and those who approve it: groups, lines, what sources said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.connectors.base import Effect
from cases.connectors.changes import Obstacle
from cases.fulfilment import plans, rules
from cases.law import loader as law
from cases.models import (
    Case,
    ChangePlan,
    HeldFor,
    KeepingRule,
    PartStage,
    PlannedChange,
    PlanPart,
    PlanStage,
    Treatment,
)
from cases.review import showing

PER_PAGE: Final = 50

RULES: Final[Mapping[str, "str | Promise"]] = {
    rules.USUAL: gettext_lazy("Nothing speaks for keeping it"),
    rules.THIRD_PARTY: gettext_lazy("It is about somebody else"),
    rules.LEGAL_HOLD: gettext_lazy("A legal hold lies on this person's data"),
    rules.BLOCKING: gettext_lazy("This law wants it blocked before it is destroyed"),
    rules.REFERENCED: gettext_lazy("Records that stay refer to it"),
    rules.SOURCE_KEEPS: gettext_lazy("The source keeps it by law"),
    "": gettext_lazy("Decided by a person"),
}
_NAMED: Final[Mapping[str, "str | Promise"]] = {
    rules.KEEPING: gettext_lazy("By rule: %(rule)s"),
    rules.PART_OF: gettext_lazy("Part of a record under the rule: %(rule)s"),
    rules.UNDATED: gettext_lazy("By rule, though the record's date cannot be read: %(rule)s"),
    rules.PAST: gettext_lazy("The time of this rule is over: %(rule)s"),
}
OBSTACLES: Final[Mapping[str, "str | Promise"]] = {
    Obstacle.LEGAL_RETENTION: gettext_lazy("kept there by law"),
    Obstacle.STATE: gettext_lazy("its state forbids it"),
    Obstacle.REFERENCED: gettext_lazy("other records refer to it"),
    Obstacle.PERMISSION: gettext_lazy("the account lacks a permission"),
    Obstacle.NO_API: gettext_lazy("the source offers no way"),
    Obstacle.SHARED_RECORD: gettext_lazy("it is somebody else's as well"),
    Obstacle.CHANGED: gettext_lazy("it was changed meanwhile"),
    Obstacle.NOT_FOUND: gettext_lazy("it is no longer there"),
}
EFFECTS: Final[Mapping[str, "str | Promise"]] = {
    Effect.REMOVED: gettext_lazy("will be removed"),
    Effect.ANONYMISED: gettext_lazy("will be anonymous"),
    Effect.HIDDEN: gettext_lazy("will only be hidden"),
    Effect.DISABLED: gettext_lazy("will be out of use"),
    Effect.RETAINED: gettext_lazy("stays, changed"),
    Effect.UNKNOWN: gettext_lazy("can be done"),
}
TONES: Final[Mapping[str, str]] = {
    Treatment.DELETE: "danger",
    Treatment.ANONYMISE: "info",
    Treatment.BLOCK: "warning",
}


@dataclass(frozen=True)
class Group:
    """Lines with one treatment for one reason, in words."""

    of: plans.Group
    treatment: str
    why: str
    exception: str
    tone: str

    @property
    def query(self) -> dict[str, str]:
        """What names the group in an address."""
        of = self.of
        named = {
            "source": str(of.source_id or ""),
            "collection": of.collection,
            "treatment": of.treatment,
            "rule": of.rule,
            "basis": of.basis,
            "hand": "1" if of.by_hand else "",
        }
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True)
class Line:
    """One line with what a list needs of it."""

    line: PlannedChange
    shown: "showing.Shown | None"
    treatment: str
    tone: str
    why: str
    exception: str
    answer: str
    is_refused: bool


@dataclass(frozen=True)
class Part:
    """How far the dry run of one source is."""

    part: PlanPart
    lines: int
    obstacles: int
    is_running: bool
    is_through: bool
    held: str


@dataclass(frozen=True)
class Summary:
    """A plan in numbers; ``untouched`` lines nobody has decided or sent back yet."""

    total: int
    undecided: int
    untouched: int
    returned: int
    obstacles: int
    by_treatment: Sequence[tuple[str, str, int]]


class Words:
    """How this case's law and this controller's rules are called; read once a page."""

    def __init__(self, case: Case) -> None:
        self._rules = dict(
            KeepingRule.objects.filter(controller=case.controller_id).values_list("slug", "words")
        )
        exceptions = law.grounds_for("erasure_exception", case.regime)
        self._codes = {one.code: _(one.name) for one in exceptions}

    def why(self, rule: str) -> str:
        """What proposed a line."""
        how, _colon, slug = rule.partition(":")
        if how in _NAMED:
            return str(_NAMED[how]) % {"rule": self._rules.get(slug) or slug}
        return str(RULES.get(how, how))

    def exception(self, code: str) -> str:
        """The exception under which something stays."""
        return self._codes.get(code, _("Other people's data")) if code else ""


def treatment_words(treatment: str) -> str:
    return str(capfirst(Treatment(treatment).label))


def groups(plan: ChangePlan, words: Words) -> list[Group]:
    """All groups of a plan, in words."""
    return [
        Group(
            one,
            treatment_words(one.treatment),
            words.why(one.rule),
            words.exception(one.basis),
            TONES.get(one.treatment, "neutral"),
        )
        for one in plans.groups(plan)
    ]


def summary(found: Sequence[Group]) -> Summary:
    """The groups' numbers together."""
    counts: dict[str, int] = {}
    for group in found:
        counts[group.of.treatment] = counts.get(group.of.treatment, 0) + group.of.total
    return Summary(
        sum(group.of.total for group in found),
        sum(group.of.undecided for group in found),
        sum(group.of.untouched for group in found),
        sum(group.of.returned for group in found),
        sum(group.of.obstacles for group in found),
        [
            (treatment_words(name), TONES.get(name, "neutral"), counts[name])
            for name in Treatment
            if name in counts
        ],
    )


def chosen(found: Sequence[Group], query: Mapping[str, str]) -> Group | None:
    """The group of the address; else the first that needs somebody, else the first."""
    names = ("source", "collection", "treatment", "rule", "basis", "hand")
    wanted = {name: query[name] for name in names if query.get(name)}
    for group in found:
        if group.query == wanted:
            return group
    open_ = (group for group in found if group.of.undecided or group.of.obstacles)
    return next(open_, found[0] if found else None)


def lines(
    plan: ChangePlan, group: Group, words: Words, only: str, number: str | None
) -> "tuple[Page[PlannedChange], list[Line]]":
    """One page of a group's lines, with their content."""
    rows: QuerySet[PlannedChange] = plan.lines.filter(
        source_id=group.of.source_id,
        collection=group.of.collection,
        treatment=group.of.treatment,
        rule=group.of.rule,
        basis=group.of.basis,
        by_hand=group.of.by_hand,
    )
    if only == "undecided":
        rows = rows.filter(state__in=plans.UNDECIDED)
    elif only == "refused":
        rows = rows.exclude(obstacle="")
    rows = rows.select_related("item__case", "item__file", "case", "decided_by").order_by("number")
    page = Paginator(rows, PER_PAGE).get_page(number)
    return page, [line(one, words) for one in page]


def line(of: PlannedChange, words: Words) -> Line:
    """A line in words."""
    return Line(
        of,
        showing.whole(of.item) if of.item else None,
        treatment_words(of.treatment),
        TONES.get(of.treatment, "neutral"),
        words.why(of.rule),
        words.exception(of.basis),
        str(OBSTACLES[of.obstacle] if of.obstacle else EFFECTS.get(of.predicted, "")),
        bool(of.obstacle),
    )


def parts(plan: ChangePlan) -> list[Part]:
    """The sources in which connectors are to do something, and how far each has answered; two queries."""
    machine = plans.by_machine(plan.lines.all()).values("source_id")
    counts: Any = {
        row["source_id"]: (row["total"], row["refused"])
        for row in machine.annotate(total=Count("pk"), refused=Count("pk", filter=~Q(obstacle=""))).order_by(
            "source_id"
        )
    }
    # What is approved was answered for; from then on the stage says how far the source is with doing it.
    is_agreed = plan.stage in {PlanStage.APPROVED, PlanStage.EXECUTING, PlanStage.DONE}
    return [
        Part(
            part,
            counts[part.source_id][0],
            counts[part.source_id][1],
            is_running=not is_agreed and part.stage in {PartStage.WAITING, PartStage.PLANNING},
            is_through=is_agreed or part.stage == PartStage.PLANNED,
            held=str(HeldFor(part.held_for).label) if part.held_for in HeldFor.values else "",
        )
        for part in plan.parts.select_related("source")
        if part.source_id in counts
    ]


def is_moving(plan: ChangePlan, found: Sequence[Part]) -> bool:
    """Whether the page will soon be another."""
    return plan.stage == PlanStage.MAKING or any(part.is_running for part in found)


def ground(case: Case, plan: ChangePlan) -> str:
    """Why the data is erased (Art 17(1)), in words; empty where nobody said it."""
    listed = {one.code: one for one in law.grounds_for("erasure_ground", case.regime)}
    found = listed.get(plan.ground)
    return f"{_(found.name)} ({found.provision})" if found else ""


def brief(case: Case) -> dict[str, Any]:
    """What the page of a decision shows of a plan: its groups and its ground; nothing where there is none."""
    plan = plans.live(case)
    if plan is None:
        return {}
    return {"plan_groups": groups(plan, Words(case)), "ground": ground(case, plan)}


def line_ids(values: Sequence[str]) -> list[UUID]:
    """The lines that were ticked; what is no id is left out."""
    found = []
    for value in values:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found
