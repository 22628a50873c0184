"""What the desk sees and does of a source that a person searches."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from cases.correspondence.outbox import mails
from cases.models import Case, Inquiry, Item, SearchState, SourceSearch
from cases.permissions import by_staff
from cases.words import State
from cases.workflow import identity, search
from identity.models import Controller, Level, User
from identity.roles import Role
from tests.cases.staff_client import signed_in
from tests.factories.cases import SourceFactory, one_case, run_jobs
from tests.factories.identity import ControllerFactory, staff

pytestmark = pytest.mark.django_db

OWNER = "archive@shop.example"


@pytest.fixture
def brand(serve: Any) -> Controller:
    return ControllerFactory.create()


@pytest.fixture
def handler(brand: Controller) -> User:
    return staff(Role.HANDLER, brand)


@pytest.fixture
def case(brand: Controller, handler: User) -> Case:
    SourceFactory.create(controller=brand, name="Filing cabinet", connector="manual", owner_email=OWNER)
    made = one_case(brand)
    seen = (Level.SUBSTANTIAL, "known_answers", "Knew it.")
    identity.record_evidence(made, *seen, by_staff(handler), timezone.now())
    run_jobs()
    return Case.objects.get(pk=made.pk)


def wanted() -> SourceSearch:
    return SourceSearch.objects.select_related("run__case", "source").get()


def do(user: User, case: Case, name: str, **data: str) -> Any:
    return signed_in(user).post(reverse("console:act-on", args=[case.pk, name, wanted().pk]), data)


def test_case_page_says_who_is_asked_and_by_when(case: Case, handler: User) -> None:
    page = signed_in(handler).get(reverse("console:case", args=[case.pk])).content.decode()

    assert f"{OWNER} is asked to search" in page
    assert "Record what the owner said" in page


def test_staff_record_what_the_owner_said_on_the_phone(case: Case, handler: User) -> None:
    page = do(handler, case, "answer-for-owner", said="handed_in", note="A letter of 2019 about a complaint.")

    case.refresh_from_db()
    assert page.status_code == 303
    assert Inquiry.objects.get().answered_by == handler
    assert [item.content["data"]["text"] for item in Item.objects.all()] == [
        "A letter of 2019 about a complaint."
    ]
    assert case.state == State.REVIEW


def test_silent_owner_is_not_waited_for_and_the_source_waived_by_two(
    case: Case, handler: User, brand: Controller
) -> None:
    bare = do(handler, case, "answer-for-owner", said="closed", note="")
    do(handler, case, "answer-for-owner", said="closed", note="Left the company.")

    assert bare.status_code == 422
    assert (wanted().state, wanted().error_code) == (SearchState.FAILED, "owner_silent")
    search.propose_waiver(wanted(), "Its owner has left.", by_staff(handler), timezone.now())
    search.waive(wanted(), by_staff(staff(Role.DPO, brand)), timezone.now())
    case.refresh_from_db()
    assert case.state == State.REVIEW


def test_failed_source_is_asked_anew(case: Case, handler: User) -> None:
    do(handler, case, "answer-for-owner", said="declined", note="On holiday.")

    do(handler, case, "rerun")
    run_jobs()

    assert wanted().state == SearchState.HELD
    assert list(Inquiry.objects.order_by("asked_at").values_list("state", flat=True)) == ["declined", "asked"]
    assert len([mail for mail in mails() if mail.to == OWNER]) == 2


def test_another_mail_is_sent_at_once(case: Case, handler: User) -> None:
    do(handler, case, "ask-owner-again")
    run_jobs()

    assert len([mail for mail in mails() if mail.to == OWNER]) == 2


@pytest.mark.parametrize("role", [Role.AGENT, Role.AUDITOR, Role.ADMINISTRATOR])
def test_others_record_no_answers(case: Case, brand: Controller, role: Role) -> None:
    page = do(staff(role, brand), case, "answer-for-owner", said="nothing")

    assert page.status_code in {404, 422}
    assert Inquiry.objects.get().state == "asked"


def test_handler_of_another_brand_finds_nothing(case: Case) -> None:
    other = ControllerFactory.create()

    page = do(staff(Role.HANDLER, other), case, "answer-for-owner", said="nothing")

    assert page.status_code == 404
    assert Inquiry.objects.get().state == "asked"
