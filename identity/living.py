"""The living sessions of a person: listed so that they are recognised, ended one by one or together."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from dsar.audit.actions import Action
from dsar.audit.record import Actor, record
from identity import sessions
from identity.models import Session, User


@dataclass(frozen=True)
class Living:
    """One session as its owner may recognise it. ``handle`` names it in a form and opens nothing."""

    handle: str
    began_at: datetime
    seen_at: datetime
    browser: str
    system: str
    network: str
    is_here: bool


def living(person: User, now: datetime, here: str | None = None) -> list[Living]:
    """The sessions in which both factors were passed, the latest first; ``here`` is the key of the reader's own."""
    shown = [
        _living(row.session_key, data, here) for row, data in _open(person, now) if sessions.is_complete(data)
    ]
    return sorted(shown, key=lambda each: (each.is_here, each.seen_at), reverse=True)


def end_one(person: User, handle: str, by: Actor, now: datetime) -> bool:
    """End the session of this handle; False where it is over already, or is somebody else's."""
    keys = [row.session_key for row, _ in _open(person, now) if _handle(row.session_key) == handle]
    return _end(person, keys, by, now) > 0


def end_others(person: User, keep: str | None, by: Actor, now: datetime) -> int:
    """End every session but the one with this key, those included that still lack the second factor."""
    keys = [row.session_key for row in Session.objects.filter(user=person) if row.session_key != keep]
    return _end(person, keys, by, now)


def _open(person: User, now: datetime) -> Iterator[tuple[Session, dict[str, Any]]]:
    for row in Session.objects.filter(user=person, expire_date__gt=now):
        data = row.get_decoded()
        if sessions.end_reason(data, int(now.timestamp())) is None:
            yield row, data


def _living(key: str, data: dict[str, Any], here: str | None) -> Living:
    browser, system = data.get(sessions.BROWSER, ("", ""))
    return Living(
        handle=_handle(key),
        began_at=_moment(data.get(sessions.STARTED, 0)),
        seen_at=_moment(data.get(sessions.SEEN, 0)),
        browser=browser,
        system=system,
        network=data.get(sessions.NETWORK, ""),
        is_here=key == here,
    )


def _handle(key: str) -> str:
    """A session's key opens it, and so is never shown."""
    return sha256(f"session|{key}".encode()).hexdigest()[:32]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _end(person: User, keys: list[str], by: Actor, now: datetime) -> int:
    ended, _ = Session.objects.filter(session_key__in=keys).delete()
    if ended:
        record(Action.SESSIONS_ENDED, by, now, data={"of": str(person.pk), "count": ended})
    return ended
