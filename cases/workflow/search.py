"""The sources are searched: begin, rerun, waive, finish."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases.collection import rounds, runs
from cases.errors import not_yours
from cases.models import Case, CollectionRun, RunState, SearchState, SourceSearch
from cases.permissions import BY_SYSTEM, By
from cases.words import State
from cases.workflow import disputed, plan, portability, suppression
from cases.workflow.perform import act, lock, perform, put_on_record, refuse, touch
from dsar.audit.actions import Action
from dsar.lib.errors import Refused
from dsar.lib.prepared import Prepared
from identity.roles import Permission

_RUN = Prepared(lambda run_id: CollectionRun.objects.filter(pk=run_id), UUID)


def begin(case: Case, by: By, now: datetime) -> Case:
    """Move to searching and search every source of the controller."""
    with transaction.atomic():
        case = perform(case, "begin_search", by, now)
        start_run(case, by, now)
        return case


def start_run(case: Case, by: By, now: datetime) -> CollectionRun:
    """A new run for a case in searching; it ends at once where the controller has no sources."""
    run = runs.start(case, by.person_id, now)
    put_on_record(case, Action.RUN_STARTED, by, now, {"run": run.number})
    settle(case, now)
    return run


def again(case: Case, by: By, now: datetime, *, reason: str, version: int | None = None) -> Case:
    """Search all sources anew from the review; what was found before is kept, what changed is seen again."""
    with transaction.atomic():
        case = perform(case, "search_again", by, now, version=version, reason=reason)
        start_run(case, by, now)
        return case


def late_answer(case: Case, by: By, now: datetime) -> Case:
    """Void the approval and search again, with what the answer says."""
    with transaction.atomic():
        case = perform(case, "take_late_answer", by, now)
        void_proposal(case)
        start_run(case, by, now)
        return case


def void_proposal(case: Case) -> None:
    """An open proposal does not survive what it was made for."""
    case.decisions.filter(verdict="open").update(verdict="void")


def settle(case: Case, now: datetime) -> Case:
    """Where every source of the open run has answered or is waived, end the run and go on to review.

    What a source revealed of the person may send others round again first; and all files have to be here.
    """
    return _settled(lock(case.pk), now)


def _settled(case: Case, now: datetime) -> Case:
    found = runs.standing(case.pk)
    if found is None or found.is_busy:
        return case
    run = _RUN.get(found.run_id)
    if found.led_on and rounds.go_on(run, now):
        return case
    if not found.is_answered or found.files_are_coming:
        return case
    runs.end(run, now)
    return _to_review(case, now) if case.state == State.SEARCHING else case


def _to_review(case: Case, now: datetime) -> Case:
    """What was found is sorted by rules where the right has some, and a person goes on."""
    case = perform(case, "finish_search", BY_SYSTEM, now, is_held=True)
    portability.sort(case, BY_SYSTEM, now)
    disputed.look(case, now)
    plan.propose(case, BY_SYSTEM, now)
    return case


def search_ended(case: Case, search: SourceSearch, now: datetime) -> None:
    """A source has answered or failed: put it on the locked case's record, and see whether it was the last."""
    put_on_record(
        case,
        Action.SEARCH_ENDED,
        BY_SYSTEM,
        now,
        {
            "source": str(search.source_id),
            "state": search.state,
            "found": search.found,
            "code": search.error_code,
        },
    )
    _settled(case, now)


def rerun(search: SourceSearch, by: By, now: datetime) -> SourceSearch:
    """Search one failed source again; the others stand."""
    with transaction.atomic():
        case = act(search.run.case, Permission.WORK, by, now, name="rerun_search")
        locked = SourceSearch.objects.select_for_update().get(pk=search.pk)
        if not case.runs.filter(pk=locked.run_id, state=RunState.RUNNING).exists():
            raise Refused(_("This search is over: search all sources again instead."), "run_over")
        if locked.state != SearchState.FAILED:
            raise Refused(
                _("Only a source that ended with an error is searched again alone."), "search_not_failed"
            )
        runs.queue(locked, now, again=True)
        put_on_record(case, Action.SEARCH_RERUN, by, now, {"source": str(locked.source_id)})
        return locked


def propose_waiver(search: SourceSearch, reason: str, by: By, now: datetime) -> None:
    """Ask a second person to let the answer go out without a failed source; the pack will say why."""
    if not reason.strip():
        raise Refused(_("Give the reason: it is printed in the answer."), "reason_missing")
    with transaction.atomic():
        case = act(search.run.case, Permission.WORK, by, now, name="propose_waiver")
        locked = _failed(search)
        locked.waiver, locked.waiver_proposed_by_id = reason.strip(), by.person_id
        locked.save(update_fields=["waiver", "waiver_proposed_by"])
        touch(case)


def waive(search: SourceSearch, by: By, now: datetime) -> Case:
    """A second person agrees that the answer goes out without this source."""
    with transaction.atomic():
        case = act(search.run.case, Permission.WAIVE_SOURCE, by, now, name="waive_source")
        locked = _failed(search)
        if locked.waiver_proposed_by_id is None:
            raise Refused(_("Nobody has proposed to go on without this source."), "no_waiver_proposed")
        if locked.waiver_proposed_by_id == by.person_id:
            refuse(case, "waive_source", by, now, not_yours("waive_own_proposal"))
        locked.state, locked.waived_by_id, locked.ended_at = SearchState.WAIVED, by.person_id, now
        locked.held_for = ""
        locked.save(update_fields=["state", "held_for", "waived_by", "ended_at"])
        put_on_record(case, Action.SEARCH_WAIVED, by, now, {"source": str(locked.source_id)})
        return settle(case, now)


def _failed(search: SourceSearch) -> SourceSearch:
    locked = SourceSearch.objects.select_for_update().get(pk=search.pk)
    if locked.state not in {SearchState.FAILED, SearchState.HELD}:
        raise Refused(_("This source did not fail, and waits for nothing."), "search_not_failed")
    return locked


def stop_marketing(case: Case, by: By, now: datetime) -> Case:
    """An objection to marketing needs no decision: tasks for every source, at once (Art 21(3))."""
    from cases.workflow import carry_out  # carrying out needs this module for erasures

    with transaction.atomic():
        case = perform(case, "stop_marketing", by, now)
        carry_out.make_tasks(case, None, by, now)
        suppression.follow(case, by, now)
        return case


def resume(case: Case, now: datetime) -> Case:
    """Back in searching after a question: where the sources answered meanwhile, go on to review."""
    if case.state == State.SEARCHING and not case.runs.filter(state="running").exists():
        latest = case.runs.order_by("-number").first()
        if latest is None or latest.state == RunState.ABANDONED:
            start_run(case, BY_SYSTEM, now)
        else:
            return _to_review(lock(case.pk), now)
    return lock(case.pk)
