"""Passkeys (WebAuthn): a second factor, and both at once where the authenticator verified its user."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django_otp_webauthn.exceptions import OTPWebAuthnApiError
from django_otp_webauthn.helpers import WebAuthnHelper
from django_otp_webauthn.models import WebAuthnCredential
from django_otp_webauthn.settings import app_settings
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import ResidentKeyRequirement

from dsar.audit.actions import Action
from dsar.audit.record import record
from identity.models import User

CEREMONY = "passkey_ceremony"
LONGEST_ANSWER = 20_000


class PasskeyRefused(Exception):
    """The browser's answer proves nothing: forged, late, used before, or of a passkey that is not known here."""


class Helper(WebAuthnHelper):  # type: ignore[misc]
    """The library's ceremonies, keeping no attestation: which make of authenticator somebody owns is not our matter."""

    def get_discoverable_credentials_preference(self) -> ResidentKeyRequirement:
        """Keys with little memory are welcome as a second factor."""
        return ResidentKeyRequirement.PREFERRED

    def create_attestation(self, *args: object, **kwargs: object) -> None:
        """Nothing was asked for, and nothing is kept."""


def of(person: User) -> list[WebAuthnCredential]:
    """The person's passkeys, the oldest first."""
    return list(WebAuthnCredential.objects.filter(user=person, confirmed=True).order_by("created_at", "pk"))


def registration_options(request: HttpRequest, person: User) -> dict[str, Any]:
    """What the browser needs to make a passkey; the challenge is kept in the session until it answers."""
    options, state = Helper(request).register_begin(user=person)
    _open(request, "register", person, state)
    return options  # type: ignore[no-any-return]


def register(request: HttpRequest, person: User, answer: str, name: str) -> WebAuthnCredential:
    """Take a new passkey into use. Raises PasskeyRefused."""
    state = _close(request, "register", person)
    data = _parsed(answer)
    with _refusing(), transaction.atomic():
        passkey = Helper(request).register_complete(user=person, state=state, data=data)
    passkey.name = name
    passkey.save(update_fields=["name"])
    record(Action.PASSKEY_ADDED, person.actor, timezone.now())
    return passkey


def options_to_prove(request: HttpRequest, person: User | None) -> dict[str, Any]:
    """What the browser needs to use a passkey: of this person, or of whoever it is.

    Where nobody is known yet, the authenticator must have recognised its user: it stands for both factors then.
    """
    options, state = Helper(request).authenticate_begin(user=person, require_user_verification=person is None)
    _open(request, "prove", person, state)
    return options  # type: ignore[no-any-return]


def prove(request: HttpRequest, person: User | None, answer: str) -> WebAuthnCredential:
    """The passkey that answered the challenge. Raises PasskeyRefused; no challenge is answered twice."""
    state = _close(request, "prove", person)
    data = _parsed(answer)
    with _refusing(), transaction.atomic():
        passkey = Helper(request).authenticate_complete(user=person, state=state, data=data)
    if not passkey.confirmed:
        raise PasskeyRefused("credential_disabled")
    return passkey


@contextmanager
def _refusing() -> Iterator[None]:
    """Whatever the libraries object to is a refusal; what they say of it may quote the answer, and is dropped.

    A passkey that is registered already, by whomever, cannot be registered again.
    """
    try:
        yield
    except (OTPWebAuthnApiError, WebAuthnException, ValueError, KeyError, TypeError, IntegrityError):
        raise PasskeyRefused("refused") from None


def _open(request: HttpRequest, what: str, person: User | None, state: dict[str, Any]) -> None:
    whose = str(person.pk) if person else ""
    request.session[CEREMONY] = {"what": what, "whose": whose, "at": int(time.time()), "state": state}


def _close(request: HttpRequest, what: str, person: User | None) -> dict[str, Any]:
    """The state of the ceremony that this session has open, which is over with this; raises PasskeyRefused."""
    kept = request.session.pop(CEREMONY, None)
    whose = str(person.pk) if person else ""
    if kept is None or (kept["what"], kept["whose"]) != (what, whose):
        raise PasskeyRefused("no_ceremony")
    if time.time() - kept["at"] > app_settings.OTP_WEBAUTHN_TIMEOUT_SECONDS:
        raise PasskeyRefused("too_late")
    return kept["state"]  # type: ignore[no-any-return]


def _parsed(answer: str) -> dict[str, Any]:
    try:
        data = json.loads(answer) if len(answer) <= LONGEST_ANSWER else None
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise PasskeyRefused("no_json")
    return data
