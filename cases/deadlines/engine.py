"""The statutory clock: facts, dated law and a calendar in; dates with their reasons out.

Nothing here reads the system's time, a database or a file. ``compute`` is all that callers need.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from cases.deadlines.arithmetic import ONE_DAY
from cases.deadlines.calendars import Calendar
from cases.deadlines.deadline import (
    DEFAULT_POLICY,
    Deadline,
    Limit,
    Policy,
    State,
    Stretch,
    StretchKind,
)
from cases.deadlines.events import CaseFacts, Right
from cases.deadlines.history import History, read_history
from cases.deadlines.loader import Regime
from cases.deadlines.readings import Found, Run, Work, period_end, read_all, rolled
from cases.deadlines.rules import ClockKind, ExtensionRule, Length, Origin, RefusalRule, SideClock
from cases.deadlines.steps import WARNINGS, Step, StepCode
from cases.deadlines.telling import (
    tell_length,
    tell_received,
    tell_response,
    tell_roll,
    tell_start,
    tell_unextended,
)

__all__ = ["DEFAULT_POLICY", "Deadline", "Limit", "Policy", "State", "Stretch", "StretchKind", "compute"]

# A complaint and an appeal are answered on clocks of their own.
_OWN_CLOCK = {Right.COMPLAINT: ClockKind.COMPLAINT_ACK, Right.APPEAL: ClockKind.APPEAL}


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
    work = Work(read_history(facts, now), regime, calendar, policy)
    today = now.astimezone(facts.zone).date()
    if work.period is None or facts.right in _OWN_CLOCK:
        return _without_period(work, facts.zone, today)
    return _with_period(work, work.period, facts.zone, today)


# --- the response and what hangs on it ------------------------------------------------------------


def _with_period(work: Work, period: Length, zone: ZoneInfo, today: date) -> Deadline:
    found = read_all(work, period)
    start = tell_start(work, found)
    response = _response(work, found, start)
    limits = {ClockKind.RESPONSE: response, **_notices(work, found, response, start), **_side_limits(work)}
    return _deadline(work, found, limits, zone, today)


def _response(work: Work, found: Found, start: list[Step]) -> Limit:
    safe_on = rolled(work, found.cautious.end, work.calendar.cautious)
    steps = tell_response(work, found, start, rolled(work, found.shadow.end, work.calendar))
    if found.run is None or found.run.open is not None:
        return Limit(ClockKind.RESPONSE, found.state, None, safe_on, steps)
    due_on = rolled(work, found.run.end, work.calendar)
    return _running(ClockKind.RESPONSE, due_on, safe_on, steps)


def _running(kind: ClockKind, due_on: date, safe_on: date, steps: tuple[Step, ...]) -> Limit:
    """A cautious reading that comes out later is no caution: the limit itself is."""
    return Limit(kind, State.RUNNING, due_on, min(safe_on, due_on), steps)


def _notices(work: Work, found: Found, response: Limit, start: list[Step]) -> dict[ClockKind, Limit]:
    made: dict[ClockKind, Limit] = {}
    if work.extension is not None:
        made[ClockKind.EXTENSION_NOTICE] = _extension_notice(work, found, work.extension, response, start)
    if work.rules.refusal is not None:
        made[ClockKind.REFUSAL_NOTICE] = _refusal(work, found, work.rules.refusal, response, start)
    return made


def _extension_notice(
    work: Work, found: Found, rule: ExtensionRule, response: Limit, start: list[Step]
) -> Limit:
    """UK GDPR Art 12A(4): before the first period ends (U7). GDPR Art 12(3): a month of receipt (E7)."""
    from_receipt = rule.notice_from is Origin.RECEIPT
    run, reasons = (found.shadow, tell_received(work)) if from_receipt else (found.run, start)
    cautious = found.shadow if from_receipt else found.cautious
    safe_on = _safe_notice(work, cautious.base_end)
    if run is None or (run.open is not None and not from_receipt):
        return Limit(ClockKind.EXTENSION_NOTICE, response.state, None, safe_on, response.steps)
    due_on = rolled(work, run.base_end, work.calendar)
    told = _unextended(work, found, reasons, run, response)
    steps = (*told, work.step(StepCode.NOTICE, rule.notice_article, due_on, {}))
    return _running(ClockKind.EXTENSION_NOTICE, due_on, safe_on, steps)


def _unextended(work: Work, found: Found, reasons: list[Step], run: Run, response: Limit) -> tuple[Step, ...]:
    """Tell the unextended period; where that is what the response tells, its reasons serve again."""
    if run is found.run and run.notice is None:
        return response.steps
    return tell_unextended(work, found, reasons, run)


def _safe_notice(work: Work, end: date) -> date:
    """Whether the roll moves this limit is open, so the safe day is a working day before it."""
    return work.calendar.cautious.roll_back(end) if work.rules.roll.rolls else end


def _refusal(work: Work, found: Found, rule: RefusalRule, response: Limit, start: list[Step]) -> Limit:
    """UK Art 12(4): before the applicable period ends (U8). EU Art 12(4): one month of receipt (E8)."""
    if rule.counted_from is Origin.RECEIPT:
        return _refusal_from_receipt(work, found, rule, response)
    safe_on = rolled(work, found.cautious.base_end, work.calendar.cautious)
    if found.run is None or response.due_on is None:
        return Limit(ClockKind.REFUSAL_NOTICE, response.state, None, safe_on, response.steps)
    if rule.follows_extension:
        due_on, told = response.due_on, response.steps
    else:
        due_on = rolled(work, found.run.base_end, work.calendar)
        told = _unextended(work, found, start, found.run, response)
    steps = (*told, work.step(StepCode.REFUSAL, rule.article, due_on, {}))
    return _running(ClockKind.REFUSAL_NOTICE, due_on, safe_on, steps)


def _refusal_from_receipt(work: Work, found: Found, rule: RefusalRule, response: Limit) -> Limit:
    end = found.shadow.base_end
    due_on = rolled(work, end, work.calendar)
    told = _unextended(work, found, tell_received(work), found.shadow, response)
    steps = (*told, work.step(StepCode.REFUSAL, rule.article, due_on, {}))
    return _running(ClockKind.REFUSAL_NOTICE, due_on, rolled(work, end, work.calendar.cautious), steps)


# --- clocks beside the response ---------------------------------------------------------------------


def _side_limits(work: Work) -> dict[ClockKind, Limit]:
    """Acknowledgements, complaints and appeals, each from its own event."""
    made: dict[ClockKind, Limit] = {}
    for clock in work.regime.clocks:
        event_on = _side_event(work.history, clock.kind)
        if event_on is not None and clock.covers(work.history.right) and _may_replace(made, clock, event_on):
            made[clock.kind] = _side_limit(work, clock, event_on)
    return made


def _may_replace(made: Mapping[ClockKind, Limit], clock: SideClock, event_on: date) -> bool:
    """Of several dated clocks of one kind, the one in force on the day is told."""
    return clock.kind not in made or clock.holds_on(event_on)


def _side_event(history: History, kind: ClockKind) -> date | None:
    if kind in (ClockKind.COMPLAINT_ACK, ClockKind.COMPLAINT_RESPONSE):
        return history.received_on if history.right is Right.COMPLAINT else history.complaint_on
    if kind is ClockKind.APPEAL:
        return history.received_on if history.right is Right.APPEAL else history.appeal_on
    return None if history.right in _OWN_CLOCK else history.received_on


def _side_limit(work: Work, clock: SideClock, event_on: date) -> Limit:
    if not clock.holds_on(event_on):
        step = work.step(StepCode.NOT_IN_FORCE, clock.article, None, {"event_on": event_on})
        return Limit(clock.kind, State.NOT_APPLICABLE, None, None, (step,))
    end = period_end(work, clock, event_on)
    due_on = work.calendar.roll(end) if clock.rolls else end
    first = work.step(StepCode.CLOCK_STARTED, clock.article, event_on, {})
    steps = (first, *tell_length(work, clock, event_on, end), *tell_roll(work, end, clock.rolls))
    met_on = work.history.acknowledged_on if clock.kind is ClockKind.COMPLAINT_ACK else None
    if met_on is not None:
        met = work.step(StepCode.ACKNOWLEDGED, clock.article, met_on, {"limit_on": due_on})
        return Limit(clock.kind, State.MET, None, None, (*steps, met))
    return _running(clock.kind, due_on, _safe_side(work, clock, event_on, due_on), steps)


def _safe_side(work: Work, clock: SideClock, event_on: date, due_on: date) -> date:
    """s.164A by the letter begins on the day of receipt, and that it rolls is only thought so."""
    if not clock.cautious_days:
        return due_on
    return work.calendar.cautious.roll_back(event_on + timedelta(days=clock.cautious_days))


# --- putting it together ------------------------------------------------------------------------------


def _deadline(
    work: Work, found: Found, limits: Mapping[ClockKind, Limit], zone: ZoneInfo, today: date
) -> Deadline:
    response = limits[ClockKind.RESPONSE]
    refusal = limits.get(ClockKind.REFUSAL_NOTICE, response)
    return Deadline(
        state=response.state,
        due_on=response.due_on,
        shadow_due_on=rolled(work, found.shadow.end, work.calendar),
        safe_due_on=response.safe_due_on,
        refusal_by=_due(limits, ClockKind.REFUSAL_NOTICE),
        reasoned_letter_by=refusal.safe_due_on,
        extension_notice_by=_due(limits, ClockKind.EXTENSION_NOTICE),
        target_on=_target(work, found, response),
        received_on=work.history.received_on,
        started_on=found.run.start if found.run is not None else None,
        is_extended=found.run is not None and found.run.notice is not None,
        is_late=response.due_on is not None and today > response.due_on,
        stretches=_stretches(work, found, response.due_on),
        steps=response.steps,
        warnings=_warnings(response),
        limits=limits,
        regime=work.regime.code,
        rule_version=work.regime.rule_version,
        calendar_version=work.calendar.version,
        zone=zone,
    )


def _due(limits: Mapping[ClockKind, Limit], kind: ClockKind) -> date | None:
    found = limits.get(kind)
    return None if found is None else found.due_on


def _warnings(limit: Limit) -> tuple[Step, ...]:
    return tuple([step for step in limit.steps if step.code in WARNINGS])


def _target(work: Work, found: Found, response: Limit) -> date | None:
    """Our own aim: the policy's days after the start, never after the safe date, on an open day."""
    if response.safe_due_on is None:
        return None
    return work.calendar.open_day_before(min(response.safe_due_on, _aim(work, found.cautious)))


