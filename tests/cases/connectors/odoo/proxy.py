"""Stands before a real Odoo and makes it misbehave; counts the calls that write."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2

from cases.connectors.conformance.kit import WAIT, Trouble

READING = {
    "search",
    "search_read",
    "search_count",
    "read",
    "fields_get",
    "has_access",
    "context_get",
    "default_get",
}
FILTERED = {"search", "search_read", "search_count"}


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.http = httpx2.Client(base_url=target, timeout=120, trust_env=False)
        self.trouble: Trouble | None = None
        self.writes = 0
        self.hidden: set[tuple[str, int]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def before(target: str) -> Iterator[Proxy]:
    server = Proxy(target)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        server.http.close()
        thread.join()


def _is_by_id(body: bytes) -> bool:
    domain = json.loads(body)["domain"]
    return len(domain) == 1 and domain[0][0] == "id"


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True
    timeout = 30
    server: Proxy

    def do_GET(self) -> None:
        self._pass()

    def do_POST(self) -> None:
        self._pass()

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        method = self.path.rpartition("/")[2]
        if self.command == "POST" and method not in READING:
            self.server.writes += 1
        match self.server.trouble:
            case Trouble.LIMIT_WITH_WAIT:
                self._answer(429, b"{}", {"Retry-After": str(WAIT)})
            case Trouble.LIMIT_WITHOUT_WAIT:
                self._answer(429, b"{}", {})
            case Trouble.ERROR_IN_SUCCESS:
                self._answer(200, b'{"error": {"code": 200, "message": "Odoo Server Error"}}', {})
            case Trouble.FILTER_IGNORED if method in FILTERED and "/ir.model" not in self.path:
                self._forward(json.dumps({**json.loads(body), "domain": []}).encode())
            case Trouble.RESIDUE_LEFT:
                self._leave(method, body)
            case Trouble.CORRECTION_IGNORED if method == "write":
                self._answer(200, b"true", {})
            case Trouble.COMMIT_THEN_FAIL if self.command == "POST" and method not in READING:
                self._ask(body)
                self._answer(500, b"{}", {})
            case _:
                self._forward(body)

    def _leave(self, method: str, body: bytes) -> None:
        if method == "unlink":
            self.server.hidden |= {(self._model, one) for one in json.loads(body)["ids"]}
            self._answer(200, b"true", {})
        elif method == "search_read" and _is_by_id(body):
            self._forward_without_hidden(body)
        else:
            self._forward(body)

    @property
    def _model(self) -> str:
        return self.path.split("/")[-2]

    def _forward_without_hidden(self, body: bytes) -> None:
        """Reading by id finds nothing of what was confirmed as deleted."""
        with self._stream(body) as answer:
            answer.read()
            kept = [row for row in answer.json() if (self._model, row["id"]) not in self.server.hidden]
        self._answer(200, json.dumps(kept).encode(), {})

    def _forward(self, body: bytes) -> None:
        with self._stream(body) as answer:
            headers = {"Content-Type": answer.headers.get("Content-Type", ""), "Connection": "close"}
            self._head(answer.status_code, headers)
            # Whoever asked may have been killed.
            with contextlib.suppress(ConnectionError):
                for chunk in answer.iter_raw():
                    self.wfile.write(chunk)
        self.close_connection = True

    def _ask(self, body: bytes) -> None:
        with self._stream(body) as answer:
            answer.read()

    def _stream(self, body: bytes) -> contextlib.AbstractContextManager[httpx2.Response]:
        key = self.headers.get("Authorization", "")
        if self.server.trouble is Trouble.KEY_REVOKED:
            key = "bearer revoked"
        headers = {"Authorization": key, "Content-Type": "application/json", "Accept-Encoding": "identity"}
        return self.server.http.stream(self.command, self.path, content=body, headers=headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._head(status, {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers})
        self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""
