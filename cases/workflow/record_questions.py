"""Questions from the record: put to the customer, answered, and compared by a job with what a source holds.

What the customer answered waits as keyed hashes, sealed; what the source holds is fetched to be compared and is kept
nowhere. The page says the same to somebody who answered wrongly and to somebody whom no source knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases import asking
from cases.asking import METHOD
from cases.collection.identifiers import AT_SOURCES
from cases.connectors.base import Identifier
from cases.errors import not_yours
from cases.models import AskedQuestion, DataSubject, SubjectRequest
from cases.permissions import BY_SYSTEM, By
from cases.workflow import identity
from cases.workflow.perform import lock_all, put_on_record
from dsar.audit.actions import Action
from dsar.jobs.queue import enqueue
from dsar.lib.errors import Refused
from identity import services
from identity.models import Verification, VerificationState
from identity.providers import registry
from identity.providers.base import JSON, Fact, NotPossible, Person, State, Step, Waits
from identity.roles import Permission

COMPARE = "compare_answers"
COMPARE_ATTEMPTS = 4
# Longer than any policy lets questions stay open.
OVERDUE = timedelta(hours=2)


@dataclass(frozen=True)
class Asked:
    """What a job asks the sources, outside of any transaction: one person, and some fields of each source."""

    identifier: Identifier
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)


# -- may it be ---------------------------------------------------------------------------------------


def why_not(request: SubjectRequest, now: datetime, *, contact: str | None = None) -> Refused | None:
    """Why nobody can be asked for this request at this moment; None where they can.

    ``contact``: an agent asks, in the conversation of this reference.
    """
    if request.representative_id is not None:
        return Refused(
            _("The caller asks for somebody else: the answers would prove the wrong person."), "not_self"
        )
    if not any(case.is_open for case in request.cases.all()):
        return Refused(_("There is nothing open that this would serve."), "nothing_open")
    if contact is not None and not _is_this_contact(request, contact, now):
        return Refused(
            _("The questions belong into the conversation in which the request was logged."),
            "another_contact",
        )
    if asking.tries_today(request, now) >= asking.policy_of(request).attempts:
        return Refused(
            _("This was tried too often today. Try tomorrow, or in another way."), "too_many_tries"
        )
    if not asking.are_there(request, now):
        return Refused(_("There are no questions that could be asked here."), "no_questions")
    return None


def may_ask(request: SubjectRequest, now: datetime) -> bool:
    """Whether the agent may put questions in the conversation that is going on."""
    contact = request.contact_reference
    if not contact:
        return False
    is_going_on = living_of(request, now, contact=contact) is not None
    return is_going_on or why_not(request, now, contact=contact) is None


def _is_this_contact(request: SubjectRequest, contact: str, now: datetime) -> bool:
    is_fresh = now - request.logged_at <= timedelta(minutes=asking.call_minutes(request))
    return bool(request.contact_reference) and contact.strip() == request.contact_reference and is_fresh


# -- asking ------------------------------------------------------------------------------------------


def begin(request: SubjectRequest, by: By, now: datetime, *, contact: str | None = None) -> Verification:
    """Draw questions, and note that they were put; those that are still open are gone on with.

    Raises NotAllowed or Refused.
    """
    _authorise(request, by)
    with transaction.atomic():
        lock_all(request.pk)
        # Two who ask the same person take turns, so that tries are counted.
        DataSubject.objects.select_for_update().get(pk=request.subject_id)
        living = living_of(request, now, contact=contact)
        if living is not None:
            return living
        refusal = why_not(request, now, contact=contact)
        if refusal is not None:
            raise refusal
        return _begun(request, by, now, contact)


def _authorise(request: SubjectRequest, by: By) -> None:
    is_customer = by.actor.kind == "customer" and by.actor.id == request.pk
    if not is_customer and not by.allows(Permission.LOG_REQUEST, request.controller_id):
        raise not_yours("record_questions")


def _begun(request: SubjectRequest, by: By, now: datetime, contact: str | None) -> Verification:
    verification = services.new_verification(request, now, METHOD)
    found = asking.offered(request)
    method = registry.build(METHOD, asking.setup_of(request, found, now, request.language))
    minutes = asking.policy_of(request).minutes
    try:
        step = method.begin(Person(), services.context_of(verification, minutes, now))
    except NotPossible:
        raise Refused(_("There are no questions that could be asked here."), "no_questions") from None
    verification.recorded_by_id, verification.contact_reference = by.person_id, (contact or "").strip()
    verification.progress = {"state": step.state, "known_by": asking.known_by(request)}
    verification.save(update_fields=["recorded_by", "contact_reference", "progress"])
    AskedQuestion.objects.bulk_create(
        AskedQuestion(
            controller_id=request.controller_id,
            subject_id=request.subject_id,
            verification=verification,
            question=ask.name,
            asked_at=now,
        )
        for ask in step.asks
    )
    _on_record(verification, Action.QUESTIONS_ASKED, by, now, {"asked": len(step.asks)})
    return verification


def newest_of(request: SubjectRequest, *, contact: str | None = None) -> Verification | None:
    """The newest round of questions: the customer's own, or those of a conversation."""
    own = request.verifications.filter(method=METHOD, contact_reference=(contact or "").strip())
    found: Verification | None = own.order_by("-started_at", "-pk").first()
    return found


def living_of(request: SubjectRequest, now: datetime, *, contact: str | None = None) -> Verification | None:
    """Questions that wait for their answers."""
    newest = newest_of(request, contact=contact)
    is_living = newest is not None and newest.state == VerificationState.OPEN
    return (
        newest
        if newest is not None and is_living and not is_answered(newest) and not _is_late(newest, now)
        else None
    )


