"""The pages of signing in, in a browser: accessible, by the keyboard alone, and without JavaScript."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from dsar.lib.tenancy import unit_of_work
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.invitations import invite
from identity.models import SignOnProvider
from identity.roles import Role
from tests.browser import (
    DESKTOP,
    PHONE,
    assert_accessible,
    assert_fits,
    browser,
    open_context,
    page,
    screenshot,
)
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
    server = LiveServer("localhost")
    yield server.url
    server.stop()


def check(page: Page, name: str) -> None:
    assert_fits(page)
    assert_accessible(page)
    screenshot(page, f"identity/{name}")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def secret_shown(page: Page) -> str:
    return base64.b32decode(page.locator("#secret").inner_text().replace(" ", "")).hex()


def test_new_member_comes_from_the_invitation_to_the_account(site, page):
    with unit_of_work([]):
        person = UserFactory.create(full_name="Ada Whitfield", email="ada.whitfield@desk.example")
        token = invite(person, timezone.now())

    page.goto(f"{site}/staff/invitation/{token}/")
    check(page, "accept_invitation")
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password again").fill(NEW)
    page.get_by_role("button", name="Set the password").click()
    check(page, "sign_in_password_set")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(NEW)
    page.get_by_role("button", name="Sign in").click()
    check(page, "enrolment")
    secret = secret_shown(page)
    page.get_by_label("Code").fill(wrong_code(secret))
    page.get_by_role("button", name="Confirm").click()
    check(page, "enrolment_refused")
    page.wait_for_timeout(1100)
    page.get_by_label("Code").fill(code_now(secret))
    page.get_by_role("button", name="Confirm").click()
    check(page, "recovery_codes")
    codes = page.locator("#recovery-codes li").all_inner_texts()
    page.goto(f"{site}/staff/account/")
    check(page, "account")

    assert (len(set(codes)), heading(page)) == (10, "Your account")


@pytest.mark.parametrize("name", ["password", "new-app", "recovery-codes"])
def test_page_of_the_account_is_accessible(site, page, name):
    with unit_of_work([]):
        person = member()
    enter(page, site, person.email)

    page.goto(f"{site}/staff/account/{name}/")
    check(page, f"account_{name}")
    page.get_by_role("button").last.click()

    check(page, f"account_{name}_refused")


def enter(page: Page, site: str, email: str) -> None:
    page.goto(f"{site}/staff/sign-in/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(code_now())
    page.get_by_role("button", name="Continue").click()


def test_signing_in_needs_no_mouse(site, page):
    with unit_of_work([]):
        person = member()

    page.goto(f"{site}/staff/account/")
    page.keyboard.type(person.email)
    press(page, "Tab")
    page.keyboard.type(PASSWORD)
    press(page, "Enter")
    page.wait_for_url("**/second-factor/")
    check(page, "second_factor")
    page.keyboard.type(code_now())
    press(page, "Enter")
    page.wait_for_url("**/account/")

    assert heading(page) == "Your account"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_refusals_are_accessible_on_a_phone(site, browser, scheme):
    with unit_of_work([]):
        person = member()
    context = open_context(browser, viewport=PHONE, color_scheme=scheme)
    page = context.new_page()

    page.goto(f"{site}/staff/sign-in/?reason=idle&unsent=1")
    check(page, f"sign_in_idle_{scheme}")
    for _ in range(6):
        page.goto(f"{site}/staff/sign-in/")
        page.get_by_label("E-mail address").fill("nobody@desk.example")
        page.get_by_label("Password").fill("not it")
        page.get_by_role("button", name="Sign in").click()
        check(page, f"sign_in_refused_{scheme}")
    check(page, f"locked_out_{scheme}")
    said = heading(page)
    page.goto(f"{site}/staff/sign-in/")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(wrong_code())
    page.get_by_role("button", name="Continue").click()
    check(page, f"second_factor_refused_{scheme}")
    page.get_by_role("link", name="recovery code").click()
    check(page, f"recovery_code_{scheme}")
    page.goto(f"{site}/staff/invitation/none/")
    check(page, f"invitation_spent_{scheme}")
    context.close()

    assert said == "Too many attempts"


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


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sessions_and_people_are_accessible(site, browser, scheme, viewport):
    with unit_of_work([]):
        brand = ControllerFactory.create()
        boss = staff(Role.ADMINISTRATOR, brand, with_password=True, full_name="Ada Whitfield")
        enrolled(boss)
        staff(Role.HANDLER, brand, full_name="Femi Adeyemi-Castellanos", email="femi@desk.example")
        staff(Role.AGENT, brand, full_name="Gone Already", is_active=False)
        sign_in(Client(headers={"user-agent": "Mozilla/5.0 (iPhone) Safari/604.1"}), boss)
    name = f"{scheme}_{viewport['width']}"
    context = open_context(browser, viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{site}/staff/sign-in/")
    page.get_by_label("E-mail address").fill(boss.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(code_now(steps=1))
    page.get_by_role("button", name="Continue").click()

    page.goto(f"{site}/staff/account/")
    check(page, f"account_sessions_{name}")
    page.get_by_role("button", name="Safari on iPhone").click()
    check(page, f"account_session_ended_{name}")
    page.goto(f"{site}/staff/people/")
    check(page, f"people_{name}")
    page.get_by_role("link", name="Ada Whitfield").click()
    check(page, f"person_self_{name}")
    page.goto(f"{site}/staff/people/")
    page.get_by_role("link", name="Gone Already").click()
    check(page, f"person_gone_{name}")
    page.get_by_role("button", name="Reactivate").click()
    check(page, f"person_back_{name}")
    said = page.get_by_role("button", name="Deactivate").count()
    context.close()

    assert said == 1


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_emergency_is_loud_and_accessible(site, browser, scheme, viewport):
    with unit_of_work([]):
        brand = ControllerFactory.create(name="Acme")
        rescuer = staff(Role.BREAK_GLASS, brand, with_password=True, full_name="Rex Rescuer")
        officer = staff(Role.DPO, brand, with_password=True, full_name="Dora Protector")
        for person in (rescuer, officer):
            enrolled(person)
    name = f"{scheme}_{viewport['width']}"
    context = open_context(browser, viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    enter(page, site, rescuer.email)

    page.goto(f"{site}/staff/emergency/")
    page.get_by_role("button", name="Open it").click()
    check(page, f"emergency_refused_{name}")
    page.get_by_label("What happened").fill("The privacy team is unreachable, and a court asks by noon.")
    page.get_by_role("button", name="Open it").click()
    page.get_by_text("Emergency access is open: Rex Rescuer").wait_for()
    check(page, f"emergency_open_{name}")
    context.clear_cookies()
    enter(page, site, officer.email)
    page.goto(f"{site}/staff/emergency/")
    check(page, f"emergency_officer_{name}")
    page.get_by_role("button", name="End it now").click()
    page.get_by_role("button", name="I have looked at it").click()
    check(page, f"emergency_seen_{name}")
    said = page.get_by_text("Emergency access is open").count()
    context.close()

    assert said == 0


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_sign_in_with_a_provider_beside_it_is_accessible(site, browser, viewport):
    with unit_of_work([]):
        key = keyring.shared_key(KeyPurpose.STAFF, None, timezone.now())
        SignOnProvider.objects.create(
            slug="corp", name="Example Corp", issuer="https://login.corp.invalid", client_id="desk", key=key
        )
    context = open_context(browser, viewport=viewport, color_scheme="dark")
    page = context.new_page()

    page.goto(f"{site}/staff/sign-in/?next=/staff/account/")
    check(page, f"sign_in_provider_{viewport['width']}")
    page.get_by_role("link", name="Sign in with Example Corp").click()
    check(page, f"sign_on_away_{viewport['width']}")
    said = heading(page)
    context.close()

    assert said == "Not signed in"
