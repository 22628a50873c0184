"""The one question that intake asks: by when must this be answered?"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from cases.deadlines.calendars import Override
from cases.deadlines.engine import DEFAULT_POLICY, Deadline, Policy, compute
from cases.deadlines.events import CaseFacts, ClockEvent, EventKind, Right
from cases.deadlines.loader import Catalogue, Regime, calendar_for, default_catalogue


def regime_for(
    code: str, received_at: datetime, zone: ZoneInfo, catalogue: Catalogue | None = None
) -> Regime:
    """Give the regime version that held on the local day of receipt; raises UnknownRegimeError."""
    received_on: date = received_at.astimezone(zone).date()
    return (catalogue or default_catalogue()).regime(code, received_on)


def first_deadline(
    code: str,
    received_at: datetime,
    right: Right,
    zone: ZoneInfo,
    *,
    overrides: tuple[Override, ...] = (),
    policy: Policy = DEFAULT_POLICY,
) -> Deadline:
    """Compute the deadline of a request that has just come in, with nothing else known."""
    regime = regime_for(code, received_at, zone)
    facts = CaseFacts(right, zone, (ClockEvent(EventKind.RECEIVED, received_at),))
    return compute(facts, regime, calendar_for(regime, overrides), now=received_at, policy=policy)
