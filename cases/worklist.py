"""The queue: open cases in due order, whom each waits for, and counts that stay cheap at any size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Case as Choose
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cases import authority
from cases.models import (
    Case,
    DateMove,
    FulfilmentTask,
    Letter,
    LetterState,
    PackState,
    Pursuit,
    PursuitKind,
    ResponsePack,
    SearchState,
    SourceSearch,
    TaskState,
)
from cases.words import Right, State
from dsar.lib import references
from identity.models import Controller, DocumentStage, IdentityDocument, User
from identity.roles import Permission

PAGE = 25
WAITS = ("paused", "not_started")
COUNTED = 100
FAR = date.max


class Blocked(StrEnum):
    """Whom a case waits for."""

    US = "us"
    CUSTOMER = "customer"
    SOURCE = "source"
    APPROVER = "approver"
    CONTROLLER = "controller"
    NOBODY = "nobody"


BLOCKED_WORDS = {
    Blocked.US: _("us"),
    Blocked.CUSTOMER: _("the customer"),
    Blocked.SOURCE: _("source systems"),
    Blocked.APPROVER: _("an approver"),
    Blocked.CONTROLLER: _("the controller"),
    Blocked.NOBODY: _("nobody"),
}

TABS = ("all", "mine", "unassigned", "late")


@dataclass(frozen=True)
class Wanted:
    """What the queue is narrowed to; empty means everything."""

    tab: str = "all"
    brand: UUID | None = None
    right: str = ""
    state: str = ""
    blocked: str = ""
    after: tuple[date, UUID] | None = None


# A circle that fills up as the case goes on, as in components/state.html.
_STATE_ICONS: dict[str, str] = {
    State.RECEIVED: "state-0",
    State.SEARCHING: "state-1",
    State.REVIEW: "state-2",
    State.APPROVAL: "state-3",
    State.WITH_CONTROLLER: "state-3",
    State.FULFILLING: "state-4",
    State.CLOSED: "state-closed",
}
_DUE_ICONS = {"late": "alert", "paused": "pause", "waiting": "pause", "done": "check"}
SOON_DAYS = 5


@dataclass(frozen=True)
class Due:
    """A due date as the chip of components/case_due.html shows it, in the reader's language."""

    on: date
    days_left: int
    tone: str

    @property
    def css(self) -> str:
        return "paused" if self.tone == "waiting" else self.tone

    @property
    def icon(self) -> str:
        return _DUE_ICONS.get(self.tone, "clock")

    @property
    def said(self) -> "Said":
        """The date itself, for machines, in full and in short."""
        return _said(self.on, get_language())

    @property
    def left(self) -> str:
        """What stands beside the date: how long it is, or why that does not count."""
        return _beside(self.tone, self.days_left, get_language())


class Said(NamedTuple):
    """A date in words."""

    iso: str
    full: str
    short: str


# A page says the same few words and dates on many lines: each is worked out once for a language.


@lru_cache(maxsize=2048)
def _said(on: date, language: str | None) -> Said:
    return Said(on.isoformat(), date_format(on, "DATE_FORMAT"), date_format(on, gettext("D j M")))


@lru_cache(maxsize=2048)
def _beside(tone: str, days_left: int, language: str | None) -> str:
    words = {"waiting": _("not started"), "paused": _("clock paused"), "done": _("answered")}
    return str(words[tone]) if tone in words else _days_in_words(days_left)


@cache
def _label(one: "Right | State | Blocked", language: str | None) -> str:
    return str(BLOCKED_WORDS[one] if isinstance(one, Blocked) else one.label)


def _days_in_words(days: int) -> str:
    if days < 0:
        return ngettext("%(days)s day late", "%(days)s days late", -days) % {"days": -days}
    if days < 2:
        return gettext("tomorrow") if days else gettext("today")
    return ngettext("in %(days)s day", "in %(days)s days", days) % {"days": days}


