"""A source of people and notes, given as JSON in its options.

The smallest connector that keeps the whole contract.

It reads no file and no network, so that offering it to an operator opens nothing.
"""

from __future__ import annotations

import hmac
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, TypeAlias

from cases.connectors.base import (
    EMAIL,
    PHONE,
    AuthError,
    Capabilities,
    Check,
    ConfigurationError,
    ContractBroken,
    Cursor,
    Identifier,
    Link,
    LinkKind,
    Match,
    Option,
    OptionKind,
    Page,
    Record,
    RecordType,
    Setup,
    phone_digits,
    require_identifiers,
)
from cases.connectors.options import Settings, read_settings
from cases.connectors.questions import Answer, FactKind, Question

Row: TypeAlias = Mapping[str, Any]

# What is known of each field. A field that is not listed is reported and kept apart.
CATEGORIES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "people": {
        "id": ("user.unique_id",),
        "email": ("user.contact.email",),
        "phone_number": ("user.contact.phone_number",),
        "name": ("user.name",),
        "postcode": ("user.contact.address.postal_code",),
        "customer_since": ("user.account",),
        "last_bill": ("user.financial",),
        "tariff": ("user.account",),
    },
    "notes": {
        "id": ("system.operations",),
        "person_id": ("user.unique_id",),
        "agent": ("user.name",),
        "text": ("user.content",),
    },
}
THIRD_PARTY_FIELDS: Mapping[str, tuple[str, ...]] = {"people": (), "notes": ("agent",)}

_OPTIONS = (
    Option("records", "Records", "People and notes as JSON, as in sample.json.", required=True),
    Option("page_size", "Records a page", kind=OptionKind.NUMBER, default=100, minimum=1, maximum=1000),
    Option("token", "Access token", "Must equal the “token” of the records, if they have one.", secret=True),
)


class DemoConnector:
    """People and their notes; see README.md for how it is made."""

    key: ClassVar[str] = "demo"
    label: ClassVar[str] = "Demonstration records"
    version: ClassVar[str] = "1"
    needs_dataset: ClassVar[bool] = False

    def __init__(self, setup: Setup, settings: Settings, source: Mapping[str, Any]) -> None:
        self._clock = setup.clock
        self._token = settings.secret("token") or ""
        self._page_size = settings.number("page_size")
        self._source = source

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """Declare what an operator states."""
        return _OPTIONS

    @classmethod
    def create(cls, setup: Setup) -> Self:
        """Read the records. Raises ConfigurationError when they are not what sample.json shows."""
        settings = read_settings(_OPTIONS, setup)
        return cls(setup, settings, _read_records(settings.text("records")))

    def capabilities(self) -> Capabilities:
        """Say what is held."""
        people, notes = (frozenset(CATEGORIES[name]) - {"id"} for name in ("people", "notes"))
        types = {
            "people": RecordType("people", people),
            "notes": RecordType("notes", notes, parents=("people",)),
        }
        return Capabilities(
            frozenset({EMAIL, PHONE}), types, self._page_size, ("It holds what its options hold.",)
        )

    def check(self) -> Check:
        """Try the token."""
        self._open()
        return Check("demo", "Demonstration records 1", unknown_fields=self._unknown_fields())

    def holds(self, identifiers: Sequence[Identifier]) -> Mapping[str, bool]:
        """Say of each kind whether all identifiers of it are on file."""
        usable = require_identifiers(identifiers, self.capabilities().identifier_kinds)
        people = self._open()["people"]
        found = [(item.kind, any(_bears(person, item) for person in people)) for item in usable]
        return {kind: all(yes for one, yes in found if one == kind) for kind, _ in found}

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        """Find people by exact address or number."""
        usable = require_identifiers(identifiers, self.capabilities().identifier_kinds)
        return [
            Match(
                f"people/{person['id']}",
                "people",
                tuple(kinds),
                selector={"id": person["id"], "kinds": kinds},
            )
            for person in self._open()["people"]
            if (kinds := sorted({item.kind for item in usable if _bears(person, item)}))
        ]

    @classmethod
    def questions(cls, setup: Setup) -> tuple[Question, ...]:
        """Say what the records declare under “questions”, which is all that may be asked."""
        settings = read_settings(tuple(one for one in _OPTIONS if not one.secret), setup)
        return _read_questions(_read_records(settings.text("records")))

    def facts(self, identifier: Identifier, names: Sequence[str]) -> Sequence[Answer]:
        """Give the fields of the one person who bears the identifier; nothing where several do."""
        (usable,) = require_identifiers([identifier], self.capabilities().identifier_kinds)
        source = self._open()
        known = {question.name for question in _read_questions(source)}
        found = [person for person in source["people"] if _bears(person, usable)]
        if len(found) != 1:
            return []
        values = {name: found[0].get(name.partition(".")[2]) for name in names if name in known}
        return [Answer(name, str(value)) for name, value in values.items() if value not in {None, ""}]

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        """Return the next records after the cursor, in the order of their type and id."""
        rows = self._related(self._open(), matches)
        start = cursor or Cursor("people", after=0, total=len(rows))
        place = _read_place(start)
        page = [(name, row) for name, row in rows if (_ORDER[name], row["id"]) > place][: self._page_size]
        records = [self._make_record(name, row, matches) for name, row in page]
        is_last = not page or page[-1] == rows[-1]
        following = (
            None if is_last else Cursor(page[-1][0], page[-1][1]["id"], start.seen + len(page), start.total)
        )
        unknown = self._unknown_fields() if cursor is None else {}
        return Page(records, following, start.total, unknown_fields=unknown)

    def close(self) -> None:
        """Nothing is open."""

    def _open(self) -> Mapping[str, Sequence[Row]]:
        if not hmac.compare_digest(self._token.encode(), str(self._source.get("token", "")).encode()):
            raise AuthError
        return self._source

    @staticmethod
    def _related(source: Mapping[str, Sequence[Row]], matches: Sequence[Match]) -> list[tuple[str, Row]]:
        """Return the matched people and their notes, and nothing that hangs on anybody else."""
        ids = {match.selector["id"] for match in matches}
        found = [("people", row) for row in source["people"] if row["id"] in ids]
        found += [("notes", row) for row in source["notes"] if row["person_id"] in ids]
        return sorted(found, key=lambda item: (_ORDER[item[0]], item[1]["id"]))

    def _make_record(self, name: str, row: Row, matches: Sequence[Match]) -> Record:
        return Record(
            ref=f"{name}/{row['id']}",
            type=name,
            link=_link(name, row, matches),
            data={field: value for field, value in row.items() if field in CATEGORIES[name]},
            unclassified={field: value for field, value in row.items() if field not in CATEGORIES[name]},
            fetched_at=self._clock(),
            categories=CATEGORIES[name],
            third_party_fields=THIRD_PARTY_FIELDS[name],
        )

    def _unknown_fields(self) -> dict[str, tuple[str, ...]]:
        found = {
            name: sorted({key for row in self._source[name] for key in row} - {*CATEGORIES[name]})
            for name in _ORDER
        }
        return {name: tuple(fields) for name, fields in found.items() if fields}


