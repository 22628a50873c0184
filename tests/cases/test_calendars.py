"""The file of local days: read again when it changes, kept when it cannot be read, refused before it goes live."""

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from cases import calendars

DAY = '[[days]]\non = 2026-10-01\nkind = "holiday"\nname = "Day"\ncalendars = ["GB"]\nsource = "us"\n'


@pytest.fixture
def file(settings: Any, tmp_path: Path) -> Path:
    path = tmp_path / "days.toml"
    path.write_text("format = 1\n")
    settings.CALENDAR_OVERRIDES = path
    return path


def days() -> list[str]:
    return [str(day.on) for day in calendars.overrides_in_force()]


def test_without_a_file_there_are_no_local_days(settings):
    settings.CALENDAR_OVERRIDES = None

    assert days() == []


def test_file_is_read_again_when_it_changed(file):
    before, marked = days(), calendars.law_in_force()

    file.write_text(f"format = 1\n{DAY}")

    assert (before, days()) == ([], ["2026-10-01"])
    assert calendars.law_in_force() not in {None, marked}


def test_order_of_days_is_no_change_of_law(file):
    other = DAY.replace("10-01", "10-02")
    file.write_text(f"format = 1\n{DAY}{other}")
    marked = calendars.law_in_force()

    file.write_text(f"format = 1\n\n{other}{DAY}")

    assert calendars.law_in_force() == marked


@pytest.mark.parametrize("content", ["format = 2\n", "format = 1\n[[days]]\non = soon\n", "\xff"])
def test_file_that_cannot_be_read_leaves_what_was_read(file, content, caplog):
    file.write_text(f"format = 1\n{DAY}")
    assert days() == ["2026-10-01"]

    file.write_bytes(content.encode("latin-1"))

    assert (days(), calendars.law_in_force()) == (["2026-10-01"], None)
    assert "cannot be read" in caplog.text


def test_file_that_is_gone_leaves_what_was_read(file):
    file.write_text(f"format = 1\n{DAY}")
    assert days() == ["2026-10-01"]

    file.unlink()

    assert (days(), calendars.law_in_force()) == (["2026-10-01"], None)


@pytest.mark.django_db
@pytest.mark.parametrize(("content", "found"), [(f"format = 1\n{DAY}", []), ("format = 2\n", ["DSAR.E011"])])
def test_wrong_file_is_refused_before_it_goes_live(file, content, found):
    file.write_text(content)

    problems = run_checks(include_deployment_checks=True, tags=["security"])

    assert [one.id for one in problems if one.id == "DSAR.E011"] == found
