"""A complaint against the handling: its own clock, its outcome, and who may judge it."""

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from cases import queries
from cases.models import Case, Decision, Letter, LetterState
from cases.permissions import By, by_customer, by_staff
from cases.words import COMPLAINT_OUTCOMES, AnswerBy, Channel, Outcome, Right, State
from cases.workflow import carry_out, complaint, decide, lateness, people
from cases.workflow.intake import Person
from dsar.audit.models import AuditEvent
from dsar.lib.errors import NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from identity.models import Membership, User
from identity.roles import Role
from tests.factories.cases import run_jobs
from tests.factories.identity import staff

pytestmark = pytest.mark.django_db

IN_JULY = datetime(2026, 7, 1, 10, tzinfo=timezone.get_fixed_timezone(60))


def answered(desk, **fields) -> Case:
    """A case that the handler worked, the DPO approved, and the customer has."""
    desk.allow()
    case = decide.approve(desk.in_approval(**fields), desk.dpo, timezone.now())
    run_jobs()
    return Case.objects.get(pk=case.pk)


def complained(desk, case: Case, at: datetime | None = None) -> Case:
    at = at or timezone.now()
    request = people.complain(case, "It took for ever.", Channel.CALL, at, desk.agent, at)
    return request.cases.get()


def decided(desk, case: Case, by: By, outcome: str = Outcome.UPHELD) -> Case:
    now = timezone.now()
    title, body = decide.draft_letter(case, outcome, "We lost the letter.", now)
    return decide.submit(case, title, body, by, now, reasons="We lost the letter.", complaint_outcome=outcome)


def second_dpo(desk) -> By:
    return by_staff(staff(Role.DPO, desk.controller))


# -- the acknowledgement -----------------------------------------------------------------------------------


def test_complaint_has_thirty_days_to_be_acknowledged(desk):
    case = complained(desk, desk.in_review(), IN_JULY)

    assert (case.due_on, case.clock_state, case.state) == (date(2026, 7, 31), "running", State.REVIEW)


def test_duty_binds_from_its_first_day(desk):
    before = datetime(2026, 6, 18, 23, 59, tzinfo=desk.controller.zone)
    answered_case = desk.in_review()

    early = complained(desk, answered_case, before)
    in_force = complained(desk, answered_case, before + timedelta(minutes=1))

    assert (early.due_on, early.clock_state) == (None, "not_applicable")
    assert (in_force.due_on, in_force.clock_state) == (date(2026, 7, 20), "running")


def test_acknowledgement_that_was_sent_stops_the_clock(desk):
    case = complained(desk, desk.in_review())
    before = case.due_on

    run_jobs()

    case.refresh_from_db()
    letter = Letter.objects.get(subject_request=case.subject_request, kind="acknowledgement")
    assert (before is not None, case.due_on, case.clock_state) == (True, None, "met")
    assert case.urgent_on == case.target_on
    assert "We have your complaint" in letter.title
    assert queries.deadline_of(case, timezone.now()).steps[-1].code == "acknowledged"


def test_letter_in_the_tray_acknowledges_nothing(desk):
    person = Person(name="Grace Post", postal_address="2 High St\nYork")
    case = complained(desk, desk.in_review(person=person, answer_by=AnswerBy.POST))
    run_jobs()
    case.refresh_from_db()
    waiting = case.clock_state
    letter = Letter.objects.get(subject_request=case.subject_request, state=LetterState.TO_PRINT)

    carry_out.posted(letter, "RM1", desk.handler, timezone.now())

    case.refresh_from_db()
    assert (waiting, case.clock_state) == ("running", "met")


def test_bounce_takes_the_acknowledgement_back(desk):
    case = complained(desk, desk.in_review())
    due_on = case.due_on
    run_jobs()
    letter = Letter.objects.get(subject_request=case.subject_request, kind="acknowledgement")

    carry_out.letter_bounced(letter, desk.handler, timezone.now())

    case.refresh_from_db()
    assert (case.due_on, case.clock_state) == (due_on, "running")


def test_late_acknowledgement_makes_the_complaint_late_until_then(desk):
    case = complained(desk, desk.in_review(), IN_JULY)

    late = lateness.missed(case, datetime(2026, 8, 1, 12, tzinfo=desk.controller.zone))
    run_jobs()
    case.refresh_from_db()

    assert late == date(2026, 7, 31)
    assert lateness.missed(case, timezone.now()) is None


