"""Rows set aside for a second and third reading, so that the database is asked and opened only once.

They are compressed and encrypted under a key that only this object holds. A few megabytes stay in memory, the
rest goes to a file without a name; both are gone with the process.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, Self

from django.conf import settings

from dsar.lib import crypto

IN_MEMORY = 16 * 1024 * 1024  # bytes as compressed: some hundred thousand ordinary rows
_LENGTH_BYTES = 4


class Spool:
    """Pages of rows of plain JSON, in the order in which they were added. Rows come back as lists.

    To be used in a ``with`` statement, at whose end everything is thrown away.
    """

    def __init__(self) -> None:
        self._key = crypto.new_key()
        self._pages = 0
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(settings.DATA_DIR))  # noqa: SIM115 (closed in __exit__)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Set a page aside."""
        # The lowest level: it is read back twice and thrown away.
        packed = zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 1)
        sealed = crypto.seal(self._key, packed, self._place(self._pages))
        self._file.write(len(sealed).to_bytes(_LENGTH_BYTES) + sealed)
        self._pages += 1

    def pages(self) -> Iterator[list[list[Any]]]:
        """All pages from the first; raises DecryptionError where the file was tampered with."""
        self._file.seek(0)
        for number in range(self._pages):
            sealed = self._file.read(int.from_bytes(self._file.read(_LENGTH_BYTES)))
            yield json.loads(zlib.decompress(crypto.unseal(self._key, sealed, self._place(number))))

    def clear(self) -> None:
        """Begin anew."""
        self._file.seek(0)
        self._file.truncate()
        self._pages = 0

    @staticmethod
    def _place(number: int) -> bytes:
        return f"spool|{number}".encode()
