"""More time: what the law gives, the reason, the letter; a second person decides."""

from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases import queries, worklist
from cases.console.desk_forms import MoreTime
from cases.console.going import see_other
from cases.models import Case
from cases.packs.posting import proposed
from cases.surface import attempt, by, case_or_404, version_of
from cases.workflow import extension
from dsar.lib.errors import Refused
from identity.roles import Permission


@require_http_methods(["GET", "POST"])
def extend(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Propose an extension: choose, draft, edit, propose."""
    case = _case(request, case_id)
    with timezone.override(case.controller.zone):
        if request.method == "GET":
            return _page(request, case, MoreTime(case=case))
        if "draft" in request.POST:
            return _page(request, case, _drafted(request, case))
        if "preview" in request.POST:
            return _preview(request, case)
        form = MoreTime(request.POST, case=case)
        if form.is_valid() and _proposed(request, form):
            return see_other("console:case", case.pk)
        return _page(request, case, form)


def _case(request: HttpRequest, case_id: UUID) -> Case:
    """The case for those who work it; it is not there for others, but a POST is refused on the record."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    if queries.extension_rule(case) is None:
        raise Http404
    if request.method == "GET" and not by(request).allows(Permission.WORK, case.controller_id):
        raise Http404
    return case


def _drafted(request: HttpRequest, case: Case) -> MoreTime:
    """The form with a letter made from what was chosen; refused where the notice would have no effect."""
    form, now = MoreTime(request.POST, case=case), timezone.now()
    form.fields["title"].required = form.fields["body"].required = False
    if not form.is_valid():
        return form
    try:
        found = extension.plan(case, form.wanted, now)
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return form
    title, body = extension.draft(case, form.wanted, found, now)
    return MoreTime(case=case, initial={**form.cleaned_data, "title": title, "body": body})


def _preview(request: HttpRequest, case: Case) -> HttpResponse:
    """The letter as typed, as a PDF; nothing is kept."""
    today = worklist.today(case.controller, timezone.now())
    content = proposed(case, request.POST.get("title", ""), request.POST.get("body", ""), today)
    return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": "inline"})


def _proposed(request: HttpRequest, form: MoreTime) -> bool:
    data = form.cleaned_data
    attempt(
        request,
        lambda: extension.propose(
            form.case,
            form.wanted,
            data["title"],
            data["body"],
            by(request),
            timezone.now(),
            version=version_of(request),
        ),
        _("The extension is proposed. A second person decides."),
        form,
    )
    return not form.errors


def _page(request: HttpRequest, case: Case, form: MoreTime) -> HttpResponse:
    found, hindrance = _outlook(case, timezone.now())
    context = {
        "case": case,
        "form": form,
        "plan": found,
        "hindrance": hindrance,
        "rule": queries.extension_rule(case),
        "present": extension.living(case),
    }
    return render(request, "console/desk/extend.html", context, status=422 if form.errors else 200)


def _outlook(case: Case, now: datetime) -> tuple[extension.Plan | None, str]:
    """The dates as they are and as they would be; or the sentence that says why not."""
    try:
        return extension.outlook(case, now), ""
    except Refused as refusal:
        return None, str(refusal)
