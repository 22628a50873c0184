"""Running: claimed once, fenced, beaten, retried and given up in the open."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from dsar.jobs import queue, run
from dsar.jobs.models import Job
from dsar.jobs.run import Claim, LeaseLost, PutBack, RetryLater, run_job
from dsar.lib.tenancy import served, unit_of_work
from identity.models import Team
from tests.dsar.jobs.test_queue import added, jobs, set_back
from tests.dsar.rows import ALPHA, BETA

THREADS = 8
PATIENCE_SECONDS = 20


@pytest.fixture
def kind(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Declare what the jobs of these tests do; nothing is published."""
    monkeypatch.setattr(queue, "publish", lambda job_id: True)

    def declare(
        function: Callable[[Claim], None], gave_up: Callable[[Claim, str], None] | None = None
    ) -> None:
        monkeypatch.setitem(queue.kinds, "test", queue.Kind(function, gave_up))

    return declare


def only() -> Job:
    (job,) = jobs()
    return job


def teams() -> list[str]:
    return list(Team.objects.order_by("name").values_list("name", flat=True))


def write(claim: Claim, name: str) -> None:
    """One step of work, with an effect that can be counted."""
    with claim.step():
        Team.objects.create(name=name)


def expire(job_id: UUID) -> None:
    set_back(job_id, lease_until="clock_timestamp() - interval '1 s'")


# -- once --------------------------------------------------------------------------------------------


def test_job_runs_and_is_done(kind: Callable[..., None]) -> None:
    seen: list[Claim] = []
    kind(seen.append)
    job_id = added(args={"run": "7"}, case_id=UUID(int=7))

    ran = run_job(job_id)

    (claim,) = seen
    assert ran is True
    assert (claim.job_id, claim.controller_id, claim.case_id) == (job_id, ALPHA, UUID(int=7))
    assert (claim.kind, claim.args, claim.attempt, claim.max_attempts) == ("test", {"run": "7"}, 1, 5)
    job = only()
    assert (job.state, job.attempts, job.error_code, job.lease_until) == ("done", 1, "", None)


def test_repeated_message_finds_the_job_done(kind: Callable[..., None]) -> None:
    kind(lambda claim: write(claim, f"attempt {claim.attempt}"))
    job_id = added()

    ran = [run_job(job_id), run_job(job_id), run_job(UUID(int=1))]

    assert (ran, teams()) == ([True, False, False], ["attempt 1"])


def finish(claim: Claim, name: str, error: Exception | None = None) -> None:
    """The last step of a job, which ends with it."""
    with claim.step():
        Team.objects.create(name=name)
        claim.finish()
        if error is not None:
            raise error


def test_job_ends_with_its_last_step(kind: Callable[..., None]) -> None:
    kind(lambda claim: finish(claim, "once"))
    job_id = added()

    ran = [run_job(job_id), run_job(job_id)]

    job = only()
    assert (ran, teams(), job.state, job.lease_until) == ([True, False], ["once"], "done", None)
    assert job.ended_at is not None


def test_job_whose_last_step_fails_has_not_ended(kind: Callable[..., None]) -> None:
    kind(lambda claim: finish(claim, "never", ValueError()))

    run_job(added())

    assert (teams(), only().state, only().error_code) == ([], "queued", "unexpected_ValueError")


def test_last_step_of_a_job_that_was_taken_over_changes_nothing(kind: Callable[..., None]) -> None:
    taken: list[UUID] = []

    def late(claim: Claim) -> None:
        if not taken:
            taken.append(claim.job_id)
            expire(claim.job_id)
            run_job(claim.job_id)
        finish(claim, f"attempt {claim.attempt}")

    kind(late)

    run_job(added())

    assert (teams(), only().state, only().attempts) == (["attempt 2"], "done", 2)


