"""Questions from the record: put once, compared by a job, and of no use to anybody else."""

import json
import logging
from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.utils import timezone

from cases import asking, assurance
from cases.collection import identifiers
from cases.models import AskedQuestion, Case, SourceSystem
from cases.permissions import by_customer
from cases.retention.rules import QUESTIONS
from cases.workflow import people, record_questions, retention
from cases.workflow.intake import Person, Representation
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job
from dsar.lib.errors import NotAllowed, Refused
from identity.models import Level, Verification
from identity.providers.base import Need
from tests.cases.workflow.conftest import make_desk
from tests.factories.cases import SourceFactory, known, run_jobs
from tests.factories.identity import ControllerFactory, give_policy
from tests.factories.questions import ADA, BOBS, RIGHT, SECRETS, WRONG, askable_source, said
from tests.leaks import leaked

pytestmark = pytest.mark.django_db

NOBODY = Person(name="Mallory", email="mallory@example.com")
THREE = {"ask": 3, "right": 2}


@pytest.fixture
def desk(serve):
    controller = ControllerFactory.create()
    give_policy(controller, {"default": 1}, record_questions=THREE)
    askable_source(controller)
    return make_desk(controller)


@pytest.fixture
def case(desk):
    return desk.case()


def begun(case, at=None):
    request = case.subject_request
    return record_questions.begin(request, by_customer(request.pk), at or timezone.now())


def answered(case, answers, at=None):
    """Begin, answer, compare; gives the check as it ended."""
    request, now = case.subject_request, at or timezone.now()
    check = begun(case, now)
    names = [one.name for one in record_questions.step_of(check, now, "en-gb").asks]
    record_questions.answer(check, said(answers, names), by_customer(request.pk), now)
    run_jobs()
    check.refresh_from_db()
    return check


def again(case):
    case.refresh_from_db()
    return case


def needs(case, at=None):
    return assurance.needs_met(case.subject_request, at or timezone.now())


class TestWhatItProves:
    def test_who_knows_the_record_is_known(self, case):
        check = answered(case, RIGHT)

        assert (check.state, check.level, again(case).identity_level) == ("achieved", Level.LOW, Level.LOW)

    @pytest.mark.parametrize("answers", [WRONG, BOBS])
    def test_who_does_not_is_not(self, case, answers):
        check = answered(case, answers)

        assert (check.state, check.level, again(case).identity_level) == ("failed", Level.NONE, Level.NONE)

    def test_with_a_code_it_is_two_kinds_of_evidence(self, case):
        known(case, Level.LOW, "email_code")
        answered(case, RIGHT)

        assert assurance.standing(again(case), timezone.now()).level == Level.SUBSTANTIAL

    def test_the_policy_says_what_it_is_worth(self, desk, case):
        give_policy(desk.controller, {"default": 2}, record_questions=THREE | {"max_level": "substantial"})

        assert answered(case, RIGHT).level == Level.SUBSTANTIAL

    def test_what_it_was_found_by_is_verified_and_nothing_beside_it(self, desk):
        """The customer number that was named may be somebody else's."""
        case = desk.case(person=Person(name="Ada", email="ada@example.com", external_id="4711"))
        answered(case, RIGHT)

        assert identifiers.verified_kinds(again(case)) == {"email"}

    def test_record_of_two_people_proves_nobody(self, serve):
        controller = ControllerFactory.create()
        give_policy(controller, {"default": 1}, record_questions=THREE)
        askable_source(controller, ADA, ADA | {"id": 9, "postcode": "X1 1XX"})

        assert answered(make_desk(controller).case(), RIGHT).state == "failed"

    def test_own_address_beside_somebody_elses_number_proves_nothing_of_them(self, desk):
        """Bob names Ada's telephone: he is asked about his own record, and it is his own address that counts."""
        case = desk.case(person=Person(name="Ada", email="bob@example.com", phone="+44 7700 900123"))

        failed = answered(case, RIGHT)

        assert failed.state == "failed"

    def test_another_request_of_the_same_person_is_asked_anew(self, desk, case):
        give_policy(desk.controller, {"default": 1}, record_questions=THREE, reuse_days=0)
        answered(case, RIGHT)
        other = desk.case(subject_id=case.subject_id)

        assert assurance.standing(other, timezone.now()).level == Level.NONE


