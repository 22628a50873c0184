"""The page of identity policies: who sees whose, and what a try says."""

from typing import Any

import pytest
from django.urls import reverse

from identity.models import Controller
from identity.roles import Role
from tests.cases.staff_client import signed_in
from tests.factories.identity import ControllerFactory, give_policy, staff

pytestmark = pytest.mark.django_db

PAGE = reverse("identity:policies")


@pytest.fixture
def brand(serve: Any) -> Controller:
    return ControllerFactory.create(name="Acme", slug="acme", levels=None)


def see(role: Role, own: Controller, **asked: Any) -> Any:
    return signed_in(staff(role, own)).get(PAGE, asked)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.DPO])
def test_policy_is_shown_to_who_administers_or_oversees(brand, role):
    page = see(role, brand)

    assert page.status_code == 200
    assert page.context["chosen"] == brand
    assert len(page.context["lines"]) == 10


@pytest.mark.parametrize("role", [Role.AGENT, Role.HANDLER, Role.AUDITOR])
def test_policy_is_not_there_for_others(brand, role):
    assert see(role, brand).status_code == 404


def test_stranger_brand_is_not_shown(brand):
    """Its policy is another one, so that it would be seen."""
    stranger = ControllerFactory.create(name="Stranger", slug="stranger")

    page = see(Role.ADMINISTRATOR, brand, brand="stranger")

    assert (page.context["chosen"], page.context["stored"]) == (brand, None)
    assert stranger.name not in page.content.decode()


def test_newest_version_is_shown_with_the_ones_before(brand):
    give_policy(brand, {"default": 1})
    give_policy(brand, {"default": 3})

    page = see(Role.ADMINISTRATOR, brand)

    assert page.context["stored"].version == 2
    assert [one.version for one in page.context["versions"]] == [2, 1]


@pytest.mark.parametrize(
    ("asked", "level", "rule"),
    [
        ({"right": "marketing"}, "none", "marketing"),
        ({"right": "objection"}, "low", "nothing-leaves"),
        ({"right": "access", "kinds": ["financial", "low_risk"]}, "high", "sensitive-copy"),
        ({"right": "access", "kinds": "low_risk", "new_address": "on"}, "high", "whole-file-elsewhere"),
        (
            {"right": "access", "kinds": "low_risk", "requester": "solicitor"},
            "substantial",
            "somebody-else-asks",
        ),
    ],
)
def test_try_says_level_rule_and_ways(brand, asked, level, rule):
    page = see(Role.ADMINISTRATOR, brand, **{"brand": "acme", "requester": "self"} | asked)

    verdict = page.context["verdict"]
    assert (verdict.level, verdict.rule, verdict.version) == (level, rule, 0)
    assert verdict.why
    assert bool(verdict.ways) == (level != "none")


def test_try_that_makes_no_sense_is_told(brand):
    page = see(Role.ADMINISTRATOR, brand, brand="acme", right="forgetting", requester="self")

    assert (page.status_code, page.context["verdict"]) == (422, None)
    assert list(page.context["form"].errors) == ["right"]


def test_page_costs_the_same_for_many_versions(brand, django_assert_max_num_queries):
    for _each in range(12):
        give_policy(brand, {"default": 1})
    client = signed_in(staff(Role.ADMINISTRATOR, brand))
    client.get(PAGE)

    with django_assert_max_num_queries(40) as counted:
        client.get(PAGE)

    assert sum('"identity_identitypolicy"' in one["sql"] for one in counted.captured_queries) == 2
