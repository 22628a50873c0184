"""Showing who one is by a picture of a document: the form, and what is wrong with a picture in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import SubjectRequest
from cases.portal.forms import PlainForm
from cases.portal.words import Words
from cases.workflow import document as documents
from cases.workflow import document_words
from dsar.lib.errors import Refused
from identity.documents.quality import Fault
from identity.evidence import intake
from identity.evidence.checking import checked
from identity.evidence.keeping import Checked
from identity.models import DocumentKind, DocumentStage

# A telephone offers its camera and its album for these.
ACCEPT = "image/jpeg,image/png,image/webp,image/heic,application/pdf"

FAULTS: dict[Fault, Words] = {
    Fault.TOO_SMALL: gettext_lazy(
        "The picture is too small. Go closer, so that the document fills the screen, or choose the original picture."
    ),
    Fault.DARK: gettext_lazy("The picture is too dark. Go to a window or switch on a light."),
    Fault.FLAT: gettext_lazy("The picture is too pale to read. Wipe the lens and hold the telephone still."),
    Fault.BLURRED: gettext_lazy(
        "The picture is blurred. Lay the document on a table, hold the telephone still, and touch the screen to focus."
    ),
    Fault.GLARE: gettext_lazy(
        "A light is reflected on the document. Turn off the flash, and tilt the document away from the lamp."
    ),
    Fault.SLANTING: gettext_lazy("The document lies askew. Hold the telephone straight above it."),
    Fault.CROPPED: gettext_lazy(
        "The lines of letters and < signs are cut off. Leave a small margin around the whole document."
    ),
}

_BACKS = frozenset({DocumentKind.IDENTITY_CARD})


class _File(forms.ClearableFileInput):
    template_name = "django/forms/widgets/file.html"


class DocumentForm(PlainForm):
    """Which document, and its pictures."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Which document do you use?"),
        choices=DocumentKind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose the document.")},
    )
    front = forms.FileField(
        label=gettext_lazy("Picture of the page with your name, or of the front"),
        help_text=gettext_lazy("A photo or a scan, at most 15 MB."),
        widget=_File(attrs={"accept": ACCEPT}),
        error_messages={"required": gettext_lazy("Take or choose a picture.")},
    )
    back = forms.FileField(
        label=gettext_lazy("Picture of the back of an identity card"),
        required=False,
        widget=_File(attrs={"accept": ACCEPT}),
    )

    def take(self, *, is_patient: bool) -> list[Checked] | None:
        """The pictures, clean and judged; None with errors beside the fields where one is refused.

        ``is_patient`` takes pictures of poor quality too: after some tries a person looks rather than a program.
        """
        kind = DocumentKind(self.cleaned_data["kind"])
        pictures = [*self._taken("front", kind), *self._taken("back", kind)]
        if not self.errors and not is_patient:
            self._judge(pictures)
        return None if self.errors else [one for _field, one in pictures]

    def _taken(self, field: str, kind: DocumentKind) -> Sequence[tuple[str, Checked]]:
        given: UploadedFile[Any] | None = self.cleaned_data.get(field)
        if given is None:
            return []
        # A card's zone is on its back, a licence has none.
        with_zone = kind == DocumentKind.PASSPORT or (kind in _BACKS and field == "back")
        try:
            taken = intake.take(given.file, given.name or "")  # type: ignore[arg-type]
        except Refused as refusal:
            self.add_error(field, str(refusal))
            return []
        return [(field, checked(picture, with_zone=with_zone)) for picture in taken]

    def _judge(self, pictures: Sequence[tuple[str, Checked]]) -> None:
        for field, one in pictures:
            for code in one.quality["faults"]:
                self.add_error(field, str(FAULTS[Fault(code)]))

    @property
    def has_poor_pictures(self) -> bool:
        """Whether only the quality was at fault."""
        told = {str(words) for words in FAULTS.values()}
        return any(str(error) in told for name in ("front", "back") for error in self.errors.get(name, []))


@dataclass(frozen=True)
class Card:
    """What the request's page says of documents."""

    title: Words
    text: Words
    label: Words


_OFFERED = Card(
    gettext_lazy("Show that it is you"),
    gettext_lazy(
        "You can send a picture of an identity document. Cover what we do not need; we say what that is."
    ),
    gettext_lazy("Send a picture"),
)
_WAITING = Card(
    gettext_lazy("We have your picture"),
    gettext_lazy("It waits for somebody of our team to look at it. You need not do anything."),
    "",
)


def card_of(request: SubjectRequest, now: datetime) -> Card | None:
    """What to say on the page of a request: what is missing, that it waits, or that a picture would help."""
    newest = next(iter(documents.documents_of(request)), None)
    if newest is not None and newest.stage == DocumentStage.WAITING:
        return _WAITING
    missing = document_words.more(newest.reason) if newest and newest.stage == DocumentStage.MORE else None
    if missing is not None:
        return Card(gettext_lazy("We need one more picture"), missing.told, gettext_lazy("Send a picture"))
    return _OFFERED if documents.is_offered(request, now) else None


def kept_words(days: int) -> str:
    """How long the pictures are kept."""
    if days == 0:
        return _("We delete the pictures as soon as a member of our team has looked at them.")
    return _(
        "We delete the pictures at the latest {days} days after a member of our team has looked at them."
    ).format(days=days)
