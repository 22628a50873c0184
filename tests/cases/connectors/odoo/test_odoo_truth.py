"""The collection for a person finds all that SQL on Odoo's own database shows to be about them, and nothing else."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from cases.connectors.base import EMAIL, Confidence, Identifier, Match, Record
from cases.connectors.odoo.connector import OdooConnector
from tests.cases.connectors.odoo.real import SEEDED, Odoo, Place
from tests.cases.connectors.odoo.truth import Truth


def exact(connector: OdooConnector, email: str) -> list[Match]:
    found = connector.find([Identifier(EMAIL, email, verified=True)])
    return [match for match in found if match.confidence is Confidence.EXACT]


def collected(place: Place, email: str, page_size: int = 100) -> list[Record]:
    connector = place.connect(page_size=page_size)
    matches, records = exact(connector, email), list[Record]()
    page = connector.collect(matches, None)
    records += page.records
    while page.next:
        page = connector.collect(matches, page.next)
        records += page.records
    assert len(records) == page.expected_total
    connector.close()
    return records


def places(records: list[Record]) -> set[tuple[str, int]]:
    return {(record.type, int(record.ref.rpartition("/")[2])) for record in records}


@pytest.fixture
def seeded(odoo: Odoo) -> str:
    if not odoo.found("res.partner", ["email", "=ilike", SEEDED]):
        pytest.skip("NOT TESTED on the seeded subject: this Odoo has not been seeded.")
    return SEEDED


def test_collection_is_what_the_database_shows(
    place: Place, seeded: str, database: psycopg.Connection[Any]
) -> None:
    records = collected(place, seeded)

    truth = Truth(database, seeded).records()
    assert len(truth) > 235  # what the seed made by itself, beside what Odoo adds to it
    assert sorted(places(records) - truth) == []
    assert sorted(truth - places(records)) == []
    assert len({record.ref for record in records}) == len(records)
