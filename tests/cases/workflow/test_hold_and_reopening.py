"""A legal hold keeps what was already to be erased; a closed case is worked again by a verb of its own."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cases import queries
from cases.models import Case, DataSubject, LegalHold, TaskState
from cases.permissions import by_staff
from cases.words import Outcome, Right, State
from cases.workflow import carry_out, decide, hold, people, questions, reopening
from cases.workflow.intake import Person
from dsar.audit.models import AuditEvent
from dsar.lib.errors import Conflict, NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from identity.roles import Role
from tests.cases.workflow.conftest import make_desk
from tests.factories.cases import run_jobs
from tests.factories.identity import ControllerFactory, staff

pytestmark = pytest.mark.django_db


def fresh(case: Case) -> Case:
    return Case.objects.select_related("subject", "controller").get(pk=case.pk)


def to_erase(desk) -> Case:
    """An erasure that is approved and waits to be carried out."""
    desk.allow()
    return decide.approve(desk.in_approval(Right.ERASURE), desk.dpo, timezone.now())


# -- holds -----------------------------------------------------------------------------------------------------


def test_erasure_that_was_approved_before_is_not_carried_out_under_a_hold(desk):
    case = to_erase(desk)
    task = case.tasks.first()

    hold.set_hold(case, "A claim is pending.", desk.dpo, timezone.now())
    with pytest.raises(Refused) as refusal:
        carry_out.record_task(task, True, "Gone.", desk.handler, timezone.now())

    task.refresh_from_db()
    assert (refusal.value.code, task.state, fresh(case).carried_out) == ("legal_hold", TaskState.OPEN, False)


def test_hold_reaches_every_row_by_which_the_person_is_known(desk):
    """The erasure was asked for in the portal, under a row of its own; the hold is set from another case."""
    case = to_erase(desk)
    other = desk.in_review()
    assert other.subject_id != case.subject_id

    hold.set_hold(other, "A claim is pending.", desk.dpo, timezone.now())
    with pytest.raises(Refused) as refusal:
        carry_out.record_task(case.tasks.first(), True, "Gone.", desk.handler, timezone.now())

    assert refusal.value.code == "legal_hold"
    assert AuditEvent.objects.filter(action="case.hold_set", case_id__in=[case.pk, other.pk]).count() == 2


def test_person_who_asks_anew_under_a_hold_is_held(desk):
    hold.set_hold(desk.in_review(), "A claim is pending.", desk.dpo, timezone.now())

    asked_later = desk.case(Right.ERASURE)

    assert queries.is_held(fresh(asked_later).subject)


def test_hold_of_one_person_holds_nobody_else(desk):
    mine, other = desk.in_review(), desk.case(person=Person(name="Bob Stranger", email="bob@example.com"))

    hold.set_hold(mine, "A claim is pending.", desk.dpo, timezone.now())

    assert not queries.is_held(fresh(other).subject)
    assert DataSubject.objects.filter(legal_hold=True).count() == 1


def test_lifted_hold_lets_the_erasure_go_on(desk):
    case = to_erase(desk)
    hold.set_hold(case, "A claim is pending.", desk.dpo, timezone.now())

    hold.lift_hold(fresh(case), "The claim was settled.", desk.dpo, timezone.now())
    carry_out.record_task(case.tasks.first(), True, "Gone.", desk.handler, timezone.now())

    kept = LegalHold.objects.get()
    assert (kept.reason, kept.lift_reason) == ("A claim is pending.", "The claim was settled.")
    assert (kept.set_by_id, kept.lifted_by_id) == (desk.dpo.person_id, desk.dpo.person_id)
    assert fresh(case).carried_out


@pytest.mark.parametrize("person", ["agent", "handler", "reviewer"])
def test_only_who_is_permitted_sets_and_lifts(desk, person):
    case, by = desk.in_review(), getattr(desk, person)

    with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
        hold.set_hold(case, "Mine.", by, timezone.now())
    hold.set_hold(case, "A claim is pending.", desk.dpo, timezone.now())
    with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
        hold.lift_hold(fresh(case), "Mine.", by, timezone.now())

    assert queries.is_held(fresh(case).subject)


def test_stranger_sets_no_hold(desk):
    case = desk.in_review()
    stranger = by_staff(staff(Role.DPO, ControllerFactory.create()))

    with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
        hold.set_hold(case, "Mine.", stranger, timezone.now())

    assert (LegalHold.objects.count(), queries.is_held(fresh(case).subject)) == (0, False)


def test_hold_is_set_once_and_lifted_once(desk):
    case = desk.in_review()
    with pytest.raises(Conflict):
        hold.lift_hold(case, "None.", desk.dpo, timezone.now())
    hold.set_hold(case, "A claim is pending.", desk.dpo, timezone.now())

    with pytest.raises(Conflict):
        hold.set_hold(fresh(case), "Another.", desk.dpo, timezone.now())

    assert LegalHold.objects.count() == 1


def test_hold_needs_a_reason(desk):
    with pytest.raises(Refused) as refusal:
        hold.set_hold(desk.in_review(), " ", desk.dpo, timezone.now())

    assert (refusal.value.code, LegalHold.objects.count()) == ("reason_missing", 0)


# -- reopening -----------------------------------------------------------------------------------------------


def closed_without_reply(desk) -> Case:
    """Asked what was meant, never answered, closed as UK law allows."""
    desk.allow()
    case = questions.ask_clarification(desk.in_review(), "Which account?", True, desk.handler, timezone.now())
    case = decide.propose_closing(
        case, Outcome.NO_REPLY, "Title", "Body", desk.handler, timezone.now(), reasons="No reply."
    )
    decide.approve(case, desk.dpo, timezone.now())
    run_jobs()
    return fresh(case)


def test_case_reopens_to_where_it_is_worked(desk):
    case = closed_without_reply(desk)
    assert (case.state, case.clock_state) == (State.CLOSED, "paused")

    case = reopening.reopen(case, reopening.REVIEW, "Something was missed.", desk.handler, timezone.now())

    assert (case.state, case.outcome, case.clock_state) == (State.REVIEW, "", "running")
    assert case.notes.get(about="reopen_to_review").text == "Something was missed."


def test_reopening_searches_again_where_asked(desk):
    case = closed_without_reply(desk)

    case = reopening.reopen(case, reopening.SEARCH, "A source was new.", desk.handler, timezone.now())

    assert case.runs.count() == 2


def test_question_that_was_answered_after_all_paused_until_then(desk):
    case = closed_without_reply(desk)
    asked_at = case.clock_events.get(kind="clarification_requested").at
    now = timezone.now() + timedelta(days=10)
    answered_at = asked_at + timedelta(days=4)

    case = reopening.reopen(case, reopening.REVIEW, "They wrote.", desk.handler, now, answered_at=answered_at)

    fact = case.clock_events.get(kind="clarification_received")
    stays = [one for one in queries.deadline_of(case, now).stretches if one.kind == "paused"]
    assert (fact.at, case.clock_state) == (answered_at, "running")
    assert stays[0].to_on == answered_at.astimezone(desk.controller.zone).date()


def test_reopening_needs_a_reason_and_no_future(desk):
    case = closed_without_reply(desk)
    now = timezone.now()

    for reason, at, code in (
        (" ", None, "reason_missing"),
        ("So.", now + timedelta(days=1), "fact_in_the_future"),
    ):
        with pytest.raises(Refused) as refusal:
            reopening.reopen(case, reopening.REVIEW, reason, desk.handler, now, answered_at=at)
        assert refusal.value.code == code

    assert fresh(case).state == State.CLOSED


def test_agent_and_stranger_reopen_nothing(desk):
    case = closed_without_reply(desk)

    for somebody in (desk.agent, make_desk(ControllerFactory.create()).handler):
        with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
            reopening.reopen(case, reopening.REVIEW, "Mine.", somebody, timezone.now())

    assert fresh(case).state == State.CLOSED


def test_complaint_reopens_to_review_whatever_was_asked(desk):
    case = desk.case(Right.COMPLAINT)
    people.withdraw(case, desk.handler, timezone.now())

    case = reopening.reopen(fresh(case), reopening.SEARCH, "They insist.", desk.handler, timezone.now())

    assert (case.state, case.runs.count()) == (State.REVIEW, 0)
