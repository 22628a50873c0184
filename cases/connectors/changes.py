"""The part of the contract that changes a source: plan, apply, poll, verify.

A connector that can only read leaves it out. Everything here is plain data: whoever decides gives wishes, the
connector says without writing what it would do for them and what stands in the way, a human approves that plan by
its digest, and each of its actions is applied once, with a receipt that says what was seen afterwards and holds no
personal data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from cases.connectors.base import JSON, Effect, Identifier, Match


class Verb(StrEnum):
    """What is to be done to one record."""

    DELETE = "delete"
    ANONYMISE = "anonymise"
    SET = "set"
    RESTRICT = "restrict"
    LIFT_RESTRICTION = "lift_restriction"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was decided for one record that was collected.

    ``key`` tells this wish from every other, for ever; ``handle`` is the record's. ``values`` are what fields are to
    hold afterwards; where a record is made anonymous, fields that they do not name are made so as the connector knows.
    ``expected`` is what they held when it was decided: where the source holds something else, somebody changed it
    meanwhile, and nothing is written.
    """

    key: str
    verb: Verb
    ref: str
    type: str
    handle: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    values: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    expected: Mapping[str, JSON] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Action:
    """One call, or a few that belong together, that changes one record. ``after`` names actions that come first.

    An action that a wish brings with it, such as the removal of old values from a history, has a key of its own.
    ``payload`` belongs to the connector; ``predicted`` is what is expected of the source.
    """

    key: str
    verb: Verb
    ref: str
    type: str
    predicted: Effect = Effect.UNKNOWN
    after: tuple[str, ...] = ()
    handle: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    payload: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    expected: Mapping[str, JSON] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        wish: Wish,
        predicted: Effect,
        after: Iterable[str] = (),
        payload: Mapping[str, JSON] | None = None,
    ) -> Action:
        """The action that carries a wish out, under the wish's own key."""
        return cls(
            key=wish.key,
            verb=wish.verb,
            ref=wish.ref,
            type=wish.type,
            predicted=predicted,
            after=tuple(after),
            handle=wish.handle,
            payload=payload or {},
            expected=wish.expected,
        )


def derived_key(key: str, step: str) -> str:
    """Return the key of an action that the wish with this key brings with it; the same each time."""
    return hashlib.sha256(f"{key}|{step}".encode()).hexdigest()


class Obstacle(StrEnum):
    """Why the source will not do it."""

    LEGAL_RETENTION = "legal_retention"
    STATE = "state"
    REFERENCED = "referenced"
    PERMISSION = "permission"
    NO_API = "no_api"
    SHARED_RECORD = "shared_record"
    CHANGED = "changed"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Blocker:
    """A wish that cannot be carried out as things are. ``words`` are the source's own and may name people."""

    key: str
    ref: str
    type: str
    obstacle: Obstacle
    remedy: str
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, in order, and what stands in the way; made by reading only.

    ``tasks`` are sentences for a human to carry out in the source itself.
    """

    actions: tuple[Action, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    tasks: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """What an approval is given for: another plan has another digest."""
        plain = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(plain.encode()).hexdigest()


class Outcome(StrEnum):
    """How an action ended. ``already`` is success: the record was as wished before we wrote."""

    DONE = "done"
    ALREADY = "already"
    PENDING = "pending"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done and what was seen afterwards; free of personal data.

    ``request`` is the shape of the call (a method and a route with placeholders, a statement without values);
    ``effect`` what reading the record again showed; ``ticket`` what a vendor's job is asked after by.
    """

    key: str
    outcome: Outcome
    effect: Effect
    request: str
    started_at: datetime
    ended_at: datetime
    status: int | None = None
    vendor_request: str = ""
    answer_hash: str = ""
    ticket: str = ""
    obstacle: Obstacle | None = None


class Remains(StrEnum):
    """What a search afterwards shows. What cannot be checked never counts as done."""

    RESIDUAL = "residual"
    EXPECTED = "expected"
    CANNOT_CHECK = "cannot_check"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something of the person that is still there, or that could not be looked for. ``where`` names places only."""

    ref: str
    type: str
    where: str
    remains: Remains


@runtime_checkable
class ChangesRecords(Protocol):
    """A connector that can change its source. Each method raises ConnectorError and nothing else."""

    def plan(self, wishes: Sequence[Wish]) -> Plan:
        """Say what would be done for these wishes, and what stands in the way. Reads only."""

    def apply(self, action: Action) -> Receipt:
        """Carry out one action of a plan: read the record, write unless it is as wished, and read it back.

        Called again, after whatever death or time-out, it does nothing a second time and answers ``already``. Raises
        Conflict when the record is no longer as expected, and Transient when it is not known whether it was written.
        """

    def poll(self, receipt: Receipt) -> Receipt:
        """Ask after an action that was pending."""

    def verify(
        self, identifiers: Sequence[Identifier], matches: Sequence[Match], actions: Sequence[Action]
    ) -> Sequence[Finding]:
        """Look for what is left, by another way than that of ``apply``: by id, identifier, relation and history."""


@runtime_checkable
class PlansInParts(Protocol):
    """A connector that plans many wishes in parts, so that no more of them than one part is held in memory."""

    def plan_part(self, wishes: Sequence[Wish], going: Mapping[tuple[str, str], str]) -> Plan:
        """Like ``plan``, for some of many wishes; what refers to others comes in an earlier part than these.

        ``going`` gives, by type and reference, the key of every deletion that is wished for in another part and has
        not met an obstacle: what it names is taken care of, and the key stands in ``after`` where it has to come first.
        """


@runtime_checkable
class ReadsAgain(Protocol):
    """A connector that can read one record again, when it was changed after it had been collected."""

    def read_again(self, wish: Wish) -> Mapping[str, JSON] | None:
        """Return the fields of the wish's record as they are now; None where it is gone. Raises ConnectorError."""
