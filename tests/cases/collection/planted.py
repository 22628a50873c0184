"""A source made of rows, which can be told to misbehave: for tests of the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import pytest

from cases.connectors import registry
from cases.connectors.base import (
    EMAIL,
    EXTERNAL_ID,
    PHONE,
    Blob,
    Capabilities,
    Check,
    Confidence,
    Cursor,
    Identifier,
    Link,
    LinkKind,
    Match,
    Option,
    Page,
    Record,
    RecordType,
    Refused,
    Setup,
    Throttled,
    Transient,
    phone_digits,
    require_identifiers,
)

TYPES = {
    "people": RecordType("people", frozenset({"email", "name"})),
    "notes": RecordType("notes", frozenset({"text"}), parents=("people", "notes")),
}


class Planted:
    """Its options: ``people`` and ``notes`` with ``person_id``, as rows.

    ``kinds`` by which it can be searched; ``ignores_filter``: it gives everybody's records; ``finds_all``: everybody
    matches; ``confidence`` of its matches; ``reveals`` names fields that matches reveal; ``known`` the fields that are
    described; ``bites``: how its files fail, by their name.
    """

    key: ClassVar[str] = "planted"
    label: ClassVar[str] = "Planted"
    version: ClassVar[str] = "1"
    needs_dataset: ClassVar[bool] = False
    opened: ClassVar[list[str]] = []

    def __init__(self, setup: Setup) -> None:
        self._told: Mapping[str, Any] = setup.options
        self._clock = setup.clock

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        return ()

    @classmethod
    def create(cls, setup: Setup) -> Self:
        return cls(setup)

    def capabilities(self) -> Capabilities:
        kinds = frozenset(self._told.get("kinds", [EMAIL, PHONE, EXTERNAL_ID]))
        return Capabilities(kinds, TYPES, self._told.get("page_size", 2))

    def check(self) -> Check:
        return Check("planted", "1")

    def holds(self, identifiers: Sequence[Identifier]) -> Mapping[str, bool]:
        return {}

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        usable = require_identifiers(identifiers, self.capabilities().identifier_kinds)
        matches = [self._match(row, usable) for row in self._told["people"]]
        return [match for match in matches if match.matched_on]

    def _match(self, row: Mapping[str, Any], wanted: Sequence[Identifier]) -> Match:
        kinds = sorted({one.kind for one in wanted if bears(row, one)})
        if self._told.get("finds_all"):
            kinds = kinds or [EMAIL]
        reveals = tuple(
            Identifier(kind, str(row[kind])) for kind in self._told.get("reveals", ()) if row.get(kind)
        )
        return Match(
            f"people/{row['id']}",
            "people",
            tuple(kinds),
            Confidence(self._told.get("confidence", "exact")),
            {"id": row["id"]},
            {"name": row.get("name")},
            reveals,
        )

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        ids = {match.selector["id"] for match in matches}
        ignores = self._told.get("ignores_filter")
        rows = [("people", row) for row in self._told["people"] if ignores or row["id"] in ids]
        rows += [
            ("notes", row)
            for row in self._told.get("notes", ())
            if ignores or row.get("owner", row["person_id"]) in ids
        ]
        start, size = (cursor.seen if cursor else 0), self._told.get("page_size", 2)
        page = rows[start : start + size]
        following = Cursor("rows", None, start + size, len(rows)) if start + size < len(rows) else None
        unknown = {
            kind: tuple(sorted(names))
            for kind in ("people", "notes")
            if (names := {name for other, row in page if other == kind for name in self._unknown(row)})
        }
        return Page([self._record(*row) for row in page], following, len(rows), unknown_fields=unknown)

    def _unknown(self, row: Mapping[str, Any]) -> dict[str, Any]:
        known = self._told.get("known")
        return {} if known is None else {name: value for name, value in row.items() if name not in known}

    def _record(self, kind: str, row: Mapping[str, Any]) -> Record:
        unknown = self._unknown(row)
        files = tuple(
            Blob(f"file/{one['name']}", one["name"], "text/plain", one.get("size"))
            for one in row.get("files", ())
        )
        return Record(
            f"{kind}/{row['id']}",
            kind,
            link_of(kind, row),
            {
                name: value
                for name, value in row.items()
                if name not in unknown and name not in {"files", "owner"}
            },
            self._clock(),
            {},
            unclassified={name: value for name, value in unknown.items() if name not in {"files", "owner"}},
            blobs=files,
        )

    def open_blob(self, blob: Blob) -> Iterator[bytes]:
        type(self).opened.append(blob.name)
        how = self._told.get("bites", {}).get(blob.name)
        if how == "refused":
            raise Refused(reason="it is in quarantine there")
        if how == "patience":
            raise Throttled(retry_after=600)
        yield b"first "
        if how == "transient":
            raise Transient
        yield blob.name.encode()

    def close(self) -> None:
        pass


def bears(row: Mapping[str, Any], wanted: Identifier) -> bool:
    value, other = str(row.get(wanted.kind) or ""), wanted.value
    if wanted.kind == PHONE:
        value, other = phone_digits(value), phone_digits(other)
    return bool(value) and value.casefold() == other.casefold()


def link_of(kind: str, row: Mapping[str, Any]) -> Link:
    if kind == "people":
        kinds = [name for name in (EMAIL, PHONE, EXTERNAL_ID) if row.get(name)]
        return Link(
            LinkKind.IDENTITY, tuple(f"people.{name}" for name in kinds), {name: row[name] for name in kinds}
        )
    if "note_id" in row:
        return Link(LinkKind.REFERENCE, ("notes.note_id = notes.id",), {"note_id": row["note_id"]})
    return Link(LinkKind.REFERENCE, ("notes.person_id = people.id",), {"person_id": row["person_id"]})


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> type[Planted]:
    """Sources of this kind can be connected."""
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, "planted": f"{__name__}:Planted"})
    monkeypatch.setattr(Planted, "opened", [])
    return Planted
