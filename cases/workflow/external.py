"""A check by an external provider: begun, told of, asked about, ended. What it finds counts once, in whatever order.

Nothing that the customer's browser brings back is believed. News come from signed messages and from our own
questions; both are kept as codes and go through ``take``, the one place that decides what they mean.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from cases import assurance
from cases.correspondence.compose import Kind
from cases.errors import not_yours
from cases.models import Case, SubjectRequest
from cases.permissions import BY_SYSTEM, By
from cases.workflow import identity, letters, level, reopening
from cases.workflow.perform import lock, lock_all, put_on_record
from dsar.audit.actions import Action
from dsar.jobs.queue import enqueue
from dsar.lib.errors import Refused
from identity import external, services
from identity.documents import names
from identity.documents.mrz import PartialDate
from identity.documents.names import Verdict
from identity.external import Connection
from identity.models import (
    CheckStage,
    Effect,
    ExternalCheck,
    ExternalEvent,
    IdentityProvider,
    VerificationState,
)
from identity.models.external import LIVING
from identity.providers import registry
from identity.providers.base import Context, Person, Step
from identity.providers.external import method
from identity.providers.external.wire import LEVELS, Opened, Outcome, Standing
from identity.roles import Permission

TAKE = "external_take"
LOOK = "external_look"
CANCEL = "external_cancel"
METHOD = method.ExternalProvider.about.code
# Each costs the controller money; whoever needs more is helped by a person.
MOST_CHECKS = 5
BACK_OFF = (2, 5, 15, 60, 180, 360, 720)  # minutes
# A message of no check that is known is looked at so often; one that needs the provider's answer, for hours.
PATIENCE = 6
TAKE_ATTEMPTS = 30


@dataclass(frozen=True)
class Asking:
    """What a job needs to ask the provider, outside of any transaction."""

    connection: Connection
    session: str = field(repr=False)
    name: str = field(repr=False)
    birth_date: str = field(repr=False)


# -- may it be ---------------------------------------------------------------------------------------


def checks_of(request: SubjectRequest) -> list[ExternalCheck]:
    """The request's checks at the provider, newest first."""
    found = ExternalCheck.objects.filter(verification__subject_request=request)
    return list(
        found.select_related("provider", "verification", "ended_by")
        .prefetch_related("events")
        .order_by("-asked_at", "-pk")
    )


def is_possible(request: SubjectRequest) -> bool:
    """The provider looks at whoever sits before it: not at who speaks for them, and at nobody in a drill."""
    if request.representative_id is not None or request.is_drill:
        return False
    return any(case.takes_proof and case.identity_level < case.required_level for case in request.cases.all())


def is_offered(request: SubjectRequest, now: datetime) -> bool:
    """Whether the customer is shown the way: where the policy names it, or nothing that takes less would do."""
    if not is_possible(request) or external.provider_of(request.controller_id) is None:
        return False
    cases = request.cases.select_related("subject_request__representative", "identity_policy")
    found = assurance.standings([case for case in cases if case.takes_proof], now)
    return any(_is_wanted(request, one, now) for one in found if not one.is_enough)


def _is_wanted(request: SubjectRequest, found: assurance.Standing, now: datetime) -> bool:
    asked = found.requirement
    is_named = any(METHOD in codes for codes in asked.methods.values())
    if is_named and asked.allows(METHOD, asked.level):
        return True
    way = assurance.proposal_from(request, found, now)
    return any(one.code == METHOD for one in way.methods)


def may_repeat(request: SubjectRequest, found: Sequence[ExternalCheck]) -> bool:
    """Whether one more could be begun: the person is not known yet, and none of these lives."""
    return is_possible(request) and not any(one.is_living for one in found)


# -- beginning ---------------------------------------------------------------------------------------


def begin(request: SubjectRequest, by: By, now: datetime, *, consented: bool) -> ExternalCheck:
    """Begin a check, with the customer's express consent, or go on with the one that lives.

    Raises NotAllowed or Refused.

    The caller then has the session opened, outside of any transaction, and tells ``opened`` or ``unreachable``.
    """
    if by.actor.kind != "customer" or by.actor.id != request.pk:
        raise not_yours("begin_external")
    with transaction.atomic():
        lock_all(request.pk)
        provider = external.provider_of(request.controller_id)
        if provider is None or not is_possible(request):
            raise Refused(_("This check is not needed at the moment."), "no_check_needed")
        living = _living(request, now)
        if living is None and not consented:
            raise Refused(_("Without your consent nobody is sent to this check."), "no_consent")
        return living or _begun(request, provider, by, now)


