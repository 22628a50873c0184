"""The gate: limits kept by all together, turns, what a source says, and Redis gone."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from cases.collection import gate
from cases.collection.gate import SharedGate, Window
from cases.connectors.base import Limit, Throttled
from dsar.lib.uuid7 import uuid7

HOUR = 3600.0


@pytest.fixture(autouse=True)
def _redis_is_trusted() -> Iterator[None]:
    gate._rest.until = float("-inf")
    yield
    gate._rest.until = float("-inf")


def gate_of(source: UUID, case: UUID | None = None, *limits: Limit) -> SharedGate:
    made = SharedGate(source, case)
    made.declare(limits)
    return made


def taken(opened: SharedGate, wanted: int, bucket: str = "") -> int:
    """How many of so many calls are let through."""
    count = 0
    for _ in range(wanted):
        try:
            opened.take(bucket)
        except Throttled:
            return count
        count += 1
    return count


def refused(opened: SharedGate, bucket: str = "") -> float:
    with pytest.raises(Throttled) as refusal:
        opened.take(bucket)
    assert refusal.value.retry_after is not None
    return refusal.value.retry_after


def window_moves_on(source: UUID) -> None:
    """As if its seconds had passed, and nobody's time had come."""
    gate._client().delete(*gate._client().keys(f"gate:window:*{source}*"))


def time_comes(monkeypatch: pytest.MonkeyPatch, source: UUID, seconds: float) -> None:
    """As if so many seconds had passed."""
    window_moves_on(source)
    back = time.time() + seconds
    monkeypatch.setattr(gate.time, "time", lambda: back)


def test_four_fifths_of_the_published_limit_are_used() -> None:
    found = [
        Window.of(Limit(calls, seconds), gate.SHARE)
        for calls, seconds in ((190, 10), (4, 1), (1, 1), (5, 0.5), (100, 60.4))
    ]

    assert found == [Window(152, 10), Window(3, 1), Window(1, 1), Window(8, 1), Window(80, 61)]


def test_all_workers_share_one_window() -> None:
    """Eight gates at once, as eight processes would have them, are let through forty times in all."""
    source, limit = uuid7(), Limit(50, HOUR)

    with ThreadPoolExecutor(8) as workers:
        counts = list(workers.map(lambda _: taken(gate_of(source, uuid7(), limit), 20), range(8)))

    assert sum(counts) == 40


def test_buckets_have_windows_of_their_own() -> None:
    opened = gate_of(uuid7(), uuid7(), Limit(100, HOUR), Limit(5, HOUR, "search"))

    assert (taken(opened, 9, "search"), taken(opened, 90), taken(opened, 9, "unnamed")) == (4, 80, 0)


def test_every_window_of_a_bucket_has_to_have_room() -> None:
    opened = gate_of(uuid7(), uuid7(), Limit(100, HOUR), Limit(10, HOUR / 2))

    assert taken(opened, 50) == 8


def test_source_without_limits_is_never_refused() -> None:
    assert taken(gate_of(uuid7()), 50) == 50


def test_refusal_says_when_to_come_back() -> None:
    opened = gate_of(uuid7(), uuid7(), Limit(5, 60))
    taken(opened, 4)

    assert 55 < refused(opened) < 70


def test_sources_wait_holds_every_worker_and_bucket() -> None:
    source = uuid7()
    limits = (Limit(100, HOUR), Limit(100, HOUR, "search"))
    gate_of(source, uuid7(), *limits).learn(wait=120)

    other = gate_of(source, uuid7(), *limits)

    assert (110 < refused(other) <= 120, 110 < refused(other, "search") <= 120) == (True, True)


def test_wait_in_one_bucket_leaves_the_others_open() -> None:
    source = uuid7()
    opened = gate_of(source, uuid7(), Limit(100, HOUR), Limit(100, HOUR, "search"))

    opened.learn(bucket="search", wait=120)

    assert (taken(opened, 1), taken(opened, 1, "search")) == (1, 0)


def test_calls_that_are_left_hold_nobody() -> None:
    source = uuid7()
    opened = gate_of(source, uuid7(), Limit(100, HOUR))

    opened.learn(wait=120, remaining=7)
    before = (taken(opened, 1), gate.calls_left([source, uuid7()]))
    opened.learn(wait=120, remaining=0)

    assert (before, taken(opened, 1), gate.calls_left([source])) == ((1, {source: 7}), 0, {source: 0})


def test_shorter_wait_does_not_end_a_longer_one() -> None:
    opened = gate_of(uuid7(), uuid7(), Limit(100, HOUR))

    opened.learn(wait=120)
    opened.learn(wait=1)

    assert refused(opened) > 100


