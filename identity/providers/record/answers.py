"""Brings answers to one form, so that a person may write them as they like and a source keep them as it does.

What was answered and what is held are compared in this form alone, as keyed hashes, in constant time.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation

MONTH, AMOUNT, POSTCODE, CHOICE = "month", "amount", "postcode", "choice"
KINDS = (MONTH, AMOUNT, POSTCODE, CHOICE)
# Of these few tell people apart, and neighbours or friends know them: at most one of them is asked at a time.
WEAK = frozenset({POSTCODE, CHOICE})

_NUMBERS = re.compile(r"(?:\d{1,2}\s*[-/. ]\s*)?(\d{1,2})\s*[-/. ]\s*(\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/. ]\s*(\d{1,2})(?:\s*[-/. T].*)?")
_WORDS = re.compile(r"(?:\d{1,2}\.?\s+)?([^\W\d_]+)\.?,?\s+(\d{4})")
# The first three letters tell months apart in English and German; French needs four for June and July.
_BEGINNINGS = {
    1: ("jan", "jän"),
    2: ("feb", "fév", "fev"),
    3: ("mar", "mär", "mrz"),
    4: ("apr", "avr"),
    5: ("may", "mai"),
    6: ("jun", "juin"),
    7: ("jul", "juil"),
    8: ("aug", "aoû", "aou"),
    9: ("sep",),
    10: ("oct", "okt"),
    11: ("nov",),
    12: ("dec", "dez", "déc"),
}
_MONEY = re.compile(r"[^\d,.\-]")
_NOT_IN_POSTCODES = re.compile(r"[^0-9A-Z]")


def read(kind: str, text: str) -> str:
    """What was answered, in one form; empty where it cannot be read as such an answer."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return _READERS[kind](plain) if plain else ""


def accepted(kind: str, held: str) -> tuple[str, str]:
    """The forms in which what is held may be answered: two always, so that comparing takes the same time.

    Of an amount both what is before the decimal sign and the nearest whole unit.
    """
    plain = unicodedata.normalize("NFKC", held).strip()
    if kind == AMOUNT:
        amount = _decimal(plain)
        return ("", "") if amount is None else (_whole(amount, ROUND_DOWN), _whole(amount, ROUND_HALF_UP))
    one = read(kind, plain)
    return (one, one)


def _month(text: str) -> str:
    for pattern, order in ((_YEAR_FIRST, (1, 2)), (_NUMBERS, (2, 1))):
        if found := pattern.fullmatch(text):
            return _of_month(int(found[order[0]]), int(found[order[1]]))
    if found := _WORDS.fullmatch(text):
        return _of_month(int(found[2]), _named(found[1].casefold()))
    return ""


def _named(word: str) -> int:
    fits = [(len(one), month) for month, all_ in _BEGINNINGS.items() for one in all_ if word.startswith(one)]
    return max(fits, default=(0, 0))[1]


def _of_month(year: int, month: int) -> str:
    try:
        return f"{date(year, month, 1):%Y-%m}"
    except ValueError:
        return ""


def _amount(text: str) -> str:
    amount = _decimal(text)
    return "" if amount is None else _whole(amount, ROUND_DOWN)


def _whole(amount: Decimal, rounding: str) -> str:
    return str(abs(amount).quantize(Decimal(1), rounding=rounding))


def _decimal(text: str) -> Decimal | None:
    """An amount as people write it: ``1.234,50 €``, ``£1,234.50``, ``54``."""
    plain = _MONEY.sub("", text)
    last = max(plain.rfind(","), plain.rfind("."))
    is_fraction = last >= 0 and len(plain) - last - 1 in {1, 2}
    whole, fraction = (plain[:last], plain[last + 1 :]) if is_fraction else (plain, "")
    digits = whole.replace(",", "").replace(".", "")
    if len(digits) > 15 or not (digits.lstrip("-") + fraction):
        return None
    try:
        found = Decimal(f"{digits or 0}.{fraction or 0}")
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _postcode(text: str) -> str:
    return _NOT_IN_POSTCODES.sub("", text.upper())[:20]


def _choice(text: str) -> str:
    return " ".join(text.casefold().split())


_READERS = {MONTH: _month, AMOUNT: _amount, POSTCODE: _postcode, CHOICE: _choice}
