"""The interface of the demo CRM, as API.md describes it: a request in, a reply out. It knows nothing of sockets."""

from __future__ import annotations

import hmac
import json
import re
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final
from uuid import uuid4

from cases.connectors.demo_crm.system.store import BOOKED, FIELDS, PIECE_BYTES, Filter, Kept, Store

READ_KEY: Final = "demo-crm-read"
WRITE_KEY: Final = "demo-crm-write"
VERSION: Final = "1"
PAGE_MOST: Final = 1000
# The filters that each kind knows; another is refused, unless the switch says that filters are passed over.
FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "contacts": ("email", "phone", "number"),
    "subscriptions": ("email",),
    "messages": ("contact_id", "ticket_id"),
    **dict.fromkeys(("tickets", "calls", "invoices", "files", "history"), ("contact_id",)),
}
_PAGING: Final = frozenset({"limit", "cursor", "q", "archived"})
_RECORD: Final = re.compile(r"^/v1/(?P<kind>[a-z]+)(?:/(?P<id>\d{1,15}))?(?P<content>/content)?$")
_JOB: Final = re.compile(r"^/v1/jobs/(\d{1,15})$")


@dataclass(frozen=True, slots=True)
class Switches:
    """How the system misbehaves. All off, and with a limit that nobody meets, it is as API.md says."""

    calls: int = 1000
    seconds: int = 10
    limit_with_wait: bool = False
    limit_without_wait: bool = False
    limit_as_forbidden: bool = False
    error_in_success: bool = False
    page_instead: bool = False
    keys_revoked: bool = False
    filters_ignored: bool = False
    commit_then_fail: bool = False
    corrections_ignored: bool = False
    residue_left: bool = False
    eventual_deletion: int = 0

    @classmethod
    def read(cls, said: Mapping[str, str]) -> Switches:
        """Read what the page of switches sends: a number where a number is meant, else whether it was ticked."""
        given: dict[str, Any] = {}
        for one in fields(cls):
            if isinstance(one.default, bool):
                given[one.name] = bool(said.get(one.name))
            elif said.get(one.name, "").isdecimal():
                given[one.name] = min(int(said[one.name]), 1_000_000)
        made = cls(**given)
        return replace(made, calls=max(made.calls, 1), seconds=max(made.seconds, 1))


@dataclass(frozen=True, slots=True)
class Request:
    """A request. Names of headers are in lower case; ``query`` has what was given last for each name."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back: JSON, or a stream of pieces."""

    status: int
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] | None = None
    html: str = ""


