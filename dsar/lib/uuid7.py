"""Time-ordered identifiers: UUID version 7 (RFC 9562, section 5.7)."""

import secrets
import threading
import time
from uuid import UUID

_RANDOM_BITS = 74
_RANDOM_LIMIT = 1 << _RANDOM_BITS
_TIME_LIMIT = 1 << 48


class _Sequence:
    """The last identifier given, so that the next one is greater."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ms = -1
        self._random = 0

    def after(self, now_ms: int) -> tuple[int, int]:
        """Give a time and random part above every one given before; the clock may stand or step back."""
        with self._lock:
            if now_ms > self._ms:
                self._restart(now_ms)
            else:
                self._advance()
            return self._ms, self._random

    def at(self, now_ms: int) -> tuple[int, int]:
        """Give a random part for exactly this time, above the one before it if that had the same time."""
        with self._lock:
            if now_ms != self._ms or self._random >> (_RANDOM_BITS - 1):
                self._restart(now_ms)
            else:
                self._advance()
            return now_ms, self._random

    def _restart(self, now_ms: int) -> None:
        # The highest bit starts clear: it is the room in which _advance counts.
        self._ms, self._random = now_ms, secrets.randbits(_RANDOM_BITS - 1)

    def _advance(self) -> None:
        # A random step keeps neighbours unguessable, also in two processes forked from one.
        self._random += 1 + secrets.randbits(32)
        if self._random >= _RANDOM_LIMIT:
            self._restart(self._ms + 1)


_now = _Sequence()
_given = _Sequence()


def uuid7(now_ms: int | None = None) -> UUID:
    """Make an identifier that sorts by time, in milliseconds since 1970 (UTC).

    Without ``now_ms``, identifiers only ever increase within a process, whatever the clock does. With it,
    the time is kept to the letter and the order holds among neighbours of the same millisecond.

    Raises ValueError for a time before 1970 or beyond 48 bits.
    """
    if now_ms is None:
        return _assemble(*_now.after(time.time_ns() // 1_000_000))
    if not 0 <= now_ms < _TIME_LIMIT:
        raise ValueError("The time does not fit the 48 bits of a UUID version 7.")
    return _assemble(*_given.at(now_ms))


def _assemble(ms: int, random: int) -> UUID:
    high, low = random >> 62, random & ((1 << 62) - 1)
    return UUID(int=ms << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
