"""Events that are written together, as if they had been written one by one."""

from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.audit.record import SYSTEM, gathered, record, record_whatever_happens
from dsar.audit.verify import Tally, broken_chains
from dsar.lib.tenancy import serve
from tests.dsar.rows import ALPHA, MOMENT

pytestmark = pytest.mark.django_db

CASE = UUID(int=77)


def append(case_id=None, **data) -> None:
    record(Action.NOTE_ADDED, SYSTEM, MOMENT, controller_id=ALPHA, case_id=case_id, data=data)


def written() -> list[tuple[object, int, object]]:
    return list(AuditEvent.objects.order_by("chain", "seq").values_list("chain", "seq", "data__number"))


def test_gathered_events_are_chained_in_their_order():
    serve([ALPHA])
    append(CASE, number=1)

    with gathered():
        append(CASE, number=2)
        append(number=3)
        append(CASE, number=4)

    assert written() == sorted([(CASE, 1, 1), (CASE, 2, 2), (CASE, 3, 4), (ALPHA, 1, 3)])
    assert list(broken_chains(Tally())) == []


def test_gathered_events_take_one_statement():
    serve([ALPHA])

    with CaptureQueriesContext(connection) as captured, gathered():
        append(CASE)
        with gathered():
            append(CASE)
        append()

    assert len(captured) == 1


def test_gathered_nothing_takes_no_statement():
    with CaptureQueriesContext(connection) as captured, gathered():
        pass

    assert len(captured) == 0


def test_gathered_events_of_a_block_that_failed_are_not_written():
    serve([ALPHA])

    with pytest.raises(ZeroDivisionError), transaction.atomic(), gathered():
        append(CASE)
        raise ZeroDivisionError

    assert written() == []
    append(CASE, number=1)
    assert written() == [(CASE, 1, 1)]


def test_refusal_is_recorded_whatever_happens_to_what_is_gathered():
    serve([ALPHA])

    with pytest.raises(ZeroDivisionError), gathered():
        append(CASE, number=1)
        record_whatever_happens(
            Action.ACT_REFUSED, SYSTEM, MOMENT, controller_id=ALPHA, case_id=CASE, data={"number": 2}
        )
        raise ZeroDivisionError

    assert written() == [(CASE, 1, 2)]
