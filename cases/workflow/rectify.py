"""Rectification (Art 16): what is said to be wrong, where it was found, and what is decided about each value."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cases import assurance, authority, corrections
from cases.connectors.base import JSON, LinkKind
from cases.fulfilment import diff
from cases.fulfilment.abilities import Reach, reach_of
from cases.fulfilment.corrected import DONE, KEPT
from cases.fulfilment.validation import Around, Fault, Unfit, country_of, validated
from cases.models import Case, Correction, CorrectionOutcome, Item, RequestFile
from cases.permissions import By
from cases.words import Party, Right, State
from cases.workflow import correcting, disputed, intake
from cases.workflow.intake import Upload
from cases.workflow.perform import act, lock, put_on_record, touch
from dsar.audit.actions import Action
from dsar.audit.record import Codes
from dsar.lib import cards
from dsar.lib.errors import Refused
from identity.roles import Permission

MOST_CLAIMS: Final = 30
LONGEST_CLAIM: Final = 500
# While these last, claims can still be added: what was decided is approved as it was.
BEFORE_DECISION: Final = (
    State.RECEIVED,
    State.AWAITING_IDENTITY,
    State.AWAITING_CLARIFICATION,
    State.AWAITING_FEE,
    State.SEARCHING,
    State.REVIEW,
)


# -- claims ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewClaim:
    """A detail that is said to be wrong, and what shows it. ``item`` and ``name`` say at which field was pointed."""

    detail: str
    wrong: str
    right: str
    files: Sequence[Upload] = ()
    item: str = ""
    name: str = ""

    def as_kept(self) -> dict[str, str]:
        """As the request keeps it, card numbers masked."""
        said = {"field": self.detail, "wrong": self.wrong, "right": self.right}
        kept = {name: cards.mask_cards(text.strip())[0][:LONGEST_CLAIM] for name, text in said.items()}
        return kept | ({"item": self.item, "name": self.name} if self.item else {})


def add_claim(case: Case, claim: NewClaim, by: By, now: datetime, *, version: int | None = None) -> int:
    """A colleague writes down what else is wrong; returns the claim's number. It is looked for at once."""
    with transaction.atomic():
        locked = act(case, Permission.WORK, by, now, version=version, name="add_claim")
        return _added(locked, claim, by, now)


def _added(case: Case, claim: NewClaim, by: By, now: datetime) -> int:
    _takes_claims(case)
    kept = claim.as_kept()
    if not kept["field"] or not (kept["wrong"] or kept["right"]):
        raise Refused(_("Say which detail is wrong, and what is right."), "claim_incomplete")
    request = case.subject_request
    claims = request.claims
    if len(claims) >= MOST_CLAIMS:
        raise Refused(
            _("There are too many corrections in this request: make another one."), "too_many_claims"
        )
    request.claims = [*claims, kept]
    request.save(update_fields=["claims"])
    number = len(claims)
    for upload in claim.files:
        _keep_evidence(case, number, upload, by, now)
    put_on_record(case, Action.CLAIM_ADDED, by, now, {"claim": number, "files": len(claim.files)})
    touch(case)
    disputed.look(case, now)
    return number


def _takes_claims(case: Case) -> None:
    if case.right != Right.RECTIFICATION or case.state not in BEFORE_DECISION:
        raise Refused(_("This request takes no more corrections: they are being decided."), "claims_closed")


def add_evidence(case: Case, number: int, upload: Upload, by: By, now: datetime) -> RequestFile:
    """Keep a file that shows that a claim is right, or wrong."""
    with transaction.atomic():
        locked = act(case, Permission.WORK, by, now, name="add_evidence")
        if not 0 <= number < len(locked.subject_request.claims):
            raise Refused(_("There is no such correction in this request."), "unknown_claim")
        kept = _keep_evidence(locked, number, upload, by, now)
        put_on_record(locked, Action.EVIDENCE_ADDED, by, now, {"claim": number})
        touch(locked)
        return kept


def _keep_evidence(case: Case, number: int, upload: Upload, by: By, now: datetime) -> RequestFile:
    return intake.add_file(case.subject_request, replace(upload, claim=number), by, now)


# -- what the person may be shown ----------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A field of one's own record, as it may be shown to point at it."""

    item: Item
    name: str
    source: str
    value: str


def may_point(case: Case, now: datetime, party: Party = Party.REQUESTER) -> bool:
    """Whether somebody may see what was found, to point at it: all of it is here, and it is sure who they are.

    Seeing is what access gives: the level that the policy asks for access is needed, as well as that for this case.
    Reads only.
    """
    if case.right != Right.RECTIFICATION or case.state != State.REVIEW or case.is_drill:
        return False
    is_known = all(assurance.is_enough_for(case, right, now) for right in (Right.RECTIFICATION, Right.ACCESS))
    return is_known and party in authority.recipients(case, now)


