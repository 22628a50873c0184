"""Reminders and the calendar's page in a real browser, with a mouse and without JavaScript."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page

from cases.models import Case
from cases.workflow import reminders
from dsar.lib.tenancy import unit_of_work
from identity.roles import Role
from tests.browser import Judge, browser, open_context, page
from tests.cases.console.test_desk_browser import site
from tests.cases.staff_client import enter
from tests.factories.cases import in_state, one_case
from tests.factories.identity import ControllerFactory, staff

__all__ = ["browser", "page", "site"]

pytestmark = pytest.mark.browser


@pytest.fixture
def handler(site: str) -> Any:
    """Somebody with a late case, one that is due tomorrow, one near its target, and one that waits too long."""
    with unit_of_work([]):
        brand = ControllerFactory.create(name="Northwind Energy", levels={"default": 0})
        person = staff(Role.HANDLER, brand, full_name="Hannah Handler")
        now = timezone.now()
        today = now.astimezone(brand.zone).date()
        for days in (-2, 1, 3):
            case = in_state(one_case(brand), "searching", owner=person)
            Case.objects.filter(pk=case.pk).update(due_on=today + timedelta(days=days))
        target = in_state(one_case(brand), "searching", owner=person)
        Case.objects.filter(pk=target.pk).update(target_on=today + timedelta(days=3))
        paused = in_state(one_case(brand), "awaiting_identity", owner=person)
        Case.objects.filter(pk=paused.pk).update(clock_state="paused", paused_on=today - timedelta(days=20))
        reminders.remind(brand.pk, now.replace(hour=12))
    return person


def test_reminders_and_calendar_are_accessible_and_fit(site: str, page: Page, handler: Any) -> None:
    enter(page, site, handler)
    judge = Judge("desk")

    page.goto(f"{site}/reminders/")
    judge.look(page, "reminders")
    page.get_by_role("button", name="Put all of these aside").click()
    judge.look(page, "reminders-none")
    page.get_by_role("link", name="Show in my calendar").click()
    judge.look(page, "calendar-feed")
    page.get_by_role("button", name="Open my calendar").click()
    judge.look(page, "calendar-feed-made")

    assert judge.complaints == []


def test_reminder_is_put_aside_without_javascript(site: str, browser: Browser, handler: Any) -> None:
    bare = open_context(browser, java_script_enabled=False).new_page()
    enter(bare, site, handler)
    bare.goto(f"{site}/reminders/")
    rows = bare.locator("tbody").first.locator("tr")
    before = rows.count()

    rows.first.get_by_role("button").click()

    assert (before, rows.count()) == (5, 4)
