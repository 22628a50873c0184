"""Read what a certificate says from the case: counts by the database, words from the law, never an item's content."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min
from django.utils.translation import gettext as _

from cases.law import loader as law
from cases.models import (
    Case,
    ChangePlan,
    ChangeStep,
    Decision,
    ItemDecision,
    KeepingRule,
    LineState,
    PlanPart,
    RecipientNotice,
    Settled,
    SourceSystem,
    StepState,
    TaskState,
    Treatment,
)
from cases.packs.certificate.content import (
    Certificate,
    Controller,
    Done,
    Ground,
    Kept,
    Receipts,
    System,
    Told,
    Trail,
)
from cases.words import Right
from dsar.audit.models import AuditHead

STAYS = (Treatment.KEEP, Treatment.REFER, Treatment.REFUSE)
# What a hand-made task does, as the certificate says it.
BY_HAND = {Right.ERASURE: "delete", Right.RECTIFICATION: "correct", Right.RESTRICTION: "restrict"}
# Where the law's list is looked up for what stays.
EXCEPTIONS: tuple[law.GroundKind, ...] = (
    "erasure_exception",
    "rectification_outcome",
    "refusal",
    "restriction_trigger",
)


def certificate_of(
    case: Case, plan: ChangePlan | None, decision: Decision, now: datetime, *, suppressed: bool
) -> Certificate:
    """The certificate of a case, with its words in the language in force; inside the case's transaction."""
    controller = case.controller
    address = [controller.legal_name, *(line.strip() for line in controller.postal_address.splitlines())]
    return Certificate(
        reference=case.reference,
        right=case.right,
        regime=case.regime,
        controller=Controller(
            name=controller.name,
            legal_name=controller.legal_name,
            address=[one for one in address[1:] if one],
        ),
        received_at=case.received_at,
        decided_at=decision.approved_at or decision.controller_decided_at,
        made_at=now,
        ground=_ground(plan, case.regime) if plan else None,
        systems=list(_planned(case, plan) if plan else _by_hand(case, decision)),
        recipients=[_told(one) for one in case.recipient_notices.select_related("recipient")],
        suppressed=suppressed,
        trail=_trail(case),
    )


def _trail(case: Case) -> Trail:
    head = AuditHead.objects.get(chain=case.pk)
    return Trail(chain=str(case.pk), seq=head.seq, sha256=bytes(head.hash).hex())


def _ground(plan: ChangePlan, regime: str) -> Ground | None:
    try:
        found = law.ground("erasure_ground", plan.ground, regime)
    except law.UnknownLaw:
        return None
    return Ground(code=found.code, provision=found.provision, words=_(found.letter))


def _told(notice: RecipientNotice) -> Told:
    at = notice.answered_at or notice.sent_at
    zone = notice.case.controller.zone
    return Told.model_validate(
        {
            "name": notice.recipient.name,
            "kind": notice.recipient.kind,
            "state": notice.state,
            "on": at.astimezone(zone).date() if at else None,
            "answer": notice.answer_code,
        }
    )


# -- a plan ------------------------------------------------------------------------------------------


def _planned(case: Case, plan: ChangePlan) -> Iterator[System]:
    """System by system, in the order of their names; what is in no system comes last."""
    parts = {part.source_id: part for part in plan.parts.select_related("source")}
    # What the law forbids to speak of, and what is somebody else's, is in no line of a certificate either.
    rows = (
        plan.lines.exclude(item__is_silent=True)
        .exclude(item__is_third_party=True)
        .values("source", "collection", "treatment", "basis", "rule", "state", "by_hand", "obstacle")
        .annotate(records=Count("pk"))
    )
    grouped: dict[UUID | None, list[dict[str, Any]]] = {}
    for row in rows.order_by("collection", "treatment", "basis", "rule", "state"):
        grouped.setdefault(row["source"], []).append({**row})
    names = {one.pk: one for one in SourceSystem.objects.filter(pk__in=[pk for pk in grouped if pk])}
    rules = _rules(case)
    hand_done = _done_by_hand(case)
    for source_id in sorted(grouped, key=lambda pk: (pk is None, names[pk].name if pk else "")):
        part = parts.get(source_id) if source_id else None
        yield _system(
            names.get(source_id) if source_id else None,
            part,
            grouped[source_id],
            case.regime,
            rules,
            source_id in hand_done,
        )


def _rules(case: Case) -> dict[str, str]:
    held = KeepingRule.objects.filter(controller_id=case.controller_id)
    return dict(held.values_list("slug", "words"))


def _done_by_hand(case: Case) -> set[UUID | None]:
    return set(case.tasks.filter(state=TaskState.DONE).values_list("source_id", flat=True))


