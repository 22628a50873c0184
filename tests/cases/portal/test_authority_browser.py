"""A solicitor asks in the portal, shows their authority, and is the only one whom the answer reaches."""

from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from cases.correspondence.outbox import mails
from cases.models import Case, Delivery
from cases.permissions import by_staff
from cases.words import State
from cases.workflow import decide, review
from dsar.lib.tenancy import unit_of_work
from identity.roles import Role
from tests.browser import Judge, browser, server
from tests.cases.desk_cases import allow_all
from tests.cases.portal.conftest import ADA, make_brand, newest_code
from tests.cases.portal.in_browser import desk, phone
from tests.cases.staff_client import enter
from tests.factories.cases import run_jobs
from tests.factories.identity import staff
from tests.identity.documents import pictures

__all__ = ["browser", "desk", "phone", "server"]

pytestmark = pytest.mark.browser

FIRM = "office@blythe.example"


def test_a_solicitor_from_the_request_to_the_answer(
    server: str, phone: Page, desk: Page, tmp_path: Path
) -> None:
    judge = Judge("authority")
    letter = tmp_path / "letter.jpg"
    letter.write_bytes(pictures.jpeg(pictures.page()))
    with unit_of_work([]):
        brand = make_brand(logo="img/brands/meridian.svg")
        handler = staff(Role.HANDLER, brand, full_name="Hannah Handler")
        dpo = staff(Role.DPO, brand, full_name="Dora Protector")
        allow_all(brand)

    phone.goto(f"{server}/p/{brand.slug}/ask/")
    phone.locator("label", has_text="See my data").first.click()
    phone.locator("label", has_text="Somebody else's").click()
    phone.get_by_label("Your name").fill("Blythe and Marsh")
    phone.get_by_label("Your e-mail address").fill(FIRM)
    phone.get_by_label("Their name").fill("Ada Example")
    phone.get_by_label("What are you to this person?").select_option("solicitor")
    phone.get_by_label("Their e-mail address").fill(ADA)
    judge.look(phone, "ask")
    phone.get_by_role("button", name="Send my request").click()
    expect(phone.get_by_text("We need to see that you may ask")).to_be_visible()
    judge.look(phone, "asked")
    phone.get_by_role("button", name="Send me a code").click()
    with unit_of_work([brand.pk]):
        run_jobs()
        code = newest_code(FIRM)
    phone.get_by_label("Code", exact=True).fill(code)
    phone.get_by_role("button", name="Continue").click()
    phone.wait_for_url("**/request/**")
    judge.look(phone, "mine")

    phone.get_by_role("link", name="Send it now").click()
    judge.look(phone, "form")
    phone.get_by_label("Your pictures or PDF").set_input_files(letter)
    phone.get_by_role("button", name="Send it").click()
    expect(phone.get_by_role("heading", name="We have what you sent")).to_be_visible()
    judge.look(phone, "waiting")

    with unit_of_work([brand.pk]):
        case = Case.objects.get(controller=brand)
    enter(desk, server, handler)
    desk.goto(server + reverse("console:case", args=[case.pk]))
    judge.look(desk, "case")
    desk.get_by_role("link", name="Look at the authority").click()
    expect(desk.locator(".evidence img")).to_have_js_property("complete", True)
    judge.look(desk, "judge")
    desk.locator("label", has_text="Signed authority").first.click()
    desk.get_by_label("For which matters").fill("Everything about her account.")
    desk.get_by_label("Its date, or valid from").fill(timezone.localdate().isoformat())
    desk.get_by_label("Looked up in").fill("Roll of solicitors")
    desk.get_by_label("Looked up on").fill(timezone.localdate().isoformat())
    desk.get_by_label("How it was checked").fill("Signature as on file; called back at the firm.")
    desk.get_by_label("How the representative is known").select_option("public_register")
    desk.get_by_label("Level of assurance").select_option("2")
    desk.get_by_label("The representative", exact=True).check()
    desk.get_by_role("button", name="Accept it").click()
    expect(desk.locator(".error-summary")).to_contain_text("Say why the answer goes there")
    judge.look(desk, "refused")
    desk.get_by_label("Why there").first.fill("She asks us to answer her solicitor.")
    desk.get_by_role("button", name="Accept it").click()
    expect(desk.get_by_role("heading", name="Where the answer goes")).to_be_visible()
    judge.look(desk, "accepted")

    with unit_of_work([brand.pk]):
        run_jobs()
        by, now = by_staff(handler), timezone.now()
        review.decide_by_rules(Case.objects.get(pk=case.pk), by, now)
        title, body = decide.draft_letter(Case.objects.get(pk=case.pk), "fulfilled", "", now)
        decide.submit(Case.objects.get(pk=case.pk), title, body, by, now)
    enter(desk, server, dpo)
    desk.goto(server + reverse("dpo:decision", args=[case.pk]))
    judge.look(desk, "decision")
    desk.get_by_role("button", name="Approve", exact=True).click()
    desk.wait_for_url("**/approvals/**")
    with unit_of_work([brand.pk]):
        run_jobs()
        case.refresh_from_db()
        delivered = [one.party for one in Delivery.objects.all()]
        to = sorted({mail.to for mail in mails()})

    phone.goto(f"{server}/p/{brand.slug}/request/")
    judge.look(phone, "answered")
    phone.get_by_role("link", name="Fetch our answer").click()
    assert (case.state, delivered, to) == (State.CLOSED, ["requester"], [FIRM])
    assert judge.complaints == []
