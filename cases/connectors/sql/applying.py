"""Carries out one action of a plan, in one transaction that ends as wished or leaves no trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from cases.connectors.base import JSON, Conflict, ContractBroken, Effect
from cases.connectors.changes import Action, Obstacle, Outcome, Verb
from cases.connectors.sql.dialect import Dialect, WriteRefused
from cases.connectors.sql.fitting import assigned
from cases.connectors.sql.planning import Blocked, RowKey, child_of, find_key, holds_all, read_row, referring
from cases.connectors.sql.query import pinned
from cases.connectors.sql.schema import BoundCollection, BoundSource

_EFFECTS = {Verb.DELETE: Effect.REMOVED, Verb.ANONYMISE: Effect.ANONYMISED, Verb.SET: Effect.RETAINED}


@dataclass(frozen=True)
class Writer:
    """One action, and the table it changes. Raises ContractBroken for an action that no plan of this source holds."""

    source: BoundSource
    dialect: Dialect
    action: Action

    @property
    def bound(self) -> BoundCollection:
        """The table."""
        bound = self.source.collections.get(self.action.type)
        if bound is None or self.action.verb not in _EFFECTS:
            raise ContractBroken(what="an action that names what the description no longer has")
        return bound

    @property
    def effect(self) -> Effect:
        """What the row is once the action was carried out."""
        return _EFFECTS[self.action.verb]

    @property
    def request(self) -> str:
        """The shape of the statement, without a value."""
        table, keys = self.bound.table.fullname, " AND ".join(f"{name} = ?" for name in self.bound.key)
        if self.action.verb is Verb.DELETE:
            return f"DELETE FROM {table} WHERE {keys}"  # noqa: S608 - It is shown, and never run.
        changed = ", ".join(f"{name} = ?" for name in self._values)
        return f"UPDATE {table} SET {changed} WHERE {keys}"  # noqa: S608 - It is shown, and never run.

    def carry_out(self, connection: sa.Connection) -> Outcome:
        """Lock the row, compare it, write unless it is as wished, and read it again.

        Raises Conflict when it is not as expected, and WriteRefused when the database did otherwise than told: both
        leave everything as it was.
        """
        row = read_row(connection, self.bound, self._key, self.dialect, lock=True)
        if self._is_done(row):
            return Outcome.ALREADY
        if row is None:
            raise WriteRefused(Obstacle.NOT_FOUND, "the row is no longer there.")
        if not holds_all(self.bound, row, {k: v for k, v in self.action.expected.items() if k in row}):
            raise Conflict
        self._write(connection)
        if not self._is_done(read_row(connection, self.bound, self._key, self.dialect)):
            raise WriteRefused(Obstacle.STATE, "the row was not as wished afterwards.")
        return Outcome.DONE

    @property
    def _key(self) -> RowKey:
        try:
            return find_key(self.bound, self.action.ref, self.action.handle)
        except Blocked:
            raise ContractBroken(what="an action whose row the table no longer tells apart") from None

    @property
    def _values(self) -> Mapping[str, JSON]:
        return cast(Mapping[str, JSON], self.action.payload.get("values", {}))

    def _is_done(self, row: Mapping[str, JSON] | None) -> bool:
        if self.action.verb is Verb.DELETE:
            return row is None
        return row is not None and bool(self._values) and holds_all(self.bound, row, self._values)

    def _write(self, connection: sa.Connection) -> None:
        if self.action.verb is Verb.DELETE:
            self._require_no_cascade(connection)
        written = connection.execute(self._statement)
        if written.rowcount != 1:
            raise WriteRefused(Obstacle.STATE, "not exactly one row would have been changed.")

    @property
    def _statement(self) -> sa.Delete | sa.Update:
        table = self.bound.table
        here = pinned(self.bound, table, self._key, self.dialect)
        if self.action.verb is Verb.DELETE:
            return sa.delete(table).where(here)
        changed: dict[str, Any] = {
            name: assigned(table.c[name], value, self.dialect) for name, value in self._values.items()
        }
        return sa.update(table).where(here).values(changed)

    def _require_no_cascade(self, connection: sa.Connection) -> None:
        """Rows that came after the plan was approved are not deleted with this one, which is locked by now."""
        for one in self.dialect.referrers(connection, self.bound.table):
            if one.on_delete != "CASCADE":
                continue
            _, table = child_of(one, self.source)
            condition = referring(one, self.bound, self._key, table, self.dialect)
            if self._is_own(one.table, one.schema):
                condition = sa.and_(condition, sa.not_(pinned(self.bound, table, self._key, self.dialect)))
            if connection.execute(
                sa.select(sa.literal(1)).select_from(table).where(condition).limit(1)
            ).first():
                raise WriteRefused(
                    Obstacle.REFERENCED, "rows that nobody planned to delete would go with it."
                )

    def _is_own(self, table: str, schema: str) -> bool:
        return (table, schema) == (self.bound.table.name, self.bound.table.schema)
