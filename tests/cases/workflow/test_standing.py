"""How sources stand: rests, refused accounts, pauses, the stop of everything, agreement; what goes on by itself."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cases.collection import turns
from cases.connectors.base import Capabilities, Limit, Throttled, Unreachable
from cases.connectors.demo.connector import DemoConnector
from cases.models import CollectionStop, Item, SourceSearch, SourceSystem
from cases.permissions import BY_OPERATOR, By, by_staff
from cases.words import State
from cases.workflow import identity, search, standing
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job
from dsar.lib.errors import NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from identity.models import Level
from identity.roles import Role
from tests.cases.workflow.conftest import RECORDS
from tests.factories.cases import SourceFactory, run_jobs
from tests.factories.identity import ControllerFactory, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def crm(desk: Any) -> SourceSystem:
    found: SourceSystem = SourceSystem.objects.get()
    return found


@pytest.fixture
def administrator(desk: Any) -> By:
    return by_staff(staff(Role.ADMINISTRATOR, desk.controller))


def begun(desk: Any) -> Any:
    """A case whose search has begun; no worker has taken it up."""
    case = desk.case()
    identity.record_evidence(case, Level.LOW, "callback", "Called back.", desk.handler, timezone.now())
    return case


def due_again(source: SourceSystem | None = None) -> None:
    """As if the waiting time of every job, and of the source, were over."""
    Job.objects.filter(state="queued").update(not_before=timezone.now())
    if source is not None:
        SourceSystem.objects.filter(pk=source.pk).update(held_until=timezone.now())


def states() -> list[tuple[str, str, str]]:
    return list(SourceSearch.objects.order_by("id").values_list("state", "held_for", "error_code"))


def failing(monkeypatch: Any, error: Callable[[], Exception]) -> list[int]:
    """The source fails from now on; returns the list in which its calls are counted."""
    calls: list[int] = []

    def fail(self: Any, identifiers: Any) -> Any:
        calls.append(1)
        raise error()

    monkeypatch.setattr(DemoConnector, "find", fail)
    return calls


def on_record(action: str) -> int:
    return int(AuditEvent.objects.filter(action=action).count())


# -- a source that fails ---------------------------------------------------------------------------------


def test_source_that_fails_five_times_in_a_row_rests(desk: Any, crm: Any, monkeypatch: Any) -> None:
    cases = [begun(desk) for _ in range(6)]
    calls = failing(monkeypatch, Unreachable)

    run_jobs()

    crm.refresh_from_db()
    assert (len(calls), crm.failures, crm.trouble_code) == (5, 5, "unreachable")
    assert timedelta(seconds=50) < crm.held_until - timezone.now() <= timedelta(minutes=1)
    # Those that were asked wait for their next try; whoever comes after is not asked at all.
    assert {one for one in states() if one[0] != "running"} == {("held", "resting", "")}
    assert len(cases) == 6
    assert on_record("source.rests") == 1


def test_one_search_probes_after_the_rest_and_the_others_wait(desk: Any, crm: Any, monkeypatch: Any) -> None:
    for _ in range(6):
        begun(desk)
    calls = failing(monkeypatch, Unreachable)
    run_jobs()
    due_again(crm)

    run_jobs()

    crm.refresh_from_db()
    assert (len(calls), crm.failures) == (6, 6)
    assert crm.held_until > timezone.now() + timedelta(seconds=100)  # twice as long as before


def test_recovered_source_lets_everything_go_on_by_itself(desk: Any, crm: Any, monkeypatch: Any) -> None:
    for _ in range(6):
        begun(desk)
    with monkeypatch.context() as broken:
        failing(broken, Unreachable)
        run_jobs()
    SourceSystem.objects.filter(pk=crm.pk).update(held_until=timezone.now())
    probe = SourceSearch.objects.filter(state="held").first()
    Job.objects.filter(key=f"search:{probe.pk}").update(not_before=timezone.now())
    Job.objects.filter(state="queued", error_code="unreachable").update(not_before=timezone.now())

    run_jobs()

    crm.refresh_from_db()
    assert (crm.failures, crm.held_until, crm.trouble_code) == (0, None, "")
    assert {state for state, _, _ in states()} == {"done"}
    assert on_record("source.recovered") == 1


def test_failing_source_does_not_hold_up_another(desk: Any, crm: Any, monkeypatch: Any) -> None:
    healthy = SourceFactory.create(
        controller=desk.controller, name="Shop", options={"records": json.dumps(RECORDS), "page_size": 7}
    )
    SourceSystem.objects.filter(pk=crm.pk).update(
        failures=9, held_until=timezone.now() + timedelta(minutes=9)
    )
    case = begun(desk)

    run_jobs()

    assert dict(SourceSearch.objects.values_list("source", "state")) == {crm.pk: "held", healthy.pk: "done"}
    case.refresh_from_db()
    assert case.state == State.SEARCHING


# -- a source that refuses the account -------------------------------------------------------------------


@pytest.fixture
def refusing(desk: Any, crm: Any) -> SourceSystem:
    crm.options = {"records": json.dumps({**RECORDS, "token": "secret"})}
    crm.save()
    return crm


def test_refused_account_is_tried_once_and_told_once(desk: Any, refusing: Any) -> None:
    for _ in range(4):
        begun(desk)

    run_jobs()

    refusing.refresh_from_db()
    assert refusing.needs_admin_at is not None
    assert sorted(states()) == [("failed", "", "auth"), *[("held", "needs_admin", "")] * 3]
    assert on_record("source.refuses_account") == 1
    assert Job.objects.filter(kind=standing.TELL).count() == 1


def test_resuming_lets_what_waited_and_what_failed_go_on(desk: Any, refusing: Any, administrator: By) -> None:
    cases = [begun(desk) for _ in range(3)]
    run_jobs()
    SourceSystem.objects.filter(pk=refusing.pk).update(options={"records": json.dumps(RECORDS)})

    standing.resume(refusing, administrator, timezone.now())
    run_jobs()

    for case in cases:
        case.refresh_from_db()
    assert {state for state, _, _ in states()} == {"done"}
    assert {case.state for case in cases} == {State.REVIEW}


def test_failed_search_with_a_waiver_proposed_is_left_alone(
    desk: Any, refusing: Any, administrator: By
) -> None:
    begun(desk)
    run_jobs()
    search.propose_waiver(SourceSearch.objects.get(), "Switched off.", desk.handler, timezone.now())

    standing.resume(refusing, administrator, timezone.now())
    run_jobs()

    assert states() == [("failed", "", "auth")]


# -- patience --------------------------------------------------------------------------------------------


def test_worker_with_a_throttled_source_does_anothers_work_meanwhile(
    desk: Any, crm: Any, monkeypatch: Any
) -> None:
    """One worker, one call each: the throttled search goes back at once, and the other source is searched."""
    quiet = SourceFactory.create(
        controller=desk.controller, name="Shop", options={"records": json.dumps(RECORDS), "page_size": 7}
    )
    find, asked = DemoConnector.find, []

    def patience(self: Any, identifiers: Any) -> Any:
        asked.append(self._page_size)
        if self._page_size != 7:
            raise Throttled(retry_after=60)
        return find(self, identifiers)

    monkeypatch.setattr(DemoConnector, "find", patience)
    begun(desk)

    run_jobs()

    crm.refresh_from_db()
    job = Job.objects.get(kind="search_source", state="queued")
    assert sorted(asked) == [7, 100]
    assert dict(SourceSearch.objects.values_list("source", "state")) == {crm.pk: "held", quiet.pk: "done"}
    assert crm.held_until > timezone.now() + timedelta(seconds=50)
    assert job.not_before > timezone.now() + timedelta(seconds=50)
    assert (job.attempts, job.forgiven, crm.failures) == (1, 1, 0)


def test_throttled_search_keeps_its_place_and_whom_it_found(desk: Any, crm: Any, monkeypatch: Any) -> None:
    SourceSystem.objects.filter(pk=crm.pk).update(options={"records": json.dumps(RECORDS), "page_size": 1})
    collect, find, calls = DemoConnector.collect, DemoConnector.find, []

    def patience(self: Any, matches: Any, cursor: Any) -> Any:
        calls.append("page")
        if len(calls) == 3:
            raise Throttled(retry_after=1)
        return collect(self, matches, cursor)

    monkeypatch.setattr(DemoConnector, "collect", patience)
    monkeypatch.setattr(
        DemoConnector, "find", lambda self, wanted: [calls.append("find")] and find(self, wanted)
    )
    begun(desk)
    run_jobs()
    stopped = SourceSearch.objects.get()

    due_again(crm)
    run_jobs()

    assert (stopped.state, stopped.found, Item.objects.count()) == ("running", 1, 2)
    assert calls == ["find", "page", "page", "page"]
    assert states() == [("done", "", "")]
    assert SourceSearch.objects.get().matches is None


def test_declared_limit_is_kept_without_a_worker_waiting(desk: Any, crm: Any, monkeypatch: Any) -> None:
    declared = DemoConnector.capabilities
    monkeypatch.setattr(
        DemoConnector,
        "capabilities",
        lambda self: Capabilities(
            declared(self).identifier_kinds, declared(self).types, 100, (), (Limit(3, 3600),)
        ),
    )
    create, find, asked = DemoConnector.create.__func__, DemoConnector.find, []

    def with_gate(cls: Any, setup: Any) -> Any:
        made = create(cls, setup)
        made.gate = setup.gate
        return made

    def behind_gate(self: Any, identifiers: Any) -> Any:
        self.gate.take()
        asked.append(1)
        return find(self, identifiers)

    monkeypatch.setattr(DemoConnector, "create", classmethod(with_gate))
    monkeypatch.setattr(DemoConnector, "find", behind_gate)
    for _ in range(5):
        begun(desk)

    run_jobs()

    waiting = Job.objects.filter(kind="search_source", state="queued")
    crm.refresh_from_db()
    assert (len(asked), waiting.count(), crm.held_until) == (2, 3, None)
    assert set(waiting.values_list("error_code", "attempts", "forgiven")) == {("throttled", 1, 1)}


# -- slices ----------------------------------------------------------------------------------------------


def huge(number: int = 60) -> dict[str, Any]:
    notes = [{"id": one, "person_id": 1, "agent": "Carla", "text": f"Note {one}"} for one in range(number)]
    return {"people": RECORDS["people"], "notes": notes}


def test_huge_search_lets_small_ones_by_and_loses_nothing(desk: Any, crm: Any, monkeypatch: Any) -> None:
    """One worker: the huge search is first in the queue, and three small ones are answered before it."""
    SourceSystem.objects.filter(pk=crm.pk).update(options={"records": json.dumps(huge()), "page_size": 1})
    monkeypatch.setattr(turns, "SLICE_PAGES", 5)
    first = begun(desk)
    SourceSystem.objects.filter(pk=crm.pk).update(is_active=False)
    SourceFactory.create(controller=desk.controller, options={"records": json.dumps(RECORDS)})
    others = [begun(desk) for _ in range(3)]

    run_jobs(rounds=40)

    ended = SourceSearch.objects.order_by("ended_at").values_list("run__case", flat=True)
    assert list(ended)[-1] == first.pk
    assert {case.pk for case in others} == set(list(ended)[:-1])
    own = Item.objects.filter(case=first)
    assert (own.count(), own.values("ref_hash").distinct().count()) == (61, 61)


def test_search_keeps_its_worker_while_nobody_waits(desk: Any, crm: Any, monkeypatch: Any) -> None:
    SourceSystem.objects.filter(pk=crm.pk).update(options={"records": json.dumps(huge()), "page_size": 1})
    monkeypatch.setattr(turns, "SLICE_PAGES", 5)
    begun(desk)

    run_jobs()

    job = Job.objects.get(kind="search_source")
    assert (job.attempts, states()) == (1, [("done", "", "")])


# -- paused and stopped ----------------------------------------------------------------------------------


def test_paused_source_holds_only_its_own_part(desk: Any, crm: Any, administrator: By) -> None:
    other = SourceFactory.create(controller=desk.controller, options={"records": json.dumps(RECORDS)})
    standing.pause(crm, "Moves to another house.", administrator, timezone.now())
    begun(desk)

    run_jobs()

    assert dict(SourceSearch.objects.values_list("source", "state")) == {crm.pk: "held", other.pk: "done"}
    assert on_record("source.paused") == 1


def test_resumed_source_goes_on_by_itself(desk: Any, crm: Any, administrator: By) -> None:
    standing.pause(crm, "Moves to another house.", administrator, timezone.now())
    case = begun(desk)
    run_jobs()

    standing.resume(SourceSystem.objects.get(), administrator, timezone.now())
    run_jobs()

    case.refresh_from_db()
    assert (states(), case.state) == ([("done", "", "")], State.REVIEW)


def test_running_search_stops_between_pages(desk: Any, crm: Any, monkeypatch: Any) -> None:
    """It stops after the page at which it learns of it, keeps what it has, and goes on from there."""
    SourceSystem.objects.filter(pk=crm.pk).update(options={"records": json.dumps(huge()), "page_size": 1})
    monkeypatch.setattr(turns, "LOOK_SECONDS", 0.0)
    collect, pages = DemoConnector.collect, []

    def stopped_meanwhile(self: Any, matches: Any, cursor: Any) -> Any:
        pages.append(1)
        if len(pages) == 1:
            with unit_of_work([desk.controller.pk]):
                standing.stop_collection(desk.controller.pk, "An incident.", BY_OPERATOR, timezone.now())
        return collect(self, matches, cursor)

    monkeypatch.setattr(DemoConnector, "collect", stopped_meanwhile)
    begun(desk)
    run_jobs()
    held, kept = states(), Item.objects.count()

    standing.lift_stop(CollectionStop.objects.get(), BY_OPERATOR, timezone.now())
    run_jobs()

    assert (held, kept) == ([("held", "stopped", "")], 1)
    assert (states(), Item.objects.count()) == ([("done", "", "")], 61)


def test_stop_of_the_installation_stops_every_controller(desk: Any, crm: Any) -> None:
    standing.stop_collection(None, "An incident.", BY_OPERATOR, timezone.now())
    begun(desk)

    run_jobs()

    assert states() == [("held", "stopped", "")]


def test_stop_of_another_controller_stops_nothing_here(desk: Any, crm: Any) -> None:
    other = ControllerFactory.create()
    standing.stop_collection(other.pk, "An incident.", BY_OPERATOR, timezone.now())
    begun(desk)

    run_jobs()

    assert states() == [("done", "", "")]


def test_stopping_twice_or_without_a_reason_is_refused(desk: Any, administrator: By) -> None:
    standing.stop_collection(desk.controller.pk, "An incident.", administrator, timezone.now())

    with pytest.raises(Refused) as again:
        standing.stop_collection(desk.controller.pk, "Once more.", administrator, timezone.now())
    with pytest.raises(Refused) as silent:
        standing.stop_collection(None, " ", BY_OPERATOR, timezone.now())

    assert (again.value.code, silent.value.code) == ("stopped_already", "reason_missing")
    assert CollectionStop.objects.count() == 1


@pytest.mark.parametrize("role", [Role.AGENT, Role.HANDLER, Role.DPO, Role.AUDITOR, Role.REVIEWER])
def test_nobody_but_an_administrator_turns_the_switches(desk: Any, crm: Any, role: Role) -> None:
    by = by_staff(staff(role, desk.controller))
    now = timezone.now()
    acts: list[Callable[[], object]] = [
        lambda: standing.pause(crm, "Because.", by, now),
        lambda: standing.resume(crm, by, now),
        lambda: standing.rerun_failed(crm, by, now),
        lambda: standing.stop_collection(desk.controller.pk, "Because.", by, now),
        lambda: standing.stop_collection(None, "Because.", by, now),
    ]

    for each in acts:
        with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
            each()

    crm.refresh_from_db()
    assert (crm.paused_at, CollectionStop.objects.count()) == (None, 0)


def test_administrator_of_another_brand_turns_no_switch_here(desk: Any, crm: Any) -> None:
    other = by_staff(staff(Role.ADMINISTRATOR, ControllerFactory.create()))

    for act in (
        lambda: standing.pause(crm, "Because.", other, timezone.now()),
        lambda: standing.stop_collection(desk.controller.pk, "Because.", other, timezone.now()),
        lambda: standing.stop_collection(None, "Because.", other, timezone.now()),
    ):
        with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
            act()

    crm.refresh_from_db()
    assert (crm.paused_at, CollectionStop.objects.count()) == (None, 0)


# -- agreement -------------------------------------------------------------------------------------------


@pytest.fixture
def listing(monkeypatch: Any) -> None:
    declared = DemoConnector.capabilities
    monkeypatch.setattr(
        DemoConnector,
        "capabilities",
        lambda self: Capabilities(
            declared(self).identifier_kinds,
            declared(self).types,
            100,
            lists_whole="All 90,000 rows are read.",
        ),
    )


def test_source_read_as_a_whole_waits_for_a_yes(desk: Any, crm: Any, listing: None) -> None:
    begun(desk)
    run_jobs()
    before = (states(), Item.objects.count())

    standing.agree(SourceSearch.objects.get(), desk.handler, timezone.now())
    run_jobs()

    assert before == ([("held", "agreement", "")], 0)
    assert (states(), on_record("collection.search_agreed")) == ([("done", "", "")], 1)


def test_administrators_policy_remembers_the_yes(desk: Any, crm: Any, listing: None) -> None:
    SourceSystem.objects.filter(pk=crm.pk).update(may_list_whole=True)
    begun(desk)

    run_jobs()

    assert states() == [("done", "", "")]


def test_resuming_does_not_agree_for_the_handler(
    desk: Any, crm: Any, listing: None, administrator: By
) -> None:
    begun(desk)
    run_jobs()

    standing.resume(crm, administrator, timezone.now())
    run_jobs()

    assert states() == [("held", "agreement", "")]


def test_search_on_hold_can_be_waived(desk: Any, crm: Any, administrator: By) -> None:
    standing.pause(crm, "Switched off for good.", administrator, timezone.now())
    case = begun(desk)
    run_jobs()
    search.propose_waiver(SourceSearch.objects.get(), "Switched off.", desk.handler, timezone.now())

    search.waive(SourceSearch.objects.get(), desk.dpo, timezone.now())

    case.refresh_from_db()
    assert (case.state, states()) == (State.REVIEW, [("waived", "", "")])


def test_failed_searches_of_a_source_are_repeated_together(
    desk: Any, refusing: Any, administrator: By
) -> None:
    for _ in range(2):
        begun(desk)
    SourceSystem.objects.update(options={"records": "not JSON"})
    run_jobs()
    SourceSystem.objects.update(options={"records": json.dumps(RECORDS)})

    repeated = standing.rerun_failed(refusing, administrator, timezone.now())
    run_jobs()

    assert (repeated, {state for state, _, _ in states()}) == (2, {"done"})
