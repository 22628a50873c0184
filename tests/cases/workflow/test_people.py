import pytest
from django.utils import timezone

from cases.models import Case, Letter
from cases.permissions import by_customer, by_staff
from cases.words import Channel, Outcome, Right, State
from cases.workflow import decide, people, questions
from cases.workflow.intake import Person
from dsar.lib.errors import NotAllowed, Refused
from identity.models import User
from identity.roles import Role
from tests.factories.cases import run_jobs
from tests.factories.identity import ControllerFactory, give_policy, staff

pytestmark = pytest.mark.django_db


def person_of(by) -> User:
    return User.objects.get(pk=by.person_id)


def test_stranger_sends_nobody_away(desk):
    stranger = by_staff(staff(Role.HANDLER, ControllerFactory.create()))
    handler = person_of(desk.handler)

    with pytest.raises(NotAllowed):
        people.set_absence(handler, timezone.now().date(), None, stranger, timezone.now())

    handler.refresh_from_db()
    assert handler.away_until is None


def test_absence_passes_open_cases_to_the_cover(desk):
    case = people.assign(desk.case(), person_of(desk.handler), desk.handler, timezone.now())

    moved = people.set_absence(
        person_of(desk.handler),
        timezone.now().date(),
        person_of(desk.second_handler),
        desk.handler,
        timezone.now(),
    )

    case.refresh_from_db()
    assert (moved, case.owner_id) == (1, desk.second_handler.person_id)


def test_new_address_for_a_known_person_does_not_redirect_what_is_under_way(desk):
    """Somebody names a customer whose answer goes by post, and an address of their own."""
    known = desk.case(person=Person(name="Ada Example", external_id="C-1", postal_address="1 High Street"))

    asked = desk.case(subject_id=known.subject_id, person=Person(email="eve@example.com"))

    known.subject.refresh_from_db()
    assert (known.subject.email, asked.subject.email) == ("", "eve@example.com")
    assert (asked.subject.name, asked.subject.external_id) == ("Ada Example", "C-1")


def test_right_that_needs_no_proof_starts_the_clock(desk):
    give_policy(desk.controller, {"default": 1, "objection": 0})
    case = desk.case(Right.ACCESS)
    assert case.clock_state != "running"

    case = people.correct_right(case, Right.OBJECTION, "Misheard.", desk.handler, timezone.now())

    assert (case.state, case.clock_state) == (State.SEARCHING, "running")


def test_right_is_not_corrected_to_a_complaint(desk):
    case = desk.case()

    with pytest.raises(Refused) as refusal:
        people.correct_right(case, Right.COMPLAINT, "Misheard.", desk.handler, timezone.now())

    assert refusal.value.code == "complaint"
    case.refresh_from_db()
    assert case.right == Right.ACCESS


def test_customer_does_not_complain_about_anothers_case(desk):
    case, other = desk.case(), desk.case(person=Person(name="Bob Stranger", email="bob@example.com"))

    with pytest.raises(NotAllowed):
        people.complain(
            case,
            "Slow.",
            Channel.PORTAL,
            timezone.now(),
            by_customer(other.subject_request_id),
            timezone.now(),
        )

    assert Case.objects.filter(right=Right.COMPLAINT).count() == 0


def asked_for_clarification(desk):
    case = desk.in_review()
    return questions.ask_clarification(case, "Which account?", True, desk.handler, timezone.now())


def test_agent_takes_down_the_answer_to_a_question(desk):
    case = asked_for_clarification(desk)

    questions.take_message(case.subject_request, "The old one.", desk.agent, timezone.now())

    case.refresh_from_db()
    assert case.state == State.REVIEW


def test_message_is_not_taken_from_another_customer(desk):
    case, other = desk.case(), desk.case(person=Person(name="Bob Stranger", email="bob@example.com"))

    with pytest.raises(NotAllowed):
        questions.take_message(
            case.subject_request, "Hello.", by_customer(other.subject_request_id), timezone.now()
        )

    assert Letter.objects.filter(is_incoming=True).count() == 0


def test_late_answer_ends_the_pause_of_the_clock(desk):
    case = asked_for_clarification(desk)
    assert case.clock_state == "paused"
    case = decide.propose_closing(
        case, Outcome.NO_REPLY, "Title", "Body", desk.handler, timezone.now(), reasons="No reply."
    )

    questions.take_message(
        case.subject_request, "The old one.", by_customer(case.subject_request_id), timezone.now()
    )
    run_jobs()

    case.refresh_from_db()
    assert (case.state, case.clock_state) == (State.REVIEW, "running")