_ORDER = {"people": 0, "notes": 1}


def _read_records(text: str) -> Mapping[str, Any]:
    try:
        source = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"the records are not JSON (line {error.lineno}).") from None
    if not isinstance(source, dict) or not all(_is_table(source.get(name), name) for name in _ORDER):
        raise ConfigurationError("the records must hold “people” and “notes”, as in sample.json.")
    return source


def _read_questions(source: Mapping[str, Any]) -> tuple[Question, ...]:
    try:
        return tuple(
            Question(
                f"people.{one['field']}",
                FactKind(one["kind"]),
                one["question"],
                tuple(one.get("choices", ())),
            )
            for one in source.get("questions", ())
        )
    except (KeyError, TypeError, ValueError):
        raise ConfigurationError("the questions must have a field, a kind and a question each.") from None


def _is_table(rows: object, name: str) -> bool:
    needed = {"people": {"id": int}, "notes": {"id": int, "person_id": int}}[name]
    return isinstance(rows, list) and all(
        isinstance(row, dict) and all(isinstance(row.get(field), kind) for field, kind in needed.items())
        for row in rows
    )


def _bears(person: Row, identifier: Identifier) -> bool:
    return _normalise(identifier.kind, str(person.get(identifier.kind, ""))) == _normalise(
        identifier.kind, identifier.value
    )


def _normalise(kind: str, value: str) -> str:
    if kind == PHONE:
        return phone_digits(value)
    return unicodedata.normalize("NFC", value.strip().lower())


def _read_place(cursor: Cursor) -> tuple[int, int]:
    if cursor.stage not in _ORDER or not isinstance(cursor.after, int):
        raise ContractBroken(what="the place where an earlier search stopped")
    return _ORDER[cursor.stage], cursor.after


def _link(name: str, row: Row, matches: Sequence[Match]) -> Link:
    """Return the proof: the identifiers that a person bears, or the person that a note names."""
    if name == "notes":
        return Link(LinkKind.REFERENCE, ("notes.person_id = people.id",), {"person_id": row["person_id"]})
    kinds = [kind for match in matches if match.selector["id"] == row["id"] for kind in match.matched_on]
    return Link(
        LinkKind.IDENTITY,
        tuple(f"people.{kind}" for kind in kinds),
        keys={kind: row[kind] for kind in kinds},
        identifiers={kind: kind for kind in kinds},
    )
