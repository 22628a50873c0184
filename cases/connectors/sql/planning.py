"""Says what a change would do to the tables, and what stands in its way, without writing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

import sqlalchemy as sa

from cases.connectors.base import JSON, Effect, PermissionDenied
from cases.connectors.changes import Action, Blocker, Obstacle, Plan, Verb, Wish
from cases.connectors.sql.dialect import Dialect, Referrer, Rights, WriteRefused, is_text
from cases.connectors.sql.fitting import UnfitError, assigned, fit, same
from cases.connectors.sql.query import pinned
from cases.connectors.sql.schema import BoundCollection, BoundSource
from cases.connectors.sql.values import key_text, row_key, row_ref, to_json

_PREDICTED = {Verb.DELETE: Effect.REMOVED, Verb.ANONYMISE: Effect.ANONYMISED, Verb.SET: Effect.RETAINED}
# What a text that has to hold something holds when it was anonymised, before some digits that tell rows apart.
_ERASED = "erased-"
_ERASED_DIGITS = 12

RowKey = tuple[str, ...]


class Blocked(Exception):
    """A wish that cannot be carried out. ``remedy`` is free of personal data, ``words`` may not be."""

    def __init__(self, obstacle: Obstacle, remedy: str) -> None:
        self.obstacle = obstacle
        self.remedy = remedy
        super().__init__(remedy)


@dataclass(frozen=True)
class Target:
    """A wish, the row that it means, and what the row is to hold. ``row`` is None where it is gone."""

    wish: Wish
    bound: BoundCollection
    key: RowKey
    row: Mapping[str, JSON] | None
    values: Mapping[str, JSON]

    @property
    def place(self) -> tuple[str, RowKey]:
        """What tells this row from every other of the source."""
        return self.bound.collection.name, self.key


def find_key(bound: BoundCollection, ref: str, handle: Mapping[str, JSON]) -> RowKey:
    """Return the key of the row that a reference and its handle mean. Raises Blocked."""
    kept = handle.get("key")
    shown = (
        tuple(str(part) for part in kept)
        if isinstance(kept, list | tuple)
        else row_key(bound.collection.name, ref)
    )
    if not bound.key:
        raise Blocked(
            Obstacle.NO_API,
            f"The table “{bound.collection.name}” has no key by which a single row could be changed."
            " Change it in the source itself, or give the table a primary key.",
        )
    if shown is None or len(shown) != len(bound.key):
        raise Blocked(Obstacle.NOT_FOUND, "The record names no row of this table. Collect this source again.")
    return shown


def read_row(
    connection: sa.Connection, bound: BoundCollection, key: RowKey, dialect: Dialect, *, lock: bool = False
) -> dict[str, JSON] | None:
    """Return the described columns of one row, or None where it is gone; with ``lock`` keep others from changing it."""
    columns = [bound.table.c[name] for name in bound.columns]
    chosen = sa.select(*columns).where(pinned(bound, bound.table, key, dialect))
    row = connection.execute(chosen.with_for_update() if lock else chosen).one_or_none()
    return None if row is None else dict(zip(bound.columns, map(to_json, row), strict=True))


def holds_all(bound: BoundCollection, row: Mapping[str, JSON], wanted: Mapping[str, JSON]) -> bool:
    """Say whether a row holds all these values."""
    return all(same(bound.table.c[name], row[name], value) for name, value in wanted.items())


def referring(
    one: Referrer, target: BoundCollection, key: RowKey, child: sa.FromClause, dialect: Dialect
) -> sa.ColumnElement[bool]:
    """Return the condition that a row of ``child`` refers by this foreign key to the row with this key."""
    mine = target.table.alias()
    referred = sa.select(*(mine.c[name] for name in one.referred_columns))
    chosen = referred.where(pinned(target, mine, key, dialect)).correlate(None)
    columns = [child.c[name] for name in one.columns]
    return (columns[0] if len(columns) == 1 else sa.tuple_(*columns)).in_(chosen)


def child_of(one: Referrer, source: BoundSource) -> tuple[BoundCollection | None, sa.FromClause]:
    """Return the table from which a foreign key leads, and its description where there is one."""
    bound = source.collections.get(one.table)
    if bound is not None and bound.table.schema == one.schema:
        return bound, bound.table
    return None, sa.table(one.table, *(sa.column(name) for name in one.columns), schema=one.schema)


@dataclass(frozen=True)
class _Ground:
    """What is known of one table while a plan is made."""

    rights: Rights
    referrers: Sequence[Referrer]
    keys: Sequence[tuple[str, ...]]
    checks: Sequence[str]
    triggers: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Referring:
    """A row that refers to another: its type, its reference as records have it, and its place."""

    type: str
    ref: str
    place: tuple[str, RowKey]

    @classmethod
    def of(cls, child: BoundCollection, row: Sequence[Any]) -> _Referring:
        name = child.collection.name
        ref = row_ref(name, row, readable=child.readable_key)
        return cls(name, ref, (name, tuple(key_text(value) for value in row)))


class Planner:
    """Makes one plan, in one transaction in which nothing can be written."""

    def __init__(
        self,
        connection: sa.Connection,
        source: BoundSource,
        dialect: Dialect,
        going: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        self._connection = connection
        self._going = going or {}
        self._source = source
        self._dialect = dialect
        self._grounds: dict[str, _Ground] = {}
        self._tasks: dict[str, None] = {}
        self._targets: dict[tuple[str, RowKey], Target] = {}
        self._own: frozenset[str] = frozenset()

    def plan(self, wishes: Sequence[Wish]) -> Plan:
        """Say what would be done, children first, and what stands in the way."""
        blockers: dict[str, Blocker] = {}
        met = [target for wish in wishes if (target := self._try(blockers, wish, self._meet, wish))]
        self._targets = {target.place: target for target in met}
        self._own = frozenset(wish.key for wish in wishes)
        waits = {
            target.wish.key: found
            for target in met
            if (found := self._try(blockers, target.wish, self._examine, target)) is not None
        }
        # What is deleted in another part is seen to there, and comes first by the number of its step.
        mine = {key: after & self._own for key, after in waits.items()}
        order = self._in_order(mine, {target.wish.key: target.wish for target in met}, blockers)
        by_key = {target.wish.key: target for target in met}
        actions = tuple(_action(by_key[key], sorted(waits[key])) for key in order)
        return Plan(
            actions, tuple(blockers[wish.key] for wish in wishes if wish.key in blockers), tuple(self._tasks)
        )

    @staticmethod
    def _try(blockers: dict[str, Blocker], wish: Wish, step: Any, *arguments: Any) -> Any:
        """Take one step; where something stands in the way, note it and return None."""
        try:
            return step(*arguments)
        except Blocked as found:
            blockers[wish.key] = Blocker(wish.key, wish.ref, wish.type, found.obstacle, found.remedy)
        except WriteRefused as found:
            remedy = f"It cannot be told what would happen: {found.params['reason']}"
            blockers[wish.key] = Blocker(wish.key, wish.ref, wish.type, found.obstacle, remedy)
        return None

    # --- One wish ---------------------------------------------------------------------------------------------

    def _meet(self, wish: Wish) -> Target:
        """Find the row of a wish, and what it is to hold."""
        if wish.verb not in _PREDICTED:
            raise Blocked(
                Obstacle.NO_API,
                "A database has no way to restrict the use of a row. Describe the column by which the application"
                " does it, and set that.",
            )
        bound = self._source.collections.get(wish.type)
        if bound is None:
            raise Blocked(Obstacle.NOT_FOUND, "The description has no such table any more.")
        key = find_key(bound, wish.ref, wish.handle)
        if bound.collection.third_party and not bound.collection.identities:
            raise Blocked(Obstacle.SHARED_RECORD, "The row is about somebody else, and stays as it is.")
        self._require_rights(bound, wish)
        row = read_row(self._connection, bound, key, self._dialect)
        return Target(wish, bound, key, row, self._values(wish, bound))

    def _require_rights(self, bound: BoundCollection, wish: Wish) -> None:
        ground, name = self._ground(bound), bound.collection.name
        missing = [column for column in bound.columns if column not in ground.rights.readable]
        if missing or not ground.rights.updatable:
            right = (
                f"SELECT on {', '.join(missing)}"
                if missing
                else "UPDATE, without which a row cannot be locked"
            )
            raise Blocked(Obstacle.PERMISSION, f"Grant the account {right}, for the table “{name}”.")
        if wish.verb is Verb.DELETE and not ground.rights.may_delete:
            raise Blocked(Obstacle.PERMISSION, f"Grant the account DELETE on the table “{name}”.")
        if not self._dialect.can_undo(self._connection, bound.table):
            raise Blocked(
                Obstacle.NO_API,
                f"“{name}” is no table whose changes can be taken back. Change it in the source itself.",
            )

    def _ground(self, bound: BoundCollection) -> _Ground:
        name, ask = bound.collection.name, self._dialect
        if name not in self._grounds:
            keys = ask.reflect(self._connection, str(bound.table.schema), [name]).keys[name]
            self._grounds[name] = _Ground(
                ask.rights(self._connection, bound.table),
                ask.referrers(self._connection, bound.table),
                keys,
                ask.checks(self._connection, bound.table),
                ask.triggers(self._connection, bound.table),
            )
        return self._grounds[name]

    def _values(self, wish: Wish, bound: BoundCollection) -> Mapping[str, JSON]:
        """Return what the row is to hold. Raises Blocked where that cannot stand in it."""
        if wish.verb is Verb.DELETE:
            return {}
        masks = _masks(wish, bound) if wish.verb is Verb.ANONYMISE else {}
        wanted = {**masks, **wish.values}
        if not wanted:
            raise Blocked(Obstacle.STATE, "It is not said what the fields are to hold.")
        return {name: self._fitting(bound, name, value) for name, value in wanted.items()}

    def _fitting(self, bound: BoundCollection, name: str, value: JSON) -> JSON:
        field = bound.collection.by_name.get(name)
        if field is None:
            raise Blocked(Obstacle.NOT_FOUND, f"The description has no field “{name}”.")
        column, place = bound.table.c[name], f"{bound.collection.name}.{name}"
        if name in bound.key or field.read_only or column.info["computed"]:
            raise Blocked(
                Obstacle.NO_API,
                f"“{place}” is a key, computed or read-only, and is not changed. Leave it out.",
            )
        if name not in self._ground(bound).rights.updatable:
            raise Blocked(Obstacle.PERMISSION, f"Grant the account UPDATE on “{place}”.")
        try:
            return fit(field, column, value)
        except UnfitError as reason:
            raise Blocked(Obstacle.STATE, f"The value does not fit into “{place}”: {reason}") from None

    # --- What stands round it ----------------------------------------------------------------------------------

    def _examine(self, target: Target) -> set[str]:
        """Return the keys of the wishes that come before this one. Raises Blocked."""
        self._note_triggers(target.bound)
        if target.row is None:
            if target.wish.verb is Verb.DELETE:
                return set()
            raise Blocked(Obstacle.NOT_FOUND, "The row is no longer there. Nothing is left to change.")
        if target.values and holds_all(target.bound, target.row, target.values):
            return set()
        self._require_unchanged(target, target.row)
        if target.wish.verb is Verb.DELETE:
            return self._dependants(target)
        self._require_rules(target)
        return set()

    @staticmethod
    def _require_unchanged(target: Target, row: Mapping[str, JSON]) -> None:
        expected = {name: value for name, value in target.wish.expected.items() if name in row}
        if not holds_all(target.bound, row, expected):
            raise Blocked(
                Obstacle.CHANGED,
                "The row was changed since it was collected. Collect this source again, and decide anew.",
            )

    def _note_triggers(self, bound: BoundCollection) -> None:
        if names := self._ground(bound).triggers:
            self._tasks[
                f"A change of the table “{bound.collection.name}” makes the database run {', '.join(names)}:"
                " see whether that keeps a copy of what was there."
            ] = None

    def _dependants(self, target: Target) -> set[str]:
        """Return the keys of the wishes that take care of the rows that refer to this one."""
        return {key for one in self._ground(target.bound).referrers for key in self._taken_care(target, one)}

    def _taken_care(self, target: Target, one: Referrer) -> Iterator[str]:
        child, table = child_of(one, self._source)
        loose = 0
        for found in self._referring_rows(target, one, child, table):
            other = self._targets.get(found.place) if found else None
            if other is target:
                continue
            key = self._key_of(other, one) or self._planned_elsewhere(found)
            if key:
                yield key
            else:
                loose += 1
        if loose:
            self._judge_loose(target, one, loose)

    @staticmethod
    def _key_of(other: Target | None, one: Referrer) -> str | None:
        """Return the key of a wish that deletes the referring row, or empties what refers."""
        if other and (other.wish.verb is Verb.DELETE or set(one.columns) & set(other.values)):
            return other.wish.key
        return None

    def _planned_elsewhere(self, found: _Referring | None) -> str | None:
        """Return the key of a deletion in another part; one of this part that is blocked counts no more."""
        key = self._going.get((found.type, found.ref)) if found else None
        return None if key in self._own else key

    def _referring_rows(
        self, target: Target, one: Referrer, child: BoundCollection | None, table: sa.FromClause
    ) -> list[_Referring | None]:
        """Return the rows that refer to one; None for rows that nothing tells apart."""
        condition = referring(one, target.bound, target.key, table, self._dialect)
        key = [table.c[name] for name in child.key] if child and child.key else [sa.literal(1)]
        chosen = sa.select(*key).select_from(table).where(condition)
        chosen = chosen.limit(len(self._targets) + len(self._going) + 1)
        try:
            with self._connection.begin_nested():
                rows = self._connection.execute(chosen).all()
        except sa.exc.SQLAlchemyError as error:
            if not isinstance(self._dialect.explain(error, one.table), PermissionDenied):
                raise
            remedy = f"Let the account read “{one.table}” ({', '.join(one.columns)}): its rows may refer to this one."
            raise Blocked(Obstacle.PERMISSION, remedy) from None
        if child is None or not child.key:
            return [None for _ in rows]
        return [_Referring.of(child, row) for row in rows]

    def _judge_loose(self, target: Target, one: Referrer, count: int) -> None:
        """Rows nobody planned to change are neither deleted with this one nor left without what they refer to."""
        if one.on_delete in {"SET NULL", "SET DEFAULT"}:
            self._tasks[
                f"Where rows of “{target.bound.collection.name}” are deleted, the database empties"
                f" {', '.join(one.columns)} of “{one.table}” by itself: see that this is right."
            ] = None
        elif one.on_delete == "CASCADE":
            raise Blocked(
                Obstacle.REFERENCED,
                f"The database would delete {count} or more rows of “{one.table}” with it, which nobody planned."
                " Decide on those as well.",
            )
        else:
            raise Blocked(
                Obstacle.REFERENCED,
                f"{count} or more rows of “{one.table}” refer to it. Delete or change those as well,"
                " or anonymise this one.",
            )

    def _require_rules(self, target: Target) -> None:
        self._require_unreferred(target)
        self._require_unique(target)
        self._require_checks(target)

    def _require_unreferred(self, target: Target) -> None:
        for one in self._ground(target.bound).referrers:
            if set(one.referred_columns) & set(target.values):
                child, table = child_of(one, self._source)
                if self._referring_rows(target, one, child, table):
                    remedy = f"Rows of “{one.table}” refer to what would change. Leave it as it is."
                    raise Blocked(Obstacle.REFERENCED, remedy)

    def _require_unique(self, target: Target) -> None:
        table, values = target.bound.table, target.values
        mine, other = table.alias(), table.alias()
        for key in self._ground(target.bound).keys:
            if not set(key) & set(values) or any(values.get(name, "") is None for name in key):
                continue
            alike = [
                other.c[name]
                == (assigned(table.c[name], values[name], self._dialect) if name in values else mine.c[name])
                for name in key
            ]
            chosen = (
                sa.select(sa.literal(1))
                .select_from(mine.join(other, sa.and_(*alike)))
                .where(
                    pinned(target.bound, mine, target.key, self._dialect),
                    sa.not_(pinned(target.bound, other, target.key, self._dialect)),
                )
            )
            if self._connection.execute(chosen.limit(1)).first():
                remedy = f"Another row holds this {', '.join(key)} already, and only one may. Choose another value."
                raise Blocked(Obstacle.STATE, remedy)

    def _require_checks(self, target: Target) -> None:
        """Try the table's own rules on the row as it would be."""
        table, ground = target.bound.table, self._ground(target.bound)
        readable = [column for column in table.c if column.name in ground.rights.readable]
        columns = [self._afterwards(target, column).label(column.name) for column in readable]
        here = pinned(target.bound, table, target.key, self._dialect)
        after = sa.select(*columns).where(here).subquery()
        for condition in ground.checks:
            if self._is_broken(after, condition):
                raise Blocked(
                    Obstacle.STATE, f"A rule of the table “{table.name}” does not allow it: {condition}"
                )

    def _afterwards(self, target: Target, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        """Return what a column would hold."""
        if column.name not in target.values:
            return column
        return assigned(column, target.values[column.name], self._dialect)

    def _is_broken(self, after: sa.Subquery, condition: str) -> bool:
        """Say whether a rule is broken; one that cannot be tried here is tried by the database when it writes."""
        tried = sa.literal_column(f"({condition})", sa.Boolean)
        try:
            with self._connection.begin_nested():
                answer = self._connection.execute(sa.select(tried).select_from(after)).scalar()
        except sa.exc.SQLAlchemyError as error:
            if self._dialect.explain(error, "").retryable:
                raise
            return False
        return answer is not None and not answer

    # --- All of them -------------------------------------------------------------------------------------------

    @staticmethod
    def _in_order(
        waits: Mapping[str, set[str]], wishes: Mapping[str, Wish], blockers: dict[str, Blocker]
    ) -> list[str]:
        """Put wishes after those they wait for; what waits for something blocked, or for itself, is blocked."""
        try:
            order = list(TopologicalSorter(waits).static_order())
        except CycleError as found:
            for key in set(found.args[1]):
                remedy = "Rows refer to each other, so none can go first. Empty one of the references."
                blockers[key] = Blocker(key, wishes[key].ref, wishes[key].type, Obstacle.REFERENCED, remedy)
            left = {key: after for key, after in waits.items() if key not in blockers}
            return Planner._in_order(left, wishes, blockers)
        done: list[str] = []
        for key in order:
            if key in waits and waits[key] <= set(done):
                done.append(key)
            elif key not in blockers:
                remedy = "A row that refers to it cannot be changed. See what stands in its way."
                blockers[key] = Blocker(key, wishes[key].ref, wishes[key].type, Obstacle.REFERENCED, remedy)
        return done


def _masks(wish: Wish, bound: BoundCollection) -> dict[str, JSON]:
    """Return what each field about a person is to hold where nobody said it: nothing, or a mask that is no name."""
    masks: dict[str, JSON] = {}
    for field in bound.collection.fields:
        column = bound.table.c[field.name]
        is_told = field.name in wish.values or field.name in bound.key or field.read_only
        if is_told or field.path not in bound.collection.personal_fields:
            continue
        if not column.info["computed"]:
            masks[field.name] = None if column.nullable else _mask(wish, field.length, column)
    return masks


def _mask(wish: Wish, length: int | None, column: sa.Column[Any]) -> str:
    if not is_text(column):
        raise Blocked(
            Obstacle.STATE,
            f"“{column.name}” must hold a value, and none is known that says nothing. Give one.",
        )
    digits = hashlib.sha256(f"{wish.key}|{column.name}".encode()).hexdigest()[:_ERASED_DIGITS]
    limits = [limit for limit in (getattr(column.type, "length", None), length) if limit]
    return f"{_ERASED}{digits}"[-min(limits, default=_ERASED_DIGITS + len(_ERASED)) :]


def _action(target: Target, after: Sequence[str]) -> Action:
    action = Action.of(target.wish, _PREDICTED[target.wish.verb], after, {"values": dict(target.values)})
    return replace(action, handle={"key": list(target.key)})
