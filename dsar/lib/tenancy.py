"""One transaction, and the controllers that it serves.

PostgreSQL's row-level security compares every tenant row with ``dsar.controllers``, a setting that
lives as long as the transaction. Without it no tenant row can be read or written.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connection, transaction

SETTING = "dsar.controllers"

_afterwards: ContextVar[list[Callable[[], None]] | None] = ContextVar("dsar_afterwards", default=None)
_scratch: ContextVar[dict[object, object] | None] = ContextVar("dsar_scratch", default=None)


def serve(controllers: Iterable[UUID]) -> None:
    """Let the present transaction see these controllers' rows, and no others."""
    _set("{" + ",".join(sorted(str(controller) for controller in controllers)) + "}")


def served() -> frozenset[UUID]:
    """The controllers whose rows the present transaction may see."""
    return frozenset(UUID(value) for value in _current().strip("{}").split(",") if value)


@contextmanager
def unit_of_work(controllers: Iterable[UUID]) -> Iterator[None]:
    """A transaction serving these controllers; nested, a savepoint that gives back what was served.

    What was registered with ``whatever_happens`` runs when the outermost one has ended.
    """
    controllers = list(controllers)
    outermost = _afterwards.get() is None
    afterwards: list[Callable[[], None]] = []
    tokens = (_afterwards.set(afterwards), _scratch.set({})) if outermost else None
    try:
        with _transaction(controllers):
            yield
    finally:
        if tokens:
            _afterwards.reset(tokens[0])
            _scratch.reset(tokens[1])
            _run(afterwards, controllers)


@contextmanager
def serving(controllers: Iterable[UUID]) -> Iterator[None]:
    """Serve other controllers for a moment inside the present transaction.

    It is a savepoint, so that a failure inside gives back what was served as well.
    """
    with _transaction(list(controllers)):
        yield


def whatever_happens(act: Callable[[], None]) -> None:
    """Run ``act`` in a transaction of its own, even if the present one is rolled back.

    Refusals and failed attempts are recorded so: a rollback must not make them unseen.
    """
    afterwards = _afterwards.get()
    if afterwards is None:
        act()
    else:
        afterwards.append(act)


def scratch() -> dict[object, object]:
    """A cache that lives as long as the unit of work; a throw-away one outside of it."""
    cache = _scratch.get()
    return {} if cache is None else cache


@contextmanager
def _transaction(controllers: list[UUID]) -> Iterator[None]:
    nested = connection.in_atomic_block
    with transaction.atomic():
        before = _current() if nested else ""
        serve(controllers)
        yield
        # Where the block is to be rolled back, that gives back what was served.
        if nested and not connection.needs_rollback:
            _set(before)


def _run(afterwards: list[Callable[[], None]], controllers: list[UUID]) -> None:
    failures: list[Exception] = []
    for act in afterwards:
        try:
            with _transaction(controllers):
                act()
        except Exception as failure:  # noqa: BLE001  One that fails must not take the others with it.
            failures.append(failure)
    if failures:
        raise failures[0]


def _set(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, value])


def _current() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [SETTING])
        return str(cursor.fetchone()[0])
