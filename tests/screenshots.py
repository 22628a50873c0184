"""Take the pictures of the documentation from the demonstration, on the servers that the environment names.

``make screenshots`` starts the servers and removes them afterwards. The demonstration is served by the supervisor,
as by ``make demo``.
"""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import django
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from dsar.supervisor import web_answers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsar.settings")
# Playwright's synchronous API keeps an event loop on this thread, and Django would refuse the database there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
django.setup()

from django.db.models import Count, Q  # noqa: E402

from cases.models import Case, ItemDecision  # noqa: E402
from cases.operations.demo.make import PASSWORD, TOTP_SECRET  # noqa: E402
from cases.words import Channel, Right, State  # noqa: E402
from dsar.lib.tenancy import unit_of_work  # noqa: E402
from identity.access import all_controllers  # noqa: E402
from tests.browser import FLAGS, find_chromium  # noqa: E402
from tests.journeys.crm import Customer  # noqa: E402
from tests.journeys.house import free_port  # noqa: E402
from tests.journeys.people import AtHome, Staff  # noqa: E402

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 800}
COLOURS = 128  # Enough for flat pages, and a picture is then a fifth of its size.


class JudgedElsewhere(set[str]):
    """Every page counts as judged: the journeys and the pages' own tests let axe look at them."""

    def __contains__(self, name: object) -> bool:
        return True


