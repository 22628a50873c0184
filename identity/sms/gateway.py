"""Sends text messages through a gateway that speaks HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx2

from dsar.lib import http
from identity.sms.base import Text, Trouble
from identity.sms.description import Gateway

# What a gateway answers is a few words.
MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class HttpGateway:
    """A back end that hands messages to the gateway that is described."""

    about: Gateway
    token: str = field(repr=False)

    def send(self, text: Text) -> None:
        """Hand one message over. Raises Trouble, whose code says nothing of number or text."""
        response = self._response(text)
        self.about.judge(response.status_code, _content(response) if self.about.said else None)

    def _response(self, text: Text) -> httpx2.Response:
        about, body = self.about, self.about.body_of(text)
        sent: dict[str, Any] = {"json": body} if about.form == "json" else {"data": body}
        headers = about.headers_of(text, self.token)
        try:
            with http.client(
                about.timeout_seconds, allow_private=about.allow_private, max_bytes=MOST_BYTES
            ) as client:
                return client.request(about.method, about.url, headers=headers, **sent)
        except httpx2.TimeoutException:
            raise Trouble("timeout", may_heal=True) from None
        except http.ForbiddenDestination:
            raise Trouble("forbidden_destination", may_heal=False) from None
        except http.ResponseTooLarge:
            raise Trouble("answer_too_large", may_heal=False) from None
        except (httpx2.HTTPError, httpx2.InvalidURL):
            raise Trouble("no_connection", may_heal=True) from None


def _content(response: httpx2.Response) -> object:
    try:
        return response.json()
    except ValueError:
        raise Trouble("not_json", may_heal=False) from None
