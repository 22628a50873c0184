"""Whether what a plan did to a source is so: looked for by another way than it was done, and by content.

The connector looks by key, relation and history for what it changed, through the account that only reads; then the
source is searched as it was at first, and each record of the person that comes is compared with its line. What stays by
decision, or because the source refused, is known. Everything else that is still there is a finding.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from cases.collection import identifiers, rounds, turns
from cases.collection.gate import SharedGate
from cases.collection.matches import Wanted, find
from cases.collection.proof import Proof
from cases.collection.store import Form
from cases.connectors.base import Connector, Cursor, Match, NoIdentifiers, NotSearchable, Record
from cases.connectors.changes import Action, ChangesRecords, Finding, Remains
from cases.fulfilment import steps
from cases.fulfilment.anonymise import StrategyWrong
from cases.fulfilment.wishes import NoWish, wish_of
from cases.models import ChangeStep, LineState, PlannedChange, PlanPart, SourceSearch, StepState, Treatment
from cases.words import Right
from dsar.jobs.run import Claim

BATCH: Final = 500
MOST: Final = 200  # findings that are named one by one
LONGEST: Final = 200
# These records stay, so that it is no finding to find them.
STAYS: Final = (
    Treatment.KEEP,
    Treatment.REFER,
    Treatment.REFUSE,
    Treatment.BLOCK,
    Treatment.RESTRICT,
    Treatment.LIFT,
)
KNOWN: Final = (LineState.REFUSED, LineState.STALE)
# What was tried and is not known to be refused: whatever the source said, it is looked at.
TRIED: Final = (*steps.SUCCEEDED, StepState.FAILED)


@dataclass(frozen=True)
class Left:
    """Something that is still there, or could not be looked for. ``where`` names a place, without personal data."""

    ref: str
    type: str
    where: str
    remains: Remains
    line_id: UUID | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """What tells it from every other."""
        return self.type, self.ref, self.where


@dataclass(frozen=True)
class _Known:
    """What is needed of the database, read once."""

    part: PlanPart
    wanted: Wanted
    form: Form
    connector: Connector

    @property
    def is_erasure(self) -> bool:
        return bool(self.part.plan.case.right == Right.ERASURE)


def look(claim: Claim, part_id: UUID) -> list[Left]:
    """Everything that is left in the part's source and should not be. Raises ConnectorError, and PutBack."""
    with claim.step():
        part = PlanPart.objects.select_related("plan__case__controller", "plan__case__subject", "source").get(
            pk=part_id
        )
        hold = turns.held(part.source, timezone.now())
        if hold is not None:
            raise hold.put_back()
        gate = SharedGate(part.source_id, part.plan.case_id)
        connector = identifiers.connect(part.source, gate)
        known = _Known(part, _wanted(part), Form.of(part.plan.case, part.source_id), connector)
    with closing(connector):
        matches = _matches(known)
        found = {left.place: left for left in _verified(claim, known, matches)}
        found |= {left.place: left for left in _searched(claim, known, matches)}
    gate.leave()
    return _named(list(found.values()))


def _named(left: list[Left]) -> list[Left]:
    """So many are named one by one; that there are more is a finding as well, and nobody settles it unseen."""
    more = len(left) - MOST
    return left if more <= 0 else [*left[:MOST], Left("", "", f"+ {more}", Remains.RESIDUAL)]


def _wanted(part: PlanPart) -> Wanted:
    """As the source was searched at first, with what other sources revealed."""
    case = part.plan.case
    searches = SourceSearch.objects.filter(run__case=case, source=part.source_id).select_related(
        "run__case__controller"
    )
    last = searches.order_by("-run__number").first()
    return rounds.wanted(last) if last else Wanted(identifiers.of(case), (), case.controller.phone_region)


def _matches(known: _Known) -> Sequence[Match]:
    """Where the person is still found for sure; nowhere where they can't be searched for."""
    try:
        return find(known.connector, known.wanted).sure
    except (NoIdentifiers, NotSearchable):
        return ()


# -- by what was done ----------------------------------------------------------------------------------


