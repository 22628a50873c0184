"""What many tests begin with is made once by the real verbs, and written down; for others it is written back.

A function that arranges is marked as ``kept``. Where nothing but kept functions has written to the test's
transaction so far, calling it again with the same arguments gives the same rows, files and result as the first call
in this process. Everywhere else it does its work: after any other write, under other settings, at another time, where
a test listens to what happens meanwhile, and outside of a test's transaction. So a test sees rows that real verbs
made in any case, and one that is about the making itself calls the verbs.
"""

import itertools
import json
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

import psycopg
import time_machine
from django.apps import apps
from django.conf import UserSettingsHolder, settings
from django.db import connection, connections
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import get_language
from factory.django import DjangoModelFactory

from dsar.lib import tenancy

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Model)
Rows = Mapping[tuple[str, str], str]  # table and key of a row → the row as JSON
Files = Mapping[str, bytes | None]  # path below the data directory → content, None for what is not there

# Rows hold moments that the clock is compared with: a world is no older than this, no moment that lay ahead when it was
# made has come meanwhile, and it is of the same hour, and day.
LIFE = timedelta(seconds=60)
HOUR = timedelta(hours=1)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00")
KEPT = 150
# What a test listens with, so that it has to hear it.
LISTENING = {"monkeypatch", "caplog", "capsys", "capfd", "django_capture_on_commit_callbacks"}
COMMITTED = {"committed_db", "transactional_db"}
# Each test has its own, and what lies there is written down with the world.
PLACES = {"DATA_DIR", "STATIC_ROOT", "MEDIA_ROOT"}
ROWS = "SELECT * FROM worlds.rows(%s)"
READS = (
    ROWS,
    "SELECT set_config(%s, %s, true)",
    "SELECT coalesce(current_setting(%s, true), '')",
    "SELECT * FROM identity_memberships(%s, %s)",
    "SELECT identity_controller_for_slug(%s)",
)

# Rows are written by the superuser, with neither triggers nor references nor the rows' security in the way: each of
# them has passed these before. The application's role may call this and has no other way to what it does.
FUNCTIONS = """
CREATE SCHEMA worlds;
GRANT USAGE ON SCHEMA worlds TO {role};
CREATE FUNCTION worlds.rows(keys json) RETURNS TABLE (named text, key text, content text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE one record;
BEGIN
    FOR one IN SELECT * FROM json_each_text(keys) LOOP
        RETURN QUERY EXECUTE format(
            'SELECT %L, %I::text, row_to_json(%I.*)::text FROM %I', one.key, one.value, one.key, one.key);
    END LOOP;
END $$;
CREATE FUNCTION worlds.write(gone json, come json) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET session_replication_role = replica AS $$
DECLARE one record; columns text;
BEGIN
    FOR one IN SELECT * FROM json_array_elements(gone) AS held(entry) LOOP
        EXECUTE format('DELETE FROM %I WHERE %I::text IN (SELECT json_array_elements_text($1))',
            one.entry->>0, one.entry->>1) USING one.entry->2;
    END LOOP;
    FOR one IN SELECT * FROM json_array_elements(come) AS held(entry) LOOP
        EXECUTE format('INSERT INTO %1$I (%2$s) OVERRIDING SYSTEM VALUE'
            ' SELECT %2$s FROM json_populate_recordset(NULL::%1$I, $1)',
            one.entry->>0, one.entry->>1) USING one.entry->2;
    END LOOP;
END $$;
"""


@dataclass(frozen=True)
class _World:
    """What a call led to: what it changed, what was served afterwards, and what it gave."""

    number: int
    gone: str
    come: str
    files: Files
    served: Iterable[UUID]
    result: bytes
    rows: Rows
    until: datetime

    def write(self) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT worlds.write(%s, %s)", [self.gone, self.come])
        tenancy.serve(self.served)
        _write_files(self.files)
        return pickle.loads(self.result)


class _Present:
    """The world that the running test is in, None where nobody knows."""

    world: _World | None = None


_kept: OrderedDict[Hashable, _World] = OrderedDict()
_numbers = itertools.count()


def install(address: str, app_role: str) -> None:
    """Give a test database, named by its superuser's address, what worlds are read and written with."""
    with psycopg.connect(address, autocommit=True) as database:
        database.execute(FUNCTIONS.format(role=f'"{app_role}"').encode())
    for alias in connections:
        connections[alias].execute_wrappers.append(_watch)


def begin(fixtures: Iterable[str]) -> None:
    """A test with these fixtures begins, with an empty database if it has one at all."""
    _Present.world = None if (LISTENING | COMMITTED).intersection(fixtures) else NOTHING


def leave() -> None:
    """Something else may be so from now on than what was kept."""
    _Present.world = None


def kept(make: Callable[P, T]) -> Callable[P, T]:
    """Keep what this function makes, for as long as the same is asked of it in the same circumstances."""

    @wraps(make)
    def made(*args: P.args, **named: P.kwargs) -> T:
        key = _key(make, args, named)
        if key is None:
            return make(*args, **named)
        world = _kept.get(key)
        if world is None or world.until < timezone.now():
            return _make(key, lambda: make(*args, **named))
        _kept.move_to_end(key)
        result: T = world.write()
        _Present.world = world
        return result

    return made


class KeptFactory(DjangoModelFactory[M]):
    """A factory whose objects are kept."""

    class Meta:
        abstract = True

    @classmethod
    def create(cls, **kwargs: Any) -> M:
        return cast("M", _create(cls, **kwargs))


