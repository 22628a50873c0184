"""What the simulator remembers and sends. It speaks as a real provider does: sessions, signed messages, mistakes."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from identity.providers.external.wire import SIMULATED, signature

TOKEN = "simulator-token"  # noqa: S105  It opens nothing but the simulator.
KEY = f"{SIMULATED}key"
SIGNATURE_HEADER = "X-Simulator-Signature"

Send = Callable[[str, bytes, Mapping[str, str]], None]


@dataclass
class Session:
    """One customer's check."""

    id: str
    reference: str
    back: str
    webhook: str
    name: str = ""
    status: str = "created"
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    holder: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """A message to be sent: what it says, when, and under which key it is signed how long ago."""

    status: str
    event: str
    at: datetime
    key: str = KEY
    signed_ago: timedelta = timedelta()


class Simulator:
    """Sessions in memory, and messages through ``send``. Safe for several threads."""

    def __init__(self, send: Send, token: str = TOKEN, key: str = KEY) -> None:
        if not key.startswith(SIMULATED):
            raise ValueError(f"The simulator's key must begin with “{SIMULATED}”.")
        self._send = send
        self.token = token
        self.key = key
        self._lock = threading.Lock()
        self._by_id: dict[str, Session] = {}
        self._by_key: dict[str, str] = {}

    # -- what the desk asks ----------------------------------------------------------------------

    def is_known(self, authorization: str) -> bool:
        return hmac.compare_digest(authorization.encode(), f"Bearer {self.token}".encode())

    def start(self, idempotency_key: str, asked: Mapping[str, object]) -> Session:
        """Open a session; the same key gives the same one."""
        with self._lock:
            known = self._by_key.get(idempotency_key) if idempotency_key else None
            if known is not None:
                return self._by_id[known]
            made = Session(
                id=secrets.token_hex(16),
                reference=str(asked.get("reference", "")),
                back=str(asked.get("return_url", "")),
                webhook=str(asked.get("webhook_url", "")),
                name=str(asked.get("name", "")),
            )
            self._by_id[made.id] = made
            if idempotency_key:
                self._by_key[idempotency_key] = made.id
            return made

    def session(self, session_id: str) -> Session | None:
        with self._lock:
            return self._by_id.get(session_id)

    # -- what a person presses -------------------------------------------------------------------

    def press(self, session: Session, act: str) -> bool:
        """Do what a button says; False where there is no such button."""
        deed = _ACTS.get(act)
        if deed is None:
            return False
        for message in deed(self, session):
            self.tell(session, message)
        return True

    def decide(self, session: Session, status: str, *, other_person: bool = False) -> Message:
        """Come to a result, without telling anybody yet."""
        with self._lock:
            session.status, session.at = status, datetime.now(UTC)
            session.holder = _holder("Otto Other" if other_person else session.name)
        return Message(status, secrets.token_hex(8), session.at, self.key)

    def tell(self, session: Session, message: Message) -> None:
        """Send a message, signed; whether it arrives is not the simulator's affair."""
        told = {
            "id": message.event,
            "created": message.at.isoformat(),
            "session": {"id": session.id, "status": message.status},
        }
        body = json.dumps(told).encode()
        stamp = str(int(time.time() - message.signed_ago.total_seconds()))
        signed = signature(message.key, f"{stamp}.".encode() + body).hex()
        headers = {"Content-Type": "application/json", SIGNATURE_HEADER: f"t={stamp},v1={signed}"}
        if session.webhook:
            self._send(session.webhook, body, headers)


def _holder(name: str) -> dict[str, str]:
    """The name on the document, as a reader of documents would split it."""
    given, _, surname = name.strip().rpartition(" ")
    return {"given_names": given, "surname": surname}


Deed = Callable[[Simulator, Session], list[Message]]


def _twice(simulator: Simulator, session: Session) -> list[Message]:
    return [simulator.decide(session, "approved")] * 2


def _reordered(simulator: Simulator, session: Session) -> list[Message]:
    done = simulator.decide(session, "approved")
    before = Message("created", secrets.token_hex(8), done.at - timedelta(minutes=5), simulator.key)
    return [done, before]


def _forged(simulator: Simulator, session: Session) -> list[Message]:
    """A stranger says that it went well; the session itself stays open."""
    key = f"{SIMULATED}{sha256(simulator.key.encode()).hexdigest()}"
    return [Message("approved", secrets.token_hex(8), datetime.now(UTC), key)]


def _stale(simulator: Simulator, session: Session) -> list[Message]:
    done = simulator.decide(session, "approved")
    return [Message(done.status, done.event, done.at, simulator.key, timedelta(hours=1))]


def _silent(simulator: Simulator, session: Session) -> list[Message]:
    simulator.decide(session, "approved")
    return []


_ACTS: Mapping[str, Deed] = {
    "approved": lambda simulator, session: [simulator.decide(session, "approved")],
    "approved_document": lambda simulator, session: [simulator.decide(session, "approved_document")],
    "declined": lambda simulator, session: [simulator.decide(session, "declined")],
    "other_person": lambda simulator, session: [simulator.decide(session, "approved", other_person=True)],
    "expired": lambda simulator, session: [simulator.decide(session, "expired")],
    "twice": _twice,
    "reordered": _reordered,
    "late": _silent,
    "stale": _stale,
    "forged": _forged,
}
