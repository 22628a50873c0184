"""The connector for the demo CRM, over its own HTTP interface: the shape of every connector to a system on the web."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Self, TypeAlias, cast

from cases.connectors.base import (
    EMAIL,
    JSON,
    PHONE,
    Blob,
    Capabilities,
    Check,
    Confidence,
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
    Setup,
    Transient,
    phone_digits,
    require_identifiers,
)
from cases.connectors.demo_crm.changes import Changes
from cases.connectors.demo_crm.description import (
    CATEGORIES,
    CONTACTS,
    FILES,
    IDENTITIES,
    MESSAGES,
    SET_BY_SYSTEM,
    SUBSCRIPTIONS,
    THIRD_PARTY,
    types,
)
from cases.connectors.options import Settings, read_settings
from cases.connectors.places import Place, PlacePage
from cases.connectors.web import WEB_OPTIONS, Meaning, Web, throttled

Row: TypeAlias = Mapping[str, Any]

OPTIONS: tuple[Option, ...] = (
    *WEB_OPTIONS,
    Option("page_size", "Records a page", kind=OptionKind.NUMBER, default=100, minimum=1, maximum=1000),
    Option(
        "api_key",
        "Key",
        "A key for reading; for changes another one, that may write.",
        required=True,
        secret=True,
    ),
)
# Four fifths of what the system allows, since several workers never agree to the second.
LIMIT: Final = Limit(800, 10.0)
MOST_MENTIONS: Final = 20
MOST_MATCHES: Final = 200
CHOSEN: Final = "chosen"
STAGES: Final = (*CATEGORIES, CHOSEN)
# Where this system says something else than its status does.
MEANINGS: Final = (
    Meaning(throttled, [200, 403], "error.code", {"rate_limited"}),
    Meaning(lambda _answer: Transient(), [200], "error"),
)


class DemoCrmConnector(Changes):
    """Contacts of the demo CRM and what hangs on them."""

    key: ClassVar[str] = "demo_crm"
    label: ClassVar[str] = "Demo CRM (HTTP)"
    version: ClassVar[str] = "1"
    needs_dataset: ClassVar[bool] = False

    def __init__(self, setup: Setup, settings: Settings) -> None:
        headers = {"Authorization": f"Bearer {settings.secret('api_key')}"}
        super().__init__(Web.of(settings, setup, headers=headers, meanings=MEANINGS), setup.clock)
        self._page_size = settings.number("page_size")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """Declare what an operator states."""
        return OPTIONS

    @classmethod
    def create(cls, setup: Setup) -> Self:
        """Check the settings. Raises ConfigurationError."""
        return cls(setup, read_settings(OPTIONS, setup))

    def capabilities(self) -> Capabilities:
        """Say what is held, and by what it is found."""
        return Capabilities(
            identifier_kinds=frozenset(IDENTITIES),
            types=types(),
            page_max=self._page_size,
            blind_spots=("Tickets and calls in which the person is only talked about are not found.",),
            limits=(LIMIT,),
        )

    def check(self) -> Check:
        """Show the key, and compare the fields that the system has with those that are described."""
        account = self._web.read("GET", "/v1/account")
        warnings = ("This key may also write; one that may only read is enough and safer.",)
        expires = account.at("key_expires_at")
        return Check(
            account=str(account.at("account")),
            server=f"{account.at('system')} {account.at('version')}",
            warnings=warnings if account.at("scope") == "write" else (),
            unknown_fields=self._unknown_fields(),
            credentials_expire_at=datetime.fromisoformat(expires).astimezone(UTC) if expires else None,
        )

    def _unknown_fields(self) -> dict[str, tuple[str, ...]]:
        said = self._web.read("GET", "/v1/schema").at("fields")
        if not isinstance(said, Mapping) or not set(CATEGORIES) <= set(said):
            raise ContractBroken(what="a list of fields without the kinds that are described")
        found = {kind: sorted({*said[kind]} - {*CATEGORIES[kind]}) for kind in CATEGORIES}
        return {kind: tuple(names) for kind, names in found.items() if names}

    # --- Finding --------------------------------------------------------------------------------------------------

    def holds(self, identifiers: Sequence[Identifier]) -> Mapping[str, bool]:
        """Say of each kind whether all identifiers of that kind are on file."""
        usable = require_identifiers(identifiers, IDENTITIES)
        found = [(item.kind, bool(self._contacts([item])) or self._subscribes(item)) for item in usable]
        return {kind: all(yes for one, yes in found if one == kind) for kind, _ in found}

    def _subscribes(self, item: Identifier) -> bool:
        return item.kind == EMAIL and bool(self._rows(SUBSCRIPTIONS, {"email": item.value.strip()}))

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        """Find contacts, subscriptions without a contact, and messages that mention the address."""
        usable = require_identifiers(identifiers, IDENTITIES)
        contacts = self._contacts(usable)
        emails = [item.value.strip() for item in usable if item.kind == EMAIL]
        subscribed = [row for one in emails for row in self._rows(SUBSCRIPTIONS, {"email": one})]
        known = {row["id"] for row in contacts}
        mentions = [row for one in emails for row in self._mentions(one, known)]
        return [
            *(_match(row, usable) for row in contacts),
            *(_subscription(row) for row in subscribed),
            *(_mention(row) for row in mentions),
        ]

    def _contacts(self, wanted: Sequence[Identifier]) -> list[Row]:
        found: dict[int, Row] = {}
        for item in wanted:
            asked = {IDENTITIES[item.kind]: item.value.strip(), "archived": "include"}
            found |= {row["id"]: row for row in self._rows(CONTACTS, asked)}
        # What comes back is compared, since a filter may be passed over in silence.
        if any(not _kinds_of(row, wanted) for row in found.values()):
            raise ContractBroken(what="contacts that were not asked for")
        return [found[number] for number in sorted(found)]

    def _mentions(self, address: str, known: set[int]) -> list[Row]:
        rows = self._rows(MESSAGES, {"q": address}, MOST_MENTIONS)
        about_others = [row for row in rows if row.get("contact_id") not in known]
        return [row for row in about_others if address.casefold() in str(row.get("text")).casefold()]

    def _rows(self, kind: str, asked: Mapping[str, str], limit: int = MOST_MATCHES) -> list[Row]:
        return self._list(kind, {**asked, "limit": limit})[0]

    # --- Collecting -----------------------------------------------------------------------------------------------

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        """Return one page, which goes on into the next kind while there is room."""
        start = cursor or Cursor(CONTACTS)
        if start.stage not in STAGES or not isinstance(start.after, str | None):
            raise ContractBroken(what="the place where an earlier search stopped")
        if not matches:
            return Page((), None, 0)
        person = _Person.of(matches)
        if cursor is None:
            start = Cursor(CONTACTS, total=sum(self._count(stage, person) for stage in STAGES))
        records, following = self._fill(person, start)
        unknown = self._unknown_fields() if cursor is None else {}
        seen = start.seen + len(records)
        if following is None:
            return Page(records, None, start.total, _changed(start.total, seen), unknown)
        after = Cursor(following[0], following[1], seen, start.total)
        return Page(records, after, start.total, unknown_fields=unknown)

    def _count(self, stage: str, person: _Person) -> int:
        if stage in person.by_id:
            return len(person.by_id[stage])
        if stage == CHOSEN:
            return len(self._chosen(person, None, MOST_MATCHES)[0])
        return self._list(stage, {**person.filter, "limit": 0})[1] if person.contacts else 0

    def _fill(self, person: _Person, start: Cursor) -> tuple[list[Record], tuple[str, str | None] | None]:
        records: list[Record] = []
        stages = [*STAGES[STAGES.index(start.stage) :]]
        after = cast(str | None, start.after)
        while stages and len(records) < self._page_size:
            rows, after = self._stretch(stages[0], person, after, self._page_size - len(records))
            records += [self._record(kind, row, person) for kind, row in rows]
            if after is None:
                stages.pop(0)
        return records, ((stages[0], after) if stages else None)

    def _stretch(
        self, stage: str, person: _Person, after: str | None, room: int
    ) -> tuple[list[tuple[str, Row]], str | None]:
        """Return records of one kind, and where to go on while there are more of them."""
        if stage in person.by_id:
            return self._matched([(stage, one) for one in sorted(person.by_id[stage])], after, room)
        if stage == CHOSEN:
            return self._chosen(person, after, room)
        if not person.contacts:
            return [], None
        rows, _total, following = self._list(stage, {**person.filter, "limit": room, "cursor": after})
        return [(stage, row) for row in rows], following

    def _chosen(
        self, person: _Person, after: str | None, room: int
    ) -> tuple[list[tuple[str, Row]], str | None]:
        """Records of which somebody said that they are the person's; those of their contacts come by themselves."""
        rows, following = self._matched(sorted(person.chosen), after, room)
        return [(kind, row) for kind, row in rows if row.get("contact_id") not in person.contacts], following

    def _matched(
        self, places: Sequence[tuple[str, int]], after: str | None, room: int
    ) -> tuple[list[tuple[str, Row]], str | None]:
        """Read records one by one; one that has gone meanwhile is left out."""
        begin = int(after or 0)
        read = [(kind, self._read(kind, number)) for kind, number in places[begin : begin + room]]
        kept = [(kind, row) for kind, row in read if row is not None]
        return kept, (str(begin + room) if len(places) > begin + room else None)

    def _record(self, kind: str, row: Row, person: _Person) -> Record:
        known = CATEGORIES[kind]
        data = {name: value for name, value in row.items() if name in known}
        others = list(THIRD_PARTY.get(kind, ()))
        if kind == MESSAGES and not row.get("from_customer"):
            others.append("author")
        return Record(
            ref=f"{kind}/{row['id']}",
            type=kind,
            link=person.link(kind, data),
            data=data,
            fetched_at=self._clock(),
            categories={name: known[name] for name in data},
            third_party_fields=tuple(others),
            source_version=str(row.get("version")),
            blobs=(_blob(row),) if kind == FILES else (),
            unclassified={name: value for name, value in row.items() if name not in {*known, *SET_BY_SYSTEM}},
            handle={"id": row["id"]},
        )

    # --- Walking --------------------------------------------------------------------------------------------------

    def places(self, cursor: Cursor | None) -> PlacePage:
        """Return one page of every record of one kind, archived ones among them; the kinds follow one another."""
        kinds = [*CATEGORIES]
        stage = cursor.stage if cursor else kinds[0]
        if stage not in kinds:
            raise ContractBroken(what="the place where an earlier search stopped")
        asked = {"limit": self._page_size, "archived": "include", "cursor": cursor.after if cursor else None}
        rows, _total, following = self._list(stage, asked)
        places = [Place(f"{stage}/{row['id']}", stage, _borne(stage, row)) for row in rows]
        if following is not None:
            return PlacePage(places, Cursor(stage, following))
        later = kinds[kinds.index(stage) + 1 :]
        return PlacePage(places, Cursor(later[0]) if later else None)

    def open_blob(self, blob: Blob) -> Iterator[bytes]:
        """Yield a file."""
        yield from self._web.stream("GET", "/v1/files/{id}/content", fill={"id": blob.handle.get("id", 0)})


