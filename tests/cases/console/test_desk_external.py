"""A provider's check on the case page: its state and history in words, and what a handler can do with it."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case, Decision, Letter
from cases.permissions import by_customer, by_staff
from cases.retention.rules import FOREIGN
from cases.words import Outcome, State
from cases.workflow import decide, people, retention
from cases.workflow import external as checks
from dsar.jobs.models import Job
from dsar.lib.errors import Refused
from identity import external as provider
from identity.models import CheckStage, Controller, ExternalCheck, ExternalEvent, IdentityProvider
from identity.providers.external.simulator.server import Server, running
from identity.roles import Role
from tests.cases.staff_client import signed_in
from tests.factories.cases import in_state, log, run_jobs
from tests.factories.external import provider_for
from tests.factories.identity import ControllerFactory, give_policy, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def simulator() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def brand(serve: Any, simulator: Server) -> Controller:
    made = ControllerFactory.create()
    give_policy(made, {"default": 2})
    provider_for(made, simulator.url)
    return made


@pytest.fixture
def handler(brand: Controller) -> Client:
    return signed_in(staff(Role.HANDLER, brand))


def begun(brand: Controller) -> tuple[Case, ExternalCheck]:
    """A check whose session the provider has opened."""
    request = log(brand)
    now = timezone.now()
    check = checks.begin(request, by_customer(request.pk), now, consented=True)
    asked = checks.asking(check)
    session = provider.open_session(asked.connection, check.pk, checks.values_of(check))
    return request.cases.get(), checks.opened(check.pk, session, now)


def found(check: ExternalCheck, simulator: Server, status: str) -> None:
    """The provider comes to a result, and we ask."""
    session = simulator.simulator.session(check.session)
    assert session is not None
    simulator.simulator.decide(session, status)
    checks.look_now(check, timezone.now())
    run_jobs()


def act(case: Case, name: str, check: ExternalCheck) -> str:
    return reverse("console:act-on", args=[case.pk, name, check.pk])


def stage(check: ExternalCheck) -> str:
    return str(ExternalCheck.objects.get(pk=check.pk).stage)


def test_state_and_history_are_told_in_words(brand, handler, simulator):
    case, check = begun(brand)
    found(check, simulator, "declined")

    (shown,) = handler.get(reverse("console:case", args=[case.pk])).context["externals"]

    assert (shown.stage, shown.reason) == ("not verified", "the provider did not establish who it is")
    assert [(one.text, one.way, one.effect) for one in shown.events] == [
        ("Not verified", "found when we asked", "counted")
    ]
    assert [way.label for way in shown.offers] == ["Offer it once more"]


def test_a_living_check_is_cancelled_here_and_at_the_provider(brand, handler, simulator):
    case, check = begun(brand)

    handler.post(act(case, "cancel-external", check))
    run_jobs()

    check = ExternalCheck.objects.get(pk=check.pk)
    session = simulator.simulator.session(check.session)
    assert (check.stage, check.address, check.verification.state) == (CheckStage.CANCELLED, "", "failed")
    assert (check.ended_by is not None, session.status) == (True, "cancelled")


def test_cancelling_twice_is_refused(brand, handler):
    case, check = begun(brand)
    handler.post(act(case, "cancel-external", check))

    answer = handler.post(act(case, "cancel-external", check))

    assert (answer.status_code, "This check has ended already." in answer.content.decode()) == (422, True)


def test_a_check_without_a_result_is_offered_again_in_the_customers_language(brand, handler, simulator):
    case, check = begun(brand)
    found(check, simulator, "expired")

    handler.post(act(case, "repeat-external", check))

    (letter,) = Letter.objects.filter(case=case, kind="message")
    assert "Your check with Prova ID ended without a result." in letter.body
    assert (
        checks.begin(
            case.subject_request, by_customer(case.subject_request_id), timezone.now(), consented=True
        ).pk
        != check.pk
    )


def test_a_late_result_opens_the_case_only_with_a_reason(brand, handler, simulator):
    case, check = begun(brand)
    people.withdraw(case, by_customer(case.subject_request_id), timezone.now())
    found(check, simulator, "approved")

    without = handler.post(act(case, "count-external", check), {"reason": ""})
    between = stage(check)
    handler.post(act(case, "count-external", check), {"reason": "It came a day late."})

    case.refresh_from_db()
    assert (without.status_code, between) == (422, "unanswered")
    assert (case.state, case.identity_level, stage(check)) == ("review", 3, "verified")


@pytest.mark.parametrize("name", ["cancel-external", "repeat-external", "count-external"])
def test_agents_and_strangers_change_nothing(brand, simulator, name):
    case, check = begun(brand)
    stranger = staff(Role.HANDLER, ControllerFactory.create())

    answers = [
        signed_in(user).post(act(case, name, check), {"reason": "x"})
        for user in (staff(Role.AGENT, brand), stranger)
    ]

    assert ([answer.status_code < 400 for answer in answers], stage(check)) == ([False, False], "open")


def test_a_check_of_another_request_cannot_be_reached_through_this_case(brand, handler):
    case, _own = begun(brand)
    _other, check = begun(brand)

    answer = handler.post(act(case, "cancel-external", check))

    assert (answer.status_code, stage(check)) == (404, "open")


def test_agents_do_not_read_of_checks(brand):
    case, _check = begun(brand)

    page = signed_in(staff(Role.AGENT, brand)).get(reverse("console:case", args=[case.pk]))

    assert page.context["externals"] == ()


def test_a_representative_and_a_drill_are_never_sent_to_the_provider(brand):
    drill = log(brand, is_drill=True)

    assert not checks.is_possible(drill)


def test_no_more_checks_than_are_paid_for(brand, simulator):
    case, _check = begun(brand)
    by, request = by_customer(case.subject_request_id), case.subject_request
    for _time in range(checks.MOST_CHECKS):
        ExternalCheck.objects.update(stage=CheckStage.EXPIRED)
        try:
            checks.begin(request, by, timezone.now(), consented=True)
        except Refused as refusal:
            code = refusal.code

    assert (code, ExternalCheck.objects.count()) == ("too_many_checks", checks.MOST_CHECKS)


def test_the_list_of_checks_takes_the_same_queries_however_many(
    brand, handler, django_assert_max_num_queries
):
    case, _check = begun(brand)
    for _time in range(3):
        ExternalCheck.objects.update(stage=CheckStage.EXPIRED)
        checks.begin(
            case.subject_request, by_customer(case.subject_request_id), timezone.now(), consented=True
        )

    with django_assert_max_num_queries(2):
        shown = checks.checks_of(case.subject_request)
        assert [len(one.events.all()) for one in shown] == [0, 0, 0, 0]


def test_unknown_messages_are_forgotten_and_overdue_checks_ended(brand, simulator):
    _case, check = begun(brand)
    long_ago = timezone.now() - timedelta(days=60)
    ExternalEvent.objects.create(
        controller=brand,
        provider=check.provider,
        event_hash=b"e",
        session_hash=b"s",
        by_message=True,
        outcome="high",
        at=long_ago,
        received_at=long_ago,
    )

    checks.end_overdue(brand.pk, timezone.now() + timedelta(days=30))
    retention.carry_out(FOREIGN, brand.pk, timezone.now(), nullcontext)

    assert (ExternalEvent.objects.count(), stage(check)) == (0, "unanswered")
    assert Job.objects.filter(kind=checks.LOOK).count() == 1


def test_a_result_while_giving_up_is_being_approved_lets_the_case_go_on(brand, simulator):
    case, check = begun(brand)
    handler = by_staff(staff(Role.HANDLER, brand))
    outcome = Outcome.IDENTITY_NOT_VERIFIED
    decide.propose_closing(case, outcome, "Title", "Body", handler, timezone.now(), reasons="No proof.")

    found(check, simulator, "approved")

    case.refresh_from_db()
    assert (case.state, case.identity_level, Decision.objects.get().verdict) == (State.REVIEW, 3, "void")


def test_a_result_after_giving_up_opens_the_case_again(brand, simulator):
    case, check = begun(brand)
    in_state(case, State.CLOSED, identity_level=0, outcome=Outcome.IDENTITY_NOT_VERIFIED)

    found(check, simulator, "approved")

    case.refresh_from_db()
    check = ExternalCheck.objects.get(pk=check.pk)
    assert (case.state, case.identity_level, case.outcome) == (State.REVIEW, 3, "")
    assert (check.stage, check.verification.state) == ("verified", "achieved")
    assert [event.effect for event in check.events.all()] == ["applied"]
    assert [note.text for note in case.notes.all()] == ["Proof of who asks came after all."]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.NO_REPLY, Outcome.WITHDRAWN])
def test_a_result_after_any_other_end_is_recorded_and_opens_nothing(brand, simulator, outcome):
    case, check = begun(brand)
    in_state(case, State.CLOSED, identity_level=0, outcome=outcome)
    before = list(case.clock_events.values_list("pk", flat=True))

    found(check, simulator, "approved")

    case.refresh_from_db()
    check = ExternalCheck.objects.get(pk=check.pk)
    assert (case.state, case.identity_level, case.outcome) == (State.CLOSED, 0, outcome)
    assert (check.stage, check.reason, check.verification.state) == ("unanswered", "came_too_late", "failed")
    assert list(case.clock_events.values_list("pk", flat=True)) == before
    assert [event.effect for event in check.events.all()] == ["late"]


def test_a_provider_that_does_not_answer_is_asked_again_for_its_message(brand, simulator):
    """The message counts only with the name on the document, which cannot be had at the moment."""
    case, check = begun(brand)
    session = simulator.simulator.session(check.session)
    assert session is not None
    simulator.simulator.decide(session, "approved")
    told = ExternalEvent.objects.create(
        controller=brand,
        provider=check.provider,
        event_hash=b"e",
        session_hash=bytes(check.session_hash),
        by_message=True,
        outcome="high",
        at=timezone.now(),
        received_at=timezone.now(),
    )
    options = dict(check.provider.options)
    IdentityProvider.objects.update(options=options | {"base_url": "http://127.0.0.1:9"})
    checks.order_take(told, timezone.now())
    run_jobs()
    job = Job.objects.get(kind=checks.TAKE)
    between = (job.state, job.error_code, stage(check))

    IdentityProvider.objects.update(options=options)
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
    run_jobs()

    case.refresh_from_db()
    assert between == ("queued", "no_connection", "open")
    assert (stage(check), case.identity_level) == ("verified", 3)
