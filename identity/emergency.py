"""Break-glass access: opened with a reason, told to the data protection officers at once, ended by itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import Count
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.audit.record import Actor, Codes, record, record_whatever_happens
from dsar.jobs.queue import enqueue
from dsar.lib.errors import Conflict, NotAllowed, Refused
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import Controller, Emergency, Membership, User
from identity.roles import Permission, permissions_of

TELL = "tell_of_emergency"
SHORTEST_REASON = 20


@dataclass(frozen=True)
class Use:
    """One use, as those who oversee it see it."""

    emergency: Emergency
    pages: int
    is_open: bool
    is_own: bool


# -- the verbs ---------------------------------------------------------------------------------------


def open_emergency(person: User, controller_id: UUID, reason: str, minutes: int, now: datetime) -> Emergency:
    """Let the person read every case of the controller for some minutes, and have others told at once.

    Raises NotAllowed, Conflict where one is open, and Refused for a reason or a time that will not do.
    """
    if not person.access.allows(Permission.BREAK_GLASS, controller_id):
        raise NotAllowed(_("You have no emergency access to this brand."), "no_emergency")
    if len(reason.strip()) < SHORTEST_REASON:
        raise Refused(_("Say in a sentence what happened, and why it cannot wait."), "reason_short")
    if not 1 <= minutes <= settings.EMERGENCY_MINUTES:
        raise Refused(_("That is too long."), "too_long")
    User.objects.select_for_update().get(pk=person.pk)
    if living(now).filter(user=person, controller_id=controller_id).exists():
        raise Conflict(_("Your emergency access to this brand is open already."), "emergency_open")
    made = _made(person, controller_id, reason.strip(), minutes, now)
    _put_on_record(Action.EMERGENCY_OPENED, made, person.actor, now, {"minutes": minutes})
    args = {"emergency": str(made.pk)}
    enqueue(TELL, controller_id=controller_id, key=f"emergency:{made.pk}", args=args, now=now, max_attempts=8)
    return made


def end(emergency: Emergency, by: User, now: datetime) -> None:
    """End it before its time: whoever opened it, or who oversees. Raises NotAllowed; ended twice is ended once."""
    if emergency.user_id != by.pk and not by.access.allows(Permission.OVERSEE, emergency.controller_id):
        raise NotAllowed(_("Only who opened it, or who oversees the brand, can end it."), "not_yours")
    if living(now).filter(pk=emergency.pk).update(ended_at=now):
        _put_on_record(Action.EMERGENCY_ENDED, emergency, by.actor, now)


def mark_seen(emergency: Emergency, by: User, now: datetime) -> None:
    """A second person has looked at this use. Raises NotAllowed for who opened it."""
    if emergency.user_id == by.pk or not by.access.allows(Permission.OVERSEE, emergency.controller_id):
        raise NotAllowed(_("A second person, who oversees the brand, has to look at it."), "own_emergency")
    if Emergency.objects.filter(pk=emergency.pk, seen_at=None).update(seen_by=by, seen_at=now):
        _put_on_record(Action.EMERGENCY_SEEN, emergency, by.actor, now)


def _made(person: User, controller_id: UUID, reason: str, minutes: int, now: datetime) -> Emergency:
    key = keyring.shared_key(KeyPurpose.CONTROLLER, controller_id, now)
    made = Emergency(
        controller_id=controller_id,
        user=person,
        key=key,
        started_at=now,
        ends_at=now + timedelta(minutes=minutes),
    )
    made.reason = reason
    made.save(force_insert=True)
    return made


def _put_on_record(
    action: Action, emergency: Emergency, actor: Actor, now: datetime, codes: Codes | None = None
) -> None:
    data: Codes = {"emergency": str(emergency.pk), **(codes or {})}
    record(action, actor, now, controller_id=emergency.controller_id, data=data)


# -- seen by others ----------------------------------------------------------------------------------


def living(now: datetime) -> Any:
    """Those that are open at this moment, of the controllers that are served."""
    return Emergency.objects.filter(ended_at=None, started_at__lte=now, ends_at__gt=now)


def alarms(person: User) -> list[Emergency]:
    """What everybody who works for a brand is shown while the glass is broken; asks nothing where it is not."""
    if not person.access.alarms:
        return []
    return list(
        living(timezone.now()).filter(pk__in=person.access.alarms).select_related("user", "controller")
    )


def note_page(request: HttpRequest, view_name: str, kwargs: dict[str, Any]) -> None:
    """Put on record that a page was asked for during the person's own emergencies, whatever comes of it."""
    person = request.user
    assert isinstance(person, User)
    for controller_id, emergency_id in person.access.emergencies.items():
        ids = {name: str(value) for name, value in kwargs.items() if isinstance(value, UUID)}
        codes: Codes = {"emergency": str(emergency_id), "page": view_name, **ids}
        record_whatever_happens(
            Action.EMERGENCY_VIEWED, person.actor, timezone.now(), controller_id=controller_id, data=codes
        )


