"""A whole database before and after, to see every row that changed and nothing else."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from tests.cases.connectors.sql.conftest import Source

Rows: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Any]]]


def everything(source: Source) -> dict[str, dict[str, dict[str, Any]]]:
    """Each row of each table as JSON, by table and by its primary key."""
    return {table: _table(source, table) for (table,) in source.rows(_TABLES.format(schema=source.schema))}


def _table(source: Source, table: str) -> dict[str, dict[str, Any]]:
    keys = [name for (name,) in source.rows(_KEYS.format(schema=source.schema, table=table))]
    rows = [row for (row,) in source.rows(f'SELECT to_jsonb(t) FROM "{table}" t')]
    found = {"/".join(str(row[name]) for name in keys): row for row in rows}
    assert len(found) == len(rows), f"rows of {table} are not told apart"
    return found


def changes(before: Rows, after: Rows) -> dict[str, Any]:
    """Every difference: rows that are gone or new, and of the others each field with what it holds now."""
    found: dict[str, Any] = {}
    for table in before.keys() | after.keys():
        old, new = before.get(table, {}), after.get(table, {})
        for key in old.keys() | new.keys():
            if key not in new:
                found[f"{table}/{key}"] = "gone"
            elif key not in old:
                found[f"{table}/{key}"] = "new"
            elif old[key] != new[key]:
                found[f"{table}/{key}"] = {n: v for n, v in new[key].items() if old[key].get(n) != v}
    return found


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'"
_KEYS = (
    "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
    ' WHERE i.indisprimary AND i.indrelid = \'"{schema}"."{table}"\'::regclass ORDER BY a.attnum'
)
