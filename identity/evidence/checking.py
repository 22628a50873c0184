"""Judges a clean picture and sets it upright, so that a reviewer sees the document as it is read."""

import io

from PIL import Image

from identity.documents import quality
from identity.evidence import decoder
from identity.evidence.intake import Picture
from identity.evidence.keeping import Checked


def checked(picture: Picture, *, with_zone: bool) -> Checked:
    """The picture with its faults as codes; ``with_zone`` where a machine-readable zone is expected in it."""
    with Image.open(io.BytesIO(picture.jpeg), formats=["JPEG"]) as opened:
        found = quality.judge(opened, with_zone=with_zone)
        upright = opened.rotate(found.turn, expand=True) if found.turn else None
    if upright is not None:
        made = io.BytesIO()
        upright.save(made, "JPEG", quality=decoder.QUALITY)
        picture = Picture(made.getvalue())
    faults = [fault.value for fault in found.faults]
    return Checked(picture, {"faults": faults, "has_zone": found.has_zone, **found.measures})
