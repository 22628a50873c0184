"""Runs and their source searches as rows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from cases.collection import inquiries
from cases.models import (
    Belongs,
    Case,
    CollectionRun,
    FileState,
    RunState,
    SearchState,
    SourceSearch,
    SourceSystem,
)
from dsar.jobs.queue import enqueue
from dsar.lib.prepared import write

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
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_collectionrun SET state = %s, ended_at = %s WHERE case_id = %s AND state = %s",
            [RunState.ABANDONED.value, now, case.pk, RunState.RUNNING.value],
        )


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


@dataclass(frozen=True)
class Standing:
    """How far the open run of a case is.

    ``is_busy`` while a search runs or will; ``is_answered`` when every source has answered or was waived. ``led_on``
    where something is known now by which some may be searched again.
    """

    run_id: UUID
    is_busy: bool
    is_answered: bool
    files_are_coming: bool
    led_on: bool


def standing(case_id: UUID) -> Standing | None:
    """Where the open run stands, if there is one; in one statement, since the end of every search asks."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"case": case_id})
        found = cursor.fetchone()
        return Standing(*found) if found else None


_STANDING = f"""
SELECT run.id,
       EXISTS (SELECT FROM cases_sourcesearch one WHERE one.run_id = run.id
                  AND one.state IN ('{SearchState.QUEUED.value}', '{SearchState.RUNNING.value}')),
       NOT EXISTS (SELECT FROM cases_sourcesearch one WHERE one.run_id = run.id
                      AND one.state NOT IN ({", ".join(f"'{state.value}'" for state in ANSWERED)})),
       EXISTS (SELECT FROM cases_collectedfile file JOIN cases_sourcesearch one ON one.id = file.search_id
                WHERE one.run_id = run.id AND file.state = '{FileState.WAITING.value}'),
       EXISTS (SELECT FROM cases_foundidentifier found WHERE found.run_id = run.id AND found.struck_at IS NULL)
       OR EXISTS (SELECT FROM cases_candidate candidate WHERE candidate.case_id = run.case_id
                     AND candidate.verdict = '{Belongs.THEIRS.value}' AND NOT candidate.is_collected)
  FROM cases_collectionrun run WHERE run.case_id = %(case)s AND run.state = '{RunState.RUNNING.value}'
"""  # noqa: S608  Every part is a constant of the house.


def end(run: CollectionRun, now: datetime) -> None:
    run.state, run.ended_at = RunState.COMPLETE, now
    write(run, "state", "ended_at")
