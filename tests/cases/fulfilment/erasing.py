"""Plans over the public Chinook sample, approved and ready to be carried out."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone

from cases.models import Case, ChangePlan, ChangeStep, PlanPart
from cases.workflow import decide, plan
from dsar.jobs.models import Job, JobState
from tests.cases.chinook import Shop, keep_invoices, luis_in_review, make_shop
from tests.cases.connectors.sql.conftest import Source
from tests.cases.workflow.conftest import Desk, make_desk
from tests.factories.cases import run_jobs
from tests.factories.identity import ControllerFactory

STEPS = 18


def open_desk() -> Desk:
    """A brand that lets the processor decide."""
    desk = make_desk(ControllerFactory.create())
    desk.allow()
    return desk


def approved(desk: Desk, case: Case, now: datetime | None = None) -> Case:
    """Everything as the rules propose it, decided by a handler and approved by another."""
    now = now or timezone.now()
    plan.accept(case, plan.Lines(everything=True), desk.handler, now)
    case.refresh_from_db()
    decide.approve(desk.submitted(case), desk.dpo, now)
    case.refresh_from_db()
    return case


def erasure(desk: Desk, make_source: Callable[[str], Source]) -> tuple[Shop, Case]:
    """Luís's erasure, approved; his young invoices stay."""
    shop = make_shop(desk.controller, make_source)
    keep_invoices(shop)
    return shop, approved(desk, luis_in_review(desk))


def run_all() -> None:
    """Run what is queued until nothing is left, also what a slow machine made wait."""
    run_jobs()
    while Job.objects.filter(state=JobState.QUEUED).update(not_before=timezone.now()):
        run_jobs()


def live(case: Case) -> ChangePlan:
    made: ChangePlan = case.plans.latest("number")
    return made


def the_part(case: Case) -> PlanPart:
    part: PlanPart = live(case).parts.get()
    return part


def receipts(case: Case) -> list[tuple[str, str, int]]:
    """Each step with how it ended and how often it was tried."""
    every = ChangeStep.objects.filter(part__plan__case=case)
    return [(step.verb, step.state, step.attempts) for step in every]


def planned(case: Case) -> dict[str, Any]:
    """What the approved plan says of each record: gone, or these values."""
    steps = ChangeStep.objects.filter(part__plan__case=case).select_related("line__case")
    said: dict[str, Any] = {}
    for step in steps:
        place = f"{step.action['type']}/{'/'.join(step.action['handle']['key'])}"
        said[place] = "gone" if step.verb == "delete" else dict(step.action["payload"]["values"])
    return said
