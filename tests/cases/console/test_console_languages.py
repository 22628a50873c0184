"""The console in German and French: accessible and nothing out of place, although its words are longer."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from cases.permissions import by_staff
from cases.words import Right, State
from dsar.lib.tenancy import unit_of_work
from identity.models import User
from identity.roles import Role
from tests.browser import DESKTOP, PHONE, assert_accessible, assert_fits, browser, page, screenshot
from tests.cases.staff_client import enter
from tests.factories.cases import in_state, log
from tests.factories.identity import ControllerFactory, staff

__all__ = ["browser", "page"]

pytestmark = pytest.mark.browser


@pytest.fixture
def server(committed_db: None) -> Iterator[str]:
    running = LiveServer("localhost")
    yield running.url
    running.stop()


def judge(page: Page, language: str, name: str) -> None:
    assert page.locator("html").get_attribute("lang") == language
    for viewport, suffix in ((PHONE, "-phone"), (DESKTOP, "")):
        page.set_viewport_size(viewport)
        assert_accessible(page)
        assert_fits(page)
        screenshot(page, f"console-{language}-{name}{suffix}")


@pytest.mark.parametrize("language", ["de", "fr"])
def test_desk_and_agents_page_in_their_language(server: str, page: Page, language: str) -> None:
    with unit_of_work([]):
        brand = ControllerFactory.create(slug="meridian", name="Meridian", regime="EU-DE")
        agent = staff(Role.AGENT, brand, language=language)
        handler = staff(Role.HANDLER, brand, language=language)
        case = in_state(log(brand, Right.ACCESS, by=by_staff(agent)).cases.get(), State.REVIEW)
    addresses: list[tuple[User, str, dict[str, Any]]] = [
        (agent, "console:log", {}),
        (agent, "console:request", {"request_id": case.subject_request_id}),
        (handler, "console:queue", {}),
        (handler, "console:case", {"case_id": case.pk}),
    ]

    for user, name, given in addresses:
        enter(page, server, user)
        page.goto(f"{server}{reverse(name, kwargs=given)}")
        judge(page, language, name.partition(":")[2])
