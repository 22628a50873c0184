"""Fulfilling: what an approved decision commands, done step by step, and the close that follows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from cases import authority, queries, rights
from cases.collection import runs
from cases.correspondence import send
from cases.correspondence.compose import Kind, before_the_end
from cases.errors import not_yours, unmet
from cases.fulfilment import plans, tasks
from cases.models import (
    Case,
    ChangePlan,
    Decision,
    FulfilmentTask,
    Letter,
    LetterState,
    PackState,
    ResponsePack,
    TaskState,
    Verdict,
)
from cases.permissions import BY_SYSTEM, By
from cases.words import COMPLAINT_OUTCOMES, DISCLOSING, Outcome, Right, State
from cases.workflow import (
    aftermath,
    answer,
    certificate,
    complaint,
    extension,
    kept,
    lateness,
    letters,
    level,
    plan,
    portability,
    recipients,
    reopening,
    restriction,
)
from cases.workflow.perform import act, lock, lock_all, perform, put_on_record, touch
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.lib.errors import Refused
from dsar.lib.prepared import Prepared
from identity.roles import Permission

ENDS_IN_A_LETTER = (
    Outcome.REFUSED,
    Outcome.NO_DATA,
    Outcome.NOT_A_REQUEST,
    Outcome.DUPLICATE,
    Outcome.TRANSFERRED,
    Outcome.IDENTITY_NOT_VERIFIED,
    Outcome.NO_REPLY,
    *COMPLAINT_OUTCOMES,
)

KIND_OF: dict[str, Kind] = {
    Outcome.REFUSED: Kind.REFUSAL,
    Outcome.NOT_A_REQUEST: Kind.NOT_A_REQUEST,
    Outcome.DUPLICATE: Kind.DUPLICATE,
    Outcome.TRANSFERRED: Kind.TRANSFERRED,
    Outcome.IDENTITY_NOT_VERIFIED: Kind.IDENTITY_NOT_VERIFIED,
    Outcome.NO_REPLY: Kind.NO_REPLY,
    **dict.fromkeys(COMPLAINT_OUTCOMES, Kind.COMPLAINT_OUTCOME),
}

# Whoever complained has been told that the complaint is here.
ACKNOWLEDGES = frozenset({Kind.ACKNOWLEDGEMENT, Kind.COMPLAINT_OUTCOME})


def start(case: Case, decision: Decision, by: By, now: datetime) -> Case:
    """Set off what the decision commands: a pack, tasks in the sources, or a letter."""
    plan.decided(case, decision, by, now)
    if case.right in DISCLOSING and decision.outcome not in ENDS_IN_A_LETTER:
        answer.order_pack(case, decision, now)
        portability.order_transfer(case, decision, now)
    elif decision.outcome in ENDS_IN_A_LETTER and plans.acting(case) is None:
        send_letter(case, decision, by, now)
    else:
        planned = plans.acting(case)
        made = make_tasks(case, decision, by, now)
        restriction.approved(case, decision, now)
        if planned is not None:
            _execution().order(planned, now)
            _tell_when(case, planned, decision, by, now)
        elif not made:
            _tell_done(case, decision, [], by, now)
    return settle(case, now)


def send_letter(case: Case, decision: Decision, by: By, now: datetime) -> list[Letter]:
    """The decision's own letter, as it was approved, to whom it may go. A drill writes to nobody."""
    if case.is_drill:
        return []
    kind = KIND_OF.get(decision.outcome) or (Kind.ANSWER if case.right in DISCLOSING else Kind.DONE)
    words = {"title": decision.letter_subject, "body": decision.letter_body}
    return letters.to_recipients(kind, case, by, now, **words)


def make_tasks(case: Case, decision: Decision | None, by: By, now: datetime) -> list[FulfilmentTask]:
    """One task per source for what is to be erased, corrected, restricted or stopped there.

    At least one, but for an automated decision that stands: nothing is to be done about it.
    """
    return [] if plans.acting(case) else tasks.make(case, decision, now)


