"""Which pictures are asked for again, and why."""

import pytest
from PIL import Image

from identity.documents.quality import Fault, judge
from tests.identity.documents import pictures
from tests.identity.documents.specimens import SPECIMENS

PAGE = pictures.page()
PHOTO = pictures.noisy(pictures.on_a_table(PAGE))
WITHOUT_ZONE = pictures.page(" " * 44)


@pytest.mark.parametrize("name", SPECIMENS)
def test_a_sharp_picture_of_every_form_is_taken(name: str) -> None:
    found = judge(pictures.on_a_table(pictures.page(SPECIMENS[name])), with_zone=True)

    assert (found.faults, found.turn, found.has_zone) == ((), 0, True)


@pytest.mark.parametrize(
    ("picture", "faults"),
    [
        (PHOTO, ()),
        (pictures.on_a_table(PAGE, 600), ()),
        (pictures.slanting(PAGE, 8), ()),
        (pictures.blurred(PHOTO), (Fault.BLURRED,)),
        (pictures.noisy(pictures.blurred(PAGE, 4)), (Fault.BLURRED,)),
        (pictures.dark(PHOTO), (Fault.DARK,)),
        (pictures.pale(PAGE), (Fault.FLAT,)),
        (pictures.reflecting(PHOTO), (Fault.GLARE,)),
        (pictures.slanting(PAGE), (Fault.SLANTING,)),
        (pictures.slanting(PAGE, -30), (Fault.SLANTING,)),
        (pictures.cut_off(PAGE), (Fault.CROPPED,)),
        (PAGE.crop((0, 0, 1400, 890)), (Fault.CROPPED,)),
        (PAGE.resize((560, 400)), (Fault.TOO_SMALL,)),
        (Image.new("RGB", (1400, 1000)), (Fault.DARK,)),
        (Image.new("RGB", (1400, 1000), "white"), (Fault.FLAT,)),
    ],
)
def test_a_spoilt_picture_is_refused_for_its_reason(picture: Image.Image, faults: tuple[Fault, ...]) -> None:
    assert judge(picture, with_zone=True).faults == faults


def test_the_white_around_a_scan_is_no_reflection() -> None:
    scan = Image.new("RGB", (1240, 1754), "white")
    scan.paste(PAGE.resize((980, 700)), (120, 200))

    found = judge(scan, with_zone=True)

    assert (found.faults, found.turn) == ((), 0)


def test_a_document_that_is_covered_in_part_is_taken() -> None:
    covered = PHOTO.copy()
    covered.paste("black", (230, 330, 570, 800))

    assert judge(covered, with_zone=True).faults == ()


def test_a_document_without_a_zone_is_taken() -> None:
    found = judge(pictures.on_a_table(WITHOUT_ZONE), with_zone=False)

    assert (found.faults, found.has_zone) == ((), False)


@pytest.mark.parametrize(
    ("turned", "back"),
    [(Image.Transpose.ROTATE_90, 270), (Image.Transpose.ROTATE_180, 180), (Image.Transpose.ROTATE_270, 90)],
)
def test_a_turned_picture_is_not_refused_but_turned_back(turned: Image.Transpose, back: int) -> None:
    found = judge(PHOTO.transpose(turned), with_zone=True)

    assert (found.faults, found.turn) == ((), back)
