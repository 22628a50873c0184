"""Lays a description over the tables that the database really has."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.reflection import ObjectKind

from cases.connectors.base import ConfigurationError, SchemaDrift
from cases.connectors.description import Collection, Dataset

# Keys of these categories say nothing about a person to whoever has no access to the source.
_PLAIN_KEY_CATEGORIES = ("system", "user.unique_id")


@dataclass(frozen=True)
class BoundCollection:
    """A described collection and its table, which is given the described columns only.

    ``key`` names columns that the database itself keeps unique and filled; empty when there are none.
    """

    collection: Collection
    table: sa.Table
    key: tuple[str, ...]
    unknown: tuple[str, ...]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that are fetched, in the order of the description."""
        return tuple(item.name for item in self.collection.fields)

    @cached_property
    def readable_key(self) -> bool:
        """Say whether the key may stand in a reference as it is."""
        held = [one for name in self.key for one in self.collection.by_name[name].categories]
        return all(one.startswith(_PLAIN_KEY_CATEGORIES) for one in held)


@dataclass(frozen=True)
class BoundSource:
    """All described collections that are searched, with their tables."""

    dataset: Dataset
    collections: Mapping[str, BoundCollection]

    @cached_property
    def unknown_fields(self) -> dict[str, tuple[str, ...]]:
        """Columns that the tables have and the description does not know: they are never fetched."""
        return {name: bound.unknown for name, bound in self.collections.items() if bound.unknown}

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What staff should know of the fit between description and tables."""
        return tuple(
            f"{name}: the database keeps no described column unique, so rows are told apart by their content."
            for name, bound in self.collections.items()
            if not bound.key
        )


def bind(connection: sa.Connection, dataset: Dataset, schema: str) -> BoundSource:
    """Read the tables' columns and keys. Raises SchemaDrift where the description names what is not there."""
    inspector = sa.inspect(connection)
    names = [item.name for item in dataset.reached]
    with warnings.catch_warnings():
        # A type that SQLAlchemy does not know (a map, a vector) is fetched as the text that the server
        # writes.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        found = inspector.get_multi_columns(schema=schema, filter_names=names, kind=ObjectKind.ANY)
    keys = inspector.get_multi_pk_constraint(schema=schema, filter_names=names)
    uniques = inspector.get_multi_unique_constraints(schema=schema, filter_names=names)
    bound: dict[str, BoundCollection] = {}
    for item in dataset.reached:
        place = (schema, item.name)
        if not found.get(place):
            raise SchemaDrift(what=f"the table “{item.name}” in the schema “{schema}”")
        candidates = [tuple(keys.get(place, {"constrained_columns": []})["constrained_columns"])]
        candidates += [tuple(unique["column_names"]) for unique in uniques.get(place, [])]
        bound[item.name] = _bind_collection(item, schema, found[place], candidates)
    return BoundSource(dataset, bound)


def _bind_collection(
    item: Collection, schema: str, found: Sequence[Any], candidates: Sequence[tuple[str | None, ...]]
) -> BoundCollection:
    held = {str(column["name"]): column for column in found}
    for name in item.by_name:
        if name not in held:
            raise SchemaDrift(what=f"the column “{name}” of the table “{item.name}”")
    columns = [
        sa.Column(name, _plain(held[name]["type"]), nullable=held[name]["nullable"]) for name in item.by_name
    ]
    table = sa.Table(item.name, sa.MetaData(), *columns, schema=schema)
    _refuse_lists(item, table)
    unknown = tuple(name for name in held if name not in item.by_name)
    return BoundCollection(item, table, _choose_key(item, table, candidates), unknown)


def _plain(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """Return the type beneath a domain, by which its values are compared."""
    beneath = getattr(kind, "data_type", None)
    return _plain(beneath) if isinstance(beneath, sa.types.TypeEngine) else kind


def _choose_key(
    item: Collection, table: sa.Table, candidates: Sequence[tuple[str | None, ...]]
) -> tuple[str, ...]:
    """Return a key that the database vouches for.

    The description's word is not enough: paging by a key that repeats would lose rows without a sign. So its
    key counts when it contains one of the database's; otherwise the first of the database's that is described
    is used.
    """
    filled = {column.name for column in table.c if not column.nullable}
    named = [tuple(str(name) for name in candidate) for candidate in candidates if candidate]
    proven = [candidate for candidate in named if filled.issuperset(candidate)]
    if any(set(candidate) <= set(item.primary_key) for candidate in proven):
        return item.primary_key
    return proven[0] if proven else ()


def _refuse_lists(item: Collection, table: sa.Table) -> None:
    """Refuse to compare a column that holds several values.

    Neither equality nor a reference means anything there.
    """
    for held in item.fields:
        compared = held.identity or held.references
        if compared and isinstance(table.c[held.name].type, sa.ARRAY | sa.JSON | sa.LargeBinary):
            raise ConfigurationError(
                f"the column “{held.name}” of the table “{item.name}” holds lists, documents or binary data "
                "and cannot be an identity or a reference."
            )


@dataclass
class SchemaCache:
    """Remembers bound sources for a short while: reading a schema costs more than searching for a person.

    A column added meanwhile is not fetched in any case, as columns are fetched by name; one dropped meanwhile
    makes the query fail, whereupon the entry is dropped.
    """

    lifetime: timedelta = timedelta(seconds=60)
    limit: int = 64

    def __post_init__(self) -> None:
        self._entries: dict[tuple[str, ...], tuple[datetime, BoundSource]] = {}

    def get(self, key: tuple[str, ...], now: datetime) -> BoundSource | None:
        """Return what is remembered, unless it has grown old."""
        entry = self._entries.get(key)
        return entry[1] if entry and timedelta() <= now - entry[0] < self.lifetime else None

    def put(self, key: tuple[str, ...], now: datetime, bound: BoundSource) -> None:
        """Remember, and forget the oldest when there are too many."""
        self._entries.pop(key, None)
        self._entries[key] = (now, bound)
        while len(self._entries) > self.limit:
            self._entries.pop(next(iter(self._entries)), None)

    def drop(self, key: tuple[str, ...]) -> None:
        """Forget."""
        self._entries.pop(key, None)
