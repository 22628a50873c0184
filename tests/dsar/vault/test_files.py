"""Encrypted files: whole, in place and never plain on disk; there when the row is, gone when it is."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.lib.crypto import CHUNK_BYTES, DecryptionError
from dsar.lib.tenancy import serve, unit_of_work
from dsar.vault import files, keyring
from dsar.vault.models import KeyPurpose, StoredFile
from tests.dsar.rows import ALPHA, MOMENT

PLAIN = b"Grete Mueller's letter. " * 100


class Stop(Exception):
    pass


pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _serve_alpha(db: None) -> None:
    serve([ALPHA])


def stored(*chunks: bytes, name: str = "letter.txt") -> StoredFile:
    key = keyring.new_key(KeyPurpose.COLLECTED, ALPHA, MOMENT)
    return files.store(
        chunks, key_id=key.id, controller_id=ALPHA, name=name, media_type="text/plain", now=MOMENT
    )


def content(file: StoredFile) -> bytes:
    return b"".join(files.read(StoredFile.objects.get(pk=file.pk)))


def on_disk(settings: Any) -> list[Path]:
    return sorted(path for path in Path(settings.DATA_DIR).rglob("*") if path.is_file())


def test_file_comes_back_with_its_measures() -> None:
    file = stored(PLAIN, b"", PLAIN)

    assert content(file) == PLAIN * 2
    assert (file.size, file.sha256) == (4800, hashlib.sha256(PLAIN * 2).hexdigest())


@given(st.lists(st.binary(max_size=2000), max_size=6))
def test_any_chunks_come_back(chunks: list[bytes]) -> None:
    with unit_of_work([ALPHA]):
        file = stored(*chunks)

        assert content(file) == b"".join(chunks)


def test_file_of_several_frames_comes_back() -> None:
    chunks = [bytes([number]) * (CHUNK_BYTES // 2) for number in range(5)]

    file = stored(*chunks)

    assert content(file) == b"".join(chunks)


def test_disk_holds_neither_content_nor_name(settings: Any) -> None:
    file = stored(PLAIN, name="Grete Mueller.pdf")

    paths = on_disk(settings)

    assert paths == [files.path(file.id)]
    assert (b"Mueller" in paths[0].read_bytes(), "Mueller" in str(paths[0])) == (False, False)
    assert paths[0].stat().st_mode & 0o777 == 0o600
    assert paths[0].parent.stat().st_mode & 0o777 == 0o700


# -- tampering ---------------------------------------------------------------------------------------


def test_bytes_of_another_file_do_not_open() -> None:
    one, other = stored(PLAIN), stored(PLAIN)

    files.path(one.id).write_bytes(files.path(other.id).read_bytes())

    with pytest.raises(DecryptionError):
        content(one)
    assert content(other) == PLAIN


def test_bytes_and_key_of_another_file_do_not_open_either() -> None:
    one = stored(PLAIN)
    other = files.store(
        [PLAIN], key_id=one.key_id, controller_id=ALPHA, name="", media_type="text/plain", now=MOMENT
    )

    files.path(one.id).write_bytes(files.path(other.id).read_bytes())
    StoredFile.objects.filter(pk=one.pk).update(sealed_key=other.sealed_key)

    with pytest.raises(DecryptionError):
        content(one)


@given(cut=st.integers(1, len(PLAIN) + 56))
def test_any_cut_end_is_noticed(cut: int) -> None:
    with unit_of_work([ALPHA]):
        file = stored(PLAIN)
        where = files.path(file.id)

        where.write_bytes(where.read_bytes()[:-cut])

        with pytest.raises(DecryptionError):
            content(file)


def test_cut_between_frames_is_noticed() -> None:
    file = stored(bytes(CHUNK_BYTES), bytes(CHUNK_BYTES))
    where = files.path(file.id)

    where.write_bytes(where.read_bytes()[: -(CHUNK_BYTES + 16)])

    with pytest.raises(DecryptionError):
        content(file)


@given(place=st.integers(0, 10**6), flip=st.integers(1, 255))
def test_any_flipped_byte_is_noticed(place: int, flip: int) -> None:
    with unit_of_work([ALPHA]):
        file = stored(PLAIN)
        where = files.path(file.id)
        blob = bytearray(where.read_bytes())
        blob[place % len(blob)] ^= flip

        where.write_bytes(bytes(blob))

        with pytest.raises(DecryptionError):
            content(file)


def test_file_beneath_a_destroyed_key_is_unreadable_and_others_are_not() -> None:
    gone, kept = stored(PLAIN), stored(PLAIN)

    keyring.destroy(gone.key_id, MOMENT)

    with pytest.raises(keyring.KeyDestroyed):
        content(gone)
    assert content(kept) == PLAIN


# -- failure ---------------------------------------------------------------------------------------


def test_failed_source_leaves_neither_row_nor_bytes(settings: Any) -> None:
    def chunks() -> Iterator[bytes]:
        yield PLAIN
        raise Stop

    key = keyring.new_key(KeyPurpose.COLLECTED, ALPHA, MOMENT)
    with pytest.raises(Stop):
        files.store(chunks(), key_id=key.id, controller_id=ALPHA, name="", media_type="", now=MOMENT)

    assert (StoredFile.objects.count(), on_disk(settings)) == (0, [])