@dataclass(frozen=True)
class Row:
    """One line of the queue. No name: the reference comes first, the person on the case's own page.

    ``letter_days_left`` is set while nobody answers us, and a letter with reasons is due no later than an answer.
    """

    case: Case
    days_left: int | None
    due_state: str
    blocked: str
    letter_days_left: int | None = None

    @property
    def due(self) -> Due | None:
        """The chip of the date; None where there is none."""
        if self.case.due_on is None or self.days_left is None:
            return None
        return Due(self.case.due_on, self.days_left, self.due_state or _urgency(self.days_left))

    @property
    def letter(self) -> Due | None:
        """The chip of the letter with reasons; None where there is none to be thought of."""
        if self.case.letter_on is None or self.letter_days_left is None:
            return None
        return Due(self.case.letter_on, self.letter_days_left, _urgency(self.letter_days_left))

    @property
    def has_moved(self) -> bool:
        """Whether its date moved by itself and nobody has seen that yet; lists alone ask."""
        return bool(getattr(self.case, "date_moved", False))

    @property
    def reminded_words(self) -> str:
        """When the requester was reminded last, while it is they who are waited for; lists alone ask."""
        at: datetime | None = getattr(self.case, "reminded_at", None)
        if at is None or self.case.state != State.AWAITING_IDENTITY:
            return ""
        on = at.astimezone(self.case.controller.zone).date()
        return gettext("reminded on %(days)s") % {"days": _said(on, get_language()).short}

    @property
    def state_icon(self) -> str:
        return _STATE_ICONS.get(self.case.state, "state-wait")

    # Django's get_…_display() hashes the whole vocabulary at each call, which a list feels.
    @property
    def right_words(self) -> str:
        return _label(Right(self.case.right), get_language())

    @property
    def state_words(self) -> str:
        return _label(State(self.case.state), get_language())

    @property
    def blocked_words(self) -> str:
        return _label(Blocked(self.blocked), get_language())


@dataclass(frozen=True)
class Page:
    """Some rows, and the key after which the next page begins; None on the last."""

    rows: list[Row]
    after: str | None


def today(controller: Controller, now: datetime) -> date:
    """The day that it is for the brand."""
    return now.astimezone(controller.zone).date()


def row(case: Case, now: datetime, waits_for: str = "") -> Row:
    """A case as a line: days left by the brand's calendar, and how its clock stands.

    Whom it waits for is asked of the database where neither the caller nor the row knows it.
    """
    on = today(case.controller, now)
    left = (case.due_on - on).days if case.due_on else None
    waits_for = waits_for or getattr(case, "blocked_on", "") or blocked_on(case)
    return Row(case, left, due_state(case), waits_for, _letter_days_left(case, on))


def _letter_days_left(case: Case, on: date) -> int | None:
    """Days until a letter with reasons has to be out; only while the clock waits for the requester."""
    if case.letter_on is None or case.clock_state not in WAITS or case.state == State.CLOSED:
        return None
    return (case.letter_on - on).days if case.due_on is None or case.letter_on <= case.due_on else None


def due_state(case: Case) -> str:
    """How the due chip shows it; empty while the clock runs, so that the days decide."""
    if case.state == State.CLOSED:
        return "done"
    return {"paused": "paused", "not_started": "waiting"}.get(case.clock_state, "")


def _urgency(days_left: int) -> str:
    if days_left < 0:
        return "late"
    return "soon" if days_left <= SOON_DAYS else "ok"


# -- whom it waits for ---------------------------------------------------------------------------------


_WAITING = (State.AWAITING_IDENTITY, State.AWAITING_CLARIFICATION, State.AWAITING_FEE)
_STATES: dict[Blocked, tuple[State, ...]] = {
    Blocked.US: (State.RECEIVED, State.AWAITING_IDENTITY, State.REVIEW, State.SEARCHING, State.FULFILLING),
    Blocked.CUSTOMER: _WAITING,
    Blocked.SOURCE: (State.SEARCHING,),
    Blocked.APPROVER: (State.APPROVAL,),
    Blocked.CONTROLLER: (State.WITH_CONTROLLER,),
    Blocked.NOBODY: (State.FULFILLING,),
}


def blocked() -> Choose:
    """Whom a case waits for, worked out by the database so that a filter and a cell agree."""
    return Choose(
        When(Q(state=State.AWAITING_IDENTITY) & Q(_document_came()), then=Value(Blocked.US.value)),
        # What a representative showed is judged here, and who they are is recorded here.
        When(
            Q(state=State.AWAITING_IDENTITY, authority__in=[authority.UNJUDGED, authority.VALID]),
            then=Value(Blocked.US.value),
        ),
        When(state__in=_WAITING, then=Value(Blocked.CUSTOMER.value)),
        When(state=State.APPROVAL, then=Value(Blocked.APPROVER.value)),
        When(state=State.WITH_CONTROLLER, then=Value(Blocked.CONTROLLER.value)),
        When(Q(state=State.SEARCHING) & ~Q(_failed_source()), then=Value(Blocked.SOURCE.value)),
        When(Q(state=State.FULFILLING) & ~Q(_work_left()), then=Value(Blocked.NOBODY.value)),
        When(state=State.CLOSED, then=Value(Blocked.NOBODY.value)),
        default=Value(Blocked.US.value),
        output_field=CharField(),
    )


