from __future__ import annotations

from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.deadlines.calendars import (
    Calendar,
    CalendarSpec,
    DayKind,
    Override,
    SharedCalendar,
    UnknownCalendarError,
    load_overrides,
)
from cases.deadlines.errors import DataFileError

ENGLAND = CalendarSpec("GB", "ENG")
SCOTLAND = CalendarSpec("GB", "SCT")

OVERRIDES = """
format = 1
[[days]]
on = 2027-06-14
kind = "holiday"
name = "Proclaimed day"
calendars = ["GB/SCT"]
source = "Edinburgh Gazette"
[[days]]
on = 2027-08-02
kind = "working"
name = "Summer holiday moved"
calendars = ["GB/SCT"]
source = "Edinburgh Gazette"
[[days]]
on = 2027-08-03
kind = "closed"
name = "Office move"
calendars = ["GB/SCT", "GB/ENG"]
source = "Facilities"
"""


@pytest.fixture
def overrides(tmp_path: Path) -> tuple[Override, ...]:
    path = tmp_path / "overrides.toml"
    path.write_text(OVERRIDES, encoding="utf-8")
    return load_overrides(path)


@pytest.mark.parametrize(
    ("subdivision", "day", "why"),
    [
        ("ENG", date(2026, 4, 6), "Easter Monday"),
        ("SCT", date(2026, 4, 6), None),
        ("SCT", date(2026, 1, 2), "New Year Holiday"),
        ("ENG", date(2026, 1, 2), None),
        ("SCT", date(2026, 11, 30), "Saint Andrew's Day"),
        ("SCT", date(2026, 8, 3), "Summer Bank Holiday"),
        ("SCT", date(2026, 8, 31), None),
        ("ENG", date(2026, 8, 31), "Late Summer Bank Holiday"),
        ("NIR", date(2026, 3, 17), "Saint Patrick's Day"),
        ("NIR", date(2026, 7, 13), "Battle of the Boyne (observed)"),
        ("NIR", date(2029, 3, 19), "Saint Patrick's Day (observed)"),
        ("SCT", date(2026, 6, 15), "Scotland's participation in the FIFA World Cup final"),
        ("ENG", date(2026, 6, 13), "Saturday"),
        ("ENG", date(2026, 6, 14), "Sunday"),
    ],
)
def test_nation_has_its_own_bank_holidays(subdivision: str, day: date, why: str | None) -> None:
    assert Calendar(CalendarSpec("GB", subdivision)).why_off(day) == why


@pytest.mark.parametrize(
    ("day", "rolled"),
    [
        (date(2026, 12, 25), date(2026, 12, 29)),
        (date(2027, 12, 25), date(2027, 12, 29)),
        (date(2026, 4, 3), date(2026, 4, 7)),
        (date(2028, 1, 1), date(2028, 1, 4)),
        (date(2026, 4, 8), date(2026, 4, 8)),
    ],
)
def test_roll_passes_over_chained_days_off(day: date, rolled: date) -> None:
    assert Calendar(ENGLAND).roll(day) == rolled


@given(st.dates(date(2018, 5, 25), date(2040, 12, 31)))
def test_roll_lands_on_first_working_day(day: date) -> None:
    calendar = Calendar(SCOTLAND)

    rolled = calendar.roll(day)

    between = [day + timedelta(days=n) for n in range((rolled - day).days)]
    assert calendar.is_working(rolled)
    assert [one for one in between if calendar.is_working(one)] == []


def test_working_days_are_counted_without_the_first() -> None:
    calendar = Calendar(CalendarSpec("NZ", recess=((12, 25), (1, 15))))

    end = calendar.add_working_days(date(2026, 12, 24), 2)

    assert end == date(2027, 1, 19)
    assert calendar.working_days_between(date(2026, 12, 24), end) == 2


def test_override_adds_and_removes_days(overrides: tuple[Override, ...]) -> None:
    calendar = Calendar(SCOTLAND, overrides)

    assert calendar.why_off(date(2027, 6, 14)) == "Proclaimed day"
    assert calendar.why_off(date(2027, 8, 2)) is None


