"""What is kept is what would be made; where something else would be, it is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cases.models import Case
from dsar.audit.models import AuditEvent
from dsar.lib.tenancy import served
from identity.models import Controller
from tests import worlds
from tests.factories.cases import SourceFactory, one_case, run_jobs
from tests.factories.identity import ControllerFactory
from tests.worlds import kept

pytestmark = pytest.mark.django_db
MADE: list[str] = []


@kept
def noted(word: str) -> str:
    """What a call did is seen in the list, which is not kept."""
    MADE.append(word)
    return word


@kept
def filed(word: str) -> str:
    (Path(settings.DATA_DIR) / "word").write_text(word)
    return word


def arrange() -> Case:
    controller = ControllerFactory.create()
    SourceFactory.create(controller=controller)
    case = one_case(controller)
    run_jobs()
    return case


def stands(case: Case) -> tuple[Any, ...]:
    """What a case's desk looks like, sealed fields read."""
    case.refresh_from_db()
    events = list(AuditEvent.objects.order_by("chain", "seq").values_list("action", "hash"))
    return (
        case.pk,
        case.state,
        case.subject_request.reference,
        case.subject_request.subject.name,
        events,
        served(),
    )


@contextmanager
def another_test() -> Iterator[None]:
    """What it writes is rolled back, and it begins as a test does."""
    worlds.begin(())
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_what_was_made_once_stands_in_the_next_test_as_if_it_were_made() -> None:
    with another_test():
        first = stands(arrange())

    with another_test():
        second = stands(arrange())

    assert second == first


def test_what_was_kept_is_as_it_was_whatever_a_test_did_to_it() -> None:
    with another_test():
        brand = ControllerFactory.create(name="Kept")
        Controller.objects.filter(pk=brand.pk).update(name="Changed")
        brand.name = "Changed"

    with another_test():
        again = ControllerFactory.create(name="Kept")
        names = again.name, Controller.objects.get(pk=again.pk).name

    assert (again.pk, *names) == (brand.pk, "Kept", "Kept")


def test_kept_files_are_there_again(settings: Any, tmp_path: Path) -> None:
    filed("left")
    settings.DATA_DIR = tmp_path
    worlds.begin(())

    filed("left")

    assert (tmp_path / "word").read_text() == "left"


def test_the_same_is_not_made_again() -> None:
    MADE.clear()

    noted("same")
    worlds.begin(())
    noted("same")

    assert MADE == ["same"]


def test_after_any_other_write_it_is_made() -> None:
    noted("written")
    MADE.clear()
    worlds.begin(())

    with connection.cursor() as cursor:
        cursor.execute("UPDATE identity_user SET full_name = full_name")
    noted("written")

    assert MADE == ["written"]


def test_under_another_setting_it_is_made(settings: Any) -> None:
    noted("set")
    MADE.clear()
    worlds.begin(())

    settings.SESSION_IDLE_SECONDS = 7
    noted("set")

    assert MADE == ["set"]


def test_where_queries_are_counted_it_is_made() -> None:
    noted("counted")
    MADE.clear()
    worlds.begin(())

    with CaptureQueriesContext(connection):
        noted("counted")

    assert MADE == ["counted"]


def test_where_a_test_changes_what_runs_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    MADE.clear()

    noted("patched")
    noted("patched")

    assert MADE == ["patched", "patched"]
