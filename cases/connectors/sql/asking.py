"""Looks up the answers to questions: of one person, one value a question, one statement each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa

from cases.connectors.base import Confidence, Match
from cases.connectors.description import Askable, Collection, Dataset
from cases.connectors.questions import Answer, FactKind, Question
from cases.connectors.sql.query import Search
from cases.connectors.sql.values import to_json


def questions_of(dataset: Dataset) -> tuple[Question, ...]:
    """What the description says may be asked."""
    return tuple(
        Question(
            f"{held.name}.{field.name}",
            FactKind(field.askable.kind),
            field.askable.wording,
            field.askable.choices,
        )
        for held in dataset.reached
        for field in held.fields
        if field.askable is not None
    )


def is_one_person(matches: Sequence[Match]) -> bool:
    """Whether these rows are surely of one person: at most one a table, each bearing what was searched for."""
    tables = [match.type for match in matches]
    return bool(matches) and len(set(tables)) == len(tables) and all(map(_is_sure, matches))


def _is_sure(match: Match) -> bool:
    return match.confidence is Confidence.EXACT and match.selector.get("key") is not None


def answers(
    connection: sa.Connection, dataset: Dataset, search: Search, names: Iterable[str]
) -> Iterator[Answer]:
    """The answer to each question that has one."""
    for name in names:
        held, field, askable = _place(dataset, name)
        statement = _statement(search, held, field, askable) if held and askable else None
        value = connection.execute(statement).scalars().first() if statement is not None else None
        if value is not None and str(to_json(value)).strip():
            yield Answer(name, str(to_json(value)))


def _place(dataset: Dataset, name: str) -> tuple[Collection | None, str, Askable | None]:
    collection, _, field = name.partition(".")
    held = dataset.by_name.get(collection)
    found = held.by_name.get(field) if held else None
    return held, field, found.askable if found else None


def _statement(
    search: Search, held: Collection, field: str, askable: Askable
) -> sa.Select[tuple[object]] | None:
    """One value of the person's rows: of the newest, where there may be several."""
    bound = search.source.collections[held.name]
    table = bound.table.alias()
    conditions = search.conditions(bound, table)
    if not conditions:
        return None
    column = table.c[field]
    chosen = sa.select(column).where(sa.or_(*(one.clause for one in conditions)), column.is_not(None))
    if askable.newest_by:
        chosen = chosen.where(table.c[askable.newest_by].is_not(None)).order_by(
            table.c[askable.newest_by].desc()
        )
    return chosen.limit(1)
