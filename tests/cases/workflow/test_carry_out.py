import pytest
from django.utils import timezone

from cases.models import DataSubject, Delivery, FulfilmentTask, Letter, LetterState, ResponsePack, TaskState
from cases.permissions import by_customer
from cases.words import AnswerBy, Outcome, Right, State
from cases.workflow import answer, carry_out, decide, letters
from cases.workflow.intake import Person
from dsar.audit.models import AuditEvent
from dsar.lib.errors import NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from tests.factories.cases import run_jobs

pytestmark = pytest.mark.django_db


def answered(desk, right=Right.ACCESS, **fields):
    """A case approved, with its jobs run."""
    desk.allow()
    case = desk.in_approval(right, **fields)
    decide.approve(case, desk.dpo, timezone.now())
    run_jobs()
    case.refresh_from_db()
    return case


def erasure(desk):
    case = answered(desk, Right.ERASURE)
    return case, FulfilmentTask.objects.get(case=case)


def test_erasure_is_carried_out_by_tasks_with_evidence(desk):
    case, task = erasure(desk)
    assert (case.state, task.verb) == (State.FULFILLING, "erase")
    assert "people: 1" in task.what

    carry_out.record_task(task, True, "Deleted in the CRM, searched again: nothing.", desk.handler, timezone.now())
    run_jobs()

    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.PARTLY_FULFILLED)
    assert Letter.objects.get(case=case, kind="done").state == LetterState.SENT


def test_task_needs_evidence(desk):
    _case, task = erasure(desk)

    with pytest.raises(Refused) as refusal:
        carry_out.record_task(task, True, "  ", desk.handler, timezone.now())

    assert refusal.value.code == "evidence_missing"
    task.refresh_from_db()
    assert task.state == TaskState.OPEN


def test_erasure_waits_for_the_copy_of_an_open_access_case(desk):
    case, task = erasure(desk)
    other = desk.case(Right.ACCESS, subject_id=case.subject_id)

    with pytest.raises(Refused) as refusal:
        carry_out.record_task(task, True, "Deleted.", desk.handler, timezone.now())

    assert refusal.value.code == "access_case_open"
    task.refresh_from_db()
    assert (task.state, other.is_open) == (TaskState.OPEN, True)


def test_erasure_is_refused_under_a_legal_hold(desk):
    case, task = erasure(desk)
    DataSubject.objects.filter(pk=case.subject_id).update(legal_hold=True)

    with pytest.raises(Refused) as refusal:
        carry_out.record_task(task, True, "Deleted.", desk.handler, timezone.now())

    assert refusal.value.code == "legal_hold"


def test_marketing_objection_goes_straight_to_fulfilling(desk):
    case = desk.case(Right.OBJECTION, about_marketing=True)

    assert case.state == State.FULFILLING
    task = FulfilmentTask.objects.get(case=case)
    carry_out.record_task(task, True, "Unsubscribed.", desk.handler, timezone.now())
    run_jobs()
    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.FULFILLED)


def test_bounce_undoes_the_answer(desk):
    case = answered(desk)
    assert case.state == State.CLOSED

    carry_out.letter_bounced(Letter.objects.get(case=case, kind="answer"), desk.handler, timezone.now())

    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.REVIEW, "")


def test_caller_without_email_is_answered_by_recorded_post(desk):
    person = Person(name="Ada Example", phone="+44 20 7946 0000", postal_address="1 High Street\nTown")
    case = answered(desk, person=person, answer_by=AnswerBy.POST)
    letter = Letter.objects.get(case=case, kind="answer")
    assert (case.state, letter.state, letter.by_post) == (State.FULFILLING, LetterState.TO_PRINT, True)

    letters.mark_posted(letter, "RR123456789GB", desk.handler, timezone.now())
    letter.refresh_from_db()
    carry_out.letter_sent(letter, desk.handler, timezone.now())

    case.refresh_from_db()
    assert (case.state, Delivery.objects.get().tracking) == (State.CLOSED, "RR123456789GB")


def test_pack_is_not_fetched_after_it_was_revoked(desk):
    case = answered(desk)
    delivery = answer.live_delivery(case)

    answer.revoke(delivery, "Wrong person.", True, desk.handler, timezone.now())

    with pytest.raises(Refused) as refusal:
        answer.fetch(delivery, by_customer(case.subject_request_id), timezone.now())
    assert refusal.value.code == "revoked"
    assert Delivery.objects.get().downloads == 0
    assert AuditEvent.objects.filter(case_id=case.pk, action="pack.misdirected").count() == 1
    assert Letter.objects.get(kind="misdirected").to_requester is False


def test_pack_is_not_fetched_when_identity_fell_below_the_level(desk):
    case = answered(desk)
    delivery = answer.live_delivery(case)
    type(case).objects.filter(pk=case.pk).update(identity_level=0)

    with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
        answer.fetch(delivery, by_customer(case.subject_request_id), timezone.now())

    assert Delivery.objects.get().downloads == 0
    assert AuditEvent.objects.filter(case_id=case.pk, action="case.act_refused").count() == 1


def test_taken_back_answer_sends_nothing(desk):
    desk.allow()
    case = desk.in_approval()
    case = decide.approve(case, desk.dpo, timezone.now())

    case = carry_out.take_back(case, "One more item was found.", desk.handler, timezone.now())
    run_jobs()

    assert case.state == State.REVIEW
    assert ResponsePack.objects.get().state == "revoked"
    assert Letter.objects.filter(case=case, kind="answer").count() == 0


def test_erasure_and_access_of_one_request_share_the_check(desk):
    case = desk.case()
    request = case.subject_request

    assert [one.reference for one in request.cases.all()] == [f"{request.reference}/A"]
