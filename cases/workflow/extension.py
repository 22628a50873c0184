"""More time: proposed with its reason and letter, approved by somebody else, and a fact when the notice is out.

Art 12(3) GDPR, Art 12A(3) and (4) UK GDPR: for complexity or number of requests, told with the reasons before the
first period ends. The regime's file says what holds elsewhere. The state of the case does not change: the clock does.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cases import queries
from cases.correspondence import send
from cases.correspondence.compose import Kind
from cases.deadlines.arithmetic import add_months
from cases.deadlines.deadline import Deadline
from cases.deadlines.events import ClockEvent as Fact
from cases.deadlines.events import EventKind, ExtensionReason
from cases.deadlines.steps import StepCode
from cases.errors import not_yours, somebody_was_quicker
from cases.models import LIVING, Case, Extension, ExtensionState, Letter, LetterState
from cases.permissions import BY_SYSTEM, By
from cases.words import Say, State, Step
from cases.workflow import letters
from cases.workflow.clock import add_fact
from cases.workflow.perform import act, lock, once_recorded, put_on_record, refuse, touch
from dsar.audit.actions import Action
from dsar.lib.errors import Conflict, Refused
from dsar.lib.prepared import Prepared
from identity.roles import Permission

WAITING = (ExtensionState.PROPOSED, ExtensionState.WITH_CONTROLLER)
UNSENT = (*WAITING, ExtensionState.APPROVED)
_UNSENT = Prepared(lambda case_id: Extension.objects.filter(case_id=case_id, state__in=UNSENT), UUID)
DECIDES = {
    ExtensionState.PROPOSED: Permission.APPROVE,
    ExtensionState.WITH_CONTROLLER: Permission.APPROVE_FOR_CONTROLLER,
}


@dataclass(frozen=True)
class Wanted:
    """Why more time is needed. ``named_on`` is the new date where the law lets the controller name it."""

    reason: ExtensionReason
    explanation: str
    named_on: date | None = None


@dataclass(frozen=True)
class Plan:
    """What the engine makes of it: the date now and then, and the last day for the notice."""

    before: date
    after: date
    notice_by: date | None


def plan(case: Case, wanted: Wanted, now: datetime) -> Plan:
    """The dates if the notice went out at this moment. Raises Refused, saying why, where it would have no effect."""
    rule = queries.extension_rule(case)
    if rule is None:
        raise Refused(_("The law of this case knows no extension."), "no_extension")
    if not case.is_open:
        raise Refused(_("The case is closed: there is nothing to extend."), "closed")
    if rule.named_by_controller and wanted.named_on is None:
        raise Refused(_("Name the new date: this law leaves it to the controller."), "date_missing")
    present, then = queries.deadline_of(case, now), _with_notice(case, wanted, now)
    if present.is_extended:
        raise Refused(_("The time was extended already, and the law allows it once."), "already_extended")
    before, after = _date_of(present), _date_of(then)
    if before is None or after is None or not _has_effect(present, then):
        raise _without_effect(present, then)
    return Plan(before, after, present.extension_notice_by)


def outlook(case: Case, now: datetime) -> Plan:
    """What an extension would give at this moment, whatever its reason. Raises Refused where it is impossible.

    Where the controller names the date, the plan's ``after`` is a month after the present one, to begin from.
    """
    rule, present = queries.extension_rule(case), queries.deadline_of(case, now)
    before = _date_of(present)
    begin_from = add_months(before, 1) if rule is not None and rule.named_by_controller and before else None
    reason = rule.reasons[0] if rule is not None else ExtensionReason.COMPLEXITY
    return plan(case, Wanted(reason, "", begin_from), now)


def _with_notice(case: Case, wanted: Wanted, now: datetime) -> Deadline:
    facts = queries.facts_of(case, case.controller)
    notice = Fact(
        EventKind.EXTENSION_NOTIFIED, now, extension_reason=wanted.reason, new_due_on=wanted.named_on
    )
    return queries.deadline_from(case, replace(facts, events=(*facts.events, notice)), now)


def _date_of(deadline: Deadline) -> date | None:
    """The date, or while the clock stands, the one counted from receipt."""
    return deadline.due_on or deadline.shadow_due_on


def _has_effect(present: Deadline, then: Deadline) -> bool:
    before, after = _date_of(present), _date_of(then)
    return before is not None and after is not None and after > before


def _without_effect(present: Deadline, then: Deadline) -> Refused:
    """Why the engine gives no more time."""
    codes = {step.code: step for step in then.warnings}
    if StepCode.EXTENSION_REASON_INVALID in codes:
        return Refused(_("This is no reason in the law of this case."), "reason_invalid")
    late = codes.get(StepCode.EXTENSION_LATE)
    if late is not None:
        limit = late.values.get("limit_on") or present.extension_notice_by
        return _too_late(limit if isinstance(limit, date) else None)
    return Refused(_("This would not give more time than there is."), "no_more_time")


def _too_late(limit: date | None) -> Refused:
    if limit is None:
        return Refused(_("It is too late for an extension."), "too_late")
    sentence = _("It is too late for an extension: the notice had to be out by %(day)s.")
    return Refused(sentence % {"day": date_format(limit, "DATE_FORMAT")}, "too_late")


def draft(case: Case, wanted: Wanted, found: Plan, now: datetime) -> tuple[str, str]:
    """Title and body of the notice in the requester's language, ready to edit."""
    return letters.draft(
        Kind.EXTENSION,
        case.subject_request,
        now,
        case=case,
        reason=wanted.reason.value,
        explanation=wanted.explanation.strip(),
        due_before=found.before,
        due_after=found.after,
    )


