"""Which days are working days, in whose calendar, and which version of it said so.

The days come from the ``holidays`` package, by country and region, and from a local file of
overrides, because one-off days are proclaimed late (Scotland had five months' notice of 15 June
2026). The version string goes into every result: when it changes, open cases are computed again.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import holidays
from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as record

from cases.deadlines.errors import DataFileError, places

ONE_DAY = timedelta(days=1)
PACKAGE_VERSION = version("holidays")


class DayKind(StrEnum):
    """What an override makes of a day."""

    HOLIDAY = "holiday"
    WORKING = "working"
    CLOSED = "closed"


@record(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Override:
    """One day that a local file changes.

    A ``holiday`` rolls deadlines like any public holiday; ``working`` removes a day that the
    package lists in error. ``closed`` is an office that is shut: that moves only our own target,
    since Reg 1182/71 Art 3(4) knows public holidays, Saturdays and Sundays alone. ``calendars`` names
    places: ``GB/SCT`` is Scotland alone, ``GB`` every nation.
    """

    on: date
    kind: DayKind
    name: Annotated[str, StringConstraints(min_length=1)]
    calendars: tuple[str, ...]
    source: Annotated[str, StringConstraints(min_length=1)]


@record(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class OverrideFile:
    """The content of an overrides file."""

    format: Literal[1]
    days: tuple[Override, ...] = ()


_OVERRIDES = TypeAdapter(OverrideFile)


def load_overrides(path: Path) -> tuple[Override, ...]:
    """Read an overrides file; raises DataFileError naming the file and the place of each error."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return _OVERRIDES.validate_python(content).days
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataFileError(path.name, (str(error),)) from error
    except ValidationError as error:
        raise DataFileError(path.name, places(error)) from error


@dataclass(frozen=True, slots=True)
class CalendarSpec:
    """Which public holidays apply.

    ``ignored`` names days that the package lists though they are no public holidays there;
    ``doubtful`` days are kept for the limit but not for the cautious date. ``recess`` closes
    a stretch of each year, as (month, day) to (month, day), both included.
    """

    country: str
    subdivision: str = ""
    ignored: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    recess: tuple[tuple[int, int], tuple[int, int]] | None = None

    @property
    def name(self) -> str:
        return f"{self.country}/{self.subdivision}" if self.subdivision else self.country


class UnknownCalendarError(LookupError):
    """The holidays package has no such country or region."""


@cache
def _listed(country: str, subdivision: str, year: int) -> dict[date, str]:
    try:
        found = holidays.country_holidays(
            country, subdiv=subdivision or None, years=year, language="en_US", expand=False
        )
    except NotImplementedError as error:
        raise UnknownCalendarError(f"no calendar {country}/{subdivision}") from error
    return {day: found[day] for day in found}


