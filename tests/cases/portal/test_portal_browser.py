"""Every page of the portal in a real browser: reachable, accessible, and no wider than a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page

from cases.permissions import by_staff
from cases.words import Right
from cases.workflow import questions
from dsar.lib.tenancy import unit_of_work
from identity.roles import Role
from tests.browser import PHONE, Judge, browser, open_context, server
from tests.cases.portal.conftest import ADA, answer_it, make_brand, newest_code
from tests.factories.cases import run_jobs
from tests.factories.identity import staff

__all__ = ["browser", "server"]

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(browser: Any) -> Iterator[Page]:
    context: BrowserContext = open_context(browser, viewport=PHONE)
    yield context.new_page()
    context.close()


def tick(page: Page, words: str) -> None:
    """Press a choice where people do: on its words."""
    page.locator("label", has_text=words).first.click()


def test_every_page_is_accessible_and_fits_a_phone(server: str, phone: Page) -> None:
    judge = Judge("portal")
    with unit_of_work([]):
        brand = make_brand(
            logo="img/brands/meridian.svg",
            privacy_phone="+44 20 7946 0999",
            postal_address="1 Mill Lane\nLeeds",
        )
    start = f"{server}/p/{brand.slug}/"

    phone.goto(start)
    judge.look(phone, "home")
    phone.get_by_role("link", name="Ask for something").click()
    judge.look(phone, "ask")
    phone.get_by_role("button", name="Send my request").click()
    judge.look(phone, "ask-errors")
    tick(phone, "See my data")
    tick(phone, "Correct my data")
    tick(phone, "Somebody else's")
    tick(phone, "On paper")
    judge.look(phone, "ask-open")
    tick(phone, "Mine")
    tick(phone, "Online")
    tick(phone, "Correct my data")
    phone.get_by_label("Your name").fill("Ada Example")
    phone.get_by_label("Your e-mail address").fill(ADA)
    phone.get_by_role("button", name="Send my request").click()
    judge.look(phone, "asked")
    with unit_of_work([brand.pk]):
        run_jobs()
    phone.get_by_role("button", name="Send me a code").click()
    judge.look(phone, "code")
    phone.get_by_label("Code", exact=True).fill("12")
    phone.get_by_role("button", name="Continue").click()
    judge.look(phone, "code-wrong")
    with unit_of_work([brand.pk]):
        run_jobs()
    phone.get_by_label("Code", exact=True).fill(newest_code())
    phone.get_by_role("button", name="Continue").click()
    phone.wait_for_url("**/request/**")
    judge.look(phone, "mine-searching")

    with unit_of_work([brand.pk]):
        run_jobs()
        case = brand_case(brand)
        handler = by_staff(staff(Role.HANDLER, brand))
        questions.ask_clarification(case, "Which calls do you mean?", True, handler, timezone.now())
        run_jobs()
    phone.reload()
    judge.look(phone, "mine-question")
    phone.get_by_label("Your message").fill("All calls of 2024, please.")
    phone.get_by_role("button", name="Send the message").click()
    judge.look(phone, "mine-answered")
    with unit_of_work([brand.pk]):
        run_jobs()
        answer_it(brand_case(brand))
    phone.goto(f"{start}request/")
    judge.look(phone, "mine-delivered")
    phone.get_by_role("link", name="Fetch our answer").click()
    judge.look(phone, "pack-before")
    phone.get_by_role("button", name="Send me a code").click()
    judge.look(phone, "pack-code")
    with unit_of_work([brand.pk]):
        run_jobs()
    phone.get_by_label("Code", exact=True).fill(newest_code())
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_role("button", name="Download everything").wait_for()
    judge.look(phone, "pack")
    with phone.expect_download() as download:
        phone.get_by_role("button", name="Download everything").click()
    assert download.value.suggested_filename.endswith(".zip")
    phone.get_by_role("link", name="Your request").click()
    phone.get_by_role("link", name="Complain").click()
    judge.look(phone, "complain")
    phone.get_by_label("What went wrong?").fill("It took too long.")
    phone.get_by_role("button", name="Send my complaint").click()
    judge.look(phone, "mine-complaint")
    phone.get_by_role("link", name="Take it back").click()
    judge.look(phone, "withdraw")
    phone.goto(f"{start}follow/")
    judge.look(phone, "enter")
    phone.goto(f"{start}nowhere/")
    judge.look(phone, "missing")
    phone.goto(f"{start}r/nonsense/")
    judge.look(phone, "stale")

    assert judge.complaints == []


def brand_case(brand: Any) -> Any:
    from cases.models import Case

    return Case.objects.get(controller=brand, right=Right.ACCESS)
