"""Fields that are ciphertext in the database and plain in Python.

A value is sealed when it is saved, for its table, column and row, under the key that the model names as
``sealing_key_id``; it is opened when it is read. A copied ciphertext does not open elsewhere.
"""

import json
from collections.abc import Callable
from typing import Any, TypeAlias
from uuid import UUID

from django.db import models

from dsar.lib import crypto


class Ciphertext(bytes):
    """Bytes that came from the database, told apart from what is yet to be sealed."""


class _Descriptor:
    def __init__(self, field: "SealedField") -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        if self.field.attname not in instance.__dict__:
            self.field.load(instance)
        return self.field.open(instance)

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedField(models.BinaryField):  # type: ignore[type-arg]
    """Base of the two kinds: how a plain value becomes bytes is theirs to say."""

    empty: Any = None

    def __init__(self, *args: Any, key_attribute: str = "sealing_key_id", **kwargs: Any) -> None:
        self.key_attribute = key_attribute
        super().__init__(*args, **kwargs)

    def _check_str_default_value(self) -> list[Any]:
        return []  # the default is plain; what is stored is not

    def deconstruct(self) -> Any:
        """Migrations see bytes, so that they outlive this class; no value yet is no bytes."""
        name, _path, args, kwargs = super().deconstruct()
        kwargs.pop("default", None)
        if not self.null:
            kwargs["default"] = b""
        return name, "django.db.models.BinaryField", args, kwargs

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _Descriptor(self))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Ciphertext | None:
        return None if value is None else Ciphertext(value)

    def get_prep_value(self, value: Any) -> Any:
        if value is not None and not isinstance(value, Ciphertext):
            raise TypeError(f"{self.name} is sealed: save the object, a query cannot set or find its value")
        return value

    def pre_save(self, model_instance: models.Model, add: bool) -> Ciphertext | None:
        if self.attname not in model_instance.__dict__:
            self.load(model_instance)
        value = model_instance.__dict__[self.attname]
        if value is None or isinstance(value, Ciphertext):
            return value
        return self.seal(model_instance, value)

    def load(self, instance: models.Model) -> None:
        """Read the ciphertext of a value that was left out when the row was read; it stays sealed."""
        stored = type(instance)._base_manager.filter(pk=instance.pk).values_list(self.attname, flat=True)
        instance.__dict__[self.attname] = stored.get()

    def seal(self, instance: models.Model, value: Any) -> Ciphertext:
        """Encrypt a plain value for this row."""
        return Ciphertext(crypto.seal(self.key(instance), self.encode(value), self.place(instance)))

    def open(self, instance: models.Model) -> Any:
        """The plain value; raises DecryptionError where it was tampered with, KeyDestroyed where it is gone."""
        value = instance.__dict__[self.attname]
        if not isinstance(value, Ciphertext):
            return value
        if not value:
            return self.empty
        return self.decode(crypto.unseal(self.key(instance), bytes(value), self.place(instance)))

    def place(self, instance: models.Model) -> bytes:
        """Where this value belongs: the associated data that keeps ciphertexts from being swapped."""
        return f"{instance._meta.db_table}|{self.column}|{instance.pk}|{getattr(instance, self.key_attribute)}".encode()

    def key(self, instance: models.Model) -> crypto.DataKey:
        """The key that the row names for this field; raises KeyDestroyed."""
        from dsar.vault import keyring  # the key ring's model has such fields itself

        return keyring.key(getattr(instance, self.key_attribute))

    def encode(self, value: Any) -> bytes:
        raise NotImplementedError

    def decode(self, value: bytes) -> Any:
        raise NotImplementedError


class SealedTextField(SealedField):
    empty = ""

    def encode(self, value: Any) -> bytes:
        return str(value).encode()

    def decode(self, value: bytes) -> str:
        return value.decode()


class SealedJSONField(SealedField):
    """Opened anew at each access: assign what was changed, a change in place is not saved."""

    def encode(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def decode(self, value: bytes) -> Any:
        return json.loads(value)


Opener: TypeAlias = Callable[[UUID, Ciphertext | None], Any]
Sealer: TypeAlias = Callable[[UUID, bytes], Ciphertext]


def opener(model: type[models.Model], name: str, key_id: UUID) -> Opener:
    """Open values of many rows under one key, without an object for each: given a row's id and its ciphertext.

    The same bytes open as through the field; raises what the field raises.
    """
    field, key, place = _of_many(model, name, key_id)
    unseal = crypto.unsealer(key)

    def open_(pk: UUID, value: Ciphertext | None) -> Any:
        return field.decode(unseal(value, place.format(pk).encode())) if value else field.empty

    return open_


def sealer(model: type[models.Model], name: str, key_id: UUID) -> Sealer:
    """Seal values of many rows under one key, without an object for each: given a row's id and the encoded value.

    They open through the field, which says how a value is encoded; raises KeyDestroyed.
    """
    _field, key, place = _of_many(model, name, key_id)
    seal = crypto.sealer(key)
    return lambda pk, value: Ciphertext(seal(value, place.format(pk).encode()))


def _of_many(model: type[models.Model], name: str, key_id: UUID) -> tuple[SealedField, crypto.DataKey, str]:
    """The field, its opened key, and the pattern of the places: ``SealedField.place`` for any row."""
    from dsar.vault import keyring  # the key ring's model has such fields itself

    field = model._meta.get_field(name)
    assert isinstance(field, SealedField)
    return field, keyring.key(key_id), f"{model._meta.db_table}|{field.column}|{{}}|{key_id}"


def sealed_text(**options: Any) -> Any:
    """Declare a sealed field of text, annotated as what it is in Python: ``name: str = ...``."""
    options.setdefault("default", "")
    return SealedTextField(**options)


def sealed_json(**options: Any) -> Any:
    """A sealed field of JSON."""
    options.setdefault("default", dict)
    return SealedJSONField(**options)
