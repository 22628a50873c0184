"""Tell the reasons for a date: the steps, in the order of the law."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial

from cases.deadlines.arithmetic import Block, Stay, lengthen
from cases.deadlines.events import ClockEvent
from cases.deadlines.history import History, Question
from cases.deadlines.readings import (
    Found,
    Pausing,
    Reading,
    Ruling,
    Run,
    Work,
    about,
    blocks_of,
    first_excluded,
    notice_refused,
)
from cases.deadlines.rules import ExtensionRule, Length
from cases.deadlines.steps import Parameter, Step, StepCode


def tell_received(work: Work) -> list[Step]:
    """Tell the first day of the period."""
    article = work.rules.receipt.article
    first = [work.step(StepCode.RECEIVED, article, work.history.received_on, {})]
    if work.first_on != work.history.received_on:
        first.append(work.step(StepCode.NEXT_DAY, article, work.first_on, {"count": 1}))
    return first


def tell_start(work: Work, found: Found) -> list[Step]:
    """Tell the first day and what became of each question that may move the start."""
    steps = tell_received(work)
    steps += [work.step(*ruling) for ruling in found.rulings]
    return steps


def tell_response(work: Work, found: Found, start: list[Step], shadow_on: date) -> tuple[Step, ...]:
    """Tell how the response's date came about, or why there is none."""
    steps = [*start, *_tell_asides(work, found)]
    if found.run is None:
        return (*steps, *_tell_waiting(work, found, shadow_on))
    steps += _tell_extensions(work, found.run)
    steps += _tell_period(work, found.period, found.run)
    steps += _tell_stays(work, found.run)
    if found.run.open is not None:
        return (*steps, _tell_open(work, found.run.open, shadow_on))
    return (*steps, *tell_roll(work, found.run.end, work.rules.roll.rolls))


def tell_unextended(work: Work, found: Found, start: list[Step], run: Run) -> tuple[Step, ...]:
    """Tell how the end of the unextended period came about."""
    steps = [*start, *tell_length(work, found.period, run.start, run.base_nominal)]
    if run.base_end != run.base_nominal:
        _, stays, _ = lengthen(run.start, run.base_nominal, blocks_of(work, run.start, Reading.LITERAL))
        steps += [_tell_stay(work, stay) for stay in stays]
    return (*steps, *tell_roll(work, run.base_end, work.rules.roll.rolls))


def tell_length(work: Work, length: Length, start: date, end: date) -> list[Step]:
    """Tell a period in its own unit."""
    if not length.working_days:
        return _tell_count(work, length.article, length.months, start, end)
    values: dict[str, Parameter] = {"count": (end - start).days, "working_days": length.working_days}
    return [work.step(StepCode.WORKING_DAYS, length.article, end, values)]


def tell_roll(work: Work, end: date, rolls: bool) -> list[Step]:
    """Tell what becomes of an end on a day off."""
    why = work.calendar.why_off(end)
    if why is None:
        return []
    article = work.rules.roll.article
    values: dict[str, Parameter] = {"ended_on": end, "why": why}
    if not rolls:
        return [work.step(StepCode.NO_ROLL, article, end, values)]
    on = work.calendar.roll(end)
    values["count"] = (on - end).days
    return [work.step(StepCode.ROLLED, article, on, values)]


def _tell_waiting(work: Work, found: Found, shadow_on: date) -> tuple[Step, ...]:
    waiting = found.waiting
    if waiting is None:
        return ()
    article = next(rule.article for rule in work.rules.resets if rule.subject is waiting.subject)
    values = {**about(waiting), "shadow_on": shadow_on}
    return (work.step(StepCode.WAITING_FOR, article, None, values),)


def _tell_open(work: Work, stop: Block, shadow_on: date) -> Step:
    values: dict[str, Parameter] = {"first_on": stop.first_on, "shadow_on": shadow_on}
    return work.step(StepCode.PAUSE_OPEN, _pause_article(work, stop.first_on), None, values)


def _pause_article(work: Work, day: date) -> str:
    """Give the article of the question that makes ``day`` not count."""
    for pausing in work.pauses:
        if pausing.refused is None and _spans(pausing, day):
            return pausing.rule.article
    return work.rules.receipt.article


def _spans(pausing: Pausing, day: date) -> bool:
    answered_on = pausing.question.answered_on
    begun = first_excluded(pausing.question, pausing.rule) <= day
    return begun and (answered_on is None or answered_on >= day)


