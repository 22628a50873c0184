"""Questions to the requester, and what their answers set in motion."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from cases import queries
from cases.correspondence import send
from cases.correspondence.compose import Kind
from cases.deadlines.events import EventKind
from cases.errors import not_yours
from cases.models import Case, Letter, LetterFile, SubjectRequest
from cases.models.case import requester_suffices
from cases.permissions import BY_SYSTEM, By
from cases.words import Party, State
from cases.workflow import letters, search
from cases.workflow.clock import add_fact
from cases.workflow.intake import Upload
from cases.workflow.perform import lock_all, perform
from dsar.lib import cards
from dsar.lib.errors import Refused
from dsar.vault import files
from identity.roles import Permission


def ask_clarification(
    case: Case, question: str, large_quantity: bool, by: By, now: datetime, *, version: int | None = None
) -> Case:
    """Ask what the request is about; the clock pauses where its law says so (UK Art 12A(5))."""
    if not question.strip():
        raise Refused(_("Write the question."), "question_missing")
    with transaction.atomic():
        case = perform(case, "ask_clarification", by, now, version=version)
        add_fact(
            case, EventKind.CLARIFICATION_REQUESTED, now, by, now, data={"large_quantity": large_quantity}
        )
        letters.to_requester(
            Kind.CLARIFICATION, case.subject_request, by, now, case=case, question=question.strip()
        )
        return case


def answer_clarification(case: Case, text: str, at: datetime, by: By, now: datetime) -> Case:
    """The requester answered, whatever they said: any reply ends the wait."""
    with transaction.atomic():
        case = perform(case, "receive_clarification", by, now)
        at = _after_the_question(case, EventKind.CLARIFICATION_REQUESTED, at)
        add_fact(case, EventKind.CLARIFICATION_RECEIVED, at, by, now)
        _keep(case, text, by, now)
        return search.resume(case, now)


def ask_fee(
    case: Case, amount: str, reason: str, by: By, now: datetime, *, version: int | None = None
) -> Case:
    """Ask for a reasonable fee first (Art 12(5)(a)); only for unfounded or excessive requests."""
    if not amount.strip() or not reason.strip():
        raise Refused(_("Give the amount and the reason: the customer reads both."), "fee_incomplete")
    with transaction.atomic():
        case = perform(case, "ask_fee", by, now, version=version, reason=reason.strip())
        add_fact(case, EventKind.FEE_REQUESTED, now, by, now, data={"fee_basis": "excessive"})
        letters.to_requester(
            Kind.FEE, case.subject_request, by, now, case=case, amount=amount.strip(), reason=reason.strip()
        )
        return case


def receive_fee(case: Case, at: datetime, by: By, now: datetime, *, version: int | None = None) -> Case:
    """The fee was paid at that moment."""
    with transaction.atomic():
        case = perform(case, "receive_fee", by, now, version=version)
        at = _after_the_question(case, EventKind.FEE_REQUESTED, at)
        add_fact(case, EventKind.FEE_PAID, at, by, now)
        return search.resume(case, now)


def _after_the_question(case: Case, asked: EventKind, at: datetime) -> datetime:
    """When the answer came. Forms know minutes alone, so one of the same minute came after the question."""
    waiting = queries.unanswered(case, asked)
    if not waiting or at >= waiting[0].at:
        return at
    if at < waiting[0].at.replace(second=0, microsecond=0):
        raise Refused(_("An answer cannot come before its question."), "answer_before_question")
    return waiting[0].at


def take_message(
    request: SubjectRequest,
    text: str,
    by: By,
    now: datetime,
    *,
    uploads: Sequence[Upload] = (),
    party: Party = Party.REQUESTER,
) -> Letter:
    """The customer wrote, or staff note what they said.

    It answers open questions, and voids an approval that it came too late for.
    """
    _may_bring(request, by)
    words, _masked = cards.mask_cards(text.strip())
    if not words:
        raise Refused(_("Write a message first."), "message_empty")
    with transaction.atomic():
        cases = lock_all(request.pk)
        letter = send.receive(request, None, _("Message from the customer"), words, by, now, party=party)
        for upload in uploads:
            _attach(letter, upload, now)
        for case in cases:
            _react(case, by if by.actor.kind == "customer" else BY_SYSTEM, now)
        return letter


def _may_bring(request: SubjectRequest, by: By) -> None:
    """The request's own customer, or staff who log or work the brand's requests."""
    if by.actor.kind == "customer":
        allowed = by.actor.id == request.pk
    else:
        allowed = any(
            by.allows(one, request.controller_id) for one in (Permission.LOG_REQUEST, Permission.WORK)
        )
    if not allowed:
        raise not_yours("message")


def _attach(letter: Letter, upload: Upload, now: datetime) -> None:
    stored = files.store(
        upload.chunks,
        key_id=letter.key_id,
        controller_id=letter.controller_id,
        name=upload.name,
        media_type=upload.media_type,
        now=now,
    )
    LetterFile.objects.create(controller_id=letter.controller_id, letter=letter, file=stored)


def _react(case: Case, by: By, now: datetime) -> None:
    """What follows from a message follows from the rules, whoever brought it."""
    if case.state == State.AWAITING_CLARIFICATION:
        case = perform(case, "receive_clarification", by, now)
        add_fact(case, EventKind.CLARIFICATION_RECEIVED, now, by, now)
        search.resume(case, now)
    elif (
        case.state in {State.APPROVAL, State.WITH_CONTROLLER}
        and _asked_before(case)
        and requester_suffices(case)
    ):
        case = search.late_answer(case, by, now)
        add_fact(case, EventKind.CLARIFICATION_RECEIVED, now, by, now)
    elif case.is_open and _asked_before(case):
        # The question was noted later, so that no state waits for it; the clock does.
        add_fact(case, EventKind.CLARIFICATION_RECEIVED, now, by, now)


def _asked_before(case: Case) -> bool:
    """Only an answer to a question voids an approval; a friendly word does not."""
    return bool(queries.unanswered(case, EventKind.CLARIFICATION_REQUESTED))


def _keep(case: Case, text: str, by: By, now: datetime) -> None:
    if text.strip():
        words, _masked = cards.mask_cards(text.strip())
        send.receive(case.subject_request, case, _("Answer to our question"), words, by, now)
