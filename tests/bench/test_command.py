"""What is measured for which words on the command line."""

import pytest

from tests.bench.__main__ import SECTIONS, parse, wanted_rows
from tests.bench.options import Options
from tests.bench.peer import BY_NAME
from tests.bench.site import options_of


def test_every_row_is_measured_by_one_section():
    measured = sorted(row for section in SECTIONS for row in section.rows)

    assert measured == sorted(BY_NAME)


def test_wanted_rows_of_a_section_and_of_a_row():
    assert wanted_rows(["start", "access"]) == {"start-empty", "start-again", "access"}


def test_options_want_everything_when_nothing_is_named():
    assert (Options().wants("batch"), Options(names=frozenset({"access"})).wants("batch")) == (True, False)


def test_parse_refuses_a_name_that_means_nothing(capsys):
    with pytest.raises(SystemExit) as refusal:
        parse(["--only", "speed"])

    assert refusal.value.code == 2
    assert "unknown: speed." in capsys.readouterr().err


def test_options_of_an_address():
    assert options_of("postgresql://reader:p%40ss@crm.example:6543/crm") == {
        "host": "crm.example",
        "port": 6543,
        "database": "crm",
        "user": "reader",
        "password": "p@ss",
        "sslmode": "prefer",
    }


def test_options_of_something_else():
    with pytest.raises(ValueError, match="--crm takes postgresql"):
        options_of("mysql://crm.example/crm")
