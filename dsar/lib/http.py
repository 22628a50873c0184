"""The only way out: HTTP clients with time-outs and limits, which reach no address they should not.

The guard sits where connections are made. It resolves the name once, judges every address found, and
connects to the very address that it judged: neither a redirect nor a second, different answer of the name
server gets around it. Certificates are still checked against the name.
"""

import ipaddress
import logging
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import httpcore2
import httpx2

DEFAULT_MAX_BYTES = 50 * 1024 * 1024

_MAX_REDIRECTS = 5
_MAX_CONNECTIONS = 10

# They log addresses, which may name a person, and at their most talkative headers, which hold tokens.
for _logger in ("httpx2", "httpcore2"):
    logging.getLogger(_logger).setLevel(logging.WARNING)

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]

# Where clouds tell a machine its secrets, outside of the link-local range. Never a source system.
_METADATA = frozenset(
    map(ipaddress.ip_address, ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"))
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenDestination(httpx2.RequestError):
    """The destination is not one that we connect to. It does not heal, so it is not to be retried."""


class ResponseTooLarge(httpx2.RequestError):
    """The answer is larger than the caller allowed, or encoded so that its size cannot be known."""


def client(
    timeout: float,
    *,
    allow_private: bool = False,
    allow_http: bool | None = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
    verify: ssl.SSLContext | None = None,
    backend: httpcore2.NetworkBackend | None = None,
) -> httpx2.Client:
    """Make a client; close it, or use it in a with statement.

    Args:
        timeout: seconds for connecting, and for each wait for reading, writing or a free connection.
        allow_private: also reach private and loopback addresses; never link-local or metadata ones.
        allow_http: also speak without TLS; unless told, where private addresses are allowed.
        max_bytes: the largest answer; a longer one raises ResponseTooLarge while it is read.
        verify: another TLS context than the usual one, such as one with a controller's own authority.
        backend: what connects to names; another than the guard is for tests.

    Redirects are followed only when a call asks for it. Proxies of the environment are ignored, because
    behind a proxy nobody knows where a connection ends.
    """
    transport = _Transport(
        backend or GuardedBackend(allow_private=allow_private),
        verify or _known_authorities(),
        allow_http=allow_private if allow_http is None else allow_http,
        max_bytes=max_bytes,
    )
    return httpx2.Client(
        transport=transport,
        timeout=timeout,
        trust_env=False,
        follow_redirects=False,
        max_redirects=_MAX_REDIRECTS,
        # A packed answer could unfold to any size.
        headers={"Accept-Encoding": "identity"},
    )


@cache
def _known_authorities() -> ssl.SSLContext:
    """The authorities of the machine, read once: that takes 25 ms, which a client for one call should not pay."""
    return httpx2.create_ssl_context()


def is_allowed(address: str, *, allow_private: bool) -> bool:
    """Tell whether an IP address may be connected to."""
    plain = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    if plain.is_multicast or plain.is_unspecified or plain.is_link_local or plain in _METADATA:
        return False
    if plain.is_global:
        return True
    return allow_private and (plain.is_loopback or (plain.is_private and not plain.is_reserved))


class GuardedBackend(httpcore2.NetworkBackend):
    """Connects to a name only if every address behind it is allowed, and then to just those."""

    def __init__(
        self,
        *,
        allow_private: bool,
        resolve: Resolver | None = None,
        inner: httpcore2.NetworkBackend | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._resolve = resolve or _resolve
        self._inner = inner or httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address that answers; raises ForbiddenDestination or ConnectError."""
        failure: Exception = httpcore2.ConnectError("The name has no address.")
        for address in self._judged(host, port):
            try:
                return self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Refuse: a socket file is no destination for us."""
        raise ForbiddenDestination("Socket files are not connected to.")

    def _judged(self, host: str, port: int) -> list[str]:
        addresses = self._resolve(host, port)
        # One bad address among good ones is an attack or a mistake; in neither case are the others taken.
        if not all(is_allowed(address, allow_private=self._allow_private) for address in addresses):
            raise ForbiddenDestination("This destination is in a network that is not connected to.")
        return addresses


class _Transport(httpx2.HTTPTransport):
    """The usual transport on a pool of our own, since the usual one takes no backend."""

    def __init__(
        self, backend: httpcore2.NetworkBackend, verify: ssl.SSLContext, *, allow_http: bool, max_bytes: int
    ) -> None:
        super().__init__(verify=verify, trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=verify, max_connections=_MAX_CONNECTIONS, network_backend=backend
        )
        self._allow_http = allow_http
        self._max_bytes = max_bytes

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme != "https" and not (self._allow_http and request.url.scheme == "http"):
            raise ForbiddenDestination("Only encrypted connections are made to this destination.")
        response = super().handle_request(request)
        try:
            return _limited(response, self._max_bytes)
        except ResponseTooLarge:
            response.close()
            raise


def _limited(response: httpx2.Response, max_bytes: int) -> httpx2.Response:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ResponseTooLarge("The answer is packed although that was not asked for.")
    length = response.headers.get("Content-Length", "0")
    if not length.isdecimal() or int(length) > max_bytes:
        raise ResponseTooLarge("The answer is larger than allowed.")
    assert isinstance(response.stream, httpx2.SyncByteStream)
    response.stream = _LimitedStream(response.stream, max_bytes)
    return response


class _LimitedStream(httpx2.SyncByteStream):
    def __init__(self, inner: httpx2.SyncByteStream, max_bytes: int) -> None:
        self._inner = inner
        self._left = max_bytes

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._inner:
            self._left -= len(chunk)
            if self._left < 0:
                raise ResponseTooLarge("The answer is larger than allowed.")
            yield chunk

    def close(self) -> None:
        self._inner.close()


def _unwrapped(address: _Address) -> _Address:
    """Take the IPv4 address out of an IPv6 one that merely carries it to a translator or tunnel."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        # The cause is cut off: it names the host.
        raise httpcore2.ConnectError("The name has no address.") from None
    return [str(entry[4][0]) for entry in found]
