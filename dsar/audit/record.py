"""The only writer of the trail."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import connection

from dsar.audit.actions import Action
from dsar.audit.models import SYSTEM_CHAIN
from dsar.lib.tenancy import unit_of_work, whatever_happens
from dsar.lib.uuid7 import uuid7

ActorKind = Literal["staff", "customer", "source_owner", "system", "operator"]


@dataclass(frozen=True)
class Actor:
    """Who acts: a member of staff, a customer by token, a source's owner, or the system itself."""

    kind: ActorKind
    id: UUID | None = None


SYSTEM = Actor("system")
OPERATOR = Actor("operator")

Codes = Mapping[str, "str | int | bool | None | list[str]"]

_INSERT = """
INSERT INTO audit_event (id, chain, seq, at, action, actor_kind, actor_id, controller_id, case_id, data, prev, hash)
VALUES """
_PLACES = "(%s, %s, 0, %s, %s, %s, %s, %s, %s, %s, '', '')"

_Row = tuple[Any, ...]

_gathering: ContextVar[list[_Row] | None] = ContextVar("dsar_audit_gathering", default=None)


def record(
    action: Action,
    actor: Actor,
    at: datetime,
    *,
    controller_id: UUID | None = None,
    case_id: UUID | None = None,
    data: Codes | None = None,
) -> None:
    """Append one event in the present transaction. ``data`` holds codes and ids, never words."""
    row = _row(action, actor, at, controller_id, case_id, data)
    gathering = _gathering.get()
    if gathering is None:
        _write([row])
    else:
        gathering.append(row)


@contextmanager
def gathered() -> Iterator[None]:
    """Write what is recorded inside together, in its order, when the block ends well.

    It costs one statement, and a chain that many share is held for the end of the transaction alone. For a block
    that stands or falls as a whole: an event is written even if a savepoint inside that made it was rolled back.
    """
    if _gathering.get() is not None:
        yield
        return
    rows: list[_Row] = []
    token = _gathering.set(rows)
    try:
        yield
    finally:
        _gathering.reset(token)
    _write(rows)


def _row(
    action: Action,
    actor: Actor,
    at: datetime,
    controller_id: UUID | None,
    case_id: UUID | None,
    data: Codes | None,
) -> _Row:
    return (
        uuid7(),
        case_id or controller_id or SYSTEM_CHAIN,
        at,
        action.value,
        actor.kind,
        actor.id,
        controller_id,
        case_id,
        connection.ops.adapt_json_value(dict(data or {}), None),
    )


def _write(rows: Sequence[_Row]) -> None:
    """Plain SQL: the place, the previous hash and the hash are the trigger's to write."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_INSERT + ", ".join([_PLACES] * len(rows)), [value for row in rows for value in row])


def record_whatever_happens(
    action: Action,
    actor: Actor,
    at: datetime,
    *,
    controller_id: UUID | None = None,
    case_id: UUID | None = None,
    data: Codes | None = None,
) -> None:
    """Append one event that a rollback of the present transaction does not undo."""

    def act() -> None:
        with unit_of_work([controller_id] if controller_id else []):
            _write([_row(action, actor, at, controller_id, case_id, data)])

    whatever_happens(act)
