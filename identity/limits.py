"""How often a stranger may try something: every limit of the site, declared here and counted in PostgreSQL.

A step is a page that can be asked for before it is known who asks. ``STEPS`` says for each how often it may be asked
for from one network, for one brand, or by one account; the middleware counts before the page is called, in a
transaction of its own that nothing takes back. What can only be known further in, such as the address that was typed,
is counted by the page, with the same function.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from dsar.audit.actions import Action
from dsar.audit.record import Actor, ActorKind, record
from dsar.lib.tenancy import unit_of_work
from identity import texting
from identity.models import Attempt
from identity.services import CODE_TRIES, CODES_PER_HOUR

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
TOLD = "told."


class Per(StrEnum):
    """Whose tries are counted together."""

    NETWORK = "network"
    BRAND = "brand"
    ADDRESS = "address"
    PERSON = "person"
    ACCOUNT = "account"
    PLACE = "account from one network"


@dataclass(frozen=True)
class Limit:
    """At most so many tries within a time, that slides."""

    what: str
    most: int
    within: timedelta = HOUR
    per: Per = Per.ADDRESS


# -- declared --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """What is counted before a page is called. Reading costs nothing unless ``on_reading``."""

    limits: tuple[Limit, ...]
    on_reading: bool = False


def _here(what: str, most: int, within: timedelta = HOUR) -> Limit:
    """Offices and families share one network, so that these are generous."""
    return Limit(f"{what}_from_here", most, within, Per.NETWORK)


def _brand(what: str, most: int) -> Limit:
    """Against a flood from many networks at once; far above what a brand's customers do."""
    return Limit(f"{what}_brand", most, HOUR, Per.BRAND)


# Wrong passwords: five for one account from one place, and more in all, so that guesses from many places end too.
PASSWORD = Limit("password", 5, QUARTER, Per.PLACE)
PASSWORD_ANYWHERE = Limit("password_anywhere", 50, HOUR, Per.ACCOUNT)
FACTOR = Limit("factor", 30, QUARTER, Per.ACCOUNT)

# By what is asked or claimed, whether or not there is anything behind it.
ASK_FOR_ADDRESS = Limit("ask_for_address", 6)
SEND = Limit("send", CODES_PER_HOUR)
TEXT = Limit("text", texting.PER_HOUR)
TRY = Limit("try", CODE_TRIES * CODES_PER_HOUR)
# By the request. Decoding pictures costs time; one of poor quality is asked for again so often. Checks cost money.
DOCUMENT = Limit("document", 12, per=Per.PERSON)
AUTHORITY = Limit("authority", 12, per=Per.PERSON)
POOR_PICTURE = Limit("poor_picture", 2, per=Per.PERSON)
EXTERNAL = Limit("external", 10, per=Per.PERSON)
# Messages in a provider's name that are not believed; and what is done on one question to a source's owner.
NOT_BELIEVED = Limit("not_believed", 60, per=Per.NETWORK)
INQUIRY = Limit("inquiry", 120, per=Per.PERSON)
# What one importer may ask of the suppression list; each call asks of up to a thousand addresses.
SUPPRESSION = Limit("suppression", 3600, per=Per.ACCOUNT)

# On the day after a breach thousands ask, and are right to.
_ASK = Step((_here("ask", 20), _brand("ask", 6000)))
_SEND = Step((_here("send", 40), _brand("send", 2000)))
_TRY = Step((_here("try", 80), _brand("try", 6000)))
_LINK = Step((_here("link", 120),), on_reading=True)
_INSIDE = Step((_here("inside", 240),))
_DOCUMENT = Step((_here("document", 60), _brand("document", 1000)))
_EXTERNAL = Step((_here("external", 40), _brand("external", 1000)))
_LOGIN = Step((_here("login", 40), _brand("login", 2000)), on_reading=True)
_MESSAGE = Step((_here("message", 6000), _brand("message", 20_000)))
_SIGN_IN = Step((_here("sign_in", 100, QUARTER), PASSWORD, PASSWORD_ANYWHERE))
_PASSKEY = Step((_here("passkey", 100, QUARTER),))
_SIGN_ON = Step((_here("sign_on", 120),), on_reading=True)
_INVITATION = Step((_here("invitation", 60),), on_reading=True)
_FACTOR = Step((_here("factor", 200, QUARTER), FACTOR))
_SUPPRESSION = Step((_here("suppression", 12_000),))
_FEED = Step((_here("feed", 600),), on_reading=True)

# By the name of the address. What is public and is not here has to be among FREE.
STEPS: Mapping[str, Step] = {
    "portal:ask": _ASK,
    "portal:asked": _SEND,
    "portal:enter": _SEND,
    "portal:follow": _LINK,
    "portal:code": _TRY,
    "portal:resend": _SEND,
    "portal:text": _SEND,
    "portal:mine": _INSIDE,
    "portal:prove": _SEND,
    "portal:prove-text": _SEND,
    "portal:questions": _INSIDE,
    "portal:questions-begin": _INSIDE,
    "portal:login": _LOGIN,
    "portal:login-back": _LOGIN,
    "portal:message": _INSIDE,
    "portal:document": _DOCUMENT,
    "portal:authority": _DOCUMENT,
    "portal:external": _EXTERNAL,
    "portal:external-back": Step((_here("external_back", 120),), on_reading=True),
    "portal:external-message": _MESSAGE,
    "portal:withdraw": _INSIDE,
    "portal:corrections": _INSIDE,
    "portal:complain": _INSIDE,
    "portal:recipients": _INSIDE,
    "portal:pack": _TRY,
    "portal:pack-code": _SEND,
    "portal:pack-fetch": _INSIDE,
    "portal:inquiry": _INSIDE,
    "portal:inquiry-open": _LINK,
    "identity:sign-in": _SIGN_IN,
    "identity:sign-in-passkey": _PASSKEY,
    "identity:sign-on": _SIGN_ON,
    "identity:sign-on-back": _SIGN_ON,
    "identity:invitation": _INVITATION,
    "identity:accept-invitation": _INVITATION,
    "identity:second-factor": _FACTOR,
    "identity:second-factor-passkey": _FACTOR,
    "identity:recovery-code": _FACTOR,
    "identity:enrolment": _FACTOR,
    "identity:passkey-enrolment": _FACTOR,
    "console:due-calendar": _FEED,
    "api:suppression-check": _SUPPRESSION,
}

