"""What is due is shown, and done when that is asked for."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cases.models import Case, RetentionPolicy
from cases.retention.chosen import periods_of
from cases.retention.rules import CASE_FILE, COLLECTED
from cases.words import State
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.lib.tenancy import unit_of_work
from identity.access import all_controllers
from identity.models import Controller
from tests.cases.operations.conftest import Apply
from tests.factories.cases import in_state, one_case
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db

DESK = """
controllers:
  - slug: acme
    name: Acme
    legal_name: Acme Trading Limited
    privacy_email: privacy@acme.example
    regime: UK-ENG
    retention:
      case_file: {keep: 6 years, because: "Limitation Act 1980, s. 2 and 5"}
      collected_data: {keep: 45 days, because: Our customers complain within a month.}
"""


def closed(controller: Controller, days: int) -> Case:
    """A case that was closed so many days ago."""
    case = in_state(one_case(controller), State.CLOSED)
    Case.objects.filter(pk=case.pk).update(closed_at=timezone.now() - timedelta(days=days))
    return case


def purge(*flags: str) -> tuple[int, dict[str, Any]]:
    out, code = StringIO(), 0
    try:
        call_command("purge", "--json", *flags, stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    told = {f"{one['controller']} {one['rule']}": one for one in json.loads(out.getvalue())["rules"]}
    return code, told


def test_purge_shows_what_is_due_and_changes_nothing(serve):
    acme = ControllerFactory.create(slug="acme")
    case = closed(acme, 100)
    events = AuditEvent.objects.count()

    code, told = purge()

    case.refresh_from_db()
    row = told["acme collected_data"]
    oldest = (timezone.now() - timedelta(days=100)).date().isoformat()
    assert (code, row["due"], row["oldest"], row["keep"]) == (0, 1, oldest, "90 days")
    assert told["acme case_file"]["due"] == 0
    assert case.collected_key.destroyed_at is None
    assert AuditEvent.objects.count() == events


def test_purge_does_what_is_due(serve):
    acme, other = ControllerFactory.create(slug="acme"), ControllerFactory.create(slug="other")
    case, kept = closed(acme, 100), closed(other, 100)

    code, told = purge("--do", "--controller", "acme")

    case.refresh_from_db()
    kept.refresh_from_db()
    assert (code, told["acme collected_data"]["due"]) == (0, 1)
    assert case.collected_key.destroyed_at is not None
    assert kept.collected_key.destroyed_at is None
    assert {name.partition(" ")[0] for name in told} == {"acme"}
    done = AuditEvent.objects.get(action=Action.KEY_DESTROYED)
    assert (done.case_id, done.data["rule"]) == (case.pk, "collected_data")


def test_purge_looks_ahead(serve):
    closed(ControllerFactory.create(slug="acme"), 10)
    day = (timezone.now() + timedelta(days=81)).date().isoformat()

    assert purge()[1]["acme collected_data"]["due"] == 0
    assert purge("--as-of", day)[1]["acme collected_data"]["due"] == 1


@pytest.mark.parametrize(
    "flags",
    [
        ["--controller", "nobody"],
        ["--as-of", "tomorrow"],
        ["--as-of", "2999-01-01", "--do"],
        ["--do", "--dry-run"],
    ],
)
def test_purge_refuses_wrong_usage(flags, serve):
    case = closed(ControllerFactory.create(slug="acme"), 100)

    with pytest.raises(CommandError) as refused:
        call_command("purge", *flags)

    case.refresh_from_db()
    assert refused.value.returncode in {1, 2}
    assert case.collected_key.destroyed_at is None


def test_text_names_rules_and_nobody(serve):
    closed(ControllerFactory.create(slug="acme"), 100)
    out = StringIO()

    call_command("purge", stdout=out)

    assert [" ".join(line.split()[:6]) for line in out.getvalue().splitlines()] == [
        "acme collected_data 90 days 1 due,"
    ]


def test_apply_gives_a_controller_its_own_periods(apply_text: Apply):
    first, again = apply_text(DESK), apply_text(DESK)

    with unit_of_work(all_controllers()):
        periods = periods_of(Controller.objects.get(slug="acme").pk)
        issued = RetentionPolicy.objects.get()
    assert (first["code"], again["code"]) == (0, 0)
    assert issued.version == 1
    assert (str(periods.of(CASE_FILE)), str(periods.of(COLLECTED))) == ("6 years", "45 days")
    assert periods.because(CASE_FILE) == "Limitation Act 1980, s. 2 and 5"


def test_apply_of_other_periods_is_a_new_version(apply_text: Apply):
    apply_text(DESK)

    apply_text(DESK.replace("6 years", "5 years"))

    with unit_of_work(all_controllers()):
        issued = [one.content["case_file"]["keep"] for one in RetentionPolicy.objects.order_by("version")]
    assert issued == ["6 years", "5 years"]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("6 years", "7 years", "case_file: it must be between 1 year and 6 years."),
        ("6 years", "soon", "case_file: “soon” is no period"),
        ("case_file", "trail", "there is no period “trail” to choose"),
        ('"Limitation Act 1980, s. 2 and 5"', '" "', "case_file: say why"),
    ],
)
def test_apply_refuses_periods_that_may_not_be_chosen(right, wrong, said, apply_text: Apply):
    report = apply_text(DESK.replace(right, wrong))

    assert report["code"] == 1
    assert [said in problem["message"] for problem in report["problems"]] == [True]
    with unit_of_work(all_controllers()):
        assert RetentionPolicy.objects.count() == 0
