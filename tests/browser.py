"""A real browser for tests: Chromium, driven by Playwright, with axe-core to judge what it shows.

Import the fixtures ``browser`` and ``page`` into a module, walk through the site, and let a :class:`Judge` look at each
page once. :func:`assert_accessible` is for what a page becomes while it is used.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

# The shell is the same engine without a browser's own window, which costs more than most pages.
CANDIDATES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
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
COLOURS = ("color-contrast", "link-in-text-block")
STANDARD = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
PHONE: ViewportSize = {"width": 360, "height": 740}
DESKTOP: ViewportSize = {"width": 1280, "height": 860}


def find_chromium() -> str | None:
    """Path of an installed Chromium, or None; the variable CHROMIUM names one that is not on the path."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, CANDIDATES)), None)


# A browser shares the machine with the rest of the tests; what is not there after so long does not come.
expect.set_options(timeout=30_000)

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


class _Site(ThreadedWSGIServer):
    """Stops soon when it is told to. The usual one looks every half a second whether it was, once for each test."""

    def __init__(self, *args: Any, **named: Any) -> None:
        self.underway: list[object] = []
        super().__init__(*args, **named)

    def serve_forever(self, poll_interval: float = 0.02) -> None:
        super().serve_forever(poll_interval)

    def set_app(self, application: Any) -> None:
        super().set_app(lambda environ, start: self._answer(application, environ, start))

    def _answer(self, application: Any, environ: object, start: object) -> Any:
        self.underway.append(environ)
        try:
            return application(environ, start)
        finally:
            self.underway.pop()

    def server_close(self) -> None:
        """Let what a page has still asked for come to its end: nothing of it is to reach the next test's database."""
        super().server_close()
        until = time.monotonic() + 10
        while self.underway and time.monotonic() < until:
            time.sleep(0.01)


@contextmanager
def serving() -> Iterator[str]:
    """The application's address, served by threads of this process."""
    server = LiveServer("localhost", start=False)
    server.thread.server_class = _Site
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def server(committed_db: None) -> Iterator[str]:
    """The application's address, for a test whose commits are real."""
    with serving() as url:
        yield url


@dataclass(frozen=True)
class Finding:
    """One rule that axe saw broken, and where."""

    rule: str
    impact: str
    places: tuple[str, ...]
    reason: str


def findings(page: Page, *, without: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> list[Finding]:
    """What axe objects to on this page; ``without`` names rules that the caller has a reason to leave out.

    ``only`` names those that are asked at all.
    """
    page.wait_for_load_state()
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE.read_text(encoding="utf-8") + "; true")
    rules = {"target-size": {"enabled": True}} | {rule: {"enabled": False} for rule in without}
    asked = {"type": "rule", "values": list(only)} if only else {"type": "tag", "values": list(STANDARD)}
    options = {
        "runOnly": asked,
        "rules": {} if only else rules,
        "resultTypes": ["violations"],
        "preload": False,  # No rule that is asked looks at style sheets or recordings as such.
    }
    # What is in order is a long list, which nobody reads: it stays in the browser.
    broken = page.evaluate("async options => (await axe.run(document, options)).violations", options)
    return [_finding(violation) for violation in broken]


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


@dataclass(frozen=True)
class Look:
    """One way of seeing a page, and what of it is no different in an earlier one.

    Where it is ``thorough``, only a thorough run asks axe about it.
    """

    suffix: str
    viewport: ViewportSize
    scheme: Literal["dark", "light"]
    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    thorough: bool = True


# Half of axe's time goes into colours, which are the same on a phone; and nothing but colours is other in the dark.
LOOKS = (
    Look("-dark", DESKTOP, "dark", only=COLOURS),
    Look("", DESKTOP, "light", thorough=False),
    Look("-phone", PHONE, "light", without=COLOURS),
)
thorough = False  # as the run says with --thorough


class Judge:
    """Looks at pages as a desk shows them, dark and light, and as a phone does, and tells all it found at the end.

    Axe takes longer than the pages themselves: an ordinary run asks it once a page, a thorough one in every look.
    ``prefix`` begins the names of its pictures. One that is ``strict`` asks in every look in any run.
    """

    def __init__(self, prefix: str, *, strict: bool = False) -> None:
        self.prefix = prefix
        self.strict = strict
        self.complaints: list[str] = []

    def look(self, page: Page, name: str) -> None:
        size = page.viewport_size
        assert size is not None
        for look in filter(self._takes, LOOKS):
            page.set_viewport_size(look.viewport)
            page.emulate_media(color_scheme=look.scheme)
            self._judge(page, f"{name}{look.suffix}", look)
        page.set_viewport_size(size)

    def _takes(self, look: Look) -> bool:
        """Only colours are other in the dark: where axe is not asked about them, a picture alone needs that look."""
        return look.scheme == "light" or self._asks(look) or "DSAR_SCREENSHOTS" in os.environ

    def _asks(self, look: Look) -> bool:
        return self.strict or thorough or not look.thorough

    def _judge(self, page: Page, name: str, look: Look) -> None:
        if self._asks(look):
            found = findings(page, without=look.without, only=look.only)
            self.complaints += [f"{name}, {look.scheme}: {one.rule} {one.places}" for one in found]
        beyond = pixels_too_wide(page)
        self.complaints += [f"{name}: {beyond} pixels too wide"] if beyond else []
        screenshot(page, f"{self.prefix}-{name}")
