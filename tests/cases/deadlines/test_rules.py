"""Cases worked out by hand, rule by rule, so that the project alone tests its law."""

from __future__ import annotations

import pytest

from cases.deadlines.deadline import Policy
from tests.cases.deadlines.case import dates, deadline, limit, row, shown

# (id, regime, received, events, right, kind, due, safe)
UK_CASES = [
    ("day of receipt counts", "UK-ENG", "2026-09-03", "", "access", "response", "2026-10-05", "2026-10-05"),
    ("received on a Sunday", "UK-ENG", "2026-06-21", "", "access", "response", "2026-07-21", "2026-07-21"),
    ("phone", "UK-ENG", "2026-09-14", "channel=phone", "access", "response", "2026-10-14", "2026-10-14"),
    ("instant by local day", "UK-ENG", "2026-07-01", "received_at=2026-06-30T23:30Z", "access", "response", "2026-08-03", "2026-08-03"),
    ("end of month does not stick", "UK-ENG", "2027-02-28", "", "access", "response", "2027-03-30", "2027-03-30"),
    ("clamped in a leap year", "UK-ENG", "2028-01-31", "", "access", "response", "2028-02-29", "2028-02-29"),
    ("leap day", "UK-ENG", "2028-02-29", "", "access", "response", "2028-03-29", "2028-03-29"),
    ("clamped on the 30th", "UK-ENG", "2026-05-31", "", "access", "response", "2026-06-30", "2026-06-30"),
    ("over the year's end", "UK-ENG", "2026-12-01", "", "access", "response", "2027-01-04", "2027-01-04"),
    ("into the new year's holiday", "UK-WLS", "2026-11-30", "", "access", "response", "2026-12-30", "2026-12-30"),
    ("Christmas chain", "UK-WLS", "2026-11-25", "", "access", "response", "2026-12-29", "2026-12-29"),
    ("Scotland 2 January", "UK-SCT", "2026-12-01", "", "access", "response", "2027-01-05", "2027-01-05"),
    ("Scotland no Easter Monday", "UK-SCT", "2026-03-06", "", "access", "response", "2026-04-06", "2026-04-06"),
    ("England Easter Monday", "UK-ENG", "2026-03-06", "", "access", "response", "2026-04-07", "2026-04-07"),
    ("Scotland August", "UK-SCT", "2026-07-03", "", "access", "response", "2026-08-04", "2026-08-04"),
    ("Scotland one-off", "UK-SCT", "2026-05-15", "", "access", "response", "2026-06-16", "2026-06-16"),
    ("NI Boyne on a Sunday", "UK-NIR", "2026-06-12", "", "access", "response", "2026-07-14", "2026-07-14"),
    ("England none then", "UK-ENG", "2026-06-12", "", "access", "response", "2026-07-13", "2026-07-13"),
    ("NI St Patrick", "UK-NIR", "2027-02-17", "", "access", "response", "2027-03-18", "2027-03-18"),
    ("identity starts the clock", "UK-ENG", "2026-09-01", "identity_requested=2026-09-02;identity_received=2026-09-10", "access", "response", "2026-10-12", "2026-10-12"),
    ("confirmation does not", "UK-ENG", "2026-09-01", "identity_requested=2026-09-02;identity_received=2026-09-10;identity_confirmed=2026-09-17", "access", "response", "2026-10-12", "2026-10-12"),
    ("identity of any right", "UK-ENG", "2026-10-05", "identity_requested=2026-10-06;identity_received=2026-10-31", "erasure", "response", "2026-11-30", "2026-11-30"),
    ("identity without doubt", "UK-ENG", "2026-06-01", "identity_requested=2026-06-02;identity_received=2026-06-09;identity_reasonable=no", "access", "response", "2026-07-01", "2026-07-01"),
    ("identity volunteered", "UK-ENG", "2026-06-01", "identity_received=2026-06-09", "access", "response", "2026-07-01", "2026-07-01"),
    ("identity asked late", "UK-ENG", "2026-06-01", "identity_requested=2026-06-25;identity_received=2026-06-29", "access", "response", "2026-07-29", "2026-07-01"),
    ("identity asked late, decided prompt", "UK-ENG", "2026-06-01", "identity_requested=2026-06-25;identity_received=2026-06-29;identity_prompt=yes", "access", "response", "2026-07-29", "2026-07-29"),
    ("identity asked after the end", "UK-ENG", "2026-06-01", "identity_requested=2026-07-02;identity_received=2026-07-06", "access", "response", "2026-07-01", "2026-07-01"),
    ("identity in two rounds", "UK-ENG", "2026-03-02", "identity_requested=2026-03-03;identity_received=2026-03-10;identity_requested=2026-03-11;identity_received=2026-03-20", "access", "response", "2026-04-20", "2026-04-10"),
    ("identity open", "UK-ENG", "2026-06-01", "identity_requested=2026-06-02", "access", "response", "NOT_STARTED", "2026-07-01"),
    ("identity second round open", "UK-ENG", "2026-03-02", "identity_requested=2026-03-03;identity_received=2026-03-10;identity_requested=2026-03-11", "access", "response", "NOT_STARTED", "2026-04-02"),
    ("authority", "UK-ENG", "2026-09-01", "authority_requested=2026-09-02;authority_received=2026-09-16", "access", "response", "2026-10-16", "2026-10-01"),
    ("fee open", "UK-ENG", "2026-09-01", "fee_requested=2026-09-08", "access", "response", "NOT_STARTED", "2026-10-01"),
    ("fee paid", "UK-ENG", "2026-09-01", "fee_requested=2026-09-08;fee_paid=2026-09-15", "access", "response", "2026-10-15", "2026-10-15"),
    ("fee for further copies", "UK-ENG", "2026-09-01", "fee_requested=2026-09-08;fee_basis=further_copies", "access", "response", "2026-10-01", "2026-10-01"),
    ("the latest of identity and fee", "UK-ENG", "2026-09-01", "fee_requested=2026-09-02;identity_requested=2026-09-02;fee_paid=2026-09-16;identity_received=2026-09-10", "access", "response", "2026-10-16", "2026-10-16"),
    ("pause both days", "UK-ENG", "2026-09-01", "clarification_requested=2026-09-07;clarification_received=2026-09-14", "access", "response", "2026-10-09", "2026-10-08"),
    ("pause of one day", "UK-ENG", "2026-09-01", "clarification_requested=2026-09-07;clarification_received=2026-09-07", "access", "response", "2026-10-02", "2026-10-01"),
    ("pause from the day of receipt", "UK-ENG", "2026-09-01", "clarification_requested=2026-09-01;clarification_received=2026-09-08", "access", "response", "2026-10-08", "2026-10-08"),
    ("pause before the roll", "UK-ENG", "2026-06-05", "clarification_requested=2026-06-10;clarification_received=2026-06-11", "access", "response", "2026-07-07", "2026-07-06"),
    ("pauses overlap", "UK-ENG", "2026-04-01", "clarification_requested=2026-04-07;clarification_received=2026-04-13;clarification_requested=2026-04-10;clarification_received=2026-04-15", "access", "response", "2026-05-11", "2026-05-11"),
    ("pause within a pause", "UK-ENG", "2026-09-01", "clarification_requested=2026-09-07;clarification_requested=2026-09-09;clarification_received=2026-09-10;clarification_received=2026-09-14", "access", "response", "2026-10-09", "2026-10-08"),
    ("pause opened by a pause", "UK-ENG", "2026-09-01", "clarification_requested=2026-09-28;clarification_received=2026-10-02;clarification_requested=2026-10-05;clarification_received=2026-10-06", "access", "response", "2026-10-08", "2026-10-06"),
    ("pause on the last day", "UK-ENG", "2026-09-01", "clarification_requested=2026-10-01;clarification_received=2026-10-08", "access", "response", "2026-10-09", "2026-10-08"),
    ("pause after the end", "UK-ENG", "2026-09-01", "clarification_requested=2026-10-02;clarification_received=2026-10-09", "access", "response", "2026-10-01", "2026-10-01"),
    ("pause after the end, open", "UK-ENG", "2026-09-01", "clarification_requested=2026-10-02", "access", "response", "2026-10-01", "2026-10-01"),
    ("pause on the rolled day", "UK-ENG", "2026-09-10", "clarification_requested=2026-10-12;clarification_received=2026-10-15", "access", "response", "2026-10-12", "2026-10-12"),
    ("pause open", "UK-ENG", "2026-09-01", "clarification_requested=2026-09-07", "access", "response", "PAUSED", "2026-10-01"),
    ("pause of erasure", "UK-ENG", "2026-09-01", "clarification_requested=2026-09-07;clarification_received=2026-09-14", "erasure", "response", "2026-10-01", "2026-10-01"),
    ("pause without need", "UK-ENG", "2026-09-01", "clarification_requested=2026-09-07;clarification_received=2026-09-14;clarification_reasonable=no", "access", "response", "2026-10-01", "2026-10-01"),
    ("pause before the start", "UK-ENG", "2026-09-01", "identity_requested=2026-09-01;clarification_requested=2026-09-02;clarification_received=2026-09-12;identity_received=2026-09-10", "access", "response", "2026-10-12", "2026-10-12"),
    ("extension", "UK-ENG", "2026-09-01", "extended=2026-09-25", "access", "response", "2026-12-01", "2026-12-01"),
    ("extension clamped from the start", "UK-ENG", "2026-11-30", "extended=2026-12-10", "access", "response", "2027-03-01", "2027-03-01"),
    ("extension on the last day", "UK-ENG", "2026-09-01", "extended=2026-10-01", "access", "response", "2026-12-01", "2026-12-01"),
    ("extension a day late", "UK-ENG", "2026-09-01", "extended=2026-10-02", "access", "response", "2026-10-01", "2026-10-01"),
    ("extension on the rolled day", "UK-ENG", "2026-09-10", "extended=2026-10-12", "access", "response", "2026-12-10", "2026-10-12"),
    ("extension for want of staff", "UK-ENG", "2026-09-01", "extended=2026-09-25;extension_reason=workload", "access", "response", "2026-10-01", "2026-10-01"),
    ("extension in time thanks to a pause", "UK-ENG", "2026-09-01", "clarification_requested=2026-09-07;clarification_received=2026-09-14;extended=2026-10-09", "access", "response", "2026-12-09", "2026-10-08"),
    ("extension and pause", "UK-ENG", "2026-09-01", "clarification_requested=2026-09-07;clarification_received=2026-09-14;extended=2026-09-25", "access", "response", "2026-12-09", "2026-12-08"),
    ("extension after identity", "UK-ENG", "2026-03-02", "identity_requested=2026-03-02;identity_received=2026-03-10;extended=2026-04-08", "access", "response", "2026-06-10", "2026-06-10"),
    ("notice over a week-end", "UK-ENG", "2026-09-10", "", "access", "extension_notice", "2026-10-12", "2026-10-09"),
    ("notice after a pause", "UK-ENG", "2026-09-01", "clarification_requested=2026-09-07;clarification_received=2026-09-14", "access", "extension_notice", "2026-10-09", "2026-10-08"),
    ("notice not started", "UK-ENG", "2026-09-01", "identity_requested=2026-09-02", "access", "extension_notice", "NOT_STARTED", "2026-10-01"),
    ("refusal follows the extension", "UK-ENG", "2026-09-01", "extended=2026-09-25", "access", "refusal_notice", "2026-12-01", "2026-10-01"),
    ("refusal while paused", "UK-ENG", "2026-09-01", "clarification_requested=2026-09-07", "access", "refusal_notice", "PAUSED", "2026-10-01"),
    ("complaint on the first day", "UK-ENG", "2026-06-19", "", "complaint", "complaint_ack", "2026-07-20", "2026-07-17"),
    ("complaint on a holiday's eve", "UK-ENG", "2026-11-25", "", "complaint", "complaint_ack", "2026-12-29", "2026-12-24"),
    ("complaint on a plain day", "UK-ENG", "2026-09-01", "", "complaint", "complaint_ack", "2026-10-01", "2026-09-30"),
    ("complaint the day before", "UK-ENG", "2026-06-18", "", "complaint", "complaint_ack", "NOT_APPLICABLE", "None"),
    ("complaint about a case", "UK-ENG", "2026-02-10", "complaint_received=2026-09-01", "access", "complaint_ack", "2026-10-01", "2026-09-30"),
    ("no complaint yet", "UK-ENG", "2026-09-01", "", "access", "complaint_ack", "NOT_APPLICABLE", "None"),
]  # fmt: skip

