from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import cases.connectors.demo
from cases.connectors.base import PHONE, ConfigurationError, Connector, Identifier, NoIdentifiers
from cases.connectors.registry import build
from tests.contracts.connector_contract import ConnectorContract, World

SAMPLE = Path(cases.connectors.demo.__file__).with_name("sample.json")


def sample(**changes: Any) -> str:
    records = json.loads(SAMPLE.read_text(encoding="utf-8"))
    return json.dumps(records | changes)


class TestDemoConnector(ConnectorContract):
    def world(self) -> World:
        return World(
            kind="email",
            subject="ada.example@shop.test",
            spellings=("ADA.EXAMPLE@SHOP.TEST", " Ada.Example@shop.test\n"),
            near_misses=("da.example@shop.test", "ada.example@shop", "ada_example@shop.test", "%"),
            stranger="bob@shop.test",
            stranger_marks=("bob@shop.test", "Moved to Leeds"),
            confidential=("right-token", "wrong-token", "ada.example@", "Parcel arrived", "Bob Sample"),
            records={"people": 1, "notes": 3},
            unknown_fields={"people": ("score",)},
        )

    def connect(self, *, page_size: int = 1000, wrong_secret: bool = False) -> Connector:
        records = json.loads(sample(token="right-token"))
        records["people"][1]["score"] = 12
        secrets = {"token": "wrong-token" if wrong_secret else "right-token"}
        return build("demo", {"records": json.dumps(records), "page_size": page_size}, secrets)


def test_find_matches_phone_by_digits() -> None:
    connector = build("demo", {"records": sample()}, {})

    matches = connector.find([Identifier("phone", "0044 (20) 7946-0001")])

    assert [(match.ref, match.matched_on) for match in matches] == [("people/1", (PHONE,))]


def test_find_refuses_phone_without_digits_beside_people_without_phone() -> None:
    connector = build("demo", {"records": sample()}, {})

    with pytest.raises(NoIdentifiers):
        connector.find([Identifier("phone", "ext.")])


def test_find_matches_accents_written_either_way() -> None:
    connector = build("demo", {"records": sample()}, {})

    matches = connector.find([Identifier("email", "ZOE\u0308@shop.test")])

    assert [match.ref for match in matches] == ["people/3"]


@pytest.mark.parametrize(
    ("records", "problem"),
    [
        ("{", "the records are not JSON (line 1)."),
        ("[]", "the records must hold “people” and “notes”, as in sample.json."),
        (
            '{"people": [{"id": "x"}], "notes": []}',
            "the records must hold “people” and “notes”, as in sample.json.",
        ),
    ],
)
def test_build_refuses_records_of_another_form(records: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build("demo", {"records": records}, {})

    assert caught.value.params == {"problem": problem}
