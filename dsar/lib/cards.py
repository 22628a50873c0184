"""Finds payment card numbers in text and masks them, so that no copy of our own holds them.

A number counts as a card when its first digits and its length are those of a card scheme (ISO/IEC 7812)
and its check digit is right (Luhn). Telephone numbers with a plus, valid IBANs and numbers labelled as
orders, invoices or parcels are left alone. All but the last four digits are masked (PCI DSS 3.4.1), and
the security code beside the number wholly (PCI DSS 3.3.1: never kept).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from stdnum import iban, luhn

_MASK = "*"

# Groups of digits with at most three separating signs between them, not part of a word, sum or address.
_SEPARATOR = r"[ \u00a0\u202f.\-\u2010-\u2014]{1,3}"
_RUN = re.compile(rf"(?<![\w+@])[0-9]+(?:{_SEPARATOR}[0-9]+)*(?![\w@])")
_GROUP = re.compile(r"[0-9]+")
_DIGIT = re.compile(r"[0-9]")
_IBAN = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}")
_ORDER_LABEL = re.compile(
    r"(?:order|invoice|tracking|parcel|ticket|reference|bestell|auftrags?|rechnungs?|sendungs?|commande|facture"
    r"|pedido|factura|ordine|fattura|bestelling|factuur)[\s-]*(?:no|nr|id|number|nummer|numéro|número|numero|n°)?"
    r"[\s.:#]*$",
    re.IGNORECASE,
)

# What may stand between a number and its security code: it is looked for this many signs away.
_NEIGHBOURHOOD = 80
_CODE_NAME = (
    r"(?:cvv2?|cvc2?|csc|cvn|cid|security code|verification (?:value|code|number)|prüf(?:ziffer|nummer)"
    r"|kartenprüfnummer|sicherheitscode|cryptogramme(?: visuel)?|code de sécurité|código de seguridad"
    r"|codice di sicurezza|beveiligingscode)"
)
_CODES = (
    re.compile(
        rf"\b{_CODE_NAME}\b(?:\W|is|ist|est|es|è|code|no|nr|number|nummer){{0,6}}?([0-9]{{3,4}})\b",
        re.IGNORECASE,
    ),
    re.compile(rf"\b([0-9]{{3,4}})\W{{0,3}}{_CODE_NAME}\b", re.IGNORECASE),
)
_CODE_AFTER_EXPIRY = re.compile(
    r"\A\W{0,3}(?:\w+\.?\W{1,3}){0,2}?(?:0[1-9]|1[0-2]) ?[/.-] ?(?:20)?[0-9]{2}\W{1,3}([0-9]{3,4})\b"
)


@dataclass(frozen=True, slots=True)
class _Scheme:
    """Card numbers that begin with ``low`` to ``high`` and have one of these lengths."""

    low: str
    high: str
    lengths: frozenset[int]

    def covers(self, digits: str) -> bool:
        return len(digits) in self.lengths and self.low <= digits[: len(self.low)] <= self.high


def _scheme(low: str, high: str, *lengths: int) -> _Scheme:
    return _Scheme(low, high, frozenset(lengths))


_SCHEMES = (
    _scheme("4", "4", 13, 16, 19),  # Visa
    _scheme("51", "55", 16),  # Mastercard
    _scheme("2221", "2720", 16),
    _scheme("34", "34", 15),  # American Express
    _scheme("37", "37", 15),
    _scheme("300", "305", *range(14, 20)),  # Diners Club
    _scheme("3095", "3095", *range(14, 20)),
    _scheme("36", "36", *range(14, 20)),
    _scheme("38", "39", *range(14, 20)),
    _scheme("3528", "3589", *range(16, 20)),  # JCB
    _scheme("6011", "6011", *range(16, 20)),  # Discover
    _scheme("644", "659", *range(16, 20)),
    _scheme("62", "62", *range(16, 20)),  # UnionPay
    _scheme("2200", "2204", *range(16, 20)),  # Mir
    _scheme("60", "60", 16),  # RuPay
    _scheme("81", "82", 16),
    _scheme("50", "50", *range(13, 20)),  # Maestro
    _scheme("56", "58", *range(13, 20)),
    _scheme("6304", "6304", *range(13, 20)),
    _scheme("67", "67", *range(13, 20)),
)


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int


def mask_cards(text: str) -> tuple[str, int]:
    """Mask each card number but its last four digits, and the codes beside; give the text and how many.

    The text keeps its length, and masking twice changes nothing more.
    """
    cards = list(_cards(text))
    signs = list(text)
    for span in cards:
        _mask(signs, span, keep=4)
        for code in _codes_near(text, span):
            _mask(signs, code, keep=0)
    return "".join(signs), len(cards)


def _cards(text: str) -> Iterator[_Span]:
    ibans = list(_ibans(text))
    for run in _RUN.finditer(text):
        groups = [_Span(*found.span()) for found in _GROUP.finditer(text, *run.span())]
        for card in _cards_among(text, groups):
            if not _is_other_number(text, card, ibans):
                yield card


def _cards_among(text: str, groups: list[_Span]) -> Iterator[_Span]:
    """Give the cards in a run of groups, the longest at each place first, none overlapping."""
    first = 0
    while first < len(groups):
        count = _card_length(text, groups[first : first + 19])
        if count:
            yield _Span(groups[first].start, groups[first + count - 1].end)
        first += count or 1


def _card_length(text: str, groups: list[_Span]) -> int:
    """Tell how many of the leading groups make a card; none: 0."""
    parts = [text[group.start : group.end] for group in groups]
    for count, digits in reversed(list(enumerate(accumulate(parts), start=1))):
        if 13 <= len(digits) <= 19 and _is_grouped_like_a_card(parts[:count]) and _is_card(digits):
            return count
    return 0


def _is_grouped_like_a_card(parts: list[str]) -> bool:
    """Dates, sort codes and sums have short groups among long ones; cards do not."""
    sizes = {len(part) for part in parts[:-1]}
    return len(sizes) <= 1 or min(map(len, parts)) >= 3


def _is_card(digits: str) -> bool:
    return any(scheme.covers(digits) for scheme in _SCHEMES) and luhn.is_valid(digits)


def _is_other_number(text: str, card: _Span, ibans: list[_Span]) -> bool:
    if any(known.start <= card.start and card.end <= known.end for known in ibans):
        return True
    return _ORDER_LABEL.search(text[max(0, card.start - 40) : card.start]) is not None


def _ibans(text: str) -> Iterator[_Span]:
    for found in _IBAN.finditer(text):
        # The pattern may run on into the next word, so the end is moved back until the check holds.
        for end in range(found.end(), found.start() + 14, -1):
            if iban.is_valid(text[found.start() : end]):
                yield _Span(found.start(), end)
                break


def _codes_near(text: str, card: _Span) -> Iterator[_Span]:
    low, high = max(0, card.start - _NEIGHBOURHOOD), card.end + _NEIGHBOURHOOD
    for pattern in _CODES:
        for found in pattern.finditer(text, low, high):
            code = _Span(*found.span(1))
            if code.end <= card.start or code.start >= card.end:
                yield code
    if after := _CODE_AFTER_EXPIRY.match(text[card.end : high]):
        yield _Span(card.end + after.start(1), card.end + after.end(1))


def _mask(signs: list[str], span: _Span, keep: int) -> None:
    digits = [place for place in range(span.start, span.end) if _DIGIT.match(signs[place])]
    for place in digits[: len(digits) - keep]:
        signs[place] = _MASK