def test_room_is_kept_for_those_in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The huge search has used the whole limit. As room comes, the small ones in line get it, it does not."""
    source, limit = uuid7(), Limit(12, 2)
    huge, small, tiny = (gate_of(source, uuid7(), limit) for _ in range(3))
    taken(huge, 9)
    waits = [refused(small), refused(tiny), refused(huge)]
    time_comes(monkeypatch, source, 2)

    served = [taken(huge, 100), taken(small, 3), taken(tiny, 1)]

    assert served == [0, 3, 1]
    assert waits[0] < waits[1] < waits[2]


def test_room_is_used_while_nobody_in_line_is_expected() -> None:
    """However long the line: those in it were told to come later, and till then the limit would lie idle."""
    source, limit = uuid7(), Limit(12, 60)
    huge, new = (gate_of(source, uuid7(), limit) for _ in range(2))
    taken(huge, 9)
    told = [refused(gate_of(source, uuid7(), limit)) for _ in range(9)]
    window_moves_on(source)

    assert (min(told) > 30, taken(new, 100)) == (True, 9)


def test_who_comes_in_time_gets_what_a_newcomer_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    source, limit = uuid7(), Limit(5, 60)
    huge, one, new = (gate_of(source, uuid7(), limit) for _ in range(3))
    taken(huge, 4)
    told = refused(one)
    time_comes(monkeypatch, source, told - gate.SOON_SECONDS / 2)

    assert (taken(new, 1), taken(huge, 1), taken(one, 2)) == (0, 0, 2)


def test_huge_search_goes_on_when_nobody_is_in_line_any_more() -> None:
    source, limit = uuid7(), Limit(12, 2)
    huge, small = (gate_of(source, uuid7(), limit) for _ in range(2))
    taken(huge, 9)
    refused(small)
    window_moves_on(source)
    taken(small, 2)

    small.leave()

    assert taken(huge, 100) == 7


def test_case_that_does_not_come_back_loses_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    source, limit = uuid7(), Limit(12, 1)
    huge, gone = (gate_of(source, uuid7(), limit) for _ in range(2))
    taken(huge, 9)
    told = refused(gone)
    time_comes(monkeypatch, source, told + gate.GRACE_SECONDS - 1)
    kept = taken(huge, 100)
    time_comes(monkeypatch, source, 2)

    assert (kept, taken(huge, 100)) == (4, 9)


def test_end_of_a_long_line_waits_a_minute_more_than_the_limit_and_keeps_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, limit = uuid7(), Limit(12, 600)
    huge = gate_of(source, uuid7(), limit)
    taken(huge, 9)
    line = [gate_of(source, uuid7(), limit) for _ in range(300)]
    told = [refused(one) for one in line][-1]
    for one in line[:-1]:
        one.leave()

    time_comes(monkeypatch, source, told)
    served = [taken(huge, 100), taken(line[-1], 5)]

    least = 600 + gate.LONGEST_IN_LINE_SECONDS - 10  # what making the line took
    assert (least < told < least + 10 + gate.SPREAD_SECONDS, served) == (True, [4, 5])


def test_those_who_ask_in_vain_do_not_keep_the_workers_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a line of a thousand no more than ten come back in a second."""
    source, limit = uuid7(), Limit(2, 600)
    monkeypatch.setattr(gate, "LONGEST_IN_LINE_SECONDS", 0.5)
    taken(gate_of(source, uuid7(), limit), 1)
    line = [gate_of(source, uuid7(), limit) for _ in range(100)]

    told = [refused(one) for one in line]

    assert (
        told[-1] - told[0] > 99 / gate.MOST_WHO_ASK_A_SECOND - gate.SPREAD_SECONDS - 5
    )  # what making the line took


def test_without_redis_each_process_keeps_a_fifth(settings: Any) -> None:
    settings.CACHES = {"default": {"LOCATION": "redis://127.0.0.1:1/1"}}
    source = uuid7()
    one, other = (gate_of(source, uuid7(), Limit(50, HOUR)) for _ in range(2))

    counts = (taken(one, 100), taken(other, 100))
    one.learn(wait=5)

    assert (counts, refused(one) > HOUR - 60, gate.calls_left([source])) == ((10, 0), True, {})


def test_case_is_named_by_its_id_alone() -> None:
    source, case = uuid7(), uuid7()
    opened = gate_of(source, case, Limit(1, HOUR))
    taken(opened, 1)
    refused(opened)

    assert gate._client().zrange(f"gate:{source}::line", 0, -1) == [str(case).encode()]
