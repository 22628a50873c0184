"""From the row to the message: published after the commit, told again when the message was lost."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from kombu import pools

from dsar.celery import app
from dsar.jobs import queue
from dsar.jobs.models import Job
from dsar.lib.tenancy import unit_of_work
from tests.conftest import as_superuser
from tests.dsar.rows import ALPHA, BETA

THREADS = 8


def add(key: str = "k", **options: Any) -> UUID:
    """Enqueue in the present transaction."""
    options.setdefault("now", timezone.now())
    return queue.enqueue("test", controller_id=options.pop("controller_id", ALPHA), key=key, **options)


def added(key: str = "k", **options: Any) -> UUID:
    """Enqueue and commit."""
    with unit_of_work([ALPHA, BETA]):
        return add(key, **options)


def jobs() -> list[Job]:
    with unit_of_work([ALPHA, BETA]):
        return list(Job.objects.order_by("id"))


def set_back(job_id: UUID, **columns: str) -> None:
    """Change columns to SQL expressions, past every rule."""
    assignments = ", ".join(f"{name} = {value}" for name, value in columns.items())
    with as_superuser() as database:
        database.execute(f"UPDATE jobs_job SET {assignments} WHERE id = %s", [job_id])


class Messages:
    """What waits in the broker."""

    def take(self) -> list[UUID]:
        """The ids in all waiting messages, which are gone then."""
        return [job_id for job_id, _ in self.take_with_time()]

    def take_with_time(self) -> list[tuple[UUID, float]]:
        """The same, each with the seconds until a worker acts on it."""
        found = []
        with app.connection_for_read() as broker:
            channel = broker.default_channel
            app.amqp.queues["jobs"](channel).declare()
            while message := channel.basic_get("jobs", no_ack=True):
                eta = message.headers["eta"]
                wait = datetime.fromisoformat(eta) - timezone.now() if eta else timedelta()
                found.append((UUID(message.decode()[0][0]), wait.total_seconds()))
        return found


@pytest.fixture
def messages(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> Messages:
    monkeypatch.setattr(queue, "_broker_failed_at", float("-inf"))
    waiting = Messages()
    waiting.take()
    return waiting


@pytest.fixture
def dead_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A broker's address at which nobody answers."""
    monkeypatch.setattr(queue, "_broker_failed_at", float("-inf"))
    address = app.conf.broker_url
    _use(f"redis+socket:///nowhere/{THREADS}.sock?virtual_host=0")
    yield
    _use(address)


def _use(address: str) -> None:
    app.conf.broker_url = app.conf.broker_write_url = address
    app.amqp._producer_pool = None
    pools.reset()


# -- with the transaction ----------------------------------------------------------------------------


def test_job_and_message_come_with_the_commit(messages: Messages) -> None:
    with unit_of_work([ALPHA]):
        job_id = add()
        before = messages.take()

    assert (before, messages.take()) == ([], [job_id])
    assert [(job.id, job.state, job.attempts) for job in jobs()] == [(job_id, "queued", 0)]


def test_rollback_leaves_neither_job_nor_message(messages: Messages) -> None:
    with unit_of_work([ALPHA]):
        add()
        transaction.set_rollback(True)

    assert (jobs(), messages.take()) == ([], [])


def test_savepoint_rolled_back_leaves_neither_job_nor_message(messages: Messages) -> None:
    with unit_of_work([ALPHA]):
        kept = add("kept")
        with unit_of_work([ALPHA]):
            add("lost")
            transaction.set_rollback(True)

    assert ([job.key for job in jobs()], messages.take()) == (["kept"], [kept])


def test_message_holds_the_id_and_nothing_else(messages: Messages) -> None:
    job_id = added(args={"code": "secret-code"}, case_id=UUID(int=7))

    with app.connection_for_read() as broker:
        message = broker.default_channel.basic_get("jobs", no_ack=True)

    assert message.decode()[:2] == [[str(job_id)], {}]
    assert [
        text in str(message.headers) + str(message.body) for text in ("secret-code", str(UUID(int=7)))
    ] == [
        False,
        False,
    ]


