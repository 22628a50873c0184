"""Every component and shell: accessible, within the window, and silent under the content policy."""

import pytest

from tests.browser import PHONE, Judge, pixels_too_wide, screenshot
from tests.design.conftest import Show
from tests.design.gallery import ERRORS, PAGES, brand, render

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", PAGES)
def test_gallery_page_is_accessible_in_every_look(show: Show, complaints: list[str], name: str) -> None:
    page = show(render(f"gallery/{name}.html"))
    judge = Judge("gallery", strict=True)

    judge.look(page, name)
    # A logo has a plate in the dark, which needs room that a phone may not have.
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    screenshot(page, f"gallery-{name}-phone-dark")

    assert (judge.complaints, pixels_too_wide(page), complaints) == ([], 0, [])


@pytest.mark.parametrize("code", ERRORS)
def test_error_page_is_accessible(show: Show, complaints: list[str], code: str) -> None:
    page = show(render(f"{code}.html"))
    judge = Judge("error", strict=True)

    judge.look(page, code)

    assert (judge.complaints, complaints) == ([], [])


@pytest.mark.parametrize("language", ["de", "fr"])
def test_portal_page_in_another_language_fits(show: Show, language: str) -> None:
    page = show(render("gallery/portal_case.html", language, brand=brand("nordlicht", "Nordlicht Mobil")))
    judge = Judge("portal_case", strict=True)

    judge.look(page, language)

    assert page.locator("html").get_attribute("lang") == language
    assert judge.complaints == []


def test_portal_targets_are_large_enough_for_a_thumb(show: Show) -> None:
    page = show(render("gallery/portal_form.html"), viewport=PHONE)

    heights = page.eval_on_selector_all(
        "button:not(.js-only), .button, select, .choice, input[type=text], input[type=email], .masthead a, footer a",
        "all => all.filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44).map(e => e.outerHTML)",
    )

    assert heights == []
