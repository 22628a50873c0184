"""Runs and their source searches as rows."""

from datetime import datetime
from uuid import UUID

from cases.collection import inquiries
from cases.models import Case, CollectionRun, RunState, SearchState, SourceSearch, SourceSystem
from dsar.jobs.queue import enqueue

SEARCH = "search_source"

ANSWERED = (SearchState.DONE, SearchState.NO_DATA, SearchState.WAIVED)


def start(case: Case, person_id: UUID | None, now: datetime) -> CollectionRun:
    """Open a run with one search per active source, each a job. An open run of the case is abandoned."""
    abandon(case, now)
    number = case.runs.count() + 1
    run = CollectionRun.objects.create(
        controller_id=case.controller_id, case=case, number=number, started_by_id=person_id, started_at=now
    )
    for source in SourceSystem.objects.filter(controller_id=case.controller_id, is_active=True):
        search = SourceSearch.objects.create(controller_id=case.controller_id, run=run, source=source)
        queue(search, now)
    return run


def abandon(case: Case, now: datetime) -> None:
    """What its searches still find is not stored."""
    case.runs.filter(state=RunState.RUNNING).update(state=RunState.ABANDONED, ended_at=now)


def queue(search: SourceSearch, now: datetime, *, again: bool = False) -> None:
    """Put a search into the queue, or the question to whoever searches; ``again`` forgets its error and begins anew."""
    if again:
        search.state, search.cursor, search.found = SearchState.QUEUED, None, 0
        search.matches, search.held_for = None, ""
        search.round, search.followed = 1, None
        search.error_code = search.error_text = search.waiver = ""
        search.waiver_proposed_by = None
        search.ended_at = None
        search.save()
    if inquiries.is_manual(search.source):
        inquiries.ask(search, now)
        return
    enqueue(
        SEARCH,
        controller_id=search.controller_id,
        case_id=search.run.case_id,
        key=key(search),
        args={"search": str(search.pk)},
        now=now,
        max_attempts=6,
        takes_turns=True,
    )


def go_on(search: SourceSearch, now: datetime) -> None:
    """Take up a search that failed from where it stopped: what it failed of is over."""
    search.state, search.error_code, search.error_text, search.ended_at = SearchState.QUEUED, "", "", None
    search.save(update_fields=["state", "error_code", "error_text", "ended_at"])
    queue(search, now)


def key(search: SourceSearch) -> str:
    """Under which its job is queued: another for each round, because one round orders the next before it has ended."""
    return f"search:{search.pk}:{search.round}"


def is_complete(run: CollectionRun) -> bool:
    """Every source has answered, or was waived."""
    return not run.searches.exclude(state__in=ANSWERED).exists()


def end(run: CollectionRun, now: datetime) -> None:
    run.state, run.ended_at = RunState.COMPLETE, now
    run.save(update_fields=["state", "ended_at"])
