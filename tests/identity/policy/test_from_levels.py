"""The levels of before became policies that ask for exactly as much."""

from importlib import import_module

import pytest

from identity.policy.form import policy_of
from identity.policy.rules import Asked
from identity.policy.words import MARKETING, DataKind, Requester

rules = import_module("identity.migrations.0005_policies_from_levels").rules
RIGHTS = import_module("identity.migrations.0005_policies_from_levels").RIGHTS


@pytest.mark.parametrize(
    "levels",
    [
        {},
        {"default": 1, "complaint": 0, "objection": 0},
        {"default": 3},
        {"default": 0, "erasure": 2},
        {"access": 2},
    ],
)
def test_every_right_asks_for_what_it_asked_for(levels: dict[str, int]) -> None:
    policy = policy_of({"rules": rules(levels)}, 1)

    for right in RIGHTS:
        before = levels.get(right, levels.get("default", 1))
        for asked in (Asked(right), Asked(right, frozenset(DataKind), Requester.OTHER, new_address=True)):
            assert policy.require(asked).level == before

    assert policy.require(Asked(MARKETING)).level == 0
