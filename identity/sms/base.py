"""The port by which text messages leave. A back end knows nothing of the desk: a number, a text, a key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Text:
    """One message. ``number`` is in E.164; the same ``key`` is the same message, however often it is sent."""

    number: str = field(repr=False)
    text: str = field(repr=False)
    key: str


class Trouble(Exception):
    """The message was not taken. ``code`` is free of personal data; ``may_heal`` says whether to try again."""

    def __init__(self, code: str, *, may_heal: bool) -> None:
        super().__init__(code)
        self.code = code
        self.may_heal = may_heal


class Backend(Protocol):
    """What takes a message and sends it on."""

    def send(self, text: Text) -> None:
        """Hand it over; what a gateway has taken counts as sent. Raises Trouble."""
