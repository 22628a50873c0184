"""The connector for relational databases; what is peculiar to one kind of them is in its dialect."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Self, TypeAlias, cast

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from cases.connectors.base import (
    JSON,
    PHONE,
    Ability,
    Capabilities,
    Check,
    ConfigurationError,
    ContractBroken,
    Cursor,
    Effect,
    FieldForm,
    Identifier,
    LinkKind,
    Match,
    Option,
    OptionKind,
    Page,
    PermissionDenied,
    Record,
    RecordType,
    SchemaDrift,
    Setup,
    TimedOut,
    is_searchable,
    require_identifiers,
)
from cases.connectors.changes import (
    Action,
    Blocker,
    Finding,
    Obstacle,
    Outcome,
    Plan,
    Receipt,
    Remains,
    Wish,
)
from cases.connectors.dataset import parse_dataset
from cases.connectors.description import Collection, Dataset, Field
from cases.connectors.options import Settings, read_settings
from cases.connectors.places import PlacePage
from cases.connectors.questions import Answer, Question
from cases.connectors.sql.applying import Writer
from cases.connectors.sql.asking import answers, is_one_person, questions_of
from cases.connectors.sql.dialect import Dialect, WriteRefused, is_binary
from cases.connectors.sql.engines import Engines
from cases.connectors.sql.explaining import warn_of_scans
from cases.connectors.sql.identity import equals
from cases.connectors.sql.matching import Finder, traits_of
from cases.connectors.sql.places import walk
from cases.connectors.sql.planning import Blocked, Planner, find_key, read_row
from cases.connectors.sql.query import PagePlan, Row, Search
from cases.connectors.sql.schema import BoundCollection, BoundSource, SchemaCache, bind
from cases.connectors.sql.session import Result, Session, Work
from cases.connectors.sql.values import PLAIN, held_back, key_text, measured, row_handle, row_ref, to_json
from cases.connectors.sql.verifying import ERASING, Verifier

_CACHE = SchemaCache()
_ENGINES = Engines()

# What every kind of database asks beside its address.
COMMON_OPTIONS = (
    Option(
        "statement_timeout",
        "Time limit (seconds)",
        "How long one query may take on the server.",
        kind=OptionKind.NUMBER,
        default=60,
        minimum=1,
        maximum=600,
    ),
    Option(
        "connect_timeout",
        "Connection limit (seconds)",
        "How long to wait for the server to answer.",
        kind=OptionKind.NUMBER,
        default=10,
        minimum=2,
        maximum=60,
    ),
    Option(
        "page_size",
        "Rows a page",
        "How many rows are fetched at once; fewer where rows hold large files.",
        kind=OptionKind.NUMBER,
        default=2000,
        minimum=1,
        maximum=5000,
    ),
    Option(
        "free_text",
        "Free text to look through",
        "Columns as table.column, separated by commas, in which the person may be mentioned. They are read as a whole"
        " after an erasure, to see what is left.",
    ),
    Option(
        "erase_user",
        "User for changes",
        "A separate account that may change and delete rows. Without it, this source is only read.",
        secret=True,
    ),
    Option("erase_password", "Password for changes", secret=True),
)

Counts: TypeAlias = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The rows of one collection on one page, and where to go on, if there is more of it."""

    records: list[Record]
    after: list[JSON] | None


