"""Signing in as a browser does, for tests of every package."""

import time
from typing import Any

from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP

from identity.models import User
from tests.factories.identity import PASSWORD, TOTP_SECRET


def code_now(secret: str = TOTP_SECRET, steps: int = 0) -> str:
    """What the app shows now, or some steps of thirty seconds from now."""
    totp = TOTP(bytes.fromhex(secret))
    totp.time = time.time() + steps * 30
    return f"{totp.token():06d}"


def give_password(client: Client, email: str, password: str = PASSWORD, **fields: str) -> Any:
    return client.post(reverse("identity:sign-in"), {"email": email, "password": password, **fields})


def give_code(client: Client, code: str) -> Any:
    return client.post(reverse("identity:second-factor"), {"code": code})


def sign_in(client: Client, person: User) -> None:
    """Pass both factors; the person has a password and the factory's app."""
    give_password(client, person.email)
    answer = give_code(client, code_now())
    assert answer.status_code == 302, answer.content
