from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from cases.connectors.base import (
    EXTERNAL_ID,
    PHONE,
    ConfigurationError,
    Connector,
    ContractBroken,
    Cursor,
    Identifier,
    LinkKind,
    Page,
    PermissionDenied,
    Record,
    SchemaDrift,
    TimedOut,
    Transient,
    Unreachable,
)
from tests.cases.connectors.sql.conftest import Source

MakeSource = Callable[[str], Source]


def describe(collections: Mapping[str, Mapping[str, Any]], **about: list[str]) -> str:
    """Return a description of these collections; ``about`` names whom a collection is about."""
    held = [
        {
            "name": name,
            "data_subjects": about.get(name, ["customer"]),
            "fields": [
                {"name": field, "data_categories": [_category(meta)], "fides_meta": meta or None}
                for field, meta in fields.items()
            ],
        }
        for name, fields in collections.items()
    ]
    dataset = {"fides_key": "db", "data_subjects": ["customer"], "collections": held}
    return json.dumps({"dataset": [dataset]})


def _category(meta: dict[str, Any]) -> str:
    return "user.unique_id" if meta.get("primary_key") else "user.content"


def refer(field: str, direction: str = "from") -> dict[str, Any]:
    return {"references": [{"dataset": "db", "field": field, "direction": direction}]}


KEY: dict[str, Any] = {"primary_key": True}
EMAIL: dict[str, Any] = {"identity": "email"}


def walk(connector: Connector, kind: str, value: str) -> list[Page]:
    matches = connector.find([Identifier(kind, value)])
    pages = [connector.collect(matches, None)]
    while cursor := pages[-1].next:
        pages.append(connector.collect(matches, Cursor.from_json(cursor.to_json())))
    connector.close()
    return pages


def collect(connector: Connector, kind: str, value: str) -> list[Record]:
    return [record for page in walk(connector, kind, value) for record in page.records]


def refs(records: Sequence[Record]) -> list[str]:
    return sorted(record.ref for record in records)


# --- Identities ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("42", ["people/42"]),
        (" 42 ", ["people/42"]),
        ("042", []),
        ("4", ["people/4"]),
        ("4_2", []),
        ("42.0", []),
        ("99999999999999999999", []),
        ("forty-two", []),
        ("42 OR 1=1", []),
    ],
)
def test_find_compares_numbers_exactly(make_source: MakeSource, value: str, found: list[str]) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY); INSERT INTO people VALUES (42), (4), (43)"
    )
    connector = source.connect(describe({"people": {"id": KEY | {"identity": "external_id"}}}))

    matches = connector.find([Identifier(EXTERNAL_ID, value)])

    connector.close()
    assert [match.ref for match in matches] == found


def test_find_compares_uuid_in_any_spelling(make_source: MakeSource) -> None:
    own = "6f4f2dd0-0000-4000-8000-00000000000a"
    source = make_source(f"CREATE TABLE people (id uuid PRIMARY KEY); INSERT INTO people VALUES ('{own}')")
    connector = source.connect(describe({"people": {"id": KEY | {"identity": "external_id"}}}))

    found = [
        len(connector.find([Identifier(EXTERNAL_ID, value)])) for value in (own, own.upper(), "6f4f2dd0")
    ]

    connector.close()
    assert found == [1, 1, 0]


def test_find_compares_text_number_with_case(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (no text PRIMARY KEY); INSERT INTO people VALUES ('Ab-1'), ('ab-1')"
    )
    connector = source.connect(describe({"people": {"no": KEY | {"identity": "external_id"}}}))

    records = collect(connector, EXTERNAL_ID, "Ab-1")

    assert [dict(record.data) for record in records] == [{"no": "Ab-1"}]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("+44 20 7946 0001", [1, 2]),
        ("00442079460001", [1, 2]),
        ("442079460001", [1, 2]),
        ("020 7946 0001", [3]),
        ("79460001", []),
    ],
)
def test_find_compares_phone_by_digits(make_source: MakeSource, value: str, found: list[int]) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, phone text);"
        "INSERT INTO people VALUES (1, '+44 (20) 7946-0001'), (2, '0044.20.79460001'), (3,"
        " '020 7946 0001'), (4, 'n/a'),"
        "(5, NULL), (6, '')"
    )
    connector = source.connect(describe({"people": {"id": KEY, "phone": {"identity": "phone"}}}))

    matches = connector.find([Identifier(PHONE, value)])

    connector.close()
    assert [match.ref for match in matches] == [f"people/{number}" for number in found]


