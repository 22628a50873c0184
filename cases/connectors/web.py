"""The one way in which a connector speaks HTTP.

A call takes the gate first, reaches no network that it should not, is cut off when it takes too long or grows too
large, and comes back as an Answer or as one of the contract's errors, in words that hold no body and no personal
data. A read is repeated at most twice and at once; a write never is, because nobody knows whether it was done.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, NoReturn, Self
from urllib.parse import quote, urlsplit

import httpx2

from cases.connectors.base import (
    JSON,
    OPEN_GATE,
    AuthError,
    Clock,
    ConfigurationError,
    Conflict,
    ConnectorError,
    ContractBroken,
    Gate,
    Option,
    OptionKind,
    PermissionDenied,
    Refused,
    Setup,
    Throttled,
    TimedOut,
    Transient,
    Unreachable,
    utc_now,
)
from cases.connectors.options import Settings
from dsar.lib.http import ForbiddenDestination, ResponseTooLarge, client

MOST_BYTES = 50 * 1024 * 1024  # of an answer that is read as a whole
MOST_FILE_BYTES = 100 * 1024**3  # of a file that is streamed
CHUNK_BYTES = 64 * 1024
QUICK_PAUSES: Final = (0.1, 0.4)  # seconds before the second and the third try of a read
PATIENCE_SECONDS = 30.0  # where a source asks for patience and does not say how much
LONGEST_WAIT_SECONDS = 3600.0

PUBLIC, PRIVATE = "public", "private"

WEB_OPTIONS: tuple[Option, ...] = (
    Option(
        "base_url", "Address", "The address of the system, such as https://crm.example.com.", required=True
    ),
    Option(
        "network",
        "Network",
        "“private” also reaches addresses of a private network, and speaks without encryption where asked to.",
        kind=OptionKind.CHOICE,
        choices=(PUBLIC, PRIVATE),
        default=PUBLIC,
    ),
    Option(
        "timeout_seconds",
        "Time limit in seconds",
        "For each wait for the system.",
        kind=OptionKind.NUMBER,
        default=30,
        minimum=1,
        maximum=600,
    ),
)

_NOTHING: Final[Mapping[str, Any]] = {}


# --- What was asked and answered ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """One call as a recording keeps it: a method, a route with its places unfilled, and the status that came."""

    request: str
    writes: bool
    status: int | None = None


_TAPE: ContextVar[list[Call] | None] = ContextVar("dsar_connector_calls", default=None)


@contextmanager
def recording() -> Iterator[list[Call]]:
    """Keep a list of all calls that connectors make here meanwhile, to show that a plan only reads."""
    calls: list[Call] = []
    token = _TAPE.set(calls)
    try:
        yield calls
    finally:
        _TAPE.reset(token)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the source said. ``request`` is the shape of the call; ``data`` the JSON, None where there was none."""

    request: str
    status: int
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    data: Any = field(default=None, repr=False)

    def at(self, place: str) -> Any:
        """Return what stands at a place such as ``error.code``; None where there is nothing."""
        found = self.data
        for step in place.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        return found

    def header(self, *names: str) -> str:
        """Return the first of these headers that came, or nothing."""
        return next((self.headers[name] for name in names if name in self.headers), "")

    @property
    def digest(self) -> str:
        """The hash that a receipt keeps of the answer instead of the answer."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def vendor_request(self) -> str:
        """The number under which the vendor's own log knows the call."""
        said = self.header("x-request-id", "request-id", "x-trace-id", "x-correlation-id")
        return said[:100] if said.isascii() and said.isprintable() else ""


# --- What an answer means -------------------------------------------------------------------------------------

Raises = Callable[[Answer], ConnectorError]


@dataclass(frozen=True, slots=True)
class Meaning:
    """One line of the table by which answers are understood: what it fits, and the error that it is taken for.

    It fits an answer with one of these ``statuses`` (any, where none is named) that has one of these ``words`` (any,
    where none is named) at this ``place`` of its JSON.
    """

    error: Raises
    statuses: Collection[int] = ()
    place: str = ""
    words: Collection[str] = ()

    def fits(self, answer: Answer) -> bool:
        if self.statuses and answer.status not in self.statuses:
            return False
        if not self.place:
            return True
        said = answer.at(self.place)
        return str(said) in self.words if self.words else said is not None


def broken(answer: Answer) -> ConnectorError:
    """An answer that cannot be."""
    return ContractBroken(what=f"status {answer.status} in answer to {answer.request}")


