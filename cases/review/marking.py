"""Marks of a redaction, put on and taken off: pure, and without touching what they cover."""

from collections.abc import Mapping, Sequence
from typing import Any

from cases.review.showing import places

Marks = Mapping[str, Any]


def with_fields(marks: Marks | None, ticked: Sequence[str], code: str) -> dict[str, Any]:
    """Exactly these fields withheld whole: known ones keep their code, new ones get ``code``."""
    known = {mark["field"]: mark["code"] for mark in _of(marks, "fields")}
    fields = [{"field": name, "code": known.get(name, code)} for name in dict.fromkeys(ticked)]
    passages = [mark for mark in _of(marks, "passages") if mark["field"] not in ticked]
    return {"fields": fields, "passages": passages}


def with_passage(
    marks: Marks | None, field: str, text: str, passage: str, code: str
) -> dict[str, Any] | None:
    """The passage withheld wherever it stands in the field; None where it stands nowhere."""
    found = places(text, passage)
    if not found:
        return None
    kept = _of(marks, "passages")
    taken = {(mark["field"], mark["start"], mark["end"]) for mark in kept}
    added = [
        {"field": field, "start": start, "end": end, "code": code}
        for start, end in found
        if (field, start, end) not in taken
    ]
    return {"fields": _of(marks, "fields"), "passages": [*kept, *added]}


def without_passage(marks: Marks | None, place: int) -> dict[str, Any]:
    """One passage shown again; a place that there is not changes nothing."""
    passages = _of(marks, "passages")
    return {"fields": _of(marks, "fields"), "passages": passages[:place] + passages[place + 1 :]}


def is_empty(marks: Marks) -> bool:
    return not _of(marks, "fields") and not _of(marks, "passages")


def _of(marks: Marks | None, kind: str) -> list[dict[str, Any]]:
    return list((marks or {}).get(kind, []))
