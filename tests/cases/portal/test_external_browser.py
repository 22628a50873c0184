"""From the portal through the simulator and back, in a browser; and what the handler sees of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from cases.models import Case
from cases.words import State
from dsar.audit.record import OPERATOR
from dsar.lib.tenancy import unit_of_work
from identity.assurance import issue_policy
from identity.providers.external.simulator.server import Server, running
from identity.roles import Role
from tests.browser import Judge, browser, serving
from tests.cases.portal.conftest import make_brand
from tests.cases.portal.in_browser import ask, desk, phone
from tests.cases.staff_client import enter
from tests.factories.cases import run_jobs
from tests.factories.external import provider_for
from tests.factories.identity import staff

__all__ = ["browser", "desk", "phone"]

pytestmark = pytest.mark.browser

BY_PROVIDER = {
    "rules": [
        {
            "name": "copies",
            "when": {"right": "access"},
            "level": "substantial",
            "methods": {"substantial": ["email_code", "external_provider"]},
        }
    ]
}


@pytest.fixture
def simulator() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def server(committed_db: None, settings: Any) -> Iterator[str]:
    settings.DEMO = True
    with serving() as url:
        settings.BASE_URL = url
        yield url


def test_from_the_portal_through_the_simulator_and_back(
    server: str, simulator: Server, phone: Page, desk: Page
) -> None:
    judge = Judge("external")
    with unit_of_work([]):
        brand = make_brand(logo="img/brands/meridian.svg", levels=None)
        issue_policy(brand, BY_PROVIDER, OPERATOR, timezone.now())
        provider_for(brand, simulator.url)
        handler, administrator = staff(Role.HANDLER, brand), staff(Role.ADMINISTRATOR, brand)
    ask(phone, f"{server}/p/{brand.slug}/", brand)
    judge.look(phone, "mine")

    phone.get_by_role("link", name="See how it works").click()
    judge.look(phone, "before")
    phone.get_by_role("button", name="Continue to Prova ID").click()
    expect(phone.locator(".error-summary").first).to_contain_text("Tick the box")
    judge.look(phone, "without-consent")
    phone.get_by_label("I agree that the service compares").check()
    phone.get_by_role("button", name="Continue to Prova ID").click()
    expect(phone.get_by_role("heading", name="Simulated identity check")).to_be_visible()
    judge.look(phone, "simulator")
    phone.get_by_role("button", name="Refused").click()
    with unit_of_work([brand.pk]):
        run_jobs()
    phone.get_by_role("link", name="Look whether the outcome is there").click()
    expect(phone.get_by_text("The check did not show that it is you")).to_be_visible()
    judge.look(phone, "refused")

    phone.get_by_label("I agree that the service compares").check()
    phone.get_by_role("button", name="Continue to Prova ID").click()
    phone.get_by_role("button", name="Verified, no message").click()
    expect(phone.get_by_text("Your check is open")).to_be_visible()
    judge.look(phone, "waiting")
    with unit_of_work([brand.pk]):
        case = Case.objects.get(controller=brand)
    enter(desk, server, handler)
    desk.goto(server + reverse("console:case", args=[case.pk]))
    expect(desk.get_by_role("link", name="Cancel the check")).to_be_visible()
    judge.look(desk, "case-open")
    with unit_of_work([brand.pk]):
        run_jobs()
    phone.get_by_role("link", name="Look whether the outcome is there").click()
    expect(phone.get_by_text("The check was successful")).to_be_visible()
    judge.look(phone, "verified")
    desk.reload()
    expect(desk.locator("#external-1")).to_contain_text("found when we asked")
    judge.look(desk, "case")

    enter(desk, server, administrator)
    desk.goto(server + reverse("identity:providers"))
    desk.get_by_role("button", name="Try the connection").click()
    expect(desk.get_by_text("It answers, and takes our token.").first).to_be_visible()
    judge.look(desk, "providers")
    with unit_of_work([brand.pk]):
        case.refresh_from_db()
    assert (case.state, case.identity_level) == (State.REVIEW, 3)
    assert judge.complaints == []
