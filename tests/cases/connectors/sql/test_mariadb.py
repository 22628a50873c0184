"""What is peculiar to MariaDB as a source; what all databases share is tested on PostgreSQL and by the contract."""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Callable

import pytest

from cases.connectors.base import (
    EXTERNAL_ID,
    PHONE,
    AuthError,
    ConfigurationError,
    Connector,
    Identifier,
    PermissionDenied,
    SchemaDrift,
    TimedOut,
    Transient,
    Unreachable,
)
from tests.cases.connectors.sql.conftest import MariaSource
from tests.cases.connectors.sql.test_postgresql import EMAIL, KEY, collect, describe, refer, refs, walk

MakeMaria = Callable[[str], MariaSource]

PEOPLE = "CREATE TABLE people (id int PRIMARY KEY, email varchar(100)); INSERT INTO people VALUES (1, 'ada@shop.test')"
PEOPLE_DATASET = describe({"people": {"id": KEY, "email": EMAIL}})


def found_by(connector: Connector, kind: str, values: list[str]) -> list[list[str]]:
    found = [[match.ref for match in connector.find([Identifier(kind, value)])] for value in values]
    connector.close()
    return found


# --- Letters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", ["", "COLLATE utf8mb4_bin", "CHARACTER SET latin1", "CHARACTER SET utf8mb3"])
def test_find_tells_accents_apart_and_passes_over_case_and_blanks(make_maria: MakeMaria, more: str) -> None:
    source = make_maria(
        f"CREATE TABLE people (id int PRIMARY KEY, email varchar(99) {more});"
        "INSERT INTO people VALUES (1, 'zoe@shop.test'), (2, 'zo\u00eb@shop.test'), (3, ' Zoe@Shop.test ');"
        "INSERT INTO people VALUES (4, NULL), (5, '')"
    )
    connector = source.connect(PEOPLE_DATASET)

    found = found_by(connector, "email", ["ZOE@shop.test", "Zo\u00cb@shop.test", "zoe%", "zo_@shop.test"])

    assert found == [["people/1", "people/3"], ["people/2"], [], []]


def test_find_compares_text_number_letter_by_letter(make_maria: MakeMaria) -> None:
    source = make_maria(
        "CREATE TABLE people (id int PRIMARY KEY, no varchar(20));"
        "INSERT INTO people VALUES (1, 'Ab-1'), (2, 'ab-1'), (3, 'Ab-1 '), (4, '\u00c4b-1')"
    )
    connector = source.connect(describe({"people": {"id": KEY, "no": {"identity": "external_id"}}}))

    found = found_by(connector, EXTERNAL_ID, ["Ab-1", "ab-1", "AB-1"])

    assert found == [["people/1"], ["people/2"], []]


def test_find_compares_phone_by_digits(make_maria: MakeMaria) -> None:
    source = make_maria(
        "CREATE TABLE people (id int PRIMARY KEY, phone varchar(40));"
        "INSERT INTO people VALUES (1, '+44 (20) 7946-0001'), (2, '0044.20.79460001'), (3, '020 7946 0001'), (4, NULL)"
    )
    connector = source.connect(describe({"people": {"id": KEY, "phone": {"identity": "phone"}}}))

    found = found_by(connector, PHONE, ["+44 20 7946 0001", "020 7946 0001"])

    assert found == [["people/1", "people/2"], ["people/3"]]


def test_find_compares_unsigned_numbers_and_uuid(make_maria: MakeMaria) -> None:
    own = "6f4f2dd0-0000-4000-8000-00000000000a"
    source = make_maria(
        "CREATE TABLE people (id bigint unsigned PRIMARY KEY, card uuid);"
        f"INSERT INTO people VALUES (18446744073709551615, '{own}'), (1, NULL)"
    )
    dataset = describe({"people": {"id": KEY | {"identity": "external_id"}, "card": {"identity": "card"}}})

    found = [
        found_by(source.connect(dataset), EXTERNAL_ID, ["18446744073709551615", "-1", "1 OR 1=1"]),
        found_by(source.connect(dataset), "card", [own.upper(), own[:8]]),
    ]

    largest = "people/18446744073709551615"
    assert found == [[[largest], [], []], [[largest], []]]


def test_collect_follows_texts_of_different_collations_letter_by_letter(make_maria: MakeMaria) -> None:
    source = make_maria(
        "CREATE TABLE people (no varchar(20) COLLATE utf8mb4_bin PRIMARY KEY, email varchar(100));"
        "CREATE TABLE orders (id int PRIMARY KEY, no varchar(20) CHARACTER SET latin1);"
        "INSERT INTO people VALUES ('C7', 'ada@shop.test'), ('c7', 'bob@shop.test');"
        "INSERT INTO orders VALUES (1, 'C7'), (2, 'c7'), (3, NULL), (4, '')"
    )
    tables = {"people": {"no": KEY, "email": EMAIL}, "orders": {"id": KEY, "no": refer("people.no")}}

    records = collect(source.connect(describe(tables)), "email", "ada@shop.test")

    assert [record.data for record in records] == [
        {"no": "C7", "email": "ada@shop.test"},
        {"id": 1, "no": "C7"},
    ]


