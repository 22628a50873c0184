"""A customer at a telephone and a member of staff at a desk, each in a browser profile of their own."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from dsar.lib.tenancy import unit_of_work
from tests.browser import DESKTOP, PHONE, open_context
from tests.cases.portal.conftest import ADA, newest_code
from tests.factories.cases import run_jobs


@pytest.fixture
def phone(browser: Any) -> Iterator[Page]:
    context = open_context(browser, viewport=PHONE)
    yield context.new_page()
    context.close()


@pytest.fixture
def desk(browser: Any) -> Iterator[Page]:
    context = open_context(browser, viewport=DESKTOP)
    yield context.new_page()
    context.close()


def ask(phone: Page, start: str, brand: Any) -> None:
    """Ask for one's data, and come back with the code."""
    phone.goto(start)
    phone.get_by_role("link", name="Ask for something").click()
    phone.locator("label", has_text="See my data").first.click()
    phone.get_by_label("Your name").fill("Ada Example")
    phone.get_by_label("Your e-mail address").fill(ADA)
    phone.get_by_role("button", name="Send my request").click()
    phone.get_by_role("button", name="Send me a code").click()
    with unit_of_work([brand.pk]):
        run_jobs()
    phone.get_by_label("Code", exact=True).fill(newest_code())
    phone.get_by_role("button", name="Continue").click()
    phone.wait_for_url("**/request/**")
