"""What several results amount to together.

A result alone is worth its level. Two of different kinds, each at least low, are worth what the methods say
they reach together. Two of the same kind prove no more than one: who reads somebody's mail reads it twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from identity.policy.rules import Requirement
from identity.providers.base import About, Factor, Level


@dataclass(frozen=True, slots=True)
class Worth:
    """What a result counts: alone, and beside one of another kind."""

    factor: Factor
    level: Level
    reaches_with: Level


@dataclass(frozen=True, slots=True)
class Evidence:
    """A result that was reached: by which method, what it is worth, and when.

    ``is_own`` is false for one that was reached in an earlier request of the same person.
    """

    method: str
    worth: Worth
    at: datetime
    is_own: bool = True


def combined(worths: Iterable[Worth]) -> Level:
    """The level of all of it together."""
    found = [one for one in worths if one.level > Level.NONE]
    alone = [one.level for one in found]
    pairs = [
        min(one.reaches_with, other.reaches_with)
        for one, other in combinations(found, 2)
        if one.factor != other.factor
    ]
    return max([*alone, *pairs], default=Level.NONE)


def hoped(method: About) -> Worth:
    """What a method is worth when it ends well."""
    return Worth(method.factor, method.reaches, method.reaches_with)


def counting(evidence: Iterable[Evidence], requirement: Requirement, now: datetime) -> list[Evidence]:
    """What still counts: not older than the policy lets it hold, and from earlier requests as it allows.

    What an earlier request proved counts only beside a fresh proof in this one: otherwise whoever names a
    person would speak for them.
    """
    fresh = [one for one in evidence if now - one.at < timedelta(days=requirement.holds_days)]
    own = [one for one in fresh if one.is_own]
    if not any(one.worth.level > Level.NONE for one in own):
        return own
    reuse = timedelta(days=requirement.reuse_days)
    return own + [one for one in fresh if not one.is_own and now - one.at < reuse]


def reached(evidence: Iterable[Evidence], requirement: Requirement, now: datetime) -> Level:
    """The highest level that the counting evidence reaches by the methods that the policy allows for it."""
    counted = counting(evidence, requirement, now)
    for level in sorted(Level, reverse=True):
        if combined(one.worth for one in counted if requirement.allows(one.method, level)) >= level:
            return level
    return Level.NONE


def best(methods: Iterable[About]) -> Level:
    """The most that these methods could reach together."""
    return combined(map(hoped, methods))
