"""Every component and shell: accessible, within the window, and silent under the content policy."""

import pytest

from tests.browser import DESKTOP, PHONE, assert_accessible, assert_fits, screenshot
from tests.design.conftest import Show
from tests.design.gallery import ERRORS, PAGES, brand, render

pytestmark = pytest.mark.browser
SIZES = {"phone": PHONE, "desktop": DESKTOP}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_gallery_page_is_accessible(show: Show, name: str, size: str, scheme: str) -> None:
    html = render(f"gallery/{name}.html")

    page = show(html, scheme=scheme, viewport=SIZES[size])
    screenshot(page, f"{name}-{size}-{scheme}")

    assert page.complaints == []  # type: ignore[attr-defined]
    assert_fits(page)
    assert_accessible(page)


@pytest.mark.parametrize("code", ERRORS)
def test_error_page_is_accessible(show: Show, code: str) -> None:
    html = render(f"{code}.html")

    page = show(html, viewport=PHONE)
    screenshot(page, f"error-{code}")

    assert page.complaints == []  # type: ignore[attr-defined]
    assert_accessible(page)


@pytest.mark.parametrize("language", ["de", "fr"])
def test_gallery_page_in_another_language_fits(show: Show, language: str) -> None:
    html = render("gallery/portal_case.html", language, brand=brand("nordlicht", "Nordlicht Mobil"))

    page = show(html, viewport=PHONE)
    screenshot(page, f"portal_case-{language}")

    assert page.locator("html").get_attribute("lang") == language
    assert_fits(page)
    assert_accessible(page)
