"""Time and cast of the demonstration: stories step forward side by side, in the order of their dates."""

import heapq
import random
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from django.utils import timezone

from cases import tasks as _tasks  # noqa: F401  (declares the kinds of job)
from cases.models import Case
from cases.operations.demo.people import Customer
from cases.permissions import By, by_customer, by_staff
from dsar.jobs.models import Job, JobState
from dsar.jobs.run import run_job
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller, User

# A story says when it goes on; what follows happens at that moment.
Story = Generator[datetime, None, None]

FIRST_HOUR, LAST_HOUR = 8, 17
SATURDAY = 5


@dataclass(frozen=True)
class Stage:
    """A brand, who works for it, and who calls."""

    controller: Controller
    agent: User
    handlers: Sequence[User]
    dpo: User
    reviewer: User
    people: Sequence[Customer]
    today: datetime
    fail_chat: Callable[[bool], None]
    draw: random.Random = field(repr=False)

    def moment(self, days_ago: float) -> datetime:
        """A time of work so many days ago, or a while ago where that would lie ahead."""
        day = (self.today - timedelta(days=days_ago)).astimezone(self.controller.zone)
        if days_ago >= 1 and day.weekday() >= SATURDAY:
            day -= timedelta(days=day.weekday() - SATURDAY + 1)
        hour, rest = self.draw.randint(FIRST_HOUR, LAST_HOUR), self.draw.randrange(3600)
        moment = day.replace(hour=hour, minute=rest // 60, second=rest % 60, microsecond=0)
        limit = self.today - timedelta(minutes=30) - timedelta(days=max(days_ago, 0) * 0.001)
        return min(moment, limit)

    def by(self, user: User) -> By:
        return by_staff(user)

    def customer(self, request_id: UUID) -> By:
        return by_customer(request_id)

    def anybody(self) -> User:
        """Whichever handler is free."""
        return self.draw.choice(self.handlers)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let the whole program take this moment for the present; for one process that does nothing else."""
    real = timezone.now
    timezone.now = lambda: moment
    try:
        yield
    finally:
        timezone.now = real


def play(stories: Iterable[tuple[Stage, Story]], told: Callable[[int], None] = lambda _number: None) -> None:
    """Let each story go on when its time has come, until the present; what would come later does not happen."""
    order = count()
    ahead: list[tuple[datetime, int, Stage, Story]] = []
    for stage, story in stories:
        _await_turn(ahead, order, stage, story, stage.today - timedelta(days=10_000))
    while ahead:
        moment, number, stage, story = heapq.heappop(ahead)
        with at(moment):
            _await_turn(ahead, order, stage, story, moment)
            _work(stage.controller.pk)
        told(number)


def _await_turn(
    ahead: list[tuple[datetime, int, Stage, Story]],
    order: "count[int]",
    stage: Stage,
    story: Story,
    moment: datetime,
) -> None:
    """Take one step of a story, and note when the next one is."""
    with unit_of_work([stage.controller.pk]):
        following = next(story, None)
    if following is not None and max(following, moment) < stage.today:
        later = max(following, moment + timedelta(seconds=1))
        heapq.heappush(ahead, (later, next(order), stage, story))


def _work(controller_id: UUID) -> None:
    """Do what is queued, as a worker would."""
    while jobs := _queued(controller_id):
        if not sum(run_job(job_id) for job_id in jobs):
            return  # a worker has them


def _queued(controller_id: UUID) -> list[UUID]:
    with unit_of_work([controller_id]):
        due = Job.objects.filter(
            controller_id=controller_id, state=JobState.QUEUED, not_before__lte=timezone.now()
        )
        return list(due.values_list("pk", flat=True))


def fresh(case_id: UUID) -> Case:
    """The case as it is now."""
    found: Case = Case.objects.select_related("subject_request", "subject", "controller").get(pk=case_id)
    return found
