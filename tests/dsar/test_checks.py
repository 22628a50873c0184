"""Deploy checks: each fault is named by its number, and a sound site has none."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connections

from dsar import checks
from tests.conftest import admin_url, as_superuser
from tests.dsar.vault.masters import master_keys
from tests.factories.external import provider_for
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _sound(settings: Any) -> None:
    settings.MASTER_KEYS = master_keys(1)
    settings.SECRET_KEY = "a" * 60
    settings.DEBUG = settings.DEMO = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.CLAMD = ""
    settings.SMS_OUTBOX, settings.SMS_GATEWAY = False, ""


def found() -> list[str]:
    return sorted(
        str(message.id)
        for message in run_checks(tags=["security"], include_deployment_checks=True)
        if str(message.id).startswith("DSAR.")
    )


def test_sound_site_passes() -> None:
    assert found() == []


FAULTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no master keys": ({"MASTER_KEYS": ""}, ["DSAR.E001"]),
    "unreadable master keys": ({"MASTER_KEYS": "1:short"}, ["DSAR.E001"]),
    "default secret": ({"SECRET_KEY": "without-a-secret-nothing-is-signed"}, ["DSAR.E002"]),
    "debug": ({"DEBUG": True}, ["DSAR.E003"]),
    "outbox": ({"EMAIL_BACKEND": "cases.correspondence.outbox.EmailBackend"}, ["DSAR.E006"]),
    "unreadable address of the scanner": ({"CLAMD": "clamd"}, ["DSAR.E009"]),
    "scanner away": ({"CLAMD": "unix:/nowhere/clamd.ctl"}, ["DSAR.E010"]),
    "text messages stay": ({"SMS_OUTBOX": True}, ["DSAR.E013"]),
    "text messages stay in the demo": ({"SMS_OUTBOX": True, "DEMO": True}, []),
    "unreadable gateway": ({"SMS_GATEWAY": '{"url": "https://sms.example"}'}, ["DSAR.E014"]),
    "gateway that is no JSON": ({"SMS_GATEWAY": "https://sms.example"}, ["DSAR.E014"]),
    "outbox in the demo": ({"EMAIL_BACKEND": "cases.correspondence.outbox.EmailBackend", "DEMO": True}, []),
}


@pytest.mark.parametrize(("changes", "ids"), FAULTS.values(), ids=FAULTS.keys())
def test_fault_is_named(settings: Any, changes: dict[str, Any], ids: list[str]) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)

    assert found() == ids


def test_key_is_not_quoted(settings: Any) -> None:
    settings.MASTER_KEYS = "1:c2VjcmV0,2:c2VjcmV0"

    (message,) = checks.check_secrets(None)

    assert "c2VjcmV0" not in f"{message.msg} {message.hint}"


@pytest.fixture
def signed_in_as(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Let the checks find a connection of another role."""
    opened = []

    def use(url: str) -> None:
        from dsar.servers import database

        other = connections["default"].copy()
        other.settings_dict = {**other.settings_dict, **database(url)}
        opened.append(other)
        monkeypatch.setattr(checks, "connections", {"default": other})

    yield use
    for connection in opened:
        connection.close()


def name() -> str:
    return str(connections["default"].settings_dict["NAME"])


def test_superuser_is_refused(signed_in_as: Any) -> None:
    signed_in_as(admin_url(name()))

    assert [message.id for message in checks.check_database(None)] == ["DSAR.E004"]


def test_owner_is_refused(signed_in_as: Any) -> None:
    owner = connections["owner"].settings_dict
    signed_in_as(f"postgresql://{owner['USER']}:{owner['PASSWORD']}@/{name()}?host={owner['HOST']}")

    assert [message.id for message in checks.check_database(None)] == ["DSAR.E005"]


def test_silent_database_is_told(signed_in_as: Any) -> None:
    signed_in_as("postgresql://nobody@/nowhere?host=/nonexistent")

    assert [message.id for message in checks.check_database(None)] == ["DSAR.E008"]


def test_table_without_row_security_is_named() -> None:
    with as_superuser() as database:
        database.execute("ALTER TABLE cases_note DISABLE ROW LEVEL SECURITY")
        try:
            messages = checks.check_database(None)
        finally:
            database.execute("ALTER TABLE cases_note ENABLE ROW LEVEL SECURITY")

    assert [(message.id, message.msg) for message in messages] == [
        ("DSAR.E007", "Without row-level security: cases_note.")
    ]


@pytest.mark.parametrize(
    ("key", "changes", "ids"),
    [
        ("simulator-key", {}, ["DSAR.E012"]),
        ("a-real-key", {}, []),
        ("simulator-key", {"DEMO": True}, []),
    ],
)
def test_the_simulator_is_refused_in_earnest(
    serve: Any, settings: Any, key: str, changes: dict[str, Any], ids: list[str]
) -> None:
    provider_for(ControllerFactory.create(), "http://127.0.0.1:8090", keys=[key])
    for name, value in changes.items():
        setattr(settings, name, value)

    assert found() == ids


def test_keys_that_do_not_open_hide_no_other_provider(serve: Any) -> None:
    sealed = provider_for(ControllerFactory.create(), "http://127.0.0.1:8090", keys=["a-real-key"])
    with connections["default"].cursor() as cursor:
        table = sealed._meta.db_table
        cursor.execute(f"UPDATE {table} SET secrets = 'tampered with' WHERE id = %s", [sealed.pk])
    provider_for(ControllerFactory.create(), "http://127.0.0.1:8090", keys=["simulator-key"])

    assert found() == ["DSAR.E012"]
