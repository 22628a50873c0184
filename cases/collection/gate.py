"""Where all workers together keep the limits of a source, and cases take turns within them.

Redis counts. Each call is let through where a moving window of the source's published limit has room, of which four
fifths are used: clocks differ, and other programs call the source too. Nobody waits here: a call without room is
refused with the seconds after which to come back, and the job goes back to the queue for so long.

Cases take turns. Whoever is refused stands in line and is told when to come back, and from a moment before that room
is kept for them: a search of a thousand pages can't keep ten small ones out. Until then others may use what there is,
or a limit would lie idle for those who are not there. Who does not come when their time is up loses their place.

What the source itself says (``learn``) holds all workers. Without Redis each process keeps a fifth of the limit by
itself: less than allowed, but never more than a handful of workers may.
"""

import logging
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import redis
from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from cases.connectors.base import Limit, Throttled

log = logging.getLogger(__name__)

SHARE = 0.8
SHARE_ALONE = 0.2
TURN_CALLS = 5
# Who stands in a long line comes back as if each ahead made no more calls than these, and after so long at the latest:
# better asked once too often than room that nobody uses. In a very long one it is longer, or the workers would be busy
# with those who ask in vain.
FEWEST_CALLS = 2
LONGEST_IN_LINE_SECONDS = 60.0
MOST_WHO_ASK_A_SECOND = 10
# A wait is lengthened by up to a tenth, and half a second at most, so that not all come at once.
SPREAD = 0.1
SPREAD_SECONDS = 0.5
SOON_SECONDS = 1.0  # from how long before their time room is kept for those in line
GRACE_SECONDS = 15.0
REDIS_SECONDS = 0.5
REDIS_RESTS_SECONDS = 5.0
LOOK_UPS = "look-ups"

T = TypeVar("T")


class NoRoom(Throttled):
    """The limit is used up, or kept for those in line: our own doing, which the source knows nothing of."""


@dataclass(frozen=True)
class Window:
    """So many calls in so many seconds; whole seconds, because that is what is counted in."""

    calls: int
    seconds: int

    @classmethod
    def of(cls, limit: Limit, share: float) -> "Window":
        """The share of a published limit that we use; at least one call."""
        seconds = max(1, math.ceil(limit.seconds))
        return cls(max(1, int(limit.calls * share * seconds / limit.seconds)), seconds)

    @property
    def item(self) -> RateLimitItem:
        return RateLimitItemPerSecond(self.calls, self.seconds)

    @property
    def turn(self) -> int:
        """How many calls are kept for each case in line: enough to find somebody and read a page."""
        return min(self.calls, TURN_CALLS)


@dataclass
class _Rest:
    """When Redis last failed: it is left alone for a while, so that no call waits for it."""

    until: float = field(default=float("-inf"))


_rest = _Rest()


@cache
def _pool(url: str) -> "redis.ConnectionPool":
    return redis.ConnectionPool.from_url(
        url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, decode_responses=False
    )


def _client() -> "redis.Redis":
    return redis.Redis(connection_pool=_pool(settings.CACHES["default"]["LOCATION"]))


@cache
def _shared(url: str) -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(
        RedisStorage("redis://", connection_pool=_pool(url), key_prefix="gate:window")
    )


@cache
def _alone() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())


