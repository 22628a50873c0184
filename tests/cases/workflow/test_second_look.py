"""Nobody looks again at a decision of their own, and nobody says for another what they found."""

import pytest
from django.utils import timezone

from cases.models import Case, SecondLook
from cases.words import Right, State
from cases.workflow import decide, second_look
from cases.workflow.second_look import Prepared
from dsar.lib.errors import Conflict, NotAllowed, Refused
from tests.cases.workflow.conftest import make_desk
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db


def now():
    return timezone.now()


def prepared(desk, **fields):
    wanted = {
        "about": "The loan was refused.",
        "basis": "HUMAN_INTERVENTION",
        "logic": "Income and debts are added up.",
        "reviewer_id": desk.second_handler.person_id,
    }
    return Prepared(**{**wanted, **fields})


def named(desk, **fields):
    desk.allow()
    case = desk.in_review(Right.AUTOMATED)
    return second_look.prepare(case, prepared(desk, **fields), desk.handler, now())


def found(desk, look):
    return second_look.end(look, "changed", "Read wrongly.", desk.second_handler, now())


def test_answer_waits_for_the_look(desk):
    look = named(desk)

    with pytest.raises(Refused) as refusal:
        decide.submit(look.case, "Title", "Body", desk.handler, now())

    assert refusal.value.code == "not_looked_at"


def test_who_had_a_part_is_not_named(desk):
    desk.allow()
    case = desk.in_review(Right.AUTOMATED)
    own = prepared(desk, involved=[desk.handler.person_id, desk.second_handler.person_id])

    with pytest.raises(Refused) as refusal:
        second_look.prepare(case, own, desk.handler, now())

    assert (refusal.value.code, SecondLook.objects.count()) == ("had_a_part", 0)


def test_who_had_a_part_finds_nothing_even_when_named(desk):
    look = named(desk)
    SecondLook.objects.update(involved=[desk.second_handler.person_id])

    with pytest.raises(Refused) as refusal:
        found(desk, look)

    assert (refusal.value.code, SecondLook.objects.get().finding) == ("had_a_part", "")


@pytest.mark.parametrize("who", ["handler", "dpo", "reviewer"])
def test_nobody_but_the_one_named_says_what_was_found(desk, who):
    look = named(desk)

    with pytest.raises(Refused) as refusal:
        second_look.end(look, "upheld", "It is right.", getattr(desk, who), now())

    assert (refusal.value.code, SecondLook.objects.get().finding) == ("not_named", "")


def test_who_sees_no_content_is_not_let_in(desk):
    look = named(desk)
    SecondLook.objects.update(reviewer=desk.agent.person_id)

    with pytest.raises(NotAllowed):
        second_look.end(look, "upheld", "It is right.", desk.agent, now())


def test_stranger_is_not_named(desk):
    other = make_desk(ControllerFactory.create())
    case = desk.in_review(Right.AUTOMATED)

    with pytest.raises(Refused) as refusal:
        second_look.prepare(case, prepared(desk, reviewer_id=other.handler.person_id), desk.handler, now())

    assert refusal.value.code == "unknown_reviewer"


def test_who_looked_does_not_approve(desk):
    look = found(desk, named(desk))
    case = desk.submitted(Case.objects.get(pk=look.case_id))
    SecondLook.objects.update(reviewer=desk.dpo.person_id)
    case.items.update(decided_by=desk.handler.person_id)

    with pytest.raises(Refused) as refusal:
        decide.approve(case, desk.dpo, now())

    case.refresh_from_db()
    assert (refusal.value.code, case.state) == ("own_preparation", State.APPROVAL)


def test_finding_is_said_once(desk):
    look = found(desk, named(desk))

    with pytest.raises(Conflict):
        second_look.end(look, "withdrawn", "Or not.", desk.second_handler, now())

    assert SecondLook.objects.get().finding == "changed"


def test_finding_changed_after_the_proposal_is_not_approved(desk):
    look = found(desk, named(desk))
    case = desk.submitted(Case.objects.get(pk=look.case_id))
    SecondLook.objects.update(finding="upheld")

    with pytest.raises(Refused) as refusal:
        decide.approve(case, desk.dpo, now())

    assert refusal.value.code == "digest_differs"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"about": " "}, "about_missing"),
        ({"logic": ""}, "about_missing"),
        ({"basis": "CONSENT"}, "unknown_basis"),
        ({"is_special": True}, "special_basis_missing"),
    ],
)
def test_what_is_logged_is_complete(desk, change, code):
    case = desk.in_review(Right.AUTOMATED)

    with pytest.raises(Refused) as refusal:
        second_look.prepare(case, prepared(desk, **change), desk.handler, now())

    assert (refusal.value.code, SecondLook.objects.count()) == (code, 0)
