"""Draws the passport of a demonstration's customer: of Utopia, for which the standard prints its specimens."""

import io
from datetime import date
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from cases import packs
from cases.operations.demo.people import Customer
from identity.documents import letters
from identity.documents.layout import check_digit

_FONT = Path(packs.__file__).parent / "fonts" / "DejaVuSans.ttf"
_SIZE, _MARGIN = (1500, 1060), 120
_INK, _PAPER, _TABLE = "#20262a", "#dfe8ea", "#6b5a4a"


def passport(person: Customer, valid_until: date) -> bytes:
    """A photograph of it on a table, as JPEG."""
    page = Image.new("RGB", _SIZE, _PAPER)
    draw = ImageDraw.Draw(page)
    for place in range(0, _SIZE[0], 16):
        draw.line((place, 0, place + 120, _SIZE[1]), fill="#d2dfe2", width=2)
    draw.rectangle((80, 180, 420, 640), fill="#9aa5a8")
    draw.text((110, 390), "PHOTO COVERED", font=_font(32), fill=_INK)
    born, until = (day.strftime("%d %m %Y") for day in (person.born_on, valid_until))
    lines = ("UTOPIA · PASSPORT · SPECIMEN", person.last_name.upper(), person.first_name.upper(), born, until)
    for number, line in enumerate(lines):
        draw.text((490, 90 + 120 * number), line, font=_font(44), fill=_INK)
    _write_zone(draw, zone(person, valid_until))
    return _photographed(page)


def zone(person: Customer, valid_until: date) -> tuple[str, str]:
    """Its two machine-readable lines (ICAO Doc 9303-4)."""
    names = f"{letters.plain(person.last_name)}<<{letters.plain(person.first_name)}"
    number = _digit(f"{person.id:09}")
    birth, expiry = (_digit(day.strftime("%y%m%d")) for day in (person.born_on, valid_until))
    optional = _digit("<" * 14)
    second = f"{number}UTO{birth}<{expiry}{optional}"
    return f"P<UTO{names}".ljust(44, "<")[:44], second + check_digit(number + birth + expiry + optional)


def _digit(text: str) -> str:
    return text + check_digit(text)


def _write_zone(draw: ImageDraw.ImageDraw, lines: tuple[str, str]) -> None:
    cell = (_SIZE[0] - 160) / 44
    for row, line in enumerate(lines):
        for column, sign in enumerate(line):
            place = (80 + (column + 0.5) * cell, _SIZE[1] - 200 + 85 * row)
            draw.text(place, sign, font=_font(int(cell * 1.25)), fill=_INK, anchor="mt")


def _photographed(page: Image.Image) -> bytes:
    table = Image.new("RGB", (_SIZE[0] + 2 * _MARGIN, _SIZE[1] + 2 * _MARGIN), _TABLE)
    table.paste(page, (_MARGIN, _MARGIN))
    made = io.BytesIO()
    table.save(made, "JPEG", quality=88)
    return made.getvalue()


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT), size)