def test_find_matches_accented_mail_in_either_form(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text);"
        "INSERT INTO people VALUES (1, U&'zo\\00eb@shop.test'), (2, U&'zoe\\0308@shop.test'), (3, 'zoe@shop.test')"
    )
    connector = source.connect(describe({"people": {"id": KEY, "email": EMAIL}}))

    found = [
        [match.ref for match in connector.find([Identifier("email", value)])]
        for value in ("Zo\u00eb@Shop.test", "zoe\u0308@shop.test", "ZOE@shop.test")
    ]

    connector.close()
    assert found == [["people/1", "people/2"], ["people/1", "people/2"], ["people/3"]]


def test_find_joins_identifiers_of_one_row(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text, backup text, no text);"
        "INSERT INTO people VALUES (1, 'ada@shop.test', NULL, 'C7'), (2, 'other@shop.test', 'ada@shop.test', 'C8')"
    )
    dataset = describe(
        {"people": {"id": KEY, "email": EMAIL, "backup": EMAIL, "no": {"identity": "external_id"}}}
    )
    connector = source.connect(dataset)

    matches = connector.find([Identifier("email", "ada@shop.test"), Identifier(EXTERNAL_ID, "C7")])

    connector.close()
    assert [(match.ref, match.matched_on) for match in matches] == [
        ("people/1", ("email", "external_id")),
        ("people/2", ("email",)),
    ]


HOUSEHOLD = (
    "CREATE TABLE people (id int PRIMARY KEY, email text, phone text);"
    "INSERT INTO people VALUES (1, 'ada@shop.test', '+44 20 7946 0001'), (2, 'carl@shop.test', '+44 20 7946 0001'),"
    "(3, '', '+44 20 7946 0001'), (4, 'ada@shop.test', '+44 20 7946 0009')"
)
HOUSEHOLD_FIELDS = {
    "id": {"primary_key": True},
    "email": {"identity": "email"},
    "phone": {"identity": "phone"},
}


def test_find_is_not_sure_by_phone_of_row_with_another_address(make_source: MakeSource) -> None:
    connector = make_source(HOUSEHOLD).connect(describe({"people": HOUSEHOLD_FIELDS}))

    matches = connector.find([Identifier("email", "ada@shop.test"), Identifier("phone", "+44 20 7946 0001")])

    connector.close()
    assert {match.ref: (match.confidence.value, match.matched_on) for match in matches} == {
        "people/1": ("exact", ("email", "phone_number")),
        "people/2": ("probable", ("phone_number",)),
        "people/3": ("exact", ("phone_number",)),
        "people/4": ("exact", ("email",)),
    }


def test_find_is_not_sure_by_phone_among_very_many_rows(make_source: MakeSource) -> None:
    source = make_source(HOUSEHOLD)
    source.execute(
        "INSERT INTO people SELECT i, CASE WHEN i > 200 THEN 'bob@shop.test' ELSE 'carl@shop.test' END,"
        " '+44 20 7946 0001' FROM generate_series(-200, 300) i WHERE i NOT BETWEEN 0 AND 10"
    )
    connector = source.connect(describe({"people": HOUSEHOLD_FIELDS}))
    matches = connector.find([Identifier("email", "bob@shop.test"), Identifier("phone", "+44 20 7946 0001")])

    page = connector.collect([match for match in matches if match.confidence.value == "exact"], None)

    connector.close()
    assert [(match.confidence.value, match.matched_on) for match in matches] == [
        ("exact", ("email",)),
        ("probable", ("phone_number",)),
    ]
    assert {record.data["email"] for record in page.records} == {"bob@shop.test"}
    assert len(page.records) == 100


def test_collect_follows_identity_of_very_many_rows(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE tickets (id int PRIMARY KEY, email text);"
        "INSERT INTO tickets SELECT i, CASE WHEN i % 2 = 0 THEN 'ada@shop.test' ELSE 'bob@shop.test' END"
        " FROM generate_series(1, 500) i"
    )
    connector = source.connect(describe({"tickets": {"id": KEY, "email": EMAIL}}), page_size=60)

    records = collect(connector, "email", "Ada@shop.test")

    assert [record.data["id"] for record in records] == list(range(2, 501, 2))


