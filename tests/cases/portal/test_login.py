"""Signing in with the brand's own customer account, against a real OpenID provider: whose account shows what."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from cases.collection.identifiers import verified_kinds
from cases.models import Case, Representative
from cases.words import Right
from cases.workflow.intake import Person
from dsar.audit.models import AuditEvent
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import CustomerLogin, Level, Verification
from tests.cases.portal.conftest import Visitor
from tests.factories.cases import log, run_jobs
from tests.factories.identity import give_policy
from tests.leaks import leaked
from tests.openid import OF_THE_PROVIDER, openid, openid_server, path_of

__all__ = ["openid", "openid_server"]

pytestmark = [pytest.mark.django_db, OF_THE_PROVIDER]
PHONE = "+44 20 7946 0000"
METHOD = "customer_login"


def connect(brand, openid, **fields):
    key = keyring.shared_key(KeyPurpose.CONTROLLER, brand.pk, timezone.now())
    usual = {
        "name": "My Meridian",
        "issuer": openid.issuer,
        "client_id": brand.slug,
        "client_secret": "s3cret",
        "scopes": ["email", "phone"],
        "allow_private": True,
    }
    return CustomerLogin.objects.create(controller=brand, key=key, **(usual | fields))


@pytest.fixture
def login(brand, openid):
    give_policy(brand, {"default": 2})
    return connect(brand, openid)


@pytest.fixture
def inside(visitor, asked, login):
    """Ada's browser, in her request, whose address she has shown that she reads."""
    visitor.sign_in(asked)
    return visitor


@pytest.fixture
def ada(openid):
    openid.account("ada-1", email="ada@example.com", email_verified=True)


def travel(visitor, openid, sub="ada-1"):
    answer = visitor.get(path_of(openid.sign_in(visitor.see("login").url, sub)))
    run_jobs()
    return answer


def checks(request):
    rows = Verification.objects.filter(subject_request=request, method=METHOD).order_by("started_at", "pk")
    return list(rows.values_list("state", "level"))


def level_of(request):
    return Case.objects.get(subject_request=request).identity_level


def refusals():
    return [
        event.data["reason"]
        for event in AuditEvent.objects.filter(action="identity.login_refused").order_by("seq")
    ]


def test_page_offers_the_account_first(inside, login):
    page = inside.see("mine")

    assert page.context["proof"].by_login
    assert f'href="{inside.at("login")}"' in page.content.decode()


def test_account_of_the_person_shows_who_they_are(inside, asked, openid, ada):
    answer = travel(inside, openid)

    assert answer["Location"] == f"{inside.at('mine')}?done=login"
    assert (checks(asked), level_of(asked)) == ([("achieved", Level.SUBSTANTIAL)], Level.SUBSTANTIAL)
    assert inside.see("mine").context["proof"] is None


def test_nothing_of_the_account_is_kept_but_that_it_matched(inside, asked, openid, ada):
    travel(inside, openid)

    check = Verification.objects.get(subject_request=asked, method=METHOD)
    assert check.progress == {"state": {"verdict": "signed_in", "matches": ["email"]}}
    assert check.address_on_file is True
    told = str(list(AuditEvent.objects.values_list("data", flat=True)))
    assert leaked(["'ada'", "ada@", "Ada"], told) == []


@pytest.mark.parametrize(
    ("claims", "fields", "matches"),
    [
        ({"phone_number": PHONE, "phone_number_verified": True}, {}, ["phone"]),
        ({"number": "C-77"}, {"external_id_claim": "number"}, ["external_id"]),
        ({"realm": {"number": 77}}, {"external_id_claim": "realm.number"}, []),
        ({"number": "C-77", "email": "other@example.com"}, {"external_id_claim": "number"}, ["external_id"]),
        ({"email": "ada@example.com", "email_verified": False}, {}, []),
        ({"email": "ada@example.com"}, {}, []),
        ({"email": "ada@example.com", "email_verified": "true"}, {}, []),
        ({"phone_number": PHONE}, {}, []),
        ({"email": "bob@example.com", "email_verified": True}, {}, []),
        ({}, {}, []),
        (
            {"email": "ada@example.com", "email_verified": True, "number": "C-78"},
            {"external_id_claim": "number"},
            [],
        ),
    ],
)
def test_account_counts_by_what_the_provider_vouches_for(
    visitor, brand, openid, login, claims, fields, matches
):
    CustomerLogin.objects.update(**fields)
    person = Person(name="Ada Example", email="ada@example.com", phone=PHONE, external_id="C-77")
    request = log(brand, Right.ACCESS, person=person)
    run_jobs()
    visitor.sign_in(request)
    openid.account("ada-1", **claims)

    answer = travel(visitor, openid)

    check = Verification.objects.get(subject_request=request, method=METHOD)
    kept = (check.progress or {}).get("state", {}).get("matches", [])
    assert (answer.status_code, kept) == (303 if matches else 403, matches)
    assert check.state == ("achieved" if matches else "failed")


