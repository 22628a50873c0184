"""Keeping one's own account."""

import pytest
from django.test import Client

from identity.models import RecoveryCode, TotpDevice
from tests.factories.identity import PASSWORD
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
    secret_shown,
    sign_in,
    trail,
)

pytestmark = pytest.mark.django_db
CHANGE, CODES, APP = "/staff/account/password/", "/staff/account/recovery-codes/", "/staff/account/new-app/"
NEW = "seventeen blue kettles"


@pytest.fixture
def person():
    return member()


@pytest.fixture
def desk(person):
    """A browser in which the person is signed in since noon."""
    browser = Client()
    with at():
        sign_in(browser, person)
    with at(minutes=1):
        yield browser


def another_browser(person):
    browser = Client()
    with at(minutes=1):
        sign_in(browser, person)
    return browser


def change(browser, **fields):
    return browser.post(CHANGE, {"current": PASSWORD, "new": NEW, "again": NEW} | fields)


def test_new_password_signs_out_everywhere_else(desk, person):
    elsewhere = another_browser(person)
    half_way = Client()
    give_password(half_way, person.email)

    answer = change(desk)

    assert answer.status_code == HTTP_FOUND
    assert (is_inside(desk), is_inside(elsewhere)) == (True, False)
    assert half_way.get("/staff/second-factor/").url.startswith("/staff/sign-in/")
    assert trail()[-2:] == [
        ("staff.password_changed", person.pk, {"by": "account"}),
        ("staff.sessions_ended", person.pk, {"of": str(person.pk), "count": 2}),
    ]


def test_new_password_is_the_one_that_signs_in(desk, person):
    change(desk)

    answers = [give_password(Client(), person.email, word).status_code for word in (PASSWORD, NEW)]

    assert answers == [HTTP_UNPROCESSABLE, HTTP_FOUND]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"current": "not it"}, "current"),
        ({"new": "short", "again": "short"}, "new"),
        ({"new": "password1234", "again": "password1234"}, "new"),
        ({"again": "something else"}, "again"),
    ],
)
def test_unfit_password_changes_nothing(desk, person, fields, place):
    before = person.password

    answer = change(desk, **fields)

    person.refresh_from_db()
    assert (answer.status_code, list(answer.context["form"].errors)) == (HTTP_UNPROCESSABLE, [place])
    assert person.password == before


def test_guessing_the_password_at_an_open_desk_is_locked_out(desk, person):
    pages = [(CHANGE, NEW), (CODES, ""), (APP, ""), (CHANGE, NEW), (CODES, ""), (APP, "")]
    answers = [desk.post(page, {"current": "guess", "new": new, "again": new}) for page, new in pages]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 422, HTTP_LOCKED]
    assert answers[-1]["Retry-After"] == "900"
    assert change(desk).status_code == HTTP_LOCKED
    assert trail()[-1] == ("staff.locked_out", person.pk, {})


def test_guesses_at_an_open_desk_and_at_the_door_count_together(desk, person):
    guesses = [give_password(Client(), person.email, "guess") for _ in range(3)]
    guesses += [change(desk, current="guess") for _ in range(3)]

    assert [answer.status_code for answer in guesses] == [422, 422, 422, 422, 422, HTTP_LOCKED]
    assert give_password(Client(), person.email).status_code == HTTP_LOCKED


def test_what_weighs_no_password_locks_nobody_out(desk):
    unfit = [change(desk, new="short", again="short").status_code for _ in range(6)]

    answer = change(desk)

    assert (unfit, answer.status_code) == ([HTTP_UNPROCESSABLE] * 6, HTTP_FOUND)


def test_new_recovery_codes_void_the_old_ones(desk, person):
    first = desk.post(CODES, {"current": PASSWORD}).context["codes"]

    second = desk.post(CODES, {"current": PASSWORD}).context["codes"]

    browser = Client()
    give_password(browser, person.email)
    browser.post("/staff/recovery-code/", {"code": first[0]})
    assert (set(first) & set(second), RecoveryCode.objects.count(), is_inside(browser)) == (set(), 10, False)
    assert trail()[1] == ("staff.recovery_codes_made", person.pk, {"count": 10})


def test_recovery_codes_need_the_password(desk):
    answer = desk.post(CODES, {"current": "not it"})

    assert (answer.status_code, RecoveryCode.objects.count()) == (HTTP_UNPROCESSABLE, 0)


def test_new_app_replaces_the_old_one_and_ends_other_sessions(desk, person):
    elsewhere = another_browser(person)

    desk.post(APP, {"current": PASSWORD})
    secret = secret_shown(desk.get(APP))
    answer = desk.post(APP, {"code": code_now(secret)})

    device = TotpDevice.objects.get(user=person)
    assert (answer.status_code, len(answer.context["codes"])) == (200, 10)
    assert (device.secret, device.confirmed) == (secret, True)
    assert (is_inside(desk), is_inside(elsewhere)) == (True, False)
    assert [action for action, _, _ in trail()[2:]] == [
        "staff.second_factor_enrolled",
        "staff.sessions_ended",
        "staff.recovery_codes_made",
    ]


def test_new_app_needs_the_password(desk, person):
    before = TotpDevice.objects.get(user=person)

    shown = desk.get(APP)
    sent = desk.post(APP, {"code": "123456"})

    assert ("setup" in shown.context, "setup" in sent.context) == (False, False)
    assert list(TotpDevice.objects.filter(user=person)) == [before]


def test_old_app_works_until_the_new_one_is_confirmed(desk, person):
    desk.post(APP, {"current": PASSWORD})
    desk.get(APP)
    browser = Client()
    give_password(browser, person.email)

    answer = give_code(browser, code_now())

    assert answer.status_code == HTTP_FOUND


def test_new_app_asks_for_the_password_again_after_ten_minutes(desk):
    desk.post(APP, {"current": PASSWORD})

    with at(minutes=12):
        page = desk.get(APP)

    assert "setup" not in page.context
