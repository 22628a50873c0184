"""The portal in German and French: complete, accessible, and no wider than a phone although its words are longer."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from dsar.lib.tenancy import unit_of_work
from tests.browser import PHONE, Judge, browser, open_context, server
from tests.cases.portal.conftest import make_brand

__all__ = ["browser", "server"]

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


@pytest.fixture(params=sorted(WORDS))
def visit(request: pytest.FixtureRequest, browser: Any) -> Iterator[tuple[str, Page]]:
    context = open_context(browser, viewport=PHONE, locale=request.param)
    yield request.param, context.new_page()
    context.close()


def test_somebody_asks_in_their_language(server: str, visit: tuple[str, Page]) -> None:
    language, page = visit
    judge, languages = Judge(f"portal-{language}"), []

    def look(name: str) -> None:
        languages.append(page.locator("html").get_attribute("lang"))
        judge.look(page, name)

    ask, wish, name, email, send, reference = WORDS[language]
    with unit_of_work([]):
        brand = make_brand(privacy_phone="+44 20 7946 0999", postal_address="1 Mill Lane\nLeeds")

    page.goto(f"{server}/p/{brand.slug}/")
    look("home")
    page.get_by_role("link", name=ask).click()
    page.locator("label", has_text=wish).first.click()
    look("ask")
    page.get_by_label(name, exact=True).fill("Ada Example")
    page.get_by_label(email, exact=True).fill("ada@example.com")
    page.get_by_role("button", name=send).click()
    page.get_by_text(reference, exact=True).first.wait_for()
    look("asked")

    assert (languages, judge.complaints) == ([language] * 3, [])
