"""What is late says why, before it goes to approval, is approved, or is sent."""

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from cases import queries
from cases.deadlines.events import ExtensionReason
from cases.models import Case, Decision, Lateness, LetterState
from cases.words import AnswerBy, LateReason, Outcome, Right, State
from cases.workflow import carry_out, decide, extension, lateness, review
from cases.workflow.extension import Wanted
from cases.workflow.intake import Person
from cases.workflow.lateness import Why
from dsar.audit.models import AuditEvent
from dsar.lib.errors import NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from tests.cases.workflow.conftest import make_desk
from tests.factories.cases import run_jobs
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db

VOLUME = Why(LateReason.VOLUME)


def after_due(case: Case) -> datetime:
    """Just after the last second of the last day, by the brand's clock."""
    assert case.due_on is not None
    return datetime.combine(case.due_on, datetime.max.time(), case.controller.zone) + timedelta(seconds=1)


def reviewed(desk, **fields) -> Case:
    case = desk.in_review(**fields)
    review.decide_by_rules(case, desk.handler, timezone.now())
    return case


def submit(desk, case: Case, now: datetime, **fields) -> Case:
    title, body = decide.draft_letter(case, decide.outcome_of(case), "", now)
    return decide.submit(case, title, body, desk.handler, now, **fields)


def test_late_answer_is_not_submitted_without_a_reason(desk):
    case = reviewed(desk)
    now = after_due(case)

    with pytest.raises(Refused) as refusal:
        submit(desk, case, now)

    case.refresh_from_db()
    assert (refusal.value.code, case.state, Decision.objects.count()) == (
        "late_reason_missing",
        State.REVIEW,
        0,
    )


def test_last_second_of_the_last_day_is_in_time(desk):
    case = reviewed(desk)

    case = submit(desk, case, after_due(case) - timedelta(seconds=1))

    assert (case.state, Lateness.objects.count()) == (State.APPROVAL, 0)


def test_reason_goes_on_the_record_and_is_asked_once(desk):
    desk.allow()
    case = reviewed(desk)
    now = after_due(case)

    case = submit(desk, case, now, why_late=Why(LateReason.OTHER, "The archive burnt."))
    case = decide.approve(case, desk.dpo, now)

    kept = Lateness.objects.get()
    assert (kept.reason, kept.remark, kept.missed_on) == ("other", "The archive burnt.", case.due_on)
    assert case.state == State.FULFILLING
    told = AuditEvent.objects.get(case_id=case.pk, action="case.lateness_explained")
    assert told.data == {"reason": "other", "missed": case.due_on.isoformat()}


@pytest.mark.parametrize(
    ("why", "code"),
    [
        (Why(LateReason.OTHER, " "), "late_remark_missing"),
        (Why("because"), "late_reason_unknown"),
    ],
)
def test_reason_is_one_of_the_list(desk, why, code):
    case = reviewed(desk)

    with pytest.raises(Refused) as refusal:
        submit(desk, case, after_due(case), why_late=why)

    assert (refusal.value.code, Lateness.objects.count()) == (code, 0)


def test_what_became_late_while_it_waited_is_not_approved_without_a_reason(desk):
    desk.allow()
    case = submit(desk, reviewed(desk), timezone.now())
    now = after_due(case)

    with pytest.raises(Refused) as refusal:
        decide.approve(case, desk.dpo, now)
    case = decide.approve(case, desk.dpo, now, why_late=Why(LateReason.STAFF_SHORTAGE))

    assert refusal.value.code == "late_reason_missing"
    assert (case.state, Lateness.objects.get().given_by_id) == (State.FULFILLING, desk.dpo.person_id)


def test_controllers_reviewer_says_why_it_became_late_there(desk):
    case = decide.approve(submit(desk, reviewed(desk), timezone.now()), desk.dpo, timezone.now())
    now = after_due(case)

    with pytest.raises(Refused) as refusal:
        decide.approve_for_controller(case, desk.reviewer, now)
    case = decide.approve_for_controller(
        case, desk.reviewer, now, why_late=Why(LateReason.WAITING_FOR_CONTROLLER)
    )

    assert (refusal.value.code, case.state) == ("late_reason_missing", State.FULFILLING)


def test_late_answer_is_not_posted_without_a_reason(desk):
    desk.allow()
    person = Person(name="Ada Example", email="ada@example.com", postal_address="1 High Street")
    case = reviewed(desk, person=person, answer_by=AnswerBy.POST)
    case = decide.approve(submit(desk, case, timezone.now()), desk.dpo, timezone.now())
    run_jobs()
    letter = case.letters.get(state=LetterState.TO_PRINT, kind__in=["answer", "done", "refusal"])
    now = after_due(case)

    with pytest.raises(Refused) as refusal:
        carry_out.posted(letter, "RM1", desk.handler, now)
    lateness.explain(case, VOLUME, desk.handler, now)
    carry_out.posted(letter, "RM1", desk.handler, now)

    case.refresh_from_db()
    assert (refusal.value.code, case.state) == ("late_reason_missing", State.CLOSED)


