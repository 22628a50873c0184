"""What the search could not settle alone, decided by a person with a reason; agents never see it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from cases.collection import outstanding
from cases.console import desk_doubts
from cases.console.going import see_other
from cases.models import Belongs, Candidate, Case
from cases.surface import attempt, by, case_or_404, version_of
from cases.workflow import doubts as verbs
from cases.workflow.perform import put_on_record
from dsar.audit.actions import Action
from identity.roles import Permission


@require_http_methods(["GET", "POST"])
def doubts(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Look at them, and decide about one match, or about the records that were ticked."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    if request.method == "GET":
        return _page(request, case)
    verdict = request.POST.get("verdict", "")
    known = Belongs(verdict) if verdict in Belongs.values else Belongs.OPEN
    is_done = _match(request, case, known) if request.POST.get("match") else _records(request, case, known)
    return see_other("console:doubts", case.pk) if is_done else _page(request, case, status=422)


def _match(request: HttpRequest, case: Case, verdict: Belongs) -> bool:
    wanted = _uuid(request.POST.get("match", ""))
    mine = Candidate.objects.filter(case=case).select_related("case")
    candidate = mine.filter(pk=wanted).first() if wanted else None
    if candidate is None:
        raise Http404
    done = attempt(
        request,
        lambda: verbs.decide_match(
            candidate,
            verdict,
            request.POST.get("reason", ""),
            by(request),
            timezone.now(),
            version=version_of(request),
        ),
        _("It is the person: the source is searched for it.")
        if verdict == Belongs.THEIRS
        else _("It is not the person: what was kept of it is destroyed."),
    )
    return done is not None


def _records(request: HttpRequest, case: Case, verdict: Belongs) -> bool:
    ids = [found for found in map(_uuid, request.POST.getlist("record")) if found]
    decided = attempt(
        request,
        lambda: verbs.decide_records(
            case,
            ids,
            verdict,
            request.POST.get("reason", ""),
            by(request),
            timezone.now(),
            version=version_of(request),
        ),
    )
    if decided is None:
        return False
    said = ngettext("%(count)d record is decided.", "%(count)d records are decided.", decided)
    messages.success(request, said % {"count": decided})
    return True


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _page(request: HttpRequest, case: Case, status: int = 200) -> HttpResponse:
    if status != 200:
        case.refresh_from_db()
    page, records = desk_doubts.records(case, request.GET.get("page", ""))
    context = {
        "case": case,
        "left": outstanding.of(case),
        "matches": desk_doubts.matches(case),
        "page": page,
        "records": records,
        "files": desk_doubts.failed_files(case),
        "may_work": by(request).allows(Permission.WORK, case.controller_id) and case.state in verbs.DECIDABLE,
        "typed": _typed(request),
    }
    put_on_record(
        case, Action.CONTENT_VIEWED, by(request), timezone.now(), {"doubts": True, "page": page.number}
    )
    with timezone.override(case.controller.zone):
        return render(request, "console/desk/doubts.html", context, status=status)


def _typed(request: HttpRequest) -> dict[str, Any]:
    """What was typed, to stand there again where it was refused."""
    return {
        "match": request.POST.get("match", ""),
        "records": request.POST.getlist("record"),
        "reason": request.POST.get("reason", ""),
    }
