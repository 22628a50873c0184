"""Sources behind those that feed them; circles refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.collection.order import circle, in_order


def test_source_comes_behind_what_feeds_it() -> None:
    assert in_order({"calls": ["crm"], "shop": [], "crm": ["shop"]}) == ["shop", "crm", "calls"]


def test_sources_that_nothing_feeds_stay_as_they_were() -> None:
    assert in_order({"zoo": [], "ark": [], "bay": ["gone"]}) == ["zoo", "ark", "bay"]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"a": ["b"], "b": ["a"]}, {"a", "b"}),
        ({"a": ["a"]}, {"a"}),
        ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, {"a", "b", "c"}),
        ({"a": ["b"], "b": []}, set()),
    ],
)
def test_circle_is_named(after: dict[str, list[str]], expected: set[str]) -> None:
    assert set(circle(after)) == expected


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3)))
def test_every_source_has_its_place_once_unless_there_is_a_circle(after: dict[str, list[str]]) -> None:
    if circle(after):
        return

    ordered = in_order(after)

    assert sorted(ordered) == sorted(after)
    for slug, first in after.items():
        assert all(ordered.index(one) < ordered.index(slug) for one in first if one in after)
