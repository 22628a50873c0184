"""Somebody decides what a search could not: whether a match is the person, and whose a record is."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases.collection import blobs, doubts, identifiers, outstanding, rounds
from cases.collection.proof import Proof, parents
from cases.collection.store import Form
from cases.connectors.base import ConnectorError, RecordType
from cases.models import (
    Belongs,
    Candidate,
    Case,
    CollectedFile,
    CollectionRun,
    FileState,
    FoundIdentifier,
    RunState,
    SetAside,
    SourceSearch,
)
from cases.permissions import By
from cases.words import State
from cases.workflow import search
from cases.workflow.perform import act, lock, perform, put_on_record, touch
from dsar.audit.actions import Action
from dsar.audit.record import Codes
from dsar.lib.errors import Refused
from identity.roles import Permission

DECIDABLE = (State.SEARCHING, State.REVIEW)


def demand_settled(case: Case) -> None:
    """Refuse an answer while something of the collection is undecided, or still on its way."""
    left = outstanding.of(case)
    if left.records:
        raise Refused(_("Records were set aside: decide first whose they are."), "records_set_aside")
    if left.matches:
        raise Refused(_("Matches may be the person: decide first whether they are."), "matches_undecided")
    if left.fields:
        raise Refused(
            _("The sources hold fields that nobody described: they have to be classified first."),
            "fields_unclassified",
        )
    if left.fields_coming:
        raise Refused(
            _("What was said of the sources' fields is being applied. Try again in a minute."),
            "fields_not_applied",
        )
    if left.files:
        raise Refused(
            _("Files could not be fetched: fetch them again, or go on without them."), "files_missing"
        )
    if left.files_coming:
        raise Refused(_("Files are still being fetched. Try again in a minute."), "files_coming")


# --- Matches ------------------------------------------------------------------------------------------------


def decide_match(
    candidate: Candidate, verdict: Belongs, reason: str, by: By, now: datetime, *, version: int | None = None
) -> Case:
    """Say that a match is the person, which has its source searched for it, or that it is not, which destroys it."""
    with transaction.atomic():
        case = _open(candidate.case, verdict, reason, by, now, version, "decide_match")
        locked = Candidate.objects.select_for_update().get(pk=candidate.pk)
        if locked.verdict != Belongs.OPEN:
            raise Refused(_("This was decided already."), "already_decided")
        run = _latest(case)
        if verdict == Belongs.THEIRS and not run.searches.filter(source=locked.source_id).exists():
            raise Refused(
                _("This source is not searched any more: search all sources again."), "not_searched"
            )
        _decided(locked, verdict, reason, by, now)
        if verdict == Belongs.NOT_THEIRS:
            locked.match = None
        locked.save()
        touch(case)
        codes: Codes = {"source": str(locked.source_id), "verdict": verdict.value, "count": 1}
        put_on_record(case, Action.MATCH_DECIDED, by, now, codes)
        return _search_on(case, run, by, now, reason) if verdict == Belongs.THEIRS else case


def _open(
    case: Case, verdict: Belongs, reason: str, by: By, now: datetime, version: int | None, name: str
) -> Case:
    """The case, locked, where such things can be decided."""
    case = act(case, Permission.WORK, by, now, version=version, name=name)
    if case.state not in DECIDABLE:
        raise Refused(_("This is decided while the case is being searched or in review."), "not_in_review")
    if verdict not in {Belongs.THEIRS, Belongs.NOT_THEIRS}:
        raise Refused(_("Say whether it is the person."), "verdict_missing")
    if not reason.strip():
        raise Refused(_("Give the reason."), "reason_missing")
    return case


def _decided(kept: Candidate | SetAside, verdict: Belongs, reason: str, by: By, now: datetime) -> None:
    kept.verdict, kept.reason = verdict, reason.strip()
    kept.decided_by_id, kept.decided_at = by.person_id, now


def _latest(case: Case) -> CollectionRun:
    run: CollectionRun | None = case.runs.order_by("-number").first()
    if run is None:
        raise Refused(_("Nothing was searched yet."), "not_searched")
    return run


def _search_on(case: Case, run: CollectionRun, by: By, now: datetime, reason: str) -> Case:
    """The run goes on, with what was decided; a case in review goes back to searching meanwhile."""
    if run.state != RunState.RUNNING:
        case = perform(case, "search_again", by, now, reason=reason)
        run.state, run.ended_at = RunState.RUNNING, None
        run.save(update_fields=["state", "ended_at"])
        put_on_record(case, Action.RUN_STARTED, by, now, {"run": run.number})
    return search.settle(case, now)


# --- Records ------------------------------------------------------------------------------------------------


def decide_records(
    case: Case,
    ids: Sequence[UUID],
    verdict: Belongs,
    reason: str,
    by: By,
    now: datetime,
    *,
    version: int | None = None,
) -> int:
    """Say whose records are that proved nothing: the person's become items, others' are destroyed. Returns how many."""
    with transaction.atomic():
        case = _open(case, verdict, reason, by, now, version, "decide_records")
        chosen = SetAside.objects.select_for_update(of=("self",)).select_related(
            "case", "search__source", "search__run__case__controller"
        )
        kept = list(chosen.filter(case=case, pk__in=ids, verdict=Belongs.OPEN).order_by("pk"))
        if not kept:
            raise Refused(_("Choose the records first."), "nothing_selected")
        for source_id in dict.fromkeys(one.source_id for one in kept):
            mine = [one for one in kept if one.source_id == source_id]
            _decide_records(mine, verdict, reason, by, now)
            codes: Codes = {"source": str(source_id), "verdict": verdict.value, "count": len(mine)}
            put_on_record(case, Action.RECORDS_DECIDED, by, now, codes)
        touch(case)
        return len(kept)


def _decide_records(kept: Sequence[SetAside], verdict: Belongs, reason: str, by: By, now: datetime) -> None:
    found = kept[0].search
    form = Form.of(kept[0].case, found.source_id)
    if verdict == Belongs.THEIRS:
        doubts.take_in(found, form, kept)
    for one in kept:
        _decided(one, verdict, reason, by, now)
        one.content = None
        one.save()
    if verdict == Belongs.THEIRS:
        doubts.release(found, form, _proof(found, form))
        blobs.order(found, now)


def _proof(found: SourceSearch, form: Form) -> Proof:
    """What is proved by now: records that hang on those that somebody said are the person's."""
    try:
        types = identifiers.connect(found.source).capabilities().types
    except ConnectorError:
        types = dict[str, RecordType]()
    judged = doubts.judgements(found, parents(types), goes_on=True)
    return judged.proof(types, rounds.wanted(found), form, ())


