"""Requests and sources, made through the workflow as everything else is."""

from datetime import datetime
from typing import Any

import factory
from django.utils import timezone

from cases import tasks as _tasks  # noqa: F401  (declares the kinds of job)
from cases.models import Case, SourceSystem, SubjectRequest
from cases.permissions import BY_SYSTEM, By
from cases.words import Channel, Right
from cases.workflow.intake import Intake, Person, log_request
from dsar.jobs.models import Job, JobState
from dsar.jobs.run import run_job
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import Controller

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


def run_jobs(rounds: int = 10) -> int:
    """Run what is queued, as a worker would, until nothing is left; returns how many ran."""
    ran = 0
    for _ in range(rounds):
        due = list(Job.objects.filter(state=JobState.QUEUED, not_before__lte=timezone.now()).values_list("pk", flat=True))
        if not due:
            break
        ran += sum(run_job(job_id) for job_id in due)
    return ran
