"""Where what stands in a zone: the five forms of ICAO Doc 9303, parts 4 to 7, and an older French one."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

FILLER = "<"
_WEIGHTS = (7, 3, 1)


class Form(StrEnum):
    TD1 = "TD1"
    TD2 = "TD2"
    TD3 = "TD3"
    MRV_A = "MRV-A"
    MRV_B = "MRV-B"
    FRANCE = "ID-FRA"


class Part(StrEnum):
    """A field of the zone."""

    CODE = "code"
    ISSUER = "issuer"
    NAMES = "names"
    GIVEN = "given"
    NUMBER = "number"
    NATIONALITY = "nationality"
    BIRTH = "birth"
    SEX = "sex"
    EXPIRY = "expiry"
    OPTIONAL = "optional"
    OPTIONAL_2 = "optional_2"
    COMPOSITE = "composite"


@dataclass(frozen=True, slots=True)
class Span:
    """Places ``start`` to ``end`` (not included) of a line, counted from zero."""

    line: int
    start: int
    end: int

    def of(self, lines: tuple[str, ...]) -> str:
        return lines[self.line][self.start : self.end]

    @property
    def digit(self) -> "Span":
        """The one place after it, where its check digit stands."""
        return Span(self.line, self.end, self.end + 1)


@dataclass(frozen=True, slots=True)
class Layout:
    """A form: size, places of the fields, which of them carry a check digit of their own, what the composite covers."""

    form: Form
    lines: int
    length: int
    parts: Mapping[Part, Span]
    checked: tuple[Part, ...]
    covered: tuple[Span, ...] = ()
    composite: Span | None = None

    def of(self, lines: tuple[str, ...], part: Part) -> str:
        span = self.parts.get(part)
        return span.of(lines) if span else ""

    def covered_text(self, lines: tuple[str, ...]) -> str:
        return "".join(span.of(lines) for span in self.covered)


def value(sign: str) -> int:
    """What a sign counts in a check digit: digits themselves, A to Z 10 to 35, the filler nothing."""
    return 0 if sign == FILLER else int(sign, 36)


def check_digit(text: str) -> str:
    """The check digit of a text (ICAO Doc 9303-3, 4.9: weights 7, 3, 1, modulo ten)."""
    return str(sum(value(sign) * _WEIGHTS[place % 3] for place, sign in enumerate(text)) % 10)


def _two_lines(form: Form, length: int, optional_end: int, *extra: Part, composite: bool) -> Layout:
    """The forms of two lines differ in length, and in what follows the date of expiry."""
    parts = {
        Part.CODE: Span(0, 0, 2),
        Part.ISSUER: Span(0, 2, 5),
        Part.NAMES: Span(0, 5, length),
        Part.NUMBER: Span(1, 0, 9),
        Part.NATIONALITY: Span(1, 10, 13),
        Part.BIRTH: Span(1, 13, 19),
        Part.SEX: Span(1, 20, 21),
        Part.EXPIRY: Span(1, 21, 27),
        Part.OPTIONAL: Span(1, 28, optional_end),
    }
    covered = (Span(1, 0, 10), Span(1, 13, 20), Span(1, 21, length - 1)) if composite else ()
    digit = Span(1, length - 1, length) if composite else None
    return Layout(form, 2, length, parts, (Part.NUMBER, Part.BIRTH, Part.EXPIRY, *extra), covered, digit)


TD1 = Layout(
    Form.TD1,
    3,
    30,
    {
        Part.CODE: Span(0, 0, 2),
        Part.ISSUER: Span(0, 2, 5),
        Part.NUMBER: Span(0, 5, 14),
        Part.OPTIONAL: Span(0, 15, 30),
        Part.BIRTH: Span(1, 0, 6),
        Part.SEX: Span(1, 7, 8),
        Part.EXPIRY: Span(1, 8, 14),
        Part.NATIONALITY: Span(1, 15, 18),
        Part.OPTIONAL_2: Span(1, 18, 29),
        Part.NAMES: Span(2, 0, 30),
    },
    (Part.NUMBER, Part.BIRTH, Part.EXPIRY),
    (Span(0, 5, 30), Span(1, 0, 7), Span(1, 8, 15), Span(1, 18, 29)),
    Span(1, 29, 30),
)
TD2 = _two_lines(Form.TD2, 36, 35, composite=True)
TD3 = _two_lines(Form.TD3, 44, 42, Part.OPTIONAL, composite=True)
MRV_A = _two_lines(Form.MRV_A, 44, 44, composite=False)
MRV_B = _two_lines(Form.MRV_B, 36, 36, composite=False)

# French cards issued until 2021 are good for years to come, and are no TD2 in spite of their size: no nationality, no
# expiry, the given names in the second line, and one digit over both lines.
FRANCE = Layout(
    Form.FRANCE,
    2,
    36,
    {
        Part.CODE: Span(0, 0, 2),
        Part.ISSUER: Span(0, 2, 5),
        Part.NAMES: Span(0, 5, 30),
        Part.OPTIONAL: Span(0, 30, 36),
        Part.NUMBER: Span(1, 0, 12),
        Part.GIVEN: Span(1, 13, 27),
        Part.BIRTH: Span(1, 27, 33),
        Part.SEX: Span(1, 34, 35),
    },
    (Part.NUMBER, Part.BIRTH),
    (Span(0, 0, 36), Span(1, 0, 35)),
    Span(1, 35, 36),
)

LAYOUTS = (TD3, TD1, TD2, MRV_A, MRV_B)


def layout_of(lines: tuple[str, ...]) -> Layout | None:
    """The form of this size; visas begin with V, travel documents with another letter."""
    first, size = lines[0], (len(lines), len(lines[0]))
    if first.startswith("IDFRA") and size == (FRANCE.lines, FRANCE.length):
        return FRANCE
    visa = first.startswith("V")
    for layout in LAYOUTS:
        if (layout.lines, layout.length) == size and layout.form.startswith("MRV") == visa:
            return layout
    return None
