"""What a first pass over the records tells: collections, their columns, and where volumes begin.

A report is cut into volumes so that the memory of rendering one is bounded, however many records there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby

from cases.packs.content import Json, PackRecord, Redacted

VOLUME_WEIGHT = 22_000  # Cells, and every 40 characters beyond them: some 2,500 ordinary rows, 130 pages.
_SHORT = 40  # characters of a cell that weigh nothing
_MARK_LENGTH = 16  # characters of a mark such as [withheld: TP]


class RecordsScattered(ValueError):
    """The records of one source and collection do not stand next to each other."""


class RecordsChanged(RuntimeError):
    """The records were not the same on a later pass; files of one pack would contradict each other."""


@dataclass(slots=True)
class Column:
    """Lengths of one field's values, in characters as printed."""

    longest: int = 0
    longest_word: int = 0
    total: int = 0

    def saw_longer(self, value: Json, length: int) -> None:
        """Take in a value that is longer than the longest word so far."""
        self.longest = max(self.longest, length)
        words = value.split() if isinstance(value, str) else ()
        self.longest_word = max(self.longest_word, max(map(len, words)) if words else length)


def _length(value: Json) -> int:
    if isinstance(value, str):
        return len(value)
    if value is None:
        return 0
    return _MARK_LENGTH if isinstance(value, Redacted) else len(str(value))


@dataclass(slots=True)
class Collection:
    """One kind of record of one source."""

    source: str
    name: str
    label: str
    columns: dict[str, Column] = field(default_factory=dict)
    provenances: set[str] = field(default_factory=set)
    count: int = 0
    last: int = 0

    def saw(self, record: PackRecord) -> int:
        """Take a record in; returns what it weighs."""
        self.count += 1
        self.last = record.number
        self.provenances.add(record.provenance)
        weight = 1
        for name, value in record.data.items():
            # Not a function of its own: this runs for each of a million cells.
            column = self.columns.get(name) or self.columns.setdefault(name, Column())
            length = len(value) if isinstance(value, str) else _length(value)
            column.total += length
            if length > column.longest_word:
                column.saw_longer(value, length)
            weight += 1 if length < 2 * _SHORT else length // _SHORT
        return weight


@dataclass(slots=True)
class Section:
    """The records of one collection within one volume. `first` and `last` are their numbers."""

    collection: Collection
    first: int
    last: int
    count: int = 1


@dataclass(slots=True)
class Plan:
    """What the first pass found. `volumes` holds at least one volume, which may be empty."""

    collections: dict[tuple[str, str], Collection] = field(default_factory=dict)
    volumes: list[list[Section]] = field(default_factory=lambda: [[]])
    records: int = 0
    _weight: int = 0

    def observe(self, records: Iterable[PackRecord]) -> Iterator[PackRecord]:
        """Pass the records on while learning from them."""
        for record in records:
            self._take(record)
            yield record

    def _take(self, record: PackRecord) -> None:
        collection = self._collection(record)
        weight = collection.saw(record)
        if self._weight + weight > VOLUME_WEIGHT and self.volumes[-1]:
            self.volumes.append([])
            self._weight = 0
        self._weight += weight
        self.records += 1
        self._extend_section(collection, record.number)

    def _collection(self, record: PackRecord) -> Collection:
        key = (record.source, record.collection)
        if key not in self.collections:
            self.collections[key] = Collection(*key, record.collection_label)
        return self.collections[key]

    def _extend_section(self, collection: Collection, number: int) -> None:
        sections = self.volumes[-1]
        if sections and sections[-1].collection is collection:
            sections[-1].last = number
            sections[-1].count += 1
        else:
            sections.append(Section(collection, number, number))


def grouped(
    records: Iterable[PackRecord],
) -> Iterator[tuple[str, Iterator[tuple[PackRecord, Iterator[PackRecord]]]]]:
    """The records by source and collection, streamed; with each group comes its first record.

    Raises RecordsScattered when a source or a collection comes twice.
    """
    seen: set[str] = set()
    for source, members in groupby(records, key=lambda record: record.source):
        if source in seen:
            raise RecordsScattered(source)
        seen.add(source)
        yield source, _collections(source, members)


def _collections(
    source: str, members: Iterable[PackRecord]
) -> Iterator[tuple[PackRecord, Iterator[PackRecord]]]:
    seen: set[str] = set()
    for name, group in groupby(members, key=lambda record: record.collection):
        if name in seen:
            raise RecordsScattered(f"{source}/{name}")
        seen.add(name)
        first = next(group)
        yield first, chain((first,), group)  # noqa: B031 (a group goes on where it was left)
