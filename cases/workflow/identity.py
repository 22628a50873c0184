"""Who asks: the question, the answer, and the step that it opens."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases import queries
from cases.correspondence.compose import Kind
from cases.deadlines.events import EventKind
from cases.errors import not_yours
from cases.models import Case, SubjectRequest
from cases.models.case import DECIDED, identity_suffices, requester_suffices
from cases.permissions import BY_SYSTEM, By
from cases.words import Outcome, Party, State
from cases.workflow import late_proof, letters, level, search
from cases.workflow.clock import add_fact
from cases.workflow.perform import lock, lock_all, note, perform, put_on_record
from dsar.audit.actions import Action
from dsar.audit.record import Actor
from dsar.jobs.queue import enqueue
from dsar.lib.errors import Refused
from identity import services
from identity.models import Level, Method, OneTimeCode, Verification, VerificationState
from identity.policy.rules import HOUSE_VERSION
from identity.providers.base import Person, Step
from identity.roles import Permission

CHECK_ADDRESS = "check_address"
VERIFY = "verify"
STEP_UP = "step_up"
# Typed by an agent to whom the customer reads it out: good on their page and nowhere else.
CALL = "call"
SHOWS_IDENTITY = frozenset({VERIFY, CALL})
# The same for the person for whom a representative asked: a code that one of them got never opens the other's door.
_OF_SUBJECT = {VERIFY: "verify_subject", STEP_UP: "step_up_subject"}


def purpose_of(purpose: str, party: str) -> str:
    """What a code is for, when it goes to this party."""
    return _OF_SUBJECT[purpose] if party == Party.SUBJECT else purpose


def _party_of(purpose: str) -> Party:
    return Party.SUBJECT if purpose in _OF_SUBJECT.values() else Party.REQUESTER


def begin(request: SubjectRequest, cases: Iterable[Case], by: By, now: datetime) -> None:
    """Open a new request's check, and have the address looked up in the sources."""
    verification = services.new_verification(request, now)
    if request.is_drill:
        return
    if request.subject.email:
        enqueue(
            CHECK_ADDRESS,
            controller_id=request.controller_id,
            key=f"address:{verification.pk}",
            args={"verification": str(verification.pk)},
            now=now,
        )


def begin_anew(request: SubjectRequest, by: By, now: datetime) -> None:
    """The address was corrected: what was sent to the old one opens nothing, and the new one is looked up."""
    services.revoke_tokens(request, now)
    verification = services.restart_verification(request, now)
    if request.subject.email:
        enqueue(
            CHECK_ADDRESS,
            controller_id=request.controller_id,
            key=f"address:{verification.pk}:{now.timestamp()}",
            args={"verification": str(verification.pk)},
            now=now,
        )
    if requester_email(request) and not request.is_drill:
        letters.to_requester(Kind.ACKNOWLEDGEMENT, request, by, now)


def requester_email(request: SubjectRequest) -> str:
    """Where the requester reads mail: the representative's where there is one."""
    return request.representative.email if request.representative else request.subject.email


def ask(case: Case, by: By, now: datetime) -> Case:
    """Ask for identity; a clock event of its own (UK Art 12A(2)(b); EU Art 12(6))."""
    with transaction.atomic():
        case = perform(case, "ask_identity", by, now)
        add_fact(case, EventKind.IDENTITY_REQUESTED, now, by, now)
        put_on_record(case, Action.IDENTITY_ASKED, by, now, {"level": case.required_level})
        return case


def send_code(request: SubjectRequest, purpose: str, by: By, now: datetime) -> None:
    """Send a one-time code to the party's address. Raises Refused where there is none or too many."""
    party = _party_of(purpose)
    if not letters.address_of(request, party)[0]:
        raise Refused(_("There is no e-mail address to send a code to."), "no_email")
    with transaction.atomic():
        lock_all(request.pk)
        verification = services.open_verification(request, now)
        try:
            message = services.new_code(
                verification, _person(request, verification), purpose, request.controller.code_minutes, now
            )
        except services.TooManyCodes:
            raise Refused(
                _("Too many codes were asked for. Wait an hour, or use the newest one."), "too_many_codes"
            ) from None
        letters.to_requester(
            Kind.ONE_TIME_CODE, request, by, now, code=message.values["code"], is_silent=True, party=party
        )
        _on_record(request, Action.CODE_SENT, by.actor, now, {"purpose": purpose})


