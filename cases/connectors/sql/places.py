"""Walks through the keys of all described tables, and the identifiers that their rows bear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa

from cases.connectors.base import ContractBroken, Cursor, Identifier
from cases.connectors.places import Place, PlacePage
from cases.connectors.sql.dialect import Dialect
from cases.connectors.sql.schema import BoundCollection, BoundSource
from cases.connectors.sql.values import key_text, row_ref


def walk(
    connection: sa.Connection, source: BoundSource, dialect: Dialect, cursor: Cursor | None, room: int
) -> PlacePage:
    """Return one page, which ends with its table. Tables without a key have no places, and are named."""
    keyed = [name for name, bound in source.collections.items() if bound.key]
    skipped = tuple(name for name in source.collections if name not in keyed)
    if not keyed:
        return PlacePage((), None, skipped)
    stage = cursor.stage if cursor else keyed[0]
    if stage not in keyed:
        raise ContractBroken(what="the place where an earlier search stopped")
    bound = source.collections[stage]
    after = cast(Sequence[str] | None, cursor.after) if cursor else None
    rows = connection.execute(_page(bound, dialect, after).limit(room + 1)).all()
    places = [_place(bound, row) for row in rows[:room]]
    if len(rows) > room:
        last = [key_text(value) for value in rows[room - 1][: len(bound.key)]]
        return PlacePage(places, Cursor(stage, last), skipped)
    later = keyed[keyed.index(stage) + 1 :]
    return PlacePage(places, Cursor(later[0]) if later else None, skipped)


def _page(bound: BoundCollection, dialect: Dialect, after: Sequence[str] | None) -> sa.Select[Any]:
    key = [bound.table.c[name] for name in bound.key]
    borne = [bound.table.c[item.name] for item in bound.collection.identities]
    chosen = sa.select(*key, *borne).order_by(*key)
    if after is None:
        return chosen
    if len(after) != len(key):
        raise ContractBroken(what="the place where an earlier search stopped")
    values = [dialect.typed(column, text) for column, text in zip(key, after, strict=True)]
    return chosen.where(key[0] > values[0] if len(key) == 1 else sa.tuple_(*key) > sa.tuple_(*values))


def _place(bound: BoundCollection, row: Sequence[Any]) -> Place:
    key, borne = row[: len(bound.key)], row[len(bound.key) :]
    name = bound.collection.name
    identifiers = tuple(
        Identifier(str(item.identity), str(value))
        for item, value in zip(bound.collection.identities, borne, strict=True)
        if value is not None and str(value).strip()
    )
    return Place(row_ref(name, key, readable=bound.readable_key), name, identifiers)
