"""A brand whose cases were answered some time ago."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from cases.models import Case, Instruction
from cases.retention import due
from cases.retention.chosen import periods_of
from cases.retention.rules import Rule
from cases.words import Channel, Right, State
from cases.workflow import decide, people, retention
from cases.workflow.retention import Done
from tests.cases.workflow.conftest import Desk
from tests.factories.cases import in_state, run_jobs


def in_days(days: int) -> datetime:
    return timezone.now() + timedelta(days=days)


def answered(desk: Desk, right: Right = Right.ACCESS, **fields: Any) -> Case:
    """Collected, decided, sent and closed, by the verbs of the screens."""
    if not Instruction.objects.filter(controller=desk.controller).exists():
        desk.allow()
    case = decide.approve(desk.in_approval(right, **fields), desk.dpo, timezone.now())
    run_jobs()
    case.refresh_from_db()
    assert case.state == State.CLOSED
    return case


def closed(desk: Desk, right: Right = Right.ACCESS, **fields: Any) -> Case:
    """Collected and closed, without the work of an answer."""
    return in_state(desk.in_review(right, **fields), State.CLOSED)


def complained(desk: Desk, case: Case) -> Case:
    """A complaint about how the case was handled."""
    now = timezone.now()
    request = people.complain(case, "You forgot a recording.", Channel.CALL, now, desk.agent, now)
    return request.cases.get()


def step() -> AbstractContextManager[None]:
    return nullcontext()


def carried_out(rule: Rule, desk: Desk, now: datetime, step: Callable[[], Any] = step) -> Done:
    return retention.carry_out(rule, desk.controller.pk, now, step)


def is_due(rule: Rule, desk: Desk, now: datetime) -> due.Tally:
    return due.tally(rule, periods_of(desk.controller.pk), desk.controller.pk, now)
