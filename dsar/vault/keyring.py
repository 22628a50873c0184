"""Make, open, rotate and destroy data keys."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from uuid import UUID

from django.conf import settings

from dsar.lib import crypto
from dsar.lib.prepared import Prepared
from dsar.lib.tenancy import scratch
from dsar.vault.models import KeyPurpose, VaultKey

_STORED = Prepared(lambda key_id: VaultKey.objects.filter(pk=key_id), UUID)


class KeyDestroyed(Exception):
    """What this key protected is gone, on purpose and for good."""

    def __init__(self) -> None:
        super().__init__("The key was destroyed: what it protected cannot be read any more.")


@cache
def _masters(text: str) -> crypto.MasterKeys:
    return crypto.MasterKeys.parse(text)


def masters() -> crypto.MasterKeys:
    """The key-encryption keys of the environment."""
    return _masters(settings.MASTER_KEYS)


def new_key(purpose: KeyPurpose, controller_id: UUID | None, now: datetime) -> VaultKey:
    """Make and store a data key."""
    record, data_key = _made(purpose, controller_id, now)
    record.save(force_insert=True)
    scratch()[record.id] = data_key
    return record


def new_keys(purposes: Sequence[KeyPurpose], controller_id: UUID, now: datetime) -> list[VaultKey]:
    """Make and store several data keys with one statement, in the order of their purposes."""
    made = [_made(purpose, controller_id, now) for purpose in purposes]
    VaultKey.objects.bulk_create([record for record, _data_key in made])
    for record, data_key in made:
        scratch()[record.id] = data_key
    return [record for record, _data_key in made]


def shared_key(purpose: KeyPurpose, controller_id: UUID | None, now: datetime) -> VaultKey:
    """The one key of this purpose that a controller (or the staff) has; made at first use."""
    shared = VaultKey.objects.filter(purpose=purpose, controller_id=controller_id)
    found = shared.first()
    if found is None:
        # Somebody else may make it at this moment: the first one wins, and both use that.
        VaultKey.objects.bulk_create([_made(purpose, controller_id, now)[0]], ignore_conflicts=True)
        found = shared.get()
    return found


def key(key_id: UUID) -> crypto.DataKey:
    """Open a data key; raises KeyDestroyed. Opened keys are forgotten with the unit of work."""
    opened = scratch().get(key_id)
    return opened if isinstance(opened, crypto.DataKey) else opened_of(_STORED.get(key_id))


def opened_of(record: VaultKey) -> crypto.DataKey:
    """Open a data key whose row has been read already; raises KeyDestroyed."""
    opened = scratch()[record.id] = _open(record)
    return opened


def open_all(key_ids: Iterable[UUID]) -> None:
    """Open many keys with one query, for a list; those that were destroyed stay for ``key`` to complain of."""
    missing = {key_id for key_id in key_ids if key_id not in scratch()}
    for record in VaultKey.objects.filter(pk__in=missing, wrapped__isnull=False):
        scratch()[record.pk] = _open(record)


def destroy(key_id: UUID, now: datetime) -> None:
    """Destroy a key; what it protected is unreadable from now on. Twice is once."""
    VaultKey.objects.filter(pk=key_id, destroyed_at=None).update(wrapped=None, destroyed_at=now)
    scratch().pop(key_id, None)


def rewrapped(record: VaultKey) -> bytes:
    """The same key under the current master key; raises DecryptionError where its own master key is gone."""
    assert record.wrapped is not None
    return masters().rewrap(bytes(record.wrapped), _place(record))


def _made(purpose: KeyPurpose, controller_id: UUID | None, now: datetime) -> tuple[VaultKey, crypto.DataKey]:
    record, data_key = (
        VaultKey(controller_id=controller_id, purpose=purpose, created_at=now),
        crypto.new_key(),
    )
    record.wrapped = masters().wrap(data_key, _place(record))
    record.master_version = masters().current
    return record, data_key


def _open(record: VaultKey) -> crypto.DataKey:
    if record.wrapped is None:
        raise KeyDestroyed
    return masters().unwrap(bytes(record.wrapped), _place(record))


def _place(record: VaultKey) -> bytes:
    return f"vault_key|{record.id}|{record.purpose}|{record.controller_id}".encode()
