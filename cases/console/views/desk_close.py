"""Proposing how a case ends: the reviewed answer, or a closing without one; each with its letter, edited first."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases import corrections
from cases.console.desk_forms import Closing, LetterText, Submission
from cases.console.going import see_other
from cases.fulfilment import plans
from cases.models import Case
from cases.packs.posting import proposed
from cases.review import items
from cases.surface import attempt, by, case_or_404, version_of
from cases.words import CLOSINGS, DISCLOSING, Outcome, Right, State
from cases.workflow import decide
from identity.roles import Permission


@require_http_methods(["GET", "POST"])
def close(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Propose to refuse, or to end without an answer: choose, draft, edit, propose."""
    case = _case(request, case_id)
    if request.method == "GET":
        wanted = request.GET.get("outcome", "")
        return _page(
            request,
            "close",
            case,
            Closing(case=case, initial={"outcome": wanted if wanted in CLOSINGS else ""}),
        )
    if "draft" in request.POST:
        return _page(
            request, "close", case, _drafted(Closing, case, request, request.POST.get("outcome", ""))
        )
    if "preview" in request.POST:
        return _preview(request, case)
    form = Closing(request.POST, case=case)
    if form.is_valid() and _closing_proposed(request, form):
        return see_other("console:case", case.pk)
    return _page(request, "close", case, form)


@require_http_methods(["GET", "POST"])
def submit(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Send what was reviewed to approval; the outcome follows from the decisions on the items."""
    case = _case(request, case_id)
    outcome = decide.outcome_of(case) or request.POST.get("complaint_outcome", "")
    if request.method == "GET":
        is_known = outcome and not _undecided(case)
        title, body = decide.draft_letter(case, outcome, "", timezone.now()) if is_known else ("", "")
        return _page(request, "submit", case, Submission(case=case, initial={"title": title, "body": body}))
    if "draft" in request.POST:
        return _page(request, "submit", case, _drafted(Submission, case, request, outcome))
    if "preview" in request.POST:
        return _preview(request, case)
    form = Submission(request.POST, case=case)
    if form.is_valid() and _submitted(request, form):
        return see_other("console:case", case.pk)
    return _page(request, "submit", case, form)


def _case(request: HttpRequest, case_id: UUID) -> Case:
    """The case for those who work it; it is not there for others, but a POST is refused on the record."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    if request.method == "GET" and not by(request).allows(Permission.WORK, case.controller_id):
        raise Http404
    return case


def _drafted(form: type[LetterText], case: Case, request: HttpRequest, outcome: str) -> LetterText:
    """The form with a letter made from what was chosen; nothing is judged yet."""
    typed = {name: request.POST.get(name, "") for name in form.base_fields}
    codes = _codes(form(case=case))
    code = typed["reason_code"] if typed["reason_code"] in codes else ""
    if outcome in Outcome.values:
        drafted = decide.draft_letter(case, outcome, typed["reasons"], timezone.now(), code)
        typed["title"], typed["body"] = drafted
    return form(case=case, initial=typed)


def _codes(form: LetterText) -> set[str]:
    """Every ground that may be cited, whatever group of the list it stands in."""
    if "reason_code" not in form.fields:
        return set()
    choices: Any = form.fields["reason_code"].choices  # type: ignore[attr-defined]
    grouped = [
        option for _name, options in choices if not isinstance(options, str) for option in _options(options)
    ]
    return {value for value, _label in grouped}


def _options(options: Any) -> list[tuple[str, str]]:
    return list(options) if isinstance(options, list | tuple) else []


def _preview(request: HttpRequest, case: Case) -> HttpResponse:
    """The letter as typed, as a PDF; nothing is kept."""
    today = timezone.now().astimezone(case.controller.zone).date()
    content = proposed(case, request.POST.get("title", ""), request.POST.get("body", ""), today)
    return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": "inline"})


def _closing_proposed(request: HttpRequest, form: Closing) -> bool:
    data = form.cleaned_data
    done = _("The closing is proposed. A second person decides.")
    attempt(
        request,
        lambda: decide.propose_closing(
            form.case,
            data["outcome"],
            data["title"],
            data["body"],
            by(request),
            timezone.now(),
            reasons=data["reasons"],
            reason_code=data["reason_code"],
            why_late=form.why_late,
            version=version_of(request),
        ),
        done,
        form,
    )
    return not form.errors


def _submitted(request: HttpRequest, form: Submission) -> bool:
    data = form.cleaned_data
    attempt(
        request,
        lambda: decide.submit(
            form.case,
            data["title"],
            data["body"],
            by(request),
            timezone.now(),
            reason_code=data.get("reason_code", ""),
            reasons=data["reasons"],
            complaint_outcome=data.get("complaint_outcome", ""),
            why_late=form.why_late,
            version=version_of(request),
        ),
        _("The answer is with the approvers."),
        form,
    )
    return not form.errors


def _page(request: HttpRequest, name: str, case: Case, form: LetterText) -> HttpResponse:
    outcome = decide.outcome_of(case)
    context = {
        "case": case,
        "form": form,
        "outcome": outcome,
        "outcome_words": Outcome(outcome).label if outcome else "",
        "is_complaint": case.right == Right.COMPLAINT,
        "is_refused": outcome == Outcome.REFUSED,
        "undecided": _undecided(case),
        "has_plan": case.right == Right.ERASURE,
        "lacks_ground": case.right == Right.ERASURE and not _has_ground(case),
        "groups": items.groups(case),
        "withheld": decide.withheld_sentences(case),
        "discloses": case.right in DISCLOSING,
    }
    with timezone.override(case.controller.zone):
        return render(request, f"console/desk/{name}.html", context, status=422 if form.errors else 200)


def _undecided(case: Case) -> int:
    """Records without a decision; where values are decided, the rest of the records needs none."""
    is_by_item = case.state == State.REVIEW and not corrections.is_by_value(case)
    return items.undecided(case) if is_by_item else 0


def _has_ground(case: Case) -> bool:
    """Whether somebody recorded why the data is erased, where a plan says what is."""
    plan = plans.live(case)
    return plan is None or bool(plan.ground)
