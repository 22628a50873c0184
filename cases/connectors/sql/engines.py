"""Shares engines between the connectors of a process: what they compose and learn of a server serves all searches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import sqlalchemy as sa

LIFETIME_SECONDS = 60.0
MOST = 32


@dataclass
class Engines:
    """Engines by all that they were made from, credentials included.

    An engine keeps no connection: each connector opens its own and closes it. It does keep credentials, and
    certificates as they were when it was made, so that it is forgotten a minute later, used or not.
    """

    lifetime: float = LIFETIME_SECONDS
    limit: int = MOST
    clock: Callable[[], float] = time.monotonic
    _made: dict[Hashable, tuple[float, sa.Engine]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def get(self, key: Hashable, make: Callable[[], sa.Engine]) -> sa.Engine:
        """Return the engine of this key, made now unless there is one."""
        with self._lock:
            oldest = self.clock() - self.lifetime
            self._made = {one: made for one, made in self._made.items() if made[0] > oldest}
            if key not in self._made:
                while len(self._made) >= self.limit:
                    self._made.pop(next(iter(self._made)))
                self._made[key] = (self.clock(), make())
            return self._made[key][1]
