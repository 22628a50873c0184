"""Who walks the journeys: staff at their desks and customers at home, each in a browser of their own."""

import io
import json
import re
import time
import zipfile
from pathlib import Path
from typing import Any, Protocol

from django_otp.oath import totp
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser import PHONE, assert_accessible, assert_fits, open_context, screenshot
from tests.factories.identity import PASSWORD, TOTP_SECRET
from tests.journeys.crm import Customer

# The whole site shares a small machine with the rest of the tests.
PATIENCE_MS = 30_000
# Six digits that are a word: the random part of a link may hold six digits as well.
CODE = re.compile(r"(?<![\w/-])\d{6}(?![\w-])")
LINK = re.compile(r"http://\S+/r/\S+/")


class Site(Protocol):
    """Where people go."""

    url: str

    def logs(self) -> str:
        """What the site's programs said lately."""


class Visitor:
    """A person with a browser. Each page that is named is judged the first time that anybody sees it."""

    def __init__(self, site: Site, browser: Browser, judged: set[str], **options: Any) -> None:
        self.site = site
        self.judged = judged
        self.scripted: bool = options.get("java_script_enabled", True)
        self.context: BrowserContext = open_context(browser, **options)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()

    def visit(self, path: str) -> int:
        """Open an address of the site; the answer's status."""
        answer = self.page.goto(self.site.url + path)
        assert answer is not None
        return answer.status

    def press(self, name: str) -> None:
        """Press a button, and wait for the page that comes of it."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Follow the first link whose words begin so, and wait for its page."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=re.compile(rf"^{re.escape(name)}")).first.click()

    def fill(self, label: str, text: str) -> None:
        """Type into the field of that name, whether or not it says that it may stay empty."""
        self.page.get_by_label(re.compile(rf"^\s*{re.escape(label)}\s*(\(optional\))?\s*$")).fill(text)

    def tick(self, words: str) -> None:
        """Choose where people press: on the words."""
        self.page.locator(".choice label", has_text=words).first.click()

    def sees(self, words: str) -> None:
        expect(self.page.get_by_role("main")).to_contain_text(words, timeout=PATIENCE_MS)

    def judge(self, name: str) -> None:
        """Let axe look at this page, once for all journeys. It is a script itself."""
        if self.scripted and name not in self.judged:
            self.judged.add(name)
            assert_accessible(self.page)
            screenshot(self.page, f"journey-{name}")

    def leave(self) -> None:
        self.context.close()


class Staff(Visitor):
    """A member of staff, who signs in with both factors."""

    def sign_in(self, email: str, password: str = PASSWORD, secret: str = TOTP_SECRET) -> None:
        self.visit("/")
        self.judge("sign-in")
        self.fill("E-mail address", email)
        self.fill("Password", password)
        self.press("Sign in")
        self.judge("second-factor")
        self.fill("Code", f"{totp(bytes.fromhex(secret)):06}")
        self.press("Continue")
        self.page.wait_for_url(
            lambda address: not any(one in address for one in ("sign-in", "second-factor"))
        )

    def log_access_request(self, customer: Customer, call: str) -> str:
        """On the telephone: who it is, what they want; then read out what is shown. Gives the reference."""
        self.write_down(customer)
        self.fill("In their own words", "Send me what you hold on me.")
        self.fill("Call or chat reference", call)
        self.press("Log the request")
        return self.read_out()

    def write_down(self, customer: Customer) -> None:
        self.visit("/log/")
        self.judge("agent-log")
        self.fill("Name", customer.name)
        self.fill("E-mail address", customer.email)
        self.tick("Access")

    def tab_to(self, element_id: str) -> None:
        """Press Tab until the element has the focus."""
        for _ in range(80):
            if self.page.evaluate("document.activeElement.id") == element_id:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{element_id} is not reached by keyboard")

    def read_out(self) -> str:
        reference = self.reference_shown()
        self.judge("agent-read-out")
        self.press("I have read it out")
        self.page.wait_for_url("**/requests/*/")
        self.judge("agent-request")
        return reference

    def reference_shown(self) -> str:
        return self.page.locator(".script__reference").inner_text().strip()

    def review_and_submit(self, case_id: str) -> None:
        """Take the case, disclose what is the person's own, leave the others' withheld, propose the answer."""
        self.visit(f"/cases/{case_id}/")
        self.press("Take it")
        self.judge("desk-case")
        self.follow("Items")
        self.judge("desk-review")
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="all that is still to be decided").click()
        self.sees("items are decided")
        self.follow("Prepare the answer")
        self.judge("desk-submit")
        self.press("Send to approval")
        self.page.wait_for_url(f"**/cases/{case_id}/")

    def approve(self, case_id: str, button: str) -> None:
        """Read the proposal from the list of those that wait, and approve it."""
        self.visit("/dpo/approvals/")
        self.judge("dpo-approvals")
        with self.page.expect_navigation():
            self.page.locator(f"a[href='/dpo/approvals/{case_id}/']").click()
        self.judge("dpo-decision")
        self.press(button)


class AtHome(Visitor):
    """A customer of one brand with a telephone, and with the mailbox that the outbox page stands in for."""

    def __init__(
        self, site: Site, browser: Browser, judged: set[str], brand: str, who: Customer, **options: Any
    ) -> None:
        super().__init__(site, browser, judged, **{"viewport": PHONE, **options})
        self.brand = brand
        self.who = who
        self.mailbox: Page = self.context.new_page()

    def judge(self, name: str) -> None:
        """A telephone's pages are not to be scrolled sideways, either."""
        if self.scripted:
            assert_fits(self.page)
        super().judge(name)

    def ask_online(self) -> str:
        """Fill in the brand's form. Gives the reference."""
        self.visit(f"/p/{self.brand}/")
        self.judge("portal-home")
        self.follow("Ask for something")
        self.judge("portal-ask")
        self.tick("See my data")
        self.fill("Your name", self.who.name)
        self.fill("Your e-mail address", self.who.email)
        self.press("Send my request")
        self.page.wait_for_url("**/asked/**")
        self.judge("portal-asked")
        return self.page.locator(".copy__value").inner_text().strip()

    def open_letter(self) -> None:
        """Follow the link of the acknowledgement."""
        self.page.goto(self.newest_mail(LINK))
        self.judge("portal-follow")

    def come_back(self, reference: str) -> None:
        """Without a link at hand: by reference and address."""
        self.visit(f"/p/{self.brand}/follow/")
        self.judge("portal-enter")
        self.fill("Reference", reference)
        self.fill("E-mail address", self.who.email)
        self.prove()

    def prove(self) -> None:
        """Have a code sent, type it, and come to one's own request."""
        self.type_new_code()
        self.page.wait_for_url("**/request/**")
        self.judge("portal-request")

    def type_new_code(self) -> None:
        known = self.mails(CODE).count()
        self.press("Send me a code")
        self.page.get_by_label("Code", exact=True).wait_for()
        self.judge("portal-code")
        self.fill("Code", self.newest_mail(CODE, beyond=known))
        self.press("Continue")

    def download(self) -> dict[str, Any]:
        """Fetch the answer behind a fresh code; what its data for programs says."""
        self.visit(f"/p/{self.brand}/request/")
        self.judge("portal-answered")
        self.follow("Fetch our answer")
        self.judge("portal-answer")
        self.type_new_code()
        everything = self.page.get_by_role("button", name="Download everything")
        everything.wait_for()
        self.judge("portal-pack")
        with self.page.expect_download() as fetched:
            everything.click()
        with zipfile.ZipFile(io.BytesIO(Path(fetched.value.path()).read_bytes())) as pack:
            said: dict[str, Any] = json.loads(pack.read("data.json"))
            return said

    def newest_mail(self, holding: re.Pattern[str], beyond: int = 0) -> str:
        """The link or code of the newest such mail; waits until there are more of them than ``beyond``."""
        found = self.mails(holding)
        until = time.monotonic() + PATIENCE_MS / 1000
        while found.count() <= beyond:
            assert time.monotonic() < until, f"no mail came with {holding.pattern}\n{self.site.logs()}"
            self.mails(holding)
        match = holding.search(found.first.inner_text())
        assert match is not None
        return match[0]

    def mails(self, holding: re.Pattern[str]) -> Locator:
        """The mails of the brand to this person that hold such a thing, newest first."""
        self.mailbox.goto(f"{self.site.url}/outbox/")
        route = re.compile(rf"@{self.brand}\.example> to {re.escape(self.who.email)}")
        return self.mailbox.get_by_role("article").filter(has_text=route).filter(has_text=holding)


def disclosed(said: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows of an answer by collection, in the order of their keys."""
    return {
        collection["collection"]: sorted(
            (one["data"] for one in collection["records"]), key=lambda row: row["id"]
        )
        for source in said["sources"]
        for collection in source["collections"]
    }
