"""Reads the machine-readable zone from a picture with Tesseract, where that is installed."""

import io
import os
import subprocess
from datetime import date

from PIL import Image, ImageOps

from identity.documents import mrz
from identity.documents.mrz import Zone

_SECONDS = 20
_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"
# The zone is at the foot of a page or the back of a card; the whole picture is asked where it is not there.
_PARTS = ((0.0, 0.6, 1.0, 1.0), (0.0, 0.4, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0))


def read_zone(picture: bytes, tesseract: str, today: date) -> Zone | None:
    """The best reading of the zone in an upright JPEG; None where none is found, or Tesseract is not there."""
    with Image.open(io.BytesIO(picture), formats=["JPEG"]) as opened:
        grey = ImageOps.autocontrast(ImageOps.grayscale(opened))
    best: Zone | None = None
    for left, top, right, bottom in _PARTS:
        size = (left * grey.width, top * grey.height, right * grey.width, bottom * grey.height)
        found = mrz.find(_text(grey.crop(size), tesseract), today)
        if found is not None and (best is None or len(found.problems) < len(best.problems)):
            best = found
        if best is not None and not best.problems:
            break
    return best


def _text(picture: Image.Image, tesseract: str) -> str:
    """What Tesseract reads as one block of text; nothing where it is away, fails or takes too long."""
    made = io.BytesIO()
    picture.save(made, "PNG")
    try:
        done = subprocess.run(
            [tesseract, "-", "-", "--psm", "6", "-c", f"tessedit_char_whitelist={_SIGNS}"],
            input=made.getvalue(),
            capture_output=True,
            timeout=_SECONDS,
            check=True,
            env={"PATH": os.defpath, "OMP_THREAD_LIMIT": "1"},
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")
