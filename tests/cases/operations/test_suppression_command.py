"""The list from the command line: addresses come from files and go nowhere else."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cases.models import SuppressionEntry
from cases.workflow import suppression
from dsar.audit.models import AuditEvent
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def brand(serve):
    return ControllerFactory.create(slug="northwind")


def run(*args):
    out = io.StringIO()
    call_command("suppression", *args, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_what_was_added_is_found_and_what_was_removed_is_not(brand, tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("email,name\nada@example.com,Ada\n020 7946 0000,\nnonsense@,\n", encoding="utf-8")

    added = run("add", "--controller", "northwind", str(file))
    said = run("check", "--controller", "northwind", str(file))
    removed = run("remove", "--controller", "northwind", str(file))

    assert (added, removed, SuppressionEntry.objects.count()) == ("2 added.\n", "2 removed.\n", 0)
    assert said == "value,suppressed\nada@example.com,yes\n020 7946 0000,yes\nnonsense@,unreadable\n"


def test_input_serves_as_a_file(brand, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("bob@example.com\n"))

    said = run("check", "--controller", "northwind")

    assert said == "value,suppressed\nbob@example.com,no\n"


def test_export_and_trail_hold_no_address(brand, tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("ada@example.com\n", encoding="utf-8")
    run("add", "--controller", "northwind", str(file))

    said = run("export", "--controller", "northwind")

    told = [*AuditEvent.objects.values_list("data", flat=True)]
    # Not "ada" alone: three letters that a hash may spell by chance.
    assert (said.count("\n"), "ada@" in said, "ada@" in str(told)) == (2, False, False)


def test_token_is_shown_once_and_revoked_by_name(brand):
    value = run("make-token", "--controller", "northwind", "CRM").strip()
    before = suppression.find_token(value, timezone.now())

    run("revoke-token", "--controller", "northwind", "CRM")

    assert (before is not None, suppression.find_token(value, timezone.now())) == (True, None)


def test_unknown_brand_and_unreadable_file_are_told(brand):
    with pytest.raises(CommandError, match="no controller"):
        run("check", "--controller", "elsewhere")
    with pytest.raises(CommandError, match="FileNotFoundError"):
        run("check", "--controller", "northwind", "missing.csv")
