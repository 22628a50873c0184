"""A question for identity that nobody answers: asked again, twice at most, and then its end is proposed.

What is due follows from the facts, the policy under which it was asked, the law's own day and the rows of what was
done before, looked at once a day for each request. Nothing is closed here: a second person decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cases import assurance, authority
from cases.correspondence.compose import Kind
from cases.models import Case, Letter, LetterState, Pursuit, PursuitKind, SubjectRequest
from cases.models.case import identity_suffices
from cases.permissions import BY_SYSTEM
from cases.words import Outcome, State
from cases.workflow import decide, letters, level
from cases.workflow.identity import VERIFY
from cases.workflow.perform import lock_all, put_on_record
from cases.workflow.reminders import FROM_HOUR
from dsar.audit.actions import Action
from dsar.jobs.queue import enqueue
from dsar.lib.errors import Refused
from dsar.vault.keyring import KeyDestroyed
from identity.models import (
    Controller,
    DocumentStage,
    ExternalCheck,
    IdentityDocument,
    OneTimeCode,
    Verification,
    VerificationState,
)
from identity.models.external import LIVING
from identity.policy import pursuit, wording
from identity.policy.pursuit import Due
from identity.policy.rules import Patience

PURSUE = "pursue_proof"
LOST = (LetterState.FAILED, LetterState.BOUNCED)


@dataclass(frozen=True)
class Pursued:
    """How far one case is: what was said, what is planned, and whether it waits for us instead.

    ``proposed_at`` is set once its end was proposed; after that nothing is done by itself.
    """

    case: Case
    asked_at: datetime
    patience: Patience
    reminders: tuple[Pursuit, ...]
    proposed_at: datetime | None
    lies_with_us: bool

    @property
    def reminded(self) -> Mapping[int, date]:
        zone = self.case.controller.zone
        return {one.number: one.made_at.astimezone(zone).date() for one in self.reminders}

    @property
    def planned(self) -> tuple[date, ...]:
        """On which days it will be asked again."""
        return () if self._is_at_rest else pursuit.planned(self.patience, self.reminded)

    @property
    def propose_on(self) -> date | None:
        """When its end will be proposed, as things are."""
        return None if self._is_at_rest else pursuit.propose_on(self.patience, self.reminded)

    @property
    def _is_at_rest(self) -> bool:
        return self.proposed_at is not None or self.lies_with_us

    def due(self, today: date) -> Due:
        return Due() if self._is_at_rest else pursuit.due(self.patience, self.reminded, today)


# -- once a day ------------------------------------------------------------------------------------------


def order(controller_id: UUID, now: datetime) -> bool:
    """Have a worker look at what was not looked at today; True where there is something."""
    if _next(controller_id, now) is None:
        return False
    enqueue(PURSUE, controller_id=controller_id, key=f"pursue:{controller_id}", now=now)
    return True


def pursue_next(controller_id: UUID, now: datetime) -> bool:
    """Do what is due for one request, in the present transaction; False where all were looked at today."""
    request_id = _next(controller_id, now)
    if request_id is None:
        return False
    pursue(request_id, now)
    return True


def _next(controller_id: UUID, now: datetime) -> UUID | None:
    controller = Controller.objects.get(pk=controller_id)
    today = _day_begun(controller, now)
    if today is None:
        return None
    unseen = Q(proof_looked_on=None) | Q(proof_looked_on__lt=today)
    waiting = Case.objects.counted().filter(
        unseen, controller_id=controller_id, state=State.AWAITING_IDENTITY
    )
    found: UUID | None = (
        waiting.order_by("urgent_on", "pk").values_list("subject_request_id", flat=True).first()
    )
    return found


def _day_begun(controller: Controller, now: datetime) -> date | None:
    """The brand's day; None in the night, when nobody is written to."""
    local = now.astimezone(controller.zone)
    return local.date() if local.time() >= FROM_HOUR else None


def pursue(request_id: UUID, now: datetime) -> None:
    """Remind, or propose the end, where that is due today for the cases of a request."""
    waiting = [case for case in lock_all(request_id) if _waits(case)]
    if not waiting:
        return
    today = now.astimezone(waiting[0].controller.zone).date()
    Case.objects.filter(pk__in=[case.pk for case in waiting]).update(proof_looked_on=today)
    pursued = [found for case in waiting if _is_unknown(case, now) and (found := of(case, now))]
    try:
        _remind([(one, one.due(today).reminders) for one in pursued if one.due(today).reminders], now)
        for one in [one for one in pursued if one.due(today).propose]:
            _propose(one, now)
    except KeyDestroyed:
        return  # What was known of the person is gone, and with it the way to write to them.


def _is_unknown(case: Case, now: datetime) -> bool:
    """Whether it is who asks that is not known; a representative's authority is asked for in words of its own."""
    level.refresh(case, now)
    return not identity_suffices(case)


def _waits(case: Case) -> bool:
    return bool(case.state == State.AWAITING_IDENTITY and not case.is_drill)


# -- how far it is ---------------------------------------------------------------------------------------


def of(case: Case, now: datetime) -> Pursued | None:
    """How far the pursuit of a case's proof is; None where none was asked for, or a drill asks."""
    asked_at, patience = assurance.asked_at(case), assurance.patience(case, now)
    if asked_at is None or patience is None or case.is_drill:
        return None
    made = [one for one in case.pursuits.select_related("letter") if one.made_at >= asked_at]
    return Pursued(
        case,
        asked_at,
        patience,
        tuple(one for one in made if one.kind == PursuitKind.REMINDER),
        next((one.made_at for one in made if one.kind == PursuitKind.PROPOSAL), None),
        lies_with_us(case.subject_request, now),
    )


