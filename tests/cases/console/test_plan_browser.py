"""A handler plans an erasure and a DPO sends one line back: in a real browser, by keyboard, on every size of screen."""

from collections import Counter
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from cases.models import Case, LineState, PlannedChange
from cases.words import Right, State
from dsar.lib.tenancy import unit_of_work
from identity.roles import Role
from tests.browser import Judge, browser, page
from tests.cases.chinook import LUIS, keep_invoices, make_shop, needs_chinook
from tests.cases.connectors.sql.conftest import Source, database, make_source
from tests.cases.console.test_desk_browser import site
from tests.cases.desk_cases import in_review
from tests.cases.staff_client import enter
from tests.factories.cases import run_jobs
from tests.factories.identity import ControllerFactory, staff

__all__ = ["browser", "database", "make_source", "page", "site"]

pytestmark = [pytest.mark.browser, needs_chinook]


def test_handler_plans_and_dpo_sends_one_line_back(
    site: str, page: Page, make_source: Callable[[str], Source]
) -> None:
    with unit_of_work([]):
        brand = ControllerFactory.create(name="Northwind Music")
        handler = staff(Role.HANDLER, brand, full_name="Hannah Handler")
        dpo = staff(Role.DPO, brand, full_name="Dora Protector")
        keep_invoices(make_shop(brand, make_source))
        case = in_review(brand, handler, Right.ERASURE, person=LUIS)
    judge = Judge("plan")
    enter(page, site, handler)

    page.goto(site + reverse("console:plan", args=[case.pk]))
    judge.look(page, "open")
    page.get_by_label("Why the data is erased").select_option("CONSENT_WITHDRAWN")
    page.get_by_role("button", name="Record the ground").press("Enter")
    page.get_by_text("The ground is recorded.").wait_for()
    page.get_by_role("link", name="Customer").first.click()
    page.get_by_role("link", name="customer/1").click()
    page.get_by_label("City: how it is made anonymous").select_option("keep")
    judge.look(page, "line")
    page.get_by_label("What becomes of it").select_option("anonymise")
    page.get_by_role("button", name="Decide").press("Enter")
    page.get_by_text("This line is decided.").first.wait_for()
    page.goto(site + reverse("console:plan", args=[case.pk]))
    page.get_by_role("button", name="Take all that is open as proposed").press("Enter")
    page.get_by_text("All 47 lines are decided.").wait_for()
    with unit_of_work([brand.pk]):
        run_jobs()
    page.reload()
    judge.look(page, "decided")
    page.get_by_role("link", name="Prepare the answer").click()
    page.get_by_role("button", name="Send to approval").press("Enter")
    page.get_by_text("Approval").first.wait_for()
    enter(page, site, dpo)
    page.goto(site + reverse("dpo:decision", args=[case.pk]))
    judge.look(page, "decision")
    page.get_by_role("link", name="Line by line").click()
    page.get_by_role("link", name="Invoice", exact=True).first.click()
    judge.look(page, "approver")
    page.get_by_label("Choose invoice/").first.check()
    page.get_by_label("What has to change about them").fill("A claim is open about this one.")
    page.get_by_role("button", name="Send the ticked lines back").press("Enter")
    page.get_by_text("Sent back with your reason.").wait_for()
    enter(page, site, handler)
    page.goto(site + reverse("console:plan", args=[case.pk]))
    page.get_by_text("A claim is open about this one.").wait_for()
    judge.look(page, "returned")

    assert judge.complaints == []
    with unit_of_work([brand.pk]):
        assert Case.objects.get(pk=case.pk).state == State.REVIEW
        states = PlannedChange.objects.filter(case=case).values_list("state", flat=True)
        assert Counter(states) == {LineState.DECIDED: 46, LineState.RETURNED: 1}
