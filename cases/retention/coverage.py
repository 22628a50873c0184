"""Which models and fields can hold personal data, and whether a rule says what becomes of each."""

from collections.abc import Iterable, Iterator

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cases.retention.rules import HOLDS_NONE, RULES
from dsar.vault.fields import SealedField
from dsar.vault.models import StoredFile

_WORDS = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.BinaryField,
    models.FileField,
    models.GenericIPAddressField,
)


def without_a_rule(every: Iterable[type[models.Model]]) -> list[str]:
    """The fields that no rule covers and of which nobody said that they hold no personal data."""
    return [
        f"{model._meta.label}.{name}"
        for model in every
        for name in sorted(suspects(model))
        if not _is_covered(model._meta.label, name)
    ]


def named_in_vain(every: Iterable[type[models.Model]]) -> list[str]:
    """What rules and exceptions name that is not there, or cannot hold anything."""
    known = {model._meta.label: model for model in every}
    return sorted(name for name in _named() if not _is_there(name, known))


def sealed_but_excused(every: Iterable[type[models.Model]]) -> list[str]:
    """Sealed fields that are said to hold nothing: what is sealed is so because it does."""
    return [
        f"{model._meta.label}.{field.name}"
        for model in every
        for field in model._meta.concrete_fields
        if isinstance(field, SealedField) and _is_excused(model._meta.label, field.name)
    ]


def suspects(model: type[models.Model]) -> set[str]:
    """Fields of a model that can hold personal data: words, bytes, structures, and files. Closed choices cannot."""
    return {field.name for field in model._meta.concrete_fields if _is_suspect(field)}


def _is_suspect(field: "models.Field[object, object]") -> bool:
    if isinstance(field, ArrayField):
        return _is_suspect(field.base_field)
    if field.related_model is StoredFile:
        return True
    return isinstance(field, _WORDS) and not field.choices


def _is_covered(label: str, name: str) -> bool:
    by_rule = any(
        label in rule.rows or label in rule.also or f"{label}.{name}" in rule.fields for rule in RULES
    )
    return by_rule or _is_excused(label, name)


def _is_excused(label: str, name: str) -> bool:
    return label in HOLDS_NONE or f"{label}.{name}" in HOLDS_NONE


def _named() -> Iterator[str]:
    for rule in RULES:
        yield from (*rule.rows, *rule.fields, *rule.also)
    yield from HOLDS_NONE


def _is_there(name: str, known: dict[str, type[models.Model]]) -> bool:
    if name in known:
        return True
    label, _, field = name.rpartition(".")
    return label in known and field in suspects(known[label])
