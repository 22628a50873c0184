"""Corrections: what is said to be wrong beside what each system holds, decided value by value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases import corrections, rights
from cases.console.forms_corrections import MoreToCorrect, Verdict
from cases.console.going import see_other
from cases.disputes_shown import Row
from cases.fulfilment import plans
from cases.models import Case, Correction, PartStage, PlannedChange, PlanStage, RequestFile
from cases.review import showing
from cases.surface import attempt, by, case_or_404, version_of
from cases.words import Right, State
from cases.workflow import correcting, disputed, rectify, restriction
from cases.workflow.intake import Upload
from cases.workflow.perform import put_on_record
from dsar.audit.actions import Action
from dsar.lib import uploads
from dsar.lib.errors import Refused
from identity.roles import Permission

PER_PAGE = 50


@dataclass(frozen=True)
class ClaimShown:
    """One claim, its evidence, and the places of this page that it touches."""

    number: int
    detail: str
    wrong: str
    right: str
    files: Sequence[RequestFile]
    rows: Sequence[Row]
    places: int

    @property
    def spoken(self) -> int:
        """The number as people count."""
        return self.number + 1


@require_http_methods(["GET", "POST"])
def corrections_of(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Look at all of them; write down what else is wrong."""
    case = _case(request, case_id)
    if request.method == "GET":
        return _page(request, case, MoreToCorrect(case=case))
    form = MoreToCorrect(request.POST, request.FILES, case=case)
    if form.is_valid() and _claimed(request, case, form):
        return see_other("console:corrections", case.pk)
    return _page(request, case, form, 422)


def _claimed(request: HttpRequest, case: Case, form: MoreToCorrect) -> bool:
    try:
        claim = form.claim(taken(form.cleaned_data["shows"]))
    except Refused as refusal:
        form.add_error("shows", str(refusal))
        return False
    attempt(
        request,
        lambda: rectify.add_claim(case, claim, by(request), timezone.now(), version=version_of(request)) + 1,
        _("The correction is added, and looked for in what was found."),
        form,
    )
    return not form.errors


def taken(given: Sequence["UploadedFile[bytes]"]) -> list[Upload]:
    """The files, if their content may be taken; raises Refused with the reason."""
    kept = []
    for file in given:
        verdict = uploads.inspect(cast(BinaryIO, file.file), file.name or "")
        if verdict.kind is None:
            raise Refused(verdict.message, verdict.code)
        kept.append(Upload(verdict.name, verdict.kind.media_type, file.chunks()))
    return kept


