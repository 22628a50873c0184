"""Pages as rows: sealed, once each, and seen again when they changed."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cases.collection import runs, store
from cases.connectors.base import Link, LinkKind, Record
from cases.law.loader import others_code
from cases.models import Item, SourceSearch
from cases.words import Right
from dsar.lib.tenancy import serve
from tests.factories.cases import SourceFactory, one_case
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db

FETCHED = datetime(2026, 11, 21, 12, tzinfo=UTC)
LINK = Link(LinkKind.REFERENCE, ("notes.person_id = people.id",), {"person_id": 1})


def search(right: Right = Right.ACCESS) -> SourceSearch:
    serve([])
    controller = ControllerFactory.create()
    serve([controller.pk])
    SourceFactory.create(controller=controller)
    run = runs.start(one_case(controller, right), None, timezone.now())
    return again(run.searches.get())


def again(found: SourceSearch) -> SourceSearch:
    return SourceSearch.objects.select_related("run__case", "source").get(pk=found.pk)


def record(number: int = 1, **changes: Any) -> Record:
    data = changes.pop("data", {"id": number, "text": "Grete “Müller” pays\nby card \\ cheque.", "rate": 1.5})
    return replace(Record(f"notes/{number}", "notes", LINK, data, FETCHED, {}), **changes)


def keep(found: SourceSearch, records: list[Record], first_number: int) -> int:
    """Seal and store as one page; returns how many records it held."""
    page = store.Form.of(found.run.case).seal(records, first_number)
    page.store(found)
    return len(page.rows)


def items() -> list[Item]:
    return list(Item.objects.select_related("case").order_by("number"))


def column(name: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM cases_item")
        return bytes(cursor.fetchone()[0])


def test_record_opens_as_it_was_found():
    found = search()

    stored = keep(found, [record()], 7)

    (item,) = items()
    assert stored == 1
    assert item.content == {
        "ref": "notes/1",
        "data": {"id": 1, "text": "Grete “Müller” pays\nby card \\ cheque.", "rate": 1.5},
        "via": ["notes.person_id = people.id"],
        "link": "reference",
        "fetched_at": "2026-11-21T12:00:00+00:00",
    }
    assert (item.collection, item.number, item.decision, item.redactions, item.search_id) == (
        "notes",
        7,
        "undecided",
        None,
        found.pk,
    )


def test_values_that_json_has_not_become_what_it_has():
    keep(search(), [record(data={"at": FETCHED, "inner": LINK.keys, "none": None})], 0)

    (item,) = items()
    assert item.content["data"] == {
        "at": "2026-11-21T12:00:00+00:00",
        "inner": {"person_id": 1},
        "none": None,
    }


def test_columns_hold_no_plain_text():
    keep(search(), [record(third_party_fields=("text",))], 0)

    stored = b"".join(column(name) for name in ("content", "ref_hash", "content_hash", "redactions"))

    words = (b"Grete", "Müller".encode(), b"notes", b"text", b"reference")
    assert [word in stored for word in words] == [False] * 5


def test_record_that_a_page_holds_twice_is_stored_once():
    stored = keep(search(), [record(1), record(2), record(1)], 0)

    assert (stored, [item.content["ref"] for item in items()]) == (2, ["notes/1", "notes/2"])


def test_empty_page_stores_nothing():
    assert (keep(search(), [], 0), items()) == (0, [])


def test_same_reference_in_another_collection_is_another_record():
    keep(search(), [record(), record(type="letters")], 0)

    assert [item.collection for item in items()] == ["notes", "letters"]


AGENT = {"third_party_fields": ("agent",)}
REDACTED = {"fields": [{"field": "agent", "code": others_code("UK-ENG")}], "passages": []}


@pytest.mark.parametrize(
    ("right", "changes", "decision", "exemption", "redactions"),
    [
        (Right.ACCESS, {"third_party": True}, "withhold", others_code("UK-ENG"), None),
        (Right.ACCESS, AGENT, "redact", "", REDACTED),
        (Right.ERASURE, AGENT, "undecided", "", None),
        (Right.ACCESS, {}, "undecided", "", None),
    ],
)
def test_first_decision_follows_from_whom_a_record_is_about(right, changes, decision, exemption, redactions):
    keep(search(right), [record(**changes)], 0)

    (item,) = items()
    assert (item.decision, item.exemption, item.redactions) == (decision, exemption, redactions)


def test_record_found_again_keeps_its_decision_and_takes_its_new_place():
    first = search()
    keep(first, [record(1), record(2)], 0)
    Item.objects.update(decision="disclose")
    before = [(item.pk, item.content) for item in items()]
    second = runs.start(first.run.case, None, timezone.now()).searches.get()

    stored = keep(again(second), [record(1), record(2)], 5)

    assert stored == 2
    assert [(item.pk, item.content) for item in items()] == before
    assert [(item.number, item.search_id, item.decision) for item in items()] == [
        (5, second.pk, "disclose"),
        (6, second.pk, "disclose"),
    ]


def test_record_that_changed_is_stored_anew_with_its_first_redactions():
    """Decided to go out, then found with another text: the field about somebody else is redacted again."""
    found = search()
    keep(found, [record(1, **AGENT), record(2, **AGENT)], 0)
    Item.objects.update(decision="disclose", redactions=None)

    keep(found, [record(1, data={"text": "Other."}, **AGENT), record(2, **AGENT)], 0)

    assert [(item.content["data"].get("text"), item.decision, item.redactions) for item in items()] == [
        ("Other.", "redact", REDACTED),
        (record(2).data["text"], "disclose", None),
    ]
