"""One request from the call to the closed case, through the workflow as the screens call it."""

import json

import pytest
from django.utils import timezone

from cases.correspondence.outbox import mails
from cases.models import ItemDecision, Letter, LetterState, SourceSearch
from cases.permissions import by_customer, by_staff
from cases.review import items
from cases.words import Outcome, Right, State
from cases.workflow import answer, decide, identity, people, review
from cases.workflow.review import Choice, Selection
from dsar.vault import files
from identity import services
from identity.models import Level
from identity.roles import Role
from tests.factories.cases import SourceFactory, log, run_jobs
from tests.factories.identity import ControllerFactory, staff

pytestmark = pytest.mark.django_db

RECORDS = {
    "people": [
        {"id": 1, "email": "ada@example.com", "name": "Ada Example", "phone_number": "+44 20 7946 0000"},
        {"id": 2, "email": "bob@example.com", "name": "Bob Stranger", "phone_number": "+44 20 7946 0001"},
    ],
    "notes": [
        {"id": 10, "person_id": 1, "agent": "Carla Agent", "text": "Called about the bill."},
        {"id": 11, "person_id": 2, "agent": "Carla Agent", "text": "Stranger's note."},
    ],
}


@pytest.fixture
def controller(serve, django_capture_on_commit_callbacks):
    brand = ControllerFactory.create()
    SourceFactory.create(controller=brand, options={"records": json.dumps(RECORDS)})
    return brand


def newest_code(to: str) -> str:
    mail = next(mail for mail in mails() if mail.to == to and "code" in mail.title)
    return "".join(filter(str.isdigit, mail.body.split("valid")[0]))[:6]


def test_access_request_from_call_to_closed_case(controller):
    now = timezone.now
    agent = staff(Role.AGENT, controller)
    handler = staff(Role.HANDLER, controller)
    dpo = staff(Role.DPO, controller)
    reviewer = staff(Role.REVIEWER, controller)

    request = log(controller, Right.ACCESS, by=by_staff(agent))
    case = request.cases.get()
    assert case.state == State.AWAITING_IDENTITY
    run_jobs()
    case.refresh_from_db()
    assert request.verifications.get().address_on_file is True

    customer = by_customer(request.pk)
    identity.send_code(request, identity.VERIFY, customer, now())
    run_jobs()
    verification = services.open_verification(request, now())
    code_id = services.count_try(verification, identity.VERIFY, now())
    assert identity.accept_code(
        request, code_id, newest_code("ada@example.com"), identity.VERIFY, customer, now()
    )
    case.refresh_from_db()
    assert (case.state, case.identity_level) == (State.SEARCHING, Level.LOW)

    run_jobs()
    case.refresh_from_db()
    assert case.state == State.REVIEW
    assert SourceSearch.objects.get(run__case=case).found == 2

    people.assign(case, handler, by_staff(handler), now())
    assert (
        review.decide(
            case, Selection(only_undecided=True), Choice(ItemDecision.DISCLOSE), by_staff(handler), now()
        )
        == 1
    )
    assert items.undecided(case) == 0
    title, body = decide.draft_letter(case, decide.outcome_of(case), "", now())
    case = decide.submit(case, title, body, by_staff(handler), now())
    assert case.state == State.APPROVAL
    case = decide.approve(case, by_staff(dpo), now())
    assert case.state == State.WITH_CONTROLLER
    case = decide.approve_for_controller(case, by_staff(reviewer), now())
    assert case.state == State.FULFILLING

    run_jobs()
    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.PARTLY_FULFILLED)
    delivery = answer.live_delivery(case)
    pack = answer.fetch(delivery, customer, now())
    data = next(entry.file for entry in pack.files.all() if entry.file.name == "data.json")
    content = json.loads(b"".join(files.read(data)))
    assert "Bob" not in json.dumps(content)
    assert "Carla" not in json.dumps(content)
    assert Letter.objects.exclude(state=LetterState.SENT).count() == 0
