"""Bring every data key under the newest master key. What the keys encrypt stays as it is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Count

from dsar.audit.actions import Action
from dsar.audit.record import OPERATOR, Codes, record
from dsar.lib.crypto import DecryptionError
from dsar.lib.tenancy import unit_of_work
from dsar.vault import keyring
from dsar.vault.models import VaultKey

BATCH_KEYS = 500
FIRST = UUID(int=0)


@dataclass(frozen=True)
class Batch:
    """What became of some keys. ``unopened`` are those whose master key is not in the environment."""

    last: UUID
    rewrapped: int
    unopened: tuple[UUID, ...]


def versions_in_use(controllers: Iterable[UUID]) -> dict[int, int]:
    """How many living data keys each master key wraps, by its version."""
    with unit_of_work(controllers):
        counted = VaultKey.objects.filter(destroyed_at=None).values_list("master_version")
        return dict(counted.annotate(keys=Count("id")).order_by("master_version"))


def rotate(controllers: Iterable[UUID], now: datetime, batch_keys: int = BATCH_KEYS) -> Iterator[Batch]:
    """Rewrap what older master keys wrap, a transaction a batch: stopped anywhere, it goes on from there.

    Keys are locked while they are rewrapped, so that one which is being destroyed stays destroyed. Staff's
    and other keys that belong to no controller are among them.
    """
    controllers, last = list(controllers), FIRST
    while True:
        with unit_of_work(controllers):
            batch = _rewrap_after(last, now, batch_keys)
        if batch is None:
            return
        yield batch
        last = batch.last


def _rewrap_after(last: UUID, now: datetime, batch_keys: int) -> Batch | None:
    old = VaultKey.objects.filter(id__gt=last, destroyed_at=None).exclude(
        master_version=keyring.masters().current
    )
    keys = list(old.select_for_update().order_by("id")[:batch_keys])
    if not keys:
        return None
    fresh = {key.id: blob for key in keys if (blob := _fresh(key)) is not None}
    _write(fresh)
    batch = Batch(keys[-1].id, len(fresh), tuple(key.id for key in keys if key.id not in fresh))
    _put_on_record(batch, now)
    return batch


def _fresh(key: VaultKey) -> bytes | None:
    try:
        return keyring.rewrapped(key)
    except DecryptionError:
        return None


def _write(fresh: dict[UUID, bytes]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE vault_key SET wrapped = fresh.wrapped, master_version = %s"
            " FROM unnest(%s::uuid[], %s::bytea[]) AS fresh (id, wrapped) WHERE vault_key.id = fresh.id",
            [keyring.masters().current, list(fresh), list(fresh.values())],
        )


def _put_on_record(batch: Batch, now: datetime) -> None:
    codes: Codes = {
        "master_version": keyring.masters().current,
        "rewrapped": batch.rewrapped,
        "unopened": [str(key_id) for key_id in batch.unopened],
    }
    record(Action.KEYS_ROTATED, OPERATOR, now, data=codes)
