"""After logging: what to read out, and the letter to print for those without e-mail."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from cases.authority import OUTSIDE
from cases.console import standing
from cases.correspondence.compose import Kind
from cases.models import Case, Letter, SubjectRequest
from cases.packs.posting import printed
from cases.proving import Proving, proving
from cases.surface import attempt, by, see_other, staff
from cases.workflow import contact
from cases.workflow.perform import put_on_record
from dsar.audit.actions import Action
from dsar.lib import references
from identity.roles import Permission


def request_or_404(
    request: HttpRequest, request_id: UUID, permission: Permission = Permission.VIEW_CASE
) -> SubjectRequest:
    """The subject request with its person and brand; a stranger's is not found."""
    visible = SubjectRequest.objects.visible_to(staff(request), permission)
    found: SubjectRequest | None = (
        visible.select_related("subject", "representative", "controller", "logged_by")
        .filter(pk=request_id)
        .first()
    )
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
def read_out(request: HttpRequest, request_id: UUID) -> HttpResponse:
    subject_request = request_or_404(request, request_id, Permission.LOG_REQUEST)
    if request.method == "POST":
        now = timezone.now()
        done = _("Noted as read out.")
        attempt(request, lambda: contact.read_out(subject_request, by(request), now), done=done)
        return see_other("console:request", subject_request.pk)
    return render(request, "console/read_out.html", _script(subject_request))


def _script(subject_request: SubjectRequest) -> dict[str, object]:
    cases = list(subject_request.cases.select_related("subject_request").order_by("opened_at", "pk"))
    by_email = standing.reachable_by_email(subject_request)
    return {
        "subject_request": subject_request,
        "cases": cases,
        "spelled": references.spell(subject_request.reference, subject_request.language),
        "date_sentence": standing.date_sentence(cases),
        "next_sentence": standing.next_sentence(subject_request, cases, by_email),
        "proving": proving_of(cases, in_contact=True),
        "to_print": acknowledgement_of(subject_request, to_print=True),
    }


def proving_of(cases: list[Case], *, in_contact: bool) -> Proving | None:
    """What is still to be shown, by the case that asks for most; None where nothing is."""
    waiting = [
        case
        for case in cases
        if case.is_open and case.identity_level < case.required_level and case.authority != OUTSIDE
    ]
    if not waiting:
        return None
    strictest = max(waiting, key=lambda case: case.required_level)
    return proving(strictest, timezone.now(), in_contact=in_contact)


def acknowledgement_of(subject_request: SubjectRequest, *, to_print: bool = False) -> Letter | None:
    """The newest acknowledgement; only a printed one if asked so."""
    sent = subject_request.letters.filter(kind=Kind.ACKNOWLEDGEMENT.value)
    found: Letter | None = (sent.filter(by_post=True) if to_print else sent).order_by("-written_at").first()
    return found


@require_safe
def acknowledgement(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The acknowledgement as a PDF to print. No other letter can be opened here."""
    subject_request = request_or_404(request, request_id)
    letter = acknowledgement_of(subject_request, to_print=True)
    if letter is None:
        raise Http404
    for case in subject_request.cases.all():
        put_on_record(case, Action.FILE_OPENED, by(request), timezone.now(), {"letter": str(letter.pk)})
    name = content_disposition_header(as_attachment=False, filename=f"{subject_request.reference}.pdf")
    headers = {"Content-Disposition": name or "inline"}
    return HttpResponse(printed(letter), content_type="application/pdf", headers=headers)
