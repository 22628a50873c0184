"""Nobody shows who they are: asked again, given up by two people, opened again by a late proof. Over simulated days."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cases import assurance, queries, tasks
from cases.correspondence.compose import Kind
from cases.deadlines.events import EventKind
from cases.models import Case, Decision, Letter, LetterState, Pursuit, Verdict
from cases.permissions import BY_SYSTEM, by_customer
from cases.words import Outcome, Right, State
from cases.workflow import carry_out, decide, identity, late_proof, people, questions, unanswered
from cases.workflow.clock import add_fact
from cases.workflow.intake import Person
from cases.workflow.lateness import Why
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job
from dsar.lib.errors import NotAllowed, Refused
from dsar.vault import keyring
from identity import services
from identity.models import IdentityDocument, Level, Method, VerificationState
from tests.cases.workflow.conftest import Desk, make_desk
from tests.factories.cases import SourceFactory, forget, in_state, log, run_jobs
from tests.factories.identity import ControllerFactory, give_policy

pytestmark = pytest.mark.django_db

ASKED = date(2026, 9, 1)
FIRST, SECOND = date(2026, 9, 8), date(2026, 9, 15)
# By the law a letter with reasons is out by 1 October, and three days are for deciding.
PROPOSED = date(2026, 9, 28)
ADA = Person(name="Ada Example", email="ada@example.com")


def at(day: date, hour: int = 9, zone: str = "Europe/London") -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(zone))


def asked(desk: Desk, *rights: Right, person: Person = ADA, **fields: Any) -> Case:
    """A request of 1 September that waits for its proof."""
    request = log(
        desk.controller, *(rights or (Right.ACCESS,)), person=person, now=at(ASKED), by=desk.agent, **fields
    )
    return request.cases.order_by("pk").first()


def look(desk: Desk, day: date, hour: int = 9) -> None:
    """What the scheduler has done on a day."""
    now = at(day, hour, desk.controller.time_zone)
    if unanswered.order(desk.controller.pk, now):
        while unanswered.pursue_next(desk.controller.pk, now):
            pass


def over(desk: Desk, first: date, last: date) -> None:
    """Every day of a stretch, twice a day."""
    for number in range((last - first).days + 1):
        look(desk, first + timedelta(days=number))
        look(desk, first + timedelta(days=number), 15)


def reminders(case: Case) -> list[tuple[date, str]]:
    """The letters that asked again, with their state."""
    found = Letter.objects.filter(subject_request=case.subject_request, kind=Kind.IDENTITY_REMINDER)
    return [(one.written_at.date(), one.state) for one in found.order_by("written_at")]


def fresh(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def given_up(desk: Desk, **fields: Any) -> Case:
    """A case whose end the desk has proposed, after it asked twice more."""
    case = asked(desk, **fields)
    for day in (FIRST, SECOND, PROPOSED):
        look(desk, day)
    return fresh(case)


def closed(desk: Desk) -> Case:
    """A case that ended for want of the proof, with its letter out."""
    desk.allow()
    case = given_up(desk)
    decide.approve(case, desk.dpo, at(PROPOSED, 10))
    run_jobs()
    return fresh(case)


def prove(case: Case, by: Any, now: datetime) -> None:
    identity.record_evidence(case, Level.SUBSTANTIAL, "passport", "Passport seen.", by, now)


class TestAskingAgain:
    def test_twice_each_on_its_day_and_never_again(self, desk: Desk) -> None:
        case = asked(desk)

        over(desk, ASKED, PROPOSED - timedelta(days=1))

        assert [day for day, _state in reminders(case)] == [FIRST, SECOND]
        assert fresh(case).state == State.AWAITING_IDENTITY

    def test_nobody_is_written_to_in_the_night(self, desk: Desk) -> None:
        case = asked(desk)

        look(desk, FIRST, 5)

        assert reminders(case) == []

    def test_one_letter_speaks_of_all_that_waits(self, desk: Desk) -> None:
        case = asked(desk, Right.ACCESS, Right.ERASURE, Right.OBJECTION)

        look(desk, FIRST)

        letter = Letter.objects.get(kind=Kind.IDENTITY_REMINDER)
        lines = [line for line in letter.body.splitlines() if line.startswith("- ")]
        reference = case.subject_request.reference
        assert lines == [f"- Access ({reference}/A)", f"- Erasure ({reference}/E)"]
        assert Pursuit.objects.count() == 2

    def test_in_the_customers_language(self, desk: Desk) -> None:
        asked(desk, language="de")

        look(desk, FIRST)

        letter = Letter.objects.get(kind=Kind.IDENTITY_REMINDER)
        assert (letter.language, letter.to_requester) == ("de", True)

    def test_days_that_nobody_worked_are_made_up_for_by_one_letter(self, desk: Desk) -> None:
        case = asked(desk)

        look(desk, SECOND + timedelta(days=2))

        assert len(reminders(case)) == 1
        assert sorted(Pursuit.objects.values_list("number", flat=True)) == [1, 2]

    def test_the_policy_decides_on_the_days(self, desk: Desk) -> None:
        give_policy(desk.controller, {"default": 1}, remind_after_days=[3], give_up_after_days=10)
        case = asked(desk)

        over(desk, ASKED, ASKED + timedelta(days=12))

        assert [day for day, _state in reminders(case)] == [ASKED + timedelta(days=3)]
        assert fresh(case).state == State.APPROVAL

    def test_a_policy_changed_meanwhile_asks_nobody_twice(self, desk: Desk) -> None:
        case = asked(desk)
        over(desk, ASKED, FIRST)
        give_policy(desk.controller, {"default": 1}, remind_after_days=[8, 20], give_up_after_days=60)

        over(desk, FIRST, PROPOSED)

        assert [day for day, _state in reminders(case)] == [FIRST, SECOND]
        assert fresh(case).state == State.APPROVAL

    def test_an_address_that_was_corrected_is_asked_anew(self, desk: Desk) -> None:
        case = asked(desk)
        over(desk, ASKED, SECOND)
        request = case.subject_request
        identity.begin_anew(request, desk.handler, at(SECOND, 16))

        over(desk, SECOND + timedelta(days=1), SECOND + timedelta(days=8))

        days = [FIRST, SECOND, SECOND + timedelta(days=7)]
        assert [day for day, _state in reminders(case)] == days

    def test_a_drill_is_never_reminded(self, desk: Desk) -> None:
        case = asked(desk, is_drill=True)

        over(desk, ASKED, PROPOSED)

        assert (reminders(case), Pursuit.objects.count()) == ([], 0)

    def test_it_is_on_the_record_with_codes_alone(self, desk: Desk) -> None:
        case = asked(desk)

        look(desk, FIRST)

        event = AuditEvent.objects.get(case_id=case.pk, action=Action.IDENTITY_REMINDED)
        letter = Letter.objects.get(kind=Kind.IDENTITY_REMINDER)
        assert (event.actor_kind, event.data) == ("system", {"number": 1, "letter": str(letter.pk)})

    def test_another_brands_request_is_not_touched(self, desk: Desk) -> None:
        other = make_desk(ControllerFactory.create())
        theirs = asked(other)

        over(desk, ASKED, PROPOSED)

        assert (reminders(theirs), fresh(theirs).state) == ([], State.AWAITING_IDENTITY)


class TestWhoeverHasAnswered:
    def test_is_not_reminded_once_it_is_enough(self, desk: Desk) -> None:
        case = asked(desk)
        prove(case, desk.handler, at(FIRST - timedelta(days=1)))

        over(desk, FIRST, PROPOSED)

        assert (reminders(case), Decision.objects.count()) == ([], 0)

    def test_is_not_reminded_while_a_document_waits_for_our_look(self, desk: Desk) -> None:
        case = asked(desk)
        made = services.new_verification(case.subject_request, at(ASKED), "identity_document")
        key = keyring.shared_key(keyring.KeyPurpose.CONTROLLER, desk.controller.pk, at(ASKED))
        IdentityDocument.objects.create(
            controller=desk.controller,
            verification=made,
            key=key,
            kind="passport",
            sent_at=at(ASKED),
            keep_until=at(PROPOSED) + timedelta(days=30),
        )

        over(desk, FIRST, PROPOSED)

        assert (reminders(case), fresh(case).state) == ([], State.AWAITING_IDENTITY)

    def test_is_not_reminded_while_a_message_is_unread(self, desk: Desk) -> None:
        case = asked(desk)
        request = case.subject_request
        questions.take_message(request, "I have no passport.", by_customer(request.pk), at(ASKED, 12))

        over(desk, FIRST, PROPOSED)

        assert (reminders(case), fresh(case).state) == ([], State.AWAITING_IDENTITY)

    def test_has_the_days_counted_anew_where_it_was_not_enough(self, desk: Desk) -> None:
        case = asked(desk)
        add_fact(case, EventKind.IDENTITY_RECEIVED, at(FIRST - timedelta(days=1)), BY_SYSTEM, at(FIRST))

        over(desk, FIRST, FIRST + timedelta(days=7))

        assert [day for day, _state in reminders(case)] == [FIRST + timedelta(days=6)]

    def test_is_not_reminded_while_the_sources_are_asked_about_the_address(self, desk: Desk) -> None:
        case = asked(desk)
        verification = case.subject_request.verifications.get(method=Method.EMAIL_CODE)
        verification.codes.create(
            controller=desk.controller,
            code_hash=b"x" * 32,
            purpose="verify",
            sent_at=at(ASKED),
            expires_at=at(ASKED) + timedelta(minutes=15),
            used_at=at(ASKED),
            tries=1,
        )

        look(desk, FIRST)

        assert reminders(case) == []


class TestNoWayToWrite:
    def test_mail_that_came_back_goes_by_post(self, desk: Desk) -> None:
        person = Person(name="Ada Example", email="ada@example.com", postal_address="1 High Street, Leeds")
        case = asked(desk, person=person)
        Letter.objects.filter(subject_request=case.subject_request).update(state=LetterState.BOUNCED)

        look(desk, FIRST)

        letter = Letter.objects.get(kind=Kind.IDENTITY_REMINDER)
        assert (letter.by_post, letter.state) == (True, LetterState.TO_PRINT)
        assert letter.address == "Ada Example\n1 High Street, Leeds"

    def test_without_any_way_it_is_noted_once_and_the_end_is_proposed_all_the_same(self, desk: Desk) -> None:
        case = asked(desk)
        Letter.objects.filter(subject_request=case.subject_request).update(state=LetterState.BOUNCED)

        over(desk, ASKED, PROPOSED)

        assert (reminders(case), fresh(case).state) == ([], State.APPROVAL)
        assert list(Pursuit.objects.values_list("kind", "number", "letter")) == [
            ("reminder", 1, None),
            ("reminder", 2, None),
            ("proposal", 1, None),
        ]


class TestProposingTheEnd:
    def test_once_on_its_day(self, desk: Desk) -> None:
        case = asked(desk)

        over(desk, ASKED, PROPOSED - timedelta(days=1))
        before = Decision.objects.count()
        over(desk, PROPOSED, PROPOSED + timedelta(days=20))

        decision = Decision.objects.get()
        assert (before, fresh(case).state) == (0, State.APPROVAL)
        assert (decision.outcome, decision.proposed_by, decision.verdict) == (
            Outcome.IDENTITY_NOT_VERIFIED,
            None,
            Verdict.OPEN,
        )

    def test_in_germany_in_time_for_the_first_month(self, serve: Any) -> None:
        berlin = {"regime": "EU-DE", "time_zone": "Europe/Berlin", "language": "de"}
        desk = make_desk(ControllerFactory.create(**berlin))
        give_policy(desk.controller, {"default": 1}, give_up_after_days=60)
        case = asked(desk)
        law = assurance.patience(case, at(ASKED)).reasons_by

        over(desk, FIRST, PROPOSED - timedelta(days=1))
        before = fresh(case).state
        look(desk, PROPOSED)

        assert law == date(2026, 10, 1) == queries.deadline_of(case, at(ASKED)).refusal_by
        assert (before, fresh(case).state) == (State.AWAITING_IDENTITY, State.APPROVAL)

    def test_the_letter_gives_reasons_remedies_and_the_way_back(self, desk: Desk) -> None:
        case = given_up(desk)

        decision = case.decisions.get()

        assert decision.reasons == (
            "On 1 Sep 2026 we asked you to show that it is you."
            " We asked again on 8 Sep 2026 and on 15 Sep 2026."
            " We have had nothing that shows it."
        )
        body = decision.letter_body
        assert decision.reasons in body
        assert "You can still prove it is you: open the link below, and we go on." in body
        assert "Information Commissioner" in body
        assert "court" in body

    def test_nothing_is_closed_without_a_person(self, desk: Desk) -> None:
        desk.allow()
        case = given_up(desk)

        over(desk, PROPOSED, PROPOSED + timedelta(days=60))
        run_jobs()

        assert (fresh(case).state, fresh(case).outcome) == (State.APPROVAL, "")
        assert not Letter.objects.filter(kind=Kind.IDENTITY_NOT_VERIFIED).exists()

    def test_what_was_returned_is_not_proposed_again(self, desk: Desk) -> None:
        case = given_up(desk)
        decide.return_case(case, "She rang: give her a week.", desk.dpo, at(PROPOSED, 12))

        over(desk, PROPOSED, PROPOSED + timedelta(days=10))

        assert (fresh(case).state, Decision.objects.count()) == (State.AWAITING_IDENTITY, 1)

    def test_the_desk_proposes_no_other_end(self, desk: Desk) -> None:
        case = asked(desk)

        with pytest.raises(NotAllowed):
            decide.propose_closing(
                case, Outcome.REFUSED, "No", "No.", BY_SYSTEM, at(FIRST), reasons="Because."
            )

        assert (fresh(case).state, Decision.objects.count()) == (State.AWAITING_IDENTITY, 0)

    def test_the_database_lets_nobody_but_a_person_propose_another_end(self, desk: Desk) -> None:
        given_up(desk)

        with pytest.raises(IntegrityError), transaction.atomic():
            Decision.objects.update(outcome=Outcome.REFUSED)

    def test_whoever_is_in_charge_of_the_case_is_the_first_pair_of_eyes(self, desk: Desk) -> None:
        case = given_up(desk)
        Case.objects.filter(pk=case.pk).update(owner=desk.dpo.person_id)

        with pytest.raises(Refused) as refusal:
            decide.approve(fresh(case), desk.dpo, at(PROPOSED, 12))

        assert (refusal.value.code, fresh(case).state) == ("own_proposal", State.APPROVAL)

    def test_late_only_with_a_reason_of_whoever_approves(self, desk: Desk) -> None:
        desk.allow()
        case = given_up(desk)
        late = at(date(2026, 12, 1))
        Case.objects.filter(pk=case.pk).update(clock_state="running")
        add_fact(fresh(case), EventKind.IDENTITY_RECEIVED, at(ASKED, 12), BY_SYSTEM, late)

        with pytest.raises(Refused) as refusal:
            decide.approve(fresh(case), desk.dpo, late)
        done = decide.approve(fresh(case), desk.dpo, late, why_late=Why("staff_shortage"))

        assert (refusal.value.code, done.state) == ("late_reason_missing", State.FULFILLING)


class TestLateProof:
    def test_closed_with_its_letter(self, desk: Desk) -> None:
        case = closed(desk)

        sent = Letter.objects.get(kind=Kind.IDENTITY_NOT_VERIFIED)
        assert (case.state, case.outcome) == (State.CLOSED, Outcome.IDENTITY_NOT_VERIFIED)
        assert sent.state == LetterState.SENT

    def test_by_staff_opens_it_again_with_a_date_of_the_engine(self, desk: Desk) -> None:
        case = closed(desk)
        now = timezone.now()

        prove(case, desk.handler, now)

        opened = fresh(case)
        assert (opened.state, opened.outcome, opened.proposed_outcome) == (State.SEARCHING, "", "")
        assert opened.due_on == queries.deadline_of(opened, now).due_on
        assert opened.notes.get(about="reopen_to_search").text == "Proof of who asks came after all."

    def test_in_the_portal_opens_it_again(self, desk: Desk) -> None:
        case = closed(desk)
        request, now = case.subject_request, timezone.now()
        request.verifications.filter(method=Method.EMAIL_CODE).update(address_on_file=True)
        identity.send_code(request, identity.VERIFY, by_customer(request.pk), now)
        code = _code(Letter.objects.filter(kind=Kind.ONE_TIME_CODE).latest("written_at"))
        counted = services.count_try(services.open_verification(request, now), identity.VERIFY, now)

        assert identity.accept_code(request, counted, code, identity.VERIFY, by_customer(request.pk), now)

        assert fresh(case).state == State.SEARCHING

    def test_too_weak_a_proof_leaves_it_closed(self, desk: Desk) -> None:
        give_policy(desk.controller, {"default": 3})
        case = closed(desk)

        prove(case, desk.handler, timezone.now())

        assert (fresh(case).state, fresh(case).outcome) == (State.CLOSED, Outcome.IDENTITY_NOT_VERIFIED)

    def test_what_was_closed_for_another_reason_stays_closed(self, desk: Desk) -> None:
        case = asked(desk)
        people.withdraw(case, desk.handler, at(FIRST))

        prove(fresh(case), desk.handler, at(SECOND))

        assert (fresh(case).state, fresh(case).outcome) == (State.CLOSED, Outcome.WITHDRAWN)

    def test_another_persons_case_stays_closed(self, desk: Desk) -> None:
        case = closed(desk)
        other = asked(desk, person=Person(name="Bob Stranger", email="bob@example.com"))

        prove(other, desk.handler, timezone.now())

        assert fresh(case).state == State.CLOSED

    def test_while_it_waits_for_approval_voids_the_proposal(self, desk: Desk) -> None:
        case = given_up(desk)

        prove(case, desk.handler, at(PROPOSED, 12))

        assert (fresh(case).state, Decision.objects.get().verdict) == (State.SEARCHING, Verdict.VOID)

    def test_before_the_letter_has_left_stops_it(self, desk: Desk) -> None:
        desk.allow()
        case = given_up(desk)
        decide.approve(case, desk.dpo, at(PROPOSED, 10))

        prove(fresh(case), desk.handler, at(PROPOSED, 11))
        run_jobs()

        letter = Letter.objects.get(kind=Kind.IDENTITY_NOT_VERIFIED)
        assert (fresh(case).state in {State.SEARCHING, State.REVIEW}, fresh(case).outcome) == (True, "")
        assert (letter.state, letter.error_code) == (LetterState.FAILED, "taken_back")
        assert Decision.objects.get().verdict == Verdict.VOID

    def test_while_the_letter_is_being_sent_is_not_lost(self, desk: Desk) -> None:
        """The mail server has the letter: it can't be stopped, so that the case closes, and is opened by upkeep."""
        desk.allow()
        case = given_up(desk)
        decide.approve(case, desk.dpo, at(PROPOSED, 10))
        letter = Letter.objects.get(kind=Kind.IDENTITY_NOT_VERIFIED)
        job = Job.objects.filter(key=f"letter:{letter.pk}")
        job.update(state="running")
        prove(fresh(case), desk.handler, at(PROPOSED, 11))
        before = fresh(case).state
        carry_out.mailed(letter, at(PROPOSED, 12))
        after = fresh(case).state

        opened = late_proof.reopen_proven(desk.controller.pk, at(PROPOSED, 13))

        assert (before, after, opened) == (State.FULFILLING, State.CLOSED, 1)
        assert fresh(case).state == State.SEARCHING
        assert late_proof.reopen_proven(desk.controller.pk, at(PROPOSED, 14)) == 0

    def test_proof_that_lapsed_meanwhile_opens_nothing(self, desk: Desk) -> None:
        case = closed(desk)
        Case.objects.filter(pk=case.pk).update(identity_level=Level.HIGH)

        assert late_proof.reopen_proven(desk.controller.pk, timezone.now()) == 0
        assert fresh(case).state == State.CLOSED

    def test_opened_again_it_is_not_pursued_by_what_was_done_before(self, desk: Desk) -> None:
        case = closed(desk)
        prove(case, desk.handler, timezone.now())
        forget(case)

        over(desk, PROPOSED, PROPOSED + timedelta(days=3))

        assert len(reminders(case)) == 2


