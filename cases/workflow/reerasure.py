"""The list of what has to be erased again should a source be restored from a backup, and that being done.

The list holds keyed hashes alone: of the places of records, and of the identifiers of those whose records they were.
After a restore a source may give the number of an erased record to somebody else, so both have to agree: the person is
found by an identifier of the list, and of that person's records those go whose places are on the list too. What only
agrees in part is counted, and left to a human.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import UUID

from cases import queries
from cases.collection import identifiers
from cases.collection.proof import plain_forms
from cases.connectors.base import JSON, Confidence, Connector, ContractBroken, Cursor, Identifier, Record
from cases.connectors.changes import ChangesRecords, Outcome, Plan, Remains, Verb, Wish, derived_key
from cases.connectors.places import ListsPlaces
from cases.fulfilment import anonymise
from cases.fulfilment.wishes import VERBS
from cases.models import (
    PLACE,
    Case,
    ChangePlan,
    ErasedPlace,
    LineState,
    PlannedChange,
    SourceSystem,
    Treatment,
)
from cases.permissions import By
from dsar.audit.actions import Action
from dsar.audit.record import Codes, record
from dsar.lib import crypto
from identity.models import Controller

ERASED: Final = (Treatment.DELETE, Treatment.ANONYMISE)
BATCH = 2000
WISHES = 200
Blinder = Callable[[str], bytes]


# -- the list ----------------------------------------------------------------------------------------


def keep(plan: ChangePlan, by: By, now: datetime) -> int:
    """Put what a plan erased on the list; returns how many places. Bounded memory, and twice is once."""
    blind = _blinder(plan.case.controller, now)
    erased = plan.lines.filter(
        treatment__in=ERASED, state=LineState.DONE, source__isnull=False, by_hand=False
    )
    places = 0
    sources: set[UUID] = set()
    rows = erased.select_related("item", "case").order_by("number").iterator(chunk_size=BATCH)
    while batch := list(islice(rows, BATCH)):
        made = [found for line in batch if (found := _place(plan, line, blind, now)) is not None]
        ErasedPlace.objects.bulk_create(made, ignore_conflicts=True)
        places += len(made)
        sources |= {one.source_id for one in made}
    for source_id in sorted(sources):
        ErasedPlace.objects.bulk_create(_of_person(plan, source_id, blind, now), ignore_conflicts=True)
    if places:
        codes: Codes = {"plan": str(plan.pk), "places": places}
        record(
            Action.REERASURE_LISTED,
            by.actor,
            now,
            controller_id=plan.controller_id,
            case_id=plan.case_id,
            data=codes,
        )
    return places


def _place(plan: ChangePlan, line: PlannedChange, blind: Blinder, now: datetime) -> ErasedPlace | None:
    if line.item is None or not line.item.content or line.source_id is None:
        return None
    return ErasedPlace(
        controller_id=plan.controller_id,
        source_id=line.source_id,
        erasure=plan.pk,
        kind=PLACE,
        collection=line.collection,
        value_hash=place_hash(blind, line.source_id, line.collection, line.item.content["ref"]),
        verb=VERBS[line.treatment].value,
        wanted=line.wanted or {},
        erased_at=now,
    )


def _of_person(plan: ChangePlan, source_id: UUID, blind: Blinder, now: datetime) -> list[ErasedPlace]:
    """The identifiers by which the person was found, those that other sources revealed among them."""
    case = plan.case
    known = [*identifiers.of(case), *_found(case)]
    hashes = {
        (one.kind, digest)
        for one in known
        for digest in identifier_hashes(blind, source_id, one, case.controller.phone_region)
    }
    return [
        ErasedPlace(
            controller_id=plan.controller_id,
            source_id=source_id,
            erasure=plan.pk,
            kind=kind,
            value_hash=digest,
            erased_at=now,
        )
        for kind, digest in sorted(hashes)
    ]


def _found(case: Case) -> list[Identifier]:
    revealed = case.found_identifiers.filter(struck_at=None).select_related("case")
    return [Identifier(one.kind, one.content["value"]) for one in revealed]


def _blinder(controller: Controller, now: datetime) -> Blinder:
    return crypto.blinder(queries.lookup_key(controller.pk, now))


def place_hash(blind: Blinder, source_id: UUID, collection: str, ref: str) -> bytes:
    """The keyed hash of where a record stood; it differs from those that anything else is found by."""
    return blind(f"erased|{source_id}|{collection}|{ref}")


def identifier_hashes(blind: Blinder, source_id: UUID, one: Identifier, region: str) -> set[bytes]:
    """The keyed hashes of an identifier, of each form in which it is compared."""
    forms = plain_forms(one.kind, one.value, region)
    return {blind(f"erased|{source_id}|{one.kind}|{form}") for form in forms}


# -- after a restore ---------------------------------------------------------------------------------


class CannotList(Exception):
    """The source cannot be walked through, and nobody said by what the people are known."""


@dataclass(frozen=True)
class Listed:
    """The list of one source, as it is compared."""

    source: SourceSystem
    blind: Blinder
    region: str
    places: Mapping[bytes, ErasedPlace]
    people: Mapping[bytes, frozenset[UUID]]

    @classmethod
    def of(cls, source: SourceSystem, restored_at: datetime, now: datetime) -> "Listed":
        """What was erased before the source was restored; what was erased later is gone. In a unit of work."""
        people: dict[bytes, set[UUID]] = defaultdict(set)
        places: dict[bytes, ErasedPlace] = {}
        for one in ErasedPlace.objects.filter(source=source, erased_at__lt=restored_at).iterator():
            if one.kind == PLACE:
                places[bytes(one.value_hash)] = one
            else:
                people[bytes(one.value_hash)].add(one.erasure)
        frozen = {digest: frozenset(erasures) for digest, erasures in people.items()}
        controller = source.controller
        return cls(source, _blinder(controller, now), controller.phone_region, places, frozen)

    def at(self, collection: str, ref: str) -> ErasedPlace | None:
        """The entry of a record's place."""
        return self.places.get(place_hash(self.blind, self.source.pk, collection, ref))

    def erasures_of(self, one: Identifier) -> frozenset[UUID]:
        """The erasures of the person who is known by this."""
        hashes = identifier_hashes(self.blind, self.source.pk, one, self.region)
        return frozenset().union(*(self.people.get(digest, frozenset()) for digest in hashes))


