"""Trials of connections: by the clock, because somebody asked, or before new credentials replace the old."""

import threading
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.translation import gettext as _

from cases.collection import identifiers, turns
from cases.connectors.base import Check, ConfigurationError, Connector, ConnectorError, Throttled, TimedOut
from cases.correspondence import source_trouble
from cases.models import CheckStage, SourceCheck, SourceSystem
from cases.permissions import BY_SYSTEM, By
from cases.workflow import standing
from cases.workflow.in_charge import Staff
from dsar.audit.actions import Action
from dsar.audit.record import Codes, record
from dsar.jobs.queue import enqueue
from dsar.lib.errors import Refused

CHECK = "check_source"
CHECK_SECONDS = 45.0
EVERY = timedelta(hours=1)
SPREAD_SECONDS = 600
TOLD_BEFORE = timedelta(days=14)
OPEN: Final = (CheckStage.WAITING, CheckStage.RUNNING)
WARNINGS = 20


@dataclass(frozen=True)
class Trial:
    """What a trial showed: the connector's answer, or what went wrong; and how long it took."""

    milliseconds: int
    check: Check | None = None
    error: ConnectorError | None = None
    code: str = ""


# -- asking for one --------------------------------------------------------------------------------------


def ask(source: SourceSystem, by: By, now: datetime) -> SourceCheck:
    """Try the connection as it is; a trial that has not ended yet is the answer already."""
    standing.require(by, source.controller_id, now, "check_source")
    waiting = source.checks.filter(stage__in=OPEN, candidate=None).first()
    return waiting or _ordered(source, by, now)


def offer(
    source: SourceSystem, given: dict[str, str], by: By, now: datetime, *, for_erasing: bool = False
) -> SourceCheck:
    """Try new credentials; they replace those in use when they work, and are forgotten when they do not.

    What is not given stays as it is. Raises Refused where the connector cannot use them.
    """
    with transaction.atomic():
        locked = standing.administered(source, by, now, "change_credentials")
        present = (locked.erasing_secrets or {}) if for_erasing else locked.secrets
        wanted = {**present, **{name: value for name, value in given.items() if value}}
        if wanted == present:
            raise Refused(_("Nothing was entered: the credentials stay as they are."), "nothing_given")
        _usable(locked, wanted)
        locked.checks.filter(stage__in=OPEN).exclude(candidate=None).update(candidate=None)
        check = _ordered(locked, by, now, wanted, for_erasing=for_erasing)
        _record(locked, Action.CREDENTIALS_OFFERED, by, now, check)
        return check


def _usable(source: SourceSystem, secrets: dict[str, str]) -> None:
    try:
        identifiers.connect_with(source, secrets).close()
    except ConfigurationError as error:
        raise Refused(str(error), "not_usable") from None


def drop_erasing(source: SourceSystem, by: By, now: datetime) -> None:
    """Forget the credentials for erasing: nothing is changed in this source any more but by hand."""
    with transaction.atomic():
        locked = standing.administered(source, by, now, "change_credentials")
        locked.erasing_secrets = None
        locked.save(update_fields=["erasing_secrets"])
        codes: Codes = {"source": str(locked.pk), "for": "erasing", "what": "removed"}
        record(Action.CREDENTIALS_CHANGED, by.actor, now, controller_id=locked.controller_id, data=codes)


def _ordered(
    source: SourceSystem,
    by: By,
    now: datetime,
    candidate: dict[str, str] | None = None,
    *,
    for_erasing: bool = False,
    spread: timedelta = timedelta(),
) -> SourceCheck:
    check = SourceCheck(
        controller_id=source.controller_id,
        source=source,
        key_id=source.key_id,
        asked_by_id=by.person_id,
        asked_at=now,
        candidate=candidate,
        is_for_erasing=for_erasing,
    )
    check.save(force_insert=True)
    enqueue(
        CHECK,
        controller_id=source.controller_id,
        key=f"check:{check.pk}",
        args={"check": str(check.pk)},
        now=now,
        not_before=now + spread if spread else None,
        max_attempts=2,
    )
    return check


def order_due(controller_id: UUID, now: datetime) -> None:
    """Upkeep: every connection is tried each hour, not all at once.

    Not where the account was refused: trying again could lock it out. Not what is paused, stopped or switched off.
    """
    if turns.is_stopped(controller_id):
        return
    tried_lately = SourceCheck.objects.filter(asked_at__gt=now - EVERY).values("source_id")
    due = SourceSystem.objects.filter(
        controller_id=controller_id, is_active=True, paused_at=None, needs_admin_at=None
    ).exclude(pk__in=tried_lately)
    for source in due:
        _ordered(source, BY_SYSTEM, now, spread=timedelta(seconds=source.pk.int % SPREAD_SECONDS))


# -- trying ----------------------------------------------------------------------------------------------


def begin(check_id: UUID) -> Connector | Trial | None:
    """The connector to try, or what is wrong with its settings; None where the trial has ended already."""
    check = SourceCheck.objects.select_for_update().select_related("source").get(pk=check_id)
    if check.stage not in OPEN:
        return None
    check.stage = CheckStage.RUNNING
    check.save(update_fields=["stage"])
    try:
        return _connected(check)
    except ConfigurationError as error:
        return Trial(0, error=error)


def _connected(check: SourceCheck) -> Connector:
    source = check.source
    if check.candidate is not None:
        return identifiers.connect_with(source, check.candidate)
    return identifiers.connect(source)


