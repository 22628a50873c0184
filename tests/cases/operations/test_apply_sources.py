"""What a file states of sources: order, countries, credentials for erasing; not how a source stands."""

import json
from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from cases.models import SourceSystem
from dsar.audit.models import AuditEvent
from dsar.lib.tenancy import unit_of_work
from identity.access import all_controllers
from tests.cases.desk_cases import RECORDS

pytestmark = pytest.mark.django_db

DESK = """
controllers:
  - slug: acme
    name: Acme
    legal_name: Acme Trading Limited
    privacy_email: privacy@acme.example
    regime: UK-ENG
    sources:
      - slug: crm
        name: CRM
        connector: demo
        options: {records: 'RECORDS'}
        secrets: {token: {env: CRM_TOKEN}}
        erasing_secrets: {token: {env: CRM_ERASER}}
        credentials_expire_on: 2027-03-01
        country: Norway
        safeguard: Adequacy decision
        may_list_whole: true
      - slug: calls
        name: Calls
        connector: demo
        options: {records: 'RECORDS'}
        erase_after: [crm]
""".replace("RECORDS", json.dumps(RECORDS).replace("'", ""))


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", "reads-4711")
    monkeypatch.setenv("CRM_ERASER", "erases-4712")


@pytest.fixture
def everything() -> Any:
    return lambda: unit_of_work(all_controllers())


def test_sources_are_as_the_file_says_and_twice_is_once(apply_text, everything):
    first = apply_text(DESK)
    again = apply_text(DESK)

    with everything():
        crm, calls = SourceSystem.objects.get(slug="crm"), SourceSystem.objects.get(slug="calls")
        assert (crm.country, crm.safeguard, crm.may_list_whole) == ("Norway", "Adequacy decision", True)
        assert (crm.secrets, crm.erasing_secrets) == ({"token": "reads-4711"}, {"token": "erases-4712"})
        assert (crm.credentials_expire_on, calls.erase_after) == (date(2027, 3, 1), ["crm"])
    assert (first["code"], {each["what"] for each in again["changes"]}) == (0, {"unchanged"})


def test_secrets_stand_neither_in_the_report_nor_in_the_trail(apply_text, everything):
    report = apply_text(DESK)

    with everything():
        trail = json.dumps([event.data for event in AuditEvent.objects.all()])
    for secret in ("reads-4711", "erases-4712"):
        assert (secret in json.dumps(report), secret in trail) == (False, False)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("erase_after: [crm]", "erase_after: [crn]", "Did you mean “crm”?"),
        ("country: Norway", "erase_after: [calls]", "each have to come first"),
        ("erase_after: [crm]", "erase_after: [calls]", "each have to come first"),
        ("2027-03-01", "soon", "credentials_expire_on"),
    ],
)
def test_wrong_order_or_date_is_refused_with_its_place(apply_text, everything, old, new, said):
    report = apply_text(DESK.replace(old, new))

    assert (report["code"], said in json.dumps(report, ensure_ascii=False)) == (1, True)
    with everything():
        assert SourceSystem.objects.count() == 0


def test_file_leaves_alone_how_a_source_stands(apply_text, everything):
    apply_text(DESK)
    with everything():
        SourceSystem.objects.filter(slug="crm").update(paused_at=timezone.now(), failures=3)

    apply_text(DESK.replace("Norway", "Iceland"))

    with everything():
        crm = SourceSystem.objects.get(slug="crm")
        assert (crm.country, crm.paused_at is None, crm.failures) == ("Iceland", False, 3)


def test_other_credentials_end_what_stood_against_the_account(apply_text, everything, monkeypatch):
    apply_text(DESK)
    with everything():
        SourceSystem.objects.filter(slug="crm").update(needs_admin_at=timezone.now())
    monkeypatch.setenv("CRM_TOKEN", "reads-4713")

    apply_text(DESK)

    with everything():
        assert SourceSystem.objects.get(slug="crm").needs_admin_at is None