def test_job_for_later_has_no_message_yet(messages: Messages) -> None:
    now = timezone.now()

    added(now=now, not_before=now + timedelta(hours=1))

    assert (messages.take(), queue.sweep(), messages.take()) == ([], 0, [])


# -- one open job a key ------------------------------------------------------------------------------


def test_same_key_is_one_job(messages: Messages) -> None:
    with unit_of_work([ALPHA]):
        ids = [add("same"), add("same"), add("other")]

    assert (ids[0] == ids[1], ids[0] == ids[2]) == (True, False)
    assert [job.key for job in jobs()] == ["same", "other"]


def test_key_is_free_again_when_its_job_has_ended(messages: Messages) -> None:
    first = added()
    set_back(first, state="'done'")

    second = added()

    assert [job.id for job in jobs()] == [first, second]


def test_same_key_by_many_at_once_is_one_job(messages: Messages) -> None:
    start, ids = threading.Barrier(THREADS), list[UUID]()

    def put() -> None:
        start.wait()
        ids.append(added("same"))
        connection.close()

    threads = [threading.Thread(target=put) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(ids), {job.id for job in jobs()}) == (THREADS, set(ids))
    assert len(jobs()) == 1


def test_key_of_another_controller_is_not_taken_for_ones_own(messages: Messages) -> None:
    added("same", controller_id=BETA)

    with pytest.raises(RuntimeError, match="another controller"), unit_of_work([ALPHA]):
        add("same")

    assert [job.controller_id for job in jobs()] == [BETA]


# -- the sweep ---------------------------------------------------------------------------------------


def test_sweep_tells_what_was_never_told(messages: Messages) -> None:
    job_id = added()
    messages.take()

    told = queue.sweep()

    assert (told, messages.take()) == (1, [job_id])


def test_sweep_does_not_tell_again_what_it_just_told(messages: Messages) -> None:
    added()
    messages.take()
    queue.sweep()
    messages.take()

    assert (queue.sweep(), messages.take()) == (0, [])


def test_sweep_tells_nothing_while_a_message_waits_for_each_job(messages: Messages) -> None:
    ids = [added(f"job {number}") for number in range(3)]
    set_back(ids[0], published_at="now() - interval '1 h'", not_before="now() - interval '2 h'")

    told = queue.sweep()

    assert (told, sorted(messages.take())) == (0, sorted(ids))


def test_sweep_tells_all_where_one_message_is_missing(messages: Messages) -> None:
    ids = [added(f"job {number}") for number in range(3)]
    messages.take()
    queue.publish(ids[0])
    queue.publish(ids[1])

    told = queue.sweep()

    assert (told, sorted(messages.take())) == (3, sorted([*ids, ids[0], ids[1]]))


# State, columns set back, and whether a sweep tells it again.
REPUBLISHED: dict[str, tuple[dict[str, str], bool]] = {
    "told lately": (
        {"published_at": "now() - interval '5 s'", "not_before": "now() - interval '1 h'"},
        False,
    ),
    "message overdue": (
        {"published_at": "now() - interval '31 s'", "not_before": "now() - interval '1 h'"},
        True,
    ),
    "waiting for a retry": ({"published_at": "now()", "not_before": "now() + interval '5 s'"}, False),
    "retry is due": (
        {"published_at": "now() - interval '9 s'", "not_before": "now() - interval '1 s'"},
        True,
    ),
    "running with a lease": (
        {
            "state": "'running'",
            "published_at": "now() - interval '1 h'",
            "lease_until": "now() + interval '5 s'",
        },
        False,
    ),
    "worker is gone": (
        {"state": "'running'", "published_at": "now()", "lease_until": "now() - interval '1 s'"},
        True,
    ),
    "done": ({"state": "'done'", "published_at": "NULL"}, False),
    "failed": ({"state": "'failed'", "published_at": "NULL"}, False),
}


@pytest.mark.parametrize(("columns", "again"), REPUBLISHED.values(), ids=REPUBLISHED.keys())
def test_sweep_republishes_by_rule(messages: Messages, columns: dict[str, str], again: bool) -> None:
    job_id = added()
    messages.take()
    set_back(job_id, **columns)

    told = queue.sweep()

    assert (told, messages.take()) == ((1, [job_id]) if again else (0, []))


