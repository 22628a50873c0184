"""Calendar arithmetic on dates: months, and days that do not count."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

ONE_DAY = timedelta(days=1)


def add_months(start: date, months: int) -> date:
    """Give the same day number ``months`` later, or the last day of a shorter month.

    28 February plus one month is 28 March: the end of a month does not stick (U3). 31 January plus
    one month is 28 or 29 February (U4; Reg 1182/71 Art 3(2)(c)).
    """
    index = start.year * 12 + start.month - 1 + months
    year, month = index // 12, index % 12 + 1
    # Only the 29th and later can be missing, and asking costs more than the test.
    day = start.day if start.day < 29 else min(start.day, monthrange(year, month)[1])
    return date(year, month, day)


class Block(NamedTuple):
    """Days that do not count, both ends included; ``last_on`` is None while the block is open."""

    first_on: date
    last_on: date | None


def union(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Merge overlapping and touching blocks, so that no day is counted twice (U5)."""
    merged: list[Block] = []
    for block in sorted(blocks, key=_first_on):
        previous = merged[-1] if merged else None
        if previous is not None and _touches(previous, block):
            merged[-1] = Block(previous.first_on, _later_end(previous.last_on, block.last_on))
        else:
            merged.append(block)
    return tuple(merged)


def _first_on(block: Block) -> date:
    return block.first_on


def _touches(earlier: Block, later: Block) -> bool:
    return earlier.last_on is None or later.first_on <= earlier.last_on + ONE_DAY


def _later_end(one: date | None, other: date | None) -> date | None:
    return None if one is None or other is None else max(one, other)


class Stay(NamedTuple):
    """A closed block as it was counted: clipped to the running period, with the end that it gave."""

    first_on: date
    last_on: date
    days: int
    end_on: date


def lengthen(start: date, end: date, blocks: Sequence[Block]) -> tuple[date, tuple[Stay, ...], Block | None]:
    """Add to ``end`` the days of ``blocks`` that fall after ``start`` and inside the running period.

    The blocks are sorted and apart. Days added lengthen the period, so that a later block may fall
    into it (U5: "repeat until stable"). Returns the end, what was counted, and the open block at
    which the period stands still, if any.
    """
    stays: list[Stay] = []
    for block in blocks:
        first_on = max(block.first_on, start + ONE_DAY)
        if first_on > end:
            break
        if block.last_on is None:
            return end, tuple(stays), Block(first_on, None)
        days = (block.last_on - first_on).days + 1
        if days > 0:
            end += timedelta(days=days)
            stays.append(Stay(first_on, block.last_on, days, end))
    return end, tuple(stays), None
