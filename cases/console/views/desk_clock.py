"""What the clock of a case knows: its facts, and a change of them, seen before it is made."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from cases import queries
from cases.console import desk_clock
from cases.console.desk_clock import AddFact, CorrectFact, FactForm, RemoveFact
from cases.console.going import see_other
from cases.models import Case, ClockEvent
from cases.surface import attempt, by, case_or_404, version_of
from cases.why import why, why_of
from cases.workflow import facts
from dsar.lib.errors import Refused

ClockForm = FactForm | RemoveFact


@require_safe
def clock(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Every fact, and the dates that follow from them."""
    case = case_or_404(request, case_id)
    with timezone.override(case.controller.zone):
        context = {
            "case": case,
            "lines": desk_clock.lines(case, by(request)),
            "may_add": facts.may_keep(case, by(request)),
            "why": why(case, timezone.now()),
        }
        return render(request, "console/desk/clock.html", context)


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """A fact that was learned late."""
    case = _case(request, case_id)
    with timezone.override(case.controller.zone):
        return _change(request, case, AddFact(request.POST or None, case=case), _("Add a fact"))


@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, case_id: UUID, event_id: UUID) -> HttpResponse:
    """Another time, or other properties."""
    case = _case(request, case_id)
    event = _fact(case, event_id)
    with timezone.override(case.controller.zone):
        form = CorrectFact(request.POST or None, case=case, target=event)
        return _change(request, case, form, _("Correct a fact"), event)


@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, case_id: UUID, event_id: UUID) -> HttpResponse:
    """It did not happen."""
    case = _case(request, case_id)
    event = _fact(case, event_id)
    with timezone.override(case.controller.zone):
        form = RemoveFact(request.POST or None, case=case, target=event)
        return _change(request, case, form, _("Remove a fact"), event)


def _case(request: HttpRequest, case_id: UUID) -> Case:
    """The case for those who keep its facts; what others send off is refused by the verb, on the record."""
    case = case_or_404(request, case_id)
    if "confirm" not in request.POST and not facts.may_keep(case, by(request)):
        raise Http404
    return case


def _fact(case: Case, event_id: UUID) -> ClockEvent:
    event = desk_clock.fact_of(case, event_id)
    if event is None:
        raise Http404
    return event


def _change(
    request: HttpRequest, case: Case, form: ClockForm, title: str, event: ClockEvent | None = None
) -> HttpResponse:
    """Ask, show what it would do, do it: each press says which of the three comes next."""
    now = timezone.now()
    context: dict[str, Any] = {"case": case, "form": form, "title": title, "event": event}
    if event is not None:
        context["words"] = desk_clock.KINDS[event.kind]
    if not form.is_valid() or "edit" in request.POST:
        return _form(request, context, form)
    if "confirm" in request.POST:
        wanted, version = form.change(), version_of(request)
        attempt(
            request,
            lambda: facts.change(case, wanted, by(request), now, version=version),
            _("The fact is recorded, and the dates are computed anew."),
            form,
        )
        return _form(request, context, form) if form.errors else see_other("console:clock", case.pk)
    return _preview(request, context, form, now)


def _form(request: HttpRequest, context: dict[str, Any], form: ClockForm) -> HttpResponse:
    return render(request, "console/desk/clock_change.html", context, status=422 if form.errors else 200)


def _preview(request: HttpRequest, context: dict[str, Any], form: ClockForm, now: datetime) -> HttpResponse:
    case, change = context["case"], form.change()
    try:
        after = facts.would_be(case, change, now)
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _form(request, context, form)
    context |= {
        "change": change,
        "words": desk_clock.KINDS[change.kind],
        "details": desk_clock.details(change.kind, change.codes),
        "before": why_of(queries.deadline_of(case, now), now),
        "after": why_of(after, now),
        "all_cases": change.kind in facts.RECEIPTS and case.subject_request.cases.count() > 1,
        "version": request.POST.get("version", ""),
    }
    return render(request, "console/desk/clock_preview.html", context)