def test_late_erasure_is_not_recorded_without_a_reason(desk):
    desk.allow()
    case = submit(desk, reviewed(desk, right=Right.ERASURE), timezone.now())
    case = decide.approve(case, desk.dpo, timezone.now())
    task = case.tasks.first()
    now = after_due(case)

    with pytest.raises(Refused) as refusal:
        carry_out.record_task(task, True, "Gone.", desk.handler, now)

    task.refresh_from_db()
    assert (refusal.value.code, task.state) == ("late_reason_missing", "open")


def test_case_that_closed_in_time_does_not_become_late_afterwards(desk):
    desk.allow()
    case = decide.approve(submit(desk, reviewed(desk), timezone.now()), desk.dpo, timezone.now())
    run_jobs()
    case.refresh_from_db()

    assert case.state == State.CLOSED
    assert lateness.missed(case, after_due(case)) is None


def test_nothing_is_explained_that_is_in_time(desk):
    with pytest.raises(Refused) as refusal:
        lateness.explain(desk.in_review(), VOLUME, desk.handler, timezone.now())

    assert (refusal.value.code, Lateness.objects.count()) == ("not_late", 0)


def test_agent_and_stranger_explain_nothing(desk):
    case = reviewed(desk)
    now = after_due(case)

    for somebody in (desk.agent, make_desk(ControllerFactory.create()).handler):
        with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
            lateness.explain(case, VOLUME, somebody, now)

    assert Lateness.objects.count() == 0


# -- saying no has a date of its own -----------------------------------------------------------------------


def european(**fields):
    return make_desk(ControllerFactory.create(regime="EU-DE", time_zone="Europe/Berlin", **fields))


def test_unverified_case_is_not_closed_late_in_silence_under_european_law(serve):
    """GDPR Art 12(4): the reasoned letter is due within a month of receipt, though the clock has not begun (E8)."""
    desk = european()
    received_at = datetime(2026, 9, 1, 10, tzinfo=desk.controller.zone)
    case = desk.case(received_at=received_at, now=received_at)
    in_time = datetime(2026, 10, 1, 23, 59, tzinfo=desk.controller.zone)
    too_late = in_time + timedelta(minutes=1)
    letter = ("Title", "Body", desk.handler)
    outcome = Outcome.IDENTITY_NOT_VERIFIED

    with pytest.raises(Refused) as refusal:
        decide.propose_closing(case, outcome, *letter, too_late, reasons="No proof came.")
    missed = (lateness.missed(case, in_time, outcome), lateness.missed(case, too_late, outcome))
    case = decide.propose_closing(
        case, outcome, *letter, too_late, reasons="No proof came.", why_late=Why(LateReason.ERROR)
    )

    assert (case.clock_state, refusal.value.code) == ("paused", "late_reason_missing")
    assert missed == (None, date(2026, 10, 1))
    assert (case.state, Lateness.objects.get().missed_on) == (State.APPROVAL, date(2026, 10, 1))


def test_british_clock_that_has_not_begun_makes_nothing_late(desk):
    received_at = datetime(2026, 9, 1, 10, tzinfo=desk.controller.zone)
    case = desk.case(received_at=received_at, now=received_at)
    now = datetime(2026, 11, 20, 10, tzinfo=desk.controller.zone)

    assert lateness.missed(case, now, Outcome.IDENTITY_NOT_VERIFIED) is None


def test_extension_does_not_give_more_time_to_refuse_under_european_law(serve):
    desk = european()
    received_at = timezone.now() - timedelta(days=20)
    case = desk.in_review(received_at=received_at)
    desk.allow(extend="allow")
    wanted = Wanted(ExtensionReason.COMPLEXITY, "Four archives.")
    found = extension.plan(case, wanted, timezone.now())
    title, body = extension.draft(case, wanted, found, timezone.now())
    made = extension.propose(case, wanted, title, body, desk.handler, timezone.now())
    extension.approve(made, desk.dpo, timezone.now())
    run_jobs()
    case.refresh_from_db()
    refuse_by = queries.deadline_of(case, timezone.now()).refusal_by
    now = datetime.combine(refuse_by, datetime.max.time(), desk.controller.zone) + timedelta(seconds=1)

    assert case.due_on == found.after
    assert (lateness.missed(case, now), lateness.missed(case, now, Outcome.REFUSED)) == (None, refuse_by)
