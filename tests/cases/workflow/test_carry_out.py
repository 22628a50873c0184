import json
import re

import pytest
from django.utils import timezone

from cases.correspondence import links
from cases.models import (
    DataSubject,
    Decision,
    Delivery,
    FulfilmentTask,
    Item,
    Letter,
    LetterState,
    ResponsePack,
    SourceSystem,
    TaskState,
)
from cases.packs import build
from cases.permissions import by_customer
from cases.words import AnswerBy, Outcome, Right, State
from cases.workflow import answer, carry_out, decide, letters, people
from cases.workflow.intake import Person
from cases.workflow.perform import perform
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job
from dsar.lib.errors import NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from identity import services
from identity.models import AccessToken, TokenPurpose
from tests.factories.cases import SourceFactory, forget, run_jobs

pytestmark = pytest.mark.django_db


def answered(desk, right=Right.ACCESS, **fields):
    """A case approved, with its jobs run."""
    desk.allow()
    case = desk.in_approval(right, **fields)
    decide.approve(case, desk.dpo, timezone.now())
    run_jobs()
    case.refresh_from_db()
    return case


def reopened(desk):
    """Answered, found wanting, and in review again."""
    case = answered(desk)
    return perform(case, "reopen_to_review", desk.handler, timezone.now(), reason="Something was missed.")


def token_in(body):
    return re.search(r"/r/([\w-]+)/", body)[1]


def erasure(desk):
    case = answered(desk, Right.ERASURE)
    return case, FulfilmentTask.objects.get(case=case)


def test_erasure_is_carried_out_by_tasks_with_evidence(desk):
    case, task = erasure(desk)
    assert (case.state, task.verb) == (State.FULFILLING, "erase")
    assert "people: 1" in task.what

    carry_out.record_task(
        task, True, "Deleted in the CRM, searched again: nothing.", desk.handler, timezone.now()
    )
    run_jobs()

    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.FULFILLED)
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
    forget(case)

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


def test_reopened_case_closes_only_with_its_second_answer(desk):
    case = reopened(desk)
    first = Delivery.objects.get()

    case = desk.submitted(case)
    case = decide.approve(case, desk.dpo, timezone.now())
    assert (case.state, carry_out.unfinished(case)) == (State.FULFILLING, ["pack", "letter"])
    run_jobs()

    case.refresh_from_db()
    first.refresh_from_db()
    second = answer.live_delivery(case)
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.PARTLY_FULFILLED)
    assert (first.revoked_at is None, second.pk == first.pk, second.sent_at is None) == (False, False, False)
    assert Letter.objects.filter(case=case, kind="answer", state=LetterState.SENT).count() == 2


def test_refusing_a_reopened_case_waits_for_the_letter(desk):
    case = reopened(desk)
    title, body = decide.draft_letter(case, Outcome.REFUSED, "Excessive.", timezone.now())

    case = decide.propose_closing(
        case, Outcome.REFUSED, title, body, desk.handler, timezone.now(), reasons="Excessive."
    )
    case = decide.approve(case, desk.dpo, timezone.now())

    assert (case.state, carry_out.unfinished(case)) == (State.FULFILLING, ["letter"])


def test_taking_back_the_second_answer_leaves_the_first(desk):
    case = reopened(desk)
    case = decide.approve(desk.submitted(case), desk.dpo, timezone.now())

    carry_out.take_back(case, "Not yet.", desk.handler, timezone.now())
    run_jobs()

    assert [pack.state for pack in ResponsePack.objects.order_by("pk")] == ["ready", "revoked"]
    assert [one.verdict for one in Decision.objects.order_by("pk")] == ["approved", "void"]
    assert Delivery.objects.get().revoked_at is None


