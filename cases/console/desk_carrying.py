"""How far an approved plan is, as the case page shows it: each source's part, what waits for whom, and what is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cases.fulfilment import parts, plans
from cases.models import (
    Case,
    ChangePlan,
    Leftover,
    LineState,
    PartStage,
    PlannedChange,
    PlanPart,
    PlanStage,
    Settled,
)
from cases.workflow import execution, mending

SHOWN: Final = 20
# Why a part, or a whole plan, waits. What a source itself waits for is said as in a search.
WAITS: Final[dict[str, Any]] = {
    "legal_hold": gettext_lazy("A legal hold lies on this person: nothing is erased while it does."),
    "access_case_open": gettext_lazy(
        "An open access case of the same person still lacks its copy. It goes on when that one is answered."
    ),
    "identity_suffices": gettext_lazy(
        "It is not sure any more who asked: the proof of identity was taken back."
    ),
    "authority_suffices": gettext_lazy(
        "Whoever asked for this person has not shown, or no longer, that they may."
    ),
    "stopped": gettext_lazy(
        "All work with sources is stopped. It goes on by itself when it is let on again."
    ),
    "paused": gettext_lazy("An administrator paused this source. It goes on by itself when it is resumed."),
    "needs_admin": gettext_lazy("The source refuses our account. The administrators were told."),
    "resting": gettext_lazy("The source failed several times in a row and is left alone for a while."),
    "throttled": gettext_lazy("The source asked to be called again later."),
    "pending": gettext_lazy("The source has accepted it and is still at it. It is asked again by itself."),
    "stale": gettext_lazy("Some records were changed since the approval: they alone are decided anew."),
    "leftovers": gettext_lazy(
        "Something is still there that should not be. Two people settle what becomes of it."
    ),
}
_TONES: Final = {
    PartStage.DONE: ("success", "check"),
    PartStage.FAILED: ("danger", "alert"),
    PartStage.HELD: ("warning", "pause"),
    PartStage.EXECUTING: ("info", "refresh"),
    PartStage.PROVING: ("info", "search"),
}
BUSY: Final = (PartStage.EXECUTING, PartStage.PROVING)


@dataclass(frozen=True)
class Shown:
    """One source's part."""

    part: PlanPart
    says: str
    tone: str
    icon: str
    waits: str
    refused: int
    by_hand: int
    kept: int


@dataclass(frozen=True)
class Carrying:
    """A plan that was approved. ``until`` is the end of the time to cancel, where that is not over."""

    plan: ChangePlan
    shown: Sequence[Shown]
    until: datetime | None
    waits: str
    stale: Sequence[PlannedChange]
    stale_count: int
    anew: int
    may_approve: bool
    left: Sequence[Leftover]

    @property
    def pace(self) -> str:
        """How often the page asks for news; empty where nothing moves by itself."""
        if self.plan.stage == PlanStage.DONE:
            return ""
        return "2s" if any(one.part.stage in BUSY for one in self.shown) else "15s"

    @property
    def done(self) -> int:
        return sum(one.part.stage == PartStage.DONE for one in self.shown)


def of(case: Case, person_id: Any) -> Carrying | None:
    """The plan of a case that is carried out or was; None before its approval. A few queries, whatever its size."""
    found = case.plans.exclude(stage__in=[PlanStage.MAKING, PlanStage.READY, PlanStage.VOID]).last()
    if found is None:
        return None
    every = list(found.parts.select_related("source"))
    held = {part.held_for for part in every if part.held_for}
    waits = held.pop() if found.stage == PlanStage.APPROVED and held else ""
    anew = list(mending.decided_anew(found).values_list("decided_by", flat=True))
    return Carrying(
        plan=found,
        shown=_shown(found, every),
        until=found.executes_at if _can_be_cancelled(found) else None,
        waits=str(WAITS.get(waits, "")),
        stale=list(mending.stale(found).select_related("item", "source")[:SHOWN]),
        stale_count=mending.stale(found).count(),
        anew=len(anew) if found.stage == PlanStage.EXECUTING else 0,
        may_approve=bool(anew) and person_id not in anew,
        left=_left(found),
    )


