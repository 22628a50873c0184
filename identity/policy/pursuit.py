"""What an unanswered question for identity asks of us today: a reminder, the proposal to end, or nothing yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from identity.policy.rules import Patience

# Nobody is given up on the day of a reminder: whoever has just been asked again gets so many days.
GRACE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Due:
    """What is due: the reminders that one letter says, as numbers from 1, and whether the end is proposed."""

    reminders: tuple[int, ...] = ()
    propose: bool = False


def due(patience: Patience, reminded: Mapping[int, date], today: date) -> Due:
    """What is to be done today; ``reminded`` tells which reminders were said, and when.

    What was missed while nothing ran is said in one letter with the latest. The law's last day waits for nobody.
    """
    fresh = tuple(
        number
        for number, day in enumerate(patience.remind_on, start=1)
        if day <= today and number not in reminded
    )
    if fresh and not _is_last(patience, today):
        return Due(fresh)
    return Due(propose=today >= propose_on(patience, reminded))


def propose_on(patience: Patience, reminded: Mapping[int, date]) -> date:
    """When the end is proposed: as the policy and the law say, and some days after the last reminder."""
    latest = max(reminded.values(), default=None)
    wished = max(patience.propose_on, latest + GRACE) if latest else patience.propose_on
    if patience.reasons_by is None or wished <= patience.reasons_by:
        return wished
    return max(patience.reasons_by, patience.propose_on)


def _is_last(patience: Patience, today: date) -> bool:
    return patience.reasons_by is not None and today >= patience.reasons_by


def planned(patience: Patience, reminded: Mapping[int, date]) -> tuple[date, ...]:
    """The days on which it will be asked again."""
    return tuple(day for number, day in enumerate(patience.remind_on, start=1) if number not in reminded)
