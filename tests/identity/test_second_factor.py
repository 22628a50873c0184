"""The authenticator app and the recovery codes."""

import pytest
from django.test import Client

from identity.models import RecoveryCode, TotpDevice
from identity.second_factor import make_recovery_codes, setup
from tests.factories.identity import TOTP_SECRET, UserFactory
from tests.identity.signing_in import (
    HTTP_FOUND,
    HTTP_UNPROCESSABLE,
    at,
    code_now,
    give_code,
    give_password,
    half_way,
    is_inside,
    member,
    secret_shown,
    sign_in,
    trail,
    wrong_code,
)

ENROLMENT, RECOVERY = "/staff/enrolment/", "/staff/recovery-code/"
database = pytest.mark.django_db


# Codes of the app


@database
def test_code_works_once():
    person = member()
    first, second = half_way(person), half_way(person)

    with at():
        answers = [give_code(browser, code_now()).status_code for browser in (first, second)]

    assert answers == [HTTP_FOUND, HTTP_UNPROCESSABLE]
    assert (is_inside(first), is_inside(second)) == (True, False)


@database
def test_earlier_code_is_refused_after_a_later_one():
    person = member()
    first, second = half_way(person), half_way(person)

    with at():
        give_code(first, code_now(steps=1))
        answer = give_code(second, code_now())

    assert answer.status_code == HTTP_UNPROCESSABLE


@database
@pytest.mark.parametrize(("steps", "status"), [(-2, 422), (-1, 302), (0, 302), (1, 302), (2, 422)])
def test_code_may_be_one_step_off(steps, status):
    browser = half_way(member())

    with at():
        answer = give_code(browser, code_now(steps=steps))

    assert answer.status_code == status


@database
def test_code_in_two_groups_is_read():
    browser = half_way(member())

    with at():
        code = code_now()
        answer = give_code(browser, f" {code[:3]} {code[3:]}")

    assert answer.status_code == HTTP_FOUND


@database
@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "²²²²²²", "١٢٣٤٥٦", "12345\x00", "-12345", "1e5000"]
)
def test_what_is_no_code_is_refused(typed):
    browser = half_way(member())

    answer = give_code(browser, typed)

    assert (answer.status_code, is_inside(browser)) == (HTTP_UNPROCESSABLE, False)


@database
def test_code_of_somebody_else_is_refused():
    person, colleague = member(), member()
    theirs = "ab" * 20
    device = TotpDevice.objects.get(user=colleague)
    device.secret = theirs
    device.save()

    with at():
        answer = give_code(half_way(person), code_now(theirs))

    assert answer.status_code == HTTP_UNPROCESSABLE


@database
def test_wrong_code_is_recorded():
    person = member()

    give_code(half_way(person), wrong_code())

    assert trail() == [("staff.second_factor_failed", person.pk, {"factor": "app"})]


@database
def test_wrong_codes_make_the_right_one_wait():
    person = member()
    browser = half_way(person)

    with at():
        first = give_code(browser, wrong_code())
        second = give_code(browser, code_now())
    with at(seconds=2):
        third = give_code(browser, code_now())

    refusals = [page.context["form"].errors["code"][0] for page in (first, second)]
    assert refusals == [
        "This code is not right, or was used already. Wait for the next one. You can try again in 1 second.",
        "After wrong codes there is a pause, in which no code is looked at. You can try again in 1 second.",
    ]
    assert third.status_code == HTTP_FOUND


@database
def test_guessing_for_a_day_looks_at_few_codes():
    person = member()
    browser = half_way(person)
    with at():
        sign_in(Client(), person)

    for second in [2**power for power in range(17)]:  # as fast as the pauses let a guess count
        with at(seconds=second):
            give_password(browser, person.email)
            for _ in range(3):
                give_code(browser, wrong_code())

    assert TotpDevice.objects.get(user=person).throttling_failure_count == 17


@database
def test_pause_of_one_is_no_pause_of_another():
    person, colleague = member(), member()
    give_code(half_way(person), wrong_code())

    answer = give_code(half_way(colleague), code_now())

    assert answer.status_code == HTTP_FOUND


# Recovery codes


@database
def test_recovery_code_signs_in_once():
    person = member()
    codes = make_recovery_codes(person)
    first, second = half_way(person), half_way(person)

    answers = [browser.post(RECOVERY, {"code": codes[3]}).status_code for browser in (first, second)]

    assert answers == [HTTP_FOUND, HTTP_UNPROCESSABLE]
    assert (is_inside(first), is_inside(second)) == (True, False)
    assert [entry for entry in trail() if entry[0] != "staff.recovery_codes_made"] == [
        ("staff.recovery_code_used", person.pk, {"left": 9}),
        ("staff.signed_in", person.pk, {"factor": "recovery_code"}),
        ("staff.second_factor_failed", person.pk, {"factor": "recovery_code"}),
    ]


