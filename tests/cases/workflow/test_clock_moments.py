"""Facts are dated by when things happen, in the controller's own time: at night, and when clocks change."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cases import queries
from cases.deadlines.events import EventKind
from cases.models import Case
from cases.permissions import BY_SYSTEM, By, by_customer, by_staff
from cases.words import Channel, Right, State
from cases.workflow import authority, facts, identity, people, questions
from cases.workflow.authority import Shown
from cases.workflow.facts import Change
from cases.workflow.intake import Person, Representation
from dsar.lib.errors import Refused
from identity.models import Controller, Level
from identity.roles import Role
from tests.factories.cases import log, one_case
from tests.factories.identity import ControllerFactory, staff

pytestmark = pytest.mark.django_db


def brand(zone: str = "Europe/London", regime: str = "UK-ENG", level: int = 0, **fields: Any) -> Controller:
    return ControllerFactory.create(time_zone=zone, regime=regime, levels={"default": level}, **fields)


def handler(controller: Controller) -> By:
    return by_staff(staff(Role.HANDLER, controller))


def started(case: Case, now: datetime) -> date | None:
    return queries.deadline_of(Case.objects.get(pk=case.pk), now).started_on


def last_paused(case: Case, now: datetime) -> tuple[date, date | None]:
    found = [
        one
        for one in queries.deadline_of(Case.objects.get(pk=case.pk), now).stretches
        if one.kind == "paused"
    ]
    return found[-1].from_on, found[-1].to_on


@pytest.mark.parametrize(
    ("zone", "regime", "at", "received_on"),
    [
        ("Europe/London", "UK-ENG", datetime(2026, 6, 30, 22, 59, tzinfo=UTC), date(2026, 6, 30)),
        ("Europe/London", "UK-ENG", datetime(2026, 6, 30, 23, 0, tzinfo=UTC), date(2026, 7, 1)),
        ("Europe/London", "UK-ENG", datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), date(2026, 12, 31)),
        ("Europe/London", "UK-ENG", datetime(2026, 10, 24, 23, 30, tzinfo=UTC), date(2026, 10, 25)),
        ("Europe/London", "UK-ENG", datetime(2026, 10, 25, 23, 30, tzinfo=UTC), date(2026, 10, 25)),
        ("Europe/Berlin", "EU-DE", datetime(2026, 3, 28, 23, 30, tzinfo=UTC), date(2026, 3, 29)),
        ("Europe/Berlin", "EU-DE", datetime(2026, 3, 29, 22, 30, tzinfo=UTC), date(2026, 3, 30)),
        ("Europe/Athens", "EU-GR", datetime(2026, 9, 1, 20, 59, 59, tzinfo=UTC), date(2026, 9, 1)),
        ("Europe/Athens", "EU-GR", datetime(2026, 9, 1, 21, 0, tzinfo=UTC), date(2026, 9, 2)),
    ],
)
def test_request_of_the_night_is_received_on_the_local_day(serve, zone, regime, at, received_on):
    case = one_case(brand(zone, regime), now=at, received_at=at)

    assert queries.deadline_of(case, at).received_on == received_on


def test_letter_of_yesterday_counts_from_yesterday(serve):
    now = datetime(2026, 9, 2, 8, tzinfo=UTC)

    case = one_case(brand(), now=now, received_at=now - timedelta(hours=10), channel=Channel.LETTER)

    assert (started(case, now), case.due_on) == (date(2026, 9, 1), date(2026, 10, 1))


def test_answer_in_the_portal_at_night_counts_on_its_local_day(serve):
    controller, asked_at = brand(), datetime(2026, 6, 24, 9, tzinfo=UTC)
    case = one_case(controller, now=asked_at, received_at=asked_at - timedelta(days=2))
    questions.ask_clarification(case, "Which account?", True, handler(controller), asked_at)
    night = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)

    request = Case.objects.get(pk=case.pk).subject_request
    questions.take_message(request, "Both.", by_customer(request.pk), night)

    assert last_paused(case, night) == (date(2026, 6, 24), date(2026, 7, 1))
    assert Case.objects.get(pk=case.pk).clock_state == "running"


def test_answer_to_a_question_that_was_noted_later_ends_its_pause(serve):
    controller, now = brand(), datetime(2026, 9, 8, 9, tzinfo=UTC)
    case = one_case(controller, now=now - timedelta(days=4), received_at=now - timedelta(days=4))
    noted = Change(EventKind.CLARIFICATION_REQUESTED, now - timedelta(days=1), "Asked on the telephone")
    facts.change(case, noted, handler(controller), now)
    assert Case.objects.get(pk=case.pk).clock_state == "paused"

    questions.take_message(case.subject_request, "Both.", by_customer(case.subject_request_id), now)

    found = Case.objects.get(pk=case.pk)
    assert (found.clock_state, found.state) == ("running", case.state)


def test_friendly_word_is_no_fact(serve):
    now = datetime(2026, 9, 8, 9, tzinfo=UTC)
    case = one_case(brand(), now=now, received_at=now)

    questions.take_message(case.subject_request, "Thank you.", by_customer(case.subject_request_id), now)

    assert [event.kind for event in case.clock_events.all()] == ["received"]


@pytest.mark.parametrize(
    ("at", "kept"),
    [
        (datetime(2026, 9, 8, 10, 0, tzinfo=UTC), datetime(2026, 9, 8, 10, 0, 30, tzinfo=UTC)),
        (datetime(2026, 9, 9, 10, 0, tzinfo=UTC), datetime(2026, 9, 9, 10, 0, tzinfo=UTC)),
    ],
)
def test_answer_of_the_same_minute_comes_after_its_question(serve, at, kept):
    controller, asked_at = brand(), datetime(2026, 9, 8, 10, 0, 30, tzinfo=UTC)
    case = one_case(controller, now=asked_at, received_at=asked_at - timedelta(days=2))
    by = handler(controller)
    questions.ask_clarification(case, "Which account?", True, by, asked_at)

    questions.answer_clarification(case, "Both.", at, by, asked_at + timedelta(days=2))

    assert case.clock_events.get(kind=EventKind.CLARIFICATION_RECEIVED).at == kept
    assert Case.objects.get(pk=case.pk).clock_state == "running"


def test_answer_before_its_question_is_refused(serve):
    controller, asked_at = brand(), datetime(2026, 9, 8, 10, 0, 30, tzinfo=UTC)
    case = one_case(controller, now=asked_at, received_at=asked_at - timedelta(days=2))
    by = handler(controller)
    questions.ask_clarification(case, "Which account?", True, by, asked_at)

    with pytest.raises(Refused, match="cannot come before"):
        questions.answer_clarification(case, "Both.", asked_at - timedelta(minutes=1), by, asked_at)

    found = Case.objects.get(pk=case.pk)
    assert (found.state, found.clock_state) == (State.AWAITING_CLARIFICATION, "paused")


def test_fee_that_was_paid_on_a_sunday_starts_the_clock_that_day(serve):
    controller, asked_at = brand(), datetime(2026, 9, 4, 10, tzinfo=UTC)
    case = one_case(controller, now=asked_at, received_at=asked_at)
    by = handler(controller)
    questions.ask_fee(case, "10 pounds", "The seventh this year", by, asked_at)
    assert Case.objects.get(pk=case.pk).clock_state == "not_started"

    paid_at = datetime(2026, 9, 6, 20, tzinfo=UTC)
    questions.receive_fee(case, paid_at, by, asked_at + timedelta(days=3))

    assert started(case, asked_at + timedelta(days=3)) == date(2026, 9, 6)


def test_clock_starts_when_proof_came_in_not_when_it_was_checked(serve):
    controller, logged_at = brand(level=2), datetime(2026, 9, 1, 9, tzinfo=UTC)
    case = one_case(controller, now=logged_at, received_at=logged_at)
    came_at, checked_at = datetime(2026, 9, 7, 23, 30, tzinfo=UTC), datetime(2026, 9, 10, 9, tzinfo=UTC)

    identity.record_evidence(
        case,
        Level.SUBSTANTIAL,
        "known_answers",
        "By letter.",
        handler(controller),
        checked_at,
        came_at=came_at,
    )

    assert started(case, checked_at) == date(2026, 9, 8)
    kinds = {event.kind: event.at for event in case.clock_events.all()}
    assert (kinds["identity_received"], kinds["identity_confirmed"]) == (came_at, checked_at)


def test_proof_that_came_with_the_request_is_received_when_it_was_asked_for(serve):
    controller, logged_at = brand(level=2), datetime(2026, 9, 2, 9, tzinfo=UTC)
    case = one_case(controller, now=logged_at, received_at=logged_at - timedelta(days=1))

    identity.record_evidence(
        case,
        Level.SUBSTANTIAL,
        "known_answers",
        "It lay in the envelope.",
        handler(controller),
        logged_at + timedelta(hours=1),
        came_at=logged_at - timedelta(days=1),
    )

    assert case.clock_events.get(kind=EventKind.IDENTITY_RECEIVED).at == logged_at


def test_proof_from_the_future_is_refused(serve):
    controller, now = brand(level=2), datetime(2026, 9, 2, 9, tzinfo=UTC)
    case = one_case(controller, now=now, received_at=now)

    with pytest.raises(Refused, match="future"):
        identity.record_evidence(
            case, Level.SUBSTANTIAL, "x", "y", handler(controller), now, came_at=now + timedelta(hours=1)
        )


def represented(controller: Controller, now: datetime) -> Case:
    request = log(
        controller,
        Right.ACCESS,
        Right.ERASURE,
        now=now,
        received_at=now,
        person=Person(name="Ada Example", email="ada@example.com"),
        representation=Representation("solicitor", "Sue Solicitor", "sue@law.example"),
    )
    return request.cases.get(right=Right.ACCESS)


def test_authority_that_is_asked_for_holds_every_case_until_it_is_seen(serve):
    controller, now = brand(), datetime(2026, 9, 1, 9, tzinfo=UTC)
    case, by = represented(controller, now), handler(controller)
    reminded_at, came_at = datetime(2026, 9, 8, 9, tzinfo=UTC), datetime(2026, 9, 16, 9, tzinfo=UTC)

    authority.ask(case, "Please send a signed authority.", by, reminded_at)
    waiting = set(case.subject_request.cases.values_list("clock_state", flat=True))
    seen_at = came_at + timedelta(days=3)
    identity.record_evidence(case, Level.LOW, "call_back", "At the firm.", by, seen_at, came_at=came_at)
    authority.record(case, Shown(came_at, words="A signed letter."), by, seen_at)

    cases = list(case.subject_request.cases.all())
    assert waiting == {"not_started"}
    assert [started(one, seen_at) for one in cases] == [date(2026, 9, 16)] * 2
    assert [kinds(one).count("authority_requested") for one in cases] == [1, 1]
    assert case.subject_request.letters.filter(kind="authority").count() == 1


def kinds(case):
    return [event.kind for event in case.clock_events.all()]


def test_authority_is_asked_of_representatives_alone(serve):
    controller, now = brand(), datetime(2026, 9, 1, 9, tzinfo=UTC)
    case = one_case(controller, now=now, received_at=now)

    with pytest.raises(Refused, match="asks for themselves"):
        authority.ask(case, "Who are you?", handler(controller), now)

    assert kinds(case) == ["received"]


def test_identity_asked_anew_needs_new_information(serve):
    controller, now = brand(level=2), datetime(2026, 3, 2, 9, tzinfo=UTC)
    case, by = one_case(controller, now=now, received_at=now), handler(controller)
    received = Change(EventKind.IDENTITY_RECEIVED, now + timedelta(days=8), "A copy, unreadable")
    again = Change(EventKind.IDENTITY_REQUESTED, now + timedelta(days=9), "Asked for a readable one")
    facts.change(case, received, by, now + timedelta(days=9))
    facts.change(case, again, by, now + timedelta(days=9))

    identity.record_evidence(case, Level.SUBSTANTIAL, "known_answers", "Now.", by, now + timedelta(days=18))

    assert started(case, now + timedelta(days=18)) == date(2026, 3, 20)


def test_complaint_of_the_night_is_acknowledged_by_its_local_day(serve):
    controller, night = brand(), datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    case = one_case(controller, now=night, received_at=night)

    complaint = people.complain(case, "Too slow", Channel.CALL, night, BY_SYSTEM, night)

    found = complaint.cases.get()
    assert queries.deadline_of(found, night).received_on == date(2026, 7, 1)
    assert found.due_on == date(2026, 7, 31)