def record_task(task: FulfilmentTask, done: bool, evidence: str, by: By, now: datetime) -> Case:
    """Record how a task was done, or why it could not be; the last one lets the case go on.

    Raises Refused for an erasure that must wait: an open access case of the same person, or a legal hold.
    """
    if not evidence.strip():
        raise Refused(_("Say how it was done and checked, or why it could not be."), "evidence_missing")
    with transaction.atomic():
        case = act(task.case, Permission.WORK, by, now, name="record_task")
        locked = FulfilmentTask.objects.select_for_update().get(pk=task.pk)
        locked.case = case
        if case.state != State.FULFILLING or locked.state != TaskState.OPEN:
            raise Refused(_("This task is not open any more."), "task_not_open")
        if done:
            may_be_done(case, now)
            _demand_begun(case, now)
        lateness.demand(case, lateness.NOT_SAID, by, now)
        locked.state = TaskState.DONE if done else TaskState.IMPOSSIBLE
        locked.evidence, locked.done_by_id, locked.done_at = evidence.strip(), by.person_id, now
        locked.save()
        put_on_record(
            case,
            Action.TASK_RECORDED,
            by,
            now,
            {"task": str(locked.pk), "verb": locked.verb, "state": locked.state},
        )
        restriction.task_recorded(locked)
        if done and not case.carried_out:
            case.carried_out = True
        touch(case, "carried_out")
        _after_tasks(case, by, now)
        return settle(case, now)


def _execution() -> Any:
    """Execution needs this module for the end of a case."""
    from cases.workflow import execution

    return execution


def _demand_begun(case: Case, now: datetime) -> None:
    """What is done by hand waits as well while the customer may cancel."""
    planned = plans.live(case)
    if planned is not None and planned.executes_at and planned.executes_at > now:
        raise Refused(
            _("The customer can still cancel: nothing is carried out before that time is over."),
            "time_to_cancel",
        )


def may_be_done(case: Case, now: datetime) -> None:
    """Checked again at the moment of execution, whatever was approved."""
    if not level.is_known(case, now):
        raise unmet(level.why_not(case))
    if case.right != Right.ERASURE:
        return
    if queries.is_held(case.subject):
        raise Refused(_("A legal hold lies on this person's data: nothing is erased."), "legal_hold")
    if waits_for_copy(case):
        raise Refused(
            _("An open access case of the same person still lacks its copy: answer that one first."),
            "access_case_open",
        )


def waits_for_copy(case: Case) -> bool:
    """An erasure waits while an open access case of the same person lacks its copy."""
    copies = Case.objects.filter(
        subject_id__in=queries.same_person(case.subject), right__in=DISCLOSING, is_drill=case.is_drill
    )
    return copies.exclude(state=State.CLOSED).exists()


def _after_tasks(case: Case, by: By, now: datetime) -> None:
    """When the last task is recorded the customer is told; what could not be done makes it partial.

    Where nothing could be done, the letter that was approved would lie: the case goes back to be decided anew.
    """
    if case.right in DISCLOSING:
        _tell_passed_on(case, by, now)
        return
    planned = plans.live(case)
    if planned is not None:
        planned.case = case
        _execution().go_on(planned, by, now)
        return
    decision = _standing(case)
    recorded = list(case.tasks.filter(decision=decision).select_related("source"))
    if any(task.state == TaskState.OPEN for task in recorded):
        return
    if all(task.state == TaskState.IMPOSSIBLE for task in recorded) and not case.carried_out:
        take_back(case, _("None of it could be carried out."), by, now)
        return
    impossible = [task for task in recorded if task.state == TaskState.IMPOSSIBLE]
    if impossible:
        _in_part(case)
    aftermath.without_plan(case, decision, by, now)
    _tell_done(case, decision, _places(impossible), by, now)


def _in_part(case: Case) -> None:
    case.proposed_outcome = Outcome.PARTLY_FULFILLED
    case.save(update_fields=["proposed_outcome"])


