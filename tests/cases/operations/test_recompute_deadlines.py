"""The cached dates are proved and repaired from the facts."""

import json
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cases.models import Case
from tests.factories.cases import one_case
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(serve: Any) -> Case:
    return one_case(ControllerFactory.create(slug="acme"))


def recompute(*flags: str) -> tuple[int, dict[str, int]]:
    out, code = StringIO(), 0
    try:
        call_command("recompute_deadlines", "--json", *flags, stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    found = json.loads(out.getvalue())
    assert found.pop("resumed_after") == 0
    return code, found


def test_recompute_leaves_right_dates_alone(case):
    assert recompute() == (0, {"moved": 0, "examined": 1})


def test_recompute_repairs_a_wrong_date(case):
    right = case.due_on
    Case.objects.filter(pk=case.pk).update(due_on=date(2020, 1, 1))

    assert recompute("--controller", "acme") == (0, {"moved": 1, "examined": 1})

    case.refresh_from_db()
    assert case.due_on == right


def test_recompute_check_tells_a_wrong_date_and_leaves_it(case):
    Case.objects.filter(pk=case.pk).update(due_on=date(2020, 1, 1))

    assert recompute("--check") == (1, {"differ": 1, "examined": 1})

    case.refresh_from_db()
    assert case.due_on == date(2020, 1, 1)


def test_recompute_passes_over_other_controllers(case):
    ControllerFactory.create(slug="other")
    Case.objects.filter(pk=case.pk).update(due_on=date(2020, 1, 1))

    assert recompute("--controller", "other") == (0, {"moved": 0, "examined": 0})


def test_recompute_of_an_unknown_controller_is_wrong_usage(case):
    with pytest.raises(CommandError) as refused:
        recompute("--controller", "nobody")

    assert refused.value.returncode == 2
