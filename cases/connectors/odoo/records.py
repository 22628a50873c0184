"""Turns rows of Odoo into records of the contract."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cases.connectors.base import JSON, Blob, Record
from cases.connectors.odoo.client import Odoo, Row
from cases.connectors.odoo.description import DESCRIPTION, NO_VALUES, STAFF, Categories
from cases.connectors.odoo.people import addresses
from cases.connectors.odoo.schema import ATTACHMENT, MESSAGE, PARTNER, Model, ModelField, Schema
from cases.connectors.odoo.scope import Scope

MOST_AT_ONCE: Final = 500
_EMAIL_CATEGORY: Final[Categories] = ("user.contact.email",)
_STAFF_FIELDS: Final = frozenset({"create_uid", "write_uid"})
# Many of these hang on a record, and their names say nothing: they are records of their own.
_UNNAMED: Final = frozenset({PARTNER, STAFF, MESSAGE, ATTACHMENT})


@dataclass(frozen=True)
class Fields:
    """The fields of a model that the account may read, and what is known of them."""

    model: Model
    names: tuple[str, ...]
    categories: Mapping[str, Categories]
    unknown: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(cls, model: Model, readable: Sequence[str]) -> Fields:
        wanted = [one for one in model.fields.values() if one.name in set(readable) and _is_value(one)]
        known = {one.name: _categories(model.name, one) for one in wanted}
        return cls(
            model=model,
            names=tuple(sorted({"id", *known})),
            categories={name: held for name, held in known.items() if held}
            | {"id": known.get("id") or ("user.unique_id",)},
            unknown=frozenset(name for name, held in known.items() if not held and name != "id"),
        )

    def kind(self, name: str) -> str:
        return self.model.fields[name].kind if name in self.model.fields else ""

    def relation(self, name: str) -> str:
        return self.model.fields[name].relation if name in self.model.fields else ""


def _is_value(one: ModelField) -> bool:
    return one.kind not in NO_VALUES and not DESCRIPTION.is_secret(one.name)


def _categories(model: str, one: ModelField) -> Categories:
    """Fields of Odoo's own parts are described by rules; of any other nobody knows what it holds."""
    if one.is_custom or not DESCRIPTION.modules & set(one.modules):
        return ()
    return DESCRIPTION.categories(model, one.name, one.kind, one.relation)


@dataclass(frozen=True)
class Reader:
    """Reads records as they are collected."""

    odoo: Odoo
    schema: Schema

    def described(self, model: str) -> Mapping[str, Row]:
        """What Odoo says of the fields that the account may read, asked for once for as long as the schema is kept."""
        if model not in self.schema.described:
            self.schema.described[model] = self.odoo.described(model)
        return self.schema.described[model]

    def fields(self, model: str) -> Fields:
        """The fields of a model that the account may read."""
        return Fields.of(self.schema[model], tuple(self.described(model)))

    def data(self, model: str, ids: Collection[int]) -> dict[int, dict[str, JSON]]:
        """Return what these records hold, by id; those that are gone are left out."""
        fields = self.fields(model)
        rows = [
            row
            for some in batched(sorted(ids), MOST_AT_ONCE)
            for row in self.odoo.rows(model, [["id", "in", [*some]]], fields.names)
        ]
        return self.values(fields, rows)

    def values(self, fields: Fields, rows: Sequence[Row]) -> dict[int, dict[str, JSON]]:
        """Return what rows hold in plain values, with the names of what they refer to."""
        named = self._names(fields, rows)
        return {row["id"]: {**_plain(fields, row), **named.get(row["id"], {})} for row in rows}

    def _names(self, fields: Fields, rows: Sequence[Row]) -> dict[int, dict[str, JSON]]:
        """What the labels of each row are called, such as the tags of a contact."""
        found: dict[int, dict[str, JSON]] = {}
        for name in fields.names:
            relation = fields.relation(name)
            if fields.kind(name) == "many2many" and relation not in _UNNAMED:
                ids = sorted({one for row in rows for one in row.get(name) or ()})
                called = self.odoo.names(relation, ids)
                for row in rows:
                    if row.get(name):
                        found.setdefault(row["id"], {})[f"{name}.names"] = [
                            called.get(one, "") for one in row[name]
                        ]
        return found


