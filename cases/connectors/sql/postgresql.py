"""PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, cast

import sqlalchemy as sa
from psycopg.adapt import Buffer, Loader

from cases.connectors.base import (
    EMAIL,
    PHONE,
    AuthError,
    ConfigurationError,
    ConnectorError,
    ContractBroken,
    Option,
    OptionKind,
    PermissionDenied,
    SchemaDrift,
    Throttled,
    TimedOut,
    Transient,
    Unreachable,
)
from cases.connectors.changes import Obstacle
from cases.connectors.options import Settings
from cases.connectors.sql.connector import COMMON_OPTIONS, SQLConnector
from cases.connectors.sql.dialect import Layout, Referrer, Rights, WriteRefused, as_text, inspect, is_text
from cases.connectors.sql.explaining import Explained

SSL_MODES = ("verify-full", "verify-ca", "require", "prefer", "disable")

# Kinds of value that Python's own types cannot hold in full (the year 12000, infinity, 25 digits, three
# months) or
# whose text is exact already. They are taken as the text that the server writes.
_AS_TEXT = ("date", "time", "timetz", "interval", "numeric")
_MOMENTS = ("timestamp", "timestamptz")


class PostgreSQLConnector(SQLConnector):
    """A PostgreSQL database, or one that speaks its language."""

    key: ClassVar[str] = "postgresql"
    label: ClassVar[str] = "PostgreSQL database"
    version: ClassVar[str] = "1"

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """Declare address, account and limits."""
        return _OPTIONS

    @classmethod
    def make_dialect(cls, settings: Settings) -> PostgreSQLDialect:
        """Return the dialect with the time limit of these settings."""
        return PostgreSQLDialect(settings.number("statement_timeout"))

    @classmethod
    def make_url(cls, settings: Settings, *, user: str | None, password: str | None) -> sa.URL:
        """Return the address; a path as host is the directory of a socket."""
        return sa.URL.create(
            "postgresql+psycopg",
            username=user,
            password=password,
            database=settings.text("database"),
            query=_drop_empty(
                host=settings.text("host"),
                port=str(settings.number("port")),
                sslmode=settings.text("sslmode"),
                sslrootcert=settings.text("ca_file"),
            ),
        )

    @classmethod
    def address(cls, settings: Settings) -> tuple[str, ...]:
        """Return host, port, database and account."""
        return tuple(str(settings.values[name]) for name in ("host", "port", "database", "user"))

    @classmethod
    def connect_arguments(cls, settings: Settings) -> dict[str, Any]:
        """Give up on a server that does not answer, and notice one that went away."""
        return {
            "connect_timeout": settings.number("connect_timeout"),
            "application_name": "dsar-desk",
            # Statements kept on the server would be missing behind a connection pooler.
            "prepare_threshold": None,
            "keepalives_idle": 30,
            "tcp_user_timeout": 1000 * settings.number("statement_timeout"),
        }

    @classmethod
    def engine_arguments(cls) -> dict[str, Any]:
        """Take a map as the text that the server writes."""
        return {"use_native_hstore": False}


def _drop_empty(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


_OPTIONS = (
    Option("host", "Host", "Name or address of the server, or the directory of its socket.", required=True),
    Option("port", "Port", kind=OptionKind.NUMBER, default=5432, minimum=1, maximum=65535),
    Option("database", "Database", required=True),
    Option("user", "User", "An account that may read the described tables and nothing else.", required=True),
    Option("password", "Password", secret=True),
    Option("schema", "Schema", "The schema that holds the described tables.", default="public"),
    Option(
        "sslmode",
        "Encryption",
        "How the connection is protected. A socket needs none.",
        kind=OptionKind.CHOICE,
        default="require",
        choices=SSL_MODES,
    ),
    Option("ca_file", "Certificate authority", "File with the certificate that signed the server's."),
    *COMMON_OPTIONS,
)


class _TextLoader(Loader):
    """Takes a value as the text that the server wrote."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode()


class _MomentLoader(Loader):
    """Takes a point in time in ISO 8601, of which the server writes a variant."""

    def load(self, data: Buffer) -> str:
        text = bytes(data).decode().replace(" ", "T", 1)
        return f"{text}:00" if text.endswith("+00") else text


