from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpcore2
import httpx2
import pytest

from dsar.lib.http import ForbiddenDestination, GuardedBackend, ResponseTooLarge, client, is_allowed

PUBLIC = "93.184.215.14"


class Answers(BaseHTTPRequestHandler):
    """A server that answers as its path says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.paths.append(self.path)  # type: ignore[attr-defined]
        getattr(self, f"answer_{self.path.strip('/')}")()

    def answer_plain(self) -> None:
        self.reply({"Content-Length": "5"}, b"hello")

    def answer_large(self) -> None:
        self.reply({"Content-Length": "101"}, b"x" * 101)

    def answer_endless(self) -> None:
        self.reply({"Connection": "close"}, b"x" * 101)

    def answer_packed(self) -> None:
        self.reply({"Content-Length": "5", "Content-Encoding": "gzip"}, b"\x1f\x8b...")

    def answer_away(self) -> None:
        self.reply({"Content-Length": "0", "Location": "http://inside.example/plain"}, b"", status=302)

    def reply(self, headers: dict[str, str], body: bytes, status: int = 200) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class ToServer(httpcore2.NetworkBackend):
    """Connects to the local server whatever the address, and remembers which was asked for."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[str] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        self.asked.append(host)
        return httpcore2.SyncBackend().connect_tcp("127.0.0.1", self.port, timeout)


def names(host: str, port: int) -> list[str]:
    return {
        "public.example": [PUBLIC],
        "inside.example": ["10.0.0.7"],
        "mixed.example": [PUBLIC, "127.0.0.1"],
        "nowhere.example": [],
    }[host]


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made.paths = []  # type: ignore[attr-defined]
    thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def inner(server: ThreadingHTTPServer) -> ToServer:
    return ToServer(server.server_port)


@pytest.fixture
def outside(inner: ToServer) -> Iterator[httpx2.Client]:
    """A client for public addresses, all of which lead to the server."""
    guard = GuardedBackend(allow_private=False, resolve=names, inner=inner)
    with client(5, allow_http=True, max_bytes=100, backend=guard) as made:
        yield made


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        (PUBLIC, True, True),
        ("2606:4700::1111", True, True),
        ("10.1.2.3", False, True),
        ("172.16.0.1", False, True),
        ("192.168.1.1", False, True),
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("fd12:3456::1", False, True),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("169.254.169.254", False, False),
        ("fe80::1", False, False),
        ("fe80::1%eth0", False, False),
        ("fd00:ec2::254", False, False),
        ("168.63.129.16", False, False),
        ("100.100.100.200", False, False),
        ("100.64.0.1", False, False),
        ("224.0.0.1", False, False),
        ("ff02::1", False, False),
        ("255.255.255.255", False, False),
        ("::ffff:127.0.0.1", False, True),
        ("::ffff:169.254.169.254", False, False),
        ("64:ff9b::a9fe:a9fe", False, False),
        ("64:ff9b::7f00:1", False, True),
        ("2002:7f00:1::", False, True),
        ("2002:a9fe:a9fe::", False, False),
    ],
)
def test_is_allowed_judges_each_network(address: str, public: bool, private: bool) -> None:
    judged = [is_allowed(address, allow_private=allow) for allow in (False, True)]

    assert judged == [public, private]


def test_client_connects_to_the_address_that_was_judged(outside: httpx2.Client, inner: ToServer) -> None:
    response = outside.get("http://public.example/plain")

    assert (response.text, inner.asked) == ("hello", [PUBLIC])


@pytest.mark.parametrize("host", ["inside.example", "mixed.example"])
def test_client_refuses_a_name_that_leads_inside(
    outside: httpx2.Client, inner: ToServer, server: ThreadingHTTPServer, host: str
) -> None:
    with pytest.raises(ForbiddenDestination):
        outside.get(f"http://{host}/plain")

    assert (inner.asked, server.paths) == ([], [])  # type: ignore[attr-defined]


def test_client_refuses_a_redirect_that_leads_inside(outside: httpx2.Client, inner: ToServer) -> None:
    with pytest.raises(ForbiddenDestination):
        outside.get("http://public.example/away", follow_redirects=True)

    assert inner.asked == [PUBLIC]


def test_client_follows_no_redirect_unasked(outside: httpx2.Client) -> None:
    assert outside.get("http://public.example/away").status_code == 302


def test_client_reports_a_name_without_address(outside: httpx2.Client) -> None:
    with pytest.raises(httpx2.ConnectError):
        outside.get("http://nowhere.example/plain")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "localhost", "169.254.169.254", "0x7f.1", "2130706433"]
)
def test_client_refuses_addresses_of_its_own_machine(server: ThreadingHTTPServer, host: str) -> None:
    with client(5, allow_http=True) as made, pytest.raises(ForbiddenDestination):
        made.get(f"http://{host}:{server.server_port}/plain")

    assert server.paths == []  # type: ignore[attr-defined]


def test_client_reaches_private_addresses_when_allowed(server: ThreadingHTTPServer) -> None:
    with client(5, allow_private=True) as made:
        response = made.get(f"http://127.0.0.1:{server.server_port}/plain")

    assert response.text == "hello"


def test_client_ignores_proxies_of_the_environment(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{server.server_port}")
    guard = GuardedBackend(allow_private=False, resolve=names)

    with client(5, allow_http=True, backend=guard) as made, pytest.raises(ForbiddenDestination):
        made.get("http://inside.example/plain")

    assert server.paths == []  # type: ignore[attr-defined]


def test_client_refuses_plain_http_to_the_public(inner: ToServer) -> None:
    guard = GuardedBackend(allow_private=False, resolve=names, inner=inner)

    with client(5, backend=guard) as made, pytest.raises(ForbiddenDestination):
        made.get("http://public.example/plain")

    assert inner.asked == []


@pytest.mark.parametrize("path", ["large", "endless", "packed"])
def test_client_refuses_an_answer_above_the_limit(outside: httpx2.Client, path: str) -> None:
    with pytest.raises(ResponseTooLarge):
        outside.get(f"http://public.example/{path}")


def test_client_limits_answers_that_are_streamed(outside: httpx2.Client) -> None:
    with outside.stream("GET", "http://public.example/endless") as response, pytest.raises(ResponseTooLarge):
        list(response.iter_bytes())


def test_backend_tries_the_next_address_when_one_is_silent(inner: ToServer) -> None:
    class FirstSilent(ToServer):
        def connect_tcp(self, host: str, *args: object, **kwargs: object) -> httpcore2.NetworkStream:
            if host == PUBLIC:
                raise httpcore2.ConnectTimeout
            return super().connect_tcp(host, 80)

    second = FirstSilent(inner.port)
    guard = GuardedBackend(
        allow_private=False, resolve=lambda host, port: [PUBLIC, "93.184.215.15"], inner=second
    )

    guard.connect_tcp("public.example", 80).close()

    assert second.asked == ["93.184.215.15"]


def test_backend_refuses_socket_files() -> None:
    with pytest.raises(ForbiddenDestination):
        GuardedBackend(allow_private=True).connect_unix_socket("/run/any.sock")
