"""Reads the machine-readable zone of passports, identity cards and visas (ICAO Doc 9303, parts 3 to 7).

A check digit finds a slip of the pen or of the camera; it proves nothing about the document: whoever can print
a zone can compute one. So the result is put before a person beside the picture, and decides nothing.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from identity.documents import ocr
from identity.documents.layout import FILLER, Form, Layout, Part, check_digit, layout_of
from identity.documents.ocr import Correction
from identity.documents.states import KNOWN, SPECIMEN

_LETTERS = re.compile(r"[A-Z<]*")
_DIGITS = re.compile(r"[0-9<]*")
# Document codes begin with these: passport, identity card or permit, crew member, visa.
_CODE = re.compile(r"[PIACV][A-Z<]")
_STATE = re.compile(r"([A-Z]{3}|[A-Z]<<)")
_NAMES = re.compile(r"[A-Z]+(?:<[A-Z]+)*(?:<<[A-Z]+(?:<[A-Z]+)*)?<*")
# A visa holds for years, a card for decades: a date of expiry further ahead belongs to the century before.
_LONGEST_VALIDITY = 50


class Fault(StrEnum):
    """What is wrong with a field."""

    CHECK_DIGIT = "check_digit"
    CHARACTER = "character"
    DATE = "date"
    STATE = "state"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Problem:
    part: Part
    fault: Fault


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date of birth; month and day may be unknown (ICAO Doc 9303-3, 4.8)."""

    year: int
    month: int | None
    day: int | None

    def fits(self, other: date) -> bool:
        """Whether the other date is this one, as far as this one is known."""
        return (self.year, self.month or other.month, self.day or other.day) == (
            other.year,
            other.month,
            other.day,
        )

    def __str__(self) -> str:
        known = [f"{self.year:04}"] + [f"{part:02}" for part in (self.month, self.day) if part]
        return "-".join(known)


@dataclass(frozen=True, slots=True)
class Zone:
    """What a zone says, and what is wrong with it. Absent or unreadable fields are empty or None."""

    form: Form
    lines: tuple[str, ...]
    code: str
    issuer: str
    nationality: str
    surname: str
    given_names: str
    number: str
    born: PartialDate | None
    sex: str
    expires_on: date | None
    optional: str
    names_cut: bool
    problems: tuple[Problem, ...]
    corrections: tuple[Correction, ...]

    @property
    def is_sound(self) -> bool:
        """Every check digit and every field holds, as it was given."""
        return not self.problems and not self.corrections

    @property
    def is_specimen(self) -> bool:
        """Printed for a state that does not exist."""
        return SPECIMEN in (self.issuer, self.nationality)

    def problem_of(self, part: Part) -> Fault | None:
        return next((problem.fault for problem in self.problems if problem.part == part), None)

    def expired_on(self, today: date) -> bool:
        """Whether it has expired by ``today``; the last day still counts."""
        return self.expires_on is not None and self.expires_on < today


def find(text: str, today: date, *, correct: bool = True) -> Zone | None:
    """The zone in a free text, such as what character recognition read from a whole page; None where there is none.

    Of several readings that fit, the one with the fewest problems. ``correct`` undoes confusions of like
    signs (O and 0, B and 8) where the check digits leave exactly one reading; each is reported.
    """
    zones = [zone for rows in ocr.zones(text) if (zone := _read(rows, today, correct)) is not None]
    return min(zones, key=lambda zone: (len(zone.problems), len(zone.corrections)), default=None)


def _read(rows: tuple[str, ...], today: date, correct: bool) -> Zone | None:
    layout = layout_of(rows)
    if layout is None or not _CODE.fullmatch(layout.of(rows, Part.CODE)):
        return None
    lines, corrections = ocr.corrected(rows, layout) if correct else (rows, ())
    return _zone(lines, layout, today, corrections)