@pytest.fixture
def seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps ten minutes apart, so that nothing comes due while a slow machine gets to the next line."""
    monkeypatch.setattr(queue, "SWEEP_SECONDS", 600)


def test_sweep_tells_ahead_what_comes_due_before_the_next(messages: Messages, seldom: None) -> None:
    soon, later = (added(f"job {number}") for number in range(2))
    messages.take()
    set_back(soon, published_at="NULL", not_before="now() + interval '300 s'")
    set_back(later, published_at="NULL", not_before="now() + interval '900 s'")

    told = [queue.sweep(), queue.sweep()]

    ((message, seconds),) = messages.take_with_time()
    assert (told, message, 200 < seconds <= 301) == ([1, 0], soon, True)


def test_what_was_told_ahead_and_lost_is_told_again_when_it_is_due(messages: Messages) -> None:
    job_id = added()
    messages.take()
    set_back(job_id, published_at="now() - interval '3 s'", not_before="now() - interval '2 s'")

    assert (queue.sweep(), messages.take()) == (1, [job_id])


def test_sweep_tells_few_ahead(messages: Messages, seldom: None) -> None:
    for number in range(queue.TOLD_AHEAD + 5):
        set_back(added(f"job {number}"), published_at="NULL", not_before="now() + interval '300 s'")
    messages.take()

    assert queue.sweep() == queue.TOLD_AHEAD


def test_what_was_told_ahead_in_vain_is_told_by_the_next_sweep(
    messages: Messages, monkeypatch: pytest.MonkeyPatch, seldom: None
) -> None:
    job_id = added()
    messages.take()
    set_back(job_id, published_at="NULL", not_before="now() + interval '300 s'")
    with monkeypatch.context() as away:
        away.setattr(queue, "publish", lambda job_id, after: False)
        lost = queue.sweep()

    assert (lost, queue.sweep()) == (0, 1)


def test_sweep_takes_the_oldest_first_and_no_more_than_asked(messages: Messages) -> None:
    now = timezone.now()
    ids = [added(f"job {age}", now=now - timedelta(hours=age)) for age in (1, 3, 2)]
    messages.take()

    queue.sweep(how_many=2)

    assert sorted(messages.take()) == sorted([ids[1], ids[2]])


def test_sweep_serves_nobody_and_still_finds_all(messages: Messages) -> None:
    added("one", controller_id=ALPHA)
    added("two", controller_id=BETA)
    messages.take()

    told = queue.sweep()

    assert (told, Job.objects.count()) == (2, 0)


def test_two_sweeps_at_once_tell_each_job_once(messages: Messages) -> None:
    ids = sorted(added(f"job {number}") for number in range(40))
    messages.take()
    start = threading.Barrier(THREADS)

    def sweep() -> None:
        start.wait()
        queue.sweep()
        connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(messages.take()) == ids


# -- a broker that is away ---------------------------------------------------------------------------


def test_job_is_kept_while_the_broker_is_away_and_told_when_it_is_back(
    messages: Messages, dead_broker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = added()
    while_away = (queue.publish(job_id), queue.sweep())

    _use(settings.CELERY_BROKER_URL)
    monkeypatch.setattr(queue, "_broker_failed_at", float("-inf"))
    told = queue.sweep()

    assert while_away == (False, 0)
    assert (told, messages.take()) == (1, [job_id])


def test_broker_that_failed_is_left_alone_for_a_while(
    messages: Messages, dead_broker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[UUID] = []
    send = queue._send
    monkeypatch.setattr(queue, "_send", lambda job_id, after: (tries.append(job_id), send(job_id, after)))

    answers = [queue.publish(UUID(int=number)) for number in range(5)]

    assert (answers, tries) == ([False] * 5, [UUID(int=0)])


def test_time_of_a_job_is_what_the_caller_says(messages: Messages) -> None:
    now = datetime.fromisoformat("2026-01-02T03:04:05+00:00")

    added(now=now)

    assert [(job.created_at, job.not_before) for job in jobs()] == [(now, now)]