def refused(answer: Answer) -> ConnectorError:
    """A refusal by rule. The vendor's own words stay out: they quote what was sent."""
    return Refused(reason=f"{answer.request} was answered with status {answer.status}")


def forbidden(answer: Answer) -> ConnectorError:
    """A refusal for want of rights, unless it is a limit that speaks as one."""
    return throttled(answer) if _asks_for_patience(answer) else PermissionDenied(what=answer.request)


def unwell(answer: Answer) -> ConnectorError:
    """A trouble of the source itself, which may pass; some ask for patience in this way."""
    return throttled(answer) if answer.header("retry-after") else Transient()


def throttled(answer: Answer) -> ConnectorError:
    """A limit that was reached."""
    return Throttled(retry_after=wait_of(answer) or PATIENCE_SECONDS)


_SUCCESS: Final = range(200, 300)
_SERVER_ERRORS: Final = range(500, 600)

USUAL: tuple[Meaning, ...] = (
    Meaning(lambda _answer: AuthError(), [HTTPStatus.UNAUTHORIZED]),
    Meaning(forbidden, [HTTPStatus.FORBIDDEN]),
    Meaning(throttled, [HTTPStatus.TOO_MANY_REQUESTS]),
    Meaning(lambda answer: TimedOut(answer.request), [HTTPStatus.REQUEST_TIMEOUT]),
    Meaning(lambda _answer: Conflict(), [HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED]),
    Meaning(refused, [HTTPStatus.UNPROCESSABLE_ENTITY]),
    Meaning(unwell, _SERVER_ERRORS),
    Meaning(broken),
)


def _asks_for_patience(answer: Answer) -> bool:
    return bool(answer.header("retry-after")) or remaining_of(answer) == 0


# --- What the headers say about limits ------------------------------------------------------------------------

_REMAINING = ("ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining")
_RESET = ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset", "x-ratelimit-reset-after")
_DRAFT_REMAINING = re.compile(r"(?:^|[;,\s])(?:r|remaining)=(\d+)")
_DRAFT_RESET = re.compile(r"(?:^|[;,\s])(?:t|reset)=(\d+)")
_EPOCH, _EPOCH_MILLISECONDS = 10**9, 10**12


def remaining_of(answer: Answer) -> int | None:
    """Return how many calls the source says are left, in any of the usual headers."""
    said = answer.header(*_REMAINING).strip()
    if not said and (draft := _DRAFT_REMAINING.search(answer.header("ratelimit"))):
        said = draft[1]
    return int(said) if said.isascii() and said.isdecimal() else None


def wait_of(answer: Answer) -> float | None:
    """Return the seconds until the source wants to be called again; None where it does not say."""
    said = answer.header("retry-after") or answer.header(*_RESET)
    if not said and (draft := _DRAFT_RESET.search(answer.header("ratelimit"))):
        said = draft[1]
    seconds = _seconds(said.strip(), answer.received_at)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def _seconds(said: str, now: datetime) -> float | None:
    """Read a span in seconds, or a moment as seconds or milliseconds since 1970 or as a date."""
    try:
        number = float(said)
    except ValueError:
        return _until(said, now)
    if math.isnan(number):
        return None
    if number < _EPOCH:
        return number
    moment = number / 1000 if number >= _EPOCH_MILLISECONDS else number
    return moment - now.timestamp()


