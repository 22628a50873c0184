"""The reasons for a date: one step after the other, each with its article and versions.

A step is a code with parameters; its sentence is made from them, so that it can be translated.
Every step that moves the date carries the number of months or days by which it does, so that the
steps alone, without any calendar, replay to the same date.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from cases.deadlines.arithmetic import add_months

Parameter = date | int | str


class StepCode(StrEnum):
    """What a step says. Codes are kept by callers: rename none."""

    RECEIVED = "received"
    NEXT_DAY = "next_day"
    QUESTION_UNREASONABLE = "question_unreasonable"
    QUESTION_WITHOUT_EFFECT = "question_without_effect"
    QUESTION_TOO_LATE = "question_too_late"
    QUESTION_SLOW = "question_slow"
    QUESTION_DELAYED = "question_delayed"
    FEE_OTHER_BASIS = "fee_other_basis"
    ANSWER_UNASKED = "answer_unasked"
    CONFIRMED = "confirmed"
    STARTED_BY = "started_by"
    WAITING_FOR = "waiting_for"
    MONTHS = "months"
    DAYS = "days"
    WORKING_DAYS = "working_days"
    CLAMPED = "clamped"
    PAUSED_DAYS = "paused_days"
    PAUSE_OPEN = "pause_open"
    SUSPENSION_IGNORED = "suspension_ignored"
    EXTENDED = "extended"
    EXTENDED_PAUSED = "extended_paused"
    EXTENSION_LATE = "extension_late"
    EXTENSION_REASON_INVALID = "extension_reason_invalid"
    EXTENSION_NAMED = "extension_named"
    EXTENSION_UNNAMED = "extension_unnamed"
    EXTENSION_UNKNOWN = "extension_unknown"
    ROLLED = "rolled"
    NO_ROLL = "no_roll"
    REFUSAL = "refusal"
    NOTICE = "notice"
    NO_FIXED_PERIOD = "no_fixed_period"
    NOT_IN_FORCE = "not_in_force"
    UNKNOWN_TO_REGIME = "unknown_to_regime"
    CLOCK_STARTED = "clock_started"
    ACKNOWLEDGED = "acknowledged"
    FUTURE_FACT = "future_fact"


class Step(NamedTuple):
    """One reason. ``on`` is the date that holds after it, None where there is none.

    A named tuple, since a case has a dozen of them and it is made three times as fast as a frozen
    dataclass.
    """

    code: StepCode
    article: str
    on: date | None
    values: Mapping[str, Parameter]
    rule_version: str
    calendar_version: str


class ReplayError(ValueError):
    """The steps do not tell a date from its start."""


def replay(steps: Iterable[Step]) -> date | None:
    """Work out the date again from the steps' own numbers; None where the clock stands still."""
    current: date | None = None
    for step in steps:
        current = _replayed(step, current)
    return current


def _replayed(step: Step, current: date | None) -> date | None:
    if step.code in _SETS:
        return step.on
    if step.code in _STANDS:
        return None
    if step.code not in _ADDS:
        return current
    if current is None:
        raise ReplayError(f"{step.code} before any start")
    return _moved(step, current)


def _moved(step: Step, current: date) -> date:
    count = step.values["count"]
    if not isinstance(count, int):
        raise ReplayError(f"{step.code} has no count")
    return add_months(current, count) if step.code is StepCode.MONTHS else current + timedelta(days=count)


_SETS = frozenset({StepCode.RECEIVED, StepCode.STARTED_BY, StepCode.CLOCK_STARTED, StepCode.EXTENSION_NAMED})
_STANDS = frozenset(
    {
        StepCode.WAITING_FOR,
        StepCode.PAUSE_OPEN,
        StepCode.NO_FIXED_PERIOD,
        StepCode.NOT_IN_FORCE,
        StepCode.UNKNOWN_TO_REGIME,
        StepCode.ACKNOWLEDGED,
    }
)
_ADDS = frozenset(
    {
        StepCode.NEXT_DAY,
        StepCode.MONTHS,
        StepCode.DAYS,
        StepCode.WORKING_DAYS,
        StepCode.PAUSED_DAYS,
        StepCode.ROLLED,
    }
)


