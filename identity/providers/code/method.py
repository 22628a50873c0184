"""A one-time code: whoever types it reads what is sent to the address.

It proves the person only where the address was on file before. A code sent to an address that was given just
now shows no more than that somebody reads there, and reaches no level.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Self

from identity.providers.base import (
    JSON,
    About,
    Ask,
    AskKind,
    Context,
    Factor,
    Intrusiveness,
    Level,
    Message,
    Need,
    NotPossible,
    Performer,
    Person,
    Result,
    Route,
    Setup,
    State,
    Step,
    Waits,
    gettext_noop,
)

DIGITS = 6
_CODE = Ask("code", AskKind.CODE, gettext_noop("The code that we sent you"))


class _Code:
    about: ClassVar[About]
    route: ClassVar[Route]

    @classmethod
    def create(cls, setup: Setup) -> Self:
        return cls()

    def begin(self, person: Person, context: Context) -> Step:
        """A new code; the state keeps its hash alone."""
        if not self._address(person):
            raise NotPossible(next(iter(self.about.needs)))
        code = f"{context.draw(10**DIGITS):0{DIGITS}}"
        expires_at = context.now + context.lifetime
        state: State = {"digest": digest(context.key, code), "expires_at": expires_at.isoformat()}
        return self._asked(state, expires_at, messages=(Message(self.route, {"code": code}),))

    def step(self, state: State, given: Mapping[str, JSON], person: Person, context: Context) -> Step:
        """Compare in constant time; a code is good once, and until it expires.

        Where nobody knows yet whether the address was on file, the right code waits for that.
        """
        stage = state.get("stage")
        if stage == "typed":
            return self._typed(state, person)
        if stage == "over":
            return Step(state, result=Result(Level.NONE, "code_spent"))
        expires_at = datetime.fromisoformat(str(state["expires_at"]))
        if context.now >= expires_at:
            return Step({**state, "stage": "over"}, result=Result(Level.NONE, "code_expired"))
        typed = "".join(str(given.get("code", "")).split())
        if not hmac.compare_digest(digest(context.key, typed), str(state["digest"])):
            return self._asked(state, expires_at, problem="code_wrong")
        return self._typed(state, person)

    def _typed(self, state: State, person: Person) -> Step:
        on_file = self._on_file(person)
        if on_file is None:
            return Step({**state, "stage": "typed"}, Waits.EXTERNAL)
        level, reason = (Level.LOW, "code_right") if on_file else (Level.NONE, "address_not_on_file")
        return Step({**state, "stage": "over"}, result=Result(level, reason))

    def _address(self, person: Person) -> str:
        raise NotImplementedError

    def _on_file(self, person: Person) -> bool | None:
        raise NotImplementedError

    @staticmethod
    def _asked(
        state: State, expires_at: datetime, *, messages: tuple[Message, ...] = (), problem: str = ""
    ) -> Step:
        return Step(state, Waits.CUSTOMER, (_CODE,), messages, expires_at=expires_at, problem=problem)


def digest(key: bytes, code: str) -> str:
    """The keyed hash under which a code is remembered, in hexadecimal."""
    return hmac.new(key, f"code|{code}".encode(), hashlib.sha256).hexdigest()


class EmailCode(_Code):
    """A code by e-mail."""

    about = About(
        code="email_code",
        name=gettext_noop("One-time code by e-mail"),
        asks=gettext_noop("We send a code to the e-mail address that we have on file. Type it here."),
        performer=Performer.CUSTOMER,
        factor=Factor.CHANNEL,
        intrusiveness=Intrusiveness.ADDRESS_HELD,
        needs=frozenset({Need.EMAIL}),
        reaches=Level.LOW,
        reaches_with=Level.SUBSTANTIAL,
    )
    route = Route.EMAIL

    def _address(self, person: Person) -> str:
        return person.email

    def _on_file(self, person: Person) -> bool | None:
        return person.email_on_file


class SmsCode(_Code):
    """A code by text message."""

    about = About(
        code="sms_code",
        name=gettext_noop("One-time code by text message"),
        asks=gettext_noop("We text a code to the telephone number that we have on file. Type it here."),
        performer=Performer.CUSTOMER,
        factor=Factor.CHANNEL,
        intrusiveness=Intrusiveness.ADDRESS_HELD,
        needs=frozenset({Need.PHONE}),
        reaches=Level.LOW,
        reaches_with=Level.SUBSTANTIAL,
    )
    route = Route.SMS

    def _address(self, person: Person) -> str:
        return person.phone

    def _on_file(self, person: Person) -> bool | None:
        return person.phone_on_file