def _living(request: SubjectRequest, now: datetime) -> ExternalCheck | None:
    found: ExternalCheck | None = (
        ExternalCheck.objects.filter(
            verification__subject_request=request, stage__in=LIVING, expires_at__gt=now
        )
        .select_related("provider", "verification__subject_request")
        .first()
    )
    return found


def _begun(request: SubjectRequest, provider: IdentityProvider, by: By, now: datetime) -> ExternalCheck:
    if ExternalCheck.objects.filter(verification__subject_request=request).count() >= MOST_CHECKS:
        raise Refused(
            _("This was tried several times. Please write to us, so that somebody can help you."),
            "too_many_checks",
        )
    verification = services.new_verification(request, now, METHOD)
    check = ExternalCheck.objects.create(
        controller_id=request.controller_id,
        provider=provider,
        verification=verification,
        asked_at=now,
        expires_at=now + timedelta(hours=provider.wire.session_hours),
    )
    # A face is compared: without their express consent (Art 9(2)(a)) nobody is sent there.
    _on_record(check, Action.EXTERNAL_BEGUN, by, now, {"consented": True})
    return check


def values_of(check: ExternalCheck) -> dict[str, str]:
    """What may be filled into the request to the provider; it takes what its description asks for, and no more."""
    request, slug = check.verification.subject_request, check.provider.controller.slug
    return {
        "reference": str(check.pk),
        "back": settings.BASE_URL + reverse("portal:external-back", args=[slug]),
        "webhook": settings.BASE_URL + reverse("portal:external-message", args=[slug]),
        "language": request.language.partition("-")[0],
        "name": request.subject.name,
        "birth_date": request.subject.birth_date,
        "email": request.subject.email,
    }


def opened(check_id: UUID, session: Opened, now: datetime) -> ExternalCheck:
    """The provider has opened a session: from now on it is asked how it stands, whether it tells us or not."""
    with transaction.atomic():
        check = _locked(check_id)
        if check.stage == CheckStage.STARTING:
            check.stage, check.reason = CheckStage.OPEN, ""
            check.session, check.address = session.session, session.address
            check.session_hash = external.session_hash(check.provider, session.session, now)
            check.expires_at = min(check.expires_at, session.expires_at or check.expires_at)
            check.save()
            _look_later(check, now)
        return check


def unreachable(check_id: UUID, code: str, now: datetime) -> None:
    """The session was not opened. The customer may press again: the same key opens no second one."""
    with transaction.atomic():
        check = _locked(check_id)
        if check.stage == CheckStage.STARTING:
            check.reason = code[:40]
            check.save(update_fields=["reason"])


# -- asking ------------------------------------------------------------------------------------------


def asking(check: ExternalCheck) -> Asking:
    """Opened here, where the keys can be had."""
    person = check.verification.subject_request.subject
    return Asking(external.connection_of(check.provider), check.session, person.name, person.birth_date)


def look_now(check: ExternalCheck, now: datetime) -> None:
    """The customer is back: ask at once, and leave the usual rounds as they are."""
    if check.stage == CheckStage.OPEN:
        _order_look(check, now, "now")


def _look_later(check: ExternalCheck, now: datetime) -> None:
    """Ask again, less and less often, and for the last time when the session has run out."""
    wait = timedelta(minutes=BACK_OFF[min(check.looks, len(BACK_OFF) - 1)])
    _order_look(check, now, str(check.looks), min(now + wait, max(check.expires_at, now)))


def _order_look(check: ExternalCheck, now: datetime, round_: str, at: datetime | None = None) -> None:
    enqueue(
        LOOK,
        controller_id=check.controller_id,
        key=f"external-look:{check.pk}:{round_}",
        args={"check": str(check.pk), "round": round_},
        now=now,
        not_before=at,
        max_attempts=3,
    )


def looked(check_id: UUID, round_: str, standing: Standing | None, asked: Asking, now: datetime) -> None:
    """What came of a question; None where there was no answer. The next one is ordered where one is still needed."""
    with transaction.atomic():
        check = _locked(check_id)
        if standing is not None and standing.outcome != Outcome.OPEN:
            _found(check, standing, asked, now)
        if not check.is_living or round_ == "now":
            return
        check.looks += 1
        check.save(update_fields=["looks"])
        if check.expires_at <= now:
            _end(check, CheckStage.UNANSWERED, "no_result", now)
        else:
            _look_later(check, now)


