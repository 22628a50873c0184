"""Looks for what is left of a person after changes: by key, by identifier, by reference and in free text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from cases.connectors.base import Confidence, Identifier, Match
from cases.connectors.changes import Action, Finding, Remains, Verb
from cases.connectors.sql.dialect import Dialect, as_text, is_text
from cases.connectors.sql.fitting import same
from cases.connectors.sql.identity import integer_bounds
from cases.connectors.sql.matching import Finder, traits_of
from cases.connectors.sql.planning import Blocked, find_key, read_row
from cases.connectors.sql.query import Row, alike
from cases.connectors.sql.schema import BoundCollection, BoundSource, Route
from cases.connectors.sql.values import row_ref

# So many rows are named of each place; that there are more makes no difference to what has to be done.
SHOWN_ROWS = 100
# Shorter identifiers stand in too many texts by chance.
SHORTEST_MENTION = 6

ERASING = frozenset({Verb.DELETE, Verb.ANONYMISE})


@dataclass(frozen=True)
class Verifier:
    """A look at the source through the account that reads, which saw nothing of how the changes were made."""

    connection: sa.Connection
    source: BoundSource
    dialect: Dialect

    def by_key(self, actions: Sequence[Action]) -> Iterator[Finding]:
        """Yield rows that are still there, and fields that hold something else than they were to hold."""
        for action in actions:
            bound = self.source.collections.get(action.type)
            if bound is None:
                yield Finding(action.ref, action.type, action.type, Remains.CANNOT_CHECK)
                continue
            yield from self._row_of(action, bound)

    def _row_of(self, action: Action, bound: BoundCollection) -> Iterator[Finding]:
        try:
            key = find_key(bound, action.ref, action.handle)
        except Blocked:
            yield Finding(action.ref, action.type, action.type, Remains.CANNOT_CHECK)
            return
        row = read_row(self.connection, bound, key, self.dialect)
        if row is not None and action.verb is Verb.DELETE:
            yield Finding(action.ref, action.type, action.type, Remains.RESIDUAL)
        values = action.payload.get("values")
        if row is not None and isinstance(values, Mapping):
            for name, value in values.items():
                if name not in row or not same(bound.table.c[name], row[name], value):
                    yield Finding(action.ref, action.type, f"{action.type}.{name}", Remains.RESIDUAL)

    def by_identifier(
        self, identifiers: Sequence[Identifier], actions: Sequence[Action]
    ) -> Iterator[Finding]:
        """Yield rows that still bear an identifier, whatever their key."""
        corrected = {action.ref for action in actions if action.verb not in ERASING}
        for bound in self.source.collections.values():
            if traits := traits_of(bound.collection, identifiers):
                for match in Finder(bound, traits, self.dialect).search(self.connection):
                    remains = Remains.EXPECTED if match.ref in corrected else _remains(match)
                    where = ", ".join(f"{match.type}.{name}" for name in _fields(bound, match))
                    yield Finding(match.ref, match.type, where, remains)

    def by_reference(self, actions: Sequence[Action]) -> Iterator[Finding]:
        """Yield rows that still refer to the key of a row that was to be deleted."""
        to_delete = {action.ref for action in actions if action.verb is Verb.DELETE}
        for action in actions:
            parent = self.source.collections.get(action.type)
            if action.verb is Verb.DELETE and parent is not None and parent.key:
                for child, route in self._routes_from(parent):
                    for ref in self._refs(child, self._refers(child, route, parent, action)):
                        if ref not in to_delete:
                            where = ", ".join(f"{edge.target}.{edge.target_field}" for edge in route.edges)
                            yield Finding(ref, child.collection.name, where, Remains.RESIDUAL)

    def _routes_from(self, parent: BoundCollection) -> Iterator[tuple[BoundCollection, Route]]:
        """Yield the references to the key of a table; not those by which its rows name others."""
        for child in self.source.collections.values():
            for route in child.routes:
                named = {edge.target_field for edge in route.edges}
                led = {edge.source_field for edge in route.edges}
                is_to_key = route.source == parent.collection.name and led <= set(parent.key)
                if is_to_key and named != set(child.key) and not child.collection.third_party:
                    yield child, route

    def _refers(
        self, child: BoundCollection, route: Route, parent: BoundCollection, action: Action
    ) -> sa.ColumnElement[bool]:
        """Compare with the key as it was, since the row that bore it is gone."""
        key = dict(zip(parent.key, find_key(parent, action.ref, action.handle), strict=True))
        return sa.and_(
            *(
                self._holds(
                    child.table.c[edge.target_field],
                    parent.table.c[edge.source_field],
                    key[edge.source_field],
                )
                for edge in route.edges
            )
        )

    def _holds(
        self, column: sa.ColumnElement[Any], of: sa.ColumnElement[Any], text: str
    ) -> sa.ColumnElement[bool]:
        """Compare as the columns are, where they are alike: as text no index serves, and the whole table is read."""
        if alike(column, of) and is_text(column):
            return self.dialect.same_text(column, text)
        if not alike(column, of) or not isinstance(column.type, sa.Integer | sa.Uuid):
            return self.dialect.comparable(column) == sa.literal(text, sa.Text)
        if isinstance(column.type, sa.Integer):
            low, high = integer_bounds(column.type)
            if not low <= int(text) <= high:
                return sa.false()
        return column == self.dialect.typed(column, text)

    def in_text(
        self, bound: BoundCollection, name: str, identifiers: Sequence[Identifier]
    ) -> Iterator[Finding]:
        """Yield rows in whose free text an identifier stands."""
        words = [one.value.strip().lower() for one in identifiers]
        column = sa.func.lower(as_text(bound.table.c[name]))
        clauses = [column.contains(word, autoescape=True) for word in words if len(word) >= SHORTEST_MENTION]
        if clauses:
            where = f"{bound.collection.name}.{name}"
            for ref in self._refs(bound, sa.or_(*clauses)):
                yield Finding(ref, bound.collection.name, where, Remains.RESIDUAL)

    def _refs(self, bound: BoundCollection, clause: sa.ColumnElement[bool]) -> list[str]:
        """Return references to the rows that meet a condition; the table alone where nothing tells them apart."""
        columns = [bound.table.c[name] for name in bound.key]
        chosen = sa.select(*columns, sa.literal(1)).select_from(bound.table).where(clause).limit(SHOWN_ROWS)
        rows = self.connection.execute(chosen).all()
        return list(dict.fromkeys(self._ref(bound, row[:-1]) for row in rows))

    @staticmethod
    def _ref(bound: BoundCollection, row: Row) -> str:
        name = bound.collection.name
        return row_ref(name, row, readable=bound.readable_key) if bound.key else name


def _remains(match: Match) -> Remains:
    """What may be somebody else's has to be looked at by a human."""
    return Remains.RESIDUAL if match.confidence is Confidence.EXACT else Remains.CANNOT_CHECK


def _fields(bound: BoundCollection, match: Match) -> list[str]:
    return [field.name for field in bound.collection.identities if field.identity in match.matched_on]
