"""A code by text message: to whom it goes, what it proves, how often, and what is left of it afterwards."""

import json
import logging
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from cases import assurance
from cases.collection import identifiers
from cases.models import Case, SubjectRequest
from cases.permissions import by_customer
from cases.workflow import claim, identity, people, text_code
from cases.workflow.intake import Person, Representation
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job
from dsar.lib.errors import NotAllowed, Refused
from identity import services, texting
from identity.models import Level, OneTimeCode, TextMessage, TextState, Verification
from identity.providers.base import Need
from identity.sms.outbox import texts
from tests.cases.workflow.conftest import make_desk
from tests.factories.cases import DATASET, SourceFactory, forget, run_jobs
from tests.factories.identity import ControllerFactory, give_policy
from tests.factories.sms import gateway_for, listening
from tests.leaks import leaked

pytestmark = pytest.mark.django_db

ADA = Person(name="Ada Example", email="ada@example.com", phone="07700 900123")
NEW_NUMBER = Person(name="Ada Example", email="ada@example.com", phone="07700 900999")
RECORDS = {
    "people": [
        {"id": 1, "email": "ada@example.com", "name": "Ada Example", "phone_number": "+44 7700 900123"},
        {"id": 2, "email": "bob@example.com", "name": "Bob Stranger", "phone_number": "+44 7700 900124"},
    ],
    "notes": [],
}

BY_PHONE = DATASET.replace("identity: email", "identity: phone_number")


@pytest.fixture(autouse=True)
def _texts(settings):
    settings.SMS_OUTBOX = True


@pytest.fixture
def desk(serve):
    controller = ControllerFactory.create()
    SourceFactory.create(controller=controller, options={"records": json.dumps(RECORDS)})
    return make_desk(controller)


@pytest.fixture
def case(desk):
    return desk.case(person=ADA)


def claimed(case, at=None):
    """Ask as the portal does."""
    request, now = case.subject_request, at or timezone.now()
    controller = request.controller
    said = claim.make(controller, request.reference, request.subject.email, now)
    text_code.order_claimed(controller, said, now)
    run_jobs()


def called(case, by):
    text_code.order(case.subject_request, by, timezone.now())
    run_jobs()


def outbox():
    return texts(texting.outbox())


def newest():
    return re.search(r"\b(\d{6})\b", outbox()[0].text)[1]


def type_in(request, typed, purpose=identity.VERIFY, at=None):
    now = at or timezone.now()
    found = services.count_tries(request, purpose, now)
    return identity.accept_any(request, found, typed, purpose, by_customer(request.pk), now)


def again(case):
    case.refresh_from_db()
    return case


def reasons():
    return sorted(TextMessage.objects.values_list("state", "reason"))


class TestWhoIsTexted:
    def test_number_on_file_gets_a_code_that_counts(self, case):
        claimed(case)

        assert (outbox()[0].to, type_in(case.subject_request, newest())) == ("+447700900123", True)
        assert again(case).identity_level == Level.LOW

    def test_a_proved_number_is_searched_by(self, case):
        claimed(case)
        type_in(case.subject_request, newest())

        assert identifiers.verified_kinds(again(case)) == {"phone_number"}

    def test_another_number_noted_later_is_not(self, case):
        claimed(case)
        type_in(case.subject_request, newest())
        subject = case.subject_request.subject
        subject.phone = "07700 900999"
        subject.save()

        assert identifiers.verified_kinds(Case.objects.get()) == frozenset()

    @pytest.mark.parametrize("person", [NEW_NUMBER, Person(name="Bob", email="bob@example.com", phone="1")])
    def test_number_that_no_source_knows_gets_none(self, desk, person):
        claimed(desk.case(person=person))

        assert (outbox(), OneTimeCode.objects.filter(verification__method="sms_code").count()) == ([], 0)

    def test_fixed_line_gets_none(self, desk):
        claimed(desk.case(person=Person(name="Ada", email="ada@example.com", phone="020 7946 0000")))

        assert outbox() == []

    def test_claim_that_is_not_true_sends_nothing(self, desk, case):
        request = case.subject_request
        wrong = claim.make(desk.controller, request.reference, "mallory@example.com", timezone.now())

        text_code.order_claimed(desk.controller, wrong, timezone.now())
        run_jobs()

        assert (outbox(), TextMessage.objects.count()) == ([], 0)

    def test_representative_gets_none(self, desk):
        speaking = Representation("agent", "Alex Agent", "alex@example.com")
        case = desk.case(person=ADA, representation=speaking)
        said = claim.make(desk.controller, case.subject_request.reference, "alex@example.com", timezone.now())

        text_code.order_claimed(desk.controller, said, timezone.now())
        run_jobs()

        assert outbox() == []

    def test_nothing_leaves_without_a_gateway(self, case, settings):
        settings.SMS_OUTBOX = False

        claimed(case)

        assert (outbox(), TextMessage.objects.count()) == ([], 0)

    def test_source_that_is_away_is_asked_later(self, desk):
        away = {"host": "127.0.0.1", "port": 1, "database": "x", "user": "x", "sslmode": "disable"}
        SourceFactory.create(
            controller=desk.controller, connector="postgresql", options=away, dataset=BY_PHONE
        )

        claimed(desk.case(person=NEW_NUMBER))

        assert (Job.objects.get(kind=text_code.ASK).state, TextMessage.objects.count()) == ("queued", 0)

    @pytest.mark.parametrize("held", ["07700 900123", "+44 7700 900123", "0044 7700 900123"])
    @pytest.mark.parametrize("typed", ["07700 900123", "+44 7700 900123"])
    def test_number_is_known_in_whichever_way_it_is_written(self, serve, held, typed):
        controller = ControllerFactory.create()
        records = {"people": [{"id": 1, "email": "a@example.com", "phone_number": held}], "notes": []}
        SourceFactory.create(controller=controller, options={"records": json.dumps(records)})

        claimed(make_desk(controller).case(person=Person(name="A", email="a@example.com", phone=typed)))

        assert len(outbox()) == 1


