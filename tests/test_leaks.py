"""The check itself must find what got out, and nothing else."""

import pytest

from tests.leaks import leaked


@pytest.mark.parametrize(
    "text",
    [
        "Dear Ada,",
        "ada.Ada@example.com",
        "order=Ada&x=1",
        "0Ada",
        "<b>Ada</b>",
        "Ada-1234",
        "at 10:00:00 Ada",
    ],
)
def test_word_is_found(text):
    assert leaked(["Ada", "Bob"], text) == ["Ada"]


@pytest.mark.parametrize(
    "text",
    [
        "/cases/0ada4711-ada4-4711-aada-ada47110ada4/",
        'value="' + "xadax4711X" * 4 + '"',
        "<ModelState object at 0x7f4711adada0>",
        "2026-11-22T10:47:11.471123+00:00",
    ],
)
def test_chance_is_no_leak(text):
    assert leaked(["ada", "4711", "47:11"], text) == []
