"""Questions from the record keep the contract; answers are read as people write them; the draw tells nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.providers.base import JSON, Context, Fact, Level, Method, Need, NotPossible, Person, Setup, Step
from identity.providers.record import answers
from identity.providers.record.method import RecordQuestions
from tests.contracts.identity_method_contract import NOW, IdentityMethodContract

QUESTIONS: list[JSON] = [
    {"name": "crm:customer.joined_on", "kind": "month", "text": "When did you join?"},
    {"name": "crm:bill.pounds", "kind": "amount", "text": "How much was your last bill?"},
    {"name": "crm:bill.issued_on", "kind": "month", "text": "When was your last bill?"},
    {"name": "crm:customer.postcode", "kind": "postcode", "text": "Which postcode?"},
    {
        "name": "crm:supply_point.tariff",
        "kind": "choice",
        "text": "Which tariff?",
        "choices": ["Fixed", "Green", "Night", "Plain"],
    },
]
HELD = {
    "crm:customer.joined_on": "2021-03-14",
    "crm:bill.pounds": "54.70",
    "crm:bill.issued_on": "2026-10-02",
    "crm:customer.postcode": "BS1 9ZZ",
    "crm:supply_point.tariff": "Green",
}
RIGHT = {
    "crm:customer.joined_on": "March 2021",
    "crm:bill.pounds": "£54",
    "crm:bill.issued_on": "10/2026",
    "crm:customer.postcode": "bs19zz",
    "crm:supply_point.tariff": "green",
}
WRONG = {
    "crm:customer.joined_on": "April 2021",
    "crm:bill.pounds": "99",
    "crm:bill.issued_on": "11/2026",
    "crm:customer.postcode": "BS2 0AA",
    "crm:supply_point.tariff": "Night",
}
KNOWN = Person(
    name="Ada Example",
    email="ada@example.com",
    facts=tuple(Fact(name, "", value) for name, value in HELD.items()),
)


class TestRecordQuestions(IdentityMethodContract):
    setup = Setup({"questions": QUESTIONS, "ask": 3, "right": 2, "max_level": 1})

    def method(self) -> type[Method]:
        return RecordQuestions

    def person(self) -> Person:
        return KNOWN

    def nobody(self) -> Person | None:
        return None

    def stranger(self) -> Person:
        return Person(name="Mallory", email="mallory@example.com")

    def right(self, begun: Step) -> Sequence[Mapping[str, JSON]]:
        return [{ask.name: RIGHT[ask.name] for ask in begun.asks}, {"looked_up": True, "matches": ["email"]}]

    def wrong(self, begun: Step) -> Sequence[Mapping[str, JSON]]:
        return [{ask.name: WRONG[ask.name] for ask in begun.asks}, {"looked_up": True, "matches": ["email"]}]

    def test_cannot_begin_without_enough_questions(self) -> None:
        made = RecordQuestions.create(Setup({"questions": QUESTIONS[:2], "ask": 3}))

        with pytest.raises(NotPossible) as refused:
            made.begin(KNOWN, self.context())

        assert refused.value.need == Need.FACTS

    def test_what_was_asked_before_is_not_asked_again(self) -> None:
        before = ["crm:customer.joined_on", "crm:customer.postcode"]
        made = RecordQuestions.create(Setup({**self.setup.options, "not_again": [*before]}))

        asked = [one.name for one in made.begin(KNOWN, self.context()).asks]

        assert set(asked) & set(before) == set()

    @pytest.mark.parametrize("drawn", range(30))
    def test_at_most_one_is_asked_that_others_may_know(self, drawn: int) -> None:
        """Whatever chance draws; and never the same twice."""
        context = replace(self.context(), draw=lambda below: (drawn * 7 + below * 3) % below)
        kinds = {str(one["name"]): str(one["kind"]) for one in QUESTIONS if isinstance(one, dict)}

        asked = [one.name for one in self.made().begin(KNOWN, context).asks]

        assert len(set(asked)) == 3
        assert sum(kinds[name] in answers.WEAK for name in asked) <= 1

    @pytest.mark.parametrize(
        ("right", "level"), [(0, Level.NONE), (1, Level.NONE), (2, Level.LOW), (3, Level.LOW)]
    )
    def test_so_many_have_to_be_right(self, right: int, level: Level) -> None:
        begun = self.begun()
        names = [ask.name for ask in begun.asks]
        said: Mapping[str, JSON] = {
            name: (RIGHT if place < right else WRONG)[name] for place, name in enumerate(names)
        }

        result = self.walk([said, {"looked_up": True}], begun).result

        assert result is not None
        assert (result.level, result.codes) == (level, {"asked": 3, "right": right})

    def test_somebody_whom_nobody_knows_fails_as_who_answers_wrongly(self) -> None:
        begun = self.begun()
        answered = self.made().step(begun.state, self.right(begun)[0], Person(), self.context())
        wrong = self.walk(self.wrong(begun), begun)

        unknown = self.made().step(answered.state, {"looked_up": True}, Person(), self.context())

        assert unknown == wrong

    def test_nothing_is_not_the_answer_to_what_is_not_held(self) -> None:
        begun = self.begun()
        names = [ask.name for ask in begun.asks]
        said: Mapping[str, JSON] = {names[0]: RIGHT[names[0]]}
        answered = self.made().step(begun.state, said, Person(), self.context())
        only_one = Person(facts=(Fact(names[0], "", HELD[names[0]]),))

        result = self.made().step(answered.state, {"looked_up": True}, only_one, self.context()).result

        assert result is not None
        assert (result.level, result.codes["right"]) == (Level.NONE, 1)

    def test_the_state_holds_neither_answers_nor_facts(self) -> None:
        begun = self.begun()
        answered = self.made().step(begun.state, self.right(begun)[0], KNOWN, self.context())
        over = self.made().step(
            answered.state, {"looked_up": True, "matches": ["email"]}, KNOWN, self.context()
        )

        kept = f"{answered.state} {over.state}".lower()
        assert [said for said in (*RIGHT.values(), *HELD.values()) if said.lower() in kept] == []
        assert over.state == {"over": True, "matches": ["email"]}

    def test_answers_are_given_once(self) -> None:
        begun = self.begun()
        first = self.made().step(begun.state, self.wrong(begun)[0], KNOWN, self.context())

        second = self.made().step(first.state, self.right(begun)[0], KNOWN, self.context())

        assert second.state == first.state

    def test_answers_of_another_person_or_request_fit_nothing(self) -> None:
        """What is kept is hashed under the key of this very check."""
        begun = self.begun()
        answered = self.made().step(begun.state, self.right(begun)[0], KNOWN, self.context())
        elsewhere = Context(NOW, b"other" * 8, timedelta(minutes=10))

        result = self.made().step(answered.state, {"looked_up": True}, KNOWN, elsewhere).result

        assert result is not None
        assert result.level == Level.NONE

    def test_one_question_is_not_answered_for_another(self) -> None:
        begun = self.begun()
        names = [ask.name for ask in begun.asks]
        turned: Mapping[str, JSON] = {
            name: RIGHT[other] for name, other in zip(names, [*names[1:], names[0]], strict=True)
        }

        result = self.walk([turned, {"looked_up": True}], begun).result

        assert result is None or result.level == Level.NONE

    @pytest.mark.parametrize(
        "options",
        [{"ask": 2, "right": 3}, {"max_level": 3}, {"questions": [{"name": "x", "kind": "riddle"}]}],
    )
    def test_settings_that_cannot_work_are_refused(self, options: dict[str, JSON]) -> None:
        with pytest.raises(ValueError, match=r"."):
            RecordQuestions.create(Setup(options))


@pytest.mark.parametrize(
    ("kind", "said", "read"),
    [
        ("month", "03/2021", "2021-03"),
        ("month", "3.2021", "2021-03"),
        ("month", "14.03.2021", "2021-03"),
        ("month", "2021-03", "2021-03"),
        ("month", "2021-03-14T10:00:00+00:00", "2021-03"),
        ("month", "March 2021", "2021-03"),
        ("month", "14 March 2021", "2021-03"),
        ("month", "März 2021", "2021-03"),
        ("month", "14. Mrz. 2021", "2021-03"),
        ("month", "août 2019", "2019-08"),
        ("month", "juin 2019", "2019-06"),
        ("month", "juillet 2019", "2019-07"),
        ("month", "Mai 2019", "2019-05"),
        ("month", "2021", ""),
        ("month", "13/2021", ""),
        ("month", "in spring", ""),
        ("amount", "£54.70", "54"),
        ("amount", "54,70 €", "54"),
        ("amount", "1.234,50", "1234"),
        ("amount", "1,234.50", "1234"),
        ("amount", "1,234", "1234"),
        ("amount", "about fifty", ""),
        ("amount", "-", ""),
        ("postcode", "bs1 9zz", "BS19ZZ"),
        ("postcode", "20459 ", "20459"),
        ("choice", "  Green  Tariff ", "green tariff"),
        ("choice", "", ""),
    ],
)
def test_answers_are_read_as_people_write_them(kind: str, said: str, read: str) -> None:
    assert answers.read(kind, said) == read


def test_an_amount_may_be_cut_or_rounded() -> None:
    assert answers.accepted("amount", "54.70") == ("54", "55")
    assert answers.accepted("amount", "54.20") == ("54", "54")


@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2099, 12, 31)))
def test_every_month_is_known_however_it_is_written(day: date) -> None:
    wanted = f"{day:%Y-%m}"

    assert {
        answers.read("month", f"{day:{form}}") for form in ("%m/%Y", "%d.%m.%Y", "%Y-%m-%d", "%B %Y", "%b %Y")
    } == {wanted}


@given(st.sampled_from(answers.KINDS), st.text(max_size=60))
def test_whatever_is_typed_is_read_or_not_and_stays_read(kind: str, said: str) -> None:
    read = answers.read(kind, said)

    assert answers.read(kind, read) == read


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_an_amount_is_found_however_it_is_written(amount: object) -> None:
    plain = f"{amount:.2f}"
    forms = [plain, plain.replace(".", ","), f"£{amount:,.2f}", f"{plain} €"]

    assert all(answers.read("amount", form) in answers.accepted("amount", plain) for form in forms)
