"""What proves a record, and what does not, whatever the connector says of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.collection.proof import Proof, Trusted, parsed
from cases.connectors.base import EMAIL, EXTERNAL_ID, PHONE, Identifier, Link, LinkKind, Record, RecordType
from cases.models import RecordDoubt

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TYPES = {
    "people": RecordType("people", frozenset()),
    "orders": RecordType("orders", frozenset(), parents=("people",), keys=frozenset({"tenant", "id"})),
    "lines": RecordType("lines", frozenset(), parents=("orders",)),
}
ADA = (
    Identifier(EMAIL, "ada@example.com"),
    Identifier(PHONE, "+44 20 7946 0000"),
    Identifier(EXTERNAL_ID, "K-1"),
)


def proof(*identifiers: Identifier, **more: Any) -> Proof:
    return Proof(Trusted.of(identifiers or ADA, "GB"), TYPES, **more)


def person(number: int = 1, **keys: Any) -> Record:
    link = Link(LinkKind.IDENTITY, tuple(f"people.{name}" for name in keys), keys)
    return Record(f"people/{number}", "people", link, {"id": number, **keys}, NOW, {})


def order(number: int, person_id: Any, **data: Any) -> Record:
    link = Link(LinkKind.REFERENCE, ("orders.person_id = people.id",), {"person_id": person_id})
    return Record(f"orders/{number}", "orders", link, {"id": number, "person_id": person_id, **data}, NOW, {})


@pytest.mark.parametrize(
    "keys",
    [
        {"email": " ADA@Example.com"},
        {"email": "office@example.com; ada@example.com"},
        {"email": ["office@example.com", "ada@example.com"]},
        {"phone_number": "020 7946 0000"},
        {"phone_number": "0044 (20) 7946-0000"},
        {"external_id": "k-1"},
        {"email": "", "phone_number": "02079460000"},
    ],
)
def test_record_that_bears_an_identifier_is_proved(keys: Any) -> None:
    assert proof().doubt(person(**keys)) is None


@pytest.mark.parametrize(
    "keys",
    [
        {"email": "bob@example.com"},
        {"email": "ada@example.com.au"},
        {"email": None},
        {"phone_number": "020 7946 0001"},
        {"external_id": "K-11"},
        {"name": "ada@example.com"},
        {},
        {"email": "bob@example.com", "phone_number": "020 7946 0000"},
    ],
)
def test_record_that_bears_none_or_another_of_its_own_is_not(keys: Any) -> None:
    assert proof().doubt(person(**keys)) == RecordDoubt.IDENTITY


def test_what_the_record_itself_holds_counts_and_not_what_is_said_of_it() -> None:
    bob = replace(person(email="ada@example.com"), data={"id": 1, "email": "bob@example.com"})

    assert proof().doubt(bob) == RecordDoubt.IDENTITY


def test_identifier_that_was_not_searched_for_proves_nothing() -> None:
    assert proof(ADA[0]).doubt(person(phone_number="+44 20 7946 0000")) == RecordDoubt.IDENTITY


def test_key_of_another_name_is_told_by_its_kind() -> None:
    link = Link(LinkKind.IDENTITY, ("people.mail",), {"mail": "ada@example.com"}, {"mail": EMAIL})

    assert proof().doubt(replace(person(), link=link)) is None


def test_record_that_refers_to_a_collected_one_is_proved() -> None:
    one = proof()
    one.doubt(person(email="ada@example.com"))

    assert [one.doubt(order(1, 1)), one.doubt(order(2, "1")), one.doubt(order(3, [7, 1]))] == [None] * 3


@pytest.mark.parametrize("person_id", [2, None, "", "1 ", True, [], "11"])
def test_record_that_refers_to_another_or_to_nothing_is_not(person_id: Any) -> None:
    one = proof()
    one.doubt(person(email="ada@example.com"))

    assert one.doubt(order(1, person_id)) == RecordDoubt.REFERENCE


def test_record_of_somebody_without_proof_is_nothing_to_refer_to() -> None:
    one = proof()
    one.doubt(person(2, email="bob@example.com"))

    assert one.doubt(order(1, 2)) == RecordDoubt.REFERENCE


def test_proof_that_names_another_key_than_its_way_is_none() -> None:
    one = proof()
    one.doubt(person(email="ada@example.com"))
    link = Link(LinkKind.REFERENCE, ("orders.person_id = people.id",), {"id": 1})

    assert one.doubt(replace(order(1, 1), link=link)) == RecordDoubt.REFERENCE


def test_key_of_several_parts_has_to_be_one_records() -> None:
    """Ada's orders are (a, 1) and (b, 2); a line of the order (a, 2) is somebody else's."""
    one = proof()
    one.doubt(person(email="ada@example.com"))
    one.doubt(order(1, 1, tenant="a"))
    one.doubt(order(2, 1, tenant="b"))
    via = ("lines.tenant = orders.tenant and lines.order_id = orders.id",)
    lines = [
        Record(f"lines/{tenant}", "lines", Link(LinkKind.REFERENCE, via, keys), dict(keys), NOW, {})
        for tenant, number in (("a", 1), ("b", 2), ("a", 2))
        for keys in [{"tenant": tenant, "order_id": number}]
    ]

    assert [one.doubt(line) for line in lines] == [None, None, RecordDoubt.REFERENCE]


def test_match_that_waits_is_not_taken_in_by_what_it_bears() -> None:
    one = proof(doubtful=frozenset({("people", "people/1")}))

    assert one.doubt(person(phone_number="020 7946 0000")) == RecordDoubt.MATCH


def test_what_people_decided_is_kept_to() -> None:
    verdicts = {"people/2": True, "people/3": False}
    one = proof(judged=lambda record: verdicts.get(record.ref), chosen=frozenset({("people", "people/4")}))
    bobs = [person(number, email=f"bob{number}@example.com") for number in (2, 3, 4, 5)]

    kept, doubts = one.sort(bobs)

    assert [record.ref for record in kept] == ["people/2", "people/4"]
    assert [record.ref for record, _why in doubts] == ["people/5"]


@given(st.text(), st.text())
def test_reading_a_way_never_fails(record_type: str, via: str) -> None:
    assert isinstance(parsed(record_type, via), tuple)


@given(st.integers(), st.integers())
def test_only_the_same_key_refers(own: int, other: int) -> None:
    one = proof()
    one.doubt(person(own, email="ada@example.com"))

    assert (one.doubt(order(1, other)) is None) == (own == other)
