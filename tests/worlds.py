"""What the tests of a module begin from, built once for all of them instead of once for each.

A module opts in with a function ``build_world(patch, request)`` and ``pytestmark = pytest.mark.usefixtures("world")``;
its tests and fixtures find what the function returned in ``world``. ``patch`` lasts while the world is built: what an
autouse fixture sets for each test has to be set there too. ``request`` gives fixtures that last as long as the module.

The world is built in a transaction that is rolled back after the module's last test, and each test is a savepoint in
it, so that PostgreSQL itself gives every test the same rows. Limits on strangers are rows as well. What is not in the
database is given anew to each test: the objects are copied, and so are the files; the calls that were counted in Redis
for the sources of the module are forgotten. Nobody else counts under these ids, since they exist in this database
alone. A source's own system is no part of any of this: a test that changes one has no place in a world.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings
from django.utils import translation

Build = Callable[[pytest.MonkeyPatch], Any]
COMMITTING = {"committed_db", "transactional_db", "live_server"}


@dataclass(frozen=True)
class Standing:
    """A world in its open transaction. Only copies of it leave this file."""

    made: Any
    files: Path
    language: str
    transaction: int
    sources: set[str]


def part(name: str, called: str = "") -> Any:
    """A fixture that gives one thing of the module's world, by the name it has there unless ``called`` otherwise."""

    @pytest.fixture(name=called or name)
    def given(world: Any) -> Any:
        return getattr(world, name)

    return given


@contextmanager
def standing(build: Build, files: Path, blocker: Any) -> Iterator[Standing]:
    """Build a world whose files lie in a folder of its own, and take it down again.

    Meanwhile the database is closed to tests that do not ask for it: what they changed would stay for all others.
    """
    files.mkdir()
    with blocker.unblock(), _thrown_away():
        found = _built(build, files)
        with blocker.block():
            yield found


@contextmanager
def entered(world: Standing) -> Iterator[Any]:
    """One test's own copy of a world, inside of the test's savepoint. Its folder for files is set, and empty."""
    assert _transaction() == world.transaction, "The world's transaction ended before its tests did."
    shutil.copytree(world.files, settings.DATA_DIR, dirs_exist_ok=True)
    _forget_calls(world.sources)
    with pytest.MonkeyPatch.context() as patch, translation.override(world.language):
        _note_sources(patch, world.sources)
        yield deepcopy(world.made)


def refuse_outsiders(items: Iterable[pytest.Item]) -> None:
    """All tests of a module stand in its world, or what one found would hang on which of them came before it."""
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        if asked & COMMITTING:
            pytest.fail(f"{item.nodeid} commits, which no test can where others share a transaction.")
        if "world" not in asked and ("db" in asked or item.get_closest_marker("django_db")):
            pytest.fail(f"{item.nodeid} uses the database, but not the world that its module has there.")


@contextmanager
def _thrown_away() -> Iterator[None]:
    """A transaction that is rolled back at the end."""
    assert not connection.in_atomic_block, "The world of another module is still there."
    outermost: Any = transaction.atomic()
    # As in Django's own test cases: what wants to be the outermost transaction takes this one for none.
    outermost._from_testcase = True
    with outermost:
        try:
            yield
        finally:
            transaction.set_rollback(True)


def _built(build: Build, files: Path) -> Standing:
    sources: set[str] = set()
    with (
        pytest.MonkeyPatch.context() as patch,
        override_settings(DATA_DIR=files),
        translation.override(settings.LANGUAGE_CODE),
    ):
        _note_sources(patch, sources)
        made = build(patch)
        # What waits for the end of the transaction is looked at here, and not again by each test.
        connection.check_constraints()
        return Standing(made, files, translation.get_language(), _transaction(), sources)


def _transaction() -> int:
    """The number of the outermost transaction, whatever savepoints there are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])


def _note_sources(patch: pytest.MonkeyPatch, sources: set[str]) -> None:
    """Take down each source whose calls are counted. Rows would not tell: which are seen depends on who is served."""
    from cases.collection.gate import SharedGate  # the fixtures are loaded before the applications are

    make = SharedGate.__init__

    def noted(self: SharedGate, source_id: Any, *args: Any) -> None:
        sources.add(str(source_id))
        make(self, source_id, *args)

    patch.setattr(SharedGate, "__init__", noted)


def _forget_calls(sources: Iterable[str]) -> None:
    """Everything that is counted or kept for a source has its id in the key."""
    from cases.collection import gate  # the fixtures are loaded before the applications are

    gate._alone.cache_clear()
    client = gate._client()
    for source in sources:
        for key in client.scan_iter(match=f"*{source}*", count=1000):
            client.delete(key)
