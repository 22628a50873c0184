"""An approved plan carried out over a real PostgreSQL: each step once, each with its receipt, and then proven."""

from collections import Counter
from collections.abc import Callable

import pytest

from cases.models import PartStage, PlanStage
from cases.words import Outcome, State
from tests.cases.chinook import needs_chinook
from tests.cases.connectors.sql.conftest import Source, database, make_source  # noqa: F401  (fixtures)
from tests.cases.fulfilment.erasing import STEPS, erasure, live, open_desk, planned, receipts, the_part
from tests.cases.fulfilment.whole import changes, everything
from tests.cases.workflow.conftest import Desk
from tests.factories.cases import run_jobs

pytestmark = [pytest.mark.django_db, needs_chinook]

Make = Callable[[str], Source]


@pytest.fixture
def desk(serve) -> Desk:
    return open_desk()


def test_database_is_row_by_row_what_the_plan_said(desk: Desk, make_source: Make) -> None:  # noqa: F811
    shop, case = erasure(desk, make_source)
    before = everything(shop.source)

    run_jobs()

    case.refresh_from_db()
    part = the_part(case)
    assert changes(before, everything(shop.source)) == planned(case)
    assert Counter(receipts(case)) == {("delete", "done", 1): 17, ("anonymise", "done", 1): 1}
    assert (part.stage, part.steps_total, part.steps_done) == (PartStage.DONE, STEPS, STEPS)
    assert (live(case).stage, case.state, case.outcome) == (
        PlanStage.DONE,
        State.CLOSED,
        Outcome.PARTLY_FULFILLED,
    )
    # A stray change of one row, by whomever, would have shown.
    shop.source.execute("UPDATE track SET milliseconds = milliseconds + 1 WHERE track_id = 3503")
    assert changes(before, everything(shop.source)).keys() - planned(case).keys() == {"track/3503"}


def test_record_changed_meanwhile_is_left_alone_and_the_rest_goes_on(desk: Desk, make_source: Make) -> None:  # noqa: F811
    shop, case = erasure(desk, make_source)
    line = live(case).lines.filter(treatment="delete", collection="invoice").first()
    number = line.item.content["data"]["invoice_id"]
    shop.source.execute(f"UPDATE invoice SET billing_city = 'Elsewhere' WHERE invoice_id = {number}")

    run_jobs()

    line.refresh_from_db()
    part = the_part(case)
    still = shop.source.rows(f"SELECT billing_city FROM invoice WHERE invoice_id = {number}")
    assert (line.state, line.obstacle, still) == ("stale", "changed", [("Elsewhere",)])
    assert Counter(state for _verb, state, _tries in receipts(case)) == {"done": 17, "stale": 1}
    assert (part.stage, part.held_for, part.steps_done) == (PartStage.HELD, "stale", 17)
