"""Which numbers can have a text message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.texting import textable


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("07700 900123", "GB", "+447700900123"),
        ("+44 (0)7700 900 123", "DE", "+447700900123"),
        ("0171 5550123", "DE", "+491715550123"),
        ("06 39 98 12 34", "FR", "+33639981234"),
    ],
)
def test_mobile_numbers_have_one_form(written: str, region: str, number: str) -> None:
    assert textable(written, region) == number


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("020 7946 0000", "GB"),  # a fixed line
        ("0909 879 0000", "GB"),  # whoever calls it pays
        ("0800 123 4567", "GB"),
        ("+33 1 99 00 12 34", "FR"),
        ("112", "GB"),
        ("12345", "GB"),
        ("", "GB"),
        ("ask my son", "GB"),
    ],
)
def test_other_numbers_get_none(written: str, region: str) -> None:
    assert textable(written, region) == ""


@given(st.text(max_size=30), st.sampled_from(["GB", "DE", "FR", "US"]))
def test_whatever_is_typed_gives_e164_or_nothing(written: str, region: str) -> None:
    number = textable(written, region)

    assert number == "" or (number.startswith("+") and number[1:].isdecimal() and len(number) <= 16)
    assert textable(number, region) == number