def living(case: Case) -> Extension | None:
    """The extension that is prepared or in force; there is never more than one."""
    found: Extension | None = case.extensions.filter(state__in=LIVING).first()
    return found


# -- proposing ---------------------------------------------------------------------------------------


def propose(
    case: Case,
    wanted: Wanted,
    title: str,
    body: str,
    by: By,
    now: datetime,
    *,
    version: int | None = None,
) -> Extension:
    """Propose more time to a second person. Raises NotAllowed, Conflict or Refused; AlreadyDone for a second press."""
    if not wanted.explanation.strip():
        raise Refused(_("Give the reasons: the approver and the customer read them."), "reasons_missing")
    if not title.strip() or not body.strip():
        raise Refused(_("The letter is empty."), "letter_empty")
    with transaction.atomic():
        locked = _acting(case, Permission.WORK, Action.EXTENSION_PROPOSED, by, now, version)
        if living(locked) is not None:
            raise Conflict(_("An extension of this case is under way already."), "extension_under_way")
        made = _made(locked, wanted, plan(locked, wanted, now), by, now)
        made.explanation = wanted.explanation.strip()
        made.letter_subject, made.letter_body = title.strip(), body.strip()
        made.save()
        says = made.instruction_says
        _on_record(made, Action.EXTENSION_PROPOSED, by, now, reason=made.reason, says=says)
        return made


def _made(case: Case, wanted: Wanted, found: Plan, by: By, now: datetime) -> Extension:
    """The proposal without its words, with what the controller's instruction says about it."""
    instruction, say = queries.instructed(case.controller_id, [Step.EXTEND], case.right)
    if say == Say.FORBID:
        sentence = _("The controller's instruction forbids to extend the time for this right.")
        refuse(case, "extend", by, now, Refused(sentence, "forbidden"))
    return Extension(
        controller_id=case.controller_id,
        case=case,
        reason=wanted.reason.value,
        due_before=found.before,
        due_after=found.after,
        named_on=wanted.named_on,
        notice_by=found.notice_by,
        instruction=instruction,
        instruction_says=say.value,
        proposed_by_id=_person(by),
        proposed_at=now,
    )