WARNINGS = frozenset(
    {
        StepCode.QUESTION_UNREASONABLE,
        StepCode.QUESTION_TOO_LATE,
        StepCode.QUESTION_SLOW,
        StepCode.QUESTION_DELAYED,
        StepCode.FEE_OTHER_BASIS,
        StepCode.ANSWER_UNASKED,
        StepCode.EXTENSION_LATE,
        StepCode.EXTENSION_REASON_INVALID,
        StepCode.EXTENSION_UNNAMED,
        StepCode.EXTENSION_UNKNOWN,
        StepCode.FUTURE_FACT,
    }
)


def gettext_noop(message: str) -> str:
    """Mark a sentence for the translators' tools, which know this name; the text stays as it is."""
    return message


class Counted(NamedTuple):
    """A sentence for one and one for more; which is said is the language's own rule. ``by`` names the number."""

    one: str
    more: str
    by: str


def ngettext_lazy(one: str, more: str, by: str = "count") -> Counted:
    """Mark a sentence and its plural for the translators' tools, which know this name."""
    return Counted(one, more, by)


SENTENCES: dict[StepCode, str | Counted] = {
    StepCode.RECEIVED: gettext_noop(
        "Received on {on}. The day of receipt counts, by any channel, working day or not."
    ),
    StepCode.NEXT_DAY: gettext_noop("Time was then counted from the next day, {on}."),
    StepCode.QUESTION_UNREASONABLE: gettext_noop(
        "The question about {subject} of {asked_on} was asked without sufficient ground: it has no effect."
    ),
    StepCode.QUESTION_WITHOUT_EFFECT: gettext_noop(
        "The question about {subject} of {asked_on} does not move the date under these rules."
    ),
    StepCode.QUESTION_TOO_LATE: gettext_noop(
        "The question about {subject} of {asked_on} was asked too late, after the period had ended "
        "on {limit_on}: it has no effect."
    ),
    StepCode.QUESTION_SLOW: gettext_noop(
        "The question about {subject} of {asked_on} was asked late. The letter of the law moves the date, "
        "but this is hard to defend: keep to the cautious date."
    ),
    StepCode.QUESTION_DELAYED: gettext_noop(
        "The question about {subject} of {asked_on} was not asked without undue delay: it does not "
        "suspend the period."
    ),
    StepCode.FEE_OTHER_BASIS: gettext_noop(
        "The fee asked for on {asked_on} rests on another ground than an unfounded or excessive "
        "request: it does not move the start."
    ),
    StepCode.ANSWER_UNASKED: gettext_noop(
        "What came in about {subject} on {received_on} was not asked for: it has no effect."
    ),
    StepCode.CONFIRMED: gettext_noop(
        "Identity was confirmed on {confirmed_on}. The day on which checking ends does not count."
    ),
    StepCode.STARTED_BY: gettext_noop(
        "What was asked for about {subject} on {asked_on} came in on {on}: the clock starts that day."
    ),
    StepCode.WAITING_FOR: gettext_noop(
        "The question about {subject} of {asked_on} is not answered: the clock has not started. "
        "Counted from receipt, the date would be {shadow_on}."
    ),
    StepCode.MONTHS: ngettext_lazy(
        "The period is {count} month: it ends on {on}.", "The period is {count} months: it ends on {on}."
    ),
    StepCode.DAYS: ngettext_lazy(
        "The period is {count} day, the first day not counted: it ends on {on}.",
        "The period is {count} days, the first day not counted: it ends on {on}.",
    ),
    StepCode.WORKING_DAYS: ngettext_lazy(
        "The period is {working_days} working day, the first day not counted: it ends on {on}.",
        "The period is {working_days} working days, the first day not counted: it ends on {on}.",
        "working_days",
    ),
    StepCode.CLAMPED: gettext_noop("That month has no day {day}, so its last day takes its place."),
    StepCode.PAUSED_DAYS: ngettext_lazy(
        "{count} day, {first_on}, does not count, since an answer was awaited: the period ends on {on}.",
        "{count} days, from {first_on} to {last_on}, do not count, since an answer was awaited: the "
        "period ends on {on}.",
    ),
    StepCode.PAUSE_OPEN: gettext_noop(
        "The period stands still from {first_on}, until the answer comes. Without the pause, the "
        "date would be {shadow_on}."
    ),
    StepCode.SUSPENSION_IGNORED: gettext_noop(
        "An extended period is counted from receipt, without the days of a suspension."
    ),
    StepCode.EXTENDED: gettext_noop(
        "An extension was notified on {notified_on}, in time before the end of {limit_on}."
    ),
    StepCode.EXTENDED_PAUSED: gettext_noop(
        "An extension was notified on {notified_on}, while the period stood still."
    ),
    StepCode.EXTENSION_LATE: gettext_noop(
        "The late extension of {notified_on} has no effect: notice had to be out by {limit_on}."
    ),
    StepCode.EXTENSION_REASON_INVALID: gettext_noop(
        "The extension of {notified_on} has no effect: only complexity or the number of requests is a reason."
    ),
    StepCode.EXTENSION_NAMED: gettext_noop("The notice of {notified_on} named {on} as the new date."),
    StepCode.EXTENSION_UNNAMED: gettext_noop(
        "The extension of {notified_on} has no effect: the notice named no new date."
    ),
    StepCode.EXTENSION_UNKNOWN: gettext_noop(
        "The extension of {notified_on} has no effect: these rules know none."
    ),
    StepCode.ROLLED: gettext_noop(
        "{ended_on} is a day off ({why}): the period ends on the next working day, {on}."
    ),
    StepCode.NO_ROLL: gettext_noop("{ended_on} is a day off ({why}); these rules do not move the end."),
    StepCode.REFUSAL: gettext_noop("A refusal with reasons must be out by {on}."),
    StepCode.NOTICE: gettext_noop("Notice of an extension with reasons must be out by {on}."),
    StepCode.NO_FIXED_PERIOD: gettext_noop("These rules fix no number of days for this."),
    StepCode.NOT_IN_FORCE: gettext_noop("This duty was not in force on {event_on}."),
    StepCode.UNKNOWN_TO_REGIME: gettext_noop("These rules know no such clock here."),
    StepCode.CLOCK_STARTED: gettext_noop("This clock is counted from {on}."),
    StepCode.ACKNOWLEDGED: gettext_noop("Acknowledged on {on}; the last day for it was {limit_on}."),
    StepCode.FUTURE_FACT: gettext_noop("A fact dated {event_on} lies in the future and is left aside."),
}

