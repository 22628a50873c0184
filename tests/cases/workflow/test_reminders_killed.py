"""Reminders when two run at once, and when a worker is killed at the worst moment: really committed, really killed."""

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, connections
from django.utils import timezone

from cases import tasks
from cases.correspondence import outbox
from cases.correspondence import reminders as words
from cases.models import Case, Notice, Reminder
from cases.workflow import reminders
from dsar.jobs import queue
from dsar.jobs.models import Job
from dsar.jobs.run import run_job
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller
from identity.roles import Role
from tests.conftest import as_superuser
from tests.factories.cases import in_state, one_case
from tests.factories.identity import ControllerFactory, staff
from tests.identity.signing_in import at_once

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def brand(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> Controller:
    """A brand with one handler and one late case; any hour will do, and workers are told by this test alone."""
    monkeypatch.setattr(reminders, "FROM_HOUR", time(0))
    monkeypatch.setattr(queue, "publish", lambda job_id: True)
    with unit_of_work([]):
        made: Controller = ControllerFactory.create(levels={"default": 0})
        handler = staff(Role.HANDLER, made, email="hannah@desk.example")
        case = in_state(one_case(made), "searching", owner=handler)
        Case.objects.filter(pk=case.pk).update(due_on=timezone.now().date() - timedelta(days=2))
        Job.objects.all().delete()
    return made


def ordered(brand: Controller) -> Job:
    """The job that the tick makes."""
    with unit_of_work([brand.pk]):
        assert reminders.order(brand.pk, timezone.now())
        found: Job = Job.objects.get(kind=reminders.REMIND)
        return found


def work(brand: Controller) -> None:
    """What a worker does whose predecessor's leases have run out, until nothing is left."""
    with as_superuser() as database:
        database.execute(
            "UPDATE jobs_job SET lease_until = clock_timestamp() - interval '1 s' WHERE state = 'running'"
        )
        database.execute("UPDATE jobs_job SET not_before = clock_timestamp() - interval '1 s'")
    for kind in (reminders.REMIND, reminders.MAIL):
        with unit_of_work([brand.pk]):
            ids = list(
                Job.objects.filter(kind=kind, state__in=["queued", "running"]).values_list("pk", flat=True)
            )
        for job_id in ids:
            run_job(job_id)


def killed(act: Callable[[], Any]) -> int:
    """Do it in a process of its own, and tell which signal ended that."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def die(*_: Any, **_named: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def counted(brand: Controller) -> dict[str, int]:
    with unit_of_work([brand.pk]):
        return {
            "reminders": Reminder.objects.count(),
            "notices": Notice.objects.count(),
            "sent": Notice.objects.filter(mail="sent").count(),
            "mails": len(messages()),
        }


def messages() -> set[str]:
    """The messages as a mail reader tells them apart."""
    files = outbox.folder().glob("*.eml")
    return {
        str(found["Message-ID"])
        for found in (message_from_bytes(path.read_bytes()) for path in files)
        if found["To"] == "hannah@desk.example"
    }


ONCE = {"reminders": 1, "notices": 1, "sent": 1, "mails": 1}


def test_two_ticks_at_once_order_one_job(brand):
    def tick(_: int) -> bool:
        with unit_of_work([brand.pk]):
            return reminders.order(brand.pk, timezone.now())

    at_once(tick, range(4))

    with unit_of_work([brand.pk]):
        assert Job.objects.filter(kind=reminders.REMIND).count() == 1


@pytest.mark.parametrize(("minute", "told"), [(19, 0), (20, 1), (21, 0)])
def test_tick_asks_every_ten_minutes(brand, minute, told):
    """A morning long after the date; upkeep of other kinds runs beside it."""
    with time_machine.travel(datetime(2035, 1, 2, 8, minute, tzinfo=UTC), tick=False):
        tasks.tick()

    with unit_of_work([brand.pk]):
        assert Job.objects.filter(kind=reminders.REMIND).count() == told


def test_one_job_given_to_many_workers_tells_once(brand):
    job = ordered(brand)

    ran = at_once(lambda _: run_job(job.pk), range(4))
    work(brand)

    assert (sorted(ran), counted(brand)) == ([False, False, False, True], ONCE)


def test_two_that_remind_at_once_tell_once(brand):
    """Past the job that keeps them apart, the row itself does."""

    def remind(_: int) -> int:
        try:
            with unit_of_work([brand.pk]):
                return reminders.remind(brand.pk, timezone.now())
        except IntegrityError:
            return 0

    told = at_once(remind, range(3))
    work(brand)

    assert (sum(told), counted(brand)) == (1, ONCE)


def test_killed_between_row_and_mail(brand, monkeypatch):
    job = ordered(brand)
    with monkeypatch.context() as deadly:
        deadly.setattr(reminders, "_order_mail", die)
        ended_by = killed(lambda: run_job(job.pk))

    before = counted(brand)
    work(brand)

    assert (ended_by, before["reminders"], counted(brand)) == (signal.SIGKILL, 0, ONCE)


def test_killed_after_the_row_and_before_the_mail(brand, monkeypatch):
    job = ordered(brand)
    run_job(job.pk)
    with unit_of_work([brand.pk]):
        mail = Job.objects.get(kind=reminders.MAIL)
    with monkeypatch.context() as deadly:
        deadly.setattr(words, "send", die)
        ended_by = killed(lambda: run_job(mail.pk))

    before = counted(brand)
    work(brand)

    assert (ended_by, before["mails"], counted(brand)) == (signal.SIGKILL, 0, ONCE)


def test_killed_after_the_mail_and_before_its_note(brand, monkeypatch):
    """It goes out again under the same Message-ID: to a mail reader it is one message."""
    job = ordered(brand)
    run_job(job.pk)
    with unit_of_work([brand.pk]):
        mail = Job.objects.get(kind=reminders.MAIL)
    with monkeypatch.context() as deadly:
        deadly.setattr(reminders, "mailed", die)
        ended_by = killed(lambda: run_job(mail.pk))

    before = counted(brand)
    work(brand)

    assert (ended_by, before["sent"], before["mails"], counted(brand)) == (signal.SIGKILL, 0, 1, ONCE)


def test_mail_server_that_is_away_is_tried_again(brand, settings):
    job = ordered(brand)
    kept, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1
    run_job(job.pk)
    work(brand)
    before = counted(brand)

    settings.EMAIL_BACKEND = kept
    work(brand)

    assert (before["mails"], counted(brand)) == (0, ONCE)


def test_mail_that_is_given_up_still_shows_in_the_desk(brand, settings):
    job = ordered(brand)
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 1
    run_job(job.pk)

    for _ in range(8):
        work(brand)

    with unit_of_work([brand.pk]):
        (notice,) = Notice.objects.select_related("person")
        stands = [found.pk for found in reminders.notices_for(notice.person)]
    connection.close()
    assert (notice.mail, stands) == ("failed", [notice.pk])