def _found(check: ExternalCheck, standing: Standing, asked: Asking, now: datetime) -> None:
    """Keep what was found as an event of its own, once, and let it count."""
    at = min(standing.at or now, now)
    told = f"look|{check.pk}|{standing.outcome}|{standing.at or check.stage}"
    event = ExternalEvent(
        controller_id=check.controller_id,
        provider=check.provider,
        check_of=check,
        event_hash=hashlib.sha256(told.encode()).digest(),
        session_hash=bytes(check.session_hash or b""),
        by_message=False,
        outcome=standing.outcome,
        at=at,
        received_at=now,
    )
    if not ExternalEvent.objects.filter(provider=check.provider, event_hash=event.event_hash).exists():
        event.save(force_insert=True)
        _settle(check, event, holder_of(check.provider, standing, asked), now)


# -- news --------------------------------------------------------------------------------------------


def order_take(event: ExternalEvent, now: datetime) -> None:
    """A message was believed and kept; what it means is worked out by a job."""
    enqueue(
        TAKE,
        controller_id=event.controller_id,
        key=f"external-take:{event.pk}",
        args={"event": str(event.pk)},
        now=now,
        max_attempts=TAKE_ATTEMPTS,
    )


def needs_look(check: ExternalCheck, event: ExternalEvent) -> bool:
    """Whether the name on the document has to be fetched before a good result counts."""
    return (
        event.outcome in LEVELS
        and check.provider.wire.holder == "compared"
        and check.stage != CheckStage.VERIFIED
    )


def take(
    event_id: UUID, check_id: UUID | None, standing: Standing | None, asked: Asking | None, now: datetime
) -> None:
    """Let a kept message count, once. ``standing`` is what the provider said when it was asked about it."""
    with transaction.atomic():
        check = _locked(check_id) if check_id else None
        event = ExternalEvent.objects.select_for_update().get(pk=event_id)
        if event.effect != Effect.WAITING:
            return
        if check is None:
            _mark(event, None, Effect.UNKNOWN)
            return
        holder = ""
        if standing is not None and asked is not None:
            event.outcome, event.at = standing.outcome, min(standing.at or event.at, now)
            holder = holder_of(check.provider, standing, asked)
        _settle(check, event, holder, now)


def holder_of(provider: IdentityProvider, standing: Standing, asked: Asking) -> str:
    """Why the document is not the customer's own, as a code; empty where it is, or where the provider has compared."""
    if provider.wire.holder == "sent" or standing.outcome not in LEVELS:
        return ""
    name = names.compare_names(asked.name, standing.surname, standing.given_names).verdict
    born = names.compare_births(asked.birth_date, _partial(standing.birth_date)).verdict
    if Verdict.DIFFERENT in (name, born):
        return "other_person"
    return "holder_unknown" if name == Verdict.UNKNOWN else ""


def _partial(text: str) -> PartialDate | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return PartialDate(found.year, found.month, found.day)


def _settle(check: ExternalCheck, event: ExternalEvent, holder: str, now: datetime) -> None:
    effect = _effect(check, event, holder, now)
    _mark(event, check, effect)
    codes = {"outcome": event.outcome, "effect": effect.value, "by_message": event.by_message}
    _on_record(check, Action.EXTERNAL_TOLD, BY_SYSTEM, now, codes | ({"reason": holder} if holder else {}))


def _mark(event: ExternalEvent, check: ExternalCheck | None, effect: Effect) -> None:
    event.check_of, event.effect = check, effect
    event.save(update_fields=["check_of", "effect", "outcome", "at"])


def _effect(check: ExternalCheck, event: ExternalEvent, holder: str, now: datetime) -> Effect:
    """What the news means for where the check stands.

    A decision outweighs whatever else comes, in whichever order; of two decisions the later one holds.
    """
    is_newer = check.told_at is None or event.at > check.told_at
    is_decided = check.stage in (CheckStage.VERIFIED, CheckStage.REFUSED)
    if event.outcome == Outcome.OPEN:
        return Effect.NOTHING_NEW if check.is_living else Effect.OUT_OF_ORDER
    if is_decided and not is_newer:
        return Effect.OUT_OF_ORDER
    if event.outcome in LEVELS:
        return _verified(check, event, holder, now)
    if event.outcome == Outcome.REFUSED:
        return _refused(check, event.at, "provider_refused", now)
    if is_decided:
        return Effect.OUT_OF_ORDER
    return _run_out(check, event, now)


