"""What the kit demands of a world: all that is neither shown nor disclaimed fails, and nothing runs for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from cases.connectors.base import OPEN_GATE, Connector, Cursor, Gate, Match, Page
from cases.connectors.conformance.kit import Aspect, Trouble
from cases.connectors.demo.connector import DemoConnector
from tests.cases.connectors.demo.test_demo_connector import TestDemoConnector as Demo

Claims = Mapping[Trouble | Aspect, str]


class NeverEnds(DemoConnector):
    """Gives the first page for ever."""

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        page = super().collect(matches, None)
        return replace(page, next=Cursor("people", 0))


def bench(claims: Claims | None = None, connector: type[DemoConnector] = DemoConnector) -> Demo:
    class Bench(Demo):
        not_claimed = Demo.not_claimed if claims is None else claims

        def connect(
            self, *, page_size: int = 1000, wrong_secret: bool = False, gate: Gate = OPEN_GATE
        ) -> Connector:
            return connector.create(self.way_in(page_size=page_size, wrong_secret=wrong_secret))

    made = Bench()
    made.setup_method()
    return made


@pytest.mark.parametrize(
    ("test", "arguments", "claim"),
    [
        ("test_01_finds_archived_records", (), Aspect.ARCHIVE),
        ("test_04_takes_nobody_when_the_source_passes_over_the_filter", (), Trouble.FILTER_IGNORED),
        ("test_05_keeps_what_stayed_when_records_change_meanwhile", (), Aspect.CHANGE_WHILE_PAGING),
        ("test_13_stops_when_the_key_is_revoked_and_goes_on_when_it_is_back", (), Trouble.KEY_REVOKED),
    ],
)
def test_what_is_neither_shown_nor_disclaimed_fails(
    test: str, arguments: tuple[Any, ...], claim: str
) -> None:
    silent, honest = bench({}), bench()

    with pytest.raises(pytest.fail.Exception, match=f"“{claim}” is neither shown nor named in not_claimed"):
        getattr(silent, test)(*arguments)
    with pytest.raises(pytest.skip.Exception, match="Not claimed: "):
        getattr(honest, test)(*arguments)


def test_claim_without_reason_fails() -> None:
    with pytest.raises(AssertionError):
        bench({Aspect.ARCHIVE: " "}).test_00_gives_a_reason_for_all_that_is_not_claimed()


def test_pages_that_never_end_fail() -> None:
    with pytest.raises(pytest.fail.Exception, match="do not come to an end"):
        bench(connector=NeverEnds).test_02_returns_every_record_once()
