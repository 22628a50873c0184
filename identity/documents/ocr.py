"""From what a camera saw or a hand typed to the lines of a zone: finding them, and undoing confusions of like signs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from identity.documents.layout import FILLER, Layout, Part, Span, check_digit

_SIZES = ((3, 30), (2, 44), (2, 36))
_ROW = re.compile(r"[A-Z0-9<]{24,}")
# How many fillers recognition may have dropped or doubled in one line.
_SLACK = 4
_GUILLEMETS = str.maketrans({"«": "<<", "‹": "<", "〈": "<", "≪": "<<", "＜": "<", "\xa0": " "})

# What is taken for one another, in both directions.
_ALIKE = {
    "0": "OQD", "1": "IL", "2": "Z", "5": "S", "6": "G", "8": "B",
    "O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "G": "6", "B": "8",
}  # fmt: skip
_MOST_SWAPS = 2


@dataclass(frozen=True, slots=True)
class Correction:
    """A sign that was read as another one, which a check digit proved to be wrong."""

    part: Part
    read: str
    taken_for: str


def zones(text: str) -> Iterator[tuple[str, ...]]:
    """Everything in the text that has the size of a zone, as its lines."""
    rows = _rows(text)
    if not any(FILLER in row for row in rows):
        return
    for count, length in _SIZES:
        for place in range(len(rows) - count + 1):
            fitted = [_fitted(row, length) for row in rows[place : place + count]]
            if all(fitted):
                yield tuple(filter(None, fitted))
        for row in rows:
            if len(row) == count * length:
                yield tuple(row[place * length : (place + 1) * length] for place in range(count))


def _rows(text: str) -> list[str]:
    """The lines that could belong to a zone: blanks within them are the recogniser's or the typist's."""
    joined = ("".join(line.translate(_GUILLEMETS).upper().split()) for line in text.splitlines())
    return [row for row in joined if _ROW.fullmatch(row)]


def _fitted(row: str, length: int) -> str | None:
    """The row in this length, the longest run of fillers stretched or shortened; None where that is too much."""
    missing = length - len(row)
    if missing == 0:
        return row
    run = max(re.findall(r"<{2,}", row), key=len, default="")
    if abs(missing) > _SLACK or len(run) + missing < 1 or not run:
        return None
    start, _, end = row.rpartition(run)
    return start + FILLER * (len(run) + missing) + end


def corrected(lines: tuple[str, ...], layout: Layout) -> tuple[tuple[str, ...], tuple[Correction, ...]]:
    """The lines with confusions undone where exactly one reading fits the check digits; and what was undone."""
    made: list[Correction] = []
    for part in layout.checked:
        lines = _correct_part(lines, layout, part, made)
    if layout.composite is not None:
        lines = _correct_composite(lines, layout, layout.composite, made)
    return lines, tuple(made)


def _correct_part(
    lines: tuple[str, ...], layout: Layout, part: Part, made: list[Correction]
) -> tuple[str, ...]:
    span = layout.parts[part]
    read = span.of(lines) + span.digit.of(lines)
    if _holds(read) or read[-1] == FILLER:
        return lines
    numeric = part in (Part.BIRTH, Part.EXPIRY)
    meant = _one_reading(read, set(range(len(read))) if numeric else {len(read) - 1})
    if meant is None:
        return lines
    made.extend(Correction(part, was, now) for was, now in zip(read, meant, strict=True) if was != now)
    return _replaced(lines, Span(span.line, span.start, span.end + 1), meant)


def _correct_composite(
    lines: tuple[str, ...], layout: Layout, span: Span, made: list[Correction]
) -> tuple[str, ...]:
    read = span.of(lines)
    digit = check_digit(layout.covered_text(lines))
    if read == digit or digit not in _ALIKE.get(read, ""):
        return lines
    made.append(Correction(Part.COMPOSITE, read, digit))
    return _replaced(lines, span, digit)


def _one_reading(read: str, numeric: set[int]) -> str | None:
    """The only reading with the fewest signs swapped that fits; None where there is none or more than one.

    Letters where only digits may stand have to go in any case.
    """
    forced = {place for place in numeric if read[place].isalpha()}
    for swaps in range(_MOST_SWAPS + 1):
        found = {
            text
            for places in combinations(sorted(set(range(len(read))) - forced), swaps)
            for text in _swapped(read, sorted(forced | set(places)))
            if _holds(text) and all(not text[place].isalpha() for place in numeric)
        } - {read}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def _swapped(read: str, places: list[int]) -> Iterator[str]:
    """Every way to take the signs at these places for others."""
    if not places:
        yield read
        return
    first, *rest = places
    for sign in _ALIKE.get(read[first], ""):
        yield from _swapped(read[:first] + sign + read[first + 1 :], rest)


def _holds(text: str) -> bool:
    return text[-1] == check_digit(text[:-1])


def _replaced(lines: tuple[str, ...], span: Span, text: str) -> tuple[str, ...]:
    line = lines[span.line]
    changed = line[: span.start] + text + line[span.end :]
    return (*lines[: span.line], changed, *lines[span.line + 1 :])
