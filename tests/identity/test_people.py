"""What an administrator does for the people who work here, and what nobody else may."""

import pytest
from django.test import Client

from identity.models import Session, User
from identity.roles import Role
from tests.factories.identity import ControllerFactory, enrolled, staff
from tests.identity.signing_in import is_inside, sign_in, trail

pytestmark = pytest.mark.django_db
PEOPLE = "/staff/people/"


@pytest.fixture
def brand():
    return ControllerFactory.create()


def somebody(role, *brands, **fields):
    person = staff(role, *brands, with_password=True, **fields)
    enrolled(person)
    return person


def entered(person):
    browser = Client()
    sign_in(browser, person)
    return browser


@pytest.fixture
def administrator(brand):
    return somebody(Role.ADMINISTRATOR, brand)


@pytest.fixture
def desk(administrator):
    return entered(administrator)


def test_administrator_sees_the_people_of_their_brands_alone(brand, administrator, desk):
    ours = somebody(Role.HANDLER, brand)
    somebody(Role.HANDLER, ControllerFactory.create())

    page = desk.get(PEOPLE)

    assert set(page.context["page"].object_list) == {administrator, ours}


def test_list_costs_the_same_for_many_people(brand, desk, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    somebody(Role.HANDLER, brand)
    with CaptureQueriesContext(connection) as few:
        desk.get(PEOPLE)
    for _ in range(5):
        somebody(Role.AGENT, brand)

    with django_assert_num_queries(len(few)):
        desk.get(PEOPLE)


@pytest.mark.parametrize("role", [Role.AGENT, Role.HANDLER, Role.DPO, Role.REVIEWER, Role.AUDITOR])
def test_people_are_not_there_for_others(brand, role):
    colleague = somebody(Role.HANDLER, brand)
    browser = entered(somebody(role, brand))

    answers = [
        browser.get(PEOPLE).status_code,
        browser.get(f"{PEOPLE}{colleague.pk}/").status_code,
        browser.post(f"{PEOPLE}{colleague.pk}/sign-out/").status_code,
        browser.post(f"{PEOPLE}{colleague.pk}/active/", {"active": "0"}).status_code,
    ]

    colleague.refresh_from_db()
    assert (answers, colleague.is_active) == ([404, 404, 404, 404], True)


def test_person_of_another_brand_is_not_found(desk):
    stranger = somebody(Role.HANDLER, ControllerFactory.create())
    theirs = entered(stranger)

    answers = [
        desk.get(f"{PEOPLE}{stranger.pk}/").status_code,
        desk.post(f"{PEOPLE}{stranger.pk}/sign-out/").status_code,
        desk.post(f"{PEOPLE}{stranger.pk}/active/", {"active": "0"}).status_code,
    ]

    assert (answers, is_inside(theirs)) == ([404, 404, 404], True)


def test_administrator_signs_somebody_out_everywhere(brand, administrator, desk):
    person = somebody(Role.HANDLER, brand)
    browsers = [entered(person)]

    desk.post(f"{PEOPLE}{person.pk}/sign-out/")

    assert [is_inside(browser) for browser in browsers] == [False]
    assert is_inside(desk)
    assert trail()[-1] == ("staff.sessions_ended", administrator.pk, {"of": str(person.pk), "count": 1})


def test_deactivated_person_is_out_with_the_next_request(brand, administrator, desk):
    person = somebody(Role.HANDLER, brand)
    browser = entered(person)

    desk.post(f"{PEOPLE}{person.pk}/active/", {"active": "0"})

    inside = is_inside(browser)
    answer = browser.post(
        "/staff/sign-in/", {"email": person.email, "password": "correct horse battery staple"}
    )
    assert (inside, answer.status_code, Session.objects.filter(user=person).count()) == (False, 422, 0)
    assert [action for action, who, _ in trail() if who == administrator.pk][-2:] == [
        "staff.deactivated",
        "staff.sessions_ended",
    ]


def test_person_comes_back(brand, desk):
    person = somebody(Role.HANDLER, brand, is_active=False)

    desk.post(f"{PEOPLE}{person.pk}/active/", {"active": "1"})

    assert is_inside(entered(person))


def test_administrator_cannot_deactivate_themselves(administrator, desk):
    desk.post(f"{PEOPLE}{administrator.pk}/active/", {"active": "0"})

    assert (User.objects.get(pk=administrator.pk).is_active, is_inside(desk)) == (True, True)