class Refusal(Exception):
    """An answer that is not what was asked for: a status, a code and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.reply = Reply(status, {"error": {"code": code, "message": message}})


class Crm:
    """The system behind its interface."""

    def __init__(self, store: Store, *, read_key: str = READ_KEY, write_key: str = WRITE_KEY) -> None:
        self.store = store
        self.switches = Switches()
        self.writes = 0
        self._keys = {read_key: "read", write_key: "write"}
        self._calls: deque[float] = deque()
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Reply:
        """Answer a request of the interface."""
        switches = self.switches
        if request.method != "GET":
            with self._lock:
                self.writes += 1
        limit = self._limit_headers(switches)
        try:
            self._refuse_by_switch(switches, limit)
            scope = self._scope(request, switches)
            reply = self._routed(request, scope, switches)
        except Refusal as refusal:
            reply = refusal.reply
        if switches.commit_then_fail and request.method != "GET" and reply.status < 400:
            reply = Reply(500, {"error": {"code": "internal", "message": "Something went wrong."}})
        return replace(reply, headers={**limit, "X-Request-Id": uuid4().hex, **reply.headers})

    # -- who may, and how often --------------------------------------------------------------------------------

    def _limit_headers(self, switches: Switches) -> dict[str, str]:
        now = time.monotonic()
        with self._lock:
            while self._calls and self._calls[0] <= now - switches.seconds:
                self._calls.popleft()
            self._calls.append(now)
            left = switches.calls - len(self._calls)
            reset = max(1, round(self._calls[0] + switches.seconds - now))
        return {
            "X-RateLimit-Limit": str(switches.calls),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(reset),
        }

    @staticmethod
    def _refuse_by_switch(switches: Switches, limit: dict[str, str]) -> None:
        is_full = int(limit["X-RateLimit-Remaining"]) < 0
        if is_full:
            limit["X-RateLimit-Remaining"] = "0"
        if switches.limit_without_wait:
            limit.clear()
        if is_full or switches.limit_with_wait or switches.limit_without_wait:
            refusal = Refusal(429, "rate_limited", "Too many calls.")
            if not switches.limit_without_wait:
                limit["Retry-After"] = "7" if switches.limit_with_wait else limit["X-RateLimit-Reset"]
            raise refusal
        if switches.limit_as_forbidden:
            raise Refusal(403, "rate_limited", "Too many calls.")
        if switches.error_in_success:
            raise Refusal(200, "unavailable", "Come back later.")
        if switches.page_instead:
            raise _PageInstead

    def _scope(self, request: Request, switches: Switches) -> str:
        said = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        known = [scope for key, scope in self._keys.items() if hmac.compare_digest(said, key.encode())]
        if not known or switches.keys_revoked:
            raise Refusal(401, "unknown_key", "This key is not known.")
        if request.method != "GET" and known[0] != "write":
            raise Refusal(403, "read_only", "This key may only read.")
        return known[0]

    # -- routes ------------------------------------------------------------------------------------------------

    def _routed(self, request: Request, scope: str, switches: Switches) -> Reply:
        plain = {"/v1/account": self._account, "/v1/schema": self._schema}.get(request.path)
        if plain and request.method == "GET":
            return plain(scope)
        if request.path == "/v1/import" and request.method == "POST":
            return self._import(request)
        if request.path == "/v1/files" and request.method == "POST":
            return self._upload(request)
        if (job := _JOB.match(request.path)) and request.method == "GET":
            return self._job(int(job[1]))
        found = _RECORD.match(request.path)
        if not found or found["kind"] not in FIELDS:
            raise Refusal(404, "no_such_route", "There is nothing here.")
        return self._on_records(request, found, switches)

    def _on_records(self, request: Request, found: re.Match[str], switches: Switches) -> Reply:
        kind, number = found["kind"], int(found["id"] or 0)
        match request.method, bool(number), bool(found["content"]):
            case "GET", False, False:
                return self._list(kind, request.query, switches)
            case "GET", True, False:
                return _shown(self._record(kind, number))
            case "GET", True, True if kind == "files":
                return self._content(self._record(kind, number))
            case "PATCH", True, False:
                return self._change(self._record(kind, number), request, switches)
            case "DELETE", True, False:
                return self._delete(self._record(kind, number), request, switches)
            case _:
                raise Refusal(405, "no_such_method", "This is not done here.")

    def _account(self, scope: str) -> Reply:
        return Reply(
            200, {"account": f"desk ({scope})", "system": "Demo CRM", "version": VERSION, "scope": scope}
        )

    def _schema(self, _scope: str) -> Reply:
        return Reply(200, {"fields": self.store.fields()})

    def _job(self, number: int) -> Reply:
        ended = self.store.ask_after(number)
        if ended is None:
            raise Refusal(404, "not_found", "There is no such job.")
        return Reply(200, {"job": number, "state": "done" if ended else "running"})

    def _record(self, kind: str, number: int) -> Kept:
        kept = self.store.get(kind, number)
        if kept is None:
            raise Refusal(404, "not_found", "There is no such record.")
        return kept

    def _list(self, kind: str, query: Mapping[str, str], switches: Switches) -> Reply:
        unknown = set(query) - _PAGING - set(FILTERS[kind])
        if unknown and not switches.filters_ignored:
            raise Refusal(400, "unknown_filter", f"There is no filter “{min(unknown)}”.")
        limit = min(_number(query.get("limit", "100"), "limit"), PAGE_MOST)
        wanted = Filter({}, archived=True) if switches.filters_ignored else _filter(kind, query)
        rows, total = self.store.page(kind, wanted, _after(query.get("cursor", "")), limit)
        more = bool(rows) and len(rows) == limit and bool(self.store.page(kind, wanted, rows[-1].id, 1)[0])
        following = urlsafe_b64encode(f"after {rows[-1].id}".encode()).decode() if more else None
        return Reply(200, {"items": [row.told() for row in rows], "total": total, "next": following})

    def _content(self, kept: Kept) -> Reply:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(kept.data.get("size") or 0),
        }
        return Reply(200, headers=headers, pieces=self.store.pieces(kept.id))

    def _import(self, request: Request) -> Reply:
        given = _object(request.body)
        if unknown := set(given) - set(FIELDS):
            raise Refusal(422, "unknown_kind", f"There is no “{min(unknown)}”.")
        return Reply(201, {kind: len(self.store.add(kind, rows)) for kind, rows in given.items()})

    def _upload(self, request: Request) -> Reply:
        if unknown := set(request.query) - set(FIELDS["files"]):
            raise Refusal(422, "unknown_field", f"There is no field “{min(unknown)}”.")
        numbers = {name: _number(said, name) for name, said in request.query.items() if name.endswith("_id")}
        body = request.body
        pieces = (body[begin : begin + PIECE_BYTES] for begin in range(0, len(body), PIECE_BYTES))
        number, digest = self.store.attach({**request.query, **numbers}, pieces)
        return Reply(201, {"id": number, "sha256": digest})

    def _change(self, kept: Kept, request: Request, switches: Switches) -> Reply:
        _require_version(kept, request)
        values = _object(request.body)
        if unknown := set(values) - set(FIELDS[kept.kind]):
            raise Refusal(422, "unknown_field", f"There is no field “{min(unknown)}”.")
        return _shown(kept if switches.corrections_ignored else self.store.change(kept, values, "interface"))

    def _delete(self, kept: Kept, request: Request, switches: Switches) -> Reply:
        _require_version(kept, request)
        if kept.kind == "invoices" and kept.data.get("status") == BOOKED:
            raise Refusal(422, "booked", "A booked invoice cannot be deleted.")
        if referring := self.store.referring(kept.kind, kept.id):
            raise Refusal(422, "referenced", f"Other records refer to it: {', '.join(referring)}.")
        if kept.job is not None:
            return Reply(202, {"job": kept.job})
        if switches.eventual_deletion and kept.kind != "history":
            return Reply(202, {"job": self.store.remove_later(kept, switches.eventual_deletion)})
        self.store.remove(kept, leave_ghost=switches.residue_left)
        return Reply(204)


class _PageInstead(Refusal):
    """A page for people where a program asked."""

    def __init__(self) -> None:
        super().__init__(200, "page", "")
        self.reply = Reply(200, html="<!doctype html><title>Back soon</title><p>We are working on it.</p>")


def _shown(kept: Kept) -> Reply:
    return Reply(200, kept.told(), {"ETag": f'"{kept.version}"'})


def _require_version(kept: Kept, request: Request) -> None:
    said = request.headers.get("if-match", "")
    if not said:
        raise Refusal(428, "version_needed", "Say by If-Match which version you mean.")
    if said != f'"{kept.version}"':
        raise Refusal(412, "changed", "The record has been changed.")


def _filter(kind: str, query: Mapping[str, str]) -> Filter:
    equals = {name: tuple(query[name].split(",")[:200]) for name in FILTERS[kind] if name in query}
    for name, values in equals.items():
        if name.endswith("_id"):
            [_number(value, name) for value in values]
    return Filter(equals, query.get("q", ""), query.get("archived") == "include")


def _after(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        word, number = urlsafe_b64decode(cursor.encode()).decode().split()
        return int(number) if word == "after" else _bad_cursor()
    except ValueError:
        return _bad_cursor()


def _bad_cursor() -> int:
    raise Refusal(400, "bad_cursor", "This cursor was not given here.")


def _number(said: str, name: str) -> int:
    if not (said.isascii() and said.isdecimal() and len(said) < 16):
        raise Refusal(400, "bad_number", f"“{name}” is a number.")
    return int(said)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refusal(400, "not_an_object", "The body is a JSON object.")
    return found
