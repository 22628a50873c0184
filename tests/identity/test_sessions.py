"""When a session begins and ends, where it leads, and that nobody can plant one."""

import pytest
from django.test import Client
from django.urls import reverse

from identity.session_store import SessionStore
from tests.identity.signing_in import (
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
ACCOUNT = "/staff/account/"


def test_session_key_changes_with_each_factor(client):
    person = member()
    planted = SessionStore()
    planted.create()
    client.cookies["sessionid"] = planted.session_key

    give_password(client, person.email)
    half_way = client.cookies["sessionid"].value
    give_code(client, code_now())
    inside = client.cookies["sessionid"].value

    assert len({planted.session_key, half_way, inside}) == 3
    assert [SessionStore().exists(key) for key in (planted.session_key, half_way, inside)] == [
        False,
        False,
        True,
    ]


def test_planted_session_does_not_become_the_victims(client):
    planted = SessionStore()
    planted.create()
    client.cookies["sessionid"] = planted.session_key
    attacker = Client()
    attacker.cookies["sessionid"] = planted.session_key

    sign_in(client, member())

    assert (is_inside(client), is_inside(attacker)) == (True, False)


def test_stolen_half_open_session_is_not_carried_along(client):
    person = member()
    give_password(client, person.email)
    attacker = Client()
    attacker.cookies["sessionid"] = client.cookies["sessionid"].value

    give_code(client, code_now())

    assert (is_inside(client), is_inside(attacker)) == (True, False)


def test_cookie_of_the_session_is_closed_to_scripts_and_other_sites(client):
    give_password(client, member().email)

    cookie = client.cookies["sessionid"]

    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize(
    ("minutes", "inside"), [([29], True), ([29, 58, 87], True), ([31], False), ([20, 52], False)]
)
def test_idle_session_ends_after_half_an_hour(client, minutes, inside):
    with at():
        sign_in(client, member())

    for minute in minutes:
        with at(minutes=minute):
            last = is_inside(client)

    assert last == inside


def test_idle_session_says_why_and_leads_back(client):
    person = member()
    with at():
        sign_in(client, person)

    with at(minutes=45):
        answer = client.get(f"{ACCOUNT}?tab=two")
        page = client.get(answer.url)

    assert answer.url == "/staff/sign-in/?next=%2Fstaff%2Faccount%2F%3Ftab%3Dtwo&reason=idle"
    assert page.context["reason"] == "idle"
    assert trail()[-1] == ("staff.signed_out", person.pk, {"reason": "idle"})


def test_idle_session_on_sending_says_that_it_was_not_kept(client):
    with at():
        sign_in(client, member())

    with at(minutes=45):
        answer = client.post("/staff/account/password/", {"current": "x"})
        page = client.get(answer.url)

    assert answer.url == "/staff/sign-in/?reason=idle&unsent=1"
    assert page.context["was_unsent"] is True


def test_session_ends_after_twelve_hours_of_work(client):
    with at():
        sign_in(client, member())
    visits = [quarter * 25 for quarter in range(1, 29)]  # minutes: up to 11 h 40 min

    stayed = []
    for minutes in visits:
        with at(minutes=minutes):
            stayed.append(is_inside(client))
    with at(hours=12, seconds=10):
        answer = client.get(ACCOUNT)

    assert stayed == [True] * len(visits)
    assert answer.url == "/staff/sign-in/?next=%2Fstaff%2Faccount%2F&reason=expired"


def test_fragment_request_takes_the_whole_page_to_the_sign_in(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/cases/?mine=1"}

    answer = client.get(ACCOUNT, headers=headers)

    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/staff/sign-in/?next=%2Fcases%2F%3Fmine%3D1")


def test_pages_of_staff_are_not_stored(client):
    sign_in(client, member())

    answer = client.get(ACCOUNT)

    assert {"no-store", "private"} <= {part.strip() for part in answer["Cache-Control"].split(",")}


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        (ACCOUNT, ACCOUNT),
        ("/cases/?late=1", "/cases/?late=1"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("///evil.example/", "/"),
        ("http:///evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("\\\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        (" //evil.example", "/"),
        ("http://testserver@evil.example/", "/"),
        ("\x08//evil.example", "/"),
    ],
)
def test_next_leads_nowhere_but_here(client, wanted, led_to):
    person = member()

    give_password(client, person.email, next=wanted)
    answer = give_code(client, code_now())

    assert answer.url == led_to


def test_page_that_was_wanted_opens_after_signing_in(client):
    person = member()
    turned_away = client.get(f"{ACCOUNT}?tab=two")
    form = client.get(turned_away.url).context["form"]

    give_password(client, person.email, next=form["next"].value())
    answer = give_code(client, code_now())

    assert answer.url == f"{ACCOUNT}?tab=two"


def test_sign_in_page_sends_on_who_is_inside(client):
    sign_in(client, member())

    assert client.get(reverse("identity:sign-in")).url == "/"
