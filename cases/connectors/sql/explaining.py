"""Tells before a search which columns it would read whole tables for, as the database itself explains it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement, Executable

from cases.connectors.base import EMAIL, PHONE
from cases.connectors.sql.dialect import Dialect
from cases.connectors.sql.matching import Finder
from cases.connectors.sql.query import Trait
from cases.connectors.sql.schema import BoundCollection, BoundSource

# A table of fewer rows is read as a whole in less time than it takes to mention it.
FEW_ROWS = 10_000

# What nobody is known by, to ask how somebody would be looked for.
_NOBODY = {EMAIL: "nobody@example.invalid", PHONE: "00000000000"}
_SAMPLES: tuple[tuple[Any, str], ...] = (
    (sa.Boolean, "true"),
    (sa.Uuid, "00000000-0000-0000-0000-000000000000"),
    (sa.DateTime, "2000-01-01T00:00:00"),
    (sa.Date, "2000-01-01"),
    (sa.Integer | sa.Numeric, "0"),
)


class Explained(Executable, ClauseElement):
    """A statement with words before it that make the database explain it, rather than run it."""

    inherit_cache = False

    def __init__(self, statement: sa.Select[Any], words: str) -> None:
        self.statement = statement
        self.words = words


@compiles(Explained)
def _compile(element: Explained, compiler: Any, **arguments: Any) -> str:
    return f"{element.words} {compiler.process(element.statement, **arguments)}"


def warn_of_scans(connection: sa.Connection, source: BoundSource, dialect: Dialect) -> Iterator[str]:
    """Yield a sentence for each column by which rows are looked for without an index, in tables of many rows."""
    for bound in source.collections.values():
        size = dialect.estimate(connection, bound.table)
        if size >= FEW_ROWS:
            yield from _warn_of_identities(connection, bound, dialect, size)
            yield from _warn_of_references(connection, bound, dialect, size)


def _warn_of_identities(
    connection: sa.Connection, bound: BoundCollection, dialect: Dialect, size: int
) -> Iterator[str]:
    for field in bound.collection.identities:
        column, kind = bound.table.c[field.name], str(field.identity)
        trait = Trait(field.name, kind, _NOBODY.get(kind, _sample(column)))
        if dialect.scans(connection, Finder(bound, [trait], dialect).statement, bound.table):
            yield _sentence(column, size, dialect.index_for(column, kind))


def _warn_of_references(
    connection: sa.Connection, bound: BoundCollection, dialect: Dialect, size: int
) -> Iterator[str]:
    for route in bound.routes:
        columns = [bound.table.c[edge.target_field] for edge in route.edges]
        clauses = [column == dialect.typed(column, _sample(column)) for column in columns]
        statement = sa.select(columns[0]).where(*clauses)
        if dialect.scans(connection, statement, bound.table):
            yield _sentence(columns[0], size, dialect.index_for(columns[0], ""))


def _sample(column: sa.Column[Any]) -> str:
    if isinstance(column.type, sa.Enum):
        return str(column.type.enums[0])
    return next((value for kind, value in _SAMPLES if isinstance(column.type, kind)), "nobody")


def _sentence(column: sa.Column[Any], size: int, remedy: str) -> str:
    return (
        f"{column.table.name}.{column.name} has no index that serves the search: each search reads all of some"
        f" {size:,} rows. {remedy}"
    )