def test_collect_drops_row_that_changed_hands_after_find(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text); INSERT INTO people VALUES (1, 'ada@shop.test')"
    )
    connector = source.connect(describe({"people": {"id": KEY, "email": EMAIL}}))
    matches = connector.find([Identifier("email", "ada@shop.test")])
    source.execute("UPDATE people SET email = 'bob@shop.test'")

    page = connector.collect(matches, None)

    connector.close()
    assert list(page.records) == []


def test_holds_looks_among_rows_about_the_person_only(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text); CREATE TABLE staff (id int PRIMARY KEY, email text);"
        "INSERT INTO people VALUES (1, 'ada@shop.test'); INSERT INTO staff VALUES (1, 'kim@desk.test')"
    )
    tables = {"people": {"id": KEY, "email": EMAIL}, "staff": {"id": KEY, "email": EMAIL}}
    connector = source.connect(describe(tables, staff=["employee"]))

    answers = [
        dict(connector.holds([Identifier("email", who)])) for who in ("ada@shop.test", "kim@desk.test")
    ]

    connector.close()
    assert answers == [{"email": True}, {"email": False}]


# --- References ---------------------------------------------------------------------------------------------------


def test_collect_unites_identity_and_references(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text);"
        "CREATE TABLE tickets (id int PRIMARY KEY, person_id int, email text);"
        "INSERT INTO people VALUES (1, 'ada@shop.test'), (2, 'bob@shop.test');"
        "INSERT INTO tickets VALUES (1, 1, NULL), (2, NULL, 'ADA@shop.test'), (3, 1, 'ada@shop.test'), (4, 2, NULL)"
    )
    tables = {
        "people": {"id": KEY, "email": EMAIL},
        "tickets": {"id": KEY, "person_id": refer("people.id"), "email": EMAIL},
    }

    records = collect(source.connect(describe(tables), page_size=2), "email", "ada@shop.test")

    reference = "tickets.person_id = people.id"
    found = {record.ref: (record.link.kind, record.link.via, dict(record.link.keys)) for record in records}
    assert found == {
        "people/1": (LinkKind.IDENTITY, ("people.email",), {"email": "ada@shop.test"}),
        "tickets/1": (LinkKind.REFERENCE, (reference,), {"person_id": 1}),
        "tickets/2": (LinkKind.IDENTITY, ("tickets.email",), {"email": "ADA@shop.test"}),
        "tickets/3": (
            LinkKind.IDENTITY,
            ("tickets.email", reference),
            {"email": "ada@shop.test", "person_id": 1},
        ),
    }


def test_collect_never_links_by_blank_or_null(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text, card text, ref int);"
        "CREATE TABLE uses (id int PRIMARY KEY, card text); CREATE TABLE logs (id int PRIMARY KEY, ref int);"
        "INSERT INTO people VALUES (1, 'ada@shop.test', ' ', NULL), (2, 'ada@shop.test', 'X1', 5);"
        "INSERT INTO uses VALUES (1, ''), (2, ' '), (3, NULL), (4, 'X1'); INSERT INTO logs VALUES (1, NULL), (2, 5)"
    )
    tables = {
        "people": {"id": KEY, "email": EMAIL, "card": {}, "ref": {}},
        "uses": {"id": KEY, "card": refer("people.card")},
        "logs": {"id": KEY, "ref": refer("people.ref")},
    }

    records = collect(source.connect(describe(tables)), "email", "ada@shop.test")

    assert refs(records) == ["logs/2", "people/1", "people/2", "uses/4"]


def test_collect_compares_different_types_as_text(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text); CREATE TABLE notes (id int PRIMARY KEY, about text);"
        "INSERT INTO people VALUES (1, 'ada@shop.test'); INSERT INTO notes VALUES (1, '1'), (2, '01'), (3, 'x')"
    )
    tables = {"people": {"id": KEY, "email": EMAIL}, "notes": {"id": KEY, "about": refer("people.id")}}

    records = collect(source.connect(describe(tables)), "email", "ada@shop.test")

    assert refs(records) == ["notes/1", "people/1"]


