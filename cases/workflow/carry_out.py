"""Fulfilling: what an approved decision commands, done step by step, and the close that follows."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from cases.correspondence.compose import Kind
from cases.errors import not_yours
from cases.fulfilment import tasks
from cases.models import Case, Decision, FulfilmentTask, Letter, LetterState, PackState, ResponsePack, TaskState, Verdict
from cases.permissions import BY_SYSTEM, By
from cases.words import DISCLOSING, Outcome, Right, State
from cases.workflow import answer, letters
from cases.workflow.perform import act, lock, perform, put_on_record, touch
from dsar.audit.actions import Action
from dsar.lib.errors import Refused
from identity.roles import Permission

ENDS_IN_A_LETTER = (
    Outcome.REFUSED,
    Outcome.NO_DATA,
    Outcome.NOT_A_REQUEST,
    Outcome.DUPLICATE,
    Outcome.TRANSFERRED,
    Outcome.IDENTITY_NOT_VERIFIED,
    Outcome.NO_REPLY,
)

KIND_OF: dict[str, Kind] = {
    Outcome.REFUSED: Kind.REFUSAL,
    Outcome.NOT_A_REQUEST: Kind.NOT_A_REQUEST,
    Outcome.DUPLICATE: Kind.DUPLICATE,
    Outcome.TRANSFERRED: Kind.TRANSFERRED,
    Outcome.IDENTITY_NOT_VERIFIED: Kind.IDENTITY_NOT_VERIFIED,
    Outcome.NO_REPLY: Kind.NO_REPLY,
}


def start(case: Case, decision: Decision, by: By, now: datetime) -> Case:
    """Set off what the decision commands: a pack, tasks in the sources, or a letter."""
    if case.right in DISCLOSING and decision.outcome not in ENDS_IN_A_LETTER:
        answer.order_pack(case, decision, now)
    elif decision.outcome in ENDS_IN_A_LETTER or case.right == Right.COMPLAINT:
        send_letter(case, decision, by, now)
    else:
        make_tasks(case, decision, by, now)
    return settle(case, now)


def send_letter(case: Case, decision: Decision, by: By, now: datetime) -> Letter | None:
    """The decision's own letter, as it was approved. A drill writes to nobody."""
    if case.is_drill:
        return None
    kind = KIND_OF.get(decision.outcome) or (Kind.ANSWER if case.right in DISCLOSING else Kind.DONE)
    return letters.to_requester(
        kind,
        case.subject_request,
        by,
        now,
        case=case,
        title=decision.letter_subject,
        body=decision.letter_body,
    )


def make_tasks(case: Case, decision: Decision | None, by: By, now: datetime) -> list[FulfilmentTask]:
    """One task per source for what is to be erased, corrected, restricted or stopped there."""
    return tasks.make(case, decision, now)


def record_task(
    task: FulfilmentTask, done: bool, evidence: str, by: By, now: datetime
) -> Case:
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
            _may_be_done(case)
        locked.state = TaskState.DONE if done else TaskState.IMPOSSIBLE
        locked.evidence, locked.done_by_id, locked.done_at = evidence.strip(), by.person_id, now
        locked.save()
        put_on_record(
            case, Action.TASK_RECORDED, by, now, {"task": str(locked.pk), "verb": locked.verb, "state": locked.state}
        )
        if done and not case.carried_out:
            case.carried_out = True
        touch(case, "carried_out")
        _after_tasks(case, by, now)
        return settle(case, now)


def _may_be_done(case: Case) -> None:
    """Checked again at the moment of execution, whatever was approved."""
    if case.right != Right.ERASURE:
        return
    if case.subject.legal_hold:
        raise Refused(_("A legal hold lies on this person's data: nothing is erased."), "legal_hold")
    if waits_for_copy(case):
        raise Refused(
            _("An open access case of the same person still lacks its copy: answer that one first."),
            "access_case_open",
        )