def _zone(lines: tuple[str, ...], layout: Layout, today: date, corrections: tuple[Correction, ...]) -> Zone:
    surname, given = _names(_whole_name(lines, layout))
    number, optional = _number(lines, layout)
    return Zone(
        form=layout.form,
        lines=lines,
        code=_plain(layout.of(lines, Part.CODE)),
        issuer=_plain(layout.of(lines, Part.ISSUER)),
        nationality=_plain(layout.of(lines, Part.NATIONALITY)),
        surname=surname,
        given_names=given,
        number=number,
        born=_born(layout.of(lines, Part.BIRTH), today),
        sex=_sex(layout.of(lines, Part.SEX)),
        expires_on=_expiry(layout.of(lines, Part.EXPIRY), today),
        optional=" ".join(filter(None, (optional, _plain(layout.of(lines, Part.OPTIONAL_2))))),
        names_cut=not all(layout.of(lines, part).endswith(FILLER) for part in _NAMED if part in layout.parts),
        problems=tuple(_problems(lines, layout, today)),
        corrections=corrections,
    )


# -- fields ------------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    return " ".join(text.replace(FILLER, " ").split())


def _whole_name(lines: tuple[str, ...], layout: Layout) -> str:
    """Surname, two fillers and given names, wherever the form has them."""
    given = layout.of(lines, Part.GIVEN)
    if not given:
        return layout.of(lines, Part.NAMES)
    return f"{layout.of(lines, Part.NAMES).rstrip(FILLER)}{FILLER * 2}{re.sub(f'{FILLER}+(?=[A-Z])', FILLER, given)}"


_NAMED = (Part.NAMES, Part.GIVEN)


def _names(text: str) -> tuple[str, str]:
    surname, _, given = text.partition(FILLER * 2)
    return _plain(surname), _plain(given)


def _sex(text: str) -> str:
    return text if text in {"F", "M"} else ""


def _number(lines: tuple[str, ...], layout: Layout) -> tuple[str, str]:
    """The document's number and the rest of the optional data.

    Where a number has more than nine signs, its check digit's place holds a filler, and its rest, followed by the
    check digit, stands at the beginning of the optional data (ICAO Doc 9303-5, 4.2.2.1 note j).
    """
    optional = layout.of(lines, Part.OPTIONAL)
    rest = _rest_of_number(lines, layout)
    if rest is None:
        return _plain(layout.of(lines, Part.NUMBER)), _plain(optional)
    return layout.of(lines, Part.NUMBER) + rest[:-1], _plain(optional[len(rest) :])


def _rest_of_number(lines: tuple[str, ...], layout: Layout) -> str | None:
    """What of a long number, its check digit included, stands in the optional data; None for a usual one."""
    if layout.form not in (Form.TD1, Form.TD2):
        return None
    number = layout.parts[Part.NUMBER]
    rest, _, _ = layout.of(lines, Part.OPTIONAL).partition(FILLER)
    is_long = number.digit.of(lines) == FILLER and FILLER not in number.of(lines)
    return rest if is_long and len(rest) > 1 else None


