"""The gallery in a browser, served from memory under the policy that the settings declare."""

from collections.abc import Callable, Iterator
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route

from tests.browser import browser, open_context
from tests.design.gallery import PROJECT

__all__ = ["Show", "browser", "complaints", "gallery_settings", "show"]

ORIGIN = "http://gallery.test"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'"
)
Show = Callable[..., Page]


@pytest.fixture(autouse=True)
def gallery_settings(settings: Any) -> None:
    """Plain file names and the gallery's few routes."""
    settings.ROOT_URLCONF = "tests.design.urls"
    settings.STATIC_URL = "/static/"
    settings.LANGUAGES = [("en-gb", "English"), ("de", "Deutsch"), ("fr", "Français")]
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


def _answer(route: Route, html: str) -> None:
    path = route.request.url.removeprefix(ORIGIN).split("?")[0]
    file = PROJECT / path.lstrip("/")
    if path == "/":
        route.fulfill(
            body=html, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY}
        )
    elif path.startswith("/static/") and file.is_file():
        route.fulfill(body=Path(file).read_bytes(), content_type=guess_type(file.name)[0])
    else:
        route.fulfill(status=404)


@pytest.fixture
def complaints() -> list[str]:
    """What opened pages log as errors, refusals of the content policy among them."""
    return []


def _listen(page: Page, complaints: list[str]) -> None:
    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))


@pytest.fixture
def show(browser: Browser, complaints: list[str]) -> Iterator[Show]:
    """Open a rendered page in a profile of its own; options go to that profile."""
    contexts = []

    def open_page(html: str, **options: Any) -> Page:
        context = open_context(browser, **options)
        contexts.append(context)
        page = context.new_page()
        _listen(page, complaints)
        page.route("**/*", lambda route: _answer(route, html))
        page.goto(f"{ORIGIN}/")
        return page

    yield open_page
    for context in contexts:
        context.close()
