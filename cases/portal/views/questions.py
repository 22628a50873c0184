"""Answering questions from the record: begun with a button, answered with a form, compared by a job."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from cases import asking
from cases.portal.attempts import attempt
from cases.portal.door import door, page, see_other
from cases.portal.forms import PlainForm
from cases.portal.questions import card_of
from cases.portal.sessions import Visitor
from cases.portal.views.mine import inside
from cases.questions_form import QuestionsForm, form_of
from cases.workflow import record_questions
from identity.models import Controller, Verification


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@door
@inside
def questions(request: HttpRequest, controller: Controller, here: Visitor) -> HttpResponse:
    """The questions that wait, or what there is to know before they are put."""
    now = timezone.now()
    living = record_questions.living_of(here.request, now)
    if living is None:
        return _start(request, controller, here, PlainForm(), now, 409 if request.method == "POST" else 200)
    form = form_of(living, now, get_language() or here.request.language, request.POST or None)
    if form.is_valid() and _answered(living, form, here, now):
        return see_other(reverse("portal:mine", args=[controller.slug]) + "?done=answers")
    return _page(request, controller, here, form, now, 422 if form.is_bound else 200)


@require_POST
@door
@inside
def begin(request: HttpRequest, controller: Controller, here: Visitor) -> HttpResponse:
    """Have the questions put."""
    form, now = PlainForm(request.POST), timezone.now()
    if form.is_valid() and _begun(here, form, now):
        return see_other(reverse("portal:questions", args=[controller.slug]))
    return _start(request, controller, here, form, now, 422)


def _answered(living: Verification, form: QuestionsForm, here: Visitor, now: datetime) -> Verification | None:
    return attempt(lambda: record_questions.answer(living, form.answers, here.by, now), form)


def _begun(here: Visitor, form: PlainForm, now: datetime) -> Verification | None:
    return attempt(lambda: record_questions.begin(here.request, here.by, now), form)


def _page(
    request: HttpRequest,
    controller: Controller,
    here: Visitor,
    form: QuestionsForm,
    now: datetime,
    status: int,
) -> HttpResponse:
    context = {"form": form, "minutes": asking.policy_of(here.request).minutes}
    return page(request, controller, "portal/questions.html", context, status)


def _start(
    request: HttpRequest, controller: Controller, here: Visitor, form: PlainForm, now: datetime, status: int
) -> HttpResponse:
    policy, refusal = asking.policy_of(here.request), record_questions.why_not(here.request, now)
    context = {
        "form": form,
        "is_start": True,
        "policy": policy,
        "card": card_of(here.request, now),
        "may_begin": refusal is None,
    }
    return page(request, controller, "portal/questions.html", context, status)
