# A table of cases reads best with one case a line.
# ruff: noqa: E501
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cases.deadlines.events import ClockEvent, EventKind, ExtensionReason, Right
from cases.deadlines.loader import UnknownRegimeError
from cases.deadlines.notation import NotationError, Row, facts_of, row_of
from cases.deadlines.rules import ClockKind
from tests.cases.deadlines.case import dates, limit, row

LONDON = ZoneInfo("Europe/London")


def test_row_is_read_with_defaults() -> None:
    cells = {"id": "1", "regime": " UK-ENG ", "received_on": "2026-09-01", "events": None, "right": ""}

    assert row_of(cells) == Row("UK-ENG", date(2026, 9, 1), "", Right.ACCESS, ClockKind.RESPONSE)


def test_facts_are_read_in_their_order_within_a_day() -> None:
    facts = facts_of(
        row("UK-ENG", "2026-09-01", "clarification_requested=2026-09-07; clarification_received=2026-09-07"),
        LONDON,
    )

    assert [event.kind for event in sorted(facts.events, key=lambda event: event.instant)] == [
        EventKind.RECEIVED,
        EventKind.CLARIFICATION_REQUESTED,
        EventKind.CLARIFICATION_RECEIVED,
    ]


def test_instant_of_receipt_goes_before_the_day() -> None:
    facts = facts_of(row("UK-ENG", "2026-07-01", "received_at=2026-06-30T23:30Z"), LONDON)

    assert facts.events == (ClockEvent(EventKind.RECEIVED, datetime(2026, 6, 30, 23, 30, tzinfo=UTC)),)


def test_property_speaks_of_its_events_only() -> None:
    facts = facts_of(
        row(
            "UK-ENG", "2026-09-01", "identity_requested=2026-09-02;extended=2026-09-03;identity_reasonable=no"
        ),
        LONDON,
    )

    assert [event.reasonable for event in facts.events] == [True, False, True]


@pytest.mark.parametrize(
    ("events", "reasonable"),
    [
        ("identity_requested=2026-09-02;identity_requested=2026-09-03;identity_reasonable=no", [True, False]),
        ("identity_requested=2026-09-02;identity_reasonable=no;identity_requested=2026-09-03", [False, True]),
        (
            "identity_reasonable=no;identity_requested=2026-09-02;identity_requested=2026-09-03",
            [False, False],
        ),
    ],
)
def test_property_holds_for_the_event_before_it_or_for_all(events: str, reasonable: list[bool]) -> None:
    facts = facts_of(row("UK-ENG", "2026-09-01", events), LONDON)

    assert [event.reasonable for event in facts.events[1:]] == reasonable


def test_unknown_reason_of_extension_is_another_one() -> None:
    facts = facts_of(row("UK-ENG", "2026-09-01", "extended=2026-09-03;extension_reason=staff"), LONDON)

    assert facts.events[1].extension_reason is ExtensionReason.OTHER


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"regime": "", "received_on": "2026-09-01"}, "no regime"),
        ({"regime": "UK-ENG"}, "no received_on"),
        ({"regime": "UK-ENG", "received_on": "1 September"}, "not a day: '1 September'"),
    ],
)
def test_row_that_cannot_be_read_says_why(cells: dict[str, str | None], message: str) -> None:
    with pytest.raises(NotationError) as caught:
        row_of(cells)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (row("UK-ENG", "2026-09-01", "identity_requested"), "not name=value: 'identity_requested'"),
        (row("UK-ENG", "2026-09-01", "identity_asked=2026-09-02"), "unknown name 'identity_asked'"),
        (row("UK-ENG", "2026-09-01", "extended=soon"), "not a day: 'soon'"),
        (row("UK-ENG", "2026-09-01", "received_at=2026-09-01T99:00"), "not an instant: '2026-09-01T99:00'"),
        (row("UK-ENG", "2026-09-01", "identity_requested=2026-09-02;identity_reasonable=perhaps"), "neither yes nor no: 'perhaps'"),
        (row("UK-ENG", "2026-09-01", "fee_requested=2026-09-02;fee_basis=greed"), "unknown fee_basis 'greed'"),
        (row("UK-ENG", "2026-09-01", right="forgetting"), "unknown right 'forgetting'"),
        (row("UK-ENG", "2026-09-01", kind="tea"), "unknown deadline_kind 'tea'"),
    ],
)  # fmt: skip
def test_history_that_cannot_be_read_says_why(case: Row, message: str) -> None:
    with pytest.raises(NotationError) as caught:
        limit(case)

    assert str(caught.value) == message


def test_unknown_regime_is_not_swallowed() -> None:
    with pytest.raises(UnknownRegimeError):
        limit(replace(row("UK-ENG", "2026-09-01"), regime="UK"))


def test_description_of_the_channel_moves_nothing() -> None:
    plain = row("UK-ENG", "2026-09-14")

    assert dates(replace(plain, events="channel=phone;taken_by=own_agent")) == dates(plain)
