"""The second factor: an authenticator app, and recovery codes for the day when the phone is lost."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from math import ceil
from urllib.parse import quote, urlencode
from uuid import UUID

import django_otp
import segno
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_otp import devices_for_user
from django_otp.models import Device

from dsar.audit.actions import Action
from dsar.audit.record import record, record_whatever_happens
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity import living, passkeys, sessions
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


def has_any(person: User) -> bool:
    """Whether the person has any second factor, of whichever kind."""
    return next(devices_for_user(person), None) is not None


def waits_until(device: TotpDevice) -> datetime | None:
    """Until when no code is looked at, after wrong ones; None where one may be tried."""
    allowed, why = device.verify_is_allowed()
    return None if allowed else why["locked_until"]


def refusal(device: TotpDevice | None, was_waiting: bool) -> str:
    """Why a code was not taken, and how long to wait, in words."""
    if device is None:
        return _("You have no authenticator app here. Use your passkey or a recovery code.")
    device.refresh_from_db()
    until, now = waits_until(device), timezone.now()
    wait = _wait(max(1, ceil((until - now).total_seconds()))) if until else ""
    if was_waiting:
        return _("After wrong codes there is a pause, in which no code is looked at. {wait}").format(
            wait=wait
        )
    return _("This code is not right, or was used already. Wait for the next one. {wait}").format(wait=wait)


def _wait(seconds: int) -> str:
    if seconds < 90:
        words = ngettext("You can try again in {n} second.", "You can try again in {n} seconds.", seconds)
        return words.format(n=seconds)
    minutes = ceil(seconds / 60)
    return ngettext("You can try again in {n} minute.", "You can try again in {n} minutes.", minutes).format(
        n=minutes
    )


def pass_with_app(request: HttpRequest, person: User, device: TotpDevice, code: str) -> bool:
    """Complete the sign-in with a code of the app; of two requests with one code, one passes."""
    if not code_is_right(person, device, code):
        return False
    complete(request, person, device, "app")
    return True


def code_is_right(person: User, device: TotpDevice, code: str) -> bool:
    """True once for a present code of the app; anything else is put on record."""
    if django_otp.verify_token(person, device.persistent_id, code) is None:
        record_failure(person, "app")
        return False
    return True


def pass_with_recovery_code(request: HttpRequest, person: User, code: str) -> bool:
    """Complete the sign-in with a recovery code, which is then spent."""
    device = next(devices_for_user(person), None)
    if device is None or not spend_recovery_code(person, code):
        return False
    complete(request, person, device, "recovery_code")
    return True


def spend_recovery_code(person: User, code: str) -> bool:
    """True once for each of the person's codes.

    These are not throttled: they cannot be guessed, and must help when an attacker has throttled the app.
    """
    now = timezone.now()
    codes = RecoveryCode.objects.filter(user=person, code_hash=_hash(code), used_at=None)
    if not codes.update(used_at=now):
        record_failure(person, "recovery_code")
        return False
    app = app_of(person)
    if app is not None:
        app.throttle_reset()
    record(Action.RECOVERY_CODE_USED, person.actor, now, data={"left": codes_left(person)})
    return True


def pass_with_passkey(request: HttpRequest, person: User, answer: str) -> bool:
    """Complete the sign-in with a passkey of the person's."""
    passkey = answered_by_passkey(request, person, answer)
    if passkey is not None:
        complete(request, person, passkey, "passkey")
    return passkey is not None


def answered_by_passkey(request: HttpRequest, person: User, answer: str) -> Device | None:
    """The passkey that answered; None, put on record, where none did."""
    try:
        return passkeys.prove(request, person, answer)
    except passkeys.PasskeyRefused:
        record_failure(person, "passkey")
        return None


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
        record_failure(person, "app")
        return None
    TotpDevice.objects.filter(user=person).exclude(pk=confirmed.pk).delete()
    confirmed.confirmed = True
    confirmed.save()
    request.session.pop(ENROLLING, None)
    record(Action.SECOND_FACTOR_ENROLLED, person.actor, timezone.now())
    return _changed(request, person, confirmed, "app")


@transaction.atomic
def enrol_passkey(request: HttpRequest, person: User, answer: str, name: str) -> list[str]:
    """Take a new passkey into use beside what there is; gives recovery codes where it is the first factor.

    Raises passkeys.PasskeyRefused.
    """
    User.objects.select_for_update().get(pk=person.pk)
    is_first = not has_any(person)
    passkey = passkeys.register(request, person, answer, name)
    if is_first:
        return _changed(request, person, passkey, "passkey")
    living.end_others(person, request.session.session_key, person.actor, timezone.now())
    return []


@transaction.atomic
def remove(request: HttpRequest, person: User, device: Device) -> bool:
    """Remove one of several factors, and end the other sessions; False where it is the last one."""
    User.objects.select_for_update().get(pk=person.pk)
    gone = device.persistent_id
    others = [other for other in devices_for_user(person) if other.persistent_id != gone]
    if not others:
        return False
    device.delete()
    now = timezone.now()
    record(Action.SECOND_FACTOR_REMOVED, person.actor, now)
    living.end_others(person, request.session.session_key, person.actor, now)
    if request.session.get(django_otp.DEVICE_ID_SESSION_KEY) == gone:
        request.session[django_otp.DEVICE_ID_SESSION_KEY] = others[0].persistent_id
    return True


def _changed(request: HttpRequest, person: User, device: Device, factor: str) -> list[str]:
    """The session goes on with the new factor, the others end, and there are new recovery codes."""
    complete(request, person, device, factor)
    living.end_others(person, request.session.session_key, person.actor, timezone.now())
    return make_recovery_codes(person)


def complete(request: HttpRequest, person: User, device: Device, factor: str) -> None:
    """Open the session that has passed both factors, the second by this device."""
    # A new key again: whoever learnt the half-open session's key must not be carried along.
    request.session.cycle_key()
    if not sessions.is_verified(request):
        record(Action.SIGNED_IN, person.actor, timezone.now(), data={"factor": factor})
    django_otp.login(request, device)
    sessions.note_factor(request)


def record_failure(person: User, factor: str) -> None:
    """Put on record that a second factor was refused."""
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
