"""The portal in German and French: complete, accessible, and no wider than a phone although its words are longer."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from dsar.lib.tenancy import unit_of_work
from tests.browser import PHONE, assert_accessible, assert_fits, browser, open_context, screenshot
from tests.cases.portal.conftest import make_brand

__all__ = ["browser"]

pytestmark = pytest.mark.browser

WORDS = {
    "de": (
        "Anfrage stellen",
        "Meine Daten einsehen",
        "Ihr Name",
        "Ihre E-Mail-Adresse",
        "Anfrage senden",
        "Ihre Referenz",
    ),
    "fr": (
        "Faire une demande",
        "Voir mes données",
        "Votre nom",
        "Votre adresse e-mail",
        "Envoyer ma demande",
        "Votre référence",
    ),
}


@pytest.fixture
def server(committed_db: None, django_db_blocker: Any) -> Iterator[str]:
    running = LiveServer("localhost")
    yield running.url
    running.stop()


@pytest.fixture(params=sorted(WORDS))
def visit(request: pytest.FixtureRequest, browser: Any) -> Iterator[tuple[str, Page]]:
    context = open_context(browser, viewport=PHONE, locale=request.param)
    yield request.param, context.new_page()
    context.close()


def judge(page: Page, language: str, name: str) -> None:
    assert page.locator("html").get_attribute("lang") == language
    assert_accessible(page)
    assert_fits(page)
    screenshot(page, f"portal-{language}-{name}")


def test_somebody_asks_in_their_language(server: str, visit: tuple[str, Page]) -> None:
    language, page = visit
    ask, wish, name, email, send, reference = WORDS[language]
    with unit_of_work([]):
        brand = make_brand(privacy_phone="+44 20 7946 0999", postal_address="1 Mill Lane\nLeeds")

    page.goto(f"{server}/p/{brand.slug}/")
    judge(page, language, "home")
    page.get_by_role("link", name=ask).click()
    page.locator("label", has_text=wish).first.click()
    judge(page, language, "ask")
    page.get_by_label(name, exact=True).fill("Ada Example")
    page.get_by_label(email, exact=True).fill("ada@example.com")
    page.get_by_role("button", name=send).click()
    page.get_by_text(reference, exact=True).first.wait_for()
    judge(page, language, "asked")
