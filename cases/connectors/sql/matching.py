"""Turns rows that bear an identifier into matches: how sure, what staff see of them, and what else they reveal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa

from cases.connectors.base import JSON, Confidence, Identifier, Match, is_searchable
from cases.connectors.description import Collection, Field
from cases.connectors.sql.dialect import Dialect, is_whole
from cases.connectors.sql.identity import SHARED_KINDS, equals, is_filled
from cases.connectors.sql.query import Row, Start, Trait
from cases.connectors.sql.schema import BoundCollection
from cases.connectors.sql.values import key_text, row_ref, to_json

# Up to so many rows found by identity are pinned down by their keys, which is quick; beyond, the identity is asked for
# again in each statement.
MATCH_ROWS = 100

# What tells one person from another, the most telling first; so many fields of a match are shown, cut to so many signs.
_TELLING = ("user.name", "user.contact", "user.demographic.date_of_birth", "user.unique_id", "user.account")
_SHOWN_FIELDS = 6
_SHOWN_SIGNS = 200


def traits_of(collection: Collection, identifiers: Sequence[Identifier]) -> list[Trait]:
    """Return where in a collection these identifiers are looked for."""
    return [
        Trait(field.name, item.kind, item.value)
        for field in collection.identities
        for item in identifiers
        if field.identity == item.kind
    ]


@dataclass(frozen=True)
class Finder:
    """The search for some traits in one collection."""

    bound: BoundCollection
    traits: Sequence[Trait]
    dialect: Dialect

    @cached_property
    def statement(self) -> sa.Select[tuple[object, ...]]:
        """Select key, shown fields, and a yes or no for each trait and for doubt; one row more than is pinned down."""
        table = self.bound.table
        clauses = [self._equals(trait) for trait in self.traits]
        flags = [
            sa.func.coalesce(one, sa.false()).label(f"dsar_{i}")
            for i, one in enumerate([*clauses, self._contradicts()])
        ]
        key = [table.c[name] for name in self.bound.key]
        shown = [table.c[name].label(f"dsar_shown_{i}") for i, name in enumerate(self._shown)]
        chosen = sa.select(*key, *shown, *flags).select_from(table).where(sa.or_(*clauses))
        return chosen.order_by(*key).limit(MATCH_ROWS + 1)

    def search(self, connection: sa.Connection) -> Iterator[Match]:
        """Yield a match for each row, or for all of them together where there are very many."""
        rows = connection.execute(self.statement).all()
        if self.bound.key and len(rows) <= MATCH_ROWS:
            yield from (self._match_row(row) for row in rows)
        elif rows:
            yield from self._match_collection(self._met_anywhere(connection))

    @cached_property
    def _shown(self) -> tuple[str, ...]:
        """The columns to fetch beside the key: identities, and what tells people apart."""
        fields = [*self._telling, *(item.name for item in self.bound.collection.identities)]
        return tuple(dict.fromkeys(fields))

    @cached_property
    def _telling(self) -> list[str]:
        table, ranked = self.bound.table, []
        for item in self.bound.collection.fields:
            rank = _rank(item)
            if rank is not None and not item.third_party and is_whole(table.c[item.name]):
                ranked.append((rank, item.name))
        return [name for _, name in sorted(ranked, key=lambda pair: pair[0])][:_SHOWN_FIELDS]

    def _equals(self, trait: Trait) -> sa.ColumnElement[bool]:
        return equals(self.bound.table.c[trait.field], trait.kind, trait.value, self.dialect)

    def _contradicts(self) -> sa.ColumnElement[bool]:
        """Return the condition that a row bears an identifier of its own which is another than the person's."""
        own = [trait for trait in self.traits if trait.kind not in SHARED_KINDS]
        fields = dict.fromkeys(trait.field for trait in own)
        return sa.or_(sa.false(), *(self._holds_another(field, own) for field in fields))

    def _holds_another(self, field: str, own: Sequence[Trait]) -> sa.ColumnElement[bool]:
        others = [sa.not_(self._equals(trait)) for trait in own if trait.field == field]
        return sa.and_(is_filled(self.bound.table.c[field]), *others)

    def _met_anywhere(self, connection: sa.Connection) -> Mapping[Trait, bool]:
        """Say of each trait whether any row of a collection bears it."""
        table = self.bound.table
        asked = [sa.exists().select_from(table).where(self._equals(one)) for one in self.traits]
        return dict(zip(self.traits, map(bool, connection.execute(sa.select(*asked)).one()), strict=True))

    def _match_row(self, row: Row) -> Match:
        size, name = len(self.bound.key), self.bound.collection.name
        *flags, is_doubtful = row[size + len(self._shown) :]
        shown = dict(zip(self._shown, map(to_json, row[size : size + len(self._shown)]), strict=True))
        met = [trait for trait, yes in zip(self.traits, flags, strict=True) if yes]
        is_own = any(trait.kind not in SHARED_KINDS for trait in met)
        return Match(
            row_ref(name, row[:size], readable=self.bound.readable_key),
            name,
            _kinds(met),
            Confidence.EXACT if is_own or not is_doubtful else Confidence.PROBABLE,
            Start(tuple(met), tuple(key_text(value) for value in row[:size])).to_json(),
            {field: _shorten(shown[field]) for field in self._telling if shown[field] not in {None, ""}},
            tuple(self._revealed(shown, met)) if is_own else (),
        )

    def _revealed(self, shown: Mapping[str, JSON], met: Sequence[Trait]) -> Iterator[Identifier]:
        """Yield what else the person's own row bears.

        A row that agrees in nothing but what several people share, such as a telephone number, reveals nothing.
        """
        known = {trait.field for trait in met}
        for field in self.bound.collection.identities:
            value = shown[field.name]
            if field.name in known or field.third_party or value is None:
                continue
            found = Identifier(str(field.identity), str(value).strip())
            if is_searchable(found):
                yield found

    def _match_collection(self, met: Mapping[Trait, bool]) -> Iterator[Match]:
        """Match very many rows at once: surely by what is the person's own, probably by what may be shared."""
        name = self.bound.collection.name
        own = [trait for trait in met if trait.kind not in SHARED_KINDS]
        shared = [trait for trait, yes in met.items() if yes and trait.kind in SHARED_KINDS]
        if found := [trait for trait in own if met[trait]]:
            selector = Start(tuple(found), None).to_json()
            yield Match(name, name, _kinds(found), Confidence.EXACT, selector, is_group=True)
        if shared:
            confidence = Confidence.PROBABLE if own else Confidence.EXACT
            selector = Start(tuple(shared), None).to_json()
            yield Match(f"{name}/~", name, _kinds(shared), confidence, selector, is_group=True)


def _rank(item: Field) -> int | None:
    """Return how telling a field is, 0 the most, or None when it is not."""
    ranks = [rank for rank, word in enumerate(_TELLING) for held in item.categories if held.startswith(word)]
    return min(ranks, default=None)


def _shorten(value: JSON) -> JSON:
    return f"{value[:_SHOWN_SIGNS]}…" if isinstance(value, str) and len(value) > _SHOWN_SIGNS else value


def _kinds(traits: Sequence[Trait]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(trait.kind for trait in traits))
