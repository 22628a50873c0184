"""Lays a description over the tables that the database really has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from cases.connectors.base import ConfigurationError, SchemaDrift
from cases.connectors.description import Collection, Dataset, Edge
from cases.connectors.sql.dialect import ColumnFacts, Columns, Dialect, ForeignKey, Layout, is_whole

# Keys of these categories say nothing about a person to whoever has no access to the source.
_PLAIN_KEY_CATEGORIES = ("system", "user.unique_id")


@dataclass(frozen=True, slots=True)
class Route:
    """References that are followed together: one, or the parts of a key of several columns.

    Part of such a key alone would lead to other people's rows.
    """

    edges: tuple[Edge, ...]

    @property
    def source(self) -> str:
        """The collection from which it leads."""
        return self.edges[0].source

    @property
    def is_cyclic(self) -> bool:
        """Say whether it can lead back to where it began."""
        return self.edges[0].cyclic


@dataclass(frozen=True)
class BoundCollection:
    """A described collection and its table.

    ``key`` names columns that the database itself keeps unique and filled; empty when there are none. ``unknown``
    names the columns that the description does not know, ``held_back`` those of them that the account may read.
    """

    collection: Collection
    table: sa.Table
    key: tuple[str, ...]
    unknown: tuple[str, ...]
    held_back: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the described columns, in the order of the description."""
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
        """Columns that the tables have and the description does not know: their values are kept apart."""
        return {name: bound.unknown for name, bound in self.collections.items() if bound.unknown}

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What staff should know of the fit between description and tables."""
        return tuple(
            f"{name}: the database keeps no described column unique, so rows are told apart by their content."
            for name, bound in self.collections.items()
            if not bound.key
        )


def bind(connection: sa.Connection, dataset: Dataset, schema: str, dialect: Dialect) -> BoundSource:
    """Read the tables' columns and keys. Raises SchemaDrift where the description names what is not there."""
    layout = _reflect(connection, dataset, schema, dialect)
    tables = {item.name: _make_table(item, schema, layout.columns[item.name]) for item in dataset.reached}
    unknown = [
        column
        for item in dataset.reached
        for column in tables[item.name].c
        if column.name not in item.by_name
    ]
    readable = dialect.readable(connection, unknown) if unknown else frozenset()
    bound = {
        item.name: _bind_collection(item, tables[item.name], layout, dataset, readable)
        for item in dataset.reached
    }
    return BoundSource(dataset, bound)


def _reflect(connection: sa.Connection, dataset: Dataset, schema: str, dialect: Dialect) -> Layout:
    layout = dialect.reflect(connection, schema, [item.name for item in dataset.reached])
    for item in dataset.reached:
        if not layout.columns.get(item.name):
            raise SchemaDrift(what=f"the table “{item.name}” in the schema “{schema}”")
    return layout


def _make_table(item: Collection, schema: str, found: Sequence[ColumnFacts]) -> sa.Table:
    """Return the table with the described columns in their order, then the others in the table's."""
    held = {column.name: column for column in found}
    for name in item.by_name:
        if name not in held:
            raise SchemaDrift(what=f"the column “{name}” of the table “{item.name}”")
    ordered = [*item.by_name, *(name for name in held if name not in item.by_name)]
    columns = [_make_column(held[name]) for name in ordered]
    table = sa.Table(item.name, sa.MetaData(), *columns, schema=schema)
    _refuse_lists(item, table)
    return table


def _make_column(found: ColumnFacts) -> sa.Column[Any]:
    return sa.Column(
        found.name, _plain(found.type), nullable=found.nullable, info={"computed": found.computed}
    )


def _bind_collection(
    item: Collection, table: sa.Table, layout: Layout, dataset: Dataset, readable: frozenset[str]
) -> BoundCollection:
    unknown = tuple(column.name for column in table.c if column.name not in item.by_name)
    return BoundCollection(
        item,
        table,
        _choose_key(item, table, layout.keys[item.name]),
        unknown,
        tuple(name for name in unknown if f"{item.name}.{name}" in readable),
        tuple(_route(dataset, item, layout.foreign_keys[item.name])),
    )


def _route(dataset: Dataset, item: Collection, foreign: Sequence[ForeignKey]) -> Iterator[Route]:
    """Join references that are one: as the database declares them, or as parts of one described key."""
    left = list(dataset.edges_into(item.name))
    for group in [*_declared(left, foreign), *_by_key(left, dataset)]:
        if len(group) > 1 and all(edge in left for edge in group):
            left = [edge for edge in left if edge not in group]
            yield Route(tuple(group))
    yield from (Route((edge,)) for edge in left)


def _declared(edges: Sequence[Edge], foreign: Sequence[ForeignKey]) -> Iterator[list[Edge]]:
    for one in foreign:
        pairs = set(zip(one.columns, one.referred_columns, strict=True))
        met = [edge for edge in edges if edge.source == one.table]
        group = [edge for edge in met if (edge.target_field, edge.source_field) in pairs]
        if len(group) == len(pairs):
            yield group


def _by_key(edges: Sequence[Edge], dataset: Dataset) -> Iterator[list[Edge]]:
    for source in dict.fromkeys(edge.source for edge in edges):
        key = dataset.by_name[source].primary_key
        group = [edge for edge in edges if edge.source == source and edge.source_field in key]
        if sorted(edge.source_field for edge in group) == sorted(key):
            yield group


def _plain(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """Return the type beneath a domain, by which its values are compared."""
    beneath = getattr(kind, "data_type", None)
    return _plain(beneath) if isinstance(beneath, sa.types.TypeEngine) else kind


def _choose_key(item: Collection, table: sa.Table, candidates: Sequence[Columns]) -> tuple[str, ...]:
    """Return a key that the database vouches for.

    The description's word is not enough: paging by a key that repeats would lose rows without a sign. So its
    key counts when it contains one of the database's; otherwise the first of the database's that is described
    is used.
    """
    filled = {column.name for column in table.c if not column.nullable and column.name in item.by_name}
    proven = [candidate for candidate in candidates if candidate and filled.issuperset(candidate)]
    if any(set(candidate) <= set(item.primary_key) for candidate in proven):
        return item.primary_key
    return proven[0] if proven else ()


def _refuse_lists(item: Collection, table: sa.Table) -> None:
    """Refuse to compare a column that holds several values.

    Neither equality nor a reference means anything there.
    """
    for held in item.fields:
        compared = held.identity or held.references
        if compared and not is_whole(table.c[held.name]):
            raise ConfigurationError(
                f"the column “{held.name}” of the table “{item.name}” holds lists, documents or binary data "
                "and cannot be an identity or a reference."
            )


@dataclass
class SchemaCache:
    """Remembers bound sources for a short while: reading a schema costs more than searching for a person.

    A column added meanwhile is not fetched until then, as columns are fetched by name; one dropped meanwhile makes the
    query fail, whereupon the entry is dropped.
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

    def drop(self, key: tuple[str, ...]) -> bool:
        """Forget, and say whether there was anything to forget."""
        return self._entries.pop(key, None) is not None