@cache
def _settings(seconds: int) -> str:
    """The settings of every transaction, as one statement: to compose it takes longer than to ask it."""
    limit = f"{seconds:d}s"
    settings = {
        "statement_timeout": limit,
        "lock_timeout": limit,
        "idle_in_transaction_session_timeout": limit,
        "DateStyle": "ISO, YMD",
        "IntervalStyle": "iso_8601",
        "TimeZone": "UTC",
    }
    return "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())


@dataclass(frozen=True, slots=True)
class PostgreSQLDialect:
    """What is peculiar to PostgreSQL. ``statement_timeout`` is in seconds."""

    statement_timeout: int

    def digits(self, column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """Strip everything but digits."""
        return sa.func.regexp_replace(column, "[^0-9]", "", "g")

    def fingerprint(self, text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """Use md5, which every version has; it tells rows apart and protects nothing."""
        return sa.func.md5(text, type_=sa.Text)

    def measure(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """Let the server read the data, which may be as large as a gigabyte."""
        size = sa.cast(sa.func.octet_length(column), sa.Text)
        return size.concat(" ").concat(sa.func.encode(sa.func.sha256(column), "hex"))

    def same_text(self, column: sa.ColumnElement[str], value: str) -> sa.ColumnElement[bool]:
        """Compare as the server does: every letter counts."""
        return column == sa.literal(value, sa.Text)

    def same_folded(self, column: sa.ColumnElement[str], values: Sequence[str]) -> sa.ColumnElement[bool]:
        """Send both sides through the server's lower(), as an index on lower(trim(column)) has it."""
        return sa.func.lower(sa.func.trim(column)).in_(
            [sa.func.lower(sa.literal(value, sa.Text)) for value in values]
        )

    def comparable(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """Name a collation where the column has one of its own, since two that differ cannot be compared."""
        own = is_text(column) and getattr(column.type, "collation", None)
        return as_text(column).collate("C") if own else as_text(column)

    def typed(self, column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[Any]:
        """Let the server read a key's text, but for texts and numbers, which an index needs as they are."""
        if is_text(column):
            return sa.literal(text, sa.Text)
        if isinstance(column.type, sa.Integer):
            return sa.literal(int(text), column.type)
        return sa.cast(sa.literal(text, sa.Text), column.type)

    def reflect(self, connection: sa.Connection, schema: str, names: Sequence[str]) -> Layout:
        """Leave it to SQLAlchemy."""
        return inspect(connection, schema, names)

    def readable(self, connection: sa.Connection, columns: Collection[sa.Column[Any]]) -> frozenset[str]:
        """Ask the server, since rights may be given by the column."""
        may = [
            sa.func.has_column_privilege(_quoted(connection, column.table), column.name, "SELECT")
            for column in columns
        ]
        answers = connection.execute(sa.select(*may)).one()
        return frozenset(
            f"{column.table.name}.{column.name}" for column, yes in zip(columns, answers, strict=True) if yes
        )

    def begin(self, connection: sa.Connection, *, writes: bool) -> None:
        """Let all statements of a reading call see the same moment, and the server itself refuse writes.

        Limits are set by the transaction, so that a connection pooler may stand between.
        """
        level = "READ COMMITTED, READ WRITE" if writes else "REPEATABLE READ, READ ONLY"
        connection.exec_driver_sql(f"SET TRANSACTION ISOLATION LEVEL {level}")
        connection.exec_driver_sql(_settings(self.statement_timeout))

    def account(self, connection: sa.Connection) -> tuple[str, str]:
        """Ask the server who we are and what it is."""
        query = sa.text("SELECT current_user, current_setting('server_version')")
        user, version = connection.execute(query).one()
        return str(user), f"PostgreSQL {version}"

    def writable(self, connection: sa.Connection, tables: list[sa.Table]) -> list[str]:
        """Ask the server which tables the account could change."""
        may = {
            table.name: sa.func.has_table_privilege(
                _quoted(connection, table), "INSERT, UPDATE, DELETE, TRUNCATE"
            )
            for table in tables
        }
        answers = connection.execute(sa.select(*may.values())).one()
        return [name for name, yes in zip(may, answers, strict=True) if yes]

    def explain(self, error: sa.exc.SQLAlchemyError, where: str) -> ConnectorError:
        """Go by the server's code, or before there is one by the words of the connection library."""
        original = getattr(error, "orig", None)
        state = getattr(original, "sqlstate", None)
        if state:
            return _explain_state(state, where)
        if isinstance(error, sa.exc.OperationalError):
            return _explain_connecting(str(original))
        return ContractBroken(what="an answer of the database")

    def rights(self, connection: sa.Connection, table: sa.Table) -> Rights:
        """Ask the server, for each column, since rights may be given by the column."""
        name = _quoted(connection, table)
        asked = [
            sa.func.has_column_privilege(name, column.name, right)
            for right in ("SELECT", "UPDATE")
            for column in table.c
        ]
        delete = sa.func.has_table_privilege(name, "DELETE")
        *may, may_delete = connection.execute(sa.select(*asked, delete)).one()
        names, size = [column.name for column in table.c], len(table.c)
        readable, updatable = (
            frozenset(one for one, yes in zip(names, part, strict=True) if yes)
            for part in (may[:size], may[size:])
        )
        return Rights(readable, updatable, bool(may_delete))

    def referrers(self, connection: sa.Connection, table: sa.Table) -> Sequence[Referrer]:
        """Read the server's catalogue, which everybody may."""
        rows = connection.execute(_REFERRERS, {"table": _quoted(connection, table)})
        return [
            Referrer(
                row.schema, row.place, tuple(row.columns), tuple(row.referred), _ON_DELETE[row.on_delete]
            )
            for row in rows
        ]

    def triggers(self, connection: sa.Connection, table: sa.Table) -> Sequence[str]:
        """Read the server's catalogue, which everybody may."""
        rows = connection.execute(_TRIGGERS, {"table": _quoted(connection, table)})
        return [str(name) for (name,) in rows]

    def checks(self, connection: sa.Connection, table: sa.Table) -> Sequence[str]:
        """Read the server's catalogue, which everybody may."""
        rows = connection.execute(_CHECKS, {"table": _quoted(connection, table)})
        return [str(condition) for (condition,) in rows]

    def can_undo(self, connection: sa.Connection, table: sa.Table) -> bool:
        """Everything that is a table; what stands for another server's may not."""
        row = connection.execute(_KIND, {"table": _quoted(connection, table)}).scalar_one()
        return str(row) in {"r", "p"}

    def estimate(self, connection: sa.Connection, table: sa.Table) -> int:
        """Ask the planner, which goes by the size of the file where nothing was counted yet."""
        return int(_plan(connection, sa.select(sa.literal(1)).select_from(table))["Plan Rows"])

    def scans(self, connection: sa.Connection, statement: sa.Select[Any], table: sa.Table) -> bool:
        """Ask for a plan that avoids reading the whole: what reads it all the same has no index."""
        connection.execute(sa.select(sa.func.set_config("enable_seqscan", "off", True)))
        try:
            return any(_reads_all(node, table.name) for node in _nodes(_plan(connection, statement)))
        finally:
            connection.execute(sa.select(sa.func.set_config("enable_seqscan", "on", True)))

    def index_for(self, column: sa.Column[Any], kind: str) -> str:
        """Write the statement that makes it."""
        quoted = f'"{column.name}"'
        made = {EMAIL: f"lower(trim({quoted}))", PHONE: f"regexp_replace({quoted}, '[^0-9]', '', 'g')"}
        return f'This one would: CREATE INDEX ON "{column.table.name}" ({made.get(kind, quoted)})'

    def prepare(self, engine: sa.Engine) -> None:
        """Register the loaders on each new connection."""
        sa.event.listen(engine, "connect", _register_loaders)


def _plan(connection: sa.Connection, statement: sa.Select[Any]) -> Mapping[str, Any]:
    (found,) = connection.execute(Explained(statement, "EXPLAIN (FORMAT JSON)")).one()
    return cast(Mapping[str, Any], found[0]["Plan"])


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def _reads_all(node: Mapping[str, Any], table: str) -> bool:
    """Say whether a step reads a table from end to end: itself, or along an index without looking anything up."""
    looks_up = "Index Cond" in node or node["Node Type"].startswith("Bitmap")
    return node.get("Relation Name") == table and not looks_up


_REFERRERS = sa.text(
    "SELECT n.nspname AS schema, c.relname AS place, k.confdeltype AS on_delete,"
    " array(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(no, i)"
    "  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.no ORDER BY u.i) AS columns,"
    " array(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(no, i)"
    "  JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.no ORDER BY u.i) AS referred"
    " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = to_regclass(:table)"
    " ORDER BY n.nspname, c.relname, k.conname"
)
_ON_DELETE = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
# The bits of tgtype that say DELETE and UPDATE.
_TRIGGERS = sa.text(
    "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND NOT tgisinternal"
    " AND tgenabled <> 'D' AND (tgtype & 24) <> 0 ORDER BY tgname"
)
_CHECKS = sa.text(
    "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint"
    " WHERE contype = 'c' AND conrelid = to_regclass(:table) ORDER BY conname"
)
_KIND = sa.text("SELECT relkind FROM pg_class WHERE oid = to_regclass(:table)")


def _quoted(connection: sa.Connection, table: Any) -> str:
    return connection.dialect.identifier_preparer.format_table(table)


def _register_loaders(connection: Any, _record: object) -> None:
    for name in _AS_TEXT:
        connection.adapters.register_loader(name, _TextLoader)
    for name in _MOMENTS:
        connection.adapters.register_loader(name, _MomentLoader)


# Codes of the SQL standard and of PostgreSQL, Appendix A of its manual; the longer beginnings come first.
_SLOW = ("57014", "55P03", "25P03")
_BUSY = ("53",)
_AWAY = ("08", "57P", "40", "58")
_REFUSED = {
    "23001": (Obstacle.REFERENCED, "other rows refer to this one."),
    "23502": (Obstacle.STATE, "a column must not be empty."),
    "23503": (Obstacle.REFERENCED, "other rows refer to this one, or it would refer to none."),
    "23505": (Obstacle.STATE, "another row holds this value, and only one may."),
    "23514": (Obstacle.STATE, "a rule of the table does not allow the value."),
    "22001": (Obstacle.STATE, "the value is too long."),
    "P0001": (Obstacle.STATE, "a rule of the database's own forbids it."),
}
_DRIFTED = ("42P01", "42703", "3F000", "42883", "42804")


def _explain_state(state: str, where: str) -> ConnectorError:
    if state.startswith(_SLOW):
        return TimedOut(where)
    if state.startswith(_BUSY):
        return _busy()
    if state.startswith(_AWAY):
        return Transient()
    if state in _REFUSED:
        return WriteRefused(*_REFUSED[state])
    if state == "42501":
        return PermissionDenied(what=f"the table “{where}”" if where else "one of the described tables")
    if state.startswith(_DRIFTED):
        return SchemaDrift(what=f"a table or column{f' of “{where}”' if where else ''}")
    if state.startswith("28"):
        return AuthError()
    if state == "3D000":
        return _no_database()
    return ContractBroken(what=f"an answer of the database (code {state})")


def _no_database() -> ConnectorError:
    return ConfigurationError("there is no such database on the server.")


def _no_encryption() -> ConnectorError:
    return ConfigurationError("the encryption asked for and what the server offers do not fit.")


def _busy() -> ConnectorError:
    return Throttled(retry_after=30)


# The connection library gives no code for what fails before sign-in is over.
_CONNECTING: tuple[tuple[str, Callable[[], ConnectorError]], ...] = (
    (r"authentication failed|no password supplied|role .* does not exist", AuthError),
    (r"no pg_hba\.conf entry|not permitted to log in", AuthError),
    (r"database .* does not exist", _no_database),
    (r"EOF detected|reset by peer|connection is lost|could not (receive|send)|consuming input", Transient),
    (r"SSL|certificate", _no_encryption),
    (r"too many (clients|connections)|connection slots", _busy),
    (r"starting up|shutting down|recovery mode|terminating|closed the connection", Transient),
)


def _explain_connecting(words: str) -> ConnectorError:
    return next((make() for pattern, make in _CONNECTING if re.search(pattern, words)), Unreachable())
