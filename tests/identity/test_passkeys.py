"""Passkeys: enrolled, named, used beside an app or alone, removed; and every way to cheat with one."""

import json

import pytest
from django.test import Client
from django_otp_webauthn.models import WebAuthnAttestation, WebAuthnCredential

from identity.models import RecoveryCode, TotpDevice, User
from tests.factories.identity import UserFactory
from tests.identity.authenticator import Authenticator, base64url
from tests.identity.signing_in import (
    HTTP_FOUND,
    HTTP_UNPROCESSABLE,
    at,
    code_now,
    give_code,
    half_way,
    is_inside,
    member,
    sign_in,
    trail,
)

pytestmark = pytest.mark.django_db
NEW, ENROL = "/staff/account/passkeys/new/", "/staff/enrolment/passkey/"
FACTOR, USE = "/staff/second-factor/", "/staff/second-factor/passkey/"
ALONE = "/staff/sign-in/passkey/"


def options(page):
    return json.loads(page.context["options"])


def entered(person, **later):
    browser = Client()
    with at(**later):
        sign_in(browser, person)
    return browser


def add(browser, authenticator, name="Laptop"):
    return browser.post(NEW, {"name": name, "passkey": authenticator.make(options(browser.get(NEW)))})


@pytest.fixture
def person():
    return member()


@pytest.fixture
def authenticator():
    return Authenticator()


@pytest.fixture
def passkey(person, authenticator):
    """The person's passkey, beside their app."""
    browser = entered(person)
    add(browser, authenticator)
    return WebAuthnCredential.objects.get()


def use(browser, authenticator, **bent):
    return browser.post(USE, {"passkey": authenticator.use(options(browser.get(FACTOR)), **bent)})


def use_alone(browser, authenticator, **fields):
    page = browser.get(ALONE)
    return browser.post(ALONE, {"passkey": authenticator.use(options(page))} | fields)


# Enrolment


def test_passkey_is_added_beside_the_app(person, authenticator):
    browser, elsewhere = entered(person), entered(person, minutes=1)

    answer = add(browser, authenticator, "Blue key")

    kept = WebAuthnCredential.objects.get()
    assert (answer.url, kept.user, kept.name) == ("/staff/account/", person, "Blue key")
    assert TotpDevice.objects.filter(user=person).exists()
    assert (is_inside(browser), is_inside(elsewhere)) == (True, False)
    assert [action for action, _, _ in trail()][-2:] == ["staff.passkey_added", "staff.sessions_ended"]


def test_no_attestation_is_kept(passkey):
    assert WebAuthnAttestation.objects.count() == 0


def test_passkey_as_first_factor_opens_the_desk_and_gives_recovery_codes(authenticator):
    person = UserFactory.create(with_password=True)
    browser = half_way(person)

    answer = browser.post(
        ENROL, {"name": "Laptop", "passkey": authenticator.make(options(browser.get(ENROL)))}
    )

    assert (answer.status_code, len(answer.context["codes"]), is_inside(browser)) == (200, 10, True)
    assert RecoveryCode.objects.filter(user=person).count() == 10


def test_password_alone_adds_no_passkey_where_there_is_a_factor(person, authenticator):
    browser = half_way(person)

    answers = [
        browser.get(NEW).url,
        browser.get(ENROL).url,
        browser.post(ENROL, {"name": "x", "passkey": "{}"}).url,
    ]

    assert (answers, WebAuthnCredential.objects.count()) == ([FACTOR, FACTOR, FACTOR], 0)


def test_who_has_a_passkey_alone_is_not_let_enrol_an_app_half_way(authenticator):
    person = UserFactory.create(with_password=True)
    browser = half_way(person)
    browser.post(ENROL, {"name": "Laptop", "passkey": authenticator.make(options(browser.get(ENROL)))})
    thief = half_way(person)

    assert thief.get("/staff/enrolment/").url == FACTOR


def test_adding_asks_for_the_second_factor_when_it_was_given_long_ago(person):
    browser = entered(person)

    with at(minutes=20):
        page = browser.get(NEW)
        answer = browser.post(NEW, {"step_up-from": "GET", "step_up-code": code_now()})
        after = browser.get(NEW)

    assert ("options" in page.context, answer.url, "options" in after.context) == (False, NEW, True)


@pytest.mark.parametrize("bent", [{"origin": "https://localhost.evil.example"}, {"host": "evil.example"}])
def test_passkey_of_another_site_is_not_enrolled(person, bent):
    browser = entered(person)

    answer = add(browser, Authenticator(**bent))

    assert (answer.status_code, WebAuthnCredential.objects.count()) == (HTTP_UNPROCESSABLE, 0)


