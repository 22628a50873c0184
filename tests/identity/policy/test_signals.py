"""What gives reason to look, from plain facts."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.policy.signals import Code, Facts, Seen, Signal, signals

ASKED = date(2026, 11, 3)
NOTHING = Facts(ASKED)


def codes(facts: Facts) -> list[str]:
    return [one.code.value for one in signals(facts)]


def test_nothing_is_noticed_where_nothing_is_told() -> None:
    quiet = replace(NOTHING, requests=[Seen("ada", "en", "GB")], address_on_file=True, from_network=1)

    assert (signals(NOTHING), signals(quiet)) == ([], [])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"requests": [Seen("ada"), Seen("eve")]}, ["several_requesters"]),
        ({"requests": [Seen("ada"), Seen("ada")]}, []),
        ({"requests": [Seen("ada"), Seen("")]}, []),
        ({"contact_changed": [ASKED - timedelta(days=30)]}, ["contact_changed"]),
        ({"contact_changed": [ASKED - timedelta(days=31)]}, []),
        ({"contact_changed": [ASKED + timedelta(days=2)]}, ["contact_changed"]),
        ({"address_on_file": False}, ["address_unknown"]),
        ({"address_on_file": None}, []),
        ({"requests": [Seen("ada", country="GB"), Seen("ada", country="RO")]}, ["country_differs"]),
        ({"requests": [Seen("ada", country="GB"), Seen("ada")]}, []),
        ({"requests": [Seen("ada", language="en"), Seen("ada", language="ru")]}, ["language_differs"]),
        ({"failures": 2}, []),
        ({"failures": 3}, ["failed_checks"]),
        ({"from_network": 4}, []),
        ({"from_network": 5}, ["many_from_network"]),
    ],
)
def test_each_is_noticed_from_its_facts_alone(changes: dict[str, Any], expected: list[str]) -> None:
    assert codes(replace(NOTHING, **changes)) == expected


def test_other_facts_are_another_signal() -> None:
    three, four = (Signal(Code.FAILED_CHECKS, (("count", n),)) for n in ("3", "4"))

    assert three.digest != four.digest
    assert three.digest == Signal(Code.FAILED_CHECKS, (("count", "3"),)).digest


@given(
    seen=st.lists(st.builds(Seen, st.sampled_from(["", "ada", "eve"]), st.sampled_from(["", "en", "de"]))),
    failures=st.integers(0, 10),
    network=st.integers(0, 10),
)
def test_the_order_in_which_requests_are_told_changes_nothing(
    seen: list[Seen], failures: int, network: int
) -> None:
    facts = Facts(ASKED, seen, failures=failures, from_network=network)

    assert signals(facts) == signals(replace(facts, requests=list(reversed(seen))))
