"""Killed at any point, a case is whole or forgotten whole, and the next round does the rest: really committed."""

import json
import os
import signal
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings

from cases.models import Case
from cases.retention import forgetting, rules
from cases.workflow import retention, upkeep
from dsar.audit.verify import Tally, broken_chains
from dsar.jobs import queue
from dsar.lib.tenancy import unit_of_work
from dsar.vault import files, keyring
from dsar.vault.models import StoredFile
from tests.cases.retention.kept import answered, closed, in_days
from tests.cases.workflow.conftest import RECORDS, Desk, make_desk
from tests.cases.workflow.test_reminders_killed import die, killed
from tests.conftest import as_superuser
from tests.factories.cases import SourceFactory
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.usefixtures("committed_db")

State = tuple[int, int, bool, int]


@pytest.fixture
def brand(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A case that was answered; workers are told by this test alone."""
    monkeypatch.setattr(queue, "publish", lambda *_args, **_kwargs: True)
    with unit_of_work([]):
        controller = ControllerFactory.create()
        SourceFactory.create(controller=controller, slug="crm", options={"records": json.dumps(RECORDS)})
        desk = make_desk(controller)
        answered(desk)
    return desk


def forget(brand: Desk) -> retention.Done:
    step = partial(unit_of_work, [brand.controller.pk])
    return retention.carry_out(rules.COLLECTED, brand.controller.pk, in_days(91), step)


def state(brand: Desk) -> State:
    """Items, files by their rows, whether the key is there, and lines on the record of what went."""
    with unit_of_work([brand.controller.pk]):
        case = Case.objects.select_related("collected_key").get()
        has_key = case.collected_key.destroyed_at is None
        return case.items.count(), StoredFile.objects.count(), has_key, case.forgotten.count()


def on_disk() -> int:
    return len([path for path in Path(settings.DATA_DIR).glob("??/*") if len(path.name) == 32])


@pytest.mark.parametrize(
    ("place", "moment"),
    [
        (forgetting, "_empty"),
        (forgetting.files, "remove_all"),
        (keyring, "destroy"),
        (retention, "_remember"),
        (retention, "touch"),
    ],
    ids=["before_rows", "rows_gone", "files_gone", "key_gone", "all_but_saved"],
)
def test_killed_before_the_end_nothing_is_forgotten(
    brand: Desk, monkeypatch: pytest.MonkeyPatch, place: object, moment: str
) -> None:
    before, written = state(brand), on_disk()
    with monkeypatch.context() as deadly:
        deadly.setattr(place, moment, die)
        ended_by = killed(lambda: forget(brand))

    between, still_written = state(brand), on_disk()
    done = forget(brand)

    assert ended_by == signal.SIGKILL
    assert before == between == (2, written, True, 0)
    assert still_written == written > 0
    assert (done.of, state(brand), on_disk()) == (1, (0, 0, False, 1), 0)
    with unit_of_work([brand.controller.pk]):
        assert list(broken_chains(Tally())) == []


def test_killed_before_the_files_go_upkeep_removes_them(brand: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    written = on_disk()
    with monkeypatch.context() as deadly:
        deadly.setattr(files, "_unlink", die)
        ended_by = killed(lambda: forget(brand))
    left = on_disk()
    for path in Path(settings.DATA_DIR).glob("??/*"):
        os.utime(path, (0, 0))

    removed = upkeep.remove_orphans(Path(settings.DATA_DIR))

    assert (ended_by, left, removed) == (signal.SIGKILL, written, written)
    assert (state(brand), on_disk()) == ((0, 0, False, 1), 0)


def test_row_that_no_rule_knows_keeps_its_request_and_the_others_go(brand: Desk) -> None:
    with unit_of_work([brand.controller.pk]):
        first = Case.objects.get()
        closed(brand)
    with as_superuser() as database:
        database.execute("CREATE TABLE planted (request uuid REFERENCES cases_subjectrequest (id))")
        database.execute("INSERT INTO planted VALUES (%s)", [first.subject_request_id])
        try:
            step = partial(unit_of_work, [brand.controller.pk])
            done = retention.carry_out(rules.CASE_FILE, brand.controller.pk, in_days(1200), step)
        finally:
            database.execute("DROP TABLE planted")

    with unit_of_work([brand.controller.pk]):
        left = [case.pk for case in Case.objects.all()]
        items = first.items.count()
    assert (done.of, done.failed, left, items) == (1, 1, [first.pk], 2)
