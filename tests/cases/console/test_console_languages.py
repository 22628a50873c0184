"""The console in German and French: accessible and nothing out of place, although its words are longer."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from cases.permissions import by_staff
from cases.words import Right, State
from dsar.lib.tenancy import unit_of_work
from identity.models import User
from identity.roles import Role
from tests.browser import Judge, browser, page, server
from tests.cases.staff_client import enter
from tests.factories.cases import in_state, log
from tests.factories.identity import ControllerFactory, staff

__all__ = ["browser", "page", "server"]

pytestmark = pytest.mark.browser


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

    judge, languages = Judge(f"console-{language}"), []

    for user, name, given in addresses:
        enter(page, server, user)
        page.goto(f"{server}{reverse(name, kwargs=given)}")
        languages.append(page.locator("html").get_attribute("lang"))
        judge.look(page, name.partition(":")[2])

    assert (languages, judge.complaints) == ([language] * 4, [])
