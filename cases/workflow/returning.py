"""An approver sends some of it back, lines of a plan or disputed values: these alone are decided anew."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases import corrections
from cases.fulfilment import plans
from cases.models import Case, CorrectionOutcome, Item, ItemDecision, LineState, PlannedChange
from cases.permissions import By
from cases.workflow import correcting, decide, disputed
from cases.workflow.perform import put_on_record
from cases.workflow.plan import Lines, pages, put
from dsar.audit.actions import Action
from dsar.audit.record import Codes
from dsar.lib.errors import Refused


def return_lines(
    case: Case, selection: Lines, reason: str, by: By, now: datetime, *, version: int | None = None
) -> Case:
    """Return the proposal because of these lines; each of them says why. Raises Refused where none was named."""
    if not reason.strip():
        raise Refused(_("Say what has to change about it."), "reason_missing")
    with transaction.atomic():
        case = decide.return_case(case, reason, by, now, version=version)
        plan = plans.live(case)
        if plan is None:
            raise Refused(_("There is no plan."), "plan_missing")
        ids = list(selection.of(plan).values_list("pk", flat=True))
        if not ids:
            raise Refused(_("Choose the lines first."), "nothing_selected")
        for page in pages(ids):
            lines = PlannedChange.objects.filter(pk__in=page)
            lines.update(state=LineState.RETURNED, decided_by=None, decided_at=None)
            put(page, "return_reason", case.file_key_id, reason.strip().encode())
            Item.objects.filter(pk__in=lines.values("item")).update(
                decision=ItemDecision.UNDECIDED, exemption="", decided_by=None, decided_at=None
            )
        codes: Codes = {"plan": plan.number, "count": len(ids)}
        put_on_record(case, Action.PLAN_LINES_RETURNED, by, now, codes)
        return case


def return_values(
    case: Case, value_ids: Sequence[UUID], reason: str, by: By, now: datetime, *, version: int | None = None
) -> Case:
    """Return the proposal because of these disputed values: they are open again, what was written about them stays."""
    with transaction.atomic():
        case = decide.return_case(case, reason, by, now, version=version)
        chosen = corrections.of(case).filter(pk__in=value_ids)
        records = set(chosen.exclude(item=None).values_list("item_id", flat=True))
        count = case.corrections.filter(pk__in=value_ids).update(
            outcome=CorrectionOutcome.OPEN, decided_by=None, decided_at=None
        )
        if not count:
            raise Refused(_("Choose the values first."), "nothing_selected")
        for item_id in records:
            disputed.decide_item(case, item_id)
        correcting.order(case, now)
        put_on_record(case, Action.PLAN_LINES_RETURNED, by, now, {"count": count})
        return case
