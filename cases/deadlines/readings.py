"""Three readings of one history: where the period starts, which days do not count, where it ends.

The *literal* reading is the limit. The *cautious* one is what holds if every open point of law goes
against the controller. The *shadow* counts from receipt as if no question had been asked. The order
is the law's: start (U2), months (U3, U4), days that do not count (U5); the roll comes last (U6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from cases.deadlines.arithmetic import ONE_DAY, Block, Stay, add_months, lengthen, union
from cases.deadlines.calendars import Calendar
from cases.deadlines.deadline import Policy, State
from cases.deadlines.events import ClockEvent
from cases.deadlines.history import History, Question
from cases.deadlines.loader import Regime
from cases.deadlines.rules import (
    CautiousPause,
    CautiousReset,
    CountFrom,
    ExtensionRule,
    Length,
    Origin,
    PauseCount,
    PauseRule,
    ResetRule,
)
from cases.deadlines.steps import Parameter, Step, StepCode


class Reading(StrEnum):
    LITERAL = "literal"
    CAUTIOUS = "cautious"
    SHADOW = "shadow"


class Ruling(NamedTuple):
    """What became of a question: a step in waiting."""

    code: StepCode
    article: str
    on: date | None
    values: Mapping[str, Parameter]


class Run(NamedTuple):
    """One reading of the period from one start."""

    start: date
    base_nominal: date
    base_end: date
    origin: date
    nominal: date
    end: date
    stays: tuple[Stay, ...]
    open: Block | None
    notice: tuple[date, ClockEvent] | None
    notice_limit: date | None


class Pausing(NamedTuple):
    """A question that may make days not count, and why it does not, if so."""

    question: Question
    rule: PauseRule
    refused: StepCode | None


class Resetting(NamedTuple):
    """A question that may move the start, and what is told when it does not."""

    question: Question
    rule: ResetRule
    refused: Ruling | None


class Work:
    """What one computation reads. Questions are matched with their rules once."""

    __slots__ = (
        "calendar",
        "extension",
        "first_on",
        "has_pauses",
        "history",
        "pauses",
        "period",
        "policy",
        "regime",
        "resets",
        "rules",
    )

    def __init__(self, history: History, regime: Regime, calendar: Calendar, policy: Policy) -> None:
        self.history = history
        self.regime = regime
        self.rules = regime.version
        self.calendar = calendar
        self.policy = policy
        self.period = regime.version.period_for(history.right)
        self.first_on = _first_on(self)
        self.extension = _extension_rule(self)
        self.resets = _resets(self) if history.questions else ()
        self.pauses = _pauses(self) if history.questions else ()
        self.has_pauses = bool(self.pauses) and any(one.refused is None for one in self.pauses)

    def step(self, code: StepCode, article: str, on: date | None, values: Mapping[str, Parameter]) -> Step:
        return Step(code, article, on, values, self.regime.rule_version, self.calendar.version)

    def knows(self, question: Question) -> bool:
        """Say whether any rule speaks of this question's subject for this right."""
        return any(entry[0] is question for entry in (*self.resets, *self.pauses))


def _first_on(work: Work) -> date:
    """UK GDPR Art 12A(2)(a); Art 12(3) GDPR: the day of receipt, whatever day it is (U1, E1)."""
    next_day = work.rules.receipt.count_from is CountFrom.NEXT_DAY
    return work.history.received_on + ONE_DAY if next_day else work.history.received_on


def _extension_rule(work: Work) -> ExtensionRule | None:
    """Some laws lengthen only some of their periods."""
    rule = work.rules.extension
    return rule if rule is not None and rule.covers(work.history.right) else None


def period_end(work: Work, length: Length, start: date) -> date:
    """Reg 1182/71 Art 3(1), (2)(c): the first day is not counted; same day number, clamped (U3, U4)."""
    if length.months:
        return add_months(start, length.months)
    if length.days:
        return start + timedelta(days=length.days)
    return work.calendar.add_working_days(start, length.working_days)


def settle_start(
    work: Work, period: Length, reading: Reading, rulings: list[Ruling]
) -> tuple[date | None, Question | None]:
    """UK GDPR Art 12A(2): the latest of receipt, information asked for, and payment (U2).

    Returns the start, or None with the question that is still open.
    """
    start = work.first_on
    for question, rule, refused in _resets_as_read(work, reading):
        if refused is not None:
            rulings.append(refused)
        elif _asked_after_end(work, period, start, question, reading, rulings):
            continue
        elif question.answered_on is None:
            return None, question
        else:
            start = max(start, question.answered_on)
            rulings += _started_by(work, question, rule, start)
    return start, None


def _started_by(work: Work, question: Question, rule: ResetRule, start: date) -> list[Ruling]:
    told = [Ruling(StepCode.STARTED_BY, rule.article, start, about(question))]
    if not _is_prompt(work, question):
        told.append(Ruling(StepCode.QUESTION_SLOW, work.rules.prompt.article, None, about(question)))
    return told


