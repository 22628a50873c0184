"""What to ask for next: the least intrusive method that is still missing, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from identity.policy.combine import Evidence, combined, counting, hoped, reached
from identity.policy.rules import Requirement
from identity.providers.base import About, Level, Need


@dataclass(frozen=True, slots=True)
class Proposal:
    """How far one is and what to do: ``methods`` in the order in which to ask for them.

    Empty methods with ``is_enough`` false: nothing that is possible would suffice.
    """

    level: Level
    needed: Level
    is_enough: bool
    methods: tuple[About, ...] = ()
    counted: tuple[Evidence, ...] = ()
    lapsed: tuple[Evidence, ...] = ()

    @property
    def next(self) -> About | None:
        return self.methods[0] if self.methods else None


def propose(
    requirement: Requirement,
    evidence: Sequence[Evidence],
    known: Mapping[str, About],
    there: frozenset[Need],
    now: datetime,
    *,
    used_up: frozenset[str] = frozenset(),
) -> Proposal:
    """Find the least intrusive way from what is established to what is needed.

    ``there`` is what is there for this person: an address, a source that may be asked about, a call that is
    going on. ``used_up`` are methods that failed too often. The way is one method or two of different kinds;
    it is judged by its most intrusive part, then by its length.
    """
    level = reached(evidence, requirement, now)
    counted = counting(evidence, requirement, now)
    lapsed = tuple(one for one in evidence if one not in counted)
    if level >= requirement.level:
        return Proposal(level, requirement.level, True, (), tuple(counted), lapsed)
    possible = [
        one for one in known.values() if one.needs <= there and one.code not in used_up | _done(counted)
    ]
    ways = (way for way in _ways(possible) if _suffices(way, counted, requirement, now))
    way = min(ways, key=_burden, default=())
    return Proposal(level, requirement.level, False, tuple(sorted(way, key=_order)), tuple(counted), lapsed)


def _ways(possible: Sequence[About]) -> Iterator[tuple[About, ...]]:
    for length in (1, 2):
        yield from combinations(possible, length)


def _suffices(
    way: Iterable[About], counted: Sequence[Evidence], requirement: Requirement, now: datetime
) -> bool:
    worths = [one.worth for one in counted if requirement.allows(one.method, requirement.level)]
    worths += [hoped(one) for one in way if requirement.allows(one.code, requirement.level)]
    return combined(worths) >= requirement.level


def _done(counted: Iterable[Evidence]) -> frozenset[str]:
    """What is reached need not be asked for again."""
    return frozenset(one.method for one in counted if one.is_own and one.worth.level > Level.NONE)


def _burden(way: tuple[About, ...]) -> tuple[int, int, list[tuple[int, str]]]:
    return (max(one.intrusiveness for one in way), len(way), sorted(map(_order, way)))


def _order(method: About) -> tuple[int, str]:
    return (method.intrusiveness, method.code)
