"""What stands of disputed values: the decisions, what they amount to, and how the letter tells them. Reads alone."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from cases.law import loader as law
from cases.models import Case, Correction, CorrectionOutcome
from cases.words import Outcome, Right

NOT_MEANT = CorrectionOutcome.NOT_MEANT
DONE = (CorrectionOutcome.CORRECTED, CorrectionOutcome.COMPLETED)


def of(case: Case) -> "QuerySet[Correction]":
    """Every disputed value that was found, in the order of the claims."""
    return case.corrections.select_related("case", "source", "item__case", "decided_by")


def disputed(case: Case) -> "QuerySet[Correction]":
    """The same without those that turned out not to be meant."""
    return of(case).exclude(outcome=NOT_MEANT)


def is_by_value(case: Case) -> bool:
    """Whether such a case is decided value by value; where nothing was found, record by record as any other."""
    return case.right == Right.RECTIFICATION and disputed(case).exists()


def undecided(case: Case) -> int:
    return of(case).filter(outcome="").count()


def counts(case: Case) -> list[tuple[int, int]]:
    """How many places each claim touches."""
    rows = case.corrections.values_list("claim").annotate(places=Count("pk")).order_by("claim")
    return [(claim, places) for claim, places in rows]


def outcome_of(case: Case) -> str:
    """What the decisions about the values amount to: all, some or none of what was asked for was done."""
    seen = set(disputed(case).values_list("outcome", flat=True).distinct().order_by())
    done = seen & set(DONE)
    if not done:
        # What is right stands beside the mistake: that is not all that was asked for, and not nothing.
        added = CorrectionOutcome.RECORD_OF_MISTAKE in seen
        return Outcome.PARTLY_FULFILLED if added else Outcome.REFUSED
    return Outcome.FULFILLED if seen <= set(DONE) else Outcome.PARTLY_FULFILLED


def decided_by(case: Case) -> set[UUID]:
    """Who decided about values: none of them approves it."""
    if case.right != Right.RECTIFICATION:
        return set()
    hands = of(case).exclude(decided_by=None).values_list("decided_by", flat=True).distinct().order_by()
    return set(hands)


def digest(case: Case) -> str:
    """SHA-256 over each decision, as it is sealed; empty where there is none."""
    if case.right != Right.RECTIFICATION:
        return ""
    rows = case.corrections.order_by("pk").values_list("pk", "outcome", "decided_at")
    parts = [f"{pk}|{outcome}|{at.isoformat() if at else ''}" for pk, outcome, at in rows]
    return hashlib.sha256(",".join(parts).encode()).hexdigest() if parts else ""


@dataclass(frozen=True)
class Told:
    """What the letter says of one detail: where, what became of it, and why."""

    detail: str
    places: str
    sentence: str
    reason: str


def told(case: Case) -> list[Told]:
    """The decisions as the letter tells them, in the language at hand; places that share one are told together."""
    claims = case.subject_request.claims
    found: dict[tuple[str, str, str], list[str]] = {}
    for one in disputed(case).exclude(outcome=""):
        detail = _detail(claims, one)
        reason = one.reason if one.outcome not in DONE else ""
        places = found.setdefault((detail, one.outcome, reason), [])
        place = one.source.name if one.source else _("our files")
        if place not in places:
            places.append(place)
    return [
        Told(detail, ", ".join(places), sentence_of(outcome, case.regime), reason)
        for (detail, outcome, reason), places in found.items()
    ]


def reasons(case: Case) -> str:
    """Why some of it is not done, each reason once."""
    if case.right != Right.RECTIFICATION:
        return ""
    given = [one.reason for one in disputed(case).exclude(outcome__in=("", *DONE))]
    return "\n".join(dict.fromkeys(reason for reason in given if reason))


def _detail(claims: Sequence[dict[str, str]], one: Correction) -> str:
    """The detail in the person's own word."""
    said = claims[one.claim].get("field", "") if one.claim < len(claims) else ""
    return said or one.field.replace("_", " ")


def sentence_of(code: str, regime: str) -> str:
    """The picklist's sentence for letters, in the language at hand."""
    try:
        return _(law.ground("rectification_outcome", code, regime).letter)
    except law.UnknownLaw:
        return code


def letter_facts(case: Case) -> dict[str, Any]:
    """What the letter of such a case says of it, for its template."""
    return {"corrections": told(case)} if case.right == Right.RECTIFICATION else {}


def by_item(found: Iterable[Correction]) -> dict[UUID, list[Correction]]:
    """The values of each record that is still there."""
    records: dict[UUID, list[Correction]] = {}
    for one in found:
        if one.item_id is not None:
            records.setdefault(one.item_id, []).append(one)
    return records
