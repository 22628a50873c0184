"""What is late says why: a coded reason, asked for before it goes to approval, is approved, or is sent."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cases import queries
from cases.deadlines.deadline import Deadline
from cases.errors import not_yours
from cases.models import Case, Lateness
from cases.permissions import By
from cases.words import LateReason, Outcome
from cases.workflow.perform import act, put_on_record, refuse, touch
from dsar.audit.actions import Action
from dsar.lib.errors import Refused
from identity.roles import Permission

# These say no to the requester: the law sets their letter a date of its own (Art 12(4); U8, E8).
SAYS_NO = frozenset({Outcome.REFUSED, Outcome.IDENTITY_NOT_VERIFIED, Outcome.NO_REPLY})


@dataclass(frozen=True)
class Why:
    """The reason as somebody gave it; without a code none was given."""

    code: str = ""
    remark: str = ""


NOT_SAID = Why()


def missed(case: Case, now: datetime, outcome: str = "") -> date | None:
    """The day by which this should have been out, where that day is over by the brand's calendar; else None.

    What is closed was late or not on the day on which it closed.
    """
    limit = _limit(queries.deadline_of(case, now), outcome)
    on = (case.closed_at or now).astimezone(case.controller.zone).date()
    return limit if limit is not None and limit < on else None


def _limit(deadline: Deadline, outcome: str) -> date | None:
    """For an answer its date; to say no the law may give less time, as Art 12(4) GDPR does after an extension."""
    if outcome not in SAYS_NO or deadline.refusal_by is None:
        return deadline.due_on
    return min(deadline.refusal_by, deadline.due_on or deadline.refusal_by)


def outstanding(case: Case, now: datetime, outcome: str = "") -> date | None:
    """A date that was missed and not explained yet; None where there is none."""
    on = missed(case, now, outcome)
    if on is None or case.is_drill or case.latenesses.filter(missed_on=on).exists():
        return None
    return on


def demand(case: Case, why: Why, by: By, now: datetime, outcome: str = "") -> None:
    """Let nothing late pass without its reason: take the one given, or raise Refused where none is known."""
    on = outstanding(case, now, outcome)
    if on is None:
        return
    if not why.code:
        sentence = _("This was due by %(day)s: say why it is late.")
        raise Refused(sentence % {"day": date_format(on, "DATE_FORMAT")}, "late_reason_missing")
    _keep(case, on, why, by, now)


def explain(case: Case, why: Why, by: By, now: datetime, *, version: int | None = None) -> Lateness:
    """Say why a case is late, at any time. Raises NotAllowed, or Refused where nothing is late or it was said."""
    with transaction.atomic():
        locked = act(case, None, by, now, version=version, name="explain_lateness")
        deciders = (Permission.WORK, Permission.APPROVE, Permission.APPROVE_FOR_CONTROLLER)
        if not any(by.allows(one, locked.controller_id) for one in deciders):
            refuse(locked, "explain_lateness", by, now, not_yours("explain_lateness"))
        on = outstanding(locked, now, locked.proposed_outcome)
        if on is None:
            raise Refused(_("Nothing here is late without a reason."), "not_late")
        kept = _keep(locked, on, why, by, now)
        touch(locked)
        return kept


def _keep(case: Case, on: date, why: Why, by: By, now: datetime) -> Lateness:
    if why.code not in LateReason.values:
        raise Refused(_("Choose from the list why it is late."), "late_reason_unknown")
    if why.code == LateReason.OTHER and not why.remark.strip():
        raise Refused(_("Say in words why it is late."), "late_remark_missing")
    assert by.person_id is not None
    kept = Lateness(
        controller_id=case.controller_id,
        case=case,
        missed_on=on,
        reason=why.code,
        given_by_id=by.person_id,
        given_at=now,
    )
    kept.remark = why.remark.strip()
    kept.save()
    codes = {"reason": why.code, "missed": on.isoformat()}
    put_on_record(case, Action.LATENESS_EXPLAINED, by, now, codes)
    return kept
