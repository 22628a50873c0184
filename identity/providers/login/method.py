"""Sign-in with the controller's own customer account: whoever is let in there is the customer of that account.

It proves the person of a request only where the account is theirs: something that the provider vouches for (the
customer number, a verified address or number) must be what the request's person is known by, and nothing may
speak against it. A source is then asked whether it knows that; where none does, the account shows little.
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


class CustomerLogin:
    """The caller takes the customer to the provider and back, and says what of the person the account matches.

    Options: ``level`` is what a sign-in shows, ``acr`` what it shows where the provider says how it was done.
    """

    about: ClassVar[About] = About(
        code="customer_login",
        name=gettext_noop("Sign-in with the customer account"),
        asks=gettext_noop("Sign in with your customer account, as you do on our website or in our app."),
        performer=Performer.CUSTOMER,
        factor=Factor.LOGIN,
        intrusiveness=Intrusiveness.NOTHING_NEW,
        needs=frozenset({Need.LOGIN}),
        reaches=Level.SUBSTANTIAL,
        reaches_with=Level.HIGH,
        steps_per_hour=10,
    )

    def __init__(self, level: Level, by_acr: Mapping[str, Level]) -> None:
        self._level = level
        self._by_acr = by_acr

    @classmethod
    def create(cls, setup: Setup) -> Self:
        acr = setup.options.get("acr", {})
        if not isinstance(acr, dict):
            raise ValueError("“acr” must map what the provider says to levels.")  # noqa: TRY004
        return cls(
            _level(setup.options.get("level", int(Level.SUBSTANTIAL))),
            {name: _level(value) for name, value in acr.items()},
        )

    def begin(self, person: Person, context: Context) -> Step:
        return Step({}, Waits.EXTERNAL, expires_at=context.now + context.lifetime)

    def step(self, state: State, given: Mapping[str, JSON], person: Person, context: Context) -> Step:
        """First ``matches``, ``differs`` and ``acr`` of the account, then ``on_file`` from the sources."""
        if "verdict" in state:
            return Step(state, result=Result(Level.NONE, "decided_before"))
        if "matches" in given:
            return self._came_back(given)
        if "matches" in state and isinstance(given.get("on_file"), bool):
            return self._looked_up(state, bool(given["on_file"]))
        return Step(state, Waits.EXTERNAL)

    def _came_back(self, given: Mapping[str, JSON]) -> Step:
        matches, differs = _words(given.get("matches")), _words(given.get("differs"))
        if differs or not matches:
            return Step({"verdict": "other_person"}, result=Result(Level.NONE, "other_person"))
        return Step({"matches": list(matches), "acr": str(given.get("acr", ""))}, Waits.EXTERNAL)

    def _looked_up(self, state: State, on_file: bool) -> Step:
        level = self._by_acr.get(str(state.get("acr", "")), self._level)
        reached = level if on_file else min(level, Level.LOW)
        kept: State = {"verdict": "signed_in", "matches": state["matches"]}
        reason = "account_on_file" if on_file else "account_not_on_file"
        return Step(kept, result=Result(reached, reason))


def _level(value: JSON) -> Level:
    """Low or substantial: an account alone shows no more, however strong its sign-in."""
    found = next((one for one in Level if one == value), None)
    if found not in {Level.LOW, Level.SUBSTANTIAL}:
        raise ValueError("a level of a customer account is low (1) or substantial (2).")
    return found


def _words(value: JSON) -> list[JSON]:
    return [*sorted(str(one) for one in value)] if isinstance(value, list) else []
