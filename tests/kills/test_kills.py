"""Real processes, really killed: the run completes, nothing is lost, nothing is doubled.

``make test`` does one round of each; ``make soak`` ten.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kills.desk import Desk

ROWS = 30_000
ITEMS = ROWS + 1  # the customer's own row
HALF = ROWS // 2
BIG = "c1@example.com"

ROUNDS = [pytest.param(1, id="once"), pytest.param(10, id="ten-times", marks=pytest.mark.soak)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path)
    try:
        opened.open(ROWS)
        yield opened
    finally:
        opened.close()


def is_half_way(desk: Desk, case: str) -> bool:
    count = desk.one(
        "SELECT sum(found) FROM cases_sourcesearch JOIN cases_collectionrun run ON run.id = run_id WHERE case_id = %s",
        case,
    )
    return bool(count) and 0 < count < ITEMS


def in_review(desk: Desk, case: str) -> bool:
    return bool(desk.one("SELECT state = 'review' FROM cases_case WHERE id = %s", case))


def attempts(desk: Desk, case: str) -> int:
    """How often a worker began the case's search: once by the one that holds it, more where it let others by."""
    return int(desk.one("SELECT attempts FROM jobs_job WHERE case_id = %s AND kind = 'search_source'", case))


def whole(desk: Desk, case: str) -> dict[str, Any]:
    facts = desk.act("found", case=case)
    assert (facts["state"], facts["items"], facts["distinct"], facts["broken_chains"]) == (
        "review",
        ITEMS,
        ITEMS,
        0,
    )
    return facts


@pytest.mark.parametrize("rounds", ROUNDS)
def test_worker_killed_in_mid_collection(desk, rounds):
    desk.start_sweeper()
    desk.start_worker()

    for _ in range(rounds):
        with desk.holding_searches(HALF):
            (case,) = desk.act("log", email=BIG)["cases"]
            desk.wait(lambda case=case: is_half_way(desk, case), "the collection to be half-way")
            desk.kill("worker")
            begun = attempts(desk, case)
        desk.start_worker()

        desk.wait(lambda case=case: in_review(desk, case), "the collection to be finished by another worker")
        assert whole(desk, case)["attempts"] > begun


@pytest.mark.parametrize("rounds", ROUNDS)
def test_broker_killed_and_back_empty(desk, rounds):
    desk.start_sweeper()

    for _ in range(rounds):
        queued = desk.act("log", email=BIG, times=2)["cases"]
        desk.kill_server("valkey")
        accepted = desk.act("log", email=BIG)["cases"]
        desk.revive(empty_broker=True)
        desk.start_worker()

        for case in [*queued, *accepted]:
            desk.wait(lambda case=case: in_review(desk, case), "what the broker forgot to be found")
            whole(desk, case)
        desk.kill("worker")


@pytest.mark.parametrize("rounds", ROUNDS)
def test_database_killed_in_mid_collection(desk, rounds):
    desk.start_sweeper()
    desk.start_worker()

    for _ in range(rounds):
        with desk.holding_searches(HALF):
            (case,) = desk.act("log", email=BIG)["cases"]
            desk.wait(lambda case=case: is_half_way(desk, case), "the collection to be half-way")
            desk.kill_server("postgres")
        desk.revive()

        desk.wait(lambda case=case: in_review(desk, case), "the collection to go on after the restart")
        whole(desk, case)
