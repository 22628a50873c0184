"""Proving who asks: one-time codes, evidence recorded by staff, and the tokens that follow."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F

from dsar.audit.record import Actor
from dsar.lib import crypto
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import (
    AccessToken,
    Level,
    Method,
    OneTimeCode,
    TokenPurpose,
    Verification,
    VerificationState,
)
from identity.signals import level_reached

CODE_TRIES = 5
CODES_PER_HOUR = 5
TOKEN_BYTES = 32


class TooManyCodes(Exception):
    """The requester asked for more codes than an hour allows."""


def open_verification(subject_request: Any, now: datetime) -> Verification:
    """The request's check by one-time code; there is one from the beginning."""
    checks = Verification.objects.filter(subject_request=subject_request, method=Method.EMAIL_CODE)
    found: Verification | None = checks.order_by("-started_at", "-pk").first()
    return found or new_verification(subject_request, now)


def restart_verification(subject_request: Any, now: datetime) -> Verification:
    """Another check in place of the open one: its codes, and what was learnt of its address, count no more."""
    for open_one in subject_request.verifications.filter(state=VerificationState.OPEN).select_for_update():
        open_one.codes.filter(used_at=None, expires_at__gt=now).update(expires_at=now)
        open_one.fail()
        open_one.ended_at = now
        _save_state(open_one)
    return new_verification(subject_request, now)


def new_verification(subject_request: Any, now: datetime) -> Verification:
    """The first check of a request that is just being logged, or another one."""
    return Verification.objects.create(
        controller_id=subject_request.controller_id,
        subject_request=subject_request,
        subject_id=subject_request.subject_id,
        method=Method.EMAIL_CODE,
        started_at=now,
    )


def new_code(verification: Verification, purpose: str, minutes: int, now: datetime) -> str:
    """Make a code of six digits, valid for ``minutes``; earlier ones stop working. Raises TooManyCodes."""
    Verification.objects.select_for_update().get(pk=verification.pk)
    recent = verification.codes.filter(sent_at__gt=now - timedelta(hours=1)).count()
    if recent >= CODES_PER_HOUR:
        raise TooManyCodes
    # Ended, not used: a used code is one that was accepted, and proves something.
    verification.codes.filter(used_at=None, purpose=purpose, expires_at__gt=now).update(expires_at=now)
    code = f"{secrets.randbelow(1_000_000):06}"
    OneTimeCode.objects.create(
        controller_id=verification.controller_id,
        verification=verification,
        code_hash=_code_hash(verification, code, now),
        purpose=purpose,
        sent_at=now,
        expires_at=now + timedelta(minutes=minutes),
    )
    return code


def count_try(verification: Verification, purpose: str, now: datetime) -> UUID | None:
    """Spend one try of the present code and return its id; None where none is left or alive.

    Call it in a transaction of its own and commit before comparing, so that no rollback gives a try back.
    """
    code = (
        verification.codes.filter(purpose=purpose, used_at=None, expires_at__gt=now)
        .order_by("-sent_at")
        .first()
    )
    if code is None:
        return None
    spent = OneTimeCode.objects.filter(pk=code.pk, tries__lt=CODE_TRIES).update(tries=F("tries") + 1)
    return code.pk if spent else None


def code_matches(code_id: UUID, typed: str, now: datetime) -> bool:
    """Compare, in constant time, and use the code up; True once."""
    code = OneTimeCode.objects.select_for_update().select_related("verification").get(pk=code_id)
    expected = _code_hash(code.verification, typed.strip(), now)
    if code.used_at is not None or not secrets.compare_digest(bytes(code.code_hash), expected):
        return False
    code.used_at = now
    code.save(update_fields=["used_at"])
    return True


def achieve(verification: Verification, level: int, actor: Actor, now: datetime) -> None:
    """The check succeeded to this level; twice is once. Whoever listens learns it in this transaction."""
    locked = Verification.objects.select_for_update().get(pk=verification.pk)
    if locked.state == VerificationState.OPEN:
        locked.achieve(level)
        locked.ended_at = now
        _save_state(locked)
        level_reached.send(Verification, verification=locked, by=actor, now=now)


def record_by_staff(
    subject_request: Any, level: Level, method: Method, evidence_code: str, actor: Actor, now: datetime
) -> Verification:
    """What a member of staff saw and took as proof: method and level, never a copy of it."""
    verification = Verification.objects.create(
        controller_id=subject_request.controller_id,
        subject_request=subject_request,
        subject_id=subject_request.subject_id,
        method=method,
        evidence_code=evidence_code,
        recorded_by_id=actor.id,
        started_at=now,
    )
    achieve(verification, level, actor, now)
    return verification


def _save_state(verification: Verification) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('dsar.performing', %s, true)", [str(verification.pk)])
        verification.save()
        cursor.execute("SELECT set_config('dsar.performing', '', true)")


def _code_hash(verification: Verification, code: str, now: datetime) -> bytes:
    key = keyring.key(keyring.shared_key(KeyPurpose.LOOKUP, verification.controller_id, now).pk)
    return crypto.blind(key, f"code|{verification.pk}|{code}")


# -- tokens ------------------------------------------------------------------------------------------


def new_token(
    purpose: TokenPurpose,
    subject_request: Any,
    now: datetime,
    lifetime: timedelta,
    *,
    level: int = 0,
    target_id: UUID | None = None,
) -> str:
    """Make a token; its value is returned once and kept as a hash only."""
    value = secrets.token_urlsafe(TOKEN_BYTES)
    AccessToken.objects.create(
        controller_id=subject_request.controller_id,
        purpose=purpose,
        token_hash=token_hash(value),
        subject_request=subject_request,
        target_id=target_id,
        level=level,
        created_at=now,
        expires_at=now + lifetime,
    )
    return value


def find_token(value: str, purpose: TokenPurpose, now: datetime) -> AccessToken | None:
    """The living token of this value and purpose."""
    found: AccessToken | None = (
        AccessToken.objects.filter(
            token_hash=token_hash(value), purpose=purpose, expires_at__gt=now, revoked_at=None
        )
        .select_related("subject_request")
        .first()
    )
    return found


def use_up(token: AccessToken, now: datetime) -> bool:
    """True for the first to use it."""
    return bool(AccessToken.objects.filter(pk=token.pk, used_at=None).update(used_at=now))


def revoke_tokens(subject_request: Any, now: datetime) -> None:
    """Every door of this request closes."""
    AccessToken.objects.filter(subject_request=subject_request, revoked_at=None).update(revoked_at=now)


def token_hash(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
