"""When the customer calls again: where it stands, and what can be done about it on the spot."""

from datetime import datetime
from functools import partial
from typing import Any, BinaryIO, cast
from uuid import UUID, uuid4

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases import rights
from cases.console import standing
from cases.console.forms_request import ComplaintForm, FileForm, NoteForm, WithdrawForm
from cases.console.views.agent_read_out import acknowledgement_of, proving_of, request_or_404
from cases.models import Case, Note, SubjectRequest
from cases.surface import attempt, by, see_other, staff, version_of
from cases.workflow import contact, people, recipients
from cases.workflow.intake import Upload
from dsar.lib import uploads
from identity.roles import Permission

# Notes of the conversation and reasons of what agents do; handlers' notes may speak of what was collected.
SHOWN_NOTES = (people.CONTACT, "withdraw", "correct_received", "correct_right", "correct_person", "void")


@require_safe
def show(request: HttpRequest, request_id: UUID) -> HttpResponse:
    return _page(request, request_or_404(request, request_id))


@sensitive_post_parameters()
@require_POST
def note(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """What the customer said this time; for colleagues, never for the customer."""
    found, now = request_or_404(request, request_id), timezone.now()
    form = NoteForm(_cases(found), request.POST)
    if form.is_valid() and _noted(request, form, now) is not None:
        return see_other("console:request", found.pk)
    return _page(request, found, note_form=form, status=422)


def _noted(request: HttpRequest, form: NoteForm, now: datetime) -> Note | None:
    text, case = form.cleaned_data["text"], form.case
    done = _("Your note is kept.")
    write = partial(people.add_note, case, text, by(request), now, about=people.CONTACT)
    return attempt(request, write, done=done, form=form)


@require_POST
def resend(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The e-mail with the link once more."""
    found, now = request_or_404(request, request_id), timezone.now()
    attempt(
        request,
        lambda: contact.send_link_again(found, by(request), now),
        done=_("The e-mail with the link is on its way again."),
    )
    return see_other("console:request", found.pk)


@require_POST
def add_file(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Something that came after the request: a letter, an authority."""
    found, now = request_or_404(request, request_id), timezone.now()
    form = FileForm(request.POST, request.FILES)
    if form.is_valid() and (upload := _inspected(form)) is not None:
        done = _("The file is kept with the request.")
        if attempt(request, lambda: contact.add_file(found, upload, by(request), now), done=done, form=form):
            return see_other("console:request", found.pk)
    return _page(request, found, file_form=form, status=422)


def _inspected(form: FileForm) -> Upload | None:
    file = form.cleaned_data["file"]
    verdict = uploads.inspect(cast(BinaryIO, file), file.name or "")
    if verdict.kind is None:
        form.add_error("file", verdict.message)
        return None
    return Upload(verdict.name, verdict.kind.media_type, file.chunks())


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, request_id: UUID, case_id: UUID) -> HttpResponse:
    """The customer takes it back; asked for once more, since it ends their right."""
    found, case = _request_and_case(request, request_id, case_id)
    form = WithdrawForm(request.POST or None, initial={"version": case.version})
    if form.is_valid() and _withdrawn(request, case, form) is not None:
        return see_other("console:request", found.pk)
    return _form_page(request, "console/withdraw.html", found, case, form)


def _withdrawn(request: HttpRequest, case: Case, form: WithdrawForm) -> Case | None:
    reason, version = form.cleaned_data["reason"], version_of(request)
    act = partial(people.withdraw, case, by(request), timezone.now(), reason=reason, version=version)
    return attempt(request, act, done=_("It is withdrawn. The customer gets a confirmation."), form=form)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def complain(request: HttpRequest, request_id: UUID, case_id: UUID) -> HttpResponse:
    """A complaint about the handling becomes a linked case that somebody else works."""
    found, case = _request_and_case(request, request_id, case_id)
    now = timezone.now()
    form = ComplaintForm(found.controller.zone, now, request.POST or None, initial={"submission": uuid4()})
    if form.is_valid() and (
        complaint := attempt(request, lambda: _complain(case, form, request, now), form=form)
    ):
        messages.success(request, _("The complaint is noted and has a reference of its own. Read it out."))
        return see_other("console:read-out", complaint.pk)
    return _form_page(request, "console/complain.html", found, case, form)


def _complain(case: Case, form: ComplaintForm, request: HttpRequest, now: datetime) -> SubjectRequest:
    return people.complain(
        case,
        form.cleaned_data["words"],
        form.channel,
        form.said_at or now,
        by(request),
        now,
        submission=form.cleaned_data["submission"],
    )


@require_POST
def name_recipients(request: HttpRequest, request_id: UUID, case_id: UUID) -> HttpResponse:
    """The customer asks who received their data: our letter names them, and so does this page to who is known."""
    found, case = _request_and_case(request, request_id, case_id)
    done = _("Noted: our letter names those who received their data.")
    attempt(request, lambda: recipients.ask_names(case, by(request), timezone.now()), done=done)
    return see_other("console:request", found.pk)


def _request_and_case(request: HttpRequest, request_id: UUID, case_id: UUID) -> tuple[SubjectRequest, Case]:
    found = request_or_404(request, request_id)
    case = next((one for one in _cases(found) if one.pk == case_id), None)
    if case is None:
        raise Http404
    return found, case


def _form_page(
    request: HttpRequest, template: str, found: SubjectRequest, case: Case, form: Form
) -> HttpResponse:
    context = {"subject_request": found, "case": case, "form": form, "crumbs": _crumbs(found)}
    return render(request, template, context, status=422 if form.is_bound else 200)


def _crumbs(found: SubjectRequest) -> list[dict[str, Any]]:
    return [
        {"label": _("Requests"), "url": reverse("console:requests")},
        {"label": found.reference, "url": reverse("console:request", args=[found.pk])},
    ]


def _cases(found: SubjectRequest) -> list[Case]:
    """Open ones first; with what their references and dates need."""
    cases = list(
        found.cases.select_related("subject_request", "controller", "subject")
        .prefetch_related("clock_events")
        .order_by("opened_at", "pk")
    )
    return sorted(cases, key=lambda case: not case.is_open)


def _page(request: HttpRequest, found: SubjectRequest, *, status: int = 200, **forms: Form) -> HttpResponse:
    cases, now = _cases(found), timezone.now()
    today = now.astimezone(found.controller.zone).date()
    by_email = standing.reachable_by_email(found)
    context = {
        "subject_request": found,
        "person": standing.name_of(found.subject) or _("Somebody whose details are no longer kept"),
        "standings": [standing.explained(standing.standing(case, today), now) for case in cases],
        "is_restricted": rights.restrictions_in_force(found.subject).exists(),
        "is_open": any(case.is_open for case in cases),
        "by_email": by_email,
        "to_print": acknowledgement_of(found, to_print=True),
        "replies": standing.replies(found, cases, by_email),
        "proving": proving_of(cases, in_contact=True),
        "authority_outstanding": standing.authority_outstanding(cases),
        "history": standing.history(cases),
        "notes": _notes(cases),
        "files": found.files.select_related("file").order_by("added_at"),
        "linked": _complaints(request, cases),
        "note_form": NoteForm(cases),
        "file_form": FileForm(),
        **_permitted(request, found, cases),
        **forms,
    }
    return render(request, "console/request.html", context, status=status)


def _permitted(request: HttpRequest, found: SubjectRequest, cases: list[Case]) -> dict[str, bool]:
    access = staff(request).access
    in_haste = all(case.state in people.HASTY for case in cases)
    may_log = access.allows(Permission.LOG_REQUEST, found.controller_id)
    return {
        "may_log": may_log,
        "may_correct": access.allows(Permission.CORRECT, found.controller_id) or (may_log and in_haste),
        "in_haste": in_haste,
        "may_work": access.allows(Permission.VIEW_CONTENT, found.controller_id),
    }


def _notes(cases: list[Case]) -> list[Note]:
    notes = Note.objects.filter(case__in=cases, about__in=SHOWN_NOTES).select_related("author", "case")
    return list(notes.order_by("-written_at")[:20])


def _complaints(request: HttpRequest, cases: list[Case]) -> list[Case]:
    """Complaints about these cases, and what a complaint is about."""
    visible = Case.objects.visible_to(staff(request)).select_related("subject_request")
    about = [case.linked_to_id for case in cases if case.linked_to_id]
    return [*visible.filter(linked_to__in=cases), *visible.filter(pk__in=about)]