# Public pages that look nothing up about anybody and change nothing for anybody else.
FREE: Mapping[str, str] = {
    "portal:home": "the same page for everybody",
    "portal:theme": "a colour",
    "portal:language": "a cookie of the visitor's own browser",
    "portal:leave": "ends the visitor's own session",
    "portal:missing": "the same page for everybody",
    "identity:sign-out": "ends the visitor's own session",
    "console:outbox": "a demonstration's mail, never in production",
}


# -- counted ---------------------------------------------------------------------------------------------

Try = tuple[Limit, str]


@dataclass(frozen=True)
class Over:
    """A limit that is reached, and when there is room again."""

    limit: Limit
    free_at: datetime

    def seconds(self, now: datetime) -> int:
        return max(1, ceil((self.free_at - now).total_seconds()))


def take(
    tries: Sequence[Try], now: datetime, *, brand: UUID | None = None, actor: ActorKind = "customer"
) -> Over | None:
    """Count one try of each for good, up to the first that had too many: that one is not counted, and returned.

    Call it outside of any transaction, so that nothing gives the tries back. Tries made at once wait for one another;
    give the limits in the same order everywhere, so that no two wait in a ring. A limit that is reached is put on
    record once in its time.
    """
    with unit_of_work([brand] if brand else []):
        keyed = [(limit, _key(limit, who, brand)) for limit, who in tries]
        _take_turns(keyed)
        full = _full(keyed, now)
        over = next((full[limit.what] for limit, _who in keyed if limit.what in full), None)
        counted = [(limit, who) for limit, who in keyed if over is None or limit is not over.limit]
        if over is not None:
            counted = counted[: [limit for limit, _who in keyed].index(over.limit)]
            _tell(over, dict(keyed)[over.limit], now, brand, actor)
        Attempt.objects.bulk_create([Attempt(what=limit.what, who=who, at=now) for limit, who in counted])
        return over


def forgive(tries: Iterable[Try], *, brand: UUID | None = None) -> None:
    """What turned out to be right was no guess: what was counted of it goes."""
    for limit, who in tries:
        Attempt.objects.filter(what=limit.what, who=_key(limit, who, brand)).delete()


def times(limit: Limit, who: str, now: datetime, *, brand: UUID | None = None) -> list[datetime]:
    """When it was tried within the limit's time, oldest first."""
    tries = Attempt.objects.filter(what=limit.what, who=_key(limit, who, brand), at__gt=now - limit.within)
    return list(tries.order_by("at").values_list("at", flat=True))


def refuse(request: HttpRequest, over: Over) -> HttpResponse:
    """The page that says when to try again; whose page it was decides on its look."""
    view: Callable[[HttpRequest, Over], HttpResponse] = import_string(settings.TOO_MANY_VIEW)
    return view(request, over)


def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that one IPv6 line has at least."""
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ip_network(f"{found}/64", strict=False))
    return str(found)


def _key(limit: Limit, who: str, brand: UUID | None) -> bytes:
    """The same for every way to write it; what was typed, be it a password in the wrong field, is not kept."""
    whose = network_of(who) if limit.per == Per.NETWORK else who
    said = f"attempt|{limit.what}|{brand or ''}|{whose}"
    return hmac.digest(settings.SECRET_KEY.encode(), said.encode(), "sha256")


def _full(keyed: Sequence[tuple[Limit, bytes]], now: datetime) -> dict[str, Over]:
    """The limits that are reached, with one row read of each however many tries there were.

    There is room again when the last try but so many as are allowed has grown old.
    """
    by_name = {limit.what: limit for limit, _who in keyed}
    last_buts = [_last_but(limit, who, now) for limit, who in keyed]
    found = last_buts[0].union(*last_buts[1:], all=True) if last_buts else ()
    return {what: Over(by_name[what], at + by_name[what].within) for what, at in found}


def _last_but(limit: Limit, who: bytes, now: datetime) -> Any:
    """The try that fills the limit, counted from the newest; none while there is room."""
    tries = Attempt.objects.filter(what=limit.what, who=who, at__gt=now - limit.within)
    return tries.order_by("-at").values_list("what", "at")[limit.most - 1 : limit.most]


def _tell(over: Over, who: bytes, now: datetime, brand: UUID | None, actor: ActorKind) -> None:
    """On the record, with the limit's name alone; whoever goes on trying fills no trail."""
    limit, what = over.limit, TOLD + over.limit.what
    if Attempt.objects.filter(what=what, who=who, at__gt=now - limit.within).exists():
        return
    Attempt.objects.create(what=what, who=who, at=now)
    codes = {"limit": limit.what, "per": limit.per.value, "most": limit.most}
    record(Action.LIMIT_REACHED, Actor(actor), now, controller_id=brand, data=codes)


def _take_turns(keyed: Sequence[tuple[Limit, bytes]]) -> None:
    """Hold the keys in their order until the transaction ends."""
    assert transaction.get_connection().in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(%s::text[]) key",
            [[who.hex() for _limit, who in keyed]],
        )
