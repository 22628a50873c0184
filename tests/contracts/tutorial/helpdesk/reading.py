"""Finds one person in the practice help desk, and reads what it holds of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from cases.connectors.base import (
    EMAIL,
    EXTERNAL_ID,
    PHONE,
    Blob,
    Capabilities,
    Check,
    ContractBroken,
    Cursor,
    Identifier,
    Limit,
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
from cases.connectors.web import WEB_OPTIONS, Meaning, Web, throttled, unwell

Row = Mapping[str, Any]

# What is known of each field. Whatever else comes is kept apart until a person has said what it is.
FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "contact": {
        "id": ("user.unique_id",),
        "email": ("user.contact.email",),
        "phone": ("user.contact.phone_number",),
        "name": ("user.name",),
        "archived": ("system.operations",),
    },
    "ticket": {
        "id": ("system.operations",),
        "contact": ("user.unique_id",),
        "subject": ("user.content",),
        "text": ("user.content",),
        "status": ("system.operations",),
    },
}
HANDLED_APART = frozenset({"files"})  # They become blobs.

# By which field of a contact a kind of identifier is searched, and how two values are compared.
SEARCHED = {EMAIL: "email", PHONE: "phone"}

# What this vendor means by answers that look like something else.
MEANINGS = (
    Meaning(throttled, statuses=[403], place="error", words=["quota_exceeded"]),
    Meaning(unwell, statuses=[200], place="error"),
)

OPTIONS = (
    *WEB_OPTIONS,
    Option("page_size", "Records a page", kind=OptionKind.NUMBER, default=100, minimum=1, maximum=1000),
    Option("token", "Access token", "From “API” in the help desk's settings.", required=True, secret=True),
)


class ReadingHelpDesk:
    """Reads contacts, their tickets and the files on those."""

    key: ClassVar[str] = "helpdesk"
    label: ClassVar[str] = "Practice help desk"
    version: ClassVar[str] = "1"
    needs_dataset: ClassVar[bool] = False

    def __init__(self, setup: Setup, settings: Settings) -> None:
        token = settings.secret("token") or ""
        self._web = Web.of(settings, setup, headers={"Authorization": f"Bearer {token}"}, meanings=MEANINGS)
        self._page_size = settings.number("page_size")
        self._clock = setup.clock

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        return OPTIONS

    @classmethod
    def create(cls, setup: Setup) -> Self:
        return cls(setup, read_settings(OPTIONS, setup))

    def capabilities(self) -> Capabilities:
        types = {
            "contact": RecordType("contact", frozenset({"email", "phone", "name"})),
            "ticket": RecordType("ticket", frozenset({"subject", "text"}), parents=("contact",)),
        }
        return Capabilities(
            identifier_kinds=frozenset(SEARCHED),
            types=types,
            page_max=self._page_size,
            blind_spots=("Tickets of others that mention the person in their text are not found.",),
            limits=(Limit(calls=600, seconds=60),),
        )

    def check(self) -> Check:
        me = self._web.read("GET", "/me")
        sample = self._list("contacts", {"archived": "include", "limit": 20})
        return Check(str(me.at("account")), str(me.at("version")), unknown_fields=_unknown("contact", sample))

    # --- Finding ---------------------------------------------------------------------------------------------

    def holds(self, identifiers: Sequence[Identifier]) -> Mapping[str, bool]:
        usable = require_identifiers(identifiers, SEARCHED)
        found = [(item.kind, bool(self._search(item))) for item in usable]
        return {kind: all(yes for one, yes in found if one == kind) for kind, _ in found}

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        found: dict[int, Row] = {}
        kinds: dict[int, list[str]] = {}
        for item in require_identifiers(identifiers, SEARCHED):
            for row in self._search(item):
                found[row["id"]] = row
                kinds.setdefault(row["id"], []).append(item.kind)
        return [_match(found[number], sorted(set(kinds[number]))) for number in sorted(found)]

    def _search(self, item: Identifier) -> list[Row]:
        field = SEARCHED[item.kind]
        rows = self._list("contacts", {field: item.value.strip(), "archived": "include"})
        # The desk passes over filters that it does not know, and then returns everybody.
        return [row for row in rows if _plain(item.kind, row[field]) == _plain(item.kind, item.value)]

    # --- Collecting ------------------------------------------------------------------------------------------

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        mine = {int(str(match.selector["id"])): match for match in matches}
        if not mine:
            return Page((), None, 0)
        start = cursor or Cursor("contact", after=0, total=self._count(mine))
        if start.stage not in FIELDS or not isinstance(start.after, int):
            raise ContractBroken(what="the place where an earlier search stopped")
        rows = self._rows(start.stage, mine, start.after)
        records = [self._record(start.stage, row, mine) for row in rows if _is_theirs(start.stage, row, mine)]
        following = self._next(start, rows, start.seen + len(records))
        return Page(records, following, start.total, unknown_fields=_unknown(start.stage, rows))

    def _next(self, start: Cursor, rows: Sequence[Row], seen: int) -> Cursor | None:
        """A full page may have another behind it; the place is the last key, as counting shifts."""
        if len(rows) == self._page_size:
            return Cursor(start.stage, rows[-1]["id"], seen, start.total)
        return Cursor("ticket", 0, seen, start.total) if start.stage == "contact" else None

    def _rows(self, stage: str, mine: Mapping[int, Match], after: int) -> list[Row]:
        place = {"after": after, "limit": self._page_size}
        if stage == "contact":
            return self._list("contacts", {**_contacts(mine), **place})
        return self._list("tickets", {**_tickets(mine), **place})

    def _count(self, mine: Mapping[int, Match]) -> int:
        asked = (("/contacts", _contacts(mine)), ("/tickets", _tickets(mine)))
        return sum(
            int(self._web.read("GET", route, params={**params, "limit": 0}).at("total"))
            for route, params in asked
        )

    def _record(self, stage: str, row: Row, mine: Mapping[int, Match]) -> Record:
        return Record(
            ref=f"{stage}/{row['id']}",
            type=stage,
            link=_link(stage, row, mine),
            data={name: value for name, value in row.items() if name in FIELDS[stage]},
            fetched_at=self._clock(),
            categories=FIELDS[stage],
            blobs=tuple(map(_blob, row.get("files", ()))),
            unclassified={name: row[name] for name in _unknown_in(stage, row)},
        )

    def _list(self, name: str, params: Mapping[str, Any]) -> list[Row]:
        rows = self._web.read("GET", f"/{name}", params=params).at(name)
        if not isinstance(rows, list):
            raise ContractBroken(what=f"a list of {name}")
        return rows

    def open_blob(self, blob: Blob) -> Iterator[bytes]:
        yield from self._web.stream("GET", "/files/{id}", fill={"id": blob.handle["id"]})

    def close(self) -> None:
        self._web.close()


def _plain(kind: str, value: str) -> str:
    return phone_digits(value) if kind == PHONE else value.strip().lower()


def _match(row: Row, kinds: Sequence[str]) -> Match:
    further = {EXTERNAL_ID: str(row["id"]), EMAIL: row["email"], PHONE: row["phone"]}
    return Match(
        ref=f"contact/{row['id']}",
        type="contact",
        matched_on=tuple(kinds),
        selector={"id": row["id"]},
        summary={"name": row["name"]},
        reveals=tuple(Identifier(kind, value) for kind, value in further.items() if value),
    )


def _contacts(mine: Mapping[int, Match]) -> dict[str, Any]:
    return {"ids": ",".join(map(str, sorted(mine))), "archived": "include"}


def _tickets(mine: Mapping[int, Match]) -> dict[str, Any]:
    return {"contacts": ",".join(map(str, sorted(mine)))}


def _is_theirs(stage: str, row: Row, mine: Mapping[int, Match]) -> bool:
    return row["id" if stage == "contact" else "contact"] in mine


def _link(stage: str, row: Row, mine: Mapping[int, Match]) -> Link:
    """The proof that a record belongs to the person: what it bears itself, or whose it says it is."""
    if stage == "ticket":
        return Link(LinkKind.REFERENCE, ("ticket.contact = contact.id",), {"contact": row["contact"]})
    kinds = {SEARCHED[kind]: kind for kind in mine[row["id"]].matched_on}
    return Link(
        LinkKind.IDENTITY,
        tuple(f"contact.{field}" for field in kinds),
        keys={field: row[field] for field in kinds},
        identifiers=kinds,
    )


def _blob(file: Row) -> Blob:
    return Blob(f"file/{file['id']}", name=file["name"], size=file["size"], handle={"id": file["id"]})


def _unknown_in(stage: str, row: Row) -> list[str]:
    return sorted(set(row) - set(FIELDS[stage]) - HANDLED_APART)


def _unknown(stage: str, rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    names = {name for row in rows for name in _unknown_in(stage, row)}
    return {stage: tuple(sorted(names))} if names else {}