class SharedGate:
    """The gate of one source, as one case (or, without one, the look-ups of identity) goes through it."""

    def __init__(self, source_id: UUID, case_id: UUID | None = None) -> None:
        self._source = str(source_id)
        self._case = str(case_id) if case_id else LOOK_UPS
        self._limits: tuple[Limit, ...] = ()

    def declare(self, limits: Sequence[Limit]) -> None:
        """Say what the source publishes; a connector knows it only once it was made with this gate."""
        self._limits = tuple(limits)

    def take(self, bucket: str = "") -> None:
        """Count one call. Raises Throttled, or NoRoom, with the seconds to wait when there is no room."""
        told = _with_redis(lambda: self._told(bucket), lambda: 0.0)
        if told > 0:
            raise Throttled(retry_after=told)
        wait = _with_redis(lambda: self._wait_in_line(bucket), lambda: self._wait_alone(bucket))
        if wait > 0:
            raise NoRoom(retry_after=wait)

    def learn(self, *, bucket: str = "", wait: float | None = None, remaining: int | None = None) -> None:
        """Take note of what the source said: its wait holds every worker, unless calls are left until then."""
        _with_redis(lambda: self._note(bucket, wait, remaining), lambda: None)

    def leave(self) -> None:
        """Give up the place in every line: what this case wanted is done, or waits for something else."""
        _with_redis(self._leave_all, lambda: None)

    def _leave_all(self) -> None:
        client = _client()
        for bucket in {limit.bucket for limit in self._limits}:
            _Line(client, f"{self._key(bucket)}:line", self._case).leave(self._case)

    def _note(self, bucket: str, wait: float | None, remaining: int | None) -> None:
        client, key = _client(), self._key(bucket)
        lasts = wait if wait and wait > 0 else self._longest(bucket)
        if remaining is not None:
            client.set(f"{key}:left", remaining, px=_ms(lasts))
        if (remaining is None and wait) or (remaining is not None and remaining <= 0):
            hold(client, key, lasts)

    def _longest(self, bucket: str) -> float:
        return max((window.seconds for window in self._windows(bucket, SHARE)), default=1)

    def _told(self, bucket: str) -> float:
        """For how long the source wants to be left alone."""
        return _held(_client(), {self._key(""), self._key(bucket)})

    def _wait_in_line(self, bucket: str) -> float:
        """Seconds to wait; 0 where the call was counted."""
        windows = self._windows(bucket, SHARE)
        return self._queue(_client(), bucket, windows) if windows else 0.0

    def _queue(self, client: "redis.Redis", bucket: str, windows: Sequence[Window]) -> float:
        line = _Line(client, f"{self._key(bucket)}:line", self._case)
        place = line.place()
        limiter = _shared(settings.CACHES["default"]["LOCATION"])
        waits = [self._lack(limiter, bucket, window, place) for window in windows]
        if not any(waits) and all(limiter.hit(one.item, self._key(bucket)) for one in windows):
            line.took(windows[0].turn)
            return 0.0
        wait = max([*waits, 0.05])
        wait += random.uniform(0, min(wait * SPREAD, SPREAD_SECONDS))  # noqa: S311  Nothing secret hangs on it.
        line.join(wait)
        return wait

    def _lack(self, limiter: MovingWindowRateLimiter, bucket: str, window: Window, place: "_Place") -> float:
        """Seconds until there may be room for this case behind those ahead; 0 where there is some now."""
        stats = limiter.get_window_stats(window.item, self._key(bucket))
        if stats.remaining > place.soon * window.turn:
            return 0.0
        behind = window.seconds * place.ahead * min(window.turn, FEWEST_CALLS) / window.calls
        longest = max(LONGEST_IN_LINE_SECONDS, place.ahead / MOST_WHO_ASK_A_SECOND)
        return max(stats.reset_time - time.time(), 0.0) + min(behind, longest) or 0.05

    def _wait_alone(self, bucket: str) -> float:
        windows = self._windows(bucket, SHARE_ALONE)
        if all(_alone().hit(window.item, self._key(bucket)) for window in windows):
            return 0.0
        resets = (_alone().get_window_stats(one.item, self._key(bucket)).reset_time for one in windows)
        return max([*(reset - time.time() for reset in resets), 0.05])

    def _windows(self, bucket: str, share: float) -> list[Window]:
        """The limits of this bucket; those of none where it has no limit of its own."""
        own = [limit for limit in self._limits if limit.bucket == bucket]
        return [
            Window.of(limit, share) for limit in own or [limit for limit in self._limits if not limit.bucket]
        ]

    def _key(self, bucket: str) -> str:
        """A bucket without limits of its own is counted with those of none."""
        known = bucket in {limit.bucket for limit in self._limits}
        return f"gate:{self._source}:{bucket if known else ''}"


