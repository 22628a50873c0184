"""What a transaction serves, and what outlives it."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from hypothesis import given
from hypothesis import strategies as st

from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.audit.record import SYSTEM, record, record_whatever_happens
from dsar.lib.tenancy import scratch, serve, served, serving, unit_of_work, whatever_happens
from identity.access import Access
from identity.middleware import UnitOfWorkMiddleware
from identity.models import Controller, Team, User
from tests.dsar.rows import MOMENT

ONE, TWO = UUID(int=1), UUID(int=2)


class Stop(Exception):
    pass


def founded(slug: str, controller_id: UUID) -> Controller:
    return Controller.objects.create(id=controller_id, slug=slug, name=slug, legal_name=slug, regime="UK-ENG")


def seen() -> list[str]:
    return list(Controller.objects.order_by("slug").values_list("slug", flat=True))


@pytest.fixture
def brands(committed_db: None) -> None:
    with unit_of_work([ONE, TWO]):
        founded("one", ONE)
        founded("two", TWO)


# -- the setting -------------------------------------------------------------------------------------


@pytest.mark.django_db
@given(st.sets(st.uuids(), max_size=20))
def test_served_gives_back_what_serve_was_given(controllers: set[UUID]) -> None:
    serve(controllers)

    assert served() == controllers


def test_setting_ends_with_its_transaction(brands: None) -> None:
    with unit_of_work([ONE]):
        inside = seen()

    with transaction.atomic():
        afterwards = seen()

    assert (inside, afterwards) == (["one"], [])


def test_setting_ends_with_a_failed_transaction(brands: None) -> None:
    with pytest.raises(Stop), unit_of_work([ONE]):
        raise Stop

    assert seen() == []


def test_setting_outside_a_transaction_has_no_effect(brands: None) -> None:
    serve([ONE])

    assert (served(), seen()) == (frozenset(), [])


def test_setting_of_one_connection_is_unknown_to_another(brands: None) -> None:
    found: list[list[str]] = []

    def look() -> None:
        found.append(seen())
        connection.close()

    with unit_of_work([ONE]):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    assert found == [[]]


def test_nested_unit_of_work_gives_back_what_was_served(brands: None) -> None:
    with unit_of_work([ONE]):
        with unit_of_work([TWO]):
            inside = seen()
        afterwards = seen()

    assert (inside, afterwards) == (["two"], ["one"])


@pytest.mark.parametrize("nest", [unit_of_work, serving])
def test_failed_nested_block_gives_back_what_was_served(
    brands: None, nest: Callable[[list[UUID]], object]
) -> None:
    with unit_of_work([ONE]):
        with pytest.raises(Stop), nest([TWO]):  # type: ignore[attr-defined]
            raise Stop
        afterwards = seen()

    assert afterwards == ["one"]


def test_block_that_fails_in_the_database_gives_back_what_was_served(brands: None) -> None:
    with unit_of_work([ONE]):
        with (
            pytest.raises(Exception, match="division by zero"),
            serving([TWO]),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT 1 / 0")
        afterwards = seen()

    assert afterwards == ["one"]


def test_block_marked_for_rollback_gives_back_what_was_served(brands: None) -> None:
    with unit_of_work([ONE]):
        with unit_of_work([TWO]):
            transaction.set_rollback(True)
        afterwards = seen()

    assert afterwards == ["one"]


# -- requests ----------------------------------------------------------------------------------------


def person(*controllers: UUID) -> User:
    """Somebody who serves these controllers and has shown a second factor."""
    user = User()
    user.access = Access(dict.fromkeys(controllers, frozenset()))
    user.otp_device = object()  # type: ignore[attr-defined]
    return user


def request_of(*controllers: UUID) -> HttpRequest:
    request = HttpRequest()
    request.path = "/desk/"
    request.user = person(*controllers)
    return request


def test_request_sees_its_users_controllers_and_leaves_nothing_behind(brands: None) -> None:
    view = UnitOfWorkMiddleware(lambda request: HttpResponse(",".join(seen())))

    answers = [view(request_of(*who)).content for who in ([ONE], [], [TWO], [ONE, TWO])]

    assert answers == [b"one", b"", b"two", b"one,two"]
    assert seen() == []


# -- scratch -----------------------------------------------------------------------------------------


def test_scratch_lives_as_long_as_the_outermost_unit_of_work(committed_db: None) -> None:
    with unit_of_work([]):
        scratch()["key"] = 1
        with unit_of_work([]):
            inside = dict(scratch())
    with unit_of_work([]):
        next_one = dict(scratch())
    scratch()["key"] = 2

    assert (inside, next_one, scratch()) == ({"key": 1}, {}, {})


# -- whatever happens --------------------------------------------------------------------------------


def test_whatever_happens_survives_a_rollback(committed_db: None) -> None:
    def act() -> None:
        Team.objects.create(name="kept")

    with pytest.raises(Stop), unit_of_work([]):
        Team.objects.create(name="lost")
        whatever_happens(act)
        raise Stop

    assert list(Team.objects.values_list("name", flat=True)) == ["kept"]


def test_whatever_happens_inside_a_nested_block_survives_too(committed_db: None) -> None:
    with pytest.raises(Stop), unit_of_work([]), unit_of_work([]):
        whatever_happens(lambda: Team.objects.create(name="kept") and None)
        raise Stop

    assert list(Team.objects.values_list("name", flat=True)) == ["kept"]


def test_whatever_happens_survives_an_aborted_transaction(committed_db: None) -> None:
    with pytest.raises(Exception, match="division by zero"), unit_of_work([]):
        whatever_happens(lambda: Team.objects.create(name="kept") and None)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    assert Team.objects.count() == 1


def test_whatever_happens_serves_what_its_unit_of_work_served(brands: None) -> None:
    found: list[list[str]] = []

    with unit_of_work([ONE]):
        whatever_happens(lambda: found.append(seen()))
        early = list(found)

    assert (early, found) == ([], [["one"]])


def test_whatever_happens_outside_happens_at_once(committed_db: None) -> None:
    whatever_happens(lambda: Team.objects.create(name="kept") and None)

    assert Team.objects.count() == 1


def test_failing_act_does_not_take_the_others_with_it(committed_db: None) -> None:
    def fail() -> None:
        raise Stop

    with pytest.raises(Stop), unit_of_work([]):
        whatever_happens(fail)
        whatever_happens(lambda: Team.objects.create(name="kept") and None)

    assert Team.objects.count() == 1


def test_refusal_on_record_survives_where_the_act_does_not(brands: None) -> None:
    with pytest.raises(Stop), unit_of_work([ONE]):
        record(Action.STATE_CHANGED, SYSTEM, MOMENT, controller_id=ONE)
        record_whatever_happens(Action.ACT_REFUSED, SYSTEM, MOMENT, controller_id=ONE)
        raise Stop

    with unit_of_work([ONE]):
        assert list(AuditEvent.objects.values_list("action", "seq")) == [("case.act_refused", 1)]
