"""The examples of docs/identity.md are policies that can be applied, and mean what is written beside them."""

import re
from pathlib import Path

import pytest
import yaml

from identity.policy.form import PolicyEntry, RuleEntry, WhenEntry, policy_of
from identity.policy.rules import Asked, Policy
from identity.policy.words import MARKETING, RIGHTS, DataKind, Requester
from identity.providers import registry
from identity.providers.base import Level

PAGE = (Path(__file__).parents[3] / "docs" / "identity.md").read_text(encoding="utf-8")
FOUND = re.findall(r"### (.+?)\n.*?```yaml\n(.*?)```", PAGE, re.DOTALL)
SHOP, SUPPLIER, BANK, CLINIC = (
    policy_of(yaml.safe_load(text)["identity"], number) for number, (_name, text) in enumerate(FOUND, 1)
)
ORDINARY, MONEY, HEALTH = DataKind.ORDINARY, DataKind.FINANCIAL, DataKind.SPECIAL_CATEGORY


def level(policy: Policy, right: str, *data: DataKind, **fields: object) -> Level:
    return policy.require(Asked(right, frozenset(data), **fields)).level  # type: ignore[arg-type]


def test_there_are_four_kinds_of_business() -> None:
    assert [name for name, _text in FOUND] == [
        "A shop with a newsletter",
        "An energy supplier",
        "A bank",
        "A clinic",
    ]


@pytest.mark.parametrize("policy", [SHOP, SUPPLIER, BANK, CLINIC])
def test_nobody_shows_who_they_are_to_be_left_alone(policy: Policy) -> None:
    assert level(policy, MARKETING, MONEY, new_address=True) == Level.NONE


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (level(SHOP, "access", DataKind.LOW_RISK), Level.LOW),
        (level(SHOP, "erasure"), Level.LOW),
        (level(SUPPLIER, "access", MONEY), Level.SUBSTANTIAL),
        (level(SUPPLIER, "restriction"), Level.LOW),
        (level(SUPPLIER, "access", new_address=True), Level.HIGH),
        (level(BANK, "access", MONEY), Level.HIGH),
        (level(BANK, "objection", MONEY), Level.SUBSTANTIAL),
        (level(BANK, "objection", MONEY, requester=Requester.SOLICITOR), Level.HIGH),
        (level(CLINIC, "access", DataKind.LOW_RISK), Level.LOW),
        (level(CLINIC, "access", DataKind.LOW_RISK, HEALTH), Level.HIGH),
        (level(CLINIC, "access"), Level.HIGH),
    ],
)
def test_an_example_asks_for_what_it_says(found: Level, wanted: Level) -> None:
    assert found == wanted


def test_the_page_names_every_word_of_the_language() -> None:
    told = set(re.findall(r"`([a-z_.]+)`", PAGE))
    keys = {*PolicyEntry.model_fields, *RuleEntry.model_fields} - {"when", "call_check"}
    keys |= {f"when.{name}" for name in WhenEntry.model_fields}

    assert keys | {*RIGHTS, *DataKind, *Requester} | set(registry.BUILT_IN) - {"drill"} <= told