def _until(said: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(said)
    except (TypeError, ValueError, IndexError):
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()


# --- The way out ----------------------------------------------------------------------------------------------


class Web:
    """Calls to one source. Opens its connection with the first call, and again after close.

    Args:
        base_url: what routes are put behind.
        headers: sent with each call; credentials belong here.
        gate: asked before each call, and told what the answer says about limits.
        meanings: lines of the table that come before the usual ones.
        timeout: seconds for each wait.
        allow_private: also reach private networks, and speak without TLS.
        http: a client to use instead of one of our own; closing it is then the giver's affair.
        clock: what limits given as a moment are measured against.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] = _NOTHING,
        gate: Gate = OPEN_GATE,
        meanings: Sequence[Meaning] = (),
        timeout: float = 30.0,
        allow_private: bool = False,
        http: httpx2.Client | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._base_url = checked_address(base_url, allow_private=allow_private)
        self._headers = dict(headers)
        self._gate = gate
        self._meanings = tuple(meanings)
        self._timeout = timeout
        self._allow_private = allow_private
        self._given = http
        self._own: httpx2.Client | None = None
        self._clock = clock

    @classmethod
    def of(
        cls,
        settings: Settings,
        setup: Setup,
        *,
        headers: Mapping[str, str] = _NOTHING,
        meanings: Sequence[Meaning] = (),
    ) -> Self:
        """Make one from the options that WEB_OPTIONS declares. Raises ConfigurationError."""
        return cls(
            settings.text("base_url"),
            headers=headers,
            gate=setup.gate,
            meanings=meanings,
            timeout=settings.number("timeout_seconds"),
            allow_private=settings.text("network") == PRIVATE,
            clock=setup.clock,
        )

    def read(
        self,
        method: str,
        route: str,
        *,
        fill: Mapping[str, object] = _NOTHING,
        params: Mapping[str, Any] = _NOTHING,
        json: JSON = None,
        headers: Mapping[str, str] = _NOTHING,
        accept: Collection[int] = (),
        bucket: str = "",
    ) -> Answer:
        """Make a call that changes nothing, whatever its method; try at most twice more, at once, where that may help.

        Args:
            method: of HTTP.
            route: with places in braces, which ``fill`` gives values for; only the route is ever told.
            fill: what the places stand for; escaped.
            params: the query.
            json: the body.
            headers: beside those of every call.
            accept: statuses beyond 2xx that are an answer to the caller, such as 404.
            bucket: the limit that the call counts for.

        Raises:
            ConnectorError: as the table of meanings says.
        """
        send = self._prepared(method, route, fill, params, json, headers, writes=False)
        for pause in QUICK_PAUSES:
            try:
                return self._exchange(send, accept, bucket)
            except Transient as error:
                if not _may_pass_at_once(error):
                    raise
            time.sleep(pause)
        return self._exchange(send, accept, bucket)

    def write(
        self,
        method: str,
        route: str,
        *,
        fill: Mapping[str, object] = _NOTHING,
        params: Mapping[str, Any] = _NOTHING,
        json: JSON = None,
        headers: Mapping[str, str] = _NOTHING,
        accept: Collection[int] = (),
        bucket: str = "",
    ) -> Answer:
        """Make a call that changes something; once. Arguments as for read.

        Raises:
            Transient: when it is not known whether it was done: read before doing it again.
            ConnectorError: as the table of meanings says.
        """
        send = self._prepared(method, route, fill, params, json, headers, writes=True)
        return self._exchange(send, accept, bucket)

    def stream(
        self,
        method: str,
        route: str,
        *,
        fill: Mapping[str, object] = _NOTHING,
        params: Mapping[str, Any] = _NOTHING,
        json: JSON = None,
        headers: Mapping[str, str] = _NOTHING,
        bucket: str = "",
    ) -> Iterator[bytes]:
        """Yield a file in chunks of at most 64 KiB, in constant memory; raises ConnectorError, also half-way."""
        send = self._prepared(method, route, fill, params, json, headers, writes=False)
        self._gate.take(bucket)
        failure: ConnectorError
        try:
            with self._open(send) as response:
                _record(send, response.status_code)
                if response.is_success:
                    yield from response.iter_bytes(CHUNK_BYTES)
                    return
                answer = _read(send, response, self._clock())
        except httpx2.HTTPError as error:
            failure = _explain(error, send.request)
        else:
            failure = self._judge(answer, ()) or broken(answer)
            self._learn(answer, failure, bucket)
        raise failure

    def close(self) -> None:
        """Let go of the connection; may be called twice."""
        own, self._own = self._own, None
        if own is not None:
            own.close()

    # -- one call ----------------------------------------------------------------------------------------------

    def _prepared(
        self,
        method: str,
        route: str,
        fill: Mapping[str, object],
        params: Mapping[str, Any],
        body: JSON,
        headers: Mapping[str, str],
        *,
        writes: bool,
    ) -> _Send:
        path = re.sub(r"\{(\w+)\}", lambda place: quote(str(fill[place[1]]), safe=""), route)
        return _Send(
            method=method,
            url=self._base_url + path,
            request=f"{method} {route}",
            params={name: value for name, value in params.items() if value is not None},
            content=None if body is None else json.dumps(body).encode(),
            headers={
                **self._headers,
                **({"Content-Type": "application/json"} if body is not None else {}),
                **headers,
            },
            writes=writes,
        )

    def _exchange(self, send: _Send, accept: Collection[int], bucket: str) -> Answer:
        self._gate.take(bucket)
        answer = self._answer(send)
        trouble = self._judge(answer, accept)
        self._learn(answer, trouble, bucket)
        if trouble is not None:
            raise trouble
        return answer

    def _judge(self, answer: Answer, accept: Collection[int]) -> ConnectorError | None:
        """Say what is wrong with an answer; None where nothing is."""
        odd = next((one for one in self._meanings if one.fits(answer)), None)
        if odd is not None:
            return odd.error(answer)
        if answer.status in accept:
            return None
        if answer.status not in _SUCCESS:
            return next(one for one in USUAL if one.fits(answer)).error(answer)
        if answer.body and answer.data is None and answer.body.strip() != b"null":
            return ContractBroken(what=f"something that is not JSON in answer to {answer.request}")
        return None

    def _answer(self, send: _Send) -> Answer:
        """Send and read. The error is raised once the client's own, which quotes addresses, is dealt with."""
        failure: ConnectorError
        try:
            with self._open(send) as response:
                answer = _read(send, response, self._clock())
                _record(send, answer.status)
                return answer
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            failure = _explain(error, send.request)
        _record(send, None)
        raise failure

    @contextmanager
    def _open(self, send: _Send) -> Iterator[httpx2.Response]:
        if self._given is None and self._own is None:
            self._own = client(self._timeout, allow_private=self._allow_private, max_bytes=MOST_FILE_BYTES)
        http = self._given or self._own
        assert http is not None
        with http.stream(
            send.method, send.url, params=send.params, content=send.content, headers=dict(send.headers)
        ) as response:
            yield response

    def _learn(self, answer: Answer, trouble: ConnectorError | None, bucket: str) -> None:
        """Tell the gate what the answer says about limits, so that all workers hear of it."""
        if isinstance(trouble, Throttled):
            self._gate.learn(bucket=bucket, wait=trouble.retry_after or PATIENCE_SECONDS)
        elif (remaining := remaining_of(answer)) is not None:
            self._gate.learn(bucket=bucket, wait=wait_of(answer), remaining=remaining)


@dataclass(frozen=True, slots=True)
class _Send:
    """A call, ready to be made."""

    method: str
    request: str
    writes: bool
    url: str = field(repr=False)
    params: Mapping[str, Any] = field(repr=False)
    content: bytes | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


def checked_address(base_url: str, *, allow_private: bool) -> str:
    """Return the address without a slash at its end. Raises ConfigurationError, which does not repeat it."""
    try:
        parts = urlsplit(base_url.strip())
        usable = (
            bool(parts.hostname) and not (parts.query or parts.fragment or parts.username) and parts.port != 0
        )
    except ValueError:
        usable = False
    if not usable or parts.scheme not in {"https", "http"}:
        raise ConfigurationError("“Address” (base_url) must be an address such as https://crm.example.com.")
    if parts.scheme == "http" and not allow_private:
        raise ConfigurationError("“Address” (base_url) must begin with https:// but in a private network.")
    return base_url.strip().rstrip("/")


def _may_pass_at_once(error: Transient) -> bool:
    """A limit is for the engine to wait for, and what took too long would take as long again."""
    return not isinstance(error, Throttled | TimedOut)


def _record(send: _Send, status: int | None) -> None:
    tape = _TAPE.get()
    if tape is not None:
        tape.append(Call(send.request, send.writes, status))


def _read(send: _Send, response: httpx2.Response, now: datetime) -> Answer:
    body = bytearray()
    for chunk in response.iter_bytes(CHUNK_BYTES):
        body += chunk
        if len(body) > MOST_BYTES:
            raise ResponseTooLarge("The answer is larger than allowed.")
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(send.request, response.status_code, now, headers, bytes(body), _parsed(bytes(body)))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> NoReturn:
    """NaN and Infinity are no JSON, and PostgreSQL would not keep them."""
    raise ValueError(name)


def _explain(error: Exception, request: str) -> ConnectorError:
    """Turn the client's error into one of the contract's, without its words."""
    match error:
        case ForbiddenDestination():
            return ConfigurationError(
                "its address lies in a network that is not reached, or is not encrypted; see “Network” (network)."
            )
        case ResponseTooLarge():
            return ContractBroken(what=f"a larger answer than allowed to {request}")
        case httpx2.ConnectTimeout() | httpx2.ConnectError():
            return Unreachable()
        case httpx2.TimeoutException():
            return TimedOut(request)
        case httpx2.InvalidURL() | httpx2.UnsupportedProtocol():
            return ConfigurationError(
                "“Address” (base_url) must be an address such as https://crm.example.com."
            )
        case httpx2.DecodingError():
            return ContractBroken(what=f"an answer to {request} that cannot be decoded")
        case _:
            return Transient()
