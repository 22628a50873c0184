"""How a provider's requests, answers and messages look: described in configuration, read without guessing.

Nothing personal is in what is read, but for the holder's name and birth date where the configuration asks for
them: those are compared at once and never kept. Messages are believed only with a fresh signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from identity.providers.base import Level

# What a message or an answer may hold at most; providers send a few kilobytes.
MOST_BYTES = 64 * 1024
PLACES = frozenset({"reference", "back", "webhook", "language", "name", "birth_date", "email"})
# Keys of the bundled simulator begin so. Outside of development and demonstrations they sign nothing.
SIMULATED = "simulator-"


class Outcome(StrEnum):
    """What a provider can say, in our own words."""

    OPEN = "open"
    LOW = "low"
    SUBSTANTIAL = "substantial"
    HIGH = "high"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


LEVELS: Mapping[str, Level] = {
    Outcome.LOW: Level.LOW,
    Outcome.SUBSTANTIAL: Level.SUBSTANTIAL,
    Outcome.HIGH: Level.HIGH,
}


class Untrue(Exception):
    """A message is not believed. ``code`` is free of personal data."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Unreadable(Exception):
    """An answer or message lacks what the configuration says is there."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# -- what an operator writes -------------------------------------------------------------------------

Path: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", max_length=120)]
Header: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$", max_length=60)]
Below: TypeAlias = Annotated[str, Field(pattern=r"^/[^\s?#]*$", max_length=200)]


class Written(BaseModel):
    """Nothing is guessed: an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Authorization(Written):
    """How the token is shown with each request."""

    header: Header = "Authorization"
    value: Annotated[str, Field(pattern=r"\{token\}", max_length=120)] = "Bearer {token}"


class Start(Written):
    """Opening a session. ``body`` is a template; ``session`` and ``address`` say where the answer holds them."""

    path: Below
    body: dict[str, JsonValue]
    session: Path = "id"
    address: Path = "url"
    expires: Path | None = None
    idempotency_header: Header = "Idempotency-Key"

    @model_validator(mode="after")
    def _knownplaces(self) -> Start:
        unknown = sorted(places(self.body) - PLACES)
        if unknown:
            raise ValueError(
                f"there is nothing to fill in for {{{unknown[0]}}}; there are {_listed(PLACES)}."
            )
        return self


class Look(Written):
    """Asking how a session stands. ``{session}`` stands for its id."""

    path: Annotated[str, Field(pattern=r"^/[^\s?#]*\{session\}[^\s?#]*$", max_length=200)]
    status: Path = "status"
    at: Path | None = None
    surname: Path | None = None
    given_names: Path | None = None
    birth_date: Path | None = None


class Cancel(Written):
    """Telling the provider that a session is no longer wanted."""

    path: Annotated[str, Field(pattern=r"^/[^\s?#]*\{session\}[^\s?#]*$", max_length=200)]
    method: Literal["POST", "DELETE", "PATCH"] = "POST"


class Webhook(Written):
    """How the provider's messages are signed, and where they hold what.

    ``form`` pairs is one header as ``t=…,v1=…``. What is signed is the timestamp, a full stop and the body; a
    provider that signs the ``body`` alone must have its timestamp within it, at ``at``.
    """

    signature_header: Header
    form: Literal["plain", "pairs"] = "plain"
    prefix: Annotated[str, Field(max_length=20)] = ""
    encoding: Literal["hex", "base64"] = "hex"
    signed: Literal["timestamp.body", "body"] = "timestamp.body"
    timestamp_header: Header | None = None
    tolerance_seconds: Annotated[int, Field(ge=30, le=3600)] = 300
    event: Path | None = None
    session: Path
    status: Path
    at: Path | None = None

    @model_validator(mode="after")
    def _has_a_time(self) -> Webhook:
        if self.signed == "body" and self.at is None:
            raise ValueError("where the body alone is signed, “at” says where in it the time stands.")
        if self.signed == "timestamp.body" and self.form == "plain" and self.timestamp_header is None:
            raise ValueError("“timestamp_header” is missing: a message without a time could be sent again.")
        return self


