"""What stands of the other rights: a restriction, a weighed objection, a decision looked at again. Reads alone."""

import hashlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from cases import queries
from cases.law import loader as law
from cases.models import (
    Balancing,
    Case,
    DataSubject,
    LookResult,
    PlaceState,
    Restriction,
    SecondLook,
    SubjectIdentifier,
)
from cases.words import Outcome, Right

# Rights whose answer follows from a form of their own, and not from what is decided about each record.
OWN_PATH = frozenset({Right.RESTRICTION, Right.OBJECTION, Right.AUTOMATED})


def said(case: Case) -> dict[str, str]:
    """What the person said about this right beside their words; empty where nobody asked."""
    particulars = case.subject_request.particulars or {}
    return dict(particulars.get(case.right, {}))


def restriction_of(case: Case) -> Restriction | None:
    """The restriction that a case has brought about, or is about to."""
    found: Restriction | None = case.restrictions.filter(lifted_at=None).select_related("case").first()
    return found


def balancing_of(case: Case) -> Balancing | None:
    """How the objection was weighed last."""
    found: Balancing | None = case.balancings.select_related("case", "weighed_by").last()
    return found


def look_of(case: Case) -> SecondLook | None:
    """The newest look at the automated decision, begun or ended."""
    found: SecondLook | None = case.looks.select_related("case", "reviewer", "named_by").last()
    return found


def restrictions_in_force(subject: DataSubject) -> "QuerySet[Restriction]":
    """What of a person is restricted now, under whatever rows the brand knows them; oldest first."""
    found: QuerySet[Restriction] = in_force().filter(subject__in=queries.same_person(subject))
    return found


def is_in_force(case: Case) -> bool:
    """Whether a restriction that this case brought about lasts."""
    lasting: bool = case.restrictions.filter(begun_at__isnull=False, lifted_at=None).exists()
    return lasting


def is_unmarked(case: Case) -> bool:
    """Whether a restriction that this case brought about lasts, and a system is still to be marked."""
    lasting = case.restrictions.filter(begun_at__isnull=False, lifted_at=None)
    waiting: bool = lasting.filter(places__state=PlaceState.TO_MARK).exists()
    return waiting


def in_force() -> "QuerySet[Restriction]":
    """Every restriction that lasts."""
    lasting: QuerySet[Restriction] = (
        Restriction.objects.filter(begun_at__isnull=False, lifted_at=None)
        .select_related("case__subject_request", "chosen_by", "lift_proposed_by")
        .prefetch_related("places__source")
        .order_by("begun_at")
    )
    return lasting


def restricted_among(subjects: Iterable[UUID]) -> set[UUID]:
    """Those of these persons of whom something is restricted, under whatever rows: one query for all."""
    wanted = list(subjects)
    lasting = Restriction.objects.filter(begun_at__isnull=False, lifted_at=None).values("subject_id")
    strong = SubjectIdentifier.objects.filter(kind__in=queries.SAME_PERSON)
    same = strong.filter(subject__in=wanted, blind__in=strong.filter(subject__in=lasting).values("blind"))
    own = DataSubject.objects.filter(pk__in=wanted)
    found = own.filter(Q(pk__in=lasting) | Q(pk__in=same.values("subject_id")))
    return set(found.values_list("pk", flat=True))


def is_refused_in_law(case: Case) -> bool:
    """Whether the law knows any refusal of this: of an objection to marketing it knows none (Art 21(3))."""
    return not (case.right == Right.OBJECTION and case.about_marketing)


def outcome_of(case: Case) -> str:
    """What the case's own form amounts to; empty while it is not filled in."""
    if case.right == Right.RESTRICTION:
        return Outcome.FULFILLED if restriction_of(case) else ""
    if case.right == Right.AUTOMATED:
        look = look_of(case)
        return Outcome.FULFILLED if look and look.finding else ""
    if case.about_marketing:
        return Outcome.FULFILLED
    weighed = balancing_of(case)
    if weighed is None:
        return ""
    return Outcome.REFUSED if weighed.goes_on else Outcome.FULFILLED


def missing(case: Case) -> tuple[str, str] | None:
    """A sentence and a code for what is to be done before such a case can be answered."""
    if case.right not in OWN_PATH or outcome_of(case):
        return None
    if case.right == Right.RESTRICTION:
        return _("Say first on which ground, and in which systems, the use is restricted."), "no_restriction"
    if case.right == Right.OBJECTION:
        return _("Weigh the objection first: the person's reasons against our grounds."), "not_weighed"
    return _("Somebody has to look at the decision again first, and say what they found."), "not_looked_at"


def prepared_by(case: Case) -> set[UUID]:
    """Who had a hand in what such a case is answered with: none of them approves it."""
    if case.right not in OWN_PATH:
        return set()
    restriction, weighed, look = restriction_of(case), balancing_of(case), look_of(case)
    hands: list[UUID | None] = [
        restriction.chosen_by_id if restriction else None,
        weighed.weighed_by_id if weighed else None,
        look.reviewer_id if look else None,
    ]
    return {hand for hand in hands if hand is not None}


def digest(case: Case) -> str:
    """Of what the answer rests on beside the records; empty for rights without a form of their own."""
    if case.right not in OWN_PATH:
        return ""
    parts = [*_of_restriction(case), *_of_balancing(case), *_of_look(case)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest() if parts else ""


def _of_restriction(case: Case) -> list[str]:
    found = restriction_of(case) if case.right == Right.RESTRICTION else None
    if found is None:
        return []
    places = found.places.order_by("source_id").values_list("source_id", flat=True)
    return [str(found.pk), found.ground, found.words, *map(str, places)]


def _of_balancing(case: Case) -> list[str]:
    found = balancing_of(case)
    return [str(found.pk)] if found else []


def _of_look(case: Case) -> list[str]:
    found = look_of(case)
    return [str(found.pk), found.finding, found.reasons, found.logic] if found else []


def letter_facts(case: Case) -> dict[str, Any]:
    """What the letter of such a case says of it, for its template; in the language at hand."""
    if case.right == Right.RESTRICTION:
        return _facts_of_restriction(case)
    if case.right == Right.AUTOMATED:
        return _facts_of_look(case)
    if case.right == Right.OBJECTION and not case.about_marketing:
        weighed = balancing_of(case)
        return {"objected_use": weighed.use, "weighing": weighed.weighing} if weighed else {}
    if case.right == Right.PORTABILITY:
        return {"passed_to": said(case).get("to", "")}
    return {}


def _facts_of_restriction(case: Case) -> dict[str, Any]:
    found = restriction_of(case)
    if found is None:
        return {}
    return {"ground_text": _(law.ground("restriction_trigger", found.ground, case.regime).letter)}


def _facts_of_look(case: Case) -> dict[str, Any]:
    found = look_of(case)
    if found is None:
        return {}
    return {
        "finding": found.finding,
        "is_withdrawn": found.finding == LookResult.WITHDRAWN,
        "logic": found.logic,
        "finding_reasons": found.reasons,
    }


def ground_words(kind: law.GroundKind, code: str, regime: str) -> str:
    """The name of a picklist's entry with its provision; the code itself where the law has lost it."""
    try:
        found = law.ground(kind, code, regime)
    except law.UnknownLaw:
        return code
    return f"{_(found.name)} ({found.provision})"
