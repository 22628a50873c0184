"""An approved plan as it is carried out: the panel of the case page, and every step with its receipt."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from cases.console import desk_carrying
from cases.models import ChangeStep, StepState
from cases.surface import by, case_or_404
from cases.words import State
from identity.roles import Permission

PER_PAGE = 100


@require_safe
def carrying(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """The panel alone, asked for again and again while something is under way."""
    case = case_or_404(request, case_id)
    who = by(request)
    found = desk_carrying.of(case, who.person_id)
    if found is None:
        raise Http404
    can = {permission.value: who.allows(permission, case.controller_id) for permission in Permission}
    context = {"case": case, "carrying": found, "can": can, "me": who.person_id}
    with timezone.override(case.controller.zone):
        response = render(request, "console/desk/_carrying.html", context)
    if case.state != State.FULFILLING:
        response["HX-Refresh"] = "true"  # the whole page says something else now
    return response


@require_safe
def receipts(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Each step: what, where, how, when, and what the source answered; nothing of what was in the record."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    every = ChangeStep.objects.filter(part__plan__case=case).defer("action")
    steps = every.select_related("part__source", "line").order_by(
        "part__plan__number", "part__source__name", "number"
    )
    wanted = request.GET.get("state", "")
    if wanted in StepState.values:
        steps = steps.filter(state=wanted)
    page = Paginator(steps, PER_PAGE).get_page(request.GET.get("page"))
    context = {"case": case, "page_obj": page, "states": StepState.choices, "wanted": wanted}
    with timezone.override(case.controller.zone):
        return render(request, "console/desk/receipts.html", context)
