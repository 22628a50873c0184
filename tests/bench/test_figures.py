"""Medians and percentiles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.figures import Before, Result, percentile, skipped
from tests.bench.peer import BY_NAME, ROWS

LISTS = st.lists(st.floats(0, 1e6), min_size=1, max_size=50)


def test_percentile_is_the_nearest_rank():
    values = [float(number) for number in range(1, 101)]

    assert (percentile(values, 0.5), percentile(values, 0.95), percentile(values, 1.0)) == (50.0, 95.0, 100.0)


def test_percentile_of_one_value():
    assert percentile([7.0], 0.0) == 7.0


def test_percentile_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@given(LISTS, st.floats(0.01, 1))
def test_percentile_covers_its_share_and_no_smaller_value_does(values, share):
    found = percentile(values, share)

    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values) + 1e-9


def test_result_tells_the_median_of_its_runs():
    assert Result("access", runs=(0.3, 0.1, 0.2)).value == 0.2


def test_result_that_was_skipped_has_no_value():
    results = skipped("no CRM", "access", "batch")

    assert [(result.name, result.value, result.skipped) for result in results] == [
        ("access", None, "no CRM"),
        ("batch", None, "no CRM"),
    ]


def test_result_as_json_holds_the_peer_and_the_verdict():
    result = Result("intake-1", (92.0,), 2.5, Before(1.5, 0.25), "100 requests")

    assert result.as_json() == {
        "name": "intake-1",
        "work": "intake, 1 client",
        "unit": "/s",
        "peer": 23,
        "aim": 100,
        "higher_is_better": True,
        "value": 92.0,
        "runs": [92.0],
        "ratio": 4.0,
        "aim_met": False,
        "cpu_seconds": 2.5,
        "load_before": 1.5,
        "others_busy_cores": 0.25,
        "detail": "100 requests",
        "skipped": "",
    }


def test_ratio_is_above_one_for_the_better_on_either_scale():
    assert BY_NAME["intake-8"].ratio(55.0) == 2.0
    assert BY_NAME["access"].ratio(0.26) == 2.0


def test_ratio_where_the_peer_never_gets_there_or_nothing_is_lost():
    assert BY_NAME["redis-empty-found"].ratio(12.0) is None
    assert BY_NAME["redis-empty-lost"].ratio(0.0) is None


def test_every_row_has_a_name_of_its_own():
    assert len(BY_NAME) == len(ROWS)