class Wire(Written):
    """One provider, as an operator describes it.

    ``holder`` says how it is made sure that the document is the customer's own: ``sent``, the provider is told
    the name and compares it; ``compared``, it tells us the name on the document and we do.
    """

    base_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+[^\s?#/]$", max_length=300)]
    redirect_hosts: list[Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:\d+)?$")]] = []
    holder: Literal["sent", "compared"]
    authorization: Authorization = Authorization()
    start: Start
    look: Look
    cancel: Cancel | None = None
    webhook: Webhook
    outcomes: dict[str, Outcome]
    timeout_seconds: Annotated[int, Field(ge=1, le=30)] = 10
    session_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 72
    allow_private: bool = False

    @model_validator(mode="after")
    def _holds_together(self) -> Wire:
        if not self.base_url.startswith("https://") and not self.allow_private:
            raise ValueError("“base_url” must be https, but for a private network (allow_private).")
        if self.holder == "sent" and "name" not in places(self.start.body):
            raise ValueError(
                "“holder: sent” means that start.body has {name}; otherwise any document would do."
            )
        if self.holder == "compared" and not (self.look.surname and self.look.given_names):
            raise ValueError("“holder: compared” needs look.surname and look.given_names to compare.")
        if not LEVELS.keys() & set(self.outcomes.values()):
            raise ValueError("“outcomes” never reach a level: low, substantial or high.")
        return self

    @property
    def hosts(self) -> frozenset[str]:
        """Where a customer may be sent."""
        return frozenset(self.redirect_hosts or [urlsplit(self.base_url).netloc.lower()])

    def outcome(self, status: object) -> Outcome:
        """The provider's word in ours; what the operator did not name changes nothing."""
        return self.outcomes.get(status, Outcome.OPEN) if isinstance(status, str) else Outcome.OPEN


def places(value: JsonValue) -> set[str]:
    """The names in braces anywhere in a template."""
    if isinstance(value, str):
        return set(re.findall(r"\{(\w*)\}", value))
    if isinstance(value, dict):
        return set().union(*map(places, value.values()))
    return set().union(*map(places, value)) if isinstance(value, list) else set()


def _listed(words: frozenset[str]) -> str:
    return ", ".join(f"{{{word}}}" for word in sorted(words))


# -- requests and answers ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that the provider opened. Whoever has its address can use it."""

    session: str = field(repr=False)
    address: str = field(repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a session stands, and whose document it was, as far as the provider tells."""

    outcome: Outcome
    at: datetime | None = None
    surname: str = field(default="", repr=False)
    given_names: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)


def filled(body: Mapping[str, JsonValue], values: Mapping[str, str]) -> dict[str, JsonValue]:
    """The body with its places filled in; what is filled in is never looked at for places again."""
    return {name: _filled(value, values) for name, value in body.items()}


def _filled(value: JsonValue, values: Mapping[str, str]) -> JsonValue:
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda place: values.get(place[1], ""), value)
    if isinstance(value, dict):
        return filled(value, values)
    return [_filled(one, values) for one in value] if isinstance(value, list) else value


def opened(wire: Wire, answer: object) -> Opened:
    """The session of an answer. Raises Unreadable, also for an address that is not the provider's."""
    session, address = _text(answer, wire.start.session), _text(answer, wire.start.address)
    if not session or len(session) > 200:
        raise Unreadable("no_session")
    parts = urlsplit(address)
    schemes = {"https", "http"} if wire.allow_private else {"https"}
    if parts.scheme not in schemes or parts.netloc.lower() not in wire.hosts:
        raise Unreadable("no_address")
    return Opened(session, address, moment(dig(answer, wire.start.expires)))


def standing(wire: Wire, answer: object) -> Standing:
    """How the session stands by an answer. Raises Unreadable where there is no status."""
    status = dig(answer, wire.look.status)
    if not isinstance(status, str):
        raise Unreadable("no_status")
    return Standing(
        wire.outcome(status),
        moment(dig(answer, wire.look.at)),
        _text(answer, wire.look.surname),
        _text(answer, wire.look.given_names),
        _text(answer, wire.look.birth_date),
    )


def dig(data: object, path: str | None) -> object:
    """What stands at a path such as ``data.session.id``; None where there is nothing."""
    for step in path.split(".") if path else [""]:
        data = data.get(step) if isinstance(data, Mapping) else None
    return data


def _text(data: object, path: str | None) -> str:
    found = dig(data, path)
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def moment(said: object) -> datetime | None:
    """A time as seconds or milliseconds since 1970, or in ISO 8601; without a zone it is UTC."""
    try:
        if isinstance(said, str) and not said.strip().isdecimal():
            found = datetime.fromisoformat(said.strip())
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        if isinstance(said, str | int) and not isinstance(said, bool):
            number = int(said)
            return datetime.fromtimestamp(number / 1000 if number > 10**11 else number, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


# -- messages ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """A message that is believed. ``event`` is what makes it the same message when it comes again."""

    event: str = field(repr=False)
    session: str = field(repr=False)
    outcome: Outcome
    at: datetime


def believed(wire: Wire, keys: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> Told:
    """The message, once its signature and its age are right. Raises Untrue; Unreadable for one that says nothing."""
    signatures, said_at = _signed_by(wire.webhook, headers)
    content = None
    if wire.webhook.signed == "body":
        _check(wire.webhook, keys, signatures, body)
        content = _content(body)
        at = moment(dig(content, wire.webhook.at))
    else:
        _check(wire.webhook, keys, signatures, said_at.encode() + b"." + body)
        at = moment(said_at)
    if at is None or abs(now - at) > timedelta(seconds=wire.webhook.tolerance_seconds):
        raise Untrue("stale")
    return _told(wire, _content(body) if content is None else content, body, at, now)


def signature(key: str, signed: bytes) -> bytes:
    return hmac.new(key.encode(), signed, hashlib.sha256).digest()


def _signed_by(webhook: Webhook, headers: Mapping[str, str]) -> tuple[list[bytes], str]:
    """The signatures that the message carries, and the time as its headers give it."""
    said = headers.get(webhook.signature_header, "")
    if webhook.form == "plain":
        stamp = headers.get(webhook.timestamp_header, "") if webhook.timestamp_header else ""
        return [_decoded(webhook, said)], stamp.strip()
    pairs = [part.strip().partition("=") for part in said.split(",")[:10]]
    stamps = [value for name, _, value in pairs if name == "t"]
    return [_decoded(webhook, value) for name, _, value in pairs if name == "v1"], stamps[0] if stamps else ""


def _decoded(webhook: Webhook, said: str) -> bytes:
    said = said.strip().removeprefix(webhook.prefix)
    try:
        if webhook.encoding == "hex":
            return bytes.fromhex(said)
        return base64.b64decode(said, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _check(webhook: Webhook, keys: Sequence[str], signatures: Sequence[bytes], signed: bytes) -> None:
    """Each signature with each key, without stopping at the first that fits."""
    if not any(signatures):
        raise Untrue("unsigned")
    fits = [hmac.compare_digest(signature(key, signed), one) for key in keys for one in signatures]
    if not sum(fits):
        raise Untrue("forged")


def _content(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("not_json") from None


def _told(wire: Wire, content: object, body: bytes, signed_at: datetime, now: datetime) -> Told:
    session, status = _text(content, wire.webhook.session), dig(content, wire.webhook.status)
    if not session or not isinstance(status, str):
        raise Unreadable("nothing_told")
    event = _text(content, wire.webhook.event) or hashlib.sha256(body).hexdigest()
    at = moment(dig(content, wire.webhook.at)) or signed_at
    return Told(event, session, wire.outcome(status), min(at, now))


def parsed(options: Mapping[str, Any]) -> Wire:
    """The description as it is stored. Raises pydantic's ValidationError."""
    return Wire.model_validate_json(json.dumps(dict(options)))
