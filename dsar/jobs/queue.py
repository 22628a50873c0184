"""Put work into the queue: a row in the caller's transaction, a message after it."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from celery.exceptions import CeleryError
from django.db import connection, transaction
from kombu.exceptions import KombuError, OperationalError

from dsar.jobs.models import Job, JobState
from dsar.jobs.sql import SWEEP_SECONDS
from dsar.lib.uuid7 import uuid7

log = logging.getLogger(__name__)

OVERDUE_SECONDS = 30
BROKER_REST_SECONDS = 5.0
TRIES = 3
CLOCKS_DIFFER_SECONDS = 0.1  # a message that comes before its time finds nothing
# In each sweep: a worker keeps these messages, and takes no others beside too many of them.
TOLD_AHEAD = 50

_broker_failed_at = float("-inf")


def enqueue(
    kind: str,
    *,
    controller_id: UUID,
    key: str,
    now: datetime,
    case_id: UUID | None = None,
    args: Mapping[str, str] | None = None,
    not_before: datetime | None = None,
    max_attempts: int = 5,
    takes_turns: bool = False,
) -> UUID:
    """Add a job in the present transaction and publish it when that commits.

    While a job with the same ``key`` is open nothing is added, and its id is returned. With ``takes_turns`` no
    controller's jobs of this kind keep those of another waiting for long.
    """
    job = Job(
        id=uuid7(),
        controller_id=controller_id,
        case_id=case_id,
        kind=kind,
        key=key,
        args=dict(args or {}),
        not_before=not_before or now,
        max_attempts=max_attempts,
        takes_turns=takes_turns,
        created_at=now,
    )
    job_id = _added(job)
    if not_before is None or not_before <= now:
        transaction.on_commit(lambda: publish(job_id))
    return job_id


def _added(job: Job) -> UUID:
    """The id of the open job with this key: the given one, or the one that was there before."""
    for _ in range(TRIES):
        if _inserted(job):
            return job.id
        open_job = Job.objects.filter(key=job.key, state__in=[JobState.QUEUED, JobState.RUNNING]).first()
        if open_job is not None:
            return open_job.id
        # The one that was in the way has ended in between: there is room now.
    raise RuntimeError(f"job key {job.key} is in use by another controller")


def _inserted(job: Job) -> bool:
    """Whether there was room; Django's own way of ignoring a conflict does not tell."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jobs_job (id, controller_id, case_id, kind, key, args, state, attempts, max_attempts,"
            " takes_turns, not_before, progress, error_code, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, 'queued', 0, %s, %s, %s, '{}', '', %s)"
            " ON CONFLICT DO NOTHING RETURNING id",
            [
                job.id,
                job.controller_id,
                job.case_id,
                job.kind,
                job.key,
                connection.ops.adapt_json_value(job.args, None),
                job.max_attempts,
                job.takes_turns,
                job.not_before,
                job.created_at,
            ],
        )
        return cursor.fetchone() is not None


def publish(job_id: UUID, after: float = 0) -> bool:
    """Tell a worker, after so many seconds; never waits itself.

    False where the broker is away: the sweep tells of it later.
    """
    global _broker_failed_at  # noqa: PLW0603  One number a process, and nothing else needs it.
    if time.monotonic() - _broker_failed_at < BROKER_REST_SECONDS:
        return False
    try:
        _send(job_id, after)
    except (OperationalError, KombuError, CeleryError, OSError):
        _broker_failed_at = time.monotonic()
        log.warning("broker away, job %s waits for the sweep", job_id)
        return False
    return True


def wake(job_id: UUID, after: timedelta) -> None:
    """Tell a worker of a job that was put back; where it waits longer than the sweep does, that tells of it.

    Its row says when it may begin, so the message's own waiting is no more than a wake-up call.
    """
    if is_woken(after):
        publish(job_id, after.total_seconds() + CLOCKS_DIFFER_SECONDS if after else 0)


def is_woken(after: timedelta) -> bool:
    """Whether what waits so long has a message of its own."""
    return after.total_seconds() <= SWEEP_SECONDS


def bring_forward(keys: Iterable[str], now: datetime) -> None:
    """Let open jobs with these keys begin now; what they waited for is over."""
    waiting = Job.objects.filter(key__in=list(keys), state=JobState.QUEUED, not_before__gt=now)
    ids = list(waiting.values_list("pk", flat=True))
    Job.objects.filter(pk__in=ids, state=JobState.QUEUED).update(not_before=now, published_at=None)
    for job_id in ids:
        transaction.on_commit(partial(publish, job_id))


def _send(job_id: UUID, after: float) -> None:
    from dsar.jobs.tasks import run  # the task imports the runner, which imports this

    run.apply_async((str(job_id),), countdown=after)


def sweep(how_many: int = 500) -> int:
    """Publish what is due and has no message, or whose worker is gone; returns how many it told.

    What comes due before the next sweep is told of for then.
    """
    # Asked before the jobs are counted: one that is taken up in between is neither.
    messages = _messages()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT jobs_due(make_interval(secs => %s), %s, %s)", [OVERDUE_SECONDS, how_many, messages]
        )
        due = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT * FROM jobs_soon(make_interval(secs => %s), %s)", [SWEEP_SECONDS, TOLD_AHEAD])
        soon = [(job_id, max(seconds, 0) + CLOCKS_DIFFER_SECONDS) for job_id, seconds in cursor.fetchall()]
    told = [(job_id, 0.0) for job_id in due] + soon
    untold = [job_id for job_id, after in told if not publish(job_id, after)]
    if untold:
        with connection.cursor() as cursor:
            cursor.execute("SELECT jobs_untold(%s)", [untold])
    return len(told) - len(untold)


def _messages() -> int:
    """How many messages wait for a worker; none where the broker is away, or has lost them all."""
    from dsar.celery import app  # the application imports the tasks, which import this

    if time.monotonic() - _broker_failed_at < BROKER_REST_SECONDS:
        return 0
    try:
        with app.connection_for_read() as broker:
            broker.ensure_connection(max_retries=1, interval_start=0)
            channel: Any = broker.channel()
            return int(channel.queue_declare(app.conf.task_default_queue).message_count)
    except (OperationalError, KombuError, CeleryError, OSError):
        return 0


@dataclass(frozen=True)
class Kind:
    """A kind of job: what runs it, and what is told when it is given up."""

    run: Callable[..., None]
    gave_up: Callable[..., None] | None = None


kinds: dict[str, Kind] = {}


def job(
    name: str, gave_up: Callable[..., None] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare the function that runs jobs of this kind."""

    def declare(function: Callable[..., None]) -> Callable[..., None]:
        kinds[name] = Kind(function, gave_up)
        return function

    return declare
