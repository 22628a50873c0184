"""Turns what a database holds into JSON without loss, and keys into text and references."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from uuid import UUID

from cases.connectors.base import JSON

# Marks binary data, which JSON cannot hold as it is.
BASE64_KEY = "$base64"

# Types that are JSON's own.
PLAIN = frozenset({str, int, bool, type(None)})


def to_json(value: object) -> JSON:
    """Return a value as JSON.

    Exact numbers, dates and the like as text, binary data in base64 under a marker.
    """
    if type(value) in PLAIN:
        return value  # type: ignore[return-value]  # The types looked up are JSON's own.
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return {BASE64_KEY: base64.b64encode(bytes(value)).decode("ascii")}
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): to_json(inner) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((to_json(inner) for inner in value), key=str)
    if isinstance(value, list | tuple):
        return [to_json(inner) for inner in value]
    return str(value)


def key_text(value: object) -> str:
    """Return a key's value as text that the database can cast back to the column's type."""
    if isinstance(value, bytes | bytearray | memoryview):
        return f"\\x{bytes(value).hex()}"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


# A value that nobody has classified yet is kept whole up to so many characters; of a longer one its size and digest.
HELD_BACK_MAX = 10_000


def measured(text: str | None) -> JSON:
    """Return size and digest of binary data as the database computed them, "12 9f86…"."""
    if text is None:
        return None
    size, _, sha256 = text.partition(" ")
    return {"bytes": int(size), "sha256": sha256}


def held_back(value: object) -> JSON:
    """Return a value of a field that the description does not know, or of a huge one its size and digest."""
    plain = to_json(value)
    data = (plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)).encode()
    if len(data) <= HELD_BACK_MAX:
        return plain
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def row_key(collection: str, ref: str) -> tuple[str, ...] | None:
    """Return the key that a reference shows, or None for one that shows none."""
    shown = ref.removeprefix(f"{collection}/")
    return None if shown == ref or shown.startswith("~") else tuple(shown.split(","))


def row_handle(collection: str, ref: str, key: Sequence[object]) -> dict[str, JSON]:
    """Return what finds a row again beside its reference: nothing where that shows the key."""
    return {} if row_key(collection, ref) else {"key": [key_text(value) for value in key]}


def row_ref(collection: str, key: Sequence[object], *, readable: bool) -> str:
    """Return a stable reference: the key itself where it is a mere number, or else a digest of it.

    A key may be an e-mail address, and references are kept where personal data must not be.
    """
    if readable and len(key) == 1 and type(key[0]) is int:
        return f"{collection}/{key[0]}"
    if readable and all(isinstance(value, int | UUID) for value in key):
        return f"{collection}/{','.join(str(value) for value in key)}"
    return f"{collection}/~{digest([key_text(value) for value in key])}"


def digest(parts: Sequence[str]) -> str:
    """Return 128 bits of a digest of these parts, as hexadecimal."""
    return hashlib.sha256(json.dumps(list(parts), ensure_ascii=False).encode()).hexdigest()[:32]
