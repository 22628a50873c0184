"""A step of a plan as a row: the connector's action in the form in which it is kept, and the receipt that it got."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When

from cases.connectors.base import ContractBroken, Effect
from cases.connectors.changes import Action, Obstacle, Outcome, Receipt, Verb
from cases.models import ChangeStep, LineState, PlannedChange, PlanPart, StepState, Treatment
from dsar.lib.prepared import write

# What a connector may be told to do; everything else stays, or is done by a human.
WRITING: Final = (
    Treatment.DELETE,
    Treatment.ANONYMISE,
    Treatment.BLOCK,
    Treatment.CORRECT,
    Treatment.SUPPLEMENT,
    Treatment.RESTRICT,
    Treatment.LIFT,
)
SUCCEEDED: Final = (StepState.DONE, StepState.ALREADY)
GIVEN_UP: Final = "given_up"
ENDED: Final = (*SUCCEEDED, StepState.REFUSED)
_STATES: Final[Mapping[Outcome, StepState]] = {
    Outcome.DONE: StepState.DONE,
    Outcome.ALREADY: StepState.ALREADY,
    Outcome.PENDING: StepState.PENDING,
    Outcome.REFUSED: StepState.REFUSED,
}
_RECEIPT: Final = (
    "state", "effect", "request", "status", "vendor_request", "answer_hash", "ticket", "obstacle", "error_code",
    "ended_at",
)  # fmt: skip


# -- actions -----------------------------------------------------------------------------------------


def made(part: PlanPart, line: PlannedChange, action: Action, number: int) -> ChangeStep:
    """The row of an action, yet to be saved."""
    step = ChangeStep(
        controller_id=part.controller_id,
        part=part,
        line=line,
        number=number,
        key=action.key,
        verb=action.verb.value,
        after=list(action.after),
    )
    step.action = kept(action)
    return step


def kept(action: Action) -> dict[str, Any]:
    """What a row keeps of an action beside its key and verb; it may hold personal data."""
    return {
        "ref": action.ref,
        "type": action.type,
        "predicted": action.predicted.value,
        "handle": dict(action.handle),
        "payload": dict(action.payload),
        "expected": dict(action.expected),
    }


def action_of(step: ChangeStep) -> Action:
    """The action as the connector planned it. Raises KeyDestroyed."""
    held = step.action
    return Action(
        key=step.key,
        verb=Verb(step.verb),
        ref=held["ref"],
        type=held["type"],
        predicted=Effect(held["predicted"]),
        after=tuple(step.after),
        handle=held["handle"],
        payload=held["payload"],
        expected=held["expected"],
    )


def line_of(action: Action, by_key: Mapping[str, PlannedChange]) -> PlannedChange:
    """The line whose wish an action carries out, or brings with it: that of its key, of what it follows, of its record.

    Raises ContractBroken for an action of no wish.
    """
    for key in (action.key, *action.after):
        if key in by_key:
            return by_key[key]
    for line in by_key.values():
        if action.ref.startswith(f"{(line.item.content or {}).get('ref')}/" if line.item else "/"):
            return line
    raise ContractBroken(what="a step that nobody had wished for")


# -- which steps may be taken --------------------------------------------------------------------------


def approved() -> Q:
    """Steps of lines that somebody decided and somebody else approved, and that are proven to be the person's."""
    return Q(
        line__state__in=[LineState.APPROVED, LineState.DONE],
        line__approved_by__isnull=False,
        line__may_write=True,
        line__by_hand=False,
        line__treatment__in=WRITING,
    )


def holds_back(step: ChangeStep) -> set[str]:
    """In which states those steps are that should come first and have not succeeded."""
    if not step.after:
        return set()
    before = ChangeStep.objects.filter(part=step.part_id, key__in=step.after)
    return set(before.exclude(state__in=SUCCEEDED).values_list("state", flat=True))


def in_trouble() -> Q:
    """Steps whose answer could not be understood, and that may be tried again; not those that somebody gave up."""
    return Q(state=StepState.FAILED) & ~Q(error_code=GIVEN_UP)


# -- receipts ----------------------------------------------------------------------------------------


def receive(step: ChangeStep, receipt: Receipt) -> None:
    """Note what the source answered. Raises ContractBroken for the receipt of another action."""
    if receipt.key != step.key:
        raise ContractBroken(what="the receipt of another step")
    step.state, step.effect = _STATES[receipt.outcome], receipt.effect.value
    step.request, step.status = receipt.request[:300], receipt.status
    step.vendor_request, step.answer_hash = receipt.vendor_request[:120], receipt.answer_hash[:64]
    step.ticket, step.obstacle = receipt.ticket[:200], receipt.obstacle.value if receipt.obstacle else ""
    step.error_code = ""
    step.ended_at = None if receipt.outcome is Outcome.PENDING else receipt.ended_at


def end(step: ChangeStep, state: StepState, now: datetime, *, code: str = "", obstacle: str = "") -> None:
    """Note how a step ended that got no receipt."""
    step.state, step.error_code, step.obstacle, step.ended_at = state, code[:60], obstacle, now


def save(step: ChangeStep) -> None:
    """Keep a receipt; what was planned is not written again."""
    write(step, *_RECEIPT)


def receipt_of(step: ChangeStep) -> Receipt:
    """The receipt of a step that the source had accepted, to ask after it by."""
    assert step.started_at is not None
    waiting = Receipt(
        key=step.key,
        outcome=Outcome.PENDING,
        effect=Effect(step.effect or Effect.UNKNOWN),
        request=step.request,
        started_at=step.started_at,
        ended_at=step.started_at,
        status=step.status,
        vendor_request=step.vendor_request,
        answer_hash=step.answer_hash,
        ticket=step.ticket,
    )
    return replace(waiting, obstacle=Obstacle(step.obstacle)) if step.obstacle else waiting


def judge(lines: "QuerySet[PlannedChange]") -> None:
    """Bring lines in step with their steps: done when all of them are, else as the worst of them; in one statement."""
    own = ChangeStep.objects.filter(line=OuterRef("pk"))
    worst = [When(Exists(own.filter(state=step)), then=Value(line)) for step, line in _WORST]
    is_done = When(~Exists(own.exclude(state__in=SUCCEEDED)), then=Value(LineState.DONE))
    lines.update(state=Case(*worst, is_done, default=Value(LineState.APPROVED)))


def judge_one(line_id: UUID) -> None:
    """The same for one line, after each of its steps."""
    with connection.cursor() as cursor:
        cursor.execute(_JUDGED, {"line": line_id})


_WORST: Final = (
    (StepState.STALE, LineState.STALE),
    (StepState.FAILED, LineState.FAILED),
    (StepState.REFUSED, LineState.REFUSED),
)


def _whens() -> str:
    """The cases of ``judge`` as a statement."""
    own = "SELECT FROM cases_changestep step WHERE step.line_id = line.id AND step.state"
    return " ".join(f"WHEN EXISTS ({own} = '{step.value}') THEN '{line.value}'" for step, line in _WORST)


_JUDGED: Final = f"""
UPDATE cases_plannedchange line SET state = CASE {_whens()}
       WHEN NOT EXISTS (SELECT FROM cases_changestep step WHERE step.line_id = line.id
                           AND step.state NOT IN ({", ".join(f"'{state.value}'" for state in SUCCEEDED)}))
       THEN '{LineState.DONE.value}' ELSE '{LineState.APPROVED.value}' END
 WHERE line.id = %(line)s"""  # noqa: S608  Every part is a constant of the house.