def batched(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Yield so many at a time."""
    return (ids[begin : begin + size] for begin in range(0, len(ids), size))


def _plain(fields: Fields, row: Row) -> dict[str, Any]:
    """Odoo says False for nothing, and gives a reference with the name of what it refers to."""
    data: dict[str, Any] = {}
    for name in fields.names:
        value, kind = row.get(name), fields.kind(name)
        if kind == "many2one":
            data[name] = value[0] if isinstance(value, list) and value else None
            data[f"{name}.name"] = str(value[1]) if isinstance(value, list) and len(value) > 1 else None
        else:
            data[name] = None if value is False and kind != "boolean" else value
    for name in fields.model.emails:
        held = addresses(data.get(name))
        if held and [str(data[name]).casefold()] != [*held]:
            data[f"{name}.address"] = held[0] if len(held) == 1 else list(held)
    return data


class Maker:
    """Makes the records of one stretch of one model."""

    def __init__(self, reader: Reader, scope: Scope, fields: Fields, now: datetime) -> None:
        self._reader = reader
        self._scope = scope
        self._fields = fields
        self._now = now

    def make(self, rows: Sequence[Row]) -> list[Record]:
        """Return a record for each row that proves that it is the person's."""
        held = self._reader.values(self._fields, rows)
        records = [self._record(held[row["id"]]) for row in rows]
        return [record for record in records if record is not None]

    def _record(self, data: Mapping[str, Any]) -> Record | None:
        model = self._fields.model.name
        link = self._scope.prove(model, data)
        if link is None:
            return None
        return Record(
            ref=f"{model}/{data['id']}",
            type=model,
            link=link,
            data={name: value for name, value in data.items() if _root(name) not in self._fields.unknown},
            fetched_at=self._now,
            categories={
                name: self._category(name) for name in data if _root(name) not in self._fields.unknown
            },
            third_party_fields=tuple(sorted(name for name in data if self._is_others(_root(name), data))),
            source_version=str(data["write_date"]) if data.get("write_date") else None,
            blobs=_blobs(data) if model == ATTACHMENT else (),
            unclassified={name: value for name, value in data.items() if _root(name) in self._fields.unknown},
            handle={"id": data["id"]},
        )

    def _category(self, name: str) -> Categories:
        return _EMAIL_CATEGORY if name.endswith(".address") else self._fields.categories[_root(name)]

    def _is_others(self, name: str, data: Mapping[str, Any]) -> bool:
        """Whether a field is about somebody else: staff, another partner, or another's address."""
        value = data.get(name)
        if not value or name in self._fields.unknown:
            return False
        if self._fields.relation(name) == STAFF or name in _STAFF_FIELDS:
            return True
        if self._fields.relation(name) == PARTNER:
            return not set(value if isinstance(value, list) else [value]) <= set(self._scope.person.ids)
        held = set(addresses(value)) if name in self._fields.model.emails else set()
        return bool(held - self._scope.person.emails)


def _root(name: str) -> str:
    return name.partition(".")[0]


def _blobs(data: Mapping[str, Any]) -> tuple[Blob, ...]:
    if data.get("type") != "binary":
        return ()
    blob = Blob(
        ref=f"{ATTACHMENT}/{data['id']}/{data.get('checksum') or 'file'}",
        name=str(data.get("name") or "file"),
        media_type=str(data.get("mimetype") or "application/octet-stream"),
        size=data["file_size"] if isinstance(data.get("file_size"), int) else None,
        handle={"id": data["id"]},
    )
    return (blob,)
