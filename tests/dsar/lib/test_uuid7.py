from threading import Thread
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.lib import uuid7 as module
from dsar.lib.uuid7 import uuid7


def test_uuid7_carries_version_and_variant() -> None:
    made = uuid7()

    assert (made.version, made.variant) == (7, RFC_4122)


@given(st.integers(min_value=0, max_value=2**48 - 1))
def test_uuid7_keeps_the_given_time(now_ms: int) -> None:
    made = uuid7(now_ms)

    assert made.int >> 80 == now_ms


def test_uuid7_increases_within_a_process() -> None:
    made = [uuid7() for _ in range(5000)]

    assert made == sorted(set(made))


def test_uuid7_increases_within_one_given_millisecond() -> None:
    made = [uuid7(1_700_000_000_000) for _ in range(5000)]

    assert made == sorted(set(made))


def test_uuid7_increases_when_the_clock_steps_back() -> None:
    sequence = module._Sequence()

    made = [sequence.after(ms) for ms in (1000, 1001, 5, 999, 1001, 1002)]

    assert made == sorted(set(made))


def test_uuid7_borrows_the_next_millisecond_when_the_counter_is_full() -> None:
    sequence = module._Sequence()
    sequence.after(1000)
    sequence._random = 2**74 - 1

    ms, random = sequence.after(1000)

    assert (ms, random < 2**73) == (1001, True)


def test_uuid7_is_unique_across_threads() -> None:
    made: list[UUID] = []
    threads = [Thread(target=lambda: made.extend(uuid7() for _ in range(500))) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 2000


@pytest.mark.parametrize("now_ms", [-1, 2**48])
def test_uuid7_refuses_a_time_out_of_range(now_ms: int) -> None:
    with pytest.raises(ValueError, match="48 bits"):
        uuid7(now_ms)
