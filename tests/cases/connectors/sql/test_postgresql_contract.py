"""The contract, kept on a schema with all that is awkward: keys of two columns, of text and none, and others' rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import psycopg
import pytest

from cases.connectors.base import Record, Setup
from cases.connectors.conformance.kit import Aspect, ConnectorContract, NotClaimed, Trouble, World
from tests.cases.connectors.sql.conftest import Source

TABLES = """
CREATE TABLE people (id bigint PRIMARY KEY, email text, phone text, name text, agent_id int, loyalty_score int);
CREATE TABLE agents (id int PRIMARY KEY, name text, email text);
CREATE TABLE aliases (address text PRIMARY KEY, person_id bigint);
CREATE TABLE lines (order_no int, line_no int, person_id bigint, item text, PRIMARY KEY (order_no, line_no));
CREATE TABLE visits (person_id bigint, page text);
CREATE TABLE letters (id uuid PRIMARY KEY, agent_id int, text text);
INSERT INTO agents VALUES (7, 'Agent Kim', 'kim@desk.test'), (8, 'Agent Lee', 'lee@desk.test');
INSERT INTO people VALUES (1, ' Ada.Example@shop.test', '+44 20 7946 0001', 'Ada Example', 7, 12),
    (2, 'bob@shop.test', '+44 20 7946 0002', 'Bob Sample', 8, 99),
    (3, NULL, NULL, 'Nobody Atall', 7, 1), (4, '', '', 'Blank Smith', 7, 1),
    (5, 'ada.example@shop.test', NULL, 'A. Second Entry', 7, 1);
INSERT INTO aliases VALUES ('ada@old.test', 1), ('bobby@old.test', 2);
INSERT INTO lines VALUES (1, 1, 1, 'kettle'), (1, 2, 1, 'teapot'), (2, 1, 1, 'cup'), (2, 2, 2, 'harpoon');
INSERT INTO visits VALUES (1, '/home'), (1, '/home'), (1, NULL), (1, ''), (2, '/basket-of-bob');
INSERT INTO letters VALUES ('6f4f2dd0-0000-4000-8000-000000000001', 7, 'to another customer of Agent Kim');
"""

DATASET = """
dataset:
  - fides_key: shop
    name: Shop
    data_subjects: [customer]
    data_categories: [user.content]
    collections:
      - name: people
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - {name: phone, data_categories: [user.contact.phone_number], fides_meta: {identity: phone_number}}
          - {name: name, data_categories: [user.name]}
          - {name: agent_id, data_categories: [system.operations]}
      - name: agents
        data_subjects: [employee]
        fields:
          - name: id
            fides_meta: {primary_key: true, references: [{dataset: shop, field: people.agent_id, direction: from}]}
          - {name: name}
          - {name: email}
      - name: aliases
        fields:
          - {name: address, data_categories: [user.contact.email], fides_meta: {primary_key: true}}
          - {name: person_id, fides_meta: {references: [{dataset: shop, field: people.id, direction: from}]}}
      - name: lines
        fields:
          - {name: order_no, fides_meta: {primary_key: true}}
          - {name: line_no, fides_meta: {primary_key: true}}
          - {name: person_id, fides_meta: {references: [{dataset: shop, field: people.id, direction: from}]}}
          - {name: item}
      - name: visits
        fields:
          - {name: person_id, fides_meta: {references: [{dataset: shop, field: people.id, direction: from}]}}
          - {name: page}
      - name: letters
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: agent_id, fides_meta: {references: [{dataset: shop, field: agents.id, direction: from}]}}
          - {name: text}
"""


NO_THROTTLE = "A database answers or breaks off; it asks nobody to come back later."


class TestPostgreSQLConnector(ConnectorContract):
    connector = "postgresql"
    not_claimed: ClassVar[NotClaimed] = {
        Aspect.ARCHIVE: "A table has no archive of its own; archived rows are rows.",
        Trouble.FILTER_IGNORED: "The connector writes the condition, and a database keeps it.",
        Trouble.LIMIT_WITH_WAIT: NO_THROTTLE,
        Trouble.LIMIT_WITHOUT_WAIT: NO_THROTTLE,
        Trouble.LIMIT_AS_FORBIDDEN: NO_THROTTLE,
        Trouble.ERROR_IN_SUCCESS: "The protocol tells errors from rows.",
    }

    @pytest.fixture(autouse=True)
    def _fill(self, make_source: Callable[[str], Source]) -> None:
        self.source = make_source(TABLES)

    def world(self) -> World:
        return World(
            subject="ada.example@shop.test",
            spellings=("ADA.EXAMPLE@SHOP.TEST", "  Ada.Example@shop.test\n"),
            near_misses=(
                "a%@shop.test",
                "ada_example@shop.test",
                "x' OR '1'='1",
                "ada.example@shop.test.uk",
                "NULL",
            ),
            phone="+44 20 7946 0001",
            phone_spellings=("0044 (20) 7946-0001", "442079460001"),
            duplicate_marks=("A. Second Entry",),
            stranger="bob@shop.test",
            stranger_marks=("Bob Sample", "harpoon", "/basket-of-bob", "bobby@old.test"),
            confidential=(
                self.source.password,
                "not-the-password",
                "ada.example@",
                "ada@old.test",
                "teapot",
                "Bob S",
            ),
            records={"people": 2, "aliases": 1, "lines": 3, "visits": 4, "agents": 1},
            third_parties=("agents",),
            unknown_fields={"people": ("loyalty_score",)},
        )

    def way_in(self, *, page_size: int = 1000, wrong_secret: bool = False) -> Setup:
        password = "not-the-password" if wrong_secret else self.source.password
        return Setup(self.source.options(page_size=page_size), {"password": password}, DATASET)

    def misbehave(self, trouble: Trouble) -> None:
        assert trouble is Trouble.KEY_REVOKED
        tables = f'ALL TABLES IN SCHEMA "{self.source.schema}"'
        with psycopg.connect(self.source.admin, autocommit=True) as connection:
            connection.execute(f'REVOKE SELECT ON {tables} FROM "{self.source.reader}"')

    def behave(self) -> None:
        self.source.execute("SELECT 1")  # Which grants reading again.

    def change_while_paging(self, taken: Sequence[Record]) -> None:
        last = taken[-1].data
        self.source.execute(
            f"DELETE FROM lines WHERE order_no = {last['order_no']} AND line_no = {last['line_no']};"
            "INSERT INTO lines VALUES (9, 1, 1, 'saucer')"
        )

    def fill(self, count: int, size: int) -> None:
        self.source.execute(
            f"INSERT INTO lines SELECT 100, n, 1, repeat('x', {size}) FROM generate_series(1, {count}) AS n"
        )
