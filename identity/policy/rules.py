"""A policy: rules that say how sure one has to be, and what follows from them for one request.

Law: Art 12(6) GDPR asks for more only on reasonable doubt; Art 12(2), 11(2); guidance asks for the least that
suffices. The most demanding rule that matches holds, so that adding a rule never makes anything laxer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from identity.policy.words import DataKind, Requester
from identity.providers.base import Level

HOUSE_VERSION = 0
HOLDS_DAYS = 90
# Where the law sets the last day, a second person has to have decided by then, and the letter to be out.
DAYS_TO_DECIDE = timedelta(days=3)
NO_LONGER = 366


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, about what, by whom, and whether the answer goes to an address not on file.

    Without any kind of data named the data counts as ordinary: what nobody has declared is not harmless.
    """

    right: str
    data: frozenset[DataKind] = frozenset()
    requester: Requester = Requester.SELF
    new_address: bool = False

    @property
    def kinds(self) -> frozenset[DataKind]:
        return self.data or frozenset({DataKind.ORDINARY})


@dataclass(frozen=True, slots=True)
class When:
    """What a rule speaks of; what it does not name, it takes for any."""

    rights: frozenset[str] = frozenset()
    data: frozenset[DataKind] = frozenset()
    requesters: frozenset[Requester] = frozenset()
    new_address: bool | None = None

    def matches(self, asked: Asked) -> bool:
        """One kind of data is enough: a file with a bill in it is a file with financial data."""
        return (
            (not self.rights or asked.right in self.rights)
            and (not self.data or bool(self.data & asked.kinds))
            and (not self.requesters or asked.requester in self.requesters)
            and (self.new_address is None or self.new_address == asked.new_address)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a policy.

    ``methods`` limits by which methods a level may be reached. What it names for a level holds for those above as
    well, unless it names others for them; where it names nothing, any method may be used. ``holds_days`` is how
    long a result counts, ``reuse_days`` how long it serves later requests of the same person (0: not at all);
    None: as the policy says for all.
    """

    name: str
    level: Level
    when: When = When()
    why: str = ""
    methods: Mapping[Level, frozenset[str]] = field(default_factory=dict)
    holds_days: int | None = None
    reuse_days: int | None = None


@dataclass(frozen=True, slots=True)
class CallCheck:
    """The security check on the telephone: the script, and what it is worth.

    ``max_level`` is what all right answers reach; one wrong answer reaches a level less, more reach nothing.
    ``minutes`` is how long after its last answer the check serves a request of the same contact; ``attempts``
    how often it may be tried for one person within a day.
    """

    questions: tuple[str, ...] = ()
    max_level: Level = Level.LOW
    minutes: int = 30
    attempts: int = 2


@dataclass(frozen=True, slots=True)
class RecordQuestions:
    """Questions from the record: ``ask`` so many, of which so many ``right`` reach ``max_level``.

    ``minutes`` is how long they stay open, ``attempts`` how often a person may be asked within a day; what was
    asked is asked of them ``not_again_days`` no more.
    """

    ask: int = 3
    right: int = 2
    max_level: Level = Level.LOW
    minutes: int = 15
    attempts: int = 2
    not_again_days: int = 180


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a controller's policy. Version 0 is the house's own, for who has not written one."""

    rules: tuple[Rule, ...]
    version: int = HOUSE_VERSION
    holds_days: int = HOLDS_DAYS
    reuse_days: int = 0
    remind_after_days: tuple[int, ...] = (7, 14)
    give_up_after_days: int = 28
    call_check: CallCheck = CallCheck()
    record_questions: RecordQuestions = RecordQuestions()
    keep_pictures_days: int = 0
    fall_back: Policy | None = field(default=None, repr=False)

    def require(self, asked: Asked) -> Requirement:
        """The level that is needed, with the rule and the reason. Where no rule matches, the house's holds."""
        matching = [rule for rule in self.rules if rule.when.matches(asked)]
        if not matching:
            return self.fall_back.require(asked) if self.fall_back else _NOTHING_MATCHED
        strictest = max(matching, key=self._strictness)
        return Requirement(
            level=strictest.level,
            rule=strictest.name,
            why=strictest.why,
            also=tuple(rule.name for rule in matching if rule is not strictest),
            version=self.version,
            methods=strictest.methods,
            holds_days=self._holds(strictest),
            reuse_days=self.reuse_days if strictest.reuse_days is None else strictest.reuse_days,
        )

    def _strictness(self, rule: Rule) -> tuple[int, int, int, int]:
        """By level; among equals who limits the methods, then who lets a result hold shortest, then the first."""
        return (rule.level, len(rule.methods), -self._holds(rule), -self.rules.index(rule))

    def _holds(self, rule: Rule) -> int:
        return self.holds_days if rule.holds_days is None else rule.holds_days

    def patience(self, asked_on: date, reasons_by: date | None) -> Patience:
        """When to remind and when to give up, counted from the day on which identity was asked for.

        ``reasons_by`` is the day by which the law wants a letter with reasons (Art 12(4): before the first month
        is over); a policy may be shorter and is never longer.
        """
        wished = asked_on + timedelta(days=self.give_up_after_days)
        give_up_on = min(wished, reasons_by) if reasons_by else wished
        propose_on = min(wished, reasons_by - DAYS_TO_DECIDE) if reasons_by else wished
        reminders = (asked_on + timedelta(days=days) for days in self.remind_after_days)
        return Patience(
            tuple(day for day in reminders if day < give_up_on),
            give_up_on,
            wished > give_up_on,
            max(propose_on, min(give_up_on, asked_on + timedelta(days=1))),
            reasons_by,
        )


@dataclass(frozen=True, slots=True)
class Patience:
    """When an unanswered question for identity is asked again, and when it is given up.

    ``propose_on`` is when its end is proposed: early enough for a second person to decide before the law's own
    day, ``reasons_by``, where there is one.
    """

    remind_on: tuple[date, ...]
    give_up_on: date
    is_cut_by_law: bool
    propose_on: date
    reasons_by: date | None


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a policy asks for one request: ``rule`` decided, the rules in ``also`` matched and asked for no more."""

    level: Level
    rule: str
    why: str = ""
    also: tuple[str, ...] = ()
    version: int = HOUSE_VERSION
    methods: Mapping[Level, frozenset[str]] = field(default_factory=dict)
    holds_days: int = HOLDS_DAYS
    reuse_days: int = 0

    def allows(self, method: str, level: Level) -> bool:
        """Whether a method's result may count towards this level."""
        named = max((one for one in self.methods if one <= level), default=None)
        return named is None or method in self.methods[named]


# A right that no rule of the house knows: as sure as one can be.
_NOTHING_MATCHED = Requirement(Level.HIGH, "nothing-matched")
