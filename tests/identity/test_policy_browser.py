"""The policies, and who asks, in a real browser: light and dark, wide and narrow."""

from typing import Any

import pytest
from playwright.sync_api import Page

from dsar.lib.tenancy import unit_of_work
from identity.roles import Role
from tests.browser import Judge, browser, open_context, page
from tests.cases.console.test_desk_browser import site
from tests.cases.staff_client import enter
from tests.factories.cases import one_case
from tests.factories.identity import ControllerFactory, give_policy, staff

__all__ = ["browser", "page", "site"]

pytestmark = pytest.mark.browser


@pytest.fixture
def people(site: str) -> Any:
    """A brand with a policy of its own, one without, and a case that waits for proof."""
    with unit_of_work([]):
        own = ControllerFactory.create(name="Northwind Energy", slug="northwind", levels=None)
        give_policy(own, {"default": 2, "complaint": 0}, reuse_days=30)
        usual = ControllerFactory.create(name="Acme Stores", slug="acme", levels=None)
        case = one_case(own)
        brands = (own, usual)
        return staff(Role.ADMINISTRATOR, *brands), staff(Role.HANDLER, *brands), case


def test_policies_are_accessible_and_can_be_tried(site: str, page: Page, people: Any) -> None:
    administrator, _handler, _case = people
    enter(page, site, administrator)
    judge = Judge("policies")

    page.goto(f"{site}/staff/policies/")
    judge.look(page, "usual")
    page.get_by_role("link", name="Northwind Energy").click()
    page.get_by_label("What is asked for").select_option("access")
    page.get_by_label("Financial data").check()
    page.get_by_role("button", name="What would be asked?").click()
    judge.look(page, "tried")

    assert page.get_by_role("heading", name="Level: substantial").is_visible()
    assert judge.complaints == []


def test_who_asks_is_accessible_on_the_case(site: str, page: Page, people: Any) -> None:
    _administrator, handler, case = people
    enter(page, site, handler)
    judge = Judge("who-asks")

    page.goto(f"{site}/cases/{case.pk}/")
    judge.look(page, "case")
    page.goto(f"{site}/requests/{case.subject_request_id}/read-out/")
    judge.look(page, "read-out")

    assert judge.complaints == []


def test_security_check_is_accessible_and_works_without_javascript(
    site: str, browser: Any, page: Page
) -> None:
    with unit_of_work([]):
        brand = ControllerFactory.create(name="Northwind Energy", levels=None)
        script = {"questions": ["What is your account number?", "Which postcode do we have for you?"]}
        give_policy(brand, {"default": 1}, call_check=script)
        case = one_case(brand, contact_reference="CALL-4711")
        agent = staff(Role.AGENT, brand)
    enter(page, site, agent)
    judge = Judge("call-check")
    page.goto(f"{site}/requests/{case.subject_request_id}/read-out/")
    page.get_by_role("link", name="Ask the security questions").click()
    judge.look(page, "questions")
    assert judge.complaints == []

    bare = open_context(browser, java_script_enabled=False).new_page()
    enter(bare, site, agent)
    bare.goto(page.url)
    for question in bare.get_by_label("answered rightly").all():
        question.check()
    bare.get_by_label("Call or chat reference").fill("CALL-4711")
    bare.get_by_role("button", name="Note the check").click()

    assert bare.get_by_text("The check is noted. It counts for this request.").is_visible()
