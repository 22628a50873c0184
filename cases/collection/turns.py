"""When a search may begin, how long it keeps its worker, and why it is on hold.

A search is put back rather than kept waiting: its cursor and what it found of the person are kept, and it goes on
from there when its turn comes or what it waited for is over.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from cases.collection.gate import NoRoom
from cases.connectors.base import ConnectorError, Throttled
from cases.models import CollectionStop, HeldFor, SearchState, SourceSearch, SourceSystem
from dsar.jobs.run import Claim, PutBack, RetryLater
from dsar.lib.prepared import Prepared
from dsar.lib.tenancy import unit_of_work

SLICE_PAGES = 20
SLICE_SECONDS = 10.0
LOOK_SECONDS = 1.0  # how often a running search looks whether it was stopped
# Whoever ends a hold brings the searches forward; this is for a hold that ended without anybody.
LOOK_AGAIN = timedelta(minutes=30)
FAILURES_TO_REST = 5
PROBE = timedelta(minutes=1)
SUCCESS_NOTED = timedelta(seconds=5)
KEPT_FROM = timedelta(seconds=5)  # a shorter wait is over before anybody could read of it
PATIENCE_SECONDS = 30.0  # where a source asks for patience and does not say for how long
LONGEST_REST = timedelta(minutes=30)
_STOPS = Prepared(
    lambda controller_id: CollectionStop.objects.filter(
        Q(controller_id=controller_id) | Q(controller=None), lifted_at=None
    ).values_list("pk", flat=True)[:1],
    UUID,
)
_LOCKED = Prepared(
    lambda search_id: (
        SourceSearch.objects.select_for_update(of=("self", "source"), no_key=True)
        .select_related("source", "run")
        .filter(pk=search_id)
    ),
    UUID,
)
OPEN: Final = (SearchState.QUEUED, SearchState.RUNNING, SearchState.HELD)


@dataclass(frozen=True)
class Hold:
    """Why a search waits, and when to look again."""

    why: HeldFor
    after: timedelta = LOOK_AGAIN
    text: str = ""

    def put_back(self) -> PutBack:
        return PutBack(f"held_{self.why}", _spread(self.after))


def patience(
    claim: Claim,
    naming: "QuerySet[Any]",
    error: Throttled,
    show: Callable[[timedelta], None] | None = None,
) -> PutBack:
    """Back into the queue for as long as was asked; no worker waits. To be raised.

    The gate gives each its own time and keeps room for it then. A source gives all the same: what it said itself
    holds everybody who would ask it, is kept so that it outlives Redis, and is shown in the same step. ``naming`` finds
    the row that has the source.
    """
    wait = timedelta(seconds=error.retry_after or PATIENCE_SECONDS)
    if isinstance(error, NoRoom):
        return PutBack(error.code, wait, keeps_place=True)
    if wait > KEPT_FROM:
        with claim.step():
            until = timezone.now() + wait
            source = SourceSystem.objects.filter(pk__in=naming.values("source_id"))
            source.filter(Q(held_until=None) | Q(held_until__lt=until)).update(held_until=until)
            if show:
                show(wait)
    return PutBack(error.code, _spread(wait))


def _spread(wait: timedelta) -> timedelta:
    """Up to a tenth more, so that not all come back at once."""
    return wait * random.uniform(1, 1.1)  # noqa: S311


def is_stopped(controller_id: UUID) -> bool:
    """Whether collection is stopped, for this controller or for all."""
    return _STOPS.exists(controller_id)


def held(source: SourceSystem, now: datetime) -> Hold | None:
    """What keeps this source from being asked, whoever asks."""
    if is_stopped(source.controller_id):
        return Hold(HeldFor.STOPPED)
    if source.paused_at:
        return Hold(HeldFor.PAUSED)
    if source.needs_admin_at:
        return Hold(HeldFor.NEEDS_ADMIN)
    if source.held_until and source.held_until > now:
        rests = source.failures >= FAILURES_TO_REST
        return Hold(HeldFor.RESTING if rests else HeldFor.THROTTLED, source.held_until - now)
    return None


def may_be_asked(source: SourceSystem, now: datetime) -> bool:
    """Whether a question beside any search may go there. Raises RetryLater where it soon may."""
    hold = held(source, now)
    if hold and hold.why in {HeldFor.RESTING, HeldFor.THROTTLED, HeldFor.STOPPED}:
        raise RetryLater(f"held_{hold.why}", min(hold.after, LONGEST_REST))
    return hold is None


def admit(search: SourceSearch, now: datetime) -> Hold | None:
    """Why a locked search has to wait, which stands with it then; None where it may begin.

    After a rest one search goes ahead to see whether the source is well; the others wait for it a while.
    """
    hold = held(search.source, now)
    if hold is None and search.source.failures >= FAILURES_TO_REST:
        hold = probe(search.source_id, now)
    if hold is not None:
        _mark(search, hold)
    return hold


def _locked(search_id: UUID) -> SourceSearch:
    return _LOCKED.get(search_id)


def _mark(search: SourceSearch, hold: Hold) -> None:
    if (search.state, search.held_for) != (SearchState.HELD, hold.why):
        search.state, search.held_for, search.error_text = SearchState.HELD, hold.why, hold.text
        search.save(update_fields=["state", "held_for", "error_text"])


def probe(source_id: UUID, now: datetime) -> Hold | None:
    """After a rest one goes ahead, unless another did at this moment; the others wait for it a while."""
    source = SourceSystem.objects.select_for_update(no_key=True).get(pk=source_id)
    hold = held(source, now)
    if hold is None and source.failures >= FAILURES_TO_REST:
        source.held_until = now + PROBE
        source.save(update_fields=["held_until"])
    return hold


def hold(claim: Claim, search_id: UUID, reason: Hold) -> PutBack:
    """Put a search on hold that had begun; to be raised."""
    with claim.step():
        mark(search_id, reason)
    return reason.put_back()


def mark(search_id: UUID, reason: Hold) -> None:
    """Show what a search waits for; inside a step."""
    search = _locked(search_id)
    if search.state in OPEN:
        _mark(search, reason)


@dataclass
class Slice:
    """How long a search keeps its worker: some pages or seconds, then it lets others by that wait."""

    claim: Claim
    search_id: UUID
    began: float = field(default_factory=time.monotonic)
    looked: float = field(default_factory=time.monotonic)
    pages: int = 0
    reason: Hold | None = None

    def is_over(self) -> bool:
        """Asked once a page, before the next one is read."""
        self.pages += 1
        now = time.monotonic()
        if now - self.looked >= LOOK_SECONDS:
            self.looked, self.reason = now, self._look()
        if self.reason:
            return True
        used_up = self.pages >= SLICE_PAGES or now - self.began >= SLICE_SECONDS
        return used_up and self.claim.others_wait

    def put_back(self) -> PutBack:
        """To be raised once the page is stored."""
        if self.reason is None:
            return PutBack("lets_others_by")
        return hold(self.claim, self.search_id, self.reason)

    def _look(self) -> Hold | None:
        with unit_of_work([self.claim.controller_id]):
            source = SourceSystem.objects.get(searches=self.search_id)
            # A rest or a wait is told to a running search by the source itself.
            found = held(source, timezone.now())
        return found if found and found.why in {HeldFor.STOPPED, HeldFor.PAUSED} else None


# -- what a source's answers mean for those that come after ---------------------------------------------


def is_noted(source: SourceSystem, now: datetime) -> bool:
    """Whether nothing was wrong with a source, as it was read in this transaction, and that was noted a moment ago.

    It is noted every few seconds only: searches of one source need not wait for each other.
    """
    at = source.succeeded_at
    return not source.failures and at is not None and now - SUCCESS_NOTED < at <= now


def went_well(source_id: UUID, now: datetime) -> bool:
    """The source answered: what was wrong is over. True where it had been in trouble."""
    source = SourceSystem.objects.filter(pk=source_id)
    noted = Q(failures=0, succeeded_at__gt=now - SUCCESS_NOTED, succeeded_at__lte=now)
    if not source.exclude(noted).exists():
        return False
    rested = source.filter(failures__gte=FAILURES_TO_REST).update(held_until=None)
    source.filter(failures__gt=0).update(failures=0, trouble_code="", trouble_text="")
    source.update(succeeded_at=now)
    return bool(rested)


def failed(source_id: UUID, error: ConnectorError, now: datetime) -> bool:
    """Count a failure that may heal. True where the source begins to rest because of it."""
    source = SourceSystem.objects.select_for_update(no_key=True).get(pk=source_id)
    source.failures += 1
    source.trouble_code, source.trouble_text = error.code, told(error)
    if source.failures >= FAILURES_TO_REST:
        source.held_until = now + rest(source.failures)
    source.save(update_fields=["failures", "trouble_code", "trouble_text", "held_until"])
    return source.failures == FAILURES_TO_REST


def rest(failures: int) -> timedelta:
    """How long a source is left alone: a minute at first, then twice as long each time."""
    doubled: int = 2 ** min(failures - FAILURES_TO_REST, 10)
    return min(PROBE * doubled, LONGEST_REST)


def told(error: ConnectorError) -> str:
    """What went wrong and what to do."""
    return f"{error} {error.what_to_do}"


def refused_account(source_id: UUID, error: ConnectorError, now: datetime) -> bool:
    """The source refused our account: it is not asked again before somebody saw to it. True where that is new."""
    return bool(
        SourceSystem.objects.filter(pk=source_id, needs_admin_at=None).update(
            needs_admin_at=now, trouble_code=error.code, trouble_text=told(error)
        )
    )
