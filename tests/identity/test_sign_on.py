"""Single sign-on against a real OpenID provider: who comes in, with which roles, and who does not."""

import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from joserfc import jws
from joserfc.jwk import OctKey, RSAKey

from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import (
    Membership,
    SignOnGroup,
    SignOnIdentity,
    SignOnProvider,
    Team,
    TeamController,
    User,
)
from identity.roles import Role
from tests.factories.identity import ControllerFactory, TeamFactory
from tests.identity.signing_in import NOON, at, code_now, give_code, is_inside, member, sign_in, trail
from tests.leaks import leaked
from tests.openid import OF_THE_PROVIDER, openid, openid_server, path_of

__all__ = ["openid", "openid_server"]

pytestmark = [pytest.mark.django_db, OF_THE_PROVIDER]
START, BACK = "/staff/sign-on/corp/", "/staff/sign-on/corp/back/"
MFA = {"amr": ["pwd", "mfa"]}


@pytest.fixture
def brand():
    return ControllerFactory.create()


@pytest.fixture
def team(brand):
    team = TeamFactory.create(name="Care")
    TeamController.objects.create(team=team, controller=brand)
    return team


@pytest.fixture
def corp(openid, team):
    """The employer's provider, whose handlers' group works for the brand."""
    key = keyring.shared_key(KeyPurpose.STAFF, None, timezone.now())
    provider = SignOnProvider.objects.create(
        slug="corp",
        name="Example Corp",
        issuer=openid.issuer,
        client_id="desk",
        client_secret="s3cret",
        key=key,
        scopes=["email", "profile"],
        second_factor_amr=["mfa"],
        second_factor_acr=["urn:strong"],
        unknown_people="make",
        allow_private=True,
    )
    SignOnGroup.objects.create(provider=provider, group="handlers", team=team, role=Role.HANDLER)
    SignOnGroup.objects.create(provider=provider, group="dpos", team=team, role=Role.DPO)
    return provider


@pytest.fixture
def ada(openid):
    """Somebody with an account at the provider."""

    def tell(**claims):
        usual = {
            "name": "Ada Whitfield",
            "email": "ada@corp.example",
            "email_verified": True,
            "groups": ["handlers"],
        }
        openid.account("ada", **(usual | MFA | claims))

    tell()
    return tell


def travel(browser, openid, sub="ada", start=START):
    """To the provider and back."""
    return browser.get(path_of(openid.sign_in(browser.get(start).url, sub)))


def refusals():
    return [data["reason"] for action, _, data in trail() if action == "staff.sign_on_refused"]


# Coming in


def test_member_of_a_group_comes_in_with_its_role(openid, corp, ada, brand):
    browser = Client()

    answer = travel(browser, openid, start=f"{START}?next=/staff/account/")

    person = User.objects.get(email="ada@corp.example")
    assert (answer.url, is_inside(browser), person.full_name) == ("/staff/account/", True, "Ada Whitfield")
    assert list(person.memberships.values_list("role", "granted_by")) == [("handler", corp.pk)]
    assert person.access.controllers("work") == [brand.pk]
    assert [action for action, _, _ in trail() if action.startswith("staff.")] == [
        "staff.sign_on_linked",
        "staff.roles_taken_over",
        "staff.signed_in",
    ]


def test_request_to_the_provider_is_bound_to_the_browser_by_state_nonce_and_pkce(openid, corp, ada):
    browser = Client()

    travel(browser, openid)

    asked = next(query for path, query in openid.seen if path == "/oauth2/authorize")
    assert {
        name: asked[name] for name in ("response_type", "client_id", "scope", "code_challenge_method")
    } == {
        "response_type": "code",
        "client_id": "desk",
        "scope": "openid email profile",
        "code_challenge_method": "S256",
    }
    assert [len(asked[name]) >= 43 for name in ("state", "nonce", "code_challenge")] == [True] * 3
    assert asked["redirect_uri"] == "http://localhost:8000/staff/sign-on/corp/back/"


def test_code_is_exchanged_with_the_verifier_of_the_challenge(openid, corp, ada):
    travel(Client(), openid)

    asked = next(query for path, query in openid.seen if path == "/oauth2/authorize")
    body, authorization = openid.bodies[0]
    digest = hashlib.sha256(body["code_verifier"].encode()).digest()
    assert urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
    assert authorization == "Basic " + b64encode(b"desk:s3cret").decode()