class Calendar:
    """The working days of one place. Values never change once read; only reading is put off."""

    __slots__ = (
        "_cautious",
        "_closed",
        "_counted",
        "_off",
        "_open_before",
        "_overrides",
        "_rolled",
        "_rolled_back",
        "_years",
        "spec",
        "version",
    )

    def __init__(self, spec: CalendarSpec, overrides: tuple[Override, ...] = ()) -> None:
        self.spec = spec
        self._overrides = tuple(day for day in overrides if _concerns(day, spec))
        self.version = _version(spec, self._overrides)
        self._off: dict[date, str] = {}
        self._closed = frozenset(day.on for day in self._overrides if day.kind is DayKind.CLOSED)
        self._years: set[int] = set()
        # Answers are remembered: a run over all open cases asks about the same few hundred days.
        self._rolled: dict[date, date] = {}
        self._rolled_back: dict[date, date] = {}
        self._open_before: dict[date, date] = {}
        self._counted: dict[tuple[date, int], date] = {}
        self._cautious: Calendar | None = None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def cautious(self) -> Calendar:
        """The same place with nothing but its undoubted national days.

        Days of a region are uncertain under Reg 1182/71, whose Art 2 speaks of the member state;
        a date that does without them is never late.
        """
        if self._cautious is None:
            self._cautious = self._without_doubt()
        return self._cautious

    def _without_doubt(self) -> Calendar:
        # The nations of the United Kingdom have calendars of their own in law; they are no regions.
        subdivision = self.spec.subdivision if self.spec.country == "GB" else ""
        ignored = (*self.spec.ignored, *self.spec.doubtful)
        spec = replace(self.spec, subdivision=subdivision, ignored=ignored, doubtful=())
        return self if spec == self.spec else Calendar(spec, self._overrides)

    def why_off(self, day: date) -> str | None:
        """Give "Saturday", "Sunday" or the holiday's name; None for a working day."""
        if day.year not in self._years:
            self._read(day.year)
        found = self._off.get(day)
        return found if found is not None or day.weekday() < 5 else ("Saturday", "Sunday")[day.weekday() - 5]

    def is_working(self, day: date) -> bool:
        return self.why_off(day) is None

    def is_open(self, day: date) -> bool:
        """Say whether the office works that day: a working day on which it is not closed."""
        return self.why_off(day) is None and day not in self._closed

    def roll(self, day: date) -> date:
        """Give the day itself, or the next working day (U6; Reg 1182/71 Art 3(4))."""
        found = self._rolled.get(day)
        if found is None:
            found = self._rolled[day] = self._next_working(day)
        return found

    def _next_working(self, day: date) -> date:
        while self.why_off(day) is not None:
            day += ONE_DAY
        return day

    def roll_back(self, day: date) -> date:
        """Give the day itself, or the working day before it."""
        found = self._rolled_back.get(day)
        if found is None:
            found = day
            while self.why_off(found) is not None:
                found -= ONE_DAY
            self._rolled_back[day] = found
        return found

    def open_day_before(self, day: date) -> date:
        """Give the day itself, or the last day before it on which the office is open."""
        found = self._open_before.get(day)
        if found is None:
            found = day
            while not self.is_open(found):
                found -= ONE_DAY
            self._open_before[day] = found
        return found

    def add_working_days(self, start: date, days: int) -> date:
        """Count working days after ``start``, which itself is not counted."""
        found = self._counted.get((start, days))
        if found is None:
            found = start
            for _ in range(days):
                found = self.roll(found + ONE_DAY)
            self._counted[start, days] = found
        return found

    def working_days_between(self, start: date, end: date) -> int:
        """Count the working days after ``start`` up to and including ``end``."""
        span = (start + timedelta(days=n) for n in range(1, (end - start).days + 1))
        return sum(self.is_working(day) for day in span)

    def _read(self, year: int) -> None:
        listed = _listed(self.spec.country, self.spec.subdivision, year)
        self._off |= {day: name for day, name in listed.items() if not _ignored(self.spec, name)}
        self._off |= _recess(self.spec, year)
        self._override(year)
        self._years.add(year)

    def _override(self, year: int) -> None:
        for day in self._overrides:
            if day.on.year == year and day.kind is DayKind.HOLIDAY:
                self._off[day.on] = day.name
            if day.on.year == year and day.kind is DayKind.WORKING:
                self._off.pop(day.on, None)


def _concerns(day: Override, spec: CalendarSpec) -> bool:
    """A day of a country is one in each of its regions too; a region's is nobody else's."""
    return spec.name in day.calendars or spec.country in day.calendars


def _ignored(spec: CalendarSpec, listed: str) -> bool:
    """Two holidays on one day are listed as "A; B": the day goes only when each is ignored."""
    return all(any(name.startswith(word) for word in spec.ignored) for name in listed.split("; "))


def _recess(spec: CalendarSpec, year: int) -> dict[date, str]:
    if spec.recess is None:
        return {}
    begins, ends = spec.recess
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    return {day: "Recess" for day in days if day.year == year and _inside(day, begins, ends)}


def _inside(day: date, begins: tuple[int, int], ends: tuple[int, int]) -> bool:
    """A recess may run over the new year: then its days lie before its end or after its start."""
    this = (day.month, day.day)
    return begins <= this <= ends if begins <= ends else this >= begins or this <= ends


def _version(spec: CalendarSpec, overrides: tuple[Override, ...]) -> str:
    """Name package, place and a digest of all that changes the listed days.

    Only the overrides of this place take part, so that a day proclaimed in Scotland recomputes
    Scottish cases and no others.
    """
    base = f"holidays {PACKAGE_VERSION} {spec.name}"
    changes = repr((spec.ignored, spec.doubtful, spec.recess, sorted(overrides, key=repr)))
    plain = not (spec.ignored or spec.doubtful or spec.recess or overrides)
    return base if plain else f"{base} +{hashlib.sha256(changes.encode()).hexdigest()[:8]}"


class SharedCalendar(Calendar):
    """Several offices: a day is off only when it is off in all of them."""

    __slots__ = ("_offices",)

    def __init__(self, offices: tuple[Calendar, ...]) -> None:
        if not offices:
            raise ValueError("a shared calendar needs at least one office")
        super().__init__(offices[0].spec)
        self._offices = offices
        self.version = " & ".join(office.version for office in offices)

    @property
    def name(self) -> str:
        return " & ".join(office.name for office in self._offices)

    @property
    def cautious(self) -> Calendar:
        if self._cautious is None:
            self._cautious = SharedCalendar(tuple(office.cautious for office in self._offices))
        return self._cautious

    def why_off(self, day: date) -> str | None:
        reasons = [office.why_off(day) for office in self._offices]
        return None if None in reasons else reasons[0]

    def is_open(self, day: date) -> bool:
        return any(office.is_open(day) for office in self._offices)
