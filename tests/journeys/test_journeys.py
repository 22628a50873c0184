"""The way of a request, from the first word to the closed case: a real browser, and every process real."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import browser
from tests.journeys.crm import ADA, BEN, Customer, rows
from tests.journeys.house import House
from tests.journeys.people import AtHome, Staff, disclosed

__all__ = ["browser"]

REQUESTS = "cases_subjectrequest"

pytestmark = pytest.mark.browser


@dataclass
class Town:
    """Everybody who walks through these journeys. Staff sign in once, as on a working day."""

    house: House
    browser: Browser
    judged: set[str] = field(default_factory=set)
    at_work: dict[str, Staff] = field(default_factory=dict)
    at_home: list[AtHome] = field(default_factory=list)

    def staff(self, role: str, brand: str, **options: Any) -> Staff:
        email = f"{role}@{brand}.example"
        if email not in self.at_work:
            self.at_work[email] = Staff(self.house, self.browser, self.judged, **options)
            self.at_work[email].sign_in(email)
        return self.at_work[email]

    def customer(self, who: Customer, brand: str, **options: Any) -> AtHome:
        self.at_home.append(AtHome(self.house, self.browser, self.judged, brand, who, **options))
        return self.at_home[-1]

    def go_home(self) -> None:
        for person in [*self.at_work.values(), *self.at_home]:
            person.leave()


@pytest.fixture(scope="module")
def town(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    house = House(tmp_path_factory.mktemp("house"))
    everybody = Town(house, browser)
    try:
        house.open_doors()
        yield everybody
        everybody.go_home()
    finally:
        house.close()


def approve_at_albion(town: Town, case_id: str) -> None:
    """The controller's instruction lets the processor release."""
    town.staff("dpo", "albion").approve(case_id, "Approve")


def approve_at_hansa(town: Town, case_id: str) -> None:
    """No instruction was given, so that the controller's own reviewer decides after the DPO."""
    town.staff("dpo", "hansa").approve(case_id, "Approve, and hand to the controller")
    town.staff("reviewer", "hansa").approve(case_id, "Approve")


BRANDS = [
    pytest.param("albion", "hansa", approve_at_albion, id="processor-releases"),
    pytest.param("hansa", "albion", approve_at_hansa, id="controller-decides"),
]


def work(town: Town, brand: str, reference: str, approve: Callable[[Town, str], None]) -> str:
    """From what the worker has found to the closed case. Gives the case's id."""
    house = town.house
    house.wait_for_state(reference, "review")
    case_id = house.case_id(reference)
    town.staff("handler", brand).review_and_submit(case_id)
    approve(town, case_id)
    house.wait_for_state(reference, "closed")
    return case_id


@pytest.mark.parametrize(("brand", "stranger", "approve"), BRANDS)
def test_request_travels_from_the_call_to_the_download(town, brand, stranger, approve):
    agent, ada = town.staff("agent", brand), town.customer(ADA, brand)

    reference = agent.log_access_request(ADA, "call 4711")
    town.house.wait_for_address_check(reference)
    ada.open_letter()
    ada.prove()
    case_id = work(town, brand, reference, approve)
    answer = disclosed(ada.download())

    assert answer == rows(brand, ADA)
    assert town.house.state(reference) == ("closed", "partly_fulfilled")
    assert town.staff("handler", brand).visit(f"/cases/{case_id}/") == 200
    for role in ("handler", "dpo"):
        assert town.staff(role, stranger).visit(f"/cases/{case_id}/") == 404
    assert town.staff("dpo", stranger).visit(f"/dpo/approvals/{case_id}/") == 404


def test_request_travels_from_the_portal_to_the_download(town):
    ben = town.customer(BEN, "albion")

    reference = ben.ask_online()
    town.house.wait_for_address_check(reference)
    ben.prove()
    case_id = work(town, "albion", reference, approve_at_albion)
    answer = disclosed(ben.download())

    assert answer == rows("albion", BEN)
    assert town.house.state(reference) == ("closed", "partly_fulfilled")
    assert town.staff("handler", "hansa").visit(f"/cases/{case_id}/") == 404


def test_request_is_logged_by_keyboard_alone(town):
    agent, keys = town.staff("agent", "albion"), town.staff("agent", "albion").page.keyboard
    agent.visit("/requests/")
    before = town.house.count(REQUESTS)

    keys.type("gl")
    agent.page.wait_for_url("**/log/")
    agent.tab_to("id_name")
    keys.type("Kay Keyboard")
    agent.tab_to("id_email")
    keys.type("kay@example.com")
    agent.tab_to("id_rights_0")
    keys.press("Space")
    keys.press("Control+Enter")
    agent.page.wait_for_url("**/read-out/")
    keys.press("r")
    agent.page.wait_for_url(lambda address: not address.endswith("/read-out/"))

    agent.sees("Kay Keyboard")
    assert town.house.count(REQUESTS) == before + 1


def test_double_click_logs_once(town):
    agent, before = town.staff("agent", "albion"), town.house.count(REQUESTS)

    agent.write_down(Customer(0, "Dora Double", "dora@example.com"))
    agent.page.get_by_role("button", name="Log the request").dblclick()
    agent.reference_shown()

    assert town.house.count(REQUESTS) == before + 1


def test_request_is_logged_once_without_javascript(town):
    agent, before = town.staff("plain", "albion", java_script_enabled=False), town.house.count(REQUESTS)

    agent.write_down(Customer(0, "Paula Plain", "paula@example.com"))
    agent.page.get_by_role("button", name="Log the request").dblclick()
    agent.read_out()

    agent.sees("Paula Plain")
    assert town.house.count(REQUESTS) == before + 1


def test_customer_asks_and_proves_without_javascript(town):
    pia = town.customer(Customer(0, "Pia Plain", "pia@example.com"), "albion", java_script_enabled=False)

    reference = pia.ask_online()
    pia.prove()

    pia.sees(reference)
