"""What is to be done, where: one task per source system."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Count, QuerySet

from cases import rights
from cases.collection import order
from cases.fulfilment import plans
from cases.models import (
    Case,
    ChangePlan,
    Decision,
    FulfilmentTask,
    Item,
    ItemDecision,
    LookResult,
    PlannedChange,
    SourceSystem,
    Treatment,
)
from cases.review import items
from cases.words import Right

VERB: dict[str, str] = {
    Right.ERASURE: "erase",
    Right.RECTIFICATION: "rectify",
    Right.RESTRICTION: "restrict",
    Right.OBJECTION: "stop",
    Right.AUTOMATED: "review_decision",
}
LISTED = 200


def make(case: Case, decision: Decision | None, now: datetime) -> list[FulfilmentTask]:
    """Make the tasks of a decision; records are named in the sealed text, up to a number that a person reads."""
    made = []
    for source, what in _per_source(case):
        task = FulfilmentTask(
            controller_id=case.controller_id,
            case=case,
            decision=decision,
            source=source,
            verb=VERB[case.right],
            created_at=now,
        )
        task.what = what
        task.save()
        made.append(task)
    return made


def make_by_hand(plan: ChangePlan, now: datetime) -> None:
    """Make the tasks of what no connector does; once for each decision, however often it is asked for."""
    case = plan.case
    if case.tasks.filter(decision=plan.decision).exists():
        return
    for part in plan.parts.select_related("source"):
        words = [*_by_hand(plan, part.source_id), *part.tasks]
        if words:
            _make_one(plan, part.source, words, now)
    if loose := _by_hand(plan, None):
        _make_one(plan, None, loose, now)


def add_by_hand(plan: ChangePlan, lines: "QuerySet[PlannedChange]", now: datetime) -> None:
    """Make tasks of lines that a human does after all."""
    by_source: dict[SourceSystem | None, list[str]] = {}
    for line in lines.select_related("item__case", "case", "source").order_by("collection", "number")[
        :LISTED
    ]:
        by_source.setdefault(line.source, []).extend(_named(line))
    for source, words in by_source.items():
        _make_one(plan, source, words, now)


def _make_one(plan: ChangePlan, source: SourceSystem | None, words: list[str], now: datetime) -> None:
    task = FulfilmentTask(
        controller_id=plan.controller_id,
        case=plan.case,
        decision=plan.decision,
        source=source,
        verb=VERB[plan.case.right],
        created_at=now,
    )
    task.what = "\n".join(words)
    task.save()


def _by_hand(plan: ChangePlan, source_id: UUID | None) -> list[str]:
    """What a human does in one source: counts by type and treatment, then the records, as many as a person reads."""
    lines = plans.to_do_by_hand(plan).filter(source=source_id)
    groups = lines.order_by().values_list("collection", "treatment").annotate(count=Count("pk"))
    counted = [
        f"{kind}: {count} ({Treatment(treatment).label})"
        for kind, treatment, count in groups.order_by("collection")
    ]
    named = lines.select_related("item__case", "case").order_by("collection", "number")[:LISTED]
    return counted + [text for line in named for text in _named(line)]


def _named(line: PlannedChange) -> list[str]:
    """One record: where it is, what becomes of it, and the handler's words."""
    item = line.item or _item_before(line)
    ref = item.content["ref"] if item and item.content else ""
    words = f" – {line.reason}" if line.reason else ""
    wanted = line.wanted if line.treatment in {Treatment.CORRECT, Treatment.SUPPLEMENT} else {}
    values = [f"  {name}: {value}" for name, value in (wanted or {}).items()]
    return [f"- {line.collection} {ref}: {Treatment(line.treatment).label}{words}", *values]


def _item_before(line: PlannedChange) -> Item | None:
    """The record of a correction's second line: it stands behind that record's first."""
    if line.case.right != Right.RECTIFICATION:
        return None
    lines = PlannedChange.objects.filter(plan=line.plan_id, number__lt=line.number, item__isnull=False)
    first = lines.select_related("item__case").order_by("-number").first()
    return first.item if first else None


def _per_source(case: Case) -> Iterator[tuple[SourceSystem | None, str]]:
    sources = SourceSystem.objects.filter(controller_id=case.controller_id)
    if case.right in {Right.ERASURE, Right.RECTIFICATION}:
        chosen = case.items.filter(decision=ItemDecision.ACT)
        for source in _in_order(sources.filter(pk__in=chosen.values("source_id"))):
            yield source, _listing(case, source)
        if chosen.filter(source=None).exists():
            yield None, _listing(case, None)
    elif case.right == Right.RESTRICTION:
        yield from ((source, words) for source, words in _restricted(case))
    elif case.right == Right.AUTOMATED:
        yield from ((None, words) for words in _new_decision(case))
    else:
        # Without a connected system somebody still has to do it, and to say how.
        active = sources.filter(is_active=True)
        yield from ((source, "") for source in active)
        if not active:
            yield None, ""


def _restricted(case: Case) -> Iterator[tuple[SourceSystem | None, str]]:
    """The places chosen, each with the ground, and what is not to be used there."""
    found = rights.restriction_of(case)
    if found is None:
        return
    ground = rights.ground_words("restriction_trigger", found.ground, case.regime)
    for place in found.places.select_related("source"):
        listed = _listing(case, place.source) if place.source else ""
        yield place.source, "\n".join(part for part in (ground, found.words, listed) if part)


def _new_decision(case: Case) -> Iterator[str]:
    """What a person found puts a new decision into effect, unless the old one stands."""
    look = rights.look_of(case)
    if look is not None and look.finding not in {"", LookResult.UPHELD}:
        yield f"{look.about}\n{look.get_finding_display()}: {look.reasons}"


def _in_order(sources: Iterable[SourceSystem]) -> list[SourceSystem]:
    """Behind those that feed them: what is erased further down the line would come back from there."""
    by_slug = {source.slug: source for source in sources}
    return [
        by_slug[slug] for slug in order.in_order({slug: one.erase_after for slug, one in by_slug.items()})
    ]


def _listing(case: Case, source: SourceSystem | None) -> str:
    """The records of one source, by collection and reference, and for a correction what is claimed."""
    chosen = case.items.filter(decision=ItemDecision.ACT, source=source).select_related("case")
    lines = [
        f"{group.collection}: {group.acted}"
        for group in items.groups(case)
        if group.acted and group.source_id == (source.pk if source else None)
    ]
    named = chosen.order_by("collection", "number")[:LISTED]
    lines += [f"- {item.collection} {item.content['ref']}" for item in named]
    if case.right == Right.RECTIFICATION:
        claims = case.subject_request.claims
        lines += [f"* {claim['field']}: {claim['wrong']} → {claim['right']}" for claim in claims]
    return "\n".join(lines)