class _Person:
    """Whom to collect, as ``find`` said it: contacts, subscriptions, and single records that somebody chose."""

    def __init__(self, places: set[tuple[str, int]]) -> None:
        self.contacts = {number for kind, number in places if kind == CONTACTS}
        self.by_id = {
            CONTACTS: self.contacts,
            SUBSCRIPTIONS: {number for kind, number in places if kind == SUBSCRIPTIONS},
        }
        self.chosen = {(kind, number) for kind, number in places if kind not in self.by_id}

    @classmethod
    def of(cls, matches: Sequence[Match]) -> _Person:
        """Read the matches. Raises ContractBroken for what is none of ours."""
        places = {(match.type, match.selector.get("id")) for match in matches}
        known = {(kind, number) for kind, number in places if kind in CATEGORIES and isinstance(number, int)}
        if len(known) != len(places):
            raise ContractBroken(what="a match that was kept from an earlier step")
        return cls(known)

    @property
    def filter(self) -> dict[str, str]:
        """The filter that describes what hangs on the contacts."""
        return {"contact_id": ",".join(map(str, sorted(self.contacts)))}

    def link(self, kind: str, data: Mapping[str, JSON]) -> Link:
        """Prove a record by what it holds. Raises ContractBroken where it is not the person's."""
        if kind in {CONTACTS, SUBSCRIPTIONS}:
            if data["id"] not in self.by_id[kind]:
                raise ContractBroken(what=f"{kind} that were not asked for")
            return _identity(kind, data)
        if data.get("contact_id") in self.contacts:
            keys = {"contact_id": data["contact_id"]}
            return Link(LinkKind.REFERENCE, (f"{kind}.contact_id = contacts.id",), keys)
        if (kind, data["id"]) in self.chosen:
            return Link(LinkKind.IDENTITY, (f"{kind}.id",), {"id": data["id"]})
        raise ContractBroken(what=f"{kind} that were not asked for")


