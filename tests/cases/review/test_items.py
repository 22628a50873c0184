from itertools import product

import pytest

from cases.models import Item
from cases.review import items
from tests.factories.cases import SourceFactory, one_case
from tests.factories.identity import ControllerFactory


@pytest.fixture
def case(serve):
    """A case whose items stand in two sources and beside them, with numbers that repeat; some do not go out."""
    case = one_case(ControllerFactory.create())
    sources = [SourceFactory.create(controller=case.controller) for _ in range(2)]
    places = product([None, *sources], ["note", "order"], [1, 1, 2], ["disclose", "redact", "undecided"])
    for source, collection, number, decision in places:
        _add(case, source, collection, number, decision)
    return case


def _add(case, source, collection, number, decision, **fields):
    place = {"source": source, "collection": collection, "number": number}
    item = Item(controller_id=case.controller_id, case=case, decision=decision, **place, **fields)
    item.content = {"data": {}}
    item.ref_hash = item.content_hash = item.pk.bytes
    item.save()


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 36, 100])
def test_pages_hold_all_that_goes_out_once_in_order(case, monkeypatch, size):
    monkeypatch.setattr(items, "PAGE", size)
    chosen, columns = items.going_out(case), ("source_id", "collection", "number", "pk")

    pages = [items.page(chosen, columns, None)]
    while len(pages[-1]) == size:
        pages.append(items.page(chosen, columns, pages[-1][-1]))

    assert [row for page in pages for row in page] == list(chosen.values_list(*columns))
    assert chosen.count() == 36


def test_pages_of_one_collection_ask_once_each(case, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(items, "PAGE", 2)
    chosen, columns = items.going_out(case), ("source_id", "collection", "number", "pk")
    first = items.page(chosen, columns, None)

    with django_assert_num_queries(1):
        second = items.page(chosen, columns, first[-1])

    assert len(second) == 2


def test_counts_of_what_is_left_out_name_items_fields_and_passages(case, django_assert_num_queries):
    _add(case, None, "call", 1, "withhold", exemption="TP")
    _add(case, None, "call", 2, "withhold", exemption="TP", is_silent=True)
    _add(
        case,
        None,
        "call",
        3,
        "disclose",
        redactions={"fields": [{"field": "a", "code": "LPP"}], "passages": []},
    )
    for number in range(4, 7):
        passages = [
            {"field": "text", "start": start, "end": start + 1, "code": "LPP"} for start in range(number)
        ]
        marks = {"fields": [{"field": "agent", "code": "TP"}], "passages": passages}
        _add(case, None, "call", number, "redact", redactions=marks)

    with django_assert_num_queries(3):  # whole items, the key, the marks
        counts = items.named_counts(case)

    assert counts == [("LPP", 4 + 5 + 6), ("TP", 1 + 3)]
