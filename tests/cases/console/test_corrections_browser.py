"""A correction is refused, with a note of the dispute on the record: handler and approver in a real browser."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from cases.models import Case, Letter
from cases.portal.sessions import COOKIE
from cases.words import Outcome, Right, State
from dsar.lib.tenancy import unit_of_work
from identity.roles import Role
from tests.browser import Judge, browser, page
from tests.cases.connectors.demo_crm.crm_world import ADA as ADAS_CONTACT
from tests.cases.console.test_desk_browser import site
from tests.cases.desk_cases import allow_all, in_review
from tests.cases.portal.conftest import Visitor
from tests.cases.staff_client import enter
from tests.cases.workflow.rectifying import ADA, Shop, shop
from tests.factories.cases import run_jobs
from tests.factories.identity import ControllerFactory, staff

__all__ = ["browser", "page", "site"]

pytestmark = pytest.mark.browser
CLAIM = {"field": "Street", "wrong": "Mill Lane 4", "right": "Mill Lane 14"}


@pytest.fixture
def here(site: str) -> Iterator[Shop]:
    with unit_of_work([]):
        brand = ControllerFactory.create(name="Northwind Energy", postal_address="1 Mill Lane\nLeeds LS1 1AA")
        opened = shop(brand)
        found = opened.__enter__()
        allow_all(brand)
    yield found
    opened.__exit__(None, None, None)


def _point_at(page: Page, site: str, visitor: Visitor, case: Case, judge: Judge) -> None:
    """The customer sees what was found, and what cannot be right is said beside what they typed."""
    cookie = visitor.cookies[COOKIE]
    page.context.add_cookies([{"name": COOKIE, "value": cookie.value, "url": site + cookie["path"]}])
    page.goto(site + visitor.at("mine"))
    page.get_by_role("link", name="See the details").click()
    judge.look(page, "portal")
    page.get_by_label("Email: Ada.Example@shop.test").first.press("Space")
    page.get_by_label("What it should be").fill("no address")
    page.get_by_role("button", name="Say that this is wrong").press("Enter")
    page.get_by_text("This is no e-mail address.").first.wait_for()
    judge.look(page, "portal-refused")


def test_refused_rectification_leaves_a_note_of_the_dispute(site: str, page: Page, here: Shop) -> None:
    brand = here.desk.controller
    with unit_of_work([brand.pk]):
        handler = staff(Role.HANDLER, brand, full_name="Hannah Handler")
        dpo = staff(Role.DPO, brand, full_name="Dora Protector")
        case = in_review(brand, handler, Right.RECTIFICATION, person=ADA, claims=[CLAIM])
        visitor = Visitor(brand)
        visitor.sign_in(case.subject_request, ADA.email)
    before = here.everything()
    judge = Judge("corrections")
    _point_at(page, site, visitor, case, judge)
    enter(page, site, handler)

    page.goto(site + reverse("console:case", args=[case.pk]))
    page.get_by_role("link", name="Decide the corrections").click()
    judge.look(page, "list")
    page.keyboard.press("d")
    page.get_by_role("heading", name="Street").first.wait_for()
    judge.look(page, "value")
    page.get_by_label("Refuse, with a note of the dispute").press("Space")
    page.get_by_role("button", name="Decide, and on to the next").press("Enter")
    page.get_by_text("Give the reasons: the approver and the customer read them.").first.wait_for()
    judge.look(page, "value-refused")
    page.get_by_role("textbox", name="Reasons").fill("The post office confirms number 4.")
    page.get_by_role("textbox", name="What it rests on").fill("The register of addresses, looked at today.")
    page.get_by_role("button", name="Decide, and on to the next").press("Enter")
    page.get_by_text("Every value is decided.").wait_for()
    with unit_of_work([brand.pk]):
        run_jobs()
    page.reload()
    judge.look(page, "decided")
    page.get_by_role("link", name="Prepare the answer").click()
    judge.look(page, "submit")
    page.get_by_role("button", name="Send to approval").press("Enter")
    page.get_by_text("The answer is with the approvers.").wait_for()
    enter(page, site, dpo)
    page.goto(site + reverse("dpo:decision", args=[case.pk]))
    page.get_by_text("The post office confirms number 4.").first.wait_for()
    judge.look(page, "approver")
    page.get_by_role("button", name="Approve").first.press("Enter")
    page.wait_for_url("**/approvals/")
    with unit_of_work([brand.pk]):
        run_jobs()
        closed = Case.objects.get(pk=case.pk)
        body = Letter.objects.get(case=case, kind="refusal").body

    assert judge.complaints == []
    assert (closed.state, closed.outcome) == (State.CLOSED, Outcome.REFUSED)
    assert "The post office confirms number 4." in body
    after = here.everything()
    note = after["contacts", ADAS_CONTACT].pop("note")
    before["contacts", ADAS_CONTACT].pop("note")
    assert "the person disputes “street” and states: Mill Lane 14" in note
    assert after == before
