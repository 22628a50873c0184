"""A shop with all that is awkward in tables: keys of two columns, of text and none, and others' rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cases.connectors.base import Record, Setup
from cases.connectors.changes import Verb
from cases.connectors.conformance.kit import Aspect, Change, ConnectorContract, NotClaimed, Trouble, World
from tests.cases.connectors.sql.conftest import MariaSource, Source
from tests.cases.connectors.sql.relay import Relay

TABLES = """
CREATE TABLE people (id bigint PRIMARY KEY, email varchar(99), phone varchar(40), name varchar(99), agent_id int,
    loyalty_score int);
CREATE TABLE agents (id int PRIMARY KEY, name varchar(99), email varchar(99));
CREATE TABLE aliases (address varchar(99) PRIMARY KEY, person_id bigint);
CREATE TABLE line_items (order_no int, line_no int, person_id bigint, item text, PRIMARY KEY (order_no, line_no),
    FOREIGN KEY (person_id) REFERENCES people (id));
CREATE TABLE visits (person_id bigint, page varchar(99));
CREATE TABLE letters (id uuid PRIMARY KEY, agent_id int, text text);
INSERT INTO agents VALUES (7, 'Agent Kim', 'kim@desk.test'), (8, 'Agent Lee', 'lee@desk.test');
INSERT INTO people VALUES (1, ' Ada.Example@shop.test', '+44 20 7946 0001', 'Ada Example', 7, 12),
    (2, 'bob@shop.test', '+44 20 7946 0002', 'Bob Sample', 8, 99),
    (3, NULL, NULL, 'Nobody Atall', 7, 1), (4, '', '', 'Blank Smith', 7, 1),
    (5, 'ada.example@shop.test', NULL, 'A. Second Entry', 7, 1);
INSERT INTO aliases VALUES ('ada@old.test', 1), ('bobby@old.test', 2);
INSERT INTO line_items VALUES (1, 1, 1, 'kettle'), (1, 2, 1, 'teapot'), (2, 1, 1, 'cup'), (2, 2, 2, 'harpoon');
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
      - name: line_items
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


class ShopContract(ConnectorContract):
    """The kit on the shop. A kind of database says how it is made, and how it can be made to misbehave."""

    not_claimed: ClassVar[NotClaimed] = {
        Aspect.ARCHIVE: "A table has no archive of its own; archived rows are rows.",
        Trouble.FILTER_IGNORED: "The connector writes the condition, and a database keeps it.",
        Trouble.LIMIT_WITH_WAIT: "A database that has no connection left does not say for how long.",
        Trouble.LIMIT_AS_FORBIDDEN: "A database has one word for having no connection left.",
        Trouble.ERROR_IN_SUCCESS: "The protocol tells errors from rows.",
    }
    source: Source | MariaSource
    relay: Relay

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
                "Ada E",
            ),
            records={"people": 2, "aliases": 1, "line_items": 3, "visits": 4, "agents": 1},
            third_parties=("agents",),
            unknown_fields={"people": ("loyalty_score",)},
            changes=(
                Change(Verb.DELETE, "people", {"id": 5}),
                Change(Verb.SET, "people", {"id": 1}, {"name": "Ada King"}),
                Change(Verb.ANONYMISE, "people", {"id": 1}, {"phone": "erased-phone"}),
            ),
            refused=Change(Verb.DELETE, "people", {"id": 1}),
        )

    def address(self) -> dict[str, object]:
        """Return the options by which the source is reached through the relay."""
        raise NotImplementedError

    def way_in(self, *, page_size: int = 1000, wrong_secret: bool = False) -> Setup:
        secrets = dict(self.source.erase_secrets)
        if wrong_secret:
            secrets["password"] = "not-the-password"
        return Setup(self.source.options(page_size=page_size, **self.address()), secrets, DATASET)

    def writes(self) -> int:
        return self.relay.writes

    def change_while_paging(self, taken: Sequence[Record]) -> None:
        last = taken[-1].data
        self.source.execute(
            f"DELETE FROM line_items WHERE order_no = {last['order_no']} AND line_no = {last['line_no']};"
            "INSERT INTO line_items VALUES (9, 1, 1, 'saucer')"
        )
