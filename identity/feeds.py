"""The secret address of one's own calendar: made, renewed, closed, and read so often an hour."""

import secrets
from datetime import datetime, timedelta
from enum import Enum

from django.db import transaction

from dsar.audit.actions import Action
from dsar.audit.record import record
from identity.models import CalendarFeed, User
from identity.services import TOKEN_BYTES, token_hash

READS_AN_HOUR = 60
HOUR = timedelta(hours=1)


class TooManyReads(Enum):
    """The one value that says that a calendar asked too often."""

    TOO_MANY_READS = 1


TOO_MANY_READS = TooManyReads.TOO_MANY_READS


def open_feed(person: User, now: datetime) -> str:
    """Make the address's secret part; it is returned once, and an earlier one opens nothing any more."""
    value = secrets.token_urlsafe(TOKEN_BYTES)
    fresh = {
        "token_hash": token_hash(value),
        "made_at": now,
        "read_at": None,
        "hour_from": None,
        "hour_reads": 0,
    }
    CalendarFeed.objects.update_or_create(user=person, defaults=fresh)
    record(Action.CALENDAR_OPENED, person.actor, now)
    return value


def close_feed(person: User, now: datetime) -> None:
    """The address opens nothing any more."""
    if CalendarFeed.objects.filter(user=person).delete()[0]:
        record(Action.CALENDAR_CLOSED, person.actor, now)


def feed_of(person: User) -> CalendarFeed | None:
    return CalendarFeed.objects.filter(user=person).first()


def reader(value: str, now: datetime) -> User | TooManyReads | None:
    """Whose calendar asks, and count it; None for an unknown address and for who works here no more."""
    with transaction.atomic():
        feed = (
            CalendarFeed.objects.select_for_update(of=("self",))
            .select_related("user")
            .filter(token_hash=token_hash(value), user__is_active=True, user__is_principal=False)
            .first()
        )
        if feed is None:
            return None
        return feed.user if _counted(feed, now) else TOO_MANY_READS


def _counted(feed: CalendarFeed, now: datetime) -> bool:
    if feed.hour_from is None or feed.hour_from <= now - HOUR:
        feed.hour_from, feed.hour_reads = now, 0
    allowed = feed.hour_reads < READS_AN_HOUR
    if allowed:
        feed.hour_reads, feed.read_at = feed.hour_reads + 1, now
        feed.save(update_fields=["hour_from", "hour_reads", "read_at"])
    return allowed
