"""What of a case's collection waits for somebody before an answer may go out, and what its sources did wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, F

from cases.models import (
    Belongs,
    Candidate,
    Case,
    CollectedFile,
    FieldInCase,
    FileState,
    SetAside,
    UnknownField,
)


@dataclass(frozen=True)
class Outstanding:
    """How many of each: matches and records to decide, fields to classify, files without bytes."""

    matches: int
    records: int
    fields: int
    fields_coming: int
    files: int
    files_coming: int

    @property
    def to_decide(self) -> int:
        """What waits for somebody, and not for us."""
        return self.matches + self.records + self.fields + self.files

    def __bool__(self) -> bool:
        return bool(self.to_decide or self.fields_coming or self.files_coming)


def of(case: Case) -> Outstanding:
    """Count what is outstanding, by an index each."""
    outstanding = CollectedFile.objects.filter(case=case, state__in=[FileState.FAILED, FileState.WAITING])
    files = dict(outstanding.values_list("state").annotate(count=Count("pk")))
    fields = FieldInCase.objects.filter(case=case)
    return Outstanding(
        Candidate.objects.filter(case=case, verdict=Belongs.OPEN).count(),
        SetAside.objects.filter(case=case, verdict=Belongs.OPEN).count(),
        fields.filter(field__version=0).count(),
        fields.filter(field__version__gt=0).exclude(applied=F("field__version")).count(),
        files.get(FileState.FAILED.value, 0),
        files.get(FileState.WAITING.value, 0),
    )


@dataclass(frozen=True)
class Faults:
    """What a source does other than its description says: why it is shown in amber."""

    unknown_fields: int = 0
    strangers: int = 0

    def __bool__(self) -> bool:
        return bool(self.unknown_fields or self.strangers)


def faults(source_ids: Iterable[UUID]) -> dict[UUID, Faults]:
    """Of each of these sources that has any: fields nobody described, records of other people."""
    ids = list(source_ids)
    fields = UnknownField.objects.filter(source__in=ids, choice="")
    strangers = SetAside.objects.filter(source__in=ids, verdict=Belongs.NOT_THEIRS)
    unknown = dict(fields.order_by().values_list("source_id").annotate(count=Count("pk")))
    wrong = dict(strangers.values_list("source_id").annotate(count=Count("pk")))
    return {one: Faults(unknown.get(one, 0), wrong.get(one, 0)) for one in {*unknown, *wrong}}
