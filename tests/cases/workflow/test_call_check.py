"""The agent's security check: graded, within one conversation, limited, and no way around the policy."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cases import assurance
from cases.models import Item
from cases.words import Right, State
from cases.workflow import call_check
from cases.workflow.intake import Person, Representation
from dsar.audit.models import AuditEvent
from dsar.lib.errors import NotAllowed, Refused
from identity.models import Level, Verification
from tests.factories.cases import known, run_jobs
from tests.factories.identity import give_policy

pytestmark = pytest.mark.django_db

SCRIPT = {"questions": ["Which postcode?", "Which month?", "Which tariff?"], "max_level": "substantial"}
CALL = "CALL-4711"


@pytest.fixture
def phone(desk):
    """A brand whose agents have a script; access asks for substantial."""
    give_policy(desk.controller, {"default": 1, "access": 2}, call_check=SCRIPT)
    return desk


def called(desk, **fields):
    return desk.case(contact_reference=CALL, **fields)


def check(desk, case, *answers, contact=CALL, now=None, by=None):
    now = now or timezone.now()
    return call_check.record(case.subject_request, contact, answers, by or desk.agent, now)


@pytest.mark.parametrize(
    ("answers", "level"),
    [
        ((True, True, True), Level.SUBSTANTIAL),
        ((True, False, True), Level.LOW),
        ((False, False, True), Level.NONE),
        ((False, False, False), Level.NONE),
    ],
)
def test_level_follows_from_the_answers(phone, answers, level):
    case = called(phone)

    made = check(phone, case, *answers)

    case.refresh_from_db()
    assert (made.level, case.identity_level) == (level, level)
    assert made.state == ("achieved" if level else "failed")


def test_passed_check_lets_the_search_begin(phone):
    case = called(phone)

    check(phone, case, True, True, True)

    case.refresh_from_db()
    assert case.state == State.SEARCHING


def test_passed_check_finds_the_records(phone):
    """Without a code no address is proved, but the person is."""
    case = called(phone)
    check(phone, case, True, True, True)

    run_jobs()

    case.refresh_from_db()
    assert (case.state, Item.objects.filter(case=case).exists()) == (State.REVIEW, True)


def test_policy_caps_the_level(desk):
    """All right answers are worth no more than the policy gives them, whoever ticks."""
    give_policy(desk.controller, {"default": 2}, call_check={**SCRIPT, "max_level": "low"})
    case = called(desk)

    check(desk, case, True, True, True)

    case.refresh_from_db()
    assert (case.identity_level, case.state) == (Level.LOW, State.AWAITING_IDENTITY)


def test_check_is_stepped_up_by_a_code(desk):
    give_policy(desk.controller, {"default": 2}, call_check={**SCRIPT, "max_level": "low"})
    case = called(desk)
    check(desk, case, True, True, True)
    assert [one.code for one in assurance.proposal(case, timezone.now()).methods] == ["email_code"]

    known(case, Level.LOW, "email_code")

    assert assurance.standing(case, timezone.now()).level == Level.SUBSTANTIAL


def test_questions_and_marks_are_kept_sealed_and_no_answers(phone):
    made = check(phone, called(phone), True, False, True)

    assert Verification.objects.get(pk=made.pk).progress == {
        "script": [
            {"question": "Which postcode?", "right": True},
            {"question": "Which month?", "right": False},
            {"question": "Which tariff?", "right": True},
        ]
    }
    assert AuditEvent.objects.get(action="identity.call_checked").data == {"right": 2, "wrong": 1}


class TestRefused:
    def refused(self, code, act):
        before = Verification.objects.filter(method="agent_check").count()

        with pytest.raises(Refused) as refusal:
            act()

        assert refusal.value.code == code
        assert Verification.objects.filter(method="agent_check").count() == before

    def test_in_another_conversation(self, phone):
        case = called(phone)

        self.refused("another_contact", lambda: check(phone, case, True, True, True, contact="CALL-4712"))

    def test_once_the_conversation_is_over(self, phone):
        case = called(phone)
        later = timezone.now() + timedelta(minutes=31)

        self.refused("another_contact", lambda: check(phone, case, True, True, True, now=later))

    def test_for_a_request_that_came_through_the_portal(self, phone):
        case = phone.case()

        self.refused("another_contact", lambda: check(phone, case, True, True, True, contact=""))

    def test_for_somebody_else(self, phone):
        case = called(phone, representation=Representation("agent", "Alex Agent", "alex@example.com"))

        self.refused("not_self", lambda: check(phone, case, True, True, True))

    def test_without_a_script(self, desk):
        case = called(desk)

        self.refused("no_script", lambda: check(desk, case, True, True, True))

    @pytest.mark.parametrize("answers", [(), (True,), (True, True, True, True)])
    def test_with_questions_left_out(self, phone, answers):
        case = called(phone)

        self.refused("check_incomplete", lambda: check(phone, case, *answers))

    def test_too_often_even_in_another_request_of_the_same_person(self, phone):
        first = called(phone)
        check(phone, first, False, False, False)
        check(phone, first, False, False, False)
        second = called(phone)
        assert second.subject_id != first.subject_id

        self.refused("too_many_tries", lambda: check(phone, second, True, True, True))

    def test_tries_of_somebody_else_are_not_counted(self, phone):
        other = called(phone, person=Person(name="Bob", email="bob@example.com"))
        check(phone, other, False, False, False)
        check(phone, other, False, False, False)

        assert check(phone, called(phone), True, True, True).level == Level.SUBSTANTIAL


def test_who_may_not_log_may_not_check(phone):
    case = called(phone)

    with pytest.raises(NotAllowed):
        check(phone, case, True, True, True, by=phone.dpo)

    assert not Verification.objects.filter(method="agent_check").exists()


def test_check_serves_no_other_request(phone):
    """Not even where the policy lets later requests reuse what was shown."""
    give_policy(phone.controller, {"default": 1}, call_check=SCRIPT, reuse_days=90)
    first = called(phone)
    check(phone, first, True, True, True)
    later = phone.case(subject_id=first.subject_id, person=Person())
    known(later, Level.LOW)

    assert assurance.standing(later, timezone.now()).level == Level.LOW


def test_sibling_cases_share_it(phone):
    case = called(phone)
    sibling = phone.case(Right.ERASURE, contact_reference=CALL)

    check(phone, case, True, True, True)

    sibling.refresh_from_db()
    assert sibling.identity_level == Level.NONE  # another request, although of the same conversation


def test_it_is_proposed_on_the_line_and_nowhere_else(phone):
    case = called(phone)

    on_the_line = assurance.proposal(case, timezone.now(), in_contact=True)
    afterwards = assurance.proposal(case, timezone.now())

    assert on_the_line.methods[0].code == "agent_check"
    assert "agent_check" not in [one.code for one in afterwards.methods]
