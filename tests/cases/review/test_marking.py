"""Marks of a redaction: every place is found, nothing else is touched, and what is withheld never shows."""

from hypothesis import given
from hypothesis import strategies as st

from cases.review import marking
from cases.review.redaction import redacted
from cases.review.showing import _field, _marked, places, text_of

WORDS = st.text(alphabet="ab \n", min_size=1, max_size=30)


@given(WORDS, WORDS)
def test_passage_is_gone_from_what_goes_out(text, passage):
    marks = marking.with_passage(None, "text", text, passage, "TP")

    if marks is None:
        assert passage not in text
        return
    field = _field("text", redacted({"text": text}, marks)["text"])
    assert "".join(part.text for part in field.parts) == text.replace(passage, "")


@given(WORDS, WORDS)
def test_marked_text_is_still_the_whole_text(text, passage):
    marks = marking.with_passage(None, "text", text, passage, "TP") or {}

    assert [field.text for field in _marked({"text": text}, marks)] == [text]


def test_places_forgive_the_line_ends_of_a_browser():
    assert places("one\ntwo", "one\r\ntwo") == [(0, 7)]
    assert places("one\r\ntwo", "one\ntwo") == [(0, 8)]
    assert places("one", "") == []


def test_fields_keep_their_code_and_swallow_passages():
    marks = {
        "fields": [{"field": "agent", "code": "TP"}],
        "passages": [{"field": "text", "start": 0, "end": 1, "code": "LPP"}],
    }

    changed = marking.with_fields(marks, ["agent", "text"], "CRIME")

    assert changed == {
        "fields": [{"field": "agent", "code": "TP"}, {"field": "text", "code": "CRIME"}],
        "passages": [],
    }


def test_same_passage_twice_is_marked_once():
    once = marking.with_passage(None, "text", "abab", "ab", "TP")

    assert marking.with_passage(once, "text", "abab", "ab", "LPP") == once


def test_place_that_there_is_not_changes_nothing():
    marks = marking.with_passage(None, "text", "ab", "a", "TP")

    assert marking.without_passage(marks, 7) == marks
    assert marking.is_empty(marking.without_passage(marks, 0))


def test_values_read_as_text():
    assert [text_of(value) for value in (None, "word", 3, {"a": [1]})] == [
        "",
        "word",
        "3",
        '{\n  "a": [\n    1\n  ]\n}',
    ]