def test_second_factor_is_asked_for_where_the_provider_does_not_vouch_for_one(openid, corp, ada):
    ada(amr=["pwd"])
    person = member(email="ada@corp.example")
    browser = Client()

    answer = travel(browser, openid)
    before = is_inside(browser)
    give_code(browser, code_now())

    assert (answer.url, before, is_inside(browser)) == ("/staff/second-factor/", False, True)
    assert trail()[-1] == ("staff.signed_in", person.pk, {"factor": "app"})


@pytest.mark.parametrize(
    ("claims", "vouches"),
    [
        ({"amr": ["mfa"]}, True),
        ({"amr": [], "acr": "urn:strong"}, True),
        ({"amr": [], "acr": "urn:weak"}, False),
        ({"amr": ["otp"]}, False),
        ({"amr": "mfa"}, False),
        ({"amr": []}, False),
    ],
)
def test_operator_says_which_words_vouch(openid, corp, ada, claims, vouches):
    ada(**claims)
    browser = Client()

    travel(browser, openid)

    assert is_inside(browser) == vouches


def test_word_that_vouches_is_not_taken_from_beside_the_signed_token(openid, corp, ada):
    ada(amr=["pwd"])
    openid.answers["/userinfo"] = {"sub": "ada", "amr": ["mfa"], "acr": "urn:strong"}
    browser = Client()

    travel(browser, openid)

    assert not is_inside(browser)


def test_second_sign_on_finds_the_person_by_subject_whatever_their_address(openid, corp, ada):
    travel(Client(), openid)
    ada(email="ada.married@corp.example", email_verified=False)
    browser = Client()

    travel(browser, openid)

    assert (is_inside(browser), User.objects.count()) == (True, 1)


def test_session_by_single_sign_on_is_listed_and_ended(openid, corp, ada):
    browser, other = Client(), Client()
    travel(browser, openid)
    travel(other, openid)

    listed = browser.get("/staff/account/").context["sessions"]
    browser.post("/staff/account/sessions/end-others/")

    assert (len(listed), is_inside(browser), is_inside(other)) == (2, True, False)


# Who does not come in


def test_stranger_is_refused_where_people_are_not_made(openid, corp, ada):
    SignOnProvider.objects.update(unknown_people="link")
    browser = Client()

    answer = travel(browser, openid)

    assert (answer.status_code, is_inside(browser), User.objects.count()) == (403, False, 0)
    assert refusals() == ["unknown_person"]


def test_stranger_in_no_group_that_gives_a_role_is_not_made(openid, corp, ada):
    ada(groups=["cleaners"])

    answer = travel(Client(), openid)

    assert (answer.status_code, User.objects.count()) == (403, 0)


def test_account_here_is_not_opened_by_an_address_that_nobody_verified(openid, corp, ada):
    person = member(email="ada@corp.example")
    for value in (False, None, "true"):
        ada(email_verified=value)

        answer = travel(browser := Client(), openid)

        assert (answer.status_code, is_inside(browser)) == (403, False)
    assert SignOnIdentity.objects.filter(user=person).count() == 0
    assert refusals() == ["email_not_verified"] * 3


def test_account_here_is_not_opened_by_its_address_where_only_linked_people_come_in(openid, corp, ada):
    SignOnProvider.objects.update(unknown_people="refuse")
    member(email="ada@corp.example")

    answer = travel(Client(), openid)

    assert (answer.status_code, SignOnIdentity.objects.count()) == (403, 0)


def test_other_subject_with_the_address_of_a_linked_person_is_refused(openid, corp, ada):
    travel(Client(), openid)
    openid.account("mallory", email="ada@corp.example", email_verified=True, groups=["handlers"], **MFA)

    answer = travel(browser := Client(), openid, sub="mallory")

    assert (answer.status_code, is_inside(browser), refusals()) == (403, False, ["linked_to_another"])