def _resets(work: Work) -> tuple[Resetting, ...]:
    return tuple(
        Resetting(question, rule, _reset_refused(question, rule))
        for question in work.history.questions
        for rule in work.rules.resets
        if rule.subject is question.subject
    )


def _reset_refused(question: Question, rule: ResetRule) -> Ruling | None:
    # UK GDPR Art 12(6): information may be asked for on reasonable doubts only.
    if not question.event.reasonable:
        return Ruling(StepCode.QUESTION_UNREASONABLE, rule.article, None, about(question))
    # UK GDPR Art 12A(2)(c): a fee charged under Art 12(5), not one for further copies.
    if rule.fee_bases and question.event.fee_basis not in rule.fee_bases:
        return Ruling(StepCode.FEE_OTHER_BASIS, rule.article, None, {"asked_on": question.asked_on})
    return None


def _resets_as_read(work: Work, reading: Reading) -> Iterable[Resetting]:
    if reading is Reading.LITERAL:
        return work.resets
    return [resetting for resetting in work.resets if _counts_cautiously(work, resetting)]


def about(question: Question) -> dict[str, Parameter]:
    return {"subject": question.subject.value, "asked_on": question.asked_on}


def _counts_cautiously(work: Work, resetting: Resetting) -> bool:
    """Later rounds and late questions are open to doubt, and so is ICO's view on authority (U2)."""
    question, rule, refused = resetting
    if refused is not None or rule.cautious is CautiousReset.IGNORED:
        return False
    return rule.cautious is CautiousReset.COUNTS or _is_first_and_prompt(work, question)


def _is_first_and_prompt(work: Work, question: Question) -> bool:
    grounded = (r.question for r in work.resets if r.refused is None)
    first = next((asked for asked in grounded if asked.subject is question.subject), None)
    return question is first and _is_prompt(work, question)


def _is_prompt(work: Work, question: Question) -> bool:
    """EDPB 01/2022 section 5.3: asked without undue delay. A recorded decision goes before the number."""
    if question.event.prompt is not None:
        return question.event.prompt
    return (question.asked_on - work.history.received_on).days <= work.rules.prompt.within_days


def _asked_after_end(
    work: Work, period: Length, start: date, question: Question, reading: Reading, rulings: list[Ruling]
) -> bool:
    """A question cannot reopen a period that has ended."""
    if question.asked_on <= period_end(work, period, start):
        return False
    run = run_period(work, period, start, reading)
    if run.open is not None or question.asked_on <= run.end:
        return False
    values = {**about(question), "limit_on": run.end}
    rulings.append(Ruling(StepCode.QUESTION_TOO_LATE, work.rules.receipt.article, None, values))
    return True


def blocks_of(work: Work, start: date, reading: Reading) -> Sequence[Block]:
    """UK GDPR Art 12A(5); EDPB 01/2022 section 5.3: the days of each effective question, as a union."""
    if reading is Reading.SHADOW or not work.pauses:
        return ()
    found = [
        block
        for pausing in work.pauses
        if pausing.refused is None and (block := _block(pausing, start, reading)) is not None
    ]
    return union(found) if len(found) > 1 else found


def _block(pausing: Pausing, start: date, reading: Reading) -> Block | None:
    if reading is Reading.CAUTIOUS:
        return _cautious_block(pausing.question, pausing.rule, start)
    return _made(first_excluded(pausing.question, pausing.rule), pausing.question.answered_on)


def _pauses(work: Work) -> tuple[Pausing, ...]:
    found = []
    for question in work.history.questions:
        rule = _pause_rule(work, question)
        if rule is not None:
            found.append(Pausing(question, rule, _pause_refused(work, question, rule)))
    return tuple(found)


def _pause_rule(work: Work, question: Question) -> PauseRule | None:
    for rule in work.rules.pauses:
        if rule.subject is question.subject and (not rule.rights or work.history.right in rule.rights):
            return rule if rule.statutory or work.policy.suspension else None
    return None


def _pause_refused(work: Work, question: Question, rule: PauseRule) -> StepCode | None:
    # UK GDPR Art 12A(5)(a): only where the information is reasonably required.
    if not question.event.reasonable:
        return StepCode.QUESTION_UNREASONABLE
    # Recital 63 GDPR: only where a large quantity of data is processed.
    if rule.needs_large_quantity and not question.event.large_quantity:
        return StepCode.QUESTION_WITHOUT_EFFECT
    if rule.must_be_prompt and not _is_prompt(work, question):
        return StepCode.QUESTION_DELAYED
    return None


def first_excluded(question: Question, rule: PauseRule) -> date:
    # UK GDPR Art 12A(5)(b) includes the day of asking; the EDPB has no counting rule (E5).
    return question.asked_on if rule.count is PauseCount.ASKED_AND_REPLY else question.asked_on + ONE_DAY


def _cautious_block(question: Question, rule: PauseRule, start: date) -> Block | None:
    """One day less than the statute counts, unless that day was never in the period (U5, flag)."""
    if rule.cautious is CautiousPause.IGNORED or question.answered_on is None:
        return None
    begins_inside = question.asked_on > start
    last_on = question.answered_on - ONE_DAY if begins_inside else question.answered_on
    return _made(first_excluded(question, rule), last_on)


