"""Marks that a restriction's records are not to be used: set and taken away by the connector, where a source has such.

Everywhere else a person does it and says how. What a connector did is read back before it counts, and doing it twice is
doing it once, so that a job that dies half-way is simply run again.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.collection import turns
from cases.collection.gate import SharedGate
from cases.collection.identifiers import connect_to_change
from cases.connectors.base import Connector, ContractBroken, LinkKind
from cases.connectors.changes import ChangesRecords, Outcome, Receipt, Verb, Wish, derived_key
from cases.fulfilment.abilities import Reach, reach_of
from cases.models import Case, Item, PlaceState, RestrictedPlace, Restriction, SourceSystem
from cases.permissions import BY_SYSTEM
from cases.workflow.perform import lock, put_on_record, touch
from dsar.audit.actions import Action
from dsar.audit.record import Codes
from dsar.jobs.queue import enqueue
from dsar.jobs.run import Claim

MARK: Final = "mark_restricted"
VERBS: Final = {PlaceState.TO_MARK: Verb.RESTRICT, PlaceState.TO_FREE: Verb.LIFT_RESTRICTION}
DONE: Final = (Outcome.DONE, Outcome.ALREADY)


def order(found: Restriction, now: datetime) -> None:
    """Have the connectors set or take away what they can; where there is a task, a person sees to the rest."""
    case = found.case
    for place in found.places.filter(state__in=VERBS, source__isnull=False).select_related("source"):
        if _kinds(reach_of(place.source)):
            enqueue(
                MARK,
                controller_id=case.controller_id,
                case_id=case.pk,
                key=f"{MARK}:{place.pk}:{place.state}",
                args={"place": str(place.pk), "state": place.state},
                now=now,
                takes_turns=True,
            )


def _kinds(reach: Reach) -> list[str]:
    """The types of record that can be marked there."""
    return [name for name in reach.types if reach.can_restrict(name)]


@dataclass(frozen=True)
class _Work:
    source: SourceSystem
    case_id: UUID
    wishes: Sequence[Wish]


def run(claim: Claim, place_id: UUID, state: str) -> None:
    """Mark the records of one place, or free them. Raises ConnectorError, and PutBack where it has to wait."""
    with claim.step():
        work = _work(place_id, state)
        hold = turns.held(work.source, timezone.now()) if work else None
    if hold is not None:
        raise hold.put_back()
    if work is None or not work.wishes:
        return
    with claim.step():
        connector = connect_to_change(work.source, SharedGate(work.source.pk, work.case_id))
    receipts = _carried_out(work, connector)
    with claim.step():
        if len(receipts) == len(work.wishes) and all(one.outcome in DONE for one in receipts):
            _record(place_id, state, receipts, timezone.now())


def _work(place_id: UUID, state: str) -> _Work | None:
    place = RestrictedPlace.objects.select_related("source", "restriction__case").get(pk=place_id)
    if place.source is None or not _is_wanted(place, state):
        return None
    case = place.restriction.case
    return _Work(place.source, case.pk, _wishes(case, place, VERBS[PlaceState(state)]))


def _is_wanted(place: RestrictedPlace, state: str) -> bool:
    """A place still waits for it; one with a task may have been recorded by a person who was quicker."""
    with_task = (PlaceState.MARKED,) if state == PlaceState.TO_MARK else (PlaceState.FREED,)
    return place.state == state or (place.task_id is not None and place.state in with_task)


def _wishes(case: Case, place: RestrictedPlace, verb: Verb) -> list[Wish]:
    """The person's own records there that can be marked: those that bear their identity, and nobody else's."""
    chosen = case.items.filter(source=place.source_id, is_third_party=False, file=None)
    kinds = _kinds(reach_of(place.source))
    items = chosen.filter(collection__in=kinds).select_related("case").order_by("number", "pk")
    return [_wish(item, place, verb) for item in items if _bears_identity(item)]


def _bears_identity(item: Item) -> bool:
    return bool((item.content or {}).get("link") == LinkKind.IDENTITY)


def _wish(item: Item, place: RestrictedPlace, verb: Verb) -> Wish:
    content: dict[str, Any] = item.content or {}
    key = derived_key(f"{place.pk.hex}{item.pk.hex}", verb.value)
    return Wish(key, verb, content["ref"], item.collection, content.get("handle", {}))


def _carried_out(work: _Work, connector: Connector) -> list[Receipt]:
    """What the source answered to each; outside of any transaction."""
    with closing(connector):
        if not isinstance(connector, ChangesRecords):
            raise ContractBroken(what="a source that cannot be written to")
        return [connector.apply(action) for action in connector.plan(work.wishes).actions]


def _record(place_id: UUID, state: str, receipts: Sequence[Receipt], now: datetime) -> None:
    case = lock(RestrictedPlace.objects.values_list("restriction__case", flat=True).get(pk=place_id))
    place = (
        RestrictedPlace.objects.select_for_update(of=("self",)).select_related("restriction").get(pk=place_id)
    )
    if not _is_wanted(place, state):
        return
    place.restriction.case = case
    _note(place, state, _said(receipts), now)
    place.save()
    codes: Codes = {"source": str(place.source_id), "state": place.state, "records": len(receipts)}
    put_on_record(case, Action.PLACE_RECORDED, BY_SYSTEM, now, codes)
    touch(case)


def _note(place: RestrictedPlace, state: str, said: str, now: datetime) -> None:
    """What the connector did; where there is a task, a person says when the place as a whole is done."""
    if state == PlaceState.TO_MARK:
        place.evidence = together(place.evidence, said)
        if place.task_id is None:
            place.state, place.marked_at = PlaceState.MARKED, now
    else:
        place.freed_evidence = together(place.freed_evidence, said)
        if place.task_id is None:
            place.state, place.freed_at = PlaceState.FREED, now


def together(noted: str, said: str) -> str:
    """Both in their order; the same once."""
    return "\n".join(dict.fromkeys(part for part in (*noted.split("\n"), *said.split("\n")) if part))


def _said(receipts: Sequence[Receipt]) -> str:
    """What was done, in words that name nobody."""
    counted = ngettext(
        "Done in %(count)s record by the connector, and read back.",
        "Done in %(count)s records by the connector, and read back.",
        len(receipts),
    ) % {"count": len(receipts)}
    calls = ", ".join(dict.fromkeys(one.request for one in receipts))
    return f"{counted} " + _("Call: %(calls)s") % {"calls": calls}