def _can_be_cancelled(found: ChangePlan) -> bool:
    is_waiting = found.stage == PlanStage.APPROVED and found.executes_at is not None
    return is_waiting and found.executes_at > timezone.now()  # type: ignore[operator]


def _shown(found: ChangePlan, every: Sequence[PlanPart]) -> list[Shown]:
    counted = {row["source_id"]: row for row in _counts(found)}
    return [shown(part, counted.get(part.source_id, {})) for part in every]


def _counts(found: ChangePlan) -> Any:
    at_rest = Q(treatment__in=["keep", "refer", "refuse"])
    return (
        found.lines.order_by()
        .values("source_id")
        .annotate(
            refused=Count("pk", filter=Q(state=LineState.REFUSED)),
            by_hand=Count("pk", filter=Q(by_hand=True) & ~at_rest),
            kept=Count("pk", filter=at_rest),
        )
    )


def shown(part: PlanPart, row: dict[str, int]) -> Shown:
    """One part in words; ``row`` counts its lines that were refused, are done by hand, and stay."""
    tone, icon = _TONES.get(PartStage(part.stage), ("neutral", ""))
    waits = WAITS.get(part.held_for, "") if part.plan.stage == PlanStage.EXECUTING else ""
    counts = {name: row.get(name, 0) for name in ("refused", "by_hand", "kept")}
    # The dry run is what brought it here; from now on it waits for its turn.
    is_next = part.stage == PartStage.PLANNED
    says = _("not begun") if is_next else part.get_stage_display()
    if part.stage == PartStage.DONE and not part.steps_total and counts["by_hand"]:
        # No connector had anything to do: whether it is done the tasks say.
        says, tone, icon = _("by hand"), "neutral", "user"
    return Shown(part, says, tone, icon, str(waits), **counts)


def _left(found: ChangePlan) -> list[Leftover]:
    # What is open comes first: what is settled takes nobody's place on the page.
    every = (
        Leftover.objects.filter(part__plan=found)
        .exclude(settled=Settled.GONE)
        .order_by("settled", "found_at", "pk")
    )
    return list(
        every.select_related("part__source", "part__plan__case", "proposed_by", "settled_by")[: 2 * SHOWN]
    )


# -- the next thing to do ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Advice:
    """What the top of the page says while a plan is carried out."""

    title: str
    text: str
    tone: str = "accent"


def advice(case: Case) -> Advice | None:
    """What a plan under way asks for; None where there is none, or what is left of it is done by hand."""
    found = plans.live(case)
    if found is None or found.stage not in parts.LIVE:
        return None
    if found.stage == PlanStage.APPROVED:
        return _before(found)
    held = dict(found.parts.exclude(held_for="").values_list("held_for", "pk"))
    failed = found.parts.filter(stage=PartStage.FAILED).count()
    if failed:
        text = ngettext("%(n)s source ended with an error.", "%(n)s sources ended with an error.", failed)
        more = _("Take it up again, or end there and see what is left.")
        return Advice(_("A source could not be changed"), f"{text % {'n': failed}} {more}", "danger")
    if mending.decided_anew(found).exists():
        return Advice(_("A second person looks at what was decided anew"), str(WAITS[parts.STALE]), "warning")
    if mending.stale(found).exists():
        return Advice(_("Decide anew about records that changed"), str(WAITS[parts.STALE]), "warning")
    if execution.LEFTOVERS in held:
        return Advice(_("Something is left"), str(WAITS[execution.LEFTOVERS]), "warning")
    if not found.parts.exclude(stage=PartStage.DONE).exists():
        return None
    why = next((str(WAITS[code]) for code in held if code in WAITS), "")
    return Advice(_("It is being carried out"), why or _("Nothing needs doing: it goes on by itself."))


def _before(found: ChangePlan) -> Advice:
    code = found.parts.exclude(held_for="").values_list("held_for", flat=True).first()
    if code:
        return Advice(_("It waits to be carried out"), str(WAITS.get(code, "")), "warning")
    return Advice(
        _("The customer can still cancel"),
        _("Nothing is changed in any source before that time is over. Then it begins by itself."),
    )
