"""Planning, applying and verifying changes, on a real database through a second account."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from cases.connectors.base import EXTERNAL_ID, Ability, Conflict, Effect, Identifier
from cases.connectors.changes import Action, Blocker, Obstacle, Outcome, Plan, Remains, Verb, Wish
from cases.connectors.sql.connector import SQLConnector
from cases.connectors.sql.verifying import Verifier
from tests.cases.connectors.sql.conftest import Source
from tests.cases.connectors.sql.test_postgresql import EMAIL, KEY, describe, refer

MakeSource = Callable[[str], Source]

TABLES = (
    "CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL UNIQUE, name varchar(10), born date,"
    " score numeric(5, 2) CHECK (score >= 0), seen timestamptz, active boolean,"
    " no int GENERATED ALWAYS AS (id * 2) STORED, boss int REFERENCES people);"
    "CREATE TABLE orders (id int PRIMARY KEY, person_id int NOT NULL REFERENCES people, note text);"
    "CREATE TABLE lines (order_id int REFERENCES orders ON DELETE CASCADE, line int, item text,"
    " PRIMARY KEY (order_id, line));"
    "CREATE TABLE visits (person_id int REFERENCES people ON DELETE SET NULL, page text);"
    "INSERT INTO people VALUES (1, 'ada@shop.test', 'Ada', '1815-12-10', 1.50, '2024-01-01 00:00:00+00', true),"
    " (2, 'bob@shop.test', 'Bob', NULL, 2, NULL, false);"
    "INSERT INTO orders VALUES (10, 1, 'leave at the door'), (11, 1, NULL), (20, 2, NULL);"
    "INSERT INTO lines VALUES (10, 1, 'kettle'), (10, 2, 'cup'), (20, 1, 'harpoon')"
)
FIELDS = ("name", "born", "score", "seen", "active", "no", "boss")
DATASET = describe(
    {
        "people": {"id": KEY, "email": EMAIL, **{name: {} for name in FIELDS}},
        "orders": {"id": KEY, "person_id": refer("people.id"), "note": {}},
        "lines": {"order_id": KEY | refer("orders.id"), "line": KEY, "item": {}},
        "visits": {"person_id": refer("people.id"), "page": {}},
    }
)


@pytest.fixture
def source(make_source: MakeSource) -> Source:
    made = make_source(TABLES)
    made.allow_changes()
    return made


def wish(verb: Verb, ref: str, **values: Any) -> Wish:
    return Wish(f"key-of-{ref}", verb, ref, ref.partition("/")[0], values=values)


def delete(*refs: str) -> list[Wish]:
    return [wish(Verb.DELETE, ref) for ref in refs]


def plan(source: Source, wishes: Sequence[Wish], dataset: str = DATASET) -> Plan:
    connector = source.connect_to_change(dataset)
    made = connector.plan(wishes)
    connector.close()
    return made


def apply_all(
    source: Source, actions: Sequence[Action], dataset: str = DATASET
) -> list[tuple[str, Outcome, Effect]]:
    connector = source.connect_to_change(dataset)
    receipts = [connector.apply(action) for action in actions]
    connector.close()
    return [(one.key.removeprefix("key-of-"), one.outcome, one.effect) for one in receipts]


def told(blockers: Sequence[Blocker]) -> list[tuple[str, Obstacle]]:
    return [(one.ref, one.obstacle) for one in blockers]


# --- Without an account for changes -------------------------------------------------------------------------------


def test_source_that_is_only_read_offers_nothing(source: Source) -> None:
    connector = source.connect(DATASET)
    assert isinstance(connector, SQLConnector)

    made = connector.plan(delete("people/1"))

    connector.close()
    assert {one.abilities for one in connector.capabilities().types.values()} == {frozenset()}
    assert told(made.blockers) == [("people/1", Obstacle.PERMISSION)]
    assert made.actions == ()


def test_capabilities_say_what_can_be_changed(source: Source) -> None:
    connector = source.connect_to_change(DATASET)

    types = connector.capabilities().types

    every = frozenset({Ability.DELETE, Ability.ANONYMISE, Ability.RECTIFY})
    assert {name: held.abilities for name, held in types.items()} == {
        "people": every,
        "orders": every,
        "lines": every,
        "visits": frozenset(),
    }
    assert types["people"].delete_effect is Effect.REMOVED
    assert types["orders"].rectifiable == {"person_id", "note"}


@pytest.mark.parametrize(
    ("rights", "verb", "remedy"),
    [
        (
            "UPDATE, DELETE",
            Verb.DELETE,
            "Grant the account SELECT on id, person_id, note, for the table “orders”.",
        ),
        ("SELECT, UPDATE", Verb.DELETE, "Grant the account DELETE on the table “orders”."),
        ("SELECT, UPDATE (person_id), DELETE", Verb.SET, "Grant the account UPDATE on “orders.note”."),
    ],
)
def test_plan_names_the_right_that_is_missing(
    make_source: MakeSource, rights: str, verb: Verb, remedy: str
) -> None:
    source = make_source(TABLES)
    source.administer(f'GRANT USAGE ON SCHEMA "{source.schema}" TO "{source.eraser}"')
    source.administer(f'GRANT {rights} ON "{source.schema}".orders TO "{source.eraser}"')
    values = {"note": "x"} if verb is Verb.SET else {}

    made = plan(source, [wish(verb, "orders/11", **values)])

    assert [(one.obstacle, one.remedy) for one in made.blockers] == [(Obstacle.PERMISSION, remedy)]


# --- Deleting -----------------------------------------------------------------------------------------------------


def test_plan_puts_children_first_whatever_the_order_of_wishes(source: Source) -> None:
    made = plan(source, delete("people/1", "orders/10", "lines/10,1", "orders/11", "lines/10,2"))

    keys = [action.ref for action in made.actions]
    assert made.blockers == ()
    assert sorted(keys) == ["lines/10,1", "lines/10,2", "orders/10", "orders/11", "people/1"]
    assert keys[-1] == "people/1"
    assert keys.index("orders/10") > max(keys.index("lines/10,1"), keys.index("lines/10,2"))
    assert {action.ref: len(action.after) for action in made.actions}["people/1"] == 2


def test_deletion_is_carried_out_once(source: Source) -> None:
    made = plan(source, delete("people/1", "orders/10", "lines/10,1", "orders/11", "lines/10,2"))

    first = apply_all(source, made.actions)
    second = apply_all(source, made.actions)

    assert {(outcome, effect) for _, outcome, effect in first} == {(Outcome.DONE, Effect.REMOVED)}
    assert {(outcome, effect) for _, outcome, effect in second} == {(Outcome.ALREADY, Effect.REMOVED)}
    assert source.rows("SELECT id FROM people") == [(2,)]
    assert source.rows("SELECT id FROM orders") == [(20,)]
    assert source.rows("SELECT item FROM lines") == [("harpoon",)]


def test_row_that_others_refer_to_is_blocked(source: Source) -> None:
    made = plan(source, delete("people/1", "orders/11"))

    assert told(made.blockers) == [("people/1", Obstacle.REFERENCED)]
    assert "orders" in made.blockers[0].remedy
    assert [action.ref for action in made.actions] == ["orders/11"]


def test_deletion_that_would_spread_to_rows_nobody_planned_is_blocked(source: Source) -> None:
    made = plan(source, delete("orders/10", "lines/10,1"))

    assert told(made.blockers) == [("orders/10", Obstacle.REFERENCED)]
    assert "“lines” with it, which nobody planned" in made.blockers[0].remedy
    assert [action.ref for action in made.actions] == ["lines/10,1"]


def test_deletion_does_not_spread_to_rows_that_came_after_the_plan(source: Source) -> None:
    made = plan(source, delete("orders/10", "lines/10,1", "lines/10,2"))
    source.execute("INSERT INTO lines VALUES (10, 3, 'new')")

    outcomes = apply_all(source, made.actions)

    assert {ref: outcome for ref, outcome, _ in outcomes} == {
        "lines/10,1": Outcome.DONE,
        "lines/10,2": Outcome.DONE,
        "orders/10": Outcome.REFUSED,
    }
    assert source.rows("SELECT item FROM lines WHERE order_id = 10") == [("new",)]


def test_rows_of_tables_that_nobody_described_stand_in_the_way(source: Source) -> None:
    source.execute(
        "CREATE TABLE hidden (person int REFERENCES people ON DELETE CASCADE, secret text);"
        "INSERT INTO hidden VALUES (2, 'x')"
    )
    wishes = delete("people/2", "orders/20", "lines/20,1")

    unreadable = plan(source, wishes)
    source.allow_changes()
    spreading = plan(source, wishes)
    source.execute("DELETE FROM hidden")
    free = plan(source, wishes)

    assert told(unreadable.blockers) == [("people/2", Obstacle.PERMISSION)]
    assert told(spreading.blockers) == [("people/2", Obstacle.REFERENCED)]
    assert free.blockers == ()


def test_references_that_the_database_empties_are_told(source: Source) -> None:
    source.execute("INSERT INTO visits VALUES (2, '/home')")

    made = plan(source, delete("people/2", "orders/20", "lines/20,1"))

    assert made.blockers == ()
    assert made.tasks == (
        (
            "Where rows of “people” are deleted, the database empties person_id of “visits” by itself:"
            " see that this is right."
        ),
    )


def test_rows_that_refer_to_each_other_are_blocked_together(source: Source) -> None:
    source.execute(
        "INSERT INTO people (id, email, boss) VALUES (3, 'c', NULL), (4, 'd', 3), (5, 'e', 5);"
        "UPDATE people SET boss = 4 WHERE id = 3"
    )

    made = plan(source, delete("people/3", "people/4", "people/5"))

    assert told(made.blockers) == [("people/3", Obstacle.REFERENCED), ("people/4", Obstacle.REFERENCED)]
    assert [action.ref for action in made.actions] == ["people/5"]
    assert apply_all(source, made.actions) == [("people/5", Outcome.DONE, Effect.REMOVED)]


def test_emptied_reference_goes_before_the_row_it_led_to(source: Source) -> None:
    source.execute("INSERT INTO people (id, email, boss) VALUES (3, 'c', NULL), (4, 'd', 3)")

    made = plan(source, [*delete("people/3"), wish(Verb.SET, "people/4", boss=None)])

    assert [action.ref for action in made.actions] == ["people/4", "people/3"]
    assert [outcome for _, outcome, _ in apply_all(source, made.actions)] == [Outcome.DONE, Outcome.DONE]


def test_row_that_is_gone_is_already_deleted(source: Source) -> None:
    made = plan(source, delete("people/99"))

    assert apply_all(source, made.actions) == [("people/99", Outcome.ALREADY, Effect.REMOVED)]


def test_plan_writes_nothing(source: Source) -> None:
    before = source.rows("SELECT * FROM people ORDER BY id")

    made = plan(source, [*delete("lines/10,1"), wish(Verb.SET, "people/1", name="Eva")])

    assert len(made.actions) == 2
    assert source.rows("SELECT * FROM people ORDER BY id") == before
    assert source.rows("SELECT count(*) FROM lines") == [(3,)]


# --- Setting and anonymising --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ({"name": "Eva"}, "('Eva', '1815-12-10', 1.50)"),
        ({"name": None, "born": "2000-02-29"}, "(NULL, '2000-02-29', 1.50)"),
        ({"score": 2.5, "active": False}, "('Ada', '1815-12-10', 2.50)"),
        ({"seen": "2024-05-01T12:00:00+02:00", "score": "3.5"}, "('Ada', '1815-12-10', 3.50)"),
    ],
)
def test_values_are_set_once_and_read_back(source: Source, values: dict[str, Any], row: str) -> None:
    made = plan(source, [wish(Verb.SET, "people/1", **values)])

    first, second = (apply_all(source, made.actions) for _ in range(2))

    assert made.blockers == ()
    assert [one[1:] for one in (*first, *second)] == [
        (Outcome.DONE, Effect.RETAINED),
        (Outcome.ALREADY, Effect.RETAINED),
    ]
    assert source.rows(f"SELECT (name, born, score) IS NOT DISTINCT FROM {row} FROM people WHERE id = 1") == [
        (True,)
    ]


@pytest.mark.parametrize(
    ("values", "obstacle", "remedy"),
    [
        ({"name": "far too long a name"}, Obstacle.STATE, "“people.name”: it holds 10 characters at most."),
        ({"email": None}, Obstacle.STATE, "“people.email”: it must not be empty."),
        ({"born": "30 February"}, Obstacle.STATE, "“people.born”: it holds values of the kind date only."),
        ({"score": "1000"}, Obstacle.STATE, "“people.score”: it holds values of the kind numeric only."),
        (
            {"score": -1},
            Obstacle.STATE,
            "A rule of the table “people” does not allow it: (score >= (0)::numeric)",
        ),
        ({"email": "bob@shop.test"}, Obstacle.STATE, "Another row holds this email already"),
        ({"id": 7}, Obstacle.NO_API, "“people.id” is a key, computed or read-only"),
        ({"no": 7}, Obstacle.NO_API, "“people.no” is a key, computed or read-only"),
        ({"shoe": 7}, Obstacle.NOT_FOUND, "The description has no field “shoe”."),
        ({}, Obstacle.STATE, "It is not said what the fields are to hold."),
    ],
)
def test_values_that_cannot_be_are_blocked(
    source: Source, values: dict[str, Any], obstacle: Obstacle, remedy: str
) -> None:
    made = plan(source, [wish(Verb.SET, "people/1", **values)])

    assert [(one.obstacle, remedy in one.remedy) for one in made.blockers] == [(obstacle, True)]
    assert made.actions == ()


def test_anonymising_empties_or_masks_what_is_about_the_person(source: Source) -> None:
    made = plan(source, [wish(Verb.ANONYMISE, "people/1")])

    outcomes = [apply_all(source, made.actions)[0][1:] for _ in range(2)]

    assert outcomes == [(Outcome.DONE, Effect.ANONYMISED), (Outcome.ALREADY, Effect.ANONYMISED)]
    ((email, *others),) = source.rows(
        "SELECT email, name, born, score, seen, active FROM people WHERE id = 1"
    )
    assert others == [None] * 5
    assert re.fullmatch(r"erased-[0-9a-f]{12}", email)


def test_restriction_is_nothing_that_a_table_can_do(source: Source) -> None:
    made = plan(source, [wish(Verb.RESTRICT, "people/1")])

    assert told(made.blockers) == [("people/1", Obstacle.NO_API)]


def test_row_changed_since_it_was_collected_is_left_alone(source: Source) -> None:
    stale = Wish("k", Verb.SET, "people/1", "people", values={"name": "Eva"}, expected={"name": "Ada"})
    made = plan(source, [stale])
    source.execute("UPDATE people SET name = 'Ann' WHERE id = 1")

    again = plan(source, [stale])
    with pytest.raises(Conflict):
        apply_all(source, made.actions)

    assert told(again.blockers) == [("people/1", Obstacle.CHANGED)]
    assert source.rows("SELECT name FROM people WHERE id = 1") == [("Ann",)]


def test_table_without_key_is_not_changed(source: Source) -> None:
    source.execute("INSERT INTO visits VALUES (1, '/home')")
    record = Wish("k", Verb.DELETE, "visits/~0123", "visits")

    made = plan(source, [record])

    assert told(made.blockers) == [("visits/~0123", Obstacle.NO_API)]


def test_view_is_not_changed(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text); CREATE VIEW v AS SELECT * FROM people"
    )
    source.allow_changes()

    made = plan(source, delete("v/1"), describe({"v": {"id": KEY, "email": EMAIL}}))

    assert told(made.blockers) == [("v/1", Obstacle.NO_API)]


def test_row_about_somebody_else_is_not_changed(make_source: MakeSource) -> None:
    source = make_source(
        "CREATE TABLE people (id int PRIMARY KEY, email text, rep int);"
        "CREATE TABLE staff (id int PRIMARY KEY, name text);"
        "INSERT INTO people VALUES (1, 'ada@shop.test', 7); INSERT INTO staff VALUES (7, 'Kim')"
    )
    source.allow_changes()
    tables = {
        "people": {"id": KEY, "email": EMAIL, "rep": {}},
        "staff": {"id": KEY | refer("people.rep"), "name": {}},
    }

    made = plan(source, delete("staff/7"), describe(tables, staff=["employee"]))

    assert told(made.blockers) == [("staff/7", Obstacle.SHARED_RECORD)]


# --- What the database does by itself -----------------------------------------------------------------------------

QUIETLY = "CREATE FUNCTION quietly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"


@pytest.mark.parametrize(
    ("event", "body", "verb"),
    [
        ("BEFORE DELETE", "UPDATE people SET active = false WHERE id = OLD.id; RETURN NULL;", Verb.DELETE),
        ("BEFORE UPDATE", "RETURN OLD;", Verb.SET),
        ("BEFORE UPDATE", "NEW.name := upper(NEW.name); RETURN NEW;", Verb.SET),
        ("BEFORE DELETE", "RAISE EXCEPTION 'ada@shop.test may not go';", Verb.DELETE),
    ],
)
def test_change_that_the_database_makes_otherwise_is_undone(
    source: Source, event: str, body: str, verb: Verb
) -> None:
    source.execute("INSERT INTO people (id, email, name, active) VALUES (3, 'carl@shop.test', 'Carl', true)")
    source.execute(QUIETLY.format(body=body))
    source.execute(f"CREATE TRIGGER quietly {event} ON people FOR EACH ROW EXECUTE FUNCTION quietly()")
    source.administer(f'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA "{source.schema}" TO "{source.eraser}"')
    source.administer(f'ALTER ROLE "{source.eraser}" SET search_path TO "{source.schema}"')
    made = plan(source, [wish(verb, "people/3", **({"name": "Eva"} if verb is Verb.SET else {}))])

    outcomes = apply_all(source, made.actions)

    assert outcomes == [("people/3", Outcome.REFUSED, Effect.RETAINED)]
    assert source.rows("SELECT name, active FROM people WHERE id = 3") == [("Carl", True)]
    assert made.tasks == (
        (
            "A change of the table “people” makes the database run quietly:"
            " see whether that keeps a copy of what was there."
        ),
    )


def test_receipt_shows_no_value(source: Source) -> None:
    made = plan(source, [wish(Verb.SET, "people/1", name="Eva")])
    connector = source.connect_to_change(DATASET)

    receipt = connector.apply(made.actions[0])

    connector.close()
    assert receipt.request == f"UPDATE {source.schema}.people SET name = ? WHERE id = ?"
    assert connector.poll(receipt) == receipt
    assert [shown for shown in ("Eva", "Ada", "ada@") if shown in repr((receipt, made))] == []


def test_refused_right_is_told_by_the_receipt(source: Source) -> None:
    made = plan(source, delete("orders/11"))
    source.administer(f'REVOKE DELETE ON "{source.schema}".orders FROM "{source.eraser}"')
    connector = source.connect_to_change(DATASET)

    receipt = connector.apply(made.actions[0])

    connector.close()
    assert (receipt.outcome, receipt.obstacle) == (Outcome.REFUSED, Obstacle.PERMISSION)


# --- Verifying ----------------------------------------------------------------------------------------------------


def findings(source: Source, actions: Sequence[Action], **options: Any) -> list[tuple[str, str, Remains]]:
    connector = source.connect_to_change(DATASET, **options)
    matches = connector.find([Identifier("email", "ada@shop.test")])
    found = connector.verify(
        [Identifier("email", "Ada@shop.test"), Identifier(EXTERNAL_ID, "C-12345")], matches, actions
    )
    connector.close()
    return [(one.ref, one.where, one.remains) for one in found]


def test_verify_sees_what_was_never_done(source: Source) -> None:
    made = plan(
        source,
        [*delete("orders/11", "lines/10,1", "lines/10,2", "orders/10"), wish(Verb.ANONYMISE, "people/1")],
    )

    found = findings(source, made.actions)

    assert {ref for ref, _, _ in found} == {action.ref for action in made.actions}
    assert {remains for _, _, remains in found} == {Remains.RESIDUAL}


def test_verify_sees_nothing_where_all_was_done(source: Source) -> None:
    made = plan(
        source,
        [*delete("orders/11", "lines/10,1", "lines/10,2", "orders/10"), wish(Verb.ANONYMISE, "people/1")],
    )
    apply_all(source, made.actions)

    assert findings(source, made.actions) == []


def test_verify_sees_copy_orphan_and_mention(source: Source) -> None:
    made = plan(source, delete("people/1", "orders/11", "lines/10,1", "lines/10,2", "orders/10"))
    apply_all(source, made.actions)
    source.execute(
        "ALTER TABLE orders DROP CONSTRAINT orders_person_id_fkey;"
        "INSERT INTO people (id, email) VALUES (9, ' ADA@shop.test');"
        "INSERT INTO orders VALUES (30, 1, NULL), (31, 2, 'call c-12345, ada@SHOP.test'), (32, 2, 'c_12345')"
    )

    found = findings(source, made.actions, free_text="orders.note, lines.item")

    assert sorted(found) == [
        ("orders/30", "orders.person_id", Remains.RESIDUAL),
        ("orders/31", "orders.note", Remains.RESIDUAL),
        ("people/9", "people.email", Remains.RESIDUAL),
    ]


def test_verify_of_a_key_that_is_wider_than_what_refers_to_it(source: Source) -> None:
    source.execute(
        "ALTER TABLE orders ALTER person_id TYPE smallint;"
        "INSERT INTO people (id, email) VALUES (70000, 'eve@shop.test')"
    )
    made = plan(source, delete("people/70000"))
    apply_all(source, made.actions)

    found = findings(source, made.actions)

    assert found == [("people/1", "people.email", Remains.RESIDUAL)]


def test_verify_looks_for_what_refers_by_its_index(source: Source) -> None:
    source.execute(
        "CREATE INDEX ON orders (person_id);"
        "INSERT INTO orders SELECT n, 2, NULL FROM generate_series(1000, 30000) n; ANALYZE orders"
    )
    connector = source.connect_to_change(DATASET)
    child, parent = (connector._run(connector._bind).collections[name] for name in ("orders", "people"))
    action = Action("key", Verb.DELETE, "people/1", "people", Effect.REMOVED)

    def is_read_whole(connection: sa.Connection) -> bool:
        held = Verifier(connection, connector._bind(connection), connector._dialect)
        clause = held._refers(child, child.routes[0], parent, action)
        return connector._dialect.scans(connection, sa.select(child.table.c.id).where(clause), child.table)

    read_whole = connector._run(is_read_whole)
    connector.close()

    assert read_whole is False


def test_verify_of_a_correction_expects_the_person_to_stay(source: Source) -> None:
    made = plan(source, [wish(Verb.SET, "people/1", name="Eva")])

    before = findings(source, made.actions)
    apply_all(source, made.actions)
    after = findings(source, made.actions)

    assert before == [("people/1", "people.name", Remains.RESIDUAL)]
    assert after == []


def test_verify_says_what_takes_too_long_to_look_through(source: Source) -> None:
    made = plan(source, delete("orders/11"))
    source.execute(
        "ALTER TABLE lines RENAME TO kept;"
        "CREATE VIEW lines AS SELECT order_id, line, item || pg_sleep(5)::text AS item FROM kept"
    )

    found = findings(source, made.actions, free_text="lines.item", statement_timeout=1)

    assert ("lines", "lines.item", Remains.CANNOT_CHECK) in found