class TestWhatItProves:
    def test_two_codes_prove_no_more_than_one(self, desk, case):
        give_policy(desk.controller, {"default": 2})
        request = case.subject_request
        identity.send_code(request, identity.VERIFY, by_customer(request.pk), timezone.now())
        run_jobs()
        claimed(case)
        type_in(request, newest())

        assert assurance.standing(again(case), timezone.now()).level == Level.LOW

    def test_code_is_good_once(self, case):
        claimed(case)
        code = newest()
        type_in(case.subject_request, code)

        assert not type_in(case.subject_request, code)

    def test_newer_code_ends_the_older(self, case):
        claimed(case)
        old = newest()
        claimed(case)

        assert not type_in(case.subject_request, old)

    def test_guesses_run_out(self, case):
        claimed(case)
        code = newest()
        for _ in range(services.CODE_TRIES):
            type_in(case.subject_request, "000000" if code != "000000" else "111111")

        assert not type_in(case.subject_request, code)
        assert again(case).identity_level == Level.NONE

    def test_late_code_is_worth_nothing(self, case):
        claimed(case)

        assert not type_in(case.subject_request, newest(), at=timezone.now() + timedelta(minutes=11))

    def test_code_of_another_request_is_worth_nothing(self, desk, case):
        claimed(case)
        other = desk.case(person=Person(name="Bob", email="bob@example.com", phone="07700 900124"))
        ids = services.count_tries(case.subject_request, identity.VERIFY, timezone.now())

        with_others_id = identity.accept_any(
            other.subject_request, ids, newest(), identity.VERIFY, by_customer(other.pk), timezone.now()
        )

        assert (with_others_id, again(other).identity_level) == (False, Level.NONE)

    def test_code_of_another_brand_is_worth_nothing(self, desk, case, serve):
        other = make_desk(ControllerFactory.create())
        serve([desk.controller.pk, other.controller.pk])
        theirs = other.case(person=ADA)
        claimed(case)
        ids = services.count_tries(case.subject_request, identity.VERIFY, timezone.now())

        assert not identity.accept_any(
            theirs.subject_request, ids, newest(), identity.VERIFY, by_customer(theirs.pk), timezone.now()
        )
        assert again(theirs).identity_level == Level.NONE

    def test_code_to_the_number_before_it_was_corrected_is_worth_nothing(self, desk, case):
        claimed(case)
        code = newest()

        people.correct_person(case, NEW_NUMBER, "Misheard.", desk.agent, timezone.now())

        assert not type_in(SubjectRequest.objects.get(), code)
        assert again(case).identity_level == Level.NONE

    def test_corrected_number_is_looked_up_anew(self, desk, case):
        claimed(case)
        people.correct_person(case, NEW_NUMBER, "Misheard.", desk.agent, timezone.now())

        claimed(again(case))

        assert (len(outbox()), reasons()) == (1, [("sent", ""), ("withheld", "not_on_file")])

    def test_number_noted_behind_our_back_gets_nothing(self, case):
        """What was learnt of one number says nothing of another, whichever way it came to be there."""
        claimed(case)
        subject = case.subject_request.subject
        subject.phone = "07700 900999"
        subject.save()

        claimed(case)

        assert len(outbox()) == 1

    def test_number_whose_proof_was_taken_back_gets_nothing(self, case):
        claimed(case)
        type_in(case.subject_request, newest())
        forget(case)

        claimed(case)

        assert (len(outbox()), reasons()[-1]) == (1, ("withheld", "taken_back"))


