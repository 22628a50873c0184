"""An external provider of identity checks: the customer is sent there, and it says what it found.

The method takes the provider's word in our own vocabulary; how a provider's words are read is in ``wire``, and
whose word it is was established before the method sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from identity.providers.base import (
    JSON,
    About,
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
from identity.providers.external.wire import LEVELS, Outcome

_REASONS: Mapping[str, str] = {
    Outcome.REFUSED: "provider_refused",
    Outcome.EXPIRED: "provider_expired",
    Outcome.CANCELLED: "provider_cancelled",
}


class ExternalProvider:
    """The state holds that it is over, and nothing else: the session is the caller's to keep."""

    about: ClassVar[About] = About(
        code="external_provider",
        name=gettext_noop("Check by an external provider"),
        asks=gettext_noop(
            "Show your identity document, and your face, to a service that checks such things for us. "
            "It tells us the outcome, and no pictures."
        ),
        performer=Performer.EXTERNAL,
        factor=Factor.DOCUMENT,
        intrusiveness=Intrusiveness.BIOMETRIC,
        needs=frozenset({Need.PROVIDER}),
        reaches=Level.HIGH,
        reaches_with=Level.HIGH,
        tries=1,
        steps_per_hour=3,
    )

    @classmethod
    def create(cls, setup: Setup) -> Self:
        return cls()

    def begin(self, person: Person, context: Context) -> Step:
        return Step({}, Waits.EXTERNAL)

    def step(self, state: State, given: Mapping[str, JSON], person: Person, context: Context) -> Step:
        """``outcome`` is one of our own words; ``holder`` may say that the document was another person's."""
        if "outcome" in state:
            return Step(state, result=Result(Level.NONE, "decided_before"))
        outcome, holder = given.get("outcome"), given.get("holder")
        if not isinstance(outcome, str) or outcome == Outcome.OPEN:
            return Step(state, Waits.EXTERNAL)
        if outcome in LEVELS and isinstance(holder, str) and holder:
            return Step({"outcome": outcome}, result=Result(Level.NONE, holder))
        if outcome in LEVELS:
            return Step({"outcome": outcome}, result=Result(LEVELS[outcome], "provider_verified"))
        reason = _REASONS.get(outcome)
        if reason is None:
            return Step(state, Waits.EXTERNAL, problem="outcome_unknown")
        return Step({"outcome": outcome}, result=Result(Level.NONE, reason))