@dataclass
class Found:
    """What came back: records to be erased again, by their entries; places that are somebody's whom nobody knows."""

    again: dict[UUID, tuple[ErasedPlace, Record]] = field(default_factory=dict)
    people: dict[UUID, list[Identifier]] = field(default_factory=dict)
    alone: Counter[str] = field(default_factory=Counter)
    newer: int = 0
    walked: int = 0
    skipped: tuple[str, ...] = ()

    @property
    def by_type(self) -> Counter[str]:
        """How many records are to be erased again, by type."""
        return Counter(entry.collection for entry, _record in self.again.values())


def look(listed: Listed, connector: Connector, given: Sequence[Identifier] = ()) -> Found:
    """Find in the restored source what is on the list, outside of any transaction.

    Raises CannotList and ConnectorError.
    """
    found, places = Found(), set[UUID]()
    people: dict[UUID, set[Identifier]] = defaultdict(set)
    if isinstance(connector, ListsPlaces):
        places = _walk(listed, connector, found, people)
    elif not given:
        raise CannotList
    for one in given:
        for erasure in listed.erasures_of(one):
            people[erasure].add(one)
    for erasure, known in people.items():
        found.people[erasure] = sorted(known, key=lambda one: (one.kind, one.value))
        _collect(listed, connector, erasure, found)
    entries = {entry.pk: entry for entry in listed.places.values()}
    found.alone.update(entries[pk].collection for pk in places - found.again.keys())
    return found


def _walk(
    listed: Listed, connector: ListsPlaces, found: Found, people: dict[UUID, set[Identifier]]
) -> set[UUID]:
    """Walk through all records there are; gives the entries whose places exist again."""
    places: set[UUID] = set()
    cursor: Cursor | None = None
    while True:
        page = connector.places(cursor)
        found.walked, found.skipped = found.walked + len(page.places), page.skipped
        for place in page.places:
            entry = listed.at(place.type, place.ref)
            places |= {entry.pk} if entry else set()
            for one in place.identifiers:
                for erasure in listed.erasures_of(one):
                    people[erasure].add(one)
        if page.next is None:
            return places
        cursor = page.next


