"""Requests and sources, made through the workflow as everything else is."""

from datetime import datetime
from typing import Any

import factory
from django.db import connection
from django.utils import timezone

from cases import tasks as _tasks  # noqa: F401  (declares the kinds of job)
from cases.models import Authority, Case, SourceSystem, SubjectRequest
from cases.permissions import BY_SYSTEM, By
from cases.words import Channel, Right, State
from cases.workflow import authority
from cases.workflow.intake import Intake, Person, log_request
from dsar.jobs.models import Job, JobState
from dsar.jobs.run import run_job
from dsar.lib.fsm import allowed_pairs
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity import services
from identity.models import Controller, Level, Method, Verification

NO_ONE = {"name": "Ada Example", "email": "ada@example.com"}

DATASET = """
dataset:
  - fides_key: shop
    name: Shop
    description: A shop
    data_subjects: [customer]
    collections:
      - name: customers
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - {name: name, data_categories: [user.name]}
"""


class SourceFactory(factory.django.DjangoModelFactory[SourceSystem]):
    class Meta:
        model = SourceSystem

    slug = factory.Sequence(lambda n: f"source-{n}")
    name = factory.Sequence(lambda n: f"Source {n}")
    connector = "demo"
    options: dict[str, Any] = {}
    dataset = DATASET

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> SourceSystem:
        controller = kwargs["controller"]
        kwargs.setdefault("key", keyring.shared_key(KeyPurpose.CONTROLLER, controller.pk, timezone.now()))
        return super()._create(model_class, *args, **kwargs)


def log(
    controller: Controller,
    *rights: Right,
    by: By = BY_SYSTEM,
    now: datetime | None = None,
    person: Person | None = None,
    **fields: Any,
) -> SubjectRequest:
    """Log a request by telephone."""
    now = now or timezone.now()
    fields.setdefault("channel", Channel.CALL)
    fields.setdefault("received_at", now)
    intake = Intake(
        controller=controller, person=person or Person(**NO_ONE), rights=rights or (Right.ACCESS,), **fields
    )
    return log_request(intake, by, now)


def one_case(controller: Controller, right: Right = Right.ACCESS, **fields: Any) -> Case:
    """A case just logged."""
    case: Case = log(controller, right, **fields).cases.get()
    return case


def authorised(case: Case, by: By, now: datetime | None = None, **fields: Any) -> Authority:
    """The representative of the case shows a signed authority of today, and it is accepted."""
    now = now or timezone.now()
    held = authority.record(case, authority.Shown(now, words="A letter that the person signed."), by, now)
    judged: dict[str, Any] = {
        "mandate": "signed_authority",
        "rights": tuple(case.subject_request.cases.values_list("right", flat=True)),
        "matters": "Everything that is held.",
        "remark": "The signature is the one on file.",
        "answer_to": "representative",
        "answer_reason": "It names the firm as the one to answer.",
        "valid_from": now.date(),
        "level": Level.SUBSTANTIAL,
        "evidence": "public_register",
    }
    return authority.accept(case, held.pk, authority.Judged(**judged | fields), by, now)


def run_jobs(rounds: int = 10) -> int:
    """Run what is queued, as a worker would, until nothing is left; returns how many ran."""
    ran = 0
    for _ in range(rounds):
        due = list(
            Job.objects.filter(state=JobState.QUEUED, not_before__lte=timezone.now()).values_list(
                "pk", flat=True
            )
        )
        if not due:
            break
        ran += sum(run_job(job_id) for job_id in due)
    return ran


def in_state(case: Case, state: str, **fields: Any) -> Case:
    """Bring a case to a state along declared pairs, without the work that belongs to each step."""
    for step in _path(str(case.state), state):
        _move(case, step)
    known(case, fields.pop("identity_level", Level.HIGH))
    Case.objects.filter(pk=case.pk).update(**fields)
    case.refresh_from_db()
    return case


def known(case: Case, level: int, method: str = Method.STAFF_RECORDED) -> None:
    """The case's person is known to this level, and nothing follows from it but that."""
    if level:
        now = timezone.now()
        made = services.new_verification(case.subject_request, now, method)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('dsar.performing', %s, true)", [str(made.pk)])
            Verification.objects.filter(pk=made.pk).update(state="achieved", level=level, ended_at=now)
            cursor.execute("SELECT set_config('dsar.performing', '', true)")
    Case.objects.filter(pk=case.pk).update(identity_level=level)


def forget(case: Case) -> None:
    """What showed who asks turned out to be no proof."""
    for verification in Verification.objects.filter(subject_request=case.subject_request_id):
        services.retract(verification, timezone.now())


def _move(case: Case, state: str) -> None:
    closing = {"outcome": "withdrawn", "closed_at": timezone.now()} if state == State.CLOSED else {}
    opening = {} if closing else {"outcome": "", "closed_at": None}
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('dsar.performing', %s, true)", [str(case.pk)])
        Case.objects.filter(pk=case.pk).update(state=state, **closing, **opening)
        cursor.execute("SELECT set_config('dsar.performing', '', true)")


def _path(start: str, goal: str) -> list[str]:
    """The shortest way between two states."""
    ways = [[start]]
    pairs = allowed_pairs(Case)
    for way in ways:
        if way[-1] == goal:
            return way[1:]
        ways += [[*way, target] for source, target in pairs if source == way[-1] and target not in way]
    raise AssertionError(f"no way leads to {goal}")
