"""Rotation: every data key comes under the newest master key; what it protects stays readable."""

import json
import threading
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection

from dsar.audit.models import AuditEvent
from dsar.lib.crypto import blind, wrapped_version
from dsar.lib.tenancy import unit_of_work
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose, VaultKey
from dsar.vault.rotate import rotate, versions_in_use
from identity.models import TotpDevice
from identity.roles import Role
from tests.dsar.rows import ALPHA, BETA, MOMENT
from tests.dsar.vault.masters import master_keys
from tests.factories.identity import TOTP_SECRET, ControllerFactory, enrolled, staff

EVERYBODY = [ALPHA, BETA]


@pytest.fixture
def keys(committed_db: None, settings: Any) -> list[UUID]:
    """Seven keys of two controllers and the staff's, under master key 1; then 2 is added."""
    settings.MASTER_KEYS = master_keys(1)
    with unit_of_work(EVERYBODY):
        for controller_id in EVERYBODY:
            ControllerFactory.create(id=controller_id)
            keyring.new_key(KeyPurpose.COLLECTED, controller_id, MOMENT)
            keyring.new_key(KeyPurpose.CASE_FILE, controller_id, MOMENT)
            keyring.shared_key(KeyPurpose.LOOKUP, controller_id, MOMENT)
        enrolled(staff(Role.AGENT))
        made = list(VaultKey.objects.order_by("id").values_list("id", flat=True))
    settings.MASTER_KEYS = master_keys(1, 2)
    return made


def command(*arguments: str) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    try:
        call_command("rotate_keys", "--json", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def secrets() -> dict[UUID, bytes]:
    with unit_of_work(EVERYBODY):
        living = VaultKey.objects.filter(destroyed_at=None).values_list("id", flat=True)
        return {key_id: keyring.key(key_id).secret for key_id in living}


def on_record() -> list[dict[str, Any]]:
    with unit_of_work([]):
        return list(
            AuditEvent.objects.filter(action="configuration.keys_rotated").values_list("data", flat=True)
        )


def test_rotation_rewraps_every_key_and_changes_none(keys: list[UUID]) -> None:
    before = secrets()

    code, report = command()

    assert (code, report) == (0, {"master_version": 2, "rewrapped": 7, "unopened": [], "in_use": {"2": 7}})
    assert secrets() == before
    with unit_of_work(EVERYBODY):
        assert {wrapped_version(bytes(key.wrapped)) for key in VaultKey.objects.all()} == {2}


def test_old_master_key_can_be_withdrawn_afterwards(keys: list[UUID], settings: Any) -> None:
    with unit_of_work(EVERYBODY):
        index = blind(
            keyring.key(keyring.shared_key(KeyPurpose.LOOKUP, ALPHA, MOMENT).id), "grete@example.org"
        )
    command()

    settings.MASTER_KEYS = master_keys(2)

    with unit_of_work(EVERYBODY):
        assert (
            blind(keyring.key(keyring.shared_key(KeyPurpose.LOOKUP, ALPHA, MOMENT).id), "grete@example.org")
            == index
        )
        assert TotpDevice.objects.get().secret == TOTP_SECRET


def test_check_tells_what_is_in_use_and_changes_nothing(keys: list[UUID]) -> None:
    before = command("--check")
    command()
    after = command("--check")

    assert before == (1, {"master_version": 2, "rewrapped": 0, "unopened": [], "in_use": {"1": 7}})
    assert after == (0, {"master_version": 2, "rewrapped": 0, "unopened": [], "in_use": {"2": 7}})


def test_second_rotation_finds_nothing_to_do(keys: list[UUID]) -> None:
    command()

    code, report = command()

    assert (code, report["rewrapped"], len(on_record())) == (0, 0, 1)


def test_interrupted_rotation_goes_on_where_it_stopped(keys: list[UUID]) -> None:
    first = next(rotate(EVERYBODY, MOMENT, batch_keys=3))
    between = versions_in_use(EVERYBODY)

    rest = [batch.rewrapped for batch in rotate(EVERYBODY, MOMENT, batch_keys=3)]

    assert (first.rewrapped, between, rest) == (3, {1: 4, 2: 3}, [3, 1])
    assert versions_in_use(EVERYBODY) == {2: 7}


def test_each_batch_is_on_record(keys: list[UUID]) -> None:
    list(rotate(EVERYBODY, MOMENT, batch_keys=4))

    assert on_record() == [
        {"master_version": 2, "rewrapped": 4, "unopened": []},
        {"master_version": 2, "rewrapped": 3, "unopened": []},
    ]


def test_destroyed_key_stays_destroyed(keys: list[UUID]) -> None:
    with unit_of_work(EVERYBODY):
        keyring.destroy(keys[0], MOMENT)

    code, report = command()

    assert (code, report["rewrapped"], report["in_use"]) == (0, 6, {"2": 6})
    with unit_of_work(EVERYBODY):
        destroyed = VaultKey.objects.get(pk=keys[0])
    assert (destroyed.wrapped, destroyed.master_version) == (None, 1)


def test_key_that_does_not_open_is_told_and_left(keys: list[UUID]) -> None:
    with unit_of_work(EVERYBODY):
        VaultKey.objects.filter(pk=keys[2]).update(wrapped=VaultKey.objects.get(pk=keys[1]).wrapped)

    code, report = command()

    assert (code, report["rewrapped"], report["unopened"]) == (1, 6, [str(keys[2])])
    assert report["in_use"] == {"1": 1, "2": 6}


def test_keys_made_and_destroyed_meanwhile_are_safe(keys: list[UUID]) -> None:
    failed: list[BaseException] = []

    def live_on() -> None:
        try:
            for _ in range(20):
                with unit_of_work(EVERYBODY):
                    made = keyring.new_key(KeyPurpose.PERSON, ALPHA, MOMENT)
                with unit_of_work(EVERYBODY):
                    keyring.key(keys[-1])
                    keyring.destroy(made.id, MOMENT)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=live_on)
    thread.start()
    for _ in range(10):
        list(rotate(EVERYBODY, MOMENT, batch_keys=1))
    thread.join()

    assert failed == []
    assert versions_in_use(EVERYBODY) == {2: 7}


def test_text_says_what_was_done(keys: list[UUID]) -> None:
    out = StringIO()

    call_command("rotate_keys", stdout=out)

    assert out.getvalue().splitlines() == ["7 keys rewrapped under master key 2", "master key 2 wraps 7 keys"]