def _acting(
    case: Case, permission: Permission | None, action: Action, by: By, now: datetime, version: int | None
) -> Case:
    """The locked case for somebody who may do this and saw it as it is."""
    locked = act(case, permission, by, now, name="extend")
    once_recorded(locked, action, by, version)
    if version is not None and version != locked.version:
        raise somebody_was_quicker()
    return locked


def _person(by: By) -> UUID:
    assert by.person_id is not None
    return by.person_id


def _on_record(extension: Extension, action: Action, by: By, now: datetime, **codes: str) -> None:
    """On the case's chain, with the version that the person saw; open forms learn that the case changed."""
    case = extension.case
    data = {"from": extension.due_before.isoformat(), "to": extension.due_after.isoformat(), **codes}
    put_on_record(case, action, by, now, {"extension": str(extension.pk), "version": case.version, **data})
    touch(case)


# -- deciding ----------------------------------------------------------------------------------------


def approve(extension: Extension, by: By, now: datetime, *, version: int | None = None) -> Extension:
    """The second pair of eyes agrees: the notice is sent, or where the controller decides, its reviewer is asked.

    Whoever proposed it can't approve it. What has become too late, or gives another date by now, is refused.
    """
    with transaction.atomic():
        held = _for_decision(extension, by, now, version)
        if held.proposed_by_id == by.person_id:
            sentence = _("Who prepared this cannot approve it: it takes a second pair of eyes.")
            refuse(held.case, "approve_extension", by, now, Refused(sentence, "own_proposal"))
        still_right(held, now)
        if held.state == ExtensionState.PROPOSED and held.instruction_says != Say.ALLOW:
            return _handed_over(held, by, now)
        return _approved(held, by, now)


def _handed_over(held: Extension, by: By, now: datetime) -> Extension:
    held.approved_by_id, held.approved_at, held.state = by.person_id, now, ExtensionState.WITH_CONTROLLER
    held.save()
    _on_record(held, Action.EXTENSION_DECIDED, by, now, verdict="handed_over")
    return held


def _approved(held: Extension, by: By, now: datetime) -> Extension:
    verdict = "approved"
    if held.state == ExtensionState.WITH_CONTROLLER:
        held.controller_decided_by_id, held.controller_decided_at = by.person_id, now
        verdict = "approved_by_controller"
    else:
        held.approved_by_id, held.approved_at = by.person_id, now
    held.state, held.letter = ExtensionState.APPROVED, _write(held, by, now)
    held.save()
    _on_record(held, Action.EXTENSION_DECIDED, by, now, verdict=verdict)
    return held


def _write(held: Extension, by: By, now: datetime) -> Letter:
    return letters.to_requester(
        Kind.EXTENSION,
        held.case.subject_request,
        by,
        now,
        case=held.case,
        title=held.letter_subject,
        body=held.letter_body,
    )


def send_back(
    extension: Extension, reason: str, by: By, now: datetime, *, version: int | None = None
) -> Extension:
    """Return a proposal with a reason."""
    if not reason.strip():
        raise Refused(_("Say why it goes back."), "reason_missing")
    with transaction.atomic():
        held = _for_decision(extension, by, now, version)
        return _ended(held, ExtensionState.RETURNED, reason.strip(), by, now)


def withdraw(
    extension: Extension, reason: str, by: By, now: datetime, *, version: int | None = None
) -> Extension:
    """Whoever works the case takes the proposal back, or an approved notice that is not out yet."""
    if not reason.strip():
        raise Refused(_("Say why it is taken back."), "reason_missing")
    with transaction.atomic():
        case = _acting(extension.case, Permission.WORK, Action.EXTENSION_DECIDED, by, now, version)
        held = _held(extension, case)
        if held.state not in UNSENT:
            raise Conflict(_("This extension is decided: look again."), "extension_decided")
        if held.letter is not None and send.is_under_way([_letter(held)]):
            raise Refused(
                _("The notice is being sent at this very moment. Look again in a minute."), "being_sent"
            )
        return _ended(held, ExtensionState.WITHDRAWN, reason.strip(), by, now)


