"""One's own due dates as a calendar (RFC 5545). It is read by programs of third parties: references and dates alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from cases.models import Case
from cases.words import State
from identity.models import User

PRODUCT = "-//DSAR desk//due dates//EN"
# A calendar that asks every day sees at least once that an answered case is gone.
CANCELLED_FOR = timedelta(days=30)
REFRESH = timedelta(hours=4)


def due_calendar(person: User, now: datetime) -> bytes:
    """Every open case of this person as a day, and as cancelled those that were closed of late.

    The same cases give the same bytes, whoever asks and when.
    """
    with translation.override(person.language):
        calendar = Calendar()
        calendar.add("prodid", PRODUCT)
        calendar.add("version", "2.0")
        calendar.add("x-wr-calname", _("Requests due"))
        calendar.add("refresh-interval", REFRESH)
        calendar.add("x-published-ttl", REFRESH)
        for case in _cases(person, now):
            calendar.add_component(_event(case))
        return bytes(calendar.to_ical())


def _cases(person: User, now: datetime) -> Iterator[Case]:
    shown = ~Q(state=State.CLOSED) | Q(closed_at__gt=now - CANCELLED_FOR)
    mine = Case.objects.visible_to(person).counted().filter(shown, owner=person, due_on__isnull=False)
    yield from mine.select_related("subject_request").order_by("due_on", "pk").iterator()


def _event(case: Case) -> Event:
    """A whole day that keeps nobody from being invited; tentative while the clock stands still."""
    changed = case.closed_at or case.dates_moved_at or case.opened_at
    event = Event()
    event.add("uid", f"{case.pk}-due")
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    event.add("sequence", case.dates_version + (0 if case.is_open else 1))
    event.add("dtstart", case.due_on)
    event.add("summary", _("%(reference)s due") % {"reference": case.reference})
    event.add("status", _status(case))
    event.add("transp", "TRANSPARENT")
    return event


def _status(case: Case) -> str:
    if not case.is_open:
        return "CANCELLED"
    return "CONFIRMED" if case.clock_state == "running" else "TENTATIVE"