def lies_with_us(request: SubjectRequest, now: datetime) -> bool:
    """Whether somebody here, a source or a provider has to do something first with what the requester did."""
    own = {"verification__subject_request": request}
    return (
        IdentityDocument.objects.filter(stage=DocumentStage.WAITING, **own).exists()
        or ExternalCheck.objects.filter(stage__in=LIVING, expires_at__gt=now, **own).exists()
        or request.letters.filter(is_incoming=True, read_at=None).exists()
        or _is_looked_up(request)
        or _authority_came(request)
    )


def _authority_came(request: SubjectRequest) -> bool:
    """What a representative showed is judged here, and once it is accepted, who they are is recorded here."""
    return request.cases.filter(authority__in=[authority.UNJUDGED, authority.VALID]).exists()


def _is_looked_up(request: SubjectRequest) -> bool:
    """A code was right, and no source has said yet whether it knows the address."""
    if request.representative_id is not None:
        return False
    typed = OneTimeCode.objects.filter(purpose=VERIFY, used_at__isnull=False, tries__gt=0)
    unknown: QuerySet[Verification] = request.verifications.filter(
        state=VerificationState.OPEN, address_on_file=None, codes__in=typed
    )
    return unknown.exists()


# -- asking again ----------------------------------------------------------------------------------------


def _remind(wanted: list[tuple[Pursued, tuple[int, ...]]], now: datetime) -> None:
    """One letter for all of a request's cases, and a row for each reminder that it says."""
    if not wanted:
        return
    letter = _reminder([one for one, _numbers in wanted], max(max(numbers) for _one, numbers in wanted), now)
    for one, numbers in wanted:
        for number in numbers:
            _done(one, PursuitKind.REMINDER, now, number=number, letter=letter)
        codes = {"number": max(numbers), "letter": str(letter.pk) if letter else None}
        put_on_record(one.case, Action.IDENTITY_REMINDED, BY_SYSTEM, now, codes)


def _done(
    one: Pursued, kind: PursuitKind, now: datetime, *, number: int = 1, letter: Letter | None = None
) -> None:
    Pursuit.objects.create(
        controller_id=one.case.controller_id,
        case=one.case,
        kind=kind,
        number=number,
        asked_at=one.asked_at,
        letter=letter,
        made_at=now,
    )


def _reminder(pursued: list[Pursued], number: int, now: datetime) -> Letter | None:
    """The letter; None where no way leads to the requester, which the desk shows."""
    case = pursued[0].case
    request = case.subject_request
    email, _postal = letters.address_of(request)
    by_post = bool(email) and _comes_back(request)
    if (by_post or not email) and not _postal_address(request):
        return None
    return letters.to_requester(
        Kind.IDENTITY_REMINDER,
        request,
        BY_SYSTEM,
        now,
        by_post=by_post,
        cases=[one.case for one in pursued],
        asked_on=min(one.asked_at for one in pursued),
        is_last=number >= len(pursued[0].patience.remind_on),
        give_up_on=min(pursuit.propose_on(one.patience, one.reminded) for one in pursued),
        asks=_asks(case, now),
    )


def _asks(case: Case, now: datetime) -> str:
    """What is asked for next, in the requester's language."""
    way = assurance.proposal(case, now)
    with translation.override(case.subject_request.language):
        return _(way.next.asks) if way.next and way.next.asks else wording.why_you(way, _)


def _comes_back(request: SubjectRequest) -> bool:
    """Whether the newest mail to the requester did not arrive."""
    sent = request.letters.filter(is_incoming=False, to_requester=True, by_post=False)
    newest = sent.exclude(state=LetterState.QUEUED).order_by("-written_at", "-pk").first()
    return newest is not None and newest.state in LOST


def _postal_address(request: SubjectRequest) -> str:
    return (request.representative or request.subject).postal_address.strip()


# -- proposing the end -----------------------------------------------------------------------------------


def _propose(one: Pursued, now: datetime) -> None:
    """What a handler would propose; a second person decides. Done once for a question, whatever becomes of it."""
    reasons = _reasons(one)
    title, body = decide.draft_letter(one.case, Outcome.IDENTITY_NOT_VERIFIED, reasons, now)
    try:
        with transaction.atomic():
            _done(one, PursuitKind.PROPOSAL, now)
            decide.propose_closing(
                one.case, Outcome.IDENTITY_NOT_VERIFIED, title, body, BY_SYSTEM, now, reasons=reasons
            )
    except Refused:
        return  # It is on the record why; tomorrow it is looked at again.


def _reasons(one: Pursued) -> str:
    """As the customer's letter gives them: what was asked, how often, and what came of it."""
    request = one.case.subject_request
    with translation.override(request.language), timezone.override(request.controller.zone):
        asked = _day(one.asked_at.astimezone(request.controller.zone).date())
        days = [_day(day) for day in sorted(set(one.reminded.values()))]
        told = [_("On %(day)s we asked you to show that it is you.") % {"day": asked}]
        if days:
            told.append(_("We asked again on %(days)s.") % {"days": _(" and on ").join(days)})
        if assurance.shown_at(one.case):
            told.append(_("What you have shown is not enough to be sure."))
        else:
            told.append(_("We have had nothing that shows it."))
        return " ".join(told)


def _day(on: date) -> str:
    return str(date_format(on, "DATE_FORMAT"))
