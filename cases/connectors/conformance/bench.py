"""What an author gives and what the kit's tests share."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, NoReturn

import pytest

from cases.connectors import registry
from cases.connectors.base import (
    JSON,
    OPEN_GATE,
    Connector,
    Cursor,
    Gate,
    Identifier,
    Match,
    Page,
    Record,
    Setup,
)
from cases.connectors.conformance.world import MIB, Aspect, NotClaimed, Trouble, World


class Bench(ABC):
    """A source on the bench. An author gives the first block, and of the second what the source can do.

    Every test begins with the source as ``world`` describes it: make it so in ``setup_method`` (or a fixture of your
    own), and let go of it in ``teardown_method``.
    """

    # The key of an installed connector, or where its class is: "package.module:Class".
    connector: ClassVar[str]
    not_claimed: ClassVar[NotClaimed] = {}
    # By how many bytes a process may grow that reads 10,000 records of 4,000 letters, or a file of 32 MiB.
    memory_bound: ClassVar[int] = 32 * MIB

    @abstractmethod
    def world(self) -> World:
        """Describe the people of the source."""

    @abstractmethod
    def way_in(self, *, page_size: int = 1000, wrong_secret: bool = False) -> Setup:
        """Return options and secrets by which any process on this machine reaches the source.

        ``page_size`` is how many records a page is to have; ``wrong_secret`` asks for a secret that is not right.
        """

    # --- Hooks ---------------------------------------------------------------------------------------------------

    def misbehave(self, trouble: Trouble) -> None:
        """Make the source misbehave from now on."""
        self._not_said(trouble)

    def behave(self) -> None:  # noqa: B027 - most sources need nothing.
        """Make the source behave again."""

    def change_while_paging(self, taken: Sequence[Record]) -> None:
        """Remove the last record ``taken`` so far from the source, and add one that comes after all others."""
        self._not_said(Aspect.CHANGE_WHILE_PAGING)

    def fill(self, count: int, size: int) -> None:
        """Add so many records for the subject, each with a text of about ``size`` letters."""
        self._not_said(Aspect.MANY_RECORDS)

    def attach(self, size: int) -> str:
        """Give the subject one more file, of ``size`` bytes; return its SHA-256 in hexadecimal digits."""
        self._not_said(Aspect.LARGE_FILE)

    def writes(self) -> int:
        """Return how many writing calls (or statements) the source has been sent, whatever became of them."""
        pytest.fail(
            "A connector that changes records needs writes(): how many writing calls the source has seen."
        )

    def settle(self) -> None:  # noqa: B027 - most sources need nothing.
        """Let a job of the source's own that was begun come to its end."""

    # --- Help ------------------------------------------------------------------------------------------------------

    def connect(
        self, *, page_size: int = 1000, wrong_secret: bool = False, gate: Gate = OPEN_GATE
    ) -> Connector:
        """Return a new connector to the source."""
        setup = self.way_in(page_size=page_size, wrong_secret=wrong_secret)
        return registry.load(self.connector).create(replace(setup, gate=gate))

    def identify(self, value: str, kind: str = "") -> list[Identifier]:
        return [Identifier(kind or self.world().kind, value)]

    def find(self, value: str, kind: str = "") -> Sequence[Match]:
        connector = self.connect()
        try:
            return connector.find(self.identify(value, kind))
        finally:
            connector.close()

    def matches(self) -> list[Match]:
        """The subject's matches, as they are after they were kept."""
        return [Match.from_json(through_json(one.to_json())) for one in self.find(self.world().subject)]

    def walk(
        self, *, page_size: int, matches: Sequence[Match] | None = None, cursor: Cursor | None = None
    ) -> Iterator[Page]:
        """Yield the subject's pages, each from a new connector, as after the death of a worker."""
        known = self.matches() if matches is None else matches
        for _ in range(FEW_PAGES + 2 * sum(self.world().records.values())):
            page = self.page(known, cursor, page_size)
            yield page
            if page.next is None:
                return
            cursor = Cursor.from_json(through_json(page.next.to_json()))
        pytest.fail("The pages do not come to an end.")

    def page(self, matches: Sequence[Match], cursor: Cursor | None, page_size: int) -> Page:
        connector = self.connect(page_size=page_size)
        try:
            return connector.collect(matches, cursor)
        finally:
            connector.close()

    def records(self, *, page_size: int = 1000) -> list[Record]:
        return [record for page in self.walk(page_size=page_size) for record in page.records]

    def leaks(self, shown: str) -> list[str]:
        return [text for text in self.world().confidential if text.lower() in shown.lower()]

    # --- What is claimed -------------------------------------------------------------------------------------------

    def make_trouble(self, trouble: Trouble) -> None:
        self.require(trouble)
        self.misbehave(trouble)

    def require(self, claim: Trouble | Aspect, given: object = True) -> None:
        """Leave the test out when the claim is not made; fail when nothing was given for it either."""
        if claim in self.not_claimed:
            pytest.skip(f"{NOT_CLAIMED}{self.not_claimed[claim]}")
        if not given:
            self._not_said(claim)

    def _not_said(self, claim: Trouble | Aspect) -> NoReturn:
        pytest.fail(f"“{claim}” is neither shown nor named in not_claimed with the reason why it cannot be.")


NOT_CLAIMED = "Not claimed: "
# More pages than this, beside two for each record, and paging goes round in a circle.
FEW_PAGES = 20


def through_json(value: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return what is left of a value after it was kept as JSON."""
    kept: dict[str, JSON] = json.loads(json.dumps(value))
    return kept


def text_of(records: Sequence[Record]) -> str:
    """Return everything that the records say."""
    return json.dumps([[one.data, one.unclassified] for one in records], ensure_ascii=False)
