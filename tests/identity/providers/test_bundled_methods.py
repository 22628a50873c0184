"""The bundled methods keep the contract, and what is their own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from identity.providers import registry
from identity.providers.base import JSON, Level, Method, Person, Result, Route, Step, Waits
from identity.providers.code.method import EmailCode, SmsCode
from identity.providers.staff.method import Drill, StaffRecorded
from tests.contracts.identity_method_contract import NOW, IdentityMethodContract

ADA = Person(
    name="Ada Example", email="ada@example.com", phone="+447700900123", email_on_file=True, phone_on_file=True
)


class TestEmailCode(IdentityMethodContract):
    def method(self) -> type[Method]:
        return EmailCode

    def person(self) -> Person:
        return ADA

    def nobody(self) -> Person | None:
        return Person(name="Ada Example")

    def right(self, begun: Step) -> Sequence[Mapping[str, JSON]]:
        return [{"code": begun.messages[0].values["code"]}]

    def wrong(self, begun: Step) -> Sequence[Mapping[str, JSON]]:
        return [{"code": "000000"}]

    def test_a_code_to_an_address_that_is_not_on_file_reaches_nothing(self) -> None:
        step = self.made().step(
            self.begun().state,
            {"code": "123456"},
            Person(email="new@example.com", email_on_file=False),
            self.context(),
        )

        assert step.result == Result(Level.NONE, "address_not_on_file")

    def test_the_right_code_waits_for_the_look_up_and_then_reaches_its_level(self) -> None:
        made, unknown = self.made(), Person(email="ada@example.com")

        waiting = made.step(self.begun().state, {"code": "123456"}, unknown, self.context())
        confirmed = made.step(waiting.state, {}, ADA, self.context(NOW + timedelta(days=1)))

        assert (waiting.result, waiting.waits_for) == (None, Waits.EXTERNAL)
        assert confirmed.result == Result(Level.LOW, "code_right")

    def test_a_wrong_code_is_not_saved_by_the_look_up(self) -> None:
        wrong = self.made().step(
            self.begun().state, {"code": "654321"}, Person(email="a@example.com"), self.context()
        )

        confirmed = self.made().step(wrong.state, {}, ADA, self.context())

        assert (wrong.problem, confirmed.problem, confirmed.result) == ("code_wrong", "code_wrong", None)

    def test_blanks_in_a_code_mean_nothing(self) -> None:
        step = self.walk([{"code": " 123 456 "}], self.begun())

        assert step.result == Result(Level.LOW, "code_right")

    def test_the_state_holds_no_code(self) -> None:
        assert "123456" not in str(self.begun().state)


class TestSmsCode(TestEmailCode):
    """The same by another route: it goes by the number, and the address says nothing."""

    def method(self) -> type[Method]:
        return SmsCode

    def test_a_code_to_an_address_that_is_not_on_file_reaches_nothing(self) -> None:
        step = self.made().step(
            self.begun().state,
            {"code": "123456"},
            Person(phone="+447700900999", phone_on_file=False, email_on_file=True),
            self.context(),
        )

        assert step.result == Result(Level.NONE, "address_not_on_file")

    def test_the_message_goes_to_the_telephone(self) -> None:
        assert [message.route for message in self.begun().messages] == [Route.SMS]


class TestStaffRecorded(IdentityMethodContract):
    def method(self) -> type[Method]:
        return StaffRecorded

    def person(self) -> Person:
        return ADA

    def nobody(self) -> Person | None:
        return None

    def right(self, begun: Step) -> Sequence[Mapping[str, JSON]]:
        return [{"evidence": "document_seen", "level": 3}]

    def wrong(self, begun: Step) -> Sequence[Mapping[str, JSON]]:
        return [{"evidence": "call_back", "level": 3}]

    @pytest.mark.parametrize(
        "given",
        [
            {"evidence": "", "level": 1},
            {"evidence": "document_seen", "level": 0},
            {"evidence": "document_seen", "level": 4},
            {"evidence": "document_seen", "level": [3]},
            {"evidence": "document_seen"},
        ],
    )
    def test_incomplete_evidence_is_asked_for_again(self, given: dict[str, Any]) -> None:
        assert self.walk([given], self.begun()).problem == "evidence_incomplete"

    def test_evidence_reaches_no_more_than_its_kind_can(self) -> None:
        step = self.walk([{"evidence": "known_answers", "level": 3}], self.begun())

        assert (step.problem, step.result) == ("evidence_too_weak", None)


class TestDrill(TestStaffRecorded):
    def method(self) -> type[Method]:
        return Drill

    def right(self, begun: Step) -> Sequence[Mapping[str, JSON]]:
        return [{"evidence": "drill", "level": 3}]


def test_a_bundled_method_is_found_by_its_code() -> None:
    assert registry.get("email_code") is EmailCode
    assert registry.get("staff_recorded") is StaffRecorded


def test_an_unknown_method_is_said_to_be_unknown() -> None:
    with pytest.raises(registry.UnknownMethod):
        registry.get("crystal_ball")


class TestOfOthers:
    """Methods that other packages offer by an entry point, as installed packages do."""

    @pytest.fixture(autouse=True)
    def offered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        points = {
            "letter_code": EntryPoint("letter_code", f"{__name__}:LetterCode", registry.ENTRY_POINT_GROUP),
            "email_code": EntryPoint("email_code", f"{__name__}:LetterCode", registry.ENTRY_POINT_GROUP),
            "misnamed": EntryPoint("misnamed", f"{__name__}:LetterCode", registry.ENTRY_POINT_GROUP),
            "missing": EntryPoint("missing", "nowhere.at.all:Method", registry.ENTRY_POINT_GROUP),
        }
        monkeypatch.setattr(
            EntryPoint, "load", lambda point: LetterCode if "nowhere" not in point.value else _broken()
        )
        monkeypatch.setattr(registry, "_offered", lambda: points)
        registry.get.cache_clear()
        registry.known.cache_clear()

    @pytest.fixture(autouse=True)
    def forgotten(self, offered: None) -> Any:
        yield
        registry.get.cache_clear()
        registry.known.cache_clear()

    def test_an_offered_method_is_found(self) -> None:
        assert registry.about("letter_code").name == "Code by letter"

    def test_a_bundled_method_is_never_replaced(self) -> None:
        assert registry.get("email_code") is EmailCode

    @pytest.mark.parametrize("code", ["misnamed", "missing"])
    def test_what_breaks_the_contract_is_unknown(self, code: str) -> None:
        with pytest.raises(registry.UnknownMethod):
            registry.get(code)

    def test_a_broken_package_hides_no_other_method(self) -> None:
        assert set(registry.known()) == {*registry.BUILT_IN, "letter_code"}


class LetterCode(EmailCode):
    about = replace(EmailCode.about, code="letter_code", name="Code by letter")


def _broken() -> None:
    raise ImportError
