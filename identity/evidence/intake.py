"""From an upload to clean pictures: what it is, whether it is infected, and its pixels, decoded elsewhere.

The file as it was sent is never kept. What is kept was made here: JPEG pictures without metadata, of at most
2400 dots, in which nothing of another kind of file can hide.
"""

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext as _

from dsar.lib import uploads
from dsar.lib.errors import Refused
from identity.evidence import decoder
from identity.evidence.scanning import refuse_infected

MAX_BYTES = 15 * 1024 * 1024
KINDS = frozenset({uploads.JPEG, uploads.PNG, uploads.WEBP, uploads.HEIC, uploads.PDF})
MEDIA_TYPE = "image/jpeg"

_SECONDS = 30
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Picture:
    """A clean picture as JPEG."""

    jpeg: bytes


def take(stream: BinaryIO, name: str, pages: int = decoder.PAGES) -> list[Picture]:
    """Judge, scan and decode a seekable upload; several pictures for a document of so many pages at most.

    Raises Refused, with a sentence for whoever sent it and a stable code.
    """
    verdict = uploads.inspect(stream, name, MAX_BYTES)
    if not verdict.accepted or verdict.kind not in KINDS:
        raise _refusal("type" if verdict.accepted else verdict.code)
    refuse_infected(_chunks(stream))
    stream.seek(0)
    return list(_decoded(stream.read(), verdict.kind.media_type, pages))


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        yield chunk


def _decoded(data: bytes, media_type: str, pages: int = decoder.PAGES) -> Iterator[Picture]:
    """Decode in a process of its own, which gets nothing of our environment but the path to the code."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", decoder.__name__, media_type, str(pages)],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
            cwd=settings.BASE_DIR,
            env={"PYTHONPATH": str(Path(settings.BASE_DIR)), "PATH": os.defpath},
        )
    except subprocess.TimeoutExpired:
        raise _refusal("too_many_pixels") from None
    if done.returncode == decoder.TOO_MANY_PAGES:
        raise _refusal("too_many_pages")
    if done.returncode == decoder.TOO_MANY_PIXELS:
        raise _refusal("too_many_pixels")
    if done.returncode != 0 or not done.stdout:
        raise _refusal("damaged")
    yield from _unframed(done.stdout)


def _unframed(data: bytes) -> Iterator[Picture]:
    place = 0
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        yield Picture(data[place + 4 : place + 4 + length])
        place += 4 + length


def _refusal(code: str) -> Refused:
    sentences = {
        "empty": _("This file is empty."),
        "too_large": _(
            "This file is too large: at most 15 MB can be taken. A photo in normal size is enough."
        ),
        "damaged": _(
            "This file cannot be opened: it is damaged or locked with a password. Please take a photo."
        ),
        "too_many_pages": _(
            "This document has too many pages. Please send those that say who may act for whom, for what, and the"
            " signatures."
        ),
        "too_many_pixels": _("This picture is too large to open. A photo in normal size is enough."),
        "polyglot": _("This file is two kinds of file at once. We cannot take it."),
    }
    return Refused(
        sentences.get(code, _("Please send a photo (JPEG, PNG, WebP or HEIC) or a scan (PDF).")), code
    )
