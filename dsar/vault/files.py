"""Encrypted files: streamed in, streamed out, never whole in memory and never plain on disk."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from dsar.lib import crypto
from dsar.lib.uuid7 import uuid7
from dsar.vault import keyring
from dsar.vault.models import StoredFile

READ_BYTES = 1024 * 1024

# The folders (at most 256) that this process has seen named on the disk.
_named_on_disk: set[Path] = set()


class _Measure:
    """Counts and hashes what passes through."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.size = 0
        self.hash = hashlib.sha256()
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            self.hash.update(chunk)
            yield chunk


@dataclass(frozen=True)
class Written:
    """Ciphertext on disk that no row names yet."""

    file_id: UUID
    file_key: crypto.DataKey
    size: int
    sha256: str


def write(chunks: Iterable[bytes]) -> Written:
    """Encrypt a file under a key of its own, outside of any transaction.

    Bytes that no row comes to name cannot be opened by anybody, and upkeep removes them.
    """
    file_id, file_key, measure = uuid7(), crypto.new_key(), _Measure(chunks)
    _write(path(file_id), crypto.seal_stream(file_key, measure, _place(file_id)))
    return Written(file_id, file_key, measure.size, measure.hash.hexdigest())


def discard(written: Written) -> None:
    """Delete what was written and is not to be kept."""
    path(written.file_id).unlink(missing_ok=True)


def keep(
    written: Written, *, key_id: UUID, controller_id: UUID, name: str, media_type: str, now: datetime
) -> StoredFile:
    """Name what was written, its key sealed beneath ``key_id``; durable when the transaction commits."""
    stored = _named(written, key_id, controller_id, name, media_type, now)
    stored.save(force_insert=True)
    return stored


def keep_all(
    written: Iterable[tuple[str, str, Written]], *, key_id: UUID, controller_id: UUID, now: datetime
) -> list[StoredFile]:
    """The same for many at once, given with name and media type."""
    return StoredFile.objects.bulk_create(
        [_named(one, key_id, controller_id, name, media_type, now) for name, media_type, one in written]
    )


def _named(
    written: Written, key_id: UUID, controller_id: UUID, name: str, media_type: str, now: datetime
) -> StoredFile:
    return StoredFile(
        id=written.file_id,
        controller_id=controller_id,
        key_id=key_id,
        sealed_key=crypto.seal_key(keyring.key(key_id), written.file_key, _place(written.file_id)),
        name=name,
        media_type=media_type,
        size=written.size,
        sha256=written.sha256,
        stored_at=now,
    )


def store(
    chunks: Iterable[bytes], *, key_id: UUID, controller_id: UUID, name: str, media_type: str, now: datetime
) -> StoredFile:
    """Write and keep in one go, for what is small enough to wait for."""
    return keep(
        write(chunks), key_id=key_id, controller_id=controller_id, name=name, media_type=media_type, now=now
    )


def read(stored: StoredFile) -> Iterator[bytes]:
    """The file's plain bytes; raises DecryptionError where they were tampered with.

    The key is opened at once, so that the iterator may be used after the transaction.
    """
    file_key = crypto.unseal_key(keyring.key(stored.key_id), bytes(stored.sealed_key), _place(stored.id))
    return crypto.unseal_stream(file_key, _chunks(path(stored.id)), _place(stored.id))


def remove(stored: StoredFile) -> None:
    """Delete the row, and the bytes when that commits: a rollback must not leave a row without its file."""
    where = path(stored.id)
    stored.delete()
    transaction.on_commit(lambda: where.unlink(missing_ok=True))


def remove_all(file_ids: Iterable[UUID]) -> None:
    """The same for many. What a crash between the two leaves behind is removed by upkeep, and opens for nobody."""
    ids = list(file_ids)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM vault_file WHERE id = ANY(%s)", [ids])
    transaction.on_commit(lambda: _unlink(ids))


def _unlink(file_ids: Iterable[UUID]) -> None:
    for file_id in file_ids:
        path(file_id).unlink(missing_ok=True)


def path(file_id: UUID) -> Path:
    """Where a file's ciphertext lies, spread over folders by its random digits."""
    return Path(settings.DATA_DIR) / file_id.hex[-2:] / file_id.hex


def _write(where: Path, chunks: Iterator[bytes]) -> None:
    is_new = not where.parent.exists()
    where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _write_new(where, chunks)
    except BaseException:
        where.unlink(missing_ok=True)
        raise
    # A file outlives a power cut only when the folders that name it do. That the upper one names the lower is on
    # the disk once it was synced after the lower was there, whoever made that.
    _sync_folder(where.parent)
    if is_new or where.parent not in _named_on_disk:
        _sync_folder(where.parent.parent)
        _named_on_disk.add(where.parent)


def _write_new(where: Path, chunks: Iterator[bytes]) -> None:
    with os.fdopen(os.open(where, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as target:
        target.writelines(chunks)
        target.flush()
        os.fsync(target.fileno())


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _chunks(where: Path) -> Iterator[bytes]:
    with where.open("rb") as source:
        while chunk := source.read(READ_BYTES):
            yield chunk


def _place(file_id: UUID) -> bytes:
    return f"vault_file|{file_id}".encode()
