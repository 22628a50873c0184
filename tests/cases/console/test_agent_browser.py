"""The agent's pages in a real browser: by keyboard, without a mouse, accessible in light and dark."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from cases.models import SubjectRequest
from cases.permissions import by_staff
from cases.words import Right
from cases.workflow import people
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller, User
from identity.roles import Role
from tests.browser import Judge, browser, open_context, page, serving
from tests.cases.staff_client import enter
from tests.factories.cases import log, run_jobs
from tests.factories.identity import ControllerFactory, staff

__all__ = ["browser", "page"]

pytestmark = pytest.mark.browser


@pytest.fixture
def server(committed_db: None, settings: Any) -> Iterator[str]:
    settings.OUTBOX = True
    with serving() as url:
        yield url


@pytest.fixture
def people_here(server: str) -> tuple[Controller, User]:
    """A brand and its agent, with a customer who has asked before."""
    with unit_of_work([]):
        brand = ControllerFactory.create(slug="meridian", name="Meridian Energy")
        agent = staff(Role.AGENT, brand, full_name="Agnes Agent")
        return brand, agent


def test_request_is_logged_by_keyboard_alone(
    server: str, people_here: tuple[Controller, User], page: Page
) -> None:
    brand, agent = people_here
    with unit_of_work([brand.pk]):
        earlier = log(brand, Right.ERASURE, by=by_staff(agent))
    enter(page, server, agent)
    page.set_default_timeout(8000)
    page.goto(server)

    expect(page.locator("#id_name")).to_be_focused()
    page.keyboard.type("Ada Example")
    page.keyboard.press("Tab")
    page.keyboard.type("ada@example.com")
    expect(page.locator("#who").get_by_text(f"{earlier.reference}/E")).to_be_visible()
    page.get_by_role("checkbox", name="Access").focus()
    page.keyboard.press("Space")
    page.get_by_label("In their own words").focus()
    page.keyboard.type("Send me everything. My card is 4111 1111 1111 1111.")
    page.keyboard.press("Tab")
    expect(page.get_by_text("1 payment card number was masked")).to_be_visible()
    assert "4111" not in page.get_by_label("In their own words").input_value()
    page.get_by_label("In their own words").focus()
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("heading", name="It is logged. Read this out")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_text("Noted as read out.")).to_be_visible()
    with unit_of_work([brand.pk]):
        newest = SubjectRequest.objects.order_by("-logged_at").first()
        assert newest is not None
        assert newest.script_read is True
        assert newest.words == "Send me everything. My card is **** **** **** 1111."


def test_every_page_is_accessible(server: str, people_here: tuple[Controller, User], page: Page) -> None:
    brand, agent = people_here
    judge, now = Judge("agent"), timezone.now()
    with unit_of_work([brand.pk]):
        logged = log(
            brand,
            Right.ACCESS,
            Right.ERASURE,
            by=by_staff(agent),
            received_at=now - timedelta(days=3),
            words="Send it, then delete it.",
        )
        case = logged.cases.get(right=Right.ACCESS)
        people.add_note(case, "Asks whether it arrived.", by_staff(agent), now, about=people.CONTACT)
        run_jobs()
        paths = {
            "read-out": f"/requests/{logged.pk}/read-out/",
            "request": f"/requests/{logged.pk}/",
            "withdraw": f"/requests/{logged.pk}/{case.pk}/withdraw/",
            "complain": f"/requests/{logged.pk}/{case.pk}/complain/",
            "find": "/requests/",
            "find-mistyped": "/requests/?q=K7QF-2M9X",
            "outbox": "/outbox/",
            **{
                f"correct-{what}": f"/requests/{logged.pk}/correct/{what}/"
                for what in ("date", "person", "right", "brand")
            },
        }
    enter(page, server, agent)
    page.set_default_timeout(8000)

    page.goto(f"{server}/log/")
    judge.look(page, "log")
    page.get_by_label("E-mail address", exact=False).first.fill("ada@example.com")
    expect(page.locator("#who").get_by_text(logged.reference, exact=False).first).to_be_visible()
    page.locator("label", has_text="Rectification").first.click()
    page.locator("label", has_text="Objection").first.click()
    page.get_by_label("The caller asks for somebody else").check()
    page.locator("label", has_text="Recorded post").click()
    page.get_by_label("What are they saying?").fill("delete my account")
    expect(page.locator("#card").get_by_text("Delete my account and all my data")).to_be_visible()
    judge.look(page, "log-open")
    page.get_by_role("button", name="Log the request").click()
    expect(page.get_by_text("Please check what you entered")).to_be_visible()
    judge.look(page, "log-errors")
    for name, path in paths.items():
        page.goto(server + path)
        judge.look(page, name)

    assert judge.complaints == []


def test_log_works_without_javascript(
    server: str, people_here: tuple[Controller, User], browser: Any
) -> None:
    brand, agent = people_here
    with unit_of_work([brand.pk]):
        earlier = log(brand, by=by_staff(agent))
    context = open_context(browser, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(8000)
    enter(page, server, agent)
    page.goto(f"{server}/log/")

    page.get_by_label("E-mail address", exact=False).first.fill("ada@example.com")
    page.get_by_role("button", name="Check who it is").click()
    expect(page.locator("#who").get_by_text(f"{earlier.reference}/A")).to_be_visible()
    page.locator("label", has_text="Ada Example").click()
    page.get_by_label("E-mail address", exact=False).first.fill("")
    page.locator("label", has_text="Erasure").first.click()
    page.get_by_role("button", name="Log the request").click()

    expect(page.get_by_role("heading", name="It is logged. Read this out")).to_be_visible()
    context.close()
