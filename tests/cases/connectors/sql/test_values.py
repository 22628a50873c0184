from __future__ import annotations

import base64
import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.connectors.sql.values import BASE64_KEY, key_text, row_ref, to_json

PLAIN = (
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
)
DOCUMENTS = st.recursive(
    PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)


@given(DOCUMENTS)
def test_to_json_leaves_documents_as_they_are(document: Any) -> None:
    assert json.loads(json.dumps(to_json(document))) == document


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_to_json_keeps_every_digit_of_a_number(number: Decimal) -> None:
    assert Decimal(str(to_json(number))).as_tuple() == number.as_tuple()


@given(st.datetimes())
def test_to_json_keeps_moments(moment: datetime) -> None:
    assert datetime.fromisoformat(str(to_json(moment))) == moment


@given(st.binary())
def test_to_json_marks_binary_data(data: bytes) -> None:
    marked = to_json(data)

    assert isinstance(marked, dict)
    assert list(marked) == [BASE64_KEY]
    assert base64.b64decode(str(marked[BASE64_KEY])) == data


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("inf"), "inf"),
        (date(2024, 2, 29), "2024-02-29"),
        (time(23, 59), "23:59:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (("a", b"\x00"), ["a", {BASE64_KEY: "AA=="}]),
        (memoryview(b"\x00"), {BASE64_KEY: "AA=="}),
    ],
)
def test_to_json_of_other_values(value: object, expected: object) -> None:
    assert to_json(value) == expected


@pytest.mark.parametrize(
    ("key", "readable", "ref"),
    [
        ((7,), True, "people/7"),
        ((7, 12), True, "people/7,12"),
        ((UUID(int=1),), True, "people/00000000-0000-0000-0000-000000000001"),
    ],
)
def test_row_ref_of_numbers_is_readable(key: tuple[object, ...], readable: bool, ref: str) -> None:
    assert row_ref("people", key, readable=readable) == ref


@given(st.text(min_size=3), st.text(min_size=3))
def test_row_ref_of_text_is_a_digest(left: str, right: str) -> None:
    first, second, again = (row_ref("p", [value], readable=True) for value in (left, right, left))

    assert first == again
    assert (first == second) == (left == right)
    assert len(first) == len("p/~") + 32


def test_row_ref_tells_parts_of_a_key_apart() -> None:
    assert row_ref("p", ["a", "b,c"], readable=True) != row_ref("p", ["a,b", "c"], readable=True)


@pytest.mark.parametrize(
    ("value", "text"), [(7, "7"), (b"\x00\xff", "\\x00ff"), (date(2024, 2, 29), "2024-02-29"), (True, "True")]
)
def test_key_text_can_be_cast_back(value: object, text: str) -> None:
    assert key_text(value) == text
