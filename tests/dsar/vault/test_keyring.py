"""Shared keys under many hands at once."""

import threading
from uuid import UUID

from django.db import connection

from dsar.lib.tenancy import unit_of_work
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose, VaultKey
from tests.dsar.rows import ALPHA, BETA, MOMENT

THREADS = 8


def shared(purpose: KeyPurpose, controller_id: UUID | None) -> UUID:
    found: UUID = keyring.shared_key(purpose, controller_id, MOMENT).id
    return found


def test_shared_key_is_one_a_controller_and_purpose(committed_db: None) -> None:
    wanted = [(KeyPurpose.LOOKUP, ALPHA), (KeyPurpose.CONTROLLER, ALPHA), (KeyPurpose.LOOKUP, BETA)]

    with unit_of_work([ALPHA, BETA]):
        first = [shared(*each) for each in wanted]
        again = [shared(*each) for each in wanted]

    assert first == again
    assert len(set(first)) == 3


def test_shared_key_made_by_many_at_once_is_one(committed_db: None) -> None:
    start, made = threading.Barrier(THREADS), list[tuple[UUID, bytes]]()

    def make() -> None:
        start.wait()
        with unit_of_work([ALPHA]):
            key_id = shared(KeyPurpose.LOOKUP, ALPHA)
            made.append((key_id, keyring.key(key_id).secret))
        connection.close()

    threads = [threading.Thread(target=make) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with unit_of_work([ALPHA]):
        assert len(made) == THREADS
        assert {key_id for key_id, _ in made} == set(VaultKey.objects.values_list("id", flat=True))
        assert len({secret for _, secret in made}) == 1
