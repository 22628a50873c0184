"""Providers of single sign-on come from the configuration file."""

import json

import pytest

from identity.models import Membership, SignOnProvider, Team, User
from tests.factories.identity import UserFactory

pytestmark = pytest.mark.django_db

FILE = """
teams:
  - {name: Care, serves: []}
sign_on:
  - slug: corp
    name: Example Corp
    issuer: https://login.corp.example/realms/staff
    client_id: desk
    client_secret: {env: SSO_SECRET}
    scopes: [email, groups]
    groups_claim: realm_access.roles
    second_factor: {acr: ["urn:strong"], amr: [mfa, hwk]}
    unknown_people: make
    groups:
      - {group: dsar-handlers, team: Care, role: handler, extra: [approve]}
      - {group: dsar-dpos, team: Care, role: dpo}
"""


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSO_SECRET", "s3cret-of-the-provider")


def test_provider_is_as_the_file_says(apply_text):
    report = apply_text(FILE)

    corp = SignOnProvider.objects.get()
    assert (corp.connection.issuer, corp.connection.client_secret, corp.connection.scopes) == (
        "https://login.corp.example/realms/staff",
        "s3cret-of-the-provider",
        ("openid", "email", "groups"),
    )
    assert (corp.second_factor_acr, corp.second_factor_amr) == (["urn:strong"], ["mfa", "hwk"])
    assert set(corp.groups.values_list("group", "team__name", "role")) == {
        ("dsar-handlers", "Care", "handler"),
        ("dsar-dpos", "Care", "dpo"),
    }
    assert "s3cret" not in json.dumps(report)


def test_twice_is_once(apply_text):
    apply_text(FILE)

    report = apply_text(FILE)

    assert [(one["kind"], one["what"]) for one in report["changes"]] == [
        ("team", "unchanged"),
        ("sign_on", "unchanged"),
    ]


def test_group_that_left_the_file_gives_nothing_any_more(apply_text):
    apply_text(FILE)

    apply_text(FILE.replace("      - {group: dsar-dpos, team: Care, role: dpo}\n", ""))

    assert list(SignOnProvider.objects.get().groups.values_list("group", flat=True)) == ["dsar-handlers"]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("team: Care, role: dpo", "team: Car, role: dpo", "there is no team “Car”"),
        ("role: dpo", "role: boss", "there is no role “boss”"),
        ("https://login", "http://login", "it must be https"),
        ("unknown_people: make", "unknown_people: welcome", "there is no word “welcome”"),
        ("{env: SSO_SECRET}", "in-the-open", "a secret does not stand in this file"),
    ],
)
def test_mistake_is_told_and_nothing_is_changed(apply_text, right, wrong, said):
    report = apply_text(FILE.replace(right, wrong))

    assert (report["code"], SignOnProvider.objects.count()) == (1, 0)
    assert said in report["problems"][0]["message"]


def test_memberships_of_the_file_leave_those_of_groups_alone(apply_text):
    apply_text(FILE)
    corp, care, person = SignOnProvider.objects.get(), Team.objects.get(), UserFactory.create()
    Membership.objects.create(team=care, user=person, role="handler", granted_by=corp)

    apply_text(
        f"staff:\n  - {{email: {person.email}, name: Ada, memberships: [{{team: Care, role: auditor}}]}}\n"
    )
    apply_text(f"staff:\n  - {{email: {person.email}, name: Ada, memberships: []}}\n")

    assert list(User.objects.get().memberships.values_list("role", flat=True)) == ["handler"]
