"""Who receives data, in a real browser: the administrator states it, and the case page lists how each stands."""

from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from cases.models import Recipient, Told
from cases.permissions import by_staff
from cases.words import Right
from cases.workflow import recipients
from dsar.lib.tenancy import unit_of_work
from identity.roles import Role
from tests.browser import Judge, browser, page
from tests.cases.console.test_desk_browser import site
from tests.cases.desk_cases import in_review, source
from tests.cases.staff_client import enter
from tests.factories.cases import run_jobs
from tests.factories.identity import ControllerFactory, staff
from tests.factories.recipients import RecipientFactory

__all__ = ["browser", "page", "site"]

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(site: str) -> dict[str, Any]:
    with unit_of_work([]):
        brand = ControllerFactory.create(name="Northwind Energy", slug="northwind")
        source(brand, name="Customer system", slug="crm")
        handler = staff(Role.HANDLER, brand, full_name="Hannah Handler")
        admin = staff(Role.ADMINISTRATOR, brand, full_name="Anna Admin")
        case = in_review(brand, handler, Right.ERASURE)
        RecipientFactory.create(controller=brand, name="Parcel Couriers Ltd", finds_by=["external_id"])
        by_post = {"route": "post", "email": "", "postal_address": "1 Quay\nHull"}
        RecipientFactory.create(controller=brand, name="Print House", **by_post)
    return {"brand": brand, "handler": handler, "admin": admin, "case": case}


def test_recipients_from_the_form_to_the_answer(site: str, page: Page, desk: dict[str, Any]) -> None:
    judge, case = Judge("recipients"), desk["case"]
    enter(page, site, desk["admin"])

    page.goto(site + reverse("administration:recipients"))
    judge.look(page, "list")
    page.get_by_role("link", name="Add a recipient").first.click()
    page.get_by_label("Name", exact=True).fill("Adverts GmbH")
    page.get_by_label("Short name").fill("adverts")
    page.get_by_role("button", name="Add the recipient").click()
    page.get_by_text("Give the address that notices are mailed to.").first.wait_for()
    judge.look(page, "form-wrong")
    page.locator("#id_email").fill("privacy@adverts.example")
    page.get_by_role("button", name="Add the recipient").click()
    page.get_by_text("The recipient is saved.").wait_for()
    page.goto(site + reverse("administration:suppression"))
    page.get_by_label("Which importer uses it").fill("CRM import")
    page.get_by_role("button", name="Make a token").click()
    page.get_by_text("it is not shown again").wait_for()
    judge.look(page, "suppression")

    with unit_of_work([desk["brand"].pk]):
        assert Recipient.objects.get(slug="adverts").finds_by == ["email"]
        by, now = by_staff(desk["handler"]), timezone.now()
        recipients.tell(case, uuid4(), Told.ERASED, {"crm"}, by, now)
        run_jobs()
    enter(page, site, desk["handler"])
    page.goto(site + reverse("console:case", args=[case.pk]))
    judge.look(page, "case")
    page.get_by_role("link", name="Record its answer").first.click()
    page.get_by_label("holds nothing of the person").check()
    judge.look(page, "answer")
    page.get_by_role("button", name="Record it").click()
    page.get_by_text("Its answer: holds nothing of the person.").wait_for()

    assert judge.complaints == []