def _document_came() -> Exists:
    """The customer has shown a document, and nobody has looked at it yet."""
    return Exists(
        IdentityDocument.objects.filter(
            verification__subject_request=OuterRef("subject_request"), stage=DocumentStage.WAITING
        )
    )


def _failed_source() -> Exists:
    return Exists(
        SourceSearch.objects.filter(run__case=OuterRef("pk"), run__state="running", state=SearchState.FAILED)
    )


def _work_left() -> Combinable:
    """While fulfilling: a task, a letter to post or that failed, or a pack that could not be built."""
    return (
        Exists(FulfilmentTask.objects.filter(case=OuterRef("pk"), state=TaskState.OPEN))
        | Exists(ResponsePack.objects.filter(case=OuterRef("pk"), state=PackState.FAILED))
        | Exists(Letter.objects.filter(case=OuterRef("pk"), is_incoming=False, state__in=_STUCK))
    )


_STUCK = (LetterState.TO_PRINT, LetterState.FAILED, LetterState.BOUNCED)


def blocked_on(case: Case) -> str:
    """Whom one case waits for."""
    return str(
        Case.objects.filter(pk=case.pk).annotate(blocked_on=blocked()).values_list("blocked_on", flat=True)[0]
    )


# -- pages of the queue --------------------------------------------------------------------------------


def controllers_of(user: User) -> list[Controller]:
    """The brands whose cases this person sees, by name."""
    return list(Controller.objects.visible_to(user))


def page(user: User, brands: Sequence[Controller], wanted: Wanted, now: datetime) -> Page:
    """One page in due order. Two statements: the ids brand by brand, each along its index; then the rows."""
    keys = sorted(_keys(user, brands, wanted, now), key=lambda key: (key[0] or FAR, key[1]))
    shown, rest = keys[:PAGE], keys[PAGE:]
    found = {case.pk: case for case in _loaded([pk for _due, pk in shown])}
    by_id = {brand.pk: brand for brand in brands}
    for case in found.values():
        case.controller = by_id[case.controller_id]
    rows = [row(found[pk], now) for _due, pk in shown if pk in found]
    return Page(rows, _after(shown[-1]) if rest else None)


def _keys(
    user: User, brands: Sequence[Controller], wanted: Wanted, now: datetime
) -> list[tuple[date | None, UUID]]:
    chosen = [
        narrowed(_beyond(_of(brand), wanted), user, wanted, today(brand, now)).order_by("urgent_on", "id")
        for brand in brands
        if wanted.brand in {None, brand.pk}
    ]
    parts = [part.values_list("urgent_on", "pk")[: PAGE + 1] for part in chosen]
    return list(_together(parts)) if parts else []


def _of(brand: Controller) -> "QuerySet[Case]":
    open_cases: QuerySet[Case] = Case.objects.filter(controller=brand).open().counted()
    return open_cases


def _together(parts: list["QuerySet[Case, tuple[date | None, UUID]]"]) -> Iterator[tuple[date | None, UUID]]:
    first, *others = parts
    yield from first.union(*others, all=True) if others else first


def _beyond(cases: "QuerySet[Case]", wanted: Wanted) -> "QuerySet[Case]":
    """What comes after the last row shown: the same cost on the thousandth page as on the first."""
    if wanted.after is None:
        return cases
    urgent_on, pk = wanted.after
    if urgent_on == FAR:
        return cases.filter(urgent_on=None, pk__gt=pk)
    return cases.filter(Q(urgent_on__gt=urgent_on) | Q(urgent_on=urgent_on, pk__gt=pk) | Q(urgent_on=None))


def narrowed(cases: "QuerySet[Case]", user: User, wanted: Wanted, on: date) -> "QuerySet[Case]":
    """The cases that the tab and the filters leave."""
    cases = _in_tab(cases, user, wanted.tab, on)
    if wanted.right:
        cases = cases.filter(right=wanted.right)
    if wanted.state:
        cases = cases.filter(state=wanted.state)
    if wanted.blocked:
        # The states say most of it, and have an index; what they leave open is worked out row by row.
        cases = cases.filter(state__in=_STATES[Blocked(wanted.blocked)])
        cases = cases.alias(blocked_on=blocked()).filter(blocked_on=wanted.blocked)
    return cases


def _in_tab(cases: "QuerySet[Case]", user: User, tab: str, on: date) -> "QuerySet[Case]":
    if tab == "mine":
        return cases.filter(owner=user)
    if tab == "unassigned":
        return cases.filter(owner=None)
    if tab == "late":
        return cases.filter(late(on))
    return cases


