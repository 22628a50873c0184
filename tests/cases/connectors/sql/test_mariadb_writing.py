"""What is peculiar to MariaDB when rows are changed; the rest is tested on PostgreSQL and by the contract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from cases.connectors.changes import Obstacle, Outcome, Plan, Receipt, Verb, Wish
from tests.cases.connectors.sql.conftest import MariaSource
from tests.cases.connectors.sql.test_postgresql import EMAIL, KEY, describe, refer

MakeMaria = Callable[[str], MariaSource]

TABLES = (
    "CREATE TABLE people (id int PRIMARY KEY, email varchar(50) NOT NULL UNIQUE, name varchar(10),"
    " mood enum('sad','glad') CHECK (mood IN ('sad', 'glad')),"
    " age tinyint unsigned CHECK (age < 150), seen timestamp NULL, score decimal(5,2), doc json, active tinyint(1),"
    " twice int AS (id * 2) PERSISTENT);"
    "CREATE TABLE orders (id int PRIMARY KEY, person_id int, FOREIGN KEY (person_id) REFERENCES people (id));"
    "CREATE TABLE items (id int PRIMARY KEY, order_id int,"
    " FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE);"
    "INSERT INTO people (id, email, name, mood) VALUES (1, 'ada@shop.test', 'Ada', 'sad'),"
    " (2, 'bob@shop.test', 'Bob', 'glad');"
    "INSERT INTO orders VALUES (10, 1), (20, 2); INSERT INTO items VALUES (100, 10)"
)
FIELDS = ("name", "mood", "age", "seen", "score", "doc", "active", "twice")
DATASET = describe(
    {
        "people": {"id": KEY, "email": EMAIL, **{name: {} for name in FIELDS}},
        "orders": {"id": KEY, "person_id": refer("people.id")},
        "items": {"id": KEY, "order_id": refer("orders.id")},
    }
)


def wish(verb: Verb, ref: str, **values: Any) -> Wish:
    return Wish(f"key-of-{ref}", verb, ref, ref.partition("/")[0], values=values)


def plan(source: MariaSource, wishes: Sequence[Wish], dataset: str = DATASET) -> Plan:
    connector = source.connect_to_change(dataset)
    made = connector.plan(wishes)
    connector.close()
    return made


def apply_all(source: MariaSource, made: Plan) -> list[Receipt]:
    connector = source.connect_to_change(DATASET)
    receipts = [connector.apply(action) for action in made.actions]
    connector.close()
    return receipts


@pytest.fixture
def source(make_maria: MakeMaria) -> MariaSource:
    made = make_maria(TABLES)
    made.allow_changes()
    return made


def test_children_go_first_and_once(source: MariaSource) -> None:
    made = plan(source, [wish(Verb.DELETE, ref) for ref in ("people/1", "orders/10", "items/100")])

    outcomes = [[one.outcome for one in apply_all(source, made)] for _ in range(2)]

    assert [action.ref for action in made.actions] == ["items/100", "orders/10", "people/1"]
    assert outcomes == [[Outcome.DONE] * 3, [Outcome.ALREADY] * 3]
    assert source.rows("SELECT id FROM people") == [(2,)]


def test_deletion_that_would_spread_is_blocked(source: MariaSource) -> None:
    made = plan(source, [wish(Verb.DELETE, ref) for ref in ("people/1", "orders/10")])

    assert [(one.ref, one.obstacle) for one in made.blockers] == [
        ("people/1", Obstacle.REFERENCED),
        ("orders/10", Obstacle.REFERENCED),
    ]
    assert made.actions == ()


def test_account_that_is_not_told_what_spreads_assumes_the_worst(make_maria: MakeMaria) -> None:
    source = make_maria(TABLES)
    source.allow_changes("SELECT")
    source.execute(f"GRANT UPDATE, DELETE ON {source.schema}.people TO {source.eraser}@localhost")

    made = plan(source, [wish(Verb.DELETE, "people/1")])

    assert [(one.ref, one.obstacle) for one in made.blockers] == [("people/1", Obstacle.REFERENCED)]
    assert "“orders” with it, which nobody planned" in made.blockers[0].remedy


def test_account_that_cannot_see_what_refers_deletes_nothing(make_maria: MakeMaria) -> None:
    source = make_maria(TABLES)
    source.execute(f"GRANT SELECT, UPDATE, DELETE ON {source.schema}.people TO {source.eraser}@localhost")

    made = plan(source, [wish(Verb.DELETE, "people/1")])

    assert [(one.ref, one.obstacle) for one in made.blockers] == [("people/1", Obstacle.PERMISSION)]


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ({"name": "Zo\u00eb", "mood": "glad"}, ("Zo\u00eb", "glad")),
        ({"name": "ADA"}, ("ADA", "sad")),
        ({"name": None, "mood": None}, (None, None)),
    ],
)
def test_values_are_set_once(source: MariaSource, values: dict[str, Any], row: tuple[Any, ...]) -> None:
    made = plan(source, [wish(Verb.SET, "people/1", **values)])

    outcomes = [apply_all(source, made)[0].outcome for _ in range(2)]

    assert outcomes == [Outcome.DONE, Outcome.ALREADY]
    assert source.rows("SELECT name, mood FROM people WHERE id = 1") == [row]


def test_values_of_every_kind_are_read_back_as_they_were_set(source: MariaSource) -> None:
    values = {"age": 36, "seen": "2024-05-01T12:00:00+02:00", "score": 2.5, "doc": {"a": [1]}, "active": True}
    made = plan(source, [wish(Verb.SET, "people/1", **values)])

    outcomes = [apply_all(source, made)[0].outcome for _ in range(2)]

    assert (made.blockers, outcomes) == ((), [Outcome.DONE, Outcome.ALREADY])
    assert source.rows(
        "SELECT age, CAST(CONVERT_TZ(seen, @@session.time_zone, '+00:00') AS CHAR), CAST(score AS CHAR), active"
        " FROM people WHERE id = 1"
    ) == [(36, "2024-05-01 10:00:00", "2.50", 1)]


@pytest.mark.parametrize(
    ("values", "obstacle"),
    [
        ({"name": "far too long a name"}, Obstacle.STATE),
        ({"mood": "angry"}, Obstacle.STATE),
        ({"age": 256}, Obstacle.STATE),
        ({"age": -1}, Obstacle.STATE),
        ({"age": 200}, Obstacle.STATE),
        ({"email": None}, Obstacle.STATE),
        ({"email": "BOB@shop.test "}, Obstacle.STATE),
        ({"twice": 4}, Obstacle.NO_API),
    ],
)
def test_values_that_cannot_be_are_blocked(
    source: MariaSource, values: dict[str, Any], obstacle: Obstacle
) -> None:
    made = plan(source, [wish(Verb.SET, "people/1", **values)])

    assert [one.obstacle for one in made.blockers] == [obstacle]
    assert made.actions == ()


def test_table_that_cannot_take_back_is_not_written(make_maria: MakeMaria) -> None:
    source = make_maria("CREATE TABLE people (id int PRIMARY KEY, email varchar(50)) ENGINE=MyISAM")
    source.allow_changes()
    source.execute("INSERT INTO people VALUES (1, 'ada@shop.test')")

    made = plan(source, [wish(Verb.DELETE, "people/1")], describe({"people": {"id": KEY, "email": EMAIL}}))

    assert [(one.ref, one.obstacle) for one in made.blockers] == [("people/1", Obstacle.NO_API)]
    assert source.rows("SELECT id FROM people") == [(1,)]


def test_change_that_a_trigger_undoes_is_refused(source: MariaSource) -> None:
    source.execute("CREATE TRIGGER quietly BEFORE UPDATE ON people FOR EACH ROW SET NEW.name = OLD.name")
    made = plan(source, [wish(Verb.SET, "people/1", name="Eva")])

    (receipt,) = apply_all(source, made)

    assert (receipt.outcome, receipt.obstacle) == (Outcome.REFUSED, Obstacle.STATE)
    assert source.rows("SELECT name FROM people WHERE id = 1") == [("Ada",)]