@kept
def _create(factory: type[KeptFactory[Any]], /, **fields: Any) -> Any:
    return super(KeptFactory, factory).create(**fields)


def _watch(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Whatever may have changed something leads to a world that nobody knows."""
    if _Present.world is not None and not _reads(str(sql)):
        _Present.world = None
    return execute(sql, params, many, context)


def _reads(sql: str) -> bool:
    # As Django composes them, without functions of ours.
    composed = sql.startswith(("SELECT ", "(SELECT ")) and (' FROM "' in sql or " FROM pg_" in sql)
    return (
        composed or sql in READS or sql.startswith(("SAVEPOINT ", "RELEASE SAVEPOINT ", "SET CONSTRAINTS "))
    )


def _key(make: Callable[..., Any], args: Any, named: Any) -> Hashable | None:
    """All that the outcome depends on; None where that can't be said."""
    listening = connection.force_debug_cursor or time_machine.escape_hatch.is_travelling()
    if _Present.world is None or listening or not connection.in_atomic_block:
        return None
    try:
        arguments = _plain(args), _plain(named)
    except TypeError:
        return None
    return (
        _Present.world.number,
        f"{make.__module__}.{make.__qualname__}",
        arguments,
        tenancy.served(),
        (get_language(), timezone.get_current_timezone_name(), _changed_settings()),
    )


def _plain(value: Any) -> Hashable:
    """An argument as part of a key. Raises TypeError for what has a life of its own, and for moments."""
    if value is None or isinstance(value, str | int | float | UUID | Enum | timedelta):
        return type(value).__qualname__, value
    if isinstance(value, type):
        return value.__module__, value.__qualname__
    if isinstance(value, Model):
        return value._meta.label, value.pk
    if isinstance(value, tuple | list):
        return tuple(_plain(one) for one in value)
    if isinstance(value, Mapping):
        return tuple((_plain(name), _plain(value[name])) for name in value)
    if isinstance(value, set | frozenset):
        return frozenset(_plain(one) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value).__qualname__, tuple(_plain(getattr(value, one.name)) for one in fields(value))
    raise TypeError


def _changed_settings() -> str:
    changed, layer = {}, settings._wrapped
    while isinstance(layer, UserSettingsHolder):
        changed |= {name: repr(value) for name, value in vars(layer).items() if name not in changed}
        layer = layer.default_settings
    return repr(
        sorted((name, value) for name, value in changed.items() if name.isupper() and name not in PLACES)
    )


def _make(key: Hashable, make: Callable[[], T]) -> T:
    """Have it made, and keep it where what it gives can be kept."""
    before = _Present.world.rows if _Present.world and _Present.world is not NOTHING else _empty()
    files = _files()
    result = make()
    try:
        given = pickle.dumps(result)
    except (pickle.PicklingError, TypeError, AttributeError):
        return result
    after, changed = _rows(), _changed(files, _files())
    gone, come = _gone(before, after), _come(before, after)
    world = _World(
        next(_numbers), gone, come, changed, tenancy.served(), given, after, _until(timezone.now(), come)
    )
    _kept[key] = _Present.world = world
    if len(_kept) > KEPT:
        _kept.popitem(last=False)
    return result


def _until(now: datetime, rows: str) -> datetime:
    """Until when it may be taken for what would be made."""
    hour = now.replace(minute=0, second=0, microsecond=0) + HOUR
    ahead = (datetime.fromisoformat(moment) for moment in set(MOMENT.findall(rows)))
    return min([now + LIFE, hour, *(moment for moment in ahead if moment > now)])


@cache
def _empty() -> Rows:
    """What migrations leave behind; asked for at a moment when there is nothing else."""
    return _rows()


def _rows() -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [json.dumps(_keys())])
        return {(table, key): content for table, key, content in cursor.fetchall()}


@cache
def _keys() -> Mapping[str, str]:
    """The column of the key of each table."""
    models = apps.get_models(include_auto_created=True)
    return {model._meta.db_table: str(model._meta.pk.column) for model in models if model._meta.managed}


@cache
def _columns() -> Mapping[str, str]:
    """The columns of each table that can be written to, quoted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, string_agg(quote_ident(attname), ', ')"
            " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' GROUP BY relname"
        )
        return dict(cursor.fetchall())


def _gone(before: Rows, after: Rows) -> str:
    keys: dict[str, list[str]] = {}
    for (table, key), content in before.items():
        if after.get((table, key)) != content:
            keys.setdefault(table, []).append(key)
    return json.dumps([(table, _keys()[table], held) for table, held in keys.items()])


def _come(before: Rows, after: Rows) -> str:
    rows: dict[str, list[str]] = {}
    for (table, key), content in after.items():
        if before.get((table, key)) != content:
            rows.setdefault(table, []).append(content)
    entries = (
        f"[{json.dumps(table)}, {json.dumps(_columns()[table])}, [{', '.join(held)}]]"
        for table, held in rows.items()
    )
    return f"[{', '.join(entries)}]"


def _files() -> Files:
    base = Path(settings.DATA_DIR)
    return {str(path.relative_to(base)): path.read_bytes() for path in base.rglob("*") if path.is_file()}


def _changed(before: Files, after: Files) -> Files:
    return {name: after.get(name) for name in {*before, *after} if before.get(name) != after.get(name)}


def _write_files(files: Files) -> None:
    for name, content in files.items():
        place = Path(settings.DATA_DIR) / name
        if content is None:
            place.unlink()
        else:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.write_bytes(content)


NOTHING = _World(next(_numbers), "[]", "[]", {}, (), pickle.dumps(None), {}, datetime.max.replace(tzinfo=UTC))