def shown_to(case: Case) -> list[Shown]:
    """What may be shown of what was found: plain facts about the person, from records that bear their identity.

    What merely hangs on such a record may name others: who wrote a message, who took a call.
    """
    return list(_shown(case))[: disputed.MOST_PLACES]


def _shown(case: Case) -> Iterator[Shown]:
    reaches: dict[UUID | None, Reach] = {}
    for item in (
        disputed.own(case)
        .select_related("case", "source")
        .order_by("source__name", "number", "pk")[: disputed.PAGE]
    ):
        if item.source_id not in reaches:
            reaches[item.source_id] = reach_of(item.source)
        forms = disputed.forms_of(reaches[item.source_id], item.collection)
        content = item.content or {}
        own_data = content.get("data") or {} if content.get("link") == LinkKind.IDENTITY else {}
        for name, held in own_data.items():
            if diff.may_be_shown(name, forms.get(name, diff.UNKNOWN), held):
                yield Shown(item, name, item.source.name if item.source else "", str(held))


def put_seen_on_record(case: Case, count: int, by: By, now: datetime) -> None:
    """That the person was shown what is held is on record."""
    put_on_record(case, Action.VALUES_SHOWN, by, now, {"count": count})


@dataclass(frozen=True)
class Pointed:
    """At which field somebody points, what it should hold, and what shows that."""

    item: str
    name: str
    right: str
    files: Sequence[Upload] = ()


def point(case: Case, at: Pointed, by: By, now: datetime, party: Party = Party.REQUESTER) -> int:
    """The person points at a field of their own record and says what is right.

    Raises Refused for what they are not shown, whatever it is, and for a value that cannot stand there.
    """
    with transaction.atomic():
        locked = lock(case.pk)
        if not may_point(locked, now, party):
            raise Refused(_("This cannot be changed here any more. Write us a message instead."), "closed")
        found = next(
            (one for one in shown_to(locked) if (str(one.item.pk), one.name) == (at.item, at.name)), None
        )
        if found is None:
            raise Refused(_("Choose one of the details that are listed."), "not_shown")
        _judged(locked, found.item, at.name, at.right, now)
        label = at.name.replace("_", " ")
        return _added(locked, NewClaim(label, found.value, at.right, at.files, at.item, at.name), by, now)


# -- deciding ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """What is decided about one value: what becomes of it, why, on what that rests, and what is added to the record."""

    outcome: CorrectionOutcome
    wanted: str = ""
    is_emptied: bool = False
    reason: str = ""
    evidence: str = ""
    statement: str = ""


class Unwritable(Refused):
    """A value cannot stand in its field; the sentence belongs beside what was typed."""


def decide(
    one: Correction, judged: Judged, by: By, now: datetime, *, version: int | None = None
) -> Correction:
    """Decide about one disputed value. Raises Unwritable for a value that the field cannot hold, else Refused."""
    with transaction.atomic():
        case = _in_hand(one, by, now, version)
        held = _decide(case, one, judged, by, now)
        touch(case)
        correcting.order(case, now)
        return held


def _in_hand(one: Correction, by: By, now: datetime, version: int | None) -> Case:
    case = act(one.case, Permission.WORK, by, now, version=version, name="decide_value")
    if case.state != State.REVIEW:
        raise Refused(_("Values are decided while the case is in review."), "not_in_review")
    return case


def _decide(case: Case, one: Correction, judged: Judged, by: By, now: datetime) -> Correction:
    """One value of a case in hand."""
    held = corrections.of(case).select_for_update(of=("self",)).get(pk=one.pk)
    held.case = case
    _demand_words(held, judged)
    held.wanted = _wanted(case, held, judged, now)
    held.outcome = judged.outcome
    held.reason, held.evidence = judged.reason.strip(), judged.evidence.strip()
    held.statement = _statement(case, held, judged, now)
    held.decided_by_id, held.decided_at = by.person_id, now
    held.save()
    if held.item_id is not None:
        disputed.decide_item(case, held.item_id)
    codes: Codes = {"value": str(held.pk), "outcome": judged.outcome.value}
    put_on_record(case, Action.VALUE_DECIDED, by, now, codes)
    return held


def alike(one: Correction) -> "QuerySet[Correction]":
    """Other places that are to be decided, in the same field of the same source, by the same claim."""
    same = {"claim": one.claim, "source": one.source_id, "collection": one.collection, "field": one.field}
    return corrections.of(one.case).filter(outcome="", **same).exclude(pk=one.pk)


