"""Find a request: by the reference that is read out, or by the person who calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from cases import queries, rights
from cases.console import standing
from cases.console.forms_agent import FindForm
from cases.models import Case, SubjectRequest
from cases.surface import needs, see_other, staff
from dsar.lib import references
from dsar.vault import keyring
from identity.models import Controller
from identity.roles import Permission

NEWEST = 15
FOUND = 30


@dataclass(frozen=True)
class Row:
    """One request with its cases, as the list shows it."""

    subject_request: SubjectRequest
    name: str
    standings: Sequence[standing.Standing]
    is_restricted: bool


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@needs(Permission.VIEW_CASE)
def requests(request: HttpRequest) -> HttpResponse:
    """By reference with GET; by person with POST, so that no name stands in an address line."""
    if request.method == "POST":
        return _by_person(request)
    typed = request.GET.get("q", "").strip()
    if not typed:
        return _page(request, FindForm(_brands(request)), _newest(request))
    return _by_reference(request, typed)


def _by_reference(request: HttpRequest, typed: str) -> HttpResponse:
    """Straight to the request; else what is wrong with what was typed."""
    try:
        found = queries.request_by_reference(staff(request), typed)
    except references.BadReference as fault:
        return _page(request, FindForm(_brands(request)), [], trouble=str(fault), status=404)
    if found is None:
        trouble = _(
            "No request of your brands has this reference. Have it read out once more, letter by letter."
        )
        return _page(request, FindForm(_brands(request)), [], trouble=trouble, status=404)
    return see_other("console:request", found.pk)


def _by_person(request: HttpRequest) -> HttpResponse:
    form = FindForm(_brands(request), request.POST)
    if not form.is_valid():
        return _page(request, form, [], status=422)
    rows = _of_person(request, form)
    return _page(request, form, rows, searched=True)


def _of_person(request: HttpRequest, form: FindForm) -> list[Row]:
    """The requests of whoever shares what was typed, in each brand on its own: nothing links the two."""
    now, user = timezone.now(), staff(request)
    typed: dict[str, Any] = {**form.typed(), "permission": Permission.VIEW_CASE}
    subjects = [one.pk for brand in form.chosen for one in queries.likely_subjects(user, brand, now, **typed)]
    visible = SubjectRequest.objects.visible_to(staff(request)).filter(subject__in=subjects, is_drill=False)
    return _rows(visible.order_by("-logged_at")[:FOUND])


def _newest(request: HttpRequest) -> list[Row]:
    """What this person logged last: the caller who rings again within the hour."""
    visible = SubjectRequest.objects.visible_to(staff(request)).filter(is_drill=False)
    mine = visible.filter(logged_by=staff(request)).order_by("-logged_at")[:NEWEST]
    return _rows(mine)


def _rows(found: QuerySet[SubjectRequest]) -> list[Row]:
    """Four queries, whatever is found."""
    rows = list(found.select_related("subject", "controller"))
    keyring.open_all(one.subject.key_id for one in rows)
    cases: dict[UUID, list[Case]] = {}
    for case in (
        Case.objects.filter(subject_request__in=rows).select_related("subject_request").order_by("opened_at")
    ):
        cases.setdefault(case.subject_request_id, []).append(case)
    restricted = rights.restricted_among(one.subject_id for one in rows)
    return [_row(one, cases.get(one.pk, []), one.subject_id in restricted) for one in rows]


def _row(one: SubjectRequest, cases: Sequence[Case], is_restricted: bool) -> Row:
    standings = [standing.standing(case, _today(one)) for case in cases]
    return Row(one, standing.name_of(one.subject) or _("No longer kept"), standings, is_restricted)


def _today(found: SubjectRequest) -> date:
    return timezone.now().astimezone(found.controller.zone).date()


def _brands(request: HttpRequest) -> list[Controller]:
    return list(Controller.objects.visible_to(staff(request)))


def _page(
    request: HttpRequest,
    form: FindForm,
    rows: Sequence[Row],
    *,
    trouble: str = "",
    searched: bool = False,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "rows": rows,
        "trouble": trouble,
        "searched": searched,
        "typed": request.GET.get("q", ""),
        "may_log": staff(request).access.anywhere(Permission.LOG_REQUEST),
    }
    return render(request, "console/requests.html", context, status=status)
