"""An external provider of identity checks comes from the configuration file."""

import json

import pytest

from identity.access import all_controllers
from identity.models import IdentityProvider
from identity.providers.external.simulator import description

pytestmark = pytest.mark.django_db


def file(**changes) -> str:
    provider = {
        "name": "Example ID",
        "options": description.options("https://id.example") | {"allow_private": False},
        "secrets": {
            "token": {"env": "ID_TOKEN"},
            "webhook_keys": [{"env": "ID_KEY"}, {"env": "ID_KEY_BEFORE"}],
        },
    } | changes
    brand = {
        "slug": "acme",
        "name": "Acme",
        "legal_name": "Acme Ltd",
        "privacy_email": "privacy@acme.example",
        "regime": "UK-ENG",
        "identity_provider": provider,
    }
    return json.dumps({"controllers": [brand]})


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ID_TOKEN", "ID_KEY", "ID_KEY_BEFORE"):
        monkeypatch.setenv(name, f"the-{name}")


def test_provider_is_as_the_file_says_and_its_secrets_are_sealed(apply_text, serve):
    apply_text(file())

    serve(all_controllers())
    found = IdentityProvider.objects.get()
    assert (found.name, found.token, found.signing_keys) == (
        "Example ID",
        "the-ID_TOKEN",
        ["the-ID_KEY", "the-ID_KEY_BEFORE"],
    )
    assert (found.wire.base_url, "the-ID" in json.dumps(found.options)) == ("https://id.example", False)


def test_twice_is_once(apply_text):
    apply_text(file())

    report = apply_text(file())

    (change,) = [one for one in report["changes"] if one["kind"] == "identity provider"]
    assert (change["what"], change["name"]) == ("unchanged", "of acme")


def test_what_is_wrong_is_told_with_its_place_and_nothing_is_changed(apply_text):
    options = description.options("https://id.example") | {"holder": "sent", "outcomes": {"ok": "splendid"}}

    report = apply_text(file(options=options))

    places = [problem["place"] for problem in report["problems"]]
    assert (report["code"], IdentityProvider.objects.count()) == (1, 0)
    assert places == ["controllers[0].identity_provider.options.outcomes.ok"]


def test_a_secret_in_the_open_is_refused(apply_text):
    report = apply_text(file(secrets={"token": "in the open", "webhook_keys": ["in the open"]}))

    assert (report["code"], IdentityProvider.objects.count()) == (1, 0)
    assert "in the open" not in json.dumps(report)
