"""A small pack with something of everything, and what tests read from its files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pypdfium2

from cases.packs.content import (
    Addressee,
    Attachment,
    Brand,
    Json,
    LetterInput,
    PackInput,
    PackRecord,
    Passages,
    Processing,
    Redacted,
    SearchResult,
    SourceSearched,
    Statement,
    Withheld,
)
from cases.packs.manifest import Manifest
from cases.packs.render import render_pack
from cases.packs.sink import MemorySink

BRAND = Brand("Harbour Telecom", ("1 Quay Street", "Leeds LS1 4AP"), ("privacy@harbour.example",), "#0b6e4f")
LETTER = LetterInput(
    brand=BRAND,
    addressee=Addressee("Luís Gonçalves", ("Rua Nova 7", "Lisboa")),
    reference="K7QF-2M9D/A",
    dated_on=date(2026, 12, 1),
    title="Your request for your data",
    paragraphs=("Dear Luís Gonçalves,", "We enclose a copy of your personal data."),
    closing="Yours sincerely",
    signatory=("Ada Example", "Privacy team"),
    enclosures=("Report", "Data"),
)
STATEMENT = Statement(
    confirmation=("Yes, we process your data.",),
    processings=(Processing("Customer desk", purposes=("To answer you",), recipients=("Carrier Ltd",)),),
    rights=("You may ask for correction.",),
    complaints=("Write to the Commission.",),
)
SOURCES = (
    SourceSearched("crm", "Customer desk", SearchResult.DONE, datetime(2026, 11, 20, 10, 5, tzinfo=UTC), 3),
    SourceSearched("tel", "Recordings", SearchResult.WAIVED, reason="purged", blind_spots=("calls of 2019",)),
)
RECORDS = (
    PackRecord("crm", "customer", "Customers", 1, {"first_name": "Луис Ελένη", "supportRep": Redacted("TP")}),
    PackRecord(
        "crm", "note", "Notes", 2, {"text": Passages(("Call with ", Redacted("TP"), " ended.")), "n": -5}
    ),
    PackRecord("crm", "note", "Notes", 3, {"text": '=HYPERLINK("http://x")', "tags": ["a", 1]}, "by e-mail"),
)
PACK = PackInput(
    brand=BRAND,
    reference="K7QF-2M9D/A",
    right="Access",
    subject_name="Luís Gonçalves",
    letter=LETTER,
    received_on=date(2026, 10, 30),
    answered_on=date(2026, 12, 1),
    statement=STATEMENT,
    sources=SOURCES,
    withheld=(Withheld("TP", "Data of other people", 2),),
    records=lambda: RECORDS,
    attachments=(Attachment("../../scan 1.png", "image/png", lambda: [b"\x89PNG", b"rest"]),),
    tool="dsar-desk 1.2.3",
)


def pack_of(records: Iterable[PackRecord], **changes: Any) -> PackInput:
    """The sample pack with other records."""
    kept = tuple(records)
    return replace(PACK, records=lambda: kept, **changes)


def rows(count: int, **data: Json) -> list[PackRecord]:
    """So many records of one collection with the same data."""
    return [PackRecord("crm", "row", "Rows", number, data or {"a": "b"}) for number in range(1, count + 1)]


def rendered(pack: PackInput) -> tuple[dict[str, bytes], Manifest]:
    """The files of a pack and its manifest."""
    sink = MemorySink()
    manifest = render_pack(pack, sink)
    return sink.files, manifest


def page_texts(pdf: bytes) -> list[str]:
    """The text of each page, with single spaces."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [" ".join(page.get_textpage().get_text_bounded().split()) for page in document]


def pdf_text(pdf: bytes) -> str:
    """The text of all pages."""
    return " ".join(page_texts(pdf))


def csv_rows(data: bytes) -> list[list[str]]:
    """The rows of a CSV file of ours."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
