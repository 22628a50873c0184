"""A deadline in words, in dates and as a bar."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from cases.deadlines.deadline import Deadline
from cases.why import WIDTH, why_of
from tests.cases.deadlines.case import deadline, row

NOW = datetime(2026, 9, 20, 9, tzinfo=UTC)
ASKED = "identity_requested=2026-09-02"
WAITED = "Counted from Tuesday 1 September 2026, without the days of waiting: the answer is due by {}."
PAUSED = "clarification_requested=2026-09-07"


def of(events: str, regime: str = "UK-ENG", right: str = "access") -> Deadline:
    return deadline(row(regime, "2026-09-01", events, right))


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ("", "Counted from Tuesday 1 September 2026: the answer is due by Thursday 1 October 2026."),
        (
            "extended=2026-09-20",
            "Counted from Tuesday 1 September 2026, and extended: the answer is due by Tuesday 1 December 2026.",
        ),
        (f"{PAUSED};clarification_received=2026-09-14", WAITED.format("Friday 9 October 2026")),
        (PAUSED, "The clock stands still since Monday 7 September 2026, until the question is answered."),
        (
            ASKED,
            "The clock has not started: something was asked for and has not come in. By law it would start then.",
        ),
    ],
)
def test_sentence_says_the_date_and_what_it_rests_on(events, sentence):
    assert why_of(of(events), NOW).in_short == sentence


def test_sentence_says_that_the_law_fixes_no_date():
    assert why_of(of("", "JP"), NOW).in_short == "The law fixes no date for this."


def test_sentence_says_that_a_complaint_was_acknowledged():
    found = deadline(
        row("UK-ENG", "2026-09-01", "complaint_acknowledged=2026-09-05", "complaint", "complaint_ack")
    )

    assert why_of(found, NOW).in_short == "What this clock asks for is done."


def test_other_dates_are_told_soonest_first_and_none_twice():
    found = why_of(of(f"{PAUSED};clarification_received=2026-09-14", "EU-DE"), NOW)

    assert found.deadline.due_on == date(2026, 10, 8)
    assert [(one.name, one.on) for one in found.dates] == [
        ("Our own aim", date(2026, 9, 29)),
        ("Cautious date, if every open point goes against us", date(2026, 10, 1)),
        ("A refusal with reasons is out by", date(2026, 10, 1)),
        ("Notice of an extension is out by", date(2026, 10, 1)),
    ]


def test_letter_with_reasons_is_told_while_the_customer_has_not_answered():
    waiting, answered = of(ASKED, "EU-DE"), of(f"{ASKED};identity_received=2026-09-05", "EU-DE")
    name = "Even without an answer, a letter with reasons is out by"

    told = [[one.on for one in why_of(found, NOW).dates if one.name == name] for found in (waiting, answered)]

    assert told == [[date(2026, 10, 1)], []]


def test_bars_cover_the_whole_without_a_gap():
    events = (
        f"{ASKED};identity_received=2026-09-05;clarification_requested=2026-09-10;"
        "clarification_received=2026-09-15;extended=2026-09-20"
    )

    bars = why_of(of(events), NOW).bars

    assert [bar.kind for bar in bars] == ["waiting", "running", "paused", "running", "extended"]
    assert (bars[0].x, bars[0].from_on) == (0, date(2026, 9, 1))
    ends = [(one.to_on, other.from_on) for one, other in pairwise(bars)]
    assert [(later - earlier).days for earlier, later in ends if earlier] == [1, 1, 1, 1]
    assert abs(bars[-1].x + bars[-1].width - WIDTH) <= 1


@pytest.mark.parametrize(
    ("now", "is_drawn"),
    [
        (datetime(2026, 8, 31, 9, tzinfo=UTC), False),
        (NOW, True),
        (datetime(2026, 10, 2, 9, tzinfo=UTC), False),
    ],
)
def test_today_is_drawn_where_it_lies_on_the_bar(now, is_drawn):
    assert (why_of(of(""), now).today_x is not None) == is_drawn
