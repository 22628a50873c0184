"""What the DPO's pages read: proposals that wait, exactly what would go out, and what goes wrong."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from cases import worklist
from cases.law import loader as law
from cases.models import (
    Case,
    Decision,
    Extension,
    ExtensionState,
    HeldFor,
    Item,
    ItemDecision,
    Lateness,
    Letter,
    LetterState,
    NoticeState,
    RecipientNotice,
    Restriction,
    RunState,
    SearchState,
    SourceSearch,
    Verdict,
)
from cases.permissions import By
from cases.review import items, showing
from cases.review.items import Group
from cases.words import EXTENSION_REASONS, LateReason, Outcome, Right, Say, State, Step
from cases.workflow import decide, extension, recipients
from identity.models import User
from identity.roles import Permission

A_YEAR = timedelta(days=365)
PER_PAGE = 25
LISTED = 50


# -- approvals -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """A proposal that waits for this person, or for somebody like them."""

    row: worklist.Row
    decision: Decision
    is_own: bool


def waiting(user: User, now: datetime) -> list[Waiting]:
    """Open proposals that the person may decide, in due order; their own are shown, and marked."""
    mine = Q(case__state=State.APPROVAL, controller_id__in=user.access.controllers(Permission.APPROVE)) | Q(
        case__state=State.WITH_CONTROLLER,
        controller_id__in=user.access.controllers(Permission.APPROVE_FOR_CONTROLLER),
    )
    decisions = (
        Decision.objects.filter(mine, verdict=Verdict.OPEN)
        .select_related(
            "case__subject_request", "case__controller", "case__owner", "proposed_by", "approved_by"
        )
        .order_by("case__due_on", "case_id")
    )
    return [
        Waiting(
            worklist.row(decision.case, now, _waits_for(decision.case)),
            decision,
            decision.is_own(user.pk),
        )
        for decision in decisions[: LISTED * 4]
    ]


def _waits_for(case: Case) -> str:
    """What the state says already needs no question to the database."""
    return worklist.Blocked.APPROVER if case.state == State.APPROVAL else worklist.Blocked.CONTROLLER


@dataclass(frozen=True)
class WaitingExtension:
    """A proposal for more time that waits for this person, or for somebody like them."""

    made: Extension
    row: worklist.Row
    reason_words: Any
    is_own: bool
    goes_to_controller: bool


def waiting_extensions(user: User, now: datetime) -> list[WaitingExtension]:
    """What the person may decide, the notice that has to leave first at the top."""
    mine = Q(
        state=ExtensionState.PROPOSED, controller_id__in=user.access.controllers(Permission.APPROVE)
    ) | Q(
        state=ExtensionState.WITH_CONTROLLER,
        controller_id__in=user.access.controllers(Permission.APPROVE_FOR_CONTROLLER),
    )
    found = Extension.objects.filter(mine).select_related(
        "case__subject_request", "case__controller", "case__owner", "proposed_by"
    )
    return [
        WaitingExtension(
            made,
            worklist.row(made.case, now, worklist.Blocked.APPROVER),
            EXTENSION_REASONS[made.reason],
            made.proposed_by_id == user.pk,
            goes_to_controller(made),
        )
        for made in found.order_by("notice_by", "case_id")[: LISTED * 4]
    ]


def waiting_liftings(user: User) -> list[Restriction]:
    """Restrictions whose end somebody proposed, the day that the letter names first at the top."""
    found: QuerySet[Restriction] = Restriction.objects.filter(
        controller_id__in=user.access.controllers(Permission.APPROVE),
        lift_proposed_at__isnull=False,
        lift_agreed_at=None,
        lifted_at=None,
    )
    listed = found.select_related("case__subject_request", "case__controller", "lift_proposed_by")
    return list(listed.order_by("lifts_on", "id")[: LISTED * 4])


def goes_to_controller(made: Extension) -> bool:
    """Whether the controller's reviewer decides after the second pair of eyes here."""
    return bool(made.state == ExtensionState.PROPOSED and made.instruction_says != Say.ALLOW)


def may_decide(by: By, made: Extension) -> bool:
    """Whether this person holds the permission for the step at which the proposal stands."""
    permission = extension.DECIDES.get(ExtensionState(made.state))
    return permission is not None and by.allows(permission, made.controller_id)


def permission_to_decide(case: Case) -> Permission:
    """Who decides now: the second pair of eyes here, or the controller's reviewer."""
    return Permission.APPROVE_FOR_CONTROLLER if case.state == State.WITH_CONTROLLER else Permission.APPROVE


@dataclass(frozen=True)
class Withheld:
    """How many items are withheld or kept under one code; ``is_silent`` ones are named nowhere outside the desk."""

    code: str
    name: str
    provision: str
    is_silent: bool
    count: int


def withheld(case: Case) -> list[Withheld]:
    """Everything that stays here, silent withholdings too: an approver answers for them as well."""
    rows = (
        case.items.filter(decision__in=[ItemDecision.WITHHOLD, ItemDecision.KEEP])
        .values("exemption", "is_silent")
        .annotate(count=Count("pk"))
        .order_by("exemption", "is_silent")
    )
    return [_withheld(case, row["exemption"], row["is_silent"], row["count"]) for row in rows]


def _withheld(case: Case, code: str, is_silent: bool, count: int) -> Withheld:
    known = _law(case, code)
    return Withheld(code, known[0], known[1], is_silent, count)


def _law(case: Case, code: str) -> tuple[str, str]:
    listed = {one.code: (_(one.name), one.provision) for one in law.exemptions_for(case.regime)}
    grounds = {one.code: (_(one.name), one.provision) for one in law.book().grounds}
    return listed.get(code) or grounds.get(code) or (_("Other people's data"), "")


