"""One connection to a database under one account, in transactions, with the contract's errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from cases.connectors.base import ConnectorError
from cases.connectors.sql.dialect import Dialect

Result = TypeVar("Result")
Work = Callable[[sa.Connection], Result]


class Session:
    """Opens its connection when it is first needed, keeps it between calls, and drops it when something fails."""

    def __init__(self, dialect: Dialect, engine: Callable[[], sa.Engine], *, writes: bool = False) -> None:
        self._dialect = dialect
        self._engine = engine
        self._writes = writes
        self._connection: sa.Connection | None = None
        # The table that is being read or written, for the words of an error.
        self.place = ""

    def run(self, work: Work[Result], place: str = "") -> Result:
        """Do this in one transaction, and turn what goes wrong in it into the contract's errors.

        The error is raised when the driver's has been dealt with, so that no chain of errors leads to its words,
        which quote values.
        """
        self.place = place
        failure: ConnectorError
        try:
            connection = self._connect()
            with connection.begin():
                self._dialect.begin(connection, writes=self._writes)
                return work(connection)
        except sa.exc.SQLAlchemyError as error:
            failure = self._dialect.explain(error, self.place)
        self._drop()
        raise failure

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connect(self) -> sa.Connection:
        if self._connection is None:
            self._connection = self._engine().connect()
        return self._connection

    def _drop(self) -> None:
        """Forget a connection on which something failed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
