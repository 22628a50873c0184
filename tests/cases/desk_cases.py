"""Cases as far along as a test of the desk needs them."""

import json
from typing import Any

from django.utils import timezone

from cases.models import Case, ItemDecision
from cases.permissions import by_staff
from cases.words import Right
from cases.workflow import decide, identity, people, review
from cases.workflow.review import Choice, Selection
from identity.models import Controller, Level, User
from tests.factories.cases import SourceFactory, one_case, run_jobs

RECORDS = {
    "people": [
        {"id": 1, "email": "ada@example.com", "name": "Ada Example", "phone_number": "+44 20 7946 0000"},
        {"id": 2, "email": "bob@example.com", "name": "Bob Stranger", "phone_number": "+44 20 7946 0001"},
    ],
    "notes": [
        {"id": 10, "person_id": 1, "agent": "Carla Agent", "text": "Called about the bill. Bob was angry."},
        {"id": 11, "person_id": 1, "agent": "Carla Agent", "text": "Sent a new one."},
    ],
}


def source(controller: Controller, records: Any = RECORDS, **fields: Any) -> Any:
    return SourceFactory.create(controller=controller, options={"records": json.dumps(records)}, **fields)


def in_review(controller: Controller, handler: User, right: Right = Right.ACCESS, **fields: Any) -> Case:
    """A case whose person is proven and whose sources are searched; it belongs to the handler."""
    case = one_case(controller, right, **fields)
    seen = (Level.SUBSTANTIAL, "known_answers", "Knew the last order.")
    identity.record_evidence(case, *seen, by_staff(handler), timezone.now())
    run_jobs()
    return people.assign(Case.objects.get(pk=case.pk), handler, by_staff(handler), timezone.now())


def in_approval(controller: Controller, handler: User, right: Right = Right.ACCESS, **fields: Any) -> Case:
    """A case whose items are decided, and whose answer waits for the second pair of eyes."""
    case = in_review(controller, handler, right, **fields)
    decision = ItemDecision.DISCLOSE if right == Right.ACCESS else ItemDecision.ACT
    review.decide(case, Selection(only_undecided=True), Choice(decision), by_staff(handler), timezone.now())
    title, body = decide.draft_letter(case, decide.outcome_of(case), "", timezone.now())
    return decide.submit(Case.objects.get(pk=case.pk), title, body, by_staff(handler), timezone.now())
