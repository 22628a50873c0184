"""The disclosed data for programs: data.json in one stream, and one CSV file a collection."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from cases.packs.content import PackInput, PackRecord
from cases.packs.plan import Collection, Plan, RecordsChanged, grouped
from cases.packs.values import as_cell, as_json
from cases.packs.wording import Wording

SCHEMA = "dsar-response-pack/1"
CHUNK = 64 * 1024  # bytes or characters gathered before they are passed on


def json_chunks(pack: PackInput, plan: Plan) -> Iterator[bytes]:
    """data.json, streamed; fills the plan on its way."""
    return _gathered(_json_parts(pack, plan))


def _json_parts(pack: PackInput, plan: Plan) -> Iterator[bytes]:
    names = {source.code: source.label for source in pack.sources}
    yield as_json(_head(pack))[:-1] + b',"sources":['
    separator = b"\n"
    for source, collections in grouped(plan.observe(pack.records())):
        head = as_json({"source": source, "label": names.get(source, source)})
        yield separator + head[:-1] + b',"collections":['
        yield from _collection_parts(collections)
        yield b"\n]}"
        separator = b",\n"
    yield b"\n]}\n"


def _head(pack: PackInput) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "reference": pack.reference,
        "controller": pack.brand.name,
        "subject": pack.subject_name,
        "answered_on": pack.answered_on.isoformat(),
    }


def _collection_parts(collections: Iterable[tuple[PackRecord, Iterator[PackRecord]]]) -> Iterator[bytes]:
    separator = b"\n "
    for first, group in collections:
        head = as_json({"collection": first.collection, "label": first.collection_label})
        yield separator + head[:-1] + b',"records":['
        yield from _record_parts(group)
        yield b"\n ]}"
        separator = b",\n "


def _record_parts(group: Iterator[PackRecord]) -> Iterator[bytes]:
    separator = b"\n  "
    for record in group:
        line = {"number": record.number, "data": record.data}
        yield separator + as_json({**line, "provenance": record.provenance} if record.provenance else line)
        separator = b",\n  "


def _gathered(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer, larger chunks."""
    waiting, size = [], 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= CHUNK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def csv_files(pack: PackInput, plan: Plan, words: Wording) -> Iterator[tuple[Collection, Iterator[bytes]]]:
    """Each collection with the chunks of its CSV file, which are to be read before the next is asked for.

    Raises RecordsChanged when this pass over the records differs from the planned one.
    """
    for _, collections in grouped(pack.records()):
        for first, group in collections:
            collection = plan.collections.get((first.source, first.collection))
            if collection is None:
                raise RecordsChanged(f"{first.source}/{first.collection}")
            yield collection, _csv_chunks(collection, group, words)


def _csv_chunks(collection: Collection, group: Iterator[PackRecord], words: Wording) -> Iterator[bytes]:
    buffer, count = io.StringIO(newline=""), 0
    writer = csv.writer(buffer)
    buffer.write("\ufeff")  # The mark by which spreadsheet programs know UTF-8.
    writer.writerow([as_cell(name, words) for name in _header(collection)])
    for record in group:
        count += 1
        writer.writerow(_row(collection, record, words))
        if buffer.tell() >= CHUNK:
            yield _drained(buffer)
    if count != collection.count:
        raise RecordsChanged(f"{collection.source}/{collection.name}")
    yield _drained(buffer)


def _header(collection: Collection) -> list[str]:
    provenance = [_own("provenance", collection)] if any(collection.provenances) else []
    return [_own("number", collection), *collection.columns, *provenance]


def _own(name: str, collection: Collection) -> str:
    """The name of a column that we add, different from all columns of the data."""
    while name in collection.columns:
        name = f"record_{name}"
    return name


def _row(collection: Collection, record: PackRecord, words: Wording) -> list[str | int | float]:
    get = record.data.get
    cells = [record.number, *[as_cell(get(name), words) for name in collection.columns]]
    return [*cells, as_cell(record.provenance, words)] if any(collection.provenances) else cells


def _drained(buffer: io.StringIO) -> bytes:
    # A lone surrogate has no bytes in UTF-8; it is shown by its code rather than dropped.
    data = buffer.getvalue().encode("utf-8", "backslashreplace")
    buffer.seek(0)
    buffer.truncate()
    return data