def decide_alike(
    one: Correction, judged: Judged, by: By, now: datetime, *, version: int | None = None
) -> int:
    """Decide about a value, and likewise about those that are alike and hold the same; returns how many."""
    with transaction.atomic():
        case = _in_hand(one, by, now, version)
        decided = _decide(case, one, judged, by, now)
        others = [other for other in alike(decided) if other.held == decided.held]
        for other in others:
            _decide(case, other, judged, by, now)
        touch(case)
        correcting.order(case, now)
        return 1 + len(others)


def _demand_words(held: Correction, judged: Judged) -> None:
    """Refusing needs reasons (Art 12(4)); so does deciding on something else than what was asked for."""
    if judged.outcome == CorrectionOutcome.OPEN:
        raise Refused(_("Choose what becomes of this value."), "nothing_chosen")
    if judged.outcome not in {*DONE, CorrectionOutcome.NOT_MEANT} and not judged.reason.strip():
        raise Refused(_("Give the reasons: the approver and the customer read them."), "reasons_missing")
    if judged.outcome == CorrectionOutcome.COMPLETED and not judged.statement.strip():
        raise Refused(_("Write down the statement that is added to the record."), "statement_missing")


def _wanted(case: Case, held: Correction, judged: Judged, now: datetime) -> JSON:
    if judged.outcome != CorrectionOutcome.CORRECTED:
        return None
    if held.item is None:
        raise Refused(_("This record is not there any more: search again."), "record_gone")
    wanted = None if judged.is_emptied else _judged(case, held.item, held.field, judged.wanted, now)
    if wanted == held.held:
        raise Unwritable(_("This is what the field holds already."), "same_value")
    is_as_claimed = str(wanted or "") == str(held.claimed or "")
    if not is_as_claimed and not judged.reason.strip():
        sentence = _("This is not what the customer asked for: give the reasons.")
        raise Refused(sentence, "reasons_missing")
    return wanted


def _judged(case: Case, item: Item, name: str, typed: str, now: datetime) -> JSON:
    """The value as its field writes it. Raises Unwritable."""
    data: Mapping[str, JSON] = (item.content or {}).get("data") or {}
    forms = disputed.forms_of(reach_of(item.source), item.collection)
    around = Around(
        country_of(data, forms, case.controller.phone_region), timezone.localdate(now, case.controller.zone)
    )
    try:
        return validated(name, forms.get(name, diff.UNKNOWN), data.get(name), typed, around)
    except Unfit as unfit:
        raise Unwritable(sentence_of(unfit), unfit.fault.value) from None


def sentence_of(unfit: Unfit) -> str:
    """What is wrong with a value, for the page."""
    return _FAULTS[unfit.fault]() % {"gap": unfit.gap}


_FAULTS = {
    Fault.EMPTY: lambda: _("Write down the right value, or say that the field is to be empty."),
    Fault.EMAIL: lambda: _("This is no e-mail address."),
    Fault.PHONE: lambda: _("This is no telephone number. Write it with its area code."),
    Fault.DATE: lambda: _("This is no date. Write it as 31/12/1980 or 1980-12-31."),
    Fault.FUTURE: lambda: _("This day lies in the future."),
    Fault.POSTCODE: lambda: _("This is no postcode of this country (%(gap)s)."),
    Fault.IBAN: lambda: _("This IBAN has a mistake: its check digits do not fit."),
    Fault.NUMBER: lambda: _("This field holds a number."),
    Fault.TRUTH: lambda: _("This field holds yes or no."),
    Fault.TOO_LONG: lambda: _("This field holds %(gap)s characters at most."),
    Fault.NOT_PLAIN: lambda: _("This field cannot be changed from here: correct it in the source itself."),
}


def _statement(case: Case, held: Correction, judged: Judged, now: datetime) -> str:
    """What is added to the record; without words of a person's own the note that the letter promises."""
    said = cards.mask_cards(judged.statement.strip())[0]
    needs_note = judged.outcome in KEPT
    return said if said or not needs_note else note_of(case, held, judged.outcome, now)


def note_of(case: Case, held: Correction, outcome: str, now: datetime) -> str:
    """The note that a value is disputed, or what is right beside a mistake; in the controller's language."""
    with translation.override(case.controller.language), timezone.override(case.controller.zone):
        day = date_format(timezone.localdate(now), "DATE_FORMAT")
        words = {"day": day, "field": held.field.replace("_", " "), "claimed": str(held.claimed or "–")}
        if outcome == CorrectionOutcome.RECORD_OF_MISTAKE:
            return _("%(day)s: “%(field)s” tells of a mistake; what is right: %(claimed)s") % words
        return _("%(day)s: the person disputes “%(field)s” and states: %(claimed)s") % words
