"""Say a case in the short notation and get its dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from cases.deadlines.deadline import Deadline, Limit, Policy, State
from cases.deadlines.loader import default_catalogue
from cases.deadlines.notation import STATUS, Row, limit_of

PLAIN = Row("UK-ENG", date(2026, 9, 1))


def row(
    regime: str, received_on: str, events: str = "", right: str = "access", kind: str = "response"
) -> Row:
    return replace(
        PLAIN,
        regime=regime,
        received_on=date.fromisoformat(received_on),
        events=events,
        right=right,
        deadline_kind=kind,
    )


def limit(case: Row, policy: Policy | None = None) -> Limit:
    return limit_of(case, default_catalogue(), policy=policy or Policy())[0]


def deadline(case: Row, policy: Policy | None = None) -> Deadline:
    return limit_of(case, default_catalogue(), policy=policy or Policy())[1]


def shown(found: Limit) -> str:
    """Write a limit as the vectors file does: a day, or the state."""
    return str(found.due_on) if found.state is State.RUNNING else STATUS[found.state]


def dates(case: Row) -> tuple[str, str]:
    found = limit(case)
    return shown(found), str(found.safe_due_on)
