"""The collection for a person finds all that SQL on Odoo's own database shows to be about them, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from cases.collection.proof import Proof, Trusted
from cases.connectors.base import EMAIL, PHONE, Confidence, ConfigurationError, Identifier, Match, Record
from cases.connectors.demo_crm.system.server import running
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


def test_engine_finds_every_record_proved(place: Place, seeded: str) -> None:
    """By what the records themselves hold: the connector's word is not taken for it."""
    connector = place.connect()
    records = collected(place, seeded)
    proof = Proof(
        Trusted.of([Identifier(EMAIL, seeded, verified=True)], "SE"), connector.capabilities().types
    )

    proved, doubts = proof.sort(records)

    connector.close()
    assert [(record.ref, record.link.via, why) for record, why in doubts] == []
    assert len(proved) == len(records)


def test_engine_sets_strangers_aside_when_the_filter_was_passed_over(
    place: Place, seeded: str, odoo: Odoo
) -> None:
    """The same records, judged for somebody else, prove nothing but that they are not theirs."""
    connector = place.connect()
    records = collected(place, seeded)
    nobody = [Identifier(EMAIL, "nobody@subject.example", verified=True)]
    proof = Proof(Trusted.of(nobody, "SE"), connector.capabilities().types)

    proved, doubts = proof.sort(records)

    connector.close()
    assert list(proved) == []
    assert len(doubts) == len(records)


@pytest.fixture
def family(odoo: Odoo) -> Iterator[dict[str, Any]]:
    """A person with people round them who are somebody else, and whose records hang close by."""
    mark = uuid4().hex[:10]
    email = f"eva.{mark}@family.example"
    made: list[tuple[str, int]] = []

    def make(model: str, **values: Any) -> int:
        number = odoo.create(model, **values)
        made.append((model, number))
        return number

    firm = make("res.partner", name=f"Firm {mark}", is_company=True)
    eva = make("res.partner", name=f"Eva {mark}", email=email, parent_id=firm)
    colleague = make(
        "res.partner", name=f"Colleague {mark}", email=f"col.{mark}@family.example", parent_id=firm
    )
    spouse = make(
        "res.partner",
        name=f"Spouse {mark}",
        email=f"spouse.{mark}@family.example",
        parent_id=eva,
        type="contact",
    )
    other = make("res.partner", name=f"Alike {mark}", email=f"x{email}")
    lead = make("crm.lead", name=f"Lead of Eva {mark}", partner_id=eva)
    make("crm.lead", name=f"Lead of colleague {mark}", partner_id=colleague)
    make("crm.lead", name=f"Lead by alike {mark}", email_from=f"x{email}")
    odoo("crm.lead", "message_subscribe", ids=[lead], partner_ids=[colleague, spouse])
    odoo("crm.lead", "message_post", ids=[lead], body=f"On Eva's lead {mark}", message_type="comment")
    odoo(
        "res.partner", "message_post", ids=[colleague], body=f"Eva wrote from {email}", message_type="comment"
    )
    odoo("res.partner", "message_post", ids=[other], body=f"x{email} is not Eva", message_type="comment")
    yield {"email": email, "eva": eva, "lead": lead, "others": {firm, colleague, spouse, other}, "mark": mark}
    for model, number in reversed(made):
        odoo.remove(model, [number])


def test_collection_takes_nobody_round_the_person(
    place: Place, family: dict[str, Any], database: psycopg.Connection[Any]
) -> None:
    records = collected(place, family["email"])

    found = places(records)
    assert sorted(found - Truth(database, family["email"]).records()) == []
    assert sorted(Truth(database, family["email"]).records() - found) == []
    assert {one for model, one in found if model == "res.partner"} == {family["eva"]}
    assert {one for model, one in found if model == "crm.lead"} == {family["lead"]}
    # The followers of her lead are other people, and following is their record.
    assert [model for model, _ in found if model == "mail.followers"] == []


def test_message_of_somebody_else_that_names_the_address_is_a_mention(
    place: Place, family: dict[str, Any]
) -> None:
    connector = place.connect()

    matches = connector.find([Identifier(EMAIL, family["email"])])

    connector.close()
    mentions = [match for match in matches if match.confidence is Confidence.MENTION]
    assert [match.type for match in mentions] == ["mail.message"]


def test_company_that_bears_the_address_is_left_to_a_person(place: Place, odoo: Odoo) -> None:
    email = f"info.{uuid4().hex[:10]}@firm.example"
    firm = odoo.create("res.partner", name="Firm", email=email, is_company=True)
    connector = place.connect()

    matches = connector.find([Identifier(EMAIL, email)])

    connector.close()
    odoo.remove("res.partner", [firm])
    assert [(match.ref, match.confidence) for match in matches] == [
        (f"res.partner/{firm}", Confidence.PROBABLE)
    ]


def test_number_without_country_code_is_left_to_a_person(place: Place, odoo: Odoo) -> None:
    number = str(uuid4().int)[:8]
    abroad = odoo.create("res.partner", name="Abroad", phone=f"+46 7{number}")
    home = odoo.create("res.partner", name="Home", phone=f"07{number}")
    connector = place.connect()

    matches = connector.find([Identifier(PHONE, f"0046-7{number}")])

    connector.close()
    odoo.remove("res.partner", [abroad, home])
    assert [(match.ref, match.confidence) for match in matches] == [
        (f"res.partner/{abroad}", Confidence.EXACT),
        (f"res.partner/{home}", Confidence.PROBABLE),
    ]


def test_check_names_account_and_version(place: Place) -> None:
    connector = place.connect()

    check = connector.check()

    connector.close()
    assert check.server.startswith("Odoo 19")
    assert check.account
    assert check.warnings == (
        "The account may delete contacts: for searching, one that may only read is enough and safer.",
    )


def test_system_that_is_no_odoo_is_a_matter_of_settings() -> None:
    with running() as other:
        connector = OdooConnector.create(Place(other.url, "key").setup())

        with pytest.raises(ConfigurationError):
            connector.check()

        connector.close()
