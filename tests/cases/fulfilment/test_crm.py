"""Erasures over the demo CRM, well and misbehaving: jobs that take their time, answers that get lost, residue."""

from collections.abc import Iterator
from typing import Any

import pytest

from cases.connectors.demo_crm.system.api import READ_KEY, WRITE_KEY, Switches
from cases.connectors.demo_crm.system.server import Server, running
from cases.models import Case, Leftover, PartStage
from cases.words import Outcome, Right, State
from cases.workflow.intake import Person
from tests.cases.fulfilment.erasing import approved, open_desk, receipts, run_all, the_part
from tests.factories.cases import SourceFactory, run_jobs

pytestmark = pytest.mark.django_db

ADA, STRANGER = 1, 2
PERSON = Person(name="Ada Example", email="ada@example.com")


@pytest.fixture
def crm() -> Iterator[Server]:
    with running() as server:
        server.crm.store.add(
            "contacts", [contact(ADA, "ada@example.com"), contact(STRANGER, "bob@example.com")]
        )
        server.crm.store.add(
            "tickets", [{"id": 11, "contact_id": ADA, "subject": "Parcel late", "status": "open"}]
        )
        server.crm.store.add(
            "tickets", [{"id": 12, "contact_id": STRANGER, "subject": "Thanks", "status": "open"}]
        )
        yield server


def contact(number: int, email: str) -> dict[str, Any]:
    return {"id": number, "number": f"C-{number}", "name": f"Name {number}", "email": email}


@pytest.fixture
def case(serve: Any, crm: Server) -> Case:
    """Ada's erasure, approved; her ticket goes before her contact."""
    desk = open_desk()
    SourceFactory.create(
        controller=desk.controller,
        connector="demo_crm",
        options={"base_url": crm.url, "network": "private"},
        secrets={"api_key": READ_KEY},
        erasing_secrets={"api_key": WRITE_KEY},
        dataset="",
    )
    found = desk.in_review(Right.ERASURE, person=PERSON)
    return approved(desk, found)


def held(crm: Server) -> dict[str, list[int]]:
    """Which contacts and tickets there are."""
    store, numbers = crm.crm.store, {"contacts": (ADA, STRANGER), "tickets": (11, 12)}
    return {kind: [one for one in known if store.get(kind, one)] for kind, known in numbers.items()}


OTHERS = {"contacts": [STRANGER], "tickets": [12]}


def test_deletion_that_takes_its_time_is_asked_after_until_it_is_done(case: Case, crm: Server) -> None:
    crm.crm.switches = Switches(eventual_deletion=2)

    run_jobs()
    part = the_part(case)
    assert (part.stage, part.held_for) == (PartStage.EXECUTING, "pending")
    assert next(state for _verb, state, _tries in receipts(case)) == "pending"

    run_all()
    case.refresh_from_db()
    assert (held(crm), {state for _verb, state, _tries in receipts(case)}) == (OTHERS, {"done"})
    assert (str(case.state), case.outcome) == (State.CLOSED, Outcome.FULFILLED)


def test_lost_answers_are_read_back_and_nothing_is_written_twice(case: Case, crm: Server) -> None:
    crm.crm.switches, before = Switches(commit_then_fail=True), crm.crm.writes

    run_all()

    case.refresh_from_db()
    assert (held(crm), crm.crm.writes - before, str(case.state)) == (
        OTHERS,
        len(receipts(case)),
        State.CLOSED,
    )


def test_residue_is_a_finding_that_holds_the_case(case: Case, crm: Server) -> None:
    crm.crm.switches = Switches(residue_left=True)

    run_all()

    case.refresh_from_db()
    left = set(Leftover.objects.values_list("where", "remains"))
    assert (the_part(case).held_for, str(case.state)) == ("leftovers", State.FULFILLING)
    assert {"list of contacts", "list of tickets"} & {where for where, _remains in left} != set()
