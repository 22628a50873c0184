"""A one-time code by text message: asked for by the customer in the portal, or by an agent who has them on the line.

A text goes only to a number that a source confirms, so that nobody can have strangers written to at our cost, and
a number given just now opens nothing. Whoever asks is told the same whatever comes of it, and the work is done by
a job, after the answer: neither words nor time tell whether somebody is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from cases import assurance, queries
from cases.errors import not_yours
from cases.models import SubjectRequest
from cases.permissions import BY_SYSTEM, By
from cases.workflow import claim as claims
from cases.workflow import identity
from cases.workflow.claim import Claim
from cases.workflow.perform import lock_all, put_on_record
from dsar.audit.actions import Action
from dsar.jobs.queue import enqueue
from dsar.lib.errors import Refused
from identity import services, texting
from identity.models import Controller, Method, TextMessage, TextState, Verification, VerificationState
from identity.providers.base import Person
from identity.roles import Permission
from identity.sms.base import Backend, Text

ASK = "text_code"
SEND = "send_text"
METHOD = Method.SMS_CODE.value
SEND_ATTEMPTS = 4


@dataclass(frozen=True)
class Asked:
    """Whom to text, once it is sure that the number is theirs. ``verification`` is the check that the code is for."""

    verification: Verification
    purpose: str

    @property
    def needs_look_up(self) -> bool:
        return self.verification.address_on_file is None


# -- asking ------------------------------------------------------------------------------------------


def order_claimed(controller: Controller, claim: Claim, now: datetime) -> None:
    """The portal's visitor asks for a code. Whether the claim is true is looked at by the job."""
    enqueue(
        ASK,
        controller_id=controller.pk,
        key=f"text:{claim.reference}:{claim.address[:32]}",
        args={"reference": claim.reference, "address": claim.address},
        now=now,
    )


def order(request: SubjectRequest, by: By, now: datetime) -> None:
    """An agent has a code texted to the caller. Raises NotAllowed, or Refused where that cannot work.

    Nothing here depends on what the sources know: the caller would hear it from the agent.
    """
    if not by.allows(Permission.LOG_REQUEST, request.controller_id):
        raise not_yours("text_code")
    refusal = why_not(request)
    if refusal is not None:
        raise refusal
    enqueue(
        ASK,
        controller_id=request.controller_id,
        key=f"text:{request.pk}",
        args={"request": str(request.pk)},
        now=now,
    )


def why_not(request: SubjectRequest) -> Refused | None:
    """Why no code can be texted for this request; None where it can."""
    if request.representative_id is not None:
        return Refused(
            _("The caller asks for somebody else: the code would prove the wrong person."), "not_self"
        )
    if request.is_drill or not texting.can_text(request.controller_id):
        return Refused(_("This brand sends no text messages."), "no_gateway")
    if not assurance.mobile_of(request):
        return Refused(_("There is no mobile number to text to."), "no_number")
    return None


# -- what the job does -------------------------------------------------------------------------------


def asked(controller_id: UUID, args: Mapping[str, str], now: datetime) -> Asked | None:
    """Whom a job is about; None where nothing is to be done, such as for a claim that is not true."""
    request, purpose = _request_of(controller_id, args, now)
    if request is None or why_not(request) is not None:
        return None
    return Asked(_check_of(request, now), purpose)


def _request_of(
    controller_id: UUID, args: Mapping[str, str], now: datetime
) -> tuple[SubjectRequest | None, str]:
    if "request" in args:
        found = SubjectRequest.objects.select_related("subject", "controller").filter(pk=args["request"])
        return found.first(), identity.CALL
    controller = Controller.objects.get(pk=controller_id)
    return claims.request_of(controller, Claim(args["reference"], args["address"]), now), identity.VERIFY


def _check_of(request: SubjectRequest, now: datetime) -> Verification:
    """The check of the number that the person has now; what was learnt of another one counts for nothing."""
    lock_all(request.pk)
    mine = request.verifications.filter(method=METHOD).order_by("-started_at", "-pk")
    newest: Verification | None = mine.first()
    bound = texting.number_hash(request.controller, assurance.mobile_of(request), now).hex()
    if newest is not None and newest.state != VerificationState.FAILED and is_bound(newest, bound):
        return newest
    made = services.new_verification(request, now, METHOD)
    made.progress = {"number": bound}
    made.save(update_fields=["progress"])
    return made


def is_bound(verification: Verification, number_hash: str) -> bool:
    """Whether a check was begun for this very number."""
    return (verification.progress or {}).get("number") == number_hash