def _for_decision(extension: Extension, by: By, now: datetime, version: int | None) -> Extension:
    """The proposal, locked after its case, for whoever decides it now."""
    case = _acting(extension.case, None, Action.EXTENSION_DECIDED, by, now, None)
    held = _held(extension, case)
    once_recorded(case, Action.EXTENSION_DECIDED, by, version)
    if held.state not in WAITING:
        raise Conflict(_("This extension is decided: look again."), "extension_decided")
    if not by.allows(DECIDES[ExtensionState(held.state)], case.controller_id):
        refuse(case, "decide_extension", by, now, not_yours("decide_extension"))
    if version is not None and version != case.version:
        raise somebody_was_quicker()
    return held


def _held(extension: Extension, case: Case) -> Extension:
    held: Extension = (
        Extension.objects.select_for_update(of=("self",)).select_related("letter").get(pk=extension.pk)
    )
    held.case = case
    return held


def still_right(held: Extension, now: datetime) -> None:
    """Checked anew, whatever was true when it was proposed: in time, and giving the date that the letter names."""
    found = plan(held.case, wanted_of(held), now)
    if found.after != held.due_after:
        sentence = _("The new date would be %(day)s by now, which is not what the letter says: send it back.")
        raise Refused(sentence % {"day": date_format(found.after, "DATE_FORMAT")}, "date_moved")


def wanted_of(extension: Extension) -> Wanted:
    """What was asked for, as the engine has to know it."""
    return Wanted(ExtensionReason(extension.reason), extension.explanation, extension.named_on)


def _ended(held: Extension, state: ExtensionState, reason: str, by: By, now: datetime) -> Extension:
    held.state, held.return_reason = state, reason
    held.save(update_fields=["state", "return_reason"])
    _drop_letter(held, "taken_back", now)
    _on_record(held, Action.EXTENSION_DECIDED, by, now, verdict=state.value)
    return held


# -- the notice --------------------------------------------------------------------------------------


def why_not_sent(letter: Letter, now: datetime) -> Refused | None:
    """Why a notice may not go out any more; None where it may. Its case is locked."""
    held: Extension | None = Extension.objects.filter(letter=letter).first()
    if held is None:
        return None
    held.case = lock(held.case_id)
    if held.state != ExtensionState.APPROVED:
        return Refused(_("This extension was taken back: do not send its notice."), "taken_back")
    try:
        plan(held.case, wanted_of(held), now)
    except Refused as refusal:
        return refusal
    return None


def stop(letter: Letter, refusal: Refused, now: datetime) -> None:
    """The notice does not leave the house; what it would have extended stays as it is."""
    for held in Extension.objects.filter(letter=letter, state=ExtensionState.APPROVED):
        _lapse(_held(held, lock(held.case_id)), refusal.code, now)
    letter.refresh_from_db(fields=["state"])
    if letter.state in {LetterState.QUEUED, LetterState.TO_PRINT}:
        send.mark_failed(letter, refusal.code, BY_SYSTEM, now)


def sent(letter: Letter, by: By, now: datetime) -> None:
    """The notice is out: that is the event (Art 12A(3)). One that went out after its last day has no effect."""
    found: Extension | None = Extension.objects.filter(letter=letter).first()
    if found is None:
        return
    held = _held(found, lock(found.case_id))
    if held.state != ExtensionState.APPROVED:
        return
    data = {"extension": str(held.pk), "extension_reason": held.reason}
    if held.named_on:
        data["new_due_on"] = held.named_on.isoformat()
    present = queries.deadline_of(held.case, now)
    add_fact(held.case, EventKind.EXTENSION_NOTIFIED, now, by, now, data=data)
    in_time = _has_effect(present, queries.deadline_of(held.case, now))
    held.state = ExtensionState.NOTIFIED if in_time else ExtensionState.LAPSED
    held.notified_at = now
    held.save(update_fields=["state", "notified_at"])
    if in_time:
        touch(held.case)
    else:
        _on_record(held, Action.EXTENSION_LAPSED, by, now, code="too_late")


