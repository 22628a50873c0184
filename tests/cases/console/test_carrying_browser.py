"""The time to cancel, and what is done after it, in a real browser: the customer's telephone and the handler's desk."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page

from cases.models import Case, ChangeStep, PlanStage
from cases.words import Outcome, Right, State
from dsar.lib.tenancy import unit_of_work
from identity.models import User
from identity.roles import Role
from tests.browser import PHONE, Judge, browser, open_context, page
from tests.cases.chinook import LUIS, Shop, keep_invoices, make_shop, needs_chinook
from tests.cases.connectors.sql.conftest import Source, database, make_source
from tests.cases.console.test_desk_browser import site
from tests.cases.fulfilment.erasing import approved, live, run_all
from tests.cases.fulfilment.test_execution import come_back
from tests.cases.portal.conftest import Visitor
from tests.cases.staff_client import enter
from tests.cases.workflow.conftest import Desk, make_desk
from tests.factories.identity import ControllerFactory, staff

__all__ = ["browser", "database", "make_source", "page", "site"]

pytestmark = [pytest.mark.browser, needs_chinook]


def prepared(make_source: Callable[[str], Source]) -> tuple[Desk, Shop, Case, User, User]:
    """An erasure approved a moment ago, of a brand that gives seven days to cancel."""
    brand = ControllerFactory.create(name="Northwind Music", slug="northwind", grace_days=7)
    desk = make_desk(brand)
    desk.allow()
    people = [staff(role, brand, full_name=name) for role, name in PEOPLE]
    shop = make_shop(brand, make_source)
    keep_invoices(shop)
    return desk, shop, approved(desk, desk.in_review(Right.ERASURE, person=LUIS)), *people  # type: ignore[return-value]


PEOPLE = ((Role.HANDLER, "Hannah Handler"), (Role.DPO, "Dora Protector"))


def test_customer_cancels_while_there_is_time(
    site: str,
    page: Page,
    browser: Browser,
    make_source: Callable[[str], Source],
) -> None:
    with unit_of_work([]):
        desk, shop, case, handler, _dpo = prepared(make_source)
        before = shop.rows("customer")
        visitor = Visitor(desk.controller)
        visitor.sign_in(case.subject_request, LUIS.email)
    judge = Judge("cancel")
    enter(page, site, handler)
    page.goto(site + reverse("console:case", args=[case.pk]))
    page.get_by_text("The customer can cancel until").wait_for()
    judge.look(page, "desk")

    phone = open_context(browser, viewport=PHONE).new_page()
    phone.context.add_cookies(
        [{"name": name, "value": one.value, "url": site} for name, one in visitor.cookies.items()]
    )
    phone.goto(site + reverse("portal:mine", args=["northwind"]))
    phone.get_by_text("Your data will be erased after").wait_for()
    judge.look(phone, "portal")
    phone.get_by_role("link", name="Cancel the erasure").click()
    judge.look(phone, "portal-cancel")
    phone.get_by_role("button", name="Yes, cancel the erasure").click()
    phone.get_by_text("The erasure is cancelled. Nothing was erased.").wait_for()
    phone.get_by_text("You cancelled the erasure").first.wait_for()
    phone.context.close()
    with unit_of_work([desk.controller.pk]):
        run_all()

    assert judge.complaints == []
    with unit_of_work([desk.controller.pk]):
        case.refresh_from_db()
        assert (str(case.state), case.outcome) == (State.CLOSED, Outcome.WITHDRAWN)
        assert (live(case).stage, shop.rows("customer")) == (PlanStage.VOID, before)
        assert set(ChangeStep.objects.values_list("attempts", flat=True)) == {0}


def test_handler_sees_it_carried_out_and_two_settle_what_is_left(
    site: str,
    page: Page,
    make_source: Callable[[str], Source],
) -> None:
    with unit_of_work([]):
        desk, shop, case, handler, dpo = prepared(make_source)
        come_back(shop, case)
    judge = Judge("carrying")
    enter(page, site, handler)
    page.goto(site + reverse("console:case", args=[case.pk]))
    page.get_by_role("link", name="It cannot wait").click()
    page.get_by_label("Why it cannot wait").fill("Her former partner can read the account.")
    page.get_by_role("button", name="Carry it out now").click()
    page.get_by_text("It begins now.").wait_for()
    with unit_of_work([desk.controller.pk]):
        run_all()
    page.goto(site + reverse("console:case", args=[case.pk]))
    page.get_by_text("Found by the search afterwards").wait_for()
    judge.look(page, "left")
    page.get_by_role("link", name="Steps and receipts").click()
    page.get_by_text("DELETE FROM").first.wait_for()
    judge.look(page, "receipts")
    page.goto(site + reverse("console:case", args=[case.pk]))
    page.get_by_role("link", name="Let it stay").click()
    page.get_by_label("Reason").fill("The shop writes it back each night.")
    page.get_by_role("button", name="Propose it").click()
    page.get_by_text("A second person decides.").wait_for()
    enter(page, site, dpo)
    page.goto(site + reverse("console:case", args=[case.pk]))
    page.get_by_role("link", name="Decide on it").click()
    page.get_by_role("button", name="Agree").click()
    page.get_by_text("It stays, and the case goes on.").wait_for()
    with unit_of_work([desk.controller.pk]):
        run_all()

    assert judge.complaints == []
    with unit_of_work([desk.controller.pk]):
        case.refresh_from_db()
        assert (str(case.state), case.outcome) == (State.CLOSED, Outcome.PARTLY_FULFILLED)
