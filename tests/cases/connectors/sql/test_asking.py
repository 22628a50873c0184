"""Answers are looked up of one person alone, one value a question."""

from __future__ import annotations

from typing import Any

import pytest

from cases.connectors.base import EMAIL, EXTERNAL_ID, PHONE, Identifier, NotSearchable, Setup
from cases.connectors.questions import Answer, AnswersQuestions, FactKind
from cases.connectors.sql.postgresql import PostgreSQLConnector

DATASET = """
dataset:
  - fides_key: shop
    name: Shop
    description: A shop
    data_subjects: [customer]
    collections:
      - name: customer
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - {name: number, data_categories: [user.unique_id], fides_meta: {identity: external_id}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - {name: phone, data_categories: [user.contact.phone_number], fides_meta: {identity: phone_number}}
          - name: joined_on
            data_categories: [user.account]
            desk_meta: {askable: {kind: month, question: {en: "When did you join us?", de: "Seit wann?"}}}
          - name: plan
            data_categories: [user.account]
            desk_meta: {askable: {kind: choice, question: {en: "Which plan?"}, choices: [S, M, L, XL]}}
      - name: bill
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - name: customer_id
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: shop, field: customer.id, direction: from}]}
          - {name: issued_on, data_categories: [user.financial]}
          - name: pounds
            data_categories: [user.financial]
            desk_meta:
              askable: {kind: amount, question: {en: "How much was your last bill?"}, newest_by: issued_on}
"""
ALL = ["customer.joined_on", "customer.plan", "bill.pounds"]


@pytest.fixture
def source(make_source: Any) -> Any:
    return make_source(
        """
        CREATE TABLE customer (id int PRIMARY KEY, number text, email text, phone text, joined_on date, plan text);
        CREATE TABLE bill (id int PRIMARY KEY, customer_id int, issued_on date, pounds numeric(10, 2));
        INSERT INTO customer VALUES
          (1, 'C1', 'ada@example.com', '020 7946 0001', '2021-03-14', 'M'),
          (2, 'C2', 'bob@example.com', '020 7946 0001', '2019-11-02', NULL),
          (3, 'C3', 'twins@example.com', NULL, '2020-01-01', 'S'),
          (4, 'C4', 'twins@example.com', NULL, '2018-05-05', 'L');
        INSERT INTO bill VALUES
          (10, 1, '2026-09-01', 31.00), (11, 1, '2026-10-01', 54.70), (12, 1, NULL, 99.00),
          (13, 2, '2026-11-01', 12.50);
        """
    )


def facts(source: Any, kind: str, value: str, names: list[str] = ALL) -> list[Answer]:
    connector = source.connect(DATASET)
    assert isinstance(connector, AnswersQuestions)
    try:
        return list(connector.facts(Identifier(kind, value), names))
    finally:
        connector.close()


def test_what_may_be_asked_is_told_without_contacting_anybody() -> None:
    asked = PostgreSQLConnector.questions(Setup({}, {}, DATASET))

    assert [(one.name, one.kind, one.choices) for one in asked] == [
        ("customer.joined_on", FactKind.MONTH, ()),
        ("customer.plan", FactKind.CHOICE, ("S", "M", "L", "XL")),
        ("bill.pounds", FactKind.AMOUNT, ()),
    ]
    assert [one.in_language("de-at") for one in asked[:2]] == ["Seit wann?", "Which plan?"]


@pytest.mark.parametrize(("kind", "value"), [(EMAIL, "ADA@example.com"), (EXTERNAL_ID, "C1")])
def test_facts_of_the_one_person_the_newest_of_several(source: Any, kind: str, value: str) -> None:
    assert facts(source, kind, value) == [
        Answer("customer.joined_on", "2021-03-14"),
        Answer("customer.plan", "M"),
        Answer("bill.pounds", "54.70"),
    ]


def test_what_is_not_held_has_no_answer(source: Any) -> None:
    assert facts(source, EMAIL, "bob@example.com", ["customer.plan", "bill.pounds"]) == [
        Answer("bill.pounds", "12.50")
    ]


@pytest.mark.parametrize(
    ("kind", "value"), [(EMAIL, "nobody@example.com"), (EMAIL, "twins@example.com"), (PHONE, "020 7946 0001")]
)
def test_nobody_and_more_than_one_have_none(source: Any, kind: str, value: str) -> None:
    assert facts(source, kind, value) == []


def test_what_was_not_declared_is_not_told(source: Any) -> None:
    assert (
        facts(source, EMAIL, "ada@example.com", ["customer.email", "bill.issued_on", "nothing.at_all"]) == []
    )


def test_a_kind_that_the_source_does_not_know_is_refused(source: Any) -> None:
    with pytest.raises(NotSearchable):
        facts(source, "passport", "P1")


def test_answers_are_not_shown(source: Any) -> None:
    assert "54.70" not in repr(facts(source, EMAIL, "ada@example.com"))
