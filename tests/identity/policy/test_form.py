"""How a policy is written, and what is said to who makes a mistake."""

from typing import Any

import pytest
from pydantic import ValidationError

from identity.policy.form import HOUSE, PolicyEntry, house, policy_of
from identity.policy.rules import Asked, RecordQuestions
from identity.policy.words import DataKind, Requester
from identity.providers.base import Level

RULE: dict[str, Any] = {"name": "account", "level": "substantial"}


def problems(**written: Any) -> list[str]:
    with pytest.raises(ValidationError) as found:
        policy_of({"rules": [RULE]} | written, 1)
    return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found.value.errors()]


def test_a_policy_is_read() -> None:
    when = {"right": "access", "data": ["financial"], "requester": ["self"], "new_address": True}
    rule = RULE | {
        "when": when,
        "why": "Because.",
        "methods": {"substantial": ["staff_recorded"]},
        "holds_days": 30,
    }

    policy = policy_of({"rules": [rule], "reuse_days": 5}, 4)
    found = policy.require(Asked("access", frozenset({DataKind.FINANCIAL}), Requester.SELF, new_address=True))

    assert (found.level, found.rule, found.why, found.version) == (
        Level.SUBSTANTIAL,
        "account",
        "Because.",
        4,
    )
    assert (found.holds_days, found.reuse_days) == (30, 5)
    assert found.methods == {Level.SUBSTANTIAL: frozenset({"staff_recorded"})}


def test_what_is_stored_reads_the_same() -> None:
    written = {"rules": [RULE | {"when": {"right": "access"}}], "holds_days": 10}

    stored = PolicyEntry.model_validate(written).stored()

    assert policy_of(stored, 2) == policy_of(written, 2)
    assert PolicyEntry.model_validate(stored).stored() == stored


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            {"rules": [RULE | {"level": "hgih"}]},
            "rules.0.level: Value error, there is no level “hgih”. There are high, low, none, substantial.",
        ),
        ({"rules": [RULE | {"colour": "red"}]}, "rules.0.colour: Extra inputs are not permitted"),
        (
            {"rules": [RULE | {"methods": {"high": ["email_code"]}}]},
            "rules.0: Value error, email_code cannot reach the level “high”, alone or together.",
        ),
        ({"rules": [RULE, RULE]}, "Value error, a rule's name is used twice: account."),
        ({"remind_after_days": [14, 7]}, "Value error, the days of reminders stand in rising order."),
        ({"rules": []}, "rules: List should have at least 1 item after validation, not 0"),
        ({"holds_days": 0}, "holds_days: Input should be greater than or equal to 1"),
        ({"holds_days": "7"}, "holds_days: Input should be a valid integer"),
        ({"rules": [RULE | {"when": {"new_address": "perhaps"}}]}, "rules.0.when.new_address"),
        ({"rules": [RULE | {"when": {"data": []}}]}, "rules.0.when.data"),
        (
            {"rules": [RULE | {"when": {"right": ["forgetting"]}}]},
            "rules.0.when.right.0: Value error, there is no",
        ),
        ({"call_check": {"questions": ["One?", "Two?"], "max_level": "high"}}, "call_check.max_level"),
        ({"call_check": {"questions": ["One?"]}}, "call_check.questions"),
        (
            {"record_questions": {"ask": 2, "right": 3}},
            "record_questions: Value error, nobody can give more right answers than there are questions.",
        ),
        ({"record_questions": {"max_level": "high"}}, "record_questions.max_level"),
        ({"record_questions": {"ask": 1}}, "record_questions.ask"),
    ],
)
def test_a_mistake_is_told_with_its_place(written: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in problems(**written))


def test_questions_from_the_record_are_as_written_and_usual_otherwise() -> None:
    written = {"rules": [RULE], "record_questions": {"ask": 4, "max_level": "substantial"}}

    assert policy_of(written, 1).record_questions == RecordQuestions(ask=4, max_level=Level.SUBSTANTIAL)
    assert policy_of({"rules": [RULE]}, 1).record_questions == RecordQuestions()


def test_the_house_has_a_policy_of_its_own() -> None:
    assert HOUSE.exists()
    assert (house().version, house().fall_back) == (0, None)
