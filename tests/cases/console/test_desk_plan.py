"""The pages on which an erasure's plan is decided and approved, over a real shop."""

from typing import Any

import pytest
from django.urls import reverse

from cases.models import Case, ItemDecision, LineState, PlannedChange
from cases.words import Right, State
from cases.workflow import plan
from dsar.audit.models import AuditEvent
from tests.cases.chinook import LUIS, keep_invoices, make_shop, needs_chinook
from tests.cases.connectors.sql.conftest import database, make_source
from tests.cases.desk_cases import in_review, make_office, office
from tests.cases.staff_client import signed_in

__all__ = ["database", "make_source", "office"]

pytestmark = [pytest.mark.django_db, needs_chinook]


@pytest.fixture
def case(office, make_source):
    shop = make_shop(office.brand, make_source)
    keep_invoices(shop)
    return in_review(office.brand, office.handler, Right.ERASURE, person=LUIS)


def page(case: Case, **query: str) -> str:
    return f"{reverse('console:plan', args=[case.pk])}?{'&'.join(f'{k}={v}' for k, v in query.items())}"


def decide(client: Any, case: Case, **data: Any) -> Any:
    version = Case.objects.get(pk=case.pk).version
    return client.post(reverse("console:decide-lines", args=[case.pk]), {"version": version, **data})


def lines(case: Case, **fields: Any) -> Any:
    return PlannedChange.objects.filter(case=case, **fields).order_by("number")


def test_plan_shows_what_becomes_of_records_and_why(office, case):
    response = signed_in(office.handler).get(page(case, collection="customer", treatment="anonymise"))

    text = response.content.decode()
    assert response.status_code == 200
    assert "The tax law wants invoices kept." in text
    assert "Records that stay refer to it" in text
    assert "will be anonymous" in text


def test_everything_as_proposed_leaves_nothing_open(office, case):
    response = decide(signed_in(office.handler), case, scope="everything", treatment="as_proposed")

    assert (response.status_code, lines(case, state=LineState.PROPOSED).count()) == (303, 0)
    assert lines(case, state=LineState.DECIDED).count() == 47
