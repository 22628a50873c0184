"""What a file states of those who receive data: reachable, fed by sources that exist, and secrets out of sight."""

import json
from typing import Any

import pytest

from cases.models import Recipient
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
    recipients:
      - slug: adverts
        name: Adverts GmbH
        route: api
        url: https://adverts.example/notices
        secrets: {signing_key: {env: ADVERTS_KEY}}
        fed_by: [crm]
        finds_by: [email, phone]
""".replace("RECORDS", json.dumps(RECORDS).replace("'", ""))


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVERTS_KEY", "shared-key")


def made() -> Recipient:
    return Recipient.objects.get(slug="adverts")


def test_recipient_is_made_once_and_its_key_stands_nowhere(apply_text: Any) -> None:
    first, second = apply_text(DESK), apply_text(DESK)

    with unit_of_work(all_controllers()):
        kept, told = (
            (made().secrets, made().fed_by),
            str(list(AuditEvent.objects.values_list("data", flat=True))),
        )
    said = [one["what"] for run in (first, second) for one in run["changes"] if one["kind"] == "recipient"]
    assert said == ["created", "unchanged"]
    assert kept == ({"signing_key": "shared-key"}, ["crm"])
    assert "shared-key" not in told + str(first) + str(second)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("fed_by: [shop]", "no source “shop”"),
        ("fed_by: [crm]\n        email: no-address", "email"),
        ("fed_by: [crm]\n        finds_by: []", "finds_by"),
    ],
)
def test_what_cannot_work_is_told_with_its_place(apply_text: Any, change: str, said: str) -> None:
    text = DESK.replace("fed_by: [crm]\n        finds_by: [email, phone]", change)

    answer = apply_text(text)

    with unit_of_work(all_controllers()):
        assert (said in str(answer), Recipient.objects.count()) == (True, 0)


def test_key_is_needed_for_a_call(apply_text: Any) -> None:
    answer = apply_text(DESK.replace("        secrets: {signing_key: {env: ADVERTS_KEY}}\n", ""))

    assert (answer["code"], "signing_key" in str(answer)) == (1, True)


def test_what_the_file_does_not_name_stays(apply_text: Any) -> None:
    apply_text(DESK)
    with unit_of_work(all_controllers()):
        Recipient.objects.update(remind_days=30)

    apply_text(DESK.replace("Adverts GmbH", "Adverts AG"))

    with unit_of_work(all_controllers()):
        assert (made().name, made().remind_days) == ("Adverts AG", 30)
