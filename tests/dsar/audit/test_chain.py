"""The chain as PostgreSQL keeps it: places given, nothing changed, many writers at once."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from psycopg import errors

from dsar.audit.actions import Action
from dsar.audit.models import SYSTEM_CHAIN, AuditEvent, AuditHead
from dsar.audit.record import OPERATOR, SYSTEM, record
from dsar.audit.verify import Tally, broken_chains
from dsar.lib.tenancy import serve, unit_of_work
from tests.dsar.rows import ALPHA, BETA, MOMENT

CASE = UUID(int=77)
THREADS = 8
EACH = 25


def append(controller_id: UUID | None = ALPHA, case_id: UUID | None = None, **data: Any) -> None:
    record(Action.NOTE_ADDED, SYSTEM, MOMENT, controller_id=controller_id, case_id=case_id, data=data)


def places() -> list[tuple[UUID, int]]:
    return list(AuditEvent.objects.order_by("chain", "seq").values_list("chain", "seq"))


def cause(act: Callable[[], object]) -> type[BaseException] | None:
    """What the database refuses an act with."""
    try:
        with transaction.atomic():
            act()
    except DatabaseError as error:
        return type(error.__cause__)
    return None


def sql(statement: str) -> Callable[[], object]:
    def act() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return act


# -- places ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_events_are_chained_by_case_else_by_controller_else_by_system() -> None:
    serve([ALPHA])

    append(case_id=CASE)
    append()
    append(controller_id=None)
    append(case_id=CASE)

    assert places() == [(SYSTEM_CHAIN, 1), (CASE, 1), (CASE, 2), (ALPHA, 1)]


@pytest.mark.django_db
def test_each_event_continues_the_one_before() -> None:
    serve([ALPHA])

    for number in range(3):
        append(number=number)

    events = list(AuditEvent.objects.order_by("seq"))
    assert [bytes(event.prev) for event in events] == [b"", *(bytes(event.hash) for event in events[:-1])]
    assert bytes(AuditHead.objects.get(chain=ALPHA).hash) == bytes(events[-1].hash)


@pytest.mark.django_db
@given(st.lists(st.sampled_from([(ALPHA, None), (ALPHA, CASE), (BETA, None), (None, None)]), max_size=12))
def test_chains_stay_intact_in_any_order_of_writing(events: list[tuple[UUID | None, UUID | None]]) -> None:
    with unit_of_work([ALPHA, BETA]):
        tally = Tally()
        for controller_id, case_id in events:
            append(controller_id, case_id)

        breaks = list(broken_chains(tally))
        transaction.set_rollback(True)

    assert (breaks, tally.events, tally.chains) == ([], len(events), len(set(events)))


@pytest.mark.django_db
def test_event_of_a_case_names_its_controller() -> None:
    refused = cause(lambda: append(controller_id=None, case_id=CASE))

    assert (refused, places()) == (errors.CheckViolation, [])


@pytest.mark.django_db
def test_event_cannot_join_another_controllers_chain() -> None:
    serve([ALPHA, BETA])
    append(ALPHA, CASE)

    refused = cause(lambda: append(BETA, CASE))

    assert (refused, places()) == (errors.InsufficientPrivilege, [(CASE, 1)])


@pytest.mark.django_db
def test_writer_can_choose_neither_chain_nor_place_nor_hash() -> None:
    serve([ALPHA])

    AuditEvent.objects.create(
        chain=CASE,
        seq=9,
        at=MOMENT,
        action="x",
        actor_kind="system",
        controller_id=ALPHA,
        prev=b"p",
        hash=b"h",
    )

    assert places() == [(ALPHA, 1)]
    assert list(broken_chains(Tally())) == []


@pytest.mark.django_db
def test_temporary_table_does_not_stand_in_for_the_heads() -> None:
    serve([ALPHA])
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_database_privilege(current_database(), 'TEMPORARY')")
        if cursor.fetchone() == (True,):
            cursor.execute("CREATE TEMPORARY TABLE audit_head (LIKE public.audit_head INCLUDING ALL)")

    append()

    with connection.cursor() as cursor:
        cursor.execute("SELECT chain, seq FROM public.audit_head")
        assert cursor.fetchall() == [(ALPHA, 1)]


# -- append-only -------------------------------------------------------------------------------------

CHANGES = {
    "update": "UPDATE audit_event SET action = 'x'",
    "delete": "DELETE FROM audit_event",
    "truncate": "TRUNCATE audit_event",
    "disable trigger": "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    "drop trigger": "DROP TRIGGER audit_no_change ON audit_event",
    "replace function": "CREATE OR REPLACE FUNCTION audit_link() RETURNS trigger LANGUAGE sql AS ''",
    "replication role": "SET session_replication_role = replica",
    "insert head": "INSERT INTO audit_head (chain, seq, hash) VALUES (gen_random_uuid(), 1, '')",
    "update head": "UPDATE audit_head SET seq = 9",
    "delete head": "DELETE FROM audit_head",
}


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.django_db
def test_application_cannot_change_the_trail(statement: str) -> None:
    serve([ALPHA])
    append()
    before = list(AuditEvent.objects.values_list("seq", "action", "hash"))

    refused = cause(sql(statement))

    assert refused in {errors.InsufficientPrivilege, errors.InvalidFunctionDefinition}
    assert list(AuditEvent.objects.values_list("seq", "action", "hash")) == before


# -- many writers ------------------------------------------------------------------------------------


def write_at_once(chain_of: Callable[[int], UUID]) -> None:
    start = threading.Barrier(THREADS)

    def write(thread: int) -> None:
        start.wait()
        for number in range(EACH):
            with unit_of_work([ALPHA]):
                append(ALPHA, chain_of(thread * EACH + number))
        connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("chains", [1, 5], ids=["one chain", "many chains"])
def test_chain_is_intact_after_many_writers_at_once(committed_db: None, chains: int) -> None:
    tally = Tally()

    write_at_once(lambda number: UUID(int=1000 + number % chains))

    with unit_of_work([ALPHA]):
        assert list(broken_chains(tally)) == []
    assert (tally.chains, tally.events) == (chains, THREADS * EACH)


def test_rolled_back_event_leaves_no_gap(committed_db: None) -> None:
    for fails in (False, True, False):
        with unit_of_work([ALPHA]):
            record(Action.NOTE_ADDED, OPERATOR, MOMENT, controller_id=ALPHA)
            transaction.set_rollback(fails)

    with unit_of_work([ALPHA]):
        assert places() == [(ALPHA, 1), (ALPHA, 2)]
