"""Files of a case: letters to print, what came with the request, items, packs. Each opening is put on record."""

from collections.abc import Iterable
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from cases.console.desk_acts import letter_of
from cases.console.going import not_there
from cases.models import Case, PackFile, RequestFile
from cases.packs.posting import printed
from cases.surface import by, case_or_404
from cases.workflow.letters import ANSWERS
from cases.workflow.perform import put_on_record
from dsar.audit.actions import Action
from dsar.vault import files
from dsar.vault.models import StoredFile
from identity.roles import Permission
from identity.step_up import asks_second_factor_first


@require_safe
def letter(request: HttpRequest, case_id: UUID, letter_id: UUID) -> HttpResponse:
    """A letter as a PDF, to print or to look at."""
    case = case_or_404(request, case_id)
    found = letter_of(case, letter_id)
    if found is None or found.is_incoming or not found.body:
        raise Http404
    if found.kind in ANSWERS:  # it tells what was found and what was withheld
        case_or_404(request, case_id, Permission.VIEW_CONTENT)
    _opened(request, case, {"letter": str(found.pk)})
    name = f"{case.reference.replace('/', '-')} {found.kind}.pdf"
    return HttpResponse(printed(found), content_type="application/pdf", headers=_as_file(name))


@require_safe
def request_file(request: HttpRequest, case_id: UUID, file_id: UUID) -> HttpResponseBase:
    """What came with the request: a letter, an authority, evidence; not for whoever only takes calls."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    found = RequestFile.objects.filter(pk=file_id, subject_request_id=case.subject_request_id).first()
    if found is None:
        raise Http404
    return _download(request, case, found.file)


@asks_second_factor_first
@require_safe
def pack_file(request: HttpRequest, case_id: UUID, file_id: UUID) -> HttpResponseBase:
    """A file of the answer, for staff who may see the content: it leaves with everything about a person."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    found = PackFile.objects.filter(pk=file_id, pack__case=case).select_related("file").first()
    if found is None:
        not_there(case)
    return _download(request, case, found.file)


@require_safe
def item_file(request: HttpRequest, case_id: UUID, item_id: UUID) -> HttpResponseBase:
    """A file that was found or added."""
    case = case_or_404(request, case_id, Permission.VIEW_CONTENT)
    found = case.items.filter(pk=item_id).exclude(file=None).select_related("file").first()
    if found is None or found.file is None:
        not_there(case)
    return _download(request, case, found.file)


def _download(request: HttpRequest, case: Case, stored: StoredFile) -> HttpResponseBase:
    _opened(request, case, {"file": str(stored.pk)})
    return StreamingHttpResponse(
        _chunks(files.read(stored)), content_type="application/octet-stream", headers=_as_file(stored.name)
    )


def _chunks(content: Iterable[bytes]) -> Iterable[bytes]:
    """The bytes decrypted as they are sent; the key was opened in the request's transaction."""
    yield from content


def _as_file(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or "attachment"
    }


def _opened(request: HttpRequest, case: Case, codes: dict[str, str]) -> None:
    put_on_record(case, Action.FILE_OPENED, by(request), timezone.now(), codes)