def accept_code(
    request: SubjectRequest, code_id: UUID, typed: str, purpose: str, by: By, now: datetime
) -> bool:
    """Compare a typed code whose try was counted already; True where it is the one that was sent."""
    return accept_any(request, [code_id], typed, purpose, by, now)


def accept_any(
    request: SubjectRequest, code_ids: Iterable[UUID], typed: str, purpose: str, by: By, now: datetime
) -> bool:
    """The same for the living codes of several routes, of which the typed one may be any."""
    with transaction.atomic():
        lock_all(request.pk)
        tried = [(code, _tried(request, code, typed, now)) for code in services.codes_of(request, code_ids)]
        right = [(code, step) for code, step in tried if services.is_right(step)]
        if not right:
            _on_record(request, Action.CODE_FAILED, by.actor, now, {"purpose": purpose})
            return False
        _on_record(request, Action.CODE_ACCEPTED, by.actor, now, {"purpose": purpose})
        if _party_of(purpose) == Party.SUBJECT:
            return True  # it opens the door, and says nothing of whoever asked
        if purpose in SHOWS_IDENTITY:
            received(request, by, now)
        for code, step in right:
            _take_result(code.verification, step, by.actor, now)
        return True


def _tried(request: SubjectRequest, code: OneTimeCode, typed: str, now: datetime) -> Step:
    return services.try_code(code.pk, typed, _person(request, code.verification), now)


def received(request: SubjectRequest, by: By, now: datetime) -> None:
    """Something was shown; whether it is enough is another question (the clock knows both facts)."""
    for case in lock_all(request.pk):
        for _question in queries.unanswered(case, EventKind.IDENTITY_REQUESTED):
            add_fact(case, EventKind.IDENTITY_RECEIVED, now, by, now)


def _take_result(verification: Verification, step: Step, actor: Actor, now: datetime) -> None:
    """What a method found counts, once; shown again on another day it counts from then on."""
    if step.result is None or not step.result.is_reached:
        return
    if verification.state == VerificationState.ACHIEVED:
        services.renew(verification, step.result.level, actor, now)
    else:
        services.achieve(verification, step.result.level, actor, now)


def _person(request: SubjectRequest, verification: Verification) -> Person:
    """What a method may know of the requester. A representative's own address says nothing of the person."""
    on_file = verification.address_on_file if request.representative_id is None else False
    if verification.method == Method.SMS_CODE:
        return Person(phone=request.subject.phone, phone_on_file=on_file, language=request.language)
    return Person(email=requester_email(request), email_on_file=on_file, language=request.language)


def address_checked(verification: Verification, on_file: bool, now: datetime) -> None:
    """A source knows the requester's address or number, or none does.

    Where the code came first, the level follows now.
    """
    request = verification.subject_request
    with transaction.atomic():
        cases = lock_all(request.pk)
        locked = Verification.objects.select_for_update().get(pk=verification.pk)
        locked.address_on_file = on_file
        locked.save(update_fields=["address_on_file"])
        codes = {"on_file": on_file, "method": locked.method}
        _on_record(request, Action.ADDRESS_CHECKED, BY_SYSTEM.actor, now, codes)
        # A rule may ask for more where the answer goes to an address that nobody knows.
        for case in cases:
            level.refresh(case, now)
        step = services.typed_before(locked, VERIFY, _person(request, locked), now)
        if step is not None and locked.state == VerificationState.OPEN:
            _take_result(locked, step, BY_SYSTEM.actor, now)


def record_evidence(
    case: Case,
    reached: Level,
    evidence_code: str,
    remark: str,
    by: By,
    now: datetime,
    *,
    came_at: datetime | None = None,
) -> None:
    """A member of staff saw evidence of identity and records what it was. Raises NotAllowed or Refused.

    The clock starts when the information came in (``came_at``), not when somebody had finished checking it.
    """
    if not by.allows(Permission.RECORD_IDENTITY, case.controller_id):
        raise not_yours("record_identity")
    if reached < Level.LOW or not remark.strip():
        raise Refused(_("Say what was seen, and which level it reaches."), "evidence_incomplete")
    if came_at is not None and came_at > now:
        raise Refused(_("A fact cannot lie in the future."), "fact_in_the_future")
    with transaction.atomic():
        lock_all(case.subject_request_id)
        note(lock(case.pk), by, now, remark, about="record_identity")
        request = case.subject_request
        try:
            with came(came_at):
                services.record_by_staff(
                    request, reached, Method.STAFF_RECORDED, evidence_code, by.actor, now
                )
        except services.TooWeak:
            raise Refused(
                _("Evidence of this kind does not reach that level. Choose a lower one."), "evidence_too_weak"
            ) from None


