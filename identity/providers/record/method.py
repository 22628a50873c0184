"""Questions from the record: who knows what only the controller and the person know.

Which questions are asked depends on what may be asked at all and on what was asked before, never on what is held:
somebody whom no source knows is asked the same, and fails. A fact that is missing counts as a wrong answer.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    Need,
    NotPossible,
    Performer,
    Person,
    Result,
    Setup,
    State,
    Step,
    Waits,
    gettext_noop,
)
from identity.providers.record import answers


@dataclass(frozen=True, slots=True)
class Askable:
    """A question as the caller offers it; ``text`` is in the reader's language already."""

    name: str
    kind: str
    text: str
    choices: tuple[str, ...] = ()

    @property
    def is_weak(self) -> bool:
        return self.kind in answers.WEAK


class RecordQuestions:
    """Options: ``questions`` (name, kind, text, choices), ``not_again`` (names), ``ask``, ``right``, ``max_level``.

    An answer comes by the question's name. It waits, hashed, until the caller hands in ``looked_up`` with the facts
    of the person, and is forgotten with that.
    """

    about: ClassVar[About] = About(
        code="record_questions",
        name=gettext_noop("Questions from your records"),
        asks=gettext_noop(
            "We ask you a few things that only you and we know, such as the month in which you joined."
        ),
        performer=Performer.CUSTOMER,
        factor=Factor.KNOWLEDGE,
        intrusiveness=Intrusiveness.FACTS_HELD,
        needs=frozenset({Need.FACTS}),
        reaches=Level.LOW,
        reaches_with=Level.SUBSTANTIAL,
        tries=1,
        steps_per_hour=2,
    )

    def __init__(
        self, offered: tuple[Askable, ...], not_again: frozenset[str], ask: int, right: int, level: Level
    ) -> None:
        self._offered = offered
        self._not_again = not_again
        self._ask = ask
        self._right = right
        self._level = level

    @classmethod
    def create(cls, setup: Setup) -> Self:
        options = setup.options
        ask, right = int(str(options.get("ask", 3))), int(str(options.get("right", 2)))
        level = options.get("max_level", int(Level.LOW))
        if not 1 <= right <= ask or level not in {Level.LOW, Level.SUBSTANTIAL}:
            raise ValueError("No more right answers than questions, and a level of 1 or 2.")
        offered = tuple(map(_askable, _listed(options.get("questions"))))
        not_again = frozenset(str(one) for one in _listed(options.get("not_again")))
        return cls(offered, not_again, ask, right, Level(int(str(level))))

    def begin(self, person: Person, context: Context) -> Step:
        drawn = self._drawn(context)
        if len(drawn) < self._ask:
            raise NotPossible(Need.FACTS)
        expires_at = context.now + context.lifetime
        return self._asked({"asked": [one.name for one in drawn], "expires_at": expires_at.isoformat()})

    def _drawn(self, context: Context) -> list[Askable]:
        """Some at random, none that was asked before, and at most one of those that others may know."""
        left = [one for one in self._offered if one.name not in self._not_again]
        drawn: list[Askable] = []
        while left and len(drawn) < self._ask:
            one = left.pop(context.draw(len(left)))
            if not (one.is_weak and any(other.is_weak for other in drawn)):
                drawn.append(one)
        return drawn

    def step(self, state: State, given: Mapping[str, JSON], person: Person, context: Context) -> Step:
        """First the answers, then ``looked_up`` with the facts; ``matches`` says by what the person was found."""
        if "over" in state:
            return Step(state, result=Result(Level.NONE, "answered_before"))
        if "answers" in state:
            return (
                self._compared(state, given, person, context)
                if given.get("looked_up") is True
                else _waiting(state)
            )
        if context.now >= datetime.fromisoformat(str(state["expires_at"])):
            return Step({"over": True}, result=Result(Level.NONE, "questions_expired"))
        return self._answered(state, given, context)

    def _answered(self, state: State, given: Mapping[str, JSON], context: Context) -> Step:
        kinds = {one.name: one.kind for one in self._offered}
        names = [str(name) for name in _listed(state["asked"])]
        read = {
            name: answers.read(kinds[name], str(given[name]))
            for name in names
            if given.get(name) and name in kinds
        }
        if not any(read.values()):
            return self._asked(state, problem="answers_incomplete")
        kept: State = {name: _digest(context.key, name, read.get(name, "")) for name in names}
        return _waiting({"asked": state["asked"], "answers": kept})

    def _compared(self, state: State, given: Mapping[str, JSON], person: Person, context: Context) -> Step:
        """Every answer with every form of its fact, whatever the one before was."""
        kinds = {one.name: one.kind for one in self._offered}
        held = {fact.name: fact.answer for fact in person.facts if fact.name in kinds}
        kept = state["answers"]
        assert isinstance(kept, dict)
        right = sum(
            _fits(
                context.key,
                name,
                str(digest),
                answers.accepted(kinds.get(name, answers.CHOICE), held.get(name, "")),
            )
            for name, digest in kept.items()
        )
        is_enough = right >= self._right
        over: State = {"over": True}
        if is_enough:
            over["matches"] = given.get("matches", [])
        result = Result(
            self._level if is_enough else Level.NONE,
            "facts_right" if is_enough else "facts_wrong",
            {"asked": len(kept), "right": right},
        )
        return Step(over, result=result)

    def _asked(self, state: State, problem: str = "") -> Step:
        offered = {one.name: one for one in self._offered}
        names = [str(name) for name in _listed(state["asked"])]
        asks = tuple(_ask(offered[name]) for name in names if name in offered)
        return Step(
            state,
            Waits.CUSTOMER,
            asks,
            expires_at=datetime.fromisoformat(str(state["expires_at"])),
            problem=problem,
        )


def _ask(one: Askable) -> Ask:
    kind = AskKind.CHOICE if one.choices else AskKind.TEXT
    return Ask(one.name, kind, one.text, one.choices)


def _waiting(state: State) -> Step:
    return Step(state, Waits.EXTERNAL)


def _digest(key: bytes, name: str, answer: str) -> str:
    return hmac.new(key, f"{name}|{answer}".encode(), hashlib.sha256).hexdigest()


def _fits(key: bytes, name: str, digest: str, forms: tuple[str, str]) -> bool:
    """In constant time; nothing is never right, be it what was answered or what is held."""
    compared = [hmac.compare_digest(digest, _digest(key, name, form)) for form in forms]
    is_held = [bool(form) for form in forms]
    return sum(one and held for one, held in zip(compared, is_held, strict=True)) > 0


def _listed(value: JSON) -> Sequence[JSON]:
    return value if isinstance(value, list) else []


def _askable(written: JSON) -> Askable:
    if not isinstance(written, dict) or written.get("kind") not in answers.KINDS:
        raise ValueError("A question has a name, a known kind, a text, and choices where it is a choice.")
    choices = tuple(str(one) for one in _listed(written.get("choices")))
    return Askable(str(written["name"]), str(written["kind"]), str(written["text"]), choices)
