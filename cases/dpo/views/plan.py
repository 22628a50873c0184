"""The plan of an erasure as an approver reads it: by rule, line by line, with a way to send lines back."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from cases import planned
from cases.dpo import reading
from cases.dpo.views.approvals import DECIDED, case_to_decide
from cases.fulfilment import plans
from cases.models import Case
from cases.surface import attempt, by, see_other, version_of
from cases.workflow.perform import put_on_record
from cases.workflow.plan import Lines
from cases.workflow.returning import return_lines
from dsar.audit.actions import Action


class BackForm(forms.Form):
    """Why lines go back: whoever decided them has to know what to change."""

    reason = forms.CharField(
        label=gettext_lazy("What has to change about them"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=20_000,
    )


@require_safe
def plan(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """What will happen, group by group and line by line; that content was seen goes on record."""
    return _page(request, case_to_decide(request, case_id))


@require_POST
def send_lines_back(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Return the proposal because of the ticked lines, or of the whole group; everything else stands."""
    case = case_to_decide(request, case_id)
    form = BackForm(request.POST)
    if form.is_valid():
        done = attempt(
            request,
            lambda: return_lines(
                case,
                _selection(request),
                form.cleaned_data["reason"],
                by(request),
                timezone.now(),
                version=version_of(request),
            ),
            _("Sent back with your reason. What else was decided stands."),
            form,
        )
        if done is not None:
            return see_other("dpo:approvals")
    case.refresh_from_db()
    return _page(request, case, form)


def _selection(request: HttpRequest) -> Lines:
    data = request.POST
    if data.get("scope") == "group":
        return Lines(
            source_id=next(iter(planned.line_ids([data.get("source", "")])), None),
            collection=data.get("collection", ""),
            treatment=data.get("treatment", ""),
            rule=data.get("rule", ""),
            basis=data.get("basis", ""),
            by_hand=data.get("hand") == "1",
        )
    return Lines(ids=planned.line_ids(data.getlist("line")))


def _page(request: HttpRequest, case: Case, form: BackForm | None = None) -> HttpResponse:
    found = plans.live(case)
    if found is None:
        raise Http404
    words, query = planned.Words(case), request.POST if form else request.GET
    groups = planned.groups(found, words)
    chosen = planned.chosen(groups, {name: str(value) for name, value in query.items()})
    page, lines = planned.lines(found, chosen, words, "", query.get("page")) if chosen else (None, [])
    if page:
        codes: dict[str, str | int] = {"plan": found.number, "page": page.number, "count": len(page)}
        put_on_record(case, Action.CONTENT_VIEWED, by(request), timezone.now(), codes)
    context: dict[str, Any] = {
        "case": case,
        "plan": found,
        "ground": planned.ground(case, found),
        "groups": groups,
        "summary": planned.summary(groups),
        "parts": planned.parts(found),
        "chosen": chosen,
        "page": page,
        "lines": lines,
        "query": urlencode(chosen.query) + "&" if chosen else "",
        "ticked": query.getlist("line"),
        "form": form or BackForm(),
        "may_decide": _may_decide(request, case),
    }
    with timezone.override(case.controller.zone):
        return render(request, "dpo/plan.html", context, status=422 if form else 200)


def _may_decide(request: HttpRequest, case: Case) -> bool:
    permission = reading.permission_to_decide(case)
    return bool(case.state in DECIDED and by(request).allows(permission, case.controller_id))
