"""References that people read out: ``K7QF-2M9D``, and ``K7QF-2M9D/A`` for one case of it.

Of eight symbols, seven are random and the last checks them. The 23 symbols hold no two that look alike,
and no A, E, I, O or U, so that no words appear. Because 23 is prime, a weighted sum modulo 23 (the pure
system of ISO/IEC 7064) catches every single wrong symbol and every exchange of any two symbols.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

ALPHABET = "23456789CDFHJKMPQRTVWXY"
LENGTH = 8

_PRIME = len(ALPHABET)
# What the sum of a right reference is: not zero, so that 2222-2222 is none.
_TARGET = 21
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}

# Symbols that we never give out, each resembling exactly one that we do. 0, O, 1, I, L, A and E stay
# out: they resemble none of ours or more than one.
_LOOK_ALIKES = str.maketrans("BGNSUZ", "86M5V2")

_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015\u2212._]+")

SUFFIXES = {
    "access": "A",
    "erasure": "E",
    "rectification": "R",
    "restriction": "S",
    "objection": "O",
    "portability": "P",
    "automated_decision": "D",
    "complaint": "C",
}

_DECIMALS = "0123456789"

Fault = Literal["empty", "length", "unknown", "mistyped", "suffix"]


class BadReference(ValueError):
    """A text is no reference. ``code`` is stable; the message is a sentence for the person who typed."""

    def __init__(self, code: Fault, sentence: str) -> None:
        super().__init__(sentence)
        self.code: Fault = code


@dataclass(frozen=True, slots=True)
class CaseReference:
    """A reference and, when given, the suffix that names one of its cases."""

    reference: str
    suffix: str | None = None

    def __str__(self) -> str:
        return self.reference if self.suffix is None else f"{self.reference}/{self.suffix}"


def new_reference() -> str:
    """Make a reference at random. There are 3.4 thousand million: the caller ensures uniqueness."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return group(body + _check_symbol(body))


def group(symbols: str) -> str:
    """Write eight symbols in two groups of four."""
    return f"{symbols[:4]}-{symbols[4:]}"


def parse(text: str) -> str:
    """Give the canonical form of what a person typed, without suffix; raises BadReference.

    Case, spaces, hyphens and look-alikes are forgiven.
    """
    return parse_case(text).reference


def parse_case(text: str) -> CaseReference:
    """Read a reference with or without the suffix of a case; raises BadReference."""
    body, slash, suffix = unicodedata.normalize("NFKC", text).upper().partition("/")
    symbols = _SEPARATORS.sub("", body).translate(_LOOK_ALIKES)
    _refuse_wrong_symbols(symbols)
    return CaseReference(group(symbols), _parse_suffix(suffix) if slash else None)


def case_reference(reference: str, right: str) -> str:
    """Give the reference of the case of one right, such as ``K7QF-2M9D/A``."""
    return str(CaseReference(reference, SUFFIXES[right]))


def spell(reference: str, language: str = "en") -> str:
    """Say how to read a reference aloud: letters in the international spelling alphabet, digits as words.

    ``language`` is a code such as ``de`` or ``de-AT``; one that we have no words for is read in English.
    """
    words = _DIGITS.get(language.lower().partition("-")[0], _DIGITS["en"])
    return ", ".join(_spoken(reference.upper(), words.split()))


def _spoken(reference: str, digits: list[str]) -> Iterator[str]:
    for symbol in reference:
        if symbol in _DECIMALS:
            yield digits[_DECIMALS.index(symbol)]
        elif symbol == "/":
            yield digits[10]
        elif symbol in _LETTERS:
            yield _LETTERS[symbol]


def _refuse_wrong_symbols(symbols: str) -> None:
    if not symbols:
        raise BadReference("empty", "Please enter a reference, such as K7QF-2M9D.")
    for symbol in symbols:
        if symbol not in _VALUE:
            raise BadReference("unknown", f"A reference never contains “{symbol}”. Please check it.")
    if len(symbols) != LENGTH:
        raise BadReference("length", f"A reference has {LENGTH} symbols; this has {len(symbols)}.")
    if _sum(symbols) != _TARGET:
        raise BadReference("mistyped", "This reference is mistyped: symbols are wrong or swapped.")


def _parse_suffix(text: str) -> str:
    suffix = text.strip()
    if suffix not in SUFFIXES.values():
        known = ", ".join(SUFFIXES.values())
        raise BadReference("suffix", f"After the slash stands one letter for the right: {known}.")
    return suffix


def _check_symbol(body: str) -> str:
    return ALPHABET[(_TARGET - _sum(body + ALPHABET[0])) % _PRIME]


def _sum(symbols: str) -> int:
    # The weights are powers of two, which are all different modulo 23 up to the eleventh.
    return sum(_VALUE[symbol] << place for place, symbol in enumerate(reversed(symbols))) % _PRIME


_LETTERS = {
    "A": "Alfa", "B": "Bravo", "C": "Charlie", "D": "Delta", "E": "Echo", "F": "Foxtrot", "G": "Golf",
    "H": "Hotel", "I": "India", "J": "Juliett", "K": "Kilo", "L": "Lima", "M": "Mike", "N": "November",
    "O": "Oscar", "P": "Papa", "Q": "Quebec", "R": "Romeo", "S": "Sierra", "T": "Tango", "U": "Uniform",
    "V": "Victor", "W": "Whiskey", "X": "X-ray", "Y": "Yankee", "Z": "Zulu",
}  # fmt: skip

# Zero to nine, then the slash.
_DIGITS = {
    "en": "zero one two three four five six seven eight nine slash",
    "de": "null eins zwo drei vier fünf sechs sieben acht neun Schrägstrich",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf barre",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve barra",
    "it": "zero uno due tre quattro cinque sei sette otto nove barra",
    "nl": "nul een twee drie vier vijf zes zeven acht negen schrap",
}
