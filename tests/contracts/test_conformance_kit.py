"""Single tests of the kit fail for a connector that breaks what they are named after."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from cases.connectors.base import (
    OPEN_GATE,
    AuthError,
    Connector,
    Cursor,
    Gate,
    Identifier,
    Link,
    LinkKind,
    Match,
    Page,
)
from cases.connectors.demo.connector import DemoConnector
from tests.cases.connectors.demo import test_demo_connector as demo


class IgnoresFilter(DemoConnector):
    """Finds everybody, as systems do that pass over a filter they do not know."""

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        matched = super().find(identifiers)
        others = [("people/2", 2), ("people/1", 1)]
        return matched or [
            Match(ref, "people", ("email",), selector={"id": i, "kinds": ["email"]}) for ref, i in others
        ]


class FindsByBeginning(DemoConnector):
    """Finds whoever begins alike."""

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        known = [
            Identifier(item.kind, "ada.example@shop.test")
            for item in identifiers
            if item.value.startswith("ada")
        ]
        return super().find(known or identifiers)


class MindsCase(DemoConnector):
    """Tells addresses apart by their case."""

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        return super().find(identifiers) if any(item.value.islower() for item in identifiers) else []


class TakesBlankForAnybody(DemoConnector):
    """Searches for nothing, and finds."""

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        filled = [item for item in identifiers if item.value.strip()]
        return super().find(filled) if filled else [Match("people/1", "people", ("email",))]


class SaysNothingForUnknownKind(DemoConnector):
    """Answers "no data" where it could not search."""

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        known = [item for item in identifiers if item.kind == "email"]
        return super().find(known) if known else []


class TakesStrangersNotes(DemoConnector):
    """Collects everybody's notes."""

    @staticmethod
    def _related(source: Mapping[str, Sequence[Any]], matches: Sequence[Match]) -> list[tuple[str, Any]]:
        mine = DemoConnector._related(source, matches)
        return [item for item in mine if item[0] == "people"] + [("notes", row) for row in source["notes"]]


class LosesLastOfPage(DemoConnector):
    """Skips a record wherever a page ends."""

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        page = super().collect(matches, cursor)
        return page if page.next is None else replace(page, records=page.records[:-1] or page.records[:0])


class RepeatsLastOfPage(DemoConnector):
    """Gives the last record of a page again."""

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        page = super().collect(matches, cursor)
        return replace(page, records=[*page.records, page.records[-1]])


class RemembersPlace(DemoConnector):
    """Keeps its place in memory, so that another process begins anew."""

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        place: Cursor | None = getattr(self, "_place", None)
        page = super().collect(matches, place)
        self._place = page.next
        return page


class CountsPage(DemoConnector):
    """Gives the length of the page for the total."""

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        page = super().collect(matches, cursor)
        return replace(page, expected_total=len(page.records))


class ProvesNothing(DemoConnector):
    """Leaves out why a record belongs to the person."""

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        page = super().collect(matches, cursor)
        unproven = [replace(record, link=Link(LinkKind.REFERENCE, (), {})) for record in page.records]
        return replace(page, records=unproven)


class PassesUnknownFields(DemoConnector):
    """Passes on whatever came."""

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        page = super().collect(matches, cursor)
        return replace(page, records=[replace(one, data={**one.data, "score": 1}) for one in page.records])


class HidesUnknownFields(DemoConnector):
    """Drops what it does not know without a word."""

    def _unknown_fields(self) -> dict[str, tuple[str, ...]]:
        return {}


class ShowsAddress(DemoConnector):
    """Writes what it searches for into the log, and itself into its repr."""

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        logging.getLogger("vendor").debug("searching %s", identifiers[0].value)
        return super().find(identifiers)

    def __repr__(self) -> str:
        return f"DemoConnector(token={self._token})"


class ShowsAddressInRef(DemoConnector):
    """Uses the address as reference."""

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        return [replace(match, ref=identifiers[0].value) for match in super().find(identifiers)]


class QuotesSecret(DemoConnector):
    """Hands on the vendor's own words."""

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        try:
            return super().find(identifiers)
        except AuthError as error:
            raise type(error) from ValueError(f"token {self._token} is wrong")


class ConfirmsEverything(DemoConnector):
    """Says yes when any of the addresses is on file."""

    def holds(self, identifiers: Sequence[Identifier]) -> Mapping[str, bool]:
        return {item.kind: True for item in identifiers if item.kind == "email"}


FAULTS: list[tuple[type[DemoConnector], str, tuple[Any, ...]]] = [
    (IgnoresFilter, "test_04_finds_nobody_for_near_misses", ()),
    (FindsByBeginning, "test_04_finds_nobody_for_near_misses", ()),
    (MindsCase, "test_01_finds_other_spellings", ()),
    (TakesBlankForAnybody, "test_00_refuses_empty_identifiers", (("  ",),)),
    (SaysNothingForUnknownKind, "test_00_refuses_unknown_kind_alone", ()),
    (TakesStrangersNotes, "test_04_leaves_out_other_people", ()),
    (TakesStrangersNotes, "test_02_returns_every_record_once", ()),
    (LosesLastOfPage, "test_03_goes_on_after_every_page", (2,)),
    (RepeatsLastOfPage, "test_02_returns_every_record_once", ()),
    (RemembersPlace, "test_03_repeats_page_for_same_cursor", ()),
    (CountsPage, "test_02_counts_what_it_will_return", ()),
    (ProvesNothing, "test_00_proves_link_of_each_record", ()),
    (PassesUnknownFields, "test_00_keeps_unknown_fields_apart_and_names_them", ()),
    (HidesUnknownFields, "test_00_keeps_unknown_fields_apart_and_names_them", ()),
    (HidesUnknownFields, "test_00_check_names_unknown_fields", ()),
    (ShowsAddress, "test_15_logs_show_nothing", ()),
    (ShowsAddress, "test_15_repr_shows_nothing", ()),
    (ShowsAddressInRef, "test_15_references_show_nothing", ()),
    (QuotesSecret, "test_15_refusal_of_a_wrong_secret_shows_nothing", ()),
    (ConfirmsEverything, "test_00_holds_answers_yes_or_no_for_kinds_it_knows", ()),
]


def contract_of(connector: type[DemoConnector]) -> demo.TestDemoConnector:
    """Return the kit on the demonstration records, tried on another class."""

    class Contract(demo.TestDemoConnector):
        def connect(
            self, *, page_size: int = 1000, wrong_secret: bool = False, gate: Gate = OPEN_GATE
        ) -> Connector:
            return connector.create(self.way_in(page_size=page_size, wrong_secret=wrong_secret))

    contract = Contract()
    contract.setup_method()
    return contract


def run(
    connector: type[DemoConnector], test: str, arguments: tuple[Any, ...], request: pytest.FixtureRequest
) -> None:
    method = getattr(contract_of(connector), test)
    captured = [name for name in inspect.signature(method).parameters if name in {"caplog", "capfd"}]
    method(*arguments, **{name: request.getfixturevalue(name) for name in captured})


@pytest.mark.parametrize(
    ("fault", "test", "arguments"), FAULTS, ids=[f"{fault.__name__}-{test}" for fault, test, _ in FAULTS]
)
def test_kit_catches_planted_fault(
    fault: type[DemoConnector], test: str, arguments: tuple[Any, ...], request: pytest.FixtureRequest
) -> None:
    run(DemoConnector, test, arguments, request)

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run(fault, test, arguments, request)
