"""Approvals: what waits, exactly what would go out, and the decision."""

from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from cases import disputes_shown, planned, queries, representing, rights, rights_shown, worklist
from cases.dpo import reading
from cases.models import Case, Decision
from cases.packs.posting import proposed
from cases.review import items
from cases.surface import attempt, by, case_or_404, staff, version_of
from cases.why import why
from cases.words import DISCLOSING, LateReason, Right, State
from cases.workflow import decide, lateness
from cases.workflow.lateness import Why
from cases.workflow.perform import put_on_record
from cases.workflow.returning import return_values
from dsar.audit.actions import Action
from identity.roles import Permission
from identity.step_up import asks_second_factor

SEE_OTHER = 303
DECIDED = (State.APPROVAL, State.WITH_CONTROLLER)


class ReturnForm(forms.Form):
    """A proposal goes back only with a reason: whoever prepared it has to know what to change."""

    reason = forms.CharField(
        label=gettext_lazy("What has to change"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=20_000,
    )


class ApprovalForm(forms.Form):
    """What is approved stands above the button; what has become late meanwhile is asked why."""

    late_code = forms.ChoiceField(
        label=gettext_lazy("Why is it late?"), choices=[("", gettext_lazy("Choose one")), *LateReason.choices]
    )
    late_remark = forms.CharField(
        label=gettext_lazy("In words"),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        max_length=20_000,
    )

    def __init__(self, *args: Any, late_on: date | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.late_on = late_on
        if late_on is None:
            del self.fields["late_code"], self.fields["late_remark"]

    @property
    def why_late(self) -> Why:
        return Why(self.cleaned_data.get("late_code", ""), self.cleaned_data.get("late_remark", ""))


@require_safe
def approvals(request: HttpRequest) -> HttpResponse:
    """Proposals that wait for this person, in due order."""
    user = staff(request)
    if not any(user.access.anywhere(one) for one in (Permission.APPROVE, Permission.APPROVE_FOR_CONTROLLER)):
        raise Http404
    now = timezone.now()
    context = {
        "waiting": reading.waiting(user, now),
        "extensions": reading.waiting_extensions(user, now),
        "liftings": reading.waiting_liftings(user),
        "me": user.pk,
    }
    return render(request, "dpo/approvals.html", context)


@require_safe
def decision(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """One proposal with everything that leaves the house by it."""
    case = case_to_decide(request, case_id)
    return _page(request, case)


@require_POST
@asks_second_factor
def approve(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Agree; who prepared it can't, and what has changed since is refused."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    verb = decide.approve_for_controller if case.state == State.WITH_CONTROLLER else decide.approve
    form = ApprovalForm(request.POST, late_on=_late_on(case))
    if form.is_valid():
        attempt(
            request,
            lambda: verb(
                case, by(request), timezone.now(), why_late=form.why_late, version=version_of(request)
            ),
            _("Approved."),
            form,
        )
    return _page(request, case, approval=form) if form.errors else _back()


@require_POST
def send_back(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Return it with a reason; where disputed values are ticked, because of them alone."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    form = ReturnForm(request.POST)
    if form.is_valid():
        attempt(request, lambda: _returned(request, case, form), _("Returned with your reason."), form)
    return _page(request, case, returning=form) if form.errors else _back()


def _returned(request: HttpRequest, case: Case, form: ReturnForm) -> Case:
    reason, now, version = form.cleaned_data["reason"], timezone.now(), version_of(request)
    ticked = planned.line_ids(request.POST.getlist("value"))
    if ticked:
        return return_values(case, ticked, reason, by(request), now, version=version)
    return decide.return_case(case, reason, by(request), now, version=version)


@require_safe
def letter(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """The letter as it would be sent today."""
    case = case_to_decide(request, case_id)
    found = decide.open_decision(case)
    if found is None:
        raise Http404
    put_on_record(case, Action.FILE_OPENED, by(request), timezone.now(), {"decision": str(found.pk)})
    content = proposed(
        case, found.letter_subject, found.letter_body, worklist.today(case.controller, timezone.now())
    )
    return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": "inline"})


def case_to_decide(request: HttpRequest, case_id: UUID) -> Case:
    """A case that this person may decide about, or could have a moment ago."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    deciders = (Permission.APPROVE, Permission.APPROVE_FOR_CONTROLLER)
    if not any(by(request).allows(one, case.controller_id) for one in deciders):
        raise Http404
    return case


def _late_on(case: Case) -> date | None:
    """The date that was missed and not explained, as the proposal's outcome has it."""
    return lateness.outstanding(case, timezone.now(), case.proposed_outcome)


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("dpo:approvals"), status=SEE_OTHER)


def _page(
    request: HttpRequest, case: Case, approval: forms.Form | None = None, returning: forms.Form | None = None
) -> HttpResponse:
    """The proposal; a refused form comes back with what was typed."""
    if approval or returning:
        case.refresh_from_db()
    found = decide.open_decision(case)
    refused = bool(approval and approval.errors) or bool(returning and returning.errors)
    context = {
        "case": case,
        "row": worklist.row(case, timezone.now()),
        "why": why(case, timezone.now()),
        "decision": found,
        "approval": approval or ApprovalForm(late_on=_late_on(case)),
        "refused": approval if approval and approval.errors else returning,
        "returning": returning or ReturnForm(),
        **(_content(request, case, found) if found else {}),
    }
    with timezone.override(case.controller.zone):
        return render(request, "dpo/decision.html", context, status=422 if refused else 200)


def _content(request: HttpRequest, case: Case, found: Decision) -> dict[str, Any]:
    query = request.GET
    outgoing = reading.outgoing(
        case, query.get("source", ""), query.get("collection", ""), query.get("page", "1")
    )
    if outgoing is not None:
        codes: dict[str, str | int] = {
            "decision": str(found.pk),
            "page": outgoing.page.number,
            "count": len(outgoing.page),
        }
        put_on_record(case, Action.CONTENT_VIEWED, by(request), timezone.now(), codes)
    is_own = found.is_own(staff(request).pk)
    may_decide = case.state in DECIDED and by(request).allows(
        reading.permission_to_decide(case), case.controller_id
    )
    return {
        "is_held": case.right == Right.ERASURE and queries.is_held(case.subject),
        "restrictions": rights.restrictions_in_force(case.subject),
        "chosen": rights_shown.chosen(case),
        **rights_shown.answered_from(case),
        "latenesses": case.latenesses.select_related("given_by", "case"),
        "about": case.linked_to,
        "authority": representing.summary(case, timezone.now()),
        "is_own": is_own,
        "may_decide": may_decide,
        "may_tick": may_decide and not is_own,
        "ticked": request.POST.getlist("value"),
        "goes_to_controller": case.state == State.APPROVAL and case.controller_decides,
        "said": reading.steps_said(case, found),
        "groups": items.groups(case),
        "withheld": reading.withheld(case),
        **planned.brief(case),
        **disputes_shown.decided(case),
        "reason_words": decide.reason_sentence(case, found.reason_code),
        "waivers": reading.waivers(case),
        "outgoing": outgoing,
        "query": _query(outgoing),
        "discloses": case.right in DISCLOSING,
        "is_intact": decide.digest(case, found) == found.digest,
    }


def _query(outgoing: reading.Outgoing | None) -> str:
    if outgoing is None:
        return ""
    group = outgoing.group
    return urlencode({"source": str(group.source_id or ""), "collection": group.collection}) + "&"
