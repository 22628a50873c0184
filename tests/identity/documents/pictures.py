"""Draws documents of a country that does not exist, sharp or spoilt as a telephone would."""

import io
import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from tests.identity.documents.specimens import SPECIMENS

FONT = Path(__file__).parents[3] / "cases" / "packs" / "fonts" / "DejaVuSans.ttf"
PAGE = (1400, 1000)
LINES = ("UTOPIA", "ERIKSSON", "ANNA MARIA", "12 AUG 1974")


def page(
    zone: str = SPECIMENS["TD3"], lines: tuple[str, ...] = ("UTOPIA", "ERIKSSON", "ANNA MARIA", "12 AUG 1974")
) -> Image.Image:
    """A page with a tinted, patterned ground, a grey portrait, some lines, and the zone at its foot."""
    picture = Image.new("RGB", PAGE, "#dfe8ea")
    draw = ImageDraw.Draw(picture)
    for place in range(0, PAGE[0], 14):
        draw.line((place, 0, place + 120, PAGE[1]), fill="#cfdde0", width=2)
    draw.rectangle((70, 170, 410, 640), fill="#9aa5a8")
    draw.ellipse((150, 230, 330, 470), fill="#7b8486")
    for number, line in enumerate(lines):
        draw.text((470, 120 + 120 * number), line, font=ImageFont.truetype(str(FONT), 44), fill="#20262a")
    _write_zone(draw, zone.split("\n"))
    return picture


def _write_zone(draw: ImageDraw.ImageDraw, lines: list[str]) -> None:
    """Each sign in a cell of its own, as OCR-B is set."""
    cell = 1240 / len(lines[0])
    font = ImageFont.truetype(str(FONT), int(cell * 1.25))
    top = PAGE[1] - 80 * len(lines) - 50
    for row, line in enumerate(lines):
        for column, sign in enumerate(line):
            draw.text(
                (80 + column * cell + cell / 2, top + 80 * row), sign, font=font, fill="#101416", anchor="mt"
            )


def on_a_table(picture: Image.Image, margin: int = 160) -> Image.Image:
    """Photographed from above, the table around it."""
    table = Image.new("RGB", (picture.width + 2 * margin, picture.height + 2 * margin), "#6b5a4a")
    table.paste(picture, (margin, margin))
    return table


def noisy(picture: Image.Image) -> Image.Image:
    """The grain of a camera, always the same."""
    grain = Image.frombytes("L", (200, 200), random.Random(7).randbytes(40_000)).resize(picture.size)
    return Image.blend(picture, Image.merge("RGB", (grain,) * 3), 0.06)


def blurred(picture: Image.Image, radius: float = 5) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(radius))


def dark(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(0.25)


def pale(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Contrast(picture).enhance(0.12)


def reflecting(picture: Image.Image) -> Image.Image:
    """A lamp in the laminate: white in the middle, fading out."""
    spot = Image.new("L", picture.size, 0)
    ImageDraw.Draw(spot).ellipse((700, 300, 1050, 560), fill=255)
    lit = picture.copy()
    lit.paste("white", mask=spot.filter(ImageFilter.GaussianBlur(20)))
    return lit


def slanting(picture: Image.Image, degrees: float = 25) -> Image.Image:
    return on_a_table(picture).rotate(
        degrees, expand=True, fillcolor="#6b5a4a", resample=Image.Resampling.BICUBIC
    )


def cut_off(picture: Image.Image) -> Image.Image:
    """The right side is out of the picture."""
    return picture.crop((0, 0, picture.width - 220, picture.height))


def jpeg(picture: Image.Image, **options: object) -> bytes:
    made = io.BytesIO()
    picture.save(made, "JPEG", quality=88, **options)  # type: ignore[arg-type]
    return made.getvalue()
