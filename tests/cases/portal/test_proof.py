"""What the customer is asked to show, and showing it again from within."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cases.workflow.intake import Person
from identity.models import Verification, VerificationState
from tests.cases.portal.conftest import newest_code
from tests.factories.cases import log, run_jobs
from tests.factories.identity import give_policy

pytestmark = pytest.mark.django_db

ANY = {"default": 1}


def proof(visitor):
    return visitor.see("mine").context["proof"]


def test_nothing_is_asked_of_who_is_known(visitor, asked):
    visitor.sign_in(asked)

    assert proof(visitor) is None


def test_what_was_shown_too_long_ago_is_asked_for_again(visitor, asked, brand):
    give_policy(brand, ANY, holds_days=5)
    visitor.sign_in(asked)
    Verification.objects.filter(state=VerificationState.ACHIEVED).update(
        ended_at=timezone.now() - timedelta(days=6)
    )

    assert proof(visitor).by_code

    assert visitor.send("prove").status_code == 303
    run_jobs()
    visitor.send("code", code=newest_code())
    assert proof(visitor) is None


def test_more_is_asked_where_the_policy_was_tightened(visitor, asked, brand):
    visitor.sign_in(asked)
    give_policy(brand, {"default": 2})

    shown = proof(visitor)

    assert shown is not None
    assert not shown.by_code


def test_code_to_an_address_that_nobody_knows_is_not_asked_for(visitor, brand):
    request = log(brand, person=Person(name="Ada Example", email="new@example.com"))
    run_jobs()
    visitor.sign_in(request, "new@example.com")

    shown = proof(visitor)

    assert shown is not None
    assert not shown.by_code


def test_code_is_not_sent_without_a_session(visitor, asked):
    answer = visitor.send("prove")

    assert (answer.status_code, answer["Location"].endswith("?ended")) == (303, True)
