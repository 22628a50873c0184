"""The contract, kept on a MariaDB."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pymysql
import pytest

from cases.connectors.conformance.kit import Trouble
from tests.cases.connectors.sql.conftest import MariaSource
from tests.cases.connectors.sql.relay import Relay
from tests.cases.connectors.sql.shop import TABLES, ShopContract


class TestMariaDBConnector(ShopContract):
    connector = "mariadb"
    source: MariaSource

    @pytest.fixture(autouse=True)
    def _open(self, make_maria: Callable[[str], MariaSource]) -> Iterator[None]:
        self.source = make_maria(TABLES)
        self.source.allow_changes()
        self.held = ExitStack()
        # A right to the whole database is looked at when a connection begins, one to a table each time.
        self.source.execute(f"REVOKE SELECT ON {self.source.schema}.* FROM {self.source.reader}@localhost")
        self._on_tables("GRANT SELECT ON", "TO")
        with tempfile.TemporaryDirectory(prefix="dsar-") as place:
            self.relay = Relay(Path(place) / "socket", self.source.socket)
            yield
            self.held.close()
            self.relay.close()

    def address(self) -> dict[str, object]:
        return {"host": str(self.relay.path)}

    def misbehave(self, trouble: Trouble) -> None:
        match trouble:
            case Trouble.KEY_REVOKED:
                self._on_tables("REVOKE SELECT ON", "FROM")
            case Trouble.LIMIT_WITHOUT_WAIT:
                self._take_last_connection()
            case Trouble.COMMIT_THEN_FAIL:
                self.relay.loses_commit = True
            case Trouble.RESIDUE_LEFT:
                self._when("AFTER DELETE", "INSERT INTO visits VALUES (OLD.id, '/kept')")
            case Trouble.CORRECTION_IGNORED:
                self._when("BEFORE UPDATE", "SET NEW.name = OLD.name, NEW.phone = OLD.phone")
            case _:
                super().misbehave(trouble)

    def _alter(self, what: str) -> None:
        self.source.execute(f"ALTER USER {self.source.reader}@localhost {what}")

    def _on_tables(self, begins: str, leads: str) -> None:
        tables = ("people", "agents", "aliases", "line_items", "visits", "letters")
        who = f"{self.source.reader}@localhost"
        self.source.execute("; ".join(f"{begins} {table} {leads} {who}" for table in tables))

    def _take_last_connection(self) -> None:
        """An account's limit cannot be nothing, so that one is allowed and taken."""
        self._alter("WITH MAX_USER_CONNECTIONS 1")
        name, password = self.source.reader, self.source.password
        own = pymysql.connect(unix_socket=self.source.socket, user=name, password=password)
        self.held.callback(own.close)

    def _when(self, event: str, body: str) -> None:
        self.source.execute(f"CREATE TRIGGER quietly {event} ON people FOR EACH ROW {body}")

    def behave(self) -> None:
        self.held.close()
        self._alter("WITH MAX_USER_CONNECTIONS 0")
        self._on_tables("GRANT SELECT ON", "TO")

    def fill(self, count: int, size: int) -> None:
        self.source.execute(
            f"INSERT INTO line_items SELECT 100, seq, 1, REPEAT('x', {size}) FROM seq_1_to_{count}"
        )
