"""Make, open, rotate and destroy data keys."""

from datetime import datetime
from functools import cache
from uuid import UUID

from django.conf import settings

from dsar.lib import crypto
from dsar.lib.tenancy import scratch
from dsar.vault.models import KeyPurpose, VaultKey


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
    record = VaultKey(controller_id=controller_id, purpose=purpose, created_at=now)
    data_key = crypto.new_key()
    record.wrapped = masters().wrap(data_key, _place(record))
    record.master_version = masters().current
    record.save(force_insert=True)
    scratch()[record.id] = data_key
    return record


def shared_key(purpose: KeyPurpose, controller_id: UUID | None, now: datetime) -> VaultKey:
    """The one key of this purpose that a controller (or the staff) has; made at first use."""
    found = VaultKey.objects.filter(purpose=purpose, controller_id=controller_id).first()
    return found or new_key(purpose, controller_id, now)


def key(key_id: UUID) -> crypto.DataKey:
    """Open a data key; raises KeyDestroyed. Opened keys are forgotten with the unit of work."""
    opened = scratch().get(key_id)
    if not isinstance(opened, crypto.DataKey):
        opened = _open(VaultKey.objects.get(pk=key_id))
        scratch()[key_id] = opened
    return opened


def destroy(key_id: UUID, now: datetime) -> None:
    """Destroy a key; what it protected is unreadable from now on. Twice is once."""
    VaultKey.objects.filter(pk=key_id, destroyed_at=None).update(wrapped=None, destroyed_at=now)
    scratch().pop(key_id, None)


def rewrap(record: VaultKey) -> bool:
    """Wrap under the current master key; False where it is already, or is destroyed."""
    if record.wrapped is None or record.master_version == masters().current:
        return False
    record.wrapped = masters().rewrap(bytes(record.wrapped), _place(record))
    record.master_version = masters().current
    record.save(update_fields=["wrapped", "master_version"])
    return True


def _open(record: VaultKey) -> crypto.DataKey:
    if record.wrapped is None:
        raise KeyDestroyed
    return masters().unwrap(bytes(record.wrapped), _place(record))


def _place(record: VaultKey) -> bytes:
    return f"vault_key|{record.id}|{record.purpose}|{record.controller_id}".encode()