def test_job_for_later_is_not_claimed_early(kind: Callable[..., None]) -> None:
    kind(lambda claim: write(claim, "early"))
    now = timezone.now()
    job_id = added(now=now, not_before=now + timedelta(hours=1))

    ran = run_job(job_id)

    assert (ran, teams(), only().state) == (False, [], "queued")


def test_step_serves_the_jobs_controller_alone(kind: Callable[..., None]) -> None:
    seen: list[frozenset[UUID]] = []

    def look(claim: Claim) -> None:
        with claim.step():
            seen.append(served())

    kind(look)
    run_job(added(controller_id=BETA))

    assert seen == [frozenset({BETA})]


def test_duplicated_messages_to_many_workers_do_each_job_once(kind: Callable[..., None]) -> None:
    kind(lambda claim: write(claim, f"{claim.job_id} {claim.attempt}"))
    ids = [added(f"job {number}") for number in range(24)]
    start, ran = threading.Barrier(THREADS), list[bool]()

    def work(offset: int) -> None:
        start.wait()
        for number in range(len(ids) * 2):
            ran.append(run_job(ids[(number + offset * 3) % len(ids)]))
        connection.close()

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert teams() == sorted(f"{job_id} 1" for job_id in ids)
    assert (sum(ran), len(ran)) == (len(ids), len(ids) * 2 * THREADS)
    assert {job.state for job in jobs()} == {"done"}


# -- leases ------------------------------------------------------------------------------------------


def test_job_with_a_living_lease_is_not_taken(kind: Callable[..., None]) -> None:
    job_id = added()
    first = run._claim(job_id)

    second = run._claim(job_id)

    assert (first is not None, second) == (True, None)


def test_expired_lease_gives_another_attempt_and_the_zombie_is_refused(kind: Callable[..., None]) -> None:
    kind(lambda claim: write(claim, "second attempt"))
    job_id = added()
    zombie = run._claim(job_id)
    assert zombie is not None
    write(zombie, "first attempt, in time")
    expire(job_id)

    run_job(job_id)
    with pytest.raises(LeaseLost):
        write(zombie, "first attempt, too late")

    assert teams() == ["first attempt, in time", "second attempt"]
    assert (only().state, only().attempts) == ("done", 2)


def test_zombie_among_running_attempts_is_refused(kind: Callable[..., None]) -> None:
    job_id = added()
    zombie = run._claim(job_id)
    expire(job_id)
    heir = run._claim(job_id)
    assert zombie is not None
    assert heir is not None

    with pytest.raises(LeaseLost):
        write(zombie, "zombie")
    write(heir, "heir")

    assert (teams(), zombie.attempt, heir.attempt) == (["heir"], 1, 2)


def test_zombie_can_neither_end_nor_retry_nor_give_up_what_it_lost(kind: Callable[..., None]) -> None:
    told: list[str] = []

    def lose(claim: Claim) -> None:
        expire(claim.job_id)
        assert run._claim(claim.job_id) is not None

    def lose_and_fail(claim: Claim) -> None:
        lose(claim)
        raise RetryLater("away")

    for number, function in enumerate([lose, lose_and_fail]):
        kind(function, lambda claim, code: told.append(code))
        run_job(added(f"job {number}"))

    assert [(job.state, job.attempts, job.error_code) for job in jobs()] == [("running", 2, "")] * 2
    assert told == []


def test_lost_step_is_rolled_back_with_everything_in_it(kind: Callable[..., None]) -> None:
    def fail_late(claim: Claim) -> None:
        with claim.step():
            Team.objects.create(name="half done")
            raise RetryLater("away")

    kind(fail_late)
    run_job(added())

    assert (teams(), only().state) == ([], "queued")


