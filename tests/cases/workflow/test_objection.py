"""An objection is weighed on the record; one to marketing is never weighed and never refused."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cases.models import Balancing, Case, FulfilmentTask, Letter, LetterState
from cases.words import Outcome, Right, State
from cases.workflow import carry_out, decide, objection
from cases.workflow.objection import Weighed
from dsar.lib.errors import Refused
from tests.factories.cases import run_jobs

pytestmark = pytest.mark.django_db

STOPS = Weighed(
    "Scoring of my orders", "LEGITIMATE_INTERESTS", "It hurts me.", "Fewer losses.", "Theirs weighs more."
)
GOES_ON = Weighed(
    "Fraud checks", "LEGITIMATE_INTERESTS", "I dislike it.", "A court case.", "A claim is pending.", "CLAIMS"
)


def now():
    return timezone.now()


def weighed(desk, how=STOPS):
    desk.allow()
    case = desk.in_review(Right.OBJECTION)
    objection.weigh(case, how, desk.handler, now())
    case.refresh_from_db()
    return case


def test_objection_that_weighs_more_stops_the_use(desk):
    case = decide.approve(desk.submitted(weighed(desk)), desk.dpo, now())

    task = FulfilmentTask.objects.get(case=case)
    carry_out.record_task(task, True, "Scoring is off.", desk.handler, now())
    run_jobs()

    case.refresh_from_db()
    letter = Letter.objects.get(case=case, kind="done")
    assert (task.verb, case.state, case.outcome) == ("stop", State.CLOSED, Outcome.FULFILLED)
    assert (letter.state, "Scoring of my orders" in letter.body) == (LetterState.SENT, True)


def test_refusal_names_the_exception_and_the_weighing(desk):
    case = desk.submitted(weighed(desk, GOES_ON))

    decision = case.decisions.get()
    decide.approve(case, desk.dpo, now())
    run_jobs()

    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.REFUSED)
    assert (decision.reason_code, decision.reasons) == ("CLAIMS", "A claim is pending.")
    assert "needed to make or defend legal claims" in Letter.objects.get(case=case, kind="refusal").body
    assert FulfilmentTask.objects.count() == 0


def test_answer_waits_for_the_weighing(desk):
    case = desk.in_review(Right.OBJECTION)

    with pytest.raises(Refused) as refusal:
        decide.submit(case, "Title", "Body", desk.handler, now())

    assert refusal.value.code == "not_weighed"


@pytest.mark.parametrize("code", ["", "NO_GROUND", "COMPELLING", "CLAIMS", "CRIME"])
def test_objection_that_was_not_outweighed_is_not_refused(desk, code):
    case = weighed(desk)

    with pytest.raises(Refused) as refusal:
        refuse(desk, case, code)

    case.refresh_from_db()
    assert (refusal.value.code, case.state, case.decisions.count()) == ("not_outweighed", State.REVIEW, 0)


def test_objection_is_refused_under_the_exception_that_was_weighed_alone(desk):
    case = weighed(desk, GOES_ON)

    with pytest.raises(Refused):
        refuse(desk, case, "COMPELLING")
    refused = refuse(desk, case, "CLAIMS")

    assert refused.state == State.APPROVAL


def refuse(desk, case, code):
    return decide.propose_closing(
        case, Outcome.REFUSED, "Title", "Body", desk.handler, now(), reasons="Because.", reason_code=code
    )


def back_in_review(desk):
    """A marketing objection whose tasks could not be done is back with the handlers."""
    desk.allow()
    case = desk.case(Right.OBJECTION, about_marketing=True)
    carry_out.take_back(case, "The list is somewhere else.", desk.handler, now())
    case.refresh_from_db()
    return case


@pytest.mark.parametrize("code", ["UNFOUNDED", "EXCESSIVE", "COMPELLING", "CLAIMS", ""])
def test_objection_to_marketing_is_never_refused(desk, code):
    case = back_in_review(desk)

    with pytest.raises(Refused) as refusal:
        refuse(desk, case, code)

    case.refresh_from_db()
    assert (refusal.value.code, case.state, case.decisions.count()) == (
        "marketing_never_refused",
        State.REVIEW,
        0,
    )


@pytest.mark.parametrize("outcome", [Outcome.IDENTITY_NOT_VERIFIED, Outcome.NO_REPLY])
def test_objection_to_marketing_ends_for_want_of_nothing(desk, outcome):
    case = back_in_review(desk)

    with pytest.raises(Refused):
        decide.propose_closing(case, outcome, "Title", "Body", desk.handler, now(), reasons="Because.")

    case.refresh_from_db()
    assert case.state == State.REVIEW


@pytest.mark.parametrize("field", ["proposed_outcome", "outcome"])
def test_database_itself_refuses_no_objection_to_marketing(desk, field):
    case = desk.case(Right.OBJECTION, about_marketing=True)

    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(**{field: "refused"})


def test_objection_to_marketing_is_not_weighed(desk):
    case = back_in_review(desk)

    with pytest.raises(Refused) as refusal:
        objection.weigh(case, GOES_ON, desk.handler, now())

    assert (refusal.value.code, Balancing.objects.count()) == ("marketing", 0)


def test_objection_to_marketing_is_answered_after_it_came_back(desk):
    case = decide.approve(desk.submitted(back_in_review(desk)), desk.dpo, now())

    carry_out.record_task(case.tasks.get(), True, "Off the list.", desk.handler, now())
    run_jobs()

    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.FULFILLED)


def test_who_weighed_does_not_approve(desk):
    case = weighed(desk)
    case = desk.submitted(case)
    Balancing.objects.update(weighed_by=desk.dpo.person_id)

    with pytest.raises(Refused) as refusal:
        decide.approve(case, desk.dpo, now())

    assert refusal.value.code == "own_preparation"


def test_weighing_anew_after_the_proposal_voids_it(desk):
    case = desk.submitted(weighed(desk))
    Balancing.objects.update(controller=desk.controller)
    old = Balancing.objects.get()
    newer = Balancing(
        controller=desk.controller,
        case=case,
        basis=old.basis,
        goes_on=False,
        weighed_by=old.weighed_by,
        weighed_at=now(),
    )
    newer.save()

    with pytest.raises(Refused) as refusal:
        decide.approve(case, desk.dpo, now())

    assert refusal.value.code == "digest_differs"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"basis": "MARKETING"}, "unknown_basis"),
        ({"exception": "NO_GROUND"}, "unknown_exception"),
        ({"weighing": " "}, "weighing_missing"),
        ({"grounds": ""}, "grounds_missing"),
    ],
)
def test_weighing_is_complete(desk, change, code):
    case = desk.in_review(Right.OBJECTION)

    with pytest.raises(Refused) as refusal:
        objection.weigh(case, Weighed(**{**vars(GOES_ON), **change}), desk.handler, now())

    assert (refusal.value.code, Balancing.objects.count()) == (code, 0)
