"""An identity document beside the record: a person looks, types what was not read, and judges."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from cases.console.desk_forms import DeskForm
from cases.console.document_review import beside, flaws, reading_of
from cases.console.going import see_other
from cases.models import Case
from cases.surface import attempt, by, case_or_404
from cases.workflow import document as documents
from cases.workflow.document_words import MORE, REFUSALS
from identity.models import DocumentPicture, DocumentStage, IdentityDocument, Level
from identity.roles import Permission

TURNS = (0, 90, 180, 270)
ZOOMS = (1, 2, 3)
# Nobody opens a picture as a page of its own: it is shown within the review, and copied nowhere.
SHOWN_IN = frozenset({"", "image"})


class ReadingForm(DeskForm):
    text = forms.CharField(
        label=_("The lines with < signs"),
        help_text=_("Two or three lines, each as it stands on the document. Their check digits show a slip."),
        max_length=200,
        widget=forms.Textarea(
            attrs={"rows": 3, "class": "zone-input", "spellcheck": "false", "autocomplete": "off"}
        ),
    )

    def prepare(self) -> None:
        if self.target.destroyed_at is None and self.target.reading:
            self.fields["text"].initial = self.target.reading["text"]


class AcceptForm(DeskForm):
    level = forms.TypedChoiceField(label=_("Level that it shows"), coerce=int, widget=forms.RadioSelect)

    def prepare(self) -> None:
        field = self.fields["level"]
        assert isinstance(field, forms.TypedChoiceField)
        levels = documents.levels(self.case.subject_request)
        field.choices = [(level.value, str(level.label).capitalize()) for level in levels]
        field.initial = min(levels[-1].value, max(self.case.required_level, levels[0].value))
        if Level.HIGH not in levels:
            field.help_text = _("The highest level takes a code to an address on file as well.")


class RefuseForm(DeskForm):
    reason = forms.ChoiceField(
        label=_("Reason"),
        help_text=_("The customer is told, in a sentence that teaches a forger nothing."),
        choices=[("", _("Choose one")), *((one.code, one.label) for one in REFUSALS)],
    )


class MoreForm(DeskForm):
    reason = forms.ChoiceField(
        label=_("What is missing"),
        help_text=_("The customer is asked for it; what is here stays until it comes."),
        choices=[("", _("Choose one")), *((one.code, one.label) for one in MORE)],
    )


FORMS: Mapping[str, type[DeskForm]] = {
    "reading": ReadingForm,
    "accept": AcceptForm,
    "refuse": RefuseForm,
    "more": MoreForm,
}


@require_http_methods(["GET", "POST"])
def document(request: HttpRequest, case_id: UUID, document_id: UUID, act: str = "") -> HttpResponse:
    """The review, and what is pressed in it."""
    case = case_or_404(request, case_id, Permission.RECORD_IDENTITY)
    found = _document(request, case, document_id)
    with timezone.override(case.controller.zone):
        shown = {
            name: form(request.POST if name == act else None, case=case, target=found, auto_id=f"{name}_%s")
            for name, form in FORMS.items()
        }
        if act and _pressed(request, case, found, act, shown):
            stays = act == "reading"
            return (
                see_other("console:document", case.pk, found.pk)
                if stays
                else see_other("console:case", case.pk)
            )
        context = _context(request, case, found) | {"forms": shown}
        status = 422 if act and shown[act].errors else 200
        return render(request, "console/desk/document.html", context, status=status)


def _document(request: HttpRequest, case: Case, document_id: UUID) -> IdentityDocument:
    """A document of this case's own request. Raises Http404 for any other."""
    try:
        return documents.to_review(case, document_id, by(request))
    except IdentityDocument.DoesNotExist:
        raise Http404 from None


def _pressed(
    request: HttpRequest, case: Case, found: IdentityDocument, act: str, shown: Mapping[str, DeskForm]
) -> bool:
    """Whether it was done; otherwise the form says why not. Raises Http404 for what is no act."""
    form = shown.get(act)
    if form is None or request.method != "POST":
        raise Http404
    if not form.is_valid():
        return False
    done = attempt(request, _deed(request, case, found, act, form.cleaned_data), str(_DONE[act]), form)
    return done is not None


def _deed(
    request: HttpRequest, case: Case, found: IdentityDocument, act: str, given: Mapping[str, Any]
) -> Callable[[], IdentityDocument]:
    who, now = by(request), timezone.now()
    deeds: Mapping[str, Callable[[], IdentityDocument]] = {
        "reading": lambda: documents.note_reading(case, found.pk, given["text"], who, now),
        "accept": lambda: documents.accept(case, found.pk, given["level"], who, now),
        "refuse": lambda: documents.refuse(case, found.pk, given["reason"], who, now),
        "more": lambda: documents.ask_more(case, found.pk, given["reason"], who, now),
    }
    return deeds[act]


_DONE = {
    "reading": _("The lines were noted and checked."),
    "accept": _("The document was accepted."),
    "refuse": _("The document was refused, and the customer is told."),
    "more": _("The customer was asked for more."),
}


def _context(request: HttpRequest, case: Case, found: IdentityDocument) -> dict[str, Any]:
    today = timezone.localdate()
    reading = reading_of(found, today)
    pictures = list(found.pictures.all())
    return {
        "case": case,
        "document": found,
        "reading": reading,
        "beside": beside(reading.zone, case.subject),
        "pictures": [(picture, flaws(picture.quality)) for picture in pictures],
        "is_waiting": found.stage == DocumentStage.WAITING,
        "has_zone": found.kind != "driving_licence",
        "turn": _chosen(request, "turn", TURNS),
        "zoom": _chosen(request, "zoom", ZOOMS),
        "next_turn": (_chosen(request, "turn", TURNS) + 90) % 360,
        "reason_words": next((one.label for one in (*REFUSALS, *MORE) if one.code == found.reason), ""),
    }


def _chosen(request: HttpRequest, name: str, known: tuple[int, ...]) -> int:
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and int(given[:4]) in known else known[0]


@require_safe
def picture(request: HttpRequest, case_id: UUID, document_id: UUID, picture_id: UUID) -> HttpResponse:
    """One picture, made anew for the screen, for who may judge it; each look is on the record."""
    case = case_or_404(request, case_id, Permission.RECORD_IDENTITY)
    if request.headers.get("Sec-Fetch-Dest", "") not in SHOWN_IN:
        raise Http404
    try:
        shown = documents.view_picture(
            case, document_id, picture_id, _chosen(request, "turn", TURNS), by(request), timezone.now()
        )
    except (IdentityDocument.DoesNotExist, DocumentPicture.DoesNotExist):
        raise Http404 from None
    return HttpResponse(shown, content_type="image/jpeg", headers=NEVER_A_PAGE)


NEVER_A_PAGE = {
    "Content-Disposition": 'attachment; filename="document.jpg"',
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store, private",
}