def _aim(work: Work, run: Run) -> date:
    if run.notice is not None:
        return run.end
    return run.start + timedelta(days=_target_days(work) + sum([stay.days for stay in run.stays]))


def _target_days(work: Work) -> int:
    return work.rules.target.days if work.policy.target_days is None else work.policy.target_days


def _stretches(work: Work, found: Found, due_on: date | None) -> tuple[Stretch, ...]:
    received_on, run = work.history.received_on, found.run
    if run is None:
        return (Stretch(StretchKind.WAITING, received_on, None),)
    made = []
    if run.start > received_on:
        made.append(Stretch(StretchKind.WAITING, received_on, run.start - ONE_DAY))
    return (*made, *_from_start(run, due_on or run.end, _first_limit(work, run)))


def _first_limit(work: Work, run: Run) -> date | None:
    return rolled(work, run.base_end, work.calendar) if run.notice is not None else None


def _from_start(run: Run, to_on: date, limit_on: date | None) -> list[Stretch]:
    made: list[Stretch] = []
    cursor = run.start
    for stay in run.stays:
        made += _counted(cursor, stay.first_on - ONE_DAY, limit_on)
        made.append(Stretch(StretchKind.PAUSED, stay.first_on, stay.last_on))
        cursor = stay.last_on + ONE_DAY
    if run.open is None:
        return made + _counted(cursor, to_on, limit_on)
    stop = Stretch(StretchKind.PAUSED, run.open.first_on, None)
    return [*made, *_counted(cursor, run.open.first_on - ONE_DAY, limit_on), stop]


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


