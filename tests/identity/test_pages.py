"""The pages of signing in, in a browser: accessible, by the keyboard alone, and without JavaScript."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from dsar.lib.tenancy import unit_of_work
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.invitations import invite
from identity.models import SignOnProvider
from identity.roles import Role
from tests.browser import PHONE, Judge, browser, open_context, page, serving
from tests.factories.identity import PASSWORD, ControllerFactory, UserFactory, enrolled, staff
from tests.identity.signing_in import code_now, member, sign_in, wrong_code

__all__ = ["browser", "page"]

pytestmark = pytest.mark.browser
NEW = "seventeen blue kettles"


@pytest.fixture
def site(committed_db: None, settings: Any) -> Iterator[str]:
    """The application's address, served by threads of this process."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    with serving() as url:
        yield url


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def secret_shown(page: Page) -> str:
    return base64.b32decode(page.locator("#secret").inner_text().replace(" ", "")).hex()


def test_new_member_comes_from_the_invitation_to_the_account(site, page):
    judge = Judge("identity/invited")
    with unit_of_work([]):
        person = UserFactory.create(full_name="Ada Whitfield", email="ada.whitfield@desk.example")
        token = invite(person, timezone.now())

    page.goto(f"{site}/staff/invitation/{token}/")
    judge.look(page, "accept_invitation")
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password again").fill(NEW)
    page.get_by_role("button", name="Set the password").click()
    judge.look(page, "sign_in_password_set")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(NEW)
    page.get_by_role("button", name="Sign in").click()
    judge.look(page, "enrolment")
    secret = secret_shown(page)
    page.get_by_label("Code").fill(wrong_code(secret))
    page.get_by_role("button", name="Confirm").click()
    judge.look(page, "enrolment_refused")
    page.wait_for_timeout(1100)
    page.get_by_label("Code").fill(code_now(secret))
    page.get_by_role("button", name="Confirm").click()
    judge.look(page, "recovery_codes")
    codes = page.locator("#recovery-codes li").all_inner_texts()
    page.goto(f"{site}/staff/account/")
    judge.look(page, "account")

    assert (len(set(codes)), heading(page), judge.complaints) == (10, "Your account", [])


def test_pages_of_the_account_are_accessible(site, page):
    judge = Judge("identity/account")
    with unit_of_work([]):
        person = member()
    enter(page, site, person.email)

    for name in ("password", "new-app", "recovery-codes"):
        page.goto(f"{site}/staff/account/{name}/")
        judge.look(page, name)
        page.get_by_role("button").last.click()
        judge.look(page, f"{name}_refused")

    assert judge.complaints == []


