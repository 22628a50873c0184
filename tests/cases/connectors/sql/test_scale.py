"""A million rows: nothing reads them from end to end unless the test of the connection said so beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlalchemy as sa

from cases.connectors.base import Check, Identifier, Match
from cases.connectors.sql.connector import SQLConnector
from cases.connectors.sql.matching import Finder, traits_of
from cases.connectors.sql.query import Search
from tests.cases.connectors.sql.conftest import MariaSource, Source
from tests.cases.connectors.sql.test_postgresql import EMAIL, KEY, describe, refer

MILLION = 1_000_000
TABLES = (
    "CREATE TABLE people (id int PRIMARY KEY, email varchar(50), no varchar(20));"
    "CREATE TABLE calls (id int PRIMARY KEY, person_id int, note varchar(50));"
    "INSERT INTO people SELECT {n}, concat('P', {n}, '@Shop.test'), concat('C', {n}) FROM {people};"
    "INSERT INTO calls SELECT {n}, {n} / 10, 'called' FROM {calls};"
)
DATASET = describe(
    {
        "people": {"id": KEY, "email": EMAIL, "no": {"identity": "external_id"}},
        "calls": {"id": KEY, "person_id": refer("people.id"), "note": {}},
    }
)
WANTED = [Identifier("email", "p7000@shop.test"), Identifier("external_id", "C7001")]


def statements(connector: SQLConnector, matches: list[Match]) -> Callable[[sa.Connection], Iterator[str]]:
    """Return what names the tables that finding or collecting would read from end to end."""

    def look(connection: sa.Connection) -> Iterator[str]:
        source, dialect = connector._bind(connection), connector._dialect
        people, calls = source.collections["people"], source.collections["calls"]
        search = Search.begin(source, dialect, matches)
        made = [Finder(people, traits_of(people.collection, WANTED), dialect).statement]
        for name in ("people", "calls"):
            for after in (None, ["70000"]):
                page, count = search.page(name, after, 2000), search.count(name)
                assert page is not None
                assert count is not None
                made += [page.statement, count]
        for statement in made:
            for bound in (people, calls):
                if dialect.scans(connection, statement, bound.table):
                    yield bound.collection.name

    return look


def examine(source: Source | MariaSource) -> tuple[Check, list[str], list[str]]:
    connector = source.connect(DATASET)
    assert isinstance(connector, SQLConnector)
    check, matches = connector.check(), list(connector.find(WANTED))
    read = connector._run(lambda connection: list(statements(connector, matches)(connection)))
    page = connector.collect(matches, None)
    connector.close()
    return check, read, sorted({record.type for record in page.records})


def test_postgresql_says_beforehand_what_it_would_read_whole(make_source: Callable[[str], Source]) -> None:
    people, calls = (f"generate_series(1, {count}) AS n" for count in (MILLION // 10, MILLION))
    source = make_source(TABLES.format(n="n", people=people, calls=calls))
    source.execute("ANALYZE people; ANALYZE calls")

    before, _, _ = examine(source)
    source.execute(
        "CREATE INDEX ON people (lower(trim(email))); CREATE INDEX ON people (no); CREATE INDEX ON calls (person_id)"
    )
    after, read, found = examine(source)

    assert [warning.partition(":")[0] for warning in before.warnings] == [
        f"{column} has no index that serves the search"
        for column in ("people.email", "people.no", "calls.person_id")
    ]
    assert 'CREATE INDEX ON "people" (lower(trim("email")))' in before.warnings[0]
    assert "all of some 1,000,000 rows" in before.warnings[2]
    assert (after.warnings, read, found) == ((), [], ["calls", "people"])


def test_mariadb_says_beforehand_what_it_would_read_whole(make_maria: Callable[[str], MariaSource]) -> None:
    people, calls = (f"seq_1_to_{count}" for count in (MILLION // 10, MILLION))
    source = make_maria(TABLES.format(n="seq", people=people, calls=calls))
    source.execute("ANALYZE TABLE people; ANALYZE TABLE calls")

    before, _, _ = examine(source)
    source.execute(
        "CREATE INDEX a ON people (email); CREATE INDEX b ON people (no); CREATE INDEX c ON calls (person_id);"
        "ANALYZE TABLE people; ANALYZE TABLE calls"
    )
    after, read, found = examine(source)

    assert [warning.partition(":")[0] for warning in before.warnings] == [
        f"{column} has no index that serves the search"
        for column in ("people.email", "people.no", "calls.person_id")
    ]
    assert "CREATE INDEX email_dsar ON `people` (`email`)" in before.warnings[0]
    assert (after.warnings, read, found) == ((), [], ["calls", "people"])


def test_small_tables_are_not_worth_a_word(make_source: Callable[[str], Source]) -> None:
    series = "generate_series(1, 9999) AS n"
    source = make_source(TABLES.format(n="n", people=series, calls=series))
    source.execute("ANALYZE people; ANALYZE calls")
    connector = source.connect(DATASET)

    check = connector.check()

    connector.close()
    assert check.warnings == ()
