"""The customer opens "why this date?": the steps and the stretches of the clock, on a phone and at a desk."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from cases.deadlines.events import EventKind
from cases.permissions import BY_SYSTEM
from cases.workflow.clock import add_fact
from cases.workflow.perform import lock
from dsar.lib.tenancy import unit_of_work
from tests.browser import Judge, browser
from tests.cases.portal.conftest import Visitor, make_brand
from tests.cases.portal.test_portal_browser import phone, server
from tests.factories.cases import log, run_jobs

__all__ = ["browser", "phone", "server"]

pytestmark = pytest.mark.browser

HAPPENED = (
    (EventKind.CLARIFICATION_REQUESTED, 22),
    (EventKind.CLARIFICATION_RECEIVED, 15),
    (EventKind.EXTENSION_NOTIFIED, 9),
)


def test_customer_reads_why_the_date_is_what_it_is(server: str, phone: Page) -> None:
    judge = Judge("portal")
    with unit_of_work([]):
        brand = make_brand(logo="img/brands/meridian.svg", levels={"default": 0})
        now = timezone.now()
        request = log(brand, now=now - timedelta(days=30), received_at=now - timedelta(days=30))
        for kind, days_ago in HAPPENED:
            at = now - timedelta(days=days_ago)
            add_fact(lock(request.cases.get().pk), kind, at, BY_SYSTEM, at)
        run_jobs()
        visitor = Visitor(brand)
        visitor.sign_in(request)
    cookies: Any = [{"name": one.key, "value": one.value, "url": server} for one in visitor.cookies.values()]
    phone.context.add_cookies(cookies)
    phone.goto(server + visitor.at("mine"))

    phone.get_by_text("Why this date?").click()

    expect(phone.get_by_text("The time stood still:")).to_be_visible()
    expect(phone.get_by_text("More time, as we wrote to you:")).to_be_visible()
    judge.look(phone, "mine-why")
    assert judge.complaints == []
