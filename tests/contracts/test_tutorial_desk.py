"""The tutorial's connector, once installed, is an administrator's to connect, and the desk collects by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse

from cases.connectors.conformance.practice import PracticeDesk, example
from cases.models import Item, SourceSystem
from tests.cases.desk_cases import Office, in_review, office
from tests.cases.staff_client import signed_in
from tests.contracts.test_tutorial import installed, site
from tests.factories.cases import run_jobs

__all__ = ["installed", "office", "site"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed")]


@pytest.fixture
def desk() -> Iterator[PracticeDesk]:
    practice = example().start()
    practice.contacts[1]["email"] = "Ada@Example.com"
    yield practice
    practice.stop()


def add_address(office: Office) -> str:
    return reverse("administration:add-source", args=[office.brand.slug, "helpdesk"])


def stated(address: str = "", token: str = "") -> dict[str, str]:
    return {
        "name": "Practice desk",
        "slug": "practice-desk",
        "option_base_url": address,
        "option_network": "private",
        "option_timeout_seconds": "10",
        "option_page_size": "2",
        "secret_token": token,
        "is_active": "on",
    }


def test_connector_is_offered_with_a_form_of_its_options(office: Office) -> None:
    client = signed_in(office.administrator)

    choice = client.get(reverse("administration:choose-connector")).content.decode()
    form = client.get(add_address(office)).content.decode()

    assert "Practice help desk" in choice
    assert [name for name in stated() if f'name="{name}"' not in form] == []


def test_desk_collects_the_person_and_nobody_else(office: Office, desk: PracticeDesk) -> None:
    answer = signed_in(office.administrator).post(add_address(office), stated(desk.address, desk.token))
    source = SourceSystem.objects.get(slug="practice-desk")
    run_jobs()

    case = in_review(office.brand, office.handler)

    found = Item.objects.filter(case=case, source=source).order_by("number")
    assert answer.status_code == 303
    assert [item.content["ref"] for item in found if item.file_id is None] == [
        "contact/1",
        "ticket/11",
        "ticket/12",
    ]
