"""Evidence on paper or in person, recorded by staff; and what a drill records in its place.

Each kind of evidence has a level that it cannot exceed, whoever records it.
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

# What each kind of evidence can show at most. What is not named here shows no more than an account does.
CEILINGS: Mapping[str, Level] = {
    "document_seen": Level.HIGH,
    "in_person": Level.HIGH,
    "public_register": Level.HIGH,
    "call_back": Level.SUBSTANTIAL,
    "known_answers": Level.SUBSTANTIAL,
    "signed_in_account": Level.SUBSTANTIAL,
    "drill": Level.HIGH,
}


def ceiling(evidence: str) -> Level:
    """The level that this kind of evidence cannot exceed."""
    return CEILINGS.get(evidence, Level.SUBSTANTIAL)


class StaffRecorded:
    """A member of staff saw something and says what; no copy is kept."""

    about: ClassVar[About] = About(
        code="staff_recorded",
        name=gettext_noop("Evidence seen by staff"),
        asks=gettext_noop(
            "Show us a paper that says who you are, in person or by post. We note that we saw it."
        ),
        performer=Performer.STAFF,
        factor=Factor.DOCUMENT,
        intrusiveness=Intrusiveness.SEEN,
        needs=frozenset({Need.STAFF}),
        reaches=Level.HIGH,
        reaches_with=Level.HIGH,
        tries=1,
    )

    @classmethod
    def create(cls, setup: Setup) -> Self:
        return cls()

    def begin(self, person: Person, context: Context) -> Step:
        asks = (
            Ask("evidence", AskKind.TEXT, gettext_noop("What was seen")),
            Ask("level", AskKind.CHOICE, gettext_noop("Level of assurance that it reaches"), ("1", "2", "3")),
        )
        return Step({}, Waits.STAFF, asks)

    def step(self, state: State, given: Mapping[str, JSON], person: Person, context: Context) -> Step:
        """The level that staff judged, as far as this kind of evidence can reach it."""
        if "done" in state:
            return Step(state, result=Result(Level.NONE, "recorded_before"))
        evidence, level = str(given.get("evidence", "")), given.get("level")
        judged = next((one for one in Level if one == level), Level.NONE)
        if not evidence or judged == Level.NONE:
            return Step(state, Waits.STAFF, problem="evidence_incomplete")
        if judged > ceiling(evidence):
            return Step(state, Waits.STAFF, problem="evidence_too_weak")
        return Step({"done": True}, result=Result(judged, "seen", {"evidence": evidence}))


class Drill(StaffRecorded):
    """What a rehearsal takes as proof of a test person. Nobody else can use it."""

    about: ClassVar[About] = About(
        code="drill",
        name=gettext_noop("Recorded for a drill"),
        asks="",
        performer=Performer.STAFF,
        factor=Factor.DOCUMENT,
        intrusiveness=Intrusiveness.NOTHING_NEW,
        needs=frozenset({Need.DRILL}),
        reaches=Level.HIGH,
        reaches_with=Level.HIGH,
        tries=1,
    )
