"""What a reviewer should look at before they believe who asks: pure functions over plain facts. They decide nothing.

A signal is a reason to look, never a reason to refuse: each has a harmless explanation more often than not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from hashlib import sha256


class Code(StrEnum):
    """What was noticed."""

    SEVERAL_REQUESTERS = "several_requesters"
    CONTACT_CHANGED = "contact_changed"
    ADDRESS_UNKNOWN = "address_unknown"
    COUNTRY_DIFFERS = "country_differs"
    LANGUAGE_DIFFERS = "language_differs"
    FAILED_CHECKS = "failed_checks"
    MANY_FROM_NETWORK = "many_from_network"


CONTACT_FRESH = timedelta(days=30)
FEWEST_FAILURES = 3
FEWEST_FROM_NETWORK = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """One request about the person: by whom, as a hash, and from where, as far as the portal was told."""

    requester: str
    language: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known without a judgement.

    ``requests`` are those about the same person within the last months, this one included. ``from_network`` counts
    the persons asked for from the network of this request within a day. ``contact_changed`` are the days on which a
    source says that the person's contact data changed; no source tells: no day.
    """

    asked_on: date
    requests: Sequence[Seen] = ()
    address_on_file: bool | None = None
    failures: int = 0
    from_network: int = 0
    contact_changed: Sequence[date] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing to look at. ``values`` fill its sentence; other values are another signal."""

    code: Code
    values: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> str:
        """Of exactly what it rests on, so that what was looked into stays so until something new is known."""
        return sha256(repr((self.code.value, self.values)).encode()).hexdigest()


def signals(facts: Facts) -> list[Signal]:
    """All that the facts give reason to look at, the graver first."""
    return [signal for notice in _NOTICES for signal in notice(facts)]


def _several_requesters(facts: Facts) -> Iterator[Signal]:
    requesters = {one.requester for one in facts.requests if one.requester}
    if len(requesters) > 1:
        yield Signal(Code.SEVERAL_REQUESTERS, (("count", str(len(requesters))),))


def _contact_changed(facts: Facts) -> Iterator[Signal]:
    fresh = [day for day in facts.contact_changed if facts.asked_on - CONTACT_FRESH <= day]
    if fresh:
        yield Signal(Code.CONTACT_CHANGED, (("day", max(fresh).isoformat()),))


def _address_unknown(facts: Facts) -> Iterator[Signal]:
    if facts.address_on_file is False:
        yield Signal(Code.ADDRESS_UNKNOWN)


def _country_differs(facts: Facts) -> Iterator[Signal]:
    yield from _differ(Code.COUNTRY_DIFFERS, {one.country for one in facts.requests})


def _language_differs(facts: Facts) -> Iterator[Signal]:
    yield from _differ(Code.LANGUAGE_DIFFERS, {one.language for one in facts.requests})


def _differ(code: Code, found: set[str]) -> Iterator[Signal]:
    known = sorted(found - {""})
    if len(known) > 1:
        yield Signal(code, (("found", ", ".join(known)),))


def _failed_checks(facts: Facts) -> Iterator[Signal]:
    if facts.failures >= FEWEST_FAILURES:
        yield Signal(Code.FAILED_CHECKS, (("count", str(facts.failures)),))


def _many_from_network(facts: Facts) -> Iterator[Signal]:
    if facts.from_network >= FEWEST_FROM_NETWORK:
        yield Signal(Code.MANY_FROM_NETWORK, (("count", str(facts.from_network)),))


_NOTICES: tuple[Callable[[Facts], Iterator[Signal]], ...] = (
    _several_requesters,
    _contact_changed,
    _address_unknown,
    _country_differs,
    _language_differs,
    _failed_checks,
    _many_from_network,
)
