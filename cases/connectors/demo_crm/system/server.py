"""The demo CRM's small web server: the interface for programs, and one page of switches for people.

python -m cases.connectors.demo_crm.system.server --port 8091 --data crm.sqlite
"""

from __future__ import annotations

import argparse
import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from cases.connectors.demo_crm.system.api import Crm, Reply, Request, Switches
from cases.connectors.demo_crm.system.store import Store

HOST: Final = "127.0.0.1"
MOST_BYTES: Final = 64 * 1024 * 1024

SAYS: Final = {
    "limit_with_wait": "Every call: 429, with Retry-After",
    "limit_without_wait": "Every call: 429, without saying how long",
    "limit_as_forbidden": "Every call: 403, and means a limit",
    "error_in_success": "Every call: 200, with an error inside",
    "page_instead": "Every call: a web page instead of JSON",
    "keys_revoked": "Keys are no longer known",
    "filters_ignored": "Filters are passed over in silence",
    "commit_then_fail": "Writing calls are carried out, and answered by 500",
    "corrections_ignored": "Corrections are confirmed, and not made",
    "residue_left": "Deletions are confirmed, and searches still find the record",
    "eventual_deletion": "Deletions take so many questions (0: at once)",
    "calls": "So many calls …",
    "seconds": "… in so many seconds",
}

STYLE: Final = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
form { display: grid; gap: .5rem; } label { display: flex; gap: .75rem; align-items: center; }
input[type=number] { width: 7rem; font: inherit; } button { font: inherit; padding: .5rem 1rem; justify-self: start; }
table { border-collapse: collapse; } th, td { text-align: start; padding: .2rem 1.5rem .2rem 0; }
.banner { border: 2px dashed; padding: .5rem 1rem; }
"""


class Server(ThreadingHTTPServer):
    """One demo CRM behind a port."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int = 0, data: str = ":memory:") -> None:
        super().__init__((HOST, port), Answers)
        self.crm = Crm(Store(data))

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"

    def server_close(self) -> None:
        super().server_close()
        self.crm.store.close()


@contextmanager
def running(port: int = 0, data: str = ":memory:") -> Iterator[Server]:
    """A demo CRM in a thread of this process."""
    server = Server(port, data)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Answers(BaseHTTPRequestHandler):
    """``/v1/…`` for programs, ``/`` for a person."""

    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024  # Head and body leave together, or the other side would wait for the second.
    disable_nagle_algorithm = True
    timeout = 60
    server: Server

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/":
            self._send(Reply(200, html=page(self.server.crm)))
        else:
            self._interface()

    def do_POST(self) -> None:
        if self.path != "/switches":
            self._interface()
        elif self._is_from_here():
            self.server.crm.switches = Switches.read(dict(parse_qsl(self._body().decode("utf-8", "replace"))))
            self._send(Reply(303, headers={"Location": "/"}))

    def do_PATCH(self) -> None:
        self._interface()

    def do_DELETE(self) -> None:
        self._interface()

    def _is_from_here(self) -> bool:
        """Another page in the same browser must not turn the switches."""
        origin = self.headers.get("Origin", "")
        if origin and urlsplit(origin).netloc != self.headers.get("Host", ""):
            self._body()
            self._send(Reply(403, {"error": {"code": "elsewhere", "message": "Open the page itself."}}))
            return False
        return True

    def _interface(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, self._body())
        self._send(self.server.crm.answer(request))

    def _body(self) -> bytes:
        said = self.headers.get("Content-Length", "0")
        return self.rfile.read(min(int(said), MOST_BYTES)) if said.isdecimal() else b""

    def _send(self, reply: Reply) -> None:
        body = (
            reply.html.encode()
            if reply.html
            else b""
            if reply.data is None
            else json.dumps(reply.data).encode()
        )
        kind = "text/html; charset=utf-8" if reply.html else "application/json"
        headers = {"Content-Type": kind, **reply.headers}
        if reply.pieces is None and reply.status != 204:
            headers["Content-Length"] = str(len(body))
        self.send_response(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        # Whoever asked may have gone away: it is killed in tests.
        with contextlib.suppress(ConnectionError):
            for piece in reply.pieces if reply.pieces is not None else [body]:
                self.wfile.write(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: addresses hold what was searched for."""


def page(crm: Crm) -> str:
    """The page of switches, and what the system holds."""
    counts = "".join(
        f"<tr><th scope=row>{kind}</th><td>{count}</td></tr>" for kind, count in crm.store.counts().items()
    )
    switches = "".join(_switch(crm, one.name, one.default) for one in fields(Switches))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Demo CRM</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        '<main><h1>Demo CRM</h1><p class="banner">Everybody in it is invented. Its interface is described in API.md; '
        "here it is told to misbehave.</p>"
        f"<table><caption>What it holds</caption>{counts}</table>"
        f'<h2>Misbehaviour</h2><form method="post" action="/switches">{switches}<button>Set</button></form>'
        "</main></body></html>"
    )


def _switch(crm: Crm, name: str, default: object) -> str:
    value, label = getattr(crm.switches, name), escape(SAYS[name])
    if isinstance(default, bool):
        ticked = " checked" if value else ""
        return f'<label><input type="checkbox" name="{name}" value="on"{ticked}> {label}</label>'
    return f'<label><input type="number" name="{name}" min="0" value="{value}"> {label}</label>'


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="Run the demo CRM.")
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--data", default=":memory:", help="a file to keep the data in")
    given = parser.parse_args()
    server = Server(given.port, given.data)
    print(f"The demo CRM is at {server.url}/", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
