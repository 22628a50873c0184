"""The statutory clock: facts, dated law and a calendar in; dates with their reasons out.

Nothing here reads the system's time, a database or a file. The order is the law's: start (U2),
months (U3, U4), days that do not count (U5), and the roll to a working day once, last (U6).

Three readings of one history are computed. The *literal* one is the limit. The *cautious* one is
what holds if every open point of law goes against the controller; it is never later. The *shadow*
counts from receipt as if no question had been asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cases.deadlines.arithmetic import ONE_DAY, Block, Stay, add_months, lengthen, union
from cases.deadlines.calendars import Calendar
from cases.deadlines.events import CaseFacts, ClockEvent, Right
from cases.deadlines.history import History, Question, read_history
from cases.deadlines.loader import Regime
from cases.deadlines.rules import (
    CautiousPause,
    CautiousReset,
    ClockKind,
    CountFrom,
    ExtensionRule,
    Length,
    Origin,
    PauseCount,
    PauseRule,
    ResetRule,
    SideClock,
)
from cases.deadlines.steps import Parameter, Step, StepCode

LAST_SECOND = time(23, 59, 59)


class State(StrEnum):
    """How a clock stands."""

    RUNNING = "running"
    PAUSED = "paused"
    NOT_STARTED = "not_started"
    NOT_APPLICABLE = "not_applicable"


class StretchKind(StrEnum):
    """What a stretch of days on the timeline is."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    EXTENDED = "extended"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of one kind, both ends included; ``to_on`` is None while the end is unknown."""

    kind: StretchKind
    from_on: date
    to_on: date | None


