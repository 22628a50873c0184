"""The printed table."""

import pytest

from tests.bench.figures import Before, Result, skipped
from tests.bench.table import number, ratio, table


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "s", "–"),
        (0.2649, "s", "0.26 s"),
        (16.94, "s", "16.9 s"),
        (1867.4, "MB", "1,867 MB"),
        (4, "", "4"),
        (0.0, "", "0"),
    ],
)
def test_number_shows_the_digits_that_mean_something(value, unit, text):
    assert number(value, unit) == text


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (Result("access", (0.13,)), "4.0×"),
        (Result("access", (1.04,)), "0.5×"),
        (Result("kill-worker", (1.0,)), "245×"),
        (Result("redis-empty-lost", (0.0,)), "all"),
        (Result("redis-empty-found", (61.0,)), "–"),
        (Result("access", skipped="no CRM"), "–"),
    ],
)
def test_ratio_is_written_as_times_better(result, text):
    assert ratio(result) == text


def test_table_sets_results_and_remarks():
    results = [
        Result("access", (0.2, 0.1, 0.3), 0.41, Before(1.25, 0.5), "logged 0.02 s"),
        *skipped("no CRM", "subject-100k-memory"),
    ]

    assert table(results).splitlines() == [
        "work                                       peer     ours  ratio         aim  CPU s  load  others",
        "-------------------------------------  --------  -------  -----  ----------  -----  ----  ------",
        "one access, 9 rows, logged to package    0.52 s   0.20 s   2.6×  ≤ 0.25 s ✓   0.41   1.2     0.5",
        "    3 runs: 0.10 s to 0.30 s",
        "    logged 0.02 s",
        "    the peer makes JSON, we the PDF as well",
        "… peak memory of a worker process      1,867 MB  skipped      –    ≤ 300 MB      –     –       –",
        "    skipped: no CRM",
    ]


def test_table_marks_an_aim_that_was_missed():
    (line,) = [line for line in table([Result("queue-10k", (40.0,))]).splitlines() if line.startswith("list")]

    assert line.split()[-5:] == ["ms", "✗", "–", "0.0", "0.0"]
