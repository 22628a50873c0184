"""What every method of establishing who asks keeps, as tests.

A method's tests derive a class from IdentityMethodContract, say whom it is tried on, and what right and wrong answers
are. Each test here fails for a method that breaks what it is named after.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from identity.providers import registry
from identity.providers.base import (
    JSON,
    Context,
    Intrusiveness,
    Level,
    Method,
    NotPossible,
    Person,
    Setup,
    State,
    Step,
    Waits,
)

NOW = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)
Given = Mapping[str, JSON]


class IdentityMethodContract(ABC):
    """Derive from this, name the class Test…, and give the method, people and answers."""

    setup = Setup()

    @abstractmethod
    def method(self) -> type[Method]:
        """The class that is tried."""

    @abstractmethod
    def person(self) -> Person:
        """Somebody for whom the method is possible, with all of their data filled in."""

    @abstractmethod
    def nobody(self) -> Person | None:
        """Somebody for whom it is not possible; None where it always is."""

    @abstractmethod
    def right(self, begun: Step) -> Sequence[Given]:
        """The answers, in order, that lead from the first step to the best result."""

    @abstractmethod
    def wrong(self, begun: Step) -> Sequence[Given]:
        """Answers, in order, of somebody who is not the person."""

    # --- Help --------------------------------------------------------------------------------------------------

    def context(self, now: datetime = NOW) -> Context:
        return Context(now, b"k" * 32, timedelta(minutes=10), lambda below: 123_456 % below)

    def made(self) -> Method:
        return self.method().create(self.setup)

    def begun(self) -> Step:
        return self.made().begin(self.person(), self.context())

    def walk(self, answers: Sequence[Given], begun: Step) -> Step:
        """The last step of these answers; each from a new instance, its state through JSON, as it is kept."""
        step = begun
        for given in answers:
            state = _through_json(step.state)
            step = self.made().step(state, given, self.person(), self.context())
        return step

    # --- What it says of itself --------------------------------------------------------------------------------

    def test_is_found_under_its_code_or_offered_by_a_package(self) -> None:
        about = self.method().about

        assert registry.BUILT_IN.get(about.code, "").endswith(f":{self.method().__name__}") or (
            about.code not in registry.BUILT_IN
        )

    def test_says_what_it_is(self) -> None:
        about = self.method().about

        assert about.code.isidentifier()
        assert about.code == about.code.lower()
        assert len(about.code) <= 30
        assert about.name
        assert about.intrusiveness in Intrusiveness
        assert about.tries >= 1
        assert about.needs

    def test_together_with_another_it_reaches_no_less_than_alone(self) -> None:
        about = self.method().about

        assert Level.NONE < about.reaches <= about.reaches_with

    # --- What it does ------------------------------------------------------------------------------------------

    def test_the_right_answers_reach_its_level(self) -> None:
        begun = self.begun()

        result = self.walk(self.right(begun), begun).result

        assert result is not None
        assert result.level == self.method().about.reaches

    def test_wrong_answers_reach_nothing(self) -> None:
        begun = self.begun()

        result = self.walk(self.wrong(begun), begun).result

        assert result is None or result.level == Level.NONE

    def test_the_beginning_has_no_result(self) -> None:
        assert self.begun().result is None

    def test_an_empty_answer_reaches_nothing(self) -> None:
        result = self.walk([{}], self.begun()).result

        assert result is None or result.level == Level.NONE

    def test_a_result_is_given_once(self) -> None:
        begun = self.begun()
        answers = list(self.right(begun))

        again = self.walk([*answers, answers[-1]], begun)

        assert again.result is None or again.result.level == Level.NONE

    def test_an_open_step_says_who_acts(self) -> None:
        begun = self.begun()

        assert begun.waits_for in Waits

    def test_what_expires_is_worth_nothing_afterwards(self) -> None:
        begun = self.begun()
        if begun.expires_at is None:
            pytest.skip("nothing in it expires")

        late = self.context(begun.expires_at)
        step = self.made().step(begun.state, self.right(begun)[0], self.person(), late)

        assert step.result is not None
        assert step.result.level == Level.NONE

    def test_cannot_begin_without_what_it_needs(self) -> None:
        nobody = self.nobody()
        if nobody is None:
            pytest.skip("it is always possible")

        with pytest.raises(NotPossible) as refused:
            self.made().begin(nobody, self.context())

        assert refused.value.need in self.method().about.needs

    # --- What it keeps -----------------------------------------------------------------------------------------

    def test_the_same_gives_the_same(self) -> None:
        begun = self.begun()
        given = self.wrong(begun)[0]
        made = self.made()

        first = made.step(begun.state, given, self.person(), self.context())
        second = made.step(begun.state, given, self.person(), self.context())

        assert begun == self.begun()
        assert first == second

    def test_a_state_is_plain_json_and_is_not_changed(self) -> None:
        begun = self.begun()
        before = json.dumps(begun.state)

        self.made().step(begun.state, self.right(begun)[0], self.person(), self.context())

        assert json.dumps(begun.state) == before
        assert _through_json(begun.state) == begun.state

    def test_nothing_personal_is_shown_by_repr_or_put_on_record(self) -> None:
        begun = self.begun()
        last = self.walk(self.right(begun), begun)
        shown = f"{begun!r} {last!r} {self.person()!r} {self.context()!r}"

        leaked = [value for value in _personal(self.person()) if value in shown]

        assert leaked == []
        assert all(
            isinstance(value, str | int | bool)
            for value in (last.result.codes if last.result else {}).values()
        )

    def test_the_beginning_tells_nothing_that_is_on_file(self) -> None:
        """What is asked is the same for a person of whom nothing else is known."""
        known, unknown = self.begun(), self.made().begin(self.stranger(), self.context())

        assert [(ask.name, ask.kind, len(ask.choices)) for ask in known.asks] == [
            (ask.name, ask.kind, len(ask.choices)) for ask in unknown.asks
        ]
        assert (known.waits_for, known.problem) == (unknown.waits_for, unknown.problem)

    def stranger(self) -> Person:
        """The same claims by somebody whom no source knows."""
        return replace(self.person(), email_on_file=False, phone_on_file=False)


def _through_json(state: State) -> State:
    kept: State = json.loads(json.dumps(state))
    return kept


def _personal(person: Person) -> list[str]:
    answers = [fact.answer for fact in person.facts]
    return [
        value for value in (person.name, person.email, person.phone, person.birth_date, *answers) if value
    ]
