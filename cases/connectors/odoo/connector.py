"""The connector for Odoo 19, over JSON-2; see README.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final, Self

from cases.connectors.base import (
    JSON,
    Blob,
    Capabilities,
    Check,
    ConfigurationError,
    ContractBroken,
    Cursor,
    Identifier,
    Limit,
    Match,
    Option,
    OptionKind,
    Page,
    PermissionDenied,
    Record,
    Setup,
    require_identifiers,
)
from cases.connectors.changes import Action, Finding, Plan, Receipt, Wish
from cases.connectors.odoo.applying import Writer
from cases.connectors.odoo.behaviour import DELETABLE, described
from cases.connectors.odoo.client import Odoo, all_of
from cases.connectors.odoo.description import DESCRIPTION
from cases.connectors.odoo.people import KINDS, Finder, Person
from cases.connectors.odoo.planning import Planner
from cases.connectors.odoo.records import Fields, Maker, Reader
from cases.connectors.odoo.schema import CORE, MESSAGE, PARTNER, Schema, schema_of
from cases.connectors.odoo.scope import Scope
from cases.connectors.odoo.verifying import Verifier
from cases.connectors.odoo.wanted import id_of
from cases.connectors.options import Settings, read_settings
from cases.connectors.web import WEB_OPTIONS

OLDEST = 19

OPTIONS: tuple[Option, ...] = (
    *WEB_OPTIONS,
    Option("database", "Database", "The name of the database; not needed where the address has only one."),
    Option("page_size", "Records a page", kind=OptionKind.NUMBER, default=200, minimum=1, maximum=1000),
    Option(
        "calls_per_minute",
        "Calls a minute",
        "How many calls the system may be asked for. The first page takes about a hundred.",
        kind=OptionKind.NUMBER,
        default=600,
        minimum=200,
        maximum=60_000,
    ),
    Option("api_key", "API key", "Of an account made for this; see the README.", required=True, secret=True),
)

BLIND_SPOTS: Final = (
    "Records that name the person in free text alone are not found, but for messages with the e-mail address in them.",
    "A telephone number is searched for among contacts only.",
    "Contacts kept under the person that bear another e-mail address are taken for other people.",
    "What hangs on a meeting or a group conversation in which the person is one of several is not collected.",
    "What the account may not read is not searched; the test of the connection names it.",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after which record of which model, what is still to come, and what the person owns."""

    model: str
    after: int
    left: tuple[str, ...]
    owned: tuple[str, ...]

    @classmethod
    def of(cls, cursor: Cursor, schema: Schema) -> Place:
        """Read what ``cursor`` wrote. Raises ContractBroken for anything else."""
        said = cursor.after
        if isinstance(said, Mapping) and cursor.stage in schema.models:
            after, left, owned = said.get("after"), said.get("left"), said.get("owned")
            if isinstance(after, int) and _are_names(left, schema) and _are_names(owned, schema):
                return cls(cursor.stage, after, tuple(left), tuple(owned))  # type: ignore[arg-type]
        raise ContractBroken(what="the place where an earlier search stopped")

    def cursor(self, seen: int, total: int | None) -> Cursor:
        return Cursor(
            self.model, {"after": self.after, "left": [*self.left], "owned": [*self.owned]}, seen, total
        )


def _are_names(said: object, schema: Schema) -> bool:
    return isinstance(said, list) and all(name in schema.models for name in said)


