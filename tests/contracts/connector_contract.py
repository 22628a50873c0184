"""What every connector keeps, as tests.

A connector's tests derive a class from ConnectorContract and give it a world: people with data, among them one who is
searched for and others whose data could leak. Each test here fails for a connector that breaks what it is named after.
"""

from __future__ import annotations

import json
import logging
import traceback
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from cases.connectors.base import (
    JSON,
    AuthError,
    Confidence,
    Connector,
    ConnectorError,
    ContractBroken,
    Cursor,
    Identifier,
    Match,
    NoIdentifiers,
    NotSearchable,
    Page,
    Record,
)


@dataclass(frozen=True)
class World:
    """A source with people in it. ``kind`` is the kind of identifier by which the subject is searched for.

    ``spellings`` are other ways to write the subject's identifier; ``near_misses`` look like it and are nobody's;
    ``stranger_marks`` are texts that stand in other people's records only; ``confidential`` are secrets and personal
    data, which no message, repr or log may show; ``records`` counts the subject's records by type.
    """

    kind: str
    subject: str
    spellings: tuple[str, ...]
    near_misses: tuple[str, ...]
    stranger: str
    stranger_marks: tuple[str, ...]
    confidential: tuple[str, ...]
    records: Mapping[str, int]
    third_parties: tuple[str, ...] = ()
    unknown_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class ConnectorContract(ABC):
    """Derive from this, name the class Test…, and give world and connect."""

    @abstractmethod
    def world(self) -> World:
        """Describe the people of the source."""

    @abstractmethod
    def connect(self, *, page_size: int = 1000, wrong_secret: bool = False) -> Connector:
        """Return a new connector to the source."""

    # --- Help --------------------------------------------------------------------------------------------------

    def identify(self, value: str) -> list[Identifier]:
        return [Identifier(self.world().kind, value)]

    def find(self, value: str) -> Sequence[Match]:
        connector = self.connect()
        try:
            return connector.find(self.identify(value))
        finally:
            connector.close()

    def walk(self, *, page_size: int) -> Iterator[Page]:
        """Yield the subject's pages, each from a new connector, as after the death of a worker."""
        matches = [Match.from_json(_through_json(one.to_json())) for one in self.find(self.world().subject)]
        cursor: Cursor | None = None
        while True:
            connector = self.connect(page_size=page_size)
            page = connector.collect(matches, cursor)
            connector.close()
            yield page
            if page.next is None:
                return
            cursor = Cursor.from_json(_through_json(page.next.to_json()))

    def records(self, *, page_size: int = 1000) -> list[Record]:
        return [record for page in self.walk(page_size=page_size) for record in page.records]

    # --- What it says of itself -----------------------------------------------------------------------------------

    def test_connector_keeps_protocol(self) -> None:
        connector = self.connect()

        assert isinstance(connector, Connector)

    def test_options_are_named_once_and_labelled(self) -> None:
        options = type(self.connect()).options()

        names = [option.name for option in options]
        assert sorted(set(names)) == sorted(names)
        assert [option.name for option in options if not option.label] == []

    def test_capabilities_name_kinds_and_types(self) -> None:
        capabilities = self.connect(page_size=7).capabilities()

        assert self.world().kind in capabilities.identifier_kinds
        assert {name: held.name for name, held in capabilities.types.items()} == {
            name: name for name in capabilities.types
        }
        assert set(self.world().records) <= set(capabilities.types)
        assert capabilities.page_max == 7

    def test_check_names_unknown_fields(self) -> None:
        connector = self.connect()

        check = connector.check()

        connector.close()
        assert dict(check.unknown_fields) == dict(self.world().unknown_fields)

    # --- Finding ------------------------------------------------------------------------------------------------

    def test_find_matches_subject_exactly(self) -> None:
        matches = self.find(self.world().subject)

        assert matches
        assert {(match.confidence, match.matched_on) for match in matches} == {
            (Confidence.EXACT, (self.world().kind,))
        }

    def test_find_matches_other_spellings(self) -> None:
        expected = [match.ref for match in self.find(self.world().subject)]

        found = {
            spelling: [match.ref for match in self.find(spelling)] for spelling in self.world().spellings
        }

        assert found == dict.fromkeys(self.world().spellings, expected)

    def test_find_matches_nobody_for_near_misses(self) -> None:
        found = {value: list(self.find(value)) for value in self.world().near_misses}

        assert found == {value: [] for value in self.world().near_misses}

    def test_find_tells_people_apart(self) -> None:
        subject = {match.ref for match in self.find(self.world().subject)}

        stranger = {match.ref for match in self.find(self.world().stranger)}

        assert stranger
        assert subject & stranger == set()

    @pytest.mark.parametrize("values", [(), ("",), ("  ", "\t\n")])
    def test_find_refuses_empty_identifiers(self, values: tuple[str, ...]) -> None:
        connector = self.connect()
        identifiers = [Identifier(self.world().kind, value) for value in values]

        with pytest.raises(NoIdentifiers):
            connector.find(identifiers)
        with pytest.raises(NoIdentifiers):
            connector.holds(identifiers)
        connector.close()

    def test_find_ignores_unknown_kind_beside_known(self) -> None:
        connector = self.connect()
        expected = [match.ref for match in self.find(self.world().subject)]

        matches = connector.find([Identifier("shoe_size", "43"), *self.identify(self.world().subject)])

        connector.close()
        assert [match.ref for match in matches] == expected

    def test_find_refuses_unknown_kind_alone(self) -> None:
        connector = self.connect()

        with pytest.raises(NotSearchable):
            connector.find([Identifier("shoe_size", "43")])
        connector.close()

    def test_holds_answers_yes_or_no_for_kinds_it_knows(self) -> None:
        connector = self.connect()
        kind, nobody = self.world().kind, self.world().near_misses[0]
        known = Identifier(kind, self.world().subject)

        answers = [
            dict(connector.holds([known, Identifier("shoe_size", "43")])),
            dict(connector.holds([Identifier(kind, nobody)])),
            dict(connector.holds([known, Identifier(kind, nobody)])),
        ]

        connector.close()
        assert answers == [{kind: True}, {kind: False}, {kind: False}]

    # --- Collecting ----------------------------------------------------------------------------------------------

    def test_collect_returns_every_record_once(self) -> None:
        records = self.records()

        assert Counter(record.type for record in records) == Counter(self.world().records)
        assert len({record.ref for record in records}) == len(records)

    def test_collect_counts_what_it_will_return(self) -> None:
        pages = list(self.walk(page_size=2))

        total = sum(self.world().records.values())
        assert {page.expected_total for page in pages} == {total}
        assert [page.next.seen for page in pages if page.next] == [
            sum(len(page.records) for page in pages[: index + 1]) for index in range(len(pages) - 1)
        ]

    @pytest.mark.parametrize("page_size", [1, 2, 3])
    def test_collect_resumes_after_every_page(self, page_size: int) -> None:
        expected = Counter(_fingerprint(record) for record in self.records())

        pages = list(self.walk(page_size=page_size))

        assert Counter(_fingerprint(record) for page in pages for record in page.records) == expected
        assert max(len(page.records) for page in pages) == page_size

    def test_collect_repeats_page_for_same_cursor(self) -> None:
        matches = self.find(self.world().subject)
        connector = self.connect(page_size=2)
        cursor = connector.collect(matches, None).next

        pages = [connector.collect(matches, cursor) for _ in range(2)]

        connector.close()
        assert cursor is not None
        once, again = ([_fingerprint(record) for record in page.records] for page in pages)
        assert once == again
        assert pages[0].next == pages[1].next

    def test_collect_answers_another_thread(self) -> None:
        """The engine has a page read by a thread while it stores the one before."""
        matches = self.find(self.world().subject)
        connector = self.connect(page_size=2)
        cursor = connector.collect(matches, None).next
        here = connector.collect(matches, cursor)

        with ThreadPoolExecutor(1) as thread:
            there = thread.submit(connector.collect, matches, cursor).result()

        connector.close()
        assert [_fingerprint(record) for record in there.records] == [
            _fingerprint(record) for record in here.records
        ]

    def test_collect_leaves_out_other_people(self) -> None:
        taken = json.dumps([record.data for record in self.records()], ensure_ascii=False)

        assert [mark for mark in self.world().stranger_marks if mark in taken] == []

    def test_collect_finds_stranger_for_stranger(self) -> None:
        connector = self.connect()

        page = connector.collect(connector.find(self.identify(self.world().stranger)), None)

        connector.close()
        taken = json.dumps([record.data for record in page.records], ensure_ascii=False)
        assert [mark for mark in self.world().stranger_marks if mark not in taken] == []

    def test_collect_marks_third_parties(self) -> None:
        marked = {record.type for record in self.records() if record.third_party}

        assert marked == set(self.world().third_parties)

    def test_collect_proves_link_of_each_record(self) -> None:
        records = self.records()

        unproven = [record.ref for record in records if not record.link.via or not record.link.keys]
        foreign = [record.ref for record in records if not record.link.keys.items() <= record.data.items()]
        assert unproven == []
        assert foreign == []

    def test_collect_gives_category_of_each_field(self) -> None:
        bare = {
            f"{record.type}.{name}"
            for record in self.records()
            for name in record.data
            if not record.categories[name]
        }

        assert bare == set()

    def test_collect_holds_back_and_reports_unknown_fields(self) -> None:
        pages = list(self.walk(page_size=2))

        taken = {(record.type, name) for page in pages for record in page.records for name in record.data}
        unknown = {(name, one) for name, fields in self.world().unknown_fields.items() for one in fields}
        assert taken & unknown == set()
        assert dict(pages[0].unknown_fields) == dict(self.world().unknown_fields)

    def test_collect_from_no_match_returns_nothing(self) -> None:
        connector = self.connect()

        page = connector.collect([], None)

        connector.close()
        assert (list(page.records), page.next, page.expected_total) == ([], None, 0)

    def test_collect_refuses_cursor_that_it_did_not_write(self) -> None:
        matches = self.find(self.world().subject)
        connector = self.connect()

        with pytest.raises(ContractBroken):
            connector.collect(matches, Cursor(stage="no such stage", after=["x"]))
        connector.close()

    def test_close_twice_does_nothing(self) -> None:
        connector = self.connect()
        connector.find(self.identify(self.world().subject))

        connector.close()
        connector.close()

        # A connector that was closed opens again when it is asked.
        assert connector.find(self.identify(self.world().near_misses[0])) == []
        connector.close()

    # --- What must not show --------------------------------------------------------------------------------------

    def test_repr_shows_nothing_confidential(self) -> None:
        connector = self.connect(page_size=2)
        matches = connector.find(self.identify(self.world().subject))
        page = connector.collect(matches, None)

        shown = repr([connector, matches, page, page.records, page.next, self.identify(self.world().subject)])

        connector.close()
        assert self._leaks(shown) == []

    def test_refs_show_nothing_confidential(self) -> None:
        shown = " ".join(
            [*(match.ref for match in self.find(self.world().subject)), *(r.ref for r in self.records())]
        )

        assert self._leaks(shown) == []

    def test_wrong_secret_is_refused_without_showing_anything(self) -> None:
        connector = self.connect(wrong_secret=True)

        with pytest.raises(AuthError) as caught:
            connector.find(self.identify(self.world().subject))

        connector.close()
        assert self._leaks(_everything_about(caught.value)) == []
        assert caught.value.retryable is False

    def test_logs_show_nothing_confidential(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)

        self.records(page_size=2)

        assert self._leaks(caplog.text) == []

    def _leaks(self, shown: str) -> list[str]:
        return [text for text in self.world().confidential if text.lower() in shown.lower()]


def _through_json(value: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return what is left of a value after it was kept as JSON."""
    kept: dict[str, JSON] = json.loads(json.dumps(value))
    return kept


def _fingerprint(record: Record) -> str:
    return json.dumps([record.ref, record.type, record.data, record.third_party], sort_keys=True)


def _everything_about(error: ConnectorError) -> str:
    """Return all that a log, a screen or an error tracker could show of an error."""
    chain = "".join(traceback.format_exception(error))
    return f"{error!r} {error} {error.what_to_do} {chain} {error.__context__!r} {error.__cause__!r}"