@database
@pytest.mark.parametrize("written", [str.upper, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_recovery_code_is_read_as_people_type_it(written):
    person = member()
    code = make_recovery_codes(person)[0]
    browser = half_way(person)

    browser.post(RECOVERY, {"code": written(code)})

    assert is_inside(browser)


@database
@pytest.mark.parametrize("typed", ["", "-", "aaaa-aaaa-aaaa-aaaa", "\x00"])
def test_what_is_no_recovery_code_is_refused(typed):
    person = member()
    make_recovery_codes(person)
    browser = half_way(person)

    answer = browser.post(RECOVERY, {"code": typed})

    assert (answer.status_code, is_inside(browser)) == (HTTP_UNPROCESSABLE, False)


@database
def test_recovery_code_of_somebody_else_is_refused():
    person, colleague = member(), member()
    code = make_recovery_codes(colleague)[0]

    half_way(person).post(RECOVERY, {"code": code})

    assert RecoveryCode.objects.filter(used_at=None).count() == 10


@database
def test_recovery_code_helps_while_the_app_is_paused_and_ends_the_pause():
    person = member()
    codes = make_recovery_codes(person)
    for _ in range(3):
        give_code(half_way(person), wrong_code())
    browser = half_way(person)

    browser.post(RECOVERY, {"code": codes[0]})

    assert (is_inside(browser), TotpDevice.objects.get(user=person).throttling_failure_count) == (True, 0)


@database
def test_recovery_codes_are_kept_as_hashes_of_long_secrets():
    person = member()

    codes = make_recovery_codes(person)

    kept = [bytes(row.code_hash) for row in RecoveryCode.objects.filter(user=person)]
    assert (len(set(codes)), {len(code.replace("-", "")) for code in codes}) == (10, {16})
    assert {len(value) for value in kept} == {32}


# Enrolment


@database
def test_enrolment_takes_the_app_into_use_and_shows_the_codes_once():
    person = UserFactory.create(with_password=True)
    browser = half_way(person)
    page = browser.get(ENROLMENT)

    answer = browser.post(ENROLMENT, {"code": code_now(secret_shown(page))})
    again = browser.get(ENROLMENT)

    assert (answer.status_code, len(answer.context["codes"]), answer.context["onward"]) == (200, 10, "/")
    assert (again.status_code, again.url) == (HTTP_FOUND, "/")
    assert is_inside(browser)
    assert trail() == [
        ("staff.second_factor_enrolled", person.pk, {}),
        ("staff.signed_in", person.pk, {"factor": "app"}),
        ("staff.recovery_codes_made", person.pk, {"count": 10}),
    ]


@database
def test_enrolment_shows_the_same_secret_until_it_is_confirmed():
    browser = half_way(UserFactory.create(with_password=True))
    page = browser.get(ENROLMENT)
    secret = secret_shown(page)

    refused = browser.post(ENROLMENT, {"code": wrong_code(secret)})

    assert (refused.status_code, secret_shown(refused)) == (HTTP_UNPROCESSABLE, secret)
    assert not is_inside(browser)


@database
def test_enrolment_shows_another_secret_to_another_session():
    person = UserFactory.create(with_password=True)
    thief, owner = half_way(person), half_way(person)
    known_to_thief = secret_shown(thief.get(ENROLMENT))
    secret = secret_shown(owner.get(ENROLMENT))

    answer = owner.post(ENROLMENT, {"code": code_now(known_to_thief)})

    assert (secret == known_to_thief, answer.status_code) == (False, HTTP_UNPROCESSABLE)


@database
def test_enrolment_code_cannot_sign_in_again():
    person = UserFactory.create(with_password=True)
    browser = half_way(person)

    with at():
        secret = secret_shown(browser.get(ENROLMENT))
        browser.post(ENROLMENT, {"code": code_now(secret)})
        answer = give_code(half_way(person), code_now(secret))

    assert answer.status_code == HTTP_UNPROCESSABLE


@database
def test_unconfirmed_app_signs_nobody_in():
    person = UserFactory.create(with_password=True)
    browser = half_way(person)
    secret = secret_shown(browser.get(ENROLMENT))

    answer = give_code(browser, code_now(secret))

    assert (answer.url, is_inside(browser)) == (ENROLMENT, False)


@database
def test_secret_is_ciphertext_in_the_database_and_differs_for_each_row():
    from django.db import connection

    first, second = TotpDevice.objects.get(user=member()), TotpDevice.objects.get(user=member())

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM identity_totpdevice ORDER BY id")
        stored = [bytes(row[0]) for row in cursor.fetchall()]

    assert (first.secret, second.secret) == (TOTP_SECRET, TOTP_SECRET)
    assert [TOTP_SECRET.encode() in value or bytes.fromhex(TOTP_SECRET) in value for value in stored] == [
        False,
        False,
    ]
    assert stored[0] != stored[1]


@database
def test_setup_is_what_apps_read():
    person = member(email="ann+desk@example.org")

    shown = setup(TotpDevice.objects.get(user=person))

    assert shown.secret == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    assert shown.picture.startswith("data:image/svg+xml;charset=utf-8,%3Csvg")


@database
def test_app_that_is_removed_ends_the_sessions_that_it_opened():
    person = member()
    browser = Client()
    sign_in(browser, person)

    TotpDevice.objects.filter(user=person).delete()

    assert browser.get("/staff/account/").url == ENROLMENT
