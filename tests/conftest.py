"""The test database: owned by one role, used by another, as in production.

The suite signs in as ``dsar_app``, so that grants and row-level security are tested by every test. A test
that must see its commits (threads, worker processes, a live server) asks for ``committed_db``, which is
emptied afterwards.
"""

import gc
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.core.management import BaseCommand, call_command
from django.db import connection, connections
from django.test import override_settings
from hypothesis import HealthCheck, settings

from dsar.celery import app
from dsar.lib import tenancy
from tests import browser, prepared, worlds


def admin_url(database: str = "postgres") -> str:
    """The superuser's address of a database on the test server."""
    parts = urlsplit(os.environ["DATABASE_ADMIN_URL"])
    return urlunsplit(parts._replace(path=f"/{database}"))


def make_database(name: str) -> None:
    """Make an empty database for the two roles."""
    with psycopg.connect(admin_url(), autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}" OWNER dsar_owner')
    with psycopg.connect(admin_url(name), autocommit=True) as database:
        database.execute("ALTER SCHEMA public OWNER TO dsar_owner")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: much of the time goes by waiting for servers, browsers and leases."""
    return (os.cpu_count() or 1) + 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough",
        action="store_true",
        help="judge each page in every look, and run the tests marked thorough",
    )


def pytest_configure(config: pytest.Config) -> None:
    browser.thorough = config.getoption("--thorough")
    # A property is wrong or right, however busy the machine is. What CI sets for itself stays.
    untimed = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    settings.register_profile("untimed", settings(), **untimed)
    settings.load_profile("untimed")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only a thorough run does. Begin with the files that take minutes, so that the last of them does
    not run on alone. Files stay whole."""
    if not config.getoption("--thorough"):
        left_out = [item for item in items if item.get_closest_marker("thorough")]
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]
        config.hook.pytest_deselected(items=left_out)
    in_browser = {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: next(place for place, slow in enumerate(_slow(item, in_browser)) if slow))


def pytest_collection_finish() -> None:
    """What collecting made stays until the end, and need not be looked through for garbage again and again."""
    gc.freeze()


def _slow(item: pytest.Item, in_browser: set[Path]) -> tuple[bool, ...]:
    folder = item.path.parent.name
    return folder == "kills", folder == "journeys", item.path in in_browser, folder == "contracts", True


def pytest_sessionfinish() -> None:
    browser.stop()


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """Make a migrated database of this run's own, which its owner holds, then point the application's role at it."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "one")
    name = f"test_dsar_{worker}"
    # Processes of one run share the broker too: none may find another's messages in its queue.
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, "global_keyprefix": f"{name}:"}
    make_database(name)
    for alias in ("default", "owner"):
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name
    with django_db_blocker.unblock():
        app_role = str(connections["default"].settings_dict["USER"])
        prepared.fill(admin_url(name), app_role, lambda: call_command("migrate", verbosity=0))
        yield
        for connection in connections.all():
            connection.close()


@pytest.fixture(scope="session", autouse=True)
def _settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What no test changes. Nothing is collected: the finders serve the sources, but the directory must exist."""
    with override_settings(
        STATIC_ROOT=tmp_path_factory.mktemp("static"),
        EMAIL_BACKEND="cases.correspondence.outbox.EmailBackend",
        TESSERACT="",
    ):
        yield


@pytest.fixture(scope="session")
def _new_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One after the other. Pytest looks through those that it has made before it makes another, which adds up."""
    base = tmp_path_factory.mktemp("files")
    return (base / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _own_files(_new_folders: Iterator[Path], settings: Any) -> None:
    settings.DATA_DIR = next(_new_folders)
    settings.DATA_DIR.mkdir()


def _unhurried(patch: pytest.MonkeyPatch) -> None:
    """A test's own transaction is seen by no other connection, so that a heartbeat would take a slow job for lost."""
    from dsar.jobs import run  # this file is loaded before the applications are

    patch.setattr(run, "BEAT_SECONDS", 600.0)


@contextmanager
def _serving_nobody() -> Iterator[None]:
    """As outside of any unit of work, whatever the test's own transaction serves."""
    before = tenancy.served() if connection.in_atomic_block else None
    if before is not None:
        tenancy.serve([])
    try:
        yield
    finally:
        if before is not None and not connection.needs_rollback:
            tenancy.serve(before)


def _jobs_and_commands_see_what_they_serve(patch: pytest.MonkeyPatch) -> None:
    """A worker serves nobody between its steps, nor does a command outside of its units of work: what reads there fails
    here too."""
    from dsar.jobs import run  # this file is loaded before the applications are

    for place, name in ((run, "_attempt"), (BaseCommand, "execute")):
        patch.setattr(place, name, _honest(getattr(place, name)))


def _honest(work: Callable[..., Any]) -> Callable[..., Any]:
    def honest(*args: Any, **named: Any) -> Any:
        with _serving_nobody():
            return work(*args, **named)

    return honest


@pytest.fixture(autouse=True)
def _in_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    _unhurried(monkeypatch)
    _jobs_and_commands_see_what_they_serve(monkeypatch)


@pytest.fixture(scope="module")
def standing(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: Any,
    _new_folders: Iterator[Path],
) -> Iterator[worlds.Standing]:
    """The module's world, built as its tests would build it."""

    def build(patch: pytest.MonkeyPatch) -> Any:
        _unhurried(patch)
        _jobs_and_commands_see_what_they_serve(patch)
        return request.module.build_world(patch, request)

    worlds.refuse_outsiders(item for item in request.session.items if item.path == request.path)
    with worlds.standing(build, next(_new_folders), django_db_blocker) as found:
        yield found


@pytest.fixture
def world(standing: worlds.Standing, db: None, _own_files: None) -> Iterator[Any]:
    """What ``build_world`` of the module made, as this test's own: see tests/worlds.py."""
    with worlds.entered(standing) as copy:
        yield copy


@pytest.fixture
def serve(db: None) -> Any:
    """Let this test's transaction see the rows of the controllers given."""
    return tenancy.serve


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database in which commits are real; emptied by the superuser afterwards."""
    assert not connection.in_atomic_block, "A test that commits can't stand in a world."
    with django_db_blocker.unblock():
        connections["default"].close()
        yield
        for alias in ("default", "owner"):
            connections[alias].close()
        empty(str(connections["default"].settings_dict["NAME"]))


def empty(name: str) -> None:
    """Remove every row of every table but the migrations' own."""
    with psycopg.connect(admin_url(name), autocommit=True) as database:
        rows = database.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission')"
            " AND pg_relation_size(oid) > 0"
        ).fetchall()
        # Truncating makes a new file for every table and index, were they empty or not, and takes ten times as long.
        database.execute("SET session_replication_role = replica")
        for (table,) in rows:
            database.execute(f'DELETE FROM "{table}"')


@contextmanager
def as_superuser() -> Iterator[psycopg.Connection[Any]]:
    """A connection that nothing in the database holds back; for tampering and for checking."""
    name = str(connections["default"].settings_dict["NAME"])
    with psycopg.connect(admin_url(name), autocommit=True) as database:
        yield database