def waits_for_copy(case: Case) -> bool:
    """An erasure waits while an open access case of the same person lacks its copy."""
    return (
        Case.objects.filter(subject_id=case.subject_id, right__in=DISCLOSING).exclude(state=State.CLOSED).exists()
    )


def _after_tasks(case: Case, by: By, now: datetime) -> None:
    """When the last task is recorded the customer is told; what could not be done makes it partial."""
    if case.tasks.filter(state=TaskState.OPEN).exists():
        return
    if case.tasks.filter(state=TaskState.IMPOSSIBLE).exists():
        case.proposed_outcome = Outcome.PARTLY_FULFILLED
        case.save(update_fields=["proposed_outcome"])
    decision = case.decisions.filter(verdict=Verdict.APPROVED).last()
    if decision is not None:
        send_letter(case, decision, by, now)
    elif not case.is_drill:
        letters.to_requester(Kind.DONE, case.subject_request, by, now, case=case, outcome=case.proposed_outcome)


def letter_sent(letter: Letter, by: By, now: datetime) -> None:
    """A letter is out. Where it was the answer, something was carried out, and the case may close."""
    if letter.case_id is None or letter.kind not in _ANSWERS:
        return
    case = lock(letter.case_id)
    if case.state == State.FULFILLING:
        case.carried_out = True
        touch(case, "carried_out")
        answer.sent(case, letter, by, now)
        settle(case, now)


def posted(letter: Letter, tracking: str, by: By, now: datetime) -> None:
    """A printed letter was handed to the post; where it was the answer, the case may close."""
    with transaction.atomic():
        letters.mark_posted(letter, tracking, by, now)
        letter_sent(letter, by, now)


_ANSWERS = {Kind.ANSWER, Kind.DONE, *KIND_OF.values()}


def settle(case: Case, now: datetime) -> Case:
    """Close a fulfilling case when nothing is left to do: tasks, pack, and letters that were sent."""
    case = lock(case.pk)
    if case.state != State.FULFILLING or unfinished(case):
        return case
    return perform(case, "close", BY_SYSTEM, now)


def unfinished(case: Case) -> list[str]:
    """Codes of what still has to happen before a fulfilling case can close."""
    left = []
    if case.tasks.filter(state=TaskState.OPEN).exists():
        left.append("tasks")
    if ResponsePack.objects.filter(case=case, state__in=[PackState.BUILDING, PackState.FAILED]).exists():
        left.append("pack")
    answers = case.letters.filter(kind__in=[kind.value for kind in _ANSWERS], is_incoming=False)
    if not case.is_drill and not answers.filter(state=LetterState.SENT).exists():
        left.append("letter")
    return left


def letter_bounced(letter: Letter, by: By, now: datetime) -> None:
    """A bounce undoes an answer: the case is open again, and somebody has to find another way."""
    from cases.correspondence import send

    if by.is_person and not by.allows(Permission.WORK, letter.controller_id):
        raise not_yours("mark_bounced")
    with transaction.atomic():
        locked = Letter.objects.select_for_update().get(pk=letter.pk)
        if locked.state != LetterState.SENT:
            raise Refused(_("Only a letter that was sent can come back."), "not_sent")
        send.mark_bounced(locked, by, now)
        if locked.case_id is None or locked.kind not in _ANSWERS:
            return
        case = act(lock(locked.case_id), Permission.WORK, by, now, name="mark_bounced")
        if case.state == State.CLOSED:
            perform(case, "reopen_to_review", by, now, reason=_("The answer bounced."))


def take_back(case: Case, reason: str, by: By, now: datetime, *, version: int | None = None) -> Case:
    """Return an approved case to review before anything was carried out."""
    if not reason.strip():
        raise Refused(_("Say why it is taken back."), "reason_missing")
    with transaction.atomic():
        case = perform(case, "take_back", by, now, version=version, reason=reason.strip())
        case.decisions.filter(verdict=Verdict.APPROVED).update(verdict=Verdict.VOID)
        case.tasks.filter(state=TaskState.OPEN).delete()
        answer.drop_unsent(case, now)
        return case
