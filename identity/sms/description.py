"""How an SMS gateway is spoken with, as an operator describes it. Nothing is guessed: an unknown key is a mistake."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, model_validator

from identity.providers.external.wire import Authorization, Header, Path, Written, dig, filled, places
from identity.sms.base import Text, Trouble

PLACES = frozenset({"number", "text", "key"})
# Answers that say "later" rather than "no"; whatever the gateway itself broke on is one of them as well.
BUSY = frozenset({408, 425, 429})

Status = Annotated[int, Field(ge=100, le=599)]


class Said(Written):
    """Where the answer's body tells whether the message was taken, for gateways that answer 200 to everything."""

    at: Path
    taken: Annotated[list[str], Field(min_length=1)]


class Gateway(Written):
    """One gateway.

    ``number`` is how it wants numbers: ``e164`` (+447700900123), ``digits`` (447700900123) or ``zeros``
    (00447700900123). ``taken`` are the answers by which it takes a message; of the others it is asked again for
    those in ``busy``, for 408, 425, 429 and for its own errors (500 and above), and not for the rest.
    """

    url: Annotated[str, Field(pattern=r"^https?://[^\s#]+$", max_length=300)]
    method: Literal["POST", "PUT"] = "POST"
    headers: dict[Header, Annotated[str, Field(max_length=300, pattern=r"^[^\r\n]*$")]] = {}
    authorization: Authorization = Authorization()
    form: Literal["json", "form"] = "json"
    body: dict[str, JsonValue]
    number: Literal["e164", "digits", "zeros"] = "e164"
    idempotency_header: Header = "Idempotency-Key"
    taken: Annotated[list[Status], Field(min_length=1)] = [200, 201, 202]
    busy: list[Status] = []
    said: Said | None = None
    most_per_hour: Annotated[int, Field(ge=1, le=100_000)] = 300
    timeout_seconds: Annotated[int, Field(ge=1, le=30)] = 10
    allow_private: bool = False

    @model_validator(mode="after")
    def _holds_together(self) -> Gateway:
        if not self.url.startswith("https://") and not self.allow_private:
            raise ValueError("“url” must be https, but for a private network (allow_private).")
        named = places(self.body)
        if unknown := sorted(named - PLACES):
            raise ValueError(f"there is nothing to fill in for {{{unknown[0]}}}; there are {_listed()}.")
        if missing := sorted({"number", "text"} - named):
            raise ValueError(f"“body” must say where {{{missing[0]}}} goes.")
        if self.form == "form" and not all(isinstance(value, str) for value in self.body.values()):
            raise ValueError("a form has texts only, nothing nested.")
        return self

    def body_of(self, text: Text) -> dict[str, JsonValue]:
        """The body for one message."""
        return filled(self.body, {"number": self._written(text.number), "text": text.text, "key": text.key})

    def headers_of(self, text: Text, token: str) -> dict[str, str]:
        """The headers for one message, credentials among them."""
        said = self.authorization
        shown = {said.header: said.value.replace("{token}", token)} if token else {}
        return {**self.headers, **shown, self.idempotency_header: text.key}

    def judge(self, status: int, content: object) -> None:
        """Take an answer for what it means. Raises Trouble; its code holds the status and nothing of the answer."""
        if status in BUSY or status >= 500 or status in self.busy:
            raise Trouble(f"http_{status}", may_heal=True)
        if status not in self.taken:
            raise Trouble(f"http_{status}", may_heal=False)
        if self.said is not None and str(dig(content, self.said.at)) not in self.said.taken:
            raise Trouble("not_taken", may_heal=False)

    def _written(self, number: str) -> str:
        plain = number.removeprefix("+")
        return {"e164": f"+{plain}", "digits": plain, "zeros": f"00{plain}"}[self.number]


def _listed() -> str:
    return ", ".join(f"{{{word}}}" for word in sorted(PLACES))


def parsed(options: Mapping[str, Any]) -> Gateway:
    """The description as it is stored. Raises pydantic's ValidationError."""
    return Gateway.model_validate_json(json.dumps(dict(options)))