def _places(impossible: list[FulfilmentTask]) -> list[str]:
    return sorted(task.source.name if task.source else _("our files") for task in impossible)


def changes_ended(
    case: Case,
    decision: Decision | None,
    not_done: list[str],
    by: By,
    now: datetime,
    stays: Sequence[plans.Kept] = (),
) -> Case:
    """A plan was carried out and proven: the customer is told, also of what could not be done, or stays after all."""
    if (not_done or stays) and case.proposed_outcome != Outcome.REFUSED:
        _in_part(case)
    _tell_done(case, decision, not_done, by, now, stays)
    return settle(case, now)


def _tell_done(
    case: Case,
    decision: Decision | None,
    not_done: list[str],
    by: By,
    now: datetime,
    stays: Sequence[plans.Kept] = (),
) -> None:
    """The letter as it was approved, and what could not be done, or stays, after all. A drill writes to nobody."""
    if case.is_drill:
        return
    request = case.subject_request
    title, body = (
        (decision.letter_subject, decision.letter_body)
        if decision
        else letters.draft(Kind.DONE, request, now, case=case, outcome=case.proposed_outcome)
    )
    added = [_not_done(not_done, request.language)] if not_done else []
    added += [_stays(case, stays)] if stays else []
    body = before_the_end(body, [*added, *aftermath.paragraphs(case, request.language)], request.language)
    kind = KIND_OF.get(case.proposed_outcome, Kind.DONE)
    written = letters.to_recipients(kind, case, by, now, title=title, body=body)
    certificate.give(case, written, by, now)


def _tell_when(case: Case, planned: ChangePlan, decision: Decision, by: By, now: datetime) -> None:
    """Who can still cancel is told until when, and how: a time that nobody knows of is none."""
    until = planned.executes_at
    if until is None or until <= now or case.is_drill:
        return
    facts = {"until": until, "partly": decision.outcome == Outcome.PARTLY_FULFILLED}
    title, body = letters.draft(Kind.ERASURE_PLANNED, case.subject_request, now, case=case, **facts)
    letters.to_recipients(Kind.ERASURE_PLANNED, case, by, now, title=title, body=body)


def _tell_passed_on(case: Case, by: By, now: datetime) -> None:
    """Whether the data went to the controller that the person named; their own copy comes with the answer."""
    is_done = portability.is_transferred(case)
    if is_done is None or case.is_drill:
        return
    facts = {"is_passed_on": is_done, "passed_to": rights.said(case).get("to", "")}
    title, body = letters.draft(Kind.PASSED_ON, case.subject_request, now, case=case, **facts)
    letters.to_recipients(Kind.PASSED_ON, case, by, now, title=title, body=body)


def _not_done(places: list[str], language: str) -> str:
    with translation.override(language):
        named = {"places": ", ".join(places)}
        return _("In these places it could not be carried out: %(places)s.") % named


def _stays(case: Case, found: Sequence[plans.Kept]) -> str:
    """Reasons are owed for each record that is not erased (Art 12(4)), also for those that were decided anew."""
    with translation.override(case.subject_request.language):
        first = _("Some records changed while this was being carried out. They are kept:")
        return "\n".join([first, *(f"- {one}" for one in kept.sentences(case, found))])


def _standing(case: Case) -> Decision | None:
    """The decision that is being carried out; none where the law asks for none (Art 21(3))."""
    found: Decision | None = case.decisions.filter(
        verdict=Verdict.APPROVED, proposed_at__gte=_reopened_at(case)
    ).last()
    return found


