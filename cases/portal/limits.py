"""What a visitor may try so often, where only the page knows whose try it is. Declared in identity.limits."""

from collections.abc import Sequence
from datetime import datetime

from identity import limits
from identity.limits import Limit, Over
from identity.models import Controller


def take(controller: Controller, tries: Sequence[tuple[Limit, str]], now: datetime) -> Over | None:
    """Count one try of each for good, outside of any unit of work; gives what is reached, which is not counted."""
    return limits.take(tries, now, brand=controller.pk)


def spend(controller: Controller, limit: Limit, who: str, now: datetime) -> bool:
    """The same of one; True where there was room."""
    return take(controller, [(limit, who)], now) is None


def latest(controller: Controller, limit: Limit, who: str, now: datetime) -> datetime | None:
    """When it was last tried within the limit's time."""
    return max(limits.times(limit, who, now, brand=controller.pk), default=None)


def count_since(controller: Controller, limit: Limit, who: str, since: datetime, now: datetime) -> int:
    """How often it was tried since then, within the limit's time."""
    return sum(at >= since for at in limits.times(limit, who, now, brand=controller.pk))
