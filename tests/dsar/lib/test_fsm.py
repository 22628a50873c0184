"""The state field: protected in every thread, also while another one refreshes."""

import threading

import pytest
from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, models
from hypothesis import given
from hypothesis import strategies as st

from cases.models import Case
from cases.words import State
from dsar.lib.fsm import StateField, allowed_pairs, targets, transitions
from dsar.lib.tenancy import serve, unit_of_work
from identity.models import Verification, VerificationState
from tests.conftest import as_superuser
from tests.dsar.rows import ALPHA, make_rows, row_id

THREADS = 8
ROUNDS = 30


@pytest.fixture
def rows(committed_db: None) -> None:
    with as_superuser() as database:
        make_rows(database, ALPHA)
        # No key opens what stands there.
        database.execute("UPDATE identity_verification SET progress = NULL")


def verification() -> Verification:
    found: Verification = Verification.objects.get(pk=row_id(Verification, ALPHA))
    return found


# -- protection --------------------------------------------------------------------------------------


@given(st.sampled_from(State.values))
def test_state_cannot_be_assigned(state: str) -> None:
    case = Case()

    with pytest.raises(AttributeError, match="not allowed"):
        case.state = state

    assert case.state == State.RECEIVED


def test_state_that_was_not_loaded_cannot_be_assigned(rows: None) -> None:
    with unit_of_work([ALPHA]):
        held = Verification.objects.defer("state").get()

        with pytest.raises(AttributeError, match="not allowed"):
            held.state = VerificationState.ACHIEVED

        assert held.state == VerificationState.OPEN


def test_refreshed_state_cannot_be_assigned_before_it_is_read(rows: None) -> None:
    with unit_of_work([ALPHA]):
        held = verification()
        held.refresh_from_db()

        with pytest.raises(AttributeError, match="not allowed"):
            held.state = VerificationState.ACHIEVED


def test_refresh_brings_the_new_state(rows: None) -> None:
    with unit_of_work([ALPHA]):
        stale, fresh = verification(), verification()
        fresh.achieve(2)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('dsar.performing', %s, true)", [str(fresh.pk)])
        fresh.save()

        stale.refresh_from_db()

        assert (stale.state, stale.level) == (VerificationState.ACHIEVED, 2)
        with pytest.raises(AttributeError, match="not allowed"):
            stale.state = VerificationState.OPEN


def test_refresh_of_other_fields_keeps_state_and_protection(rows: None) -> None:
    with unit_of_work([ALPHA]):
        held = verification()

        held.refresh_from_db(fields=["level"])

        with pytest.raises(AttributeError, match="not allowed"):
            held.state = VerificationState.FAILED


def test_refresh_of_a_row_that_is_gone_keeps_state_and_protection(rows: None) -> None:
    with unit_of_work([ALPHA]):
        held = verification()
        serve([])

        with pytest.raises(ObjectDoesNotExist):
            held.refresh_from_db()

        with pytest.raises(AttributeError, match="not allowed"):
            held.state = VerificationState.ACHIEVED
        assert held.state == VerificationState.OPEN


def test_protection_holds_while_other_threads_refresh(rows: None) -> None:
    assigned: list[str] = []
    failed: list[BaseException] = []
    start = threading.Barrier(THREADS)

    def refresh_and_assign() -> None:
        try:
            with unit_of_work([ALPHA]):
                held = verification()
                start.wait()
                for _ in range(ROUNDS):
                    held.refresh_from_db()
                    try:
                        held.state = VerificationState.ACHIEVED
                        assigned.append(held.state)
                    except AttributeError:
                        pass
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=refresh_and_assign) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (assigned, failed) == ([], [])


# -- what is declared --------------------------------------------------------------------------------


def test_allowed_pairs_of_a_small_machine() -> None:
    assert allowed_pairs(Verification) == [
        ("achieved", "retracted"),
        ("open", "achieved"),
        ("open", "failed"),
    ]


def test_transition_that_returns_counts_each_of_its_targets() -> None:
    received = next(each for each in transitions(Case) if each.name == "receive_clarification")

    assert targets(received) == ["received", "searching", "review"]
    assert {target for source, target in allowed_pairs(Case) if source == "awaiting_clarification"} == {
        "received", "searching", "review", "approval", "closed",
    }  # fmt: skip


def test_every_pair_is_between_known_states() -> None:
    states = {state for pair in allowed_pairs(Case) for state in pair}

    assert states == set(State.values)


def test_migrations_see_a_plain_field() -> None:
    stateful: list[models.Field] = [
        field
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, StateField)
    ]

    seen = {(field.deconstruct()[1], "protected" in field.deconstruct()[3]) for field in stateful}

    assert seen == {("django.db.models.CharField", False)}
