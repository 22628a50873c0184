"""A real public sample database, found beside the project where it is present."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cases.connectors.base import Identifier
from tests.cases.connectors.sql.conftest import Source

CHINOOK = Path(__file__).parents[5] / "shared" / "data" / "chinook"


@pytest.mark.skipif(not CHINOOK.exists(), reason="the Chinook sample database is not beside the project")
def test_collect_finds_one_customer_and_nobody_else(make_source: Callable[[str], Source]) -> None:
    source = make_source((CHINOOK / "chinook.sql").read_text(encoding="utf-8"))
    connector = source.connect((CHINOOK / "dataset.yml").read_text(encoding="utf-8"))

    page = connector.collect(connector.find([Identifier("email", "LuisG@embraer.com.br")]), None)

    connector.close()
    assert Counter((record.type, record.third_party) for record in page.records) == {
        ("customer", False): 1,
        ("invoice", False): 7,
        ("invoice_line", False): 38,
        ("employee", True): 1,
    }
    assert {
        record.data["customer_id"] for record in page.records if record.type in {"customer", "invoice"}
    } == {1}
    invoices = {record.data["invoice_id"] for record in page.records if record.type == "invoice"}
    assert {record.data["invoice_id"] for record in page.records if record.type == "invoice_line"} == invoices
    assert (page.next, page.expected_total, page.warnings, dict(page.unknown_fields)) == (None, 47, (), {})
