"""A configuration file is applied whole or not at all, and twice is once."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cases.models import Instruction, SourceSystem
from cases.workflow.reminders import USUAL, policy_of
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.lib.tenancy import unit_of_work
from identity.access import all_controllers
from identity.assurance import policy_in_force
from identity.models import Controller, IdentityPolicy, Membership, TeamController, User
from identity.roles import Permission
from tests.factories.cases import DATASET

pytestmark = pytest.mark.django_db

DESK = """
controllers:
  - slug: acme
    name: Acme
    legal_name: Acme Trading Limited
    privacy_email: privacy@acme.example
    regime: UK-ENG
    identity: {rules: [{name: all, level: low}, {name: erasing, when: {right: erasure}, level: substantial}]}
    statement: {purposes: To deliver what you order, recipients: [Carriers]}
    instruction: {release: allow, "erase:erasure": ask}
    sources:
      - slug: shop
        name: Shop
        connector: postgresql
        options: {host: localhost, database: shop, user: reader}
        secrets: {password: {env: SHOP_PASSWORD}}
        dataset: shop.yml
        test_persons: [ada@example.com]
teams:
  - {name: Care, serves: [acme]}
staff:
  - email: Hanna@Desk.example
    name: Hanna Handler
    memberships:
      - {team: Care, role: handler, extra: [approve], withheld: [correct]}
