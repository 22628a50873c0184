"""How a person comes by a password that nobody else has known."""

import json
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from identity.models import Invitation, RecoveryCode, TotpDevice
from identity.second_factor import make_recovery_codes
from tests.factories.identity import UserFactory
from tests.identity.signing_in import HTTP_FOUND, at, give_password, is_inside, member, sign_in, trail

pytestmark = pytest.mark.django_db
NEW = "seventeen blue kettles"
FORM = "/staff/invitation/"


def invited(person, *options):
    """The path of the link that the command prints."""
    printed = StringIO()
    call_command("invite", person.email.upper(), "--json", *options, stdout=printed)
    link = json.loads(printed.getvalue())["link"]
    return link.removeprefix(settings.BASE_URL)


def accept(path, new=NEW):
    browser = Client()
    browser.get(path)
    return browser.post(FORM, {"new": new, "again": new})


def test_invited_person_sets_a_password_and_enrols():
    person = UserFactory.create()

    answer = accept(invited(person))
    entered = give_password(Client(), person.email, NEW)

    assert (answer.status_code, answer.url) == (HTTP_FOUND, "/staff/sign-in/?reason=password-set")
    assert entered.url == "/staff/enrolment/"
    assert trail() == [
        (
            "operator.command_run",
            None,
            {"command": "invite", "user": str(person.pk), "removes_second_factor": False},
        ),
        ("staff.password_changed", person.pk, {"by": "invitation", "second_factor_removed": False}),
    ]


def test_link_works_once():
    path = invited(UserFactory.create())
    accept(path)

    answer = accept(path, "another long password")

    assert answer.status_code == 410


def test_opening_the_link_spends_nothing_and_hides_the_token():
    path = invited(UserFactory.create())

    opened = Client().get(path)

    assert (opened.status_code, opened.url, Invitation.objects.get().used_at) == (HTTP_FOUND, FORM, None)


@pytest.mark.parametrize(("days", "status"), [(6.9, 302), (7.1, 410)])
def test_link_lasts_a_week(days, status):
    with at():
        path = invited(UserFactory.create())

    with at(days=days):
        answer = accept(path)

    assert answer.status_code == status


def test_later_link_replaces_the_earlier():
    person = UserFactory.create()
    first, second = invited(person), invited(person)

    answers = [accept(path).status_code for path in (first, second)]

    assert answers == [410, HTTP_FOUND]


def test_made_up_links_open_nothing():
    invited(UserFactory.create())

    answers = [
        accept(path).status_code for path in ("/staff/invitation/x/", f"/staff/invitation/{'a' * 43}/", FORM)
    ]

    assert answers == [410, 410, 410]


def test_link_of_who_has_left_is_dead():
    person = UserFactory.create()
    path = invited(person)
    person.is_active = False
    person.save()

    assert accept(path).status_code == 410


def test_unfit_password_spends_nothing():
    person = UserFactory.create()
    path = invited(person)

    answer = accept(path, "short")

    person.refresh_from_db()
    assert (answer.status_code, person.has_usable_password(), Invitation.objects.get().used_at) == (
        422,
        False,
        None,
    )


def test_token_is_kept_as_a_hash():
    path = invited(UserFactory.create())

    token = path.split("/")[-2]

    assert (len(token), bytes(Invitation.objects.get().token_hash).find(token.encode())) == (43, -1)


def test_new_password_keeps_the_app_and_ends_sessions():
    person = member()
    browser = Client()
    sign_in(browser, person)

    accept(invited(person))

    assert (is_inside(browser), TotpDevice.objects.filter(user=person).count()) == (False, 1)
    assert give_password(Client(), person.email, NEW).url == "/staff/second-factor/"


def test_lost_phone_is_forgotten_when_the_link_is_used_and_not_before():
    person = member()
    make_recovery_codes(person)

    path = invited(person, "--remove-second-factor")
    before = TotpDevice.objects.filter(user=person).count()
    accept(path)

    assert (before, TotpDevice.objects.count(), RecoveryCode.objects.count()) == (1, 0, 0)
    assert give_password(Client(), person.email, NEW).url == "/staff/enrolment/"


@pytest.mark.parametrize("fields", [{"is_principal": True}, {"is_active": False}])
def test_command_refuses_principals_and_leavers(fields):
    person = UserFactory.create(**fields)

    with pytest.raises(CommandError, match="No active member of staff"):
        call_command("invite", person.email)

    assert (Invitation.objects.count(), trail()) == (0, [])
