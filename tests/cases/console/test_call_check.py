"""The page of the security check."""

from typing import Any

import pytest
from django.urls import reverse

from cases.models import Case
from identity.models import Verification
from tests.cases.desk_cases import office
from tests.cases.staff_client import signed_in
from tests.factories.cases import one_case
from tests.factories.identity import give_policy

__all__ = ["office"]

pytestmark = pytest.mark.django_db

SCRIPT = {"questions": ["Which postcode?", "Which month?"]}


@pytest.fixture
def case(office: Any) -> Case:
    give_policy(office.brand, {"default": 1}, call_check=SCRIPT)
    return one_case(office.brand, contact_reference="CALL-4711")


def page_of(case: Case) -> str:
    return reverse("console:call-check", args=[case.subject_request_id])


def test_agent_is_led_to_the_check(office, case):
    page = signed_in(office.agent).get(reverse("console:read-out", args=[case.subject_request_id]))

    assert page_of(case) in page.content.decode()
    assert page.context["proving"].next.code == "email_code"  # which takes less, and is enough


def test_check_is_noted(office, case):
    answers = {"question_0": "right", "question_1": "right", "contact_reference": "CALL-4711"}

    done = signed_in(office.agent).post(page_of(case), answers)

    assert (done.status_code, Verification.objects.get(method="agent_check").level) == (303, 1)


def test_what_was_ticked_stays_where_something_is_missing(office, case):
    page = signed_in(office.agent).post(page_of(case), {"question_0": "right", "contact_reference": "CALL-1"})

    assert (page.status_code, list(page.context["form"].errors)) == (422, ["question_1"])
    assert page.context["form"]["question_0"].value() == "right"
    assert not Verification.objects.filter(method="agent_check").exists()


def test_another_conversation_is_refused_on_the_page(office, case):
    answers = {"question_0": "right", "question_1": "right", "contact_reference": "CALL-4712"}

    page = signed_in(office.agent).post(page_of(case), answers)

    assert page.status_code == 422
    assert not Verification.objects.filter(method="agent_check").exists()


def test_page_says_why_it_cannot_be_done(office, case):
    portal = one_case(office.brand)

    page = signed_in(office.agent).get(page_of(portal))

    assert (page.status_code, page.context["form"]) == (200, None)
    assert "That one is over" in page.content.decode()


@pytest.mark.parametrize("role", ["dpo", "auditor", "administrator"])
def test_check_is_not_there_for_who_may_not_log(office, case, role):
    assert signed_in(getattr(office, role)).get(page_of(case)).status_code == 404
