"""What the customer sees who types wrong codes, and who shows nothing until it has been given up. In a browser."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from cases.correspondence.compose import Kind
from cases.models import Case, Letter
from cases.permissions import by_staff
from cases.words import Right, State
from cases.workflow import people, unanswered
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller
from identity.roles import Role
from tests.browser import Judge, browser, serving
from tests.cases.desk_cases import allow_all
from tests.cases.portal.conftest import ADA, make_brand, newest_code
from tests.cases.portal.in_browser import desk, phone
from tests.cases.staff_client import enter
from tests.factories.cases import log, run_jobs
from tests.factories.identity import staff

__all__ = ["browser", "desk", "phone"]

pytestmark = pytest.mark.browser


@pytest.fixture
def server(committed_db: None, settings: Any) -> Iterator[str]:
    with serving() as url:
        settings.BASE_URL = url
        yield url


def come_back(phone: Page, site: str, brand: Controller, reference: str) -> None:
    """Up to where the code is typed."""
    phone.goto(f"{site}/p/{brand.slug}/follow/")
    phone.get_by_label("Reference").fill(reference)
    phone.get_by_label("E-mail address").fill(ADA)
    phone.locator("main form button[type=submit]").first.click()
    phone.wait_for_url("**/code/**")
    work(brand)


def work(brand: Controller) -> None:
    with unit_of_work([brand.pk]):
        run_jobs()


def test_five_wrong_codes_and_another_way(server: str, phone: Page, desk: Page) -> None:
    judge = Judge("wrong-code")
    with unit_of_work([]):
        brand = make_brand(logo="img/brands/meridian.svg", privacy_phone="+44 20 7946 0999")
        request = log(brand, Right.ACCESS)
    come_back(phone, server, brand, request.reference)
    right = newest_code()
    wrong = f"{(int(right) + 1) % 1_000_000:06}"

    for left in (4, 3, 2, 1):
        phone.get_by_label("Code", exact=True).fill(wrong)
        phone.get_by_role("button", name="Continue").click()
        expect(phone.locator(".error-summary")).to_contain_text(f"Tries left: {left}")
    judge.look(phone, "one-left")
    phone.get_by_label("Code", exact=True).fill(wrong)
    phone.get_by_role("button", name="Continue").click()
    expect(phone.locator(".error-summary")).to_contain_text("wrong too often")
    judge.look(phone, "none-left")
    phone.get_by_label("Code", exact=True).fill(right)
    phone.get_by_role("button", name="Continue").click()
    expect(phone.locator(".error-summary")).to_contain_text("wrong too often")
    expect(phone.get_by_text("we find another way with you")).to_be_visible()

    phone.get_by_role("button", name="Send a new code").click()
    work(brand)
    phone.get_by_label("Code", exact=True).fill(newest_code())
    phone.get_by_role("button", name="Continue").click()
    phone.wait_for_url("**/request/**")
    for _time in range(5):
        phone.goto(f"{server}/p/{brand.slug}/follow/")
        phone.get_by_label("Reference").fill(request.reference)
        phone.get_by_label("E-mail address").fill(ADA)
        phone.locator("main form button[type=submit]").first.click()
        if phone.get_by_role("heading", name="Please wait a little").is_visible():
            break
    expect(phone.get_by_text("You can try again at")).to_be_visible()
    judge.look(phone, "too-many")

    with unit_of_work([brand.pk]):
        handler, case = staff(Role.HANDLER, brand), request.cases.get()
    enter(desk, server, handler)
    desk.goto(server + reverse("console:case", args=[case.pk]))
    expect(desk.get_by_text("Checks of identity failed").first).to_be_visible()
    judge.look(desk, "signal")
    desk.get_by_role("link", name="I have looked into it").click()
    judge.look(desk, "signal-looked-into")
    desk.get_by_label("What you found").fill("She rang: her glasses were broken.")
    desk.get_by_role("button", name="Put it aside").click()
    expect(desk.get_by_text("She rang: her glasses were broken.").first).to_be_visible()
    judge.look(desk, "signal-put-aside")
    assert judge.complaints == []


def test_given_up_by_two_pairs_of_eyes_and_opened_again(server: str, phone: Page, desk: Page) -> None:
    judge = Judge("given-up")
    with unit_of_work([]):
        brand = make_brand(logo="img/brands/meridian.svg")
        allow_all(brand)
        handler, officer = staff(Role.HANDLER, brand), staff(Role.DPO, brand)
        asked = timezone.now().replace(hour=9) - timedelta(days=29)
        request = log(brand, Right.ACCESS, now=asked)
        case: Case = request.cases.get()
        people.assign(case, handler, by_staff(handler), asked)
    work(brand)
    days(brand, case, asked, 20)
    enter(desk, server, handler)
    desk.goto(server + reverse("console:case", args=[case.pk]))
    expect(desk.get_by_text("Unanswered, its end will be proposed on")).to_be_visible()
    judge.look(desk, "reminded-twice")
    desk.goto(server + reverse("console:queue"))
    expect(desk.get_by_text("reminded on").first).to_be_visible()
    judge.look(desk, "queue")

    days(brand, case, asked + timedelta(days=20), 9)
    desk.goto(server + reverse("console:case", args=[case.pk]))
    expect(desk.get_by_text("DSAR desk, by itself proposed", exact=False).first).to_be_visible()
    judge.look(desk, "proposed")
    enter(desk, server, officer)
    desk.goto(server + reverse("dpo:approvals"))
    judge.look(desk, "approvals")
    desk.goto(server + reverse("dpo:decision", args=[case.pk]))
    judge.look(desk, "decision")
    desk.get_by_role("button", name="Approve").click()
    desk.wait_for_url("**/approvals/**")
    work(brand)
    with unit_of_work([brand.pk]):
        case.refresh_from_db()
        letters = list(Letter.objects.filter(kind=Kind.IDENTITY_NOT_VERIFIED).values_list("state", flat=True))
    assert (case.state, case.outcome, letters) == (State.CLOSED, "identity_not_verified", ["sent"])

    come_back(phone, server, brand, request.reference)
    phone.get_by_label("Code", exact=True).fill(newest_code())
    phone.get_by_role("button", name="Continue").click()
    phone.wait_for_url("**/request/**")
    judge.look(phone, "late-proof")
    with unit_of_work([brand.pk]):
        case.refresh_from_db()
    assert case.state in {State.SEARCHING, State.REVIEW}
    desk.goto(server + reverse("console:case", args=[case.pk]))
    expect(desk.get_by_text("Proof of who asks came after all.").first).to_be_visible()
    judge.look(desk, "opened-again")
    assert judge.complaints == []


def days(brand: Controller, case: Case, first: Any, how_many: int) -> None:
    """So many days go by, and the scheduler looks each noon."""
    for number in range(how_many + 1):
        with unit_of_work([brand.pk]):
            unanswered.pursue_next(brand.pk, first + timedelta(days=number, hours=3))
    work(brand)
