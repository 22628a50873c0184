"""What differs from one kind of database to the next, behind one door."""

from __future__ import annotations

from typing import Any, Protocol

import sqlalchemy as sa

from cases.connectors.base import ConnectorError


class Dialect(Protocol):
    """A kind of database: how it computes what standard SQL leaves open, and how it words its failures."""

    def digits(self, column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """Return the digits of a text, without everything between them."""

    def fingerprint(self, text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """Return a short digest of a text, computed by the database."""

    def begin(self, connection: sa.Connection) -> None:
        """Set limits and formats for the transaction that has just begun."""

    def account(self, connection: sa.Connection) -> tuple[str, str]:
        """Return the account signed in with, and the name and version of the server."""

    def writable(self, connection: sa.Connection, tables: list[sa.Table]) -> list[str]:
        """Return the names of the tables that the account could change."""

    def explain(self, error: sa.exc.SQLAlchemyError, where: str) -> ConnectorError:
        """Return the contract's error for what the driver raised, with nothing of its words in it."""

    def prepare(self, engine: sa.Engine) -> None:
        """Arrange what each new connection needs."""


def is_text(column: sa.ColumnElement[Any]) -> bool:
    """Say whether a column holds text."""
    return isinstance(column.type, sa.String) and not isinstance(column.type, sa.Enum)


def as_text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Return a column as text, cast only where it is something else."""
    return column if is_text(column) else sa.cast(column, sa.Text)
