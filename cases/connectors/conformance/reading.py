"""Points 1 to 5 and 14: finding and collecting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from cases.connectors.base import PHONE, Confidence, ConnectorError, Cursor, HoldsBlobs, Record
from cases.connectors.conformance.bench import FEW_PAGES, Bench, text_of
from cases.connectors.conformance.child import fingerprint
from cases.connectors.conformance.processes import Child
from cases.connectors.conformance.world import MIB, Aspect, Trouble

# Files come in chunks of at most this many bytes, so that a worker can store any size.
CHUNK_MAX = MIB
MANY = 10_000
LETTERS = 4_000
LARGE = 32 * MIB


class ReadingPoints(Bench):
    """What is found and collected is right, whole and nobody else's, whatever dies or changes meanwhile."""

    # --- 1 -------------------------------------------------------------------------------------------------------

    def test_01_finds_subject_exactly(self) -> None:
        matches = self.find(self.world().subject)

        assert matches
        assert {(match.confidence, match.matched_on) for match in matches} == {
            (Confidence.EXACT, (self.world().kind,))
        }

    def test_01_finds_other_spellings(self) -> None:
        expected = [match.ref for match in self.find(self.world().subject)]

        found = {
            spelling: [match.ref for match in self.find(spelling)] for spelling in self.world().spellings
        }

        assert found == dict.fromkeys(self.world().spellings, expected)

    def test_01_finds_telephone_in_other_formats(self) -> None:
        self.require(Aspect.PHONE, self.world().phone and self.world().phone_spellings)
        expected = [match.ref for match in self.find(self.world().phone, PHONE)]

        found = {
            spelling: [match.ref for match in self.find(spelling, PHONE)]
            for spelling in self.world().phone_spellings
        }

        assert expected
        assert found == dict.fromkeys(self.world().phone_spellings, expected)

    def test_01_finds_second_entry_of_the_person(self) -> None:
        self.require(Aspect.DUPLICATE, self.world().duplicate_marks)

        taken = text_of(self.records())

        assert [mark for mark in self.world().duplicate_marks if mark not in taken] == []

    def test_01_finds_archived_records(self) -> None:
        self.require(Aspect.ARCHIVE, self.world().archived_marks)

        taken = text_of(self.records())

        assert [mark for mark in self.world().archived_marks if mark not in taken] == []

    # --- 2 -------------------------------------------------------------------------------------------------------

    def test_02_returns_every_record_once(self) -> None:
        records = self.records()

        assert Counter(record.type for record in records) == Counter(self.world().records)
        assert len({record.ref for record in records}) == len(records)

    def test_02_counts_what_it_will_return(self) -> None:
        pages = list(self.walk(page_size=2))

        total = sum(self.world().records.values())
        assert {page.expected_total for page in pages} == {total}
        assert [page.next.seen for page in pages if page.next] == [
            sum(len(page.records) for page in pages[: index + 1]) for index in range(len(pages) - 1)
        ]

    def test_02_names_every_file(self) -> None:
        if not isinstance(self.connect(), HoldsBlobs):
            pytest.skip("Not claimed: This connector opens no files.")

        blobs = [blob for record in self.records() for blob in record.blobs]

        assert sorted(blob.name for blob in blobs) == sorted(self.world().files)
        assert len({blob.ref for blob in blobs}) == len(blobs)

    def test_02_reads_every_file_whole_and_in_chunks(self) -> None:
        connector = self.connect()
        if not isinstance(connector, HoldsBlobs):
            pytest.skip("Not claimed: This connector opens no files.")
        connector.close()

        files = self._in_child("files")["files"]

        assert sorted(one["sha256"] for one in files) == sorted(self.world().files.values())
        assert [one for one in files if one["stated"] not in (None, one["size"])] == []
        assert [one for one in files if one["chunk"] > CHUNK_MAX] == []

    # --- 3 -------------------------------------------------------------------------------------------------------

    def test_03_loses_and_doubles_nothing_when_killed_after_every_page(self) -> None:
        expected = Counter(fingerprint(record) for record in self.records())
        setup, matches = self.way_in(page_size=2), self.matches()
        taken: Counter[str] = Counter()
        cursor: Cursor | None = None

        for _ in range(FEW_PAGES + 2 * expected.total()):
            # What one process told is kept; at the end of the block it is killed, most often within the next page.
            with Child(self.connector, setup, "pages", matches, cursor) as process:
                page = process.answer()
            taken += Counter(page["records"])
            if page["next"] is None:
                break
            cursor = Cursor.from_json(page["next"])

        assert taken == expected

    @pytest.mark.parametrize("page_size", [1, 2, 3])
    def test_03_goes_on_after_every_page(self, page_size: int) -> None:
        expected = Counter(fingerprint(record) for record in self.records())

        pages = list(self.walk(page_size=page_size))

        assert Counter(fingerprint(record) for page in pages for record in page.records) == expected
        assert max(len(page.records) for page in pages) == page_size

    def test_03_repeats_page_for_same_cursor(self) -> None:
        matches = self.find(self.world().subject)
        connector = self.connect(page_size=2)
        cursor = connector.collect(matches, None).next

        pages = [connector.collect(matches, cursor) for _ in range(2)]

        connector.close()
        assert cursor is not None
        once, again = ([fingerprint(record) for record in page.records] for page in pages)
        assert once == again
        assert pages[0].next == pages[1].next

    # --- 4 -------------------------------------------------------------------------------------------------------

    def test_04_finds_nobody_for_near_misses(self) -> None:
        found = {value: list(self.find(value)) for value in self.world().near_misses}

        assert found == {value: [] for value in self.world().near_misses}

    def test_04_tells_people_apart(self) -> None:
        subject = {match.ref for match in self.find(self.world().subject)}

        stranger = {match.ref for match in self.find(self.world().stranger)}

        assert stranger
        assert subject & stranger == set()

    def test_04_leaves_out_other_people(self) -> None:
        taken = text_of(self.records())

        assert self._marks_in(taken) == []

    def test_04_finds_stranger_for_stranger(self) -> None:
        """Shows that what point 4 looks for could leak at all."""
        pages = self.walk(page_size=1000, matches=self.find(self.world().stranger))

        taken = text_of([record for page in pages for record in page.records])

        assert self._marks_in(taken) == list(self.world().stranger_marks)

    def test_04_takes_nobody_when_the_source_passes_over_the_filter(self) -> None:
        matches = self.matches()
        self.make_trouble(Trouble.FILTER_IGNORED)

        taken = [self._try_to_read(self.world().near_misses[0]), self._try_to_read(self.world().subject)]

        taken.append(text_of(self._try_to_collect(matches)))
        assert [self._marks_in(one) for one in taken] == [[], [], []]
        assert taken[0] == text_of([])

    def _try_to_read(self, value: str) -> str:
        try:
            return text_of(self._try_to_collect(self.find(value)))
        except ConnectorError:  # Refusing to go on is as good as leaving the others out.
            return text_of([])

    def _try_to_collect(self, matches: Sequence[Any]) -> list[Record]:
        try:
            pages = list(self.walk(page_size=1000, matches=matches))
        except ConnectorError:
            return []
        return [record for page in pages for record in page.records]

    def _marks_in(self, taken: str) -> list[str]:
        return [mark for mark in self.world().stranger_marks if mark in taken]

    # --- 5 -------------------------------------------------------------------------------------------------------

    def test_05_keeps_what_stayed_when_records_change_meanwhile(self) -> None:
        self.require(Aspect.CHANGE_WHILE_PAGING)
        before, matches = {one.ref for one in self.records()}, self.matches()
        taken, cursor = self._read_half(matches)

        self.change_while_paging(taken)
        rest = [
            one for page in self.walk(page_size=2, matches=matches, cursor=cursor) for one in page.records
        ]

        after, refs = {one.ref for one in self.records()}, [one.ref for one in [*taken, *rest]]
        assert before - after == {taken[-1].ref}, "change_while_paging has to remove the last record taken"
        assert len(after - before) == 1, "change_while_paging has to add a record"
        assert (before & after) - set(refs) == set()
        assert [ref for ref, times in Counter(refs).items() if times > 1] == []
        assert set(refs) - before - after == set()

    def _read_half(self, matches: Sequence[Any]) -> tuple[list[Record], Cursor | None]:
        taken: list[Record] = []
        for page in self.walk(page_size=2, matches=matches):
            taken += page.records
            if len(taken) * 2 >= sum(self.world().records.values()):
                return taken, page.next
        pytest.fail("the subject needs more records")

    # --- 14 ------------------------------------------------------------------------------------------------------

    def test_14_reads_ten_thousand_records_in_bounded_memory(self) -> None:
        self.require(Aspect.MANY_RECORDS)
        self.fill(MANY, LETTERS)

        read = self._in_child("total", page_size=500)

        assert read["count"] == MANY + sum(self.world().records.values())
        assert read["grown"] < self.memory_bound

    def test_14_reads_large_file_in_bounded_memory(self) -> None:
        if not isinstance(self.connect(), HoldsBlobs):
            pytest.skip("Not claimed: This connector opens no files.")
        self.require(Aspect.LARGE_FILE)
        expected = self.attach(LARGE)

        read = self._in_child("files")

        assert expected in [one["sha256"] for one in read["files"]]
        assert read["grown"] < self.memory_bound

    def _in_child(self, task: str, page_size: int = 100) -> Any:
        matches = self.matches()
        with Child(self.connector, self.way_in(page_size=page_size), task, matches) as process:
            return process.answer()
