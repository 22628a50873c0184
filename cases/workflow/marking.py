"""Marks that a restriction's records are not to be used: set and taken away by the connector, where a source has such.

Everywhere else a person does it and says how. What a connector did is read back before it counts, and doing it twice is
doing it once, so that a job that dies half-way is simply run again.
"""

import time
from collections.abc import Collection, Sequence
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
from cases.connectors.base import ConnectorError, ContractBroken, LinkKind, Throttled
from cases.connectors.changes import ChangesRecords, Outcome, Receipt, Verb, Wish, derived_key
from cases.fulfilment.abilities import Reach, reach_of
from cases.models import Case, Item, PlaceState, RestrictedPlace, Restriction, SourceSystem
from cases.permissions import BY_SYSTEM
from cases.workflow.perform import lock, put_on_record, touch
from dsar.audit.actions import Action
from dsar.audit.record import Codes
from dsar.jobs.queue import bring_forward, enqueue
from dsar.jobs.run import Claim

MARK: Final = "mark_restricted"
VERBS: Final = {PlaceState.TO_MARK: Verb.RESTRICT, PlaceState.TO_FREE: Verb.LIFT_RESTRICTION}
DONE: Final = (Outcome.DONE, Outcome.ALREADY)


def order(found: Restriction, now: datetime) -> None:
    """Have the connectors set or take away what they can; where there is a task, a person sees to the rest."""
    for place in found.places.filter(state__in=VERBS).select_related("source"):
        place.restriction = found
        if is_for_connector(place):
            queue(place, now)


def queue(place: RestrictedPlace, now: datetime) -> None:
    """Have the connector see to one place; once, however often it is asked for."""
    case = place.restriction.case
    enqueue(
        MARK,
        controller_id=case.controller_id,
        case_id=case.pk,
        key=_key(place),
        args={"place": str(place.pk), "state": place.state},
        now=now,
        takes_turns=True,
    )


def _key(place: RestrictedPlace) -> str:
    return f"{MARK}:{place.pk}:{place.state}"


def release(source_ids: Collection[UUID], now: datetime) -> None:
    """What these sources held up goes on."""
    waiting = RestrictedPlace.objects.filter(source_id__in=source_ids, state__in=VERBS)
    bring_forward([_key(place) for place in waiting], now)


def is_for_connector(place: RestrictedPlace) -> bool:
    """Whether a connector can mark records in this place."""
    return bool(_kinds(reach_of(place.source)))


def _kinds(reach: Reach) -> list[str]:
    """The types of record that can be marked there."""
    return [name for name in reach.types if reach.can_restrict(name)]


@dataclass(frozen=True)
class _Work:
    place_id: UUID
    state: str
    source: SourceSystem
    case_id: UUID
    wishes: Sequence[Wish]


def run(claim: Claim, place_id: UUID, state: str) -> None:
    """Mark the records of one place, or free them; what does not work for good is said, and left to a person.

    Raises ConnectorError for what may heal, and PutBack where it has to wait.
    """
    with claim.step():
        work = _work(place_id, state)
        hold = turns.held(work.source, timezone.now()) if work else None
    if hold is not None:
        raise hold.put_back()
    if work is None or not work.wishes:
        return
    receipts = list[Receipt]()
    why = ""
    try:
        _carry_out(claim, work, receipts)
    except ConnectorError as error:
        if isinstance(error, Throttled) or (error.retryable and not claim.last_attempt):
            raise
        why = turns.told(error)
    with claim.step():
        _record(work, receipts, why, timezone.now())


def gave_up(claim: Claim) -> None:
    """Workers died over it again and again."""
    with claim.step():
        work = _work(UUID(claim.args["place"]), claim.args["state"])
        if work is not None:
            _record(work, [], _("The connector was cut off several times."), timezone.now())


def _work(place_id: UUID, state: str) -> _Work | None:
    place = RestrictedPlace.objects.select_related("source", "restriction__case").filter(pk=place_id).first()
    if place is None or place.source is None or not _is_wanted(place, state):
        return None
    case = place.restriction.case
    return _Work(place_id, state, place.source, case.pk, _wishes(case, place, VERBS[PlaceState(state)]))


