"""A drill that would change a source: planned and tried by reading alone, and carried out on test systems alone."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cases.correspondence.outbox import mails
from cases.models import Case, Letter, SourceSystem
from cases.operations.apply import hashes_of
from cases.words import Outcome, State
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from tests.cases.chinook import LUIS, keep_invoices, make_shop, needs_chinook
from tests.cases.connectors.sql.conftest import database, make_source
from tests.cases.fulfilment.whole import changes, everything
from tests.factories.identity import ControllerFactory

__all__ = ["database", "make_source"]

pytestmark = [pytest.mark.django_db, needs_chinook]


@pytest.fixture
def brand(serve: Any) -> Any:
    return ControllerFactory.create(slug="chinook")


@pytest.fixture
def drill(tmp_path: Any) -> Any:
    """Run the command in this process; gives its report, or its text without --json."""

    def run(right: str, *more: str, as_json: bool = True) -> Any:
        out = StringIO()
        flags = [
            "--controller",
            "chinook",
            "--right",
            right,
            "--email",
            LUIS.email,
            "--out",
            str(tmp_path / "out"),
        ]
        call_command("drill", *flags, "--in-process", *(["--json"] if as_json else []), *more, stdout=out)
        return json.loads(out.getvalue()) if as_json else out.getvalue()

    return run


def counts(report: Any) -> dict[str, int]:
    """How many records of each type are treated how."""
    found: dict[str, int] = {}
    for line in report["changes"]["lines"]:
        place = f"{line['collection']} {line['treatment']}"
        found[place] = found.get(place, 0) + line["count"]
    return found


def test_erasure_is_planned_and_nothing_is_written(brand, drill, make_source):
    shop = make_shop(brand, make_source, is_test=True)
    keep_invoices(shop)
    before = everything(shop.source)

    report = drill("erasure")

    told = report["changes"]
    assert changes(before, everything(shop.source)) == {}
    assert (told["is_executed"], told["receipts"], told["leftovers"]) == (False, {}, [])
    assert counts(report)["invoice keep"] == 3
    assert {line["source"] for line in told["lines"]} == {"shop"}
    assert (report["state"], report["outcome"], report["files"]) == (State.CLOSED, Outcome.WITHDRAWN, [])


def test_plan_for_a_listed_person_of_a_live_system_is_told(brand, drill, make_source):
    shop = make_shop(brand, make_source)
    SourceSystem.objects.update(test_persons=sorted(hashes_of(brand, timezone.now(), email=LUIS.email)))
    before = everything(shop.source)

    report = drill("erasure")

    assert counts(report) != {}
    assert changes(before, everything(shop.source)) == {}


def test_nothing_is_carried_out_for_a_listed_person_of_a_live_system(brand, drill, make_source):
    shop = make_shop(brand, make_source)
    SourceSystem.objects.update(test_persons=sorted(hashes_of(brand, timezone.now(), email=LUIS.email)))
    before = everything(shop.source)

    with pytest.raises(CommandError) as refused:
        drill("erasure", "--execute")

    event = AuditEvent.objects.get(action=Action.DRILL_REFUSED)
    assert (refused.value.returncode, event.data["code"]) == (3, "not_a_test_system")
    assert (changes(before, everything(shop.source)), Case.objects.count()) == ({}, 0)


def test_erasure_is_carried_out_as_planned_on_a_test_system(brand, drill, make_source, tmp_path):
    shop = make_shop(brand, make_source, is_test=True)
    keep_invoices(shop)
    planned = counts(drill("erasure"))
    before = everything(shop.source)

    report = drill("erasure", "--execute")

    told = report["changes"]
    done = changes(before, everything(shop.source))
    assert (report["state"], counts(report)) == (State.CLOSED, planned)
    assert (told["is_executed"], told["leftovers"]) == (True, [])
    assert sum(told["receipts"].values()) == told["receipts"].get("done", 0) + told["receipts"].get(
        "already", 0
    )
    assert len(done) == sum(count for place, count in planned.items() if not place.endswith("keep"))
    names = sorted(path.name.partition("-E-")[2] for path in (tmp_path / "out").iterdir())
    assert names == ["certificate.json", "certificate.pdf"]
    assert (Letter.objects.count(), mails()) == (0, [])


def test_rectification_is_planned_and_nothing_is_written(brand, drill, make_source):
    shop = make_shop(brand, make_source, is_test=True)
    before = everything(shop.source)

    report = drill("rectification", "--set", "city=Campinas", "--set", "email=nobody")

    assert counts(report)["customer correct"] == 1
    assert report["changes"]["unwritable"] == {"shop.customer.email": "email"}
    assert changes(before, everything(shop.source)) == {}


def test_rectification_is_carried_out_on_a_test_system(brand, drill, make_source):
    shop = make_shop(brand, make_source, is_test=True)
    before = everything(shop.source)

    said = drill("rectification", "--set", "city=Campinas", "--execute", as_json=False)

    done = changes(before, everything(shop.source))
    assert {place: values for place, values in done.items() if place.startswith("customer/")} == {
        "customer/1": {"city": "Campinas"}
    }
    assert ("carried out" in said, "receipts: done" in said) == (True, True)


def without_right_to_delete(shop):
    """An account that may not delete the lines of invoices, as the source says it in the dry run."""
    shop.source.administer(
        f'REVOKE DELETE ON "{shop.source.schema}".invoice_line FROM "{shop.source.eraser}"'
    )


def test_what_a_source_refuses_is_told_by_its_code(brand, drill, make_source):
    shop = make_shop(brand, make_source, is_test=True)
    without_right_to_delete(shop)
    before = everything(shop.source)

    told = drill("erasure")["changes"]

    assert {(one["collection"], one["obstacle"]) for one in told["refusals"]} >= {
        ("invoice_line", "permission")
    }
    assert changes(before, everything(shop.source)) == {}


@pytest.mark.parametrize(
    ("right", "more"),
    [
        ("rectification", ()),
        ("rectification", ("--set", "city")),
        ("erasure", ("--set", "city=Campinas")),
        ("access", ("--execute",)),
    ],
)
def test_wrong_usage_logs_nothing(right, more, brand, drill):
    with pytest.raises(CommandError) as refused:
        drill(right, *more)

    assert (refused.value.returncode, Case.objects.count()) == (2, 0)
