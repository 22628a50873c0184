"""The HTTP call by which a recipient is told: signed, sent once, and answered in a few words."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx2

from dsar.lib import http

TIMEOUT_SECONDS = 15.0
MOST_BYTES = 64 * 1024
# Answers that say "later" rather than "no".
BUSY = frozenset({408, 425, 429})


class CallFailed(Exception):
    """The recipient did not take the notice. The code says nothing of the person; ``may_heal`` asks for patience."""

    def __init__(self, code: str, *, may_heal: bool) -> None:
        super().__init__(code)
        self.code, self.may_heal = code, may_heal


@dataclass(frozen=True, slots=True)
class Call:
    """A notice, ready to be posted. ``key`` is the same however often it is tried."""

    url: str
    key: str
    content: Mapping[str, Any] = field(repr=False)
    token: str = field(default="", repr=False)
    signing_key: str = field(default="", repr=False)
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What came back: the status, and the recipient's own word on what it did, where it gives one."""

    status: int
    outcome: str = ""


def post(call: Call, now: datetime) -> Said:
    """Post the notice. Raises CallFailed."""
    body = json.dumps(call.content, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        with http.client(TIMEOUT_SECONDS, allow_private=call.is_private, max_bytes=MOST_BYTES) as client:
            response = client.post(call.url, content=body, headers=headers_of(call, body, now))
    except httpx2.TimeoutException:
        raise CallFailed("timeout", may_heal=True) from None
    except http.ForbiddenDestination:
        raise CallFailed("forbidden_destination", may_heal=False) from None
    except http.ResponseTooLarge:
        raise CallFailed("answer_too_large", may_heal=False) from None
    except (httpx2.HTTPError, httpx2.InvalidURL):
        raise CallFailed("no_connection", may_heal=True) from None
    return _judged(response)


def headers_of(call: Call, body: bytes, now: datetime) -> dict[str, str]:
    """The headers, with the signature of time and body, by which the recipient knows who speaks."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": call.key}
    if call.token:
        headers["Authorization"] = f"Bearer {call.token}"
    if call.signing_key:
        headers["DSAR-Signature"] = signature(call.signing_key, body, now)
    return headers


def signature(key: str, body: bytes, now: datetime) -> str:
    """``t=<seconds>,v1=<hex>``: HMAC-SHA-256 over the time, a full stop, and the body."""
    stamp = str(int(now.timestamp()))
    made = hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={made}"


def _judged(response: httpx2.Response) -> Said:
    status = response.status_code
    if status in BUSY or status >= 500:
        raise CallFailed(f"http_{status}", may_heal=True)
    if not 200 <= status < 300:
        raise CallFailed(f"http_{status}", may_heal=False)
    return Said(status, _outcome(response))


def _outcome(response: httpx2.Response) -> str:
    """The word under ``outcome``; an answer without one says that the notice was taken, and no more."""
    try:
        said = response.json()
    except ValueError:
        return ""
    word = said.get("outcome") if isinstance(said, dict) else None
    return word if isinstance(word, str) else ""