class SQLConnector(ABC):
    """A relational database, described by a dataset, read in read-only transactions over one connection."""

    key: ClassVar[str]
    label: ClassVar[str]
    version: ClassVar[str]
    needs_dataset: ClassVar[bool] = True

    def __init__(self, setup: Setup, settings: Settings, dataset: Dataset) -> None:
        self._clock = setup.clock
        self._settings = settings
        self._dataset = dataset
        self._schema = self.schema(settings)
        self._page_size = settings.number("page_size")
        self._dialect = self.make_dialect(settings)
        self._reading = Session(self._dialect, self._open_reading)
        self._planning = Session(self._dialect, self._open_writing)
        self._writing = Session(self._dialect, self._open_writing, writes=True)
        self._may_change = bool(settings.secret("erase_user"))
        self._free_text = tuple(_read_places(settings.text("free_text"), dataset))
        self._cache_key = (self.key, *self.address(settings), self._schema, setup.dataset_yaml or "")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._dataset.key}>"

    @classmethod
    @abstractmethod
    def options(cls) -> tuple[Option, ...]:
        """Declare what an operator has to state."""

    @classmethod
    @abstractmethod
    def make_dialect(cls, settings: Settings) -> Dialect:
        """Return the dialect for these settings."""

    @classmethod
    @abstractmethod
    def make_url(cls, settings: Settings, *, user: str | None, password: str | None) -> sa.URL:
        """Return the address of the database, for this account."""

    @classmethod
    def schema(cls, settings: Settings) -> str:
        """Return the schema that holds the described tables."""
        return settings.text("schema")

    @classmethod
    @abstractmethod
    def address(cls, settings: Settings) -> tuple[str, ...]:
        """Return what tells this database from others, without any secret."""

    @classmethod
    def create(cls, setup: Setup) -> Self:
        """Validate options and description. Raises ConfigurationError or DatasetError."""
        settings = read_settings(cls.options(), setup)
        return cls(setup, settings, parse_dataset(setup.dataset_yaml or ""))

    # --- What it says of itself -----------------------------------------------------------------------------

    def capabilities(self) -> Capabilities:
        """Say what can be found, and by what."""
        return Capabilities(
            identifier_kinds=self._dataset.identity_kinds,
            types={item.name: self._describe(item) for item in self._dataset.reached},
            page_max=self._page_size,
            blind_spots=tuple(self._blind_spots()),
        )

    def _describe(self, item: Collection) -> RecordType:
        parents = tuple(dict.fromkeys(edge.source for edge in self._dataset.edges_into(item.name)))
        keys = frozenset(edge.source_field for edge in self._dataset.edges if edge.source == item.name)
        described = RecordType(
            item.name,
            item.personal_fields,
            item.third_party,
            parents,
            keys,
            forms={one.name: _form(one) for one in item.fields},
            statement_field=item.statement_field,
        )
        is_about_others = item.third_party and not item.identities
        if not self._may_change or not item.primary_key or is_about_others:
            return described
        return replace(
            described,
            abilities=frozenset({Ability.DELETE, Ability.ANONYMISE, Ability.RECTIFY}),
            delete_effect=Effect.REMOVED,
            rectifiable=frozenset(
                one.name for one in item.fields if not (one.primary_key or one.read_only or one.fields)
            ),
        )

    def _blind_spots(self) -> Iterator[str]:
        yield "Only the tables and columns that the dataset description names are searched."
        yield "Mentions of the person in other people's rows or in free text are not found."
        if PHONE in self._dataset.identity_kinds:
            yield "A telephone number is found when its digits agree: with and without country code are two numbers."
        silent = {"no_primary_key", "no_category"}
        yield from (
            f"{item.place}: {item.message}" for item in self._dataset.warnings if item.code not in silent
        )

    def check(self) -> Check:
        """Sign in, compare the description with the tables, and try to read each of them."""
        return self._run(self._check)

    def _check(self, connection: sa.Connection) -> Check:
        account, server = self._dialect.account(connection)
        source = self._bind(connection, fresh=True)
        for bound in source.collections.values():
            self._reading.place = bound.collection.name
            connection.execute(sa.select(*(bound.table.c[name] for name in bound.columns)).limit(0))
        scans = warn_of_scans(connection, source, self._dialect)
        warnings = (*source.warnings, *self._warn_of_rights(connection, source), *scans)
        return Check(account, server, warnings, source.unknown_fields)

    def _warn_of_rights(self, connection: sa.Connection, source: BoundSource) -> list[str]:
        tables = [bound.table for bound in source.collections.values()]
        writable = self._dialect.writable(connection, tables)
        if not writable:
            return []
        return [f"The account may change {', '.join(writable)}; one that may only read is enough and safer."]

    # --- Finding --------------------------------------------------------------------------------------------

    def holds(self, identifiers: Sequence[Identifier]) -> Mapping[str, bool]:
        """Say of each kind whether all identifiers of that kind are on file, by looking for one row each."""
        usable = self._usable(identifiers)
        found = self._run(lambda connection: self._look_up(connection, usable))
        return {
            kind: all(yes for item, yes in found.items() if item.kind == kind)
            for kind in dict.fromkeys(item.kind for item in usable)
        }

    def _look_up(self, connection: sa.Connection, wanted: Sequence[Identifier]) -> Mapping[Identifier, bool]:
        source = self._bind(connection)
        return {item: self._is_on_file(connection, source, item) for item in wanted}

    def _is_on_file(self, connection: sa.Connection, source: BoundSource, item: Identifier) -> bool:
        """Look among rows about the person only: an employee's address proves nothing about a customer."""
        rows = [
            sa.exists()
            .select_from(bound.table)
            .where(equals(bound.table.c[trait.field], trait.kind, trait.value, self._dialect))
            for bound in source.collections.values()
            for trait in traits_of(bound.collection, [item])
            if not bound.collection.third_party
        ]
        return bool(rows and connection.execute(sa.select(sa.or_(*rows))).scalar_one())

    def find(self, identifiers: Sequence[Identifier]) -> Sequence[Match]:
        """Find the rows that bear an identifier."""
        usable = self._usable(identifiers)
        return self._run(lambda connection: self._find(connection, usable))

    def _find(self, connection: sa.Connection, wanted: Sequence[Identifier]) -> list[Match]:
        found: list[Match] = []
        for bound in self._bind(connection).collections.values():
            if traits := traits_of(bound.collection, wanted):
                self._reading.place = bound.collection.name
                found += Finder(bound, traits, self._dialect).search(connection)
        return found

    def _usable(self, identifiers: Sequence[Identifier]) -> tuple[Identifier, ...]:
        return require_identifiers(identifiers, self._dataset.identity_kinds)

    # --- Asking ---------------------------------------------------------------------------------------------

    @classmethod
    def questions(cls, setup: Setup) -> tuple[Question, ...]:
        """Say what the description lets a person be asked."""
        return questions_of(parse_dataset(setup.dataset_yaml or ""))

    def facts(self, identifier: Identifier, names: Sequence[str]) -> Sequence[Answer]:
        """Look up the answers of the one person who is known by this identifier."""
        usable = self._usable([identifier])
        return self._run(lambda connection: self._facts(connection, usable, names))

    def _facts(
        self, connection: sa.Connection, wanted: Sequence[Identifier], names: Sequence[str]
    ) -> list[Answer]:
        matches = self._find(connection, wanted)
        if not is_one_person(matches):
            return []
        search = Search.begin(self._bind(connection), self._dialect, matches)
        return list(answers(connection, self._dataset, search, names))

    # --- Collecting -----------------------------------------------------------------------------------------

    def collect(self, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        """Return one page, which goes on into the next collection while there is room."""
        if not matches:
            return Page((), None, 0)
        return self._run(lambda connection: self._collect(connection, matches, cursor))

    def _collect(self, connection: sa.Connection, matches: Sequence[Match], cursor: Cursor | None) -> Page:
        source = self._bind(connection)
        search = Search.begin(source, self._dialect, matches)
        counts = self._count(connection, search) if cursor is None else None
        start = cursor or self._first(counts or {})
        records, position = self._fill(connection, search, start, counts)
        return _make_page(source, start, records, position, is_first=cursor is None)

    def _first(self, counts: Counts) -> Cursor:
        return Cursor(stage=self._dataset.reached[0].name, total=sum(counts.values()))

    def _count(self, connection: sa.Connection, search: Search) -> Counts:
        """Count all collections in one statement, so that progress has an end to measure against."""
        statements = {item.name: search.count(item.name) for item in self._dataset.reached}
        asked = {name: found for name, found in statements.items() if found is not None}
        columns = [found.scalar_subquery().label(f"dsar_{i}") for i, found in enumerate(asked.values())]
        numbers = connection.execute(sa.select(*columns)).one() if columns else ()
        return dict.fromkeys(statements, 0) | dict(zip(asked, (int(one) for one in numbers), strict=True))

    def _fill(
        self, connection: sa.Connection, search: Search, start: Cursor, counts: Counts | None
    ) -> tuple[list[Record], tuple[str, list[JSON] | None] | None]:
        """Fill a page from one collection after another.

        Return it and the position of the next, if there is one.
        """
        records: list[Record] = []
        names = self._remaining(start.stage)
        after = cast(Sequence[str] | None, start.after)
        for name in names:
            if len(records) >= self._page_size:
                return records, (name, None)
            if counts is None or counts[name]:
                stretch = self._fetch(connection, search, name, after, self._page_size - len(records))
                records += stretch.records
                if stretch.after is not None:
                    return records, (name, stretch.after)
            after = None
        return records, None

    def _remaining(self, stage: str) -> list[str]:
        names = [item.name for item in self._dataset.reached]
        if stage not in names:
            raise ContractBroken(what="the place where an earlier search stopped")
        return names[names.index(stage) :]

    def _fetch(
        self, connection: sa.Connection, search: Search, name: str, after: Sequence[str] | None, room: int
    ) -> Stretch:
        """Fetch one row more than there is room for, to know whether there is more."""
        plan = search.page(name, after, room + 1)
        if plan is None:
            return Stretch([], None)
        self._reading.place = name
        rows = connection.execute(plan.statement).all()
        records = _make_records(plan, rows[:room], self._clock())
        if len(rows) <= room:
            return Stretch(records, None)
        return Stretch(records, [key_text(value) for value in plan.key_of(rows[room - 1])])

    # --- Walking --------------------------------------------------------------------------------------------

    def places(self, cursor: Cursor | None) -> PlacePage:
        """Return one page of the keys of all rows, and of the identifiers that they bear."""
        return self._run(
            lambda connection: walk(
                connection, self._bind(connection), self._dialect, cursor, self._page_size
            )
        )

    # --- Changing -------------------------------------------------------------------------------------------

    def plan(self, wishes: Sequence[Wish]) -> Plan:
        """Say what would be done for these wishes, as the account that changes rows sees it, without writing."""
        return self.plan_part(wishes, {})

    def plan_part(self, wishes: Sequence[Wish], going: Mapping[tuple[str, str], str]) -> Plan:
        """The same for some of many wishes, of which those are known that delete something."""
        if not self._may_change:
            return Plan(blockers=tuple(_no_account(wish) for wish in wishes))
        source = self._run(self._bind)
        return self._planning.run(
            lambda connection: Planner(connection, source, self._dialect, going).plan(wishes)
        )

    def read_again(self, wish: Wish) -> Mapping[str, JSON] | None:
        """Return the described columns of one row as they are now, through the account that reads."""
        return self._run(lambda connection: self._read_again(connection, wish))

    def _read_again(self, connection: sa.Connection, wish: Wish) -> Mapping[str, JSON] | None:
        bound = self._bind(connection).collections.get(wish.type)
        if bound is None:
            raise ContractBroken(what="a record of a table that the description no longer has")
        try:
            key = find_key(bound, wish.ref, wish.handle)
        except Blocked:
            raise ContractBroken(what="a record that the table no longer tells apart") from None
        return read_row(connection, bound, key, self._dialect)

    def apply(self, action: Action) -> Receipt:
        """Carry out one action in one transaction."""
        if not self._may_change:
            raise PermissionDenied(what="and change the described tables: no account for that is set up")
        started = self._clock()
        writer = Writer(self._run(self._bind), self._dialect, action)
        outcome, effect, obstacle = self._write(writer)
        return Receipt(
            key=action.key,
            outcome=outcome,
            effect=effect,
            request=writer.request,
            started_at=started,
            ended_at=self._clock(),
            obstacle=obstacle,
        )

    def _write(self, writer: Writer) -> tuple[Outcome, Effect, Obstacle | None]:
        try:
            return self._writing.run(writer.carry_out, writer.action.type), writer.effect, None
        except WriteRefused as refusal:
            return Outcome.REFUSED, Effect.RETAINED, refusal.obstacle
        except PermissionDenied:
            return Outcome.REFUSED, Effect.RETAINED, Obstacle.PERMISSION

    def poll(self, receipt: Receipt) -> Receipt:
        """Return the receipt: a database is never still at it."""
        return receipt

    def verify(
        self, identifiers: Sequence[Identifier], matches: Sequence[Match], actions: Sequence[Action]
    ) -> Sequence[Finding]:
        """Look for what is left, through the account that reads."""
        found = list(self._look(lambda held: held.by_key(actions)))
        found += self._look(lambda held: held.by_reference(actions))
        if any(action.verb in ERASING for action in actions):
            known = frozenset(self._dataset.identity_kinds)
            usable = [one for one in identifiers if is_searchable(one)]
            own = [one for one in usable if one.kind in known]
            found += self._look(lambda held: held.by_identifier(own, actions))
            for place in self._free_text:
                found += self._look_in_text(place, usable)
        return list({(one.ref, one.where): one for one in found}.values())

    def _look(self, look: Callable[[Verifier], Iterable[Finding]]) -> list[Finding]:
        return self._run(
            lambda connection: list(look(Verifier(connection, self._bind(connection), self._dialect)))
        )

    def _look_in_text(self, place: tuple[str, str], identifiers: Sequence[Identifier]) -> list[Finding]:
        """Read a whole column; where that takes too long, say that it could not be looked for."""
        table, column = place
        try:
            return self._look(lambda held: held.in_text(held.source.collections[table], column, identifiers))
        except TimedOut:
            return [Finding(table, table, f"{table}.{column}", Remains.CANNOT_CHECK)]

    # --- The connection -------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections that there are."""
        for session in (self._reading, self._planning, self._writing):
            session.close()

    def _run(self, work: Work[Result]) -> Result:
        """Do this in a read-only transaction; once more where only what was remembered of the schema was old."""
        try:
            return self._reading.run(work)
        except SchemaDrift:
            if not _CACHE.drop(self._cache_key):
                raise
        # Reading the schema anew names what is no longer there.
        return self._reading.run(work)

    def _open_reading(self) -> sa.Engine:
        settings = self._settings
        return self._engine(settings.text("user"), settings.secret("password"))

    def _open_writing(self) -> sa.Engine:
        settings = self._settings
        return self._engine(settings.secret("erase_user"), settings.secret("erase_password"))

    def _engine(self, user: str | None, password: str | None) -> sa.Engine:
        made_from = (self.key, tuple(sorted(self._settings.values.items())), user, password)
        return _ENGINES.get(made_from, lambda: self._make_engine(user, password))

    def _make_engine(self, user: str | None, password: str | None) -> sa.Engine:
        """Make an engine without a pool: a connector is one connection, and hidden ones would outlive it."""
        engine = sa.create_engine(
            self.make_url(self._settings, user=user, password=password),
            poolclass=NullPool,
            # A connection that is given back is closed, which takes back what was not committed.
            pool_reset_on_return=None,
            hide_parameters=True,
            connect_args=self.connect_arguments(self._settings),
            **self.engine_arguments(),
        )
        self._dialect.prepare(engine)
        return engine

    @classmethod
    def connect_arguments(cls, settings: Settings) -> dict[str, Any]:
        """Return what the driver is given beside the address."""
        return {}

    @classmethod
    def engine_arguments(cls) -> dict[str, Any]:
        """Return what SQLAlchemy is given beside the address."""
        return {}

    def _bind(self, connection: sa.Connection, *, fresh: bool = False) -> BoundSource:
        now = self._clock()
        known = None if fresh else _CACHE.get(self._cache_key, now)
        if known is None:
            known = bind(connection, self._dataset, self._schema, self._dialect)
            _CACHE.put(self._cache_key, now, known)
        return known


def _read_places(text: str, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Read columns written as table.column. Raises ConfigurationError for one that is not described."""
    known = {
        f"{item.name}.{field.name}": (item.name, field.name)
        for item in dataset.reached
        for field in item.fields
    }
    for written in text.split(","):
        if place := written.strip():
            if place not in known:
                raise ConfigurationError(f"“free_text” names “{place}”, which the description does not have.")
            yield known[place]


def _form(one: Field) -> FieldForm:
    return FieldForm(
        one.categories, one.data_type or "", one.length, one.third_party, one.askable is not None
    )


def _no_account(wish: Wish) -> Blocker:
    remedy = (
        "Enter an account that may change rows (erase_user, erase_password) in the settings of the source."
    )
    return Blocker(wish.key, wish.ref, wish.type, Obstacle.PERMISSION, remedy)


def _make_records(plan: PagePlan, rows: Sequence[Row], now: datetime) -> list[Record]:
    return [_make_record(plan, row, now) for row in rows]


def _make_record(plan: PagePlan, row: Row, now: datetime) -> Record:
    bound, link = plan.bound, plan.link_of(row)
    collection, key, size = bound.collection, plan.key_of(row), len(bound.columns)
    values = [value if type(value) in PLAIN else to_json(value) for value in row[:size]]
    ref = row_ref(collection.name, key, readable=bound.readable_key)
    return Record(
        ref=ref,
        type=collection.name,
        link=link,
        data=dict(zip(bound.columns, values, strict=True)),
        fetched_at=now,
        categories=collection.categories,
        third_party=collection.third_party and link.kind is not LinkKind.IDENTITY,
        third_party_fields=collection.third_party_fields,
        unclassified=_held_back(bound, row[size:]) if bound.held_back else {},
        handle=row_handle(collection.name, ref, key) if bound.key else {},
    )


def _held_back(bound: BoundCollection, values: Row) -> dict[str, JSON]:
    """Return the values of columns that the description does not know."""
    return {
        name: measured(value) if is_binary(bound.table.c[name]) else held_back(value)
        for name, value in zip(bound.held_back, values, strict=False)
    }


def _make_page(
    source: BoundSource,
    start: Cursor,
    records: Sequence[Record],
    position: tuple[str, list[JSON] | None] | None,
    *,
    is_first: bool,
) -> Page:
    seen = start.seen + len(records)
    following = None if position is None else Cursor(position[0], position[1], seen, start.total)
    warnings = list(source.warnings) if is_first else []
    if following is None and start.total not in {None, seen}:
        warnings.append(
            f"The source counted {start.total} records at the start and gave {seen}: it changed meanwhile."
        )
    unknown = source.unknown_fields if is_first else {}
    return Page(records, following, start.total, tuple(warnings), unknown)
