"""Cases as far along as a test of the desk needs them."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from cases.models import Case, Instruction, ItemDecision
from cases.permissions import by_staff
from cases.words import Right, Say, Step
from cases.workflow import decide, identity, people, review
from cases.workflow.review import Choice, Selection
from identity.models import Controller, Level, User
from identity.roles import Role
from tests.factories.cases import SourceFactory, one_case, run_jobs
from tests.factories.identity import ControllerFactory, staff

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


def in_approval(
    controller: Controller,
    handler: User,
    right: Right = Right.ACCESS,
    case: Case | None = None,
    **fields: Any,
) -> Case:
    """A case whose items are decided, and whose answer waits for the second pair of eyes."""
    case = case or in_review(controller, handler, right, **fields)
    decision = ItemDecision.DISCLOSE if right == Right.ACCESS else ItemDecision.ACT
    review.decide(case, Selection(only_undecided=True), Choice(decision), by_staff(handler), timezone.now())
    title, body = decide.draft_letter(case, decide.outcome_of(case), "", timezone.now())
    return decide.submit(Case.objects.get(pk=case.pk), title, body, by_staff(handler), timezone.now())


def broken_source(controller: Controller) -> Any:
    """A source that refuses the sign-in: it fails at once, and is not tried again by itself."""
    records = {**RECORDS, "token": "secret"}
    return SourceFactory.create(
        controller=controller, name="Old archive", options={"records": json.dumps(records)}
    )


def allow_all(controller: Controller) -> Instruction:
    """The controller lets the processor decide by itself."""
    issued: Instruction = Instruction.objects.create(
        controller=controller,
        version=Instruction.objects.filter(controller=controller).count() + 1,
        rules={step.value: Say.ALLOW.value for step in Step},
        issued_at=timezone.now(),
    )
    return issued


@dataclass(frozen=True)
class Office:
    """A brand with a source, and one of each who works for it."""

    brand: Controller
    agent: User
    handler: User
    other: User
    dpo: User
    reviewer: User
    auditor: User
    administrator: User


def make_office(**fields: Any) -> Office:
    """Staff of a brand of their own."""
    brand = ControllerFactory.create(**fields)
    source(brand, name="Customer system")
    return Office(
        brand,
        staff(Role.AGENT, brand, full_name="Aggie Agent"),
        staff(Role.HANDLER, brand, full_name="Hannah Handler"),
        staff(Role.HANDLER, brand, full_name="Omar Other"),
        staff(Role.DPO, brand, full_name="Dora Protector"),
        staff(Role.REVIEWER, brand, full_name="Rita Reviewer"),
        staff(Role.AUDITOR, brand, full_name="Otto Auditor"),
        staff(Role.ADMINISTRATOR, brand, full_name="Anna Admin"),
    )


@pytest.fixture
def office(serve: Any, tmp_path_factory: pytest.TempPathFactory, settings: Any) -> Office:
    """The brand that a test is about."""
    settings.STATIC_ROOT = tmp_path_factory.mktemp("static")
    return make_office()