def letter_sent(letter: Letter, by: By, now: datetime) -> None:
    """A letter is out. Where it was the answer, something was carried out, and the case may close."""
    if letter.kind == Kind.EXTENSION:
        extension.sent(letter, by, now)
    elif letter.kind in ACKNOWLEDGES:
        complaint.acknowledged(letter, by, now)
    elif letter.kind == Kind.RESTRICTION_ENDS:
        restriction.told(letter, by, now)
    if letter.kind == Kind.RECIPIENT and letter.case_id is not None:
        case = lock(letter.case_id)
        recipients.letter_sent(letter, now)
        settle(case, now)
        return
    if letter.case_id is None or letter.kind not in letters.ANSWERS:
        return
    case = lock(letter.case_id)
    if case.state in {State.FULFILLING, State.CLOSED}:
        answer.sent(case, letter, by, now)
    if case.state == State.FULFILLING:
        case.carried_out = True
        touch(case, "carried_out")
        settle(case, now)


def mailed(letter: Letter, now: datetime) -> None:
    """The mail server took a letter; where it was the answer, the case may close."""
    locked = _hold(letter)
    send.mark_sent(locked, BY_SYSTEM, now)
    letter_sent(locked, BY_SYSTEM, now)


def leaving(letter_id: UUID, now: datetime) -> Letter | None:
    """A mail that is about to be sent, held; None where it is not to be sent any more.

    A notice whose last day has passed is stopped here, before it leaves the house; so is an answer to somebody
    of whom it is not sure any more who they are, or who may not have it any more.
    """
    held = _hold(Letter.objects.get(pk=letter_id))
    if held.state != LetterState.QUEUED:
        return None
    refusal = extension.why_not_sent(held, now)
    if refusal is not None:
        extension.stop(held, refusal, now)
        return None
    code = _why_not_told(held, now)
    if code:
        send.mark_failed(held, code, BY_SYSTEM, now)
        return None
    return held


def _why_not_told(letter: Letter, now: datetime) -> str:
    """Why an answer may not leave at this very moment, as a code; other letters tell nothing of what was decided."""
    if letter.case_id is None or letter.kind not in letters.ANSWERS:
        return ""
    case = lock(letter.case_id)
    if not level.may_be_told(case, now):
        return level.lapsed(case)
    return "" if letter.party in authority.recipients(case, now) else "recipient_changed"


def _hold(letter: Letter) -> Letter:
    """The letter, locked after its case, as everywhere."""
    if letter.case_id is not None:
        lock(letter.case_id)
    elif letter.kind == Kind.ACKNOWLEDGEMENT:
        lock_all(letter.subject_request_id)
    held: Letter = (
        Letter.objects.select_for_update(of=("self",))
        .select_related("subject_request__controller")
        .get(pk=letter.pk)
    )
    return held


def posted(letter: Letter, tracking: str, by: By, now: datetime) -> None:
    """A printed letter was handed to the post; where it was the answer, the case may close.

    Raises Refused for a notice that is too late, and for a late answer without a reason.
    """
    with transaction.atomic():
        held = _hold(letter)
        refusal = extension.why_not_sent(held, now)
        if refusal is not None:
            raise refusal
        code = _why_not_told(held, now)
        if code:
            what = "identity" if code == "identity_lapsed" else "authority"
            raise unmet(f"{what}_suffices_for_answer")
        if held.kind in letters.ANSWERS and held.case_id is not None:
            case = lock(held.case_id)
            lateness.demand(case, lateness.NOT_SAID, by, now, case.proposed_outcome)
        letters.mark_posted(letter, tracking, by, now)
        letter_sent(letter, by, now)


def settle(case: Case, now: datetime) -> Case:
    """Close a fulfilling case when nothing is left to do: tasks, pack, and letters that were sent."""
    return settle_held(lock(case.pk), now)


def settle_held(case: Case, now: datetime) -> Case:
    """The same for a case as it was locked in this very transaction, and changed by its holder alone since."""
    if case.state != State.FULFILLING or unfinished(case):
        return case
    runs.abandon(case, now)
    extension.drop(case, now)
    return perform(case, "close", BY_SYSTEM, now, is_held=True)