def _born(text: str, today: date) -> PartialDate | None:
    """The latest such date that is not in the future: nobody older than a century is told from a child."""
    if not _is_date(text) or text.startswith(FILLER):
        return None
    month, day = (int(text[place : place + 2]) if text[place] != FILLER else None for place in (2, 4))
    for century in (today.year // 100 * 100, today.year // 100 * 100 - 100):
        born = PartialDate(century + int(text[:2]), month, day)
        if (born.year, month or 1, day or 1) <= (today.year, today.month, today.day) and _exists(born):
            return born
    return None


def _expiry(text: str, today: date) -> date | None:
    if not _is_date(text) or FILLER in text:
        return None
    year = today.year // 100 * 100 + int(text[:2])
    year += 100 if year < today.year - _LONGEST_VALIDITY else 0
    year -= 100 if year > today.year + _LONGEST_VALIDITY else 0
    try:
        return date(year, int(text[2:4]), int(text[4:]))
    except ValueError:
        return None


def _is_date(text: str) -> bool:
    """Six digits; of which day, month and day, or all, may be fillers."""
    return re.fullmatch(r"\d{6}|\d{4}<<|\d\d<<<<|<{6}", text) is not None


def _exists(born: PartialDate) -> bool:
    month = born.month or 1
    return 1 <= month <= 12 and 1 <= (born.day or 1) <= calendar.monthrange(born.year, month)[1]


# -- problems ----------------------------------------------------------------------------------------


def _problems(lines: tuple[str, ...], layout: Layout, today: date) -> list[Problem]:
    """One for each field with something wrong, in the order in which a person would look."""
    judged = [
        (Part.ISSUER, _state_fault(layout.of(lines, Part.ISSUER))),
        (Part.NAMES, _name_fault(_whole_name(lines, layout))),
        (Part.NUMBER, _number_fault(lines, layout)),
        (Part.NATIONALITY, _state_fault(layout.of(lines, Part.NATIONALITY))),
        (Part.BIRTH, _birth_fault(lines, layout, today)),
        (Part.SEX, None if layout.of(lines, Part.SEX) in {"F", "M", FILLER} else Fault.CHARACTER),
        (Part.EXPIRY, _expiry_fault(lines, layout, today)),
        (Part.OPTIONAL, _optional_fault(lines, layout)),
        (Part.COMPOSITE, _composite_fault(lines, layout)),
    ]
    return [
        Problem(part, fault)
        for part, fault in judged
        if fault is not None and (part in layout.parts or part == Part.COMPOSITE)
    ]


def _state_fault(text: str) -> Fault | None:
    if not _STATE.fullmatch(text):
        return Fault.CHARACTER
    return None if _plain(text) in KNOWN else Fault.STATE


def _name_fault(text: str) -> Fault | None:
    if not text.strip(FILLER):
        return Fault.MISSING
    return None if _NAMES.fullmatch(text) else Fault.CHARACTER


def _number_fault(lines: tuple[str, ...], layout: Layout) -> Fault | None:
    span = layout.parts[Part.NUMBER]
    rest = _rest_of_number(lines, layout)
    if not _plain(span.of(lines)):
        return Fault.MISSING
    if rest is not None:
        return _digit_fault(span.of(lines) + rest[:-1], rest[-1])
    return _digit_fault(span.of(lines), span.digit.of(lines))


def _birth_fault(lines: tuple[str, ...], layout: Layout, today: date) -> Fault | None:
    span = layout.parts[Part.BIRTH]
    text = span.of(lines)
    if not _DIGITS.fullmatch(text):
        return Fault.CHARACTER
    is_date = _is_date(text) and (text.startswith(FILLER) or _born(text, today) is not None)
    return _digit_fault(text, span.digit.of(lines)) or (None if is_date else Fault.DATE)


def _expiry_fault(lines: tuple[str, ...], layout: Layout, today: date) -> Fault | None:
    span = layout.parts.get(Part.EXPIRY)
    if span is None:
        return None
    text = span.of(lines)
    if not _DIGITS.fullmatch(text):
        return Fault.CHARACTER
    is_date = _expiry(text, today) is not None or text == FILLER * 6
    return _digit_fault(text, span.digit.of(lines)) or (None if is_date else Fault.DATE)


def _optional_fault(lines: tuple[str, ...], layout: Layout) -> Fault | None:
    if Part.OPTIONAL not in layout.checked:
        return None
    span = layout.parts[Part.OPTIONAL]
    # Where there is no optional data the digit may be left out (ICAO Doc 9303-4, 4.2.2.2, position 43).
    if not span.of(lines).strip(FILLER) and span.digit.of(lines) == FILLER:
        return None
    return _digit_fault(span.of(lines), span.digit.of(lines))


def _composite_fault(lines: tuple[str, ...], layout: Layout) -> Fault | None:
    if layout.composite is None:
        return None
    return _digit_fault(layout.covered_text(lines), layout.composite.of(lines))


def _digit_fault(text: str, digit: str) -> Fault | None:
    return None if digit == check_digit(text) else Fault.CHECK_DIGIT