@pytest.mark.parametrize("fields", [{"is_active": False}, {"is_principal": True}])
def test_leavers_and_principals_do_not_come_in(openid, corp, ada, fields):
    travel(Client(), openid)
    User.objects.update(**fields)

    answer = travel(browser := Client(), openid)

    assert (answer.status_code, is_inside(browser), refusals()) == (403, False, ["not_active"])


def test_leaver_is_out_with_the_next_request(openid, corp, ada):
    travel(browser := Client(), openid)
    User.objects.update(is_active=False)

    assert not is_inside(browser)


def test_provider_that_was_switched_off_is_not_there(openid, corp, ada):
    browser = Client()
    back = path_of(openid.sign_in(browser.get(START).url, "ada"))
    SignOnProvider.objects.update(is_active=False)

    answers = [Client().get(START).status_code, browser.get(back).status_code]

    assert (answers, is_inside(browser)) == ([404, 404], False)


# What groups give


def test_role_of_a_removed_group_ends_with_the_next_sign_in(openid, corp, ada):
    ada(groups=["handlers", "dpos"])
    travel(Client(), openid)
    ada(groups=["dpos"])

    travel(Client(), openid)

    assert list(Membership.objects.values_list("role", flat=True)) == ["dpo"]


def test_who_lost_every_group_comes_in_to_nothing(openid, corp, ada):
    travel(Client(), openid)
    ada(groups=[])

    travel(browser := Client(), openid)

    assert (Membership.objects.count(), browser.get("/").url) == (0, "/staff/account/")


def test_role_that_an_operator_gave_stays(openid, corp, ada, team):
    person = member(email="ada@corp.example")
    Membership.objects.create(team=team, user=person, role=Role.AUDITOR)
    other = Team.objects.create(name="Other")
    Membership.objects.create(team=other, user=person, role=Role.HANDLER)

    travel(Client(), openid)
    ada(groups=[])
    travel(Client(), openid)

    assert set(person.memberships.values_list("team__name", "role")) == {
        ("Care", "auditor"),
        ("Other", "handler"),
    }


def test_groups_are_found_where_the_operator_says(openid, corp, ada):
    SignOnProvider.objects.update(groups_claim="realm_access.roles")
    ada(groups=[], realm_access={"roles": ["dpos"]})

    travel(Client(), openid)

    assert list(Membership.objects.values_list("role", flat=True)) == ["dpo"]


# Forged, late, mixed up, played again


def bent(claims):
    return lambda token: token.update(claims)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://evil.example"}, "claim_iss"),
        ({"aud": "another-client"}, "claim_aud"),
        ({"aud": ["another-client"], "azp": "desk"}, "claim_aud"),
        ({"aud": ["desk", "another-client"]}, "claim_azp"),
        ({"azp": "another-client"}, "claim_azp"),
        ({"exp": int(NOON.timestamp()) - 61}, "claim_exp"),
        ({"iat": int(NOON.timestamp()) + 120}, "claim_iat"),
        ({"nbf": int(NOON.timestamp()) + 120}, "claim_nbf"),
        ({"nonce": "of another sign-in"}, "claim_nonce"),
        ({"nonce": None}, "claim_nonce"),
        ({"sub": None}, "claim_sub"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "claim_at_hash"),
        ({"exp": float("inf")}, "claim_exp"),
    ],
)
def test_token_that_does_not_fit_is_refused(openid, corp, ada, claims, reason):
    openid.bend = bent(claims)

    answer = travel(browser := Client(), openid)

    assert (answer.status_code, is_inside(browser), refusals()) == (403, False, [reason])


def test_clocks_may_differ_a_little(openid, corp, ada):
    now = int(NOON.timestamp())
    openid.bend = bent({"iat": now + 50, "exp": now - 50})

    travel(browser := Client(), openid)

    assert is_inside(browser)


def test_token_signed_by_somebody_else_is_refused(openid, corp, ada):
    openid.signs_with = RSAKey.generate_key()

    answer = travel(browser := Client(), openid)

    assert (answer.status_code, is_inside(browser), refusals()) == (403, False, ["signature"])


def unsigned(claims):
    return (
        ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in (b'{"alg":"none"}', claims)) + "."
    )


def signed_by_the_secret(claims):
    return jws.serialize_compact({"alg": "HS256"}, claims, OctKey.import_key("s3cret"), algorithms=["HS256"])