_OPEN_TASK = Prepared(
    lambda case_id: (
        FulfilmentTask.objects.filter(case_id=case_id, state=TaskState.OPEN)
        .order_by()
        .values_list("pk", flat=True)[:1]
    ),
    UUID,
)
_UNREADY_PACK = Prepared(
    lambda case_id: (
        ResponsePack.objects.filter(case_id=case_id, state__in=[PackState.BUILDING, PackState.FAILED])
        .order_by()
        .values_list("pk", flat=True)[:1]
    ),
    UUID,
)


def unfinished(case: Case) -> list[str]:
    """Codes of what still has to happen before a fulfilling case can close."""
    left = []
    if _OPEN_TASK.exists(case.pk):
        left.append("tasks")
    if plans.live(case) is not None:
        left.append("changes")
    if _UNREADY_PACK.exists(case.pk):
        left.append("pack")
    if not recipients.are_told(case):
        left.append("recipients")
    # A reopened case has letters of an earlier answer, which are not this one.
    answers = case.letters.filter(
        kind__in=letters.ANSWERS, is_incoming=False, written_at__gte=case.state_since
    )
    if not case.is_drill and not _everybody_is_told(answers):
        left.append("letter")
    return left


def _everybody_is_told(answers: "QuerySet[Letter]") -> bool:
    """Each of those to whom the answer goes has it; one letter to one of two is half an answer."""
    states: dict[str, set[str]] = {}
    for party, state in answers.values_list("party", "state"):
        states.setdefault(party, set()).add(state)
    return bool(states) and all(LetterState.SENT in found for found in states.values())


def letter_bounced(letter: Letter, by: By, now: datetime) -> None:
    """A bounce undoes an answer: the case is open again, and somebody has to find another way."""
    if not by.allows(Permission.WORK, letter.controller_id):
        raise not_yours("mark_bounced")
    with transaction.atomic():
        locked = _hold(letter)
        if locked.state != LetterState.SENT:
            raise Refused(_("Only a letter that was sent can come back."), "not_sent")
        send.mark_bounced(locked, by, now)
        _undo_notice(locked, by, now)
        if locked.case_id is None or locked.kind not in letters.ANSWERS:
            return
        case = lock(locked.case_id)
        if case.state == State.CLOSED:
            reopening.reopen(case, reopening.REVIEW, _("The answer bounced."), by, now)


def _undo_notice(letter: Letter, by: By, now: datetime) -> None:
    """What was told by a letter that came back was told to nobody."""
    if letter.kind == Kind.EXTENSION:
        extension.bounced(letter, by, now)
    elif letter.kind in ACKNOWLEDGES:
        complaint.not_acknowledged(letter, by, now)
    elif letter.kind == Kind.RECIPIENT:
        recipients.letter_failed(letter, "bounced", now)
    elif letter.kind == Kind.RESTRICTION_ENDS:
        restriction.not_told(letter, by, now)


def take_back(case: Case, reason: str, by: By, now: datetime, *, version: int | None = None) -> Case:
    """Return an approved case to review before anything was carried out."""
    if not reason.strip():
        raise Refused(_("Say why it is taken back."), "reason_missing")
    with transaction.atomic():
        case = perform(case, "take_back", by, now, version=version, reason=reason.strip())
        undo(case, now)
        return case


def undo(case: Case, now: datetime) -> None:
    """What an approval of a case in the present round has set off ends; what an earlier round gave stands.

    Raises Refused while the mail server is taking the answer.
    """
    standing = _standing(case)
    if standing is not None:
        standing.verdict = Verdict.VOID
        standing.save(update_fields=["verdict"])
    case.tasks.filter(state=TaskState.OPEN).delete()
    _execution().stop(case, now)
    restriction.undone(case)
    answer.drop_unsent(case, now)


def _reopened_at(case: Case) -> datetime:
    """When the present round began: at the last reopening, else when the case was opened."""
    reopenings = AuditEvent.objects.filter(
        case_id=case.pk,
        action=Action.STATE_CHANGED,
        data__transition__in=["reopen_to_search", "reopen_to_review"],
    )
    latest: datetime | None = reopenings.order_by("-seq").values_list("at", flat=True).first()
    return latest or case.opened_at
