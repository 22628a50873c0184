"""The same thing sent from several browsers at the same moment."""

from django.test import Client

from dsar.lib.tenancy import unit_of_work
from identity.models import RecoveryCode, TotpDevice
from identity.second_factor import make_recovery_codes
from tests.factories.identity import UserFactory
from tests.identity.signing_in import (
    at,
    at_once,
    code_now,
    give_code,
    give_password,
    half_way,
    member,
    secret_shown,
    sign_in,
    trail,
)

ENROLMENT, RECOVERY = "/staff/enrolment/", "/staff/recovery-code/"
CODES = "/staff/account/recovery-codes/"


def test_guesses_sent_at_once_are_all_counted(committed_db):
    with unit_of_work([]):
        person = member()

    answers = at_once(lambda n: give_password(Client(), person.email, f"wrong {n}").status_code, range(8))

    assert sorted(answers) == [422, 422, 422, 422, 422, 429, 429, 429]
    assert [action for action, _, _ in trail()].count("staff.sign_in_failed") == 5


def test_guesses_sent_at_once_at_open_desks_are_all_counted(committed_db):
    with unit_of_work([]):
        person = member()
    with at():
        first = Client()
        sign_in(first, person)
    desks = [Client() for _ in range(8)]
    for desk in desks:
        desk.cookies["sessionid"] = first.cookies["sessionid"].value

    with at(minutes=1):
        answers = at_once(lambda desk: desk.post(CODES, {"current": "wrong"}).status_code, desks)

    assert sorted(answers) == [422, 422, 422, 422, 422, 429, 429, 429]


def test_one_code_sent_twice_at_once_passes_once(committed_db):
    with unit_of_work([]):
        person = member()
    browsers = [half_way(person) for _ in range(4)]

    answers = at_once(lambda browser: give_code(browser, code_now()).status_code, browsers)

    assert sorted(answers) == [302, 422, 422, 422]
    assert sorted(action for action, _, _ in trail()) == ["staff.second_factor_failed"] * 3 + [
        "staff.signed_in"
    ]


def test_one_recovery_code_sent_twice_at_once_passes_once(committed_db):
    with unit_of_work([]):
        person = member()
        code = make_recovery_codes(person)[0]
    browsers = [half_way(person) for _ in range(3)]

    answers = at_once(lambda browser: browser.post(RECOVERY, {"code": code}).status_code, browsers)

    assert sorted(answers) == [302, 422, 422]


def test_two_enrolments_at_once_leave_one_app(committed_db):
    with unit_of_work([]):
        person = UserFactory.create(with_password=True)
    browser, other = half_way(person), half_way(person)
    secret = secret_shown(browser.get(ENROLMENT))
    other.cookies["sessionid"] = browser.cookies["sessionid"].value
    code = code_now(secret)

    answers = at_once(lambda client: client.post(ENROLMENT, {"code": code}).status_code, [browser, other])

    assert (answers.count(200), TotpDevice.objects.filter(user=person, confirmed=True).count()) == (1, 1)
    assert RecoveryCode.objects.filter(user=person).count() == 10