# --- Identifiers --------------------------------------------------------------------------------------------


def strike(found: FoundIdentifier, reason: str, by: By, now: datetime, *, version: int | None = None) -> Case:
    """Use an identifier no more; what it led to is destroyed, and collected anew as far as it is the person's."""
    with transaction.atomic():
        case = _open(found.case, Belongs.NOT_THEIRS, reason, by, now, version, "strike_identifier")
        locked = FoundIdentifier.objects.select_for_update().get(pk=found.pk)
        run = _latest(case)
        if locked.struck_at is not None:
            raise Refused(_("It is struck out already."), "already_decided")
        if run.searches.filter(state__in=rounds.BUSY).exists():
            raise Refused(_("Wait until the search has ended."), "still_searching")
        locked.struck_by_id, locked.struck_at, locked.reason = by.person_id, now, reason.strip()
        locked.save()
        touch(case)
        put_on_record(case, Action.IDENTIFIER_STRUCK, by, now, {"source": str(locked.source_id)})
        if locked.run_id != run.pk or not run.searches.filter(round__gt=1).exists():
            return case
        rounds.unwind(run, now)
        return _search_on(case, run, by, now, reason)


# --- Files --------------------------------------------------------------------------------------------------


def fetch_again(file: CollectedFile, by: By, now: datetime) -> None:
    """Have a file fetched once more that failed or was given up."""
    with transaction.atomic():
        locked = _file(file, by, now, "fetch_file", (FileState.FAILED, FileState.WAIVED))
        locked.state, locked.attempts, locked.error_code, locked.error_text = FileState.WAITING, 0, "", ""
        locked.waiver, locked.waived_by, locked.waived_at = "", None, None
        locked.save()
        _on_file(locked, Action.FILE_ASKED_AGAIN, by, now)
        blobs.order(locked.search, now)


def waive_file(file: CollectedFile, reason: str, by: By, now: datetime) -> None:
    """Let the answer go out without a file that could not be fetched."""
    if not reason.strip():
        raise Refused(_("Give the reason."), "reason_missing")
    with transaction.atomic():
        locked = _file(file, by, now, "waive_file", (FileState.FAILED,))
        locked.state, locked.waiver = FileState.WAIVED, reason.strip()
        locked.waived_by_id, locked.waived_at = by.person_id, now
        locked.save()
        _say_missing(locked)
        _on_file(locked, Action.FILE_WAIVED, by, now)


def _say_missing(file: CollectedFile) -> None:
    """The record of the file goes out in its place, and says that the file could not be had."""
    item = file.item
    content = item.content or {}
    item.content = content | {"data": content["data"] | {blobs.MISSING: True}}
    item.save(update_fields=["content"])


def _file(
    file: CollectedFile, by: By, now: datetime, name: str, states: Sequence[FileState]
) -> CollectedFile:
    case = act(file.case, Permission.WORK, by, now, name=name)
    locked = (
        CollectedFile.objects.select_for_update(of=("self",))
        .select_related("case", "search__run", "search__source", "item__case")
        .get(pk=file.pk)
    )
    if case.state not in DECIDABLE:
        raise Refused(_("This is decided while the case is being searched or in review."), "not_in_review")
    if locked.state not in states:
        raise Refused(_("This file did not fail."), "file_not_failed")
    return locked


def _on_file(file: CollectedFile, action: Action, by: By, now: datetime) -> None:
    case = lock(file.case_id)
    touch(case)
    put_on_record(case, action, by, now, {"source": str(file.search.source_id), "item": str(file.item_id)})
