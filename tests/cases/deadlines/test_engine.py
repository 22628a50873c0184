from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from cases.deadlines.calendars import Calendar, DayKind, Override
from cases.deadlines.deadline import Deadline, State, Stretch, StretchKind
from cases.deadlines.engine import compute
from cases.deadlines.events import CaseFacts, ClockEvent, EventKind, NaiveInstantError, Right
from cases.deadlines.history import NoReceiptError
from cases.deadlines.intake import first_deadline
from cases.deadlines.loader import calendar_for, default_catalogue
from cases.deadlines.rules import ClockKind
from cases.deadlines.steps import StepCode, replay
from tests.cases.deadlines.case import deadline, row

LONDON = ZoneInfo("Europe/London")
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def compute_for(code: str, *events: ClockEvent, zone: ZoneInfo = LONDON, now: datetime = NOW) -> Deadline:
    regime = default_catalogue().regime(code, date(2026, 9, 1))
    return compute(CaseFacts(Right.ACCESS, zone, events), regime, calendar_for(regime), now=now)


def received(at: str) -> ClockEvent:
    return ClockEvent(EventKind.RECEIVED, datetime.fromisoformat(at))


@pytest.mark.parametrize(
    ("code", "zone", "at", "due"),
    [
        # Summer time: an hour before midnight in Greenwich is already the next day in London.
        ("UK-ENG", LONDON, "2026-08-31T23:00:00+00:00", "2026-10-01"),
        ("UK-ENG", LONDON, "2026-08-31T22:59:59+00:00", "2026-09-30"),
        # Winter time begins on 25 October 2026 at 01:00 UTC.
        ("UK-ENG", LONDON, "2026-10-24T23:30:00+00:00", "2026-11-25"),
        ("UK-ENG", LONDON, "2026-10-25T23:30:00+00:00", "2026-11-25"),
        # Summer time begins on 29 March 2026.
        ("UK-ENG", LONDON, "2026-03-28T23:59:59+00:00", "2026-04-28"),
        ("UK-ENG", LONDON, "2026-03-29T23:00:00+00:00", "2026-04-30"),
        ("EU-DE", BERLIN, "2026-10-25T23:00:00+00:00", "2026-11-26"),
        ("EU-DE", BERLIN, "2026-12-31T23:00:00+00:00", "2027-02-01"),
        ("EU-DE", BERLIN, "2026-12-31T22:59:59+00:00", "2027-02-01"),
    ],
)
def test_day_of_receipt_is_local(code: str, zone: ZoneInfo, at: str, due: str) -> None:
    event = received(at)

    found = compute_for(code, event, zone=zone, now=event.instant)

    assert str(found.due_on) == due


def test_hour_that_summer_time_skips_still_has_a_day() -> None:
    event = ClockEvent(EventKind.RECEIVED, datetime(2026, 3, 29, 1, 30, tzinfo=LONDON))

    assert compute_for("UK-ENG", event).received_on == date(2026, 3, 29)


def test_last_second_is_local() -> None:
    found = compute_for("UK-ENG", received("2026-09-01T10:00:00+01:00"))

    assert found.due_at == datetime(2026, 10, 1, 23, 59, 59, tzinfo=LONDON)
    assert found.due_at is not None
    assert found.due_at.astimezone(UTC) == datetime(2026, 10, 1, 22, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "is_late"),
    [
        (datetime(2026, 10, 1, 23, 59, 59, tzinfo=LONDON), False),
        (datetime(2026, 10, 2, 0, 0, tzinfo=LONDON), True),
        (datetime(2026, 10, 1, 23, 30, tzinfo=UTC), True),
    ],
)
def test_case_is_late_from_local_midnight(now: datetime, is_late: bool) -> None:
    assert compute_for("UK-ENG", received("2026-09-01T10:00:00+01:00"), now=now).is_late is is_late


def test_first_of_two_receipts_counts() -> None:
    found = compute_for(
        "UK-ENG", received("2026-09-10T10:00:00+01:00"), received("2026-09-01T10:00:00+01:00")
    )

    assert found.received_on == date(2026, 9, 1)


def test_case_without_receipt_is_refused() -> None:
    with pytest.raises(NoReceiptError):
        compute_for("UK-ENG", ClockEvent(EventKind.EXTENSION_NOTIFIED, NOW))


def test_receipt_in_the_future_is_no_receipt() -> None:
    with pytest.raises(NoReceiptError):
        compute_for("UK-ENG", ClockEvent(EventKind.RECEIVED, NOW + timedelta(seconds=1)))


def test_instant_without_zone_is_refused() -> None:
    naive = datetime.combine(date(2026, 9, 1), time(12))

    with pytest.raises(NaiveInstantError, match=r"^received has an instant without a time zone$"):
        ClockEvent(EventKind.RECEIVED, naive)


def test_future_fact_is_left_aside_with_a_warning() -> None:
    later = ClockEvent(EventKind.EXTENSION_NOTIFIED, datetime(2026, 9, 20, 12, tzinfo=LONDON))

    found = compute_for(
        "UK-ENG", received("2026-09-01T10:00:00+01:00"), later, now=datetime(2026, 9, 10, tzinfo=UTC)
    )

    assert (str(found.due_on), found.is_extended) == ("2026-10-01", False)
    assert [(step.code, step.values) for step in found.warnings] == [
        (StepCode.FUTURE_FACT, {"event_on": date(2026, 9, 20)})
    ]