def uses(person: User, now: datetime) -> list[Use]:
    """Every use for the brands that the person oversees, and their own, the latest first."""
    overseen = person.access.controllers(Permission.OVERSEE)
    mine = person.access.controllers(Permission.BREAK_GLASS)
    found = Emergency.objects.filter(controller_id__in=overseen) | Emergency.objects.filter(
        controller_id__in=mine, user=person
    )
    rows = list(found.select_related("user", "controller", "seen_by"))
    pages = _pages(rows)
    return [
        Use(
            row,
            pages.get(str(row.pk), 0),
            row.ended_at is None and row.ends_at > now,
            row.user_id == person.pk,
        )
        for row in rows
    ]


def _pages(rows: Iterable[Emergency]) -> dict[str, int]:
    """How many pages were asked for in each."""
    ids = [str(row.pk) for row in rows]
    events = AuditEvent.objects.filter(action=Action.EMERGENCY_VIEWED, data__emergency__in=ids)
    return dict(events.values_list("data__emergency").annotate(count=Count("pk")).order_by())


# -- telling the officers ----------------------------------------------------------------------------


def officers(emergency: Emergency) -> list[User]:
    """Who oversees the brand, but for who opened it."""
    held = Membership.objects.filter(
        team__serves__controller_id=emergency.controller_id, user__is_active=True, user__is_principal=False
    )
    found = {
        one.user_id: one.user
        for one in held.select_related("user")
        if Permission.OVERSEE in permissions_of(one.role, one.extra, one.withheld)
    }
    found.pop(emergency.user_id, None)
    return list(found.values())


def tell(emergency_id: UUID) -> list[EmailMessage]:
    """The mails to the officers, to be sent outside of any transaction. The reason is not in them."""
    emergency = Emergency.objects.select_related("user", "controller").get(pk=emergency_id)
    return [_mail(emergency, officer) for officer in officers(emergency)]


def send(mails: list[EmailMessage]) -> None:
    """Raises OSError or SMTPException where the mail server does not take them."""
    get_connection().send_messages(mails)


def _mail(emergency: Emergency, officer: User) -> EmailMessage:
    controller: Controller = emergency.controller
    context = {
        "emergency": emergency,
        "officer": officer,
        "started_at": emergency.started_at.astimezone(controller.zone),
        "ends_at": emergency.ends_at.astimezone(controller.zone),
        "url": settings.BASE_URL + reverse("identity:emergency"),
    }
    with translation.override(officer.language):
        subject = _("Emergency access to the cases of {brand}").format(brand=controller.name)
        body = render_to_string("identity/emergency_mail.txt", context)
    sender = settings.DEFAULT_FROM_EMAIL
    message_id = f"<emergency.{emergency.pk}.{officer.pk}@{sender.rpartition('@')[2].rstrip('>')}>"
    headers = {"Message-ID": message_id, "Auto-Submitted": "auto-generated", "Importance": "high"}
    return EmailMessage(subject, body, sender, [officer.email], headers=headers)
