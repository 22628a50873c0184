"""Proving who one is without papers: a code by text message, and questions from the record."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from cases.models import Case, SourceSystem
from cases.workflow.intake import Person
from dsar.lib.tenancy import unit_of_work
from identity import texting
from identity.roles import Role
from identity.sms.outbox import texts
from tests.browser import Judge, browser, serving
from tests.cases.portal.conftest import ADA, make_brand, newest_code
from tests.cases.portal.in_browser import desk, phone
from tests.cases.staff_client import enter
from tests.factories.cases import log, run_jobs
from tests.factories.identity import give_policy, staff
from tests.factories.questions import ADA as RECORD
from tests.factories.questions import BOB, QUESTIONS, RIGHT, WRONG

__all__ = ["browser", "desk", "phone"]

pytestmark = pytest.mark.browser


@pytest.fixture
def brand(committed_db: None, settings: Any) -> Any:
    settings.SMS_OUTBOX = True
    with unit_of_work([]):
        made = make_brand(logo="img/brands/meridian.svg")
        records = {
            "people": [RECORD | {"email": ADA}, BOB],
            "notes": [],
            "questions": QUESTIONS,
        }
        for source in SourceSystem.objects.filter(controller=made):
            source.options = {"records": json.dumps(records)}
            source.save()
        give_policy(made, {"default": 2}, record_questions={"ask": 3, "right": 2})
        return made


@pytest.fixture
def site(brand: Any, settings: Any) -> Iterator[str]:
    with serving() as url:
        settings.BASE_URL = url
        yield url


def asked(brand: Any, **fields: Any) -> Any:
    with unit_of_work([brand.pk]):
        request = log(brand, person=Person(name="Ada Example", email=ADA, phone="07700 900123"), **fields)
        run_jobs()
        return request


def work(brand: Any) -> None:
    with unit_of_work([brand.pk]):
        run_jobs()


def texted() -> str:
    found = re.search(r"\d{6}", texts(texting.outbox())[0].text)
    assert found is not None
    return found[0]


def fill(page: Page, answers: dict[str, str]) -> None:
    for question in QUESTIONS:
        words = question["question"]
        assert isinstance(words, dict)
        page.get_by_label(words["en"]).fill(answers[str(question["field"])])


def test_customer_proves_it_by_text_and_questions(site: str, phone: Page, brand: Any) -> None:
    judge, request = Judge("proving"), asked(brand)
    start = f"{site}/p/{brand.slug}"
    phone.goto(f"{start}/follow/")
    phone.get_by_label("Reference").fill(request.reference)
    phone.get_by_label("E-mail address").fill(ADA)
    phone.get_by_role("button", name="Send me a code").click()
    judge.look(phone, "code")
    phone.get_by_role("button", name="Text me a code instead").click()
    work(brand)
    judge.look(phone, "code-texted")
    phone.get_by_label("Code", exact=True).fill(texted())
    phone.get_by_role("button", name="Continue").click()
    judge.look(phone, "proof")
    phone.get_by_role("link", name="Answer some questions").click()
    judge.look(phone, "questions-start")
    phone.get_by_role("button", name="Show me the questions").click()
    phone.get_by_label("When did you join us?").fill("in spring")
    phone.get_by_role("button", name="Send my answers").click()
    judge.look(phone, "questions-unreadable")
    fill(phone, RIGHT)
    phone.get_by_role("button", name="Send my answers").click()
    judge.look(phone, "questions-sent")
    work(brand)
    phone.reload()
    judge.look(phone, "questions-right")

    with unit_of_work([brand.pk]):
        assert Case.objects.get().identity_level == 2
    assert judge.complaints == []


def test_wrong_answers_lead_to_another_way(site: str, phone: Page, brand: Any) -> None:
    judge, request = Judge("proving-wrong"), asked(brand)
    phone.goto(f"{site}/p/{brand.slug}/follow/")
    phone.get_by_label("Reference").fill(request.reference)
    phone.get_by_label("E-mail address").fill(ADA)
    phone.get_by_role("button", name="Send me a code").click()
    work(brand)
    phone.get_by_label("Code", exact=True).fill(newest_code())
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_role("link", name="Answer some questions").click()
    phone.get_by_role("button", name="Show me the questions").click()
    fill(phone, WRONG)
    phone.get_by_role("button", name="Send my answers").click()
    work(brand)
    phone.reload()
    judge.look(phone, "wrong")

    assert phone.get_by_text("Your answers did not show that it is you").is_visible()
    assert judge.complaints == []


def test_agent_proves_it_with_the_caller(site: str, desk: Page, brand: Any) -> None:
    judge, request = Judge("proving-agent"), asked(brand, contact_reference="CALL-1")
    with unit_of_work([brand.pk]):
        agent = staff(Role.AGENT, brand, full_name="Amy Agent")
    enter(desk, site, agent)
    desk.goto(f"{site}/requests/{request.pk}/")
    judge.look(desk, "request")
    desk.get_by_role("link", name="Text a code").click()
    judge.look(desk, "text")
    desk.get_by_role("button", name="Text a code").click()
    work(brand)
    judge.look(desk, "texted")
    desk.get_by_label("The code that they read out").fill(texted())
    desk.get_by_role("button", name="Check the code").click()
    desk.get_by_role("link", name="Ask from the record").click()
    judge.look(desk, "before")
    desk.get_by_label("Call or chat reference").fill("CALL-1")
    desk.get_by_role("button", name="Show the questions").click()
    judge.look(desk, "questions")
    fill(desk, RIGHT)
    desk.get_by_role("button", name="Compare the answers").click()
    judge.look(desk, "compared")
    work(brand)
    desk.reload()
    judge.look(desk, "known")

    with unit_of_work([brand.pk]):
        assert Case.objects.get().identity_level == 2
    assert judge.complaints == []
