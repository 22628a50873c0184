"""“Text me a code instead”: the same pages whether or not anybody is known, and the work comes after the answer."""

import json
import re
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.models import SourceSystem, SubjectRequest
from cases.workflow import text_code
from cases.workflow.intake import Person
from dsar.jobs.models import Job
from identity import texting
from identity.sms.outbox import texts
from tests.cases.portal.conftest import ADA, RECORDS, Visitor, newest_code, text_of
from tests.factories.cases import log, run_jobs
from tests.factories.identity import give_policy

pytestmark = pytest.mark.django_db

# Each walk comes from elsewhere: what is limited by place is tested for itself.
PLACES = count(1)
MOBILE = "07700 900123"
KNOWN = Person(name="Ada Example", email=ADA, phone=MOBILE)


@pytest.fixture(autouse=True)
def _texts(settings):
    settings.SMS_OUTBOX = True


@pytest.fixture
def held(brand):
    people = [RECORDS["people"][0] | {"phone_number": "+44 7700 900123"}, *RECORDS["people"][1:]]
    source = SourceSystem.objects.get(controller=brand)
    source.options = {"records": json.dumps(RECORDS | {"people": people})}
    source.save()
    return brand


@pytest.fixture
def request_(held):
    return log(held, person=KNOWN)


def outbox():
    return texts(texting.outbox())


def newest():
    return re.search(r"\b(\d{6})\b", outbox()[0].text)[1]


def test_code_by_text_lets_in_and_counts(visitor, request_):
    visitor.claim(request_.reference)
    sent = visitor.send("text")
    run_jobs()

    answer = visitor.send("code", code=newest())

    assert (sent["Location"], answer.status_code) == (visitor.at("code") + "?text", 303)
    assert request_.cases.get().identity_level == 1


def test_code_of_the_mail_works_on_the_same_page(visitor, request_):
    visitor.claim(request_.reference)
    visitor.send("text")
    run_jobs()

    assert visitor.send("code", code=newest_code()).status_code == 303


def test_page_offers_it_only_where_the_brand_texts(visitor, request_, settings):
    visitor.claim(request_.reference)
    offered = visitor.at("text") in visitor.see("code").content.decode()
    settings.SMS_OUTBOX = False

    assert (offered, visitor.at("text") in visitor.see("code").content.decode()) == (True, False)
    assert visitor.send("text").status_code == 404


def test_without_a_claim_one_is_asked_for_it(visitor, brand):
    assert visitor.send("text")["Location"] == visitor.at("enter") + "?ended"


def test_another_brands_claim_texts_nobody(visitor, stranger, request_):
    visitor.claim(request_.reference)
    there = Visitor(stranger)
    there.cookies["dsar_claim"] = visitor.cookies["dsar_claim"].value

    assert there.send("text")["Location"] == there.at("enter") + "?ended"
    assert not Job.objects.filter(kind=text_code.ASK).exists()


def gone_from(brand):
    """A reference of the right form that is nobody's."""
    request = log(brand)
    SubjectRequest.objects.filter(pk=request.pk).update(reference="2222-2223")
    return request.reference


def walk(brand, reference, email):
    """Ask for a text until there are no more, and guess; what is answered each time."""
    here = Visitor(brand, REMOTE_ADDR=f"192.0.2.{next(PLACES)}")
    here.claim(reference, email)
    answers = []
    for _ in range(texting.PER_HOUR + 1):
        answers.append(here.send("text"))
        run_jobs()
    answers += [here.see("code"), *(here.send("code", code="not it") for _ in range(6))]
    return [(one.status_code, one.get("Location"), sorted(one.cookies), timeless(one)) for one in answers]


def timeless(one):
    """What it says, whenever it says it."""
    return re.sub(r"\d+", "", text_of(one))


def test_known_and_unknown_are_answered_alike(held, request_, stranger):
    elsewhere = log(held, person=Person(name="New", email="new@example.com", phone="07700 900999"))
    gone = gone_from(held)
    no_number = log(held, person=Person(name="Bob", email="bob@example.com"))
    theirs = log(stranger, person=KNOWN)

    true = walk(held, request_.reference, ADA)

    assert [status for status, *_ in true] == [303] * texting.PER_HOUR + [429, 200] + [422] * 6
    assert walk(held, elsewhere.reference, "new@example.com") == true
    assert walk(held, no_number.reference, "bob@example.com") == true
    assert walk(held, request_.reference, "mallory@example.com") == true
    assert walk(held, theirs.reference, ADA) == true
    assert walk(held, gone, ADA) == true


def test_known_and_unknown_take_the_same_queries(held, request_):
    """Nothing is looked up before the answer is given."""

    def asked(reference, email):
        here = Visitor(held)
        here.claim(reference, email)
        here.send("text")
        run_jobs()
        with CaptureQueriesContext(connection) as queries:
            here.send("text")
        return [re.sub(r"'[^']*'|\d+", "?", one["sql"])[:60] for one in queries]

    gone = gone_from(held)
    true, false = asked(request_.reference, ADA), asked(gone, "mallory@example.com")

    assert [one for one in true if "SAVEPOINT" not in one] == [one for one in false if "SAVEPOINT" not in one]


def test_job_knows_no_address(visitor, request_):
    visitor.claim(request_.reference)
    visitor.send("text")

    args = Job.objects.get(kind=text_code.ASK).args
    assert sorted(args) == ["address", "reference"]
    assert ADA not in json.dumps(args)


def test_from_within_it_is_offered_beside_the_mail(visitor, held, request_):
    give_policy(held, {"default": 1}, holds_days=5)
    run_jobs()
    visitor.claim(request_.reference)
    visitor.send("text")
    run_jobs()
    visitor.send("code", code=newest())
    give_policy(held, {"default": 2})

    # Knowing the number already, a second code of the same kind would add nothing.
    shown = visitor.see("mine").context["proof"]
    assert (shown.by_code, shown.by_text) == (False, False)


def test_from_within_a_number_that_nobody_knows_is_offered_alike(visitor, held):
    """Whoever names somebody else's number must not read off the page whether it is known."""
    offered = []
    for number in (MOBILE, "07700 900999"):
        request = log(held, person=Person(name="Mallory", email="mallory@example.com", phone=number))
        run_jobs()
        visitor.sign_in(request, "mallory@example.com")
        shown = visitor.see("mine").context["proof"]
        offered.append((shown.text, shown.by_code, shown.by_text))

    assert offered[0] == offered[1]
    assert offered[0][1:] == (False, True)


def test_from_within_a_code_is_texted(visitor, held):
    request = log(held, person=Person(name="Ada Example", email="ada@new.example.com", phone=MOBILE))
    run_jobs()
    visitor.sign_in(request, "ada@new.example.com")

    visitor.send("prove-text")
    run_jobs()
    visitor.send("code", code=newest())

    assert request.cases.get().identity_level == 1


def test_from_without_nothing_is_texted(visitor, request_):
    assert visitor.send("prove-text")["Location"].endswith("?ended")
    assert not Job.objects.filter(kind=text_code.ASK).exists()
