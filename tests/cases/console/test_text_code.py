"""The agent's page: a code is texted to the caller, who reads it out."""

import json
import re
from typing import Any

import pytest
from django.urls import reverse

from cases.models import Case, SourceSystem
from cases.workflow import text_code
from cases.workflow.intake import Person
from dsar.jobs.models import Job
from identity import services, texting
from identity.roles import Role
from identity.sms.outbox import texts
from tests.cases.desk_cases import office
from tests.cases.staff_client import signed_in
from tests.factories.cases import SourceFactory, one_case, run_jobs
from tests.factories.identity import ControllerFactory, staff
from tests.leaks import leaked

__all__ = ["office"]

pytestmark = pytest.mark.django_db

RECORDS = {
    "people": [{"id": 1, "email": "ada@example.com", "name": "Ada", "phone_number": "+44 7700 900123"}],
    "notes": [],
}


@pytest.fixture(autouse=True)
def _texts(settings: Any) -> None:
    settings.SMS_OUTBOX = True


def case_of(office: Any, phone: str = "07700 900123") -> Case:
    SourceSystem.objects.filter(controller=office.brand).update(is_active=False)
    SourceFactory.create(controller=office.brand, options={"records": json.dumps(RECORDS)})
    return one_case(office.brand, person=Person(name="Ada Example", email="ada@example.com", phone=phone))


def page_of(case: Case, name: str = "text-code") -> str:
    return reverse(f"console:{name}", args=[case.subject_request_id])


def newest() -> str:
    found = re.search(r"\b(\d{6})\b", texts(texting.outbox())[0].text)
    assert found is not None
    return found[1]


def test_agent_is_led_to_it(office):
    case = case_of(office)

    page = signed_in(office.agent).get(reverse("console:read-out", args=[case.subject_request_id]))

    assert page_of(case) in page.content.decode()


def test_code_that_is_read_out_counts(office):
    case, client = case_of(office), signed_in(office.agent)
    asked = client.post(page_of(case, "text-code-send"))
    run_jobs()

    done = client.post(page_of(case), {"code": f"{newest()[:3]} {newest()[3:]}"})

    case.refresh_from_db()
    assert (asked.status_code, done.status_code, case.identity_level) == (303, 303, 1)


def test_wrong_codes_run_out(office):
    case, client = case_of(office), signed_in(office.agent)
    client.post(page_of(case, "text-code-send"))
    run_jobs()

    statuses = [
        client.post(page_of(case), {"code": "not it"}).status_code for _ in range(services.CODE_TRIES)
    ]
    right = client.post(page_of(case), {"code": newest()})

    case.refresh_from_db()
    assert (set(statuses), right.status_code, case.identity_level) == ({422}, 422, 0)


def test_agent_never_sees_the_code(office):
    case, client = case_of(office), signed_in(office.agent)
    client.post(page_of(case, "text-code-send"))
    run_jobs()

    pages = [page_of(case), reverse("console:request", args=[case.subject_request_id])]

    assert [leaked([newest()], client.get(page).content.decode()) for page in pages] == [[], []]


def test_agent_is_told_the_same_of_a_number_that_nobody_knows(office):
    said = []
    for phone in ("07700 900123", "07700 900999"):
        case, client = case_of(office, phone), signed_in(office.agent)
        asked = client.post(page_of(case, "text-code-send"), follow=True)
        run_jobs()
        tried = client.post(page_of(case), {"code": "000000"})
        text = (asked.content + tried.content).decode()
        for differs in (case.subject_request.reference, str(case.subject_request_id)):
            text = text.replace(differs, "")
        said.append(re.sub(r'(csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]+"', "", text))

    assert said[0] == said[1]


def test_page_says_why_it_cannot_be(office):
    case = case_of(office, "020 7946 0000")

    shown = signed_in(office.agent).get(page_of(case))
    refused = signed_in(office.agent).post(page_of(case), {"code": "123456"})

    assert (shown.status_code, shown.context["form"], refused.status_code) == (200, None, 409)
    assert "no mobile number" in shown.context["why_not"]


def test_strangers_find_no_page(office):
    case = case_of(office)

    stranger = signed_in(staff(Role.AGENT, ControllerFactory.create()))
    found = [stranger.post(page_of(case, name)) for name in ("text-code", "text-code-send")]

    assert ([one.status_code for one in found], Job.objects.filter(kind=text_code.ASK).count()) == (
        [404, 404],
        0,
    )