def test_passkey_that_is_somebody_elses_is_not_enrolled_again(passkey, authenticator):
    browser = entered(member())

    answer = add(browser, authenticator)

    assert (answer.status_code, WebAuthnCredential.objects.get().user) == (HTTP_UNPROCESSABLE, passkey.user)


@pytest.mark.parametrize("sent", ["", "{}", "[]", "null", "{", '{"id": 1}', "x" * 30_000])
def test_what_is_no_passkey_is_not_enrolled(person, sent):
    browser = entered(person)
    browser.get(NEW)

    answer = browser.post(NEW, {"name": "x", "passkey": sent})

    assert (answer.status_code, WebAuthnCredential.objects.count()) == (HTTP_UNPROCESSABLE, 0)


def test_answer_without_a_challenge_is_not_enrolled(person, authenticator):
    browser = entered(person)

    answer = browser.post(NEW, {"name": "x", "passkey": authenticator.make({"challenge": base64url(b"own")})})

    assert (answer.status_code, WebAuthnCredential.objects.count()) == (HTTP_UNPROCESSABLE, 0)


# As the second factor


def test_passkey_is_the_second_factor(person, passkey, authenticator):
    browser = half_way(person)

    answer = use(browser, authenticator)

    assert (answer.url, is_inside(browser)) == ("/", True)
    assert trail()[-1] == ("staff.signed_in", person.pk, {"factor": "passkey"})


def test_app_still_works_beside_a_passkey(person, passkey):
    browser = half_way(person)

    with at(minutes=1):
        answer = give_code(browser, code_now())

    assert (answer.status_code, is_inside(browser)) == (HTTP_FOUND, True)


def test_recovery_code_works_for_who_has_a_passkey_alone(authenticator):
    person = UserFactory.create(with_password=True)
    browser = half_way(person)
    page = browser.post(ENROL, {"name": "Laptop", "passkey": authenticator.make(options(browser.get(ENROL)))})
    other = half_way(person)

    other.post("/staff/recovery-code/", {"code": page.context["codes"][0]})

    assert is_inside(other)


def test_passkey_without_verification_of_its_user_is_a_second_factor(person, passkey, authenticator):
    browser = half_way(person)
    authenticator.verifies = False

    use(browser, authenticator)

    assert is_inside(browser)


def test_passkey_of_somebody_else_is_refused(passkey, authenticator):
    other = member()
    add(entered(other), Authenticator())
    thief = half_way(other)

    answer = use(thief, authenticator)

    assert (answer.url, is_inside(thief)) == (FACTOR, False)
    assert trail()[-1] == ("staff.second_factor_failed", other.pk, {"factor": "passkey"})


def test_answer_that_was_used_is_refused(person, passkey, authenticator):
    first, second = half_way(person), half_way(person)
    sent = authenticator.use(options(first.get(FACTOR)))
    second.get(FACTOR)

    first.post(USE, {"passkey": sent})
    answers = [first.post(USE, {"passkey": sent}).url, second.post(USE, {"passkey": sent}).url]

    assert (answers, is_inside(second)) == (["/", FACTOR], False)


def test_challenge_is_answered_once_even_wrongly(person, passkey, authenticator):
    browser = half_way(person)
    asked = options(browser.get(FACTOR))

    browser.post(USE, {"passkey": "{}"})
    browser.post(USE, {"passkey": authenticator.use(asked)})

    assert not is_inside(browser)


def test_late_answer_is_refused(person, passkey, authenticator):
    browser = half_way(person)
    asked = options(browser.get(FACTOR))

    with at(minutes=6):
        browser.post(USE, {"passkey": authenticator.use(asked)})

        assert not is_inside(browser)


@pytest.mark.parametrize("bent", [{"origin": "https://localhost.evil.example"}, {"host": "evil.example"}])
def test_answer_given_to_another_site_is_refused(person, passkey, authenticator, bent):
    browser = half_way(person)
    for name, value in bent.items():
        setattr(authenticator, name, value)

    use(browser, authenticator)

    assert not is_inside(browser)


def test_other_challenge_is_refused(person, passkey, authenticator):
    browser = half_way(person)

    use(browser, authenticator, challenge=base64url(b"another challenge of thirty-two."))

    assert not is_inside(browser)


def test_copy_of_an_authenticator_is_refused(person, passkey, authenticator):
    use(half_way(person), authenticator)
    use(half_way(person), authenticator)
    authenticator.counter = 0
    browser = half_way(person)

    use(browser, authenticator)

    assert not is_inside(browser)


