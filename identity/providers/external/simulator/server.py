"""The simulator's small web server: the provider's API for the desk, and a page of buttons for a person."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import httpx2

from identity.providers.external.simulator.service import KEY, TOKEN, Session, Simulator
from identity.providers.external.wire import MOST_BYTES

HOST = "127.0.0.1"
SEND_SECONDS = 10.0

BUTTONS: tuple[tuple[str, str, str], ...] = (
    ("approved", "Verified", "Document and face fit."),
    ("approved_document", "Verified by document alone", "A lower level."),
    ("declined", "Refused", "It is not established who it is."),
    ("other_person", "Verified, another person’s document", "Genuine, but of somebody else."),
    ("expired", "Expired", "The customer took too long."),
    ("twice", "Verified, message twice", "The same message is sent twice."),
    ("reordered", "Verified, messages out of order", "The message of the beginning comes last."),
    ("late", "Verified, no message", "The desk has to ask by itself."),
    ("stale", "Verified, message an hour old", "Signed correctly, but long ago."),
    ("forged", "Forged message", "A stranger says that it went well."),
)

STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }
form { display: grid; gap: .75rem; } button { font: inherit; text-align: start; padding: .75rem 1rem; cursor: pointer; }
button small { display: block; } .banner { border: 2px dashed; padding: .5rem 1rem; }
"""


class Server(ThreadingHTTPServer):
    """One simulator behind a port."""

    daemon_threads = True

    def __init__(self, port: int = 0, token: str = TOKEN, key: str = KEY) -> None:
        super().__init__((HOST, port), Answers)
        self.simulator = Simulator(send, token, key)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"


@cache
def _authorities() -> ssl.SSLContext:
    """Reading all that the machine knows takes longer than most messages."""
    return httpx2.create_ssl_context()


def send(address: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Deliver a message to the desk; one that cannot be delivered is lost, as with a provider that gave up."""
    try:
        with httpx2.Client(timeout=SEND_SECONDS, trust_env=False, verify=_authorities()) as client:
            client.post(address, content=body, headers=dict(headers))
    except httpx2.HTTPError:
        return


@contextmanager
def running(port: int = 0) -> Iterator[Server]:
    """A simulator in a thread of this process."""
    server = Server(port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Answers(BaseHTTPRequestHandler):
    """``/sessions`` for the desk, ``/check/<id>`` for a person."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        match self.path.partition("?")[0].strip("/").split("/"):
            case ["sessions", session_id]:
                self._look(session_id)
            case ["check", session_id]:
                self._page(session_id)
            case _:
                self._json(404, {"error": "not found"})

    def do_POST(self) -> None:
        body = self._body()
        match self.path.partition("?")[0].strip("/").split("/"):
            case ["sessions"]:
                self._start(body)
            case ["sessions", session_id, "cancel"]:
                self._cancel(session_id)
            case ["check", session_id]:
                self._press(session_id, body)
            case _:
                self._json(404, {"error": "not found"})

    # -- for the desk ----------------------------------------------------------------------------

    def _start(self, body: bytes) -> None:
        asked = _object(body)
        if not self._is_known():
            return
        if asked is None:
            self._json(422, {"error": "not an object"})
            return
        session = self._simulator.start(self.headers.get("Idempotency-Key", ""), asked)
        self._json(201, self._told(session) | {"url": f"{self.server.url}/check/{session.id}"})

    def _look(self, session_id: str) -> None:
        if self._is_known() and (session := self._found(session_id)):
            self._json(200, self._told(session))

    def _cancel(self, session_id: str) -> None:
        if self._is_known() and (session := self._found(session_id)):
            self._simulator.decide(session, "cancelled")
            self._json(200, self._told(session))

    def _told(self, session: Session) -> dict[str, object]:
        told = {"id": session.id, "status": session.status, "updated": session.at.isoformat()}
        return told | {"holder": dict(session.holder)}

    def _is_known(self) -> bool:
        if self._simulator.is_known(self.headers.get("Authorization", "")):
            return True
        self._json(401, {"error": "unknown token"})
        return False

    def _found(self, session_id: str) -> Session | None:
        found = self._simulator.session(session_id)
        if found is None:
            self._json(404, {"error": "no such session"})
        return found

    # -- for a person ----------------------------------------------------------------------------

    def _page(self, session_id: str) -> None:
        if session := self._found(session_id):
            self._html(_page_of(session))

    def _press(self, session_id: str, body: bytes) -> None:
        session = self._found(session_id)
        if session is None:
            return
        act = parse_qs(body.decode("utf-8", "replace")).get("act", [""])[0]
        if not self._simulator.press(session, act):
            self._json(422, {"error": "no such button"})
            return
        self._answer(303, b"", {"Location": session.back})

    # -- help ------------------------------------------------------------------------------------

    @property
    def _simulator(self) -> Simulator:
        return self.server.simulator

    def _body(self) -> bytes:
        said = self.headers.get("Content-Length", "0")
        return self.rfile.read(min(int(said), MOST_BYTES)) if said.isdecimal() else b""

    def _json(self, status: int, value: object) -> None:
        self._answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _html(self, text: str) -> None:
        self._answer(200, text.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: addresses of sessions are no affair of a log."""


def _object(body: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _page_of(session: Session) -> str:
    buttons = "\n".join(
        f'<button name="act" value="{act}"><strong>{escape(label)}</strong><small>{escape(hint)}</small></button>'
        for act, label, hint in BUTTONS
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Simulated identity check</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        '<main><h1>Simulated identity check</h1><p class="banner">This service looks at nobody. '
        "Press what it is to say; you are sent back to the desk.</p>"
        f'<form method="post" action="/check/{escape(session.id)}">{buttons}</form></main></body></html>'
    )
