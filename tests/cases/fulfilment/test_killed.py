"""Workers killed at every boundary of every step: afterwards all is as planned, with one receipt for each step."""

import os
import signal
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import connections

from cases.connectors.sql.postgresql import PostgreSQLConnector
from cases.fulfilment import execution as engine
from cases.models import Case, ChangeStep
from cases.words import State
from cases.workflow import execution
from dsar.jobs import queue
from dsar.jobs.models import Job
from dsar.jobs.run import run_job
from dsar.lib.tenancy import unit_of_work
from tests.cases.chinook import Shop, keep_invoices, luis_in_review, make_shop, needs_chinook
from tests.cases.connectors.sql.conftest import Source, database, make_source  # noqa: F401  (fixtures)
from tests.cases.fulfilment.erasing import STEPS, approved, open_desk, planned
from tests.cases.fulfilment.whole import changes, everything
from tests.conftest import as_superuser

pytestmark = [pytest.mark.usefixtures("committed_db"), needs_chinook]

# Where a worker dies: what it was doing, whether before or after that, and at which time of doing it.
STEP_BOUNDARIES = (
    (engine._Going, "_begin_next", "after", 2),  # marked as under way, and not committed
    (PostgreSQLConnector, "apply", "before", 2),  # under way, and nothing written
    (PostgreSQLConnector, "apply", "after", 2),  # written, and no receipt
    (engine._Going, "_keep", "after", 2),  # the receipt is there, and not committed
    (engine._Going, "_turn", "after", 2),  # the receipt is committed, with the next step under way
)
END_BOUNDARIES = (
    (execution, "executed", "before", 1),
    (PostgreSQLConnector, "verify", "before", 1),
    (execution, "proven", "before", 1),
    (execution, "proven", "after", 1),
)


@pytest.fixture
def world(committed_db: None, make_source: Callable[[str], Source]) -> Iterator[tuple[Shop, Case]]:  # noqa: F811
    """An erasure, approved, whose jobs wait; workers are told of nothing, and run where a test says."""
    with patch.object(queue, "publish", lambda *_args, **_named: True), unit_of_work([]):
        desk = open_desk()
        shop = make_shop(desk.controller, make_source)
        keep_invoices(shop)
        case = approved(desk, luis_in_review(desk))
    with patch.object(queue, "publish", lambda *_args, **_named: True):
        yield shop, case


def test_worker_killed_at_every_boundary_leaves_what_was_planned(world: tuple[Shop, Case]) -> None:
    shop, case = world
    before = everything(shop.source)
    deaths = 0

    boundaries = cycle(STEP_BOUNDARIES)
    while waits(case, "execute_changes") and deaths < 4 * STEPS:
        deaths += killed(case, *next(boundaries)) == signal.SIGKILL
    for boundary in END_BOUNDARIES:
        deaths += killed(case, *boundary) == signal.SIGKILL
    work(case)

    with unit_of_work([case.controller_id]):
        case.refresh_from_db()
        steps = list(ChangeStep.objects.values_list("state", "ended_at"))
        assert changes(before, everything(shop.source)) == planned(case)
    assert {state for state, _ in steps} == {"done", "already"}
    assert (len(steps), [one for one in steps if one[1] is None]) == (STEPS, [])
    assert (str(case.state), deaths > STEPS) == (State.CLOSED, True)


def waits(case: Case, kind: str) -> bool:
    return bool(_jobs(case, kind))


def work(case: Case) -> None:
    """What workers do whose predecessors' leases have run out, until nothing is left."""
    while jobs := _jobs(case):
        for job_id in jobs:
            run_job(job_id)


def _jobs(case: Case, *kinds: str) -> list[UUID]:
    with as_superuser() as admin:
        admin.execute(
            "UPDATE jobs_job SET lease_until = clock_timestamp() - interval '1 s' WHERE state = 'running'"
        )
        admin.execute("UPDATE jobs_job SET not_before = clock_timestamp() WHERE state = 'queued'")
    with unit_of_work([case.controller_id]):
        due = Job.objects.filter(state__in=["queued", "running"])
        return list((due.filter(kind__in=kinds) if kinds else due).values_list("pk", flat=True))


def killed(case: Case, owner: Any, name: str, when: str, nth: int) -> int:
    """Run what waits in a process of its own that is killed there; the signal that ended it."""
    jobs = _jobs(case)
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            with patch.object(owner, name, dying(getattr(owner, name), when, nth)):
                for job_id in jobs:
                    run_job(job_id)
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def dying(original: Callable[..., Any], when: str, nth: int) -> Callable[..., Any]:
    """The same, but the process dies before or after doing it for the nth time."""
    calls = iter(range(1, 1_000_000))

    def act(*args: Any, **named: Any) -> Any:
        is_last = next(calls) == nth
        if is_last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        found = original(*args, **named)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return act