def _identity(kind: str, data: Mapping[str, JSON]) -> Link:
    """All that a record could be known by: whoever compares, compares the record and not the search."""
    names = {
        name: item
        for item, name in IDENTITIES.items()
        if data.get(name) and (name == "email" or kind == CONTACTS)
    }
    if data.get("other_emails"):
        names["other_emails"] = EMAIL
    via = tuple(f"{kind}.{name}" for name in names)
    return Link(LinkKind.IDENTITY, via, {name: data[name] for name in names}, names)


def _kinds_of(row: Row, wanted: Sequence[Identifier]) -> tuple[str, ...]:
    return tuple(sorted({item.kind for item in wanted if _bears(row, item)}))


def _bears(row: Row, item: Identifier) -> bool:
    if item.kind == EMAIL:
        held = [row.get("email"), *(row.get("other_emails") or ())]
        return item.value.strip().casefold() in {str(one).casefold() for one in held if one}
    if item.kind == PHONE:
        return phone_digits(str(row.get("phone") or "")) == phone_digits(item.value)
    return str(row.get("number") or "") == item.value.strip()


def _borne(kind: str, row: Row) -> tuple[Identifier, ...]:
    """The identifiers that a record bears itself."""
    if kind not in {CONTACTS, SUBSCRIPTIONS}:
        return ()
    names = IDENTITIES if kind == CONTACTS else {EMAIL: "email"}
    held = [Identifier(item, str(row[name])) for item, name in names.items() if row.get(name)]
    return (*held, *(Identifier(EMAIL, str(one)) for one in row.get("other_emails") or ()))


