"""A source that is paused, or a stop of everything, in the middle of a run of changes: it ends its step and waits."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from cases.connectors.sql.postgresql import PostgreSQLConnector
from cases.console.desk_carrying import WAITS
from cases.fulfilment import parts
from cases.models import Case, CollectionStop, PartStage, SourceSystem
from cases.permissions import BY_OPERATOR
from cases.words import State
from cases.workflow import standing
from dsar.jobs.models import Job, JobState
from dsar.lib.tenancy import unit_of_work
from identity.models import User
from tests.cases.chinook import needs_chinook
from tests.cases.connectors.sql.conftest import Source, database, make_source
from tests.cases.fulfilment.erasing import (
    STEPS,
    erasure,
    live,
    open_desk,
    planned,
    receipts,
    run_all,
    the_part,
)
from tests.cases.fulfilment.whole import changes, everything
from tests.cases.staff_client import signed_in
from tests.factories.cases import run_jobs

__all__ = ["database", "make_source"]

pytestmark = [pytest.mark.django_db, needs_chinook]

BEGUN = 5


def pause(case: Case) -> None:
    standing.pause(SourceSystem.objects.get(), "It moves to another house.", BY_OPERATOR, timezone.now())


def resume(case: Case) -> None:
    standing.resume(SourceSystem.objects.get(), BY_OPERATOR, timezone.now())


def stop_all(case: Case) -> None:
    standing.stop_collection(case.controller_id, "An incident.", BY_OPERATOR, timezone.now())


def let_on(case: Case) -> None:
    standing.lift_stop(CollectionStop.objects.get(), BY_OPERATOR, timezone.now())


held = pytest.mark.parametrize(
    ("hold", "why", "go_on"),
    [(pause, "paused", resume), (stop_all, "stopped", let_on)],
    ids=["pause", "stop"],
)


@held
def test_changed_record_is_not_read_again_until_it_goes_on(
    serve: Any,
    make_source: Callable[[str], Source],
    hold: Callable[[Case], None],
    why: str,
    go_on: Callable[[Case], None],
) -> None:
    shop, case = erasure(open_desk(), make_source)
    line = live(case).lines.filter(treatment="delete", collection="invoice").first()
    number = line.item.content["data"]["invoice_id"]
    move = f"UPDATE invoice SET billing_city = '{{}}' WHERE invoice_id = {number}"
    shop.source.execute(move.format("Elsewhere"))
    run_all()
    shop.source.execute(move.format("Far away"))

    hold(case)
    parts.queue(parts.LOOK, the_part(case), timezone.now())
    run_jobs()
    job = Job.objects.get(kind=parts.LOOK, state=JobState.QUEUED)
    line.refresh_from_db()
    seen, code = line.expected["billing_city"], job.error_code
    go_on(case)
    run_jobs()

    line.refresh_from_db()
    assert (seen, code, line.expected["billing_city"]) == ("Elsewhere", f"held_{why}", "Far away")


@held
def test_what_has_begun_ends_and_nothing_more_is_written_until_it_goes_on(
    serve: Any,
    make_source: Callable[[str], Source],
    monkeypatch: pytest.MonkeyPatch,
    hold: Callable[[Case], None],
    why: str,
    go_on: Callable[[Case], None],
) -> None:
    desk = open_desk()
    shop, case = erasure(desk, make_source)
    before, calls, apply = everything(shop.source), [], PostgreSQLConnector.apply

    def held_meanwhile(self: Any, action: Any) -> Any:
        calls.append(action.key)
        if len(calls) == BEGUN:
            with unit_of_work([case.controller_id]):
                hold(case)
        return apply(self, action)

    monkeypatch.setattr(PostgreSQLConnector, "apply", held_meanwhile)
    run_jobs()
    part, page = the_part(case), reverse("console:case", args=[case.pk])
    shown = signed_in(User.objects.get(pk=desk.handler.person_id)).get(page).content.decode()

    assert (len(calls), len(changes(before, everything(shop.source)))) == (BEGUN, BEGUN)
    assert Counter(state for _verb, state, _tries in receipts(case)) == {
        "done": BEGUN,
        "waiting": STEPS - BEGUN,
    }
    assert (part.stage, part.held_for, str(WAITS[why]) in shown) == (PartStage.HELD, why, True)

    go_on(case)
    run_all()

    case.refresh_from_db()
    assert changes(before, everything(shop.source)) == planned(case)
    assert {(state, tries) for _verb, state, tries in receipts(case)} == {("done", 1)}
    assert (len(calls), len(set(calls)), str(case.state)) == (STEPS, STEPS, State.CLOSED)
