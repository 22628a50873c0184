"""MariaDB."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from pymysql.constants import FIELD_TYPE
from pymysql.converters import conversions
from sqlalchemy.dialects import mysql

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
from cases.connectors.sql.dialect import Layout, Referrer, Rights, WriteRefused, as_text, is_binary
from cases.connectors.sql.explaining import Explained
from cases.connectors.sql.mariadb_layout import read_layout, read_referrers

TLS_MODES = ("verify-full", "verify-ca", "require", "prefer", "disable")


class MariaDBConnector(SQLConnector):
    """A MariaDB database."""

    key: ClassVar[str] = "mariadb"
    label: ClassVar[str] = "MariaDB database"
    version: ClassVar[str] = "1"

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """Declare address, account and limits."""
        return _OPTIONS

    @classmethod
    def make_dialect(cls, settings: Settings) -> MariaDBDialect:
        """Return the dialect with the time limit of these settings."""
        return MariaDBDialect(settings.number("statement_timeout"))

    @classmethod
    def make_url(cls, settings: Settings, *, user: str | None, password: str | None) -> sa.URL:
        """Return the address; a path as host is that of a socket."""
        host = settings.text("host")
        is_socket = host.startswith("/")
        return sa.URL.create(
            "mariadb+pymysql",
            username=user,
            password=password,
            host=None if is_socket else host,
            port=None if is_socket else settings.number("port"),
            database=settings.text("database"),
            query={"charset": "utf8mb4", **({"unix_socket": host} if is_socket else {})},
        )

    @classmethod
    def schema(cls, settings: Settings) -> str:
        """Return the database: here the two are one."""
        return settings.text("database")

    @classmethod
    def address(cls, settings: Settings) -> tuple[str, ...]:
        """Return host, port, database and account."""
        return tuple(str(settings.values[name]) for name in ("host", "port", "database", "user"))

    @classmethod
    def connect_arguments(cls, settings: Settings) -> dict[str, Any]:
        """Give up on a server that does not answer, and take values as the server writes them."""
        limit = settings.number("statement_timeout")
        return {
            "connect_timeout": settings.number("connect_timeout"),
            # The server's own limit comes first; this notices a server that is no more.
            "read_timeout": limit + 30,
            "write_timeout": limit + 30,
            "conv": _CONVERSIONS,
            **_encryption(settings),
        }


def _encryption(settings: Settings) -> dict[str, Any]:
    mode = settings.text("tls_mode")
    if settings.text("host").startswith("/") or mode == "disable":
        return {"ssl_disabled": True}
    if mode == "prefer":
        return {}
    try:
        context = ssl.create_default_context(cafile=settings.text("ca_file") or None)
    except (OSError, ssl.SSLError):
        raise ConfigurationError("the file of the certificate authority cannot be read.") from None
    context.check_hostname = mode == "verify-full"
    context.verify_mode = ssl.CERT_NONE if mode == "require" else ssl.CERT_REQUIRED
    return {"ssl": context}


_OPTIONS = (
    Option("host", "Host", "Name or address of the server, or the path of its socket.", required=True),
    Option("port", "Port", kind=OptionKind.NUMBER, default=3306, minimum=1, maximum=65535),
    Option("database", "Database", required=True),
    Option("user", "User", "An account that may read the described tables and nothing else.", required=True),
    Option("password", "Password", secret=True),
    Option(
        "tls_mode",
        "Encryption",
        "How the connection is protected. A socket needs none.",
        kind=OptionKind.CHOICE,
        default="require",
        choices=TLS_MODES,
    ),
    Option("ca_file", "Certificate authority", "File with the certificate that signed the server's."),
    *COMMON_OPTIONS,
)


def _moment(text: str) -> str:
    return text.replace(" ", "T", 1)


def _moment_in_utc(text: str) -> str:
    """Say of a TIMESTAMP that it is in UTC, in which the transaction asks for it; a zero date is no moment."""
    return text if text.startswith("0000") else f"{_moment(text)}+00:00"


# Python's types hold neither a zero date nor a time of 800 hours nor every decimal: these come as the server's text.
_CONVERSIONS: Mapping[Any, Any] = {
    **conversions,
    FIELD_TYPE.DATE: str,
    FIELD_TYPE.NEWDATE: str,
    FIELD_TYPE.TIME: str,
    FIELD_TYPE.DATETIME: _moment,
    FIELD_TYPE.TIMESTAMP: _moment_in_utc,
    FIELD_TYPE.DECIMAL: str,
    FIELD_TYPE.NEWDECIMAL: str,
}


@dataclass(frozen=True, slots=True)
class MariaDBDialect:
    """What is peculiar to MariaDB. ``statement_timeout`` is in seconds.

    Its texts are mostly compared without regard to case, accents and trailing blanks, which would make one person of
    two. So identifiers are compared letter by letter, beside a comparison of the server's own kind that finds the
    candidates by an index.
    """

    statement_timeout: int

    def digits(self, column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """Strip everything but digits."""
        return sa.func.regexp_replace(column, "[^0-9]", "")

    def fingerprint(self, text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """Use md5; it tells rows apart and protects nothing."""
        return sa.func.md5(text, type_=sa.Text)

    def measure(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """Let the server read the data."""
        return sa.func.concat(sa.func.octet_length(column), " ", sa.func.sha2(column, 256), type_=sa.Text)

    def same_text(self, column: sa.ColumnElement[str], value: str) -> sa.ColumnElement[bool]:
        """Compare as the server does, which can use an index, and then each letter."""
        exact = _letters(column) == sa.literal(value, sa.Text)
        return sa.and_(column.in_(_writable([value], column)), exact) if _collation(column) else exact

    def same_folded(self, column: sa.ColumnElement[str], values: Sequence[str]) -> sa.ColumnElement[bool]:
        """Compare in small letters; where the column itself passes over case, find the candidates by its index.

        What begins with a blank is a candidate as well, since the server passes over trailing blanks only.
        """
        folded = sa.func.lower(sa.func.trim(_letters(column))).in_(
            [sa.func.lower(sa.literal(value, sa.Text)) for value in values]
        )
        if not _collation(column).endswith("_ci"):
            return folded
        candidates = column.in_(_writable(values, column))
        return sa.and_(sa.or_(candidates, column.like(sa.literal(" %", sa.Text))), folded)

    def comparable(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """Name one collation for all."""
        return _letters(as_text(column))

    def typed(self, column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[Any]:
        """Give a key's text as the server writes it; binary data and numbers as what they are."""
        if isinstance(column.type, sa.Integer):
            return sa.literal(int(text), column.type)
        if isinstance(column.type, sa.Float):
            return sa.literal(float(text), column.type)
        if isinstance(column.type, sa.Numeric):
            return sa.cast(sa.literal(text, sa.Text), column.type)
        if is_binary(column):
            return sa.literal(bytes.fromhex(text.removeprefix("\\x")), column.type)
        if isinstance(column.type, mysql.ENUM):
            # The server puts the members in order by their place, and compares them so with a number.
            return sa.literal([*column.type.enums].index(text) + 1, sa.Integer)
        if isinstance(column.type, sa.DateTime):
            return sa.literal(text.removesuffix("+00:00").replace("T", " "), sa.Text)
        return sa.literal(text, sa.Text)

    def reflect(self, connection: sa.Connection, schema: str, names: Sequence[str]) -> Layout:
        """Ask the server's own tables.

        SQLAlchemy reads the statement that made a table, which the server shows only to whoever may read all of it.
        """
        return read_layout(connection, schema, names)

    def readable(self, connection: sa.Connection, columns: Collection[sa.Column[Any]]) -> frozenset[str]:
        """Ask the server, since rights may be given by the column."""
        schemas = {str(column.table.schema) for column in columns}
        rows = [row for schema in schemas for row in connection.execute(_RIGHTS, {"schema": schema})]
        return frozenset(
            f"{row.table_name}.{row.column_name}"
            for row in rows
            if "select" in str(row.privileges).split(",")
        )

    def begin(self, connection: sa.Connection, *, writes: bool) -> None:
        """Set limits and formats, and begin a transaction in which the server refuses writes.

        Strictly, so that a value that does not fit is an error when it is written, rather than cut.
        """
        mode = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
        limit = self.statement_timeout
        connection.exec_driver_sql(
            f"SET SESSION sql_mode = '{mode}', time_zone = '+00:00', max_statement_time = {limit},"
            f" innodb_lock_wait_timeout = {limit}, lock_wait_timeout = {limit}"
        )
        level = "READ COMMITTED" if writes else "REPEATABLE READ"
        connection.exec_driver_sql(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
        start = "READ WRITE" if writes else "WITH CONSISTENT SNAPSHOT, READ ONLY"
        connection.exec_driver_sql(f"START TRANSACTION {start}")

    def account(self, connection: sa.Connection) -> tuple[str, str]:
        """Ask the server who we are and what it is."""
        user, version = connection.execute(sa.text("SELECT current_user(), version()")).one()
        return str(user), f"MariaDB {str(version).partition('-')[0]}"

    def writable(self, connection: sa.Connection, tables: list[sa.Table]) -> list[str]:
        """Ask the server which tables the account could change, by a right over all, the database or the table."""
        rows = connection.execute(_WRITE_RIGHTS, {"schema": tables[0].schema}).all() if tables else []
        rights = {row.table_name for row in rows}
        return [table.name for table in tables if rights & {None, table.name}]

    def explain(self, error: sa.exc.SQLAlchemyError, where: str) -> ConnectorError:
        """Go by the server's number."""
        original = getattr(error, "orig", None)
        arguments = getattr(original, "args", ())
        number = arguments[0] if arguments and isinstance(arguments[0], int) else 0
        make = _ERRORS.get(number)
        if make is not None:
            return make(where)
        if isinstance(error, sa.exc.OperationalError) and not number:
            return Unreachable()
        return ContractBroken(what=f"an answer of the database (code {number})")

    def rights(self, connection: sa.Connection, table: sa.Table) -> Rights:
        """Ask the server's own tables, which tell each account of its own rights."""
        rows = [
            row
            for row in connection.execute(_RIGHTS, {"schema": table.schema})
            if row.table_name == table.name
        ]
        held = {row.column_name: str(row.privileges).split(",") for row in rows}
        asked = {"schema": table.schema, "right": "DELETE"}
        delete = {row.table_name for row in connection.execute(_TABLE_RIGHTS, asked)}
        return Rights(
            frozenset(name for name, may in held.items() if "select" in may),
            frozenset(name for name, may in held.items() if "update" in may),
            bool(delete & {None, table.name}),
        )

    def referrers(self, connection: sa.Connection, table: sa.Table) -> Sequence[Referrer]:
        """Ask the server's own tables, which show foreign keys of tables that the account may read only.

        Raises WriteRefused where it may not read the whole database, since a deletion may then spread unseen.
        """
        asked = {"schema": table.schema, "right": "SELECT"}
        if None not in {row.table_name for row in connection.execute(_TABLE_RIGHTS, asked)}:
            raise WriteRefused(
                Obstacle.PERMISSION,
                "the account has to be allowed to read the whole database, to see which tables refer to this one.",
            )
        return read_referrers(connection, table)

    def triggers(self, connection: sa.Connection, table: sa.Table) -> Sequence[str]:
        """Ask the server's own tables, which show triggers to whoever has the right to make them."""
        rows = connection.execute(_TRIGGERS, {"schema": table.schema, "table": table.name})
        return [str(name) for (name,) in rows]

    def checks(self, connection: sa.Connection, table: sa.Table) -> Sequence[str]:
        """Ask the server's own tables."""
        rows = connection.execute(_CHECKS, {"schema": table.schema, "table": table.name})
        return [str(condition) for (condition,) in rows]

    def can_undo(self, connection: sa.Connection, table: sa.Table) -> bool:
        """Only some engines know transactions; views have none."""
        asked = {"schema": table.schema, "table": table.name}
        return bool(connection.execute(_TRANSACTIONAL, asked).scalar_one_or_none())

    def estimate(self, connection: sa.Connection, table: sa.Table) -> int:
        """Ask the planner."""
        rows = connection.execute(Explained(sa.select(sa.literal(1)).select_from(table), "EXPLAIN"))
        return max((int(row.rows or 0) for row in rows), default=0)

    def scans(self, connection: sa.Connection, statement: sa.Select[Any], table: sa.Table) -> bool:
        """Ask the planner: ALL reads the table, "index" the whole of an index."""
        rows = connection.execute(Explained(statement, "EXPLAIN"))
        return any(row.table == table.name and row.type in {"ALL", "index"} for row in rows)

    def index_for(self, column: sa.Column[Any], kind: str) -> str:
        """Write the statement that makes it, or say that none would serve."""
        if kind == PHONE:
            return "None can serve: keep the digits in a column of their own, and describe that one."
        if kind == EMAIL and not _collation(column).endswith("_ci"):
            return "Give the column a collation that passes over case (…_ci), and an index."
        return f"This one would: CREATE INDEX {column.name}_dsar ON `{column.table.name}` (`{column.name}`)"

    def prepare(self, engine: sa.Engine) -> None:
        """Nothing: values are converted by what the driver was given."""


def _letters(column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Return a text such that each letter and blank counts, whatever the column's character set."""
    return sa.collate(sa.cast(column, mysql.CHAR(charset="utf8mb4")), "utf8mb4_nopad_bin")


def _collation(column: sa.ColumnElement[Any]) -> str:
    return str(getattr(column.type, "collation", None) or "")


# Python's names for the character sets that differ from UTF-8; in another, the server is left to compare by itself.
_CODECS = {
    "utf8mb4": "utf-8",
    "latin1": "cp1252",
    "ascii": "ascii",
    "latin2": "iso8859-2",
    "cp1250": "cp1250",
}


def _writable(values: Sequence[str], column: sa.ColumnElement[Any]) -> list[str]:
    """Return the values that can stand in a column at all; the server refuses to compare others with it."""
    charset = _collation(column).partition("_")[0]
    if charset in {"utf8", "utf8mb3", "ucs2"}:
        return [value for value in values if all(ord(sign) < _BEYOND_BASIC for sign in value)]
    return [value for value in values if _fits(value, _CODECS.get(charset, "ascii"))]


_BEYOND_BASIC = 0x10000


def _fits(value: str, codec: str) -> bool:
    try:
        return bool(value.encode(codec)) or True
    except UnicodeEncodeError:
        return False


_RIGHTS = sa.text(
    "SELECT table_name AS table_name, column_name AS column_name, privileges AS privileges"
    " FROM information_schema.columns WHERE table_schema = :schema"
)
_WRITES = "privilege_type IN ('INSERT', 'UPDATE', 'DELETE')"
# A right over everything or the whole database has no table's name beside it.
_HELD = (
    "SELECT NULL AS table_name FROM information_schema.user_privileges WHERE {right}"
    " UNION SELECT NULL FROM information_schema.schema_privileges WHERE {right} AND :schema LIKE table_schema"
    " UNION SELECT table_name FROM information_schema.table_privileges WHERE {right} AND table_schema = :schema"
)
_WRITE_RIGHTS = sa.text(_HELD.format(right=_WRITES))
_TABLE_RIGHTS = sa.text(_HELD.format(right="privilege_type = :right"))
_TRIGGERS = sa.text(
    "SELECT trigger_name FROM information_schema.triggers WHERE event_object_schema = :schema"
    " AND event_object_table = :table AND event_manipulation IN ('UPDATE', 'DELETE') ORDER BY trigger_name"
)
_CHECKS = sa.text(
    "SELECT check_clause FROM information_schema.check_constraints"
    " WHERE constraint_schema = :schema AND table_name = :table ORDER BY constraint_name"
)
_TRANSACTIONAL = sa.text(
    "SELECT e.transactions = 'YES' FROM information_schema.tables t JOIN information_schema.engines e"
    " ON e.engine = t.engine WHERE t.table_schema = :schema AND t.table_name = :table"
)


def _may_not_read(where: str) -> ConnectorError:
    return PermissionDenied(what=f"the table “{where}”" if where else "one of the described tables")


def _drifted(where: str) -> ConnectorError:
    return SchemaDrift(what=f"a table or column{f' of “{where}”' if where else ''}")


def _refused(obstacle: Obstacle, reason: str) -> Callable[[str], ConnectorError]:
    return lambda _where: WriteRefused(obstacle, reason)


def _plainly(make: Callable[[], ConnectorError]) -> Callable[[str], ConnectorError]:
    return lambda _where: make()


def _numbered() -> Iterator[tuple[tuple[int, ...], Callable[[str], ConnectorError]]]:
    """Yield the server's and the client's error numbers, and what they mean here."""
    yield (1045, 1130, 1251, 1698, 4151), _plainly(AuthError)
    yield (1044, 1142, 1143, 1227, 1370), _may_not_read
    yield (1049,), _plainly(lambda: ConfigurationError("there is no such database on the server."))
    yield (2026, 3159), _plainly(lambda: ConfigurationError(_NO_FITTING_ENCRYPTION))
    yield (1054, 1146, 1356), _drifted
    yield (1205, 1969, 3024), TimedOut
    yield (1040, 1203, 1226), _plainly(lambda: Throttled(retry_after=30))
    yield (1053, 1077, 1080, 1159, 1161, 1180, 1213, 1317, 1927, 2006, 2013, 2055), _plainly(Transient)
    yield (2002, 2003, 2005), _plainly(Unreachable)
    yield (
        (1217, 1451, 1452),
        _refused(Obstacle.REFERENCED, "other rows refer to this one, or it would refer to none."),
    )
    yield (1048, 1364), _refused(Obstacle.STATE, "a column must not be empty.")
    yield (1062,), _refused(Obstacle.STATE, "another row holds this value, and only one may.")
    yield (1264, 1265, 1292, 1366, 1406), _refused(Obstacle.STATE, "the value does not fit into the column.")
    yield (3819, 4025), _refused(Obstacle.STATE, "a rule of the table does not allow the value.")
    yield (1644,), _refused(Obstacle.STATE, "a rule of the database's own forbids it.")


_NO_FITTING_ENCRYPTION = "the encryption asked for and what the server offers do not fit."
_ERRORS = {number: make for numbers, make in _numbered() for number in numbers}
