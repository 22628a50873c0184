"""An approved plan carried out over a real PostgreSQL: each step once, each with its receipt, and then proven."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from cases.fulfilment import proof, steps
from cases.models import Case, ChangeStep, Leftover, Letter, PartStage, PlannedChange, PlanStage
from cases.words import Outcome, State
from cases.workflow import mending
from dsar.lib.errors import NotAllowed
from tests.cases.chinook import Shop, luis_in_review, make_shop, needs_chinook
from tests.cases.connectors.sql.conftest import Source, database, make_source  # noqa: F401  (fixtures)
from tests.cases.fulfilment.erasing import (
    STEPS,
    approved,
    erasure,
    live,
    open_desk,
    planned,
    receipts,
    run_all,
    the_part,
)
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

    run_all()

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


def test_record_changed_meanwhile_goes_back_alone_and_is_carried_out_as_it_is_now(
    desk: Desk,
    make_source: Make,  # noqa: F811
) -> None:
    shop, case = erasure(desk, make_source)
    line = live(case).lines.filter(treatment="delete", collection="invoice").first()
    number = line.item.content["data"]["invoice_id"]
    shop.source.execute(f"UPDATE invoice SET billing_city = 'Elsewhere' WHERE invoice_id = {number}")

    run_all()

    line.refresh_from_db()
    part, found = the_part(case), f"SELECT billing_city FROM invoice WHERE invoice_id = {number}"
    assert (line.state, line.obstacle, shop.source.rows(found)) == ("stale", "changed", [("Elsewhere",)])
    assert Counter(state for _verb, state, _tries in receipts(case)) == {"done": 17, "stale": 1}
    assert (part.stage, part.held_for, part.steps_done) == (PartStage.HELD, "stale", 17)
    assert PlannedChange.objects.get(pk=line.pk).expected["billing_city"] == "Elsewhere"

    mending.redecide(case, [line.pk], mending.AGAIN, "", "", desk.handler, timezone.now())
    with pytest.raises(NotAllowed):
        mending.approve_changed(case, desk.handler, timezone.now())
    mending.approve_changed(case, desk.dpo, timezone.now())
    run_all()

    case.refresh_from_db()
    assert (shop.source.rows(found), str(case.state)) == ([], State.CLOSED)


def test_what_came_back_is_found_and_held_until_two_have_settled_it(desk: Desk, make_source: Make) -> None:  # noqa: F811
    shop, case = erasure(desk, make_source)
    come_back(shop, case)

    run_all()

    case.refresh_from_db()
    part, leftover = the_part(case), Leftover.objects.get(part__plan__case=case)
    assert (part.stage, part.held_for, str(case.state)) == (PartStage.HELD, "leftovers", State.FULFILLING)
    assert (leftover.remains, leftover.where) == ("residual", "invoice")

    mending.propose_acceptance(leftover, "The shop writes it back each night.", desk.handler, timezone.now())
    with pytest.raises(NotAllowed):
        mending.accept(leftover, desk.handler, timezone.now())
    mending.accept(leftover, desk.dpo, timezone.now())
    run_all()

    case.refresh_from_db()
    assert (str(case.state), case.outcome) == (State.CLOSED, Outcome.PARTLY_FULFILLED)


def test_what_came_back_is_carried_out_again(desk: Desk, make_source: Make) -> None:  # noqa: F811
    shop, case = erasure(desk, make_source)
    come_back(shop, case)
    run_all()
    shop.source.execute("DROP TRIGGER back ON invoice")

    mending.carry_out_again(Leftover.objects.get(part__plan__case=case), desk.handler, timezone.now())
    run_all()

    case.refresh_from_db()
    assert list(Leftover.objects.values_list("settled", flat=True)) == ["again"]
    assert str(case.state) == State.CLOSED


def test_what_is_not_named_any_more_is_a_finding_of_its_own(
    desk: Desk,
    make_source: Make,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop, case = erasure(desk, make_source)
    come_back(shop, case, "true")
    monkeypatch.setattr(proof, "MOST", 1)

    run_all()

    open_ones = Leftover.objects.filter(part__plan__case=case, settled="").values_list("where", flat=True)
    assert sorted(open_ones) == ["+ 3", "invoice"]


def come_back(shop: Shop, case: Case, which: str = "") -> None:
    """Let the shop itself put invoices back as soon as they were deleted; one of them where nothing else is said."""
    line = live(case).lines.filter(treatment="delete", collection="invoice").first()
    number = line.item.content["data"]["invoice_id"]
    which = which or f"OLD.invoice_id = {number}"
    shop.source.execute(
        "CREATE FUNCTION put_back() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        " EXECUTE format('INSERT INTO %I.invoice SELECT ($1).*', TG_TABLE_SCHEMA) USING OLD; RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER back AFTER DELETE ON invoice DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW WHEN ({which}) EXECUTE FUNCTION put_back()"
    )


# -- what changed, and is kept ---------------------------------------------------------------------------


def changed_invoice(shop: Shop, case: Case) -> PlannedChange:
    """An invoice that was to go, and that somebody at the shop changes before it does."""
    line: PlannedChange = live(case).lines.filter(treatment="delete", collection="invoice").first()
    number = line.item.content["data"]["invoice_id"]
    shop.source.execute(f"UPDATE invoice SET billing_city = 'Elsewhere' WHERE invoice_id = {number}")
    return line


def keep(case: Case, line: PlannedChange, desk: Desk) -> None:
    code = "LEGAL_OBLIGATION_OR_PUBLIC_TASK"
    mending.redecide(case, [line.pk], mending.KEEP, code, "", desk.handler, timezone.now())
    mending.approve_changed(case, desk.dpo, timezone.now())


def test_what_is_kept_after_all_brings_back_what_it_refers_to_and_is_told(
    desk: Desk,
    make_source: Make,  # noqa: F811
) -> None:
    shop = make_shop(desk.controller, make_source)
    case = approved(desk, luis_in_review(desk))
    line = changed_invoice(shop, case)
    run_all()

    keep(case, line, desk)
    run_all()

    person = live(case).lines.get(collection="customer")
    customers = "SELECT count(*) FROM customer WHERE email = 'luisg@embraer.com.br'"
    assert (person.state, person.obstacle, shop.source.rows(customers)) == ("stale", "referenced", [(1,)])
    assert (the_part(case).stage, the_part(case).held_for) == (PartStage.HELD, "stale")

    keep(case, person, desk)
    run_all()

    case.refresh_from_db()
    told = Letter.objects.get(kind="done").body.split("They are kept:\n")[1].split("\n")
    assert (shop.source.rows(customers), str(case.state)) == ([(1,)], State.CLOSED)
    assert case.outcome == Outcome.PARTLY_FULFILLED
    assert (told[0][:2], told[0][-4:]) == ("- ", " (2)")


# -- what was given up -----------------------------------------------------------------------------------


def test_giving_up_is_not_undone_by_carrying_one_record_out_again(desk: Desk, make_source: Make) -> None:  # noqa: F811
    shop, case = erasure(desk, make_source)
    come_back(shop, case)
    run_all()
    leftover = Leftover.objects.get(part__plan__case=case)
    other = live(case).lines.filter(treatment="delete").exclude(pk=leftover.line_id).first()
    ChangeStep.objects.filter(line=other).update(state="failed", error_code="given_up")
    PlannedChange.objects.filter(pk=other.pk).update(state="failed")

    mending.carry_out_again(leftover, desk.handler, timezone.now())

    assert ChangeStep.objects.get(line=other).state == "failed"
    assert ChangeStep.objects.get(line=leftover.line_id).state == "waiting"


def test_what_was_given_up_can_be_carried_out_again(desk: Desk, make_source: Make) -> None:  # noqa: F811
    shop, case = erasure(desk, make_source)
    come_back(shop, case)
    run_all()
    leftover = Leftover.objects.get(part__plan__case=case)
    ChangeStep.objects.filter(line=leftover.line_id).update(state="failed", error_code="given_up")
    PlannedChange.objects.filter(pk=leftover.line_id).update(state="failed")
    shop.source.execute("DROP TRIGGER back ON invoice")

    mending.carry_out_again(leftover, desk.handler, timezone.now())
    run_all()

    case.refresh_from_db()
    number = leftover.line.item.content["data"]["invoice_id"]
    gone = f"SELECT count(*) FROM invoice WHERE invoice_id = {number}"
    assert (shop.source.rows(gone), str(case.state)) == ([(0,)], State.CLOSED)


def test_lines_are_judged_by_the_worst_of_their_steps_in_one_statement(
    desk: Desk,
    make_source: Make,  # noqa: F811
    django_assert_num_queries: Any,
) -> None:
    _shop, case = erasure(desk, make_source)
    run_jobs()
    lines = live(case).lines.filter(treatment="delete", steps__isnull=False).order_by("number")
    worst = ["stale", "failed", "refused", "waiting", "done"]
    for line, state in zip(lines[: len(worst)], worst, strict=True):
        ChangeStep.objects.filter(line=line).update(state=state)

    with django_assert_num_queries(1):
        steps.judge(lines.all())

    judged = [str(line.state) for line in lines[: len(worst)]]
    assert judged == ["stale", "failed", "refused", "approved", "done"]