def test_other_attempt_cannot_begin_during_a_step(kind: Callable[..., None]) -> None:
    job_id = added()
    claim = run._claim(job_id)
    assert claim is not None
    taken: list[Claim | None] = []
    thread = threading.Thread(target=lambda: (taken.append(run._claim(job_id)), connection.close()))
    expire(job_id)

    with claim.step():
        thread.start()
        wait_until(waits_for_a_lock)
        Team.objects.create(name="in the step")
        during = list(taken)
    thread.join()

    assert during == []
    assert (teams(), [each.attempt for each in taken if each]) == (["in the step"], [2])


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_beat_keeps_the_lease(kind: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BEAT_SECONDS", 0.02)
    rivals: list[Claim | None] = []

    def outlive_the_lease(claim: Claim) -> None:
        set_back(claim.job_id, lease_until="clock_timestamp() + interval '1 s'")
        wait_until(lambda: lease(claim.job_id) > timezone.now() + timedelta(seconds=10))
        rivals.append(run._claim(claim.job_id))

    kind(outlive_the_lease)
    run_job(added())

    assert rivals == [None]
    assert (only().state, only().attempts) == ("done", 1)


def lease(job_id: UUID) -> Any:
    with unit_of_work([ALPHA]):
        return Job.objects.get(pk=job_id).lease_until


def test_beat_tells_the_worker_that_its_lease_is_lost(
    kind: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BEAT_SECONDS", 0.02)
    told: list[bool] = []

    def lose(claim: Claim) -> None:
        expire(claim.job_id)
        with unit_of_work([ALPHA]):
            Job.objects.filter(pk=claim.job_id).update(attempts=2)
        told.append(claim.lost.wait(PATIENCE_SECONDS))

    kind(lose)
    run_job(added())

    assert (told, only().state) == ([True], "running")


def test_no_thread_is_left_behind(kind: Callable[..., None]) -> None:
    before = set(threading.enumerate())
    kind(lambda claim: None)

    run_job(added())

    assert set(threading.enumerate()) - before == set()


# -- retry and giving up -----------------------------------------------------------------------------


def failing(error: Exception) -> Callable[[Claim], None]:
    def fail(claim: Claim) -> None:
        raise error

    return fail


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 2), (2, 10), (3, 60), (4, 300), (5, 900), (9, 900)])
def test_retry_backs_off(
    kind: Callable[..., None], monkeypatch: pytest.MonkeyPatch, attempt: int, seconds: int
) -> None:
    now = timezone.now()
    monkeypatch.setattr("dsar.jobs.run.timezone.now", lambda: now)
    kind(failing(RetryLater("source_away")))
    job_id = added(max_attempts=20)
    set_back(job_id, attempts=str(attempt - 1))

    run_job(job_id)

    job = only()
    assert (job.state, job.attempts, job.error_code, job.lease_until) == (
        "queued",
        attempt,
        "source_away",
        None,
    )
    assert job.not_before == now + timedelta(seconds=seconds)


