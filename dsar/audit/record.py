"""The only writer of the trail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
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


def record(
    action: Action,
    actor: Actor,
    at: datetime,
    *,
    controller_id: UUID | None = None,
    case_id: UUID | None = None,
    data: Codes | None = None,
) -> None:
    """Append one event in the present transaction. ``data`` holds codes and ids, never words.

    Plain SQL: the place, the previous hash and the hash are the trigger's to write.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_event (id, chain, seq, at, action, actor_kind, actor_id, controller_id, case_id,"
            " data, prev, hash) VALUES (%s, %s, 0, %s, %s, %s, %s, %s, %s, %s, '', '')",
            [
                uuid7(),
                case_id or controller_id or SYSTEM_CHAIN,
                at,
                action.value,
                actor.kind,
                actor.id,
                controller_id,
                case_id,
                connection.ops.adapt_json_value(dict(data or {}), None),
            ],
        )


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
            record(action, actor, at, controller_id=controller_id, case_id=case_id, data=data)

    whatever_happens(act)
