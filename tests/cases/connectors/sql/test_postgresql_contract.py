"""The contract, kept on a PostgreSQL."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from cases.connectors.conformance.kit import Trouble
from tests.cases.connectors.sql.conftest import Source
from tests.cases.connectors.sql.relay import Relay
from tests.cases.connectors.sql.shop import TABLES, ShopContract

PORT = 5432


class TestPostgreSQLConnector(ShopContract):
    connector = "postgresql"
    source: Source

    @pytest.fixture(autouse=True)
    def _open(self, make_source: Callable[[str], Source]) -> Iterator[None]:
        self.source = make_source(TABLES)
        self.source.allow_changes()
        known = conninfo_to_dict(self.source.admin)
        with tempfile.TemporaryDirectory(prefix="dsar-") as place:
            target = f"{known['host']}/.s.PGSQL.{known.get('port') or PORT}"
            self.relay = Relay(Path(place) / f".s.PGSQL.{PORT}", target)
            self.place = place
            yield
            self.relay.close()
            self.behave()

    def address(self) -> dict[str, object]:
        return {"host": self.place, "port": PORT, "sslmode": "disable"}

    def misbehave(self, trouble: Trouble) -> None:
        match trouble:
            case Trouble.KEY_REVOKED:
                tables = f'ALL TABLES IN SCHEMA "{self.source.schema}"'
                self.source.administer(f'REVOKE SELECT ON {tables} FROM "{self.source.reader}"')
            case Trouble.LIMIT_WITHOUT_WAIT:
                self.source.administer(f'ALTER ROLE "{self.source.reader}" CONNECTION LIMIT 0')
            case Trouble.COMMIT_THEN_FAIL:
                self.relay.loses_commit = True
            case Trouble.RESIDUE_LEFT:
                copy = "INSERT INTO {0}.people (id, email) VALUES (OLD.id + 1000, OLD.email); RETURN OLD;"
                self._when("AFTER DELETE", copy.format(self.source.schema))
            case Trouble.CORRECTION_IGNORED:
                self._when("BEFORE UPDATE", "RETURN OLD;")
            case _:
                super().misbehave(trouble)

    def _when(self, event: str, body: str) -> None:
        self.source.execute(
            "CREATE FUNCTION quietly() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
            f" AS $$ BEGIN {body} END $$;"
            f"CREATE TRIGGER quietly {event} ON people FOR EACH ROW EXECUTE FUNCTION quietly()"
        )

    def behave(self) -> None:
        self.source.administer(f'ALTER ROLE "{self.source.reader}" CONNECTION LIMIT -1')
        self.source.execute("SELECT 1")  # Which grants reading again.

    def fill(self, count: int, size: int) -> None:
        self.source.execute(
            f"INSERT INTO line_items SELECT 100, n, 1, repeat('x', {size}) FROM generate_series(1, {count}) AS n"
        )
