"""Erasures from the plan's page to the closed case, by the pages alone, and what became of the whole of each source."""

from typing import Any

import pytest
from django.urls import reverse

from cases import planned as planned_shown
from cases.models import Case, ChangeStep
from cases.words import Outcome, Right, State
from dsar.jobs.models import Job, JobState
from identity.roles import Role
from tests.cases.chinook import LUIS, keep_invoices, make_shop, needs_chinook
from tests.cases.connectors.sql.conftest import database, make_source
from tests.cases.desk_cases import allow_all, in_review
from tests.cases.fulfilment.erasing import planned
from tests.cases.fulfilment.whole import changes, everything
from tests.cases.staff_client import signed_in
from tests.cases.workflow.rectifying import ADA, shop
from tests.factories.cases import run_jobs
from tests.factories.identity import ControllerFactory, staff

__all__ = ["database", "make_source"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(serve):
    with shop() as found:
        yield found


def press(client: Any, case: Case, name: str, **data: Any) -> None:
    case.refresh_from_db()
    answer = client.post(reverse(name, args=[case.pk]), {"version": case.version, **data})
    assert answer.status_code == 303, name


def carried_out(case: Case, *choices: dict[str, Any]) -> Case:
    """A handler decides on the plan's page, another approves, workers do the rest."""
    brand = case.controller
    handler, dpo = signed_in(staff(Role.HANDLER, brand)), signed_in(staff(Role.DPO, brand))
    run_jobs()
    for choice in (*choices, {"scope": "everything", "treatment": "as_proposed"}):
        press(handler, case, "console:decide-lines", **choice)
        run_jobs()
    letter = handler.get(reverse("console:submit", args=[case.pk])).context["form"]
    words = {name: letter[name].value() for name in ("title", "body")}
    press(handler, case, "console:submit", reasons="As the plan says.", **words)
    press(dpo, case, "dpo:approve")
    run_jobs()
    while Job.objects.filter(state=JobState.QUEUED).update(not_before="2000-01-01T00:00Z"):
        run_jobs()
    case.refresh_from_db()
    return case


@needs_chinook
def test_database_is_row_by_row_what_the_pages_said(serve, make_source):
    brand = ControllerFactory.create()
    allow_all(brand)
    sample = make_shop(brand, make_source)
    keep_invoices(sample)
    case = in_review(brand, staff(Role.HANDLER, brand), Right.ERASURE, person=LUIS)
    before = everything(sample.source)

    closed = carried_out(case)

    assert changes(before, everything(sample.source)) == planned(closed)
    assert (closed.state, closed.outcome) == (State.CLOSED, Outcome.PARTLY_FULFILLED)
    assert [one.is_through for one in planned_shown.parts(closed.plans.get())] == [True]


def crm_planned(case: Case) -> dict[tuple[str, int], Any]:
    """What the steps say of each record of the CRM: gone, or these values."""
    steps = ChangeStep.objects.filter(part__plan__case=case).select_related("line__case")
    return {
        (step.action["type"], step.action["handle"]["id"]): "gone"
        if step.verb == "delete"
        else step.action["payload"]
        for step in steps
        if not step.action["payload"].get("forget")
    }


def test_crm_is_record_by_record_what_the_pages_said(here):
    brand = here.desk.controller
    allow_all(brand)
    case = in_review(brand, staff(Role.HANDLER, brand), Right.ERASURE, person=ADA)
    before = here.everything()

    closed = carried_out(case)

    said, after = crm_planned(closed), here.everything()
    gone = {place for place in before if place not in after}
    expected = {
        place: {**one, **said[place]} if place in said else one
        for place, one in before.items()
        if said.get(place) != "gone"
    }
    assert gone == {place for place, what in said.items() if what == "gone" and place[0] != "history"}
    assert after == expected
    assert len(gone) > 5
    assert (closed.state, closed.outcome) == (State.CLOSED, Outcome.PARTLY_FULFILLED)