def test_forged_signature_is_refused(person, passkey, authenticator):
    browser = half_way(person)
    authenticator.key = Authenticator().key

    use(browser, authenticator)

    assert not is_inside(browser)


# Alone


def test_passkey_that_knew_its_user_signs_in_alone(person, passkey, authenticator):
    browser = Client()

    answer = use_alone(browser, authenticator, next="/staff/account/")

    assert (answer.url, is_inside(browser)) == ("/staff/account/", True)
    assert trail()[-1] == ("staff.signed_in", person.pk, {"factor": "passkey_alone"})


def test_passkey_that_did_not_verify_its_user_does_not_sign_in_alone(passkey, authenticator):
    browser = Client()
    authenticator.verifies = False

    answer = use_alone(browser, authenticator)

    assert (answer.status_code, is_inside(browser)) == (HTTP_UNPROCESSABLE, False)
    assert trail()[-1] == ("staff.sign_in_failed", None, {"by": "passkey"})


def test_answer_as_second_factor_does_not_sign_in_alone(person, passkey, authenticator):
    sent = authenticator.use(options(half_way(person).get(FACTOR)))
    stranger = Client()
    stranger.get(ALONE)

    stranger.post(ALONE, {"passkey": sent})

    assert not is_inside(stranger)


@pytest.mark.parametrize("fields", [{"is_active": False}, {"is_principal": True}])
def test_leavers_and_principals_do_not_sign_in_with_a_passkey(person, passkey, authenticator, fields):
    User.objects.filter(pk=person.pk).update(**fields)
    browser = Client()

    answer = use_alone(browser, authenticator)

    assert (answer.status_code, is_inside(browser)) == (HTTP_UNPROCESSABLE, False)


def test_unknown_passkey_reads_as_a_refused_one(passkey, authenticator):
    authenticator.key = Authenticator().key

    forged = use_alone(Client(), authenticator)
    unknown = use_alone(Client(), Authenticator())

    assert forged.context["form"].errors == unknown.context["form"].errors


def test_next_of_a_passkey_leads_nowhere_but_here(passkey, authenticator):
    answer = use_alone(Client(), authenticator, next="https://evil.example/")

    assert answer.url == "/"


# Keeping them


def test_passkey_gets_another_name(person, passkey):
    browser = entered(person, minutes=1)

    browser.post(f"/staff/account/passkeys/{passkey.pk}/", {"name": "Kitchen"})

    passkey.refresh_from_db()
    assert passkey.name == "Kitchen"


def test_passkey_of_somebody_else_is_not_found(passkey):
    stranger = entered(member())

    answers = [
        stranger.get(f"/staff/account/passkeys/{passkey.pk}/").status_code,
        stranger.post(f"/staff/account/passkeys/{passkey.pk}/", {"name": "Mine"}).status_code,
        stranger.post(f"/staff/account/passkeys/{passkey.pk}/remove/").status_code,
    ]

    passkey.refresh_from_db()
    assert (answers, passkey.name) == ([404, 404, 404], "Laptop")


def test_removed_passkey_signs_nobody_in_and_ends_the_sessions_elsewhere(person, passkey, authenticator):
    elsewhere = half_way(person)
    use(elsewhere, authenticator)
    browser = entered(person, minutes=1)

    with at(minutes=1):
        browser.post(f"/staff/account/passkeys/{passkey.pk}/remove/")

    assert (is_inside(browser), is_inside(elsewhere), WebAuthnCredential.objects.count()) == (True, False, 0)


def test_session_goes_on_when_its_own_factor_is_removed_and_another_is_left(person, passkey, authenticator):
    browser = half_way(person)
    use(browser, authenticator)

    browser.post(f"/staff/account/passkeys/{passkey.pk}/remove/")

    assert is_inside(browser)


@pytest.mark.parametrize("path", ["/staff/account/passkeys/{}/remove/", "/staff/account/app/remove/"])
def test_last_factor_is_never_removed(person, passkey, authenticator, path):
    browser = half_way(person)
    use(browser, authenticator)
    (TotpDevice if "passkeys" in path else WebAuthnCredential).objects.all().delete()
    if "passkeys" not in path:
        browser = entered(person, minutes=1)

    with at(minutes=1):
        browser.post(path.format(passkey.pk))

    assert WebAuthnCredential.objects.count() + TotpDevice.objects.count() == 1


def test_app_is_removed_where_a_passkey_is_left(person, passkey, authenticator):
    browser = half_way(person)
    use(browser, authenticator)

    browser.post("/staff/account/app/remove/")

    assert (TotpDevice.objects.filter(user=person).count(), is_inside(browser)) == (0, True)
    assert "staff.second_factor_removed" in [action for action, _, _ in trail()]
