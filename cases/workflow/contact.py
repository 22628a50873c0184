"""What belongs to the conversation itself: business done on the spot, the script, the link sent again, a file."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases.correspondence.compose import Kind
from cases.errors import not_yours
from cases.models import ContactNote, Letter, RequestFile, SubjectRequest
from cases.permissions import By
from cases.words import Channel, State
from cases.workflow import intake, letters
from cases.workflow.intake import Upload
from cases.workflow.perform import put_on_record
from dsar.audit.actions import Action
from dsar.audit.record import record, record_whatever_happens
from dsar.lib import cards
from dsar.lib.errors import Refused
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import Controller
from identity.roles import Permission

MAILS_PER_HOUR = 4


@dataclass(frozen=True)
class Contact:
    """What was asked and done on the spot. ``submission`` is the form's own id: it notes once."""

    controller: Controller
    channel: Channel
    summary: str
    said_at: datetime
    submission: UUID
    contact_reference: str = ""


def note_contact(contact: Contact, by: By, now: datetime) -> ContactNote:
    """Put on record what needed no case. Raises NotAllowed, or Refused where it says nothing."""
    if not by.allows(Permission.LOG_REQUEST, contact.controller.pk):
        _refused(contact.controller.pk, "note_contact", by, now)
    summary, _masked = cards.mask_cards(contact.summary.strip())
    if not summary:
        raise Refused(_("Say what was asked and what was done."), "contact_empty")
    if contact.said_at > now:
        raise Refused(_("A request cannot have been made in the future."), "received_in_the_future")
    before = ContactNote.objects.filter(controller=contact.controller, submission=contact.submission).first()
    return before or _written(contact, summary, by, now)


def _written(contact: Contact, summary: str, by: By, now: datetime) -> ContactNote:
    written = ContactNote(
        controller=contact.controller,
        key=keyring.new_key(KeyPurpose.REQUEST, contact.controller.pk, now),
        channel=contact.channel,
        contact_reference=contact.contact_reference,
        said_at=contact.said_at,
        submission=contact.submission,
        noted_by_id=by.person_id,
        noted_at=now,
    )
    written.summary = summary
    written.save()
    record(
        Action.CONTACT_NOTED,
        by.actor,
        now,
        controller_id=contact.controller.pk,
        data={"contact": str(written.pk), "channel": contact.channel},
    )
    return written


def read_out(request: SubjectRequest, by: By, now: datetime) -> SubjectRequest:
    """The agent has told the customer reference and date; twice is once."""
    with transaction.atomic():
        locked = _held(request, by, now, "read_out")
        if not locked.script_read:
            locked.script_read = True
            locked.save(update_fields=["script_read"])
            _on_record(locked, Action.SCRIPT_READ, by, now, {"request": str(locked.pk)})
        return locked


def send_link_again(request: SubjectRequest, by: By, now: datetime) -> Letter:
    """The acknowledgement once more, with a new link. Raises Refused where no mail can go, or too many went."""
    with transaction.atomic():
        locked = _held(request, by, now, "send_link_again")
        if not letters.address_of(locked)[0]:
            raise Refused(_("There is no e-mail address to send to. Print the letter instead."), "no_email")
        if not locked.cases.exclude(state=State.CLOSED).exists():
            raise Refused(_("Everything in this request is closed: there is nothing to follow."), "closed")
        if _sent_lately(locked, now) >= MAILS_PER_HOUR:
            raise Refused(
                _("It was sent several times within the hour. Wait, and check the address."), "too_many"
            )
        return letters.to_requester(Kind.ACKNOWLEDGEMENT, locked, by, now)


def add_file(request: SubjectRequest, upload: Upload, by: By, now: datetime) -> RequestFile:
    """Keep a file that came after the request was logged."""
    with transaction.atomic():
        locked = _held(request, by, now, "add_file")
        added = intake.add_file(locked, upload, by, now)
        _on_record(locked, Action.FILE_ADDED, by, now, {"file": str(added.file_id)})
        return added


def _held(request: SubjectRequest, by: By, now: datetime, act: str) -> SubjectRequest:
    """The request, locked, for whoever may log or work the brand's requests."""
    wanted = (Permission.LOG_REQUEST, Permission.WORK)
    if not any(by.allows(permission, request.controller_id) for permission in wanted):
        _refused(request.controller_id, act, by, now)
    held: SubjectRequest = SubjectRequest.objects.select_for_update().get(pk=request.pk)
    return held


def _refused(controller_id: UUID, act: str, by: By, now: datetime) -> NoReturn:
    codes = {"act": act, "code": "not_allowed"}
    record_whatever_happens(Action.ACT_REFUSED, by.actor, now, controller_id=controller_id, data=codes)
    raise not_yours(act)


def _sent_lately(request: SubjectRequest, now: datetime) -> int:
    recent = request.letters.filter(kind=Kind.ACKNOWLEDGEMENT.value, written_at__gt=now - timedelta(hours=1))
    return int(recent.count())


def _on_record(request: SubjectRequest, action: Action, by: By, now: datetime, codes: dict[str, str]) -> None:
    for case in request.cases.all():
        put_on_record(case, action, by, now, codes)
