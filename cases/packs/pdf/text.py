"""Fonts, clean text, widths and line breaking. Widths are in thousandths of the font size."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

from reportlab.pdfbase.ttfonts import TTFont

_FONT_FILES = {"regular": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}
_BREAKABLE = 12  # A longer word may be broken after a dash, slash, dot, underscore, comma or at sign.
_BREAK_AFTER = frozenset("-/._,@&?=:;")


class _Widths(dict[str, int]):
    """Width of each character, looked up in the font once."""

    def __init__(self, font: TTFont) -> None:
        super().__init__()
        self._face = font.face

    def __missing__(self, char: str) -> int:
        width: float = self._face.charWidths.get(ord(char), self._face.defaultWidth)
        self[char] = rounded = round(width)
        return rounded


class _Clean(dict[int, int | str | None]):
    """A table for str.translate: keeps what the font can print, escapes the rest, drops controls."""

    def __init__(self, font: TTFont) -> None:
        super().__init__({9: " ", 10: 10, 0x2028: "\n", 0x2029: "\n", 0xA0: 0xA0})
        self._glyphs = font.face.charToGlyph
        self.escaped: set[str] = set()

    def __missing__(self, code: int) -> int | str | None:
        self[code] = result = self._decide(code)
        return result

    def _decide(self, code: int) -> int | str | None:
        # A soft hyphen, byte order marks and direction marks print nothing; controls can only do harm.
        if unicodedata.category(chr(code)) in ("Cc", "Cf"):
            return None
        # ReportLab cannot map characters beyond the basic plane back to text, so those are escaped too.
        if code in self._glyphs and code <= 0xFFFF and not 0xE000 <= code <= 0xF8FF:
            return code
        self.escaped.add(chr(code))
        return f"[U+{code:04X}]"


# Thousandths of the font size: no ASCII character of either face is wider (the bold @ has 1,103).
_WIDEST_ASCII = 1110
_STEP = 8  # in which widths are rounded up, so that that of each ASCII character fits into a byte


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face of the font, loaded once a process."""

    font: TTFont
    widths: _Widths
    clean_table: _Clean
    steps: bytes  # for bytes.translate: the width of each ASCII character in steps, rounded up

    def clean(self, text: str) -> str:
        """The text as it can be printed: uniform line ends, no controls, escapes for missing characters."""
        if text.isascii() and text.isprintable():
            return text
        composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
        return composed.translate(self.clean_table)

    def escapes_in(self, text: str) -> int:
        """How many characters of the text `clean` replaces by a visible escape."""
        if text.isascii():
            return 0
        self.clean(text)
        escaped = self.clean_table.escaped
        return (
            0
            if escaped.isdisjoint(text)
            else sum(char in escaped for char in unicodedata.normalize("NFC", text))
        )

    def width(self, text: str) -> int:
        """Width of clean text in thousandths of the font size."""
        return sum(map(self.widths.__getitem__, text))

    def wrap(self, text: str, room: float) -> list[str]:
        """Break clean text into lines that fit into `room` thousandths of the font size."""
        if "\n" not in text and self.width(text) <= room:
            return [text]
        return [line for paragraph in text.split("\n") for line in self._wrapped(paragraph, room)]

    def is_plain(self, text: str, room: float) -> bool:
        """Whether text needs neither cleaning nor breaking, by a quick and slightly generous measure.

        That is most cells of a table, and no other measure is taken of them.
        """
        if not (text.isascii() and text.isprintable()):
            return False
        return len(text) * _WIDEST_ASCII <= room or sum(text.encode().translate(self.steps)) * _STEP <= room

    def _wrapped(self, paragraph: str, room: float) -> Iterator[str]:
        space, line, used = self.widths[" "], "", 0
        for word in paragraph.split(" "):
            width = self.width(word)
            if used + space + width <= room and line:
                line, used = f"{line} {word}", used + space + width
                continue
            if line:
                yield line
            line, used = word, width
            if width > room:
                *full, line = self._broken(word, room)
                yield from full
                used = self.width(line)
        yield line

    def _broken(self, word: str, room: float) -> Iterator[str]:
        """Break a word that is wider than a line, after a dash or the like where there is one."""
        start, used, good = 0, 0, 0
        for at, char in enumerate(word):
            width = self.widths[char]
            if used + width > room and at > start:
                end = good if good > start and at - good < _BREAKABLE else at
                yield word[start:end]
                start, used = end, self.width(word[end:at])
            used += width
            good = at + 1 if char in _BREAK_AFTER else good
        yield word[start:]


@cache
def face(name: str) -> Face:
    """The face called regular or bold."""
    with as_file(files("cases.packs") / "fonts" / _FONT_FILES[name]) as path:
        font = TTFont(f"DejaVuSans-{name}", str(path), shapable=False)
    widths = _Widths(font)
    steps = bytes(-(-widths[chr(code)] // _STEP) for code in range(128))
    return Face(font, widths, _Clean(font), steps.ljust(256, b"\xff"))


class _Codes(dict[int, str]):
    """A table for str.translate: the escaped character code in the first subset of one document."""

    def __init__(self, font: TTFont, document: object) -> None:
        super().__init__()
        self._font, self._document = font, document
        self.overflowed = False

    def __missing__(self, code: int) -> str:
        [(subset, octet)] = self._font.splitString(chr(code), self._document)
        if subset:
            self.overflowed = True
            return "?"
        self[code] = result = escaped(octet)
        return result


def escaped(octets: bytes) -> str:
    """The inside of a PDF literal string, in ASCII."""
    return "".join(
        f"\\{chr(o)}" if o in b"()\\" else chr(o) if 32 <= o < 127 else f"\\{o:03o}" for o in octets
    )


class Encoder:
    """Writes text operators for one face in one document, and lets ReportLab know the glyphs used.

    The first subset of the face is taken to be selected before what is shown, and it is so again afterwards.
    """

    def __init__(self, face: Face, document: object) -> None:
        self.face = face
        self._document = document
        self._codes = _Codes(face.font, document)
        self._first = self._name(0)

    def select(self, size: float) -> str:
        """The operator that selects the face."""
        return f"{self._first} {size:g} Tf"

    def show(self, text: str, size: float) -> str:
        """Operators that show clean text on one line."""
        # The first subset holds all of ASCII and a hundred more characters: nearly always, it is enough.
        codes = text.translate(self._codes)
        if not self._codes.overflowed or text.isascii():
            return f"({codes}) Tj"
        chunks = self.face.font.splitString(text, self._document)
        shown = [f"{self._name(subset)} {size:g} Tf ({escaped(part)}) Tj" for subset, part in chunks]
        return " ".join([*shown, self.select(size)])

    def _name(self, subset: int) -> str:
        return str(self.face.font.getSubsetInternalName(subset, self._document))
