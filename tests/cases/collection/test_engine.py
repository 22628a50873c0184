"""Searches of many pages: one is read while another is stored, and none is lost or stored twice."""

import json
import threading
from typing import Any

import pytest
from django.utils import timezone

from cases.collection import engine
from cases.connectors.base import Transient
from cases.connectors.demo.connector import DemoConnector
from cases.models import Item, SourceSearch
from cases.permissions import by_staff
from cases.workflow import identity
from dsar.jobs.models import Job
from dsar.lib.tenancy import serve
from identity.models import Level
from identity.roles import Role
from tests.factories.cases import SourceFactory, log, run_jobs
from tests.factories.identity import ControllerFactory, staff

pytestmark = pytest.mark.django_db

NOTES = 6
RECORDS = {
    "people": [{"id": 1, "email": "ada@example.com", "name": "Ada Example", "phone_number": ""}],
    "notes": [
        {"id": number, "person_id": 1, "agent": "Carla Agent", "text": f"Note {number}."}
        for number in range(2, 2 + NOTES)
    ],
}
REFS = ["people/1", *(f"notes/{number}" for number in range(2, 2 + NOTES))]


@pytest.fixture
def searching() -> SourceSearch:
    """A search of four pages that waits for a worker."""
    serve([])
    brand = ControllerFactory.create()
    SourceFactory.create(controller=brand, options={"records": json.dumps(RECORDS), "page_size": 2})
    case = log(brand).cases.get()
    handler = by_staff(staff(Role.HANDLER, brand))
    identity.record_evidence(case, Level.SUBSTANTIAL, "passport", "Passport seen.", handler, timezone.now())
    return SourceSearch.objects.get(run__case=case)


def found() -> list[tuple[int, str]]:
    items = Item.objects.select_related("case").order_by("number")
    return [(item.number, item.content["ref"]) for item in items]


def test_pages_are_stored_in_their_order(searching: SourceSearch) -> None:
    run_jobs()

    searching.refresh_from_db()
    assert found() == list(enumerate(REFS))
    assert (searching.state, searching.found, searching.expected, searching.cursor) == ("done", 7, 7, None)


def test_page_after_the_first_is_read_beside_the_storing(searching: SourceSearch, monkeypatch: Any) -> None:
    threads = []
    collect = DemoConnector.collect

    def noted(self: Any, matches: Any, cursor: Any) -> Any:
        threads.append(threading.current_thread() is threading.main_thread())
        return collect(self, matches, cursor)

    monkeypatch.setattr(DemoConnector, "collect", noted)
    run_jobs()

    assert threads == [True, False, False, False]
    assert not [one for one in threading.enumerate() if one.name.startswith("read-ahead")]


def test_source_that_breaks_off_keeps_what_it_gave_and_goes_on_there(
    searching: SourceSearch, monkeypatch: Any
) -> None:
    collect, asked = DemoConnector.collect, []

    def breaking(self: Any, matches: Any, cursor: Any) -> Any:
        asked.append(cursor and cursor.seen)
        if len(asked) == 3:
            raise Transient
        return collect(self, matches, cursor)

    monkeypatch.setattr(DemoConnector, "collect", breaking)
    run_jobs()
    searching.refresh_from_db()
    broken_off = (searching.state, searching.found, searching.cursor["seen"], found())
    Job.objects.filter(kind="search_source").update(not_before=timezone.now())
    run_jobs()

    searching.refresh_from_db()
    assert broken_off == ("running", 4, 4, list(enumerate(REFS[:4])))
    assert asked == [None, 2, 4, 4, 6]
    assert (searching.state, searching.found, found()) == ("done", 7, list(enumerate(REFS)))


def test_search_that_died_after_its_last_page_counts_nothing_twice(
    searching: SourceSearch, monkeypatch: Any
) -> None:
    class Died(Exception):
        pass

    def dies(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as first:
        first.setattr(engine, "_end", dies)
        run_jobs()
    Job.objects.filter(kind="search_source").update(not_before=timezone.now())
    run_jobs()

    searching.refresh_from_db()
    assert (searching.state, searching.found, found()) == ("done", 7, list(enumerate(REFS)))
