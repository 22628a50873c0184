"""What matches tell, what proves a link, and what is kept apart; and references that are more than one column."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from threading import Thread

import pytest

from cases.connectors.base import EXTERNAL_ID, PHONE, Confidence, Identifier, Match, Transient
from tests.cases.connectors.sql.conftest import Source
from tests.cases.connectors.sql.test_postgresql import EMAIL, KEY, collect, describe, refer, refs

MakeSource = Callable[[str], Source]

PERSON = """
dataset:
  - fides_key: db
    data_subjects: [customer]
    collections:
      - name: people
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - {name: second, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - {name: phone, data_categories: [user.contact.phone_number], fides_meta: {identity: phone}}
          - {name: number, data_categories: [user.unique_id], fides_meta: {identity: external_id}}
          - {name: card, data_categories: [user.unique_id], fides_meta: {identity: Loyalty_Card}}
          - {name: name, data_categories: [user.name]}
          - {name: photo, data_categories: [user.name]}
          - {name: notes, data_categories: [user.content]}
"""
PEOPLE = (
    "CREATE TABLE people (id int PRIMARY KEY, email text, second text, phone text, number int, card text, name text,"
    " photo bytea, notes text);"
    "INSERT INTO people VALUES"
    " (1, 'ada@shop.test', 'ada@old.test', '+44 20 7946 0001', 77, ' L-1 ', 'Ada', '\\x00', 'x'),"
    " (2, 'bob@shop.test', NULL, '+44 20 7946 0001', 78, '', 'Bob', NULL, 'y')"
)


def find(source: Source, *identifiers: tuple[str, str]) -> list[Match]:
    connector = source.connect(PERSON)
    matches = connector.find([Identifier(kind, value) for kind, value in identifiers])
    connector.close()
    return list(matches)


# --- What a match tells -------------------------------------------------------------------------------------------


def test_match_shows_what_tells_people_apart(make_source: MakeSource) -> None:
    matches = find(make_source(PEOPLE), ("email", "ada@shop.test"))

    assert [dict(match.summary) for match in matches] == [
        {
            "name": "Ada",
            "email": "ada@shop.test",
            "second": "ada@old.test",
            "phone": "+44 20 7946 0001",
            "id": 1,
            "number": 77,
        }
    ]


def test_exact_match_reveals_other_identities_of_its_row(make_source: MakeSource) -> None:
    matches = find(make_source(PEOPLE), ("email", "ada@shop.test"))

    assert [match.reveals for match in matches] == [
        (
            Identifier("email", "ada@old.test"),
            Identifier(PHONE, "+44 20 7946 0001"),
            Identifier(EXTERNAL_ID, "77"),
            Identifier("loyalty_card", "L-1"),
        )
    ]


def test_match_by_phone_alone_reveals_nothing(make_source: MakeSource) -> None:
    source = make_source(PEOPLE)

    alone = find(source, ("phone", "+44 20 7946 0001"))
    beside = find(source, ("phone", "+44 20 7946 0001"), ("email", "ada@shop.test"))

    assert [(match.ref, match.reveals) for match in alone] == [("people/1", ()), ("people/2", ())]
    assert [(match.ref, match.confidence, len(match.reveals)) for match in beside] == [
        ("people/1", Confidence.EXACT, 3),
        ("people/2", Confidence.PROBABLE, 0),
    ]


def test_find_by_identity_of_any_name(make_source: MakeSource) -> None:
    source = make_source(PEOPLE.replace("' L-1 '", "'L-1'"))

    found = [[match.ref for match in find(source, ("loyalty_card", value))] for value in ("L-1", "l-1", "L")]

    assert found == [["people/1"], [], []]


# --- What proves a link -------------------------------------------------------------------------------------------


def test_link_names_only_what_bears_it_out(make_source: MakeSource) -> None:
    source = make_source(PEOPLE)
    source.execute("INSERT INTO people (id, email, number, card) VALUES (3, 'ada@shop.test', 99, 'Z')")
    connector = source.connect(PERSON)

    matches = connector.find([Identifier("email", "ada@shop.test"), Identifier(EXTERNAL_ID, "77")])
    page = connector.collect(matches, None)

    connector.close()
    assert {
        record.ref: (dict(record.link.keys), dict(record.link.identifiers)) for record in page.records
    } == {
        "people/1": ({"email": "ada@shop.test", "number": 77}, {"email": "email", "number": "external_id"}),
        "people/3": ({"email": "ada@shop.test"}, {"email": "email"}),
    }


def test_record_has_handle_where_reference_hides_key(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (email text PRIMARY KEY); INSERT INTO people VALUES ('ada@shop.test');"
        "CREATE TABLE cards (id int PRIMARY KEY, email text); INSERT INTO cards VALUES (5, 'ada@shop.test')"
    )
    dataset = describe({"people": {"email": KEY | EMAIL}, "cards": {"id": KEY, "email": EMAIL}})

    records = collect(source.connect(dataset), "email", "ada@shop.test")

    assert {record.type: dict(record.handle) for record in records} == {
        "people": {"key": ["ada@shop.test"]},
        "cards": {},
    }


# --- What is kept apart -------------------------------------------------------------------------------------------


def test_unknown_columns_are_kept_apart_and_measured_when_large(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text, score int, born date, doc jsonb, tags text[], note text,"
        " photo bytea, none bytea);"
        "INSERT INTO people VALUES (1, 'ada@shop.test', 7, '1815-12-10', '{\"a\": 1}', '{x}', repeat('\u00e9', 8000),"
        " '\\x00ff', NULL)"
    )
    connector = source.connect(describe({"people": {"id": KEY, "email": EMAIL}}))

    records = collect(connector, "email", "ada@shop.test")

    long = "\u00e9".encode() * 8000
    assert dict(records[0].data) == {"id": 1, "email": "ada@shop.test"}
    assert dict(records[0].unclassified) == {
        "score": 7,
        "born": "1815-12-10",
        "doc": {"a": 1},
        "tags": ["x"],
        "note": {"bytes": 16000, "sha256": hashlib.sha256(long).hexdigest()},
        "photo": {"bytes": 2, "sha256": hashlib.sha256(b"\x00\xff").hexdigest()},
        "none": None,
    }


def test_unknown_column_that_may_not_be_read_is_named(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text, score int, salary int);"
        "INSERT INTO people VALUES (1, 'ada@shop.test', 7, 100000)"
    )
    table = f'"{source.schema}".people'
    source.administer(f'REVOKE ALL ON {table} FROM "{source.reader}"')
    source.administer(f'GRANT SELECT (id, email, score) ON {table} TO "{source.reader}"')
    connector = source.connect(describe({"people": {"id": KEY, "email": EMAIL}}))

    page = connector.collect(connector.find([Identifier("email", "ada@shop.test")]), None)

    connector.close()
    assert [dict(record.unclassified) for record in page.records] == [{"score": 7}]
    assert dict(page.unknown_fields) == {"people": ("score", "salary")}


def test_unknown_column_dropped_between_calls_stops_nothing(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text, score int);"
        "INSERT INTO people VALUES (1, 'ada@shop.test', 7)"
    )
    connector = source.connect(describe({"people": {"id": KEY, "email": EMAIL}}))
    matches = connector.find([Identifier("email", "ada@shop.test")])
    source.execute("ALTER TABLE people DROP COLUMN score")

    page = connector.collect(matches, None)

    connector.close()
    assert [(record.ref, dict(record.unclassified)) for record in page.records] == [("people/1", {})]


def test_equal_rows_without_key_stay_apart_by_what_is_held_back(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE visits (email text, score int);"
        "INSERT INTO visits SELECT 'ada@shop.test', i FROM generate_series(1, 9) i"
    )
    dataset = describe({"visits": {"email": EMAIL}})

    small = collect(source.connect(dataset, page_size=2), "email", "ada@shop.test")
    large = collect(source.connect(dataset), "email", "ada@shop.test")

    assert sorted(int(str(record.unclassified["score"])) for record in small) == list(range(1, 10))
    assert {one.ref: one.unclassified for one in small} == {one.ref: one.unclassified for one in large}


# --- References of more than one column ---------------------------------------------------------------------------

LINES = (
    "CREATE TABLE people (id int PRIMARY KEY, email text);"
    "CREATE TABLE lines (order_no int, line_no int, person_id int, PRIMARY KEY (order_no, line_no));"
    "CREATE TABLE parcels (id int PRIMARY KEY, order_no int, line_no int{foreign});"
    "INSERT INTO people VALUES (1, 'ada@shop.test'), (2, 'bob@shop.test');"
    "INSERT INTO lines VALUES (1, 1, 1), (2, 2, 1), (1, 2, 2), (2, 1, 2);"
    "INSERT INTO parcels VALUES (1, 1, 1), (2, 2, 2), (3, 1, 2), (4, 2, 1), (5, 1, NULL)"
)


@pytest.mark.parametrize(
    ("foreign", "described"),
    [("", KEY), (", FOREIGN KEY (order_no, line_no) REFERENCES lines", {})],
    ids=["said by the description", "said by the database"],
)
def test_key_of_two_columns_is_followed_whole(
    make_source: MakeSource, foreign: str, described: dict[str, bool]
) -> None:
    source = make_source(LINES.format(foreign=foreign))
    tables = {
        "people": {"id": KEY, "email": EMAIL},
        "lines": {"order_no": described, "line_no": described, "person_id": refer("people.id")},
        "parcels": {"id": KEY, "order_no": refer("lines.order_no"), "line_no": refer("lines.line_no")},
    }

    records = collect(source.connect(describe(tables), page_size=1), "email", "ada@shop.test")

    parcels = [record for record in records if record.type == "parcels"]
    assert refs(parcels) == ["parcels/1", "parcels/2"]
    assert (dict(parcels[0].link.keys), parcels[0].link.via) == (
        {"order_no": 1, "line_no": 1},
        ("parcels.order_no = lines.order_no", "parcels.line_no = lines.line_no"),
    )


def test_two_references_to_one_key_are_two_reasons(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text);"
        "CREATE TABLE orders (id int PRIMARY KEY, billed_to int REFERENCES people, sent_to int REFERENCES people);"
        "INSERT INTO people VALUES (1, 'ada@shop.test'), (2, 'bob@shop.test');"
        "INSERT INTO orders VALUES (1, 1, 2), (2, 2, 1), (3, 2, 2)"
    )
    tables = {
        "people": {"id": KEY, "email": EMAIL},
        "orders": {"id": KEY, "billed_to": refer("people.id"), "sent_to": refer("people.id")},
    }

    records = collect(source.connect(describe(tables)), "email", "ada@shop.test")

    assert refs(records) == ["orders/1", "orders/2", "people/1"]


def test_many_to_many_is_followed_through_its_table(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text); CREATE TABLE groups (id int PRIMARY KEY, name text);"
        "CREATE TABLE membership (person_id int, group_id int, PRIMARY KEY (person_id, group_id));"
        "INSERT INTO people VALUES (1, 'ada@shop.test'), (2, 'bob@shop.test');"
        "INSERT INTO groups VALUES (1, 'tea'), (2, 'coffee'), (3, 'water');"
        "INSERT INTO membership VALUES (1, 1), (1, 2), (2, 2), (2, 3)"
    )
    tables = {
        "people": {"id": KEY, "email": EMAIL},
        "membership": {"person_id": KEY | refer("people.id"), "group_id": KEY},
        "groups": {"id": KEY | refer("membership.group_id"), "name": {}},
    }

    records = collect(source.connect(describe(tables), page_size=2), "email", "ada@shop.test")

    assert refs(records) == ["groups/1", "groups/2", "membership/1,1", "membership/1,2", "people/1"]


# --- What goes wrong in the middle --------------------------------------------------------------------------------


def test_connection_lost_in_the_middle_of_a_page(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text); INSERT INTO people VALUES (1, 'ada@shop.test');"
        "CREATE VIEW slow AS SELECT id AS person_id, pg_sleep(30)::text AS note FROM people"
    )
    tables = {"people": {"id": KEY, "email": EMAIL}, "slow": {"person_id": refer("people.id"), "note": {}}}
    connector = source.connect(describe(tables))
    matches = connector.find([Identifier("email", "ada@shop.test")])
    killer = Thread(target=_kill_sleeper, args=(source,))
    killer.start()

    with pytest.raises(Transient):
        connector.collect(matches, None)

    killer.join()
    assert connector.find([Identifier("email", "ada@shop.test")]) == matches
    connector.close()


def _kill_sleeper(source: Source) -> None:
    """Wait until the page is being read, and break its connection."""
    source.administer(
        "DO $$ BEGIN LOOP"
        " PERFORM pg_stat_clear_snapshot();"
        f" EXIT WHEN (SELECT bool_or(pg_terminate_backend(pid)) FROM pg_stat_activity"
        f" WHERE usename = '{source.reader}' AND wait_event = 'PgSleep');"
        " PERFORM pg_sleep(0.01); END LOOP; END $$",
    )