WORDS: dict[str, str] = {
    "identity": gettext_noop("identity"),
    "authority": gettext_noop("authority"),
    "clarification": gettext_noop("clarification"),
    "fee": gettext_noop("the fee"),
}

CITATION = gettext_noop("{sentence} [{article}; calendar {calendar}; rules {rules}]")


def _same(message: str) -> str:
    return message


def _in_english(one: str, more: str, number: int) -> str:
    return one if number == 1 else more


class Tongue(NamedTuple):
    """How sentences are said: gettext and ngettext of a language, and its dates."""

    translate: Callable[[str], str] = _same
    choose: Callable[[str, str, int], str] = _in_english
    show_date: Callable[[date], str] = date.isoformat


PLAIN = Tongue()


def sentence(step: Step, tongue: Tongue = PLAIN) -> str:
    """Write a step as a sentence; without a tongue, in English with dates as machines write them."""
    shown = {name: _shown(value, tongue) for name, value in step.values.items()}
    on = tongue.show_date(step.on) if step.on is not None else ""
    return _words(step, tongue).format(**{"on": on, **shown})


def _words(step: Step, tongue: Tongue) -> str:
    words = SENTENCES[step.code]
    if isinstance(words, str):
        return tongue.translate(words)
    number = step.values[words.by]
    assert isinstance(number, int)
    return tongue.choose(words.one, words.more, number)


def cited_sentence(step: Step, tongue: Tongue = PLAIN) -> str:
    """Write a step with its article, calendar version and rule version."""
    return tongue.translate(CITATION).format(
        sentence=sentence(step, tongue),
        article=step.article,
        calendar=step.calendar_version,
        rules=step.rule_version,
    )


def _shown(value: Parameter, tongue: Tongue) -> str:
    if isinstance(value, date):
        return tongue.show_date(value)
    return tongue.translate(WORDS.get(value, value)) if isinstance(value, str) else str(value)