class TestOnTheTelephone:
    def test_what_the_caller_reads_out_counts(self, desk, case):
        called(case, desk.agent)

        assert type_in(case.subject_request, newest(), identity.CALL)
        assert again(case).identity_level == Level.LOW

    def test_code_for_the_agent_opens_nothing_in_the_portal(self, desk, case):
        called(case, desk.agent)

        assert not type_in(case.subject_request, newest())

    def test_code_for_the_portal_is_nothing_for_the_agent(self, desk, case):
        claimed(case)

        assert not type_in(case.subject_request, newest(), identity.CALL)

    def test_message_says_to_whom_it_may_be_told(self, desk, case):
        called(case, desk.agent)
        claimed(case)

        to_us, to_nobody = outbox()[1].text, outbox()[0].text
        assert "Read it to our colleague" in to_us
        assert "Tell it to nobody, not even to us" in to_nobody
        assert max(len(to_us), len(to_nobody)) <= 160

    def test_strangers_order_none(self, case, serve, desk):
        other = make_desk(ControllerFactory.create())

        with pytest.raises(NotAllowed):
            text_code.order(case.subject_request, other.agent, timezone.now())

        assert not Job.objects.filter(kind=text_code.ASK).exists()

    def test_nobody_is_texted_for_somebody_else(self, desk):
        speaking = Representation("agent", "Alex Agent", "alex@example.com")
        case = desk.case(person=ADA, representation=speaking)

        with pytest.raises(Refused) as refusal:
            text_code.order(case.subject_request, desk.agent, timezone.now())

        assert refusal.value.code == "not_self"

    def test_agent_hears_the_same_of_a_number_that_nobody_knows(self, desk):
        known, unknown = desk.case(person=ADA), desk.case(person=NEW_NUMBER)

        assert [text_code.why_not(one.subject_request) for one in (known, unknown)] == [None, None]
        assert text_code.order(unknown.subject_request, desk.agent, timezone.now()) is None


class TestHowOften:
    def test_one_number_is_texted_so_often_an_hour(self, case):
        for _ in range(texting.PER_HOUR + 2):
            claimed(case)

        assert (len(outbox()), reasons()[-1]) == (texting.PER_HOUR, ("withheld", "hour"))

    def test_under_other_requests_it_is_the_same_number(self, desk, case):
        for _ in range(3):
            claimed(case)
        other = desk.case(person=Person(name="Someone", email="else@example.com", phone="+44 7700 900 123"))
        for _ in range(4):
            claimed(other)

        assert len(outbox()) == texting.PER_HOUR

    def test_one_person_is_texted_so_often_under_whichever_number(self, desk):
        numbers = ["07700 900123", "07700 900124"]
        for number in numbers:
            case = desk.case(person=Person(name="Ada", email="ada@example.com", phone=number))
            for _ in range(3):
                claimed(case)

        assert len(outbox()) == texting.PER_HOUR

    def test_one_number_is_texted_so_often_a_day(self, case):
        earlier = timezone.now() - timedelta(hours=3)
        for _ in range(2):
            for _ in range(texting.PER_HOUR):
                claimed(case)
            TextMessage.objects.update(asked_at=earlier)
            OneTimeCode.objects.update(sent_at=earlier)
        claimed(case)

        assert (len(outbox()), reasons()[-1]) == (texting.PER_DAY, ("withheld", "day"))

    def test_a_brand_sends_no_more_than_its_gateway_says(self, desk):
        with listening() as heard:
            gateway_for(desk.controller, heard.url, most_per_hour=2)
            for person in (ADA, Person(name="Bob", email="bob@example.com", phone="07700 900124")):
                case = desk.case(person=person)
                for _ in range(2):
                    claimed(case)

        assert (len(heard.came), reasons()[-1]) == (2, ("withheld", "brand"))

    def test_job_that_runs_twice_sends_once(self, case):
        claimed(case)
        job = Job.objects.get(kind=text_code.ASK)

        text_code.write(job.pk, timezone.now())
        run_jobs()

        assert (len(outbox()), OneTimeCode.objects.filter(verification__method="sms_code").count()) == (1, 1)


