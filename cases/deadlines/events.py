"""What happened in a case, as far as the clock is concerned.

These are facts only. What a fact does to the date is decided in engine.py from the regime's rules.
Every instant is aware; the day on which something happened is its local date at the controller (U1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class Right(StrEnum):
    """The right that one case is about. A complaint is a case of its own kind."""

    ACCESS = "access"
    ERASURE = "erasure"
    RECTIFICATION = "rectification"
    RESTRICTION = "restriction"
    PORTABILITY = "portability"
    OBJECTION = "objection"
    CONSENT = "consent"
    AUTOMATED = "automated"
    OPT_OUT = "opt_out"
    COMPLAINT = "complaint"
    APPEAL = "appeal"


class EventKind(StrEnum):
    """The closed list of facts that a clock knows."""

    RECEIVED = "received"
    IDENTITY_REQUESTED = "identity_requested"
    IDENTITY_RECEIVED = "identity_received"
    IDENTITY_CONFIRMED = "identity_confirmed"
    AUTHORITY_REQUESTED = "authority_requested"
    AUTHORITY_RECEIVED = "authority_received"
    CLARIFICATION_REQUESTED = "clarification_requested"
    CLARIFICATION_RECEIVED = "clarification_received"
    FEE_REQUESTED = "fee_requested"
    FEE_PAID = "fee_paid"
    EXTENSION_NOTIFIED = "extension_notified"
    COMPLAINT_RECEIVED = "complaint_received"
    COMPLAINT_ACKNOWLEDGED = "complaint_acknowledged"
    APPEAL_RECEIVED = "appeal_received"


class Subject(StrEnum):
    """What a question to the requester is about."""

    IDENTITY = "identity"
    AUTHORITY = "authority"
    CLARIFICATION = "clarification"
    FEE = "fee"


class ExtensionReason(StrEnum):
    """Why more time was taken. Only the first two are reasons in law (Art 12(3), Art 12A(3))."""

    COMPLEXITY = "complexity"
    NUMBER_OF_REQUESTS = "number_of_requests"
    OTHER = "other"


class FeeBasis(StrEnum):
    """On which ground a fee was asked. Only Art 12(5) fees can move a start (U2)."""

    UNFOUNDED = "unfounded"
    EXCESSIVE = "excessive"
    FURTHER_COPIES = "further_copies"
    OTHER = "other"


ASKED: dict[EventKind, Subject] = {
    EventKind.IDENTITY_REQUESTED: Subject.IDENTITY,
    EventKind.AUTHORITY_REQUESTED: Subject.AUTHORITY,
    EventKind.CLARIFICATION_REQUESTED: Subject.CLARIFICATION,
    EventKind.FEE_REQUESTED: Subject.FEE,
}

ANSWERED: dict[EventKind, Subject] = {
    EventKind.IDENTITY_RECEIVED: Subject.IDENTITY,
    EventKind.AUTHORITY_RECEIVED: Subject.AUTHORITY,
    EventKind.CLARIFICATION_RECEIVED: Subject.CLARIFICATION,
    EventKind.FEE_PAID: Subject.FEE,
}


class NaiveInstantError(ValueError):
    """An instant without a time zone says nothing about the day on which it fell."""


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """One fact.

    ``question`` ties an answer to its question; without it an answer goes to the oldest open
    question of its subject. ``reasonable`` says of a question whether there was ground to ask it.
    ``large_quantity`` says of a clarification whether Recital 63 GDPR applies. ``prompt`` records a
    decision that a question was, or was not, asked without undue delay; None leaves it to the
    regime's number of days. ``new_due_on`` is the date named in an extension notice, where the
    regime lets the controller name one. ``late_reported`` facts look like any other: only the
    instant counts, never the moment of recording.
    """

    kind: EventKind
    instant: datetime
    question: str | None = None
    reasonable: bool = True
    prompt: bool | None = None
    large_quantity: bool = True
    fee_basis: FeeBasis = FeeBasis.EXCESSIVE
    extension_reason: ExtensionReason = ExtensionReason.COMPLEXITY
    new_due_on: date | None = None

    def __post_init__(self) -> None:
        if self.instant.tzinfo is None:
            raise NaiveInstantError(f"{self.kind} has an instant without a time zone")


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """The right, the controller's time zone, and all events of one case in any order."""

    right: Right
    zone: ZoneInfo
    events: tuple[ClockEvent, ...] = field(default=())
