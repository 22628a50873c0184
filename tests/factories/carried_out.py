"""Plans as they are once they were carried out and proven, without a source that did it."""

from datetime import timedelta

from django.utils import timezone

from cases.models import (
    Case,
    ChangePlan,
    ChangeStep,
    Decision,
    ItemDecision,
    LineState,
    PartStage,
    PlannedChange,
    PlanPart,
    PlanStage,
    StepState,
    Treatment,
    Verdict,
)
from cases.permissions import By


def decided(case: Case, by: By, approver: By) -> Decision:
    """A decision of that case that a second person approved."""
    now = timezone.now()
    decision = Decision(
        controller_id=case.controller_id,
        case=case,
        outcome="fulfilled",
        proposed_by_id=by.person_id,
        proposed_at=now,
        approved_by_id=approver.person_id,
        approved_at=now,
        verdict=Verdict.APPROVED,
    )
    decision.letter_subject, decision.letter_body = "Done", "We have erased the data."
    decision.save()
    return decision


def carried_out(
    case: Case, by: By, approver: By, *, keep: str = "", treatment: Treatment = Treatment.DELETE
) -> ChangePlan:
    """Every item of a case was deleted, but for the record type that was kept under a legal duty."""
    now = timezone.now()
    case.plans.exclude(stage__in=[PlanStage.DONE, PlanStage.VOID]).update(stage=PlanStage.VOID)
    plan = ChangePlan.objects.create(
        controller_id=case.controller_id,
        case=case,
        number=case.plans.count() + 1,
        stage=PlanStage.DONE,
        decision=decided(case, by, approver),
        ground="CONSENT_WITHDRAWN",
        made_at=now,
        ended_at=now,
    )
    parts: dict[object, PlanPart] = {}
    for number, item in enumerate(case.items.select_related("source").order_by("collection", "number"), 1):
        stays = item.collection == keep
        line = PlannedChange(
            controller_id=case.controller_id,
            plan=plan,
            case=case,
            item=item,
            source=item.source,
            collection=item.collection,
            number=number,
            treatment=Treatment.KEEP if stays else treatment,
            basis="LEGAL_OBLIGATION_OR_PUBLIC_TASK" if stays else "",
            may_write=True,
            state=LineState.APPROVED if stays else LineState.DONE,
            decided_by_id=by.person_id,
            approved_by_id=approver.person_id,
        )
        line.wanted, line.expected, line.reason = {}, item.content["data"], "Ada Example called about it."
        line.save()
        decision = ItemDecision.KEEP if stays else ItemDecision.ACT
        case.items.filter(pk=item.pk).update(decision=decision, exemption=line.basis)
        part = parts.setdefault(
            item.source_id,
            PlanPart.objects.get_or_create(
                plan=plan,
                source=item.source,
                controller_id=case.controller_id,
                defaults={
                    "stage": PartStage.DONE,
                    "started_at": now,
                    "ended_at": now,
                    "proven_at": now + timedelta(seconds=1),
                },
            )[0],
        )
        if not stays:
            _receipt(part, line, number)
    return plan


def _receipt(part: PlanPart, line: PlannedChange, number: int) -> None:
    step = ChangeStep(
        controller_id=part.controller_id,
        part=part,
        line=line,
        number=number,
        key=line.key,
        verb="delete",
        state=StepState.DONE,
        effect="removed",
        request="DELETE /v1/{kind}/{id}",
        status=204,
        answer_hash="00ff",
        ended_at=timezone.now(),
    )
    step.action = {"ref": line.item.content["ref"] if line.item else "", "type": line.collection}
    step.save()
