"""Reviewers' signals: from where a request came is noted, and what somebody looked into is put aside."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases import queries, signals
from cases.errors import not_yours
from cases.models import Case, RequestOrigin, SignalDismissal, SubjectRequest
from cases.permissions import By
from cases.workflow.perform import act, put_on_record, refuse
from dsar.audit.actions import Action
from dsar.lib import crypto
from dsar.lib.errors import Refused
from identity.roles import Permission


def note_origin(request: SubjectRequest, network: str, language: str, country: str, now: datetime) -> None:
    """Keep from where a request came, as coarsely as serves: a keyed hash, a language, a country."""
    key = queries.lookup_key(request.controller_id, now)
    RequestOrigin.objects.get_or_create(
        subject_request=request,
        defaults={
            "controller_id": request.controller_id,
            "network": crypto.blind(key, f"origin|{network}"),
            "language": language[:20],
            "country": country,
            "at": now,
        },
    )


def dismiss(case: Case, signal_id: UUID, remark: str, by: By, now: datetime) -> SignalDismissal:
    """Somebody looked into it: say so, for the next one. It changes nothing else. Raises NotAllowed or Refused."""
    with transaction.atomic():
        locked = act(case, None, by, now, name="dismiss_signal")
        if not may_see(by, locked.controller_id):
            refuse(locked, "dismiss_signal", by, now, not_yours("dismiss_signal"))
        if not remark.strip():
            raise Refused(_("Say what you found when you looked."), "remark_missing")
        found = next((one for one in signals.of(locked, now) if one.id == signal_id), None)
        if found is None or found.dismissal is not None:
            raise Refused(_("This signal is not there any more, or was put aside."), "no_signal")
        return _kept(locked, found, remark.strip(), by, now)


def may_see(by: By, controller_id: UUID) -> bool:
    """Those who judge who asks, and those who approve: never agents, whose callers would hear of it."""
    return any(by.allows(one, controller_id) for one in (Permission.RECORD_IDENTITY, Permission.APPROVE))


def _kept(case: Case, found: signals.Shown, remark: str, by: By, now: datetime) -> SignalDismissal:
    assert by.person_id is not None
    kept = SignalDismissal(
        controller_id=case.controller_id,
        subject_request=case.subject_request,
        code=found.signal.code.value,
        facts=found.signal.digest,
        dismissed_by_id=by.person_id,
        dismissed_at=now,
    )
    kept.remark = remark
    kept.save()
    codes = {"signal": kept.code, "facts": kept.facts}
    put_on_record(case, Action.SIGNAL_DISMISSED, by, now, codes)
    return kept
