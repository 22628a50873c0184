"""Builds the statements: who is found where, which rows hang on theirs, and one page of them.

Nothing is remembered between statements: what hangs on the person's rows is said anew in each, as subqueries
within subqueries back to the identity. All names go through SQLAlchemy's tables and all values through bound
parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, TypeAlias, cast

import sqlalchemy as sa

from cases.connectors.base import JSON, ContractBroken, Link, LinkKind, Match
from cases.connectors.sql.dialect import Dialect, is_binary, is_text
from cases.connectors.sql.identity import equals, is_filled
from cases.connectors.sql.schema import BoundCollection, BoundSource, Route
from cases.connectors.sql.values import to_json

# How often a way from the identity to a row may pass references that go round in a circle.
CYCLE_ROUNDS = 5

Row: TypeAlias = Sequence[Any]
Table: TypeAlias = sa.FromClause


@dataclass(frozen=True, slots=True)
class Trait:
    """An identifier as it is looked for in one column."""

    field: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Start:
    """Where collecting starts in a collection.

    The traits, and the one row when it was pinned down by its key.
    """

    traits: tuple[Trait, ...]
    key: tuple[str, ...] | None

    def to_json(self) -> dict[str, JSON]:
        traits = [[trait.field, trait.kind, trait.value] for trait in self.traits]
        return {"traits": traits, "key": None if self.key is None else list(self.key)}

    @classmethod
    def from_match(cls, match: Match) -> Start:
        """Read the selector of a match. Raises ContractBroken for one that this connector did not write."""
        try:
            rows = cast(Sequence[Sequence[str]], match.selector["traits"])
            key = cast(Sequence[str] | None, match.selector["key"])
            traits = tuple(Trait(field, kind, value) for field, kind, value in rows)
        except (KeyError, TypeError, ValueError):
            raise ContractBroken(what="a match that was kept from an earlier step") from None
        if not traits:
            raise ContractBroken(what="a match without an identifier")
        return cls(traits, None if key is None else tuple(key))


@dataclass(frozen=True, slots=True)
class Condition:
    """One reason why a row belongs to the person, and the columns of the row that bear it out.

    ``identifier`` is the kind of identifier, where the reason is one.
    """

    kind: LinkKind
    via: tuple[str, ...]
    fields: tuple[str, ...]
    clause: sa.ColumnElement[bool]
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What rows that meet the same conditions have in common; ``places`` are those of the columns that bear it out."""

    kind: LinkKind
    via: tuple[str, ...]
    places: tuple[tuple[str, int], ...]
    identifiers: Mapping[str, str]


@dataclass(frozen=True)
class PagePlan:
    """One page of a collection: the statement, and how its rows are laid out.

    The described columns come first, then those that are held back, then (without a key of the database) the
    fingerprint and the number among equal rows, then a yes or no for each condition when there are several.
    """

    bound: BoundCollection
    conditions: tuple[Condition, ...]
    statement: sa.Select[Any]

    @cached_property
    def key_of(self) -> Callable[[Row], tuple[Any, ...]]:
        """Say of a row what the next page starts after."""
        first = len(self.bound.columns) + len(self.bound.held_back)
        places = [self.bound.columns.index(name) for name in self.bound.key] or [first, first + 1]
        if len(places) == 1:
            return lambda row, place=places[0]: (row[place],)  # type: ignore[misc]
        return itemgetter(*places)

    def link_of(self, row: Row) -> Link:
        """Return the proof that this row belongs to the person."""
        flags = tuple(row[-len(self.conditions) :]) if len(self.conditions) > 1 else (True,)
        proof = self._proofs.get(flags) or self._proofs.setdefault(flags, self._proof(flags))
        keys = {name: to_json(row[place]) for name, place in proof.places}
        return Link(proof.kind, proof.via, keys, proof.identifiers)

    @cached_property
    def _proofs(self) -> dict[tuple[bool, ...], Proof]:
        return {}

    def _proof(self, flags: tuple[bool, ...]) -> Proof:
        met = [condition for condition, yes in zip(self.conditions, flags, strict=True) if yes]
        by_identity = any(condition.kind is LinkKind.IDENTITY for condition in met)
        fields = dict.fromkeys(name for condition in met for name in condition.fields)
        return Proof(
            LinkKind.IDENTITY if by_identity else LinkKind.REFERENCE,
            tuple(via for condition in met for via in condition.via),
            tuple((name, self.bound.columns.index(name)) for name in fields),
            {condition.fields[0]: condition.identifier for condition in met if condition.identifier},
        )


_Asked: TypeAlias = tuple[BoundCollection, Table, tuple[Condition, ...]]


