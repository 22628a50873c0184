"""Put work into the queue: a row in the caller's transaction, a message after it."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from celery.exceptions import CeleryError
from django.db import connection, transaction
from kombu.exceptions import KombuError, OperationalError

from dsar.jobs.models import Job, JobState
from dsar.lib.uuid7 import uuid7

log = logging.getLogger(__name__)

OVERDUE_SECONDS = 30
BROKER_REST_SECONDS = 5.0
TRIES = 3

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
) -> UUID:
    """Add a job in the present transaction and publish it when that commits.

    While a job with the same ``key`` is open nothing is added, and its id is returned.
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
            " not_before, progress, error_code, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, 'queued', 0, %s, %s, '{}', '', %s) ON CONFLICT DO NOTHING RETURNING id",
            [
                job.id,
                job.controller_id,
                job.case_id,
                job.kind,
                job.key,
                connection.ops.adapt_json_value(job.args, None),
                job.max_attempts,
                job.not_before,
                job.created_at,
            ],
        )
        return cursor.fetchone() is not None


def publish(job_id: UUID) -> bool:
    """Tell a worker; False where the broker is away: the sweep tells it later. Never waits for long."""
    global _broker_failed_at  # noqa: PLW0603  One number a process, and nothing else needs it.
    if time.monotonic() - _broker_failed_at < BROKER_REST_SECONDS:
        return False
    try:
        _send(job_id)
    except (OperationalError, KombuError, CeleryError, OSError):
        _broker_failed_at = time.monotonic()
        log.warning("broker away, job %s waits for the sweep", job_id)
        return False
    return True


def _send(job_id: UUID) -> None:
    from dsar.jobs.tasks import run  # the task imports the runner, which imports this

    run.apply_async((str(job_id),))


def sweep(how_many: int = 500) -> int:
    """Publish what is due and has no message, or whose worker is gone; returns how many it told."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT jobs_due(make_interval(secs => %s), %s)", [OVERDUE_SECONDS, how_many])
        due = [row[0] for row in cursor.fetchall()]
    untold = [job_id for job_id in due if not publish(job_id)]
    if untold:
        with connection.cursor() as cursor:
            cursor.execute("SELECT jobs_untold(%s)", [untold])
    return len(due) - len(untold)


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
