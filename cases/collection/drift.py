"""Fields that nobody described: held back, until somebody has said what they are, and then applied everywhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from cases.models import FieldClass, FieldInCase, SourceSystem, UnknownField
from dsar.lib.prepared import Prepared

# By record type and field: what it was said to be.
Choices: TypeAlias = Mapping[str, Mapping[str, str]]
NAME_LENGTH = UnknownField._meta.get_field("name").max_length or 0

_CHOSEN = Prepared(
    lambda source_id: (
        UnknownField.objects.filter(source_id=source_id)
        .exclude(choice="")
        .values_list("collection", "name", "choice")
    ),
    UUID,
)

# What is kept of a value: a secret is forgotten at once, and comes again only by another search.
SHOWN = (FieldClass.DISCLOSE, FieldClass.THIRD_PARTY)


@dataclass(frozen=True)
class Classified:
    """A record's fields once what is known of the unknown ones was applied.

    ``held`` are the values that stay back, of which nobody has said yet what ``undecided`` ones are.
    """

    data: Mapping[str, Any]
    others: tuple[str, ...]
    held: Mapping[str, Any]
    undecided: Mapping[str, Any]


def classified(data: Mapping[str, Any], unknown: Mapping[str, Any], choices: Mapping[str, str]) -> Classified:
    """Add what may be shown to the data; ``unknown`` are all values of fields that the description does not know."""
    kept = {name: value for name, value in unknown.items() if choices.get(name) != FieldClass.SECRET}
    shown = {name: value for name, value in kept.items() if choices.get(name) in SHOWN}
    return Classified(
        {name: value for name, value in data.items() if name not in unknown} | shown,
        tuple(name for name in shown if choices[name] == FieldClass.THIRD_PARTY),
        kept,
        {name: value for name, value in kept.items() if name not in choices},
    )


def choices_of(source_id: UUID) -> Choices:
    """What was said of this source's fields."""
    chosen: dict[str, dict[str, str]] = {}
    for collection, field, choice in _CHOSEN.all(source_id):
        chosen.setdefault(collection, {})[field] = choice
    return chosen


def name(source: SourceSystem, seen: Mapping[str, Iterable[str]], now: datetime) -> None:
    """Remember which fields a source has that its description does not know, whether or not a case meets them."""
    _fields(source, seen, now)


def note(
    source: SourceSystem, case_id: UUID, seen: Mapping[str, Iterable[str]], choices: Choices, now: datetime
) -> None:
    """Remember which unknown fields a case's records have, and that they were stored as ``choices`` say."""
    fields = _fields(source, seen, now)
    FieldInCase.objects.bulk_create(
        [FieldInCase(controller_id=source.controller_id, case_id=case_id, field=one) for one in fields],
        ignore_conflicts=True,
    )
    for one in fields:
        if one.version and choices.get(one.collection, {}).get(one.name) == one.choice:
            FieldInCase.objects.filter(case=case_id, field=one).update(applied=one.version)


def _fields(source: SourceSystem, seen: Mapping[str, Iterable[str]], now: datetime) -> list[UnknownField]:
    """The rows of these fields, made where they are new."""
    names = {(kind, name[:NAME_LENGTH]) for kind, names in seen.items() for name in names}
    if not names:
        return []
    UnknownField.objects.bulk_create(
        [
            UnknownField(
                controller_id=source.controller_id, source=source, collection=kind, name=name, seen_at=now
            )
            for kind, name in sorted(names)
        ],
        ignore_conflicts=True,
    )
    rows = UnknownField.objects.filter(source=source, collection__in={kind for kind, _name in names})
    return [row for row in rows if (row.collection, row.name) in names]
