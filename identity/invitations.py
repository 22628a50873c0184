"""Invite a member of staff to set a password: the first one, or a new one for who has lost theirs."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import transaction

from dsar.audit.actions import Action
from dsar.audit.record import record
from identity import living
from identity.models import Invitation, RecoveryCode, TotpDevice, User


class InvitationSpent(Exception):
    """The link was used or replaced, has run out, or never was one. Which of these is not said."""


def invite(person: User, now: datetime, *, removes_second_factor: bool = False) -> str:
    """A token for one link; earlier links of the person stop working."""
    token = secrets.token_urlsafe(32)
    Invitation.objects.filter(user=person).delete()
    Invitation.objects.create(
        user=person,
        token_hash=digest(token),
        removes_second_factor=removes_second_factor,
        made_at=now,
        expires_at=now + timedelta(days=settings.INVITATION_DAYS),
    )
    return token


def digest(token: str) -> bytes:
    """The token's hash, under which its invitation is found."""
    return sha256(token.encode()).digest()


def find(token_hash: bytes, now: datetime) -> Invitation:
    """The open invitation of this token, its row locked; raises InvitationSpent."""
    open_ones = Invitation.objects.filter(used_at=None, expires_at__gt=now, user__is_active=True)
    found = open_ones.select_for_update(of=("self",)).filter(token_hash=token_hash).first()
    if found is None or found.user.is_principal:
        raise InvitationSpent
    return found


@transaction.atomic
def accept(invitation: Invitation, password: str, now: datetime) -> None:
    """Set the password, which ends the person's sessions everywhere, and spend the link."""
    person = invitation.user
    invitation.used_at = now
    invitation.save(update_fields=["used_at"])
    person.set_password(password)
    person.save(update_fields=["password"])
    if invitation.removes_second_factor:
        _remove_second_factor(person)
    removed = invitation.removes_second_factor
    record(
        Action.PASSWORD_CHANGED,
        person.actor,
        now,
        data={"by": "invitation", "second_factor_removed": removed},
    )
    living.end_others(person, None, person.actor, now)


def _remove_second_factor(person: User) -> None:
    TotpDevice.objects.filter(user=person).delete()
    RecoveryCode.objects.filter(user=person).delete()