class OdooConnector:
    """One Odoo database."""

    key: ClassVar[str] = "odoo"
    label: ClassVar[str] = "Odoo 19"
    version: ClassVar[str] = "1"
    needs_dataset: ClassVar[bool] = False

    def __init__(self, setup: Setup, settings: Settings) -> None:
        self._clock = setup.clock
        self._page_size = settings.number("page_size")
        self._calls = settings.number("calls_per_minute")
        self._odoo = Odoo(settings, setup)
        self._account = hash(settings.secret("api_key"))

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

    # --- What it says of itself -----------------------------------------------------------------------------------

    def capabilities(self) -> Capabilities:
        """Say what every Odoo holds; further models are found by asking."""
        types = {name: described(name) for name in DESCRIPTION.standard}
        limits = (Limit(self._calls, 60.0),)
        return Capabilities(KINDS, types, self._page_size, BLIND_SPOTS, limits)

    def check(self) -> Check:
        """Sign in, ask for the version, and try to read each model."""
        version = self._odoo.version()
        major = version.partition(".")[0].rpartition("~")[2]
        if not major.isdecimal() or int(major) < OLDEST:
            raise ConfigurationError(f"this is Odoo {version}; {OLDEST} or newer is needed.")
        login, expires = self._sign_in()
        schema = self._schema(fresh=True)
        warnings = tuple(self._warnings(schema))
        return Check(login, f"Odoo {version}", warnings, self._unknown(schema), expires)

    def _sign_in(self) -> tuple[str, datetime | None]:
        """Return the account, and when its key runs out, where it has just one and may be asked."""
        uid = self._odoo.ask("res.users", "context_get").get("uid")
        rows = self._odoo.rows("res.users", [["id", "=", uid]], ["login"])
        try:
            keys = self._odoo.rows("res.users.apikeys", [["user_id", "=", uid]], ["expiration_date"])
        except PermissionDenied:
            keys = []
        expires = str(keys[0]["expiration_date"] or "") if len(keys) == 1 else ""
        moment = datetime.fromisoformat(expires).replace(tzinfo=UTC) if expires else None
        return (str(rows[0]["login"]) if rows else "?"), moment

    def _warnings(self, schema: Schema) -> Iterator[str]:
        closed = [name for name in schema.models if not self._may_read(schema, name)]
        if core := [name for name in closed if name in CORE]:
            raise PermissionDenied(what=", ".join(core))
        if closed:
            yield f"The account may not read, and so nothing is found in: {', '.join(sorted(closed))}."
        if self._odoo.may(PARTNER, "unlink"):
            yield "The account may delete contacts: for searching, one that may only read is enough and safer."
            kept = [
                name for name in schema.models if name in DELETABLE and not self._odoo.may(name, "unlink")
            ]
            if kept:
                yield f"For changes, it may not delete, and so cannot erase: {', '.join(sorted(kept))}."

    def _may_read(self, schema: Schema, name: str) -> bool:
        try:
            return self._odoo.may(name, "read")
        except PermissionDenied:
            return False

    # --- Finding --------------------------------------------------------------------------------------------------

    def holds(self, identifiers: Sequence[Identifier]) -> Mapping[str, bool]:
        """Say of each kind whether all identifiers of that kind are on file."""
        return Finder(self._odoo, self._schema(), require_identifiers(identifiers, KINDS)).holds()

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        """Find partners, records that bear the address, and messages that mention it."""
        wanted = require_identifiers(identifiers, KINDS)
        schema = self._schema()
        finder = Finder(self._odoo, schema, wanted)
        matches = finder.find()
        return [*matches, *finder.mentions(lambda ids: self._theirs(schema, matches, ids))]

    def _theirs(self, schema: Schema, matches: Sequence[Match], messages: Sequence[int]) -> frozenset[int]:
        """Say which of these messages are collected with what was found."""
        scope = self._scope(schema, matches)
        scope.find_owned()
        known = scope.domain(MESSAGE)
        asked = all_of([known, [["id", "in", [*messages]]]]) if known else []
        return frozenset(self._odoo.ids(MESSAGE, asked)) if asked else frozenset()

    # --- Collecting -----------------------------------------------------------------------------------------------

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        """Return one page, which goes on into the next model while there is room."""
        schema = self._schema()
        place = Place.of(cursor, schema) if cursor else None
        if not matches:
            return Page((), None, 0)
        scope = self._scope(schema, matches)
        if cursor is None or place is None:
            return self._first_page(schema, scope)
        scope.owned = place.owned
        return self._page(schema, scope, place, cursor, {})

    def _first_page(self, schema: Schema, scope: Scope) -> Page:
        """Count everything first, so that progress has an end to measure against."""
        scope.find_owned()
        counts, closed = self._count(scope)
        stages = [name for name in scope.stages() if counts.get(name)]
        if not stages:
            return Page((), None, 0, _closed(closed), self._unknown(schema))
        place = Place(stages[0], 0, tuple(stages[1:]), tuple(scope.owned))
        page = self._page(
            schema, scope, place, Cursor(stages[0], total=sum(counts.values())), self._unknown(schema)
        )
        return Page(
            page.records,
            page.next,
            page.expected_total,
            (*_closed(closed), *page.warnings),
            page.unknown_fields,
        )

    def _count(self, scope: Scope) -> tuple[dict[str, int], list[str]]:
        """Count the records of each model, and name those that the account may not read."""
        counts, closed = dict[str, int](), list[str]()
        for name in scope.stages():
            domain = scope.domain(name)
            if domain is None:
                continue
            try:
                counts[name] = self._odoo.count(name, domain)
            except PermissionDenied:
                if name in CORE:
                    raise
                closed.append(name)
        return counts, closed

    def _page(
        self,
        schema: Schema,
        scope: Scope,
        place: Place,
        start: Cursor,
        unknown: Mapping[str, tuple[str, ...]],
    ) -> Page:
        records: list[Record] = []
        queue, after, read = [place.model, *place.left], place.after, 0
        while queue and read < self._page_size:
            made, last, count = self._stretch(schema, scope, queue[0], after, self._page_size - read)
            records += made
            read += count
            after = last or 0
            if last is None:
                queue.pop(0)
        total = start.total
        if not queue:
            return Page(records, None, total, _changed(total, start.seen + read), unknown)
        following = Place(queue[0], after, tuple(queue[1:]), place.owned)
        return Page(records, following.cursor(start.seen + read, total), total, (), unknown)

    def _stretch(
        self, schema: Schema, scope: Scope, name: str, after: int, room: int
    ) -> tuple[list[Record], int | None, int]:
        """Return records of one model, the id to go on after while there are more, and how many were read."""
        domain = scope.domain(name)
        if domain is None:
            return [], None, 0
        reader = Reader(self._odoo, schema)
        fields = reader.fields(name)
        asked = all_of([domain, [["id", ">", after]]])
        rows = self._odoo.rows(name, asked, fields.names, limit=room + 1)
        if any(row["id"] <= after for row in rows):
            raise ContractBroken(what=f"records of {name} that were not asked for")
        kept = rows[:room]
        made = Maker(reader, scope, fields, self._clock()).make(kept)
        return made, (kept[-1]["id"] if len(rows) > room else None), len(made)

    def open_blob(self, blob: Blob) -> Iterator[bytes]:
        """Yield an attachment."""
        number = blob.handle.get("id")
        if not isinstance(number, int):
            raise ContractBroken(what="a file that was not named by this connector")
        yield from self._odoo.file(number)

    # --- Changing -------------------------------------------------------------------------------------------------

    def plan(self, wishes: Sequence[Wish]) -> Plan:
        """Say what would be done and what Odoo would refuse, as the account that changes sees it; reads only."""
        return self.plan_part(wishes, {})

    def plan_part(self, wishes: Sequence[Wish], going: Mapping[tuple[str, str], str]) -> Plan:
        """The same for some of many wishes, of which those are known that delete something."""
        return Planner(self._reader(), going).plan(wishes)

    def read_again(self, wish: Wish) -> Mapping[str, JSON] | None:
        """Return a record's fields as they are now; None where it is gone."""
        reader, number = self._reader(), id_of(wish)
        if wish.type not in reader.schema.models:
            raise ContractBroken(what=f"a record of {wish.type}, which this Odoo does not have")
        return reader.data(wish.type, [number]).get(number)

    def apply(self, action: Action) -> Receipt:
        """Carry out one action: read, write unless it is as wished, and read back."""
        return Writer(self._reader(), self._clock).apply(action)

    def poll(self, receipt: Receipt) -> Receipt:
        """Return the receipt: Odoo does everything at once."""
        return receipt

    def verify(
        self, identifiers: Sequence[Identifier], matches: Sequence[Match], actions: Sequence[Action]
    ) -> Sequence[Finding]:
        """Look for what is left: by id, field by field, in what Odoo tracked, and by searching."""
        return Verifier(self._reader()).look(identifiers, actions)

    def close(self) -> None:
        """Let go of the connection; may be called twice."""
        self._odoo.close()

    # --- Help -----------------------------------------------------------------------------------------------------

    def _reader(self) -> Reader:
        return Reader(self._odoo, self._schema())

    def _schema(self, *, fresh: bool = False) -> Schema:
        return schema_of(self._odoo, self._account, self._clock(), fresh=fresh)

    def _scope(self, schema: Schema, matches: Sequence[Match]) -> Scope:
        return Scope(self._odoo, schema, Person.of(matches))

    def _unknown(self, schema: Schema) -> dict[str, tuple[str, ...]]:
        """The fields of all models that nobody has described."""
        found = {
            model.name: Fields.of(model, tuple(model.fields)).unknown for model in schema.models.values()
        }
        return {name: tuple(sorted(unknown)) for name, unknown in found.items() if unknown}


def _closed(names: Sequence[str]) -> tuple[str, ...]:
    return (
        (f"The account may not read, and so nothing was found in: {', '.join(sorted(names))}.",)
        if names
        else ()
    )


def _changed(total: int | None, seen: int) -> tuple[str, ...]:
    if total is None or total == seen:
        return ()
    return (f"The source counted {total} records at the start and gave {seen}: it changed meanwhile.",)
