"""Oversight: what will be late first, what is blocked and on whom, and what went wrong."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from cases import worklist
from cases.correspondence.compose import Kind
from cases.dpo import reading
from cases.models import Letter
from cases.surface import needs, staff
from identity.models import Controller
from identity.roles import Permission

SHOWN = 15


@require_safe
@needs(Permission.OVERSEE)
def oversight(request: HttpRequest) -> HttpResponse:
    """The whole of one's brands on a page."""
    user, now = staff(request), timezone.now()
    brands = list(Controller.objects.visible_to(user, Permission.OVERSEE))
    failed = reading.failed_searches(user)
    context = {
        "rows": worklist.page(user, brands, worklist.Wanted(), now).rows[:SHOWN],
        "counts": worklist.counts(user, brands, now),
        "blocked": reading.blocked_counts(user),
        "late_reasons": reading.late_reasons(user, now),
        "complaints": reading.complaints(user, now),
        "waivers": [one for one in failed if one.waiver_proposed_by_id],
        "failed": [one for one in failed if not one.waiver_proposed_by_id],
        "letters": [_letter(one) for one in reading.stuck_letters(user)],
        "recipients": reading.untold_recipients(user, now),
        "may_waive": user.access.anywhere(Permission.WAIVE_SOURCE),
        "person": user,
    }
    return render(request, "dpo/oversight.html", context)


def _letter(letter: Letter) -> dict[str, Any]:
    """A letter by its kind; its words stay on the case's page."""
    return {
        "letter": letter,
        "case_id": reading.first_case(letter),
        "reference": letter.case.reference if letter.case else letter.subject_request.reference,
        "kind": Kind(letter.kind).name.replace("_", " ").capitalize(),
    }
