"""How often a visitor may try something, counted in PostgreSQL."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet

from cases import queries
from cases.models import Attempt
from dsar.lib import crypto
from dsar.lib.tenancy import unit_of_work
from identity import services
from identity.models import Controller

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Limit:
    """At most so many tries within a time, that slides."""

    what: str
    most: int
    within: timedelta = HOUR


# By the visitor's network address: offices and families share one.
ASK_FROM_HERE = Limit("ask_from_here", 20)
SEND_FROM_HERE = Limit("send_from_here", 40)
TRY_FROM_HERE = Limit("try_from_here", 80)
# By what is asked or claimed, whether or not there is anything behind it.
ASK_FOR_ADDRESS = Limit("ask_for_address", 6)
SEND = Limit("send", services.CODES_PER_HOUR)
TRY = Limit("try", services.CODE_TRIES * services.CODES_PER_HOUR)


def spend(controller: Controller, limit: Limit, who: str, now: datetime) -> bool:
    """Count one try for good; False where there were too many, and then it is not counted.

    Call it outside of any unit of work, so that nothing gives the try back. Tries made at once by the same
    visitor wait for one another.
    """
    with unit_of_work([controller.pk]):
        key = _key(controller, limit, who, now)
        _take_turns(key)
        recent = Attempt.objects.filter(what=limit.what, who=key, at__gt=now - limit.within).count()
        if recent >= limit.most:
            return False
        Attempt.objects.create(controller=controller, what=limit.what, who=key, at=now)
        return True


def latest(controller: Controller, limit: Limit, who: str, now: datetime) -> datetime | None:
    """When it was last tried within the limit's time."""
    found: datetime | None = (
        _tries(controller, limit, who, now).order_by("-at").values_list("at", flat=True).first()
    )
    return found


def count_since(controller: Controller, limit: Limit, who: str, since: datetime, now: datetime) -> int:
    """How often it was tried since then."""
    return int(_tries(controller, limit, who, now).filter(at__gte=since).count())


def _tries(controller: Controller, limit: Limit, who: str, now: datetime) -> QuerySet[Attempt]:
    key = _key(controller, limit, who, now)
    return Attempt.objects.filter(controller=controller, what=limit.what, who=key, at__gt=now - limit.within)


def _key(controller: Controller, limit: Limit, who: str, now: datetime) -> bytes:
    return crypto.blind(queries.lookup_key(controller.pk, now), f"attempt|{limit.what}|{who}")


def _take_turns(key: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key.hex()])
