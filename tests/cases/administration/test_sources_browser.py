"""The administrator's pages in a real browser: with a mouse, by keyboard, without JavaScript."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page

from cases.models import SourceSystem
from cases.permissions import BY_OPERATOR, by_staff
from cases.workflow import health, standing
from dsar.lib.tenancy import unit_of_work
from identity.roles import Role
from tests.browser import Judge, browser, open_context, page
from tests.cases.console.test_desk_browser import site
from tests.cases.desk_cases import RECORDS
from tests.cases.staff_client import enter
from tests.factories.cases import SourceFactory, run_jobs
from tests.factories.identity import ControllerFactory, staff

__all__ = ["browser", "page", "site"]

pytestmark = pytest.mark.browser

LOCKED = {"records": json.dumps({**RECORDS, "token": "sesame"})}


@pytest.fixture
def anna(site: str) -> Any:
    """She administers a brand whose five sources stand in five ways."""
    now = timezone.now()
    with unit_of_work([]):
        brand = ControllerFactory.create(name="Northwind Energy", slug="northwind")
        person = staff(Role.ADMINISTRATOR, brand, full_name="Anna Admin")
        plain = {"records": json.dumps(RECORDS)}
        facts = {"purposes": ["To supply energy"], "recipients": ["Meter readers"]}
        crm = SourceFactory.create(
            controller=brand, name="Customer system", options=plain, facts=facts, country="Norway",
            safeguard="Part of the European Economic Area", succeeded_at=now - timedelta(minutes=20),
        )  # fmt: skip
        SourceFactory.create(controller=brand, name="Old archive", options=LOCKED)
        shop = SourceFactory.create(controller=brand, name="Web shop", options=plain)
        trouble = {
            "failures": 6, "held_until": now + timedelta(minutes=2), "trouble_code": "unreachable",
            "trouble_text": "The source could not be reached. Check that the source runs.",
        }  # fmt: skip
        SourceFactory.create(controller=brand, name="Call recordings", options=plain, **trouble)
        SourceFactory.create(
            controller=brand, name="Help desk", options=plain,
            credentials_expire_on=(now + timedelta(days=6)).date(),
        )  # fmt: skip
        by = by_staff(person)
        for source in SourceSystem.objects.exclude(name="Call recordings"):
            health.ask(source, by, now)
        run_jobs()
        standing.pause(shop, "Moves to a new house over the weekend.", by, now)
        assert crm.pk
    return person


def test_pages_of_sources_are_accessible_and_fit(site: str, page: Page, anna: Any) -> None:
    enter(page, site, anna)
    judge = Judge("admin")

    page.goto(f"{site}/sources/")
    judge.look(page, "sources")
    page.get_by_role("link", name="Old archive").click()
    judge.look(page, "source-refused")
    page.go_back()
    page.get_by_role("link", name="Customer system").click()
    judge.look(page, "source")
    page.get_by_role("link", name="Change the settings").click()
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_role("button", name="Save").click()
    judge.look(page, "settings-wrong")
    page.goto(f"{site}/sources/new/")
    judge.look(page, "choose")
    page.get_by_label("Demonstration records").check()
    page.get_by_role("button", name="Go on").click()
    judge.look(page, "add")
    page.goto(f"{site}/sources/stop/")
    judge.look(page, "stop")

    assert judge.complaints == []


def test_stop_is_a_banner_on_every_page_until_it_is_lifted(site: str, page: Page, anna: Any) -> None:
    enter(page, site, anna)
    judge = Judge("admin")
    page.goto(f"{site}/sources/")

    page.get_by_role("link", name="Stop collection").click()
    page.get_by_label("Where").select_option(label="Northwind Energy")
    page.get_by_label("Reason").fill("Somebody else's data was found in a search.")
    page.get_by_role("button", name="Stop collection").click()
    judge.look(page, "stopped")
    page.goto(f"{site}/staff/account/")
    told = page.get_by_text("Collection is stopped for Northwind Energy").count()
    page.goto(f"{site}/sources/")
    page.get_by_role("button", name="Let collection go on").click()

    assert (told, judge.complaints) == (1, [])
    assert page.get_by_text("Collection is stopped for").count() == 0


def test_trial_is_shown_live(site: str, page: Page, anna: Any) -> None:
    enter(page, site, anna)
    page.goto(f"{site}/sources/")
    page.get_by_role("link", name="Customer system").click()

    page.get_by_role("button", name="Try the connection").click()
    page.get_by_text("about to be tried").wait_for()
    with unit_of_work(anna.access.by_controller):
        run_jobs()

    page.get_by_text("about to be tried").wait_for(state="detached")
    assert page.get_by_text("Answers,").count() == 1


def test_source_is_added_without_javascript(site: str, browser: Browser, anna: Any) -> None:
    context = open_context(browser, java_script_enabled=False)
    page = context.new_page()
    enter(page, site, anna)
    page.goto(f"{site}/sources/new/")

    page.get_by_label("Demonstration records").check()
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name", exact=True).fill("Newsletter")
    page.get_by_label("Short name").fill("newsletter")
    page.get_by_label("Records", exact=True).fill(json.dumps(RECORDS))
    page.get_by_role("button", name="Add the source").click()

    assert page.get_by_role("heading", name="Newsletter", level=1).count() == 1
    context.close()


def test_stop_of_everything_is_told_to_an_agent(site: str, page: Page, anna: Any) -> None:
    with unit_of_work(anna.access.by_controller):
        standing.stop_collection(None, "Maintenance until noon.", BY_OPERATOR, timezone.now())
        (brand,) = anna.access.by_controller
        agent = staff(Role.AGENT, SourceSystem.objects.filter(controller=brand)[0].controller)
    enter(page, site, agent)

    page.goto(f"{site}/")

    assert page.get_by_text("Collection is stopped everywhere").count() == 1
    assert page.get_by_text("Maintenance until noon.").count() == 1