def _match(row: Row, wanted: Sequence[Identifier]) -> Match:
    """Sure, but where only a number agrees, which a household may share, and the address is another."""
    kinds = _kinds_of(row, wanted)
    is_other = kinds == (PHONE,) and any(item.kind == EMAIL for item in wanted) and bool(row.get("email"))
    return Match(
        ref=f"{CONTACTS}/{row['id']}",
        type=CONTACTS,
        matched_on=kinds,
        confidence=Confidence.PROBABLE if is_other else Confidence.EXACT,
        selector={"id": row["id"]},
        summary={name: row.get(name) for name in ("name", "email", "phone", "number")},
        reveals=_borne(CONTACTS, row),
    )


def _subscription(row: Row) -> Match:
    return Match(f"{SUBSCRIPTIONS}/{row['id']}", SUBSCRIPTIONS, (EMAIL,), selector={"id": row["id"]})


def _mention(row: Row) -> Match:
    return Match(
        ref=f"{MESSAGES}/{row['id']}",
        type=MESSAGES,
        matched_on=(EMAIL,),
        confidence=Confidence.MENTION,
        selector={"id": row["id"]},
        summary={name: row.get(name) for name in ("author", "text", "sent_at")},
    )


def _blob(row: Row) -> Blob:
    return Blob(
        ref=f"{FILES}/{row['id']}",
        name=str(row.get("name") or "file"),
        media_type=str(row.get("media_type") or "application/octet-stream"),
        size=row["size"] if isinstance(row.get("size"), int) else None,
        handle={"id": row["id"]},
    )


def _changed(total: int | None, seen: int) -> tuple[str, ...]:
    if total is None or total == seen:
        return ()
    return (f"The source counted {total} records at the start and gave {seen}: it changed meanwhile.",)