# --- Values and keys ----------------------------------------------------------------------------------------------


def test_collect_keeps_values_without_loss(make_maria: MakeMaria) -> None:
    columns = {
        "amount": ("decimal(30,10)", "12345678901234567890.1"),
        "born": ("date", "'0000-00-00'"),
        "seen": ("timestamp(3) NULL", "'2024-07-01 10:00:00.5'"),
        "made": ("datetime(6)", "'2024-07-01 12:00:00.000001'"),
        "span": ("time", "'800:00:01'"),
        "photo": ("blob", "x'00ff'"),
        "doc": ("json", """'{"a": [1, null, "\u00e9"]}'"""),
        "flag": ("tinyint(1)", "true"),
        "bits": ("bit(3)", "b'101'"),
        "mood": ("enum('sad','glad')", "'glad'"),
        "tags": ("set('x','y','z')", "'z,x'"),
        "big": ("bigint unsigned", "18446744073709551615"),
        "rate": ("double", "0.1"),
        "made_in": ("year", "2024"),
        "ip": ("inet6", "'2001:db8::1'"),
        "id": ("uuid", "'6f4f2dd0-0000-4000-8000-00000000000a'"),
        "none": ("datetime", "NULL"),
    }
    kinds = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
    values = ", ".join(value for _, value in columns.values())
    source = make_maria(
        f"SET sql_mode = '', time_zone = '+00:00'; CREATE TABLE people (email varchar(100) PRIMARY KEY, {kinds});"
        f"INSERT INTO people VALUES ('ada@shop.test', {values})"
    )
    dataset = describe({"people": {"email": KEY | EMAIL, **{name: {} for name in columns}}})

    records = collect(source.connect(dataset), "email", "ada@shop.test")

    assert json.loads(json.dumps(records[0].data)) == {
        "email": "ada@shop.test",
        "amount": "12345678901234567890.1000000000",
        "born": "0000-00-00",
        "seen": "2024-07-01T10:00:00.500+00:00",
        "made": "2024-07-01T12:00:00.000001",
        "span": "800:00:01",
        "photo": {"$base64": "AP8="},
        "doc": {"a": [1, None, "\u00e9"]},
        "flag": 1,
        "bits": 5,
        "mood": "glad",
        "tags": ["x", "z"],
        "big": 18446744073709551615,
        "rate": 0.1,
        "made_in": 2024,
        "ip": "2001:db8::1",
        "id": "6f4f2dd0-0000-4000-8000-00000000000a",
        "none": None,
    }


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint unsigned", "(0), (3000000000), (18446744073709551615)"),
        ("varchar(20)", "('a'), ('B'), ('z\u00e4'), ('a b'), ('%s'), ('''')"),
        ("uuid", "('6f4f2dd0-0000-4000-8000-00000000000a'), ('00000000-0000-4000-8000-00000000000b')"),
        ("date", "('1999-12-31'), ('2000-01-01')"),
        ("datetime(6)", "('2024-03-31 01:00:00.000001'), ('2024-03-31 01:00:00.000002')"),
        ("timestamp(6)", "('2024-03-31 01:00:00.000001'), ('2024-03-31 01:00:00.000002')"),
        ("decimal(40,20)", "(0.1), (0.10000000000000000001), (12345678901234567890)"),
        ("double", "(0.1), (1e300), (0.30000000000000004)"),
        ("binary(2)", "(x'00ff'), (x'0100'), (x'0000')"),
        ("enum('sad','glad')", "('sad'), ('glad')"),
        ("time", "('-01:00:00'), ('10:00:00'), ('800:00:00')"),
    ],
)
def test_collect_pages_by_key_of_any_type(make_maria: MakeMaria, kind: str, values: str) -> None:
    source = make_maria(
        f"CREATE TABLE things (k {kind} PRIMARY KEY, email varchar(50) DEFAULT 'ada@shop.test');"
        f"INSERT INTO things (k) VALUES {values}"
    )
    dataset = describe({"things": {"k": KEY, "email": EMAIL}})

    pages = walk(source.connect(dataset, page_size=1), "email", "ada@shop.test")
    at_once = walk(source.connect(dataset), "email", "ada@shop.test")

    one_by_one = [(record.ref, record.data) for page in pages for record in page.records]
    assert one_by_one == [(record.ref, record.data) for record in at_once[0].records]
    assert len({ref for ref, _ in one_by_one}) == at_once[0].expected_total == len(pages)


