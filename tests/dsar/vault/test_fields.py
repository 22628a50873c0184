"""Sealed fields: ciphertext in the column, good for its row, column and key alone."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection, models, transaction
from hypothesis import given
from hypothesis import strategies as st

from cases.models import DataSubject, Representative, SourceSystem
from dsar.lib.crypto import DecryptionError
from dsar.lib.tenancy import serve, unit_of_work
from dsar.vault import keyring
from dsar.vault.fields import SealedField
from dsar.vault.models import KeyPurpose, VaultKey
from tests.dsar.rows import ALPHA, MOMENT
from tests.dsar.vault.masters import master_keys
from tests.factories.identity import ControllerFactory

SECRET = "Grete Müller, grete@example.org"


pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _brand(db: None) -> None:
    serve([])
    ControllerFactory.create(id=ALPHA)


def person(name: str = SECRET, **fields: Any) -> DataSubject:
    key = fields.pop("key", None) or keyring.new_key(KeyPurpose.PERSON, ALPHA, MOMENT)
    subject: DataSubject = DataSubject.objects.create(
        controller_id=ALPHA, key=key, name=name, created_at=MOMENT, **fields
    )
    return subject


def fetched(subject: models.Model) -> Any:
    return type(subject)._default_manager.get(pk=subject.pk)


def column(subject: models.Model, name: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM {subject._meta.db_table} WHERE id = %s", [subject.pk])
        return bytes(cursor.fetchone()[0])


def write(subject: models.Model, name: str, blob: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {subject._meta.db_table} SET {name} = %s WHERE id = %s", [blob, subject.pk])


# -- what is stored ----------------------------------------------------------------------------------


def test_column_holds_no_plain_text() -> None:
    subject = person(SECRET)

    stored = column(subject, "name")

    assert [word in stored for word in (b"Grete", "Müller".encode(), b"grete", b"example")] == [False] * 4
    assert fetched(subject).name == SECRET


def test_same_text_is_never_stored_alike() -> None:
    subject = person(SECRET, email=SECRET)
    first = column(subject, "name")

    subject.name = SECRET
    subject.save()

    assert len({first, column(subject, "name"), column(subject, "email")}) == 3


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back(text: str) -> None:
    with unit_of_work([ALPHA]):
        subject = person(text)

        assert fetched(subject).name == text


def test_any_json_comes_back_and_a_change_in_place_is_not_saved() -> None:
    key = keyring.new_key(KeyPurpose.CONTROLLER, ALPHA, MOMENT)
    secrets = {"password": "pä$$", "nested": [1, None, {"deep": True}]}
    source = SourceSystem.objects.create(
        controller_id=ALPHA, key=key, slug="crm", name="CRM", secrets=secrets
    )

    held = fetched(source)
    held.secrets["password"] = "changed"
    held.save()

    assert fetched(source).secrets == secrets
    assert b"password" not in column(source, "secrets")


def test_deferred_value_is_opened_when_it_is_read() -> None:
    subject = person(SECRET)

    held = DataSubject.objects.only("id").get(pk=subject.pk)

    assert held.name == SECRET


def test_saving_what_was_not_loaded_leaves_it_alone() -> None:
    subject = person(SECRET)
    held = DataSubject.objects.only("id", "language").get(pk=subject.pk)

    held.language = "de"
    held.save(update_fields=["language", "name"])

    assert (fetched(subject).language, fetched(subject).name) == ("de", SECRET)


def test_unread_value_is_saved_as_it_is() -> None:
    subject = person(SECRET)
    before = column(subject, "name")

    fetched(subject).save()

    assert column(subject, "name") == before


# -- queries -----------------------------------------------------------------------------------------


def test_query_can_neither_set_nor_find_a_value() -> None:
    subject = person(SECRET)
    rows = DataSubject.objects.filter(pk=subject.pk)

    with pytest.raises(TypeError, match="is sealed"), transaction.atomic():
        rows.update(name="Somebody")
    with pytest.raises(TypeError, match="is sealed"), transaction.atomic():
        rows.filter(name=SECRET).exists()
    with pytest.raises(TypeError, match="is sealed"), transaction.atomic():
        DataSubject.objects.bulk_update([subject], ["name"])

    assert fetched(subject).name == SECRET


def test_rows_made_in_bulk_are_sealed() -> None:
    key = keyring.new_key(KeyPurpose.PERSON, ALPHA, MOMENT)
    subjects = [
        DataSubject(controller_id=ALPHA, key=key, name=f"{SECRET}{n}", created_at=MOMENT) for n in range(3)
    ]

    DataSubject.objects.bulk_create(subjects)

    assert [fetched(subject).name for subject in subjects] == [f"{SECRET}{n}" for n in range(3)]
    assert [b"Grete" in column(subject, "name") for subject in subjects] == [False] * 3


# -- swapping and tampering --------------------------------------------------------------------------


def test_value_of_another_row_does_not_open() -> None:
    key = keyring.new_key(KeyPurpose.PERSON, ALPHA, MOMENT)
    one, other = person("one", key=key), person("other", key=key)

    write(one, "name", column(other, "name"))

    with pytest.raises(DecryptionError):
        _ = fetched(one).name
    assert fetched(other).name == "other"


def test_value_of_another_column_does_not_open() -> None:
    subject = person("name", email="email")

    write(subject, "name", column(subject, "email"))

    with pytest.raises(DecryptionError):
        _ = fetched(subject).name
    assert fetched(subject).email == "email"


def test_value_of_another_table_does_not_open() -> None:
    key = keyring.new_key(KeyPurpose.PERSON, ALPHA, MOMENT)
    subject = person("name", key=key)
    twin = Representative(
        controller_id=ALPHA, key=key, kind="other", name="twin", created_at=MOMENT, id=subject.pk
    )
    twin.save(force_insert=True)

    write(subject, "name", column(twin, "name"))

    with pytest.raises(DecryptionError):
        _ = fetched(subject).name


def test_value_does_not_open_under_another_key() -> None:
    subject = person()
    other = keyring.new_key(KeyPurpose.PERSON, ALPHA, MOMENT)

    DataSubject.objects.filter(pk=subject.pk).update(key=other)

    with pytest.raises(DecryptionError):
        _ = fetched(subject).name


@given(place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_any_flipped_byte_is_noticed(place: int, flip: int) -> None:
    with unit_of_work([ALPHA]):
        subject = person()
        blob = bytearray(column(subject, "name"))
        blob[place % len(blob)] ^= flip

        write(subject, "name", bytes(blob))

        with pytest.raises(DecryptionError):
            _ = fetched(subject).name


def test_every_sealed_field_is_bytes_to_migrations() -> None:
    from django.apps import apps

    paths = {
        field.deconstruct()[1]
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, SealedField)
    }

    assert paths == {"django.db.models.BinaryField"}


# -- keys --------------------------------------------------------------------------------------------


def test_destroyed_key_takes_its_values_and_no_others() -> None:
    gone, kept = person("gone"), person("kept")

    keyring.destroy(gone.key_id, MOMENT)

    with pytest.raises(keyring.KeyDestroyed):
        _ = fetched(gone).name
    assert fetched(kept).name == "kept"
    destroyed = VaultKey.objects.get(pk=gone.key_id)
    assert (destroyed.wrapped, destroyed.destroyed_at) == (None, MOMENT)


def test_destroyed_key_seals_nothing_any_more() -> None:
    subject = person("gone")
    keyring.destroy(subject.key_id, MOMENT)

    with pytest.raises(keyring.KeyDestroyed), transaction.atomic():
        person("new", key=VaultKey.objects.get(pk=subject.key_id))

    assert DataSubject.objects.count() == 1


def test_key_destroyed_in_a_unit_of_work_is_not_kept_in_its_cache() -> None:
    with unit_of_work([ALPHA]):
        subject = person("gone")
        before = fetched(subject).name
        keyring.destroy(subject.key_id, MOMENT)

        with pytest.raises(keyring.KeyDestroyed):
            _ = fetched(subject).name

    assert before == "gone"


def test_wrapped_key_of_another_row_does_not_open() -> None:
    one, other = (keyring.new_key(KeyPurpose.PERSON, ALPHA, MOMENT) for _ in range(2))

    VaultKey.objects.filter(pk=one.pk).update(wrapped=other.wrapped)

    with pytest.raises(DecryptionError):
        keyring.key(one.pk)


@pytest.mark.parametrize("change", [{"purpose": "collected"}, {"controller_id": None}])
def test_key_does_not_open_for_another_purpose_or_controller(change: dict[str, Any]) -> None:
    made = keyring.new_key(KeyPurpose.PERSON, ALPHA, MOMENT)

    VaultKey.objects.filter(pk=made.pk).update(**change)

    with pytest.raises(DecryptionError):
        keyring.key(made.pk)


def test_other_master_key_opens_nothing(settings: Any) -> None:
    settings.MASTER_KEYS = master_keys(1)
    subject = person()

    settings.MASTER_KEYS = master_keys(1, mark=b"x")

    with pytest.raises(DecryptionError):
        _ = fetched(subject).name


def test_unknown_key_is_not_found() -> None:
    with pytest.raises(VaultKey.DoesNotExist):
        keyring.key(UUID(int=5))