@dataclass(frozen=True)
class Search:
    """The statements of one collection run over one source."""

    source: BoundSource
    dialect: Dialect
    starts: Mapping[str, tuple[Start, ...]]

    @classmethod
    def begin(cls, source: BoundSource, dialect: Dialect, matches: Sequence[Match]) -> Search:
        """Prepare a search from these matches. Raises ContractBroken for matches of another description."""
        starts: dict[str, tuple[Start, ...]] = {}
        for match in matches:
            start = Start.from_match(match)
            bound = source.collections.get(match.type)
            if bound is None or any(trait.field not in bound.columns for trait in start.traits):
                raise ContractBroken(what="a match that names what the description no longer has")
            starts[match.type] = (*starts.get(match.type, ()), start)
        return cls(source, dialect, starts)

    def _of(self, name: str) -> _Asked:
        """What every statement about a collection asks: composed once, since that takes longer than to ask it."""
        found = self._asked.get(name)
        if found is None:
            bound = self.source.collections[name]
            table = bound.table.alias()
            found = self._asked[name] = bound, table, self.conditions(bound, table)
        return found

    @cached_property
    def _asked(self) -> dict[str, _Asked]:
        return {}

    def count(self, name: str) -> sa.Select[Any] | None:
        """Return the statement that counts a collection's rows, or None when nothing can be there."""
        bound, table, conditions = self._of(name)
        if not conditions:
            return None
        return sa.select(sa.func.count()).select_from(table).where(self._any(bound, table, conditions))

    def page(self, name: str, after: Sequence[str] | None, limit: int) -> PagePlan | None:
        """Return one page of a collection after this key, or None when nothing can be there."""
        bound, table, conditions = self._of(name)
        if not conditions:
            return None
        build = self._keyed_page if bound.key else self._keyless_page
        return PagePlan(bound, conditions, build(bound, table, conditions, after).limit(limit))

    def conditions(
        self, bound: BoundCollection, table: Table, rounds: int = CYCLE_ROUNDS
    ) -> tuple[Condition, ...]:
        """Return every reason for which rows of this collection belong to the person."""
        found = list(self._by_identity(bound, table))
        for route in bound.routes:
            if not route.is_cyclic or rounds:
                found += self._by_reference(table, route, rounds - route.is_cyclic)
        return tuple(found)

    def _by_identity(self, bound: BoundCollection, table: Table) -> Iterator[Condition]:
        """Give each identity column a reason of its own, so that a proof names only what bears it out."""
        name = bound.collection.name
        starts = self.starts.get(name, ())
        kinds = {trait.field: trait.kind for start in starts for trait in start.traits}
        for field, kind in kinds.items():
            clauses = [
                self._starts_at(bound, table, start, traits)
                for start in starts
                if (traits := [trait for trait in start.traits if trait.field == field])
            ]
            yield Condition(LinkKind.IDENTITY, (f"{name}.{field}",), (field,), sa.or_(*clauses), kind)

    def _starts_at(
        self, bound: BoundCollection, table: Table, start: Start, traits: Sequence[Trait]
    ) -> sa.ColumnElement[bool]:
        """Ask for the traits of a pinned row as well: it may have become somebody else's."""
        met = sa.or_(*(equals(table.c[one.field], one.kind, one.value, self.dialect) for one in traits))
        if start.key is None:
            return met
        if len(start.key) != len(bound.key):
            raise ContractBroken(what="a match whose key the table no longer has")
        return sa.and_(pinned(bound, table, start.key, self.dialect), met)

    def _by_reference(self, table: Table, route: Route, rounds: int) -> list[Condition]:
        """Return the condition that a row refers to one of the person's rows, if there can be such rows."""
        parent = self.source.collections[route.source]
        plain = [alike(table.c[edge.target_field], parent.table.c[edge.source_field]) for edge in route.edges]
        values = [
            self._values(alias, route, condition, plain)
            for alias in [parent.table.alias()]
            for condition in self.conditions(parent, alias, rounds)
        ]
        if not values:
            return []
        columns = [
            column if alike else self.dialect.comparable(column)
            for edge, alike in zip(route.edges, plain, strict=True)
            for column in [table.c[edge.target_field]]
        ]
        fields = tuple(edge.target_field for edge in route.edges)
        via = tuple(str(edge) for edge in route.edges)
        return [Condition(LinkKind.REFERENCE, via, fields, _among(columns, values))]

    def _values(
        self, alias: Table, route: Route, condition: Condition, plain: Sequence[bool]
    ) -> sa.Select[Any]:
        """Return the values of the person's rows that others may refer to; an empty text refers to nothing."""
        columns = [alias.c[edge.source_field] for edge in route.edges]
        compared = [
            column if alike else self.dialect.comparable(column)
            for column, alike in zip(columns, plain, strict=True)
        ]
        chosen = sa.select(*compared).where(condition.clause, *(column.is_not(None) for column in columns))
        return chosen.where(*(is_filled(column) for column in columns if is_text(column)))

    @staticmethod
    def _any(bound: BoundCollection, table: Table, conditions: Sequence[Condition]) -> sa.ColumnElement[bool]:
        """Join conditions: as a union of keys where there is a key, so that each can use its own index."""
        if len(conditions) == 1:
            return conditions[0].clause
        if not bound.key:
            return sa.or_(*(condition.clause for condition in conditions))
        columns = [table.c[name] for name in bound.key]
        chosen = [
            sa.select(*columns).select_from(table).where(item.clause).correlate(None) for item in conditions
        ]
        return _among(columns, chosen)

    def _keyed_page(
        self,
        bound: BoundCollection,
        table: Table,
        conditions: Sequence[Condition],
        after: Sequence[str] | None,
    ) -> sa.Select[Any]:
        key = [table.c[name] for name in bound.key]
        columns = [*(table.c[name] for name in bound.columns), *self._held_back(bound, table)]
        chosen = sa.select(*columns, *_flags(conditions))
        chosen = chosen.where(self._any(bound, table, conditions)).order_by(*key)
        return chosen if after is None else chosen.where(self._beyond(key, after))

    def _held_back(self, bound: BoundCollection, table: Table) -> list[sa.ColumnElement[Any]]:
        """Return the columns that the description does not know; of binary data its size and digest only."""
        return [
            self.dialect.measure(column).label(f"dsar_held_{i}") if is_binary(column) else column
            for i, column in enumerate(table.c[name] for name in bound.held_back)
        ]

    def _keyless_page(
        self,
        bound: BoundCollection,
        table: Table,
        conditions: Sequence[Condition],
        after: Sequence[str] | None,
    ) -> sa.Select[Any]:
        """Tell rows apart by a fingerprint of their content, and equal rows by a running number.

        Which of several equal rows bears which number does not matter, so the numbering is stable where it
        counts; what is held back may differ between them, and puts them in order.
        """
        columns = [table.c[name] for name in bound.columns]
        held = self._held_back(bound, table)
        print_ = self.dialect.fingerprint(_content(columns))
        order = self.dialect.fingerprint(_content(held))
        number = sa.func.row_number().over(partition_by=print_, order_by=order)
        key_columns = [
            print_.label("dsar_print"),
            sa.type_coerce(number, sa.BigInteger).label("dsar_number"),
        ]
        inner = (
            sa.select(*columns, *held, *key_columns, *_flags(conditions))
            .where(self._any(bound, table, conditions))
            .subquery()
        )
        key = [inner.c.dsar_print, inner.c.dsar_number]
        chosen = sa.select(inner).order_by(*key)
        return chosen if after is None else chosen.where(self._beyond(key, after))

    def _beyond(self, key: Sequence[sa.ColumnElement[Any]], after: Sequence[str]) -> sa.ColumnElement[bool]:
        if len(after) != len(key):
            raise ContractBroken(what="the place where an earlier search stopped")
        values = [self.dialect.typed(column, text) for column, text in zip(key, after, strict=True)]
        return key[0] > values[0] if len(key) == 1 else sa.tuple_(*key) > sa.tuple_(*values)


