"""Search one source for one case: page by page, each page and its cursor in one transaction.

The source is read outside of transactions, one page ahead of the one being stored; what is stored is fenced by the
job's attempt, so that a worker that was given up can't write late.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from cases.collection import identifiers, store, turns
from cases.collection.gate import SharedGate
from cases.connectors.base import (
    JSON,
    Confidence,
    Connector,
    ConnectorError,
    Cursor,
    Identifier,
    Match,
    Page,
    Throttled,
)
from cases.models import HeldFor, RunState, SearchState, SourceSearch
from dsar.jobs.run import Claim, PutBack

WARNINGS = 20


@dataclass(frozen=True)
class Plan:
    """What a search needs of the database, read once."""

    connector: Connector
    wanted: list[Identifier]
    cursor: Cursor | None
    found: int
    form: store.Form
    gate: SharedGate
    before: "Known | None" = None
    is_agreed: bool = False

    def read(self, matches: Sequence[Match], cursor: Cursor | None, found: int) -> "Reading":
        """Read the page at the cursor, of which so many records come before; asks nothing of our database."""
        page = self.connector.collect(matches, cursor)
        return Reading(page, self.form.seal(page.records, found), found)


@dataclass(frozen=True)
class Known:
    """Whom the source knows; kept where a search is put back, so that it asks for them once."""

    matches: list[Match]
    doubtful: int

    def to_json(self) -> dict[str, JSON]:
        return {"matches": [match.to_json() for match in self.matches], "doubtful": self.doubtful}

    @classmethod
    def from_json(cls, value: Any) -> "Known":
        return cls([Match.from_json(match) for match in value["matches"]], value["doubtful"])


@dataclass(frozen=True)
class Reading:
    """One page as it was read, ready to be stored; ``before`` counts the records of the pages before it."""

    page: Page
    sealed: store.SealedPage
    before: int

    @property
    def found(self) -> int:
        return self.before + len(self.sealed.rows)


def search(claim: Claim, search_id: UUID) -> bool:
    """Search until the source is finished; False where the search is not wanted any more.

    Raises ConnectorError for what went wrong at the source, and PutBack where it goes on later.
    """
    turns.admit(claim, search_id)
    try:
        _search(claim, search_id, _begin(claim, search_id))
    except _NotWanted:
        return False
    return True


class _NotWanted(Exception):
    """The search has ended, or its run was abandoned while the source answered."""


def _search(claim: Claim, search_id: UUID, plan: Plan) -> None:
    if plan.connector.capabilities().lists_whole and not plan.is_agreed:
        raise turns.hold(claim, search_id, turns.Hold(HeldFor.AGREEMENT))
    with closing(plan.connector):
        known = plan.before or _find(plan)
        if known.matches:
            try:
                _collect(claim, search_id, plan, known.matches)
            except (Throttled, PutBack):
                _keep(claim, search_id, known)
                raise
    plan.gate.leave()
    _end(claim, search_id, known.matches, known.doubtful)


def _find(plan: Plan) -> Known:
    found = plan.connector.find(plan.wanted)
    matches = [match for match in found if _is_theirs(match, plan.wanted)]
    return Known(matches, len(found) - len(matches))


def _keep(claim: Claim, search_id: UUID, known: Known) -> None:
    with claim.step():
        found = _wanted(search_id)
        found.matches = known.to_json()
        found.save(update_fields=["matches"])


def _collect(claim: Claim, search_id: UUID, plan: Plan, matches: Sequence[Match]) -> None:
    """While our database stores a page, a thread reads and seals the next; an error there is raised here."""
    mine = turns.Slice(claim, search_id)
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as ahead:
        reading = plan.read(matches, plan.cursor, plan.found)
        while following := reading.page.next:
            if mine.is_over():
                _store(claim, search_id, reading)
                raise mine.put_back()
            coming = ahead.submit(plan.read, matches, following, reading.found)
            _store(claim, search_id, reading)
            reading = coming.result()
        _store(claim, search_id, reading)


def _is_theirs(match: Match, wanted: list[Identifier]) -> bool:
    """Exact, and by an identifier that was verified; anything less is for a person to look at."""
    verified = {identifier.kind for identifier in wanted if identifier.verified}
    return match.confidence == Confidence.EXACT and bool(verified & set(match.matched_on))


def fail(claim: Claim, search_id: UUID, error: ConnectorError | None, code: str) -> None:
    """Show the readable reason and what to do; the other sources go on."""
    with claim.step():
        found = _locked(search_id)
        if found.state in turns.OPEN:
            found.state, found.ended_at = SearchState.FAILED, timezone.now()
            found.error_code = error.code if error else code
            found.error_text = f"{error} {error.what_to_do}" if error else _UNEXPECTED
            found.save(update_fields=["state", "ended_at", "error_code", "error_text"])


_DOUBTFUL = (
    "{} records agree only in part, or by something not verified:"
    " look there, and add what is the person's by hand."
)
_UNEXPECTED = (
    "Something unexpected went wrong in this search. Search this source again;"
    " if it fails again, tell the administrator."
)


def _begin(claim: Claim, search_id: UUID) -> Plan:
    with claim.step():
        found = _wanted(search_id)
        found.state, found.started_at = SearchState.RUNNING, found.started_at or timezone.now()
        found.held_for = ""
        found.save(update_fields=["state", "started_at", "held_for"])
        cursor = Cursor.from_json(found.cursor) if found.cursor else None
        case = found.run.case
        gate = SharedGate(found.source_id, case.pk)
        connector, wanted = identifiers.connect(found.source, gate), identifiers.of(case)
        # Without a cursor it begins with the first page, whatever an attempt before this one had stored.
        known = Known.from_json(found.matches) if found.matches else None
        is_agreed = found.source.may_list_whole or found.agreed_by_id is not None
        form = store.Form.of(case)
        return Plan(connector, wanted, cursor, found.found if cursor else 0, form, gate, known, is_agreed)


def _store(claim: Claim, search_id: UUID, reading: Reading) -> None:
    """Store one page and where the next begins."""
    page = reading.page
    with claim.step():
        found = _wanted(search_id)
        reading.sealed.store(found)
        found.found, found.expected = reading.found, page.expected_total
        found.cursor = page.next.to_json() if page.next else None
        found.warnings = _warnings(found, page)
        found.save(update_fields=["found", "expected", "cursor", "warnings"])
        claim.progress(found=found.found, expected=found.expected or found.found)


def _warnings(search: SourceSearch, page: Page) -> list[str]:
    unknown = [
        f"{record_type}: {', '.join(names)} not described, not fetched"[:300]
        for record_type, names in page.unknown_fields.items()
    ]
    return list(dict.fromkeys([*search.warnings, *page.warnings, *unknown]))[:WARNINGS]


def _end(claim: Claim, search_id: UUID, matches: list[Match], doubtful: int) -> None:
    with claim.step():
        found = _wanted(search_id)
        found.state = SearchState.DONE if matches and found.found else SearchState.NO_DATA
        found.cursor, found.matches, found.ended_at = None, None, timezone.now()
        if doubtful:
            found.warnings = [_DOUBTFUL.format(doubtful), *found.warnings][:WARNINGS]
        found.save(update_fields=["state", "cursor", "matches", "ended_at", "warnings"])


def _wanted(search_id: UUID) -> SourceSearch:
    """The search, locked with its run, so that nothing is stored once the run was abandoned. Raises _NotWanted."""
    found = _locked(search_id)
    if found.state not in turns.OPEN or found.run.state != RunState.RUNNING:
        raise _NotWanted
    return found


def _locked(search_id: UUID) -> SourceSearch:
    return (
        SourceSearch.objects.select_for_update(of=("self", "run"), no_key=True)
        .select_related("run__case__subject", "run__case__subject_request", "source")
        .get(pk=search_id)
    )