def _verified(check: ExternalCheck, event: ExternalEvent, holder: str, now: datetime) -> Effect:
    if check.stage == CheckStage.VERIFIED:
        return Effect.NOTHING_NEW
    if holder:
        return _refused(check, event.at, holder, now)
    if check.stage == CheckStage.CANCELLED or not _anything_open(check):
        # Recorded, and no more: what is closed is opened again by somebody who says why.
        if check.is_living:
            _end(check, CheckStage.UNANSWERED, "came_too_late", now)
        return Effect.LATE
    _count(check, event, now)
    return Effect.APPLIED


def _count(check: ExternalCheck, event: ExternalEvent, now: datetime) -> None:
    if check.verification.state != VerificationState.OPEN:
        # It had been given up; the result is one more check of the same person and request.
        check.verification = services.new_verification(check.verification.subject_request, now, METHOD)
        check.save(update_fields=["verification"])
    step = _step(check, event.outcome, "", now)
    assert step.result is not None
    check.told_at = event.at
    _close(check, CheckStage.VERIFIED, "", now)
    with identity.came(event.at):
        services.achieve(check.verification, step.result.level, BY_SYSTEM.actor, now)


def _refused(check: ExternalCheck, at: datetime, reason: str, now: datetime) -> Effect:
    if check.stage == CheckStage.REFUSED:
        return Effect.NOTHING_NEW
    if check.stage == CheckStage.CANCELLED:
        return Effect.LATE
    was_verified = check.stage == CheckStage.VERIFIED
    check.told_at = at
    if was_verified:
        _take_back(check, now)
    else:
        _step(check, Outcome.REFUSED, "", now)
        if _anything_open(check):
            identity.received(check.verification.subject_request, BY_SYSTEM, now)
        services.fail(check.verification, now)
    _close(check, CheckStage.REFUSED, reason, now)
    return Effect.APPLIED


def _take_back(check: ExternalCheck, now: datetime) -> None:
    """The provider found later that it had been deceived: what it said proves nothing any more."""
    if services.retract(check.verification, now):
        codes = {"method": METHOD, "verification": str(check.verification_id)}
        _on_record(check, Action.IDENTITY_RETRACTED, BY_SYSTEM, now, codes)
        for case in lock_all(check.verification.subject_request_id):
            level.refresh(case, now)


def _run_out(check: ExternalCheck, event: ExternalEvent, now: datetime) -> Effect:
    if not check.is_living:
        return Effect.NOTHING_NEW
    check.told_at = event.at
    _end(check, CheckStage.EXPIRED, str(event.outcome), now)
    return Effect.APPLIED


def _anything_open(check: ExternalCheck) -> bool:
    return any(case.takes_proof for case in lock_all(check.verification.subject_request_id))


# -- what staff do -----------------------------------------------------------------------------------


def cancel(case: Case, check_id: UUID, by: By, now: datetime) -> ExternalCheck:
    """A handler ends a check that lives; what comes of it afterwards is only recorded. Raises NotAllowed or Refused."""
    with transaction.atomic():
        check = _of_case(case, check_id, by)
        if not check.is_living:
            raise Refused(_("This check has ended already."), "check_ended")
        check.ended_by_id = by.person_id
        _end(check, CheckStage.CANCELLED, "by_staff", now, by)
        if check.session:
            args = {"check": str(check.pk)}
            key = f"external-cancel:{check.pk}"
            enqueue(CANCEL, controller_id=check.controller_id, key=key, args=args, now=now)
        return check


def invite_again(case: Case, check_id: UUID, by: By, now: datetime) -> None:
    """A check that ended without a result is offered once more, by a message. Raises NotAllowed or Refused."""
    with transaction.atomic():
        check = _of_case(case, check_id, by)
        if check.stage == CheckStage.VERIFIED or not may_repeat(
            case.subject_request, checks_of(case.subject_request)
        ):
            raise Refused(_("There is nothing to try again here."), "nothing_to_repeat")
        with translation.override(case.subject_request.language):
            text = _(
                "Your check with {provider} ended without a result. You can begin it once more on the page of "
                "your request. If you cannot or do not want to, write to us there, and we find another way."
            ).format(provider=check.provider.name)
        letters.to_requester(Kind.MESSAGE, case.subject_request, by, now, case=case, text=text)