def test_collect_stops_at_rows_about_others(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text, rep int);"
        "CREATE TABLE staff (id int PRIMARY KEY, email text);"
        "CREATE TABLE calls (id int PRIMARY KEY, staff_id int);"
        "INSERT INTO people VALUES (1, 'ada@shop.test', 7); INSERT INTO staff VALUES (7, 'kim@desk.test');"
        "INSERT INTO calls VALUES (1, 7), (2, 7)"
    )
    tables = {
        "people": {"id": KEY, "email": EMAIL, "rep": {}},
        "staff": {"id": KEY | refer("people.rep"), "email": {}},
        "calls": {"id": KEY, "staff_id": refer("staff.id")},
    }
    connector = source.connect(describe(tables, staff=["employee"]))
    blind_spots = connector.capabilities().blind_spots

    records = collect(connector, "email", "ada@shop.test")

    assert {record.ref: record.third_party for record in records} == {"people/1": False, "staff/7": True}
    assert (
        blind_spots[-1]
        == "calls: no identity and no reference leads here from the person: it is not searched."
    )


def test_collect_takes_employee_who_asks_as_the_person(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text, rep int);"
        "CREATE TABLE staff (id int PRIMARY KEY, email text);"
        "INSERT INTO people VALUES (1, 'kim@desk.test', 8);"
        "INSERT INTO staff VALUES (7, 'kim@desk.test'), (8, 'lee@desk.test'), (9, 'max@desk.test')"
    )
    tables = {
        "people": {"id": KEY, "email": EMAIL, "rep": {}},
        "staff": {"id": KEY | refer("people.rep"), "email": EMAIL},
    }

    records = collect(source.connect(describe(tables, staff=["employee"])), "email", "kim@desk.test")

    assert {record.ref: record.third_party for record in records} == {
        "people/1": False,
        "staff/7": False,
        "staff/8": True,
    }


def test_collect_follows_threads_a_limited_number_of_times(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text);"
        "CREATE TABLE posts (id int PRIMARY KEY, person_id int, parent_id int);"
        "INSERT INTO people VALUES (1, 'ada@shop.test'), (2, 'bob@shop.test');"
        "INSERT INTO posts VALUES (1, 1, NULL), (2, NULL, 1), (3, NULL, 2), (4, NULL, 3), (9, 2, NULL), (10, NULL, 9)"
    )
    tables = {
        "people": {"id": KEY, "email": EMAIL},
        "posts": {"id": KEY, "person_id": refer("people.id"), "parent_id": refer("posts.id")},
    }

    records = collect(source.connect(describe(tables)), "email", "ada@shop.test")

    assert refs(records) == ["people/1", "posts/1", "posts/2", "posts/3", "posts/4"]


def test_collect_never_follows_reference_back_to_people(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text, referred_by int);"
        "INSERT INTO people VALUES (1, 'ada@shop.test', NULL), (2, 'bob@shop.test', 1)"
    )
    connector = source.connect(
        describe({"people": {"id": KEY, "email": EMAIL, "referred_by": refer("people.id")}})
    )

    records = collect(connector, "email", "ada@shop.test")

    assert refs(records) == ["people/1"]


# --- Keys and pages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", "(-5), (0), (3000000000), (9007199254740993)"),
        ("text", "('a'), ('B'), ('ä'), ('a b'), ('%s'), ('''')"),
        ("char(4)", "('a'), ('bb'), ('ccc')"),
        ("uuid", "('6f4f2dd0-0000-4000-8000-00000000000a'), ('00000000-0000-4000-8000-00000000000b')"),
        ("date", "('1999-12-31'), ('2000-01-01'), ('infinity')"),
        ("timestamptz", "('2024-03-31 01:00:00.000001+00'), ('2024-03-31 01:00:00.000002+00')"),
        ("numeric", "(0.1), (0.10000000000000000001), (123456789012345678901234567890)"),
        ("double precision", "(0.1), (1e300), (0.30000000000000004)"),
        ("boolean", "(false), (true)"),
        ("bytea", "('\\x00ff'), ('\\x01'), ('')"),
        ("inet", "('192.0.2.1'), ('2001:db8::1')"),
        ("mood", "('sad'), ('glad')"),
        ("citext_like", "('x'), ('y')"),
    ],
)
def test_collect_pages_by_key_of_any_type(make_source: MakeSource, kind: str, values: str) -> None:
    source = make_source(
        "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN citext_like AS text;"
        f"CREATE TABLE things (k {kind} PRIMARY KEY, email text DEFAULT 'ada@shop.test');"
        f"INSERT INTO things (k) VALUES {values}"
    )
    dataset = describe({"things": {"k": KEY, "email": EMAIL}})

    pages = walk(source.connect(dataset, page_size=1), "email", "ada@shop.test")
    at_once = walk(source.connect(dataset), "email", "ada@shop.test")

    one_by_one = [(record.ref, record.data) for page in pages for record in page.records]
    assert one_by_one == [(record.ref, record.data) for record in at_once[0].records]
    assert len({ref for ref, _ in one_by_one}) == at_once[0].expected_total == len(pages)


