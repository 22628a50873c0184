"""An erasure whose worker is killed twice in its midst: exactly what was planned is gone, each record by one step."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kills.desk import Desk

ORDERS = 150
ADA = "c1@example.com"
# What is under way when the worker dies: a receipt that is being kept, and a row that is being deleted.
DEATHS = (
    ("dsar", "UPDATE ON cases_planpart", f"NEW.steps_done = {ORDERS // 3}"),
    ("crm", "DELETE ON orders", f"OLD.id = {ORDERS // 2}"),
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path)
    try:
        opened.open(ORDERS)
        yield opened
    finally:
        opened.close()


def count_deletions(desk: Desk) -> None:
    """Let the source note each row that anybody deletes; what is rolled back is not noted."""
    desk.change(
        "crm",
        "CREATE TABLE deleted (place text);"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        " INSERT INTO deleted VALUES (TG_TABLE_NAME || OLD.id); RETURN NULL; END $$;"
        "CREATE TRIGGER note AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION note();"
        "CREATE TRIGGER note AFTER DELETE ON customers FOR EACH ROW EXECUTE FUNCTION note()",
    )


def left(desk: Desk) -> list[int]:
    """Ada's orders, all other orders, all customers; deletions, and rows that were deleted."""
    return [
        desk.one(query, database="crm")
        for query in (
            "SELECT count(*) FROM orders WHERE customer_id = 1",
            "SELECT count(*) FROM orders WHERE customer_id <> 1",
            "SELECT count(*) FROM customers",
            "SELECT count(*) FROM deleted",
            "SELECT count(DISTINCT place) FROM deleted",
        )
    ]


def is_in(desk: Desk, case: str, state: str) -> bool:
    return bool(desk.one("SELECT state = %s FROM cases_case WHERE id = %s", state, case))


def is_tried(desk: Desk, case: str) -> bool:
    part = "SELECT part.stage = 'planned' FROM cases_planpart part JOIN cases_changeplan plan ON plan.id = plan_id"
    return bool(desk.one(f"{part} WHERE plan.case_id = %s AND plan.stage = 'ready'", case))


def is_held(desk: Desk, database: str) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"
    return bool(desk.one(waiting, database=database))


def die(desk: Desk, death: tuple[str, str, str], begin: Callable[[], object]) -> None:
    """Let the worker get to where it dies, and kill it."""
    with desk.holding(*death):
        begin()
        desk.wait(lambda: is_held(desk, death[0]), "the erasure to be under way")
        assert 0 < left(desk)[0] < ORDERS
        desk.kill("worker")


def test_worker_killed_twice_in_mid_erasure(desk: Desk) -> None:
    desk.start_sweeper()
    desk.start_worker()
    case = desk.act("ask_erasure", email=ADA)["case"]
    desk.wait(lambda: is_tried(desk, case), "the plan to be made and tried")
    count_deletions(desk)

    die(desk, DEATHS[0], lambda: desk.act("approve_erasure", case=case))
    die(desk, DEATHS[1], desk.start_worker)
    desk.start_worker()
    desk.wait(lambda: is_in(desk, case, "closed"), "the erasure to be carried out, proven and told")

    facts = desk.act("receipts", case=case)
    assert left(desk) == [0, 2000, 49, ORDERS + 1, ORDERS + 1]
    assert facts["steps"] == [ORDERS + 1] * 3
    assert (facts["state"], facts["tried_again"] > 0, facts["broken_chains"]) == ("closed", True, 0)
