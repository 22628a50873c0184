"""A real browser for tests: Chromium, driven by Playwright, with axe-core to judge what it shows.

Import the fixtures ``browser`` and ``page`` into a conftest, and use :func:`assert_accessible` and :func:`screenshot`.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
STANDARD = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
PHONE: ViewportSize = {"width": 360, "height": 740}
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
DESKTOP: ViewportSize = {"width": 1280, "height": 860}


def find_chromium() -> str | None:
    """Path of an installed Chromium, or None; the variable CHROMIUM names one that is not on the path."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, CANDIDATES)), None)


_running = ExitStack()


@pytest.fixture(scope="session")
def browser() -> Browser:
    """One Chromium for the whole run, as starting it takes longer than most tests."""
    return _chromium()


@cache
def _chromium() -> Browser:
    """Start it once a process: each module that imports the fixture has one of its own, and Playwright bears one."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    # Playwright's synchronous API keeps an event loop on this thread, and Django would refuse the database there.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    playwright = _running.enter_context(sync_playwright())
    chromium = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
    _running.callback(chromium.close)
    return chromium


def stop() -> None:
    """End the browser, if one was started; the last thing of a run."""
    _running.close()


def open_context(browser: Browser, **options: Any) -> BrowserContext:
    """A clean profile: desktop size, British English, no motion, unless said otherwise."""
    defaults: dict[str, Any] = {"viewport": DESKTOP, "locale": "en-GB", "reduced_motion": "reduce"}
    return browser.new_context(**(defaults | options))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a profile of its own."""
    context = open_context(browser)
    yield context.new_page()
    context.close()


@dataclass(frozen=True)
class Finding:
    """One rule that axe saw broken, and where."""

    rule: str
    impact: str
    places: tuple[str, ...]
    reason: str


def findings(page: Page, *, without: tuple[str, ...] = ()) -> list[Finding]:
    """What axe objects to on this page; ``without`` names rules that the caller has a reason to leave out."""
    page.wait_for_load_state()
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE.read_text(encoding="utf-8") + "; true")
    rules = {"target-size": {"enabled": True}} | {rule: {"enabled": False} for rule in without}
    options = {
        "runOnly": {"type": "tag", "values": list(STANDARD)},
        "rules": rules,
        "resultTypes": ["violations"],
    }
    result = page.evaluate("options => axe.run(document, options)", options)
    return [_finding(violation) for violation in result["violations"]]


def _finding(violation: dict[str, Any]) -> Finding:
    nodes = violation["nodes"]
    places = tuple(f"{node['target']}: {node['html'][:160]}" for node in nodes[:5])
    return Finding(violation["id"], violation["impact"], places, nodes[0]["failureSummary"])


def assert_accessible(page: Page, *, without: tuple[str, ...] = ()) -> None:
    """Fail with what axe objects to."""
    found = findings(page, without=without)

    assert found == [], "\n\n".join(
        f"{f.rule} ({f.impact})\n{f.reason}\n" + "\n".join(f.places) for f in found
    )


def pixels_too_wide(page: Page) -> int:
    """How far the page must be scrolled sideways (WCAG 1.4.10)."""
    page.wait_for_load_state()  # A click returns when the next page has begun, which has no root element yet.
    found = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return int(found)


def assert_fits(page: Page) -> None:
    """Fail when the page must be scrolled sideways."""
    beyond = pixels_too_wide(page)

    assert beyond == 0, f"{page.url} is {beyond} pixels wider than the window"


def screenshot(page: Page, name: str) -> Path | None:
    """Keep a picture of the whole page in the directory that DSAR_SCREENSHOTS names; without it, do nothing."""
    directory = os.environ.get("DSAR_SCREENSHOTS")
    if not directory:
        return None
    path = Path(directory) / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=True)
    return path


class Judge:
    """Looks at pages as a desk shows them, dark and light, and as a phone does, and tells all it found at the end.

    Colours are the same on both, so that a phone is looked at by day alone. ``prefix`` begins the names of its
    pictures.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.complaints: list[str] = []

    def look(self, page: Page, name: str) -> None:
        size = page.viewport_size
        assert size is not None
        for viewport, suffix, schemes in ((DESKTOP, "", SCHEMES), (PHONE, "-phone", SCHEMES[-1:])):
            page.set_viewport_size(viewport)
            for scheme in schemes:
                page.emulate_media(color_scheme=scheme)
                found = findings(page)
                self.complaints += [f"{name}{suffix}, {scheme}: {one.rule} {one.places}" for one in found]
            beyond = pixels_too_wide(page)
            self.complaints += [f"{name}{suffix}: {beyond} pixels too wide"] if beyond else []
            screenshot(page, f"{self.prefix}-{name}{suffix}")
        page.set_viewport_size(size)
