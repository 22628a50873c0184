"""A case tells how its dates come about."""

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cases.models import SubjectRequest
from cases.words import Right
from tests.factories.cases import log
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 2, 9, tzinfo=UTC)


@pytest.fixture
def logged(serve: Any) -> SubjectRequest:
    brand = ControllerFactory.create(slug="acme", regime="UK-ENG", levels={"default": 0})
    return log(brand, Right.ACCESS, Right.ERASURE, now=NOW, received_at=datetime(2026, 9, 1, 9, tzinfo=UTC))


def explained(*arguments: str) -> str:
    out = StringIO()
    call_command("explain_deadline", *arguments, stdout=out)
    return out.getvalue()


def test_case_is_explained_step_by_step(logged):
    told = explained(f"{logged.reference}/A").splitlines()

    assert told[0] == f"{logged.reference}/A  access, UK-ENG (uk-gdpr 2026-02-05), review"
    assert told[1:3] == ["Clock: running", "Due on: 2026-10-01"]
    assert [line[:2] for line in told[-2:]] == ["1.", "2."]
    assert "Arts 4A and 12A(2)(a) UK GDPR" in told[-2]


def test_request_tells_of_all_its_cases_however_it_is_typed(logged):
    found = json.loads(explained("--json", logged.reference.lower().replace("-", " ")))

    assert [(case["reference"], case["due_on"]) for case in found] == [
        (f"{logged.reference}/A", "2026-10-01"),
        (f"{logged.reference}/E", "2026-10-01"),
    ]


@pytest.mark.parametrize("what", ["2345-6782", "K7QF-2M9X", "nonsense"])
def test_what_is_not_there_is_wrong_usage(logged, what):
    with pytest.raises(CommandError) as refused:
        explained(what)

    assert refused.value.returncode == 2


def test_right_that_was_not_used_is_wrong_usage(logged):
    with pytest.raises(CommandError) as refused:
        explained(f"{logged.reference}/R")

    assert refused.value.returncode == 2
