"""The portal when what a customer asks for is gone by the rules of retention: it says so, and nothing breaks."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.utils import timezone

from cases.models import Case, Delivery
from cases.retention import rules
from cases.retention.rules import Rule
from cases.workflow import retention
from dsar.lib import references
from tests.cases.portal.conftest import Visitor, text_of

pytestmark = pytest.mark.django_db


def forget(rule: Rule, delivered: Delivery, days: int) -> Case:
    """The case was closed so long ago, and what is due by the rule goes."""
    case = Case.objects.get(pk=delivered.pack.case_id)
    Case.objects.filter(pk=case.pk).update(closed_at=timezone.now() - timedelta(days=days))
    done = retention.carry_out(rule, case.controller_id, timezone.now(), nullcontext)
    assert done.of == 1
    return case


def test_answer_that_is_gone_is_not_offered_any_more(visitor: Visitor, delivered: Delivery) -> None:
    offered = visitor.at("pack", delivered.pk) in text_of(visitor.see("mine"))
    forget(rules.COLLECTED, delivered, 91)

    mine, pack = visitor.see("mine"), visitor.see("pack", delivered.pk)

    assert (offered, mine.status_code, pack.status_code) == (True, 200, 404)
    assert visitor.at("pack", delivered.pk) not in text_of(mine)
    assert "This page does not exist, or no longer." in text_of(pack)


def test_request_that_is_gone_is_as_if_it_never_was(visitor: Visitor, delivered: Delivery) -> None:
    reference = delivered.pack.case.subject_request.reference
    forget(rules.CASE_FILE, delivered, 1200)

    inside = visitor.see("mine")
    known, unknown = visitor.claim(reference), visitor.claim(references.new_reference())

    assert inside.status_code == 303
    assert (known.status_code, known.headers.get("Location")) == (
        unknown.status_code,
        unknown.headers.get("Location"),
    )
