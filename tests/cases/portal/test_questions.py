"""Questions from the record on the customer's pages: the same whether or not anybody is known."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.models import AskedQuestion, SourceSystem
from cases.workflow.intake import Person
from dsar.jobs.models import Job
from identity.models import Verification
from tests.cases.portal.conftest import ADA, Visitor, text_of
from tests.factories.cases import SourceFactory, log, run_jobs
from tests.factories.identity import give_policy
from tests.factories.questions import BOBS, RIGHT, WRONG, askable_source

pytestmark = pytest.mark.django_db

MALLORY = "mallory@example.com"
THREE = {"ask": 3, "right": 2}


@pytest.fixture
def held(brand):
    give_policy(brand, {"default": 2}, record_questions=THREE)
    SourceSystem.objects.update(is_active=False)
    askable_source(brand)
    return brand


def inside(brand, email=ADA):
    """A customer who came with a code."""
    request = log(brand, person=Person(name="Ada Example", email=email))
    run_jobs()
    here = Visitor(brand)
    here.sign_in(request, email)
    return here, request


def fill(here, answers):
    """What the form's fields are called, with these answers."""
    form = here.see("questions").context["form"]
    return {place: answers[name.rpartition(".")[2]] for place, name in form.names.items()}


def answer(here, answers):
    here.send("questions-begin")
    done = here.send("questions", **fill(here, answers))
    run_jobs()
    return done


def test_who_knows_the_record_is_known(held):
    here, request = inside(held)
    offered = here.see("mine").context["proof"]

    done = answer(here, RIGHT)

    assert (offered.by_questions, done.status_code, done["Location"]) == (
        True,
        303,
        here.at("mine") + "?done=answers",
    )
    assert request.cases.get().identity_level == 2
    assert here.see("mine").context["proof"] is None


def test_who_does_not_is_told_no_more_than_that(held):
    here, request = inside(held)

    answer(here, WRONG)

    shown = here.see("mine").content.decode()
    assert request.cases.get().identity_level == 1
    assert "Your answers did not show that it is you" in shown
    assert "how many" not in shown


def walk(brand, email, answers):
    """Every page on the way, as it is answered."""
    here, request = inside(brand, email)
    before = [here.see("mine"), here.see("questions"), here.send("questions-begin"), here.see("questions")]
    form = before[-1].context["form"]
    names = {place: name.rpartition(".")[2] for place, name in form.names.items()}
    said = {place: answers[field] for place, field in names.items()}
    after = [
        here.send("questions", **dict.fromkeys(said, "")),
        here.send("questions", **said),
        here.see("mine"),
    ]
    run_jobs()
    after += [here.see("mine"), here.see("questions"), here.send("questions-begin")]
    # The questions come in an order of their own each time.
    order = sorted(names.values())
    return [_told(one, request) for one in [*before[:3], *after[1:]]], order


def _told(one, request):
    text = text_of(one).replace(request.reference, "").replace(str(request.pk), "")
    text = re.sub(r"/r/[\w-]+/", "", text)  # each letter has a link of its own
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", text)
    text = re.sub(r"<time.*?</time>", "", text, flags=re.DOTALL)
    return (one.status_code, one.get("Location"), text)


def test_who_answers_wrongly_and_who_is_unknown_are_answered_alike(held):
    """Each came with a code to an address on file, which another source knows."""
    others = {"people": [{"id": 5, "email": MALLORY}], "notes": []}
    SourceFactory.create(controller=held, options={"records": json.dumps(others)})
    wrong, asked = walk(held, ADA, WRONG)

    assert walk(held, MALLORY, RIGHT) == (wrong, asked)
    assert walk(held, "bob@example.com", RIGHT) == (wrong, asked)
    assert [status for status, *_ in wrong] == [200, 200, 303, 303, 200, 200, 200, 422]


def test_answering_takes_the_same_queries(held):
    """Nothing is looked up before the answer is given."""

    def asked(email, answers):
        here, _request = inside(held, email)
        here.send("questions-begin")
        said = fill(here, answers)
        with CaptureQueriesContext(connection) as queries:
            here.send("questions", **said)
        return [
            re.sub(r"'[^']*'|\d+", "?", one["sql"])[:60] for one in queries if "SAVEPOINT" not in one["sql"]
        ]

    assert asked(ADA, RIGHT) == asked(MALLORY, WRONG)


def test_what_cannot_be_read_is_kept_and_said(held):
    here, _request = inside(held)
    here.send("questions-begin")
    said = fill(here, RIGHT | {"customer_since": "in spring"})

    page = here.send("questions", **said)

    assert (page.status_code, 'value="in spring"' in page.content.decode()) == (422, True)
    assert not Job.objects.filter(kind="compare_answers").exists()


def test_nothing_answered_is_said(held):
    here, _request = inside(held)
    here.send("questions-begin")

    page = here.send("questions", **dict.fromkeys(fill(here, RIGHT), ""))

    assert (page.status_code, "at least one" in page.content.decode()) == (422, True)


def test_form_sent_twice_counts_once(held):
    here, _request = inside(held)
    here.send("questions-begin")
    said = fill(here, WRONG)
    here.send("questions", **said)

    second = here.send("questions", **said)

    assert (second.status_code, Job.objects.filter(kind="compare_answers").count()) == (409, 1)


def test_pages_are_for_who_is_inside(held):
    stranger = Visitor(held)

    answers = [stranger.see("questions"), stranger.send("questions-begin"), stranger.send("questions")]

    assert {one["Location"] for one in answers} == {stranger.at("enter") + "?ended"}
    assert AskedQuestion.objects.count() == 0


def test_questions_of_one_request_are_not_answered_in_another(held):
    """Bob sends his answers to the questions of his own request, whatever Ada has open."""
    ada, adas = inside(held)
    ada.send("questions-begin")
    bob, bobs = inside(held, "bob@example.com")
    bob.send("questions-begin")

    bob.send("questions", **fill(bob, BOBS))
    run_jobs()

    states = dict(
        Verification.objects.filter(method="record_questions").values_list("subject_request", "state")
    )
    assert states == {adas.pk: "open", bobs.pk: "achieved"}


def test_page_without_questions_offers_nothing(brand):
    give_policy(brand, {"default": 2})
    here, _request = inside(brand)

    page = here.see("questions")

    assert (page.status_code, page.context["may_begin"], here.send("questions-begin").status_code) == (
        200,
        False,
        422,
    )
