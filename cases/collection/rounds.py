"""What one source reveals of the person is used in the next round by the others; so far and no further.

Only what exact matches by verified identifiers reveal is used, in at most three rounds, and it stands on the case
with where it came from. A handler may strike an identifier out; what it led to is then collected anew without it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from cases.collection import identifiers, runs
from cases.collection.matches import Wanted
from cases.collection.proof import Trusted, plain_forms
from cases.collection.store import Form
from cases.connectors.base import Confidence, ConnectorError, Identifier, Match, NotSearchable, is_searchable
from cases.models import (
    Belongs,
    Candidate,
    Case,
    CollectionRun,
    FoundIdentifier,
    Item,
    SearchState,
    SetAside,
    SourceSearch,
    SourceSystem,
)
from dsar.lib.prepared import Prepared
from dsar.vault import files

_UNCOLLECTED = Prepared(
    lambda case_id, source_id: Candidate.objects.filter(
        case_id=case_id, source_id=source_id, verdict=Belongs.THEIRS, is_collected=False
    ).values_list("pk", flat=True)[:1],
    UUID,
    UUID,
)
MOST_ROUNDS = 3
MOST_IDENTIFIERS = 20
LONGEST = 300
_ACTIVE = Prepared(
    lambda run_id: (
        FoundIdentifier.objects.filter(run_id=run_id, struck_at=None)
        .select_related("case")
        .order_by("round", "kind", "value_hash")
    ),
    UUID,
)
BUSY = (SearchState.QUEUED, SearchState.RUNNING)
ENDED = (SearchState.DONE, SearchState.NO_DATA)


def wanted(search: SourceSearch) -> Wanted:
    """What a search looks for: in later rounds with what was revealed since."""
    case: Case = search.run.case
    revealed = [_identifier(one) for one in _active(search.run)] if search.round > 1 else []
    return Wanted(identifiers.of(case), revealed, case.controller.phone_region)


def _active(run: CollectionRun) -> Sequence[FoundIdentifier]:
    """In one order, so that a search that goes on asks for the same again."""
    return _ACTIVE.all(run.pk)


def _identifier(found: FoundIdentifier) -> Identifier:
    return Identifier(found.kind, found.content["value"], verified=True)


# --- What was revealed --------------------------------------------------------------------------------------


def reveal(search: SourceSearch, form: Form, looked_for: Wanted, matches: Sequence[Match]) -> None:
    """Keep what exact matches reveal and was not known."""
    revealed = list(_revealed(matches))
    if not revealed:
        return
    known = Trusted.of([*looked_for.verified, *map(_identifier, _active(search.run))], looked_for.region)
    room = MOST_IDENTIFIERS - FoundIdentifier.objects.filter(run=search.run).count()
    for match, one in revealed:
        if room <= 0:
            return
        if one.kind in known.forms and known.agrees(one.kind, one.value):
            continue
        room -= _keep(search, form, match, one, looked_for.region)


def _revealed(matches: Sequence[Match]) -> Iterator[tuple[Match, Identifier]]:
    for match in matches:
        if match.confidence == Confidence.EXACT and not match.is_group:
            yield from (
                (match, one) for one in match.reveals if is_searchable(one) and len(one.value) <= LONGEST
            )


def _keep(search: SourceSearch, form: Form, match: Match, one: Identifier, region: str | None) -> bool:
    """Keep one identifier for this run; what was struck out stays so. False where it is there already."""
    forms = plain_forms(one.kind, one.value, region)
    if not forms:
        return False
    place = form.blind(f"identifier|{one.kind}|{min(forms)}")
    case: Case = search.run.case
    before = FoundIdentifier.objects.filter(case=case, kind=one.kind, value_hash=place).first()
    if before is not None and (before.struck_at or before.run_id == search.run_id):
        return False
    kept = before or FoundIdentifier(controller_id=search.controller_id, case=case, kind=one.kind)
    kept.case, kept.run, kept.source, kept.round = case, search.run, search.source, search.round
    kept.value_hash, kept.used_in = place, []
    kept.content = {"value": one.value, "ref": match.ref, "type": match.type}
    kept.save()
    return True


def ended(search: SourceSearch, kinds: frozenset[str], matches: Sequence[Match]) -> None:
    """Note what was looked for and followed, so that no later round does it again; the caller saves the search."""
    earlier = search.followed or {}
    places = [*earlier.get("places", ()), *([match.type, match.ref] for match in matches)]
    before = earlier.get("before", 0) if search.round > 1 else search.found
    search.followed = {"places": places, "found": search.found, "before": before}
    if _UNCOLLECTED.exists(search.run.case_id, search.source_id):
        _confirmed(search).update(is_collected=True)
    if search.round > 1:
        for one in _active(search.run):
            if one.kind in kinds and search.source_id not in one.used_in:
                one.used_in = [*one.used_in, search.source_id]
                one.save(update_fields=["used_in"])


# --- The next round -----------------------------------------------------------------------------------------


def go_on(run: CollectionRun, now: datetime) -> bool:
    """Once nothing is searched any more: search again where there is more to search by; False where there is not."""
    searches = run.searches.select_related("source", "run__case")
    fresh = _active(run)
    queued = [_again(search, fresh, now) for search in searches if _has_answered(search)]
    return any(queued)


def _has_answered(search: SourceSearch) -> bool:
    """A source that could be asked by nothing may be asked by what others revealed."""
    return search.state in ENDED or search.error_code == NotSearchable.code


def _again(search: SourceSearch, revealed: Sequence[FoundIdentifier], now: datetime) -> bool:
    unused = [one for one in revealed if search.source_id not in one.used_in]
    is_next = (
        bool(unused)
        and search.round < MOST_ROUNDS
        and not _kinds(search.source).isdisjoint(one.kind for one in unused)
    )
    if not is_next and not _confirmed(search).exists():
        return False
    search.round += 1
    search.state, search.cursor, search.matches, search.ended_at = SearchState.QUEUED, None, None, None
    search.error_code = search.error_text = ""
    search.save()
    runs.queue(search, now)
    return True


def _kinds(source: SourceSystem) -> frozenset[str]:
    try:
        return identifiers.connect(source).capabilities().identifier_kinds
    except ConnectorError:
        return frozenset()


def _confirmed(search: SourceSearch) -> "QuerySet[Candidate]":
    """Matches of which somebody said since that they are the person."""
    return Candidate.objects.filter(
        case=search.run.case_id, source=search.source_id, verdict=Belongs.THEIRS, is_collected=False
    )


# --- Taking it back -----------------------------------------------------------------------------------------


def unwind(run: CollectionRun, now: datetime) -> int:
    """Collect anew whatever rested on what was revealed; returns how many records that takes out at first.

    What a later round found is destroyed, and each source that had one is searched from its beginning. What it finds
    without the identifier that was struck out comes back, with what was decided about it before that round.
    """
    gone = 0
    FoundIdentifier.objects.filter(run=run, struck_at=None, round__gt=1).delete()
    FoundIdentifier.objects.filter(run=run).update(used_in=[])
    for search in run.searches.filter(round__gt=1).select_related("run__case", "source"):
        gone += _forget(search)
        Candidate.objects.filter(case=run.case_id, source=search.source_id).update(is_collected=False)
        runs.queue(search, now, again=True)
    return gone


def _forget(search: SourceSearch) -> int:
    first = (search.followed or {}).get("before", 0)
    later = Item.objects.filter(search=search, number__gte=first).select_related("file")
    SetAside.objects.filter(case=search.run.case_id, search=search, verdict=Belongs.OPEN).delete()
    stored = [item.file for item in later if item.file is not None]
    later.update(file=None)
    for file in stored:
        files.remove(file)
    return later.delete()[0]