@dataclass(frozen=True)
class _Place:
    """How many stand before a case, and how many of these are expected now."""

    ahead: int
    soon: int


@dataclass(frozen=True)
class _Line:
    """Cases that were refused, in the order in which they came, each with the time at which it should be back."""

    client: "redis.Redis"
    key: str
    case: str

    def place(self) -> _Place:
        """Where this case stands, or would; those who did not come in time have lost their place."""
        now = time.time()
        found: Any = self.client.zrangebyscore(f"{self.key}:due", "-inf", now + SOON_SECONDS, withscores=True)
        due = dict(found)
        late = [case for case, at in due.items() if at <= now - GRACE_SECONDS]
        if late:
            self.leave(*late)
        soon = [case for case in due if case not in late]
        came, rank, count, *others = self._asked(soon)
        if came is None:
            return _Place(count, len(soon))
        return _Place(rank, sum(other is not None and other < came for other in others))

    def _asked(self, others: Sequence[bytes | str]) -> Any:
        """When this case came, its rank, how many stand in line, and when each of the others came."""
        pipe = self.client.pipeline()
        pipe.zscore(self.key, self.case)
        pipe.zrank(self.key, self.case)
        pipe.zcard(self.key)
        for other in others:
            pipe.zscore(self.key, other)
        return pipe.execute()

    def join(self, wait: float) -> None:
        """Stand at the end, or stay where one is; and say in how many seconds one will be back."""
        pipe = self.client.pipeline()
        pipe.zadd(self.key, {self.case: time.time()}, nx=True)
        pipe.zadd(f"{self.key}:due", {self.case: time.time() + wait})
        pipe.expire(self.key, 24 * 3600)
        pipe.expire(f"{self.key}:due", 24 * 3600)
        pipe.execute()

    def took(self, turn: int) -> None:
        """One call of this case's turn is made; when the turn is over the next in line comes first."""
        if self.client.zscore(self.key, self.case) is None:
            return
        taken = int(self.client.incr(f"{self.key}:{self.case}"))
        self.client.expire(f"{self.key}:{self.case}", 3600)
        if taken >= turn:
            self.leave(self.case)
        else:
            self.client.zadd(f"{self.key}:due", {self.case: time.time()}, xx=True)

    def leave(self, *cases: "str | bytes") -> None:
        """Take these out of the line."""
        names = [one.decode() if isinstance(one, bytes) else one for one in cases]
        pipe = self.client.pipeline()
        pipe.zrem(self.key, *names)
        pipe.zrem(f"{self.key}:due", *names)
        pipe.delete(*(f"{self.key}:{name}" for name in names))
        pipe.execute()


def calls_left(source_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """What sources last said of the calls that are left, in their widest limit; none where nothing was said lately."""

    def read() -> Mapping[UUID, int]:
        found = _client().mget([f"gate:{source_id}::left" for source_id in source_ids])
        return {one: int(left) for one, left in zip(source_ids, found, strict=True) if left is not None}

    return _with_redis(read, dict) if source_ids else {}


def hold(client: "redis.Redis", key: str, seconds: float) -> None:
    """Hold all workers for so many seconds; a longer hold that lies already stays."""
    if _held(client, {key}) < seconds:
        client.set(f"{key}:hold", 1, px=_ms(seconds))


def _held(client: "redis.Redis", keys: set[str]) -> float:
    pipe = client.pipeline(transaction=False)
    for key in sorted(keys):
        pipe.pttl(f"{key}:hold")
    return max(0.0, *(int(left) / 1000 for left in pipe.execute()))


def _ms(seconds: float) -> int:
    return max(1, math.ceil(seconds * 1000))


def _with_redis(ask: Callable[[], T], otherwise: Callable[[], T]) -> T:
    """Ask Redis, or do the other thing while it is away; never an error."""
    if time.monotonic() < _rest.until:
        return otherwise()
    try:
        return ask()
    except redis.RedisError:
        _rest.until = time.monotonic() + REDIS_RESTS_SECONDS
        log.warning("Redis is away: each process keeps the limits of sources by itself")
        return otherwise()