def test_answer_goes_to_its_own_question() -> None:
    def at(day: int) -> datetime:
        return datetime(2026, 9, day, 12, tzinfo=LONDON)

    found = compute_for(
        "UK-ENG",
        ClockEvent(EventKind.RECEIVED, at(1)),
        ClockEvent(EventKind.CLARIFICATION_REQUESTED, at(7), question="one"),
        ClockEvent(EventKind.CLARIFICATION_REQUESTED, at(8), question="two"),
        ClockEvent(EventKind.CLARIFICATION_RECEIVED, at(10), question="two"),
    )

    assert (found.state, found.stretches[-1]) == (
        State.PAUSED,
        Stretch(StretchKind.PAUSED, date(2026, 9, 7), None),
    )


def test_older_version_is_kept_by_the_case() -> None:
    regime = default_catalogue().version("UK-ENG", "2020-10-21")
    facts = CaseFacts(Right.ACCESS, LONDON, (received("2026-09-01T10:00:00+01:00"),))

    found = compute(facts, regime, calendar_for(regime), now=NOW)

    assert (found.rule_version, found.steps[0].article) == ("uk-gdpr 2020-10-21", "Art 12(3) GDPR")


def test_proclaimed_day_moves_the_date_and_the_version() -> None:
    day = Override(
        on=date(2026, 10, 1), kind=DayKind.HOLIDAY, name="Proclaimed", calendars=("GB/ENG",), source="Gazette"
    )
    at = datetime(2026, 9, 1, 10, tzinfo=LONDON)

    before = first_deadline("UK-ENG", at, Right.ACCESS, LONDON)
    after = first_deadline("UK-ENG", at, Right.ACCESS, LONDON, overrides=(day,))

    assert (str(before.due_on), str(after.due_on)) == ("2026-10-01", "2026-10-02")
    assert before.calendar_version != after.calendar_version


def test_intake_takes_the_version_of_the_local_day() -> None:
    at = datetime(2026, 2, 4, 23, 30, tzinfo=UTC)

    assert first_deadline("UK-ENG", at, Right.ACCESS, LONDON).rule_version == "uk-gdpr 2020-10-21"
    assert first_deadline("EU-DE", at, Right.ACCESS, BERLIN).received_on == date(2026, 2, 5)


def test_timeline_shows_waiting_running_paused_and_extended() -> None:
    events = (
        "identity_requested=2026-09-02;identity_received=2026-09-10;"
        "clarification_requested=2026-09-14;clarification_received=2026-09-18;extended=2026-09-25"
    )

    stretches = deadline(row("UK-ENG", "2026-09-01", events)).stretches

    assert [(one.kind, str(one.from_on), str(one.to_on)) for one in stretches] == [
        (StretchKind.WAITING, "2026-09-01", "2026-09-09"),
        (StretchKind.RUNNING, "2026-09-10", "2026-09-13"),
        (StretchKind.PAUSED, "2026-09-14", "2026-09-18"),
        (StretchKind.RUNNING, "2026-09-19", "2026-10-15"),
        (StretchKind.EXTENDED, "2026-10-16", "2026-12-15"),
    ]


def test_complaint_case_runs_on_its_acknowledgement() -> None:
    found = deadline(row("UK-ENG", "2026-09-01", "", "complaint", "complaint_ack"))

    assert (found.state, str(found.due_on), str(found.target_on)) == (
        State.RUNNING,
        "2026-10-01",
        "2026-09-29",
    )
    assert found.limit(ClockKind.RESPONSE).state is State.NOT_APPLICABLE


def test_complaint_may_be_told_by_its_own_event() -> None:
    event = ClockEvent(EventKind.COMPLAINT_RECEIVED, datetime(2026, 9, 1, 12, tzinfo=LONDON))
    regime = default_catalogue().regime("UK-ENG", date(2026, 9, 1))

    found = compute(CaseFacts(Right.COMPLAINT, LONDON, (event,)), regime, calendar_for(regime), now=NOW)

    assert str(found.due_on) == "2026-10-01"


@pytest.mark.parametrize("acknowledged_on", ["2026-09-03", "2026-10-05"])
def test_complaint_that_was_acknowledged_waits_for_no_date(acknowledged_on: str) -> None:
    events = (
        ClockEvent(EventKind.COMPLAINT_RECEIVED, datetime(2026, 9, 1, 12, tzinfo=LONDON)),
        ClockEvent(
            EventKind.COMPLAINT_ACKNOWLEDGED, datetime.fromisoformat(f"{acknowledged_on}T12:00:00+01:00")
        ),
    )
    regime = default_catalogue().regime("UK-ENG", date(2026, 9, 1))

    found = compute(CaseFacts(Right.COMPLAINT, LONDON, events), regime, calendar_for(regime), now=NOW)

    assert (found.state, found.due_on, found.is_late) == (State.MET, None, False)
    assert (str(found.steps[-1].on), str(found.steps[-1].values["limit_on"])) == (
        acknowledged_on,
        "2026-10-01",
    )
    assert str(found.target_on) == "2026-09-29"
    assert replay(found.steps) is None


def test_law_without_period_still_gives_a_target() -> None:
    found = deadline(row("JP", "2026-09-01"))

    assert (found.state, found.due_on, str(found.target_on)) == (State.NOT_APPLICABLE, None, "2026-09-15")


def test_unknown_clock_is_not_applicable() -> None:
    found = deadline(row("BR", "2026-09-01")).limit(ClockKind.APPEAL)

    assert (found.state, [step.code for step in found.steps]) == (
        State.NOT_APPLICABLE,
        [StepCode.UNKNOWN_TO_REGIME],
    )


def test_result_does_not_depend_on_what_was_computed_before() -> None:
    regime = default_catalogue().regime("UK-SCT", date(2026, 9, 1))
    fresh = Calendar(regime.place.calendar.spec())
    facts = CaseFacts(Right.ACCESS, LONDON, (received("2026-10-31T10:00:00+00:00"),))

    first = compute(facts, regime, fresh, now=NOW)

    assert first == compute(facts, regime, calendar_for(regime), now=NOW)
