"""JSON values of records as people, spreadsheets and programs read them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from math import isfinite

from cases.packs.content import Json, Passages, Redacted
from cases.packs.wording import Wording

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ACRONYMS = frozenset(
    {"id", "ip", "url", "iban", "bic", "vat", "sms", "uuid", "dob", "gps", "iso", "pin", "crm"}
)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?)?\Z", re.ASCII)
_DAYS = 4096  # Days whose words are remembered: those of ten years.
# A spreadsheet takes a cell that begins so for a formula (full-width forms included), or skips the
# white space before one. An apostrophe counts too, so that our own can be told from one in the data.
_FORMULA_STARTS = frozenset("=+-@\t\r\n'＝＋－＠")


@cache
def humanise(name: str) -> str:
    """`first_name`, `firstName` and `first-name` as "First name"; `customerId` as "Customer ID"."""
    words = _CAMEL.sub(" ", re.sub(r"[_\-.\s]+", " ", name)).split()
    spoken = [word.upper() if word.lower() in _ACRONYMS else word for word in words]
    lowered = [word if word.isupper() and len(word) > 1 else word.lower() for word in spoken]
    text = " ".join(lowered) or name
    return text[:1].upper() + text[1:]


def shown(value: Json, words: Wording) -> str:
    """A value as the report prints it. Nothing at all is the empty string."""
    if isinstance(value, str):
        return _date_shown(value, words) if value[4:5] == "-" and len(value) < 36 else value
    if value is None:
        return ""
    if isinstance(value, bool):
        return words.yes if value else words.no
    return str(value) if isinstance(value, int | float) else _composite_shown(value, words)


def _composite_shown(value: Json, words: Wording) -> str:
    if isinstance(value, Redacted | Passages):
        return with_marks(value, words)
    if isinstance(value, Mapping):
        return "; ".join(f"{humanise(key)}: {shown(item, words)}" for key, item in value.items())
    if isinstance(value, Sequence):
        return ", ".join(shown(item, words) for item in value)
    raise TypeError(f"no JSON value: {type(value).__name__}")


def with_marks(value: Redacted | Passages, words: Wording) -> str:
    """Text in which a visible mark stands for each withheld passage."""
    parts = (value,) if isinstance(value, Redacted) else value.parts
    return "".join(words.mark(part.code) if isinstance(part, Redacted) else part for part in parts)


def _date_shown(value: str, words: Wording) -> str:
    """ISO dates and times in the pack's language, in the time zone in which they were recorded."""
    match = _ISO.match(value)
    if match is None:
        return value
    day_text, time, offset = match.groups()
    day = _day_shown(day_text, words)
    if not day or (time and not _is_time(time)):
        return value
    return words.moment_pattern.format(date=day, time=time + _zone_shown(offset)) if time else day


@lru_cache(_DAYS)
def _day_shown(value: str, words: Wording) -> str:
    """An ISO date in the pack's language; nothing for a day that does not exist."""
    try:
        return words.short_day(date.fromisoformat(value))
    except ValueError:
        return ""


def _is_time(value: str) -> bool:
    """Whether HH:MM or HH:MM:SS is a time of day."""
    return value < "24" and value[3] < "6" and value[6:7] < "6"


def _zone_shown(offset: str | None) -> str:
    if offset is None:
        return ""
    return " UTC" if offset in ("Z", "+00:00") else f" {offset}"


def as_json(value: object) -> bytes:
    """Compact JSON in UTF-8. A withheld value is {"$withheld": code}, withheld passages are marked in the text."""
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError:  # Lone surrogates, which only an escape can carry.
        return _ASCII_ENCODER.encode(_finite(value)).encode()
    except ValueError:  # JSON has no NaN and no infinity; some databases do.
        return as_json(_finite(value))


def _finite(value: object) -> object:
    """The same value, with numbers that JSON cannot write turned into text such as "nan"."""
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _json_default(value: object) -> object:
    if isinstance(value, Redacted):
        return {"$withheld": value.code}
    if isinstance(value, Passages):
        return {"$passages": list(value.parts)}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no JSON value: {type(value).__name__}")


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=_json_default, allow_nan=False, check_circular=False
)
_ASCII_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_json_default)


def as_cell(value: Json, words: Wording) -> str | int | float:
    """A value as a CSV cell: exact, unambiguous, and harmless to a spreadsheet."""
    if isinstance(value, str):
        return value if value[:1].isalnum() else _harmless(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, Redacted | Passages):
        return _harmless(with_marks(value, words))
    return _harmless(as_json(value).decode())


def _harmless(text: str) -> str:
    """Put an apostrophe before what could be a formula; taking one away gives back the exact text."""
    if text[:1] in _FORMULA_STARTS and text:
        return f"'{text}"
    return f"'{text}" if text[:1].isspace() and text.lstrip()[:1] in _FORMULA_STARTS else text
