"""Asking again, and proposing to end, when two run at once and when a worker is killed: really committed and killed."""

import signal
from datetime import time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from cases.correspondence.compose import Kind
from cases.models import Case, Decision, Letter, Pursuit
from cases.words import Right
from cases.workflow import unanswered
from dsar.jobs import queue
from dsar.jobs.models import Job
from dsar.jobs.run import run_job
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller
from tests.cases.workflow.test_reminders_killed import die, killed
from tests.conftest import as_superuser
from tests.factories.cases import one_case
from tests.factories.identity import ControllerFactory
from tests.identity.signing_in import at_once

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def brand(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> Controller:
    """A brand whose customer was asked eight days ago; any hour will do, and workers are told by this test alone."""
    monkeypatch.setattr(unanswered, "FROM_HOUR", time(0))
    monkeypatch.setattr(queue, "publish", lambda *_args, **_kwargs: True)
    with unit_of_work([]):
        made: Controller = ControllerFactory.create()
        asked = timezone.now() - timedelta(days=8)
        one_case(made, Right.ACCESS, now=asked, received_at=asked)
        Job.objects.all().delete()
    return made


def ordered(brand: Controller) -> Job:
    with unit_of_work([brand.pk]):
        assert unanswered.order(brand.pk, timezone.now())
        found: Job = Job.objects.get(kind=unanswered.PURSUE)
        return found


def once_more(brand: Controller) -> None:
    """What a worker does whose predecessor's lease has run out."""
    with as_superuser() as database:
        database.execute(
            "UPDATE jobs_job SET lease_until = clock_timestamp() - interval '1 s' WHERE state = 'running'"
        )
    with unit_of_work([brand.pk]):
        waiting = Job.objects.filter(kind=unanswered.PURSUE, state__in=["queued", "running"])
        ids = list(waiting.values_list("pk", flat=True))
    for job_id in ids:
        run_job(job_id)


def counted(brand: Controller) -> tuple[int, int, int]:
    """Letters, rows, and jobs that send a letter."""
    with unit_of_work([brand.pk]):
        letters = Letter.objects.filter(kind=Kind.IDENTITY_REMINDER)
        keys = [f"letter:{pk}" for pk in letters.values_list("pk", flat=True)]
        return letters.count(), Pursuit.objects.count(), Job.objects.filter(key__in=keys).count()


@pytest.mark.parametrize("moment", ["_done", "put_on_record"])
def test_killed_after_the_letter_was_written_it_is_written_once(
    brand: Controller, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    job = ordered(brand)
    with monkeypatch.context() as deadly:
        deadly.setattr(unanswered, moment, die)
        ended_by = killed(lambda: run_job(job.pk))

    before = counted(brand)
    once_more(brand)

    assert (ended_by, before, counted(brand)) == (signal.SIGKILL, (0, 0, 0), (1, 1, 1))


def test_two_that_look_at_once_write_once(brand: Controller) -> None:
    with unit_of_work([brand.pk]):
        request_id = Case.objects.get().subject_request_id

    def look(_number: int) -> None:
        try:
            with unit_of_work([brand.pk]):
                unanswered.pursue(request_id, timezone.now())
        except IntegrityError:
            return

    at_once(look, range(3))

    assert counted(brand) == (1, 1, 1)


def test_killed_while_proposing_it_is_proposed_once(
    brand: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unit_of_work([brand.pk]):
        request_id = Case.objects.get().subject_request_id
    late = timezone.now() + timedelta(days=60)

    def propose() -> Any:
        with unit_of_work([brand.pk]):
            unanswered.pursue(request_id, late)
            die()

    ended_by = killed(propose)
    for _run in range(3):
        with unit_of_work([brand.pk]):
            unanswered.pursue(request_id, late)

    with unit_of_work([brand.pk]):
        proposed = list(Decision.objects.values_list("outcome", "proposed_by"))
        kinds = sorted(Pursuit.objects.values_list("kind", flat=True))
    assert (ended_by, proposed) == (signal.SIGKILL, [("identity_not_verified", None)])
    assert kinds == ["proposal"]