def is_answered(verification: Verification) -> bool:
    """Whether the answers are in and wait to be compared."""
    return "answers" in _state(verification)


def _is_late(verification: Verification, now: datetime) -> bool:
    expires_at = _state(verification).get("expires_at")
    return expires_at is None or now >= datetime.fromisoformat(str(expires_at))


def kinds_of(verification: Verification) -> dict[str, str]:
    """How each question is answered, by its name."""
    found = asking.offered(verification.subject_request)
    return {one.name: one.question.kind.value for one in found}


def step_of(verification: Verification, now: datetime, language: str) -> Step:
    """The questions as they stand, in this language."""
    return _stepped(verification, {}, Person(), now, language)


# -- answering ---------------------------------------------------------------------------------------


def answer(verification: Verification, given: Mapping[str, str], by: By, now: datetime) -> Verification:
    """Take the answers, once, and order that they are compared. Raises NotAllowed or Refused."""
    request = verification.subject_request
    _authorise(request, by)
    with transaction.atomic():
        lock_all(request.pk)
        locked = Verification.objects.select_for_update().get(pk=verification.pk)
        if locked.state != VerificationState.OPEN or is_answered(locked) or _is_late(locked, now):
            raise Refused(_("The time for these questions is over."), "questions_over")
        step = _stepped(locked, dict(given), Person(), now, request.language)
        if step.problem or step.waits_for != Waits.EXTERNAL:
            raise Refused(_("Answer at least one of the questions."), "answers_incomplete")
        _keep(locked, step.state)
        _on_record(locked, Action.QUESTIONS_ANSWERED, by, now, {})
        if by.actor.kind == "customer":
            identity.received(request, by, now)
        _order(locked, now)
        return locked


def _order(verification: Verification, now: datetime) -> None:
    enqueue(
        COMPARE,
        controller_id=verification.controller_id,
        key=f"answers:{verification.pk}",
        args={"verification": str(verification.pk)},
        now=now,
        max_attempts=COMPARE_ATTEMPTS,
    )


# -- comparing ---------------------------------------------------------------------------------------


def asked(verification_id: UUID) -> Asked | None:
    """What to look up for these answers; None where there is nothing to compare any more."""
    verification = Verification.objects.select_related("subject_request__subject").get(pk=verification_id)
    if verification.state != VerificationState.OPEN or not is_answered(verification):
        return None
    known_by = (verification.progress or {}).get("known_by")
    # Corrected meanwhile: the record that was asked about is another's.
    if known_by is None or tuple(known_by) != asking.known_by(verification.subject_request):
        return None
    kind, value = known_by
    names: dict[str, list[str]] = {}
    for name in _names(verification):
        source, _colon, place = name.partition(":")
        names.setdefault(source, []).append(place)
    return Asked(Identifier(AT_SOURCES[kind], value), names)


def compared(verification_id: UUID, facts: Sequence[Fact], now: datetime) -> None:
    """Let the answers count or not; what was answered is forgotten."""
    with transaction.atomic():
        request_id = Verification.objects.values_list("subject_request", flat=True).get(pk=verification_id)
        lock_all(request_id)
        verification = Verification.objects.select_for_update().get(pk=verification_id)
        if verification.state != VerificationState.OPEN or not is_answered(verification):
            return
        kind = (verification.progress or {})["known_by"][0]
        given: dict[str, JSON] = {"looked_up": True, "matches": [kind]}
        request = verification.subject_request
        step = _stepped(verification, given, Person(facts=tuple(facts)), now, request.language)
        assert step.result is not None
        _keep(verification, step.state)
        _on_record(verification, Action.QUESTIONS_COMPARED, BY_SYSTEM, now, dict(step.result.codes))
        if step.result.is_reached:
            services.achieve(verification, step.result.level, BY_SYSTEM.actor, now)
        else:
            services.fail(verification, now)


def end_overdue(controller_id: UUID, now: datetime) -> int:
    """End what nobody answered. Returns how many ended."""
    open_ones = Verification.objects.filter(
        controller_id=controller_id, method=METHOD, state=VerificationState.OPEN, started_at__lt=now - OVERDUE
    )
    overdue = list(open_ones.select_for_update()[:200])
    for verification in overdue:
        _keep(verification, {"over": True})
        services.fail(verification, now)
    return len(overdue)


# -- help --------------------------------------------------------------------------------------------


def _state(verification: Verification) -> State:
    state: State = (verification.progress or {}).get("state", {})
    return state


def _names(verification: Verification) -> list[str]:
    asked_for = _state(verification).get("asked", [])
    return [str(name) for name in asked_for] if isinstance(asked_for, list) else []


def _keep(verification: Verification, state: State) -> None:
    """What is over keeps by what the person was found, where verified_kinds looks for it, and no more."""
    kept: dict[str, Any] = {"state": state}
    if "over" not in state:
        kept["known_by"] = (verification.progress or {}).get("known_by")
    verification.progress = kept
    verification.save(update_fields=["progress"])


def _stepped(
    verification: Verification, given: Mapping[str, JSON], person: Person, now: datetime, language: str
) -> Step:
    request = verification.subject_request
    method = registry.build(METHOD, asking.setup_of(request, asking.offered(request), now, language))
    return method.step(_state(verification), given, person, services.context_of(verification, 0, now))


def _on_record(
    verification: Verification, action: Action, by: By, now: datetime, codes: dict[str, Any]
) -> None:
    """On the chain of each case of the request, since they share the check."""
    for case in verification.subject_request.cases.order_by("pk"):
        put_on_record(case, action, by, now, {"verification": str(verification.pk), **codes})
