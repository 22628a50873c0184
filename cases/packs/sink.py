"""Where the files of a pack go. The sink encrypts or zips; size and digest are taken on the way there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol


class Sink(Protocol):
    """Takes each file of a pack once, in order, and must read all of its chunks before it returns."""

    def add(self, name: str, media_type: str, chunks: Iterable[bytes]) -> None: ...


@dataclass(frozen=True, slots=True)
class PackFile:
    """One file that was written. `size` is in bytes, `sha256` in hexadecimal, both before encryption."""

    name: str
    media_type: str
    size: int
    sha256: str
    records: int | None = None


class SinkStoppedEarly(RuntimeError):
    """A sink returned before it had read the whole file, so that its digest would be a lie."""


class Measured:
    """Passes chunks on and keeps their size and digest."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._digest = hashlib.sha256()
        self.size = 0
        self.ended = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._digest.update(chunk)
            self.size += len(chunk)
            yield chunk
        self.ended = True

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def put(sink: Sink, name: str, media_type: str, chunks: Iterable[bytes]) -> PackFile:
    """Write one file into the sink.

    Raises SinkStoppedEarly when the sink did not take all of it.
    """
    measured = Measured(chunks)
    sink.add(name, media_type, measured)
    if not measured.ended:
        raise SinkStoppedEarly(name)
    return PackFile(name, media_type, measured.size, measured.sha256)


@dataclass(slots=True)
class MemorySink:
    """Keeps the files in memory, for small packs, previews and tests."""

    files: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, media_type: str, chunks: Iterable[bytes]) -> None:
        self.files[name] = b"".join(chunks)