def _made(first_on: date, last_on: date | None) -> Block | None:
    return Block(first_on, last_on) if last_on is None or first_on <= last_on else None


def run_period(work: Work, period: Length, start: date, reading: Reading) -> Run:
    """Start plus months, plus days that do not count, extended where notice was in time."""
    blocks = blocks_of(work, start, reading)
    nominal = period_end(work, period, start)
    end, stays, stop = lengthen(start, nominal, blocks)
    rule = work.extension
    if rule is None or not work.history.extensions:
        return Run(start, nominal, end, start, nominal, end, stays, stop, None, None)
    limit = _notice_limit(work, rule, period, end if stop is None else None, reading)
    notice = _effective_notice(work, rule, limit)
    base = Run(start, nominal, end, start, nominal, end, stays, stop, notice, limit)
    return base if notice is None else _extended(work, rule, base, notice[1], blocks)


def _notice_limit(
    work: Work, rule: ExtensionRule, period: Length, end: date | None, reading: Reading
) -> date | None:
    """UK GDPR Art 12A(4), (5)(b)(ii): pauses and the roll move the limit of the notice too (U7).

    Art 12(3) GDPR: within one month of receipt (E7). None while the period stands still.
    """
    if rule.notice_from is Origin.RECEIPT:
        end = period_end(work, period, work.first_on)
    if end is None or reading is Reading.CAUTIOUS:
        return end
    return rolled(work, end, work.calendar)


def _effective_notice(work: Work, rule: ExtensionRule, limit: date | None) -> tuple[date, ClockEvent] | None:
    for on, event in work.history.extensions:
        if notice_refused(rule, limit, on, event) is None:
            return on, event
    return None


def notice_refused(rule: ExtensionRule, limit: date | None, on: date, event: ClockEvent) -> StepCode | None:
    # Art 12(3) GDPR, Art 12A(3) UK GDPR: for complexity or number of requests only.
    if event.extension_reason not in rule.reasons:
        return StepCode.EXTENSION_REASON_INVALID
    if limit is not None and on > limit:
        return StepCode.EXTENSION_LATE
    if rule.named_by_controller and event.new_due_on is None:
        return StepCode.EXTENSION_UNNAMED
    return None


def _extended(work: Work, rule: ExtensionRule, base: Run, event: ClockEvent, blocks: Sequence[Block]) -> Run:
    """The whole period, clamped from its origin and not from the first due date (U7, E7)."""
    origin = work.first_on if rule.counted_from is Origin.RECEIPT else base.start
    nominal = _extended_nominal(rule, base, origin, event)
    end, stays, stop = lengthen(base.start, nominal, blocks) if rule.adds_pauses else (nominal, (), base.open)
    first = (base.start, base.base_nominal, base.base_end)
    return Run(*first, origin, nominal, end, stays, stop, base.notice, base.notice_limit)


def _extended_nominal(rule: ExtensionRule, base: Run, origin: date, event: ClockEvent) -> date:
    if rule.months:
        return add_months(origin, rule.months)
    if rule.days:
        return origin + timedelta(days=rule.days)
    # A named date can only give time, never take it.
    return max(base.base_nominal, event.new_due_on or base.base_nominal)


def rolled(work: Work, end: date, calendar: Calendar) -> date:
    """Reg 1182/71 Art 3(4): to the end of the next working day, once, last (U6, E6)."""
    return calendar.roll(end) if work.rules.roll.rolls else end


# --- the three readings together ------------------------------------------------------------------


class Found(NamedTuple):
    """The three readings of one case."""

    period: Length
    run: Run | None
    waiting: Question | None
    shadow: Run
    cautious: Run
    rulings: tuple[Ruling, ...]

    @property
    def state(self) -> State:
        if self.run is None:
            return State.NOT_STARTED
        return State.RUNNING if self.run.open is None else State.PAUSED


def read_all(work: Work, period: Length) -> Found:
    """Read a case in all three ways, sharing what cannot differ."""
    rulings: list[Ruling] = []
    start, waiting = settle_start(work, period, Reading.LITERAL, rulings)
    run = run_period(work, period, start, Reading.LITERAL) if start is not None else None
    shadow = _shadow(work, period, run)
    return Found(period, run, waiting, shadow, _cautious(work, period, run, shadow), tuple(rulings))


def _shadow(work: Work, period: Length, run: Run | None) -> Run:
    if run is not None and run.start == work.first_on and not work.has_pauses:
        return run
    return run_period(work, period, work.first_on, Reading.SHADOW)


def _cautious(work: Work, period: Length, run: Run | None, shadow: Run) -> Run:
    """While the clock has not started, only the date counted from receipt is safe (U2)."""
    if run is None:
        return shadow
    start, _ = settle_start(work, period, Reading.CAUTIOUS, [])
    if start is None:
        return shadow
    if start == run.start and not work.has_pauses and not work.history.extensions:
        return run
    return run_period(work, period, start, Reading.CAUTIOUS)