def bounced(letter: Letter, by: By, now: datetime) -> None:
    """A notice that came back told nobody: the fact is taken back, and the letter has to find another way, in time."""
    found: Extension | None = Extension.objects.filter(letter=letter).first()
    if found is None:
        return
    held = _held(found, lock(found.case_id))
    told = held.case.clock_events.filter(
        kind=EventKind.EXTENSION_NOTIFIED.value, superseded_by=None, data__extension=str(held.pk)
    )
    for event in told.exclude(data__has_key="withdraws"):
        data: dict[str, str | bool] = {"withdraws": True, "extension": str(held.pk)}
        reason = _("The letter came back.")
        add_fact(
            held.case,
            EventKind.EXTENSION_NOTIFIED,
            event.at,
            by,
            now,
            data=data,
            reason=reason,
            supersedes=event,
        )
    if held.state == ExtensionState.NOTIFIED:
        held.state, held.notified_at = ExtensionState.APPROVED, None
        held.save(update_fields=["state", "notified_at"])
        _on_record(held, Action.EXTENSION_DECIDED, by, now, verdict="bounced")


def drop(case: Case, now: datetime) -> None:
    """The case has ended: what was only prepared ends with it."""
    for found in _UNSENT.all(case.pk):
        held = _held(found, case)
        held.state = ExtensionState.WITHDRAWN
        held.save(update_fields=["state"])
        _drop_letter(held, "taken_back", now)


def _drop_letter(held: Extension, code: str, now: datetime) -> None:
    if held.letter is None:
        return
    letter = _letter(held)
    if letter.state in {LetterState.QUEUED, LetterState.TO_PRINT} and not send.is_under_way([letter]):
        send.mark_failed(letter, code, BY_SYSTEM, now)


def _letter(held: Extension) -> Letter:
    """The notice, held so that nobody begins to send it meanwhile."""
    assert held.letter is not None
    found: Letter = Letter.objects.select_for_update(of=("self",)).get(pk=held.letter.pk)
    return found


def lapse_overdue(controller_id: UUID, now: datetime) -> int:
    """What waited beyond its last day can't extend any more; gives how many that were."""
    waiting = Extension.objects.filter(controller_id=controller_id, state__in=UNSENT)
    perhaps = waiting.filter(Q(notice_by=None) | Q(notice_by__lt=now.date()))
    return sum(_lapse_if_late(extension, now) for extension in perhaps)


def _lapse_if_late(extension: Extension, now: datetime) -> int:
    with transaction.atomic():
        held = _held(extension, lock(extension.case_id))
        if held.state not in UNSENT or not _is_too_late(held, now):
            return 0
        if held.letter is not None and send.is_under_way([_letter(held)]):
            return 0
        _lapse(held, "too_late", now)
        _drop_letter(held, "too_late", now)
        return 1


def _is_too_late(held: Extension, now: datetime) -> bool:
    try:
        plan(held.case, wanted_of(held), now)
    except Refused as refusal:
        return refusal.code == "too_late"
    return False


def _lapse(held: Extension, code: str, now: datetime) -> None:
    held.state = ExtensionState.LAPSED
    held.save(update_fields=["state"])
    _on_record(held, Action.EXTENSION_LAPSED, BY_SYSTEM, now, code=code)


def may_be_proposed(case: Case) -> bool:
    """Whether the page that proposes an extension has anything to say: it then says itself what stands against it."""
    return bool(case.state != State.CLOSED and queries.extension_rule(case) is not None and not living(case))
