"""Reads over a case's items: groups, counts, what is still to decide, the digest of what is decided."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from cases.law import loader as law
from cases.models import Case, Item, ItemDecision
from cases.review.redaction import codes
from cases.words import DISCLOSING
from dsar.lib.prepared import Prepared
from dsar.vault.fields import opener

GOES_OUT = (ItemDecision.DISCLOSE, ItemDecision.REDACT)
ORDER = ("source_id", "collection", "number", "id")
PAGE = 1000

# Source, collection, number and id: where an item stands in the pack.
Place: TypeAlias = tuple[UUID | None, str, int, UUID]


@dataclass(frozen=True)
class Group:
    """The items of one source and collection."""

    source_id: UUID | None
    source: str
    collection: str
    total: int
    undecided: int
    disclosed: int
    redacted: int
    withheld: int
    acted: int
    kept: int
    third_party: int

    @property
    def label(self) -> str:
        """The collection's name as a person reads it."""
        return self.collection.replace("_", " ").capitalize()


def groups(case: Case) -> list[Group]:
    """A case's items by source and collection, with counts."""
    return [Group(source_id, source or "", *counts) for source_id, source, *counts in _GROUPS.all(case.pk)]


def _grouped(case_id: UUID) -> Any:
    """In the order of a group's fields."""
    decisions = ("undecided", "disclose", "redact", "withhold", "act", "keep")
    return (
        Item.objects.filter(case_id=case_id)
        .values_list("source_id", "source__name", "collection")
        .annotate(
            total=Count("pk"),
            **{value: Count("pk", filter=Q(decision=value)) for value in decisions},
            third_party=Count("pk", filter=Q(is_third_party=True)),
        )
        .order_by("source__name", "source_id", "collection")
    )


_GROUPS: Prepared[Any] = Prepared(_grouped, UUID)


def undecided(case: Case) -> int:
    return case.items.filter(decision=ItemDecision.UNDECIDED).count()


def going_out(case: Case) -> QuerySet[Item]:
    """What will be disclosed, whole or redacted, in the order of the pack."""
    items: QuerySet[Item] = case.items.filter(decision__in=GOES_OUT).order_by(*ORDER)
    return items


def spoken_of(case: Case) -> QuerySet[Item]:
    """What an outcome and a letter may be about.

    A silent withholding is nothing there. Where data is changed and not copied, a record about somebody else that hung
    on the person's is none of theirs: that it stays is no refusal.
    """
    return _spoken(case.items.all(), case.right in DISCLOSING)


def _spoken(items: QuerySet[Item], is_copied: bool) -> QuerySet[Item]:
    named = items.filter(is_silent=False)
    return named if is_copied else named.exclude(is_third_party=True)


def goes_out_with_files(case: Case) -> bool:
    """Whether any file goes out."""
    return _WITH_FILE.exists(case.pk)


_WITH_FILE = Prepared(
    lambda case_id: Item.objects.filter(
        case_id=case_id, decision__in=GOES_OUT, file__isnull=False
    ).values_list("pk", flat=True)[:1],
    UUID,
)


def withheld_counts(case: Case) -> list[tuple[str, int]]:
    """How many items are withheld by exemption; silent ones are not even counted."""
    return _WITHHELD[case.right in DISCLOSING].all(case.pk)


def _withheld(is_copied: bool, case_id: UUID) -> Any:
    withheld = Item.objects.filter(case_id=case_id, decision=ItemDecision.WITHHOLD)
    rows = _spoken(withheld, is_copied).values_list("exemption")
    return rows.annotate(count=Count("pk")).order_by("exemption")


_WITHHELD: dict[bool, Prepared[Any]] = {
    is_copied: Prepared(partial(_withheld, is_copied), UUID) for is_copied in (True, False)
}


def named_counts(case: Case) -> list[tuple[str, int]]:
    """What the answer says was left out, by exemption: whole items, and fields and passages of others."""
    counts = Counter(dict(withheld_counts(case)))
    for redactions in _redactions(case):
        counts.update(codes(redactions))
    return sorted(counts.items())


def _redactions(case: Case) -> Iterator[Any]:
    """What is taken out of each item that goes out redacted: there may be as many as there are items."""
    marked: Any = _MARKED.all(case.pk)
    if not marked:
        return iter(())
    if len(marked) == PAGE:
        all_marked = case.items.filter(decision=ItemDecision.REDACT).values_list("pk", "redactions")
        marked = all_marked.iterator(chunk_size=PAGE)
    open_redactions = opener(Item, "redactions", case.collected_key_id)
    return (open_redactions(pk, sealed) for pk, sealed in marked)


_MARKED: Prepared[Any] = Prepared(
    lambda case_id: Item.objects.filter(case_id=case_id, decision=ItemDecision.REDACT).values_list(
        "pk", "redactions"
    )[:PAGE],
    UUID,
)


def exemption_sentence(code: str, regime: str) -> str:
    """The sentence of the picklist for letters, in the language at hand."""
    try:
        return _(law.left_out(code, regime).letter)
    except law.UnknownLaw:
        return _("This is information about other people.")


def outcome_of(case: Case) -> str:
    """What the decisions on the items amount to: all, some, none, or nothing there."""
    seen = set(spoken_of(case).values_list("decision", flat=True).distinct())
    done = seen & ({*GOES_OUT} if case.right in DISCLOSING else {ItemDecision.ACT})
    partly = seen & {ItemDecision.WITHHOLD, ItemDecision.KEEP, ItemDecision.REDACT}
    if not seen:
        return "no_data_held"
    if not done:
        return "refused"
    return "partly_fulfilled" if partly else "fulfilled"


def digest(case: Case) -> str:
    """SHA-256 over every item, its content and what was decided about it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(sha256(convert_to(coalesce(string_agg(id || '|' || decision || '|' || exemption || '|'"
            " || is_silent || '|' || encode(content_hash, 'hex') || '|'"
            " || coalesce(encode(sha256(redactions), 'hex'), ''), ',' ORDER BY id), ''), 'UTF8')), 'hex')"
            " FROM cases_item WHERE case_id = %s",
            [case.pk],
        )
        return str(cursor.fetchone()[0])


def page(chosen: QuerySet[Item], columns: Sequence[str], after: Place | None) -> list[tuple[Any, ...]]:
    """The next rows of `going_out`, at most PAGE of them; fewer are the last. `after` is the place before them.

    The rest of a collection is found in the index at once, whatever its size; then come the other collections.
    """
    if after is None:
        return list(chosen.values_list(*columns)[:PAGE])
    rows = list(_rest_of_collection(chosen, after).values_list(*columns)[:PAGE])
    if len(rows) < PAGE:
        rows += _later_collections(chosen, after).values_list(*columns)[: PAGE - len(rows)]
    return rows


def _rest_of_collection(chosen: QuerySet[Item], after: Place) -> QuerySet[Item]:
    source_id, collection, number, pk = after
    same = chosen.filter(_of_source(source_id), collection=collection, number__gte=number)
    return same.filter(Q(number__gt=number) | Q(pk__gt=pk))


def _later_collections(chosen: QuerySet[Item], after: Place) -> QuerySet[Item]:
    source_id, collection, _number, _pk = after
    within = _of_source(source_id) & Q(collection__gt=collection)
    if source_id is None:  # sorts last in PostgreSQL
        return chosen.filter(within)
    return chosen.filter(within | Q(source_id__gt=source_id) | Q(source_id__isnull=True))


def _of_source(source_id: UUID | None) -> Q:
    return Q(source_id=source_id) if source_id else Q(source_id__isnull=True)