def count_late(case: Case, check_id: UUID, reason: str, by: By, now: datetime) -> Case:
    """Let a result count that came when all was closed, and open the case again. Raises NotAllowed or Refused."""
    if not reason.strip():
        raise Refused(_("Say why the case is opened again."), "reason_missing")
    with transaction.atomic():
        check = _of_case(case, check_id, by)
        event = late_result(check)
        if event is None or case.is_open or check.stage == CheckStage.VERIFIED:
            raise Refused(_("There is no late result to count here."), "no_late_result")
        event.effect = Effect.APPLIED
        event.save(update_fields=["effect"])
        _count(check, event, now)
        # Where the proof was all that it lacked, that has opened it already.
        counted = lock(case.pk)
        return counted if counted.is_open else reopening.reopen(case, reopening.SEARCH, reason, by, now)


def late_result(check: ExternalCheck) -> ExternalEvent | None:
    """A good result that was only recorded, unless the provider took it back after that."""
    if check.stage not in (CheckStage.UNANSWERED, CheckStage.EXPIRED):
        return None
    found = check.events.filter(effect=Effect.LATE, outcome__in=list(LEVELS)).order_by("-at").first()
    return found if isinstance(found, ExternalEvent) else None


def _of_case(case: Case, check_id: UUID, by: By) -> ExternalCheck:
    """A check of the case's own request, locked. Raises NotAllowed; DoesNotExist for any other."""
    if not by.allows(Permission.RECORD_IDENTITY, case.controller_id):
        raise not_yours("record_identity")
    own = ExternalCheck.objects.filter(verification__subject_request_id=case.subject_request_id)
    return _locked(own.get(pk=check_id).pk)


# -- upkeep ------------------------------------------------------------------------------------------


def end_overdue(controller_id: UUID, now: datetime) -> int:
    """End what nobody asks about any more. Returns how many ended."""
    overdue = ExternalCheck.objects.filter(
        controller_id=controller_id, stage__in=LIVING, expires_at__lt=now - timedelta(hours=1)
    )
    ids = list(overdue.values_list("pk", flat=True)[:200])
    for check_id in ids:
        check = _locked(check_id)
        if check.is_living:
            _end(check, CheckStage.UNANSWERED, "no_result", now)
    return len(ids)


# -- help --------------------------------------------------------------------------------------------


def _locked(check_id: UUID) -> ExternalCheck:
    """The check, its request's cases locked before it, as everywhere."""
    request_id = ExternalCheck.objects.values_list("verification__subject_request", flat=True).get(
        pk=check_id
    )
    lock_all(request_id)
    found: ExternalCheck = (
        ExternalCheck.objects.select_for_update(of=("self",))
        .select_related("provider__controller", "verification__subject_request__subject")
        .get(pk=check_id)
    )
    return found


def _end(check: ExternalCheck, stage: CheckStage, reason: str, now: datetime, by: By = BY_SYSTEM) -> None:
    """It proves nothing, and is over."""
    services.fail(check.verification, now)
    _close(check, stage, reason, now)
    _on_record(check, Action.EXTERNAL_ENDED, by, now, {"stage": stage.value, "reason": reason})


def _close(check: ExternalCheck, stage: CheckStage, reason: str, now: datetime) -> None:
    check.stage, check.reason, check.ended_at = stage, reason, now
    check.address = ""
    check.save()


def _step(check: ExternalCheck, outcome: str, holder: str, now: datetime) -> Step:
    """Hand it to the method and keep what it wants remembered."""
    given: Mapping[str, Any] = {"outcome": outcome, "holder": holder}
    verification = check.verification
    step = registry.build(METHOD).step(verification.progress or {}, given, Person(), Context(now, b""))
    verification.progress = step.state
    verification.save(update_fields=["progress"])
    return step


def _on_record(check: ExternalCheck, action: Action, by: By, now: datetime, codes: dict[str, Any]) -> None:
    """On the chain of each case of the request, since they share the check."""
    for case in check.verification.subject_request.cases.order_by("pk"):
        put_on_record(case, action, by, now, {"check": str(check.pk), **codes})
