"""The pages of doubts in a real browser: accessible, no wider than a phone, and of use without a mouse."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from cases.models import Candidate
from dsar.lib.tenancy import unit_of_work
from identity.roles import Role
from tests.browser import Judge, browser, page
from tests.cases.collection.planted import planted
from tests.cases.console.doubtful import doubtful_case
from tests.cases.console.test_desk_browser import site
from tests.cases.staff_client import enter
from tests.factories.identity import ControllerFactory, staff

__all__ = ["browser", "page", "planted", "site"]

pytestmark = pytest.mark.browser


def test_pages_of_doubts_are_accessible_and_work(site: str, page: Page, planted: Any) -> None:
    with unit_of_work([]):
        brand = ControllerFactory.create(name="Northwind Energy")
        handler = staff(Role.HANDLER, brand, full_name="Hannah Handler")
        dpo = staff(Role.DPO, brand, full_name="Dora Protector")
        case = doubtful_case(brand, handler, strangers=3, matches=2)
    judge = Judge("doubts")
    enter(page, site, handler)

    page.goto(site + reverse("console:case", args=[case.pk]))
    judge.look(page, "case")
    page.get_by_role("link", name="Look and decide").first.click()
    judge.look(page, "page")
    page.get_by_role("button", name="Not the person").first.focus()
    page.get_by_label("How do you know?").first.fill("Another person of that name.")
    page.get_by_role("button", name="Not the person").first.press("Enter")
    page.get_by_text("what was kept of it is destroyed").wait_for()
    page.goto(site + reverse("console:fields", args=[case.pk]))
    judge.look(page, "fields-of-handler")
    enter(page, site, dpo)
    page.goto(site + reverse("console:fields", args=[case.pk]))
    judge.look(page, "fields")

    assert judge.complaints == []
    with unit_of_work([brand.pk]):
        assert sorted(Candidate.objects.values_list("verdict", flat=True)) == ["not_theirs", "open"]
