"""Proving who asks: one-time codes, evidence recorded by staff, and the tokens that follow."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F

from dsar.audit.record import Actor
from dsar.lib import crypto
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity import assurance
from identity.models import (
    AccessToken,
    Level,
    Method,
    OneTimeCode,
    TokenPurpose,
    Verification,
    VerificationState,
)
from identity.providers import registry
from identity.providers.base import JSON, Context, Message, Person, State, Step
from identity.signals import level_reached

CODE_TRIES = 5
CODES_PER_HOUR = 5
# Methods whose proof is a code that somebody types; one field takes the codes of them all.
CODE_METHODS = (Method.EMAIL_CODE.value, Method.SMS_CODE.value)
TOKEN_BYTES = 32
RENEWED_AFTER = timedelta(days=1)


class TooManyCodes(Exception):
    """The requester asked for more codes than an hour allows."""


class TooWeak(Exception):
    """Evidence of this kind does not reach the level that was claimed for it."""


def open_verification(
    subject_request: Any, now: datetime, method: str = Method.EMAIL_CODE.value
) -> Verification:
    """The request's check by this method; one by e-mail is there from the beginning."""
    return _newest(subject_request, method) or new_verification(subject_request, now, method)


def restart_verification(subject_request: Any, now: datetime) -> Verification:
    """Another check in place of the open one: its codes, and what was learnt of its address, count no more."""
    for open_one in subject_request.verifications.filter(state=VerificationState.OPEN).select_for_update():
        open_one.codes.filter(used_at=None, expires_at__gt=now).update(expires_at=now)
        open_one.fail()
        open_one.ended_at = now
        _save_state(open_one)
    return new_verification(subject_request, now)


def new_verification(
    subject_request: Any, now: datetime, method: str = Method.EMAIL_CODE.value
) -> Verification:
    """The first check of a request that is just being logged, or another one."""
    return Verification.objects.create(
        controller_id=subject_request.controller_id,
        subject_request=subject_request,
        subject_id=subject_request.subject_id,
        method=method,
        started_at=now,
    )


def new_code(
    verification: Verification, person: Person, purpose: str, minutes: int, now: datetime
) -> Message:
    """A code to send, valid for ``minutes``; earlier ones stop working. Raises TooManyCodes, NotPossible."""
    Verification.objects.select_for_update().get(pk=verification.pk)
    recent = verification.codes.filter(sent_at__gt=now - timedelta(hours=1)).count()
    if recent >= CODES_PER_HOUR:
        raise TooManyCodes
    step = registry.build(verification.method).begin(person, context_of(verification, minutes, now))
    assert step.expires_at is not None
    # Ended, not used: a used code is one that was accepted, and proves something.
    verification.codes.filter(used_at=None, purpose=purpose, expires_at__gt=now).update(expires_at=now)
    OneTimeCode.objects.create(
        controller_id=verification.controller_id,
        verification=verification,
        code_hash=bytes.fromhex(str(step.state["digest"])),
        purpose=purpose,
        sent_at=now,
        expires_at=step.expires_at,
    )
    return step.messages[0]


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


def count_tries(subject_request: Any, purpose: str, now: datetime) -> list[UUID]:
    """Spend one try of each living code of the request, by whichever route it was sent; their ids.

    Call it in a transaction of its own, as ``count_try``.
    """
    newest = [_newest(subject_request, method) for method in CODE_METHODS]
    spent = [count_try(one, purpose, now) for one in newest if one is not None]
    return [code_id for code_id in spent if code_id is not None]


def _newest(subject_request: Any, method: str) -> Verification | None:
    found: Verification | None = (
        Verification.objects.filter(subject_request=subject_request, method=method)
        .order_by("-started_at", "-pk")
        .first()
    )
    return found


def codes_of(subject_request: Any, code_ids: Iterable[UUID]) -> list[OneTimeCode]:
    """Those of these codes that were sent for this very request."""
    codes = OneTimeCode.objects.filter(pk__in=list(code_ids), verification__subject_request=subject_request)
    return list(codes.select_related("verification").order_by("sent_at"))


def try_code(code_id: UUID, typed: str, person: Person, now: datetime) -> Step:
    """Hand a typed code to its method, and use the code up where it was right: that happens once."""
    code = OneTimeCode.objects.select_for_update().select_related("verification").get(pk=code_id)
    step = _stepped(code, {"code": typed}, person, now)
    if is_right(step) and code.used_at is None:
        code.used_at = now
        code.save(update_fields=["used_at"])
    return step


def is_right(step: Step) -> bool:
    """Whether the code was the one that was sent, whatever it proves."""
    spent = step.result is not None and step.result.reason in {"code_spent", "code_expired"}
    return not step.problem and not spent


