"""Speaking with an external provider of identity checks: opening a session, asking, believing its messages."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2
from django.conf import settings

from dsar.lib import crypto, http
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import ExternalCheck, ExternalEvent, IdentityProvider
from identity.providers.external import wire
from identity.providers.external.wire import Opened, Standing, Told, Unreadable, Wire


class Unreachable(Exception):
    """The provider did not answer as it should. ``code`` is free of personal data."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Connection:
    """What is needed outside of a transaction: nothing in it is sealed any more."""

    wire: Wire
    token: str = field(repr=False)


def provider_of(controller_id: UUID) -> IdentityProvider | None:
    """The controller's provider, where one is connected."""
    found: IdentityProvider | None = IdentityProvider.objects.filter(
        controller_id=controller_id, is_active=True
    ).first()
    return found


def connection_of(provider: IdentityProvider) -> Connection:
    return Connection(provider.wire, provider.token)


# -- asking ------------------------------------------------------------------------------------------


def open_session(with_: Connection, key: UUID, values: Mapping[str, str]) -> Opened:
    """Have a session opened; the same ``key`` opens one, however often it is asked. Raises Unreachable."""
    start = with_.wire.start
    headers = {start.idempotency_header: str(key)}
    answer = _asked(with_, "POST", start.path, json=wire.filled(start.body, values), headers=headers)
    with _readable():
        return wire.opened(with_.wire, answer)


def look(with_: Connection, session: str) -> Standing:
    """How the session stands. Raises Unreachable."""
    answer = _asked(with_, "GET", _path(with_.wire.look.path, session))
    with _readable():
        return wire.standing(with_.wire, answer)


def cancel_session(with_: Connection, session: str) -> None:
    """Tell the provider that the session is not wanted any more. Raises Unreachable."""
    if with_.wire.cancel is not None:
        _response(with_, with_.wire.cancel.method, _path(with_.wire.cancel.path, session))


def try_out(with_: Connection) -> str:
    """Ask for a session that cannot exist; nobody is named and nothing is opened. Returns a code."""
    try:
        _response(with_, "GET", _path(with_.wire.look.path, str(uuid4())))
    except Unreachable as trouble:
        return "answers" if trouble.code in {"http_404", "http_410", "http_400", "http_422"} else trouble.code
    return "answers"


def _path(template: str, session: str) -> str:
    # What a provider gave as an id must not lead to another of its addresses.
    safe = "".join(sign for sign in session if sign.isalnum() or sign in "-_.~:").strip(".")
    return template.replace("{session}", safe)


def _asked(with_: Connection, method: str, path: str, **options: Any) -> object:
    try:
        return _response(with_, method, path, **options).json()
    except ValueError:
        raise Unreachable("not_json") from None


def _response(with_: Connection, method: str, path: str, **options: Any) -> httpx2.Response:
    about, said = with_.wire, with_.wire.authorization
    headers = {said.header: said.value.format(token=with_.token), **options.pop("headers", {})}
    try:
        with http.client(
            about.timeout_seconds, allow_private=about.allow_private, max_bytes=wire.MOST_BYTES
        ) as client:
            response = client.request(method, about.base_url + path, headers=headers, **options)
    except httpx2.TimeoutException:
        raise Unreachable("timeout") from None
    except http.ForbiddenDestination:
        raise Unreachable("forbidden_destination") from None
    except (httpx2.HTTPError, httpx2.InvalidURL):
        raise Unreachable("no_connection") from None
    if response.status_code >= 300:
        raise Unreachable(f"http_{response.status_code}")
    return response


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except Unreadable as trouble:
        raise Unreachable(trouble.code) from None


# -- messages ----------------------------------------------------------------------------------------


def take_message(
    provider: IdentityProvider, headers: Mapping[str, str], body: bytes, now: datetime
) -> ExternalEvent | None:
    """Keep what a message tells, once: None where it was here before. Raises Untrue or Unreadable."""
    told = wire.believed(provider.wire, keys_of(provider), headers, body, now)
    IdentityProvider.objects.filter(pk=provider.pk).update(heard_at=now)
    return _kept(provider, told, now)


def keys_of(provider: IdentityProvider) -> list[str]:
    """The keys that messages may be signed with. What the simulator signs proves nobody in earnest."""
    is_play = settings.DEMO or settings.DEBUG
    return [key for key in provider.signing_keys if is_play or not key.startswith(wire.SIMULATED)]


def _kept(provider: IdentityProvider, told: Told, now: datetime) -> ExternalEvent | None:
    event = ExternalEvent(
        controller_id=provider.controller_id,
        provider=provider,
        event_hash=hashlib.sha256(told.event.encode()).digest(),
        session_hash=session_hash(provider, told.session, now),
        by_message=True,
        outcome=told.outcome,
        at=told.at,
        received_at=now,
    )
    ExternalEvent.objects.bulk_create([event], ignore_conflicts=True)
    return ExternalEvent.objects.filter(pk=event.pk).first()


def session_hash(provider: IdentityProvider, session: str, now: datetime) -> bytes:
    """A keyed hash, of this controller and provider alone, by which a session is found."""
    key = keyring.key(keyring.shared_key(KeyPurpose.LOOKUP, provider.controller_id, now).pk)
    return crypto.blind(key, f"external|{provider.pk}|{session}")


def check_of(event: ExternalEvent) -> ExternalCheck | None:
    """The check that an event speaks of."""
    found: ExternalCheck | None = ExternalCheck.objects.filter(
        provider_id=event.provider_id, session_hash=bytes(event.session_hash)
    ).first()
    return found
