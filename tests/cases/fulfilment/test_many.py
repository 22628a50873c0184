"""An erasure of very many records in bounded memory with true progress, and very many erasures over one source.

``make test`` does a small round of each; ``make soak`` fifty thousand records, and two hundred cases.
"""

import os
import pickle
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import connections

from cases.connectors.demo_crm.system.api import READ_KEY, WRITE_KEY
from cases.connectors.demo_crm.system.server import running
from cases.models import Case, ChangeStep, SourceSystem
from cases.words import Right, State
from cases.workflow.intake import Person
from dsar.jobs import queue
from dsar.jobs.models import Job
from dsar.jobs.run import Claim, run_job
from dsar.lib.tenancy import unit_of_work
from tests.cases.connectors.sql.conftest import Source, database, make_source  # noqa: F401  (fixtures)
from tests.cases.fulfilment.erasing import approved, open_desk, run_all
from tests.cases.workflow.conftest import Desk
from tests.conftest import as_superuser
from tests.factories.cases import SourceFactory

pytestmark = pytest.mark.usefixtures("committed_db")

MB = 1024 * 1024
ROWS = [pytest.param(300, id="few"), pytest.param(50_000, id="very-many", marks=pytest.mark.soak)]
BOUND = 48 * MB
ADA = Person(name="Ada Example", email="c1@example.com")
DATASET = """
dataset:
  - fides_key: crm
    name: CRM
    data_subjects: [customer]
    collections:
      - name: customers
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - {name: name, data_categories: [user.name]}
      - name: orders
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - name: customer_id
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: crm, field: customers.id, direction: from}]}
          - {name: item, data_categories: [user.behavior.purchase_history]}
"""
TABLES = """
CREATE TABLE customers (id int PRIMARY KEY, email text, name text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int, item text);
CREATE INDEX ON orders (customer_id);
INSERT INTO customers SELECT i, 'c' || i || '@example.com', 'Name ' || i FROM generate_series(1, 50) i;
INSERT INTO orders
  SELECT i, CASE WHEN i <= {rows} THEN 1 ELSE 2 END, 'item ' || i FROM generate_series(1, {rows} + 10) i;
"""


@pytest.fixture(autouse=True)
def _by_hand() -> Iterator[None]:
    """Workers are told of nothing: jobs run where a test says."""
    with patch.object(queue, "publish", lambda *_args, **_named: True):
        yield


@pytest.mark.parametrize("rows", ROWS)
def test_very_many_records_take_bounded_memory_and_true_progress(
    rows: int,
    make_source: Callable[[str], Source],  # noqa: F811
) -> None:
    source = make_source(TABLES.format(rows=rows))
    source.allow_changes()
    with unit_of_work([]):
        desk = open_desk()
        SourceFactory.create(
            controller=desk.controller,
            connector="postgresql",
            options=source.options(),
            secrets={"password": source.password},
            erasing_secrets=source.erase_secrets,
            dataset=DATASET,
        )
        case = desk.in_review(Right.ERASURE, person=ADA)
        run_all()
        case.refresh_from_db()
        case = approved(desk, case)

    grew, seen = measured(case)

    assert source.rows("SELECT count(*) FROM orders WHERE customer_id = 1") == [(0,)]
    assert source.rows("SELECT count(*) FROM orders") == [(10,)]
    assert (seen[-1], seen) == (rows + 1, sorted(seen))
    assert grew < BOUND
    with unit_of_work([desk.controller.pk]):
        run_all()
        case.refresh_from_db()
        assert str(case.state) == State.CLOSED
        assert set(ChangeStep.objects.values_list("state", "attempts")) == {("done", 1)}


def measured(case: Case) -> tuple[int, list[int]]:
    """Carry it out in a process of its own: by how much its memory grew, and what was shown of its progress."""
    with unit_of_work([case.controller_id]):
        (job,) = Job.objects.filter(kind="execute_changes").values_list("pk", flat=True)
    connections.close_all()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with os.fdopen(writing, "wb") as said:
                pickle.dump(_carried_out(case, job), said)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        grew, seen = pickle.loads(said.read())
    os.waitpid(child, 0)
    return grew, seen


def _carried_out(case: Case, job: UUID) -> tuple[int, list[int]]:
    before, seen = _peak(), list[int]()
    progress = Claim.progress

    def noted(self: Claim, **numbers: int) -> None:
        if "done" in numbers:
            seen.append(numbers["done"])
        progress(self, **numbers)

    with patch.object(Claim, "progress", noted):
        run_job(job)
    return _peak() - before, sorted(set(seen)) if seen == sorted(seen) else seen


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# -- many at once ------------------------------------------------------------------------------------

CASES = [pytest.param(4, id="some"), pytest.param(200, id="two-hundred", marks=pytest.mark.soak)]
WORKERS = 6
STRANGER = 9_999


@pytest.mark.parametrize("count", CASES)
def test_many_erasures_at_once_keep_the_limit_of_their_source(
    count: int,
) -> None:
    with running() as crm:
        crm.crm.store.add("contacts", [_contact(number) for number in (*range(1, count + 1), STRANGER)])
        before = crm.crm.store.get("contacts", STRANGER)
        with unit_of_work([]):
            desk = open_desk()
            SourceFactory.create(
                controller=desk.controller,
                connector="demo_crm",
                options={"base_url": crm.url, "network": "private"},
                secrets={"api_key": READ_KEY},
                erasing_secrets={"api_key": WRITE_KEY},
            )
            cases = [_ready(desk, number) for number in range(1, count + 1)]
            jobs = list(Job.objects.filter(kind="execute_changes").values_list("pk", flat=True))
        with ThreadPoolExecutor(WORKERS) as workers:
            list(workers.map(_run, jobs))
        with unit_of_work([desk.controller.pk]):
            run_all()
            ended = Case.objects.filter(pk__in=[case.pk for case in cases], state=State.CLOSED).count()
            refused = SourceSystem.objects.get().failures

        assert (len(jobs), ended, refused) == (count, count, 0)
        assert [crm.crm.store.get("contacts", number) for number in range(1, count + 1)] == [None] * count
        assert (crm.crm.store.get("contacts", STRANGER), crm.crm.store.counts()["contacts"]) == (before, 1)


def _contact(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "number": f"C-{number}",
        "name": f"Name {number}",
        "email": f"c{number}@example.com",
    }


def _ready(desk: Desk, number: int) -> Case:
    """One person's erasure, approved, whose job waits."""
    case = desk.in_review(Right.ERASURE, person=Person(name=f"Name {number}", email=f"c{number}@example.com"))
    run_all()
    case.refresh_from_db()
    return approved(desk, case)


def _run(job: UUID) -> None:
    """What one worker does with it, until it has come to its end: without room it goes back, and comes again."""
    try:
        while _waits(job):
            run_job(job)
    finally:
        connections.close_all()


def _waits(job: UUID) -> bool:
    with as_superuser() as admin:
        admin.execute(
            "UPDATE jobs_job SET not_before = clock_timestamp() WHERE id = %s AND state = 'queued'", [job]
        )
        row = admin.execute("SELECT state FROM jobs_job WHERE id = %s", [job]).fetchone()
    return row is not None and row[0] in {"queued", "running"}
