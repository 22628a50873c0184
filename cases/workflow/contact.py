"""Business as usual that is done within the contact: noted without a case."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from cases.errors import not_yours
from cases.models import ContactNote
from cases.permissions import By
from cases.words import Channel
from dsar.audit.actions import Action
from dsar.audit.record import record, record_whatever_happens
from dsar.lib import cards
from dsar.lib.errors import Refused
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import Controller
from identity.roles import Permission


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
    _may_note(contact, by, now)
    summary, _masked = cards.mask_cards(contact.summary.strip())
    if not summary:
        raise Refused(_("Say what was asked and what was done."), "contact_empty")
    if contact.said_at > now:
        raise Refused(_("A request cannot have been made in the future."), "received_in_the_future")
    before = ContactNote.objects.filter(controller=contact.controller, submission=contact.submission).first()
    return before or _written(contact, summary, by, now)


def _may_note(contact: Contact, by: By, now: datetime) -> None:
    if by.allows(Permission.LOG_REQUEST, contact.controller.pk):
        return
    record_whatever_happens(
        Action.ACT_REFUSED,
        by.actor,
        now,
        controller_id=contact.controller.pk,
        data={"act": "note_contact", "code": "not_allowed"},
    )
    raise not_yours("note_contact")


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