def test_closed_office_moves_no_limit_but_the_target(overrides: tuple[Override, ...]) -> None:
    calendar = Calendar(ENGLAND, overrides)

    assert calendar.roll(date(2027, 8, 3)) == date(2027, 8, 3)
    assert calendar.open_day_before(date(2027, 8, 3)) == date(2027, 8, 2)


def test_version_names_package_and_place() -> None:
    assert Calendar(ENGLAND).version == f"holidays {version('holidays')} GB/ENG"


def test_version_changes_only_where_an_override_applies(overrides: tuple[Override, ...]) -> None:
    scottish = tuple(day for day in overrides if day.calendars == ("GB/SCT",))

    assert Calendar(ENGLAND, scottish).version == Calendar(ENGLAND).version
    assert Calendar(SCOTLAND, scottish).version != Calendar(SCOTLAND).version


def test_version_does_not_depend_on_order(overrides: tuple[Override, ...]) -> None:
    assert Calendar(SCOTLAND, overrides).version == Calendar(SCOTLAND, overrides[::-1]).version


def test_shared_calendar_rolls_only_where_all_offices_are_off() -> None:
    shared = SharedCalendar((Calendar(ENGLAND), Calendar(SCOTLAND)))

    assert shared.roll(date(2026, 4, 6)) == date(2026, 4, 6)
    assert shared.roll(date(2026, 4, 3)) == date(2026, 4, 6)
    assert shared.cautious.roll(date(2026, 4, 3)) == date(2026, 4, 6)
    assert shared.name == "GB/ENG & GB/SCT"


def test_shared_calendar_without_office_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a shared calendar needs at least one office$"):
        SharedCalendar(())


def test_cautious_calendar_leaves_regional_and_doubtful_days() -> None:
    bavaria = Calendar(CalendarSpec("DE", "BY"))
    finland = Calendar(CalendarSpec("FI", doubtful=("Christmas Eve",)))

    assert bavaria.why_off(date(2026, 6, 4)) == "Corpus Christi"
    assert bavaria.cautious.why_off(date(2026, 6, 4)) is None
    assert finland.why_off(date(2026, 12, 24)) == "Christmas Eve"
    assert finland.cautious.why_off(date(2026, 12, 24)) is None


def test_cautious_calendar_of_a_nation_is_its_own() -> None:
    calendar = Calendar(SCOTLAND)

    assert calendar.cautious is calendar


def test_day_is_ignored_only_when_every_holiday_on_it_is() -> None:
    day = date(2026, 5, 1)

    one = Calendar(CalendarSpec("LV", ignored=("Labor Day",)))
    both = Calendar(CalendarSpec("LV", ignored=("Labor Day", "Constitutional Assembly")))

    assert not one.is_working(day)
    assert both.is_working(day)


def test_unknown_region_is_named() -> None:
    calendar = Calendar(CalendarSpec("DE", "XX"))

    with pytest.raises(UnknownCalendarError, match=r"^no calendar DE/XX$"):
        calendar.roll(date(2026, 6, 4))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("format = 2", "format: Input should be 1"),
        ('format = 1\n[[days]]\non = 2027-01-02\nkind = "holyday"\nname = "x"\ncalendars = []\nsource = "x"',
         "days[0].kind: Input should be 'holiday', 'working' or 'closed'"),
        ('format = 1\n[[days]]\non = 2027-01-02\nkind = "holiday"\nname = "x"\ncalendars = []',
         "days[0].source: Field required"),
    ],
)  # fmt: skip
def test_bad_override_is_named_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "overrides.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DataFileError) as caught:
        load_overrides(path)

    assert (caught.value.file, caught.value.problems) == ("overrides.toml", (problem,))


def test_override_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "overrides.toml"
    path.write_text("= nothing", encoding="utf-8")

    with pytest.raises(DataFileError) as caught:
        load_overrides(path)

    assert caught.value.file == "overrides.toml"


def test_kinds_of_override_are_closed() -> None:
    assert {kind.value for kind in DayKind} == {"holiday", "working", "closed"}
