"""A provider of OpenID Connect: what we know of it, what it tells of itself, and its keys.

OpenID Connect Discovery 1.0; keys are fetched again when a token names one that is not known.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from dsar.lib import http

TIMEOUT_SECONDS = 10.0
MAX_BYTES = 512 * 1024
KEPT_SECONDS = 60 * 60
# How soon keys may be asked for again, so that forged tokens do not make us hammer the provider.
ANEW_SECONDS = 10


class OpenIdRefused(Exception):
    """The provider, or what came in its name, is not believed. ``code`` is free of personal data."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Provider:
    """What an operator says of a provider. ``skew`` is how many seconds its clock may differ from ours."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    skew: int = 60
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider tells of itself."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    auth_methods: tuple[str, ...]
    algorithms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    value: Any
    at: float


class _Memory:
    """What was fetched lately, for all threads of this process; no secret and nothing personal."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._lock = threading.Lock()

    def get(self, what: tuple[str, str], fetch: Callable[[], Any], older_than: float = KEPT_SECONDS) -> Any:
        """What is kept, unless it is ``older_than`` so many seconds; then it is fetched."""
        with self._lock:
            kept = self._kept.get(what)
        if kept is not None and time.time() - kept.at < older_than:
            return kept.value
        value = fetch()
        with self._lock:
            self._kept[what] = _Kept(value, time.time())
        return value

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()


memory = _Memory()


def metadata(provider: Provider) -> Metadata:
    """What the provider tells of itself; raises OpenIdRefused where it cannot be reached or speaks for another."""
    found: Metadata = memory.get(("metadata", provider.issuer), lambda: _discover(provider))
    return found


def keys(provider: Provider, kid: str | None, *, older_than: float = KEPT_SECONDS) -> list[Key]:
    """The keys that a token may be signed with: the one that it names, else all.

    They are asked for again where those that are kept are ``older_than`` so many seconds.
    """
    about = metadata(provider)
    found: KeySet = memory.get(("keys", about.jwks_uri), lambda: _fetch_keys(provider, about), older_than)
    return [key for key in found.keys if kid is None or key.kid in (None, kid)]


def fetch(provider: Provider, method: str, url: str, *, code: str, **options: Any) -> Mapping[str, Any]:
    """A JSON object from the provider; raises OpenIdRefused with ``code`` for anything else."""
    try:
        with http.client(
            TIMEOUT_SECONDS, allow_private=provider.allow_private, max_bytes=MAX_BYTES
        ) as client:
            response = client.request(method, url, **options)
            response.raise_for_status()
            data = response.json()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
        raise OpenIdRefused(code) from None
    if not isinstance(data, dict):
        raise OpenIdRefused(code)
    return data


def _discover(provider: Provider) -> Metadata:
    data = fetch(
        provider, "GET", get_well_known_url(provider.issuer, external=True), code="provider_unreachable"
    )
    # Discovery 1.0, section 4.3: a document that names another issuer must not be used.
    if data.get("issuer") != provider.issuer:
        raise OpenIdRefused("other_issuer")
    return Metadata(
        authorization_endpoint=_address(provider, data, "authorization_endpoint"),
        token_endpoint=_address(provider, data, "token_endpoint"),
        jwks_uri=_address(provider, data, "jwks_uri"),
        userinfo_endpoint=str(data.get("userinfo_endpoint") or ""),
        auth_methods=_words(data, "token_endpoint_auth_methods_supported", "client_secret_basic"),
        algorithms=_words(data, "id_token_signing_alg_values_supported", "RS256"),
    )


def _address(provider: Provider, data: Mapping[str, Any], name: str) -> str:
    address = data.get(name)
    schemes = {"https", "http"} if provider.allow_private else {"https"}
    if not isinstance(address, str) or urlsplit(address).scheme not in schemes:
        raise OpenIdRefused("metadata_wrong")
    return address


def _words(data: Mapping[str, Any], name: str, usual: str) -> tuple[str, ...]:
    value = data.get(name)
    return tuple(str(word) for word in value) if isinstance(value, list) and value else (usual,)


def _fetch_keys(provider: Provider, about: Metadata) -> KeySet:
    data = fetch(provider, "GET", about.jwks_uri, code="keys_unreachable")
    try:
        return KeySet.import_key_set(dict(data))  # type: ignore[arg-type]
    except (JoseError, ValueError, KeyError, TypeError):
        raise OpenIdRefused("keys_wrong") from None