def _system(
    source: SourceSystem | None,
    part: PlanPart | None,
    rows: Iterable[dict[str, Any]],
    regime: str,
    rules: dict[str, str],
    hand_done: bool,
) -> System:
    done: list[Done] = []
    kept: list[Kept] = []
    for row in rows:
        if row["treatment"] in STAYS:
            kept.append(_stays(row, regime, rules))
        elif row["state"] == LineState.DONE or (row["by_hand"] and hand_done):
            done.append(_was_done(row))
        else:
            kept.append(_not_done(row))
    return System(
        code=source.slug if source else "by-hand",
        name=source.name if source else _("Our files"),
        done=done,
        kept=kept,
        receipts=receipts_of(part) if part else NO_RECEIPTS,
        verified_at=part.proven_at if part else None,
        left=part.leftovers.filter(settled=Settled.ACCEPTED).count() if part else 0,
        backups_until=part.backups_gone_on if part else None,
    )


def _was_done(row: dict[str, Any]) -> Done:
    return Done.model_validate(
        {
            "record_type": row["collection"],
            "what": row["treatment"],
            "records": row["records"],
            "by_hand": row["by_hand"],
        }
    )


def _stays(row: dict[str, Any], regime: str, rules: dict[str, str]) -> Kept:
    provision, words = _lawful(row["basis"], regime)
    return Kept(
        record_type=row["collection"],
        what=row["treatment"],
        records=row["records"],
        code=row["basis"],
        provision=provision,
        words=rules.get(row["rule"], "") or words,
    )


def _not_done(row: dict[str, Any]) -> Kept:
    return Kept(
        record_type=row["collection"],
        what="not_done",
        records=row["records"],
        code=row["obstacle"] or row["state"],
        words=_("The system did not let it be done; our letter says what follows."),
    )


def _lawful(code: str, regime: str) -> tuple[str, str]:
    """The provision of an exception and what letters say of it; nothing for a code that the law has no more."""
    for kind in EXCEPTIONS:
        try:
            found = law.ground(kind, code, regime)
        except law.UnknownLaw:
            continue
        return found.provision, _(found.letter)
    try:
        exempt = law.exemption(code, regime)
    except law.UnknownLaw:
        return "", ""
    return exempt.provision, _(exempt.letter)


# -- receipts ----------------------------------------------------------------------------------------

RECEIVED = (StepState.DONE, StepState.ALREADY, StepState.REFUSED)
NO_RECEIPTS = Receipts(count=0, sha256=hashlib.sha256().hexdigest())


def receipts_of(part: PlanPart) -> Receipts:
    """How many, from when to when, and their digest: one line each, in their order, as docs/certificate.md says."""
    steps = ChangeStep.objects.filter(part=part, state__in=RECEIVED).order_by("number")
    digest, count = hashlib.sha256(), 0
    fields = ("key", "verb", "state", "effect", "status", "answer_hash", "ended_at")
    for row in steps.values_list(*fields).iterator(chunk_size=2000):
        digest.update(_line(row))
        count += 1
    span = steps.aggregate(first=Min("ended_at"), last=Max("ended_at"))
    return Receipts(count=count, sha256=digest.hexdigest(), first_at=span["first"], last_at=span["last"])


def _line(row: tuple[Any, ...]) -> bytes:
    shown = [one.isoformat() if isinstance(one, datetime) else "" if one is None else str(one) for one in row]
    return ("|".join(shown) + "\n").encode()


# -- by hand alone -----------------------------------------------------------------------------------


def _by_hand(case: Case, decision: Decision) -> Iterator[System]:
    """Where no plan was made: what was decided of the items, and which tasks were recorded as done."""
    tasks = {task.source_id: task.state for task in case.tasks.filter(decision=decision)}
    counted = case.items.values("source", "collection", "decision", "exemption").annotate(records=Count("pk"))
    grouped: dict[UUID | None, list[dict[str, Any]]] = {pk: [] for pk in tasks}
    for row in counted.filter(is_silent=False).order_by("collection", "decision", "exemption"):
        grouped.setdefault(row["source"], []).append({**row})
    names = {one.pk: one for one in SourceSystem.objects.filter(pk__in=[pk for pk in grouped if pk])}
    for source_id in sorted(grouped, key=lambda pk: (pk is None, names[pk].name if pk else "")):
        is_done = tasks.get(source_id) == TaskState.DONE
        rows = [_as_line(case, row, is_done) for row in grouped[source_id]]
        rows = [row for row in rows if row["treatment"]]
        yield _system(names.get(source_id) if source_id else None, None, rows, case.regime, {}, is_done)


def _as_line(case: Case, row: dict[str, Any], is_done: bool) -> dict[str, Any]:
    what = {ItemDecision.ACT: BY_HAND.get(Right(case.right), ""), ItemDecision.KEEP: Treatment.KEEP.value}
    return {
        "collection": row["collection"],
        "treatment": what.get(row["decision"], ""),
        "records": row["records"],
        "basis": row["exemption"],
        "rule": "",
        "state": LineState.DONE if is_done else LineState.FAILED,
        "by_hand": True,
        "obstacle": "",
    }
