"""Who asks was shown after it had been given up: the case goes on, and no letter that says otherwise leaves."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import translation
from django.utils.translation import gettext as _

from cases.models import Case
from cases.models.case import AUTHORISED, requester_suffices
from cases.permissions import BY_SYSTEM
from cases.words import Outcome, State
from cases.workflow import carry_out, level, reopening, search
from cases.workflow.perform import lock
from dsar.lib.errors import Refused
from dsar.lib.tenancy import unit_of_work


def go_on(case: Case, now: datetime) -> Case:
    """Open a locked case again that was closed, or was being closed, for want of the proof that is there now.

    While the mail server takes the letter nothing can be stopped: then the case closes and is opened again at the
    next upkeep.
    """
    if not requester_suffices(case):
        return case
    if case.state == State.CLOSED and case.outcome == Outcome.IDENTITY_NOT_VERIFIED:
        return reopening.reopen(case, reopening.SEARCH, _why(case), BY_SYSTEM, now)
    if case.state == State.FULFILLING and case.proposed_outcome == Outcome.IDENTITY_NOT_VERIFIED:
        return _stopped(case, now)
    return case


def _stopped(case: Case, now: datetime) -> Case:
    try:
        with transaction.atomic():
            taken_back = carry_out.take_back(case, _why(case), BY_SYSTEM, now)
            return search.again(taken_back, BY_SYSTEM, now, reason=_why(case))
    except Refused:
        return case


def _why(case: Case) -> str:
    """For the case's notes, in the controller's language."""
    with translation.override(case.controller.language):
        return _("Proof of who asks came after all.")


def reopen_proven(controller_id: UUID, now: datetime) -> int:
    """Open again what closed while its proof was on the way; returns how many."""
    with unit_of_work([controller_id]):
        closed = Case.objects.filter(
            controller_id=controller_id, state=State.CLOSED, outcome=Outcome.IDENTITY_NOT_VERIFIED
        )
        enough = Q(identity_level__gte=F("required_level"), authority__in=AUTHORISED)
        proven = [case.pk for case in closed.filter(enough).order_by("pk")]
        return sum(_reopened(case_id, now) for case_id in proven)


def _reopened(case_id: UUID, now: datetime) -> bool:
    """What was shown may have lapsed meanwhile: it is asked again, of the case as it is now."""
    case = lock(case_id)
    return level.is_known(case, now) and go_on(case, now).is_open
