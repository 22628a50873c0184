"""Files and the transaction: there when the row is, gone when it is."""

from pathlib import Path
from typing import Any

from django.db import transaction

from dsar.lib.tenancy import unit_of_work
from dsar.vault import files, keyring
from dsar.vault.models import KeyPurpose, StoredFile
from tests.dsar.rows import ALPHA, MOMENT

PLAIN = b"Grete Mueller's letter. " * 100


def stored() -> StoredFile:
    with unit_of_work([ALPHA]):
        key = keyring.new_key(KeyPurpose.COLLECTED, ALPHA, MOMENT)
        return files.store(
            [PLAIN], key_id=key.id, controller_id=ALPHA, name="", media_type="text/plain", now=MOMENT
        )


def content(file: StoredFile) -> bytes:
    with unit_of_work([ALPHA]):
        return b"".join(files.read(StoredFile.objects.get(pk=file.pk)))


def on_disk(settings: Any) -> list[Path]:
    return [path for path in Path(settings.DATA_DIR).rglob("*") if path.is_file()]


def test_reading_goes_on_after_the_transaction(committed_db: None) -> None:
    file = stored()

    with unit_of_work([ALPHA]):
        reading = files.read(StoredFile.objects.get(pk=file.pk))

    assert b"".join(reading) == PLAIN


def test_removed_file_is_gone_when_that_commits(committed_db: None, settings: Any) -> None:
    file = stored()

    with unit_of_work([ALPHA]):
        files.remove(StoredFile.objects.get(pk=file.pk))
        before_commit = on_disk(settings)

    assert (len(before_commit), on_disk(settings)) == (1, [])


def test_removal_that_is_rolled_back_keeps_the_file(committed_db: None) -> None:
    file = stored()

    with unit_of_work([ALPHA]):
        files.remove(StoredFile.objects.get(pk=file.pk))
        transaction.set_rollback(True)

    assert content(file) == PLAIN
