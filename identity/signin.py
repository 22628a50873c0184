"""Signing in: e-mail and password, with lock-out that tells a stranger nothing."""

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate, login
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from dsar.audit.actions import Action
from dsar.audit.record import Actor, record, record_whatever_happens
from identity import passkeys, second_factor, sessions
from identity.models import User
from identity.whereabouts import client_address


class PasswordBackend(ModelBackend):
    """E-mail in any case, and Argon2. What a person may do is the teams' matter, not Django's."""

    def has_perm(self, *args: object, **kwargs: object) -> bool:
        return False

    def user_can_authenticate(self, user: AbstractBaseUser | AnonymousUser | None) -> bool:
        """Whether this is a person who works here; asked again with every page, so leaving takes effect at once."""
        return isinstance(user, User) and may_enter(user)


def may_enter(person: User) -> bool:
    """Whether this is a person who works here."""
    return person.is_active and not person.is_principal


def check_password(request: HttpRequest, email: str, password: str) -> User | None:
    """The person whose password this is; a refusal is put on record and counts towards lock-out.

    A locked-out visitor is refused even with the right password, and is then answered by ``locked_out``.
    """
    _take_turns(lockout_name(request, {"username": email}), client_address(request))
    person = authenticate(request, username=email, password=password)
    if isinstance(person, User):
        return person
    _record_refusal(request, email)
    return None


def begin(request: HttpRequest, person: User, destination: str) -> None:
    """Open a session that has passed the password alone, under a new key so that a planted one is worthless."""
    login(request, person, backend="identity.signin.PasswordBackend")
    sessions.begin(request, destination)


def enter_with_passkey(request: HttpRequest, answer: str, destination: str) -> bool:
    """Open a session by a passkey alone, whose authenticator has verified its user; False where it is refused."""
    try:
        passkey = passkeys.prove(request, None, answer)
    except passkeys.PasskeyRefused:
        record_whatever_happens(Action.SIGN_IN_FAILED, Actor("staff"), timezone.now(), data={"by": "passkey"})
        return False
    person = passkey.user
    if not may_enter(person):
        record_whatever_happens(Action.SIGN_IN_FAILED, person.actor, timezone.now(), data={"by": "passkey"})
        return False
    begin(request, person, destination)
    second_factor.complete(request, person, passkey, "passkey_alone")
    return True


def lockout_name(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """Under which name attempts are counted: a keyed hash, the same for every way to write the address.

    Whatever was typed there, be it a password in the wrong field, is not kept.
    """
    typed = str((credentials or {}).get("username") or "").strip().lower()
    return hmac.digest(settings.SECRET_KEY.encode(), b"lock-out|" + typed.encode(), "sha256").hex()


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: Mapping[str, Any] | None
) -> HttpResponse:
    """Too many wrong passwords: says so, and for how long, whether or not the address is known."""
    seconds = max(1, ceil((lock_ends_at(request, credentials) - timezone.now()).total_seconds()))
    page = render(request, "identity/locked_out.html", {"minutes": ceil(seconds / 60)}, status=429)
    page["Retry-After"] = str(seconds)
    return page


def lock_ends_at(request: HttpRequest, credentials: Mapping[str, Any] | None) -> datetime:
    """When so many failures will have grown old that too few are left to lock."""
    counted = AccessAttempt.objects.filter(
        username=lockout_name(request, credentials),
        ip_address=client_address(request),
        attempt_time__gte=get_cool_off_threshold(request),
    )
    failures = list(counted.order_by("attempt_time").values_list("attempt_time", "failures_since_start"))
    return _falls_below(settings.AXES_FAILURE_LIMIT, failures) + (get_cool_off(request) or timedelta())


def _falls_below(limit: int, failures: Iterable[tuple[datetime, int]]) -> datetime:
    """The time of the failure with whose expiry fewer than ``limit`` remain; failures come oldest first."""
    failures = list(failures)
    left, expired_at = sum(count for _, count in failures), timezone.now()
    for at, count in failures:
        if left < limit:
            break
        left, expired_at = left - count, at
    return expired_at


def _take_turns(*whose: str) -> None:
    """Weigh guesses that are sent at once one after another, so that none escapes the count of the others."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", ["sign-in|" + "|".join(whose)]
        )


def _record_refusal(request: HttpRequest, email: str) -> None:
    action = Action.LOCKED_OUT if getattr(request, "axes_locked_out", False) else Action.SIGN_IN_FAILED
    known = User.objects.filter(email__iexact=email.strip()).values_list("pk", flat=True).first()
    record_whatever_happens(action, Actor("staff", known), timezone.now())


def sign_out(request: HttpRequest, person: User, reason: sessions.Reason) -> None:
    """End the session, and say on the record why."""
    record(Action.SIGNED_OUT, person.actor, timezone.now(), data={"reason": reason.value})
    sessions.end(request)
