"""Which rule decides, and what nobody can change about it."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given

from identity.policy.form import house
from identity.policy.rules import Asked, Policy, Rule, When
from identity.policy.words import MARKETING, RIGHTS, DataKind, Requester
from identity.providers.base import Level
from tests.identity.policy import strategies


@given(strategies.policies, strategies.rules, strategies.questions)
def test_another_rule_never_makes_anything_laxer(policy: Policy, rule: Rule, asked: Asked) -> None:
    matched = any(one.when.matches(asked) for one in policy.rules)
    more = replace(policy, rules=(*policy.rules, rule))

    assert more.require(asked).level >= policy.require(asked).level or not matched


@given(strategies.policies, strategies.questions)
def test_the_order_of_the_rules_does_not_change_the_level(policy: Policy, asked: Asked) -> None:
    turned = replace(policy, rules=tuple(reversed(policy.rules)))

    assert turned.require(asked).level == policy.require(asked).level


@given(strategies.policies, strategies.questions)
def test_the_rule_that_is_named_matches_and_none_that_matches_asks_for_more(
    policy: Policy, asked: Asked
) -> None:
    found = policy.require(asked)
    matching = {rule.name: rule for rule in policy.rules if rule.when.matches(asked)}

    if matching:
        assert matching[found.rule].level == found.level == max(rule.level for rule in matching.values())
        assert {found.rule, *found.also} == set(matching)
    else:
        assert (found.rule, found.level) == ("nothing-matched", Level.HIGH)


def test_among_equals_the_one_that_limits_the_methods_decides() -> None:
    loose = Rule("loose", Level.HIGH)
    narrow = Rule("narrow", Level.HIGH, methods={Level.HIGH: frozenset({"staff_recorded"})})

    assert Policy((loose, narrow)).require(Asked("access")).rule == "narrow"


def test_what_nobody_declared_is_an_ordinary_account() -> None:
    rule = Rule("account", Level.SUBSTANTIAL, When(data=frozenset({DataKind.ORDINARY})))

    assert Policy((rule,)).require(Asked("access")).rule == "account"


def test_where_no_rule_matches_the_house_decides() -> None:
    only = Rule("only-erasure", Level.LOW, When(rights=frozenset({"erasure"})))

    found = Policy((only,), version=3, fall_back=house()).require(Asked("access"))

    assert (found.rule, found.version, found.level) == ("account-file", 0, Level.SUBSTANTIAL)


@pytest.mark.parametrize(
    ("asked", "rule", "level"),
    [
        (Asked(MARKETING, new_address=True), "marketing", Level.NONE),
        (Asked("complaint"), "complaint", Level.NONE),
        (Asked("objection"), "nothing-leaves", Level.LOW),
        (Asked("access", frozenset({DataKind.LOW_RISK})), "low-risk", Level.LOW),
        (Asked("access"), "account-file", Level.SUBSTANTIAL),
        (Asked("objection", new_address=True), "changed-contact", Level.SUBSTANTIAL),
        (Asked("erasure", frozenset({DataKind.FINANCIAL})), "sensitive-change", Level.SUBSTANTIAL),
        (Asked("access", frozenset({DataKind.LOW_RISK, DataKind.FINANCIAL})), "sensitive-copy", Level.HIGH),
        (Asked("access", frozenset({DataKind.SPECIAL_CATEGORY})), "sensitive-copy", Level.HIGH),
        (
            Asked("portability", frozenset({DataKind.LOW_RISK}), new_address=True),
            "whole-file-elsewhere",
            Level.HIGH,
        ),
        (
            Asked("access", frozenset({DataKind.LOW_RISK}), Requester.SOLICITOR),
            "somebody-else-asks",
            Level.SUBSTANTIAL,
        ),
    ],
)
def test_the_house_follows_the_usual_levels(asked: Asked, rule: str, level: Level) -> None:
    found = house().require(asked)

    assert (found.rule, found.level) == (rule, level)


@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("requester", list(Requester))
@pytest.mark.parametrize("kind", list(DataKind))
def test_the_house_knows_every_case(right: str, requester: Requester, kind: DataKind) -> None:
    found = house().require(Asked(right, frozenset({kind}), requester))

    assert found.rule != "nothing-matched"
    assert found.why


class TestPatience:
    def test_the_policy_may_be_shorter_than_the_law(self) -> None:
        found = Policy((), give_up_after_days=14).patience(date(2026, 11, 3), date(2026, 12, 2))

        assert (found.give_up_on, found.is_cut_by_law) == (date(2026, 11, 17), False)

    def test_the_policy_is_never_longer_than_the_law(self) -> None:
        found = Policy((), give_up_after_days=60).patience(date(2026, 11, 3), date(2026, 12, 2))

        assert (found.give_up_on, found.is_cut_by_law) == (date(2026, 12, 2), True)

    def test_without_a_day_of_the_law_the_policy_decides(self) -> None:
        found = Policy((), give_up_after_days=60).patience(date(2026, 11, 3), None)

        assert found.give_up_on == date(2027, 1, 2)

    def test_no_reminder_comes_after_the_end(self) -> None:
        found = Policy((), remind_after_days=(7, 14), give_up_after_days=10).patience(date(2026, 11, 3), None)

        assert found.remind_on == (date(2026, 11, 10),)

    def test_the_end_is_proposed_days_before_the_laws_own(self) -> None:
        found = Policy((), give_up_after_days=60).patience(date(2026, 11, 3), date(2026, 12, 2))

        assert found.propose_on == date(2026, 11, 29)

    def test_the_policys_own_day_needs_no_days_before(self) -> None:
        found = Policy((), give_up_after_days=14).patience(date(2026, 11, 3), date(2026, 12, 2))

        assert found.propose_on == date(2026, 11, 17)

    def test_nothing_is_proposed_on_the_day_of_the_question(self) -> None:
        found = Policy(()).patience(date(2026, 12, 1), date(2026, 12, 2))

        assert found.propose_on == date(2026, 12, 2)
