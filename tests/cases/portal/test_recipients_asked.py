"""Who received one's data: asked for in the portal, told once somebody was told; and the certificate's doors."""

from uuid import uuid4

import pytest
from django.utils import timezone

from cases.models import Delivery, Told
from cases.permissions import BY_SYSTEM, by_staff
from cases.words import Right, State
from cases.workflow import aftermath, carry_out, certificate, recipients
from identity.roles import Role
from tests.cases.portal.conftest import text_of, tokens
from tests.factories.carried_out import decided
from tests.factories.cases import forget, in_state, log, run_jobs
from tests.factories.identity import staff
from tests.factories.recipients import RecipientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def erasing(brand):
    RecipientFactory.create(controller=brand, name="Adverts GmbH")
    request = log(brand, Right.ERASURE)
    run_jobs()
    return request


def tell(case):
    recipients.tell(case, uuid4(), Told.ERASED, {"any"}, BY_SYSTEM, timezone.now())
    run_jobs()


def test_names_are_given_to_who_asked_and_only_then(erasing, visitor):
    visitor.sign_in(erasing)
    case = erasing.cases.get()
    tell(case)
    before = text_of(visitor.see("mine"))

    answer = visitor.send("recipients", case.pk)

    after = text_of(visitor.see("mine"))
    assert (answer.status_code, "Adverts GmbH" in before, "Adverts GmbH" in after) == (303, False, True)


def test_before_anybody_was_told_it_is_promised(erasing, visitor):
    visitor.sign_in(erasing)

    visitor.send("recipients", erasing.cases.get().pk)

    page = text_of(visitor.see("mine"))
    assert ("You asked who received your data" in page, "Adverts" in page) == (True, False)


def test_names_are_not_given_to_who_is_not_known_any_more(erasing, visitor):
    visitor.sign_in(erasing)
    case = erasing.cases.get()
    visitor.send("recipients", case.pk)
    tell(case)
    forget(case)
    type(case).objects.filter(pk=case.pk).update(identity_level=0)

    assert "Adverts GmbH" not in text_of(visitor.see("mine"))


def test_case_of_another_request_is_not_found(erasing, visitor, brand):
    other = log(brand, Right.ERASURE).cases.get()
    visitor.sign_in(erasing)

    answer = visitor.send("recipients", other.pk)

    other.refresh_from_db()
    assert (answer.status_code, other.names_recipients) == (404, False)


def test_certificate_is_fetched_by_the_doors_of_an_answer(erasing, visitor, brand):
    visitor.sign_in(erasing)
    handler, dpo = (by_staff(staff(role, brand)) for role in (Role.HANDLER, Role.DPO))
    case = in_state(erasing.cases.get(), State.FULFILLING, proposed_outcome="fulfilled")
    case.plans.update(stage="void")
    decision = decided(case, handler, dpo)
    aftermath.without_plan(case, decision, handler, timezone.now())
    carry_out.changes_ended(case, decision, [], handler, timezone.now())
    run_jobs()
    delivery = Delivery.objects.get()

    page = visitor.step_up(delivery)
    fetched = visitor.send("pack-fetch", delivery.pk, token=tokens(page)[0])

    body = b"".join(fetched.streaming_content)
    assert (certificate.of(case) is not None, fetched.status_code, body[:2]) == (True, 200, b"PK")
    assert "Our certificate" in page.content.decode()