def test_collect_keeps_equal_rows_without_key(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE visits (email text, page text, extra json);"
        """INSERT INTO visits VALUES ('ada@shop.test', 'a', '{"a": [1]}'), ('ada@shop.test', 'a', '{"a": [1]}'),"""
        "('ada@shop.test', NULL, NULL), ('ada@shop.test', '', NULL), ('bob@shop.test', 'a', NULL)"
    )
    dataset = describe({"visits": {"email": EMAIL, "page": {}, "extra": {}}})

    small = collect(source.connect(dataset, page_size=1), "email", "ada@shop.test")
    large = collect(source.connect(dataset), "email", "ada@shop.test")

    assert refs(small) == refs(large)
    assert len(set(refs(small))) == 4
    assert Counter(json.dumps(record.data["page"]) for record in small) == {'"a"': 2, "null": 1, '""': 1}


def test_collect_loses_no_row_when_described_key_repeats(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE orders (person int, email text, item text);"
        "INSERT INTO orders VALUES (1, 'ada@shop.test', 'cup'), (1, 'ada@shop.test', 'pot'), (1,"
        " 'ada@shop.test', 'pan')"
    )
    dataset = describe({"orders": {"person": KEY, "email": EMAIL, "item": {}}})

    pages = walk(source.connect(dataset, page_size=1), "email", "ada@shop.test")

    assert sorted(str(record.data["item"]) for page in pages for record in page.records) == [
        "cup",
        "pan",
        "pot",
    ]
    assert pages[0].warnings == (
        "orders: the database keeps no described column unique, so rows are told apart by their content.",
    )


def test_collect_reads_views(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text);"
        "INSERT INTO people VALUES (1, 'ada@shop.test'), (2, 'x');"
        "CREATE VIEW everybody AS SELECT * FROM people"
    )
    dataset = describe({"everybody": {"id": KEY, "email": EMAIL}})

    records = collect(source.connect(dataset), "email", "ada@shop.test")

    assert [dict(record.data) for record in records] == [{"id": 1, "email": "ada@shop.test"}]


def test_collect_says_when_source_changed_meanwhile(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE notes (id int PRIMARY KEY, email text);"
        "INSERT INTO notes SELECT i, 'ada@shop.test' FROM generate_series(10, 13) i"
    )
    connector = source.connect(describe({"notes": {"id": KEY, "email": EMAIL}}), page_size=2)
    # More rows than are pinned down by key would be found by identity again; here the four are pinned down.
    matches = connector.find([Identifier("email", "ada@shop.test")])
    first = connector.collect(matches, None)
    source.execute("DELETE FROM notes WHERE id = 12")

    second = connector.collect(matches, first.next)

    connector.close()
    assert refs([*first.records, *second.records]) == ["notes/10", "notes/11", "notes/13"]
    assert second.warnings == ("The source counted 4 records at the start and gave 3: it changed meanwhile.",)


def test_collect_quotes_awkward_names(make_source: MakeSource) -> None:
    source = make_source(
        """CREATE TABLE "Order; DROP TABLE x" ("select" int PRIMARY KEY, "E-Mail" text, "50%" text, "a""b" text);"""
        """INSERT INTO "Order; DROP TABLE x" VALUES (1, 'ada@shop.test', 'half', 'q')"""
    )
    dataset = describe({"Order; DROP TABLE x": {"select": KEY, "E-Mail": EMAIL, "50%": {}, 'a"b': {}}})

    records = collect(source.connect(dataset), "email", "ada@shop.test")

    assert [dict(record.data) for record in records] == [
        {"select": 1, "E-Mail": "ada@shop.test", "50%": "half", 'a"b': "q"}
    ]


