"""What the page of doubts shows: matches, records set aside, and files, each opened for whoever may see content."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator

from cases.models import (
    Belongs,
    Candidate,
    Case,
    CollectedFile,
    FileState,
    FoundIdentifier,
    SetAside,
    SourceSystem,
)
from cases.review.showing import Field, kind_of_identifier, label, text_of

PER_PAGE = 20


@dataclass(frozen=True)
class Doubtful:
    """A match or a record, as far as it is kept still."""

    kept: Any
    reference: str
    kind: str
    fields: tuple[Field, ...]
    matched_on: str = ""
    is_group: bool = False


def matches(case: Case) -> list[Doubtful]:
    """The matches that wait for somebody."""
    waiting = Candidate.objects.filter(case=case, verdict=Belongs.OPEN).select_related("case", "source")
    return [_match(one) for one in waiting.order_by("source__name", "pk")]


def _match(one: Candidate) -> Doubtful:
    kept: Mapping[str, Any] = one.match or {}
    summary = kept.get("summary") or {}
    return Doubtful(
        one,
        kept.get("ref", ""),
        label(kept.get("type", "")),
        _fields(summary),
        ", ".join(kind_of_identifier(kind) for kind in one.matched_on),
        bool(kept.get("is_group")),
    )


def records(case: Case, page: str) -> tuple["Page[SetAside]", list[Doubtful]]:
    """One page of the records that were set aside, and how they read."""
    waiting = SetAside.objects.filter(case=case, verdict=Belongs.OPEN).select_related("case", "source")
    found = Paginator(waiting.order_by("source__name", "collection", "pk"), PER_PAGE).get_page(page)
    return found, [_record(one) for one in found]


def _record(one: SetAside) -> Doubtful:
    kept: Mapping[str, Any] = one.content or {}
    return Doubtful(one, kept.get("ref", ""), label(one.collection), _fields(kept.get("data", {})))


def _fields(data: Mapping[str, Any]) -> tuple[Field, ...]:
    filled = ((name, text_of(value)) for name, value in data.items())
    return tuple(Field(text, label(name), ()) for name, text in filled if text)


@dataclass(frozen=True)
class FailedFile:
    """A file that is not here, and why."""

    file: CollectedFile
    name: str


def failed_files(case: Case) -> list[FailedFile]:
    kept = CollectedFile.objects.filter(case=case, state=FileState.FAILED)
    related = kept.select_related("item__case", "search__source").order_by("pk")[:PER_PAGE]
    return [FailedFile(one, (one.item.content or {}).get("data", {}).get("name", "")) for one in related]


@dataclass(frozen=True)
class Revealed:
    """An identifier that a source revealed, where it was used, and whether it still is."""

    found: FoundIdentifier
    kind: str
    value: str
    used_in: str


def identifiers(case: Case) -> list[Revealed]:
    """All of a case, those struck out last."""
    kept = FoundIdentifier.objects.filter(case=case).select_related("case", "source", "struck_by")
    found = sorted(kept, key=lambda one: (one.struck_at is not None, one.round, one.kind))
    names = (
        dict(SourceSystem.objects.filter(controller=case.controller_id).values_list("pk", "name"))
        if found
        else {}
    )
    return [
        Revealed(
            one,
            kind_of_identifier(one.kind),
            one.content["value"],
            ", ".join(names[source] for source in one.used_in if source in names and source != one.source_id),
        )
        for one in found
    ]
