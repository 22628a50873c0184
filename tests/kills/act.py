"""Acts of a desk under test, in a process beside it that stays warm: ``python -m tests.kills.act``."""

import hashlib
import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from cases.models import Case, ChangeStep, SetAside, SourceSystem  # noqa: E402
from cases.permissions import BY_SYSTEM, by_staff  # noqa: E402
from cases.words import Channel, Right  # noqa: E402
from cases.workflow import decide, identity, plan  # noqa: E402
from cases.workflow.intake import Intake, Person, log_request  # noqa: E402
from dsar.audit.verify import CHAINS  # noqa: E402
from dsar.jobs.models import Job  # noqa: E402
from dsar.lib.tenancy import unit_of_work  # noqa: E402
from dsar.lib.uuid7 import uuid7  # noqa: E402
from dsar.vault import keyring  # noqa: E402
from dsar.vault.models import KeyPurpose  # noqa: E402
from identity.access import all_controllers  # noqa: E402
from identity.models import Controller, Level, Membership  # noqa: E402
from identity.roles import Role  # noqa: E402
from tests.cases.workflow.conftest import Desk as StaffDesk  # noqa: E402
from tests.cases.workflow.conftest import make_desk  # noqa: E402
from tests.factories.identity import give_policy  # noqa: E402
from tests.kills.driving import answer  # noqa: E402

DATASET = """
dataset:
  - fides_key: crm
    name: CRM
    description: Customers and their orders
    data_subjects: [customer]
    collections:
      - name: customers
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - {name: name, data_categories: [user.name]}
      - name: orders
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - name: customer_id
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: crm, field: customers.id, direction: from}]}
          - {name: item, data_categories: [user.behavior.purchase_history]}
"""


def set_up(crm: dict[str, Any]) -> dict[str, Any]:
    """One brand with the CRM as its source."""
    controller_id = uuid7()
    with unit_of_work([controller_id]):
        controller = Controller.objects.create(
            id=controller_id,
            slug="brand",
            name="Brand",
            legal_name="Brand Limited",
            privacy_email="privacy@brand.example",
            regime="UK-ENG",
        )
        now = timezone.now()
        give_policy(controller, {"default": 1})
        password, erasing = crm.pop("password"), crm.pop("erasing", None)
        source = SourceSystem(
            controller=controller,
            key=keyring.shared_key(KeyPurpose.CONTROLLER, controller_id, now),
            slug="crm",
            name="CRM",
            connector="postgresql",
            options=crm,
            dataset=DATASET,
        )
        source.secrets, source.erasing_secrets = {"password": password}, erasing
        source.save()
    return {"controller": str(controller_id)}


def log(email: str, times: int = 1) -> dict[str, Any]:
    """Log requests and record identity, so that the search begins; says how long that took."""
    (controller_id,) = all_controllers()
    made, began = [], time.monotonic()
    for _ in range(times):
        with unit_of_work([controller_id]):
            now = timezone.now()
            controller = Controller.objects.get(pk=controller_id)
            intake = Intake(
                controller=controller,
                person=Person(name="Ada Example", email=email),
                rights=[Right.ACCESS],
                channel=Channel.CALL,
                received_at=now,
                is_drill=True,
            )
            request = log_request(intake, BY_SYSTEM, now)
            identity.record_drill(request, BY_SYSTEM, now)
            made.append(str(request.cases.get().pk))
    return {"cases": made, "seconds": (time.monotonic() - began) / times}


def found(case: str) -> dict[str, Any]:
    """What the case holds, opened, and whether its trail is whole."""
    with unit_of_work(all_controllers()):
        one = Case.objects.get(pk=UUID(case))
        refs = [
            f"{item.collection}/{item.content['data']['id']}" for item in one.items.select_related("case")
        ]
        jobs = Job.objects.filter(case_id=one.pk, kind="search_source")
        return {
            "state": str(one.state),
            "items": len(refs),
            "distinct": len(set(refs)),
            "digest": digest(refs),
            "aside": SetAside.objects.filter(case=one).count(),
            "attempts": max(jobs.values_list("attempts", flat=True), default=0),
            "broken_chains": _broken_chains(),
        }


def ask_erasure(email: str) -> dict[str, Any]:
    """A person asks for erasure, and a handler sees their passport: the search begins."""
    with unit_of_work(all_controllers()):
        controller = Controller.objects.get()
        Controller.objects.update(grace_days=0)
        desk = make_desk(controller)
        desk.allow()
        case = desk.case(Right.ERASURE, person=Person(name="Ada Example", email=email))
        now = timezone.now()
        identity.record_evidence(case, Level.SUBSTANTIAL, "passport", "Passport seen.", desk.handler, now)
        return {"case": str(case.pk)}


def approve_erasure(case: str) -> dict[str, Any]:
    """Everything as the rules propose it, decided by one and approved by another."""
    with unit_of_work(all_controllers()):
        one, desk, now = Case.objects.get(pk=UUID(case)), _desk(), timezone.now()
        plan.accept(one, plan.Lines(everything=True), desk.handler, now)
        one.refresh_from_db()
        decide.approve(desk.submitted(one), desk.dpo, now)
        return {}


def _desk() -> StaffDesk:
    """The people of an earlier act."""
    people = {one.role: by_staff(one.user) for one in Membership.objects.select_related("user")}
    roles = (Role.AGENT, Role.HANDLER, Role.HANDLER, Role.DPO, Role.REVIEWER)
    return StaffDesk(Controller.objects.get(), *(people[role] for role in roles))


def receipts(case: str) -> dict[str, Any]:
    """How many steps ended how, and how the case stands."""
    with unit_of_work(all_controllers()):
        steps = ChangeStep.objects.filter(part__plan__case=UUID(case))
        ended = steps.filter(state__in=["done", "already"], ended_at__isnull=False)
        lines = set(steps.values_list("line", flat=True))
        return {
            "state": str(Case.objects.get(pk=UUID(case)).state),
            "steps": [steps.count(), ended.count(), len(lines)],
            "tried_again": steps.filter(attempts__gt=1).count(),
            "broken_chains": _broken_chains(),
        }


def digest(refs: list[str]) -> str:
    """What tells this set of records from any other."""
    return hashlib.sha256("\n".join(sorted(refs)).encode()).hexdigest()


def afresh(act: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The act through a connection of its own: the database may have been killed since the last."""

    @wraps(act)
    def done(**arguments: Any) -> dict[str, Any]:
        connection.close()
        return act(**arguments)

    return done


def _broken_chains() -> int:
    with connection.cursor() as cursor:
        cursor.execute(CHAINS)
        return sum(row[3] is not None for row in cursor.fetchall())


if __name__ == "__main__":
    answer(*map(afresh, (set_up, log, found, ask_erasure, approve_erasure, receipts)))
