"""A code is texted to the caller, who reads it out. The agent types it, and never sees what was sent."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from cases.console.forms_text_code import TextCodeForm
from cases.console.views.agent_read_out import request_or_404
from cases.models import SubjectRequest
from cases.surface import attempt, by, see_other
from cases.workflow import identity, text_code
from identity import services
from identity.roles import Permission


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def text(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Where a code is asked for and typed. The page says the same whether or not a code went out."""
    found, now = request_or_404(request, request_id, Permission.LOG_REQUEST), timezone.now()
    refusal = text_code.why_not(found)
    if refusal is not None:
        return _page(request, found, None, str(refusal), 409 if request.method == "POST" else 200)
    form = TextCodeForm(request.POST or None)
    if form.is_valid():
        if _is_right(request, found, form.cleaned_data["code"], now):
            messages.success(request, _("The code was right. It counts for this request."))
            return see_other("console:request", found.pk)
        form.add_error(
            "code", _("This is not a code that works. Have it read out again, or ask for another.")
        )
    return _page(request, found, form, "", 422 if form.is_bound else 200)


def _is_right(request: HttpRequest, found: SubjectRequest, typed: str, now: datetime) -> bool:
    """The try is kept or lost together with what the agent is told of it: nothing is learnt that is not counted."""
    code_ids = services.count_tries(found, identity.CALL, now)
    return bool(code_ids) and identity.accept_any(found, code_ids, typed, identity.CALL, by(request), now)


@require_POST
def send(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Have a code texted."""
    found, now = request_or_404(request, request_id, Permission.LOG_REQUEST), timezone.now()
    if attempt(request, lambda: _ordered(request, found, now)):
        messages.info(request, _("If we knew the number before this request, a code is on its way to it."))
    return see_other(reverse("console:text-code", args=[found.pk]) + "?asked")


def _ordered(request: HttpRequest, found: SubjectRequest, now: datetime) -> bool:
    text_code.order(found, by(request), now)
    return True


def _page(
    request: HttpRequest, found: SubjectRequest, form: TextCodeForm | None, why_not: str, status: int
) -> HttpResponse:
    crumbs = [
        {"label": _("Requests"), "url": reverse("console:requests")},
        {"label": found.reference, "url": reverse("console:request", args=[found.pk])},
        {"label": _("Code by text message")},
    ]
    context = {
        "subject_request": found,
        "form": form,
        "why_not": why_not,
        "was_asked": "asked" in request.GET or request.method == "POST",
        "crumbs": crumbs,
    }
    return render(request, "console/text_code.html", context, status=status)