def test_answer_taken_back_while_it_is_built_is_not_released(desk, monkeypatch):
    desk.allow()
    case = decide.approve(desk.in_approval(), desk.dpo, timezone.now())
    render = build.render

    def meanwhile(content):
        rendered = render(content)
        with unit_of_work([case.controller_id]):
            carry_out.take_back(case, "One more item was found.", desk.handler, timezone.now())
        return rendered

    monkeypatch.setattr(build, "render", meanwhile)
    run_jobs()

    case.refresh_from_db()
    assert (case.state, ResponsePack.objects.get().state) == (State.REVIEW, "revoked")
    assert Delivery.objects.count() == 0
    assert Letter.objects.filter(case=case, kind="answer").count() == 0


def test_withdrawn_case_answers_nothing(desk):
    desk.allow()
    case = decide.approve(desk.in_approval(), desk.dpo, timezone.now())

    people.withdraw(case, desk.agent, timezone.now())
    run_jobs()

    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.WITHDRAWN)
    assert ResponsePack.objects.get().state == "revoked"
    assert Delivery.objects.count() == 0
    assert list(Letter.objects.filter(case=case).values_list("kind", flat=True)) == ["withdrawn"]


def test_pack_of_something_else_than_was_approved_is_not_built(desk):
    desk.allow()
    case = decide.approve(desk.in_approval(), desk.dpo, timezone.now())
    Item.objects.filter(case=case).update(decision="disclose", exemption="", redactions=None)

    run_jobs()

    pack = ResponsePack.objects.get()
    assert (pack.state, pack.error_code) == ("failed", "digest_differs")
    assert Delivery.objects.count() == 0


def test_answer_cannot_be_taken_back_while_its_letter_is_being_sent(desk):
    desk.allow()
    case = desk.case()
    title, body = decide.draft_letter(case, Outcome.DUPLICATE, "Asked before.", timezone.now())
    case = decide.propose_closing(
        case, Outcome.DUPLICATE, title, body, desk.handler, timezone.now(), reasons="Asked before."
    )
    case = decide.approve(case, desk.dpo, timezone.now())
    letter = Letter.objects.get(case=case, kind="duplicate")
    Job.objects.filter(key=f"letter:{letter.pk}").update(state="running")

    with pytest.raises(Refused) as refusal:
        carry_out.take_back(case, "Not the same.", desk.handler, timezone.now())

    assert refusal.value.code == "being_sent"
    case.refresh_from_db()
    letter.refresh_from_db()
    assert (case.state, letter.state) == (State.FULFILLING, LetterState.QUEUED)


def test_another_customer_does_not_fetch_an_answer(desk):
    case = answered(desk)
    other = desk.case(Right.ACCESS, person=Person(name="Bob Stranger", email="bob@example.com"))

    with pytest.raises(NotAllowed):
        answer.fetch(answer.live_delivery(case), by_customer(other.subject_request_id), timezone.now())

    assert Delivery.objects.get().downloads == 0


def test_revoked_answer_is_made_available_once_with_a_link_that_works(desk):
    case = answered(desk)
    answer.revoke(answer.live_delivery(case), "Asked to.", False, desk.handler, timezone.now())
    pack = ResponsePack.objects.get()

    answer.make_available_again(pack, desk.handler, timezone.now())
    with pytest.raises(Refused) as refusal:
        answer.make_available_again(pack, desk.handler, timezone.now())
    run_jobs()

    assert refusal.value.code == "still_available"
    bodies = [letter.body for letter in Letter.objects.filter(case=case, kind="answer").order_by("pk")]
    assert len(bodies) == 2
    assert services.find_token(token_in(bodies[0]), TokenPurpose.FOLLOW, timezone.now()) is None
    assert services.find_token(token_in(bodies[1]), TokenPurpose.FOLLOW, timezone.now()) is not None
    assert answer.live_delivery(case).sent_at is not None


def test_answer_of_a_reopened_case_is_not_made_available_again(desk):
    reopened(desk)

    with pytest.raises(Refused) as refusal:
        answer.make_available_again(ResponsePack.objects.get(), desk.handler, timezone.now())

    assert refusal.value.code == "not_the_answer"
    assert Delivery.objects.count() == 1


