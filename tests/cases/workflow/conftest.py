"""A brand with a source, its people, and cases brought to where a test begins."""

import json
from dataclasses import dataclass

import pytest
from django.utils import timezone

from cases.models import Case, Instruction
from cases.permissions import By, by_staff
from cases.words import Right
from cases.workflow import decide, identity, review
from identity.models import Controller, Level
from identity.roles import Role
from tests.factories.cases import SourceFactory, log, run_jobs
from tests.factories.identity import ControllerFactory, staff

RECORDS = {
    "people": [
        {"id": 1, "email": "ada@example.com", "name": "Ada Example", "phone_number": "+44 20 7946 0000"},
        {"id": 2, "email": "bob@example.com", "name": "Bob Stranger", "phone_number": "+44 20 7946 0001"},
    ],
    "notes": [
        {"id": 10, "person_id": 1, "agent": "Carla Agent", "text": "Called about the bill. Pays by card."},
        {"id": 11, "person_id": 2, "agent": "Carla Agent", "text": "Stranger's note."},
    ],
}


@dataclass(frozen=True)
class Desk:
    """A brand, and one of each who works for it."""

    controller: Controller
    agent: By
    handler: By
    second_handler: By
    dpo: By
    reviewer: By

    def case(self, right: Right = Right.ACCESS, **fields) -> Case:
        return log(self.controller, right, by=self.agent, **fields).cases.get()

    def in_review(self, right: Right = Right.ACCESS, **fields) -> Case:
        """Identity seen by staff, sources searched."""
        case = self.case(right, **fields)
        identity.record_evidence(
            case, Level.SUBSTANTIAL, "passport", "Passport seen.", self.handler, timezone.now()
        )
        run_jobs()
        case.refresh_from_db()
        return case

    def in_approval(self, right: Right = Right.ACCESS, **fields) -> Case:
        case = self.in_review(right, **fields)
        review.decide_by_rules(case, self.handler, timezone.now())
        return self.submitted(case)

    def submitted(self, case: Case, **fields) -> Case:
        title, body = decide.draft_letter(
            case, decide.outcome_of(case), fields.get("reasons", ""), timezone.now()
        )
        return decide.submit(case, title, body, self.handler, timezone.now(), **fields)

    def allow(self, **rules: str) -> None:
        """Let the processor decide by itself."""
        rules = rules or dict.fromkeys(("release", "refuse", "erase", "rectify", "close"), "allow")
        Instruction.objects.create(
            controller=self.controller,
            version=Instruction.objects.filter(controller=self.controller).count() + 1,
            rules=rules,
            issued_at=timezone.now(),
        )


@pytest.fixture
def desk(serve) -> Desk:
    return desk_with_crm()


def desk_with_crm() -> Desk:
    """A brand with its staff, and one source."""
    controller = ControllerFactory.create()
    SourceFactory.create(
        controller=controller, slug="crm", name="CRM", options={"records": json.dumps(RECORDS)}
    )
    return make_desk(controller)


def make_desk(controller: Controller) -> Desk:
    return Desk(
        controller,
        by_staff(staff(Role.AGENT, controller)),
        by_staff(staff(Role.HANDLER, controller)),
        by_staff(staff(Role.HANDLER, controller)),
        by_staff(staff(Role.DPO, controller)),
        by_staff(staff(Role.REVIEWER, controller)),
    )
