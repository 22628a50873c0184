"""A small help desk to practise on: a real HTTP server on this machine, with contacts, tickets and files in its memory.

It exists so that the kit can be tried without a vendor's account, and misbehaves as real systems do when it is told to.
Its interface is described in docs/connectors.md; like those of real systems it hides archived contacts unless asked,
passes over what it does not know, and has an opinion on what may be deleted. To look at it by hand:
``python -m cases.connectors.conformance.practice``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self, TypeAlias
from urllib.parse import parse_qs, urlsplit

from cases.connectors.base import phone_digits
from cases.connectors.conformance.world import WAIT, Trouble

Row: TypeAlias = dict[str, Any]

_CHUNK = 64 * 1024
_MOST = 1000


class PracticeDesk:
    """The help desk. ``start`` it, fill its tables, and give ``address`` and ``token`` to a connector."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        self.contacts: dict[int, Row] = {}
        self.tickets: dict[int, Row] = {}
        self.files: dict[int, bytes] = {}
        self.trouble: Trouble | None = None
        self.writes = 0
        self._ghosts: dict[int, Row] = {}

    def start(self) -> Self:
        """Listen on a free port of this machine."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"desk": self}))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Let go of the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def add_contact(self, number: int, **fields: Any) -> None:
        """Put a contact into the desk."""
        self.contacts[number] = {
            "id": number,
            "email": "",
            "phone": "",
            "name": "",
            "archived": False,
        } | fields

    def add_ticket(self, number: int, contact: int, **fields: Any) -> None:
        """Put a ticket into the desk."""
        own = {"id": number, "contact": contact, "subject": "", "text": "", "status": "open", "files": []}
        self.tickets[number] = own | fields

    def add_file(self, number: int, ticket: int, name: str, content: bytes) -> None:
        """Hang a file on a ticket."""
        self.files[number] = content
        self.tickets[ticket]["files"].append({"id": number, "name": name, "size": len(content)})

    # --- What it answers -----------------------------------------------------------------------------------------

    def answer(self, call: _Call) -> _Answer:
        """Answer one call, as well as the desk is today."""
        odd = self._odd_answer(call)
        if odd is not None:
            return odd
        for method, route, name in _ROUTES:
            place = re.fullmatch(route, call.path)
            if place and method == call.method:
                answer: _Answer = getattr(self, name)(call, *map(int, place.groups()))
                return self._lost(call) or answer
        return _Answer(404, {"error": "not_found"})

    def _odd_answer(self, call: _Call) -> _Answer | None:
        match self.trouble:
            case Trouble.LIMIT_WITH_WAIT:
                return _Answer(429, {"error": "limit"}, {"Retry-After": str(WAIT)})
            case Trouble.LIMIT_WITHOUT_WAIT:
                return _Answer(429, {"error": "limit"})
            case Trouble.LIMIT_AS_FORBIDDEN:
                return _Answer(403, {"error": "quota_exceeded"})
            case Trouble.ERROR_IN_SUCCESS:
                return _Answer(200, {"error": "internal", "detail": f"while answering {call.query}"})
            case Trouble.KEY_REVOKED:
                return _Answer(401, {"error": "token", "detail": f"{call.token} is not valid"})
        return None if call.token == self.token else _Answer(401, {"error": "token", "detail": call.token})

    def _lost(self, call: _Call) -> _Answer | None:
        """The answer to a writing call that was carried out, when it gets lost."""
        if self.trouble is not Trouble.COMMIT_THEN_FAIL or call.method == "GET":
            return None
        self.trouble = None
        return _Answer(500, {"error": "internal"})

    def _me(self, call: _Call) -> _Answer:
        return _Answer(200, {"account": "api@desk.test", "version": "Practice desk 1"})

    def _list_contacts(self, call: _Call) -> _Answer:
        rows = list(self.contacts.values())
        if self.trouble is not Trouble.FILTER_IGNORED:
            rows = [row for row in rows if self._fits(row, call.query)]
        return _Answer(200, _page("contacts", rows, call.query))

    @staticmethod
    def _fits(row: Row, query: Mapping[str, str]) -> bool:
        if row["archived"] and query.get("archived") != "include":
            return False
        email, phone, ids = (query.get(name) for name in ("email", "phone", "ids"))
        return (
            (email is None or row["email"].lower() == email.lower())
            and (phone is None or (bool(phone) and phone_digits(row["phone"]) == phone_digits(phone)))
            and (ids is None or str(row["id"]) in ids.split(","))
        )

    def _list_tickets(self, call: _Call) -> _Answer:
        rows = [*self.tickets.values(), *self._ghosts.values()]
        wanted = call.query.get("contacts", "").split(",")
        if self.trouble is not Trouble.FILTER_IGNORED:
            rows = [row for row in rows if str(row["contact"]) in wanted]
        return _Answer(200, _page("tickets", rows, call.query))

    def _get_contact(self, call: _Call, number: int) -> _Answer:
        return _one(self.contacts.get(number))

    def _get_ticket(self, call: _Call, number: int) -> _Answer:
        return _one(self.tickets.get(number))

    def _get_file(self, call: _Call, number: int) -> _Answer:
        content = self.files.get(number)
        return _Answer(404, {"error": "not_found"}) if content is None else _Answer(200, content=content)

    def _change_contact(self, call: _Call, number: int) -> _Answer:
        self.writes += 1
        row = self.contacts.get(number)
        if row and self.trouble is not Trouble.CORRECTION_IGNORED:
            row.update({name: value for name, value in call.body.items() if name in row and name != "id"})
        return _one(row)

    def _delete_ticket(self, call: _Call, number: int) -> _Answer:
        self.writes += 1
        row = self.tickets.get(number)
        if row is None:
            return _Answer(404, {"error": "not_found"})
        if row["status"] == "billed":
            return _Answer(422, {"error": "billed", "detail": f"{row['subject']} is on an invoice."})
        del self.tickets[number]
        if self.trouble is Trouble.RESIDUE_LEFT:
            self._ghosts[number] = row
        return _Answer(204)


_ROUTES = (
    ("GET", r"/me", "_me"),
    ("GET", r"/contacts", "_list_contacts"),
    ("GET", r"/contacts/(\d+)", "_get_contact"),
    ("PATCH", r"/contacts/(\d+)", "_change_contact"),
    ("GET", r"/tickets", "_list_tickets"),
    ("GET", r"/tickets/(\d+)", "_get_ticket"),
    ("DELETE", r"/tickets/(\d+)", "_delete_ticket"),
    ("GET", r"/files/(\d+)", "_get_file"),
)


def _one(row: Row | None) -> _Answer:
    return _Answer(404, {"error": "not_found"}) if row is None else _Answer(200, row)


def _page(name: str, rows: list[Row], query: Mapping[str, str]) -> Row:
    """Return the rows that come after the one named, or after so many, and the count of all."""
    rows.sort(key=lambda row: row["id"])
    after, offset = int(query.get("after", 0)), int(query.get("offset", 0))
    limit = min(int(query.get("limit", _MOST)), _MOST)
    return {name: [row for row in rows if row["id"] > after][offset:][:limit], "total": len(rows)}


@dataclass(frozen=True)
class _Call:
    method: str
    path: str
    query: Mapping[str, str]
    token: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class _Answer:
    status: int
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None


class _Handler(BaseHTTPRequestHandler):
    desk: PracticeDesk

    def do_GET(self) -> None:
        self._answer()

    do_PATCH = do_DELETE = do_GET  # noqa: N815 - These names are the library's.

    def _answer(self) -> None:
        answer = self.desk.answer(self._call())
        plain = b"" if answer.data is None else json.dumps(answer.data).encode()
        body = plain if answer.content is None else answer.content
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/octet-stream" if answer.content else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for start in range(0, len(body), _CHUNK):
            self.wfile.write(body[start : start + _CHUNK])

    def _call(self) -> _Call:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        return _Call(
            method=self.command,
            path=parts.path,
            query={
                name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()
            },
            token=(self.headers.get("Authorization") or "").removeprefix("Bearer "),
            body=json.loads(self.rfile.read(length)) if length else {},
        )

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - The library's name.
        """Addresses of calls hold what was searched for: nothing is written."""


def example() -> PracticeDesk:
    """Return a desk, not yet started, with two people in it; its token is “practice”."""
    desk = PracticeDesk(token="practice")  # noqa: S106 - It opens invented data on this machine.
    desk.add_contact(1, email="Ada.Example@shop.test", phone="+44 20 7946 0001", name="Ada Example", score=7)
    desk.add_contact(2, email="bob@shop.test", phone="+44 20 7946 0002", name="Bob Sample")
    desk.add_contact(3, email="ada.example@shop.test", name="Ada Of-Old", archived=True)
    desk.add_ticket(11, 1, subject="Kettle", text="It leaks.")
    desk.add_ticket(12, 1, subject="Teapot", text="It broke.", status="billed")
    desk.add_ticket(13, 2, subject="Harpoon", text="Moved to Leeds.")
    desk.add_file(91, 11, "kettle.txt", b"a drawing of a kettle")
    return desk


def main() -> None:
    """Serve the example until Ctrl-C."""
    desk = example().start()
    print(f"The practice desk listens at {desk.address}; its token is “practice”. Ctrl-C stops it.")
    with suppress(KeyboardInterrupt):
        Event().wait()
    desk.stop()


if __name__ == "__main__":
    main()