def _collect(listed: Listed, connector: Connector, erasure: UUID, found: Found) -> None:
    """The person's records that stand where their erased records stood, of this very erasure."""
    matches = [one for one in connector.find(found.people[erasure]) if one.confidence == Confidence.EXACT]
    cursor: Cursor | None = None
    while matches:
        page = connector.collect(matches, cursor)
        for one in page.records:
            entry = listed.at(one.type, one.ref)
            if entry is not None and entry.erasure == erasure and not one.third_party:
                found.again[entry.pk] = (entry, one)
            else:
                found.newer += 1
        if page.next is None:
            return
        cursor = page.next


# -- erasing again -----------------------------------------------------------------------------------


@dataclass
class Outcomes:
    """How it went: what the source did, what it will not do, and how much is still there."""

    counts: Counter[str] = field(default_factory=Counter)
    blocked: Counter[str] = field(default_factory=Counter)
    done: set[UUID] = field(default_factory=set)
    left: int = 0


def plans(
    found: Found, listed: Listed, connector: ChangesRecords, now: datetime
) -> Iterator[tuple[Sequence[Wish], Plan]]:
    """The connector's plans for what came back, in batches of bounded size; reads only."""
    pairs = iter(found.again.values())
    while batch := list(islice(pairs, WISHES)):
        wishes = [_wish(listed, entry, one, now) for entry, one in batch]
        yield wishes, connector.plan(wishes)


def _wish(listed: Listed, entry: ErasedPlace, one: Record, now: datetime) -> Wish:
    return Wish(
        key=_wish_key(entry, now),
        verb=Verb(entry.verb),
        ref=one.ref,
        type=one.type,
        handle=one.handle,
        values=_anonymous(listed, entry, one.data),
        expected=one.data,
    )


def _anonymous(listed: Listed, entry: ErasedPlace, held: Mapping[str, JSON]) -> dict[str, JSON]:
    if entry.verb != Verb.ANONYMISE:
        return {}
    secret = listed.blind(f"anonymise|{entry.erasure}")
    return {
        name: anonymise.value(strategy, held[name], anonymise.Place(secret, entry.pk.hex, name))
        for name, strategy in entry.wanted.items()
        if name in held
    }


def do(found: Found, listed: Listed, connector: ChangesRecords, now: datetime) -> Outcomes:
    """Erase again, and look whether it is gone; outside of any transaction. Raises ConnectorError.

    It was decided once, by two people: this is carried out under that decision. Killed half-way it is run again, and
    finds what is left.
    """
    outcomes = Outcomes()
    entries = {_wish_key(entry, now): entry.pk for entry, _one in found.again.values()}
    for _wishes, plan in plans(found, listed, connector, now):
        outcomes.blocked.update(one.obstacle.value for one in plan.blockers)
        for action in plan.actions:
            receipt = connector.apply(action)
            outcomes.counts[receipt.outcome.value] += 1
            if receipt.outcome in {Outcome.DONE, Outcome.ALREADY} and action.key in entries:
                outcomes.done.add(entries[action.key])
        left = connector.verify([], [], plan.actions)
        outcomes.left += sum(one.remains is Remains.RESIDUAL for one in left)
    return outcomes


def _wish_key(entry: ErasedPlace, now: datetime) -> str:
    return derived_key(entry.pk.hex, now.isoformat())


def put_on_record(source: SourceSystem, outcomes: Outcomes, by: By, now: datetime) -> None:
    """What was erased again, by counts; in a unit of work."""
    ErasedPlace.objects.filter(pk__in=outcomes.done).update(again_at=now)
    codes: Codes = {"source": str(source.pk), "left": outcomes.left, **dict(outcomes.counts)}
    record(Action.ERASED_AGAIN, by.actor, now, controller_id=source.controller_id, data=codes)


def connect(source: SourceSystem) -> Connector:
    """The source with the credentials that may change it. Raises ConfigurationError; ContractBroken where it can't."""
    connector = identifiers.connect_to_change(source)
    if not isinstance(connector, ChangesRecords):
        connector.close()
        raise ContractBroken(what="a connector that can only read")
    return connector