def _tell_asides(work: Work, found: Found) -> list[Step]:
    """Facts that move nothing are told too, so that nobody wonders."""
    steps = _tell_questions(work, found) if work.history.questions else []
    return steps + [work.step(*aside) for aside in _asides(work)] if _has_asides(work.history) else steps


def _has_asides(history: History) -> bool:
    return bool(history.unasked or history.confirmed or history.future)


def _asides(work: Work) -> Iterator[Ruling]:
    history, article = work.history, work.rules.receipt.article
    for subject, on in history.unasked:
        values: dict[str, Parameter] = {"subject": subject.value, "received_on": on}
        yield Ruling(StepCode.ANSWER_UNASKED, article, None, values)
    for on in history.confirmed:
        yield Ruling(StepCode.CONFIRMED, article, None, {"confirmed_on": on})
    for on in history.future:
        yield Ruling(StepCode.FUTURE_FACT, article, None, {"event_on": on})


def _tell_questions(work: Work, found: Found) -> list[Step]:
    """Tell the questions that move nothing; those that move the start are told there."""
    steps = [
        work.step(*told) for told in map(partial(_pausing_aside, found), work.pauses) if told is not None
    ]
    return steps + [
        _without_effect(work, question) for question in work.history.questions if not work.knows(question)
    ]


def _without_effect(work: Work, question: Question) -> Step:
    return work.step(StepCode.QUESTION_WITHOUT_EFFECT, work.rules.receipt.article, None, about(question))


def _pausing_aside(found: Found, pausing: Pausing) -> Ruling | None:
    question, rule, refused = pausing
    if refused is not None:
        return Ruling(refused, rule.article, None, about(question))
    run = found.run
    if run is None or run.open is not None or first_excluded(question, rule) <= run.end:
        return None
    values = {**about(question), "limit_on": run.end}
    return Ruling(StepCode.QUESTION_TOO_LATE, rule.article, None, values)


def _tell_extensions(work: Work, run: Run) -> list[Step]:
    rule = work.extension
    return [_tell_extension(work, rule, run, on, event) for on, event in work.history.extensions]


def _tell_extension(work: Work, rule: ExtensionRule | None, run: Run, on: date, event: ClockEvent) -> Step:
    values: dict[str, Parameter] = {"notified_on": on}
    if rule is None:
        return work.step(StepCode.EXTENSION_UNKNOWN, work.rules.receipt.article, None, values)
    if run.notice_limit is not None:
        values["limit_on"] = run.notice_limit
    code = notice_refused(rule, run.notice_limit, on, event)
    if code is None:
        code = StepCode.EXTENDED if run.notice_limit is not None else StepCode.EXTENDED_PAUSED
    return work.step(code, rule.notice_article, None, values)


def _tell_period(work: Work, period: Length, run: Run) -> list[Step]:
    rule = work.extension
    if run.notice is None or rule is None:
        return tell_length(work, period, run.start, run.nominal)
    steps: list[Step] = []
    if run.origin != run.start:
        steps.append(work.step(StepCode.CLOCK_STARTED, rule.article, run.origin, {}))
    if rule.named_by_controller:
        values: dict[str, Parameter] = {"notified_on": run.notice[0]}
        return [*steps, work.step(StepCode.EXTENSION_NAMED, rule.article, run.nominal, values)]
    return [*steps, *_tell_count(work, rule.article, rule.months, run.origin, run.nominal)]


def _tell_count(work: Work, article: str, months: int, start: date, end: date) -> list[Step]:
    if not months:
        return [work.step(StepCode.DAYS, article, end, {"count": (end - start).days})]
    steps = [work.step(StepCode.MONTHS, article, end, {"count": months})]
    if end.day != start.day:
        steps.append(work.step(StepCode.CLAMPED, article, end, {"day": start.day}))
    return steps


def _tell_stays(work: Work, run: Run) -> list[Step]:
    rule = work.extension
    unmoved = run.notice is not None and rule is not None and not rule.adds_pauses
    if unmoved and rule is not None and blocks_of(work, run.start, Reading.LITERAL):
        return [work.step(StepCode.SUSPENSION_IGNORED, rule.article, run.end, {})]
    return [_tell_stay(work, stay) for stay in run.stays]


def _tell_stay(work: Work, stay: Stay) -> Step:
    values: dict[str, Parameter] = {"count": stay.days, "first_on": stay.first_on, "last_on": stay.last_on}
    return work.step(StepCode.PAUSED_DAYS, _pause_article(work, stay.first_on), stay.end_on, values)