class TestSending:
    @pytest.fixture
    def heard(self, desk):
        with listening() as found:
            gateway_for(desk.controller, found.url)
            yield found

    def due(self):
        Job.objects.filter(state="queued").update(not_before=timezone.now() - timedelta(seconds=1))

    def test_gateway_is_preferred_to_the_outbox(self, case, heard):
        claimed(case)

        assert (len(heard.came), outbox()) == (1, [])

    def test_the_sites_gateway_serves_who_has_none(self, case, settings):
        with listening() as found:
            settings.SMS_GATEWAY = json.dumps(
                {"url": found.url, "body": {"n": "{number}", "t": "{text}"}, "allow_private": True}
            )
            settings.SMS_TOKEN = "of the site"
            claimed(case)

        assert found.came[0][0]["authorization"] == "Bearer of the site"

    def test_gateway_that_is_busy_is_asked_again_with_the_same_key(self, case, heard):
        heard.status = 503
        claimed(case)
        heard.status = 202
        self.due()
        run_jobs()

        keys = {headers["idempotency-key"] for headers, _body in heard.came}
        assert (len(heard.came), len(keys), reasons()) == (2, 1, [("sent", "")])

    def test_gateway_that_says_no_is_not_asked_again(self, case, heard):
        heard.status = 400
        claimed(case)
        self.due()
        run_jobs()

        assert (len(heard.came), reasons()) == (1, [("failed", "http_400")])
        assert AuditEvent.objects.get(action="identity.code_not_sent").data["reason"] == "http_400"

    def test_it_is_given_up_in_the_end(self, case, heard):
        heard.status = 503
        claimed(case)
        for _ in range(6):
            self.due()
            run_jobs()

        assert (len(heard.came), reasons()) == (text_code.SEND_ATTEMPTS, [("failed", "http_503")])

    def test_late_code_does_not_leave(self, case, heard):
        heard.status = 503
        claimed(case)
        TextMessage.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        self.due()
        run_jobs()

        assert (len(heard.came), reasons()) == (1, [("failed", "too_late")])


class TestWhatIsLeft:
    def test_number_and_text_are_gone_once_it_is_sent(self, case):
        claimed(case)

        message = TextMessage.objects.get()
        assert (message.state, message.number, message.text) == (TextState.SENT, "", "")

    def test_number_and_text_are_gone_once_it_failed(self, desk, case):
        with listening() as heard:
            heard.status = 400
            gateway_for(desk.controller, heard.url)
            claimed(case)

        message = TextMessage.objects.get()
        assert (message.state, message.number, message.text) == (TextState.FAILED, "", "")

    def test_neither_logs_nor_jobs_nor_trail_hold_number_or_code(self, desk, case, caplog):
        caplog.set_level(logging.DEBUG)
        with listening() as heard:
            gateway_for(desk.controller, heard.url)
            claimed(case)
            heard.status = 500
            claimed(case)
        codes = [re.search(r"\d{6}", body["text"])[0] for body in heard.bodies()]
        kept = " ".join(
            [
                caplog.text,
                *(json.dumps(row) for row in Job.objects.values_list("args", "key", "error_code")),
                *(json.dumps(row) for row in AuditEvent.objects.values_list("data", flat=True)),
            ]
        )

        assert leaked([*codes, "7700", "900123", "s3cr3t-token"], kept) == []

    def test_what_never_left_ends_by_itself(self, case, desk):
        claimed(case)
        TextMessage.objects.update(
            ended_at=None, state="queued", expires_at=timezone.now() - timedelta(hours=2)
        )

        texting.end_overdue(desk.controller.pk, timezone.now())

        assert reasons() == [("failed", "overdue")]


class TestWhatIsProposed:
    def needs(self, case):
        return assurance.needs_met(case.subject_request, timezone.now())

    def test_number_makes_it_a_way_whether_or_not_it_is_known(self, desk):
        known, unknown = desk.case(person=ADA), desk.case(person=NEW_NUMBER)
        before = [Need.PHONE in self.needs(one) for one in (known, unknown)]

        claimed(known)
        claimed(unknown)

        assert before == [True, True]
        assert [Need.PHONE in self.needs(one) for one in (known, unknown)] == [True, True]

    def test_asked_in_vain_it_is_a_way_no_more_whether_or_not_it_is_known(self, desk):
        known, unknown = desk.case(person=ADA), desk.case(person=NEW_NUMBER)
        for case in (known, unknown):
            claimed(case)
        TextMessage.objects.update(asked_at=timezone.now() - timedelta(minutes=11))

        assert [Need.PHONE in self.needs(one) for one in (known, unknown)] == [False, False]

    def test_fixed_line_is_no_way(self, desk):
        case = desk.case(person=Person(name="Ada", email="ada@example.com", phone="020 7946 0000"))

        assert Need.PHONE not in self.needs(case)

    def test_shown_again_on_another_day_it_counts_from_then_on(self, case):
        claimed(case)
        type_in(case.subject_request, newest())
        Verification.objects.filter(state="achieved").update(ended_at=timezone.now() - timedelta(days=3))
        TextMessage.objects.update(asked_at=timezone.now() - timedelta(days=3))
        OneTimeCode.objects.update(sent_at=timezone.now() - timedelta(days=3))

        claimed(case)

        assert type_in(case.subject_request, newest())
        assert Verification.objects.filter(method="sms_code", state="achieved").count() == 2
