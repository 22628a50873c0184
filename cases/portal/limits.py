"""How often a visitor may try something, counted in PostgreSQL."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from django.db import connection
from django.db.models import Q, QuerySet

from cases import queries
from cases.models import Attempt
from dsar.lib import crypto
from dsar.lib.tenancy import unit_of_work
from identity import services, texting
from identity.models import Controller

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Limit:
    """At most so many tries within a time, that slides."""

    what: str
    most: int
    within: timedelta = HOUR


Counted = tuple[Limit, bytes]

# By the visitor's network address: offices and families share one.
ASK_FROM_HERE = Limit("ask_from_here", 20)
SEND_FROM_HERE = Limit("send_from_here", 40)
TRY_FROM_HERE = Limit("try_from_here", 80)
# By what is asked or claimed, whether or not there is anything behind it.
ASK_FOR_ADDRESS = Limit("ask_for_address", 6)
SEND = Limit("send", services.CODES_PER_HOUR)
TEXT = Limit("text", texting.PER_HOUR)
TRY = Limit("try", services.CODE_TRIES * services.CODES_PER_HOUR)
# Trips to the provider of the brand's customer accounts.
LOGIN_FROM_HERE = Limit("login_from_here", 40)
# Pictures of documents: decoding them costs time. One of poor quality is asked for again so often, no more.
DOCUMENT = Limit("document", 12)
POOR_PICTURE = Limit("poor_picture", 2)
# Checks at an external provider cost money. Messages in its name that are not believed count by where they come from.
EXTERNAL = Limit("external", 10)
EXTERNAL_FROM_HERE = Limit("external_from_here", 40)
NOT_BELIEVED = Limit("not_believed", 60)
# Owners of sources: links tried from one place, and what is done on one inquiry.
INQUIRY_FROM_HERE = Limit("inquiry_from_here", 40)
INQUIRY = Limit("inquiry", 120)


def spend(controller: Controller, limit: Limit, who: str, now: datetime) -> bool:
    """Count one try for good; False where there were too many, and then it is not counted."""
    return spend_each(controller, [(limit, who)], now)


def spend_each(controller: Controller, tries: Sequence[tuple[Limit, str]], now: datetime) -> bool:
    """Count one try of each for good, up to the first that had too many: then False, and that one is not counted.

    Call it outside of any unit of work, so that nothing gives the tries back. Tries made at once by the same
    visitor wait for one another; give the limits in the same order everywhere, so that no two wait in a ring.
    """
    with unit_of_work([controller.pk]):
        keys = [(limit, _key(controller, limit, who, now)) for limit, who in tries]
        _take_turns([key for _limit, key in keys])
        allowed = list(takewhile(_has_room(_recent(controller, keys, now)), keys))
        Attempt.objects.bulk_create(
            [Attempt(controller=controller, what=limit.what, who=key, at=now) for limit, key in allowed]
        )
        return len(allowed) == len(keys)


def _recent(controller: Controller, keys: list[Counted], now: datetime) -> Counter[str]:
    """How often each was tried within its limit's time; no more rows than the limits allow are read."""
    wanted = Q()
    for limit, key in keys:
        wanted |= Q(what=limit.what, who=key, at__gt=now - limit.within)
    return Counter(Attempt.objects.filter(wanted, controller=controller).values_list("what", flat=True))


def _has_room(recent: Counter[str]) -> Callable[[Counted], bool]:
    return lambda one: recent[one[0].what] < one[0].most


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


def _take_turns(keys: list[bytes]) -> None:
    """Hold the keys in their order until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(%s::text[]) key",
            [[key.hex() for key in keys]],
        )
