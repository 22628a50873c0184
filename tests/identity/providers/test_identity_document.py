"""The picture of a document keeps the contract, and what is its own."""

from collections.abc import Mapping, Sequence

import pytest

from identity.providers.base import JSON, Level, Method, Person, Result, State, Step, Waits
from identity.providers.document.method import IdentityDocument
from tests.contracts.identity_method_contract import IdentityMethodContract

SENT: State = {"kind": "passport", "pictures": 1}


class TestIdentityDocument(IdentityMethodContract):
    def method(self) -> type[Method]:
        return IdentityDocument

    def person(self) -> Person:
        return Person(
            name="Ada Example", email="ada@example.com", phone="+447700900123", birth_date="1974-08-12"
        )

    def nobody(self) -> Person | None:
        return None

    def right(self, begun: Step) -> Sequence[Mapping[str, JSON]]:
        return [SENT, {"verdict": "accepted", "level": 3}]

    def wrong(self, begun: Step) -> Sequence[Mapping[str, JSON]]:
        return [SENT, {"verdict": "refused", "reason": "other_person"}]

    def after(self, *answers: Mapping[str, JSON]) -> Step:
        return self.walk(answers, self.begun())

    def test_pictures_wait_for_a_person(self) -> None:
        step = self.after(SENT)

        assert (step.waits_for, step.result) == (Waits.STAFF, None)

    def test_the_reason_of_a_refusal_is_kept(self) -> None:
        step = self.after(SENT, {"verdict": "refused", "reason": "expired"})

        assert step.result == Result(Level.NONE, "expired", {"kind": "passport"})

    def test_more_that_is_asked_for_waits_for_the_customer_and_then_for_a_person_again(self) -> None:
        asked = self.after(SENT, {"verdict": "more", "reason": "back_missing"})
        sent = self.after(SENT, {"verdict": "more", "reason": "back_missing"}, {"pictures": 2})

        assert (asked.waits_for, asked.problem, sent.waits_for) == (
            Waits.CUSTOMER,
            "back_missing",
            Waits.STAFF,
        )

    @pytest.mark.parametrize(
        "given",
        [{"pictures": 0, "kind": "passport"}, {"pictures": 1}, {"pictures": 1, "kind": "library_card"}],
    )
    def test_nothing_or_another_paper_is_asked_for_again(self, given: Mapping[str, JSON]) -> None:
        step = self.after(given)

        assert (step.waits_for, step.problem) == (Waits.CUSTOMER, "document_missing")

    @pytest.mark.parametrize("level", [None, 0, "2", 4])
    def test_a_level_that_is_none_is_asked_for_again(self, level: JSON) -> None:
        step = self.after(SENT, {"verdict": "accepted", "level": level})

        assert (step.waits_for, step.problem, step.result) == (Waits.STAFF, "level_missing", None)

    def test_nothing_is_accepted_that_was_not_sent(self) -> None:
        step = self.after({"verdict": "accepted", "level": 2})

        assert (step.waits_for, step.result) == (Waits.CUSTOMER, None)
