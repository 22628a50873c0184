from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cases.connectors.base import Connector
from cases.connectors.registry import build
from cases.connectors.sql.mariadb import MariaDBConnector
from cases.connectors.sql.postgresql import PostgreSQLConnector
from tests import mariadb


@dataclass(frozen=True)
class Source:
    """A schema with tables of somebody else's making, an account that may read it, and one that may change it."""

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

    @property
    def eraser(self) -> str:
        return f"{self.reader}_w"

    @property
    def erase_secrets(self) -> dict[str, str]:
        return {"password": self.password, "erase_user": self.eraser, "erase_password": self.password}

    def connect_to_change(self, dataset: str, **changes: Any) -> PostgreSQLConnector:
        made = build("postgresql", self.options(**changes), self.erase_secrets, dataset)
        assert isinstance(made, PostgreSQLConnector)
        return made

    def allow_changes(self, rights: str = "SELECT, UPDATE, DELETE") -> None:
        self.administer(f'GRANT USAGE ON SCHEMA "{self.schema}" TO "{self.eraser}"')
        self.administer(f'GRANT {rights} ON ALL TABLES IN SCHEMA "{self.schema}" TO "{self.eraser}"')

    def administer(self, statement: str) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(f'SET search_path TO "{self.schema}"')
            return connection.execute(query).fetchall()

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
        for role in (name, f"{name}_w"):
            connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
    yield Source(make_conninfo(server, dbname=name), "public", name, password)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"DROP ROLE {name}, {name}_w")


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


@dataclass(frozen=True)
class MariaSource:
    """A database with tables of somebody else's making, and an account that may read it."""

    socket: str
    schema: str
    reader: str
    password: str

    def options(self, **changes: Any) -> dict[str, Any]:
        return {"host": self.socket, "database": self.schema, "user": self.reader, **changes}

    def connect(self, dataset: str, *, password: str | None = None, **changes: Any) -> Connector:
        secrets = {"password": self.password if password is None else password}
        return build("mariadb", self.options(**changes), secrets, dataset)

    @property
    def eraser(self) -> str:
        return f"{self.reader}_w"

    @property
    def erase_secrets(self) -> dict[str, str]:
        return {"password": self.password, "erase_user": self.eraser, "erase_password": self.password}

    def connect_to_change(self, dataset: str, **changes: Any) -> MariaDBConnector:
        made = build("mariadb", self.options(**changes), self.erase_secrets, dataset)
        assert isinstance(made, MariaDBConnector)
        return made

    def allow_changes(self, rights: str = "SELECT, UPDATE, DELETE") -> None:
        self.execute(f"GRANT {rights} ON {self.schema}.* TO {self.eraser}@localhost")

    def execute(self, statements: str) -> None:
        with mariadb.connect(self.socket, self.schema) as connection, connection.cursor() as cursor:
            cursor.execute(statements)
            while cursor.nextset():
                pass

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with mariadb.connect(self.socket, self.schema) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())


@pytest.fixture(scope="session")
def maria_socket() -> Iterator[str]:
    """A MariaDB of this run's own."""
    if not all(map(mariadb.find, mariadb.PROGRAMS)):
        pytest.skip("needs MariaDB's server: apt-get install mariadb-server")
    with ExitStack() as stack:
        try:
            socket = stack.enter_context(mariadb.running())
        except mariadb.CannotStartError as error:
            pytest.skip(f"MariaDB's server does not start here: {error}")
        yield socket


@pytest.fixture
def make_maria(maria_socket: str) -> Iterator[Callable[[str], MariaSource]]:
    """Make a database and an account of their own from SQL."""
    made: list[str] = []

    def make(statements: str) -> MariaSource:
        made.append(f"s_{uuid.uuid4().hex[:12]}")
        source = MariaSource(maria_socket, made[-1], made[-1], f"pw-{uuid.uuid4().hex}")
        with mariadb.connect(maria_socket) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {source.schema}")
            for user in (source.reader, source.eraser):
                cursor.execute(f"CREATE USER {user}@localhost IDENTIFIED BY '{source.password}'")
            cursor.execute(f"GRANT SELECT ON {source.schema}.* TO {source.reader}@localhost")
        source.execute(statements)
        return source

    yield make
    with mariadb.connect(maria_socket) as connection, connection.cursor() as cursor:
        for name in made:
            cursor.execute(f"DROP DATABASE {name}")
            cursor.execute(f"DROP USER {name}@localhost, {name}_w@localhost")
