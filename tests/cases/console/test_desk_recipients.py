"""The case page's list of those to whom data had gone, and what the desk does about them."""

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from cases.models import Case, RecipientNotice, SuppressionEntry, Told
from cases.permissions import by_staff
from cases.words import Right
from cases.workflow import recipients
from tests.cases.desk_cases import Office, in_review, make_office, office
from tests.cases.staff_client import signed_in
from tests.factories.cases import run_jobs
from tests.factories.recipients import RecipientFactory

__all__ = ["office"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(office) -> Case:
    return in_review(office.brand, office.handler, Right.ERASURE)


@pytest.fixture
def client(office):
    return signed_in(office.handler)


def told(office: Office, case: Case, **fields) -> RecipientNotice:
    RecipientFactory.create(controller=office.brand, **fields)
    made = recipients.tell(case, uuid4(), Told.ERASED, {"any"}, by_staff(office.handler), timezone.now())
    run_jobs()
    return made[0]


def do(client, case: Case, name: str, notice: RecipientNotice | None = None, **data):
    if notice is None:
        return client.post(reverse("console:act", args=[case.pk, name]), data)
    return client.post(reverse("console:act-on", args=[case.pk, name, notice.pk]), data)


def page(client, case: Case) -> str:
    return client.get(reverse("console:case", args=[case.pk])).content.decode()


def test_page_lists_each_recipient_and_how_it_stands(office, case, client):
    told(office, case, name="Adverts GmbH")

    html = page(client, case)

    assert ("Adverts GmbH" in html, "Record its answer" in html, "Send it again" in html) == (
        True,
        True,
        False,
    )


def test_page_costs_no_more_for_many_recipients(office, case, client, django_assert_max_num_queries):
    told(office, case)
    page(client, case)
    with django_assert_max_num_queries(200) as few:
        page(client, case)
    for _ in range(5):
        RecipientFactory.create(controller=office.brand)
    recipients.tell(case, uuid4(), Told.ERASED, {"any"}, by_staff(office.handler), timezone.now())
    run_jobs()

    with django_assert_max_num_queries(200) as many:
        page(client, case)

    assert len(many) <= len(few) + 1


def test_answer_is_recorded_on_a_page_of_its_own(office, case, client):
    notice = told(office, case)

    refused = do(client, case, "recipient-answer", notice, words="Nothing chosen")
    done = do(client, case, "recipient-answer", notice, code="not_held", words="Nobody of that address.")

    notice.refresh_from_db()
    assert (refused.status_code, done.status_code, notice.answer_code) == (422, 303, "not_held")


def test_failed_notice_is_tried_again_or_excused(office, case, client):
    notice = told(office, case, finds_by=["external_id"])

    html = page(client, case)
    again = do(client, case, "recipient-again", notice)
    done = do(client, case, "recipient-excuse", notice, why="impossible", reason="Wound up in 2024.")

    notice.refresh_from_db()
    assert ("by which this recipient could find them" in html, again.status_code, done.status_code) == (
        True,
        422,
        303,
    )
    assert (notice.state, notice.words) == ("impossible", "Wound up in 2024.")


def test_notice_of_another_case_is_not_found(office, case, client):
    other = make_office()
    theirs = told(other, in_review(other.brand, other.handler, Right.ERASURE))

    answer = do(client, case, "recipient-answer", theirs, code="done")

    assert answer.status_code == 404


def test_access_case_has_no_recipients_to_tell(office, client):
    access = in_review(office.brand, office.handler, Right.ACCESS)

    assert "Who else is told" not in page(client, access)


def test_customer_asks_for_names_and_for_no_advertising(office, case, client):
    names, marketing = do(client, case, "name-recipients"), do(client, case, "end-marketing")

    case.refresh_from_db()
    assert (names.status_code, marketing.status_code) == (303, 303)
    assert "asked for: no advertising ever again" in page(client, case)
    assert (case.names_recipients, case.ends_marketing, SuppressionEntry.objects.count()) == (True, True, 0)


def test_agent_cannot_record_what_a_recipient_answered(office, case):
    notice = told(office, case)

    do(signed_in(office.agent), case, "recipient-answer", notice, code="done")

    notice.refresh_from_db()
    assert notice.state == "sent"