@pytest.mark.parametrize("forge", [unsigned, signed_by_the_secret])
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_token_that_anybody_could_sign_is_refused(openid, corp, ada, forge):
    openid.forge = lambda token: forge(json.dumps({"iss": openid.issuer, "sub": "ada"}).encode())

    answer = travel(browser := Client(), openid)

    assert (answer.status_code, is_inside(browser), refusals()) == (403, False, ["signature"])


def test_new_key_of_the_provider_is_fetched(openid, corp, ada):
    with at():
        travel(Client(), openid)
    openid.rotate()

    with at(minutes=1):
        travel(browser := Client(), openid)
        inside = is_inside(browser)

    assert inside
    assert [path for path, _ in openid.seen].count("/jwks") == 2


def test_answer_is_good_once(openid, corp, ada):
    browser = Client()
    back = path_of(openid.sign_in(browser.get(START).url, "ada"))
    browser.get(back)
    browser.post("/staff/sign-out/")

    answers = [browser.get(back).status_code, Client().get(back).status_code]

    assert (answers, refusals()) == ([403, 403], ["no_trip", "no_trip"])


def test_answer_in_another_browser_signs_nobody_in(openid, corp, ada):
    """Whoever is sent the link of an attacker's sign-in must not work in the attacker's account."""
    attacker, victim = Client(), Client()
    back = path_of(openid.sign_in(attacker.get(START).url, "ada"))
    victim.get(START)

    answer = victim.get(back)

    assert (answer.status_code, is_inside(victim), refusals()) == (403, False, ["state"])


@pytest.mark.parametrize(
    "change", [{"state": "x"}, {"state": ""}, {"code": ""}, {"iss": "https://evil.example"}]
)
def test_answer_that_was_tampered_with_is_refused(openid, corp, ada, change):
    browser = Client()
    back = urlsplit(openid.sign_in(browser.get(START).url, "ada"))

    answer = browser.get(f"{back.path}?{urlencode(dict(parse_qsl(back.query)) | change)}")

    assert (answer.status_code, is_inside(browser)) == (403, False)


def test_answer_of_one_provider_is_not_taken_for_another_ones(openid, corp, ada):
    SignOnProvider.objects.create(
        slug="other", name="Other", issuer="https://other.example", client_id="desk", key=corp.key
    )
    browser = Client()
    back = path_of(openid.sign_in(browser.get(START).url, "ada"))

    answer = browser.get(back.replace("/corp/", "/other/"))

    assert (answer.status_code, is_inside(browser), refusals()) == (403, False, ["no_trip"])


def test_answer_after_ten_minutes_is_refused(openid, corp, ada):
    browser = Client()
    back = path_of(openid.sign_in(browser.get(START).url, "ada"))

    with at(minutes=11):
        answer = browser.get(back)

    assert (answer.status_code, refusals()) == (403, ["too_late"])


def test_person_who_stopped_at_the_provider_is_told(openid, corp):
    browser = Client()
    state = browser.get(START).url.partition("state=")[2].partition("&")[0]

    answer = browser.get(f"{BACK}?error=access_denied&state={state}")

    assert (answer.status_code, refusals()) == (403, ["access_denied"])


def test_provider_that_speaks_for_another_is_not_believed(openid, corp):
    openid.answers["/.well-known/openid-configuration"] = {"issuer": "https://evil.example"}

    answer = Client().get(START)

    assert answer.status_code == 502


@pytest.mark.parametrize("said", [[], "x", {"issuer": None}, {}])
def test_provider_that_says_nonsense_is_away(openid, corp, said):
    openid.answers["/.well-known/openid-configuration"] = said

    assert Client().get(START).status_code == 502


def test_provider_in_a_private_network_is_reached_only_where_that_is_allowed(openid, corp):
    SignOnProvider.objects.update(allow_private=False)

    assert Client().get(START).status_code == 502


def test_what_is_told_of_another_person_is_refused(openid, corp, ada):
    openid.answers["/userinfo"] = {"sub": "mallory", "groups": ["dpos"]}

    answer = travel(Client(), openid)

    assert (answer.status_code, refusals(), Membership.objects.count()) == (403, ["other_subject"], 0)