class Demonstration:
    """The demonstration's site, in processes of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.log = folder / "desk.log"
        self.folder = folder

    def logs(self) -> str:
        return self.log.read_text()[-4000:]

    @contextmanager
    def served(self) -> Iterator[None]:
        """Until the site answers, which is after the demonstration's data was made; and until the end."""
        environment = {**os.environ, "DSAR_DATA_DIR": str(self.folder / "files")}
        command = [sys.executable, "-m", "dsar.supervisor", "--demo", "--port", str(self.port)]
        with self.log.open("wb") as log:
            desk = subprocess.Popen(
                [*command, "--data", str(self.folder / "desk")],
                env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        try:
            self._await(desk)
            yield
        finally:
            desk.terminate()
            desk.wait()

    def _await(self, desk: "subprocess.Popen[str]") -> None:
        assert desk.stdout is not None
        for line in desk.stdout:
            if line.startswith("Ctrl-C") and web_answers(self.port):
                return
        raise SystemExit(f"The demonstration did not start.\n{self.logs()}")


# -- what is shown ---------------------------------------------------------------------------------------


def busiest(state: State, slug: str = "meridian") -> Case:
    """The access case in this state that has most to show: redactions first, then items, then letters."""
    with unit_of_work(all_controllers()):
        redacted = Count("items", filter=Q(items__decision=ItemDecision.REDACT), distinct=True)
        cases = Case.objects.counted().filter(controller__slug=slug, state=state, right=Right.ACCESS)
        ranked = cases.annotate(redacted=redacted, found=Count("items", distinct=True))
        found: Case | None = ranked.order_by("-redacted", "-found", "pk").first()
        assert found is not None, f"the demonstration has no access case in {state}"
        return found


def calls_of(case: Case) -> str:
    """The query of the review's page for what advisers noted about calls."""
    with unit_of_work([case.controller_id]):
        call = case.items.filter(collection="call").first()
        assert call is not None, "the demonstration's customer has no calls"
        return urlencode({"source": str(call.source_id), "collection": call.collection})


def customer_of(case: Case) -> tuple[Customer, str]:
    """The person of a case, and the reference by which they find it."""
    with unit_of_work([case.controller_id]):
        case.refresh_from_db()
        return Customer(0, case.subject.name, case.subject.email), case.subject_request.reference


def own_request() -> Case:
    """An access request that its customer made in the portal, and that is well on its way."""
    with unit_of_work(all_controllers()):
        begun = [State.APPROVAL, State.REVIEW, State.SEARCHING, State.FULFILLING]
        cases = Case.objects.counted().filter(
            controller__slug="meridian", right=Right.ACCESS, state__in=begun
        )
        online = cases.filter(subject_request__channel=Channel.PORTAL).first()
        return online or next(case for case in cases.select_related("subject") if case.subject.email)


def erasing(*states: State) -> Case:
    """The erasure in one of these states that has the most lines in its plan."""
    with unit_of_work(all_controllers()):
        cases = Case.objects.counted().filter(
            controller__slug="meridian", right=Right.ERASURE, state__in=states
        )
        found: Case | None = cases.annotate(lines=Count("plans__lines")).order_by("-lines", "pk").first()
        assert found is not None, f"the demonstration has no erasure in {states}"
        return found


def disputed() -> Case:
    """A rectification that is decided value by value."""
    with unit_of_work(all_controllers()):
        cases = Case.objects.counted().filter(controller__slug="meridian", right=Right.RECTIFICATION)
        found: Case | None = cases.order_by("closed_at", "pk").first()
        assert found is not None, "the demonstration has no rectification"
        return found


# -- the pictures ----------------------------------------------------------------------------------------


class Pictures:
    """Somebody goes from page to page, and each is kept."""

    def __init__(self, site: Demonstration, browser: Browser) -> None:
        self.site = site
        self.browser = browser

    def staff(self, email: str) -> Staff:
        """A member of staff who has signed in."""
        person = Staff(self.site, self.browser, JudgedElsewhere(), viewport=DESK)
        person.sign_in(email, PASSWORD, TOTP_SECRET)
        return person

    def take_agent(self) -> None:
        case = busiest(State.REVIEW)
        who, _reference = customer_of(case)
        agent = self.staff("amy@desk.example")
        agent.visit("/log/")
        agent.fill("Name", who.name)
        agent.page.locator("#id_email").press_sequentially(who.email)
        agent.page.locator("label[for=subject_1]").click()
        agent.tick("Access")
        agent.page.locator("#said").press_sequentially("my mum wants the recording")
        agent.page.get_by_text("Social media counts").wait_for(state="detached")
        keep(agent.page, "agent-log")
        agent.visit(f"/requests/{case.subject_request_id}/")
        keep(agent.page, "agent-request")
        agent.visit(f"/requests/{case.subject_request_id}/read-out/")
        keep(agent.page, "agent-read-out")

    def take_desk(self) -> None:
        handler = self.staff("hanna@desk.example")
        review = busiest(State.REVIEW)
        for name, path in {
            "desk-queue": "/queue/",
            "desk-case": f"/cases/{review.pk}/",
            "desk-review": f"/cases/{review.pk}/review/?{calls_of(review)}",
        }.items():
            handler.visit(path)
            keep(handler.page, name, around="#items" if name == "desk-review" else "")
        for name, path in {
            "desk-plan": f"/cases/{erasing(State.REVIEW).pk}/plan/",
            "desk-receipts": f"/cases/{erasing(State.CLOSED).pk}/receipts/",
            "desk-corrections": f"/cases/{disputed().pk}/corrections/",
        }.items():
            handler.visit(path)
            keep(handler.page, name)

    def take_officer(self) -> None:
        officer = self.staff("dana@desk.example")
        for name, path in {
            "dpo-approvals": "/dpo/approvals/",
            "dpo-approval": f"/dpo/approvals/{busiest(State.APPROVAL).pk}/",
            "dpo-oversight": "/dpo/oversight/",
            "dpo-retention": "/dpo/retention/",
            "dpo-trail": f"/dpo/trail/{busiest(State.APPROVAL).pk}/",
        }.items():
            officer.visit(path)
            keep(officer.page, name)

    def take_administrator(self) -> None:
        administrator = self.staff("sam@desk.example")
        administrator.visit("/sources/")
        keep(administrator.page, "admin-sources")
        administrator.page.get_by_role("link", name="Help desk and call recordings").first.click()
        administrator.page.wait_for_load_state()
        keep(administrator.page, "admin-source")

    def take_customer(self) -> None:
        who, reference = customer_of(own_request())
        home = AtHome(self.site, self.browser, JudgedElsewhere(), "meridian", who, viewport=PHONE)
        home.visit("/p/meridian/")
        keep(home.page, "portal-home")
        home.visit("/p/meridian/ask/")
        home.tick("See my data")
        keep(home.page, "portal-ask")
        home.come_back(reference)
        home.visit("/p/meridian/request/")
        keep(home.page, "portal-request")


def keep(page: Page, name: str, around: str = "") -> None:
    """Save what the window shows, in few colours: from the top, or with one element in the middle."""
    page.evaluate(
        "where => where ? document.querySelector(where).scrollIntoView({block: 'center'}) : scrollTo(0, 0)",
        around,
    )
    page.mouse.move(0, 0)
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide"))).convert("RGB")
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.png"
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(FOLDER.parents[1])}: {path.stat().st_size // 1024} kB", flush=True)


def main() -> None:
    """Serve the demonstration and take all pictures."""
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("No Chromium is installed (Debian: apt-get install chromium).")
    with tempfile.TemporaryDirectory(prefix="dsar-pictures-") as folder:
        site = Demonstration(Path(folder))
        with site.served(), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
            pictures = Pictures(site, browser)
            pictures.take_agent()
            pictures.take_desk()
            pictures.take_officer()
            pictures.take_administrator()
            pictures.take_customer()
            browser.close()


if __name__ == "__main__":
    main()