class TestWhoIsAsked:
    def test_nobody_and_somebody_are_asked_the_same(self, desk, case):
        unknown = desk.case(person=NOBODY)

        asked = [
            {
                one.name: one.text
                for one in record_questions.step_of(begun(one_), timezone.now(), "en-gb").asks
            }
            for one_ in (case, unknown)
        ]

        assert asked[0] == asked[1]
        assert [Need.FACTS in needs(one) for one in (case, unknown)] == [False, False]  # both are spent

    def test_nobody_fails_as_who_answers_wrongly(self, desk, case):
        unknown = desk.case(person=NOBODY)

        wrong, nobody = answered(case, WRONG), answered(unknown, RIGHT)

        assert (wrong.state, wrong.level, wrong.progress) == (nobody.state, nobody.level, nobody.progress)
        told = AuditEvent.objects.filter(action="identity.questions_compared").values_list("data", flat=True)
        assert [{"asked": one["asked"], "right": one["right"]} for one in told] == [
            {"asked": 3, "right": 0}
        ] * 2

    def test_in_the_readers_language(self, case):
        check, now = begun(case), timezone.now()

        texts = {one.text for one in record_questions.step_of(check, now, "de").asks}

        assert "Seit wann?" in texts
        assert "How much was your last bill?" in texts  # which nobody has put into German

    def test_representative_is_not(self, desk):
        case = desk.case(representation=Representation("agent", "Alex Agent", "alex@example.com"))

        with pytest.raises(Refused) as refusal:
            begun(case)

        assert (refusal.value.code, Need.FACTS in needs(case)) == ("not_self", False)

    def test_strangers_ask_nobody(self, case):
        other = make_desk(ControllerFactory.create())

        with pytest.raises(NotAllowed):
            record_questions.begin(case.subject_request, other.agent, timezone.now())

        assert AskedQuestion.objects.count() == 0

    def test_nobody_without_questions(self, desk, case):
        SourceSystem.objects.update(is_active=False)

        with pytest.raises(Refused) as refusal:
            begun(case)

        assert (refusal.value.code, Need.FACTS in needs(case)) == ("no_questions", False)

    def test_other_brands_questions_are_not_asked(self, desk, case, serve):
        other = ControllerFactory.create()
        serve([desk.controller.pk, other.pk])
        askable_source(other, slug="theirs")

        assert {one.source for one in asking.offered(case.subject_request)} == {"crm"}


class TestHowOften:
    @pytest.fixture
    def many(self, desk):
        """More questions than are asked at once, so that a second round is possible."""
        for number in range(2):
            askable_source(desk.controller, slug=f"more-{number}")
        return desk

    def test_no_question_is_put_twice(self, many):
        case = many.case()
        answered(case, WRONG)
        answered(case, WRONG)

        asked = list(AskedQuestion.objects.values_list("question", flat=True))
        assert (len(asked), len(set(asked))) == (6, 6)

    def test_nor_under_another_request_of_the_same_person(self, many):
        answered(many.case(), WRONG)
        answered(many.case(person=Person(name="Somebody", email="ADA@example.com")), WRONG)

        asked = list(AskedQuestion.objects.values_list("question", flat=True))
        assert len(set(asked)) == 6

    def test_after_the_policys_days_it_may_be(self, desk, case):
        answered(case, WRONG)
        AskedQuestion.objects.update(asked_at=timezone.now() - timedelta(days=181))
        Verification.objects.update(started_at=timezone.now() - timedelta(days=181))

        assert answered(case, RIGHT).state == "achieved"

    def test_tries_of_a_day_run_out_under_whichever_request(self, many):
        answered(many.case(), WRONG)
        answered(many.case(person=Person(name="Somebody", email="ada@example.com")), WRONG)

        with pytest.raises(Refused) as refusal:
            begun(many.case())

        assert refusal.value.code == "too_many_tries"

    def test_shown_questions_are_spent_though_nobody_answered(self, case):
        begun(case)
        later = timezone.now() + timedelta(minutes=16)

        with pytest.raises(Refused):
            begun(case, later)

    def test_questions_that_wait_are_gone_on_with(self, case):
        assert begun(case) == begun(case)

    def test_answers_are_given_once(self, case):
        request, now = case.subject_request, timezone.now()
        check = begun(case)
        names = [one.name for one in record_questions.step_of(check, now, "en-gb").asks]
        record_questions.answer(check, said(WRONG, names), by_customer(request.pk), now)

        with pytest.raises(Refused) as refusal:
            record_questions.answer(check, said(RIGHT, names), by_customer(request.pk), now)

        run_jobs()
        assert (refusal.value.code, again(case).identity_level) == ("questions_over", Level.NONE)

    def test_late_answers_are_worth_nothing(self, case):
        request, now = case.subject_request, timezone.now()
        check = begun(case)
        names = [one.name for one in record_questions.step_of(check, now, "en-gb").asks]

        with pytest.raises(Refused) as refusal:
            record_questions.answer(
                check, said(RIGHT, names), by_customer(request.pk), now + timedelta(minutes=16)
            )

        assert refusal.value.code == "questions_over"


