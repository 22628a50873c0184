"""The agent puts questions from the record, and types what the caller says. What is right they never see."""

from datetime import datetime
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from cases.console.views.agent_read_out import request_or_404
from cases.models import SubjectRequest
from cases.questions_form import form_of
from cases.surface import attempt, by, see_other
from cases.workflow import record_questions
from identity.roles import Permission


class ContactForm(forms.Form):
    """The reference of the conversation, so that questions are put in no other."""

    use_required_attribute = False

    contact_reference = forms.CharField(
        label=gettext_lazy("Call or chat reference"),
        max_length=80,
        help_text=gettext_lazy("Of the conversation in which the request was logged."),
        error_messages={"required": gettext_lazy("Enter the reference of this conversation.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def questions(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The questions that wait; before that, where the conversation is named."""
    found, now = request_or_404(request, request_id, Permission.LOG_REQUEST), timezone.now()
    living = record_questions.living_of(found, now, contact=found.contact_reference)
    if living is None or not found.contact_reference:
        return _page(request, found, now, ContactForm(), status=409 if request.method == "POST" else 200)
    form = form_of(living, now, get_language() or found.language, request.POST or None)
    if form.is_valid():
        told = _("The answers are being compared. What came of it shows here in a moment.")
        act = lambda: record_questions.answer(living, form.answers, by(request), now)  # noqa: E731
        if attempt(request, act, form=form) is not None:
            messages.info(request, told)
            return see_other("console:request", found.pk)
    return _page(request, found, now, form, is_asking=True, status=422 if form.is_bound else 200)


@require_POST
def begin(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Have questions drawn for this conversation."""
    found, now = request_or_404(request, request_id, Permission.LOG_REQUEST), timezone.now()
    form = ContactForm(request.POST)
    if form.is_valid():
        contact = form.cleaned_data["contact_reference"]
        begun = attempt(
            request, lambda: record_questions.begin(found, by(request), now, contact=contact), form=form
        )
        if begun is not None:
            return see_other("console:questions", found.pk)
    return _page(request, found, now, form, status=422)


def _page(
    request: HttpRequest,
    found: SubjectRequest,
    now: datetime,
    form: forms.Form,
    *,
    is_asking: bool = False,
    status: int = 200,
) -> HttpResponse:
    refusal = None if is_asking else record_questions.why_not(found, now, contact=found.contact_reference)
    crumbs = [
        {"label": _("Requests"), "url": reverse("console:requests")},
        {"label": found.reference, "url": reverse("console:request", args=[found.pk])},
        {"label": _("Questions from the record")},
    ]
    context = {
        "subject_request": found,
        "form": form,
        "is_asking": is_asking,
        "why_not": str(refusal) if refusal else "",
        "crumbs": crumbs,
    }
    return render(request, "console/questions.html", context, status=status)
