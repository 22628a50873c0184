"""What may not happen: writing under a hold, after a cancellation, without approval, or by a worker given up."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from cases.connectors.base import Conflict, ContractBroken, Refused, Throttled, Transient
from cases.connectors.changes import Action, Receipt
from cases.connectors.sql.postgresql import PostgreSQLConnector
from cases.fulfilment import freshness
from cases.models import Case, ChangeStep, LineState, PartStage, PlanStage
from cases.permissions import by_customer
from cases.words import Outcome, Right, State
from cases.workflow import hold, mending, people
from dsar.jobs.models import Job
from dsar.lib.errors import Refused as Refusal
from dsar.lib.tenancy import unit_of_work
from identity.access import all_controllers
from identity.models import Controller
from tests.cases.chinook import LUIS, needs_chinook
from tests.cases.connectors.sql.conftest import Source, database, make_source  # noqa: F401  (fixtures)
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
from tests.cases.workflow.conftest import Desk
from tests.factories.cases import in_state, log, run_jobs

pytestmark = [pytest.mark.django_db, needs_chinook]

Make = Callable[[str], Source]


@pytest.fixture
def desk(serve: Any) -> Desk:
    return open_desk()


def tries(case: Case) -> int:
    """How often anything was tried in a source."""
    return sum(attempts for _verb, _state, attempts in receipts(case))


def test_hold_copy_and_cancellation_stop_it_before_it_begins(desk: Desk, make_source: Make) -> None:  # noqa: F811
    Controller.objects.filter(pk=desk.controller.pk).update(grace_days=7)
    desk.controller.refresh_from_db()
    shop, case = erasure(desk, make_source)
    before, now = everything(shop.source), timezone.now()

    run_jobs()
    assert (live(case).stage, tries(case)) == (PlanStage.APPROVED, 0)

    hold.set_hold(case, "A claim was announced.", desk.dpo, now)
    mending.expedite(case, "Danger to the person.", desk.handler, now)
    run_jobs()
    assert (the_part(case).held_for, tries(case)) == ("legal_hold", 0)

    hold.lift_hold(case, "It was settled.", desk.dpo, now)
    copy = log(desk.controller, Right.ACCESS, person=LUIS).cases.get()
    Job.objects.filter(kind="begin_changes").update(not_before=timezone.now())
    run_jobs()
    assert (the_part(case).held_for, tries(case)) == ("access_case_open", 0)

    in_state(copy, State.CLOSED)
    people.withdraw(case, by_customer(case.subject_request_id), timezone.now())
    run_all()
    case.refresh_from_db()
    assert (case.outcome, live(case).stage, tries(case)) == (Outcome.WITHDRAWN, PlanStage.VOID, 0)
    assert changes(before, everything(shop.source)) == {}


def test_hold_set_while_it_is_carried_out_stops_the_rest(
    desk: Desk,
    make_source: Make,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _shop, case = erasure(desk, make_source)
    meanwhile(monkeypatch, 3, lambda: hold.set_hold(case, "A claim.", desk.dpo, timezone.now()))

    run_jobs()

    # The call that was out when the hold was set is known and kept; no other was begun.
    assert Counter(state for _verb, state, _tries in receipts(case)) == {"done": 3, "waiting": STEPS - 3}
    assert (the_part(case).stage, the_part(case).held_for) == (PartStage.HELD, "legal_hold")


def test_cancelled_case_is_never_written_and_a_begun_one_never_cancelled(
    desk: Desk,
    make_source: Make,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop, case = erasure(desk, make_source)
    before, look = everything(shop.source), freshness.look
    customer = by_customer(case.subject_request_id)

    def cancelled(*args: Any) -> None:
        """The worker has begun, and not with any record, when the customer cancels."""
        look(*args)
        with unit_of_work([case.controller_id]):
            people.withdraw(case, customer, timezone.now())

    monkeypatch.setattr(freshness, "look", cancelled)
    run_jobs()
    case.refresh_from_db()
    assert (case.outcome, tries(case), changes(before, everything(shop.source))) == (Outcome.WITHDRAWN, 0, {})

    monkeypatch.setattr(freshness, "look", look)
    other = erasure(open_desk(), make_source)[1]
    refused: list[str] = []

    def too_late() -> None:
        with pytest.raises(Refusal) as refusal:
            people.withdraw(other, by_customer(other.subject_request_id), timezone.now())
        refused.append(refusal.value.code)

    meanwhile(monkeypatch, 1, too_late)
    run_all()
    other.refresh_from_db()
    assert (refused, str(other.state), tries(other)) == (["nothing_carried_out"], State.CLOSED, STEPS)


def test_zombie_writes_no_receipt_and_returned_lines_become_no_steps(
    desk: Desk,
    make_source: Make,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop, case = erasure(desk, make_source)
    before = everything(shop.source)
    spared = live(case).lines.filter(treatment="delete", collection="invoice_line").first()
    live(case).lines.filter(pk=spared.pk).update(state=LineState.RETURNED, approved_by=None)
    meanwhile(monkeypatch, 2, lambda: Job.objects.filter(kind="execute_changes").update(attempts=7))

    run_jobs()
    assert Counter(state for _verb, state, _tries in receipts(case)) == {
        "done": 1,
        "trying": 1,
        "waiting": STEPS - 2,
    }

    Job.objects.filter(kind="execute_changes").update(
        state="queued", attempts=0, forgiven=0, lease_until=None
    )
    run_jobs()
    step = ChangeStep.objects.get(line=spared)
    place = f"invoice_line/{step.action['handle']['key'][0]}"
    done = {
        name: what
        for name, what in planned(case).items()
        if name != place and not name.startswith("invoice/")
    }
    found = changes(before, everything(shop.source))
    assert (step.state, step.attempts) == ("waiting", 0)
    assert {name: what for name, what in found.items() if not name.startswith("invoice/")} == done
    assert place not in found


def test_source_that_misbehaves_gets_every_step_done_once(
    desk: Desk,
    make_source: Make,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop, case = erasure(desk, make_source)
    before, apply, troubles = everything(shop.source), PostgreSQLConnector.apply, misbehaviour()

    def misbehaving(self: PostgreSQLConnector, action: Action) -> Receipt:
        when, error = next(troubles)
        if when == "before" and error:
            raise error
        receipt = apply(self, action)
        if error:
            raise error
        return receipt

    monkeypatch.setattr(PostgreSQLConnector, "apply", misbehaving)
    run_all()
    part = the_part(case)
    assert (part.stage, part.error_code) == (PartStage.FAILED, "contract")
    mending.retry(part, desk.handler, timezone.now())
    run_all()

    case.refresh_from_db()
    assert changes(before, everything(shop.source)) == planned(case)
    assert {state for _verb, state, _tries in receipts(case)} == {"done", "already"}
    assert (str(case.state), the_part(case).steps_done) == (State.CLOSED, STEPS)


def misbehaviour() -> Iterator[tuple[str, Exception | None]]:
    """Busy, away before and after the write, rubbish twice, and then well."""
    yield "before", Throttled(retry_after=0.01)
    yield "before", None
    yield "before", Transient()
    yield "after", Transient()
    yield "before", None
    yield "before", ContractBroken(what="a page of advertising")
    yield "after", ContractBroken(what="a page of advertising")
    while True:
        yield "before", None


def test_source_that_refuses_or_conflicts_is_told_record_by_record(
    desk: Desk,
    make_source: Make,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _shop, case = erasure(desk, make_source)
    apply = PostgreSQLConnector.apply
    refused, conflicting = [
        step.key for step in ChangeStep.objects.filter(line__collection="invoice_line").order_by("number")[:2]
    ]

    def picky(self: PostgreSQLConnector, action: Action) -> Receipt:
        if action.key == refused:
            raise Refused(reason="it is booked.")
        if action.key == conflicting:
            raise Conflict
        return apply(self, action)

    monkeypatch.setattr(PostgreSQLConnector, "apply", picky)
    run_all()

    states = dict(ChangeStep.objects.values_list("key", "state"))
    assert (states[refused], states[conflicting]) == ("refused", "stale")
    assert the_part(case).held_for == "stale"


def meanwhile(monkeypatch: pytest.MonkeyPatch, nth: int, act: Callable[[], object]) -> None:
    """Do something else in the middle of the nth call that writes."""
    apply, calls = PostgreSQLConnector.apply, iter(range(1, 1000))

    def busy(self: PostgreSQLConnector, action: Action) -> Receipt:
        if next(calls) == nth:
            with unit_of_work(all_controllers()):
                act()
        return apply(self, action)

    monkeypatch.setattr(PostgreSQLConnector, "apply", busy)