def test_searches_go_by_what_the_account_proves(visitor, brand, openid, login):
    CustomerLogin.objects.update(external_id_claim="number")
    person = Person(name="Ada Example", email="ada@example.com", external_id="C-77")
    request = log(brand, Right.ACCESS, person=person)
    run_jobs()
    visitor.sign_in(request)
    before = verified_kinds(request.cases.get())
    openid.account("ada-1", number="C-77")

    travel(visitor, openid)

    assert (before, verified_kinds(request.cases.get())) == (
        frozenset({"email"}),
        frozenset({"email", "external_id"}),
    )


def test_account_that_no_source_knows_shows_little(visitor, brand, openid, login):
    request = log(brand, Right.ACCESS, person=Person(name="Ada Example", email="new@example.com"))
    run_jobs()
    visitor.sign_in(request, "new@example.com")
    openid.account("new-1", email="new@example.com", email_verified=True)

    travel(visitor, openid, "new-1")

    assert (checks(request), level_of(request) < Level.SUBSTANTIAL) == ([("achieved", Level.LOW)], True)


@pytest.mark.parametrize(
    ("acr", "level"), [("urn:weak", Level.LOW), ("urn:other", Level.SUBSTANTIAL), ("", Level.SUBSTANTIAL)]
)
def test_brand_says_what_each_kind_of_sign_in_shows(inside, asked, openid, acr, level):
    CustomerLogin.objects.update(level_by_acr={"urn:weak": 1})
    openid.account("ada-1", email="ada@example.com", email_verified=True, acr=acr)

    travel(inside, openid)

    assert checks(asked) == [("achieved", level)]


# Somebody else's


def test_account_of_another_person_shows_nothing(inside, asked, openid):
    before = level_of(asked)
    openid.account("bob-1", email="bob@example.com", email_verified=True)

    answer = travel(inside, openid, "bob-1")

    assert (answer.status_code, checks(asked), level_of(asked)) == (403, [("failed", 0)], before)
    assert refusals() == ["other_person"]
    assert leaked(["bob"], answer.content.decode()) == []


def test_sign_in_of_one_request_shows_nothing_for_another_persons(inside, asked, brand, openid, ada):
    other = log(brand, Right.ACCESS, person=Person(name="Bob Stranger", email="bob@example.com"))
    run_jobs()
    bob = Visitor(brand)
    bob.sign_in(other, "bob@example.com")
    back = path_of(openid.sign_in(inside.see("login").url, "ada-1"))
    bob.see("login")

    answer = bob.get(back)
    run_jobs()

    assert (answer.status_code, checks(other), checks(asked)) == (403, [("failed", 0)], [("open", 0)])


def test_answer_of_another_brands_provider_is_refused(inside, asked, stranger, openid, ada):
    """The same account, at a provider that serves another brand as well, under the other brand's name."""
    openid.bend = lambda token: token.update(aud=stranger.slug)

    answer = travel(inside, openid)

    assert (answer.status_code, checks(asked), refusals()) == (403, [("failed", 0)], ["claim_aud"])


def test_answer_of_another_issuer_is_refused(inside, asked, openid, ada):
    openid.bend = lambda token: token.update(iss="https://login.nordlicht.example")

    answer = travel(inside, openid)

    assert (answer.status_code, checks(asked), refusals()) == (403, [("failed", 0)], ["claim_iss"])


