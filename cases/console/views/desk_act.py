"""One act at a time: a page with its form, and the press that does it."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from cases.console.desk_acts import ACTS, Act, Deed
from cases.console.desk_forms import DeskForm
from cases.console.going import see_other
from cases.models import Case
from cases.surface import attempt, by, case_or_404, version_of
from identity.step_up import asks_second_factor


@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, case_id: UUID, name: str, target_id: UUID | None = None) -> HttpResponse:
    """An act that sends, erases or agrees asks for the second factor first, when it was given long ago."""
    known = _known(name, target_id)
    view = asks_second_factor(_act) if known.has_weight else _act
    return view(request, case_id, known, target_id)


def _act(request: HttpRequest, case_id: UUID, known: Act, target_id: UUID | None) -> HttpResponse:
    """Ask for what the act needs, do it, or show the form again with what was typed and why not."""
    case = case_or_404(request, case_id)
    target = _target(known, case, target_id)
    with timezone.override(case.controller.zone):
        form = known.form(request.POST if request.method == "POST" else None, case=case, target=target)
        if form.is_valid() and _done(request, known, form):
            return see_other("console:case", case.pk)
        if request.method == "GET" and not known.is_offered(by(request), case):
            raise Http404
        context = {"case": case, "act": known, "form": form, "target": target}
        return render(request, "console/desk/act.html", context, status=422 if form.errors else 200)


def _known(name: str, target_id: UUID | None) -> Act:
    known = ACTS.get(name)
    if known is None or (known.find is None) != (target_id is None):
        raise Http404
    return known


def _target(known: Act, case: Case, target_id: UUID | None) -> Any:
    if known.find is None or target_id is None:
        return None
    found = known.find(case, target_id)
    if found is None:
        raise Http404
    return found


def _done(request: HttpRequest, known: Act, form: DeskForm) -> bool:
    deed = Deed(
        form.case, form.target, form.cleaned_data, by(request), timezone.now(), version_of(request), form
    )
    attempt(request, lambda: known.do(deed), str(known.done), form)
    return not form.errors
