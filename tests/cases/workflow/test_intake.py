"""Logging a request: once, under a free reference, on the record in order, and without needless statements."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.models import Case, SubjectRequest
from cases.words import Right, State
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.lib import references
from dsar.lib.errors import Refused
from dsar.vault.models import VaultKey
from tests.factories.cases import log
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db

STATEMENTS = 45


@pytest.fixture
def controller(serve):
    return ControllerFactory.create()


def test_log_request_puts_its_steps_on_record_in_their_order(controller):
    case = log(controller, Right.ACCESS).cases.get()

    assert list(AuditEvent.objects.filter(case_id=case.pk).order_by("seq").values_list("seq", "action")) == [
        (1, Action.CASE_OPENED),
        (2, Action.CLOCK_EVENT),
        (3, Action.STATE_CHANGED),
        (4, Action.CLOCK_EVENT),
        (5, Action.IDENTITY_ASKED),
    ]


def test_log_request_under_a_reference_that_is_taken_finds_another(controller, monkeypatch):
    taken = log(controller).reference
    free = references.new_reference()
    proposed = iter([taken, taken, free])
    monkeypatch.setattr(references, "new_reference", lambda: next(proposed))

    request = log(controller)

    assert (request.reference, SubjectRequest.objects.count(), Case.objects.count()) == (free, 2, 2)


def test_log_request_without_a_free_reference_is_refused_and_leaves_nothing(controller, monkeypatch):
    taken = log(controller).reference
    before = (AuditEvent.objects.count(), VaultKey.objects.count())
    monkeypatch.setattr(references, "new_reference", lambda: taken)

    with pytest.raises(Refused) as refusal:
        log(controller)

    assert refusal.value.code == "no_free_reference"
    assert (SubjectRequest.objects.count(), Case.objects.count()) == (1, 1)
    assert (AuditEvent.objects.count(), VaultKey.objects.count()) == before


def test_log_request_sent_twice_is_logged_once(controller):
    form, now = uuid4(), timezone.now()
    first = log(controller, now=now, submission=form)
    before = AuditEvent.objects.count()

    second = log(controller, now=now, submission=form)

    assert (second.pk, SubjectRequest.objects.count(), AuditEvent.objects.count()) == (first.pk, 1, before)


def test_log_request_has_its_date_whatever_the_first_step(controller):
    due = {case.right: (case.state, case.due_on is not None) for case in _logged(controller)}

    assert due == {
        "access": (State.AWAITING_IDENTITY, True),
        "objection": (State.FULFILLING, True),
        "erasure": (State.AWAITING_IDENTITY, True),
    }


def _logged(controller):
    return log(controller, Right.ACCESS, Right.OBJECTION, Right.ERASURE, about_marketing=True).cases.all()


def test_log_request_makes_each_case_two_keys_of_its_own(controller):
    cases = list(_logged(controller))

    assert len({key for case in cases for key in (case.collected_key_id, case.file_key_id)}) == 6
    assert {(case.collected_key.purpose, case.file_key.purpose) for case in cases} == {
        ("collected", "case_file")
    }


def test_log_request_needs_few_statements(controller):
    log(controller)  # The controller's own keys are made at first use.

    with CaptureQueriesContext(connection) as captured:
        log(controller)

    assert len(captured) <= STATEMENTS
