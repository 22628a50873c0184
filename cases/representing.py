"""Where a representative's authority stands, in words, and what they send to show it: for each surface."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.forms import Form
from django.utils.translation import gettext_lazy as _

from cases import authority
from cases.models import Case
from cases.words import AnswerTo
from dsar.lib.errors import Refused
from identity.evidence import intake
from identity.evidence.intake import Picture

# A registered power has some twenty pages.
PAGES = 24

FLAWS: Mapping[str, Any] = {
    authority.MISSING: _("Asked for, nothing came yet"),
    authority.UNJUDGED: _("Received, to be judged"),
    authority.REFUSED: _("Refused"),
    authority.REVOKED: _("Revoked"),
    authority.NOT_YET: _("Not yet valid"),
    authority.EXPIRED: _("Expired"),
    authority.NOT_COVERED: _("Does not cover this right"),
    authority.OUTSIDE: _("The law gives no right"),
    authority.VALID: _("Accepted"),
}


@dataclass(frozen=True)
class Summary:
    """Where the authority for one case stands, in a few words; for every page that speaks of it."""

    code: str
    says: Any
    kind: str
    answer_to: str
    answer_reason: str
    until: date | None

    @property
    def is_enough(self) -> bool:
        return self.code in {authority.VALID, authority.NOT_NEEDED}


def summary(case: Case, now: datetime) -> Summary | None:
    """None where nobody asks for somebody else, or nothing has to be shown."""
    representative = case.subject_request.representative
    if representative is None or not authority.is_needed(case):
        return None
    found = authority.standing(case, now)
    held = found.authority if found.authority and found.authority.answer_to else None
    return Summary(
        code=found.code,
        says=FLAWS[found.code],
        kind=representative.get_kind_display(),
        answer_to=str(AnswerTo(held.answer_to).label) if held else "",
        answer_reason=held.answer_reason if held else "",
        until=held.valid_until if held else None,
    )


def pages(file: "UploadedFile[Any]") -> list[Picture]:
    """The pages of one file as clean pictures. Raises Refused."""
    return intake.take(file.file, file.name or "", PAGES)  # type: ignore[arg-type]


def taken(form: Form, field: str, given: "Iterable[UploadedFile[Any]]") -> list[Picture]:
    """The pages of all files; an error beside the field for each file that cannot be taken."""
    found: list[Picture] = []
    for file in given:
        try:
            found += pages(file)
        except Refused as refusal:
            form.add_error(field, str(refusal))
    return found
