"""The fonts of a file: which glyphs were used, and the bytes that embed them, made once for each set of glyphs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from typing import Any

import pikepdf
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from cases.packs.pdf.text import Encoder, Face, face

FACES = ("regular", "bold")
# Letters of one language use the same few signs beyond ASCII; each set takes some 50 kB.
_SETS = 32


class Fonts:
    """Both faces in one document. Stands for ReportLab's own document, by which a font keeps its subsets."""

    def __init__(self) -> None:
        # What ReportLab's fonts expect of a document, under its names; it gives Helvetica the first in every file.
        self.fontMapping = {"Helvetica": "/F1"}
        self.delayedFonts: list[TTFont] = []
        self.faces: tuple[Face, ...] = tuple(map(face, FACES))
        self.encoders: tuple[Encoder, ...] = tuple(Encoder(one, self) for one in self.faces)

    def embedded(self) -> bytes:
        """A PDF of one empty page that names the glyphs which were used."""
        return _embedded(tuple(map(self._used, self.faces)))

    def _used(self, one: Face) -> str:
        """The characters in the order of their first use, by which a font numbers them."""
        state: Any = one.font.state[self]  # The stubs know nothing of what it keeps.
        return "".join(map(chr, state.assignments))


class _Page(Canvas):
    """ReportLab's canvas, for the fonts alone."""

    _doc: object
    _preamble: str

    def embed(self, font: TTFont, characters: str) -> None:
        """Let the font number the same characters as it did for whoever used them."""
        font.splitString(characters, self._doc)
        font.getSubsetInternalName(0, self._doc)

    def finish(self) -> None:
        self._preamble = ""  # It would name a font that is not embedded.
        self.showPage()
        self.save()


@lru_cache(maxsize=_SETS)
def _embedded(characters: Sequence[str]) -> bytes:
    """Cutting glyphs out of a font and compressing them takes longer than the rest of an ordinary file."""
    made = BytesIO()
    page = _Page(made, A4, pageCompression=0, invariant=1, pdfVersion=(1, 7))
    for name, used in zip(FACES, characters, strict=True):
        page.embed(face(name).font, used)
    page.finish()
    with pikepdf.open(made) as file:
        _drop_unused_fonts(file)
        compressed = BytesIO()
        file.save(compressed, deterministic_id=True)
        return compressed.getvalue()


def _drop_unused_fonts(file: pikepdf.Pdf) -> None:
    """ReportLab names Helvetica in every file, used or not; what is not embedded has no place here."""
    fonts = file.pages[0].obj.Resources.Font
    for name in [name for name, font in fonts.items() if "/FontDescriptor" not in font]:
        del fonts[name]