# --- where the response has no period -----------------------------------------------------------------


def _without_period(work: Work, zone: ZoneInfo, today: date) -> Deadline:
    """A right for which the law fixes no number of days, or a case that is its own side clock."""
    step = work.step(StepCode.NO_FIXED_PERIOD, work.rules.receipt.article, None, {})
    steps = (*tell_received(work), step)
    response = Limit(ClockKind.RESPONSE, State.NOT_APPLICABLE, None, None, steps)
    limits = {ClockKind.RESPONSE: response, **_side_limits(work)}
    own = limits.get(_OWN_CLOCK.get(work.history.right, ClockKind.RESPONSE), response)
    return _side_deadline(work, own, limits, zone, today)


def _own_end(work: Work, own: Limit) -> date | None:
    """Until when a clock of its own ran: to its date, or to the day on which what it asks for was done."""
    return work.history.acknowledged_on if own.state is State.MET else own.due_on


def _side_deadline(
    work: Work, own: Limit, limits: Mapping[ClockKind, Limit], zone: ZoneInfo, today: date
) -> Deadline:
    received_on = work.history.received_on
    aim = received_on + timedelta(days=_target_days(work))
    running = own.due_on is not None or own.state is State.MET
    return Deadline(
        state=own.state,
        due_on=own.due_on,
        shadow_due_on=own.due_on,
        safe_due_on=own.safe_due_on,
        refusal_by=None,
        reasoned_letter_by=own.safe_due_on,
        extension_notice_by=None,
        target_on=work.calendar.open_day_before(min(own.safe_due_on or aim, aim)),
        received_on=received_on,
        started_on=received_on if running else None,
        is_extended=False,
        is_late=own.due_on is not None and today > own.due_on,
        stretches=(Stretch(StretchKind.RUNNING, received_on, _own_end(work, own)),) if running else (),
        steps=own.steps,
        warnings=_warnings(own),
        limits=limits,
        regime=work.regime.code,
        rule_version=work.regime.rule_version,
        calendar_version=work.calendar.version,
        zone=zone,
    )
