"""How values become nobody's: the same each time, never the value itself, and fit to stand where it stood."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cases.fulfilment import anonymise
from cases.fulfilment.anonymise import Place, StrategyWrong, check, value

HERE = Place(b"a secret of the case", "line-1", "name")
THERE = Place(b"a secret of the case", "line-2", "name")
ELSEWHERE = Place(b"a secret of another case", "line-1", "name")


@given(st.text(min_size=8, max_size=200))
def test_made_up_values_are_not_what_was_there_and_not_longer(text):
    assume("@" not in text)

    for strategy in ("random", "keyed_hash"):
        made = value(strategy, text, HERE)

        assert made != text
        assert len(made) <= len(text)
        assert made == value(strategy, text, HERE)


def test_keyed_hash_keeps_alike_what_was_alike_and_random_does_not():
    hashes = {value("keyed_hash", "Ada Example", place) for place in (HERE, THERE)}
    randoms = {value("random", "Ada Example", place) for place in (HERE, THERE)}

    assert (len(hashes), len(randoms)) == (1, 2)
    assert value("keyed_hash", "Ada Example", ELSEWHERE) not in hashes


def test_made_up_values_have_the_form_of_what_was_there():
    assert value("random", "ada@example.com", HERE).endswith("@anonymised.invalid")
    assert value("random", "+44 20 7946 0000", HERE).isdigit()
    assert type(value("random", 4711, HERE)) is int
    assert value("random", 4711, HERE) <= 9999


@pytest.mark.parametrize(
    ("strategy", "present", "made"),
    [
        ("null", "Ada", None),
        ("keep", "Ada", "Ada"),
        ({"constant": "-"}, "Ada", "-"),
        ({"constant": None}, "Ada", None),
        ({"date": "month"}, "1984-07-21", "1984-07-01"),
        ({"date": "quarter"}, "1984-09-21", "1984-07-01"),
        ({"date": "year"}, "1984-07-21", "1984-01-01"),
        ({"date": "decade"}, "1984-07-21", "1980-01-01"),
        ({"date": "year"}, "1984-07-21T10:15:00+02:00", "1984-01-01T00:00:00"),
        ({"date": "year"}, None, None),
        ({"postcode": 2}, "12227-000", "12"),
        ({"postcode": 4}, "SW1A 1AA", "SW1A"),
        ({"postcode": 8}, "1", "1"),
        ("random", None, None),
        ("keyed_hash", None, None),
    ],
)
def test_strategy_makes(strategy, present, made):
    assert value(strategy, present, HERE) == made


@pytest.mark.parametrize(
    "strategy", [None, "", "md5", {}, {"date": "day"}, {"postcode": 0}, {"postcode": True}, {"a": 1}]
)
def test_unknown_strategy_is_refused(strategy):
    with pytest.raises(StrategyWrong):
        check(strategy)


def test_what_a_strategy_does_not_suit_is_refused_without_the_value():
    for strategy, present in (({"date": "year"}, "a secret"), ("random", ["a secret"]), ("keyed_hash", True)):
        with pytest.raises(StrategyWrong) as wrong:
            value(strategy, present, HERE)

        assert "secret" not in str(wrong.value)


def test_every_plain_word_is_a_strategy():
    for word in anonymise.PLAIN_WORDS:
        check(word)
