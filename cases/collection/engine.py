"""Search one source for one case: page by page, each page and its cursor in one transaction.

The source is read outside of transactions, one page ahead of the one being stored; what is stored is fenced by the
job's attempt, so that a worker that was given up can't write late.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from cases.collection import blobs, doubts, drift, identifiers, rounds, store, turns
from cases.collection.gate import SharedGate
from cases.collection.matches import Found, Wanted, find
from cases.collection.proof import Doubt, Proof, parents
from cases.connectors.base import Connector, ConnectorError, Cursor, Match, Page, Throttled
from cases.models import Case, HeldFor, RunState, SearchState, SourceSearch
from dsar.jobs.run import Claim, PutBack
from dsar.lib.prepared import Prepared, write

WARNINGS = 20
_LOCKED = Prepared(
    lambda search_id: (
        SourceSearch.objects.select_for_update(of=("self", "run"), no_key=True)
        .select_related("run__case__subject", "run__case__subject_request", "run__case__controller", "source")
        .filter(pk=search_id)
    ),
    UUID,
)


@dataclass(frozen=True)
class Plan:
    """What a search needs of the database, read once.

    ``found`` counts the records before the cursor, ``base`` those of earlier rounds; ``followed`` are their matches.
    """

    connector: Connector
    wanted: Wanted
    cursor: Cursor | None
    found: int
    form: store.Form
    judgements: doubts.Judgements
    gate: SharedGate
    base: int = 0
    followed: frozenset[tuple[str, str]] = frozenset()
    before: Found | None = None
    is_agreed: bool = False

    def to_follow(self, known: Found) -> list[Match]:
        """What is collected in this round: what is sure or was confirmed, and no earlier round has followed."""
        chosen = {(match.type, match.ref): match for match in (*known.sure, *self.judgements.confirmed)}
        return [match for place, match in chosen.items() if place not in self.followed]

    def reader(self, known: Found) -> "Reader":
        """What reads the pages of these matches."""
        waiting = {(match.type, match.ref) for match in self.judgements.confirmed}
        doubtful = [match for match, _why in known.doubtful if (match.type, match.ref) not in waiting]
        types = self.connector.capabilities().types
        proof = self.judgements.proof(types, self.wanted, self.form, doubtful)
        return Reader(self, self.to_follow(known), proof)


@dataclass(frozen=True)
class Reader:
    """Reads page after page, asking nothing of our database."""

    plan: Plan
    matches: Sequence[Match]
    proof: Proof

    def read(self, cursor: Cursor | None, found: int) -> "Reading":
        """Read the page at the cursor, of which so many records come before."""
        page = self.plan.connector.collect(self.matches, cursor)
        proved, doubtful = self.proof.sort(page.records)
        return Reading(page, self.plan.form.seal(proved, found), doubtful, found)


@dataclass(frozen=True)
class Reading:
    """One page as it was read, ready to be stored; ``before`` counts the records of the pages before it."""

    page: Page
    sealed: store.SealedPage
    doubts: Sequence[Doubt]
    before: int

    @property
    def found(self) -> int:
        return self.before + len(self.sealed.rows)


@dataclass(frozen=True)
class Around:
    """What belongs into the transaction that ends a search: what is locked before it, and what follows from it."""

    before: Callable[[], Case]
    after: Callable[[Case, SourceSearch], object]


def search(claim: Claim, search_id: UUID, around: Around) -> bool:
    """Search until the source is finished; False where the search is not wanted any more.

    Raises ConnectorError for what went wrong at the source, and PutBack where it goes on later.
    """
    try:
        _search(claim, search_id, _begin(claim, search_id), around)
    except _NotWanted:
        return False
    return True


class _NotWanted(Exception):
    """The search has ended, or its run was abandoned while the source answered."""


def _search(claim: Claim, search_id: UUID, plan: Plan, around: Around) -> None:
    whole = plan.connector.capabilities().lists_whole
    if whole and not plan.is_agreed:
        raise turns.hold(claim, search_id, turns.Hold(HeldFor.AGREEMENT, text=whole))
    with closing(plan.connector):
        known = plan.before or find(plan.connector, plan.wanted)
        reader, last = plan.reader(known), None
        if reader.matches:
            try:
                last = _collect(claim, search_id, plan, reader)
            except (Throttled, PutBack):
                _keep(claim, search_id, known)
                raise
    plan.gate.leave()
    _end(claim, search_id, Ending(plan, known, reader, last), around)


def _keep(claim: Claim, search_id: UUID, known: Found) -> None:
    """Keep whom the source knows, so that a search that is put back asks for them once."""
    with claim.step():
        found = _wanted(search_id)
        found.matches = known.to_json()
        found.save(update_fields=["matches"])


def _collect(claim: Claim, search_id: UUID, plan: Plan, reader: Reader) -> Reading:
    """Store page after page but the last, which is returned, to be stored with the end of the search.

    While our database stores a page, a thread reads and seals the next; an error there is raised here.
    """
    mine = turns.Slice(claim, search_id)
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as ahead:
        reading = reader.read(plan.cursor, plan.found)
        while following := reading.page.next:
            if mine.is_over():
                _store(claim, search_id, plan, reading)
                raise mine.put_back()
            coming = ahead.submit(reader.read, following, reading.found)
            _store(claim, search_id, plan, reading)
            reading = coming.result()
    return reading


def fail(claim: Claim, search_id: UUID, error: ConnectorError | None, code: str) -> None:
    """Show the readable reason and what to do; the other sources go on."""
    with claim.step():
        found = _locked(search_id)
        if found.state in turns.OPEN:
            found.state, found.ended_at = SearchState.FAILED, timezone.now()
            found.error_code = error.code if error else code
            found.error_text = f"{error} {error.what_to_do}" if error else _UNEXPECTED
            found.save(update_fields=["state", "ended_at", "error_code", "error_text"])


_UNEXPECTED = (
    "Something unexpected went wrong in this search. Search this source again;"
    " if it fails again, tell the administrator."
)


def _begin(claim: Claim, search_id: UUID) -> Plan:
    """Read what the search needs. Raises PutBack where it may not begin yet."""
    with claim.step():
        found = _wanted(search_id)
        hold = turns.admit(found, timezone.now())
        if hold is None:
            found.state, found.started_at = SearchState.RUNNING, found.started_at or timezone.now()
            found.held_for = ""
            write(found, "state", "started_at", "held_for")
            return _plan(found)
    raise hold.put_back()


def _plan(search: SourceSearch) -> Plan:
    cursor = Cursor.from_json(search.cursor) if search.cursor else None
    earlier = search.followed or {}
    base, goes_on = earlier.get("found", 0), bool(search.cursor or earlier)
    gate = SharedGate(search.source_id, search.run.case_id)
    connector = identifiers.connect(search.source, gate)
    types = parents(connector.capabilities().types)
    return Plan(
        connector=connector,
        wanted=rounds.wanted(search),
        cursor=cursor,
        # Without a cursor it begins with the first page, whatever an attempt before this one had stored.
        found=search.found if cursor else base,
        form=store.Form.of(search.run.case, search.source_id),
        judgements=doubts.judgements(search, types, goes_on=goes_on),
        gate=gate,
        base=base,
        followed=frozenset((kind, ref) for kind, ref in earlier.get("places", ())),
        before=Found.from_json(search.matches) if search.matches else None,
        is_agreed=search.source.may_list_whole or search.agreed_by_id is not None,
    )


def _store(claim: Claim, search_id: UUID, plan: Plan, reading: Reading) -> None:
    """Store one page and where the next begins. Raises Unproved where the source gives whatever it likes."""
    with claim.step():
        found = _wanted(search_id)
        is_sound = _take_in(found, plan, reading)
        write(found, *_STORED)
        claim.progress(found=found.found, expected=found.expected or found.found)
    if not is_sound:
        raise doubts.Unproved


# What a page changes of its search.
_STORED = ("found", "expected", "cursor", "warnings")


def _take_in(found: SourceSearch, plan: Plan, reading: Reading) -> bool:
    """Store a page of a locked search, which the caller writes; False where the source gives whatever it likes."""
    page = reading.page
    reading.sealed.store(found)
    is_sound = not reading.doubts or doubts.set_aside(found, plan.form, reading.doubts)
    if page.unknown_fields:
        drift.name(found.source, page.unknown_fields, timezone.now())
    found.found = reading.found
    found.expected = None if page.expected_total is None else plan.base + page.expected_total
    found.cursor = page.next.to_json() if page.next else None
    found.warnings = list(dict.fromkeys([*found.warnings, *page.warnings]))[:WARNINGS]
    return is_sound


@dataclass(frozen=True)
class Ending:
    """What a search ends with: what it knows of the person, and the last page, where there was any."""

    plan: Plan
    known: Found
    reader: Reader
    last: Reading | None


def _end(claim: Claim, search_id: UUID, ending: Ending, around: Around) -> None:
    """Store the last page and end the search. Raises Unproved where that page is whatever the source likes."""
    with claim.step():
        case, found = around.before(), _wanted(search_id)
        is_sound = ending.last is None or _take_in(found, ending.plan, ending.last)
        if is_sound:
            _ended(found, ending)
            around.after(case, found)
        else:
            write(found, *_STORED)
    if not is_sound:
        raise doubts.Unproved


def _ended(found: SourceSearch, ending: Ending) -> None:
    plan, known, reader = ending.plan, ending.known, ending.reader
    found.state = SearchState.DONE if found.found else SearchState.NO_DATA
    found.cursor, found.matches, found.ended_at = None, None, timezone.now()
    doubts.release(found, plan.form, reader.proof)
    doubts.keep_candidates(found, plan.form, known)
    places = {(match.type, match.ref) for match in known.sure}
    sure = [match for match in reader.matches if (match.type, match.ref) in places]
    rounds.reveal(found, plan.form, plan.wanted, sure)
    rounds.ended(found, plan.connector.capabilities().identifier_kinds, reader.matches)
    write(found, *_STORED, "state", "matches", "ended_at", "followed")
    blobs.order(found, timezone.now())


def _wanted(search_id: UUID) -> SourceSearch:
    """The search, locked with its run, so that nothing is stored once the run was abandoned. Raises _NotWanted."""
    found = _locked(search_id)
    if found.state not in turns.OPEN or found.run.state != RunState.RUNNING:
        raise _NotWanted
    return found


def _locked(search_id: UUID) -> SourceSearch:
    return _LOCKED.get(search_id)