def test_erasure_waits_for_the_copy_that_was_asked_for_as_somebody_new(desk):
    """Who asks twice through the portal is noted twice."""
    case, task = erasure(desk)
    other = desk.case(Right.ACCESS)
    assert other.subject_id != case.subject_id

    with pytest.raises(Refused) as refusal:
        carry_out.record_task(task, True, "Deleted.", desk.handler, timezone.now())

    assert refusal.value.code == "access_case_open"


def test_hold_on_the_same_person_noted_twice_stops_an_erasure(desk):
    _case, task = erasure(desk)
    other = desk.case(Right.RECTIFICATION)
    DataSubject.objects.filter(pk=other.subject_id).update(legal_hold=True)

    with pytest.raises(Refused) as refusal:
        carry_out.record_task(task, True, "Deleted.", desk.handler, timezone.now())

    assert refusal.value.code == "legal_hold"


def test_erasure_that_could_not_be_done_is_decided_anew(desk):
    case, task = erasure(desk)

    case = carry_out.record_task(task, False, "The CRM cannot delete.", desk.handler, timezone.now())

    assert case.state == State.REVIEW
    assert Letter.objects.filter(case=case, kind="done").count() == 0


def test_letter_says_where_an_erasure_could_not_be_done(desk):
    records = {"people": [{"id": 7, "email": "ada@example.com", "name": "Ada Example"}], "notes": []}
    SourceFactory.create(controller=desk.controller, name="Shop", options={"records": json.dumps(records)})
    case = answered(desk, Right.ERASURE)
    shop = FulfilmentTask.objects.get(case=case, source__name="Shop")
    crm = FulfilmentTask.objects.get(case=case, source__name="CRM")

    carry_out.record_task(crm, True, "Deleted.", desk.handler, timezone.now())
    carry_out.record_task(shop, False, "It cannot delete.", desk.handler, timezone.now())
    run_jobs()

    case.refresh_from_db()
    body = Letter.objects.get(case=case, kind="done").body
    assert case.outcome == Outcome.PARTLY_FULFILLED
    assert body.count("In these places it could not be carried out: Shop.") == 1
    assert body.index("In these places") < body.index("Yours sincerely")


def test_right_without_a_source_is_still_somebodys_task(desk):
    SourceSystem.objects.update(is_active=False)

    case = desk.case(Right.OBJECTION, about_marketing=True)

    assert [(task.source, task.verb) for task in case.tasks.all()] == [(None, "stop")]


def test_customer_cannot_say_that_a_letter_bounced(desk):
    case = answered(desk)
    letter = Letter.objects.get(case=case, kind="answer")

    with pytest.raises(NotAllowed):
        carry_out.letter_bounced(letter, by_customer(case.subject_request_id), timezone.now())

    letter.refresh_from_db()
    assert letter.state == LetterState.SENT


def test_drill_writes_to_nobody(desk):
    case = desk.case(is_drill=True)

    with pytest.raises(Refused) as refusal:
        letters.say(case, "Hello.", desk.handler, timezone.now())

    assert refusal.value.code == "drill"
    assert Letter.objects.count() == 0


def test_erasure_and_access_of_one_request_share_the_check(desk):
    case = desk.case()
    request = case.subject_request

    assert [one.reference for one in request.cases.all()] == [f"{request.reference}/A"]


def test_link_of_the_customer_is_made_when_the_letter_is_sent(desk):
    desk.allow()
    case = desk.in_approval()
    drafted = decide.open_decision(case).letter_body
    before = AccessToken.objects.count()

    decide.approve(case, desk.dpo, timezone.now())
    run_jobs()

    sent = Letter.objects.get(case=case, kind="answer").body
    assert (links.STAND_IN in drafted, links.STAND_IN in sent) == (True, False)
    assert AccessToken.objects.count() == before + 1
