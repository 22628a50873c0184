"""Every component and shell: accessible, within the window, and silent under the content policy."""

from typing import Literal

import pytest
from playwright.sync_api import Page

from tests.browser import DESKTOP, PHONE, assert_accessible, assert_fits, screenshot
from tests.design.conftest import Show
from tests.design.gallery import ERRORS, PAGES, brand, render

pytestmark = pytest.mark.browser
SIZES = {"phone": PHONE, "desktop": DESKTOP}


def look(page: Page, name: str, size: str, scheme: Literal["light", "dark"]) -> None:
    """The page at one size in one colour scheme."""
    page.set_viewport_size(SIZES[size])
    page.emulate_media(color_scheme=scheme)
    screenshot(page, f"{name}-{size}-{scheme}")
    assert_fits(page)
    assert_accessible(page)


@pytest.mark.parametrize("name", PAGES)
def test_gallery_page_is_accessible_in_every_look(show: Show, complaints: list[str], name: str) -> None:
    page = show(render(f"gallery/{name}.html"))

    for size in SIZES:
        look(page, name, size, "light")
        look(page, name, size, "dark")

    assert complaints == []


@pytest.mark.parametrize("code", ERRORS)
def test_error_page_is_accessible(show: Show, complaints: list[str], code: str) -> None:
    page = show(render(f"{code}.html"), viewport=PHONE)

    screenshot(page, f"error-{code}")

    assert_accessible(page)
    assert complaints == []


@pytest.mark.parametrize("language", ["de", "fr"])
def test_portal_page_in_another_language_fits(show: Show, language: str) -> None:
    html = render("gallery/portal_case.html", language, brand=brand("nordlicht", "Nordlicht Mobil"))

    page = show(html, viewport=PHONE)
    screenshot(page, f"portal_case-{language}")

    assert page.locator("html").get_attribute("lang") == language
    assert_fits(page)
    assert_accessible(page)


def test_portal_targets_are_large_enough_for_a_thumb(show: Show) -> None:
    page = show(render("gallery/portal_form.html"), viewport=PHONE)

    heights = page.eval_on_selector_all(
        "button:not(.js-only), .button, select, .choice, input[type=text], input[type=email], .masthead a, footer a",
        "all => all.filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44).map(e => e.outerHTML)",
    )

    assert heights == []
