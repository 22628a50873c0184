"""What a response pack is made from: plain, frozen values, composed and translated by the caller.

Whatever must not be known outside the desk is simply absent from these values. Nothing here can hold
a withheld value: a redacted field is replaced by `Redacted` before a record is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from typing import NamedTuple, TypeAlias


@dataclass(frozen=True, slots=True)
class Redacted:
    """Stands where a withheld value was. `code` is that of the exemption picklist, such as TP."""

    code: str


@dataclass(frozen=True, slots=True)
class Passages:
    """Text of which some passages are withheld, in reading order."""

    parts: tuple[str | Redacted, ...]


Json: TypeAlias = (
    "None | bool | int | float | str | Sequence[Json] | Mapping[str, Json] | Redacted | Passages"
)


class SearchResult(StrEnum):
    """What came of searching one source system."""

    DONE = "done"
    NO_DATA = "no_data"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Brand:
    """The controller as the data subject knows it. `accent` is a colour such as #1f4e79."""

    name: str
    address: tuple[str, ...]
    dpo_contact: tuple[str, ...] = ()
    accent: str = "#1f4e79"


@dataclass(frozen=True, slots=True)
class Addressee:
    """To whom the answer goes: the data subject, or the representative who asked."""

    name: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LetterInput:
    """One letter, text composed. Empty `enclosures` leave that line out."""

    brand: Brand
    addressee: Addressee
    reference: str
    dated_on: date
    title: str
    paragraphs: tuple[str, ...]
    closing: str = ""
    signatory: tuple[str, ...] = ()
    enclosures: tuple[str, ...] = ()
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Processing:
    """Facts of Article 15(1)(a) to (d), (g), (h) and 15(2), for the controller or for one source.

    An empty tuple means that the fact is not applicable, and its row is left out.
    """

    label: str
    purposes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    retention: tuple[str, ...] = ()
    origin: tuple[str, ...] = ()
    automated_decisions: tuple[str, ...] = ()
    transfers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """The Article 15(1) statement: confirmation, facts, rights (e) and complaint routes ((ea) and (f))."""

    confirmation: tuple[str, ...] = ()
    processings: tuple[Processing, ...] = ()
    rights: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceSearched:
    """One source system and what came of its search. `code` is what the records name as their source.

    `records` counts what is disclosed, wholly or in part; the caller leaves silent withholdings out.
    """

    code: str
    label: str
    result: SearchResult
    searched_at: datetime | None = None
    records: int = 0
    reason: str = ""
    blind_spots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Withheld:
    """How many items or fields are withheld for one reason. Silent exemptions are never passed in."""

    code: str
    label: str
    count: int


class PackRecord(NamedTuple):
    """One disclosed record. `number` is its place in the pack, the same in every file.

    A tuple, since there may be a hundred thousand, each made three times.
    """

    source: str
    collection: str
    collection_label: str
    number: int
    data: Mapping[str, Json]
    provenance: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to hand over as it is. `open` gives its bytes anew each time it is called."""

    name: str
    media_type: str
    open: Callable[[], Iterable[bytes]]


def _no_records() -> Iterable[PackRecord]:
    return ()


@dataclass(frozen=True, slots=True)
class PackInput:
    """All of one pack.

    `records` is called three times (JSON, CSV, report) and must give the same records each time, those
    of one source and collection next to each other. `zone` is the time zone in which times are printed.
    `right` is the name of the right in the pack's language, such as "Access". `tool` names the program and its
    version, for the manifest.
    """

    brand: Brand
    reference: str
    right: str
    subject_name: str
    letter: LetterInput
    received_on: date
    answered_on: date
    statement: Statement
    sources: tuple[SourceSearched, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    records: Callable[[], Iterable[PackRecord]] = _no_records
    attachments: Iterable[Attachment] = ()
    field_labels: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"
    zone: tzinfo = UTC
    tool: str = "dsar"
