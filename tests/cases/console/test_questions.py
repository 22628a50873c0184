"""The agent's page of questions from the record."""

from typing import Any

import pytest
from django.urls import reverse

from cases.models import AskedQuestion, Case, SourceSystem
from identity.roles import Role
from tests.cases.desk_cases import office
from tests.cases.staff_client import signed_in
from tests.factories.cases import one_case, run_jobs
from tests.factories.identity import ControllerFactory, give_policy, staff
from tests.factories.questions import RIGHT, SECRETS, WRONG, askable_source
from tests.leaks import leaked

__all__ = ["office"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(office: Any) -> Case:
    give_policy(office.brand, {"default": 1}, record_questions={"ask": 3, "right": 2})
    SourceSystem.objects.filter(controller=office.brand).update(is_active=False)
    askable_source(office.brand)
    return one_case(office.brand, contact_reference="CALL-4711")


def page_of(case: Case, name: str = "questions") -> str:
    return reverse(f"console:{name}", args=[case.subject_request_id])


def begin(client: Any, case: Case, contact: str = "CALL-4711") -> Any:
    return client.post(page_of(case, "questions-begin"), {"contact_reference": contact})


def answer(client: Any, case: Case, answers: dict[str, str]) -> Any:
    form = client.get(page_of(case)).context["form"]
    said = {place: answers[name.rpartition(".")[2]] for place, name in form.names.items()}
    return client.post(page_of(case), said)


def test_agent_is_led_to_them(office, case):
    page = signed_in(office.agent).get(reverse("console:read-out", args=[case.subject_request_id]))

    assert page_of(case) in page.content.decode()


@pytest.mark.parametrize(("answers", "level"), [(RIGHT, 1), (WRONG, 0)])
def test_what_the_caller_says_is_compared(office, case, answers, level):
    client = signed_in(office.agent)
    begun = begin(client, case)

    done = answer(client, case, answers)
    run_jobs()

    case.refresh_from_db()
    assert (begun.status_code, done.status_code, case.identity_level) == (303, 303, level)


def test_agent_never_sees_what_is_right(office, case):
    client = signed_in(office.agent)
    begin(client, case)
    pages = [client.get(page_of(case))]
    answer(client, case, WRONG)
    run_jobs()
    pages += [
        client.get(reverse("console:request", args=[case.subject_request_id])),
        client.get(page_of(case)),
    ]

    shown = "".join(page.content.decode() for page in pages)

    assert leaked([*SECRETS, "2021", "BS1"], shown) == []


def test_another_conversation_is_refused_and_spends_no_question(office, case):
    page = begin(signed_in(office.agent), case, "CALL-1")

    assert (page.status_code, AskedQuestion.objects.count()) == (422, 0)
    assert page.context["form"]["contact_reference"].value() == "CALL-1"


def test_questions_are_not_shown_before_the_conversation_is_named(office, case):
    page = signed_in(office.agent).get(page_of(case))

    assert (page.status_code, page.context["is_asking"], AskedQuestion.objects.count()) == (200, False, 0)


def test_strangers_find_no_page(office, case):
    stranger = signed_in(staff(Role.AGENT, ControllerFactory.create()))

    found = [stranger.get(page_of(case)), begin(stranger, case), stranger.post(page_of(case), {})]

    assert ([one.status_code for one in found], AskedQuestion.objects.count()) == ([404] * 3, 0)
