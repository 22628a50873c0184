"""What of a case's collection waits for somebody before an answer may go out, and what its sources did wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Count

from cases.models import (
    Belongs,
    Case,
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
    """Count what is outstanding, by an index each; in one statement, since every answer asks twice."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"case": case.pk})
        return Outstanding(*cursor.fetchone())


_COUNTS = f"""
SELECT (SELECT count(*) FROM cases_candidate WHERE case_id = %(case)s AND verdict = '{Belongs.OPEN.value}'),
       (SELECT count(*) FROM cases_setaside WHERE case_id = %(case)s AND verdict = '{Belongs.OPEN.value}'),
       (SELECT count(*) FROM cases_fieldincase held JOIN cases_unknownfield field ON field.id = held.field_id
         WHERE held.case_id = %(case)s AND field.version = 0),
       (SELECT count(*) FROM cases_fieldincase held JOIN cases_unknownfield field ON field.id = held.field_id
         WHERE held.case_id = %(case)s AND field.version > 0 AND held.applied IS DISTINCT FROM field.version),
       (SELECT count(*) FROM cases_collectedfile WHERE case_id = %(case)s AND state = '{FileState.FAILED.value}'),
       (SELECT count(*) FROM cases_collectedfile WHERE case_id = %(case)s AND state = '{FileState.WAITING.value}')
"""  # noqa: S608  Every part is a constant of the house.


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
