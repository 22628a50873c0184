"""A customer's browser, reduced to what costs the server: one connection, cookies, and a form that is read first."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 30.0
STALE = (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected)


@dataclass
class _Form(HTMLParser):
    """Collects what a form of a page would send if nobody touched it."""

    marker: str
    values: dict[str, str] = field(default_factory=dict)
    found: dict[str, str] | None = None
    select: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.values = {}
        elif tag == "select":
            self.select = given.get("name", "")
        elif tag == "option" and self.select:
            self._option(given)
        elif tag == "textarea" and "name" in given:
            self.values[given["name"]] = ""
        elif tag == "input" and "name" in given:
            self._input(given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        elif tag == "form" and self.marker in self.values:
            self.found = self.values

    def _option(self, given: Mapping[str, str]) -> None:
        if "selected" in given or self.select not in self.values:
            self.values[self.select] = given.get("value", "")

    def _input(self, given: Mapping[str, str]) -> None:
        kind = given.get("type", "text")
        if kind in {"submit", "button", "file", "reset"} or (
            kind in {"radio", "checkbox"} and "checked" not in given
        ):
            return
        self.values[given["name"]] = given.get("value", "on" if kind == "checkbox" else "")


def untouched(page: str, marker: str) -> dict[str, str]:
    """What the form with a field named ``marker`` would send as it is. Raises LookupError where there is none."""
    form = _Form(marker)
    form.feed(page)
    if form.found is None:
        raise LookupError(f"the page has no form with a field {marker!r}")
    return form.found


@dataclass
class Answer:
    """Status, headers and text of an answer."""

    status: int
    location: str
    text: str


class Browser:
    """One visitor, who keeps the connection and the cookies."""

    def __init__(self, port: int, cookies: Mapping[str, str] | None = None) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_SECONDS)
        self.cookies = dict(cookies or {})

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None, {})

    def post(self, path: str, values: Mapping[str, Any], **headers: str) -> Answer:
        """Send a form; ``headers`` with underscores for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._ask(
            "POST", path, urlencode(values), {"Content-Type": "application/x-www-form-urlencoded", **named}
        )

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = headers | ({"Cookie": cookies} if cookies else {})
        try:
            response = self._exchange(method, path, body, sent)
        except STALE:
            # The server closes a connection that rested for some seconds; a browser opens another.
            self._connection.close()
            response = self._exchange(method, path, body, sent)
        text = response.read().decode()
        for header in response.headers.get_all("Set-Cookie") or []:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
        return Answer(response.status, response.headers.get("Location") or "", text)

    def _exchange(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        self._connection.request(method, path, body, headers)
        return self._connection.getresponse()
