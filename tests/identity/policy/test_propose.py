"""What evidence amounts to, and what is proposed next."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from identity.policy.combine import Evidence, Worth, combined, counting, hoped, reached
from identity.policy.propose import propose
from identity.policy.rules import Requirement
from identity.providers.base import About, Factor, Intrusiveness, Level, Need, Performer
from tests.identity.policy import strategies
from tests.identity.policy.strategies import NOW


def method(code: str, factor: Factor, takes: Intrusiveness, need: Need, alone: Level, beside: Level) -> About:
    return About(code, code, "", Performer.CUSTOMER, factor, takes, frozenset({need}), alone, beside)


CODE = method("code", Factor.CHANNEL, Intrusiveness.ADDRESS_HELD, Need.EMAIL, Level.LOW, Level.SUBSTANTIAL)
SMS = method("sms", Factor.CHANNEL, Intrusiveness.ADDRESS_HELD, Need.PHONE, Level.LOW, Level.SUBSTANTIAL)
FACTS = method("facts", Factor.KNOWLEDGE, Intrusiveness.FACTS_HELD, Need.FACTS, Level.LOW, Level.SUBSTANTIAL)
PAPER = method("paper", Factor.DOCUMENT, Intrusiveness.DOCUMENT, Need.CAMERA, Level.HIGH, Level.HIGH)
KNOWN: Mapping[str, About] = {one.code: one for one in (PAPER, FACTS, SMS, CODE)}
EVERYTHING = frozenset(Need)


def evidence(about: About, days: int = 0, *, own: bool = True) -> Evidence:
    return Evidence(about.code, hoped(about), NOW - timedelta(days=days), own)


def needed(level: Level, **fields: object) -> Requirement:
    return replace(Requirement(level, "a-rule"), **fields)  # type: ignore[arg-type]


class TestCombined:
    def test_two_kinds_reach_more_than_one(self) -> None:
        assert combined([hoped(CODE), hoped(FACTS)]) == Level.SUBSTANTIAL

    def test_two_of_a_kind_prove_no_more_than_one(self) -> None:
        assert combined([hoped(CODE), hoped(SMS)]) == Level.LOW

    def test_what_failed_adds_nothing(self) -> None:
        failed = Worth(Factor.KNOWLEDGE, Level.NONE, Level.SUBSTANTIAL)

        assert combined([hoped(CODE), failed]) == Level.LOW

    @given(st.lists(strategies.evidence(), max_size=4), strategies.evidence())
    def test_more_never_proves_less(self, found: list[Evidence], more: Evidence) -> None:
        worths = [one.worth for one in found]

        assert combined([*worths, more.worth]) >= combined(worths)

    @given(st.lists(strategies.evidence(), max_size=4))
    def test_nothing_reaches_what_no_part_of_it_reaches(self, found: list[Evidence]) -> None:
        ceiling = max((one.worth.reaches_with for one in found if one.worth.level), default=Level.NONE)

        assert combined(one.worth for one in found) <= ceiling


class TestReached:
    def test_an_old_result_counts_no_more(self) -> None:
        asked = needed(Level.LOW, holds_days=30)

        assert reached([evidence(CODE, 29)], asked, NOW) == Level.LOW
        assert reached([evidence(CODE, 30)], asked, NOW) == Level.NONE

    def test_an_earlier_request_proves_nothing_where_the_policy_is_silent(self) -> None:
        found = [evidence(CODE), evidence(PAPER, 1, own=False)]

        assert reached(found, needed(Level.HIGH), NOW) == Level.LOW

    def test_an_earlier_request_counts_beside_a_fresh_proof(self) -> None:
        found = [evidence(CODE), evidence(PAPER, 1, own=False)]

        assert reached(found, needed(Level.HIGH, reuse_days=30), NOW) == Level.HIGH

    def test_an_earlier_request_alone_proves_nothing(self) -> None:
        found = [evidence(PAPER, 1, own=False)]

        assert reached(found, needed(Level.HIGH, reuse_days=30), NOW) == Level.NONE

    def test_an_earlier_request_is_reused_for_as_long_as_the_policy_says(self) -> None:
        found = [evidence(CODE), evidence(PAPER, 30, own=False)]

        assert reached(found, needed(Level.HIGH, reuse_days=30), NOW) == Level.LOW

    def test_a_level_is_reached_by_allowed_methods_only(self) -> None:
        asked = needed(Level.HIGH, methods={Level.HIGH: frozenset({"other"})})

        assert reached([evidence(PAPER)], asked, NOW) == Level.SUBSTANTIAL

    @given(st.lists(strategies.evidence(), max_size=4))
    def test_time_alone_never_proves_more(self, found: list[Evidence]) -> None:
        asked = needed(Level.HIGH, reuse_days=100)

        assert reached(found, asked, NOW + timedelta(days=50)) <= reached(found, asked, NOW)


class TestPropose:
    def test_nothing_is_asked_where_enough_is_known(self) -> None:
        proposal = propose(needed(Level.LOW), [evidence(CODE)], KNOWN, EVERYTHING, NOW)

        assert (proposal.is_enough, proposal.methods) == (True, ())

    def test_the_least_intrusive_is_proposed_first(self) -> None:
        proposal = propose(needed(Level.LOW), [], KNOWN, EVERYTHING, NOW)

        assert proposal.methods == (CODE,)

    def test_two_that_take_little_come_before_one_that_takes_much(self) -> None:
        proposal = propose(needed(Level.SUBSTANTIAL), [], KNOWN, EVERYTHING, NOW)

        assert proposal.methods == (CODE, FACTS)

    def test_only_what_is_missing_is_asked_for(self) -> None:
        proposal = propose(needed(Level.SUBSTANTIAL), [evidence(CODE)], KNOWN, EVERYTHING, NOW)

        assert proposal.methods == (FACTS,)

    def test_what_is_not_possible_for_this_person_is_not_proposed(self) -> None:
        there = frozenset({Need.EMAIL, Need.CAMERA})

        assert propose(needed(Level.SUBSTANTIAL), [], KNOWN, there, NOW).methods == (PAPER,)

    def test_what_failed_too_often_is_not_proposed(self) -> None:
        proposal = propose(needed(Level.LOW), [], KNOWN, EVERYTHING, NOW, used_up=frozenset({"code"}))

        assert proposal.methods == (SMS,)

    def test_what_the_policy_does_not_allow_is_not_proposed(self) -> None:
        asked = needed(Level.LOW, methods={Level.LOW: frozenset({"facts"})})

        assert propose(asked, [], KNOWN, EVERYTHING, NOW).methods == (FACTS,)

    def test_what_has_lapsed_is_asked_for_again_and_shown(self) -> None:
        old = evidence(CODE, 100)

        proposal = propose(needed(Level.LOW), [old], KNOWN, EVERYTHING, NOW)

        assert (proposal.methods, proposal.lapsed, proposal.counted) == ((CODE,), (old,), ())

    def test_where_nothing_would_suffice_nothing_is_proposed(self) -> None:
        proposal = propose(needed(Level.HIGH), [], KNOWN, frozenset({Need.EMAIL}), NOW)

        assert (proposal.is_enough, proposal.methods) == (False, ())

    @given(
        st.lists(strategies.methods(), max_size=5, unique_by=lambda method: method.code),
        st.lists(strategies.evidence(), max_size=3),
        strategies.levels,
        st.frozensets(st.sampled_from(Need)),
    )
    def test_what_is_proposed_suffices_and_nothing_that_takes_less_would(
        self, found: list[About], had: list[Evidence], level: Level, there: frozenset[Need]
    ) -> None:
        known = {one.code: one for one in found}
        asked = needed(level)

        proposal = propose(asked, had, known, there, NOW)

        ways = [[one] for one in found] + [
            [one, two] for one in found for two in found if one.code < two.code
        ]
        good = [
            way for way in ways if all(one.needs <= there for one in way) and _reach(way, had, asked) >= level
        ]
        if proposal.methods:
            heaviest = max(one.intrusiveness for one in proposal.methods)
            assert _reach(list(proposal.methods), had, asked) >= level
            assert heaviest == min(max(one.intrusiveness for one in way) for way in good)
        else:
            assert proposal.is_enough or not good


def _reach(way: list[About], had: list[Evidence], asked: Requirement) -> Level:
    worths = [one.worth for one in counting(had, asked, NOW)]
    return combined([*worths, *map(hoped, way)])
