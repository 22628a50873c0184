"""Reads a source in a process of its own, which can be killed and whose memory can be measured.

Started as ``python -m cases.connectors.conformance.child``. It is told what to do by one line of JSON, since arguments
can be seen by every user of a machine, and answers by a line of JSON for each step. What it read stays within: it tells
fingerprints and counts.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cases.connectors import registry
from cases.connectors.base import Blob, Connector, Cursor, HoldsBlobs, Match, Record, Setup


def fingerprint(record: Record) -> str:
    """Return what tells this content of a record from any other."""
    plain = [record.ref, record.type, record.data, record.unclassified, record.third_party]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def peak_memory() -> int:
    """Return the most memory, in bytes, that this process has held."""
    status = Path("/proc/self/status")
    if status.exists():  # What getrusage says on Linux goes back to the process that started this one.
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    """Carry out what the line on the standard input asks for."""
    told = json.loads(sys.stdin.readline())
    setup = Setup(told["options"], told["secrets"], told["dataset_yaml"])
    connector = registry.load(told["connector"]).create(setup)
    matches = [Match.from_json(one) for one in told["matches"]]
    steps = {"pages": _pages, "total": _total, "files": _files}[told["task"]]
    for step in steps(connector, matches, told):
        print(json.dumps(step), flush=True)
    sys.stdin.read()  # Whoever started this decides when it ends.


def _pages(connector: Connector, matches: list[Match], told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Tell page after page what was read, and where the next begins."""
    cursor = None if told["cursor"] is None else Cursor.from_json(told["cursor"])
    while True:
        page = connector.collect(matches, cursor)
        cursor = page.next
        yield {
            "records": [fingerprint(record) for record in page.records],
            "next": cursor.to_json() if cursor else None,
        }
        if cursor is None:
            return


def _total(connector: Connector, matches: list[Match], told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Read everything, and tell how many records there were and by how much the memory grew."""
    before, count, cursor = peak_memory(), 0, None
    while True:
        page = connector.collect(matches, cursor)
        count, cursor = count + len(page.records), page.next
        if cursor is None:
            break
    yield {"count": count, "grown": peak_memory() - before}


def _files(connector: Connector, matches: list[Match], told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Open every file, and tell the hash, sizes and longest chunk of each, and by how much the memory grew."""
    assert isinstance(connector, HoldsBlobs)
    blobs, cursor = [], None
    while True:
        page = connector.collect(matches, cursor)
        blobs += [blob for record in page.records for blob in record.blobs]
        cursor = page.next
        if cursor is None:
            break
    before = peak_memory()
    files = [_read(connector, blob) for blob in blobs]
    yield {"files": files, "grown": peak_memory() - before}


def _read(connector: HoldsBlobs, blob: Blob) -> dict[str, Any]:
    digest, size, longest = hashlib.sha256(), 0, 0
    for chunk in connector.open_blob(blob):
        digest.update(chunk)
        size, longest = size + len(chunk), max(longest, len(chunk))
    return {"sha256": digest.hexdigest(), "size": size, "stated": blob.size, "chunk": longest}


if __name__ == "__main__":
    main()