@require_safe
def tried(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Nothing while the sources are asked what they would do; when all have answered, the page is read anew."""
    case = _case(request, case_id)
    is_trying = _plan(case)["is_trying"]
    return HttpResponse(status=204) if is_trying else HttpResponse(headers={"HX-Refresh": "true"})


@require_POST
def evidence(request: HttpRequest, case_id: UUID, number: int) -> HttpResponse:
    """Keep a file for a claim."""
    case = _case(request, case_id)
    try:
        (upload,) = taken(request.FILES.getlist("file"))
    except (Refused, ValueError) as refusal:
        said = str(refusal) if isinstance(refusal, Refused) else _("Choose one file.")
        messages.error(request, said)
        return _page(request, case, MoreToCorrect(case=case), 422)
    done = attempt(
        request,
        lambda: rectify.add_evidence(case, number, upload, by(request), timezone.now()),
        _("The file is kept with the correction."),
    )
    if done is None:
        return _page(request, case, MoreToCorrect(case=case), 422)
    return see_other("console:corrections", case.pk)


@require_POST
def by_hand(request: HttpRequest, case_id: UUID, line_id: UUID) -> HttpResponse:
    """Have a person do what the source refuses."""
    case = _case(request, case_id)
    line = PlannedChange.objects.filter(case=case, pk=line_id).select_related("case").first()
    if line is None:
        raise Http404
    attempt(
        request,
        lambda: correcting.by_hand(line, by(request), timezone.now(), version=version_of(request)),
        _("A colleague does it in the source itself."),
    )
    return see_other("console:corrections", case.pk)


@require_http_methods(["GET", "POST"])
def correction(request: HttpRequest, case_id: UUID, value_id: UUID) -> HttpResponse:
    """Look at one disputed value in its record, and decide about it."""
    case = _case(request, case_id)
    one = corrections.of(case).filter(pk=value_id).first()
    if one is None:
        raise Http404
    if request.method == "GET":
        put_on_record(case, Action.CONTENT_VIEWED, by(request), timezone.now(), {"value": str(one.pk)})
        return _one(request, case, one, Verdict(case=case, target=one))
    form = Verdict(request.POST, case=case, target=one)
    if form.is_valid() and _decided(request, one, form):
        return _onwards(case, one)
    return _one(request, case, one, form, 422)


def _decided(request: HttpRequest, one: Correction, form: Verdict) -> bool:
    """What cannot stand in the field is said beside the value, everything else above the form."""
    decide = rectify.decide_alike if form.cleaned_data["also_alike"] else rectify.decide

    def act() -> None:
        try:
            decide(one, form.judged(), by(request), timezone.now(), version=version_of(request))
        except rectify.Unwritable as refusal:
            form.add_error("wanted", str(refusal))

    attempt(request, act, form=form)
    if not form.errors:
        messages.success(request, _("Decided."))
    return not form.errors


def _onwards(case: Case, one: Correction) -> HttpResponse:
    """To the next value that is to be decided; back to the list where this was the last."""
    following = corrections.of(case).filter(outcome="").exclude(pk=one.pk).first()
    if following is None:
        return see_other("console:corrections", case.pk)
    return see_other("console:correction", case.pk, following.pk)


def _case(request: HttpRequest, case_id: UUID) -> Case:
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    if case.right != Right.RECTIFICATION:
        raise Http404
    return case


def _page(request: HttpRequest, case: Case, form: MoreToCorrect, status: int = 200) -> HttpResponse:
    if status != 200:
        case.refresh_from_db()
    found = corrections.of(case)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "case": case,
        "claims": _claims(case, page),
        "page": page,
        "left": corrections.undecided(case),
        "total": page.paginator.count,
        "is_capped": page.paginator.count >= disputed.MOST_PLACES,
        "form": form,
        "may_work": _may_work(request, case),
        "may_add": case.state in rectify.BEFORE_DECISION and _works(request, case),
        "next": found.filter(outcome="").first(),
        **_plan(case),
        "restriction": rights.restriction_of(case),
        "is_unmarked": rights.is_unmarked(case),
        "may_restrict": _works(request, case) and restriction.may_begin_meanwhile(case),
    }
    put_on_record(
        case, Action.CONTENT_VIEWED, by(request), timezone.now(), {"values": len(page), "page": page.number}
    )
    with timezone.override(case.controller.zone):
        return render(request, "console/desk/corrections.html", context, status=status)


def _plan(case: Case) -> dict[str, Any]:
    """What the sources said when they were tried."""
    plan = plans.live(case) if case.state == State.REVIEW else None
    if plan is None or corrections.undecided(case):
        return {"is_tried": False, "is_trying": False, "refused": []}
    is_trying = plan.stage == PlanStage.MAKING or bool(plans.open_parts(plan))
    refused = plans.by_machine(plan.lines.exclude(obstacle="")).select_related("source")
    failed = plan.parts.filter(stage=PartStage.FAILED).select_related("source")
    return {"is_tried": not is_trying, "is_trying": is_trying, "refused": refused, "failed": failed}


def _claims(case: Case, page: "Page[Correction]") -> list[ClaimShown]:
    files: dict[int, list[RequestFile]] = {}
    kept = RequestFile.objects.filter(subject_request=case.subject_request_id, claim__isnull=False)
    for file in kept.select_related("file").order_by("added_at"):
        files.setdefault(cast(int, file.claim), []).append(file)
    rows: dict[int, list[Row]] = {}
    for one in page:
        rows.setdefault(one.claim, []).append(Row.of(one))
    counts = dict(corrections.counts(case))
    return [
        ClaimShown(
            number,
            said.get("field", ""),
            said.get("wrong", ""),
            said.get("right", ""),
            files.get(number, []),
            rows.get(number, []),
            counts.get(number, 0),
        )
        for number, said in enumerate(case.subject_request.claims)
    ]


def _one(request: HttpRequest, case: Case, one: Correction, form: Verdict, status: int = 200) -> HttpResponse:
    if status != 200:
        case.refresh_from_db()
    said = case.subject_request.claims[one.claim] if one.claim < len(case.subject_request.claims) else {}
    around = showing.whole(one.item).fields if one.item else ()
    context = {
        "case": case,
        "row": Row.of(one),
        "claim": said,
        "files": RequestFile.objects.filter(
            subject_request=case.subject_request_id, claim=one.claim
        ).select_related("file"),
        "around": [field for field in around if field.name != one.field],
        "alike": rectify.alike(one).count() if not one.outcome else 0,
        "form": form,
        "may_work": _may_work(request, case),
        "list_url": reverse("console:corrections", args=[case.pk]),
    }
    with timezone.override(case.controller.zone):
        return render(request, "console/desk/correction.html", context, status=status)


def _works(request: HttpRequest, case: Case) -> bool:
    return by(request).allows(Permission.WORK, case.controller_id)


def _may_work(request: HttpRequest, case: Case) -> bool:
    return case.state == State.REVIEW and _works(request, case)
