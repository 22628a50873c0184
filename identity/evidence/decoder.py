"""Decodes one upload in a process of its own, and writes plain JPEG pictures of it.

A picture from a stranger meets large decoders written in C. Here they run with little memory, little time and
nothing to steal: no database, no keys, no settings. The bytes come on standard input and the pictures leave on
standard output, each after its length; what cannot be decoded is an exit status. Only pixels pass: metadata,
programs, hidden files and everything behind the picture's end stay behind.
"""

import contextlib
import io
import struct
import sys
from collections.abc import Iterator

import pi_heif
import pypdfium2
from PIL import Image, ImageOps

KINDS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/heic": "HEIF"}
PDF = "application/pdf"

MAX_PIXELS = 50_000_000
LONGEST_SIDE = 2400
PAGES = 3
QUALITY = 88

_MEMORY = 1536 * 1024 * 1024
_SECONDS = 20

# Exit statuses, beside those of Python and of signals.
TOO_MANY_PIXELS = 10
DAMAGED = 11
TOO_MANY_PAGES = 12


class TooManyPages(Exception):
    """Each page matters, and there are more than can be taken."""


class TooManyPixels(Exception):
    """The picture would take more memory than any document needs."""


def main(kind: str, pages: int = PAGES) -> int:
    """Decode what comes in as this media type; return the exit status.

    Of a longer document the first ``pages`` are taken, since of an identity document no more can matter; where more
    than those are asked for, each matters, and a longer one is refused.
    """
    _confine()
    try:
        for picture in _pictures(sys.stdin.buffer.read(), kind, pages):
            sys.stdout.buffer.write(framed(picture))
    except TooManyPages:
        return TOO_MANY_PAGES
    except (TooManyPixels, Image.DecompressionBombError, MemoryError):
        return TOO_MANY_PIXELS
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, pypdfium2.PdfiumError):
        # What Pillow, libheif and PDFium raise for files that are damaged, locked or made up.
        return DAMAGED
    return 0


def framed(picture: Image.Image) -> bytes:
    """The picture as JPEG after its length in four bytes."""
    made = io.BytesIO()
    picture.save(made, "JPEG", quality=QUALITY)
    return struct.pack(">I", made.tell()) + made.getvalue()


def _confine() -> None:
    """Give up memory, time and files; a system that knows no such limits has the caller's time-out alone."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not on every system

        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _pictures(data: bytes, kind: str, pages: int) -> Iterator[Image.Image]:
    if kind == PDF:
        yield from _pages(data, pages)
    else:
        yield _clean(_opened(data, KINDS[kind]))


def _opened(data: bytes, form: str) -> Image.Image:
    """The picture as far as its size is known; only the decoder of this form is tried."""
    if form == "HEIF":
        pi_heif.register_heif_opener()
    picture = Image.open(io.BytesIO(data), formats=[form])
    if picture.width * picture.height > MAX_PIXELS:
        raise TooManyPixels
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    return picture


def _pages(data: bytes, most: int) -> Iterator[Image.Image]:
    """The first pages as pictures; nothing in the document is run, and no form is drawn."""
    document = pypdfium2.PdfDocument(data)
    if most > PAGES and len(document) > most:
        raise TooManyPages
    for number in range(min(len(document), most)):
        page = document[number]
        scale = LONGEST_SIDE / max(*page.get_size(), 1)
        yield _clean(page.render(scale=min(scale, 4), may_draw_forms=False).to_pil())


def _clean(picture: Image.Image) -> Image.Image:
    """Upright, no larger than needed, on white, and pixels alone."""
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    upright = ImageOps.exif_transpose(picture).convert("RGBA" if picture.has_transparency_data else "RGB")
    plain = Image.new("RGB", upright.size, "white")
    plain.paste(upright, mask=upright if upright.mode == "RGBA" else None)
    return plain


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
