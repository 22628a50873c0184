"""Each right has the same month and a clock of its own; the pause of UK law is for access alone (Art 12A(5))."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cases.words import Right
from cases.workflow import questions
from tests.factories.cases import log

pytestmark = pytest.mark.django_db

OTHERS = [
    Right.RESTRICTION,
    Right.OBJECTION,
    Right.PORTABILITY,
    Right.AUTOMATED,
    Right.RECTIFICATION,
    Right.ERASURE,
]


def asked_and_answered(desk, right):
    """The date before a question, while it is open, and after the answer five days later."""
    case = desk.in_review(right)
    before, now = case.due_on, timezone.now()
    asked = questions.ask_clarification(case, "Which of your data?", True, desk.handler, now)
    asked.refresh_from_db()
    later = now + timedelta(days=5)
    questions.answer_clarification(asked, "All of it.", later, desk.handler, later)
    asked.refresh_from_db()
    return before, asked.due_on


@pytest.mark.parametrize("right", OTHERS)
def test_question_moves_the_date_of_no_other_right(desk, right):
    before, after = asked_and_answered(desk, right)

    assert after == before


def test_question_moves_the_date_of_an_access_request(desk):
    before, after = asked_and_answered(desk, Right.ACCESS)

    assert after > before


def test_each_right_of_one_request_has_the_same_month(desk):
    request = log(desk.controller, Right.ACCESS, Right.RESTRICTION, Right.OBJECTION, Right.PORTABILITY)

    assert len({case.due_on for case in request.cases.all()}) == 1
    assert sum(case.clock_events.count() > 0 for case in request.cases.all()) == 4
