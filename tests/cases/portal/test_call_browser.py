"""From a call to the search: the agent's check on the line, and the customer's code that lifts it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from cases.models import Case
from cases.words import State
from dsar.lib.tenancy import unit_of_work
from identity.models import Level, Verification
from identity.roles import Role
from tests.browser import Judge, browser
from tests.cases.portal.conftest import ADA, make_brand, newest_code
from tests.cases.portal.in_browser import desk, phone
from tests.cases.portal.test_document_browser import server
from tests.cases.staff_client import enter
from tests.factories.cases import run_jobs
from tests.factories.identity import give_policy, staff

__all__ = ["browser", "desk", "phone", "server"]

pytestmark = pytest.mark.browser

SCRIPT = {"questions": ["Which postcode?", "Which month was the last bill?"], "max_level": "low"}


@pytest.fixture
def judge() -> Iterator[Judge]:
    """Judges both people's pages, and tells at the end."""
    made = Judge("call")
    yield made
    assert made.complaints == []


def test_call_is_checked_by_the_agent_and_lifted_by_a_code(
    server: str, phone: Page, desk: Page, judge: Judge
) -> None:
    with unit_of_work([]):
        brand = make_brand(logo="img/brands/meridian.svg")
        give_policy(brand, {"default": 2}, call_check=SCRIPT)
        agent = staff(Role.AGENT, brand, full_name="Agnes Agent")
    enter(desk, server, agent)

    # The call: logged by keyboard, the questions asked while the customer is on the line.
    desk.goto(f"{server}/log/")
    desk.get_by_label("Name", exact=False).first.fill("Ada Example")
    desk.get_by_label("E-mail address", exact=False).first.fill(ADA)
    desk.get_by_role("checkbox", name="Access").check(force=True)
    desk.get_by_label("Call or chat reference").fill("CALL-4711")
    desk.keyboard.press("Control+Enter")
    expect(desk.get_by_role("heading", name="It is logged. Read this out")).to_be_visible()
    judge.look(desk, "read-out")
    desk.get_by_role("link", name="Security check").or_(desk.locator("a[href$='/check/']")).first.click()
    expect(desk.get_by_role("heading", name="Questions")).to_be_visible()
    desk.get_by_role("button", name="Note the check").click()
    desk.get_by_role("heading", name="Please check").wait_for()
    judge.look(desk, "check-refused")
    for number in range(2):
        desk.locator(f"label[for=id_question_{number}_0]").click()
    desk.get_by_label("Call or chat reference").fill("CALL-4711")
    desk.get_by_role("button", name="Note the check").click()
    desk.wait_for_url("**/requests/*/**")
    judge.look(desk, "checked")
    with unit_of_work([brand.pk]):
        run_jobs()
        case = Case.objects.get()
        known = Verification.objects.get(method="agent_check").level
        reference = case.subject_request.reference
    assert (known, case.identity_level, case.state) == (Level.LOW, Level.LOW, State.AWAITING_IDENTITY)

    # At home: the reference that was read out, and a code to the address on file.
    phone.goto(f"{server}/p/{brand.slug}/follow/")
    phone.get_by_label("reference", exact=False).first.fill(reference.lower().replace("-", " "))
    phone.get_by_label("e-mail", exact=False).first.fill(ADA)
    phone.get_by_role("button").filter(has_text="code").first.click()
    with unit_of_work([brand.pk]):
        run_jobs()
    phone.get_by_label("Code", exact=True).fill(newest_code())
    phone.get_by_role("button", name="Continue").click()
    phone.wait_for_url("**/request/**")
    judge.look(phone, "at-home")

    with unit_of_work([brand.pk]):
        run_jobs()
        case.refresh_from_db()
    assert (case.identity_level, case.state) == (Level.SUBSTANTIAL, State.REVIEW)