def _is_wanted(place: RestrictedPlace, state: str) -> bool:
    """Marks are set while the restriction is in force, and taken away when it is not.

    A place still waits for it; one with a task may have been recorded by a person who was quicker.
    """
    if place.restriction.is_in_force != (state == PlaceState.TO_MARK):
        return False
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


def _carry_out(claim: Claim, work: _Work, receipts: list[Receipt]) -> None:
    """Add what the source answered to each; outside of any transaction, and only while it may be asked."""
    gate = SharedGate(work.source.pk, work.case_id)
    with claim.step():
        connector = connect_to_change(work.source, gate)
    with closing(connector):
        if not isinstance(connector, ChangesRecords):
            raise ContractBroken(what="a source that cannot be written to")
        looked = time.monotonic()
        for action in connector.plan(work.wishes).actions:
            if time.monotonic() - looked > turns.LOOK_SECONDS:
                _look(claim, work)
                looked = time.monotonic()
            receipts.append(connector.apply(action))
    gate.leave()


def _look(claim: Claim, work: _Work) -> None:
    """Raise PutBack where the source was paused or all was stopped meanwhile; what was marked is found marked then."""
    with claim.step():
        hold = turns.held(SourceSystem.objects.get(pk=work.source.pk), timezone.now())
    if hold is not None:
        raise hold.put_back()


def _record(work: _Work, receipts: Sequence[Receipt], why: str, now: datetime) -> None:
    """Note what was done, and what was not; marks that nobody wants any more are taken away again."""
    case = lock(work.case_id)
    place = (
        RestrictedPlace.objects.select_for_update(of=("self",))
        .select_related("restriction")
        .filter(pk=work.place_id)
        .first()
    )
    if place is None:
        return
    place.restriction.case = case
    done = [one for one in receipts if one.outcome in DONE]
    if _is_wanted(place, work.state):
        _noted(place, work, done, why, now)
    elif done and work.state == PlaceState.TO_MARK:
        place.state = PlaceState.TO_FREE
        place.save(update_fields=["state"])
        queue(place, now)


def _noted(place: RestrictedPlace, work: _Work, done: Sequence[Receipt], why: str, now: datetime) -> None:
    case, is_all = place.restriction.case, len(done) == len(work.wishes)
    said = _said(done, len(work.wishes)) if done else ""
    _note(place, work.state, together(said, "" if is_all else why or _refused()), now, is_all=is_all)
    place.save()
    # A restriction that was decided on is carried out by this; one meanwhile is no answer to the case.
    case.carried_out = case.carried_out or bool(done and not place.restriction.is_meanwhile)
    codes: Codes = {"source": str(place.source_id), "state": place.state, "records": len(done)}
    put_on_record(case, Action.PLACE_RECORDED, BY_SYSTEM, now, codes)
    touch(case, "carried_out")


def _note(place: RestrictedPlace, state: str, said: str, now: datetime, *, is_all: bool) -> None:
    """What the connector did; where there is a task, a person says when the place as a whole is done."""
    is_done = is_all and place.task_id is None
    if state == PlaceState.TO_MARK:
        place.evidence = together(place.evidence, said)
        if is_done:
            place.state, place.marked_at = PlaceState.MARKED, now
    else:
        place.freed_evidence = together(place.freed_evidence, said)
        if is_done:
            place.state, place.freed_at = PlaceState.FREED, now


def _refused() -> str:
    return _("The source refused the others: see to them there, and record it.")


def together(noted: str, said: str) -> str:
    """Both in their order; the same once."""
    return "\n".join(dict.fromkeys(part for part in (*noted.split("\n"), *said.split("\n")) if part))


def _said(done: Sequence[Receipt], wanted: int) -> str:
    """What was done, in words that name nobody."""
    if len(done) == wanted:
        counted = ngettext(
            "Done in %(count)s record by the connector, and read back.",
            "Done in %(count)s records by the connector, and read back.",
            wanted,
        )
    else:
        counted = _("Done in %(done)s of %(count)s records by the connector, and read back.")
    calls = ", ".join(dict.fromkeys(one.request for one in done))
    return f"{counted % {'count': wanted, 'done': len(done)}} " + _("Call: %(calls)s") % {"calls": calls}