def test_refusals_name_nobody(openid, corp, ada):
    ada(email_verified=False)

    travel(Client(), openid)

    assert leaked(["'ada'", "ada@", "Ada", "ADA"], str(trail())) == []


# One's own account


def test_person_links_their_account_and_unlinks_it(openid, corp, ada):
    SignOnProvider.objects.update(unknown_people="refuse")
    person = member()
    browser = Client()
    sign_in(browser, person)

    page = browser.get("/staff/account/sign-on/corp/link/")
    browser.get(path_of(openid.sign_in(page.context["address"], "ada")))
    travel(other := Client(), openid)
    linked = is_inside(other)
    browser.post("/staff/account/sign-on/corp/unlink/")

    assert (linked, SignOnIdentity.objects.count(), is_inside(other), is_inside(browser)) == (
        True,
        0,
        False,
        True,
    )


def test_account_of_somebody_else_is_not_linked_twice(openid, corp, ada):
    travel(Client(), openid)
    browser = Client()
    sign_in(browser, member())

    page = browser.get("/staff/account/sign-on/corp/link/")
    answer = browser.get(path_of(openid.sign_in(page.context["address"], "ada")))

    assert (answer.status_code, refusals(), SignOnIdentity.objects.count()) == (403, ["linked_to_another"], 1)


def test_linking_asks_for_the_second_factor_again(openid, corp, ada):
    browser = Client()
    sign_in(browser, member())

    with at(minutes=20):
        page = browser.get("/staff/account/sign-on/corp/link/")

    assert "address" not in page.context


def test_only_way_in_is_not_unlinked(openid, corp, ada):
    travel(browser := Client(), openid)

    browser.post("/staff/account/sign-on/corp/unlink/")

    assert SignOnIdentity.objects.count() == 1


def test_provider_confirms_an_act_of_weight(openid, corp, ada):
    travel(browser := Client(), openid)
    openid.bend = bent({"auth_time": int(NOON.timestamp()) + 20 * 60})

    with at(minutes=20):
        asked = browser.get("/staff/account/recovery-codes/")
        travel(browser, openid, start="/staff/account/sign-on/corp/confirm/")
        passed = browser.get("/staff/account/recovery-codes/")

    assert [page.templates[0].name for page in (asked, passed)] == [
        "identity/step_up.html",
        "identity/new_recovery_codes.html",
    ]


def test_old_sign_in_at_the_provider_confirms_nothing(openid, corp, ada):
    travel(browser := Client(), openid)
    openid.bend = bent({"auth_time": int(NOON.timestamp())})

    with at(minutes=20):
        answer = travel(browser, openid, start="/staff/account/sign-on/corp/confirm/")
        page = browser.get("/staff/account/recovery-codes/")

    assert (answer.status_code, page.templates[0].name) == (403, "identity/step_up.html")


def test_colleague_at_the_provider_confirms_nothing(openid, corp, ada):
    travel(browser := Client(), openid)
    openid.account("ben", email="ben@corp.example", email_verified=True, groups=["handlers"], **MFA)
    openid.bend = bent({"auth_time": int(NOON.timestamp()) + 20 * 60})

    with at(minutes=20):
        answer = travel(browser, openid, sub="ben", start="/staff/account/sign-on/corp/confirm/")

    assert (answer.status_code, refusals()) == (403, ["no_second_factor"])


def test_secret_of_the_client_is_ciphertext_in_the_database(corp):
    with connection.cursor() as cursor:
        cursor.execute("SELECT client_secret FROM identity_signonprovider")
        stored = bytes(cursor.fetchone()[0])

    assert (corp.client_secret, b"s3cret" in stored) == ("s3cret", False)


def test_person_without_a_factor_of_their_own_sets_one_up_where_nobody_vouches(openid, corp, ada):
    ada(amr=["pwd"])

    answer = travel(browser := Client(), openid)

    assert (answer.url, is_inside(browser)) == ("/staff/enrolment/", False)


def test_sign_in_page_offers_the_provider(corp):
    page = Client().get("/staff/sign-in/?next=/staff/account/").content.decode()

    assert 'href="/staff/sign-on/corp/?next=' in page
