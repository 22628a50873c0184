"""What goes along is the person's own, provided and automated; what was decided by somebody stays."""

import pytest
from django.utils import timezone

from cases.models import FulfilmentTask, Item, ItemDecision, Letter, SourceSystem, TaskState
from cases.permissions import BY_SYSTEM
from cases.words import Outcome, Right, State
from cases.workflow import carry_out, decide, portability
from dsar.lib.errors import NotAllowed, Refused
from tests.factories.cases import run_jobs

pytestmark = pytest.mark.django_db

TO = {"portability": {"to": "New Power Ltd", "address": "in@np.example"}}


def now():
    return timezone.now()


def stated(**portable):
    SourceSystem.objects.update(portable=portable)


def decisions():
    return dict(Item.objects.values_list("collection", "decision"))


def test_source_on_another_basis_goes_nowhere_and_the_letter_says_so(desk):
    stated(basis="other")
    case = desk.in_review(Right.PORTABILITY)

    _title, body = decide.draft_letter(case, Outcome.REFUSED, "", now())

    assert decisions() == {"people": ItemDecision.WITHHOLD, "notes": ItemDecision.WITHHOLD}
    assert set(Item.objects.values_list("exemption", flat=True)) == {"OTHER_BASIS"}
    assert "on the basis of your consent or of a contract with you" in body


def test_what_somebody_decided_is_not_sorted_again(desk):
    case = desk.in_review(Right.PORTABILITY)
    portability.give_the_rest(case, desk.handler, now())
    stated(basis="other")
    before = Item.objects.filter(decided_by__isnull=False).count()

    portability.sort(case, BY_SYSTEM, now())

    assert (
        Item.objects.filter(decided_by__isnull=False, decision=ItemDecision.DISCLOSE).count() == before == 1
    )


def test_access_leaves_nothing_out_by_these_facts(desk):
    stated(basis="other")

    case = desk.in_review(Right.ACCESS)

    assert case.items.filter(exemption="OTHER_BASIS").count() == 0


def test_records_about_others_do_not_go_along_with_the_rest(desk):
    case = desk.in_review(Right.PORTABILITY)
    case.items.update(decision=ItemDecision.UNDECIDED, redactions=None, is_third_party=True)

    assert portability.give_the_rest(case, desk.handler, now()) == 0

    assert set(decisions().values()) == {ItemDecision.UNDECIDED}


@pytest.mark.parametrize(
    ("right", "who", "error"), [(Right.ACCESS, "handler", Refused), (Right.PORTABILITY, "dpo", NotAllowed)]
)
def test_rest_is_given_by_a_handler_of_such_a_case_alone(desk, right, who, error):
    case = desk.in_review(right)

    with pytest.raises(error):
        portability.give_the_rest(case, getattr(desk, who), now())


def test_person_is_told_that_it_could_not_be_passed_on(desk):
    desk.allow()
    case = desk.in_approval(Right.PORTABILITY, particulars=TO)
    decide.approve(case, desk.dpo, now())
    run_jobs()
    case.refresh_from_db()
    assert case.state == State.FULFILLING

    task = FulfilmentTask.objects.get()
    carry_out.record_task(task, False, "They take no files.", desk.handler, now())
    run_jobs()

    case.refresh_from_db()
    task.refresh_from_db()
    assert (case.state, task.state) == (State.CLOSED, TaskState.IMPOSSIBLE)
    assert "could not pass your data on to New Power Ltd" in Letter.objects.get(kind="passed_on").body
    assert Letter.objects.filter(kind="answer").count() == 1
