"""The second factor: an authenticator app, and recovery codes for the day when the phone is lost."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote, urlencode
from uuid import UUID

import django_otp
import segno
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from dsar.audit.actions import Action
from dsar.audit.record import record, record_whatever_happens
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity import living, sessions
from identity.models import RecoveryCode, TotpDevice, User

SECRET_BYTES = 20  # RFC 4226, section 4, R6: 160 bits are recommended.
CODES = 10
# Sixteen of these are 79 bits: beyond guessing, and so safe as a plain hash. No look-alikes.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
CODE_LENGTH = 16
ENROLLING = "enrolling"
NOBODY = str(UUID(int=0))


@dataclass(frozen=True)
class Setup:
    """What an authenticator app needs: the picture, and the secret to type where there is no camera."""

    picture: str
    secret: str


def app_of(person: User) -> TotpDevice | None:
    """The person's authenticator app, once it has been confirmed."""
    return TotpDevice.objects.filter(user=person, confirmed=True).first()


def waits_until(device: TotpDevice) -> datetime | None:
    """Until when no code is looked at, after wrong ones; None where one may be tried."""
    allowed, why = device.verify_is_allowed()
    return None if allowed else why["locked_until"]


def pass_with_app(request: HttpRequest, person: User, device: TotpDevice, code: str) -> bool:
    """Complete the sign-in with a code of the app; of two requests with one code, one passes."""
    if django_otp.verify_token(person, device.persistent_id, code) is None:
        _record_failure(person, "app")
        return False
    _complete(request, person, device, "app")
    return True


def pass_with_recovery_code(request: HttpRequest, person: User, device: TotpDevice, code: str) -> bool:
    """Complete the sign-in with a recovery code, which is then spent.

    These are not throttled: they cannot be guessed, and must help when an attacker has throttled the app.
    """
    now = timezone.now()
    codes = RecoveryCode.objects.filter(user=person, code_hash=_hash(code), used_at=None)
    if not codes.update(used_at=now):
        _record_failure(person, "recovery_code")
        return False
    device.throttle_reset()
    record(Action.RECOVERY_CODE_USED, person.actor, now, data={"left": codes_left(person)})
    _complete(request, person, device, "recovery_code")
    return True


def codes_left(person: User) -> int:
    """How many recovery codes are unspent."""
    return RecoveryCode.objects.filter(user=person, used_at=None).count()


def make_recovery_codes(person: User) -> list[str]:
    """Ten new codes; the old ones are void. Only their hashes are kept, so show them now."""
    codes = [_new_code() for _ in range(CODES)]
    RecoveryCode.objects.filter(user=person).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user=person, code_hash=_hash(code)) for code in codes)
    record(Action.RECOVERY_CODES_MADE, person.actor, timezone.now(), data={"count": CODES})
    return codes


def begin_enrolment(request: HttpRequest, person: User) -> TotpDevice:
    """The app that this session is setting up: the same when the page is loaded again.

    Never that of another session: who knew the password before would know the secret too.
    """
    pending = TotpDevice.objects.filter(user=person, confirmed=False)
    device = pending.filter(pk=request.session.get(ENROLLING, NOBODY)).first()
    if device is None:
        pending.delete()
        device = _new_device(person)
        request.session[ENROLLING] = str(device.pk)
    return device


def setup(device: TotpDevice) -> Setup:
    """What to show for scanning and typing (the otpauth: format that the apps read)."""
    secret = base64.b32encode(bytes.fromhex(device.secret)).decode()
    issuer = settings.OTP_TOTP_ISSUER
    query = urlencode({"secret": secret, "issuer": issuer}, quote_via=quote)
    address = f"otpauth://totp/{quote(f'{issuer}:{device.user.email}', safe='')}?{query}"
    picture = segno.make(address, error="m").svg_data_uri(scale=5, border=4, light="#fff")
    return Setup(picture, " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)))


@transaction.atomic
def enrol(request: HttpRequest, person: User, device: TotpDevice, code: str) -> list[str] | None:
    """Take the app into use in place of any other; gives the recovery codes, or None for a wrong code."""
    User.objects.select_for_update().get(
        pk=person.pk
    )  # Two enrolments of one person come one after the other.
    confirmed = django_otp.verify_token(person, device.persistent_id, code)
    if confirmed is None:
        _record_failure(person, "app")
        return None
    TotpDevice.objects.filter(user=person).exclude(pk=confirmed.pk).delete()
    confirmed.confirmed = True
    confirmed.save()
    request.session.pop(ENROLLING, None)
    now = timezone.now()
    record(Action.SECOND_FACTOR_ENROLLED, person.actor, now)
    _complete(request, person, confirmed, "app")
    living.end_others(person, request.session.session_key, person.actor, now)
    return make_recovery_codes(person)


def _complete(request: HttpRequest, person: User, device: TotpDevice, factor: str) -> None:
    # A new key again: whoever learnt the half-open session's key must not be carried along.
    request.session.cycle_key()
    if not sessions.is_verified(request):
        record(Action.SIGNED_IN, person.actor, timezone.now(), data={"factor": factor})
    django_otp.login(request, device)


def _record_failure(person: User, factor: str) -> None:
    record_whatever_happens(
        Action.SECOND_FACTOR_FAILED, person.actor, timezone.now(), data={"factor": factor}
    )


def _new_device(person: User) -> TotpDevice:
    key = keyring.shared_key(KeyPurpose.STAFF, None, timezone.now())
    secret = secrets.token_hex(SECRET_BYTES)
    device: TotpDevice = TotpDevice.objects.create(
        user=person, key=key, secret=secret, confirmed=False, name="app"
    )
    return device


def _new_code() -> str:
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return "-".join(drawn[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def _hash(code: str) -> bytes:
    kept = "".join(character for character in code.lower() if character in ALPHABET)
    return sha256(kept.encode()).digest()
