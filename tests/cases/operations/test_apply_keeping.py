"""What a file states of what stays though somebody asks for its erasure."""

import json
from typing import Any

import pytest

from cases.models import KeepingRule, SourceSystem
from dsar.audit.models import AuditEvent
from dsar.lib.tenancy import unit_of_work
from identity.access import all_controllers
from identity.models import Controller
from tests.cases.desk_cases import RECORDS

pytestmark = pytest.mark.django_db

DESK = """
controllers:
  - slug: acme
    name: Acme
    legal_name: Acme Trading Limited
    privacy_email: privacy@acme.example
    regime: UK-ENG
    grace_days: 3
    sources:
      - {slug: crm, name: CRM, connector: demo, options: {records: 'RECORDS'}, backup_days: 35}
    keeping:
      - slug: invoices
        source: crm
        collection: invoice
        parts: [invoice_line]
        date_field: issued_on
        keep_months: 72
        exception: LEGAL_OBLIGATION_OR_PUBLIC_TASK
        words: The tax law wants invoices kept for six years.
      - slug: profiles
        category: user.behavior
        treatment: anonymise
        strategies: {city: {constant: "-"}, born_on: {date: year}, email: keyed_hash, fax: null}
""".replace("RECORDS", json.dumps(RECORDS).replace("'", ""))


@pytest.fixture
def everything() -> Any:
    return lambda: unit_of_work(all_controllers())


def test_rules_grace_and_backups_are_as_the_file_says_and_twice_is_once(apply_text, everything):
    first = apply_text(DESK)
    again = apply_text(DESK)

    with everything():
        invoices, profiles = KeepingRule.objects.order_by("slug")
        assert (invoices.source.slug, invoices.collection, invoices.parts) == (
            "crm",
            "invoice",
            ["invoice_line"],
        )
        assert (invoices.date_field, invoices.keep_months, invoices.treatment) == ("issued_on", 72, "keep")
        assert (profiles.category, profiles.treatment) == ("user.behavior", "anonymise")
        assert profiles.strategies == {
            "city": {"constant": "-"}, "born_on": {"date": "year"}, "email": "keyed_hash", "fax": "null",
        }  # fmt: skip
        assert Controller.objects.get().grace_days == 3
        assert SourceSystem.objects.get().backup_days == 35
    rules = [(one["name"], one["what"]) for one in first["changes"] if one["kind"] == "keeping rule"]
    assert rules == [("acme/invoices", "created"), ("acme/profiles", "created")]
    assert {one["what"] for one in again["changes"]} == {"unchanged"}


def test_rule_that_the_file_names_no_more_ends_on_the_record(apply_text, everything):
    apply_text(DESK)

    report = apply_text(DESK[: DESK.index("      - slug: profiles")])

    with everything():
        assert [one.slug for one in KeepingRule.objects.all()] == ["invoices"]
        recorded = AuditEvent.objects.filter(action="configuration.applied", data__what="removed")
        assert [event.data["kind"] for event in recorded] == ["keeping rule"]
    assert [one["name"] for one in report["changes"] if one["what"] == "removed"] == ["acme/profiles"]


def test_file_without_rules_leaves_them(apply_text, everything):
    apply_text(DESK)

    apply_text(DESK[: DESK.index("    keeping:")])

    with everything():
        assert KeepingRule.objects.count() == 2


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("exception: LEGAL_OBLIGATON", "exception: LEGAL_OBLIGATION_OR_PUBLIC_TASK", "there is no exception"),
        ("category: user.behaviour", "category: user.behavior", "there is no data category"),
        ("source: cmr", "source: crm", "there is no source"),
        ("email: sha1", "email: keyed_hash", "use null, random"),
        ("keep_months: 72", "date_field: issued_on\n        keep_months: 72", "from which field"),
        ("words: T", "exception: LEGAL_OBLIGATION_OR_PUBLIC_TASK\n        words: T", "under which exception"),
    ],
)
def test_mistake_in_a_rule_is_told_with_its_place(apply_text, everything, wrong, right, said):
    report = apply_text(DESK.replace(right, wrong))

    assert (report["code"], said in json.dumps(report, ensure_ascii=False)) == (1, True)
    with everything():
        assert KeepingRule.objects.count() == 0
