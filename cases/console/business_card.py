"""The card that helps to tell a rights request from plain business: what people say, and what it is."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from cases.law.loader import negatives, phrases
from cases.words import Right

# The law's list names this right by its long name.
RIGHT_OF = {"automated_decision": "automated"}

TREATMENTS: dict[str, Any] = {
    "business_as_usual": gettext_lazy("plain business: do it now"),
    "contract": gettext_lazy("a matter of the contract"),
    "complaint": gettext_lazy("a complaint"),
    "breach": gettext_lazy("perhaps a data breach: report it"),
    "information": gettext_lazy("information that is public"),
    "freedom_of_information": gettext_lazy("freedom of information"),
    "estate": gettext_lazy("a matter of the estate"),
    "not_personal": gettext_lazy("not personal data"),
}

_WORD = re.compile(r"\w{3,}")
_TOO_COMMON = frozenset({"the", "and", "you", "your", "are", "was", "have", "that", "this", "with", "for"})


@dataclass(frozen=True)
class Line:
    """What somebody says, and what it is."""

    says: str
    means: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Card:
    """The lines that fit what was said; all of them where nothing was said, or nothing fits."""

    said: str
    requests: Sequence[Line]
    business: Sequence[Line]
    found: bool


def card(said: str = "") -> Card:
    """The card, narrowed to the lines that share a word with what the customer said."""
    requests, business = _requests(), _business()
    fit_requests, fit_business = _fitting(requests, said), _fitting(business, said)
    if not said.strip():
        return Card("", requests, business, found=True)
    if not fit_requests and not fit_business:
        return Card(said, requests, business, found=False)
    return Card(said, fit_requests, fit_business, found=True)


def _requests() -> list[Line]:
    return [
        Line(gettext(one.says), tuple(_right(right) for right in one.rights), gettext(one.note))
        for one in phrases()
    ]


def _right(code: str) -> str:
    return str(Right(RIGHT_OF.get(code, code)).label)


def _business() -> list[Line]:
    return [
        Line(gettext(one.says), tuple(str(TREATMENTS[code]) for code in one.treat_as), gettext(one.note))
        for one in negatives()
    ]


def _fitting(known: Iterable[Line], said: str) -> list[Line]:
    """Those that share a telling word, most shared words first."""
    wanted = _words(said)
    scored = [(len(wanted & _words(f"{line.says} {' '.join(line.means)}")), line) for line in known]
    return [line for score, line in sorted(scored, key=lambda pair: -pair[0]) if score]


def _words(text: str) -> set[str]:
    return {word.removesuffix("s") for word in _WORD.findall(text.lower())} - _TOO_COMMON
