"""The authorization code flow with PKCE: where to send the browser, and what to believe when it comes back.

OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9207 (issuer identification).
"""

import json
import secrets
import time
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import quote_plus, urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from identity.openid.provider import ANEW_SECONDS, Metadata, OpenIdRefused, Provider, fetch, keys, metadata

TICKET_SECONDS = 10 * 60
# Signed with the provider's own key: what a client's secret signs, or nothing, is not believed.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
# Said of the sign-in itself, and so believed from the signed token alone.
OF_THE_SIGN_IN = frozenset({"iss", "sub", "aud", "exp", "iat", "nonce", "acr", "amr", "azp", "auth_time"})


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is kept for one trip to the provider, by whom the browser belongs to; good once and for ten minutes."""

    state: str
    nonce: str
    verifier: str
    issuer: str
    at: int
    is_anew: bool

    def kept(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        return cls(**kept)


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider says of who signed in. ``values`` are personal data: keep what is needed, log none."""

    issuer: str
    subject: str
    acr: str
    amr: frozenset[str]
    values: Mapping[str, Any]

    def get(self, path: str) -> Any:
        """A claim by its name, or by its path as ``realm_access.roles``."""
        if path in self.values:
            return self.values[path]
        found: Any = self.values
        for step in path.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        return found

    def words(self, path: str) -> frozenset[str]:
        """A claim that is a list of words, or one word."""
        found = self.get(path)
        return frozenset(
            word for word in (found if isinstance(found, list) else [found]) if isinstance(word, str)
        )


def begin(provider: Provider, back: str, *, anew: bool = False, **extra: str) -> tuple[str, Ticket]:
    """Where to send the browser, and the ticket to keep until it comes ``back``.

    ``anew`` asks the provider to have the person sign in now, whatever session they have there.
    """
    ticket = Ticket(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        issuer=provider.issuer,
        at=int(time.time()),
        is_anew=anew,
    )
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": back,
        "scope": " ".join(provider.scopes),
        "state": ticket.state,
        "nonce": ticket.nonce,
        "code_challenge": create_s256_code_challenge(ticket.verifier),
        "code_challenge_method": "S256",
        **({"prompt": "login", "max_age": "0"} if anew else {}),
        **extra,
    }
    address = metadata(provider).authorization_endpoint
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}", ticket


def finish(provider: Provider, back: str, ticket: Ticket, answer: Mapping[str, str]) -> Claims:
    """Who signed in, by what came back in the address and what the provider says to the code in it.

    Raises OpenIdRefused for whatever does not fit.
    """
    _check_answer(provider, ticket, answer)
    about = metadata(provider)
    token = _exchange(provider, about, back, ticket, answer["code"])
    claims = _believed(provider, about, ticket, token)
    values = {**_told(provider, about, token, str(claims["sub"])), **claims}
    amr = claims.get("amr") or []
    return Claims(
        provider.issuer, str(claims["sub"]), str(claims.get("acr", "")), frozenset(map(str, amr)), values
    )


def _check_answer(provider: Provider, ticket: Ticket, answer: Mapping[str, str]) -> None:
    if not secrets.compare_digest(answer.get("state", "").encode(), ticket.state.encode()):
        raise OpenIdRefused("state")
    # RFC 9207: an answer in the name of another provider is a mix-up, whoever is to blame.
    if ticket.issuer != provider.issuer or answer.get("iss", provider.issuer) != provider.issuer:
        raise OpenIdRefused("mixed_up")
    if time.time() - ticket.at > TICKET_SECONDS:
        raise OpenIdRefused("too_late")
    if "error" in answer:
        raise OpenIdRefused("access_denied" if answer["error"] == "access_denied" else "provider_refused")
    if not answer.get("code"):
        raise OpenIdRefused("no_code")


def _exchange(provider: Provider, about: Metadata, back: str, ticket: Ticket, code: str) -> Mapping[str, Any]:
    data = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": ticket.verifier,
    }
    options: dict[str, Any] = {"data": data}
    if "client_secret_basic" in about.auth_methods:
        # RFC 6749, section 2.3.1: each half is form-encoded first.
        options["auth"] = (quote_plus(provider.client_id), quote_plus(provider.client_secret))
    else:
        data |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
    return fetch(provider, "POST", about.token_endpoint, code="code_refused", **options)


def _believed(
    provider: Provider, about: Metadata, ticket: Ticket, token: Mapping[str, Any]
) -> dict[str, Any]:
    """The claims of the signed token, each checked (Core 1.0, section 3.1.3.7)."""
    signed = token.get("id_token")
    if not isinstance(signed, str):
        raise OpenIdRefused("no_id_token")
    decoded = _decoded(provider, about, signed)
    expected: Any = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": provider.client_id},
        "nonce": {"essential": True, "value": ticket.nonce},
        "sub": {"essential": True},
    }
    told = {"nonce": ticket.nonce, "client_id": provider.client_id, "access_token": token.get("access_token")}
    try:
        claims = CodeIDToken(decoded.claims, decoded.header, expected, told)
        claims.validate(leeway=provider.skew)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise OpenIdRefused(f"claim_{getattr(error, 'claim', '') or 'wrong'}") from None
    if ticket.is_anew and int(claims.get("auth_time") or 0) < ticket.at - provider.skew:
        raise OpenIdRefused("not_anew")
    return dict(claims)


def _decoded(provider: Provider, about: Metadata, signed: str) -> jwt.Token:
    algorithms = sorted(ALGORITHMS.intersection(about.algorithms))
    kid = _kid(signed)
    found = _verified(signed, keys(provider, kid), algorithms)
    if found is None:
        # The provider may have changed its keys since they were fetched.
        found = _verified(signed, keys(provider, kid, older_than=ANEW_SECONDS), algorithms)
    if found is None:
        raise OpenIdRefused("signature")
    return found


def _verified(signed: str, candidates: list[Key], algorithms: list[str]) -> jwt.Token | None:
    registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
    for key in candidates:
        try:
            return jwt.decode(signed, key, registry=registry)
        except (JoseError, ValueError, TypeError):
            # Another key's, or a key of another kind, among keys that have no names.
            continue
    return None


def _kid(signed: str) -> str | None:
    head = signed.partition(".")[0]
    try:
        header = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError:
        raise OpenIdRefused("no_token") from None
    kid = header.get("kid") if isinstance(header, dict) else None
    return kid if isinstance(kid, str) else None


def _told(provider: Provider, about: Metadata, token: Mapping[str, Any], subject: str) -> dict[str, Any]:
    """What the provider tells beside the token; it must be of the same person (Core 1.0, section 5.3.2)."""
    access = token.get("access_token")
    if not about.userinfo_endpoint or not isinstance(access, str):
        return {}
    headers = {"Authorization": f"Bearer {access}"}
    data = fetch(provider, "GET", about.userinfo_endpoint, code="userinfo_refused", headers=headers)
    if data.get("sub") != subject:
        raise OpenIdRefused("other_subject")
    return {name: value for name, value in data.items() if name not in OF_THE_SIGN_IN}
