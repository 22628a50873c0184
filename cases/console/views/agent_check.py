"""The agent asks the questions of the brand's script, and notes for each whether it was answered rightly."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases.assurance import call_check_of
from cases.console.forms_call_check import CallCheckForm
from cases.console.views.agent_read_out import request_or_404
from cases.models import SubjectRequest
from cases.surface import attempt, by, see_other
from cases.workflow import call_check
from identity.models import Verification
from identity.roles import Permission


@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The script. Where it cannot be used in this conversation the page says why, and offers nothing."""
    found, now = request_or_404(request, request_id, Permission.LOG_REQUEST), timezone.now()
    questions = call_check_of(found).questions
    refusal = call_check.why_not(found, now)
    if refusal is not None:
        return _page(request, found, None, str(refusal), 409 if request.method == "POST" else 200)
    form = CallCheckForm(questions, request.POST or None)
    if form.is_valid():
        given = form.cleaned_data["contact_reference"]
        made = attempt(
            request, lambda: call_check.record(found, given, form.answers, by(request), now), form=form
        )
        if made is not None:
            _tell(request, made)
            return see_other("console:request", found.pk)
    return _page(request, found, form, "", 422 if form.is_bound else 200)


def _tell(request: HttpRequest, made: Verification) -> None:
    if made.level:
        messages.success(request, _("The check is noted. It counts for this request."))
    else:
        messages.warning(
            request, _("The check is noted, and was not passed. Do not say which answer was wrong.")
        )


def _page(
    request: HttpRequest, found: SubjectRequest, form: CallCheckForm | None, why_not: str, status: int
) -> HttpResponse:
    crumbs = [
        {"label": _("Requests"), "url": reverse("console:requests")},
        {"label": found.reference, "url": reverse("console:request", args=[found.pk])},
        {"label": _("Security check")},
    ]
    context = {"subject_request": found, "form": form, "why_not": why_not, "crumbs": crumbs}
    return render(request, "console/check.html", context, status=status)