@dataclass(frozen=True)
class Outgoing:
    """One page of what leaves the house, as it leaves it."""

    group: Group
    page: "Page[Item]"
    shown: list[showing.Shown]


def outgoing(case: Case, source: str, collection: str, number: str) -> Outgoing | None:
    """The items of one group in their redacted form; None where nothing goes out."""
    groups = [group for group in items.groups(case) if group.disclosed + group.redacted + group.acted]
    chosen = next(
        (group for group in groups if _key(group) == (source, collection)), groups[0] if groups else None
    )
    if chosen is None:
        return None
    leaving = case.items.filter(
        source_id=chosen.source_id,
        collection=chosen.collection,
        decision__in=[*items.GOES_OUT, ItemDecision.ACT],
    )
    page = Paginator(leaving.select_related("case", "file").order_by("number", "id"), PER_PAGE).get_page(
        number
    )
    return Outgoing(chosen, page, [showing.going_out(item) for item in page])


def _key(group: Group) -> tuple[str, str]:
    return str(group.source_id or ""), group.collection


def steps_said(case: Case, decision: Decision) -> list[tuple[str, str]]:
    """What the instruction says about each step that this decision takes."""
    instruction = decision.instruction
    return [
        (
            str(Step(step).label),
            str(instruction.says(step, case.right).label) if instruction else _("not said: ask"),
        )
        for step in decide.steps(case, decision.outcome)
    ]


def waivers(case: Case) -> list[SourceSearch]:
    """The sources without which the answer goes out."""
    run = case.runs.order_by("-number").first()
    if run is None:
        return []
    found = run.searches.filter(state=SearchState.WAIVED).select_related("source", "waived_by", "run__case")
    return list(found)


# -- oversight -----------------------------------------------------------------------------------------


def blocked_counts(user: User) -> list[tuple[str, str, int]]:
    """How many open cases wait for whom: code, words, count."""
    rows = (
        Case.objects.visible_to(user, Permission.OVERSEE)
        .open()
        .counted()
        .annotate(blocked_on=worklist.blocked())
        .values("blocked_on")
        .annotate(count=Count("pk"))
        .order_by()
    )
    counts = {row["blocked_on"]: row["count"] for row in rows}
    return [
        (one.value, str(worklist.BLOCKED_WORDS[one]), counts.get(one.value, 0)) for one in worklist.Blocked
    ]


def late_reasons(user: User, now: datetime) -> list[tuple[str, int]]:
    """Why cases were late in the last year, the most frequent reason first."""
    rows = (
        Lateness.objects.visible_to(user, Permission.OVERSEE)
        .filter(given_at__gte=now - A_YEAR, case__is_drill=False)
        .values("reason")
        .annotate(count=Count("pk"))
        .order_by("-count", "reason")
    )
    return [(str(LateReason(row["reason"]).label), row["count"]) for row in rows]


def complaints(user: User, now: datetime) -> list[tuple[str, int]]:
    """The complaints about the handling: open ones, and what became of those that closed in the last year."""
    mine = Case.objects.visible_to(user, Permission.OVERSEE).counted().filter(right=Right.COMPLAINT)
    closed = mine.filter(closed_at__gte=now - A_YEAR).values("outcome").annotate(count=Count("pk"))
    found = [
        (str(Outcome(row["outcome"]).label), row["count"]) for row in closed.order_by("-count", "outcome")
    ]
    return [(_("Open"), mine.open().count()), *found]


def failed_searches(user: User) -> list[SourceSearch]:
    """Sources that could not be searched in runs that wait for them; with or without a waiver proposed.

    Those on hold because of the same trouble are among them.
    """
    in_trouble = Q(held_for__in=[HeldFor.NEEDS_ADMIN, HeldFor.RESTING], state=SearchState.HELD)
    found: QuerySet[SourceSearch] = (
        SourceSearch.objects.visible_to(user, Permission.OVERSEE)
        .filter(Q(state=SearchState.FAILED) | in_trouble)
        .filter(run__state=RunState.RUNNING, run__case__is_drill=False)
        .select_related("source", "run__case__subject_request", "run__case__controller", "waiver_proposed_by")
        .order_by("run__case__due_on", "id")
    )
    return list(found[:LISTED])


def stuck_letters(user: User) -> list[Letter]:
    """Mails that could not be sent or came back."""
    found: QuerySet[Letter] = (
        Letter.objects.visible_to(user, Permission.OVERSEE)
        .filter(state__in=[LetterState.FAILED, LetterState.BOUNCED], is_incoming=False)
        .select_related("case__subject_request", "subject_request")
        .order_by("-written_at")
    )
    return list(found[:LISTED])


def untold_recipients(user: User, now: datetime) -> list[RecipientNotice]:
    """Those who could not be told what became of data they had got, and who do not answer though reminded (Art 19)."""
    silent = Q(state=NoticeState.SENT, recipient__expects_answer=True, reminders__gte=recipients.REMINDERS)
    found = (
        RecipientNotice.objects.visible_to(user, Permission.OVERSEE)
        .filter(Q(state=NoticeState.FAILED) | silent)
        .select_related("recipient", "case__subject_request")
        .order_by("made_at", "pk")
    )
    return [
        one for one in found[:LISTED] if one.state == NoticeState.FAILED or recipients.is_silent(one, now)
    ]


def first_case(letter: Letter) -> UUID | None:
    """The case to open for a letter; for one of the whole request the first of its cases."""
    if letter.case_id:
        return letter.case_id
    found: UUID | None = letter.subject_request.cases.order_by("right").values_list("pk", flat=True).first()
    return found