def retract(case: Case, verification_id: UUID, reason: str, by: By, now: datetime) -> None:
    """What was taken for proof was none: from now on it opens nothing. Raises NotAllowed or Refused."""
    if not by.allows(Permission.RECORD_IDENTITY, case.controller_id):
        raise not_yours("retract_identity")
    if not reason.strip():
        raise Refused(_("Say why this does not count."), "reason_missing")
    with transaction.atomic():
        cases = lock_all(case.subject_request_id)
        mine = case.subject_request.verifications.filter(pk=verification_id)
        found = mine.select_for_update().first()
        if found is None or not services.retract(found, now):
            raise Refused(_("This is no proof that counts."), "nothing_to_retract")
        note(lock(case.pk), by, now, reason.strip(), about="retract_identity")
        codes = {"method": found.method, "verification": str(found.pk)}
        _on_record(case.subject_request, Action.IDENTITY_RETRACTED, by.actor, now, codes)
        for each in cases:
            level.refresh(each, now)


def record_drill(request: SubjectRequest, by: By, now: datetime) -> None:
    """A drill's person is verified by the drill itself, and marked so."""
    needed = Level(max(case.required_level for case in request.cases.all()))
    services.record_by_staff(request, max(needed, Level.LOW), Method.DRILL, "drill", by.actor, now)


# When what is being recorded came in. The signal that tells of a level carries no other moment than its own.
_came_at: ContextVar[datetime | None] = ContextVar("dsar_evidence_came_at", default=None)


@contextmanager
def came(at: datetime | None) -> Iterator[None]:
    """What is recorded inside came in ``at`` that moment."""
    token = _came_at.set(at)
    try:
        yield
    finally:
        _came_at.reset(token)


def level_reached(verification: Verification, actor: Actor, now: datetime) -> None:
    """Every case of the request learns what it amounts to; those that waited for it go on."""
    cases = lock_all(verification.subject_request_id)
    codes = {
        "method": verification.method,
        "level": verification.level,
        "policy": verification.policy.version if verification.policy else HOUSE_VERSION,
    }
    _on_record(verification.subject_request, Action.IDENTITY_RECORDED, actor, now, codes)
    for case in cases:
        level.refresh(case, now)
        if identity_suffices(case):
            _confirmed(case, now)


def _confirmed(case: Case, now: datetime) -> None:
    came_at = _came_at.get() or now
    for question in queries.unanswered(case, EventKind.IDENTITY_REQUESTED):
        add_fact(case, EventKind.IDENTITY_RECEIVED, max(came_at, question.at), BY_SYSTEM, now)
    if _is_unconfirmed(case):
        add_fact(case, EventKind.IDENTITY_CONFIRMED, now, BY_SYSTEM, now)
    go_on(case, now)


def go_on(case: Case, now: datetime) -> Case:
    """Where identity was what a case waited for, or what it was to be closed for, or was closed, the search begins."""
    if not requester_suffices(case):
        return case
    if case.state == State.AWAITING_IDENTITY:
        return search.begin(case, BY_SYSTEM, now)
    if case.state in DECIDED and case.proposed_outcome == Outcome.IDENTITY_NOT_VERIFIED:
        return search.late_answer(case, BY_SYSTEM, now)
    return late_proof.go_on(case, now)


def _is_unconfirmed(case: Case) -> bool:
    """Whether identity was asked for, and confirmed less often than asked; the state may have moved on meanwhile."""
    kinds = [event.kind for event in queries.standing_of(case.clock_events.all())]
    return kinds.count(EventKind.IDENTITY_REQUESTED) > kinds.count(EventKind.IDENTITY_CONFIRMED)


def _on_record(
    request: SubjectRequest, action: Action, actor: Actor, now: datetime, codes: dict[str, Any]
) -> None:
    """On the chain of each case of the request, since they share the check."""
    for case in request.cases.order_by("pk"):
        put_on_record(case, action, By(actor), now, codes)
