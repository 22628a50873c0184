"""The calendar of one's own due dates, as a calendar program sees it."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar, Event

from cases.console import due_calendar
from cases.deadlines.events import EventKind
from cases.models import Case
from cases.permissions import BY_SYSTEM
from cases.workflow.clock import add_fact
from dsar.audit.models import AuditEvent
from identity import feeds
from identity.models import CalendarFeed, Membership, User
from identity.roles import Role
from tests.cases.desk_cases import Office, make_office, office
from tests.cases.staff_client import signed_in
from tests.factories.cases import in_state, one_case
from tests.factories.identity import staff

__all__ = ["office"]

pytestmark = pytest.mark.django_db

PAGE = "/calendar-feed/"


def mine(office: Office, owner: User | None = None, state: str = "searching", **fields: Any) -> Case:
    return in_state(one_case(office.brand), state, owner=owner or office.handler, **fields)


def address(person: User) -> str:
    return reverse("console:due-calendar", args=[feeds.open_feed(person, timezone.now())])


def read(person: User) -> list[Event]:
    answer = Client().get(address(person))
    return list(Calendar.from_ical(answer.content).walk("VEVENT"))


def references(person: User) -> list[str]:
    return sorted(str(event["SUMMARY"]) for event in read(person))


def test_feed_shows_each_open_case_of_ones_own_as_a_whole_day(office):
    case = mine(office)

    (event,) = read(office.handler)

    assert {name: event.decoded(name) for name in ("dtstart", "summary", "uid", "status", "sequence")} == {
        "dtstart": case.due_on,
        "summary": f"{case.reference} due",
        "uid": f"{case.pk}-due",
        "status": "TENTATIVE",
        "sequence": case.dates_version,
    }
    assert type(event.decoded("dtstart")) is date


def test_feed_is_a_calendar_to_programs(office):
    mine(office)

    answer = Client().get(address(office.handler))

    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.content.startswith(b"BEGIN:VCALENDAR\r\n")
    assert max(len(line) for line in answer.content.split(b"\r\n")) <= 75


def test_running_clock_is_confirmed(office):
    mine(office, clock_state="running")

    (event,) = read(office.handler)

    assert str(event["STATUS"]) == "CONFIRMED"


def test_feed_holds_nothing_of_the_customer_or_the_brand(office):
    case = mine(office)

    content = Client().get(address(office.handler)).content.decode()

    told = [
        word for word in ("Ada", "ada@", office.brand.name, office.brand.slug, "ccess") if word in content
    ]
    assert (case.reference in content, told) == (True, [])


def test_feed_leaves_out_others_cases(office):
    """There are a colleague's, nobody's, a drill, and one of a brand that the person served once."""
    other = make_office()
    own = mine(office)
    mine(office, owner=office.other)
    Case.objects.filter(pk=mine(office).pk).update(owner=None)
    mine(office, is_drill=True)
    mine(other, owner=office.handler)

    assert references(office.handler) == [f"{own.reference} due"]


def test_moved_date_moves_with_a_higher_sequence(office):
    case = mine(office)
    (before,) = read(office.handler)
    later = timezone.now()
    add_fact(case, EventKind.EXTENSION_NOTIFIED, later, BY_SYSTEM, later)

    (after,) = read(office.handler)

    assert after["UID"] == before["UID"]
    assert after.decoded("dtstart") > before.decoded("dtstart")
    assert after.decoded("sequence") == before.decoded("sequence") + 1
    assert after.decoded("last-modified") == later.replace(microsecond=0)


def test_closed_case_is_cancelled_and_then_gone(office):
    recent = mine(office, state="closed", outcome="fulfilled")
    old = mine(office, state="closed", outcome="fulfilled")
    Case.objects.filter(pk=old.pk).update(closed_at=timezone.now() - due_calendar.CANCELLED_FOR)

    (event,) = read(office.handler)

    assert (str(event["SUMMARY"]), str(event["STATUS"])) == (f"{recent.reference} due", "CANCELLED")
    assert event.decoded("sequence") == recent.dates_version + 1


def test_unchanged_calendar_is_not_sent_again(office):
    case, where = mine(office), address(office.handler)
    first = Client().get(where)

    again = Client().get(where, headers={"If-None-Match": first.headers["ETag"]})
    Case.objects.filter(pk=case.pk).update(due_on=date(2030, 1, 1))
    changed = Client().get(where, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content, changed.status_code) == (304, b"", 200)


def test_unknown_address_is_not_found(office):
    mine(office)
    address(office.handler)

    assert Client().get(reverse("console:due-calendar", args=["x" * 43])).status_code == 404


def test_new_address_ends_the_old_one(office):
    mine(office)
    old = address(office.handler)

    new = address(office.handler)

    assert [Client().get(one).status_code for one in (old, new)] == [404, 200]


def test_closed_address_opens_nothing(office):
    where = address(office.handler)

    signed_in(office.handler).post("/calendar-feed/close/")

    assert (Client().get(where).status_code, CalendarFeed.objects.count()) == (404, 0)


def test_who_works_here_no_more_has_no_calendar(office):
    mine(office)
    where = address(office.handler)

    User.objects.filter(pk=office.handler.pk).update(is_active=False)

    assert Client().get(where).status_code == 404


def test_who_left_the_team_sees_none_of_its_cases(office):
    mine(office)
    Membership.objects.filter(user=office.handler).delete()

    assert references(office.handler) == []


def test_principal_of_drills_has_no_calendar(office):
    person = staff(Role.HANDLER, office.brand, is_principal=True)

    assert Client().get(address(person)).status_code == 404


def test_calendar_that_asks_too_often_waits(office, monkeypatch):
    monkeypatch.setattr(feeds, "READS_AN_HOUR", 3)
    where, other = address(office.handler), address(office.other)

    answers = [Client().get(where) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["Retry-After"] == "3600"
    assert Client().get(other).status_code == 200


def test_waiting_ends_after_an_hour(office, monkeypatch):
    monkeypatch.setattr(feeds, "READS_AN_HOUR", 1)
    now = timezone.now()
    token = feeds.open_feed(office.handler, now)

    read_at = [now, now + timedelta(minutes=59), now + timedelta(hours=1)]
    found = [feeds.reader(token, moment) for moment in read_at]

    assert found == [office.handler, feeds.TOO_MANY_READS, office.handler]


def test_token_is_kept_as_hash_alone(office):
    token = feeds.open_feed(office.handler, timezone.now())

    kept = [str(value) for value in CalendarFeed.objects.values_list("token_hash", "id", "user_id").get()]
    trail = " ".join(str(event.data) for event in AuditEvent.objects.all())
    assert [token in text for text in [*kept, trail]] == [False] * 4


def test_page_shows_the_address_once(office):
    client = signed_in(office.handler)

    made = client.post(PAGE)
    again = client.get(PAGE)

    where = made.context["address"]
    assert (where in made.content.decode(), where in again.content.decode()) == (True, False)
    assert Client().get("/" + where.split("/", 3)[3]).status_code == 200


def test_page_is_not_there_for_who_sees_no_cases(office):
    assert signed_in(office.administrator).get(PAGE).status_code == 404
