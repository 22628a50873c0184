"""A second engine, written to be slow and obvious: it walks the calendar one day at a time.

It shares the event types with the engine and nothing else: no month arithmetic, no merging of
pauses, no rule files. It asks the holidays package itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

import holidays

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Asked:
    """One question as both engines are told it."""

    subject: str
    on: date
    answered: date | None
    reasonable: bool = True
    large: bool = True


@dataclass(frozen=True)
class Story:
    received: date
    right: str
    asked: tuple[Asked, ...] = ()
    extended: date | None = None
    subdivision: str = "ENG"
    country: str = "GB"
    open_days: tuple[date, ...] = field(default=())


@cache
def year(country: str, subdivision: str, number: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=number))


def day_off(story: Story, day: date) -> bool:
    return day.weekday() > 4 or day in year(story.country, story.subdivision, day.year)


def months_on(start: date, months: int) -> date:
    """Walk until the month has changed so often and the day number, or the month's last day, is met."""
    day, left = start, months
    while True:
        day += DAY
        left -= day.day == 1
        last_of_month = (day + DAY).day == 1
        if left == 0 and (day.day == start.day or (last_of_month and day.day < start.day)):
            return day


def count(start: date, days: int, idle: list[tuple[date, date | None]]) -> date | None:
    """Use up ``days`` one by one after ``start``, passing over idle days; None where idleness has no end."""
    day = start
    while days:
        day += DAY
        covering = [last for first, last in idle if first <= day and (last is None or day <= last)]
        if None in covering:
            return None
        days -= not covering
    return day


def roll(story: Story, day: date) -> date:
    while day_off(story, day):
        day += DAY
    return day


def uk(story: Story) -> str:
    """UK GDPR from 5 February 2026."""
    start = story.received
    for asked in sorted(story.asked, key=lambda a: a.on):
        if asked.subject == "clarification" or not asked.reasonable:
            continue
        end = uk_end(story, start)
        if end is not None and asked.on > end:
            continue
        if asked.answered is None:
            return "NOT_STARTED"
        start = max(start, asked.answered)
    end = uk_end(story, start)
    return "PAUSED" if end is None else str(roll(story, end))


def uk_end(story: Story, start: date) -> date | None:
    idle = [
        (a.on, a.answered)
        for a in story.asked
        if a.subject == "clarification" and a.reasonable and story.right == "access"
    ]
    first = count(start, (months_on(start, 1) - start).days, idle)
    if story.extended is None or (first is not None and story.extended > roll(story, first)):
        return first
    return count(start, (months_on(start, 3) - start).days, idle)


def eu(story: Story) -> str:
    """EU GDPR with suspension as the EDPB accepts it."""
    idle = [(a.on + DAY, a.answered) for a in story.asked if suspends(story, a)]
    idle = [(first, last) for first, last in idle if last is None or first <= last]
    month = months_on(story.received, 1)
    end = count(story.received, (month - story.received).days, idle)
    if end is None:
        return "PAUSED"
    if story.extended is not None and story.extended <= roll(story, month):
        end = months_on(story.received, 3)
    return str(roll(story, end))


def suspends(story: Story, asked: Asked) -> bool:
    if not asked.reasonable or asked.on > story.received + 14 * DAY:
        return False
    if asked.subject == "clarification":
        return story.right == "access" and asked.large
    return asked.subject == "identity"
