"""What staff are told of a date: the sentence for it, and the mail of several."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from cases.correspondence.compose import render
from cases.models import Notice, Reminder, ReminderKind
from cases.words import Right
from identity.models import User

LISTED = 50
TEMPLATE = "mail/staff/reminders.txt"


@dataclass(frozen=True)
class Line:
    """One case in the mail: nothing of it tells who the customer is."""

    reference: str
    right: str
    brand: str
    sentence: str
    url: str


def sentence(reminder: Reminder, today: date) -> str:
    """What is to be known of the date, in the language in force."""
    on = date_format(reminder.aimed_on, "DATE_FORMAT")
    days = (reminder.aimed_on - today).days
    if reminder.kind == ReminderKind.PAUSE:
        return _waited(on, -days)
    if days == 0:
        return _TODAY[ReminderKind(reminder.kind)]() % {"on": on}
    if days > 0:
        return _ahead(ReminderKind(reminder.kind), days) % {"on": on, "days": days}
    return _behind(ReminderKind(reminder.kind), -days) % {"on": on, "days": -days}


def _waited(on: str, days: int) -> str:
    return ngettext(
        "The clock has waited for the customer since %(on)s, for %(days)d day.",
        "The clock has waited for the customer since %(on)s, for %(days)d days.",
        days,
    ) % {"on": on, "days": days}


def _ahead(kind: ReminderKind, days: int) -> str:
    if kind == ReminderKind.LETTER:
        return ngettext(
            "A letter with reasons must be out by %(on)s, in %(days)d day.",
            "A letter with reasons must be out by %(on)s, in %(days)d days.",
            days,
        )
    if kind == ReminderKind.TARGET:
        return ngettext(
            "The internal target is %(on)s, in %(days)d day.",
            "The internal target is %(on)s, in %(days)d days.",
            days,
        )
    return ngettext(
        "The answer is due on %(on)s, in %(days)d day.",
        "The answer is due on %(on)s, in %(days)d days.",
        days,
    )


def _behind(kind: ReminderKind, days: int) -> str:
    if kind == ReminderKind.LETTER:
        return ngettext(
            "A letter with reasons had to be out by %(on)s, %(days)d day ago.",
            "A letter with reasons had to be out by %(on)s, %(days)d days ago.",
            days,
        )
    if kind == ReminderKind.TARGET:
        return ngettext(
            "The internal target was %(on)s, %(days)d day ago.",
            "The internal target was %(on)s, %(days)d days ago.",
            days,
        )
    return ngettext(
        "Late: the answer was due on %(on)s, %(days)d day ago.",
        "Late: the answer was due on %(on)s, %(days)d days ago.",
        days,
    )


_TODAY = {
    ReminderKind.LETTER: lambda: gettext("A letter with reasons must be out today, %(on)s."),
    ReminderKind.TARGET: lambda: gettext("The internal target is today, %(on)s."),
    ReminderKind.DUE: lambda: gettext("The answer is due today, %(on)s."),
    ReminderKind.LATE: lambda: gettext("The answer is due today, %(on)s."),
}


def mail(person: User, notices: Sequence[Notice], today: date) -> tuple[str, str]:
    """Title and body in the person's language. The notices come with reminder, case, request and controller."""
    with translation.override(person.language):
        lines = [_line(notice, today) for notice in notices[:LISTED]]
        context = {
            "name": person.full_name,
            "count": len(notices),
            "only": lines[0],
            "lines": lines,
            "more": len(notices) - len(lines),
            "url": settings.BASE_URL + reverse("console:reminders"),
        }
    return render(TEMPLATE, person.language, context)


def _line(notice: Notice, today: date) -> Line:
    case = notice.case
    return Line(
        reference=case.reference,
        right=str(Right(case.right).label),
        brand=case.controller.name,
        sentence=sentence(notice.reminder, today),
        url=settings.BASE_URL + reverse("console:case", args=[case.pk]),
    )


def send(person: User, title: str, body: str, batch: UUID) -> None:
    """Hand the mail to the mail server; raises OSError or SMTPException where it does not take it."""
    sender = settings.DEFAULT_FROM_EMAIL
    message = EmailMessage(
        subject=title,
        body=body,
        from_email=sender,
        to=[person.email],
        # The same mail sent twice after a crash is one message to a mail reader.
        headers={
            "Message-ID": f"<{batch}.{person.pk}@{sender.rpartition('@')[2].rstrip('>')}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    get_connection().send_messages([message])