class TestInAConversation:
    @pytest.fixture
    def call(self, desk):
        return desk.case(contact_reference="CALL-1")

    def test_agent_asks_and_types(self, desk, call):
        now = timezone.now()
        check = record_questions.begin(call.subject_request, desk.agent, now, contact="CALL-1")
        names = [one.name for one in record_questions.step_of(check, now, "en-gb").asks]
        record_questions.answer(check, said(RIGHT, names), desk.agent, now)
        run_jobs()

        assert again(call).identity_level == Level.LOW

    @pytest.mark.parametrize("contact", ["CALL-2", ""])
    def test_in_no_other_conversation(self, desk, call, contact):
        with pytest.raises(Refused) as refusal:
            record_questions.begin(call.subject_request, desk.agent, timezone.now(), contact=contact)

        assert refusal.value.code == "another_contact"

    def test_not_when_it_is_over(self, desk, call):
        later = timezone.now() + timedelta(minutes=31)

        with pytest.raises(Refused) as refusal:
            record_questions.begin(call.subject_request, desk.agent, later, contact="CALL-1")

        assert refusal.value.code == "another_contact"

    def test_what_was_heard_serves_no_other_request(self, desk, call):
        give_policy(desk.controller, {"default": 1}, record_questions=THREE, reuse_days=30)
        self.test_agent_asks_and_types(desk, call)
        other = desk.case(subject_id=call.subject_id)
        known(other, Level.LOW, "email_code")

        assert assurance.standing(other, timezone.now()).level == Level.LOW

    def test_the_customers_own_questions_are_not_the_agents(self, desk, call):
        begun(call)

        assert record_questions.living_of(call.subject_request, timezone.now(), contact="CALL-1") is None


class TestWhatIsKept:
    def test_neither_logs_nor_jobs_nor_trail_nor_rows_hold_answers(self, desk, case, caplog):
        caplog.set_level(logging.DEBUG)
        answered(case, RIGHT)
        kept = " ".join(
            [
                caplog.text,
                *(
                    json.dumps(row)
                    for row in Job.objects.values_list("args", "key", "error_code", "progress")
                ),
                *(json.dumps(row) for row in AuditEvent.objects.values_list("data", flat=True)),
                *(json.dumps(check.progress) for check in Verification.objects.all()),
                *AskedQuestion.objects.values_list("question", flat=True),
            ]
        )

        assert leaked(SECRETS, kept) == []

    def test_while_they_wait_answers_are_hashes(self, case):
        request, now = case.subject_request, timezone.now()
        check = begun(case)
        names = [one.name for one in record_questions.step_of(check, now, "en-gb").asks]
        record_questions.answer(check, said(RIGHT, names), by_customer(request.pk), now)

        kept = json.dumps(Verification.objects.get(pk=check.pk).progress)
        assert leaked(SECRETS, kept) == []
        assert all(len(one) == 64 for one in json.loads(kept)["state"]["answers"].values())

    def test_afterwards_nothing_of_them_is_left(self, case):
        assert answered(case, RIGHT).progress == {"state": {"over": True, "matches": ["email"]}}

    def test_unanswered_questions_end_by_themselves(self, desk, case):
        begun(case)

        ended = record_questions.end_overdue(desk.controller.pk, timezone.now() + timedelta(hours=3))

        assert (ended, Verification.objects.get(method="record_questions").state) == (1, "failed")

    def test_what_was_put_long_ago_is_forgotten(self, desk, case):
        begun(case)
        AskedQuestion.objects.update(asked_at=timezone.now() - timedelta(days=400))

        retention.carry_out(QUESTIONS, desk.controller.pk, timezone.now(), nullcontext)

        assert AskedQuestion.objects.count() == 0


class TestWhenThingsGoWrong:
    AWAY = {"host": "127.0.0.1", "port": 1, "database": "x", "user": "x", "sslmode": "disable"}

    def wait(self, case):
        request, now = case.subject_request, timezone.now()
        check = begun(case)
        names = [one.name for one in record_questions.step_of(check, now, "en-gb").asks]
        record_questions.answer(check, said(RIGHT, names), by_customer(request.pk), now)
        return check

    def test_source_that_is_away_is_asked_again_and_in_the_end_shows_nothing(self, case):
        check = self.wait(case)
        SourceSystem.objects.update(connector="postgresql", options=self.AWAY)
        run_jobs()
        first = Job.objects.get(kind=record_questions.COMPARE).state
        for _ in range(5):
            Job.objects.filter(state="queued").update(not_before=timezone.now() - timedelta(seconds=1))
            run_jobs()

        check.refresh_from_db()
        assert (first, check.state) == ("queued", "failed")

    def test_person_who_was_corrected_meanwhile_is_not_proved_by_the_others_record(self, desk, case):
        self.wait(case)
        people.correct_person(
            case, Person(name="Mallory", email="mallory@example.com"), "Misheard.", desk.agent, timezone.now()
        )

        run_jobs()

        assert Case.objects.get().identity_level == Level.NONE

    def test_job_that_runs_twice_counts_once(self, case):
        check = answered(case, RIGHT)

        record_questions.compared(check.pk, (), timezone.now())

        check.refresh_from_db()
        assert check.state == "achieved"

    def test_source_whose_settings_are_broken_hides_no_others_questions(self, desk, case):
        SourceFactory.create(controller=desk.controller, options={"records": "{"})

        assert len(asking.offered(case.subject_request)) == 3
