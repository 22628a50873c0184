"""What app.js adds, by keyboard and mouse, and that pages do without it."""

import re

import pytest
from playwright.sync_api import Dialog, FilePayload, Page, expect

from tests.browser import assert_accessible
from tests.design.conftest import Show
from tests.design.gallery import render

pytestmark = pytest.mark.browser


@pytest.fixture
def components(show: Show) -> Page:
    """The page with every component."""
    return show(render("gallery/components.html"))


def answer(dialog: Dialog, asked: list[str]) -> None:
    """Agree to leave, and note that the question was put."""
    asked.append(dialog.type)
    dialog.accept()


def focused(page: Page) -> str:
    """Id of what has the focus."""
    return str(page.evaluate("document.activeElement.id"))


def test_error_summary_takes_focus_when_page_opens(components: Page) -> None:
    expect(components.locator(".error-summary")).to_be_focused()


def test_shortcut_slash_jumps_to_search(components: Page) -> None:
    components.keyboard.press("/")

    assert focused(components) == "global-search"
    expect(components.locator("#global-search")).to_have_value("")


def test_shortcut_sequence_follows_link(components: Page) -> None:
    components.keyboard.press("g")
    components.keyboard.press("a")

    expect(components).to_have_url(re.compile("#approvals$"))


def test_shortcut_is_text_while_typing(components: Page) -> None:
    field = components.locator("#id_name")
    field.focus()

    components.keyboard.type("ne/")

    expect(field).to_have_value("ne/")
    assert components.url.endswith("/")


def test_shortcut_does_nothing_when_switched_off(components: Page) -> None:
    components.keyboard.press("?")
    components.get_by_label("Use single-key shortcuts in this browser").uncheck()
    components.keyboard.press("Escape")

    components.keyboard.press("n")

    assert components.url.endswith("/")
    expect(components.locator("[aria-keyshortcuts]")).to_have_count(0)


def test_shortcut_help_lists_what_the_page_offers(components: Page) -> None:
    components.keyboard.press("?")

    names = components.locator("#shortcuts [data-found] dt").all_inner_texts()

    assert names == [
        "Find a request by its reference",
        "Keyboard shortcuts",
        "Log a request",
        "Queue",
        "Approvals",
        "Sources",
        "Extend",
    ]
    assert_accessible(components)


def test_rows_are_walked_with_j_and_k(show: Show) -> None:
    page = show(render("gallery/queue.html"))

    for key in ("j", "j", "j", "k"):
        page.keyboard.press(key)

    assert page.evaluate("document.activeElement.textContent") == "P3XW-9T4C/E"


def test_dialog_opens_and_gives_focus_back(components: Page) -> None:
    components.keyboard.press("e")

    expect(components.locator("#extend")).to_be_visible()
    assert focused(components) == "reason"
    assert_accessible(components)

    components.get_by_role("button", name="Cancel").click()

    expect(components.locator("#extend")).to_be_hidden()
    expect(components.get_by_role("link", name="Extend")).to_be_focused()


def test_dialog_link_is_followed_without_javascript(show: Show) -> None:
    page = show(render("gallery/components.html"), java_script_enabled=False)

    page.get_by_role("link", name="Extend").click()

    assert page.url.endswith("#extend")
    expect(page.locator(".js-only").first).to_be_hidden()


def test_copy_button_copies_and_says_so(components: Page) -> None:
    components.evaluate("navigator.clipboard ?? Object.defineProperty(navigator, 'clipboard', {value: {}})")
    components.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")

    components.get_by_role("button", name="Copy the reference").click()

    expect(components.locator(".toast")).to_contain_text("Copied.")
    assert components.evaluate("window.copied") == "K7QF-2M9D"


def test_form_is_sent_once_when_pressed_twice(show: Show) -> None:
    page = show(render("gallery/sign_in.html"))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.route("**/*", lambda route: route.fulfill(status=204))

    page.evaluate("() => { for (const _ of [1, 2, 3]) document.querySelector('.button--primary').click(); }")
    page.wait_for_timeout(300)

    assert sent.count("POST") == 1
    expect(page.locator(".button--primary")).to_have_attribute("aria-disabled", "true")


def test_leaving_asks_first_when_something_is_unsaved(components: Page) -> None:
    asked: list[str] = []
    components.on("dialog", lambda dialog: answer(dialog, asked))

    components.locator("#id_name").fill("Rosalind")
    components.reload()

    assert asked == ["beforeunload"]


@pytest.mark.parametrize(("verb", "asked_for"), [("get", ["beforeunload"]), ("post", [])])
def test_leaving_asks_after_lookup_but_not_after_saving(
    components: Page, verb: str, asked_for: list[str]
) -> None:
    asked: list[str] = []
    components.on("dialog", lambda dialog: answer(dialog, asked))

    components.locator("#id_name").fill("Rosalind")
    components.evaluate(
        """verb => document.querySelector('#id_name').dispatchEvent(new CustomEvent('htmx:afterRequest',
        {bubbles: true, detail: {successful: true, requestConfig: {verb}}}))""",
        verb,
    )
    components.reload()

    assert asked == asked_for


def test_leaving_does_not_ask_when_nothing_was_typed(components: Page) -> None:
    asked: list[str] = []
    components.on("dialog", lambda dialog: answer(dialog, asked))

    components.locator("#id_name").focus()
    components.reload()

    assert asked == []


def test_menu_closes_on_escape_and_keeps_focus(components: Page) -> None:
    menu = components.locator("details.menu")
    components.locator("details.menu summary").click()
    expect(menu).to_have_attribute("open", "")

    components.keyboard.press("Escape")

    expect(menu).not_to_have_attribute("open", "")
    expect(components.locator("details.menu summary")).to_be_focused()


def test_toast_shows_text_and_never_markup(components: Page) -> None:
    components.evaluate(
        "document.body.dispatchEvent(new CustomEvent('toast', "
        "{bubbles: true, detail: {text: '<b>Saved</b>', tone: 'success'}}))"
    )

    expect(components.locator(".toast__text")).to_have_text("<b>Saved</b>")
    expect(components.locator(".toast b")).to_have_count(0)
    assert_accessible(components)


def test_recent_time_is_said_and_exact_time_kept(show: Show) -> None:
    page = show(render("gallery/case.html"))

    page.evaluate("""() => {
      const time = document.querySelector('time[data-relative]');
      time.dateTime = new Date(Date.now() - 3 * 3600 * 1000 - 1000).toISOString();
      document.dispatchEvent(new CustomEvent('htmx:afterSettle', {bubbles: true}));
    }""")

    expect(page.locator("time[data-relative]").first).to_have_text("3 hours ago")
    expect(page.locator("time[data-relative]").first).to_have_attribute("title", "13 Dec 2026, 10:00")


def test_chosen_file_is_listed_with_its_size(components: Page) -> None:
    file: FilePayload = {"name": "bill.pdf", "mimeType": "application/pdf", "buffer": b"x" * 4200}

    components.locator("#id_attachment").set_input_files([file])

    expect(components.locator("[data-upload-files] li")).to_have_text("bill.pdf4 kB")


def test_htmx_neither_evaluates_nor_keeps_history(components: Page) -> None:
    settings = components.evaluate(
        "[htmx.config.allowEval, htmx.config.includeIndicatorStyles, htmx.config.historyCacheSize]"
    )

    assert settings == [False, False, 0]
    # The address of the page is all that htmx keeps, and only while the tab is open.
    assert components.evaluate("Object.entries(sessionStorage)") == [["htmx-current-path-for-history", "/"]]
    assert components.evaluate("Object.keys(localStorage)") == []