def typed_before(verification: Verification, purpose: str, person: Person, now: datetime) -> Step | None:
    """What a code that was right proves by now; None where none was typed."""
    used = verification.codes.filter(purpose=purpose, used_at__isnull=False, tries__gt=0)
    code = used.select_related("verification").order_by("-used_at").first()
    return _stepped(code, {}, person, now, stage="typed") if code is not None else None


def _stepped(
    code: OneTimeCode, given: dict[str, JSON], person: Person, now: datetime, stage: str = ""
) -> Step:
    """The row is the method's state: what has to be counted and found stands in columns."""
    state: State = {"digest": bytes(code.code_hash).hex(), "expires_at": code.expires_at.isoformat()}
    stage = stage or ("over" if code.used_at is not None else "")
    method = registry.build(code.verification.method)
    return method.step(
        state | ({"stage": stage} if stage else {}), given, person, context_of(code.verification, 0, now)
    )


def achieve(verification: Verification, level: int, actor: Actor, now: datetime) -> None:
    """The check succeeded to this level; twice is once. Whoever listens learns it in this transaction."""
    locked = Verification.objects.select_for_update().get(pk=verification.pk)
    if locked.state == VerificationState.OPEN and level > Level.NONE:
        locked.achieve(level)
        locked.ended_at = now
        locked.policy = assurance.policy_in_force(locked.controller_id)
        _save_state(locked)
        level_reached.send(Verification, verification=locked, by=actor, now=now)


def fail(verification: Verification, now: datetime) -> None:
    """The check is over, and nothing was shown."""
    locked = Verification.objects.select_for_update().get(pk=verification.pk)
    if locked.state == VerificationState.OPEN:
        locked.fail()
        locked.ended_at = now
        _save_state(locked)


def retract(verification: Verification, now: datetime) -> bool:
    """What was taken for proof was none; True where there was something to take back."""
    locked = Verification.objects.select_for_update().get(pk=verification.pk)
    if locked.state != VerificationState.ACHIEVED:
        return False
    locked.retract()
    _save_state(locked)
    return True


def renew(verification: Verification, level: int, actor: Actor, now: datetime) -> None:
    """The same was shown once more: a check of today, since what was shown once counts for so many days only."""
    if verification.ended_at is not None and now - verification.ended_at < RENEWED_AFTER:
        return
    again = new_verification(verification.subject_request, now, verification.method)
    again.address_on_file, again.progress = verification.address_on_file, verification.progress
    again.save(update_fields=["address_on_file", "progress"])
    achieve(again, level, actor, now)


def record_by_staff(
    subject_request: Any, level: Level, method: Method, evidence_code: str, actor: Actor, now: datetime
) -> Verification:
    """What a member of staff saw and took as proof: method and level, never a copy of it.

    Raises TooWeak where this kind of evidence cannot reach the level.
    """
    given: dict[str, JSON] = {"evidence": evidence_code, "level": int(level)}
    step = registry.build(method).step({}, given, Person(), Context(now, b""))
    if step.result is None:
        raise TooWeak(step.problem)
    verification = Verification.objects.create(
        controller_id=subject_request.controller_id,
        subject_request=subject_request,
        subject_id=subject_request.subject_id,
        method=method,
        evidence_code=evidence_code,
        recorded_by_id=actor.id,
        started_at=now,
    )
    achieve(verification, step.result.level, actor, now)
    return verification


def _save_state(verification: Verification) -> None:
    """Name the row to the database's guard, which takes the name back when it was written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('dsar.performing', %s, true)", [str(verification.pk)])
    verification.save()


def context_of(verification: Verification, minutes: int, now: datetime) -> Context:
    """What a step of this check may depend on; what is asked now stays open for ``minutes``."""
    key = keyring.key(keyring.shared_key(KeyPurpose.LOOKUP, verification.controller_id, now).pk)
    own = crypto.blind(key, f"method|{verification.method}|{verification.pk}")
    return Context(now, own, timedelta(minutes=minutes))


# -- tokens ------------------------------------------------------------------------------------------


def new_token(
    purpose: TokenPurpose,
    subject_request: Any,
    now: datetime,
    lifetime: timedelta,
    *,
    level: int = 0,
    target_id: UUID | None = None,
    party: str = "requester",
) -> str:
    """Make a token; its value is returned once and kept as a hash only."""
    value = secrets.token_urlsafe(TOKEN_BYTES)
    AccessToken.objects.create(
        controller_id=subject_request.controller_id,
        purpose=purpose,
        token_hash=token_hash(value),
        subject_request=subject_request,
        target_id=target_id,
        party=party,
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