def late(on: date) -> Q:
    """Past a date of the law: the answer's, or while nobody answers us, that of a letter with reasons.

    Art 12(4) GDPR: within a month of receipt, whatever was asked (E8). Under UK law that date is only a cautious one.
    """
    answer = Q(urgent_on__lt=on, due_on__lt=on, clock_state="running")
    return answer | Q(urgent_on__lt=on, letter_on__lt=on, clock_state__in=WAITS, regime__startswith="EU")


# What a line shows. The rest of a case, of its request and of its owner is not read for a list.
_OF_A_LINE = (
    *("controller", "right", "state", "due_on", "clock_state", "letter_on", "closed_at", "version"),
    *("subject_request__reference", "owner__full_name", "owner__email"),
)


def _loaded(ids: list[UUID]) -> "QuerySet[Case]":
    """The cases without their brands, which the caller has."""
    cases: QuerySet[Case] = (
        Case.objects.filter(pk__in=ids)
        .select_related("subject_request", "owner")
        .only(*_OF_A_LINE)
        .annotate(blocked_on=blocked(), date_moved=_moved_unseen(), reminded_at=_last_reminded())
    )
    return cases


def _moved_unseen() -> Exists:
    """The due date moved though nobody touched the case, and nobody has said to have seen it."""
    return Exists(DateMove.objects.filter(case=OuterRef("pk"), seen_at=None))


def _last_reminded() -> Subquery:
    """When whoever has not shown who they are was asked again last."""
    said = Pursuit.objects.filter(case=OuterRef("pk"), kind=PursuitKind.REMINDER).exclude(letter=None)
    return Subquery(said.order_by("-made_at").values("made_at")[:1])


def _after(key: tuple[date | None, UUID]) -> str:
    return f"{(key[0] or FAR).isoformat()}_{key[1]}"


def parse_after(text: str) -> tuple[date, UUID] | None:
    """The key of a page's end as the link carries it; None for none, and for nonsense."""
    urgent_on, _, pk = text.partition("_")
    try:
        return date.fromisoformat(urgent_on), UUID(pk)
    except ValueError:
        return None


def counts(user: User, brands: Sequence[Controller], now: datetime) -> dict[str, str]:
    """How many cases each tab holds, in one statement; beyond 99 it says so instead of counting on."""
    parts = [
        _in_tab(_of(brand), user, tab, today(brand, now)).values("pk")[:COUNTED]
        for tab in TABS
        for brand in brands
    ]
    found = iter(_counted(parts))
    return {tab: _capped(sum(next(found) for _brand in brands)) for tab in TABS}


def _counted(parts: Sequence["QuerySet[Case, Any]"]) -> Sequence[int]:
    """How many rows each has. The database counts them: a union would bring them all here."""
    if not parts:
        return []
    compiled = [part.query.sql_with_params() for part in parts]
    # The parts are Django's own SQL, and every value stays a parameter.
    columns = ", ".join(f"(SELECT count(*) FROM ({sql}) part)" for sql, _values in compiled)  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns}", [value for _sql, values in compiled for value in values])
        return [int(number) for number in cursor.fetchone()]


def _capped(number: int) -> str:
    return "99+" if number >= COUNTED else str(number)


def by_reference(user: User, typed: str, now: datetime) -> list[Row]:
    """Cases, closed ones too, whose reference begins like this; mistakes in typing give nothing."""
    beginning = _beginning(typed)
    if not beginning:
        return []
    cases = (
        Case.objects.visible_to(user)
        .filter(subject_request__reference__startswith=beginning)
        .select_related("subject_request", "controller", "owner")
        .annotate(blocked_on=blocked())
        .order_by(F("closed_at").desc(nulls_first=True), "urgent_on", "pk")
    )
    return [row(case, now) for case in cases[:PAGE]]


def _beginning(typed: str) -> str:
    """What was typed so far, as references are written; a whole one with its look-alikes put right."""
    try:
        return references.parse(typed)
    except references.BadReference:
        plain = "".join(character for character in typed.upper().partition("/")[0] if character.isalnum())
        return f"{plain[:4]}-{plain[4:8]}" if len(plain) > 4 else plain


def visible_open(user: User, permission: Permission = Permission.VIEW_CASE) -> "QuerySet[Case]":
    """Open cases without drills, with what a line needs."""
    cases: QuerySet[Case] = (
        Case.objects.visible_to(user, permission)
        .open()
        .counted()
        .select_related("subject_request", "controller", "owner")
        .annotate(blocked_on=blocked())
    )
    return cases