def test_collect_keeps_values_without_loss(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (email text PRIMARY KEY, amount numeric, born date, seen timestamptz,"
        " made timestamp, at time,"
        " span interval, photo bytea, doc jsonb, tags text[], ip inet, big bigint, rate float8, ok boolean, id uuid,"
        " period daterange, never timestamptz, far date);"
        "INSERT INTO people VALUES ('ada@shop.test', 12345678901234567890.10, '1815-12-10',"
        " '2024-07-01 12:00:00.5+02',"
        " '2024-07-01 12:00:00', '23:59:59', '1 month 2 days', '\\x00ff', '{\"a\": [1, null,"
        ' "é"]}\', \'{x,NULL,"y z"}\','
        " '192.0.2.1', 9007199254740993, 'NaN', true, '6f4f2dd0-0000-4000-8000-00000000000a',"
        " '[2024-01-01,2024-02-01)',"
        " 'infinity', '12000-01-01')"
    )
    names = [
        "amount",
        "born",
        "seen",
        "made",
        "at",
        "span",
        "photo",
        "doc",
        "tags",
        "ip",
        "big",
        "rate",
        "ok",
        "id",
        "period",
        "never",
        "far",
    ]
    dataset = describe({"people": {"email": KEY | EMAIL, **{name: {} for name in names}}})

    records = collect(source.connect(dataset), "email", "ada@shop.test")

    assert json.loads(json.dumps(records[0].data)) == {
        "email": "ada@shop.test",
        "amount": "12345678901234567890.10",
        "born": "1815-12-10",
        "seen": "2024-07-01T10:00:00.5+00:00",
        "made": "2024-07-01T12:00:00",
        "at": "23:59:59",
        "span": "P1M2D",
        "photo": {"$base64": "AP8="},
        "doc": {"a": [1, None, "é"]},
        "tags": ["x", None, "y z"],
        "ip": "192.0.2.1",
        "big": 9007199254740993,
        "rate": "nan",
        "ok": True,
        "id": "6f4f2dd0-0000-4000-8000-00000000000a",
        "period": "[2024-01-01,2024-02-01)",
        "never": "infinity",
        "far": "12000-01-01",
    }


# --- What goes wrong ----------------------------------------------------------------------------------------------

PEOPLE = (
    "CREATE TABLE people (id int PRIMARY KEY, email text); INSERT INTO people VALUES (1, 'ada@shop.test')"
)
PEOPLE_DATASET = describe({"people": {"id": KEY, "email": EMAIL}})


def ask(connector: Connector) -> None:
    try:
        connector.find([Identifier("email", "ada@shop.test")])
    finally:
        connector.close()


def test_find_names_missing_table(make_source: MakeSource) -> None:
    source = make_source("CREATE TABLE other (id int)")

    with pytest.raises(SchemaDrift) as caught:
        ask(source.connect(PEOPLE_DATASET))

    assert caught.value.params == {"what": f"the table “people” in the schema “{source.schema}”"}


def test_find_names_missing_column(make_source: MakeSource) -> None:
    source = make_source("CREATE TABLE people (id int PRIMARY KEY)")

    with pytest.raises(SchemaDrift) as caught:
        ask(source.connect(PEOPLE_DATASET))

    assert caught.value.params == {"what": "the column “email” of the table “people”"}


def test_collect_names_column_dropped_between_calls(make_source: MakeSource) -> None:
    source = make_source(PEOPLE)
    connector = source.connect(PEOPLE_DATASET)
    matches = connector.find([Identifier("email", "ada@shop.test")])
    source.execute("ALTER TABLE people DROP COLUMN email")

    with pytest.raises(SchemaDrift) as caught:
        connector.collect(matches, None)

    connector.close()
    assert caught.value.params == {"what": "the column “email” of the table “people”"}


def test_check_names_table_that_may_not_be_read(make_source: MakeSource) -> None:
    source = make_source(PEOPLE)
    source.execute("CREATE TABLE notes (id int PRIMARY KEY, person_id int)")
    tables = {"people": {"id": KEY, "email": EMAIL}, "notes": {"id": KEY, "person_id": refer("people.id")}}
    connector = source.connect(describe(tables))
    source.administer(f'REVOKE ALL ON "{source.schema}".notes FROM "{source.reader}"')

    with pytest.raises(PermissionDenied) as caught:
        connector.check()

    connector.close()
    assert caught.value.params == {"what": "the table “notes”"}


def test_find_gives_up_on_slow_source(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE VIEW people AS SELECT i AS id,"
        " 'ada@shop.test' || pg_sleep(60)::text AS email FROM generate_series(1, 2) i"
    )

    with pytest.raises(TimedOut) as caught:
        ask(source.connect(PEOPLE_DATASET, statement_timeout=1))

    assert caught.value.params == {"where": " to read people"}


def test_find_tells_unreachable_from_missing_database(make_source: MakeSource) -> None:
    source = make_source(PEOPLE)

    with pytest.raises(Unreachable):
        ask(source.connect(PEOPLE_DATASET, host="/nonexistent"))
    with pytest.raises(ConfigurationError) as caught:
        ask(source.connect(PEOPLE_DATASET, database="no_such_database"))

    assert caught.value.params == {"problem": "there is no such database on the server."}


def test_find_lets_a_source_write_nothing(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE SEQUENCE tally; CREATE VIEW people AS SELECT 1 AS id, nextval('tally')::text AS email"
    )
    source.administer(f'GRANT USAGE ON SEQUENCE "{source.schema}".tally TO "{source.reader}"')

    with pytest.raises(ContractBroken) as caught:
        ask(source.connect(PEOPLE_DATASET))

    assert caught.value.params == {"what": "an answer of the database (code 25006)"}


def test_failure_leads_to_none_of_the_words_of_the_driver(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE raw (email text); INSERT INTO raw VALUES ('ada@shop.test');"
        "CREATE VIEW people AS SELECT email::int AS id, email FROM raw"
    )

    with pytest.raises(ContractBroken) as caught:
        collect(source.connect(PEOPLE_DATASET), "email", "ada@shop.test")

    error = caught.value
    assert (error.__context__, error.__cause__) == (None, None)
    assert error.params == {"what": "an answer of the database (code 22P02)"}


def test_check_warns_of_account_that_may_write(make_source: MakeSource) -> None:
    source = make_source(PEOPLE)
    readonly = source.connect(PEOPLE_DATASET)
    quiet = readonly.check()
    source.administer(f'GRANT INSERT ON "{source.schema}".people TO "{source.reader}"')

    loud = readonly.check()

    readonly.close()
    assert quiet.warnings == ()
    assert loud.warnings == ("The account may change people; one that may only read is enough and safer.",)


def test_connector_refuses_identity_that_holds_lists(make_source: MakeSource) -> None:
    source = make_source("CREATE TABLE people (id int PRIMARY KEY, email text[])")

    with pytest.raises(ConfigurationError) as caught:
        ask(source.connect(PEOPLE_DATASET))

    assert caught.value.params == {
        "problem": "the column “email” of the table “people” holds lists, documents or binary data "
        "and cannot be an identity or a reference."
    }


def test_connector_survives_a_lost_connection(make_source: MakeSource) -> None:
    source = make_source(PEOPLE)
    connector = source.connect(PEOPLE_DATASET)
    connector.find([Identifier("email", "ada@shop.test")])
    source.administer(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{source.reader}'"
    )

    with pytest.raises(Transient) as caught:
        connector.find([Identifier("email", "ada@shop.test")])
    again = connector.find([Identifier("email", "ada@shop.test")])

    connector.close()
    assert caught.value.retryable is True
    assert [match.ref for match in again] == ["people/1"]


def test_match_of_another_description_is_refused(make_source: MakeSource) -> None:
    source = make_source(PEOPLE)
    matches = source.connect(PEOPLE_DATASET).find([Identifier("email", "ada@shop.test")])
    other = source.connect(describe({"people": {"id": KEY | {"identity": "external_id"}}}))

    with pytest.raises(ContractBroken):
        other.collect(matches, None)
    other.close()


def test_address_holds_no_password(database: Source) -> None:
    connector = database.connect(PEOPLE_DATASET)

    shown = f"{connector!r} {vars(connector)!r}"

    assert database.password not in shown
