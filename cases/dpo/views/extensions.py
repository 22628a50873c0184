"""An extension before the second pair of eyes: the letter, the reason, the dates as they are and as they would be."""

from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases import queries, worklist
from cases.dpo import reading
from cases.dpo.views.approvals import ReturnForm
from cases.models import Case, Extension
from cases.packs.posting import proposed
from cases.surface import attempt, by, case_or_404, see_other, staff, version_of
from cases.words import EXTENSION_REASONS, Say, Step
from cases.workflow import extension
from cases.workflow.perform import put_on_record
from dsar.audit.actions import Action
from dsar.lib.errors import Refused
from identity.roles import Permission
from identity.step_up import asks_second_factor

DECIDERS = (Permission.APPROVE, Permission.APPROVE_FOR_CONTROLLER)


@require_safe
def show(request: HttpRequest, case_id: UUID, extension_id: UUID) -> HttpResponse:
    """One proposal for more time."""
    return _page(request, *_found(request, case_id, extension_id))


@require_POST
@asks_second_factor
def approve(request: HttpRequest, case_id: UUID, extension_id: UUID) -> HttpResponse:
    """Agree; who prepared it can't, and what has become too late is refused."""
    case, made = _posted(request, case_id, extension_id)
    form = forms.Form(request.POST)  # no field: what is approved stands above the button
    attempt(
        request,
        lambda: extension.approve(made, by(request), timezone.now(), version=version_of(request)),
        _("Approved."),
        form,
    )
    return _page(request, case, made, refused=form) if form.errors else see_other("dpo:approvals")


@require_POST
def send_back(request: HttpRequest, case_id: UUID, extension_id: UUID) -> HttpResponse:
    """Return it with a reason."""
    case, made = _posted(request, case_id, extension_id)
    form = ReturnForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        attempt(
            request,
            lambda: extension.send_back(
                made, reason, by(request), timezone.now(), version=version_of(request)
            ),
            _("Returned with your reason."),
            form,
        )
    return _page(request, case, made, refused=form) if form.errors else see_other("dpo:approvals")


@require_safe
def letter(request: HttpRequest, case_id: UUID, extension_id: UUID) -> HttpResponse:
    """The notice as it would be sent today."""
    case, made = _found(request, case_id, extension_id)
    now = timezone.now()
    put_on_record(case, Action.FILE_OPENED, by(request), now, {"extension": str(made.pk)})
    content = proposed(case, made.letter_subject, made.letter_body, worklist.today(case.controller, now))
    return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": "inline"})


def _found(request: HttpRequest, case_id: UUID, extension_id: UUID) -> tuple[Case, Extension]:
    """For those who decide about the brand's proposals; not there for others."""
    case, made = _posted(request, case_id, extension_id)
    if not any(by(request).allows(one, case.controller_id) for one in DECIDERS):
        raise Http404
    return case, made


def _posted(request: HttpRequest, case_id: UUID, extension_id: UUID) -> tuple[Case, Extension]:
    """A press by somebody who may not decide is refused by the verb, on the record."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    made = (
        case.extensions.select_related("case", "proposed_by", "approved_by", "instruction")
        .filter(pk=extension_id)
        .first()
    )
    if made is None:
        raise Http404
    return case, made


def _page(
    request: HttpRequest, case: Case, made: Extension, refused: forms.Form | None = None
) -> HttpResponse:
    """The proposal; a refused form comes back with what was typed."""
    now = timezone.now()
    if refused:
        case, made = _posted(request, case.pk, made.pk)
    is_waiting = made.state in extension.WAITING
    context = {
        "case": case,
        "row": worklist.row(case, now),
        "made": made,
        "rule": queries.extension_rule(case),
        "reason_words": EXTENSION_REASONS[made.reason],
        "said": Say(made.instruction_says).label,
        "step": Step.EXTEND.label,
        "refused": refused,
        "returning": refused if isinstance(refused, ReturnForm) else ReturnForm(),
        "is_own": made.proposed_by_id == staff(request).pk,
        "may_decide": is_waiting and reading.may_decide(by(request), made),
        "is_waiting": is_waiting,
        "goes_to_controller": reading.goes_to_controller(made),
        "hindrance": _hindrance(made) if is_waiting else "",
    }
    with timezone.override(case.controller.zone):
        return render(request, "dpo/extension.html", context, status=422 if refused else 200)


def _hindrance(made: Extension) -> str:
    """Why it can't be approved as it stands; empty where it can."""
    try:
        extension.still_right(made, timezone.now())
    except Refused as refusal:
        return str(refusal)
    return ""
