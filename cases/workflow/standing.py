"""How sources stand: paused and resumed by people, resting after failures, stopped all at once.

What was held goes on by itself when the hold is over. Nothing here looks into a case but to let its searches go on.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases import errors
from cases.collection import runs, turns
from cases.connectors.base import AuthError, ConnectorError, Throttled
from cases.fulfilment import dry_run, parts
from cases.models import (
    CollectionStop,
    HeldFor,
    RunState,
    SearchState,
    SourceSearch,
    SourceSystem,
)
from cases.permissions import BY_SYSTEM, By
from cases.workflow import marking
from cases.workflow.perform import act, put_on_record
from dsar.audit.actions import Action
from dsar.audit.record import Codes, record, record_whatever_happens
from dsar.jobs.queue import bring_forward, enqueue
from dsar.jobs.run import Claim, RetryLater
from dsar.lib.errors import NotAllowed, Refused
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.access import all_controllers
from identity.roles import Permission

TELL = "tell_of_source_trouble"
# A source that is well again, or was seen to, is asked anew by what failed of it; other errors would only recur.
HEALED: Final = ("auth", "permission", "transient", "unreachable", "timeout", "throttled", "worker_lost")


# -- by people -------------------------------------------------------------------------------------------


def administered(source: SourceSystem, by: By, now: datetime, name: str) -> SourceSystem:
    """The source, locked; raises NotAllowed, put on record, for whoever does not administer its controller."""
    require(by, source.controller_id, now, name)
    return SourceSystem.objects.select_for_update(no_key=True).get(pk=source.pk)


def require(by: By, controller_id: UUID, now: datetime, name: str) -> None:
    """Raises NotAllowed, put on record, unless this person (or the operator) administers the controller."""
    if by.actor.kind == "operator" or by.allows(Permission.ADMINISTER, controller_id):
        return
    refusal: NotAllowed = errors.not_yours(name)
    codes: Codes = {"act": name, "code": refusal.code}
    record_whatever_happens(Action.ACT_REFUSED, by.actor, now, controller_id=controller_id, data=codes)
    raise refusal


def pause(source: SourceSystem, reason: str, by: By, now: datetime) -> SourceSystem:
    """Ask the source for nothing until somebody resumes it; what runs stops after the page it is at."""
    if not reason.strip():
        raise Refused(_("Give the reason: those whose cases wait will read it."), "reason_missing")
    with transaction.atomic():
        locked = administered(source, by, now, "pause_source")
        if locked.paused_at is not None:
            raise Refused(_("This source is paused already."), "paused_already")
        locked.paused_at, locked.paused_by_id, locked.pause_reason = now, by.person_id, reason.strip()
        locked.save(update_fields=["paused_at", "paused_by", "pause_reason"])
        _record(locked, Action.SOURCE_PAUSED, by, now)
        return locked


def resume(source: SourceSystem, by: By, now: datetime) -> SourceSystem:
    """Ask it again: a pause, a rest and a refused account are over, and what waited goes on."""
    with transaction.atomic():
        locked = administered(source, by, now, "resume_source")
        locked.paused_at = locked.paused_by_id = locked.pause_reason = None
        locked.save(update_fields=["paused_at", "paused_by", "pause_reason"])
        clear_trouble(locked)
        _record(locked, Action.SOURCE_RESUMED, by, now)
        release([locked.pk], now)
        return locked


def clear_trouble(source: SourceSystem) -> None:
    """Nothing is known against the source any more."""
    source.failures, source.held_until, source.needs_admin_at = 0, None, None
    source.trouble_code = source.trouble_text = ""
    source.save(update_fields=["failures", "held_until", "needs_admin_at", "trouble_code", "trouble_text"])


def rerun_failed(source: SourceSystem, by: By, now: datetime) -> int:
    """Search again, where it failed, for every case that waits for it; returns for how many."""
    with transaction.atomic():
        locked = administered(source, by, now, "rerun_failed")
        failed = list(_waiting([locked.pk]).filter(state=SearchState.FAILED))
        for search in failed:
            runs.queue(search, now, again=True)
            codes: Codes = {"source": str(locked.pk)}
            put_on_record(search.run.case, Action.SEARCH_RERUN, by, now, codes)
        return len(failed)


def agree(search: SourceSearch, by: By, now: datetime) -> SourceSearch:
    """A handler agrees that this source is paged through as a whole for this case."""
    with transaction.atomic():
        case = act(search.run.case, Permission.WORK, by, now, name="agree_to_search")
        bring_forward([runs.key(search)], now)
        locked = SourceSearch.objects.select_for_update().get(pk=search.pk)
        if locked.held_for != HeldFor.AGREEMENT:
            raise Refused(_("This source does not wait for your agreement."), "no_agreement_needed")
        locked.agreed_by_id, locked.held_for, locked.state = by.person_id, "", SearchState.QUEUED
        locked.error_text = ""
        locked.save(update_fields=["agreed_by", "held_for", "state", "error_text"])
        put_on_record(case, Action.SEARCH_AGREED, by, now, {"source": str(locked.source_id)})
        return locked


# -- stopping everything ---------------------------------------------------------------------------------


def stop_collection(controller_id: UUID | None, reason: str, by: By, now: datetime) -> CollectionStop:
    """Stop all collection, of one controller or of the installation; what runs stops within seconds."""
    if not reason.strip():
        raise Refused(_("Give the reason: everybody who works here will read it."), "reason_missing")
    _require_switch(controller_id, by, now, "stop_collection")
    with transaction.atomic():
        if CollectionStop.objects.filter(controller=controller_id, lifted_at=None).exists():
            raise Refused(_("Collection is stopped already."), "stopped_already")
        purpose = KeyPurpose.STAFF if controller_id is None else KeyPurpose.CONTROLLER
        stop = CollectionStop(
            controller_id=controller_id,
            key=keyring.shared_key(purpose, controller_id, now),
            stopped_by_id=by.person_id,
            stopped_at=now,
            reason=reason.strip(),
        )
        stop.save(force_insert=True)
        _record_stop(stop, Action.COLLECTION_STOPPED, by, now)
        return stop


def lift_stop(stop: CollectionStop, by: By, now: datetime) -> None:
    """Let collection go on: what waited for nothing else begins again by itself."""
    _require_switch(stop.controller_id, by, now, "lift_stop")
    with transaction.atomic():
        locked = CollectionStop.objects.select_for_update().get(pk=stop.pk)
        if locked.lifted_at is not None:
            raise Refused(_("Collection goes on already."), "not_stopped")
        locked.lifted_at, locked.lifted_by_id = now, by.person_id
        locked.save(update_fields=["lifted_at", "lifted_by"])
        _record_stop(locked, Action.COLLECTION_RESUMED, by, now)
        of_all = SourceSystem.objects.all()
        mine = of_all.filter(controller=stop.controller_id) if stop.controller_id else of_all
        release(list(mine.values_list("pk", flat=True)), now)


def may_switch_all(by: By) -> bool:
    """The switch of the whole installation is for whoever administers every controller, and for the operator."""
    return by.actor.kind == "operator" or all(
        by.allows(Permission.ADMINISTER, controller_id) for controller_id in all_controllers()
    )


def _require_switch(controller_id: UUID | None, by: By, now: datetime, name: str) -> None:
    if controller_id is not None:
        require(by, controller_id, now, name)
    elif not may_switch_all(by):
        raise errors.not_yours(name)


def _record_stop(stop: CollectionStop, action: Action, by: By, now: datetime) -> None:
    codes: Codes = {"stop": str(stop.pk), "everywhere": stop.controller_id is None}
    record(action, by.actor, now, controller_id=stop.controller_id, data=codes)


# -- by what sources answer ------------------------------------------------------------------------------


def release(source_ids: Collection[UUID], now: datetime) -> None:
    """Let go on what these sources held up: what was put on hold, and what failed of what is over now."""
    waiting = _waiting(source_ids)
    held = waiting.filter(state=SearchState.HELD).exclude(held_for=HeldFor.AGREEMENT)
    # Jobs before searches, as workers lock them.
    bring_forward([runs.key(search) for search in held], now)
    SourceSearch.objects.filter(pk__in=[search.pk for search in held], state=SearchState.HELD).update(
        state=SearchState.QUEUED, held_for=""
    )
    for search in waiting.filter(state=SearchState.FAILED, error_code__in=HEALED, waiver_proposed_by=None):
        runs.go_on(search, now)
    parts.release(source_ids, HEALED, now)
    dry_run.release(source_ids, HEALED, now)
    marking.release(source_ids, now)


def _waiting(source_ids: Collection[UUID]) -> "QuerySet[SourceSearch]":
    return SourceSearch.objects.filter(
        source_id__in=list(source_ids), run__state=RunState.RUNNING
    ).select_related("run__case")


def went_well(source_id: UUID, now: datetime) -> None:
    """The source answered a search to its end; where it rested, everything that waited goes on."""
    if turns.went_well(source_id, now):
        source = SourceSystem.objects.get(pk=source_id)
        _record(source, Action.SOURCE_RECOVERED, BY_SYSTEM, now)
        release([source_id], now)


def after_trouble(claim: Claim, search: SourceSearch, error: ConnectorError, now: datetime) -> None:
    """What a search's trouble means for it and for others. Raises where it goes on later; else it has failed."""
    if isinstance(error, Throttled):
        raise turns.patience(
            claim,
            SourceSearch.objects.filter(pk=search.pk),
            error,
            lambda wait: turns.mark(search.pk, turns.Hold(HeldFor.THROTTLED, wait)),
        )
    goes_on = error.retryable and not claim.last_attempt
    with claim.step():
        rests = went_wrong(search.source_id, error, now)
        if rests and goes_on:
            turns.mark(search.pk, turns.Hold(HeldFor.RESTING, rests))
    if goes_on:
        raise RetryLater(error.code, rests)