def pinned(
    bound: BoundCollection, table: Table, key: Sequence[str], dialect: Dialect
) -> sa.ColumnElement[bool]:
    """Return the condition that a row is the one with this key."""
    columns = [table.c[name] for name in bound.key]
    return sa.and_(
        *(column == dialect.typed(column, text) for column, text in zip(columns, key, strict=True))
    )


def _among(
    columns: Sequence[sa.ColumnElement[Any]], chosen: Sequence[sa.Select[Any]]
) -> sa.ColumnElement[bool]:
    """Return the condition that columns hold what one of these selects.

    A union stands inside a query of its own, since MariaDB would else run it for each row of the table.
    """
    values = chosen[0] if len(chosen) == 1 else sa.select(sa.union(*chosen).subquery())
    return (columns[0] if len(columns) == 1 else sa.tuple_(*columns)).in_(values)


def _flags(conditions: Sequence[Condition]) -> list[sa.Label[bool]]:
    if len(conditions) == 1:
        return []
    return [
        sa.func.coalesce(item.clause, sa.false()).label(f"dsar_via_{i}") for i, item in enumerate(conditions)
    ]


def _content(columns: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[str]:
    """Return a row's content as one text in which no two different rows look alike.

    Each value with its length.
    """
    content: sa.ColumnElement[str] = sa.literal("", sa.Text)
    for column in columns:
        text = sa.cast(column, sa.Text)
        measured = sa.cast(sa.func.length(text), sa.Text).concat(":").concat(text)
        content = content.concat(sa.func.coalesce(measured, "-"))
    return content


def alike(left: sa.ColumnElement[Any], right: sa.ColumnElement[Any]) -> bool:
    """Say whether two columns can be compared as they are; if not, both are compared as text."""
    families = (sa.Integer, sa.Numeric, sa.Uuid, sa.String, sa.DateTime, sa.Date)
    if getattr(left.type, "collation", None) != getattr(right.type, "collation", None):
        return False
    kinds = [
        next((one for one in families if isinstance(item.type, one)), type(item.type))
        for item in (left, right)
    ]
    return kinds[0] is kinds[1]
