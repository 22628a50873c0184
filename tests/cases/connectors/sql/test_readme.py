"""The rights that the README asks for are enough to check, to read, and to plan and make changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import psycopg

import cases.connectors.sql
from cases.connectors.base import Identifier
from cases.connectors.changes import Outcome, Verb, Wish
from cases.connectors.sql.connector import SQLConnector
from tests import mariadb
from tests.cases.connectors.sql.conftest import MariaSource, Source
from tests.cases.connectors.sql.test_postgresql import EMAIL, KEY, describe, refer

README = Path(cases.connectors.sql.__file__).with_name("README.md")
TABLES = (
    "CREATE TABLE customers (id int PRIMARY KEY, email varchar(50), phone varchar(50), agent_id int);"
    "CREATE TABLE orders (id int PRIMARY KEY, customer_id int, FOREIGN KEY (customer_id) REFERENCES customers (id));"
    "CREATE TABLE agents (id int PRIMARY KEY, name varchar(50));"
    "INSERT INTO customers VALUES (1, 'ada@shop.test', NULL, 7); INSERT INTO orders VALUES (10, 1);"
    "INSERT INTO agents VALUES (7, 'Kim')"
)
DATASET = describe(
    {
        "customers": {"id": KEY, "email": EMAIL, "phone": {"identity": "phone"}, "agent_id": {}},
        "orders": {"id": KEY, "customer_id": refer("customers.id")},
        "agents": {"id": KEY | refer("customers.agent_id"), "name": {}},
    },
    agents=["employee"],
)


def grants(mark: str) -> list[str]:
    """Return the statements of the blocks in which an account is made in this way, but for the making itself."""
    blocks = re.findall(r"```sql\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks if block.startswith(mark) for line in block.strip().splitlines()]
    return [line.rstrip(";") for line in lines if line.startswith("GRANT")]


def erase(connector: SQLConnector) -> tuple[tuple[str, ...], int, list[str], list[Outcome]]:
    """Check, collect, and delete the customer with the order; return what each of it showed."""
    check = connector.check()
    page = connector.collect(connector.find([Identifier("email", "ada@shop.test")]), None)
    wishes = [Wish(ref, Verb.DELETE, ref, ref.partition("/")[0]) for ref in ("customers/1", "orders/10")]
    plan = connector.plan(wishes)
    outcomes = [connector.apply(action).outcome for action in plan.actions]
    connector.close()
    return check.warnings, len(page.records), [one.remedy for one in plan.blockers], outcomes


EVERYTHING = ((), 3, [], [Outcome.DONE, Outcome.DONE])


def test_rights_for_postgresql_are_enough(make_source: Callable[[str], Source]) -> None:
    source = make_source(TABLES)
    source.administer(f'REVOKE ALL ON ALL TABLES IN SCHEMA "{source.schema}" FROM "{source.reader}"')
    with psycopg.connect(source.admin, autocommit=True) as connection:
        connection.execute(f'SET search_path TO "{source.schema}"')
        for line in grants("CREATE ROLE"):
            named = line.replace("dsar_reader", source.reader).replace("dsar_eraser", source.eraser)
            connection.execute(named.replace("SCHEMA public", f'SCHEMA "{source.schema}"'))

    assert erase(source.connect_to_change(DATASET)) == EVERYTHING


def test_rights_for_mariadb_are_enough(make_maria: Callable[[str], MariaSource]) -> None:
    source = make_maria(TABLES)
    source.execute(f"REVOKE ALL ON {source.schema}.* FROM {source.reader}@localhost")
    with mariadb.connect(source.socket) as connection, connection.cursor() as cursor:
        for line in grants("CREATE USER"):
            named = line.replace("dsar_reader", source.reader).replace("dsar_eraser", source.eraser)
            cursor.execute(named.replace("@'%'", "@localhost").replace("shop.", f"{source.schema}."))

    assert erase(source.connect_to_change(DATASET)) == EVERYTHING


def test_readme_grants_something() -> None:
    assert (len(grants("CREATE ROLE")), len(grants("CREATE USER"))) == (4, 6)
