"""Forget what a rule covers, in the caller's transaction: rows, fields, files and keys, by the way that it names.

References are deferred in this database, so the order in which rows go does not matter; a row that refers to one
that is gone fails the commit, and nothing is forgotten by halves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, models

from cases.retention.rules import Rule
from dsar.vault import files, keyring
from dsar.vault.fields import Ciphertext, SealedField
from dsar.vault.models import KeyPurpose, StoredFile, VaultKey

BATCH_ROWS = 5000
# A key of one of these belongs to one case, request, person or document; the others are shared.
OWN_KEYS = frozenset(
    {KeyPurpose.COLLECTED, KeyPurpose.CASE_FILE, KeyPurpose.REQUEST, KeyPurpose.PERSON, KeyPurpose.EVIDENCE}
)


@dataclass(frozen=True)
class Gone:
    """How much went."""

    rows: int = 0
    files: int = 0

    def __add__(self, other: "Gone") -> "Gone":
        return Gone(self.rows + other.rows, self.files + other.files)

    def __bool__(self) -> bool:
        return bool(self.rows or self.files)


def forget(rule: Rule, roots: Sequence[UUID], now: datetime) -> Gone:
    """Forget what the rule covers of these cases, requests, persons or rows; returns how much there was."""
    chosen = {
        model: _ids(model, {f"{path}__in": roots, **rule.only.get(model._meta.label, {})})
        for model, path in _models(rule.rows)
    }
    stored = _pointed_at(chosen, StoredFile)
    keys = VaultKey.objects.filter(pk__in=_pointed_at(chosen, VaultKey), purpose__in=OWN_KEYS)
    own = list(keys.values_list("pk", flat=True))
    emptied = sum(_empty(name, path, roots) for name, path in rule.fields.items())
    for model, ids in chosen.items():
        _let_go_of(model, ids, chosen)
    gone = sum(_delete(model, ids) for model, ids in chosen.items())
    files.remove_all(stored)
    for key_id in own:
        keyring.destroy(key_id, now)
    _delete(VaultKey, own)
    return Gone(gone + emptied, len(stored))


def _models(paths: Mapping[str, str]) -> Iterator[tuple[type[models.Model], str]]:
    for label, path in paths.items():
        yield apps.get_model(label), path


def _ids(model: type[models.Model], which: Mapping[str, Any]) -> list[Any]:
    return list(model._base_manager.filter(**which).values_list("pk", flat=True))


def _pointed_at(chosen: Mapping[type[models.Model], list[Any]], target: type[models.Model]) -> list[UUID]:
    """What the rows refer to in this table."""
    found: set[UUID] = set()
    for model, ids in chosen.items():
        for field in model._meta.concrete_fields:
            if field.related_model is target:
                rows = model._base_manager.filter(pk__in=ids).exclude(**{field.attname: None})
                found.update(rows.values_list(field.attname, flat=True))
    return sorted(found)


def _empty(name: str, path: str, roots: Sequence[UUID]) -> int:
    """Empty one field of the rows that lead to these; those that are empty already are left alone."""
    label, _, column = name.rpartition(".")
    model = apps.get_model(label)
    empty = nothing_of(model._meta.get_field(column))
    rows = model._base_manager.filter(**{f"{path}__in": roots}).exclude(**{column: empty})
    if empty is None:
        rows = model._base_manager.filter(**{f"{path}__in": roots, f"{column}__isnull": False})
    return int(rows.update(**{column: empty}))


def nothing_of(field: Any) -> Any:
    """What stands in a field that holds nothing."""
    if field.null:
        return None
    if isinstance(field, SealedField):
        return Ciphertext(b"")
    return b"" if isinstance(field, models.BinaryField) else field.get_default()


def _let_go_of(
    model: type[models.Model], ids: list[Any], chosen: Mapping[type[models.Model], list[Any]]
) -> None:
    """Rows that stay and only mention what goes mention it no more."""
    for relation in model._meta.get_fields(include_hidden=True):
        if _mentions(relation) and relation.related_model not in chosen:
            _unlink(relation, ids)


def _mentions(relation: Any) -> bool:
    return isinstance(relation, models.ManyToOneRel) and relation.on_delete is models.SET_NULL


def _unlink(relation: Any, ids: list[Any]) -> None:
    for batch in _batches(ids):
        mentions = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": batch})
        mentions.update(**{relation.field.name: None})


def _delete(model: type[models.Model], ids: list[Any]) -> int:
    """Delete rows by their ids, without an object for each."""
    gone = 0
    with connection.cursor() as cursor:
        for batch in _batches(ids):
            table, pk = model._meta.db_table, model._meta.pk
            cursor.execute(f'DELETE FROM "{table}" WHERE "{pk.column}" = ANY(%s)', [batch])  # noqa: S608
            gone += cursor.rowcount
    return gone


def _batches(ids: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(ids), BATCH_ROWS):
        yield ids[start : start + BATCH_ROWS]