def _code(letter: Letter) -> str:
    found = re.search(r"\b\d{6}\b", letter.body)
    assert found
    return found[0]


def test_the_scheduler_orders_one_job_that_does_it_all(desk: Desk) -> None:
    now = timezone.now()
    mine = [
        log(desk.controller, Right.ACCESS, person=ADA, now=now - timedelta(days=8), by=desk.agent)
        for _number in range(3)
    ]
    noon = now.replace(hour=12)

    ordered = [unanswered.order(desk.controller.pk, noon) for _again in range(2)]
    tasks.unanswered.pursue(mine[0].pk, noon)
    while unanswered.pursue_next(desk.controller.pk, noon):
        pass

    assert (ordered, Job.objects.filter(kind=unanswered.PURSUE).count()) == ([True, True], 1)
    assert Letter.objects.filter(kind=Kind.IDENTITY_REMINDER).count() == 3
    assert not unanswered.order(desk.controller.pk, noon)


def test_what_is_known_of_the_person_is_gone_and_nobody_else_waits_for_that(desk: Desk) -> None:
    gone = asked(desk)
    other = asked(desk, person=Person(name="Bob Stranger", email="bob@example.com"))
    keyring.destroy(gone.subject.key_id, at(ASKED))

    over(desk, FIRST, FIRST)

    assert (reminders(gone), len(reminders(other))) == ([], 1)


def test_nothing_is_said_of_what_moved_on(desk: Desk) -> None:
    case = in_state(asked(desk), State.SEARCHING)

    over(desk, FIRST, PROPOSED)

    assert (reminders(case), VerificationState.OPEN.value) == ([], "open")


def test_sources_stay_unasked(desk: Desk) -> None:
    """Reminding searches nothing: the person is not known."""
    SourceFactory.create(controller=desk.controller)
    case = asked(desk)

    over(desk, ASKED, PROPOSED)

    assert not case.runs.exists()