def count(message_id: UUID, asked_for: Asked, now: datetime) -> bool:
    """Count it for good, in a transaction of its own; True where it may be written."""
    verification = Verification.objects.select_related("subject_request__subject").get(
        pk=asked_for.verification.pk
    )
    request, purpose = verification.subject_request, asked_for.purpose
    if verification.state == VerificationState.RETRACTED or not verification.address_on_file:
        reason = "not_on_file" if verification.address_on_file is False else "taken_back"
        message = texting.withhold(message_id, verification, purpose, reason, now)
    else:
        blind = texting.number_hash(request.controller, assurance.mobile_of(request), now)
        same = queries.same_person(request.subject)
        message = texting.count(message_id, verification, purpose, blind, same, now)
    if message.state == TextState.WITHHELD:
        _on_record(message, Action.CODE_NOT_SENT, now)
    return message.state == TextState.COUNTED


def write(message_id: UUID, now: datetime) -> None:
    """Make the code and the message of it, and order that it is sent; once, however often it is asked."""
    with transaction.atomic():
        lock_all(_of(message_id).verification.subject_request_id)
        message = TextMessage.objects.select_for_update().get(pk=message_id)
        if message.state != TextState.COUNTED:
            return
        request = message.verification.subject_request
        number = assurance.mobile_of(request)
        person = Person(phone=number, language=request.language)
        try:
            code = services.new_code(
                message.verification, person, message.purpose, request.controller.code_minutes, now
            )
        except services.TooManyCodes:
            _give_up(message, TextState.WITHHELD, "hour", now)
            return
        message.number, message.text = number, _worded(request, message.purpose, code.values["code"])
        message.state = TextState.QUEUED
        message.expires_at = now + timedelta(minutes=request.controller.code_minutes)
        message.save()
        _on_record(message, Action.CODE_SENT, now)
        _order_send(message, now)


def _worded(request: SubjectRequest, purpose: str, code: str) -> str:
    """Two short sentences; which page the code is for is told, because that is what thieves talk people into."""
    with translation.override(request.language):
        said = (
            _(
                "{brand}: {code} is your code. Read it to our colleague with whom you are speaking. Are you not "
                "speaking with us? Then tell it to nobody."
            )
            if purpose == identity.CALL
            else _(
                "{brand}: {code} is your code, good for {minutes} minutes. Tell it to nobody, not even to us."
            )
        )
    controller = request.controller
    return said.format(brand=controller.name, code=code, minutes=controller.code_minutes)


def _order_send(message: TextMessage, now: datetime) -> None:
    enqueue(
        SEND,
        controller_id=message.controller_id,
        key=f"send-text:{message.pk}",
        args={"text": str(message.pk)},
        now=now,
        max_attempts=SEND_ATTEMPTS,
    )


# -- sending -----------------------------------------------------------------------------------------


def leaving(message_id: UUID, now: datetime) -> tuple[Text, Backend] | None:
    """The message, opened, and what sends it; None where it is not to be sent any more."""
    message = TextMessage.objects.select_for_update(of=("self",)).get(pk=message_id)
    if message.state != TextState.QUEUED:
        return None
    backend = texting.backend_of(message.controller_id)
    if backend is None or message.expires_at <= now:
        _give_up(message, TextState.FAILED, "too_late" if backend else "no_gateway", now)
        return None
    return Text(message.number, message.text, str(message.pk)), backend


def sent(message_id: UUID, now: datetime) -> None:
    texting.end(message_id, TextState.SENT, "", now)


def failed(message_id: UUID, code: str, now: datetime) -> None:
    """The gateway would not take it; staff see why."""
    _give_up(_of(message_id), TextState.FAILED, code, now)


def _give_up(message: TextMessage, state: TextState, reason: str, now: datetime) -> None:
    texting.end(message.pk, state, reason, now)
    message.refresh_from_db()
    _on_record(message, Action.CODE_NOT_SENT, now)


def _of(message_id: UUID) -> TextMessage:
    return TextMessage.objects.select_related("verification").get(pk=message_id)


def _on_record(message: TextMessage, action: Action, now: datetime) -> None:
    """On the chain of each case of the request, since they share the check."""
    codes = {"purpose": message.purpose, "route": "sms", "text": str(message.pk)}
    codes |= {"reason": message.reason} if message.reason else {}
    for case in message.verification.subject_request.cases.order_by("pk"):
        put_on_record(case, action, BY_SYSTEM, now, codes)
