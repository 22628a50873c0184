"""Why this date? The dates of a case with their reasons, and the stretches of its clock, for whoever may see them."""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cases import queries
from cases.deadlines import steps
from cases.deadlines.deadline import Deadline, State, StretchKind
from cases.models import Case

WIDTH = 1000
NARROWEST = 4

STRETCH_WORDS = {
    StretchKind.WAITING: gettext_lazy("Not started"),
    StretchKind.RUNNING: gettext_lazy("Running"),
    StretchKind.PAUSED: gettext_lazy("Paused"),
    StretchKind.EXTENDED: gettext_lazy("Extended"),
}


@dataclass(frozen=True)
class Bar:
    """A stretch of the clock as a bar: place and width in thousandths of the whole."""

    kind: str
    words: str
    from_on: date
    to_on: date | None
    x: int
    width: int

    @property
    def days(self) -> int | None:
        """How many days, both ends included; None while the end is not known."""
        return None if self.to_on is None else (self.to_on - self.from_on).days + 1


@dataclass(frozen=True)
class Dated:
    """One of the dates, and what it is for."""

    name: str
    on: date
    days_left: int


@dataclass(frozen=True)
class Why:
    """The dates of a case with the reason for each. ``today_x`` is where today lies on the bar, if it does."""

    deadline: Deadline
    reasons: list[tuple[str, str]]
    warnings: list[str]
    bars: list[Bar]
    dates: list[Dated]
    today_x: int | None

    @property
    def in_short(self) -> str:
        """The date and what it rests on, in a sentence that can be read out."""
        return _in_short(self.deadline)


def why(case: Case, now: datetime) -> Why:
    """The reasons as things stand."""
    return why_of(queries.deadline_of(case, now), now)


def why_of(deadline: Deadline, now: datetime) -> Why:
    """The reasons of a deadline that was computed, as it stands or as it would be."""
    today = now.astimezone(deadline.zone).date()
    return Why(
        deadline,
        [(steps.sentence(step, _TONGUE), step.article) for step in deadline.steps],
        [steps.sentence(step, _TONGUE) for step in deadline.warnings],
        _bars(deadline, today),
        dates_of(deadline, today),
        _place_of(today, deadline, today),
    )


def in_full(on: date) -> str:
    """A date as a person says it."""
    return date_format(on, _("l j F Y"))


_TONGUE = steps.Tongue(_, ngettext, in_full)


def dates_of(deadline: Deadline, today: date) -> list[Dated]:
    """The dates beside the due date, soonest first; one that says the same as the due date is left out."""
    named = [
        (_("Cautious date, if every open point goes against us"), deadline.safe_due_on),
        (_("A refusal with reasons is out by"), deadline.refusal_by),
        (_("Even without an answer, a letter with reasons is out by"), _letter_by(deadline)),
        (_("Notice of an extension is out by"), _notice_by(deadline)),
        (_("Our own aim"), deadline.target_on),
    ]
    found = [
        Dated(name, on, (on - today).days) for name, on in named if on is not None and on != deadline.due_on
    ]
    return sorted(found, key=lambda one: one.on)


def _letter_by(deadline: Deadline) -> date | None:
    """It matters while the customer has not answered."""
    is_waiting = deadline.state in {State.PAUSED, State.NOT_STARTED}
    return deadline.reasoned_letter_by if is_waiting else None


def _notice_by(deadline: Deadline) -> date | None:
    """Told even where it is the due date itself is not needed; after an extension there is nothing to notify."""
    return None if deadline.is_extended else deadline.extension_notice_by


# -- the bar -----------------------------------------------------------------------------------------------


def _bars(deadline: Deadline, today: date) -> list[Bar]:
    """The stretches to scale; one whose end is not known reaches to today, or to the last date known."""
    if not deadline.stretches:
        return []
    first, days = _span(deadline, today)
    return [
        Bar(
            stretch.kind.value,
            str(STRETCH_WORDS[stretch.kind]),
            stretch.from_on,
            stretch.to_on,
            WIDTH * (stretch.from_on - first).days // days,
            max(
                WIDTH * ((_end(stretch.to_on, stretch.from_on, today) - stretch.from_on).days + 1) // days,
                NARROWEST,
            ),
        )
        for stretch in deadline.stretches
    ]


def _end(to_on: date | None, from_on: date, today: date) -> date:
    return to_on or max(today, from_on)


def _span(deadline: Deadline, today: date) -> tuple[date, int]:
    """The first day of the bar, and how many days it covers."""
    first = deadline.stretches[0].from_on
    last = max(_end(stretch.to_on, stretch.from_on, today) for stretch in deadline.stretches)
    return first, max((last - first).days + 1, 1)


def _place_of(day: date, deadline: Deadline, today: date) -> int | None:
    if not deadline.stretches:
        return None
    first, days = _span(deadline, today)
    x = WIDTH * ((day - first).days * 2 + 1) // (2 * days)
    return x if 0 <= x <= WIDTH else None


# -- in a sentence -----------------------------------------------------------------------------------------


def _in_short(deadline: Deadline) -> str:
    if deadline.state is State.NOT_STARTED:
        return _(
            "The clock has not started: something was asked for and has not come in. By law it would start then."
        )
    if deadline.state is State.PAUSED:
        return _("The clock stands still since %(day)s, until the question is answered.") % {
            "day": in_full(deadline.stretches[-1].from_on)
        }
    if deadline.state is State.MET:
        return _("What this clock asks for is done.")
    if deadline.due_on is None or deadline.started_on is None:
        return _("The law fixes no date for this.")
    words = {"start": in_full(deadline.started_on), "due": in_full(deadline.due_on)}
    if deadline.is_extended:
        return _("Counted from %(start)s, and extended: the answer is due by %(due)s.") % words
    if any(stretch.kind is StretchKind.PAUSED for stretch in deadline.stretches):
        return _("Counted from %(start)s, without the days of waiting: the answer is due by %(due)s.") % words
    return _("Counted from %(start)s: the answer is due by %(due)s.") % words
