"""What follows once an erasure, a correction or a restriction was carried out, before the customer is told.

Those to whom data had gone are told (Article 19); who wants no advertising is kept in mind; what may come back from a
backup is listed; and a certificate says what was done. Each part may run again: it does what is still undone.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.models import (
    Case,
    ChangePlan,
    CorrectionOutcome,
    Decision,
    LineState,
    PlanPart,
    PlanStage,
    TaskState,
    Treatment,
)
from cases.permissions import By
from cases.words import Right
from cases.workflow import certificate, recipients, reerasure, suppression

# What a source did, and its recipients are told of.
CHANGED = (
    Treatment.DELETE,
    Treatment.ANONYMISE,
    Treatment.BLOCK,
    Treatment.CORRECT,
    Treatment.SUPPLEMENT,
    Treatment.RESTRICT,
)


def begin(plan: ChangePlan, by: By, now: datetime) -> None:
    """Set off everything that follows from a plan that was carried out and proven. Twice is once; a drill ends here."""
    case = plan.case
    if case.is_drill:
        return
    _date_backups(plan, now)
    reerasure.keep(plan, by, now)
    suppression.follow(case, by, now)
    _tell(case, plan.pk, changed_in(plan), corrected_by(plan), by, now)
    if plan.decision is not None:
        certificate.make(case, plan, plan.decision, by, now)


def without_plan(case: Case, decision: Decision | None, by: By, now: datetime) -> None:
    """The same for what was done by hand alone; with a plan, ``begin`` says what follows."""
    if case.is_drill or case.plans.exclude(stage=PlanStage.VOID).exists():
        return
    suppression.follow(case, by, now)
    done = case.tasks.filter(decision=decision, state=TaskState.DONE, source__isnull=False)
    _tell(
        case, decision.pk if decision else case.pk, done.values_list("source__slug", flat=True), {}, by, now
    )
    if decision is not None and case.right in certificate.CERTIFIED:
        certificate.make(case, None, decision, by, now)


def _tell(
    case: Case,
    occasion: UUID,
    sources: Collection[str],
    corrected: recipients.Corrected,
    by: By,
    now: datetime,
) -> None:
    told = recipients.TOLD_OF.get(case.right)
    if told is not None and sources:
        recipients.tell(case, occasion, told, set(sources), by, now, corrected=corrected)


def changed_in(plan: ChangePlan) -> set[str]:
    """The sources in which something was really changed, by a connector or by hand."""
    lines = plan.lines.filter(treatment__in=CHANGED, source__isnull=False)
    by_connector = lines.filter(state=LineState.DONE)
    by_hand = plan.case.tasks.filter(state=TaskState.DONE, source__isnull=False)
    slugs = by_connector.values_list("source__slug", flat=True).distinct()
    return {*slugs, *by_hand.values_list("source__slug", flat=True)}


def corrected_by(plan: ChangePlan) -> dict[str, dict[str, str]]:
    """What is right now, by source and field: the values that were decided, and no note that was added beside them."""
    corrected = plan.case.corrections.filter(outcome=CorrectionOutcome.CORRECTED)
    decided = set(corrected.values_list("source", "collection", "field"))
    lines = plan.lines.filter(treatment=Treatment.CORRECT, state=LineState.DONE, source__isnull=False)
    found: dict[str, dict[str, str]] = {}
    for line in lines.select_related("case", "source"):
        own = found.setdefault(line.source.slug if line.source else "", {})
        for field, value in dict(line.wanted or {}).items():
            if (line.source_id, line.collection, field) in decided:
                own[field] = "" if value is None else str(value)
    return found


# -- backups -----------------------------------------------------------------------------------------


def _date_backups(plan: ChangePlan, now: datetime) -> None:
    """Until when a source's backups hold what was erased there; nothing where nobody said how long they are kept."""
    today = now.astimezone(plan.case.controller.zone).date()
    for part in plan.parts.filter(backups_gone_on=None).select_related("source"):
        if part.source.backup_days is not None and _is_erased_in(part):
            ended = part.ended_at.astimezone(plan.case.controller.zone).date() if part.ended_at else today
            part.backups_gone_on = ended + timedelta(days=part.source.backup_days)
            part.save(update_fields=["backups_gone_on"])


def _is_erased_in(part: PlanPart) -> bool:
    erased = (Treatment.DELETE, Treatment.ANONYMISE)
    meant = part.plan.lines.filter(source=part.source_id, treatment__in=erased)
    return meant.exists() and part.source.slug in changed_in(part.plan)


# -- what the customer is told -----------------------------------------------------------------------


def paragraphs(case: Case, language: str) -> list[str]:
    """What the last letter says besides what was approved: backups, and who was told, where the person asked."""
    if case.right not in recipients.TOLD_OF:
        return []
    with translation.override(language):
        certified = certificate.sentence() if certificate.of(case) else ""
        return [one for one in (_of_backups(case), _of_recipients(case), certified) if one]


def backups_of(case: Case) -> list[tuple[str, date | None]]:
    """By source in which something was erased: when its backups are gone; None where nobody knows."""
    if case.right != Right.ERASURE:
        return []
    parts = (
        PlanPart.objects.filter(plan__case=case).exclude(plan__stage=PlanStage.VOID).select_related("source")
    )
    return [(part.source.name, part.backups_gone_on) for part in parts if _is_erased_in(part)]


def _of_backups(case: Case) -> str:
    found = backups_of(case)
    if not found:
        return ""
    lines = [
        _(
            "Copies of it are still in backups, which are put beyond use: nobody looks into them, and if one had to be"
            " restored, we would erase the data again. They are overwritten:"
        )
    ]
    for name, gone_on in found:
        when = (
            _("by %(day)s") % {"day": date_format(gone_on, "DATE_FORMAT")}
            if gone_on
            else _("on the usual schedule")
        )
        lines.append(f"- {name}: {when}")
    return "\n".join(lines)


def _of_recipients(case: Case) -> str:
    if not case.names_recipients:
        return ""
    notices = list(case.recipient_notices.select_related("recipient"))
    told = recipients.sentence(one for one in notices if one.state not in recipients.EXCUSES)
    excused = sorted({one.recipient.name for one in notices if one.state in recipients.EXCUSES})
    if excused:
        unable = ngettext(
            "We could not tell this one: %(names)s.", "We could not tell these: %(names)s.", len(excused)
        )
        told = " ".join(filter(None, [told, unable % {"names": ", ".join(excused)}]))
    return told or _("We had given your data to nobody who has to be told.")
