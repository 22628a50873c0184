"""Signing in as a browser does, for tests of every package."""

import base64
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from django.db import connections
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP

from dsar.audit.models import AuditEvent
from identity.models import User
from tests.factories.identity import PASSWORD, TOTP_SECRET, UserFactory, enrolled

NOON = datetime(2026, 11, 23, 12, 0, 5, tzinfo=UTC)
HTTP_FOUND, HTTP_UNPROCESSABLE, HTTP_LOCKED = 302, 422, 429


def code_now(secret: str = TOTP_SECRET, steps: int = 0) -> str:
    """What the app shows now, or some steps of thirty seconds from now."""
    totp = TOTP(bytes.fromhex(secret))
    totp.time = time.time() + steps * 30
    return f"{totp.token():06d}"


def wrong_code(secret: str = TOTP_SECRET) -> str:
    """Six digits that the app shows neither now nor in the steps around."""
    near = {code_now(secret, steps) for steps in (-1, 0, 1)}
    return next(digits for digits in ("000000", "111111", "222222", "333333") if digits not in near)


def give_password(client: Client, email: str, password: str = PASSWORD, **fields: str) -> Any:
    return client.post(reverse("identity:sign-in"), {"email": email, "password": password, **fields})


def give_code(client: Client, code: str) -> Any:
    return client.post(reverse("identity:second-factor"), {"code": code})


def sign_in(client: Client, person: User) -> None:
    """Pass both factors; the person has a password and the factory's app."""
    give_password(client, person.email)
    answer = give_code(client, code_now())
    assert answer.status_code == HTTP_FOUND, answer.content


def member(**fields: Any) -> User:
    """Somebody with a password and an app."""
    person = UserFactory.create(with_password=True, **fields)
    enrolled(person)
    return person


def at(**later: float) -> time_machine.travel:
    """A moment after noon of a Monday, at which time stands still."""
    return time_machine.travel(NOON + timedelta(**later), tick=False)


def half_way(person: User) -> Client:
    """A browser in which the person has given the password, and nothing more."""
    client = Client()
    give_password(client, person.email)
    return client


def secret_shown(page: Any) -> str:
    """The secret as an app would take it from the page of the enrolment, in hexadecimal."""
    return base64.b32decode(page.context["setup"].secret.replace(" ", "")).hex()


def is_inside(client: Client) -> bool:
    return bool(client.get(reverse("identity:account")).status_code == 200)


def trail() -> list[tuple[str, Any, dict[str, Any]]]:
    """What was put on record, in order: action, who, data."""
    return list(AuditEvent.objects.order_by("seq").values_list("action", "actor_id", "data"))


def at_once(act: Callable[[Any], Any], arguments: Iterable[Any]) -> list[Any]:
    """What ``act`` gives for each argument, all started at the same moment, each on a connection of its own."""
    arguments = list(arguments)
    together = threading.Barrier(len(arguments))

    def run(argument: Any) -> Any:
        together.wait()
        try:
            return act(argument)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(run, arguments))