@dataclass(frozen=True, slots=True)
class Limit:
    """One date of a case. ``due_on`` is None unless the clock runs; ``safe_due_on`` is never later."""

    kind: ClockKind
    state: State
    due_on: date | None
    safe_due_on: date | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a controller may choose.

    ``target_days`` replaces the regime's own aim, in days after the start. ``suspension`` off means
    that pauses which rest on guidance alone (E5) are never used.
    """

    target_days: int | None = None
    suspension: bool = True


DEFAULT_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class Deadline:
    """All dates of a case, with reasons.

    The fields speak of the case's own clock: the response, or for a complaint its acknowledgement.
    ``reasoned_letter_by`` is the day by which a letter with reasons must be out even though the
    requester has not answered (Art 12(4)).
    """

    state: State
    due_on: date | None
    shadow_due_on: date | None
    safe_due_on: date | None
    refusal_by: date | None
    reasoned_letter_by: date | None
    extension_notice_by: date | None
    target_on: date | None
    received_on: date
    started_on: date | None
    is_extended: bool
    is_late: bool
    stretches: tuple[Stretch, ...]
    steps: tuple[Step, ...]
    warnings: tuple[Step, ...]
    limits: Mapping[ClockKind, Limit]
    regime: str
    rule_version: str
    calendar_version: str
    zone: ZoneInfo

    @property
    def due_at(self) -> datetime | None:
        """The last second of the last day, local (U9): by then sent, not queued."""
        return None if self.due_on is None else datetime.combine(self.due_on, LAST_SECOND, self.zone)

    def limit(self, kind: ClockKind) -> Limit:
        """Give one date of the case; a clock that the regime does not know is NOT_APPLICABLE."""
        found = self.limits.get(kind)
        return found if found is not None else self._unknown(kind)

    def _unknown(self, kind: ClockKind) -> Limit:
        step = Step(
            StepCode.UNKNOWN_TO_REGIME, self.regime, None, {}, self.rule_version, self.calendar_version
        )
        return Limit(kind, State.NOT_APPLICABLE, None, None, (step,))


def compute(
    facts: CaseFacts,
    regime: Regime,
    calendar: Calendar,
    *,
    now: datetime,
    policy: Policy = DEFAULT_POLICY,
) -> Deadline:
    """Compute every date of a case as known at ``now``.

    Facts dated after ``now`` are left aside with a warning. Raises NoReceiptError when nothing was
    received by then.
    """
    history = read_history(facts, now)
    work = _Work(history, regime, calendar, policy)
    today = now.astimezone(facts.zone).date()
    period = None if facts.right in _NO_RESPONSE else regime.version.period_for(facts.right)
    if period is None:
        return _without_period(work, facts.zone, today)
    return _with_period(work, period, facts.zone, today)


# A complaint and an appeal are answered on clocks of their own.
_NO_RESPONSE = frozenset({Right.COMPLAINT, Right.APPEAL})
_OWN_CLOCK = {Right.COMPLAINT: ClockKind.COMPLAINT_ACK, Right.APPEAL: ClockKind.APPEAL}


class _Reading(StrEnum):
    LITERAL = "literal"
    CAUTIOUS = "cautious"
    SHADOW = "shadow"


class _Ruling(NamedTuple):
    """What became of a question: a step in waiting."""

    code: StepCode
    article: str
    on: date | None
    values: Mapping[str, Parameter]


class _Run(NamedTuple):
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


class _Work:
    """What one computation reads, and the steps that it writes."""

    __slots__ = ("calendar", "first_on", "history", "policy", "regime", "rules", "warnings")

    def __init__(self, history: History, regime: Regime, calendar: Calendar, policy: Policy) -> None:
        self.history = history
        self.regime = regime
        self.rules = regime.version
        self.calendar = calendar
        self.policy = policy
        self.first_on = _first_on(self)
        self.warnings: list[Step] = []

    def step(self, code: StepCode, article: str, on: date | None, values: Mapping[str, Parameter]) -> Step:
        made = Step(code, article, on, values, self.regime.rule_version, self.calendar.version)
        if code in _WARNINGS:
            self.warnings.append(made)
        return made


_WARNINGS = frozenset(
    {
        StepCode.QUESTION_UNREASONABLE,
        StepCode.QUESTION_TOO_LATE,
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


def _first_on(work: _Work) -> date:
    """UK GDPR Art 12A(2)(a); Art 12(3) GDPR: the day of receipt, whatever day it is (U1, E1)."""
    next_day = work.rules.receipt.count_from is CountFrom.NEXT_DAY
    return work.history.received_on + ONE_DAY if next_day else work.history.received_on


def _period_end(work: _Work, length: Length, start: date) -> date:
    """Reg 1182/71 Art 3(1), (2)(c): the first day is not counted; same day number, clamped (U3, U4)."""
    if length.months:
        return add_months(start, length.months)
    if length.days:
        return start + timedelta(days=length.days)
    return work.calendar.add_working_days(start, length.working_days)


# --- the start -------------------------------------------------------------------------------


def _settle_start(
    work: _Work, period: Length, reading: _Reading, rulings: list[_Ruling]
) -> tuple[date | None, Question | None]:
    """UK GDPR Art 12A(2): the latest of receipt, information asked for, and payment (U2).

    Returns the start, or None with the question that is still open.
    """
    start = work.first_on
    if reading is _Reading.SHADOW or not work.history.questions or not work.rules.resets:
        return start, None
    for question, rule in _reset_questions(work, reading, rulings):
        if _asked_after_end(work, period, start, question, reading, rulings):
            continue
        if question.answered_on is None:
            return None, question
        start = max(start, question.answered_on)
        rulings.append(_started_by(question, rule, start))
    return start, None


def _started_by(question: Question, rule: ResetRule, start: date) -> _Ruling:
    values: dict[str, Parameter] = {"subject": question.subject.value, "asked_on": question.asked_on}
    return _Ruling(StepCode.STARTED_BY, rule.article, start, values)


def _reset_questions(
    work: _Work, reading: _Reading, rulings: list[_Ruling]
) -> list[tuple[Question, ResetRule]]:
    rules = {rule.subject: rule for rule in work.rules.resets}
    asked = [(q, rules[q.subject]) for q in work.history.questions if q.subject in rules]
    grounded = [(q, rule) for q, rule in asked if _is_grounded(q, rule, rulings)]
    if reading is _Reading.LITERAL:
        return grounded
    return [pair for pair in grounded if _counts_cautiously(work, pair, grounded)]


def _is_grounded(question: Question, rule: ResetRule, rulings: list[_Ruling]) -> bool:
    # UK GDPR Art 12(6): information may be asked for on reasonable doubts only.
    if not question.event.reasonable:
        rulings.append(_no_ground(question, rule.article))
        return False
    # UK GDPR Art 12A(2)(c): a fee charged under Art 12(5), not one for further copies.
    if rule.fee_bases and question.event.fee_basis not in rule.fee_bases:
        rulings.append(_Ruling(StepCode.FEE_OTHER_BASIS, rule.article, None, {"asked_on": question.asked_on}))
        return False
    return True


def _no_ground(question: Question, article: str) -> _Ruling:
    return _Ruling(StepCode.QUESTION_UNREASONABLE, article, None, _about(question))


def _about(question: Question) -> dict[str, Parameter]:
    return {"subject": question.subject.value, "asked_on": question.asked_on}


def _counts_cautiously(
    work: _Work, pair: tuple[Question, ResetRule], grounded: list[tuple[Question, ResetRule]]
) -> bool:
    question, rule = pair
    if rule.cautious is not CautiousReset.FIRST_PROMPT:
        return rule.cautious is CautiousReset.COUNTS
    first = next(q for q, _ in grounded if q.subject is question.subject)
    return question is first and _is_prompt(work, question)


def _is_prompt(work: _Work, question: Question) -> bool:
    """EDPB 01/2022 section 5.3: asked without undue delay. A recorded decision goes before the number."""
    if question.event.prompt is not None:
        return question.event.prompt
    return (question.asked_on - work.history.received_on).days <= work.rules.prompt.within_days


def _asked_after_end(
    work: _Work, period: Length, start: date, question: Question, reading: _Reading, rulings: list[_Ruling]
) -> bool:
    """A question cannot reopen a period that has ended."""
    if question.asked_on <= _period_end(work, period, start):
        return False
    run = _run(work, period, start, reading)
    if run.open is not None or question.asked_on <= run.end:
        return False
    values = {**_about(question), "limit_on": run.end}
    rulings.append(_Ruling(StepCode.QUESTION_TOO_LATE, work.rules.receipt.article, None, values))
    return True


# --- the days that do not count ----------------------------------------------------------------


def _blocks(work: _Work, start: date, reading: _Reading) -> tuple[Block, ...]:
    """UK GDPR Art 12A(5); EDPB 01/2022 section 5.3: the days of each effective question, as a union."""
    if reading is _Reading.SHADOW or not work.history.questions or not work.rules.pauses:
        return ()
    found = (_block(work, question, start, reading) for question in work.history.questions)
    return union(block for block in found if block is not None)


def _block(work: _Work, question: Question, start: date, reading: _Reading) -> Block | None:
    rule = _pause_rule(work, question)
    if rule is None or _pause_refused(work, question, rule) is not None:
        return None
    if reading is _Reading.CAUTIOUS:
        return _cautious_block(question, rule, start)
    return _made(_first_excluded(question, rule), question.answered_on)


def _pause_rule(work: _Work, question: Question) -> PauseRule | None:
    for rule in work.rules.pauses:
        if rule.subject is question.subject and (not rule.rights or work.history.right in rule.rights):
            return rule if rule.statutory or work.policy.suspension else None
    return None


def _pause_refused(work: _Work, question: Question, rule: PauseRule) -> StepCode | None:
    # UK GDPR Art 12A(5)(a): only where the information is reasonably required.
    if not question.event.reasonable:
        return StepCode.QUESTION_UNREASONABLE
    # Recital 63 GDPR: only where a large quantity of data is processed.
    if rule.needs_large_quantity and not question.event.large_quantity:
        return StepCode.QUESTION_WITHOUT_EFFECT
    if rule.must_be_prompt and not _is_prompt(work, question):
        return StepCode.QUESTION_DELAYED
    return None


def _first_excluded(question: Question, rule: PauseRule) -> date:
    # UK GDPR Art 12A(5)(b) includes the day of asking; the EDPB has no counting rule (E5).
    return question.asked_on if rule.count is PauseCount.ASKED_AND_REPLY else question.asked_on + ONE_DAY


def _cautious_block(question: Question, rule: PauseRule, start: date) -> Block | None:
    """One day less than the statute counts, unless that day was never in the period (U5, flag)."""
    if rule.cautious is CautiousPause.IGNORED or question.answered_on is None:
        return None
    begins_inside = question.asked_on > start
    last_on = question.answered_on - ONE_DAY if begins_inside else question.answered_on
    return _made(_first_excluded(question, rule), last_on)


def _made(first_on: date, last_on: date | None) -> Block | None:
    return Block(first_on, last_on) if last_on is None or first_on <= last_on else None


# --- the period ----------------------------------------------------------------------------------


def _run(work: _Work, period: Length, start: date, reading: _Reading) -> _Run:
    """Start plus months, plus days that do not count, extended where notice was in time."""
    blocks = _blocks(work, start, reading)
    nominal = _period_end(work, period, start)
    end, stays, stop = lengthen(start, nominal, blocks)
    base = _Run(start, nominal, end, start, nominal, end, stays, stop, None, None)
    rule = work.rules.extension
    if rule is None or not work.history.extensions:
        return base
    base = base._replace(notice_limit=_notice_limit(work, rule, period, base, reading))
    notice = _effective_notice(work, rule, base)
    return base if notice is None else _extended(work, rule, base, notice, blocks)


def _notice_limit(
    work: _Work, rule: ExtensionRule, period: Length, base: _Run, reading: _Reading
) -> date | None:
    """UK GDPR Art 12A(4), (5)(b)(ii): pauses and the roll move the limit of the notice too (U7).

    Art 12(3) GDPR: within one month of receipt (E7). None while the period stands still.
    """
    if rule.notice_from is Origin.RECEIPT:
        end = _period_end(work, period, work.first_on)
    elif base.open is not None:
        return None
    else:
        end = base.base_end
    return end if reading is _Reading.CAUTIOUS else _rolled(work, end, work.calendar)


def _effective_notice(work: _Work, rule: ExtensionRule, base: _Run) -> tuple[date, ClockEvent] | None:
    for on, event in work.history.extensions:
        if _notice_refused(rule, base.notice_limit, on, event) is None:
            return on, event
    return None


def _notice_refused(
    rule: ExtensionRule, limit: date | None, on: date, event: ClockEvent
) -> StepCode | None:
    # Art 12(3) GDPR, Art 12A(3) UK GDPR: for complexity or number of requests only.
    if event.extension_reason not in rule.reasons:
        return StepCode.EXTENSION_REASON_INVALID
    if rule.notice_required and limit is not None and on > limit:
        return StepCode.EXTENSION_LATE
    if rule.named_by_controller and event.new_due_on is None:
        return StepCode.EXTENSION_UNNAMED
    return None


def _extended(
    work: _Work, rule: ExtensionRule, base: _Run, notice: tuple[date, ClockEvent], blocks: tuple[Block, ...]
) -> _Run:
    """The whole period, clamped from its origin and not from the first due date (U7, E7)."""
    origin = work.first_on if rule.counted_from is Origin.RECEIPT else base.start
    nominal = _extended_nominal(rule, base, origin, notice[1])
    if not rule.adds_pauses:
        return base._replace(origin=origin, nominal=nominal, end=nominal, stays=(), notice=notice)
    end, stays, stop = lengthen(base.start, nominal, blocks)
    return base._replace(origin=origin, nominal=nominal, end=end, stays=stays, open=stop, notice=notice)


def _extended_nominal(rule: ExtensionRule, base: _Run, origin: date, event: ClockEvent) -> date:
    if rule.months:
        return add_months(origin, rule.months)
    if rule.days:
        return origin + timedelta(days=rule.days)
    # A named date can only give time, never take it.
    return max(base.base_nominal, event.new_due_on or base.base_nominal)


def _rolled(work: _Work, end: date, calendar: Calendar) -> date:
    """Reg 1182/71 Art 3(4): to the end of the next working day, once, last (U6, E6)."""
    return calendar.roll(end) if work.rules.roll.rolls else end


# --- the dates -----------------------------------------------------------------------------------


def _with_period(work: _Work, period: Length, zone: ZoneInfo, today: date) -> Deadline:
    rulings: list[_Ruling] = []
    start, waiting = _settle_start(work, period, _Reading.LITERAL, rulings)
    shadow = _run(work, period, work.first_on, _Reading.SHADOW)
    run = _run(work, period, start, _Reading.LITERAL) if start is not None else None
    cautious = _cautious_run(work, period, run, shadow)
    found = _Found(period, run, waiting, shadow, cautious, rulings)
    response = _response(work, found)
    limits = {ClockKind.RESPONSE: response, **_notices(work, found, response), **_side_limits(work)}
    return _deadline(work, found, limits, zone, today)


class _Found(NamedTuple):
    """The three readings of one case."""

    period: Length
    run: _Run | None
    waiting: Question | None
    shadow: _Run
    cautious: _Run
    rulings: list[_Ruling]

    @property
    def state(self) -> State:
        if self.run is None:
            return State.NOT_STARTED
        return State.RUNNING if self.run.open is None else State.PAUSED


def _cautious_run(work: _Work, period: Length, run: _Run | None, shadow: _Run) -> _Run:
    """While the clock has not started, only the date counted from receipt is safe (U2)."""
    if run is None:
        return shadow
    start, _ = _settle_start(work, period, _Reading.CAUTIOUS, [])
    return shadow if start is None else _run(work, period, start, _Reading.CAUTIOUS)


def _response(work: _Work, found: _Found) -> Limit:
    shadow_on = _rolled(work, found.shadow.end, work.calendar)
    safe_on = _rolled(work, found.cautious.end, work.calendar.cautious)
    steps = _tell_response(work, found, shadow_on)
    if found.run is None or found.run.open is not None:
        return Limit(ClockKind.RESPONSE, found.state, None, safe_on, steps)
    due_on = _rolled(work, found.run.end, work.calendar)
    return Limit(ClockKind.RESPONSE, State.RUNNING, due_on, min(safe_on, due_on), steps)


def _notices(work: _Work, found: _Found, response: Limit) -> dict[ClockKind, Limit]:
    made: dict[ClockKind, Limit] = {}
    if work.rules.extension is not None:
        made[ClockKind.EXTENSION_NOTICE] = _extension_notice(work, found, work.rules.extension)
    if work.rules.refusal is not None:
        made[ClockKind.REFUSAL_NOTICE] = _refusal(work, found, response)
    return made


def _extension_notice(work: _Work, found: _Found, rule: ExtensionRule) -> Limit:
    """Whether the roll moves this limit is open, so the safe day is a working day before it."""
    from_receipt = rule.notice_from is Origin.RECEIPT
    unrolled = found.shadow.base_end if from_receipt else found.cautious.base_end
    safe_on = work.calendar.cautious.roll_back(unrolled)
    state = State.RUNNING if from_receipt else found.state
    if state is not State.RUNNING or found.run is None and not from_receipt:
        return Limit(ClockKind.EXTENSION_NOTICE, state, None, safe_on, _tell_stop(work, found))
    end = found.shadow.base_end if found.run is None or from_receipt else found.run.base_end
    due_on = _rolled(work, end, work.calendar)
    steps = _tell_notice(work, found, from_receipt, due_on, StepCode.NOTICE, rule.notice_article)
    return Limit(ClockKind.EXTENSION_NOTICE, State.RUNNING, due_on, min(safe_on, due_on), steps)


def _refusal(work: _Work, found: _Found, response: Limit) -> Limit:
    """UK Art 12(4): before the applicable period ends (U8). EU Art 12(4): one month of receipt (E8)."""
    rule = work.rules.refusal
    assert rule is not None
    if rule.counted_from is Origin.RECEIPT:
        due_on = _rolled(work, found.shadow.base_end, work.calendar)
        safe_on = min(due_on, _rolled(work, found.shadow.base_end, work.calendar.cautious))
        steps = _tell_notice(work, found, True, due_on, StepCode.REFUSAL, rule.article)
        return Limit(ClockKind.REFUSAL_NOTICE, State.RUNNING, due_on, safe_on, steps)
    base_on = _rolled(work, found.cautious.base_end, work.calendar.cautious)
    if response.due_on is None:
        return Limit(ClockKind.REFUSAL_NOTICE, response.state, None, base_on, response.steps)
    steps = (*response.steps, work.step(StepCode.REFUSAL, rule.article, response.due_on, {}))
    return Limit(ClockKind.REFUSAL_NOTICE, State.RUNNING, response.due_on, min(base_on, response.due_on), steps)


# --- clocks beside the response --------------------------------------------------------------------


def _side_limits(work: _Work) -> dict[ClockKind, Limit]:
    """Acknowledgements, complaints and appeals, each from its own event."""
    made: dict[ClockKind, Limit] = {}
    for clock in work.regime.clocks:
        event_on = _side_event(work, clock)
        if event_on is not None and clock.covers(work.history.right) and _may_replace(made, clock, event_on):
            made[clock.kind] = _side_limit(work, clock, event_on)
    return made


def _may_replace(made: Mapping[ClockKind, Limit], clock: SideClock, event_on: date) -> bool:
    """Of several dated clocks of one kind, the one in force on the day is told."""
    return clock.kind not in made or clock.holds_on(event_on)


def _side_event(work: _Work, clock: SideClock) -> date | None:
    history = work.history
    if clock.kind in (ClockKind.COMPLAINT_ACK, ClockKind.COMPLAINT_RESPONSE):
        return history.received_on if history.right is Right.COMPLAINT else history.complaint_on
    if clock.kind is ClockKind.APPEAL:
        return history.received_on if history.right is Right.APPEAL else history.appeal_on
    return None if history.right in _NO_RESPONSE else history.received_on


def _side_limit(work: _Work, clock: SideClock, event_on: date) -> Limit:
    if not clock.holds_on(event_on):
        step = work.step(StepCode.NOT_IN_FORCE, clock.article, None, {"event_on": event_on})
        return Limit(clock.kind, State.NOT_APPLICABLE, None, None, (step,))
    nominal = _period_end(work, clock, event_on)
    due_on = work.calendar.roll(nominal) if clock.rolls else nominal
    first = work.step(StepCode.CLOCK_STARTED, clock.article, event_on, {})
    steps = (first, *_tell_length(work, clock, event_on, nominal), *_tell_roll(work, nominal, clock.rolls))
    return Limit(clock.kind, State.RUNNING, due_on, _safe_side(work, clock, event_on, due_on), steps)


def _safe_side(work: _Work, clock: SideClock, event_on: date, due_on: date) -> date:
    """s.164A by the letter begins on the day of receipt, and that it rolls is only thought so."""
    if not clock.cautious_days:
        return due_on
    literal = event_on + timedelta(days=clock.cautious_days)
    return min(due_on, work.calendar.cautious.roll_back(literal))


# --- the reasons ------------------------------------------------------------------------------------


def _tell_response(work: _Work, found: _Found, shadow_on: date) -> tuple[Step, ...]:
    steps = _tell_received(work)
    steps += [work.step(*ruling) for ruling in found.rulings]
    steps += _tell_asides(work, found)
    if found.run is None:
        return (*steps, *_tell_waiting(work, found, shadow_on))
    steps += _tell_extensions(work, found.run)
    steps += _tell_period(work, found.period, found.run)
    steps += _tell_stays(work, found.run)
    if found.run.open is not None:
        return (*steps, _tell_open(work, found.run.open, shadow_on))
    return (*steps, *_tell_roll(work, found.run.end, work.rules.roll.rolls))


def _tell_received(work: _Work) -> list[Step]:
    article = work.rules.receipt.article
    first = [work.step(StepCode.RECEIVED, article, work.history.received_on, {})]
    if work.first_on != work.history.received_on:
        first.append(work.step(StepCode.NEXT_DAY, article, work.first_on, {"count": 1}))
    return first


def _tell_waiting(work: _Work, found: _Found, shadow_on: date) -> tuple[Step, ...]:
    waiting = found.waiting
    if waiting is None:
        return ()
    article = next(rule.article for rule in work.rules.resets if rule.subject is waiting.subject)
    values = {**_about(waiting), "shadow_on": shadow_on}
    return (work.step(StepCode.WAITING_FOR, article, None, values),)


def _tell_open(work: _Work, stop: Block, shadow_on: date) -> Step:
    values = {"first_on": stop.first_on, "shadow_on": shadow_on}
    return work.step(StepCode.PAUSE_OPEN, _pause_article(work), None, values)


def _pause_article(work: _Work) -> str:
    rules = (_pause_rule(work, question) for question in work.history.questions)
    return next((rule.article for rule in rules if rule is not None), work.rules.receipt.article)


def _tell_asides(work: _Work, found: _Found) -> list[Step]:
    """Facts that move nothing are told too, so that nobody wonders."""
    history, article = work.history, work.rules.receipt.article
    steps = [step for question in history.questions for step in _tell_question(work, found, question)]
    for subject, on in history.unasked:
        values: dict[str, Parameter] = {"subject": subject.value, "received_on": on}
        steps.append(work.step(StepCode.ANSWER_UNASKED, article, None, values))
    for on in history.confirmed:
        steps.append(work.step(StepCode.CONFIRMED, article, None, {"confirmed_on": on}))
    for on in history.future:
        steps.append(work.step(StepCode.FUTURE_FACT, article, None, {"event_on": on}))
    return steps


def _tell_question(work: _Work, found: _Found, question: Question) -> list[Step]:
    if any(rule.subject is question.subject for rule in work.rules.resets):
        return []
    rule = _pause_rule(work, question)
    if rule is None:
        code: StepCode | None = StepCode.QUESTION_WITHOUT_EFFECT
        return [work.step(StepCode.QUESTION_WITHOUT_EFFECT, work.rules.receipt.article, None, _about(question))]
    code = _pause_refused(work, question, rule)
    if code is not None:
        return [work.step(code, rule.article, None, _about(question))]
    return _tell_too_late(work, found, question, rule)


def _tell_too_late(work: _Work, found: _Found, question: Question, rule: PauseRule) -> list[Step]:
    run = found.run
    if run is None or run.open is not None or _first_excluded(question, rule) <= run.end:
        return []
    values = {**_about(question), "limit_on": run.end}
    return [work.step(StepCode.QUESTION_TOO_LATE, rule.article, None, values)]


def _tell_extensions(work: _Work, run: _Run) -> list[Step]:
    rule = work.rules.extension
    return [_tell_extension(work, rule, run, on, event) for on, event in work.history.extensions]


def _tell_extension(
    work: _Work, rule: ExtensionRule | None, run: _Run, on: date, event: ClockEvent
) -> Step:
    if rule is None:
        article = work.rules.receipt.article
        return work.step(StepCode.EXTENSION_UNKNOWN, article, None, {"notified_on": on})
    values: dict[str, Parameter] = {"notified_on": on}
    if run.notice_limit is not None:
        values["limit_on"] = run.notice_limit
    code = _notice_refused(rule, run.notice_limit, on, event)
    if code is None:
        code = StepCode.EXTENDED if run.notice_limit is not None else StepCode.EXTENDED_PAUSED
    return work.step(code, rule.notice_article, None, values)


def _tell_period(work: _Work, period: Length, run: _Run) -> list[Step]:
    rule = work.rules.extension
    if run.notice is None or rule is None:
        return _tell_length(work, period, run.start, run.nominal)
    steps: list[Step] = []
    if run.origin != run.start:
        steps.append(work.step(StepCode.CLOCK_STARTED, rule.article, run.origin, {}))
    if rule.named_by_controller:
        values: dict[str, Parameter] = {"notified_on": run.notice[0]}
        return [*steps, work.step(StepCode.EXTENSION_NAMED, rule.article, run.nominal, values)]
    return [*steps, *_tell_count(work, rule.article, rule.months, run.origin, run.nominal)]


def _tell_length(work: _Work, length: Length, start: date, end: date) -> list[Step]:
    if not length.working_days:
        return _tell_count(work, length.article, length.months, start, end)
    values: dict[str, Parameter] = {"count": (end - start).days, "working_days": length.working_days}
    return [work.step(StepCode.WORKING_DAYS, length.article, end, values)]


def _tell_count(work: _Work, article: str, months: int, start: date, end: date) -> list[Step]:
    if not months:
        return [work.step(StepCode.DAYS, article, end, {"count": (end - start).days})]
    steps = [work.step(StepCode.MONTHS, article, end, {"count": months})]
    if end.day != start.day:
        steps.append(work.step(StepCode.CLAMPED, article, end, {"day": start.day}))
    return steps


def _tell_stays(work: _Work, run: _Run) -> list[Step]:
    rule = work.rules.extension
    if run.notice is not None and rule is not None and not rule.adds_pauses and _blocks(work, run.start, _Reading.LITERAL):
        return [work.step(StepCode.SUSPENSION_IGNORED, rule.article, run.end, {})]
    return [_tell_stay(work, stay) for stay in run.stays]


def _tell_stay(work: _Work, stay: Stay) -> Step:
    values: dict[str, Parameter] = {"count": stay.days, "first_on": stay.block.first_on}
    if stay.block.last_on is not None:
        values["last_on"] = stay.block.last_on
    return work.step(StepCode.PAUSED_DAYS, _pause_article(work), stay.end_on, values)


def _tell_roll(work: _Work, end: date, rolls: bool) -> list[Step]:
    why = work.calendar.why_off(end)
    if why is None:
        return []
    article, values = work.rules.roll.article, {"ended_on": end, "why": why}
    if not rolls:
        return [work.step(StepCode.NO_ROLL, article, end, values)]
    on = work.calendar.roll(end)
    return [work.step(StepCode.ROLLED, article, on, {**values, "count": (on - end).days})]


def _tell_stop(work: _Work, found: _Found) -> tuple[Step, ...]:
    return _tell_response(work, found, _rolled(work, found.shadow.end, work.calendar))


def _tell_notice(
    work: _Work, found: _Found, from_receipt: bool, due_on: date, code: StepCode, article: str
) -> tuple[Step, ...]:
    """The reasons for the end of the unextended period, counted from receipt or from the start."""
    run = found.shadow if from_receipt or found.run is None else found.run
    steps = _tell_received(work)
    if not from_receipt:
        steps += [work.step(*ruling) for ruling in found.rulings]
    steps += _tell_length(work, found.period, run.start, run.base_nominal)
    if run.base_end != run.base_nominal:
        _, stays, _ = lengthen(run.start, run.base_nominal, _blocks(work, run.start, _Reading.LITERAL))
        steps += [_tell_stay(work, stay) for stay in stays]
    steps += _tell_roll(work, run.base_end, work.rules.roll.rolls)
    return (*steps, work.step(code, article, due_on, {}))


# --- putting it together --------------------------------------------------------------------------------


def _deadline(
    work: _Work, found: _Found, limits: Mapping[ClockKind, Limit], zone: ZoneInfo, today: date
) -> Deadline:
    response = limits[ClockKind.RESPONSE]
    shadow_on = _rolled(work, found.shadow.end, work.calendar)
    refusal = limits.get(ClockKind.REFUSAL_NOTICE)
    notice = limits.get(ClockKind.EXTENSION_NOTICE)
    refusal_by = refusal.due_on if refusal is not None else None
    return Deadline(
        state=response.state,
        due_on=response.due_on,
        shadow_due_on=shadow_on,
        safe_due_on=response.safe_due_on,
        refusal_by=refusal_by,
        reasoned_letter_by=refusal_by or response.safe_due_on,
        extension_notice_by=notice.due_on if notice is not None else None,
        target_on=_target(work, found, response),
        received_on=work.history.received_on,
        started_on=found.run.start if found.run is not None else None,
        is_extended=found.run is not None and found.run.notice is not None,
        is_late=response.due_on is not None and today > response.due_on,
        stretches=_stretches(work, found, response.due_on),
        steps=response.steps,
        warnings=_once(work.warnings),
        limits=limits,
        regime=work.regime.code,
        rule_version=work.regime.rule_version,
        calendar_version=work.calendar.version,
        zone=zone,
    )


def _once(warnings: list[Step]) -> tuple[Step, ...]:
    """Several clocks may tell the same warning; it is shown once."""
    return tuple(step for n, step in enumerate(warnings) if step not in warnings[:n])


def _target(work: _Work, found: _Found, response: Limit) -> date | None:
    """Our own aim: the policy's days after the start, never after the safe date, on an open day."""
    if response.safe_due_on is None:
        return None
    return work.calendar.open_day_before(min(response.safe_due_on, _aim(work, found.cautious)))