OLD_UK_CASES = [
    ("counted from the next day", "UK-ENG", "2019-08-14", "", "access", "response", "2019-09-16", "2019-09-16"),
    ("next day, plain", "UK-ENG", "2018-09-03", "", "access", "response", "2018-10-04", "2018-10-04"),
    ("counted from receipt", "UK-ENG", "2019-08-15", "", "access", "response", "2019-09-16", "2019-09-16"),
    ("no pause before ICO accepted it", "UK-ENG", "2020-09-01", "clarification_requested=2020-09-07;clarification_received=2020-09-14", "access", "response", "2020-10-01", "2020-10-01"),
    ("pause by guidance", "UK-ENG", "2025-09-01", "clarification_requested=2025-09-08;clarification_received=2025-09-12", "access", "response", "2025-10-06", "2025-10-01"),
    ("last day of the older rules", "UK-ENG", "2026-02-04", "extended=2026-03-01", "access", "refusal_notice", "2026-03-04", "2026-03-04"),
    ("first day of the newer rules", "UK-ENG", "2026-02-05", "extended=2026-03-01", "access", "refusal_notice", "2026-05-05", "2026-03-05"),
]  # fmt: skip

EU_CASES = [
    ("31 August", "EU-DE", "2026-08-31", "", "access", "response", "2026-09-30", "2026-09-30"),
    ("5 March until and including 5 April", "EU-DE", "2024-03-05", "", "access", "response", "2024-04-05", "2024-04-05"),
    ("German Easter", "EU-DE", "2026-03-03", "", "access", "response", "2026-04-07", "2026-04-07"),
    ("no Good Friday in Ireland", "EU-IE", "2026-03-03", "", "access", "response", "2026-04-03", "2026-04-03"),
    ("no Good Friday in France", "EU-FR", "2026-03-03", "", "access", "response", "2026-04-03", "2026-04-03"),
    ("no Good Friday in the Netherlands", "EU-NL", "2026-03-03", "", "access", "response", "2026-04-03", "2026-04-03"),
    ("Good Friday in Spain", "EU-ES", "2026-03-03", "", "access", "response", "2026-04-06", "2026-04-06"),
    ("no substitute day in Ireland", "EU-IE", "2026-11-28", "", "access", "response", "2026-12-28", "2026-12-28"),
    ("Land holiday left aside", "EU-DE", "2026-05-04", "", "access", "response", "2026-06-04", "2026-06-04"),
    ("Land holiday applied", "EU-DE/BY", "2026-05-04", "", "access", "response", "2026-06-05", "2026-06-04"),
    ("Norway", "EU-NO", "2026-04-17", "", "access", "response", "2026-05-18", "2026-05-18"),
    ("Iceland", "EU-IS", "2026-05-17", "", "access", "response", "2026-06-18", "2026-06-18"),
    ("Liechtenstein", "EU-LI", "2026-08-08", "", "access", "response", "2026-09-09", "2026-09-09"),
    ("identity suspends", "EU-DE", "2026-09-01", "identity_requested=2026-09-02;identity_received=2026-09-10", "access", "response", "2026-10-09", "2026-10-01"),
    ("identity open", "EU-DE", "2026-09-01", "identity_requested=2026-09-02", "access", "response", "PAUSED", "2026-10-01"),
    ("identity asked with delay", "EU-DE", "2026-09-01", "identity_requested=2026-09-21;identity_received=2026-09-25", "access", "response", "2026-10-01", "2026-10-01"),
    ("large quantity", "EU-DE", "2026-09-01", "clarification_requested=2026-09-03;clarification_received=2026-09-10", "access", "response", "2026-10-08", "2026-10-01"),
    ("no large quantity", "EU-DE", "2026-09-01", "clarification_requested=2026-09-03;clarification_received=2026-09-10;large_quantity=no", "access", "response", "2026-10-01", "2026-10-01"),
    ("clarification of erasure", "EU-DE", "2026-09-01", "clarification_requested=2026-09-03;clarification_received=2026-09-10", "erasure", "response", "2026-10-01", "2026-10-01"),
    ("no fee reset", "EU-DE", "2026-09-01", "fee_requested=2026-09-03", "access", "response", "2026-10-01", "2026-10-01"),
    ("no authority reset", "EU-DE", "2026-09-01", "authority_requested=2026-09-03", "access", "response", "2026-10-01", "2026-10-01"),
    ("extension", "EU-DE", "2026-09-01", "extended=2026-09-20", "access", "response", "2026-12-01", "2026-12-01"),
    ("extension without the suspension", "EU-DE", "2026-09-01", "identity_requested=2026-09-02;identity_received=2026-09-10;extended=2026-09-20", "access", "response", "2026-12-01", "2026-12-01"),
    ("suspension saves no late notice", "EU-DE", "2026-09-01", "identity_requested=2026-09-02;identity_received=2026-09-10;extended=2026-10-05", "access", "response", "2026-10-09", "2026-10-01"),
    ("refusal not extended", "EU-DE", "2026-09-01", "extended=2026-09-20", "access", "refusal_notice", "2026-10-01", "2026-10-01"),
    ("refusal not suspended", "EU-DE", "2026-09-01", "identity_requested=2026-09-02", "access", "refusal_notice", "2026-10-01", "2026-10-01"),
    ("notice not suspended", "EU-DE", "2026-09-01", "identity_requested=2026-09-02", "access", "extension_notice", "2026-10-01", "2026-10-01"),
    ("no complaint duty", "EU-DE", "2026-09-01", "", "complaint", "complaint_ack", "NOT_APPLICABLE", "None"),
]  # fmt: skip

