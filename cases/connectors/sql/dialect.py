"""What differs from one kind of database to the next, behind one door."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine.reflection import ObjectKind

from cases.connectors.base import ConnectorError, Refused
from cases.connectors.changes import Obstacle

Columns: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """A column as the database has it. ``computed`` says that the database itself gives it its value."""

    name: str
    type: sa.types.TypeEngine[Any]
    nullable: bool
    computed: bool = False


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns that refer to the columns of another table, as the database keeps it."""

    table: str
    columns: Columns
    referred_columns: Columns


@dataclass(frozen=True, slots=True)
class Layout:
    """Tables by name: their columns, the keys that the database keeps unique, and what they refer to.

    The primary key comes first. A table that is not there has no columns.
    """

    columns: Mapping[str, Sequence[ColumnFacts]]
    keys: Mapping[str, Sequence[Columns]]
    foreign_keys: Mapping[str, Sequence[ForeignKey]]


@dataclass(frozen=True, slots=True)
class Referrer:
    """A foreign key that leads to a table: where from, and what the database does to those rows by itself.

    ``on_delete`` is "NO ACTION", "RESTRICT", "CASCADE", "SET NULL" or "SET DEFAULT".
    """

    schema: str
    table: str
    columns: Columns
    referred_columns: Columns
    on_delete: str


@dataclass(frozen=True, slots=True)
class Rights:
    """What the account that changes rows may do to one table."""

    readable: frozenset[str]
    updatable: frozenset[str]
    may_delete: bool


class WriteRefused(Refused):
    """The database, or a look at the row afterwards, refused a change; nothing was written."""

    code = "write_refused"
    sentence = "The database refused the change: {reason}"

    def __init__(self, obstacle: Obstacle, reason: str) -> None:
        self.obstacle = obstacle
        super().__init__(reason=reason)


class Dialect(Protocol):
    """A kind of database: how it computes what standard SQL leaves open, and how it words its failures."""

    def digits(self, column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """Return the digits of a text, without everything between them."""

    def fingerprint(self, text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """Return a short digest of a text, computed by the database."""

    def measure(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """Return the length in bytes and the SHA-256 of binary data, as "12 9f86…", computed by the database."""

    def same_text(self, column: sa.ColumnElement[str], value: str) -> sa.ColumnElement[bool]:
        """Return the condition that a text is this one, letter for letter."""

    def same_folded(self, column: sa.ColumnElement[str], values: Sequence[str]) -> sa.ColumnElement[bool]:
        """Return the condition that a text is one of these but for case and blanks round it, accents told apart."""

    def comparable(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """Return a column as text that can be compared with any other column's."""

    def typed(self, column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[Any]:
        """Return what ``key_text`` wrote as a value to compare this column with."""

    def reflect(self, connection: sa.Connection, schema: str, names: Sequence[str]) -> Layout:
        """Read what the database says of these tables."""

    def readable(self, connection: sa.Connection, columns: Collection[sa.Column[Any]]) -> frozenset[str]:
        """Return the ``table.column`` of those that the account may read."""

    def begin(self, connection: sa.Connection, *, writes: bool) -> None:
        """Set limits and formats for the transaction that has just begun, and keep it from writing."""

    def account(self, connection: sa.Connection) -> tuple[str, str]:
        """Return the account signed in with, and the name and version of the server."""

    def writable(self, connection: sa.Connection, tables: list[sa.Table]) -> list[str]:
        """Return the names of the tables that the account could change."""

    def explain(self, error: sa.exc.SQLAlchemyError, where: str) -> ConnectorError:
        """Return the contract's error for what the driver raised, with nothing of its words in it."""

    def rights(self, connection: sa.Connection, table: sa.Table) -> Rights:
        """Return what the account may do to this table."""

    def referrers(self, connection: sa.Connection, table: sa.Table) -> Sequence[Referrer]:
        """Return the foreign keys that lead to this table, described or not."""

    def triggers(self, connection: sa.Connection, table: sa.Table) -> Sequence[str]:
        """Return the names of what runs by itself when a row of this table is changed or deleted."""

    def checks(self, connection: sa.Connection, table: sa.Table) -> Sequence[str]:
        """Return the conditions, as SQL over the table's own columns, that each row has to meet."""

    def can_undo(self, connection: sa.Connection, table: sa.Table) -> bool:
        """Say whether a change of this table can be taken back until it is committed."""

    def estimate(self, connection: sa.Connection, table: sa.Table) -> int:
        """Return about how many rows a table has, without counting them."""

    def scans(self, connection: sa.Connection, statement: sa.Select[Any], table: sa.Table) -> bool:
        """Say whether a statement would read the whole of a table, for want of an index."""

    def index_for(self, column: sa.Column[Any], kind: str) -> str:
        """Return in words what would make a search for this kind of identifier quick, or for a reference ("")."""

    def prepare(self, engine: sa.Engine) -> None:
        """Arrange what each new connection needs."""


def is_text(column: sa.ColumnElement[Any]) -> bool:
    """Say whether a column holds text."""
    return isinstance(column.type, sa.String) and not isinstance(column.type, sa.Enum)


def is_binary(column: sa.ColumnElement[Any]) -> bool:
    """Say whether a column holds binary data."""
    return isinstance(column.type, sa.types._Binary)  # noqa: SLF001 - Only what the kinds of MariaDB derive from.


def is_whole(column: sa.ColumnElement[Any]) -> bool:
    """Say whether a column holds one plain value, rather than lists, documents or binary data."""
    return not isinstance(column.type, sa.ARRAY | sa.JSON) and not is_binary(column)


def as_text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Return a column as text, cast only where it is something else."""
    return column if is_text(column) else sa.cast(column, sa.Text)


def inspect(connection: sa.Connection, schema: str, names: Sequence[str]) -> Layout:
    """Read what the database says of these tables, by SQLAlchemy's own means."""
    inspector = sa.inspect(connection)
    with warnings.catch_warnings():
        # A type that SQLAlchemy does not know (a map, a vector) is fetched as the text that the server writes.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        found = inspector.get_multi_columns(schema=schema, filter_names=names, kind=ObjectKind.ANY)
    primary = inspector.get_multi_pk_constraint(schema=schema, filter_names=names)
    unique = inspector.get_multi_unique_constraints(schema=schema, filter_names=names)
    foreign = inspector.get_multi_foreign_keys(schema=schema, filter_names=names)
    return Layout(
        {name: [_facts(column) for column in found.get((schema, name), [])] for name in names},
        {
            name: [
                *([tuple(key["constrained_columns"])] if (key := primary.get((schema, name))) else []),
                *(tuple(map(str, one["column_names"])) for one in unique.get((schema, name), [])),
            ]
            for name in names
        },
        {name: [_foreign_key(one) for one in foreign.get((schema, name), [])] for name in names},
    )


def _facts(column: Any) -> ColumnFacts:
    computed = bool(column.get("computed") or (column.get("identity") or {}).get("always"))
    return ColumnFacts(str(column["name"]), column["type"], column["nullable"], computed)


def _foreign_key(found: Any) -> ForeignKey:
    columns, referred = tuple(found["constrained_columns"]), tuple(found["referred_columns"])
    return ForeignKey(str(found["referred_table"]), columns, referred)