def try_out(connector: Connector, seconds: float = CHECK_SECONDS) -> Trial:
    """Ask the source, for so long at most; nothing of our database is held meanwhile.

    A call that hangs can't be ended from outside: its thread is left behind, and ends with the process.
    """
    began, ended = time.monotonic(), list[Trial]()
    thread = threading.Thread(target=lambda: ended.append(_tried(connector, began)), daemon=True)
    thread.start()
    thread.join(seconds)
    return ended[0] if ended else Trial(int(seconds * 1000), error=TimedOut())


def _tried(connector: Connector, began: float) -> Trial:
    try:
        check, error, code = connector.check(), None, ""
    except ConnectorError as trouble:
        check, error, code = None, trouble, ""
    except Exception as trouble:  # noqa: BLE001  A connector of somebody else's may raise anything.
        check, error, code = None, None, f"unexpected_{type(trouble).__name__}"
    finally:
        connector.close()
    return Trial(int((time.monotonic() - began) * 1000), check, error, code)


# -- what it showed --------------------------------------------------------------------------------------


def ended(check_id: UUID, trial: Trial, now: datetime) -> None:
    """Keep what a trial showed, and draw the consequences for the source and its searches."""
    check = SourceCheck.objects.select_for_update().select_related("source").get(pk=check_id)
    if check.stage not in OPEN:
        return
    candidate, check.candidate = check.candidate, None
    _note(check, trial, now)
    check.save()
    source = SourceSystem.objects.select_for_update(no_key=True).get(pk=check.source_id)
    if candidate is not None:
        _take_or_leave(source, check, candidate, now)
    elif check.stage == CheckStage.GOOD:
        _is_well(source, now)
    elif trial.error is not None and not isinstance(trial.error, Throttled):
        standing.went_wrong(source.pk, trial.error, now)
    if check.asked_by_id is not None:
        _record(source, Action.SOURCE_CHECKED, BY_SYSTEM, now, check)
    _tell_of_expiry(source, now)


def _note(check: SourceCheck, trial: Trial, now: datetime) -> None:
    check.ended_at, check.latency_ms = now, trial.milliseconds
    check.stage = CheckStage.GOOD if trial.check else CheckStage.BAD
    if trial.check is not None:
        shown = trial.check
        check.account, check.server = shown.account, shown.server[:200]
        check.warnings = [warning[:300] for warning in shown.warnings[:WARNINGS]]
        check.unknown_fields = {name: list(fields) for name, fields in shown.unknown_fields.items()}
        check.credentials_expire_at = shown.credentials_expire_at
    elif trial.error is not None:
        check.error_code, check.error_text = trial.error.code, turns.told(trial.error)
    else:
        check.error_code = trial.code[:60]


def _take_or_leave(
    source: SourceSystem, check: SourceCheck, candidate: dict[str, str], now: datetime
) -> None:
    """New credentials that work are taken into use, and what waited for them goes on; others are forgotten."""
    if check.stage != CheckStage.GOOD:
        _record(source, Action.CREDENTIALS_REFUSED, BY_SYSTEM, now, check)
        return
    if check.is_for_erasing:
        source.erasing_secrets = candidate
        source.save(update_fields=["erasing_secrets"])
    else:
        source.secrets, source.credentials_expire_on, source.expiry_told_for = candidate, None, None
        source.save(update_fields=["secrets", "credentials_expire_on", "expiry_told_for"])
        _is_well(source, now)
    _record(source, Action.CREDENTIALS_CHANGED, BY_SYSTEM, now, check)


def _is_well(source: SourceSystem, now: datetime) -> None:
    """It answers: neither a refused account nor a rest stands against it any more. A pause is lifted by people."""
    if source.needs_admin_at is None and source.failures < turns.FAILURES_TO_REST:
        return
    standing.clear_trouble(source)
    codes: Codes = {"source": str(source.pk)}
    record(Action.SOURCE_RECOVERED, BY_SYSTEM.actor, now, controller_id=source.controller_id, data=codes)
    standing.release([source.pk], now)


def expires_on(source: SourceSystem) -> date | None:
    """When its credentials end: as the source last said, or as the administrator knows; the earlier."""
    said = (
        source.checks.filter(stage=CheckStage.GOOD, is_for_erasing=False)
        .values_list("credentials_expire_at", flat=True)
        .first()
    )
    days = [day for day in (source.credentials_expire_on, said.date() if said else None) if day]
    return min(days, default=None)


def mails(source_id: UUID, what: str, now: datetime) -> list[EmailMessage]:
    """To each administrator of the brand; none where it was seen to meanwhile."""
    source = SourceSystem.objects.select_related("controller").get(pk=source_id)
    if what == "needs_admin" and source.needs_admin_at is None:
        return []
    people = Staff(source.controller_id, now.astimezone(source.controller.zone).date()).administrators
    ends = expires_on(source)
    return [source_trouble.mail(source, person, what, ends) for person in people.values()]


def _tell_of_expiry(source: SourceSystem, now: datetime) -> None:
    """Administrators are told once of each end."""
    ends = expires_on(source)
    if ends and ends <= (now + TOLD_BEFORE).date() and ends != source.expiry_told_for:
        source.expiry_told_for = ends
        source.save(update_fields=["expiry_told_for"])
        standing.tell(source, "expires", now)


def _record(source: SourceSystem, action: Action, by: By, now: datetime, check: SourceCheck) -> None:
    codes: Codes = {
        "source": str(source.pk),
        "check": str(check.pk),
        "stage": str(check.stage),
        "code": check.error_code,
        "for": "erasing" if check.is_for_erasing else "reading",
    }
    record(action, by.actor, now, controller_id=source.controller_id, data=codes)