# -- the outcome ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", COMPLAINT_OUTCOMES)
def test_complaint_ends_in_its_outcome_with_a_letter(desk, outcome):
    case = complained(desk, answered(desk))

    case = decided(desk, case, desk.second_handler, outcome)
    decide.approve(case, second_dpo(desk), timezone.now())
    run_jobs()

    case.refresh_from_db()
    letter = case.letters.get(kind="complaint_outcome")
    assert (case.state, case.outcome, letter.state) == (State.CLOSED, outcome, LetterState.SENT)
    assert "We lost the letter." in letter.body
    assert "ico.org.uk" in letter.body


@pytest.mark.parametrize("outcome", ["", Outcome.FULFILLED, Outcome.REFUSED])
def test_complaint_has_no_other_outcome(desk, outcome):
    case = complained(desk, answered(desk))

    with pytest.raises(Refused) as refusal:
        decide.submit(
            case, "T", "B", desk.second_handler, timezone.now(), reasons="R", complaint_outcome=outcome
        )

    assert (refusal.value.code, case.decisions.count()) == ("unknown_outcome", 0)


def test_outcome_gives_its_reasons(desk):
    case = complained(desk, answered(desk))

    with pytest.raises(Refused) as refusal:
        decide.submit(
            case, "T", "B", desk.second_handler, timezone.now(), complaint_outcome=Outcome.NOT_UPHELD
        )

    assert (refusal.value.code, case.decisions.count()) == ("reasons_missing", 0)


# -- who may judge --------------------------------------------------------------------------------------------


def test_whoever_prepared_the_answer_does_not_answer_the_complaint(desk):
    case = complained(desk, answered(desk))

    with pytest.raises(Refused) as refusal, unit_of_work([desk.controller.pk]):
        decided(desk, case, desk.handler)

    assert (refusal.value.code, case.decisions.count()) == ("worked_it_before", 0)
    assert AuditEvent.objects.filter(case_id=case.pk, data__code="worked_it_before").count() == 1


def test_whoever_approved_the_answer_does_not_approve_the_complaints(desk):
    case = decided(desk, complained(desk, answered(desk)), desk.second_handler)

    with pytest.raises(Refused) as refusal, unit_of_work([desk.controller.pk]):
        decide.approve(case, desk.dpo, timezone.now())

    case.refresh_from_db()
    assert (refusal.value.code, case.state) == ("worked_it_before", State.APPROVAL)
    assert Decision.objects.get(case=case).approved_by_id is None


def test_whoever_owned_the_case_once_is_not_given_the_complaint(desk):
    """The case was handed on before the customer complained."""
    case = desk.in_review()
    for owner in (desk.second_handler, desk.handler):
        person = User.objects.get(pk=owner.person_id)
        case = people.assign(case, person, desk.handler, timezone.now())
    linked = complained(desk, case)

    with pytest.raises(Refused) as refusal:
        people.assign(
            linked, User.objects.get(pk=desk.second_handler.person_id), desk.handler, timezone.now()
        )

    linked.refresh_from_db()
    assert (refusal.value.code, linked.owner) == ("worked_it_before", None)


def test_reviewer_who_decided_for_the_controller_is_kept_out_too(desk):
    case = decide.approve(desk.in_approval(), desk.dpo, timezone.now())
    decide.approve_for_controller(case, desk.reviewer, timezone.now())
    assert desk.reviewer.person_id is not None

    assert complaint.dealt_with(case, desk.reviewer.person_id)
    assert not complaint.dealt_with(case, desk.second_handler.person_id)


def test_who_decided_about_records_is_kept_out(desk):
    Membership.objects.filter(user=desk.second_handler.person_id).update(extra=["approve"])
    case = desk.in_approval()

    assert complaint.dealt_with(case, desk.handler.person_id)


def test_customer_does_not_complain_about_anothers_case(desk):
    mine = desk.in_review()
    other = desk.case(person=Person(name="Bob Stranger", email="bob@example.com"))

    with pytest.raises(NotAllowed):
        people.complain(
            mine,
            "Slow.",
            Channel.PORTAL,
            timezone.now(),
            by_customer(other.subject_request_id),
            timezone.now(),
        )

    assert Case.objects.filter(right=Right.COMPLAINT).count() == 0
