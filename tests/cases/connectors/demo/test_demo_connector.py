from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

import cases.connectors.demo
from cases.connectors.base import PHONE, ConfigurationError, Identifier, NoIdentifiers, Setup
from cases.connectors.conformance.kit import Aspect, ConnectorContract, NotClaimed, Trouble, World
from cases.connectors.registry import build

SAMPLE = Path(cases.connectors.demo.__file__).with_name("sample.json")


def sample(**changes: Any) -> str:
    records = json.loads(SAMPLE.read_text(encoding="utf-8"))
    return json.dumps(records | changes)


NO_SYSTEM = "The records stand in the options; there is no system that could do so."


class TestDemoConnector(ConnectorContract):
    connector = "demo"
    not_claimed: ClassVar[NotClaimed] = {
        **dict.fromkeys(Trouble, NO_SYSTEM),
        Aspect.ARCHIVE: "The records know no archive.",
        Aspect.CHANGE_WHILE_PAGING: "The records of a connection do not change.",
    }

    def setup_method(self) -> None:
        self.people = json.loads(sample(token="right-token"))
        self.people["people"][0]["score"] = 12
        self.people["people"].append({"id": 4, "email": "ada.example@shop.test", "name": "A. Second Entry"})

    def world(self) -> World:
        return World(
            subject="ada.example@shop.test",
            spellings=("ADA.EXAMPLE@SHOP.TEST", " Ada.Example@shop.test\n"),
            near_misses=("da.example@shop.test", "ada.example@shop", "ada_example@shop.test", "%"),
            phone="+44 20 7946 0001",
            phone_spellings=("0044 (20) 7946-0001", "442079460001"),
            duplicate_marks=("A. Second Entry",),
            stranger="bob@shop.test",
            stranger_marks=("bob@shop.test", "Moved to Leeds"),
            confidential=("right-token", "wrong-token", "ada.example@", "Parcel arrived", "Bob Sample"),
            records={"people": 2, "notes": 3},
            unknown_fields={"people": ("score",)},
        )

    def way_in(self, *, page_size: int = 1000, wrong_secret: bool = False) -> Setup:
        token = "wrong-token" if wrong_secret else "right-token"
        return Setup({"records": json.dumps(self.people), "page_size": page_size}, {"token": token})

    def fill(self, count: int, size: int) -> None:
        self.people["notes"] += [
            {"id": 100 + number, "person_id": 1, "agent": "Agent Kim", "text": "x" * size}
            for number in range(count)
        ]


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
