from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.connectors.base import (
    AuthError,
    ConfigurationError,
    Conflict,
    ConnectorError,
    ContractBroken,
    PermissionDenied,
    Refused,
    Throttled,
    TimedOut,
    Transient,
    Unreachable,
)
from cases.connectors.web import (
    LONGEST_WAIT_SECONDS,
    PATIENCE_SECONDS,
    Answer,
    Meaning,
    Web,
    checked_address,
    recording,
    remaining_of,
    throttled,
    wait_of,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "ada@shop.test"


@dataclass
class Reply:
    status: int = 200
    body: bytes = b'{"ok": true}'
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Gate:
    taken: list[str] = field(default_factory=list)
    learned: list[tuple[float | None, int | None]] = field(default_factory=list)

    def take(self, bucket: str = "") -> None:
        self.taken.append(bucket)

    def learn(self, *, bucket: str = "", wait: float | None = None, remaining: int | None = None) -> None:
        self.learned.append((wait, remaining))


class Server(ThreadingHTTPServer):
    """Gives one reply after the other; the last again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.replies: list[Reply] = [Reply()]
        self.seen: list[tuple[str, str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.seen.append((self.command, self.path, body))
        reply = self.server.replies.pop(0) if len(self.server.replies) > 1 else self.server.replies[0]
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_POST = do_GET  # noqa: N815
    do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def web(server: Server, gate: Gate) -> Iterator[Web]:
    made = Web(server.url, gate=gate, allow_private=True, clock=lambda: NOW, headers={"X-Key": "s3cret"})
    yield made
    made.close()


def answer(**headers: str) -> Answer:
    return Answer(
        "GET /x", 200, NOW, {name.replace("_", "-").lower(): value for name, value in headers.items()}
    )


def everything_about(error: ConnectorError) -> str:
    chain = "".join(traceback.format_exception(error))
    return f"{error!r} {error} {error.what_to_do} {chain} {error.__context__!r} {error.__cause__!r}"


# --- Meanings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (401, {}, AuthError),
        (403, {}, PermissionDenied),
        (403, {"Retry-After": "3"}, Throttled),
        (403, {"X-RateLimit-Remaining": "0"}, Throttled),
        (404, {}, ContractBroken),
        (408, {}, TimedOut),
        (409, {}, Conflict),
        (412, {}, Conflict),
        (422, {}, Refused),
        (429, {}, Throttled),
        (500, {}, Transient),
        (503, {}, Transient),
        (503, {"Retry-After": "3"}, Throttled),
        (302, {"Location": "http://elsewhere.test/"}, ContractBroken),
        (418, {}, ContractBroken),
    ],
)
def test_write_maps_status_to_error_and_is_never_repeated(
    server: Server, web: Web, status: int, headers: dict[str, str], error: type[ConnectorError]
) -> None:
    server.replies = [Reply(status, f'{{"message": "{SECRET}"}}'.encode(), headers)]

    with pytest.raises(ConnectorError) as caught:
        web.write("POST", "/contacts/{id}", fill={"id": SECRET}, json={"email": SECRET})

    assert type(caught.value) is error
    assert len(server.seen) == 1
    assert SECRET not in everything_about(caught.value)


def test_read_accepts_status_that_is_an_answer_to_it(server: Server, web: Web) -> None:
    server.replies = [Reply(404, b"")]

    found = web.read("GET", "/contacts/7", accept=(404,))

    assert (found.status, found.data) == (404, None)


@pytest.mark.parametrize("body", [b"<html>Back soon</html>", b'{"half', b'{"n": NaN}'])
def test_read_refuses_what_is_not_json(server: Server, web: Web, body: bytes) -> None:
    server.replies = [Reply(200, body)]

    with pytest.raises(ContractBroken):
        web.read("GET", "/contacts")


def test_read_takes_nothing_for_nothing(server: Server, web: Web) -> None:
    server.replies = [Reply(200, b""), Reply(200, b"null")]

    assert [web.read("GET", "/").data, web.read("GET", "/").data] == [None, None]


def test_meanings_of_a_connector_come_before_the_usual(server: Server, gate: Gate) -> None:
    server.replies = [Reply(200, b'{"error": {"code": "limit"}}')]
    meanings = [Meaning(throttled, [200], "error.code", {"limit"})]
    web = Web(server.url, gate=gate, allow_private=True, meanings=meanings)

    with pytest.raises(Throttled) as caught:
        web.read("GET", "/x")

    web.close()
    assert caught.value.retry_after == PATIENCE_SECONDS
    assert gate.learned == [(PATIENCE_SECONDS, None)]


# --- Trying again -----------------------------------------------------------------------------------------------


def test_read_is_tried_twice_more_and_takes_the_gate_each_time(server: Server, web: Web, gate: Gate) -> None:
    server.replies = [Reply(500), Reply(502), Reply(200)]

    found = web.read("GET", "/x", bucket="search")

    assert found.data == {"ok": True}
    assert gate.taken == ["search"] * 3


def test_read_gives_up_after_two_more(server: Server, web: Web) -> None:
    server.replies = [Reply(500)]

    with pytest.raises(Transient):
        web.read("GET", "/x")

    assert len(server.seen) == 3


def test_read_is_not_repeated_on_a_limit(server: Server, web: Web) -> None:
    server.replies = [Reply(429, headers={"Retry-After": "7"})]

    with pytest.raises(Throttled) as caught:
        web.read("GET", "/x")

    assert (caught.value.retry_after, len(server.seen)) == (7.0, 1)


def test_shut_gate_keeps_the_call_from_being_made(server: Server) -> None:
    class Shut(Gate):
        def take(self, bucket: str = "") -> None:
            raise Throttled(retry_after=5)

    web = Web(server.url, gate=Shut(), allow_private=True)

    with pytest.raises(Throttled):
        web.read("GET", "/x")

    assert server.seen == []


# --- Limits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "remaining", "wait"),
    [
        ({"retry_after": "7"}, None, 7.0),
        ({"retry_after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, None, 90.0),
        ({"retry_after": format_datetime(NOW - timedelta(seconds=90), usegmt=True)}, None, 0.0),
        ({"retry_after": "soon"}, None, None),
        ({"retry_after": "nan"}, None, None),
        ({"retry_after": "99999999"}, None, LONGEST_WAIT_SECONDS),
        ({"x_ratelimit_remaining": "12", "x_ratelimit_reset": "30"}, 12, 30.0),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(NOW.timestamp() + 20)}, 0, 20.0),
        ({"x_rate_limit_reset": str(int(NOW.timestamp() * 1000) + 20_000)}, None, 20.0),
        ({"ratelimit": '"default";r=50;t=30'}, 50, 30.0),
        ({"ratelimit": "limit=100, remaining=3, reset=9"}, 3, 9.0),
        ({"ratelimit_remaining": "4", "ratelimit_reset": "8"}, 4, 8.0),
        ({}, None, None),
    ],
)
def test_headers_say_how_long_and_how_many(
    headers: dict[str, str], remaining: int | None, wait: float | None
) -> None:
    said = answer(**headers)

    assert (remaining_of(said), wait_of(said)) == (remaining, wait)


@given(st.text(max_size=40))
def test_headers_of_any_text_are_read_without_harm(text: str) -> None:
    said = answer(retry_after=text, ratelimit=text, x_ratelimit_remaining=text)

    wait, remaining = wait_of(said), remaining_of(said)

    assert wait is None or 0 <= wait <= LONGEST_WAIT_SECONDS
    assert remaining is None or remaining >= 0


def test_gate_learns_what_is_left(server: Server, web: Web, gate: Gate) -> None:
    server.replies = [Reply(headers={"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "20"})]

    web.read("GET", "/x")

    assert gate.learned == [(20.0, 3)]


# --- The way out ------------------------------------------------------------------------------------------------


def test_places_of_a_route_are_escaped_and_only_the_route_is_told(server: Server, web: Web) -> None:
    found = web.read("GET", "/contacts/{id}", fill={"id": "../admin?x=1"}, params={"q": "a b", "none": None})

    assert server.seen[0][1] == "/contacts/..%2Fadmin%3Fx%3D1?q=a+b"
    assert found.request == "GET /contacts/{id}"


def test_private_network_is_not_reached_unless_allowed(server: Server) -> None:
    port = server.server_address[1]
    web = Web(f"https://127.0.0.1:{port}")

    with pytest.raises(ConfigurationError) as caught:
        web.read("GET", "/x")

    web.close()
    assert server.seen == []
    assert "127.0.0.1" not in everything_about(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ftp://crm.test",
        "http://crm.test",
        "https://u:p@crm.test",
        "https://crm.test/?x=1",
        "https://[",
        "//x",
    ],
)
def test_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        checked_address(address, allow_private=False)

    assert "crm.test" not in str(caught.value)


def test_nobody_there_is_unreachable(server: Server) -> None:
    web = Web("http://127.0.0.1:1", allow_private=True)

    with pytest.raises(Unreachable) as caught:
        web.write("POST", "/x")

    web.close()
    assert caught.value.__context__ is None


def test_large_answer_is_cut_off(server: Server, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cases.connectors.web.MOST_BYTES", 100)
    server.replies = [Reply(200, b'"' + b"x" * 200 + b'"')]

    with pytest.raises(ContractBroken):
        web.read("GET", "/x")


def test_stream_yields_a_file_in_chunks(server: Server, web: Web) -> None:
    server.replies = [Reply(200, b"x" * 200_000)]

    chunks = list(web.stream("GET", "/file"))

    assert b"".join(chunks) == b"x" * 200_000
    assert max(map(len, chunks)) <= 64 * 1024


def test_stream_raises_what_an_answer_means(server: Server, web: Web, gate: Gate) -> None:
    server.replies = [Reply(429, headers={"Retry-After": "4"})]

    with pytest.raises(Throttled):
        list(web.stream("GET", "/file"))

    assert gate.learned == [(4.0, None)]


def test_stream_that_breaks_off_is_transient(server: Server, web: Web) -> None:
    server.replies = [Reply(200, b"half", {"Content-Length": "100", "Connection": "close"})]

    with pytest.raises(Transient):
        list(web.stream("GET", "/file"))


def test_recording_keeps_shapes_and_nothing_else(server: Server, web: Web) -> None:
    with recording() as calls:
        web.read("POST", "/search/{kind}", fill={"kind": SECRET}, json={"email": SECRET})
        web.write("DELETE", "/contacts/{id}", fill={"id": 7})
    web.read("GET", "/x")

    assert [(call.request, call.writes, call.status) for call in calls] == [
        ("POST /search/{kind}", False, 200),
        ("DELETE /contacts/{id}", True, 200),
    ]
    assert SECRET not in repr(calls)


def test_logs_show_no_address(server: Server, web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")

    web.read("GET", "/x", params={"email": SECRET})

    assert SECRET not in caplog.text
    assert "s3cret" not in caplog.text
