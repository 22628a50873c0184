"""The mail to staff that says which due dates moved though nobody touched the cases."""

from collections.abc import Sequence
from datetime import date

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext

from cases.correspondence.compose import render
from cases.correspondence.reminders import Line
from cases.models import DateMove
from cases.words import Right
from identity.models import User

TEMPLATE = "mail/staff/date_moves.txt"


def mail(person: User, moves: Sequence[DateMove], count: int) -> tuple[str, str]:
    """Title and body in the person's language; ``moves`` are the first of so many, with case and controller."""
    with translation.override(person.language):
        context = {
            "name": person.full_name,
            "count": count,
            "lines": [_line(move) for move in moves],
            "more": count - len(moves),
            "url": settings.BASE_URL + reverse("console:queue") + "?tab=mine",
        }
    return render(TEMPLATE, person.language, context)


def _line(move: DateMove) -> Line:
    """Nothing of it tells who the customer is."""
    case = move.case
    return Line(
        reference=case.reference,
        right=str(Right(case.right).label),
        brand=case.controller.name,
        sentence=sentence(move),
        url=settings.BASE_URL + reverse("console:case", args=[case.pk]),
    )


def sentence(move: DateMove) -> str:
    """From when to when, in the language in force."""
    words = {"before": _day(move.from_on), "after": _day(move.to_on)}
    return gettext("The due date moved from %(before)s to %(after)s.") % words


def _day(on: date | None) -> str:
    return date_format(on, "DATE_FORMAT") if on else gettext("no date")
