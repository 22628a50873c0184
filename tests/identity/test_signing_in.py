"""E-mail and password: the first of two doors."""

import re
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.models import Attempt, User
from identity.signin import PasswordBackend, account_of
from identity.whereabouts import client_address
from tests.factories.identity import PASSWORD, UserFactory
from tests.identity.signing_in import (
    HTTP_FOUND,
    HTTP_LOCKED,
    HTTP_UNPROCESSABLE,
    at,
    code_now,
    give_code,
    give_password,
    is_inside,
    member,
    sign_in,
    trail,
)

pytestmark = pytest.mark.django_db


def test_sign_in_with_both_factors_opens_the_desk(client):
    person = member()

    first = give_password(client, person.email.upper())
    second = give_code(client, code_now())

    assert (first.status_code, first.url) == (HTTP_FOUND, reverse("identity:second-factor"))
    assert (second.status_code, second.url) == (HTTP_FOUND, "/")
    assert is_inside(client)
    assert trail() == [("staff.signed_in", person.pk, {"factor": "app"})]


def test_sign_in_with_the_password_alone_opens_nothing(client):
    person = member()

    give_password(client, person.email)

    assert not is_inside(client)
    assert trail() == []


def test_wrong_password_is_refused_and_recorded(client):
    person = member()

    answer = give_password(client, person.email, "not it at all")

    assert answer.status_code == HTTP_UNPROCESSABLE
    assert not answer.wsgi_request.user.is_authenticated
    assert trail() == [("staff.sign_in_failed", person.pk, {})]


def test_unknown_address_reads_as_a_wrong_password(client):
    member(email="known@desk.example")

    known = give_password(client, "known@desk.example", "not it at all")
    unknown = give_password(client, "nobody@desk.example", "not it at all")

    assert _words(known).replace(b"known@", b"nobody@") == _words(unknown)
    assert [who is None for _, who, _ in trail()] == [False, True]


def _words(page):
    """A page without its form tokens, which differ each time."""
    return re.sub(rb"[A-Za-z0-9]{64}", b"", page.content)


def test_unknown_address_costs_a_password_hash(client, hashed_passwords):
    give_password(client, "nobody@desk.example")

    assert hashed_passwords == [PASSWORD]


@pytest.fixture
def hashed_passwords(monkeypatch):
    """What was put through Argon2."""
    from django.contrib.auth.hashers import Argon2PasswordHasher

    hashed: list[str] = []
    monkeypatch.setattr(Argon2PasswordHasher, "encode", lambda self, password, salt: hashed.append(password))
    return hashed


@pytest.mark.parametrize("fields", [{"is_principal": True}, {"is_active": False}])
def test_principals_and_leavers_are_refused_with_the_right_password(client, fields):
    person = UserFactory.create(with_password=True, **fields)

    answer = give_password(client, person.email)

    assert answer.status_code == HTTP_UNPROCESSABLE
    assert trail() == [("staff.sign_in_failed", person.pk, {})]


@pytest.mark.parametrize("fields", [{"is_principal": True}, {"is_active": False}])
def test_session_ends_for_who_stops_being_staff(client, fields):
    person = member()
    sign_in(client, person)

    User.objects.filter(pk=person.pk).update(**fields)

    assert not is_inside(client)


def test_principal_has_no_session_even_when_one_was_made(client):
    client.force_login(UserFactory.create(is_principal=True), backend="identity.signin.PasswordBackend")

    answer = client.get(reverse("identity:second-factor"))

    assert (
        answer.url
        == f"{reverse('identity:sign-in')}?next={quote(reverse('identity:second-factor'), safe='')}"
    )


def test_person_without_a_password_is_refused(client):
    person = UserFactory.create()

    answer = give_password(client, person.email, "")

    assert answer.status_code == HTTP_UNPROCESSABLE


def test_passwords_are_kept_as_argon2id():
    assert member().password.split("$")[:2] == ["argon2", "argon2id"]


def test_backend_gives_no_django_permission():
    assert not PasswordBackend().has_perm(UserFactory.create(), "identity.change_user")


# Lock-out


def fail(client: Client, email: str, times: int) -> list[int]:
    return [give_password(client, email, f"wrong {n}").status_code for n in range(times)]


def test_lock_out_after_five_failures_refuses_the_right_password(client):
    person = member()
    failed = fail(client, person.email, 5)

    answer = give_password(client, person.email)

    assert failed == [422, 422, 422, 422, 422]
    assert answer.status_code == HTTP_LOCKED
    assert not answer.wsgi_request.user.is_authenticated
    assert [action for action, _, _ in trail()] == [
        *["staff.sign_in_failed"] * 5,
        "limit.reached",
        "staff.locked_out",
    ]


def test_lock_out_counts_every_way_to_write_an_address(client):
    member(email="ann@desk.example")

    answers = [
        give_password(client, email, "wrong").status_code
        for email in (
            "ann@desk.example",
            "ANN@desk.example",
            " Ann@Desk.example",
            "ann@desk.EXAMPLE",
            "aNN@desk.example",
            "anN@desk.example",
        )
    ]

    assert answers == [422, 422, 422, 422, 422, 429]


