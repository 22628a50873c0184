"""How a value becomes one that is nobody's. Pure, and the same each time: a dry run and what follows agree.

A strategy is a word (``null``, ``random``, ``keyed_hash``, ``keep``), or a word with what it needs:
``{"constant": "-"}``, ``{"date": "year"}``, ``{"postcode": 2}``. Hashes are made under a key of the case, which is
destroyed with its data: then nothing leads back.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from cases.connectors.base import JSON

NULL, RANDOM, KEYED_HASH, KEEP = "null", "random", "keyed_hash", "keep"
CONSTANT, DATE, POSTCODE = "constant", "date", "postcode"
PLAIN_WORDS: Final = (NULL, RANDOM, KEYED_HASH, KEEP)
# To what a date is made coarser, and the day that stands for it.
GRAINS: Final = ("month", "quarter", "year", "decade")
MOST_LETTERS = 8
_DIGITS = 12
_NOBODY = "anonymised.invalid"  # RFC 2606: no mail ever arrives there


class StrategyWrong(ValueError):
    """A strategy that nobody knows, or that cannot be applied to such a value. Says so without the value."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which field of which record a value is made for, and the key under which it is made."""

    secret: bytes
    line: str
    field: str


def check(strategy: Any) -> None:
    """Raise StrategyWrong for what is no strategy."""
    if isinstance(strategy, str) and strategy in PLAIN_WORDS:
        return
    if isinstance(strategy, Mapping) and len(strategy) == 1:
        word, given = next(iter(strategy.items()))
        if _CHECKS.get(word, _never)(given):
            return
    raise StrategyWrong("use null, random, keyed_hash, keep, constant: …, date: year, or postcode: 2.")


def _never(_given: Any) -> bool:
    return False


_CHECKS: Final[Mapping[Any, Callable[[Any], bool]]] = {
    CONSTANT: lambda given: given is None or isinstance(given, str | int | float | bool),
    DATE: lambda given: given in GRAINS,
    POSTCODE: lambda given: type(given) is int and 0 < given <= MOST_LETTERS,
}


def value(strategy: Any, present: JSON, place: Place) -> JSON:
    """What a field holds afterwards. Raises StrategyWrong where the strategy does not suit what is there.

    What is empty stays empty, but for a constant: nothing was there to hide.
    """
    check(strategy)
    if isinstance(strategy, Mapping):
        word, given = next(iter(strategy.items()))
        return _MADE[word](given, present)
    if strategy in {KEEP, NULL} or present is None:
        return present if strategy == KEEP else None
    salt = place.line if strategy == RANDOM else ""
    return _like(present, _digest(place, f"{salt}|{present}"))


def _constant(given: JSON, _present: JSON) -> JSON:
    return given


def _digest(place: Place, text: str) -> str:
    return hmac.new(place.secret, f"anonymise|{place.field}|{text}".encode(), hashlib.sha256).hexdigest()


def _like(present: JSON, digest: str) -> JSON:
    """Something that fits where the value stood: an address for an address, digits for digits, not longer."""
    if isinstance(present, bool | list | dict):
        raise StrategyWrong("choose null or a constant for a field of this kind.")
    if isinstance(present, int | float):
        return int(digest, 16) % int("1" + "0" * len(str(abs(int(present)))))
    text = str(present)
    if "@" in text:
        return f"{digest[:_DIGITS]}@{_NOBODY}"
    if text.lstrip("+").replace(" ", "").isdigit():
        return str(int(digest, 16))[: len(text)]
    return digest[: max(1, min(_DIGITS, len(text)))]


def _coarser_date(grain: Any, present: JSON) -> JSON:
    if present is None or present == "":
        return present
    try:
        day = date.fromisoformat(str(present)[:10])
    except ValueError:
        raise StrategyWrong("it holds no date that could be made coarser.") from None
    first = {
        "month": (day.year, day.month),
        "quarter": (day.year, (day.month - 1) // 3 * 3 + 1),
        "year": (day.year, 1),
        "decade": (day.year // 10 * 10, 1),
    }[grain]
    # What is written beside a day, the time of it, says more than a coarse date may.
    midnight = "T00:00:00" if "T" in str(present) else ""
    return f"{date(*first, 1).isoformat()}{midnight}"


def _coarser_postcode(letters: Any, present: JSON) -> JSON:
    """The first letters of it, which name a district; the whole where it is no longer than that."""
    return present if present is None else str(present).strip()[:letters].strip()


_MADE: Final[Mapping[Any, Callable[[Any, JSON], JSON]]] = {
    CONSTANT: _constant,
    DATE: _coarser_date,
    POSTCODE: _coarser_postcode,
}
