"""Cases worked out by hand, rule by rule, so that the project alone tests its law."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from cases.deadlines.deadline import Policy
from cases.deadlines.notation import row_of
from tests.cases.deadlines.case import deadline, limit, row, shown

HAND_WORKED = Path(__file__).with_name("hand_worked.csv")


def cases() -> list[dict[str, str]]:
    with HAND_WORKED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case['regime']}: {case['name']}")
def test_date_worked_out_by_hand(case: dict[str, str]) -> None:
    found = limit(row_of(case))

    safe = str(found.safe_due_on or "")
    assert (shown(found), safe) == (case["expected_due_on"], case["safe_due_on"])


def test_suspension_switched_off_leaves_the_month() -> None:
    case = row("EU-DE", "2026-09-01", "identity_requested=2026-09-02;identity_received=2026-09-10")

    assert shown(limit(case, Policy(suspension=False))) == "2026-10-01"


def test_suspension_switched_off_leaves_the_statutory_pause() -> None:
    case = row("UK-ENG", "2026-09-01", "clarification_requested=2026-09-07;clarification_received=2026-09-14")

    assert shown(limit(case, Policy(suspension=False))) == "2026-10-09"


@pytest.mark.parametrize(
    ("regime", "events", "by"),
    [
        ("EU-DE", "identity_requested=2026-09-02", "2026-10-01"),
        ("EU-DE", "identity_requested=2026-09-02;identity_received=2026-09-10", "2026-10-01"),
        ("UK-ENG", "identity_requested=2026-09-02", "2026-10-01"),
        ("UK-ENG", "clarification_requested=2026-09-07", "2026-10-01"),
        ("UK-ENG", "identity_requested=2026-09-02;extended=2026-09-20", "2026-10-01"),
        ("UK-ENG", "identity_requested=2026-09-02;identity_received=2026-09-11", "2026-10-12"),
    ],
)
def test_reasoned_letter_due_even_while_no_answer_comes(regime: str, events: str, by: str) -> None:
    assert str(deadline(row(regime, "2026-09-01", events)).reasoned_letter_by) == by


@pytest.mark.parametrize(
    ("events", "shadow"),
    [
        ("identity_requested=2026-09-02", "2026-10-01"),
        ("clarification_requested=2026-09-07;clarification_received=2026-09-14", "2026-10-01"),
        ("identity_requested=2026-09-02;extended=2026-09-20", "2026-12-01"),
    ],
)
def test_shadow_counts_from_receipt(events: str, shadow: str) -> None:
    assert str(deadline(row("UK-ENG", "2026-09-01", events)).shadow_due_on) == shadow


@pytest.mark.parametrize(
    ("received_on", "events", "days", "target"),
    [
        ("2026-09-01", "", None, "2026-09-29"),
        ("2026-09-01", "", 10, "2026-09-11"),
        ("2026-09-05", "", 8, "2026-09-11"),  # Sunday the 13th goes back to Friday.
        ("2026-09-01", "", 90, "2026-10-01"),  # Never after the cautious date.
        (
            "2026-09-01",
            "clarification_requested=2026-09-07;clarification_received=2026-09-14",
            None,
            "2026-10-06",
        ),
        ("2026-09-01", "extended=2026-09-25", None, "2026-12-01"),
    ],
)
def test_target_is_an_open_day_before_the_safe_date(
    received_on: str, events: str, days: int | None, target: str
) -> None:
    case = row("UK-ENG", received_on, events)

    assert str(deadline(case, Policy(target_days=days)).target_on) == target