def test_lock_out_counts_across_browsers():
    person = member()

    answers = [fail(Client(headers={"user-agent": f"browser {n}"}), person.email, 1) for n in range(6)]

    assert answers == [[422], [422], [422], [422], [422], [429]]


def test_lock_out_page_is_the_same_for_an_unknown_address(client):
    member(email="known@desk.example")

    with at():
        fail(client, "known@desk.example", 5)
        fail(client, "nobody@desk.example", 5)
        known = give_password(client, "known@desk.example", "wrong")
        unknown = give_password(client, "nobody@desk.example", "wrong")

    assert (known.status_code, _words(known)) == (unknown.status_code, _words(unknown))
    assert known.context["minutes"] == 15


def test_lock_out_says_for_how_long_and_trying_does_not_prolong_it(client):
    person = member()

    with at():
        first = [give_password(client, person.email, "wrong") for _ in range(6)][-1]
    with at(minutes=10):
        second = give_password(client, person.email)
    with at(minutes=15, seconds=1):
        third = give_password(client, person.email)

    assert [(page["Retry-After"], page.context["minutes"]) for page in (first, second)] == [
        ("900", 15),
        ("300", 5),
    ]
    assert (third.status_code, third.url) == (HTTP_FOUND, reverse("identity:second-factor"))


def test_lock_out_ends_when_enough_failures_have_grown_old():
    person = member()
    early, late = Client(headers={"user-agent": "early"}), Client(headers={"user-agent": "late"})

    with at():
        fail(early, person.email, 2)
    with at(minutes=6):
        answer = [give_password(late, person.email, "wrong") for _ in range(4)][-1]
    with at(minutes=15, seconds=1):
        after = give_password(late, person.email)

    assert answer.context["minutes"] == 9
    assert after.status_code == HTTP_FOUND


def test_lock_out_leaves_others_alone(client):
    person, colleague = member(), member()
    fail(client, person.email, 5)

    same_desk = give_password(client, colleague.email)
    elsewhere = give_password(Client(REMOTE_ADDR="192.0.2.7"), person.email)

    assert (same_desk.status_code, elsewhere.status_code) == (HTTP_FOUND, HTTP_FOUND)


def test_success_forgets_failures(client):
    person = member()
    fail(client, person.email, 4)

    sign_in(client, person)

    kept = Attempt.objects.filter(what__in=["password", "password_anywhere"])
    assert kept.count() == 0


def test_attempts_keep_nothing_that_was_typed(client):
    give_password(client, "secret.typed.here@desk.example", "wrong one", next="/cases/")

    kept = " ".join(str(value) for one in Attempt.objects.all() for value in vars(one).values())
    assert [word in kept for word in ("secret.typed", "wrong one", "/cases/")] == [False, False, False]


@given(st.emails(), st.sampled_from([str.upper, str.title, lambda email: f"  {email} "]))
@settings(max_examples=50)
def test_account_is_one_for_each_address(email, written):
    assert account_of(written(email.lower())) == account_of(email)


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "address"),
    [
        (0, "10.0.0.1", "203.0.113.9, 198.51.100.4", "10.0.0.1"),
        (1, "10.0.0.1", "203.0.113.9, 198.51.100.4", "198.51.100.4"),
        (2, "10.0.0.1", "203.0.113.9, 198.51.100.4", "203.0.113.9"),
        (3, "10.0.0.1", "203.0.113.9, 198.51.100.4", "10.0.0.1"),
        (1, "", "2001:DB8::1", "2001:db8::1"),
        (1, "10.0.0.1", "unknown", "10.0.0.1"),
        (0, "", "", "0.0.0.0"),
    ],
)
def test_client_address_trusts_only_the_proxies_that_there_are(
    rf, settings, proxies, peer, forwarded, address
):
    settings.TRUSTED_PROXIES = proxies

    request = rf.post("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)

    assert client_address(request) == address


# Out


def test_sign_out_ends_the_session_and_is_recorded(client):
    person = member()
    sign_in(client, person)
    key = client.session.session_key

    answer = client.post(reverse("identity:sign-out"))

    assert answer.url == f"{reverse('identity:sign-in')}?reason=asked"
    assert not client.session.exists(key)
    assert trail()[-1] == ("staff.signed_out", person.pk, {"reason": "asked"})


def test_sign_out_by_a_link_does_nothing(client):
    sign_in(client, member())

    answer = client.get(reverse("identity:sign-out"))

    assert (answer.status_code, is_inside(client)) == (405, True)


def test_forms_of_strangers_are_refused():
    client = Client(enforce_csrf_checks=True)
    person = member()

    answers = [
        client.post(
            reverse(f"identity:{name}"), {"email": person.email, "password": PASSWORD, "code": "000000"}
        )
        for name in (
            "sign-in",
            "sign-out",
            "second-factor",
            "enrolment",
            "recovery-code",
            "password",
            "accept-invitation",
        )
    ]

    assert [answer.status_code for answer in answers] == [403] * 7
    assert trail() == []
