"""Putting right what was logged in haste: the date, the person, the right, the brand; always with the reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from cases.console.forms_correct import BrandForm, CorrectForm, DateForm, PersonForm, RightForm
from cases.console.views.agent_read_out import request_or_404
from cases.models import Case, SubjectRequest
from cases.surface import attempt, by, see_other, staff
from cases.workflow import people
from identity.models import Controller
from identity.roles import Permission


@dataclass(frozen=True)
class Correction:
    """One kind: the page's words, its form, and what is done; that gives the request to show afterwards."""

    title: Any
    explains: Any
    form: Callable[[HttpRequest, SubjectRequest, datetime], CorrectForm]
    act: Callable[[HttpRequest, Case, Any, datetime], SubjectRequest]


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, request_id: UUID, what: str) -> HttpResponse:
    found, now = request_or_404(request, request_id), timezone.now()
    correction, case = CORRECTIONS.get(what), found.cases.order_by("opened_at", "pk").first()
    if correction is None or case is None:
        raise Http404
    form = correction.form(request, found, now)
    if form.is_valid():
        chosen = form.case_of(found) or case
        done = _("It is put right, and the reason is on record.")
        corrected = attempt(request, lambda: correction.act(request, chosen, form, now), done=done, form=form)
        if corrected is not None:
            return see_other("console:request", corrected.pk)
    return _page(request, found, correction, form)


def _page(request: HttpRequest, found: SubjectRequest, correction: Correction, form: Form) -> HttpResponse:
    crumbs = [
        {"label": _("Requests"), "url": reverse("console:requests")},
        {"label": found.reference, "url": reverse("console:request", args=[found.pk])},
        {"label": correction.title},
    ]
    context = {"subject_request": found, "correction": correction, "form": form, "crumbs": crumbs}
    return render(request, "console/correct.html", context, status=422 if form.is_bound else 200)


# -- the four kinds ------------------------------------------------------------------------------------


def _date_form(request: HttpRequest, found: SubjectRequest, now: datetime) -> CorrectForm:
    zone = found.controller.zone
    said = found.received_at.astimezone(zone)
    initial = {"said_on": said.date(), "said_at_hour": said.time().replace(second=0, microsecond=0)}
    return DateForm(zone, now, request.POST or None, initial=initial)


def _correct_date(request: HttpRequest, case: Case, form: DateForm, now: datetime) -> SubjectRequest:
    assert form.said_at is not None
    people.correct_received(case, form.said_at, form.reason, by(request), now)
    return case.subject_request


def _person_form(request: HttpRequest, found: SubjectRequest, now: datetime) -> CorrectForm:
    person = found.subject
    initial = {name: getattr(person, name) for name in (*PersonForm.PERSON, "postal_address")}
    return PersonForm(request.POST or None, initial=initial)


def _correct_person(request: HttpRequest, case: Case, form: PersonForm, now: datetime) -> SubjectRequest:
    people.correct_person(
        case, form.person(form.cleaned_data["postal_address"]), form.reason, by(request), now
    )
    return case.subject_request


def _right_form(request: HttpRequest, found: SubjectRequest, now: datetime) -> CorrectForm:
    return RightForm(list(found.cases.select_related("subject_request")), request.POST or None)


def _correct_right(request: HttpRequest, case: Case, form: RightForm, now: datetime) -> SubjectRequest:
    people.correct_right(case, form.right, form.reason, by(request), now)
    return case.subject_request


def _brand_form(request: HttpRequest, found: SubjectRequest, now: datetime) -> CorrectForm:
    brands = Controller.objects.visible_to(staff(request), Permission.LOG_REQUEST).exclude(
        pk=found.controller_id
    )
    return BrandForm(list(brands.filter(is_active=True)), request.POST or None)


def _correct_brand(request: HttpRequest, case: Case, form: BrandForm, now: datetime) -> SubjectRequest:
    return people.correct_brand(case, form.chosen, form.reason, by(request), now)


CORRECTIONS = {
    "date": Correction(
        gettext_lazy("Another date"),
        gettext_lazy("Every date of this request is computed anew from when it was really said."),
        _date_form,
        _correct_date,
    ),
    "person": Correction(
        gettext_lazy("Another person, or other details"),
        gettext_lazy(
            "Links and codes that were sent so far stop working, and the customer gets a new e-mail."
        ),
        _person_form,
        _correct_person,
    ),
    "right": Correction(
        gettext_lazy("Another right"),
        gettext_lazy("The case keeps its date; its reference ends in another letter."),
        _right_form,
        _correct_right,
    ),
    "brand": Correction(
        gettext_lazy("Another brand"),
        gettext_lazy(
            "The request is logged anew for the right brand, with its original date and a new reference."
            " The wrong one is voided, and nothing links the two."
        ),
        _brand_form,
        _correct_brand,
    ),
}
