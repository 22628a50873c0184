"""What is kept, and for how long: the page of the whole brand, and what a case's pages say of what is gone."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case
from cases.permissions import BY_OPERATOR, by_staff
from cases.retention import rules
from cases.words import State
from cases.workflow import hold, retention
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from identity.models import Controller, User
from identity.roles import Role
from tests.cases.desk_cases import in_review, source
from tests.cases.retention.kept import step
from tests.cases.staff_client import signed_in
from tests.factories.cases import in_state, one_case
from tests.factories.identity import ControllerFactory, staff

pytestmark = pytest.mark.django_db

PAGE = "/dpo/retention/"


@pytest.fixture
def brand(serve: Any) -> Controller:
    made: Controller = ControllerFactory.create(slug="acme", name="Acme")
    return made


def text(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


@pytest.mark.parametrize("role", [Role.DPO, Role.REVIEWER, Role.ADMINISTRATOR])
def test_page_names_every_rule_with_its_time(brand, role):
    shown = text(signed_in(staff(role, brand)), PAGE)

    assert [str(rule.name) for rule in rules.RULES if str(rule.name) not in shown] == []
    assert "90 days after the case, and every complaint about it, was closed" in shown
    assert "the brand may choose 30 days to 1 year" in shown


@pytest.mark.parametrize("role", [Role.AGENT, Role.HANDLER, Role.AUDITOR, Role.BREAK_GLASS])
def test_page_is_not_there_for_others(brand, role):
    text(signed_in(staff(role, brand)), PAGE, status=404)


def test_page_shows_what_the_brand_chose_and_why(brand):
    content = {"case_file": {"keep": "6 years", "because": "Limitation Act 1980, s. 5"}}
    retention.issue_periods(brand, content, BY_OPERATOR, timezone.now())

    shown = text(signed_in(staff(Role.DPO, brand)), PAGE)

    assert "6 years after the last case of the request was closed chosen by the brand" in shown
    assert "Limitation Act 1980, s. 5" in shown


def test_page_counts_what_is_due_when_asked(brand):
    case = in_state(one_case(brand), State.CLOSED)
    Case.objects.filter(pk=case.pk).update(closed_at=timezone.now() - timedelta(days=100))
    client = signed_in(staff(Role.DPO, brand))
    day = (timezone.now() - timedelta(days=100)).astimezone(brand.zone)

    quiet, counted = text(client, PAGE), text(client, f"{PAGE}?count=1")

    assert "Due now" not in quiet
    assert f"1 since {day.day} {day:%B %Y}" in counted


def test_page_shows_a_brand_that_one_works_for_alone(brand):
    other = ControllerFactory.create(slug="other", name="Other Brand")
    client = signed_in(staff(Role.DPO, brand))

    shown = text(client, f"{PAGE}?brand={other.slug}")

    assert "Kept for Acme" in shown
    assert "Other Brand" not in shown


def test_page_takes_as_many_queries_however_much_is_due(brand, django_assert_max_num_queries):
    client = signed_in(staff(Role.DPO, brand))
    for _ in range(3):
        one_case(brand)

    with django_assert_max_num_queries(30):
        client.get(PAGE)


# -- a case's pages ---------------------------------------------------------------------------------------


@pytest.fixture
def handler(brand: Controller) -> User:
    source(brand)
    return staff(Role.HANDLER, brand)


def closed(brand: Controller, handler: User) -> Case:
    return in_state(in_review(brand, handler), State.CLOSED)


def at(name: str, *args: Any) -> str:
    return reverse(f"console:{name}", args=args)


def test_open_case_says_nothing_of_it(brand, handler):
    case = in_review(brand, handler)

    assert "What was collected It goes" not in text(signed_in(handler), at("case", case.pk))


def test_closed_case_says_when_what_goes(brand, handler):
    case = closed(brand, handler)
    goes = (case.closed_at + timedelta(days=90)).astimezone(brand.zone)

    shown = text(signed_in(handler), at("case", case.pk))

    assert f"What was collected It goes on {goes.day} {goes:%B %Y}." in shown
    assert "The case's file It goes on" in shown


def test_closed_case_says_what_holds_it(brand, handler):
    case = closed(brand, handler)
    dpo = by_staff(staff(Role.DPO, brand))
    hold.set_hold(case, "Court order.", dpo, timezone.now())

    shown = text(signed_in(handler), at("case", case.pk))

    assert "What was collected held back It stays: a legal hold lies on the person." in shown


def test_pages_say_plainly_that_it_is_gone(brand, handler):
    case = closed(brand, handler)
    items = list(case.items.values_list("pk", flat=True))
    later = timezone.now() + timedelta(days=91)
    retention.carry_out(rules.COLLECTED, brand.pk, later, step)
    client = signed_in(handler)
    day = later.astimezone(brand.zone)

    shown = text(client, at("case", case.pk))
    review = text(client, at("review", case.pk))
    item = text(client, at("item", case.pk, items[0]), status=410)
    file = text(client, at("item-file", case.pk, items[0]), status=410)

    assert f"What was collected gone It went on {day.day} {day:%B %Y}:" in shown
    assert f"What was found was destroyed on {day.day} {day:%B %Y}, by the rules of retention." in review
    assert "It was destroyed when its time was over" in item
    assert "It was destroyed when its time was over" in file
    event = AuditEvent.objects.get(action=Action.KEY_DESTROYED)
    assert (event.data["rule"], event.data["rows"] >= len(items)) == ("collected_data", True)


def test_what_never_was_is_not_said_to_be_gone(brand, handler):
    case = closed(brand, handler)

    text(signed_in(handler), at("item", case.pk, case.pk), status=404)


def test_stranger_is_not_told_that_it_is_gone(brand, handler):
    case = closed(brand, handler)
    item = case.items.first().pk
    retention.carry_out(rules.COLLECTED, brand.pk, timezone.now() + timedelta(days=91), step)
    stranger = staff(Role.HANDLER, ControllerFactory.create())

    text(signed_in(stranger), at("item", case.pk, item), status=404)


def test_agent_is_not_told_what_there_was(brand, handler):
    case = closed(brand, handler)
    retention.carry_out(rules.COLLECTED, brand.pk, timezone.now() + timedelta(days=91), step)

    shown = text(signed_in(staff(Role.AGENT, brand)), at("case", case.pk))
    told = text(signed_in(handler), at("case", case.pk))

    assert "It went on" in shown
    assert "What there was" not in shown
    assert "What there was" in told