def _aim(work: _Work, run: _Run) -> date:
    if run.notice is not None:
        return run.end
    return run.start + timedelta(days=_target_days(work) + sum(stay.days for stay in run.stays))


def _target_days(work: _Work) -> int:
    return work.rules.target.days if work.policy.target_days is None else work.policy.target_days


def _stretches(work: _Work, found: _Found, due_on: date | None) -> tuple[Stretch, ...]:
    received_on, run = work.history.received_on, found.run
    if run is None:
        return (Stretch(StretchKind.WAITING, received_on, None),)
    made = []
    if run.start > received_on:
        made.append(Stretch(StretchKind.WAITING, received_on, run.start - ONE_DAY))
    limit_on = _rolled(work, run.base_end, work.calendar) if run.notice is not None else None
    cursor = run.start
    for stay in run.stays:
        made += _counted(cursor, stay.block.first_on - ONE_DAY, limit_on)
        made.append(Stretch(StretchKind.PAUSED, stay.block.first_on, stay.block.last_on))
        cursor = (stay.block.last_on or stay.block.first_on) + ONE_DAY
    if run.open is not None:
        return (*made, *_counted(cursor, run.open.first_on - ONE_DAY, limit_on), _standing(run.open))
    return (*made, *_counted(cursor, due_on or run.end, limit_on))


