"""Run a claimed job: beat its lease, fence its writes, retry what may heal, give up in the open."""

import contextlib
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.db.models import F
from django.utils import timezone

from dsar.jobs import queue
from dsar.jobs.models import Job, JobState
from dsar.lib.prepared import Prepared
from dsar.lib.tenancy import unit_of_work

log = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
BACK_OFF_SECONDS = (2, 10, 60, 300, 900)
CONNECTION_LOST = (OperationalError, InterfaceError)


_MINE = Prepared(
    lambda job_id, attempt: (
        Job.objects.select_for_update()
        .filter(pk=job_id, attempts=attempt, state=JobState.RUNNING)
        .values_list("pk", flat=True)
    ),
    UUID,
    int,
)


class LeaseLost(Exception):
    """Another attempt has taken over: what this one would write is refused."""


class RetryLater(Exception):
    """The work could not be done now and may heal. ``code`` is free of personal data."""

    def __init__(self, code: str, after: timedelta | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.after = after


class PutBack(Exception):
    """The work goes on later by itself, from where it is: nothing went wrong, and no attempt is used up.

    What stood in line for something ``keeps_place``: when it is due it goes before what never began.
    """

    def __init__(self, code: str, after: timedelta = timedelta(), *, keeps_place: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.after = after
        self.keeps_place = keeps_place


@dataclass(frozen=True)
class Claim:
    """A job that this process holds. ``attempt`` is its fence; those ``forgiven`` do not count as tries."""

    job_id: UUID
    controller_id: UUID
    case_id: UUID | None
    kind: str
    args: Mapping[str, str]
    attempt: int
    max_attempts: int
    lost: threading.Event
    forgiven: int = 0
    got_on: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def tries(self) -> int:
        """How often it was begun since it last got on, this time included."""
        return 1 if self.got_on.is_set() else self.attempt - self.forgiven

    @property
    def last_attempt(self) -> bool:
        return self.tries >= self.max_attempts

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """A transaction of this job: refused with LeaseLost where another attempt took over.

        The job's row stays locked until the commit, so that no other attempt can begin meanwhile.
        """
        with unit_of_work([self.controller_id]):
            self._hold()
            yield

    def finish(self) -> None:
        """The job is done with this step: what it writes and the job's end are kept together, or neither."""
        _mark_ended(self, JobState.DONE)
        transaction.on_commit(self.done.set)

    def progress(self, **numbers: int) -> None:
        """Show how far the work is; inside a step. What went wrong before does not count any more."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE jobs_job SET progress = %s, forgiven = attempts - 1 WHERE id = %s",
                [connection.ops.adapt_json_value(numbers, None), self.job_id],
            )
        self.got_on.set()

    @property
    def others_wait(self) -> bool:
        """Whether anything else is due, of whichever controller."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT jobs_waiting(%s)", [self.job_id])
            return bool(cursor.fetchone()[0])

    def _hold(self) -> None:
        if self.lost.is_set() or not _MINE.all(self.job_id, self.attempt):
            raise LeaseLost


def run_job(job_id: UUID) -> bool:
    """Claim and run; False where somebody else has it or it is done. Any number of calls do the work once.

    Where jobs of its kind take turns, it may be another of them whose turn it is.
    """
    claim = _claim(job_id)
    if claim is None:
        return False
    with _beating(claim):
        _run(claim)
    return True


def _claim(job_id: UUID) -> Claim | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM jobs_take(%s)", [job_id])
        row = cursor.fetchone()
    if row is None:
        return None
    taken, controller_id, case_id, kind, args, attempt, max_attempts, forgiven = row
    # Django's connection leaves jsonb as text in raw queries.
    held = (controller_id, case_id, kind, json.loads(args), attempt, max_attempts)
    return Claim(taken, *held, threading.Event(), forgiven)


def _run(claim: Claim) -> None:
    try:
        _attempt(claim)
    except LeaseLost:
        log.info("job %s was taken over", claim.job_id)
    except CONNECTION_LOST as error:
        # The lease runs out and the sweep finds the job again.
        log.warning("job %s lost the database: %s", claim.job_id, type(error).__name__)
        connections.close_all()
    except Exception as error:  # noqa: BLE001  Nothing may reach Celery's log, which would print the message.
        # Giving up failed, so nobody knows of it yet: it is tried again when the lease has run out.
        _log_bare("job %s could not be given up: %s at %s", claim, error)


def _attempt(claim: Claim) -> None:
    if claim.tries > claim.max_attempts:
        _give_up(claim, "worker_lost")
        return
    try:
        _kind(claim).run(claim)
        if not claim.done.is_set():
            _end(claim, JobState.DONE)
    except PutBack as back:
        _put_back(claim, back)
    except RetryLater as later:
        _retry(claim, later.code, later.after)
    except (LeaseLost, *CONNECTION_LOST):
        raise
    except Exception as error:  # noqa: BLE001  Whatever it was, the job must not be lost.
        _log_bare("job %s failed: %s at %s", claim, error)
        _retry(claim, f"unexpected_{type(error).__name__}", None)


def _kind(claim: Claim) -> queue.Kind:
    """What runs it; a kind that is not known here may be known to a newer worker."""
    kind = queue.kinds.get(claim.kind)
    if kind is None:
        raise RetryLater("unknown_kind")
    return kind


def _log_bare(words: str, claim: Claim, error: Exception) -> None:
    """The class and place tell enough; message and traceback could hold personal data."""
    log.error(words, claim.job_id, type(error).__name__, _place(error))


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _retry(claim: Claim, code: str, after: timedelta | None) -> None:
    if claim.last_attempt:
        _give_up(claim, code)
        return
    wait = after or timedelta(seconds=BACK_OFF_SECONDS[min(claim.tries, len(BACK_OFF_SECONDS)) - 1])
    with contextlib.suppress(LeaseLost), claim.step():
        Job.objects.filter(pk=claim.job_id).update(
            state=JobState.QUEUED,
            not_before=timezone.now() + wait,
            lease_until=None,
            error_code=code[:60],
            keeps_place=False,
        )


def _put_back(claim: Claim, back: PutBack) -> None:
    now = timezone.now()
    # Where it has a message of its own for then, the sweep need not tell of it beforehand.
    told = {"published_at": now} if back.after and queue.is_woken(back.after) else {}
    with contextlib.suppress(LeaseLost), claim.step():
        Job.objects.filter(pk=claim.job_id).update(
            state=JobState.QUEUED,
            not_before=now + back.after,
            lease_until=None,
            error_code=back.code[:60],
            forgiven=F("forgiven") + 1,
            keeps_place=back.keeps_place,
            **told,
        )
        transaction.on_commit(lambda: queue.wake(claim.job_id, back.after))


def _give_up(claim: Claim, code: str) -> None:
    """Tell whom it concerns, then end; a death in between tells them twice."""
    kind = queue.kinds.get(claim.kind)
    gave_up = kind.gave_up if kind else None
    if gave_up is not None:
        with contextlib.suppress(LeaseLost):
            gave_up(claim, code)
    _end(claim, JobState.FAILED, code)


def _end(claim: Claim, state: JobState, code: str = "") -> None:
    with contextlib.suppress(LeaseLost), claim.step():
        _mark_ended(claim, state, code)


def _mark_ended(claim: Claim, state: JobState, code: str = "") -> None:
    # Plain SQL, since every job ends with it: Django would compose it anew each time.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE jobs_job SET state = %s, ended_at = %s, lease_until = NULL, error_code = %s WHERE id = %s",
            [state.value, timezone.now(), code[:60], claim.job_id],
        )


@contextlib.contextmanager
def _beating(claim: Claim) -> Iterator[None]:
    """Keep the lease alive from a thread with a connection of its own."""
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(claim, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(claim: Claim, stop: threading.Event) -> None:
    try:
        while not stop.wait(BEAT_SECONDS):
            if not _extended(claim):
                claim.lost.set()
                return
    finally:
        connections.close_all()


def _extended(claim: Claim) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT jobs_beat(%s, %s)", [claim.job_id, claim.attempt])
            row = cursor.fetchone()
        return bool(row and row[0])
    except DatabaseError:
        connections.close_all()
        return True  # unknown: the next step asks the row itself
