"""Real processes, really killed: the run completes, nothing is lost, nothing is doubled.

``make test`` does one round of each on a few pages of records; ``make soak`` ten on many.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.kills.desk import Desk

PAGE_SIZE = 500
BIG = "c1@example.com"

SWEEPER = ("upkeep", "beat")

# How often, and how many orders the customer has. One desk goes through all of it, as a real one would.
ROUNDS = [pytest.param(1, 5_000, id="once"), pytest.param(10, 30_000, id="ten-times", marks=pytest.mark.soak)]
of_each_size = pytest.mark.parametrize(("rounds", "rows"), ROUNDS, scope="module")


@dataclass(frozen=True)
class Shop:
    """A desk, and the source that it searches."""

    desk: Desk
    rows: int

    @property
    def items(self) -> int:
        """The orders, and the customer's own row."""
        return self.rows + 1


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, rows: int) -> Iterator[Shop]:
    opened = Desk(tmp_path_factory.mktemp("desk"))
    try:
        opened.open(rows, page_size=PAGE_SIZE)
        yield Shop(opened, rows)
    finally:
        opened.close()


def is_half_way(shop: Shop, case: str) -> bool:
    count = shop.desk.one(
        "SELECT sum(found) FROM cases_sourcesearch JOIN cases_collectionrun run ON run.id = run_id WHERE case_id = %s",
        case,
    )
    return bool(count) and 0 < count < shop.items


def in_review(desk: Desk, case: str) -> bool:
    return bool(desk.one("SELECT state = 'review' FROM cases_case WHERE id = %s", case))


def attempts(desk: Desk, case: str) -> int:
    """How often a worker began the case's search: once by the one that holds it, more where it let others by."""
    return int(desk.one("SELECT attempts FROM jobs_job WHERE case_id = %s AND kind = 'search_source'", case))


def whole(shop: Shop, case: str) -> dict[str, Any]:
    facts = shop.desk.act("found", case=case)
    told = [facts[name] for name in ("state", "items", "distinct", "broken_chains")]
    assert told == ["review", shop.items, shop.items, 0]
    return facts


@of_each_size
def test_worker_killed_in_mid_collection(shop, rounds):
    desk = shop.desk
    desk.run_only("worker", *SWEEPER)

    for _ in range(rounds):
        with desk.holding_searches(shop.rows // 2):
            (case,) = desk.act("log", email=BIG)["cases"]
            desk.wait(lambda case=case: is_half_way(shop, case), "the collection to be half-way")
            desk.kill("worker")
            begun = attempts(desk, case)
        desk.start_worker()

        desk.wait(lambda case=case: in_review(desk, case), "the collection to be finished by another worker")
        assert whole(shop, case)["attempts"] > begun


@of_each_size
def test_broker_killed_and_back_empty(shop, rounds):
    desk = shop.desk
    desk.run_only(*SWEEPER)

    for _ in range(rounds):
        queued = desk.act("log", email=BIG, times=2)["cases"]
        desk.kill_server("valkey")
        accepted = desk.act("log", email=BIG)["cases"]
        desk.revive(empty_broker=True)
        desk.start_worker()

        for case in [*queued, *accepted]:
            desk.wait(lambda case=case: in_review(desk, case), "what the broker forgot to be found")
            whole(shop, case)
        desk.kill("worker")


@of_each_size
def test_database_killed_in_mid_collection(shop, rounds):
    desk = shop.desk
    desk.run_only("worker", *SWEEPER)

    for _ in range(rounds):
        with desk.holding_searches(shop.rows // 2):
            (case,) = desk.act("log", email=BIG)["cases"]
            desk.wait(lambda case=case: is_half_way(shop, case), "the collection to be half-way")
            desk.kill_server("postgres")
        desk.revive()

        desk.wait(lambda case=case: in_review(desk, case), "the collection to go on after the restart")
        whole(shop, case)
