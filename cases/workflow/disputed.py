"""Disputed values among what was found: looked for when the sources have answered, and again with each new claim."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from cases import corrections
from cases.connectors.base import FieldForm
from cases.fulfilment import diff
from cases.fulfilment.abilities import Reach, reach_of
from cases.fulfilment.corrected import DONE
from cases.fulfilment.diff import Claim as Said
from cases.fulfilment.diff import Place, Record
from cases.models import Case, Correction, CorrectionOutcome, Found, Item, ItemDecision, SourceSystem
from cases.permissions import BY_SYSTEM
from cases.words import Right, State
from cases.workflow import correcting
from cases.workflow.perform import lock, put_on_record, touch
from dsar.audit.actions import Action
from dsar.jobs.queue import enqueue
from dsar.jobs.run import Claim
from dsar.lib.errors import Refused
from dsar.vault.fields import opener

FIND: Final = "find_corrections"
PAGE: Final = 1000
# More places than a person decides one by one; a claim that finds them says too little.
MOST_PLACES: Final = 500


def look(case: Case, now: datetime) -> None:
    """Look for what is claimed among what was found, as soon as the sources have answered."""
    if case.right == Right.RECTIFICATION and case.state == State.REVIEW and case.subject_request.claims:
        enqueue(
            FIND,
            controller_id=case.controller_id,
            case_id=case.pk,
            key=f"{FIND}:{case.pk}",
            args={"case": str(case.pk)},
            now=now,
        )


def find(claim: Claim, case_id: UUID) -> None:
    """Compare the claims with every record, and keep the places; what was decided stays where nothing changed."""
    with claim.step():
        case = lock(case_id)
        now = timezone.now()
        if case.state != State.REVIEW:
            return
        found = diff.settled(_places(case, now))[:MOST_PLACES]
        _keep(case, found)
        put_on_record(case, Action.CORRECTIONS_FOUND, BY_SYSTEM, now, {"count": len(found)})
        touch(case)
        correcting.order(case, now)


def own(case: Case) -> Any:
    """Records about the person; nothing about others, and nothing that is withheld."""
    return case.items.filter(is_third_party=False, file=None).exclude(decision=ItemDecision.WITHHOLD)


def _places(case: Case, now: datetime) -> Iterator[Place]:
    said, today = Said.of(case.subject_request.claims), timezone.localdate(now, case.controller.zone)
    sources = SourceSystem.objects.filter(pk__in=case.items.values("source").distinct())
    reaches = {source.pk: reach_of(source) for source in sources}
    opened = opener(Item, "content", case.collected_key_id)
    rows: Any = own(case).order_by("source", "number").values_list("pk", "source", "collection", "content")
    for pk, source_id, collection, content in rows.iterator(chunk_size=PAGE):
        data = (opened(pk, content) or {}).get("data") or {}
        record = Record(str(pk), data, forms_of(reaches.get(source_id, Reach()), collection))
        yield from diff.places(said, record, case.controller.phone_region, today)


def forms_of(reach: Reach, collection: str) -> Mapping[str, FieldForm]:
    known = reach.types.get(collection)
    return known.forms if known else {}


def _keep(case: Case, found: Sequence[Place]) -> None:
    """New places are added, those that hold something else now are decided anew, those that are gone go."""
    before = {(str(one.item_id), one.field): one for one in corrections.of(case)}
    items = {str(item.pk): item for item in case.items.filter(pk__in={place.item for place in found})}
    for place in found:
        known = before.pop((place.item, place.name), None)
        if known is None or known.held != place.held or known.claimed != place.claimed:
            _write(case, items[place.item], place, known)
    case.corrections.filter(pk__in=[one.pk for one in before.values()]).delete()
    for item_id in {place.item for place in found}:
        decide_item(case, UUID(item_id))


def _write(case: Case, item: Item, place: Place, known: Correction | None) -> None:
    one = known or Correction(controller_id=case.controller_id, case=case, item=item, field=place.name)
    one.source_id, one.collection = item.source_id, item.collection
    one.claim, one.found = place.claim, Found(place.how.value)
    one.held, one.claimed, one.wanted = place.held, place.claimed, None
    one.outcome, one.decided_by, one.decided_at = CorrectionOutcome.OPEN, None, None
    one.reason = one.evidence = one.statement = ""
    one.save()


def decide_item(case: Case, item_id: UUID) -> None:
    """Keep a record's decision in step with those about its values."""
    codes = list(
        corrections.disputed(case)
        .filter(item=item_id)
        .order_by("decided_at")
        .values_list("outcome", flat=True)
    )
    decision, exemption = ItemDecision.UNDECIDED, ""
    if codes and "" not in codes:
        done = any(code in DONE for code in codes)
        decision, exemption = (ItemDecision.ACT, "") if done else (ItemDecision.KEEP, codes[0])
    hand = corrections.of(case).filter(item=item_id).exclude(decided_by=None).last()
    case.items.filter(pk=item_id).update(
        decision=decision,
        exemption=exemption,
        decided_by=hand.decided_by_id if hand and decision != ItemDecision.UNDECIDED else None,
        decided_at=hand.decided_at if hand and decision != ItemDecision.UNDECIDED else None,
    )


def demand_decided(case: Case) -> None:
    """Raise Refused while a value is not decided."""
    if corrections.undecided(case):
        raise Refused(_("Some disputed values are still to be decided."), "values_undecided")