OTHER_CASES = [
    ("California", "US-CA", "2026-09-01", "", "access", "response", "2026-10-16", "2026-10-16"),
    ("California extended", "US-CA", "2026-09-01", "extended=2026-10-10", "access", "response", "2026-11-30", "2026-11-30"),
    ("California acknowledges", "US-CA", "2026-09-01", "", "access", "acknowledgement", "2026-09-16", "2026-09-16"),
    ("California opt-out", "US-CA", "2026-09-01", "", "opt_out", "response", "2026-09-23", "2026-09-23"),
    ("California does not pause", "US-CA", "2026-09-01", "identity_requested=2026-09-02", "access", "response", "2026-10-16", "2026-10-16"),
    ("Virginia appeal", "US-VA", "2026-09-01", "", "appeal", "appeal", "2026-10-31", "2026-10-31"),
    ("Colorado", "US-CO", "2026-09-01", "", "access", "response", "2026-10-16", "2026-10-16"),
    ("Brazil", "BR", "2026-09-01", "", "access", "response", "2026-09-16", "2026-09-16"),
    ("Switzerland names a date", "CH", "2026-09-01", "extended=2026-09-20;extended_to=2026-11-02", "access", "response", "2026-11-02", "2026-11-02"),
    ("Switzerland names none", "CH", "2026-09-01", "extended=2026-09-20", "access", "response", "2026-10-01", "2026-10-01"),
    ("Quebec", "CA-QC", "2026-09-01", "", "access", "response", "2026-10-01", "2026-10-01"),
    ("Canada extended", "CA", "2026-09-01", "extended=2026-09-20", "access", "response", "2026-10-31", "2026-10-31"),
    ("Australia", "AU", "2026-09-01", "", "access", "response", "2026-10-01", "2026-10-01"),
    ("New Zealand", "NZ", "2026-09-01", "", "access", "response", "2026-09-29", "2026-09-29"),
    ("New Zealand over the recess", "NZ", "2026-12-18", "", "access", "response", "2027-02-09", "2027-02-09"),
    ("Singapore", "SG", "2026-09-01", "", "access", "response", "2026-10-01", "2026-10-01"),
    ("Japan", "JP", "2026-09-01", "", "access", "response", "NOT_APPLICABLE", "None"),
    ("Korea", "KR", "2026-09-01", "", "access", "response", "2026-09-11", "2026-09-11"),
    ("India grievance", "IN", "2027-06-01", "", "complaint", "complaint_response", "2027-08-30", "2027-08-30"),
    ("South Africa extended", "ZA", "2026-09-01", "extended=2026-09-20", "access", "response", "2026-10-31", "2026-10-31"),
]  # fmt: skip

CASES = [*UK_CASES, *OLD_UK_CASES, *EU_CASES, *OTHER_CASES]


@pytest.mark.parametrize("case", CASES, ids=[f"{case[1]}: {case[0]}" for case in CASES])
def test_date_by_hand(case: tuple[str, ...]) -> None:
    _, regime, received_on, events, right, kind, due, safe = case

    found = dates(row(regime, received_on, events, right, kind))

    assert found == (due, safe)


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