def test_collect_keeps_equal_rows_and_reads_views(make_maria: MakeMaria) -> None:
    source = make_maria(
        "CREATE TABLE visits (email varchar(50), page varchar(50), extra json);"
        """INSERT INTO visits VALUES ('ada@shop.test', 'a', '{"a": [1]}'), ('ada@shop.test', 'a', '{"a": [1]}'),"""
        "('ada@shop.test', NULL, NULL), ('ada@shop.test', '', NULL), ('bob@shop.test', 'a', NULL);"
        "CREATE VIEW seen AS SELECT * FROM visits"
    )
    dataset = describe({name: {"email": EMAIL, "page": {}, "extra": {}} for name in ("visits", "seen")})

    small = collect(source.connect(dataset, page_size=1), "email", "ada@shop.test")
    large = collect(source.connect(dataset), "email", "ada@shop.test")

    assert refs(small) == refs(large)
    assert len(set(refs(small))) == 8


# --- What goes wrong ----------------------------------------------------------------------------------------------


def ask(connector: Connector) -> None:
    try:
        connector.find([Identifier("email", "ada@shop.test")])
    finally:
        connector.close()


def test_find_names_what_is_missing(make_maria: MakeMaria) -> None:
    source = make_maria(PEOPLE)
    other = describe({"others": {"id": KEY, "email": EMAIL}})
    wider = describe({"people": {"id": KEY, "email": EMAIL, "name": {}}})

    with pytest.raises(SchemaDrift) as table:
        ask(source.connect(other))
    with pytest.raises(SchemaDrift) as column:
        ask(source.connect(wider))

    assert table.value.params == {"what": f"the table “others” in the schema “{source.schema}”"}
    assert column.value.params == {"what": "the column “name” of the table “people”"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_find_tells_wrong_address_from_wrong_account(make_maria: MakeMaria) -> None:
    source = make_maria(PEOPLE)

    with pytest.raises(Unreachable):
        ask(source.connect(PEOPLE_DATASET, host="/nonexistent/socket"))
    # The driver forgets to close a socket that leads nowhere.
    gc.collect()
    with pytest.raises(AuthError):
        ask(source.connect(PEOPLE_DATASET, password="wrong"))
    with pytest.raises((ConfigurationError, PermissionDenied)):
        ask(source.connect(PEOPLE_DATASET, database="no_such_database"))


def test_find_gives_up_on_slow_source(make_maria: MakeMaria) -> None:
    source = make_maria("CREATE VIEW people AS SELECT 1 AS id, CONCAT('ada@shop.test', SLEEP(60)) AS email")

    with pytest.raises(TimedOut) as caught:
        ask(source.connect(PEOPLE_DATASET, statement_timeout=1))

    assert caught.value.params == {"where": " to read people"}


def test_connector_survives_a_lost_connection(make_maria: MakeMaria) -> None:
    source = make_maria(PEOPLE)
    connector = source.connect(PEOPLE_DATASET)
    connector.find([Identifier("email", "ada@shop.test")])
    source.execute(f"KILL CONNECTION USER {source.reader}@localhost")

    with pytest.raises(Transient):
        connector.find([Identifier("email", "ada@shop.test")])
    again = connector.find([Identifier("email", "ada@shop.test")])

    connector.close()
    assert [match.ref for match in again] == ["people/1"]


def test_check_says_who_and_warns_of_account_that_may_write(make_maria: MakeMaria) -> None:
    source = make_maria(PEOPLE)
    connector = source.connect(PEOPLE_DATASET)
    quiet = connector.check()
    source.execute(f"GRANT UPDATE ON {source.schema}.people TO {source.reader}@localhost")

    loud = connector.check()

    connector.close()
    assert (quiet.account, quiet.server.partition(" ")[0], quiet.warnings) == (
        f"{source.reader}@localhost",
        "MariaDB",
        (),
    )
    assert loud.warnings == ("The account may change people; one that may only read is enough and safer.",)


def test_collect_holds_back_unknown_columns(make_maria: MakeMaria) -> None:
    source = make_maria(
        "CREATE TABLE people (id int PRIMARY KEY, email varchar(100), score int, note text, photo longblob, extra json,"
        " hidden int); INSERT INTO people VALUES (1, 'ada@shop.test', 7, REPEAT('x', 20000), x'00ff', '[1]', 5)"
    )
    source.execute(
        f"REVOKE ALL ON {source.schema}.* FROM {source.reader}@localhost;"
        f"GRANT SELECT (id, email, score, note, photo, extra) ON {source.schema}.people TO {source.reader}@localhost"
    )
    connector = source.connect(PEOPLE_DATASET)

    records = collect(connector, "email", "ada@shop.test")

    assert records[0].data == {"id": 1, "email": "ada@shop.test"}
    assert records[0].unclassified == {
        "score": 7,
        "note": {"bytes": 20000, "sha256": hashlib.sha256(b"x" * 20000).hexdigest()},
        "photo": {"bytes": 2, "sha256": "06eb7d6a69ee19e5fbdf749018d3d2abfa04bcbd1365db312eb86dc7169389b8"},
        # Whoever may read some columns only is not told that this one holds documents.
        "extra": "[1]",
    }