def went_wrong(source_id: UUID, error: ConnectorError, now: datetime) -> timedelta | None:
    """Draw the consequences for everybody who needs this source; how long it rests, where it does now."""
    if isinstance(error, AuthError):
        _refused(source_id, error, now)
        return None
    if not error.retryable:
        return None
    begins = turns.failed(source_id, error, now)
    source = SourceSystem.objects.get(pk=source_id)
    if begins:
        _record(source, Action.SOURCE_RESTS, BY_SYSTEM, now, code=error.code)
    return source.held_until - now if source.held_until and source.held_until > now else None


def _refused(source_id: UUID, error: ConnectorError, now: datetime) -> None:
    """Said to administrators once: until one of them has seen to it, nobody asks the source again."""
    if turns.refused_account(source_id, error, now):
        source = SourceSystem.objects.get(pk=source_id)
        _record(source, Action.SOURCE_REFUSES_ACCOUNT, BY_SYSTEM, now, code=error.code)
        tell(source, "needs_admin", now)


def tell(source: SourceSystem, what: str, now: datetime) -> None:
    """Write to the administrators of the brand."""
    enqueue(
        TELL,
        controller_id=source.controller_id,
        key=f"source-trouble:{source.pk}:{what}",
        args={"source": str(source.pk), "what": what},
        now=now,
    )


def _record(source: SourceSystem, action: Action, by: By, now: datetime, **codes: str) -> None:
    data: Codes = {"source": str(source.pk), **codes}
    record(action, by.actor, now, controller_id=source.controller_id, data=data)
