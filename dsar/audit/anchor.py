"""Anchors: signed lines of all chains' ends, kept where the database's superuser cannot rewrite them.

One JSON object a line. Each names the master key's version under which it is signed (HMAC-SHA-256 under a
key derived for this purpose alone) and the signature of the line before, so that a lost line shows.
"""

import hmac
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.db import connection

from dsar.lib.crypto import DataKey, MasterKeys, derive

PURPOSE = "audit anchor"
HEADS = "SELECT chain, seq, encode(hash, 'hex') FROM audit_head ORDER BY chain"

Heads = Mapping[UUID, tuple[int, str]]


@dataclass(frozen=True)
class Anchor:
    """The chains' ends at one moment: number of events and hash of the last one, in hexadecimal."""

    at: datetime
    heads: Heads


@dataclass(frozen=True)
class Damage:
    """A line that cannot be relied on."""

    line: int
    what: str


def present_heads() -> dict[UUID, tuple[int, str]]:
    """All chains' ends; inside a unit of work that serves every controller."""
    with connection.cursor() as cursor:
        cursor.execute(HEADS)
        return {chain: (seq, end) for chain, seq, end in cursor.fetchall()}


def append(where: Path, anchor: Anchor, masters: MasterKeys) -> None:
    """Add a signed line and wait until it is on the disk."""
    where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(where, os.O_CREAT | os.O_RDWR, 0o600), "r+b") as file:
        last = _last_line(file)
        line = _signed(anchor, str(_fields(last).get("signature", "")), masters)
        # A write that a power cut tore must not swallow this line as well.
        file.write(b"\n" if last and not last.endswith(b"\n") else b"")
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read(where: Path, masters: MasterKeys) -> Iterator[Anchor | Damage]:
    """Each line's anchor, or what is wrong with that line; raises OSError where there is no such file."""
    before = ""
    with where.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            fields = _fields(line)
            yield _checked(number, fields, before, masters)
            before = str(fields.get("signature", ""))


def _checked(number: int, fields: dict[str, Any], before: str, masters: MasterKeys) -> Anchor | Damage:
    version, signature = fields.get("key"), str(fields.get("signature")).encode()
    if not isinstance(version, int):
        return Damage(number, "anchor_altered")
    if version not in masters.by_version:
        return Damage(number, "anchor_key_unknown")
    if not hmac.compare_digest(_signature(fields, masters.by_version[version]).encode(), signature):
        return Damage(number, "anchor_altered")
    if fields["before"] != before:
        return Damage(number, "anchor_cut")
    heads = {UUID(chain): (int(seq), str(end)) for chain, (seq, end) in fields["heads"].items()}
    return Anchor(datetime.fromisoformat(fields["at"]), heads)


def _signed(anchor: Anchor, before: str, masters: MasterKeys) -> str:
    heads = {str(chain): list(head) for chain, head in anchor.heads.items()}
    fields = {"at": anchor.at.isoformat(), "key": masters.current, "before": before, "heads": heads}
    signature = _signature(fields, masters.by_version[masters.current])
    return json.dumps({**fields, "signature": signature}, separators=(",", ":"))


def _signature(fields: Mapping[str, Any], master: DataKey) -> str:
    body = {name: value for name, value in fields.items() if name != "signature"}
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hmac.new(derive(master, PURPOSE).secret, canonical.encode(), "sha256").hexdigest()


def _last_line(file: IO[bytes]) -> bytes:
    """The last line, and the file's position behind it."""
    last = b""
    for line in file:
        last = line
    return last


def _fields(line: bytes) -> dict[str, Any]:
    """The line as an object; empty where it is none."""
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
