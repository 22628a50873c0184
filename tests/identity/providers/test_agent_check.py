"""The agent's check keeps the contract of every method."""

from collections.abc import Mapping, Sequence

import pytest

from identity.providers.base import JSON, Method, Person, Setup, Step
from identity.providers.call.method import AgentCheck
from tests.contracts.identity_method_contract import IdentityMethodContract


class TestAgentCheck(IdentityMethodContract):
    setup = Setup({"questions": ["Which postcode?", "Which month?"], "max_level": 2})

    def method(self) -> type[Method]:
        return AgentCheck

    def person(self) -> Person:
        return Person(name="Ada Example", email="ada@example.com")

    def nobody(self) -> Person | None:
        return None

    def right(self, begun: Step) -> Sequence[Mapping[str, JSON]]:
        return [{"answers": [True, True]}]

    def wrong(self, begun: Step) -> Sequence[Mapping[str, JSON]]:
        return [{"answers": [False, False]}]

    @pytest.mark.parametrize("answers", [None, [], [True], ["yes", "yes"], [1, 1], "truetrue"])
    def test_what_is_no_answer_is_asked_for_again(self, answers: JSON) -> None:
        assert self.walk([{"answers": answers}], self.begun()).problem == "check_incomplete"


@pytest.mark.parametrize("options", [{"max_level": 3}, {"max_level": 0}, {"questions": "Which?"}])
def test_settings_that_cannot_work_are_refused(options: dict[str, JSON]) -> None:
    with pytest.raises(ValueError, match="level of 1 or 2"):
        AgentCheck.create(Setup(options))
