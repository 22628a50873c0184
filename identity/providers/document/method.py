"""A picture of an identity document: the customer sends it, a person compares it with the record and decides.

Whoever holds a scan of somebody's passport can send it as well. So it is a person who judges how much it shows,
and the highest level takes something of another kind beside it, such as a code to an address that was on file.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    Need,
    Performer,
    Person,
    Result,
    Setup,
    State,
    Step,
    Waits,
    gettext_noop,
)

KINDS = ("passport", "identity_card", "driving_licence")
ACCEPTED, REFUSED, MORE = "accepted", "refused", "more"

_ASKS = (
    Ask("kind", AskKind.CHOICE, gettext_noop("Which document do you have?"), KINDS),
    Ask("pictures", AskKind.FILE, gettext_noop("A picture of it")),
)
_LEVELS: Mapping[JSON, Level] = {level.value: level for level in Level if level > Level.NONE}


class IdentityDocument:
    """Pictures are the caller's to keep and to destroy; the state counts them."""

    about: ClassVar[About] = About(
        code="identity_document",
        name=gettext_noop("Picture of an identity document"),
        asks=gettext_noop(
            "Send us a picture of your passport, identity card or driving licence. Cover what we do not need; "
            "the picture is deleted as soon as somebody has looked at it."
        ),
        performer=Performer.CUSTOMER,
        factor=Factor.DOCUMENT,
        intrusiveness=Intrusiveness.DOCUMENT,
        needs=frozenset({Need.CAMERA, Need.STAFF}),
        reaches=Level.HIGH,
        reaches_with=Level.HIGH,
    )

    @classmethod
    def create(cls, setup: Setup) -> Self:
        return cls()

    def begin(self, person: Person, context: Context) -> Step:
        return Step({}, Waits.CUSTOMER, _ASKS)

    def step(self, state: State, given: Mapping[str, JSON], person: Person, context: Context) -> Step:
        """Pictures lead to a person; a verdict leads to the result, or back to the customer."""
        if "verdict" in state:
            return Step(state, result=Result(Level.NONE, "decided_before"))
        if "pictures" in given:
            return self._sent(state, given)
        if "verdict" in given:
            return self._judged(state, given)
        return self._waiting(state)

    def _sent(self, state: State, given: Mapping[str, JSON]) -> Step:
        count, kind = given["pictures"], given.get("kind", state.get("kind"))
        if kind not in KINDS or not isinstance(count, int) or count < 1:
            return Step(state, Waits.CUSTOMER, _ASKS, problem="document_missing")
        return Step({"kind": kind, "pictures": count}, Waits.STAFF)

    def _judged(self, state: State, given: Mapping[str, JSON]) -> Step:
        verdict, reason = given["verdict"], str(given.get("reason", ""))
        if "pictures" not in state:
            return Step(state, Waits.CUSTOMER, _ASKS, problem="document_missing")
        if verdict == MORE:
            return Step({"kind": state["kind"]}, Waits.CUSTOMER, _ASKS, problem=reason)
        codes = {"kind": str(state["kind"])}
        if verdict == REFUSED:
            return Step({"verdict": REFUSED}, result=Result(Level.NONE, reason or "document_refused", codes))
        level = _LEVELS.get(given.get("level"))
        if verdict != ACCEPTED or level is None:
            return Step(state, Waits.STAFF, problem="level_missing")
        return Step({"verdict": ACCEPTED}, result=Result(level, "document_accepted", codes))

    def _waiting(self, state: State) -> Step:
        if "pictures" in state:
            return Step(state, Waits.STAFF)
        return Step(state, Waits.CUSTOMER, _ASKS)