def _standing(stop: Block) -> Stretch:
    return Stretch(StretchKind.PAUSED, stop.first_on, None)


def _counted(from_on: date, to_on: date, limit_on: date | None) -> list[Stretch]:
    """Days that count: running up to the first limit, extended after it."""
    if from_on > to_on:
        return []
    if limit_on is None or to_on <= limit_on:
        return [Stretch(StretchKind.RUNNING, from_on, to_on)]
    if from_on > limit_on:
        return [Stretch(StretchKind.EXTENDED, from_on, to_on)]
    running = Stretch(StretchKind.RUNNING, from_on, limit_on)
    return [running, Stretch(StretchKind.EXTENDED, limit_on + ONE_DAY, to_on)]


def _without_period(work: _Work, zone: ZoneInfo, today: date) -> Deadline:
    """A right for which the law fixes no number of days, or a case that is its own side clock."""
    article = work.rules.receipt.article
    step = work.step(StepCode.NO_FIXED_PERIOD, article, None, {})
    response = Limit(
        ClockKind.RESPONSE, State.NOT_APPLICABLE, None, None, (*_tell_received(work), step)
    )
    limits = {ClockKind.RESPONSE: response, **_side_limits(work)}
    own = limits.get(_OWN_CLOCK.get(work.history.right, ClockKind.RESPONSE), response)
    return _side_deadline(work, own, limits, zone, today)


def _side_deadline(
    work: _Work, own: Limit, limits: Mapping[ClockKind, Limit], zone: ZoneInfo, today: date
) -> Deadline:
    received_on = work.history.received_on
    aim = received_on + timedelta(days=_target_days(work))
    safe_on = own.safe_due_on or aim
    running = own.due_on is not None
    return Deadline(
        state=own.state,
        due_on=own.due_on,
        shadow_due_on=own.due_on,
        safe_due_on=own.safe_due_on,
        refusal_by=None,
        reasoned_letter_by=own.safe_due_on,
        extension_notice_by=None,
        target_on=work.calendar.open_day_before(min(safe_on, aim)),
        received_on=received_on,
        started_on=received_on if running else None,
        is_extended=False,
        is_late=own.due_on is not None and today > own.due_on,
        stretches=(Stretch(StretchKind.RUNNING, received_on, own.due_on),) if running else (),
        steps=own.steps,
        warnings=_once(work.warnings),
        limits=limits,
        regime=work.regime.code,
        rule_version=work.regime.rule_version,
        calendar_version=work.calendar.version,
        zone=zone,
    )
