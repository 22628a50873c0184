"""The short paths of the other rights: one page that asks what the law asks, then the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from cases import rights, rights_shown
from cases.console import desk_rights
from cases.console.desk_forms import DeskForm
from cases.console.forms_rights import LiftForm, LookForm, RestrictionForm, WeighingForm
from cases.console.going import see_other
from cases.models import Case, Restriction
from cases.packs.posting import proposed
from cases.permissions import By
from cases.review import items
from cases.surface import attempt, by, case_or_404, version_of
from cases.words import Right, State
from cases.workflow import objection, restriction, second_look
from identity.roles import Permission

LIFT_DAYS = 7


@dataclass(frozen=True)
class Path:
    """The page of one right: its words, its form, and the verb that the form calls."""

    title: Any
    lede: Any
    button: Any
    done: Any
    form: type[DeskForm]
    do: Callable[[Any, By, datetime, int | None], object]


PATHS: dict[str, Path] = {
    Right.RESTRICTION: Path(
        gettext_lazy("What is restricted, and why"),
        gettext_lazy(
            "The data is kept and not used. A second person approves it; it lasts until the customer was told that it"
            " ends."
        ),
        gettext_lazy("Keep this"),
        gettext_lazy("It is kept. Prepare the answer next."),
        RestrictionForm,
        lambda form, by, now, version: restriction.choose(form.case, form.chosen(), by, now, version=version),
    ),
    Right.OBJECTION: Path(
        gettext_lazy("Weigh the objection"),
        gettext_lazy(
            "The use stops unless our grounds are compelling and outweigh theirs, or the data is needed for claims."
        ),
        gettext_lazy("Put the weighing on record"),
        gettext_lazy("The weighing is on record. Prepare the answer next."),
        WeighingForm,
        lambda form, by, now, version: objection.weigh(form.case, form.weighed(), by, now, version=version),
    ),
    Right.AUTOMATED: Path(
        gettext_lazy("The decision, and who looks again"),
        gettext_lazy(
            "Log which decision it is and how it was made. Then somebody who had no part in it looks at it again."
        ),
        gettext_lazy("Name who looks again"),
        gettext_lazy("It is on record, and your colleague is named."),
        LookForm,
        lambda form, by, now, version: second_look.prepare(
            form.case, form.prepared(), by, now, version=version
        ),
    ),
}


@require_http_methods(["GET", "POST"])
def right(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Show what the right asks for, with what was said already; keep what is typed when it is refused."""
    case = _case(request, case_id)
    path = PATHS.get(case.right)
    if case.right == Right.PORTABILITY:
        return _portability(request, case)
    if path is None or case.about_marketing:
        raise Http404
    with timezone.override(case.controller.zone):
        form = path.form(request.POST if request.method == "POST" else None, case=case)
        if form.is_valid() and _done(request, path, form):
            return see_other("console:case", case.pk)
        return _page(request, case, path, form)


@require_http_methods(["GET", "POST"])
def lift(request: HttpRequest, case_id: UUID, restriction_id: UUID) -> HttpResponse:
    """Propose that a restriction ends: choose, draft, edit, propose."""
    case = _case(request, case_id)
    found = case.restrictions.filter(pk=restriction_id, lifted_at=None).select_related("case").first()
    if found is None:
        raise Http404
    found.case = case
    with timezone.override(case.controller.zone):
        if request.method == "GET":
            day = timezone.localdate() + timedelta(days=LIFT_DAYS)
            return _lift_page(request, found, LiftForm(case=case, initial={"lifts_on": day}))
        if "draft" in request.POST:
            return _lift_page(request, found, _drafted(request, found))
        if "preview" in request.POST:
            return _preview(request, case)
        form = LiftForm(request.POST, case=case)
        if form.is_valid() and _lift_proposed(request, found, form):
            return see_other("console:case", case.pk)
        return _lift_page(request, found, form)


def _case(request: HttpRequest, case_id: UUID) -> Case:
    """The case for those who work it; it is not there for others, but a POST is refused on the record."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    if request.method == "GET" and not by(request).allows(Permission.WORK, case.controller_id):
        raise Http404
    return case


def _done(request: HttpRequest, path: Path, form: DeskForm) -> bool:
    version = version_of(request)
    attempt(request, lambda: path.do(form, by(request), timezone.now(), version), str(path.done), form)
    return not form.errors


def _page(request: HttpRequest, case: Case, path: Path, form: DeskForm) -> HttpResponse:
    context = {
        "case": case,
        "path": path,
        "form": form,
        "said": rights_shown.said_words(case),
        "limits": rights_shown.limits(case),
        "groups": items.groups(case),
        "may_rest": restriction.may_begin_meanwhile(case) and rights.restriction_of(case) is None,
        "is_in_review": case.state == State.REVIEW,
    }
    return render(request, "console/desk/right.html", context, status=422 if form.errors else 200)


def _portability(request: HttpRequest, case: Case) -> HttpResponse:
    context = {
        "case": case,
        "said": rights_shown.said_words(case),
        "reaches": desk_rights.reaches(case),
        "undecided": items.undecided(case),
        "is_in_review": case.state == State.REVIEW,
    }
    with timezone.override(case.controller.zone):
        return render(request, "console/desk/portability.html", context)


def _drafted(request: HttpRequest, found: Restriction) -> LiftForm:
    """The form with a letter made from what was chosen; nothing is judged yet."""
    form = LiftForm(request.POST, case=found.case)
    form.fields["title"].required = form.fields["body"].required = False
    if not form.is_valid():
        return form
    data = form.cleaned_data
    title, body = restriction.draft(found, data["lifts_on"], data["reason"], timezone.now())
    return LiftForm(case=found.case, initial={**data, "title": title, "body": body})


def _preview(request: HttpRequest, case: Case) -> HttpResponse:
    """The letter as typed, as a PDF; nothing is kept."""
    content = proposed(
        case, request.POST.get("title", ""), request.POST.get("body", ""), timezone.localdate()
    )
    return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": "inline"})


def _lift_proposed(request: HttpRequest, found: Restriction, form: LiftForm) -> bool:
    version, now = version_of(request), timezone.now()
    done = _("Its end is proposed. A second person decides, then the customer is told.")
    attempt(
        request,
        lambda: restriction.propose_lift(found, form.ending(), by(request), now, version=version),
        done,
        form,
    )
    return not form.errors


def _lift_page(request: HttpRequest, found: Restriction, form: LiftForm) -> HttpResponse:
    context = {"case": found.case, "restriction": found, "form": form}
    return render(request, "console/desk/lift.html", context, status=422 if form.errors else 200)
