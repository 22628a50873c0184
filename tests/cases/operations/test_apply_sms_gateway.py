"""A gateway for text messages comes from the configuration file."""

import json
from typing import Any

import pytest

from identity.access import all_controllers
from identity.models import SmsGateway
from tests.factories.sms import options

pytestmark = pytest.mark.django_db


def file(**changes: Any) -> str:
    gateway = {
        "options": options("https://sms.example/v1/messages", allow_private=False),
        "secrets": {"token": {"env": "SMS_TOKEN"}},
    } | changes
    brand = {
        "slug": "acme",
        "name": "Acme",
        "legal_name": "Acme Ltd",
        "privacy_email": "privacy@acme.example",
        "regime": "UK-ENG",
        "sms_gateway": gateway,
    }
    return json.dumps({"controllers": [brand]})


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMS_TOKEN", "the-token")


def test_gateway_is_as_the_file_says_and_its_token_is_sealed(apply_text: Any, serve: Any) -> None:
    apply_text(file())

    serve(all_controllers())
    found = SmsGateway.objects.get()
    assert (found.about.url, found.token) == ("https://sms.example/v1/messages", "the-token")
    assert "the-token" not in json.dumps(found.options)


def test_twice_is_once(apply_text: Any) -> None:
    apply_text(file())

    report = apply_text(file())

    (change,) = [one for one in report["changes"] if one["kind"] == "sms gateway"]
    assert (change["what"], change["name"]) == ("unchanged", "of acme")


def test_what_is_wrong_is_told_with_its_place_and_nothing_is_changed(apply_text: Any) -> None:
    report = apply_text(file(options=options("https://sms.example", timeout_seconds=99)))

    places = [problem["place"] for problem in report["problems"]]
    assert (report["code"], SmsGateway.objects.count()) == (1, 0)
    assert places == ["controllers[0].sms_gateway.options.timeout_seconds"]


def test_a_token_in_the_open_is_refused(apply_text: Any) -> None:
    report = apply_text(file(secrets={"token": "in the open"}))

    assert (report["code"], SmsGateway.objects.count()) == (1, 0)
