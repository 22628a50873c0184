"""Passkeys in a real browser with a virtual authenticator: made, used, refused, and missing."""

from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from dsar.lib.tenancy import unit_of_work
from tests.browser import PHONE, Judge, browser, open_context, page, screenshot
from tests.factories.identity import PASSWORD, UserFactory
from tests.identity.signing_in import code_now, member
from tests.identity.test_pages import enter, heading, site

__all__ = ["browser", "page", "site"]

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _origin(site: str, settings: Any) -> None:
    settings.OTP_WEBAUTHN_ALLOWED_ORIGINS = [site]


def authenticator(page: Page, *, verifies: bool = True) -> tuple[CDPSession, str]:
    """Give the page a virtual authenticator; returns the session that commands it, and its id."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": verifies,
        "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools, made["authenticatorId"]


def give_password(page: Page, site: str, email: str) -> None:
    page.goto(f"{site}/staff/sign-in/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def make(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make the passkey").click()


def sign_out(page: Page) -> None:
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()


def test_passkey_is_made_named_used_alone_and_as_second_factor_and_removed(site, page):
    judge = Judge("identity/passkey")
    with unit_of_work([]):
        person = member(full_name="Ada Whitfield")
    authenticator(page)
    enter(page, site, person.email)

    page.goto(f"{site}/staff/account/passkeys/new/")
    judge.look(page, "new")
    make(page, "Work laptop")
    page.wait_for_url("**/account/")
    judge.look(page, "account")
    sign_out(page)
    page.get_by_role("link", name="Sign in with a passkey").click()
    judge.look(page, "alone")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/staff/account/")
    alone = heading(page)
    sign_out(page)
    give_password(page, site, person.email)
    judge.look(page, "second_factor")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/staff/account/")
    page.get_by_role("link", name="Work laptop").click()
    judge.look(page, "one")
    page.get_by_role("button", name="Remove").click()
    page.wait_for_url("**/staff/account/")

    left = page.get_by_role("link", name="Work laptop").count()
    assert (alone, left, judge.complaints) == ("Your account", 0, [])


def test_first_factor_may_be_a_passkey(site, page):
    judge = Judge("identity/passkey")
    with unit_of_work([]):
        person = UserFactory.create(with_password=True)
    authenticator(page)
    give_password(page, site, person.email)

    page.get_by_role("link", name="Use a passkey instead").click()
    judge.look(page, "enrolment")
    make(page, "Work laptop")
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    page.get_by_role("link", name="I have kept them").click()
    page.goto(f"{site}/staff/account/")
    judge.look(page, "account_without_app")

    assert (page.get_by_role("link", name="Set up an app").count(), judge.complaints) == (1, [])


def test_refusal_of_the_authenticator_is_said_and_the_app_still_works(site, page):
    judge = Judge("identity/passkey")
    with unit_of_work([]):
        person = member()
    devtools, key = authenticator(page)
    enter(page, site, person.email)
    page.goto(f"{site}/staff/account/passkeys/new/")
    make(page, "Work laptop")
    page.wait_for_url("**/account/")
    sign_out(page)
    devtools.send("WebAuthn.clearCredentials", {"authenticatorId": key})

    give_password(page, site, person.email)
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("No passkey was given").wait_for()
    judge.look(page, "cancelled")
    page.get_by_label("Code").fill(code_now(steps=1))
    page.get_by_role("button", name="Continue").click()
    page.goto(f"{site}/staff/account/")

    assert (heading(page), judge.complaints) == ("Your account", [])


def test_without_javascript_the_code_is_asked_for(site, browser: Browser, page: Page) -> None:
    with unit_of_work([]):
        person = member()
    authenticator(page)
    enter(page, site, person.email)
    page.goto(f"{site}/staff/account/passkeys/new/")
    make(page, "Work laptop")
    page.wait_for_url("**/account/")
    context = open_context(browser, java_script_enabled=False, viewport=PHONE)
    plain = context.new_page()

    give_password(plain, site, person.email)
    offered = plain.get_by_role("button", name="Use a passkey").is_visible()
    screenshot(plain, "identity/passkey-no_script")
    plain.get_by_label("Code").fill(code_now(steps=1))
    plain.get_by_role("button", name="Continue").click()
    plain.goto(f"{site}/staff/account/")
    said = heading(plain)
    context.close()

    assert (offered, said) == (False, "Your account")


def test_question_before_an_act_of_weight_is_answered_with_a_passkey(site, browser, settings):
    judge = Judge("identity/passkey")
    with unit_of_work([]):
        person = member()
    context = open_context(browser, viewport=PHONE)
    page = context.new_page()
    authenticator(page)
    enter(page, site, person.email)
    page.goto(f"{site}/staff/account/passkeys/new/")
    make(page, "Work laptop")
    page.wait_for_url("**/account/")
    settings.STEP_UP_SECONDS = -1

    page.get_by_role("button", name="Remove the app").click()
    page.get_by_role("heading", name="Confirm that it is you").wait_for()
    judge.look(page, "step_up")
    page.get_by_role("button", name="Confirm and go on").click()
    judge.look(page, "step_up_refused")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("The authenticator app is removed.").wait_for()
    context.close()

    assert judge.complaints == []
