"""What one is reminded of, and how one's brands warn."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from cases import worklist
from cases.console.going import see_other
from cases.correspondence import reminders as words
from cases.models import Notice, ReminderKind
from cases.surface import attempt, needs, staff
from cases.workflow import reminders
from identity.models import Controller
from identity.roles import Permission

SHOWN = 100
_TONES = {
    ReminderKind.LATE: "late",
    ReminderKind.LETTER: "soon",
    ReminderKind.DUE: "soon",
    ReminderKind.TARGET: "ok",
    ReminderKind.PAUSE: "paused",
}


@require_safe
@needs(Permission.VIEW_CASE)
def reminder_list(request: HttpRequest) -> HttpResponse:
    """What stands for this person, the most urgent first, and when their brands warn."""
    user, now = staff(request), timezone.now()
    found = list(reminders.most_urgent(user)[: SHOWN + 1])
    brands = worklist.controllers_of(user)
    context = {
        "rows": [_row(notice, now) for notice in found[:SHOWN]],
        "is_cut": len(found) > SHOWN,
        "brands": [_settings(brand) for brand in brands],
    }
    return render(request, "console/desk/reminders.html", context)


def _row(notice: Notice, now: datetime) -> dict[str, object]:
    case = notice.case
    return {
        "notice": notice,
        "case": case,
        "sentence": words.sentence(notice.reminder, worklist.today(case.controller, now)),
        "tone": _TONES[ReminderKind(notice.reminder.kind)],
    }


def _settings(brand: Controller) -> dict[str, object]:
    policy = reminders.policy_of(brand)
    facts = [
        (_("Before the internal target"), _before(policy.before_target)),
        (_("Before the due date"), _before(policy.before_due)),
        (_("Before a letter with reasons is due"), _before(policy.before_letter)),
        (_("The data protection officer as well, from"), _before([policy.dpo])),
        (_("When the clock has waited for"), _days(policy.pause)),
    ]
    return {"name": brand.name, "facts": [{"label": label, "value": value} for label, value in facts]}


def _before(numbers: Sequence[int]) -> str:
    """The thresholds as people list them, the earliest first."""
    ahead = sorted({number for number in numbers if number}, reverse=True)
    listed = ", ".join(map(str, ahead))
    said = (
        [ngettext("%(days)s day before", "%(days)s days before", max(ahead)) % {"days": listed}]
        if ahead
        else []
    )
    return "; ".join([*said, *([_("on the day itself")] if 0 in numbers else [])]) or _("never")


def _days(number: int) -> str:
    return ngettext("%(days)s day", "%(days)s days", number) % {"days": number}


@require_POST
@needs(Permission.VIEW_CASE)
def put_aside(request: HttpRequest) -> HttpResponse:
    """One reminder, or all that the page showed, is seen; it comes back when another threshold is reached."""
    chosen = [found for text in request.POST.getlist("notice") if (found := _uuid(text)) is not None]
    attempt(request, lambda: reminders.put_aside(staff(request), chosen, timezone.now()))
    return see_other("console:reminders")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