def enter(page: Page, site: str, email: str) -> None:
    page.goto(f"{site}/staff/sign-in/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(code_now())
    page.get_by_role("button", name="Continue").click()


def test_signing_in_needs_no_mouse(site, page):
    judge = Judge("identity/keyboard")
    with unit_of_work([]):
        person = member()

    page.goto(f"{site}/staff/account/")
    page.keyboard.type(person.email)
    press(page, "Tab")
    page.keyboard.type(PASSWORD)
    press(page, "Enter")
    page.wait_for_url("**/second-factor/")
    judge.look(page, "second_factor")
    page.keyboard.type(code_now())
    press(page, "Enter")
    page.wait_for_url("**/account/")

    assert (heading(page), judge.complaints) == ("Your account", [])


def guess(page: Page, site: str) -> None:
    """Try a password that is wrong."""
    page.goto(f"{site}/staff/sign-in/")
    page.get_by_label("E-mail address").fill("nobody@desk.example")
    page.get_by_label("Password").fill("not it")
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()


def test_refusals_are_accessible_on_a_phone(site, browser):
    judge = Judge("identity/refused")
    with unit_of_work([]):
        person = member()
    context = open_context(browser, viewport=PHONE)
    page = context.new_page()

    page.goto(f"{site}/staff/sign-in/?reason=idle&unsent=1")
    judge.look(page, "sign_in_idle")
    guess(page, site)
    judge.look(page, "password")
    for _ in range(5):
        guess(page, site)
    judge.look(page, "locked_out")
    said = heading(page)
    page.goto(f"{site}/staff/sign-in/")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(wrong_code())
    page.get_by_role("button", name="Continue").click()
    judge.look(page, "second_factor")
    page.get_by_role("link", name="recovery code").click()
    judge.look(page, "recovery_code")
    page.goto(f"{site}/staff/invitation/none/")
    judge.look(page, "invitation_spent")
    context.close()

    assert (said, judge.complaints) == ("Too many attempts", [])


def test_signing_in_and_out_needs_no_javascript(site, browser):
    with unit_of_work([]):
        person = member()
    context = open_context(browser, java_script_enabled=False)
    page = context.new_page()

    enter(page, site, person.email)
    page.goto(f"{site}/staff/account/")
    inside = heading(page)
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    outside = heading(page)
    context.close()

    assert (inside, outside) == ("Your account", "Sign in")


def test_sessions_and_people_are_accessible(site, page):
    judge = Judge("identity/people")
    with unit_of_work([]):
        brand = ControllerFactory.create()
        boss = staff(Role.ADMINISTRATOR, brand, with_password=True, full_name="Ada Whitfield")
        enrolled(boss)
        staff(Role.HANDLER, brand, full_name="Femi Adeyemi-Castellanos", email="femi@desk.example")
        staff(Role.AGENT, brand, full_name="Gone Already", is_active=False)
        sign_in(Client(headers={"user-agent": "Mozilla/5.0 (iPhone) Safari/604.1"}), boss)
    page.goto(f"{site}/staff/sign-in/")
    page.get_by_label("E-mail address").fill(boss.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(code_now(steps=1))
    page.get_by_role("button", name="Continue").click()

    page.goto(f"{site}/staff/account/")
    judge.look(page, "account_sessions")
    page.get_by_role("button", name="Safari on iPhone").click()
    judge.look(page, "account_session_ended")
    page.goto(f"{site}/staff/people/")
    judge.look(page, "people")
    page.get_by_role("link", name="Ada Whitfield").click()
    judge.look(page, "person_self")
    page.goto(f"{site}/staff/people/")
    page.get_by_role("link", name="Gone Already").click()
    judge.look(page, "person_gone")
    page.get_by_role("button", name="Reactivate").click()
    judge.look(page, "person_back")

    assert (page.get_by_role("button", name="Deactivate").count(), judge.complaints) == (1, [])


def test_emergency_is_loud_and_accessible_on_a_phone(site, browser):
    judge = Judge("identity/emergency")
    with unit_of_work([]):
        brand = ControllerFactory.create(name="Acme")
        rescuer = staff(Role.BREAK_GLASS, brand, with_password=True, full_name="Rex Rescuer")
        officer = staff(Role.DPO, brand, with_password=True, full_name="Dora Protector")
        for person in (rescuer, officer):
            enrolled(person)
    context = open_context(browser, viewport=PHONE)
    page = context.new_page()
    enter(page, site, rescuer.email)

    page.goto(f"{site}/staff/emergency/")
    page.get_by_role("button", name="Open it").click()
    judge.look(page, "refused")
    page.get_by_label("What happened").fill("The privacy team is unreachable, and a court asks by noon.")
    page.get_by_role("button", name="Open it").click()
    page.get_by_text("Emergency access is open: Rex Rescuer").wait_for()
    judge.look(page, "open")
    context.clear_cookies()
    enter(page, site, officer.email)
    page.goto(f"{site}/staff/emergency/")
    judge.look(page, "officer")
    page.get_by_role("button", name="End it now").click()
    page.get_by_role("button", name="I have looked at it").click()
    judge.look(page, "seen")
    said = page.get_by_text("Emergency access is open").count()
    context.close()

    assert (said, judge.complaints) == (0, [])


def test_sign_in_with_a_provider_beside_it_is_accessible(site, page):
    judge = Judge("identity/provider")
    with unit_of_work([]):
        key = keyring.shared_key(KeyPurpose.STAFF, None, timezone.now())
        SignOnProvider.objects.create(
            slug="corp", name="Example Corp", issuer="https://login.corp.invalid", client_id="desk", key=key
        )

    page.goto(f"{site}/staff/sign-in/?next=/staff/account/")
    judge.look(page, "sign_in")
    page.get_by_role("link", name="Sign in with Example Corp").click()
    judge.look(page, "sign_on_away")

    assert (heading(page), judge.complaints) == ("Not signed in", [])
