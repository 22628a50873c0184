"""Workers killed at random, the broker emptied, the database restarted: the set of records is exactly right.

``make test`` goes on for a minute, ``make soak`` for ten.
"""

import hashlib
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kills.desk import Desk

PAGES = 1000
PAGE_SIZE = 10
ROWS = PAGES * PAGE_SIZE - 1  # with the customer's own row that many pages
BIG = "c1@example.com"
WORKERS = ("one", "two")
FINISH_SECONDS = 240.0

MINUTES = [pytest.param(1, id="a-minute"), pytest.param(10, id="ten-minutes", marks=pytest.mark.soak)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path)
    try:
        opened.open(ROWS, page_size=PAGE_SIZE)
        yield opened
    finally:
        opened.close()


def expected() -> str:
    """The records of the first customer, as the source was made to hold them."""
    refs = ["customers/1", *(f"orders/{number}" for number in range(1, ROWS + 1))]
    return hashlib.sha256("\n".join(sorted(refs)).encode()).hexdigest()


def is_done(desk: Desk, case: str) -> bool:
    return bool(desk.one("SELECT state = 'review' FROM cases_case WHERE id = %s", case))


class Chaos:
    """Kills something every few seconds, with the same dice each time; and keeps two cases under way meanwhile."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.dice = random.Random(4711)
        self.cases: list[str] = []
        self.kills = 0

    def rage(self, seconds: float) -> None:
        begun = time.monotonic()
        flush_at, restart_at = begun + seconds / 3, begun + seconds * 2 / 3
        while (now := time.monotonic()) < begun + seconds:
            self._keep_busy()
            if flush_at and now > flush_at:
                flush_at = 0.0
                self.desk.flush_broker()
            if restart_at and now > restart_at:
                restart_at = 0.0
                self.desk.kill_server("postgres")
                self.desk.revive()
            time.sleep(self.dice.uniform(2, 5))
            self._kill_one()

    def _keep_busy(self) -> None:
        for _ in range(2 - sum(not is_done(self.desk, case) for case in self.cases)):
            self.cases += self.desk.act("log", email=BIG)["cases"]

    def _kill_one(self) -> None:
        name = self.dice.choice(WORKERS)
        self.desk.kill(name)
        self.desk.start_worker(name)
        self.kills += 1


@pytest.mark.parametrize("minutes", MINUTES)
def test_records_are_exactly_right_whatever_dies(desk: Desk, minutes: int) -> None:
    desk.start_sweeper()
    for name in WORKERS:
        desk.start_worker(name)
    chaos = Chaos(desk)

    chaos.rage(60.0 * minutes)

    for case in chaos.cases:
        desk.wait(lambda case=case: is_done(desk, case), "the search to come to its end", FINISH_SECONDS)
    facts: list[dict[str, Any]] = [desk.act("found", case=case) for case in chaos.cases]
    whole = {"state": "review", "items": ROWS + 1, "distinct": ROWS + 1, "digest": expected(), "aside": 0}
    assert [{name: one[name] for name in whole} for one in facts] == [whole] * len(facts)
    assert (chaos.kills > 0, facts[0]["broken_chains"]) == (True, 0)