"""


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop.yml").write_text(DATASET)
    monkeypatch.setenv("SHOP_PASSWORD", "s3cret-of-the-shop")


@pytest.fixture
def everything() -> Any:
    """See all rows, as the command does; the controllers of this test are known by then."""
    return lambda: unit_of_work(all_controllers())


def what_became(report: dict[str, Any]) -> dict[str, str]:
    return {f"{each['kind']} {each['name']}": each["what"] for each in report["changes"]}


ALL = {
    "controller acme",
    "identity policy of acme",
    "instruction of acme",
    "source acme/shop",
    "team Care",
    "staff hanna@desk.example",
}


def test_apply_creates_everything_that_the_file_names(apply_text, everything):
    report = apply_text(DESK)

    assert (report["code"], what_became(report)) == (0, dict.fromkeys(ALL, "created"))
    with everything():
        controller = Controller.objects.get(slug="acme")
        source = SourceSystem.objects.get(slug="shop")
        member = User.objects.get(email="hanna@desk.example")
        policy = policy_in_force(controller.pk)
        assert (policy.version, policy.content["rules"][1]["name"]) == (1, "erasing")
        assert controller.statement == {"purposes": ["To deliver what you order"], "recipients": ["Carriers"]}
        assert Instruction.objects.get().rules == {"release": "allow", "erase:erasure": "ask"}
        assert (source.options["host"], source.secrets) == ("localhost", {"password": "s3cret-of-the-shop"})
        assert source.dataset == DATASET
        assert member.access.allows(Permission.APPROVE, controller.pk)
        assert not member.access.allows(Permission.CORRECT, controller.pk)
        assert not member.has_usable_password()


def test_apply_twice_changes_nothing(apply_text, everything):
    apply_text(DESK)

    report = apply_text(DESK)

    assert (report["code"], what_became(report)) == (0, dict.fromkeys(ALL, "unchanged"))


def test_apply_dry_run_says_what_it_would_do_and_does_nothing(apply_text, everything):
    report = apply_text(DESK, "--dry-run")

    assert (report["applied"], what_became(report)) == (False, dict.fromkeys(ALL, "created"))
    assert (all_controllers(), User.objects.count()) == ([], 0)


def test_apply_names_what_changed_and_leaves_the_rest(apply_text, everything, monkeypatch):
    apply_text(DESK.replace("    regime:", "    target_days: 14\n    regime:"))
    monkeypatch.setenv("SHOP_PASSWORD", "another-s3cret")

    report = apply_text(DESK.replace("name: Acme\n", "name: Acme Stores\n"))

    changed = {each["name"]: each["fields"] for each in report["changes"] if each["what"] == "updated"}
    assert changed == {"acme": ["name"], "acme/shop": ["secrets"]}
    assert "another-s3cret" not in json.dumps(report)
    with everything():
        assert Controller.objects.get(slug="acme").target_days == 14


def test_apply_sets_when_staff_are_warned(apply_text, everything):
    apply_text(DESK.replace("    regime:", "    reminders: {before_due: [10, 2], pause: 21}\n    regime:"))

    with everything():
        policy = policy_of(Controller.objects.get(slug="acme"))
    assert policy == replace(USUAL, before_due=[10, 2], pause=21)


def test_apply_issues_a_new_instruction_only_for_other_rules(apply_text, everything):
    apply_text(DESK)
    apply_text(DESK.replace("release: allow", "release: forbid"))
    apply_text(DESK.replace("release: allow", "release: forbid"))

    with everything():
        issued = {each.version: each.rules["release"] for each in Instruction.objects.all()}

    assert issued == {1: "allow", 2: "forbid"}


def test_apply_issues_a_new_identity_policy_only_for_other_rules(apply_text, everything):
    apply_text(DESK)
    stricter = DESK.replace("name: all, level: low", "name: all, level: high")
    apply_text(stricter)
    apply_text(stricter.replace("{name: all, level: high}", "{level: high, name: all, when: {}}"))

    with everything():
        issued = {each.version: each.content["rules"][0]["level"] for each in IdentityPolicy.objects.all()}

    assert issued == {1: "low", 2: "high"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("level: lwo", "there is no level “lwo”. There are high, low, none, substantial."),
        ("level: low, methods: {low: [crystal_ball]}", "there is no method “crystal_ball”."),
        ("level: high, methods: {high: [email_code]}", "email_code cannot reach the level “high”"),
        ("level: low, hold_days: 3", "there is no such key here. Did you mean “holds_days”?"),
    ],
)
def test_apply_says_what_is_wrong_with_an_identity_policy_and_where(apply_text, wrong, said):
    report = apply_text(DESK.replace("name: all, level: low", f"name: all, {wrong}"))

    (problem,) = report["problems"]
    assert said in problem["message"]
    assert (problem["line"], problem["place"].startswith("controllers[0].identity.rules[0]")) == (8, True)


def test_apply_ends_memberships_and_services_that_the_file_dropped(apply_text, everything):
    apply_text(DESK)
    apply_text(
        "teams: [{name: Care, serves: []}]\n"
        "staff: [{email: hanna@desk.example, name: Hanna Handler, memberships: []}]\n"
    )

    with everything():
        assert (TeamController.objects.count(), Membership.objects.count()) == (0, 0)
        assert Controller.objects.get().slug == "acme"


def test_apply_gives_a_first_password_and_never_replaces_one(apply_text, everything, monkeypatch):
    monkeypatch.setenv("FIRST", "a long first phrase")
    with_password = DESK.replace("name: Hanna Handler\n", "name: Hanna Handler\n    password: {env: FIRST}\n")
    apply_text(with_password)
    monkeypatch.setenv("FIRST", "a quite different phrase")

    report = apply_text(with_password)

    assert what_became(report)["staff hanna@desk.example"] == "unchanged"
    assert User.objects.get().check_password("a long first phrase")


def test_apply_records_ids_and_codes_without_names_or_secrets(apply_text, everything):
    apply_text(DESK)

    with everything():
        events = list(AuditEvent.objects.values_list("action", "actor_kind", "data"))

    actions = sorted(action for action, _kind, _data in events)
    assert actions == sorted(
        [Action.CONFIGURATION_APPLIED] * 4
        + [Action.IDENTITY_POLICY_ISSUED, Action.INSTRUCTION_ISSUED, Action.SOURCE_CHANGED]
    )
    assert {kind for _action, kind, _data in events} == {"operator"}
    assert not [data for *_rest, data in events if "s3cret" in str(data) or "hanna" in str(data).lower()]


WRONG = {
    "regime: UK-ENG": ("regime: UK-EGN", 7, "controllers[0].regime", "Did you mean “UK-ENG”?"),
    "    regime: UK-ENG": ("    regime: CH", 7, "controllers[0].regime", "no letter could be written"),
    "regime: UK-ENG\n": ("regime: UK-ENG\n    region: BY\n", 8, "controllers[0].region", "no region “BY”"),
    "    name: Acme\n": ("    nmae: Acme\n", 4, "controllers[0].nmae", "Did you mean “name”?"),
    "connector: postgresql": (
        "connector: postgres",
        14,
        "controllers[0].sources[0].connector",
        "“postgresql”?",
    ),
    "role: handler": ("role: hadnler", 25, "staff[0].memberships[0].role", "Did you mean “handler”?"),
    "serves: [acme]": ("serves: [acne]", 20, "teams[0].serves[0]", "Did you mean “acme”?"),
    "{team: Care, role": ("{team: Cars, role", 25, "staff[0].memberships[0].team", "Did you mean “Care”?"),
    "release: allow": ("relase: allow", 10, "controllers[0].instruction.relase", "Did you mean “release”?"),
    "{env: SHOP_PASSWORD}": (
        "hunter2",
        16,
        "controllers[0].sources[0].secrets.password",
        "does not stand in this",
    ),
    "env: SHOP_PASSWORD": ("env: NOWHERE", 16, "controllers[0].sources[0].secrets.password", "Set NOWHERE"),
    "dataset: shop.yml": ("dataset: gone.yml", 17, "controllers[0].sources[0].dataset", "cannot be read"),
    "host: localhost": ("hots: localhost", 12, "controllers[0].sources[0]", "no option “hots”"),
    "legal_name: Acme Trading Limited": ("legal_name: no", 5, "controllers[0].legal_name", "must be text"),
    "privacy@acme.example": ("nowhere", 6, "controllers[0].privacy_email", "valid email"),
    "ada@example.com": ("{phone: none}", 18, "controllers[0].sources[0].test_persons[0]", "cannot be read"),
}


@pytest.mark.parametrize("right", WRONG)
def test_apply_refuses_the_mistake_with_its_place_and_changes_nothing(right, apply_text, everything):
    wrong, line, place, said = WRONG[right]

    report = apply_text(DESK.replace(right, wrong))

    problem = next(each for each in report["problems"] if each["place"] == place)
    assert (report["code"], report["applied"]) == (1, False)
    assert (problem["file"], problem["line"]) == ("desk.yaml", line)
    assert said in problem["message"]
    assert "hunter2" not in json.dumps(report)
    assert (all_controllers(), User.objects.count(), AuditEvent.objects.count()) == ([], 0, 0)


def test_apply_tells_all_mistakes_of_one_kind_at_once(apply_text):
    text = DESK.replace("regime: UK-ENG", "regime: X").replace("role: handler", "role: boss")

    report = apply_text(text)

    assert [each["line"] for each in report["problems"]] == [7, 25]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("teams: [\n", 2, "not YAML"),
        ("teams: []\nteams: []\n", 2, "given twice"),
        ("- a\n", 1, "must hold controllers"),
        ("teams:\n  - {name: A, serves: []}\n  - {name: A, serves: []}\n", 3, "described twice"),
    ],
)
def test_apply_refuses_a_file_that_cannot_be_meant(text, line, said, apply_text):
    report = apply_text(text)

    assert (report["code"], [each["line"] for each in report["problems"]]) == (1, [line])
    assert said in report["problems"][0]["message"]


def test_apply_of_no_file_is_wrong_usage(tmp_path):
    with pytest.raises(CommandError) as refused:
        call_command("apply", str(tmp_path / "none.yaml"))

    assert refused.value.returncode == 2