def test_retry_waits_as_long_as_the_work_asks(
    kind: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    monkeypatch.setattr("dsar.jobs.run.timezone.now", lambda: now)
    kind(failing(RetryLater("too_many_requests", timedelta(minutes=7))))

    run_job(added())

    assert only().not_before == now + timedelta(minutes=7)


def test_last_attempt_that_fails_is_given_up_with_its_code(kind: Callable[..., None]) -> None:
    told: list[tuple[UUID, str]] = []
    kind(failing(RetryLater("source_away")), lambda claim, code: told.append((claim.job_id, code)))
    job_id = added(max_attempts=1)

    run_job(job_id)

    assert told == [(job_id, "source_away")]
    assert (only().state, only().error_code) == ("failed", "source_away")


def test_unexpected_error_is_retried_and_its_message_stays_out_of_the_log(
    kind: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    kind(failing(ValueError("Grete Müller")))

    with caplog.at_level(logging.DEBUG):
        run_job(added())

    assert (only().state, only().error_code) == ("queued", "unexpected_ValueError")
    assert ("Grete" in caplog.text, "ValueError" in caplog.text) == (False, True)


def test_broken_constraint_is_retried_with_back_off(kind: Callable[..., None]) -> None:
    def twice(claim: Claim) -> None:
        with claim.step():
            Team.objects.create(name="same")
            Team.objects.create(name="same")

    kind(twice)
    run_job(added())

    assert (only().state, only().error_code, teams()) == ("queued", "unexpected_IntegrityError", [])


def test_worker_that_died_in_the_last_attempt_is_told_of(kind: Callable[..., None]) -> None:
    told: list[str] = []
    kind(lambda claim: write(claim, "once more"), lambda claim, code: told.append(code))
    job_id = added(max_attempts=2)
    set_back(job_id, state="'running'", attempts="2", lease_until="clock_timestamp() - interval '1 s'")

    run_job(job_id)

    assert (told, teams(), only().state, only().error_code) == (["worker_lost"], [], "failed", "worker_lost")


def test_lost_database_leaves_the_job_to_the_sweep(kind: Callable[..., None]) -> None:
    kind(failing(OperationalError("gone")))

    run_job(added())

    assert (only().state, only().attempts, only().error_code) == ("running", 1, "")


def test_unknown_kind_waits_for_a_worker_that_knows_it(
    committed_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "publish", lambda job_id: True)
    monkeypatch.delitem(queue.kinds, "test", raising=False)
    first, last = added("first"), added("last", max_attempts=1)

    run_job(first)
    run_job(last)

    assert [(job.state, job.error_code) for job in jobs()] == [
        ("queued", "unknown_kind"),
        ("failed", "unknown_kind"),
    ]


def test_giving_up_that_fails_is_tried_again(
    kind: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    answers = iter([ValueError("Grete Müller"), None])

    def gave_up(claim: Claim, code: str) -> None:
        error = next(answers)
        if error:
            raise error

    kind(failing(RetryLater("away")), gave_up)
    job_id = added(max_attempts=1)
    run_job(job_id)
    between = only().state
    expire(job_id)

    run_job(job_id)

    assert (between, only().state, only().error_code) == ("running", "failed", "worker_lost")
    assert "Grete" not in caplog.text


def test_progress_is_seen_when_its_step_commits(kind: Callable[..., None]) -> None:
    def work(claim: Claim) -> None:
        with claim.step():
            claim.progress(done=3, of=7)

    kind(work)
    run_job(added())

    assert only().progress == {"done": 3, "of": 7}


# -- put back, and taking turns ------------------------------------------------------------------------


def test_work_put_back_uses_up_no_attempt(kind: Callable[..., None]) -> None:
    def throttled(claim: Claim) -> None:
        raise PutBack("throttled", timedelta(minutes=1))

    kind(throttled)
    job_id = added(max_attempts=2)

    for _ in range(5):
        set_back(job_id, not_before="clock_timestamp()")
        run_job(job_id)

    job = only()
    assert (job.state, job.attempts, job.forgiven, job.error_code) == ("queued", 5, 5, "throttled")
    assert job.not_before > timezone.now() + timedelta(seconds=50)


def test_failures_since_it_last_got_on_are_what_counts(kind: Callable[..., None]) -> None:
    """Each attempt dies, but only after a page was stored: none of them is the last."""

    def dies_later(claim: Claim) -> None:
        with claim.step():
            claim.progress(found=claim.attempt)
        raise RetryLater("gone")

    kind(dies_later)
    job_id = added(max_attempts=2)

    for _ in range(5):
        set_back(job_id, not_before="clock_timestamp()")
        run_job(job_id)

    assert (only().state, only().attempts) == ("queued", 5)


def test_work_that_never_gets_on_is_given_up_whatever_was_put_back_before(kind: Callable[..., None]) -> None:
    def fails_at_last(claim: Claim) -> None:
        raise PutBack("throttled") if claim.attempt <= 3 else RetryLater("gone")

    kind(fails_at_last)
    job_id = added(max_attempts=2)

    for _ in range(5):
        set_back(job_id, not_before="clock_timestamp()")
        run_job(job_id)

    assert (only().state, only().error_code, only().attempts) == ("failed", "gone", 5)


def test_controllers_take_turns(kind: Callable[..., None]) -> None:
    """One job of Beta's came after five of Alpha's, and is the second to be taken up."""
    seen: list[UUID] = []
    kind(lambda claim: seen.append(claim.controller_id))
    ids = [added(f"alpha {number}", takes_turns=True) for number in range(5)]
    ids.append(added("beta", controller_id=BETA, takes_turns=True))

    ran = [run_job(job_id) for job_id in ids]

    assert (ran, seen) == ([True] * 6, [ALPHA, BETA, ALPHA, ALPHA, ALPHA, ALPHA])


def test_work_put_back_goes_behind_what_is_due(kind: Callable[..., None]) -> None:
    seen: list[str] = []

    def once_more(claim: Claim) -> None:
        seen.append(claim.args["name"])
        if claim.args["name"] == "huge" and claim.attempt < 3:
            raise PutBack("let_others_by")

    kind(once_more)
    ids = [added(name, args={"name": name}, takes_turns=True) for name in ("huge", "small", "tiny")]

    for _ in range(2):
        for job_id in ids:
            run_job(job_id)

    assert seen == ["huge", "small", "tiny", "huge", "huge"]


def test_work_that_keeps_its_place_goes_before_what_is_due(kind: Callable[..., None]) -> None:
    """What it stood in line for is kept for it alone; and when it lets others by it has no place any more."""
    seen: list[str] = []

    def in_line(claim: Claim) -> None:
        seen.append(claim.args["name"])
        if claim.args["name"] == "waits" and claim.attempt < 3:
            raise PutBack("no_room", keeps_place=claim.attempt == 1)

    kind(in_line)
    ids = [added(name, args={"name": name}, takes_turns=True) for name in ("waits", "one", "two")]

    for _ in range(2):
        for job_id in ids:
            run_job(job_id)

    assert seen == ["waits", "waits", "one", "two", "waits"]


def test_place_counts_among_ones_own_and_not_against_another_controller(kind: Callable[..., None]) -> None:
    seen: list[str] = []

    def in_line(claim: Claim) -> None:
        seen.append(claim.args["name"])
        if claim.args["name"] == "waits" and claim.attempt == 1:
            raise PutBack("no_room", keeps_place=True)

    kind(in_line)
    ids = [added("waits", args={"name": "waits"}, takes_turns=True)]
    ids.append(added("other", args={"name": "other"}, controller_id=BETA, takes_turns=True))

    for job_id in (*ids, ids[0]):
        run_job(job_id)

    assert seen == ["waits", "other", "waits"]


def test_job_whose_worker_died_is_taken_up_itself(kind: Callable[..., None]) -> None:
    seen: list[UUID] = []
    kind(lambda claim: seen.append(claim.job_id))
    died, other = added("died", takes_turns=True), added("other", takes_turns=True)
    set_back(died, state="'running'", lease_until="clock_timestamp() - interval '1 s'")

    run_job(died)

    assert seen == [died]
    assert {job.state for job in jobs() if job.pk == other} == {"queued"}


def test_long_work_learns_that_others_wait(kind: Callable[..., None]) -> None:
    seen: list[bool] = []
    kind(lambda claim: seen.append(claim.others_wait))
    run_job(added("alone"))
    later = timezone.now() + timedelta(hours=1)
    added("not due", not_before=later)
    run_job(added("still alone"))
    due = added("due", controller_id=BETA)
    run_job(added("not alone"))

    assert (run_job(due), seen) == (True, [False, False, True, False])


def test_what_was_put_back_is_brought_forward(kind: Callable[..., None]) -> None:
    def once(claim: Claim) -> None:
        if claim.attempt == 1:
            raise PutBack("paused", timedelta(hours=1))

    kind(once)
    job_id = added("held")
    run_job(job_id)

    with unit_of_work([ALPHA]):
        queue.bring_forward(["held"], timezone.now())

    assert (run_job(job_id), only().state) == (True, "done")
