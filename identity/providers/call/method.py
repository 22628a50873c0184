"""The security check that an agent makes on the telephone: the controller's own questions, answered right or wrong.

What was answered is never noted, only whether it was right. All right answers reach the level that the policy
gives the check, one wrong answer a level less, more than one nothing: whoever guesses gets one of them right.
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

ANSWERS = "answers"


class AgentCheck:
    """Options: ``questions`` (texts) and ``max_level`` (1 or 2)."""

    about: ClassVar[About] = About(
        code="agent_check",
        name=gettext_noop("Security check by the agent"),
        asks=gettext_noop(
            "The agent asks you some questions about your account. We note only whether you knew."
        ),
        performer=Performer.STAFF_ON_CALL,
        factor=Factor.KNOWLEDGE,
        intrusiveness=Intrusiveness.FACTS_HELD,
        needs=frozenset({Need.CONTACT, Need.SCRIPT}),
        reaches=Level.SUBSTANTIAL,
        reaches_with=Level.SUBSTANTIAL,
        tries=1,
    )

    def __init__(self, questions: tuple[str, ...], max_level: Level) -> None:
        self._questions = questions
        self._max_level = max_level

    @classmethod
    def create(cls, setup: Setup) -> Self:
        questions, level = setup.options.get("questions", []), setup.options.get("max_level", int(Level.LOW))
        if not isinstance(questions, list) or level not in {Level.LOW, Level.SUBSTANTIAL}:
            raise ValueError("The check needs a list of questions, and a level of 1 or 2.")
        return cls(tuple(str(one) for one in questions), Level(int(str(level))))

    def begin(self, person: Person, context: Context) -> Step:
        if not self._questions:
            raise NotPossible(Need.SCRIPT)
        return self._asked({"asked": len(self._questions)})

    def step(self, state: State, given: Mapping[str, JSON], person: Person, context: Context) -> Step:
        """One tick for each question, in the order of the script."""
        if "done" in state:
            return Step(state, result=Result(Level.NONE, "checked_before"))
        answers = given.get(ANSWERS)
        if not isinstance(answers, list) or len(answers) != state["asked"]:
            return self._asked(state, problem="check_incomplete")
        if not all(isinstance(one, bool) for one in answers):
            return self._asked(state, problem="check_incomplete")
        right = answers.count(True)
        wrong = len(answers) - right
        level = Level(max(self._max_level - wrong, Level.NONE)) if wrong < 2 else Level.NONE
        reason = "answers_right" if level else "answers_wrong"
        return Step({"done": True}, result=Result(level, reason, {"right": right, "wrong": wrong}))

    def _asked(self, state: State, problem: str = "") -> Step:
        asks = tuple(Ask(f"q{number}", AskKind.TICK, text) for number, text in enumerate(self._questions))
        return Step(state, Waits.STAFF, asks, problem=problem)
