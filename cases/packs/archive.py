"""All files of a pack as one zip, streamed: neither the zip nor a file of it is held in memory."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

# The zip format starts in 1980. A fixed date keeps the same pack the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_DEFLATED = (".json", ".csv", ".txt")
_LARGE = 2**31 - 1  # Beyond it a file needs the 64-bit form, which not every old program can read.


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A file to put into the zip. `size` in bytes is known from the manifest."""

    name: str
    size: int
    chunks: Iterable[bytes]


class _Outlet(io.RawIOBase):
    """What the zip is written to: it keeps the bytes until they are fetched, and cannot seek."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        chunk = bytes(data)  # type: ignore[call-overload]
        self._waiting.append(chunk)
        return len(chunk)

    def fetch(self) -> bytes:
        """What was written since the last time."""
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data


def pack_zip(entries: Iterable[ZipEntry]) -> Iterator[bytes]:
    """The zip in chunks, as the entries are read. Text is compressed, PDF and attachments are as they are."""
    outlet = _Outlet()
    with ZipFile(outlet, "w") as archive:
        for entry in entries:
            yield from _entry(archive, outlet, entry)
    yield outlet.fetch()


def _entry(archive: ZipFile, outlet: _Outlet, entry: ZipEntry) -> Iterator[bytes]:
    info = ZipInfo(entry.name, _EPOCH)
    info.compress_type = ZIP_DEFLATED if entry.name.endswith(_DEFLATED) else ZIP_STORED
    info.external_attr = 0o644 << 16
    with archive.open(info, "w", force_zip64=entry.size > _LARGE) as target:
        for chunk in entry.chunks:
            target.write(chunk)
            yield outlet.fetch()
