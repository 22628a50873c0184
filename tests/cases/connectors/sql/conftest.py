from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cases.connectors.base import Connector
from cases.connectors.registry import build


@dataclass(frozen=True)
class Source:
    """A schema with tables of somebody else's making, and an account that may read it."""

    admin: str
    schema: str
    reader: str
    password: str

    def options(self, **changes: Any) -> dict[str, Any]:
        known = conninfo_to_dict(self.admin)
        own = {"host": known["host"], "port": int(known.get("port") or 5432), "database": known["dbname"]}
        return {**own, "user": self.reader, "schema": self.schema, "sslmode": "prefer", **changes}

    def connect(self, dataset: str, *, password: str | None = None, **changes: Any) -> Connector:
        secrets = {"password": self.password if password is None else password}
        return build("postgresql", self.options(**changes), secrets, dataset)

    def execute(self, statements: str) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(f'SET search_path TO "{self.schema}"')
            connection.execute(statements)
            connection.execute(f'GRANT USAGE ON SCHEMA "{self.schema}" TO "{self.reader}"')
            connection.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA "{self.schema}" TO "{self.reader}"')


@pytest.fixture(scope="session")
def database() -> Iterator[Source]:
    """A database of this run's own and an account that may only read."""
    server = os.environ.get("DATABASE_ADMIN_URL")
    if not server:
        pytest.skip("needs a PostgreSQL: set DATABASE_ADMIN_URL to a superuser's address")
    name, password = f"source_{uuid.uuid4().hex[:12]}", f"pw-{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    yield Source(make_conninfo(server, dbname=name), "public", name, password)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"DROP ROLE {name}")


@pytest.fixture
def make_source(database: Source) -> Iterator[Callable[[str], Source]]:
    """Make a schema of its own from SQL, so that tests share a server and nothing else."""
    made: list[str] = []

    def make(statements: str) -> Source:
        made.append(f"s_{uuid.uuid4().hex[:12]}")
        source = Source(database.admin, made[-1], database.reader, database.password)
        database.execute(f'CREATE SCHEMA "{made[-1]}"')
        source.execute(statements)
        return source

    yield make
    for schema in made:
        database.execute(f'DROP SCHEMA "{schema}" CASCADE')
