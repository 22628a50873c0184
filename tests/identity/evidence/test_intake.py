"""What becomes of an upload: pixels, or a refusal."""

import base64
import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PIL import Image

from dsar.lib.errors import Refused
from identity.evidence import decoder, intake
from tests.identity.documents.pictures import jpeg, page
from tests.identity.evidence.clamd_server import EICAR, running

PAGE = page()
# 64 by 48 dots, as a telephone makes them.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAEYAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5j"
    "bHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBp"
    "eGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAE5tZGF0AAAAQigBrxmA95iNr48b/xT+PiK+ucJf78lXrzCxKReD"
    "dyjO1XBHjs0dGFfP7ObxMUMTUch831kY5Ic0BUL+Mqeqqawavg=="
)


def made(form: str, **options: Any) -> bytes:
    written = io.BytesIO()
    PAGE.save(written, form, **options)
    return written.getvalue()


def pdf(pages: int) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(300, 200)
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as package:
        package.writestr("a.txt", "hidden")
    return written.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of few bytes and very many dots: the header and no more."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def taken(content: bytes, name: str = "passport.jpg") -> list[Image.Image]:
    return [Image.open(io.BytesIO(picture.jpeg)) for picture in intake.take(io.BytesIO(content), name)]


def refusal(content: bytes, name: str = "passport.jpg") -> str:
    with pytest.raises(Refused) as caught:
        intake.take(io.BytesIO(content), name)
    return caught.value.code


@pytest.mark.parametrize(
    ("content", "name", "sizes"),
    [
        (jpeg(PAGE), "photo.JPG", [(1400, 1000)]),
        (made("PNG"), "photo.png", [(1400, 1000)]),
        (made("WEBP"), "photo.webp", [(1400, 1000)]),
        (HEIC, "IMG_0001.HEIC", [(64, 48)]),
        (made("PNG"), "photo.pdf", [(1400, 1000)]),
        (jpeg(PAGE.resize((4200, 3000))), "large.jpg", [(2400, 1714)]),
        (pdf(1), "scan.pdf", [(1200, 800)]),
        (pdf(5), "scan.pdf", [(1200, 800)] * decoder.PAGES),
    ],
)
def test_every_kind_becomes_plain_jpeg(content: bytes, name: str, sizes: list[tuple[int, int]]) -> None:
    pictures = taken(content, name)

    assert [(picture.format, picture.mode, picture.size) for picture in pictures] == [
        ("JPEG", "RGB", size) for size in sizes
    ]


def test_nothing_but_pixels_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x9286] = "taken at home", "a remark"
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 0.0)
    sent = (
        jpeg(PAGE, exif=exif, comment=b"a comment", icc_profile=b"a profile") + b"<script>alert(1)</script>"
    )

    (picture,) = intake.take(io.BytesIO(sent), "a.jpg")

    opened = Image.open(io.BytesIO(picture.jpeg))
    assert (
        dict(opened.getexif()),
        sorted(set(opened.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}),
    ) == ({}, [])
    assert [word in picture.jpeg for word in (b"home", b"remark", b"comment", b"profile", b"script")] == [
        False
    ] * 5


def test_a_picture_stands_as_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter

    (picture,) = taken(jpeg(PAGE, exif=exif))

    assert picture.size == (1000, 1400)


def test_what_is_transparent_becomes_white() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(written, "PNG")

    (picture,) = taken(written.getvalue(), "a.png")

    assert picture.getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.jpg", "empty"),
        (b"<html><script>alert(1)</script></html>", "passport.jpg", "markup"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "passport.png", "markup"),
        (b"MZ\x90\x00" + bytes(100), "passport.jpg", "executable"),
        (made("GIF"), "passport.gif", "type"),
        (made("TIFF"), "passport.tif", "type"),
        (b"My passport number is 12.", "passport.txt", "type"),
        (archive(), "passport.zip", "type"),
        (jpeg(PAGE)[:20_000], "passport.jpg", "damaged"),
        (b"\xff\xd8\xff\xe0" + bytes(2000), "passport.jpg", "damaged"),
        (b"%PDF-1.7\n" + bytes(2000), "passport.pdf", "damaged"),
        (jpeg(PAGE) + archive(), "passport.jpg", "polyglot"),
        (jpeg(PAGE, comment=b"%PDF-1.4 hidden"), "passport.jpg", "polyglot"),
        (pdf(1) + archive(), "passport.pdf", "polyglot"),
        (bomb(30_000), "passport.png", "too_many_pixels"),
        (jpeg(PAGE) + bytes(intake.MAX_BYTES), "passport.jpg", "too_large"),
    ],
)  # fmt: skip
def test_what_is_no_picture_of_a_document_is_refused(content: bytes, name: str, code: str) -> None:
    assert refusal(content, name) == code


def test_each_page_of_an_authority_is_taken() -> None:
    assert len(intake.take(io.BytesIO(pdf(5)), "authority.pdf", 24)) == 5


def test_an_authority_of_more_pages_than_can_be_taken_is_refused_whole() -> None:
    with pytest.raises(Refused) as caught:
        intake.take(io.BytesIO(pdf(25)), "authority.pdf", 24)

    assert caught.value.code == "too_many_pages"


def test_a_decoder_that_is_asked_for_another_form_refuses() -> None:
    """The sniffed kind alone chooses the decoder: no picture reaches one that it was not sniffed for."""
    with pytest.raises(Refused) as caught:
        list(intake._decoded(made("GIF"), "image/jpeg"))

    assert caught.value.code == "damaged"


# -- viruses -----------------------------------------------------------------------------------------


@pytest.fixture
def scanner(settings: Any) -> Iterator[Callable[[str], Any]]:
    with tempfile.TemporaryDirectory(prefix="clamd") as folder:

        def configured(behaviour: str) -> Any:
            settings.CLAMD_SECONDS = 0.5
            daemon = running(Path(folder), behaviour)
            settings.CLAMD = f"unix:{folder}/c.sock"
            return daemon

        yield configured


def test_a_clean_picture_passes_the_scanner_whole(scanner: Callable[[str], Any]) -> None:
    content = jpeg(PAGE)

    with scanner("well") as (_, seen):
        pictures = taken(content)

    assert (len(pictures), seen) == (1, [content])


def test_an_infected_picture_is_refused(scanner: Callable[[str], Any]) -> None:
    with scanner("well"):
        assert refusal(jpeg(PAGE, comment=EICAR)) == "infected"


@pytest.mark.parametrize("behaviour", ["silent", "full", "slow"])
def test_nothing_is_taken_while_the_scanner_does_not_answer(
    scanner: Callable[[str], Any], behaviour: str
) -> None:
    with scanner(behaviour):
        assert refusal(jpeg(PAGE)) == "scanner_away"


def test_nothing_is_taken_while_the_scanner_is_down(settings: Any) -> None:
    settings.CLAMD = "unix:/nowhere/clamd.ctl"

    assert refusal(jpeg(PAGE)) == "scanner_away"
