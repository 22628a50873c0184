"""What a MariaDB says of its tables, to whoever may read no more than some columns of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from cases.connectors.sql.dialect import ColumnFacts, Columns, ForeignKey, Layout, Referrer

_COLUMNS = sa.text(
    "SELECT table_name AS place, column_name AS name, data_type AS kind, column_type AS definition,"
    " character_maximum_length AS length, numeric_precision AS digits, numeric_scale AS scale,"
    " datetime_precision AS fraction, is_nullable AS nullable, collation_name AS collation, is_generated AS computed"
    " FROM information_schema.columns WHERE table_schema = :schema AND table_name IN :names"
    " ORDER BY table_name, ordinal_position"
).bindparams(sa.bindparam("names", expanding=True))
_KEYS = sa.text(
    "SELECT table_name AS place, index_name AS name, column_name AS field FROM information_schema.statistics"
    " WHERE table_schema = :schema AND table_name IN :names AND non_unique = 0 AND sub_part IS NULL"
    " ORDER BY table_name, index_name <> 'PRIMARY', index_name, seq_in_index"
).bindparams(sa.bindparam("names", expanding=True))
_FOREIGN_KEYS = sa.text(
    "SELECT table_name AS place, constraint_name AS name, column_name AS field, referenced_table_name AS other,"
    " referenced_column_name AS other_field FROM information_schema.key_column_usage"
    " WHERE table_schema = :schema AND table_name IN :names AND referenced_table_schema = :schema"
    " ORDER BY table_name, constraint_name, ordinal_position"
).bindparams(sa.bindparam("names", expanding=True))
_DOCUMENTS = sa.text(
    "SELECT table_name AS place, check_clause AS clause FROM information_schema.check_constraints"
    " WHERE constraint_schema = :schema AND check_clause LIKE 'json_valid(%'"
)


# What a deletion does to the rows that refer is told only to an account with more than SELECT; unknown is the worst.
_REFERRERS = sa.text(
    "SELECT k.table_schema AS home, k.table_name AS place, k.constraint_name AS name, k.column_name AS field,"
    " k.referenced_column_name AS other_field, COALESCE(r.delete_rule, 'CASCADE') AS on_delete"
    " FROM information_schema.key_column_usage k LEFT JOIN information_schema.referential_constraints r"
    "  ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name"
    "  AND r.table_name = k.table_name"
    " WHERE k.referenced_table_schema = :schema AND k.referenced_table_name = :table"
    " ORDER BY k.table_schema, k.table_name, k.constraint_name, k.ordinal_position"
)


class Time(mysql.TIME):
    """A time of the day or a span of up to 838 hours, taken as text."""

    cache_ok = True

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        """Leave the text as it is."""


def read_layout(connection: sa.Connection, schema: str, names: Sequence[str]) -> Layout:
    """Read columns, unique keys and references of these tables."""
    asked = {"schema": schema, "names": [*names]}
    documents = _documents(connection, schema)
    columns: dict[str, list[ColumnFacts]] = defaultdict(list)
    for row in connection.execute(_COLUMNS, asked):
        kind = sa.JSON() if (row.place, row.name) in documents else _type(row)
        columns[row.place].append(ColumnFacts(row.name, kind, row.nullable == "YES", row.computed != "NEVER"))
    keys = _grouped(connection.execute(_KEYS, asked))
    foreign = _grouped(connection.execute(_FOREIGN_KEYS, asked))
    return Layout(
        columns,
        {name: [_fields(rows, "field") for rows in keys.get(name, ())] for name in names},
        {name: [_foreign_key(rows) for rows in foreign.get(name, ())] for name in names},
    )


def read_referrers(connection: sa.Connection, table: sa.Table) -> list[Referrer]:
    """Read the foreign keys that lead to a table, as far as the account may see."""
    found = _grouped(connection.execute(_REFERRERS, {"schema": table.schema, "table": table.name}))
    return [
        Referrer(
            rows[0].home,
            rows[0].place,
            _fields(rows, "field"),
            _fields(rows, "other_field"),
            rows[0].on_delete,
        )
        for groups in found.values()
        for rows in groups
    ]


def _grouped(rows: Iterable[Any]) -> Mapping[str, list[list[Any]]]:
    """Return the rows by table, and there by the name of the key, in their order."""
    groups: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        groups[row.place][row.name].append(row)
    return {place: list(found.values()) for place, found in groups.items()}


def _fields(rows: Sequence[Any], name: str) -> Columns:
    return tuple(str(getattr(row, name)) for row in rows)


def _foreign_key(rows: Sequence[Any]) -> ForeignKey:
    return ForeignKey(str(rows[0].other), _fields(rows, "field"), _fields(rows, "other_field"))


def _documents(connection: sa.Connection, schema: str) -> frozenset[tuple[str, str]]:
    """Return the columns that the server itself keeps valid as JSON: its only sign of a document."""
    rows = connection.execute(_DOCUMENTS, {"schema": schema})
    return frozenset(
        (str(row.place), str(row.clause).removeprefix("json_valid(`").removesuffix("`)")) for row in rows
    )


def _type(row: Any) -> sa.types.TypeEngine[Any]:
    """Return the type of a column; one that is not known here is compared and fetched as text."""
    make = _TYPES.get(str(row.kind))
    return make(row) if make else sa.types.NullType()


def _members(definition: str) -> list[str]:
    """Return the members of an enumeration or a set, which the server quotes as in SQL."""
    return [quoted.replace("''", "'") for quoted in re.findall(r"'((?:[^']|'')*)'", definition)]


def _whole(kind: Callable[..., sa.types.TypeEngine[Any]]) -> Callable[[Any], sa.types.TypeEngine[Any]]:
    return lambda row: kind(unsigned="unsigned" in row.definition)


def _text(kind: Callable[..., sa.types.TypeEngine[Any]]) -> Callable[[Any], sa.types.TypeEngine[Any]]:
    return lambda row: kind(row.length, collation=row.collation)


def _moment(kind: Callable[..., sa.types.TypeEngine[Any]]) -> Callable[[Any], sa.types.TypeEngine[Any]]:
    return lambda row: kind(fsp=row.fraction)


def _long_text(row: Any) -> sa.types.TypeEngine[Any]:
    return mysql.LONGTEXT(collation=row.collation)


def _binary(row: Any) -> sa.types.TypeEngine[Any]:
    return sa.VARBINARY(row.length)


_TYPES: Mapping[str, Callable[[Any], sa.types.TypeEngine[Any]]] = {
    "tinyint": _whole(mysql.TINYINT),
    "smallint": _whole(mysql.SMALLINT),
    "mediumint": _whole(mysql.MEDIUMINT),
    "int": _whole(mysql.INTEGER),
    "year": _whole(mysql.INTEGER),
    "bigint": _whole(mysql.BIGINT),
    "bit": lambda row: mysql.BIT(row.digits),
    "decimal": lambda row: sa.Numeric(row.digits, row.scale),
    "float": lambda row: sa.Float(),
    "double": lambda row: sa.Float(),
    **{name: _text(mysql.VARCHAR) for name in ("char", "varchar")},
    **dict.fromkeys(("tinytext", "text", "mediumtext", "longtext"), _long_text),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), _binary),
    "date": lambda row: sa.Date(),
    "datetime": _moment(mysql.DATETIME),
    "timestamp": _moment(mysql.TIMESTAMP),
    "time": _moment(Time),
    "enum": lambda row: mysql.ENUM(*_members(row.definition), collation=row.collation),
    "set": lambda row: mysql.SET(*_members(row.definition), collation=row.collation),
    "uuid": lambda row: sa.Uuid(as_uuid=True),
}
