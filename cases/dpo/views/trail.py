"""The trail: who did what, when; of a case or of late, and whether the chain is whole. No content of any case."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from cases import history
from cases.history import Told
from cases.models import Case
from cases.surface import case_or_404, needs, staff
from dsar.audit.models import AuditEvent
from dsar.audit.verify import Break, Tally, broken_chain, broken_chains
from dsar.lib import references
from identity.models import User
from identity.roles import Permission

PER_PAGE = 100
BREAKS_NAMED = 20
HASH_SHOWN = 16


@dataclass(frozen=True)
class Verified:
    """What a verification found; ``breaks`` is empty where all is whole."""

    chains: int
    events: int
    breaks: list[Break]


@require_safe
@needs(Permission.READ_TRAIL)
def trail(request: HttpRequest) -> HttpResponse:
    """The newest events of one's brands; a reference leads to its case's trail."""
    user, typed = staff(request), request.GET.get("reference", "").strip()
    found = _cases(user, typed) if typed else []
    if len(found) == 1:
        return redirect("dpo:case-trail", found[0].pk)
    events = _recent(user, request.GET.get("before", ""))
    context = {
        "typed": typed,
        "found": found,
        "events": _with_references(user, history.told(events)),
        "before": events[-1].at.isoformat() if len(events) == PER_PAGE else "",
        "verified": _verify_all() if "verify" in request.GET else None,
    }
    return render(request, "dpo/trail.html", context)


@require_safe
def case_trail(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Every event of one case, oldest first, with its place in the chain."""
    case = case_or_404(request, case_id, Permission.READ_TRAIL)
    page = Paginator(AuditEvent.objects.filter(case_id=case.pk).order_by("seq"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    events = list(page)
    told = history.told(events)
    context = {
        "case": case,
        "page": page,
        "events": [
            (one, bytes(event.hash).hex()[:HASH_SHOWN]) for one, event in zip(told, events, strict=True)
        ],
        "verified": _verify(case) if "verify" in request.GET else None,
        "may_open": staff(request).access.allows(Permission.VIEW_CASE, case.controller_id),
    }
    with timezone.override(case.controller.zone):
        return render(request, "dpo/case_trail.html", context)


def _recent(user: User, before: str) -> list[AuditEvent]:
    """The newest events brand by brand, each along its index, then joined."""
    limit = _moment(before)
    found: list[AuditEvent] = []
    for controller_id in user.access.controllers(Permission.READ_TRAIL):
        events = AuditEvent.objects.filter(controller_id=controller_id).order_by("-at")
        found += events.filter(at__lt=limit)[:PER_PAGE] if limit else events[:PER_PAGE]
    return sorted(found, key=lambda event: (event.at, event.seq), reverse=True)[:PER_PAGE]


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _with_references(user: User, told: Iterable[Told]) -> list[tuple[Told, Case | None]]:
    told = list(told)
    ids = [one.case_id for one in told if one.case_id]
    cases = Case.objects.visible_to(user, Permission.READ_TRAIL).select_related(
        "subject_request", "controller"
    )
    known = {case.pk: case for case in cases.filter(pk__in=ids)}
    return [(one, known.get(one.case_id) if one.case_id else None) for one in told]


def _cases(user: User, typed: str) -> list[Case]:
    try:
        wanted = references.parse_case(typed)
    except references.BadReference:
        return []
    cases = Case.objects.visible_to(user, Permission.READ_TRAIL).filter(
        subject_request__reference=wanted.reference
    )
    found = list(cases.select_related("subject_request", "controller").order_by("right"))
    named = [case for case in found if case.reference == str(wanted)]
    return named or found


def _verify(case: Case) -> Verified:
    fault = broken_chain(case.pk)
    return Verified(1, AuditEvent.objects.filter(case_id=case.pk).count(), [fault] if fault else [])


def _verify_all() -> Verified:
    """Every chain that this transaction serves: those of one's own brands."""
    tally = Tally()
    breaks = list(islice(broken_chains(tally), BREAKS_NAMED))
    return Verified(tally.chains, tally.events, breaks)