def _verified(claim: Claim, known: _Known, matches: Sequence[Match]) -> Iterator[Left]:
    """What the connector finds of the records that it changed; with the last of them of the person as a whole."""
    if not isinstance(known.connector, ChangesRecords):
        return
    for actions, is_last in _batches(claim, known.part):
        asked = known.wanted.all if is_last else ()
        findings = known.connector.verify(asked, matches if is_last else (), actions)
        with claim.step():
            left = list(_judged(known, [one for one in findings if one.remains is not Remains.EXPECTED]))
        yield from left


def _batches(claim: Claim, part: PlanPart) -> Iterator[tuple[list[Action], bool]]:
    number, actions = -1, list[Action]()
    while True:
        with claim.step():
            done = ChangeStep.objects.filter(part=part, state__in=TRIED, number__gt=number)
            rows = list(done.select_related("line__case").order_by("number")[: BATCH + 1])
            actions = [steps.action_of(step) for step in rows[:BATCH]]
        if rows:
            number = rows[:BATCH][-1].number
            yield actions, len(rows) <= BATCH
        if len(rows) <= BATCH:
            return


def _judged(known: _Known, findings: Sequence[Finding]) -> Iterator[Left]:
    lines = _lines_at(known, {(one.type, one.ref) for one in findings})
    for one in findings:
        line = lines.get((one.type, one.ref))
        if line is None or not _may_be_there(line):
            yield Left(one.ref, one.type, one.where[:LONGEST], one.remains, line.pk if line else None)


def _lines_at(known: _Known, places: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], PlannedChange]:
    """The lines of records by where these stand in their source."""
    hashes = {known.form.blind(f"ref|{kind}|{ref}"): (kind, ref) for kind, ref in places}
    lines: QuerySet[PlannedChange] = known.part.plan.lines.filter(
        source=known.part.source_id, item__ref_hash__in=list(hashes)
    ).select_related("item__case", "case")
    return {hashes[bytes(line.item.ref_hash)]: line for line in lines if line.item}


def _may_be_there(line: PlannedChange) -> bool:
    """What stays by decision, and what is known not to have been done, is told by other means."""
    return line.treatment in STAYS or line.state in KNOWN


# -- by searching again ----------------------------------------------------------------------------------


def _searched(claim: Claim, known: _Known, matches: Sequence[Match]) -> Iterator[Left]:
    """The person's records as a search finds them now, each compared with its line."""
    if not matches:
        return
    proof = Proof(known.wanted.trusted, known.connector.capabilities().types)
    cursor: Cursor | None = None
    while True:
        page = known.connector.collect(matches, cursor)
        proved, _doubtful = proof.sort(page.records)
        with claim.step():
            left = list(_compared(known, [record for record in proved if not record.third_party]))
        yield from left
        cursor = page.next
        if cursor is None:
            return


def _compared(known: _Known, records: Sequence[Record]) -> Iterator[Left]:
    lines = _lines_at(known, {(record.type, record.ref) for record in records})
    for record in records:
        line = lines.get((record.type, record.ref))
        if line is None:
            if known.is_erasure:
                yield Left(record.ref, record.type, record.type[:LONGEST], Remains.RESIDUAL)
        elif not _may_be_there(line):
            yield from _differs(line, record)


def _differs(line: PlannedChange, record: Record) -> Iterator[Left]:
    if line.treatment == Treatment.DELETE:
        yield Left(record.ref, record.type, record.type[:LONGEST], Remains.RESIDUAL, line.pk)
        return
    for name in _as_before(line, record.data):
        yield Left(record.ref, record.type, f"{record.type}.{name}"[:LONGEST], Remains.RESIDUAL, line.pk)


def _as_before(line: PlannedChange, data: Mapping[str, Any]) -> list[str]:
    """Fields that hold what they held, and were to hold something else."""
    try:
        wanted = wish_of(line).values
    except (NoWish, StrategyWrong):
        return []
    expected = line.expected or {}
    return [
        name
        for name, value in wanted.items()
        if name in expected and data.get(name) == expected[name] and expected[name] != value
    ]