def test_sign_in_at_one_brand_shows_nothing_at_another(inside, asked, stranger, openid, ada):
    connect(stranger, openid)
    give_policy(stranger, {"default": 2})
    theirs = log(stranger, Right.ACCESS)
    run_jobs()
    elsewhere = Visitor(stranger)
    elsewhere.sign_in(theirs)
    back = path_of(openid.sign_in(inside.see("login").url, "ada-1"))
    elsewhere.see("login")

    answer = elsewhere.get(back.replace(f"/{inside.brand.slug}/", f"/{stranger.slug}/"))
    run_jobs()

    assert (answer.status_code, checks(theirs)) == (403, [("failed", 0)])


def test_corrected_person_is_not_shown_by_a_sign_in_begun_before(inside, asked, brand, openid, ada):
    back = path_of(openid.sign_in(inside.see("login").url, "ada-1"))
    other = log(brand, Right.ACCESS, person=Person(name="Bob Stranger", email="bob@example.com"))
    type(asked).objects.filter(pk=asked.pk).update(subject=other.subject_id)

    answer = inside.get(back)
    run_jobs()

    assert (answer.status_code, checks(asked)) == (403, [("open", 0)])


def test_representative_is_not_shown_by_an_account(visitor, brand, openid, login, asked, ada):
    visitor.sign_in(asked)
    key = asked.subject.key
    speaker = Representative(controller=brand, key=key, kind="solicitor", created_at=timezone.now())
    speaker.name, speaker.email = "Sol Icitor", "sol@law.example"
    speaker.save()
    type(asked).objects.filter(pk=asked.pk).update(representative=speaker)

    assert (visitor.see("login").status_code, checks(asked)) == (502, [])


# Again, late, broken off


def test_answer_is_good_once(inside, asked, openid, ada):
    back = path_of(openid.sign_in(inside.see("login").url, "ada-1"))
    inside.get(back)

    answer = inside.get(back)
    run_jobs()

    assert (answer.status_code, checks(asked)) == (403, [("achieved", Level.SUBSTANTIAL)])


def test_answer_without_the_customers_session_opens_nothing(inside, asked, openid, ada, brand):
    back = path_of(openid.sign_in(inside.see("login").url, "ada-1"))

    answer = Visitor(brand).get(back)

    assert (answer["Location"].endswith("?ended"), checks(asked)) == (True, [("open", 0)])


def test_late_answer_is_refused(inside, asked, openid, ada):
    back = path_of(openid.sign_in(inside.see("login").url, "ada-1"))

    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        answer = inside.get(back)

    assert (answer.status_code, refusals()) == (403, ["too_late"])


def test_newer_trip_takes_the_place_of_the_one_before(inside, asked, openid, ada):
    first = path_of(openid.sign_in(inside.see("login").url, "ada-1"))
    inside.see("login")

    answer = inside.get(first)

    assert (answer.status_code, refusals()) == (403, ["state"])


def test_trips_are_limited(inside, asked, openid):
    statuses = [inside.see("login").status_code for _ in range(11)]

    assert statuses == [302] * 10 + [502]


def test_brand_without_a_customer_sign_in_has_no_such_page(visitor, asked):
    visitor.sign_in(asked)

    assert [visitor.see(name).status_code for name in ("login", "login-back")] == [404, 404]


def test_sign_in_that_was_switched_off_meanwhile_shows_nothing(inside, asked, openid, ada):
    back = path_of(openid.sign_in(inside.see("login").url, "ada-1"))
    inside.get(back)
    CustomerLogin.objects.update(is_active=False)

    run_jobs()

    assert checks(asked) == [("open", 0)]


def test_sign_in_after_days_is_shown_anew(inside, asked, openid, ada):
    travel(inside, openid)

    travel(inside, openid)

    assert checks(asked) == [("achieved", Level.SUBSTANTIAL)] * 2


def test_code_and_a_weak_account_together_show_more_than_each(inside, asked, openid, ada):
    CustomerLogin.objects.update(level=1)
    before = level_of(asked)

    travel(inside, openid)

    assert (before, checks(asked), level_of(asked)) == (
        Level.LOW,
        [("achieved", Level.LOW)],
        Level.SUBSTANTIAL,
    )
