"""The clock's pages in a real browser: a fact is added by keyboard, seen before it is done, and nothing is too wide."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from cases.deadlines.events import EventKind
from cases.models import Case
from cases.permissions import BY_SYSTEM, by_staff
from cases.workflow import facts
from cases.workflow.clock import add_fact
from cases.workflow.facts import Change
from cases.workflow.perform import lock
from dsar.lib.tenancy import unit_of_work
from identity.roles import Role
from tests.browser import Judge, browser, page
from tests.cases.console.test_desk_browser import site
from tests.cases.staff_client import enter
from tests.factories.cases import one_case
from tests.factories.identity import ControllerFactory, staff

__all__ = ["browser", "page", "site"]

pytestmark = pytest.mark.browser


@pytest.fixture
def busy(site: str) -> dict[str, Any]:
    """A case whose clock waited, ran, paused and was extended, with a fact that was corrected and one removed."""
    with unit_of_work([]):
        brand = ControllerFactory.create(name="Northwind Energy")
        handler = staff(Role.HANDLER, brand, full_name="Hannah Handler")
        now = timezone.now()
        case = one_case(brand, now=now - timedelta(days=34), received_at=now - timedelta(days=34))
        _happened(case, EventKind.IDENTITY_RECEIVED, now - timedelta(days=29))
        _happened(case, EventKind.CLARIFICATION_REQUESTED, now - timedelta(days=22))
        _happened(case, EventKind.CLARIFICATION_RECEIVED, now - timedelta(days=15))
        _happened(case, EventKind.EXTENSION_NOTIFIED, now - timedelta(days=9))
        _happened(case, EventKind.FEE_REQUESTED, now - timedelta(days=8))
        by = by_staff(handler)
        events = {event.kind: event for event in case.clock_events.all()}
        fee, answer = events[EventKind.FEE_REQUESTED], events[EventKind.CLARIFICATION_RECEIVED]
        never = Change(
            EventKind.FEE_REQUESTED, fee.at, "It belongs to another case.", replaces=fee.pk, removes=True
        )
        earlier = Change(
            EventKind.CLARIFICATION_RECEIVED,
            answer.at - timedelta(days=2),
            "The postmark says so.",
            replaces=answer.pk,
        )
        for change in (never, earlier):
            facts.change(case, change, by, now)
        return {"case": case, "handler": handler, "brand": brand}


def _happened(case: Case, kind: EventKind, at: datetime) -> None:
    add_fact(lock(case.pk), kind, at, BY_SYSTEM, at)


def test_clock_is_kept_by_keyboard_and_seen_before(site: str, page: Page, busy: dict[str, Any]) -> None:
    case, judge = busy["case"], Judge("desk")
    enter(page, site, busy["handler"])

    page.goto(site + reverse("console:clock", args=[case.pk]))
    judge.look(page, "clock")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Add a fact")).to_be_visible()
    judge.look(page, "clock-add")
    page.get_by_label("What happened").select_option("authority_requested")
    expect(page.get_by_label("Basis of the fee")).to_be_hidden()
    day = timezone.localtime(timezone.now() - timedelta(days=5), busy["brand"].zone)
    page.get_by_label("When it happened").fill(day.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("Reason", exact=True).fill("The letter to the solicitor was filed elsewhere.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="What it would do")).to_be_visible()
    judge.look(page, "clock-preview")
    page.get_by_role("button", name="Record it").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("The fact is recorded")).to_be_visible()
    expect(page.get_by_text("The letter to the solicitor was filed elsewhere.")).to_be_visible()
    page.goto(site + reverse("console:case", args=[case.pk]) + "#why")
    judge.look(page, "clock-case")
    assert judge.complaints == []
