"""How a policy is written: in a configuration file, and as it is stored.

One form for both. Mistakes are told with their place by pydantic, in words for whoever writes the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from identity.policy.combine import best
from identity.policy.rules import NO_LONGER, CallCheck, Policy, RecordQuestions, Rule, When
from identity.policy.words import LEVEL_NAMES, RIGHTS, DataKind, Requester
from identity.providers import registry
from identity.providers.base import Level

HOUSE = Path(__file__).with_name("house.toml")


def _one_of(what: str, known: Callable[[], Iterable[str]]) -> AfterValidator:
    def check(word: str) -> str:
        words = sorted(known())
        if word not in words:
            raise ValueError(f"there is no {what} “{word}”. There are {', '.join(words)}.")
        return word

    return AfterValidator(check)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Right: TypeAlias = Annotated[str, _one_of("right", lambda: RIGHTS)]
Kind: TypeAlias = Annotated[str, _one_of("kind of data", lambda: list(DataKind))]
Asker: TypeAlias = Annotated[str, _one_of("kind of requester", lambda: list(Requester))]
LevelName: TypeAlias = Annotated[str, _one_of("level", lambda: LEVEL_NAMES)]
MethodCode: TypeAlias = Annotated[str, _one_of("method", registry.available)]
Days: TypeAlias = Annotated[int, Field(ge=0, le=NO_LONGER)]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
Sentence: TypeAlias = Annotated[str, Field(min_length=1, max_length=300)]


class Written(BaseModel):
    """Nothing is guessed: an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class WhenEntry(Written):
    right: Annotated[list[Right], BeforeValidator(_as_list), Field(min_length=1)] | None = None
    data: Annotated[list[Kind], BeforeValidator(_as_list), Field(min_length=1)] | None = None
    requester: Annotated[list[Asker], BeforeValidator(_as_list), Field(min_length=1)] | None = None
    new_address: bool | None = None


class RuleEntry(Written):
    name: Name
    when: WhenEntry = WhenEntry()
    level: LevelName
    why: Sentence | None = None
    methods: dict[LevelName, Annotated[list[MethodCode], BeforeValidator(_as_list)]] | None = None
    holds_days: Annotated[int, Field(ge=1, le=NO_LONGER)] | None = None
    reuse_days: Days | None = None

    @model_validator(mode="after")
    def _can_be_met(self) -> RuleEntry:
        """A rule that nobody could ever meet would refuse everybody."""
        known = registry.known()
        for name, codes in (self.methods or {}).items():
            about = [known[code] for code in codes if code in known]
            if best(about) < LEVEL_NAMES[name]:
                raise ValueError(
                    f"{' and '.join(codes) or 'no method'} cannot reach the level “{name}”, alone or together."
                )
        return self


class CallCheckEntry(Written):
    questions: Annotated[list[Sentence], Field(min_length=2, max_length=12)]
    max_level: Annotated[
        str, _one_of("level for a check on the telephone", lambda: ["low", "substantial"])
    ] = "low"
    minutes: Annotated[int, Field(ge=1, le=240)] = 30
    attempts: Annotated[int, Field(ge=1, le=10)] = 2


class RecordQuestionsEntry(Written):
    ask: Annotated[int, Field(ge=2, le=6)] = 3
    right: Annotated[int, Field(ge=2, le=6)] = 2
    max_level: Annotated[
        str, _one_of("level for questions from the record", lambda: ["low", "substantial"])
    ] = "low"
    minutes: Annotated[int, Field(ge=5, le=60)] = 15
    attempts: Annotated[int, Field(ge=1, le=5)] = 2
    not_again_days: Annotated[int, Field(ge=1, le=NO_LONGER)] = 180

    @model_validator(mode="after")
    def _can_be_met(self) -> RecordQuestionsEntry:
        if self.right > self.ask:
            raise ValueError("nobody can give more right answers than there are questions.")
        return self


class PolicyEntry(Written):
    """The whole policy of a controller."""

    holds_days: Annotated[int, Field(ge=1, le=NO_LONGER)] = 90
    reuse_days: Days = 0
    remind_after_days: Annotated[list[Annotated[int, Field(ge=1, le=NO_LONGER)]], Field(max_length=2)] = [
        7,
        14,
    ]
    give_up_after_days: Annotated[int, Field(ge=7, le=NO_LONGER)] = 28
    call_check: CallCheckEntry | None = None
    record_questions: RecordQuestionsEntry | None = None
    keep_pictures_days: Annotated[int, Field(ge=0, le=30)] = 0
    rules: Annotated[list[RuleEntry], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_once(self) -> PolicyEntry:
        names = [rule.name for rule in self.rules]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"a rule's name is used twice: {', '.join(sorted(twice))}.")
        if sorted(set(self.remind_after_days)) != self.remind_after_days:
            raise ValueError("the days of reminders stand in rising order.")
        return self

    def stored(self) -> dict[str, Any]:
        """Plain JSON, the same for the same policy however it was written."""
        return self.model_dump(mode="json", exclude_none=True)


def policy_of(written: Mapping[str, Any], version: int) -> Policy:
    """The policy that is stored or written so. Raises pydantic's ValidationError."""
    return as_policy(PolicyEntry.model_validate(dict(written)), version, house())


def as_policy(entry: PolicyEntry, version: int, fall_back: Policy | None = None) -> Policy:
    """The policy of a checked form."""
    return Policy(
        rules=tuple(_rule(one) for one in entry.rules),
        version=version,
        holds_days=entry.holds_days,
        reuse_days=entry.reuse_days,
        remind_after_days=tuple(entry.remind_after_days),
        give_up_after_days=entry.give_up_after_days,
        call_check=_call_check(entry.call_check),
        record_questions=_record_questions(entry.record_questions),
        keep_pictures_days=entry.keep_pictures_days,
        fall_back=fall_back,
    )


@cache
def house() -> Policy:
    """The house's own policy: what holds where a controller has said nothing."""
    with HOUSE.open("rb") as file:
        return as_policy(PolicyEntry.model_validate(tomllib.load(file)), version=0)


def _rule(entry: RuleEntry) -> Rule:
    methods = {LEVEL_NAMES[name]: frozenset(codes) for name, codes in (entry.methods or {}).items()}
    return Rule(
        name=entry.name,
        level=LEVEL_NAMES[entry.level],
        when=When(
            rights=frozenset(entry.when.right or ()),
            data=frozenset(DataKind(one) for one in entry.when.data or ()),
            requesters=frozenset(Requester(one) for one in entry.when.requester or ()),
            new_address=entry.when.new_address,
        ),
        why=entry.why or "",
        methods=methods,
        holds_days=entry.holds_days,
        reuse_days=entry.reuse_days,
    )


def _record_questions(entry: RecordQuestionsEntry | None) -> RecordQuestions:
    if entry is None:
        return RecordQuestions()
    level = Level(LEVEL_NAMES[entry.max_level])
    return RecordQuestions(entry.ask, entry.right, level, entry.minutes, entry.attempts, entry.not_again_days)


def _call_check(entry: CallCheckEntry | None) -> CallCheck:
    if entry is None:
        return CallCheck()
    return CallCheck(
        tuple(entry.questions), Level(LEVEL_NAMES[entry.max_level]), entry.minutes, entry.attempts
    )
