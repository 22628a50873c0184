"""Below the level nothing leaves: in the workflow, in the jobs, at the download; and whose proof counts for whom."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from cases import assurance
from cases.correspondence.outbox import mails
from cases.models import (
    Delivery,
    FulfilmentTask,
    Item,
    ItemDecision,
    Letter,
    LetterState,
    PackState,
    ResponsePack,
    TaskState,
)
from cases.permissions import by_customer
from cases.words import Outcome, Right, State
from cases.workflow import answer, carry_out, decide, identity, level, people, review, search
from cases.workflow.intake import Person, Representation
from cases.workflow.perform import lock
from cases.workflow.review import Choice, Selection
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job
from dsar.jobs.queue import enqueue
from dsar.jobs.run import run_job
from dsar.lib.errors import NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from identity import services
from identity.assurance import issue_policy
from identity.models import Level, Method, Verification, VerificationState
from identity.policy.words import RIGHTS
from identity.providers.base import Need
from tests.cases.workflow.conftest import make_desk
from tests.factories.cases import forget, known, log, run_jobs
from tests.factories.identity import ControllerFactory, give_policy

pytestmark = pytest.mark.django_db

ANY = {"default": 1, "complaint": 0}
STALE = timedelta(days=6)


@pytest.fixture
def brief(desk):
    """What was shown holds for five days."""
    give_policy(desk.controller, ANY, holds_days=5)
    desk.allow()
    return desk


def again(case):
    case.refresh_from_db()
    return case


def refused(case):
    return list(
        AuditEvent.objects.filter(case_id=case.pk, action="case.act_refused")
        .order_by("seq")
        .values_list("data__code", flat=True)
    )


def first_job(kind):
    """Run the oldest job of a kind that waits, and no other."""
    return run_job(Job.objects.filter(kind=kind, state="queued").earliest("pk").pk)


class TestApproval:
    def test_stale_proof_approves_nothing(self, brief):
        case = brief.in_approval()

        with pytest.raises(Refused) as refusal, unit_of_work([brief.controller.pk]):
            decide.approve(case, brief.dpo, timezone.now() + STALE)

        assert refusal.value.code == "identity_suffices_for_answer"
        assert (again(case).state, ResponsePack.objects.count()) == (State.APPROVAL, 0)
        assert refused(case) == ["identity_suffices_for_answer"]

    def test_proof_that_was_taken_back_approves_nothing(self, brief):
        case = brief.in_approval()
        proof = case.subject_request.verifications.get(state=VerificationState.ACHIEVED)
        identity.retract(case, proof.pk, "The passport was forged.", brief.handler, timezone.now())

        with pytest.raises(Refused):
            decide.approve(case, brief.dpo, timezone.now())

        assert (again(case).state, case.identity_level) == (State.APPROVAL, Level.NONE)

    def test_policy_tightened_meanwhile_holds(self, brief):
        case = brief.in_approval()
        give_policy(brief.controller, {"default": 3})

        with pytest.raises(Refused):
            decide.approve(case, brief.dpo, timezone.now())

        assert (again(case).state, ResponsePack.objects.count()) == (State.APPROVAL, 0)

    def test_policy_loosened_meanwhile_opens_nothing(self, brief):
        give_policy(brief.controller, {"default": 3})
        case = brief.case()
        give_policy(brief.controller, {"default": 0})
        known(case, Level.SUBSTANTIAL)

        with pytest.raises(Refused) as refusal:
            search.begin(case, brief.handler, timezone.now())

        assert (refusal.value.code, again(case).state) == ("identity_suffices", State.AWAITING_IDENTITY)

    def test_method_that_is_no_longer_allowed_counts_no_more(self, brief):
        case = brief.in_approval()
        rules = [{"name": "by-code", "level": "low", "methods": {"low": ["email_code"]}}]
        issue_policy(brief.controller, {"rules": rules}, brief.dpo.actor, timezone.now())

        with pytest.raises(Refused):
            decide.approve(case, brief.dpo, timezone.now())

        assert again(case).state == State.APPROVAL

    def test_controllers_reviewer_approves_nothing_on_stale_proof(self, desk):
        give_policy(desk.controller, ANY, holds_days=5)
        case = desk.in_approval()
        case = decide.approve(case, desk.dpo, timezone.now())
        assert case.state == State.WITH_CONTROLLER

        with pytest.raises(Refused):
            decide.approve_for_controller(case, desk.reviewer, timezone.now() + STALE)

        assert (again(case).state, ResponsePack.objects.count()) == (State.WITH_CONTROLLER, 0)

    def test_refusal_that_tells_of_records_needs_proof(self, brief):
        case = brief.in_review()
        withhold = Choice(ItemDecision.WITHHOLD, "LPP")
        review.decide(case, Selection(only_undecided=True), withhold, brief.handler, timezone.now())
        Item.objects.filter(case=case).update(decision="withhold", exemption="LPP")
        case = brief.submitted(again(case), reasons="Legal privilege.")
        assert (case.proposed_outcome, Item.objects.count() > 0) == (Outcome.REFUSED, True)
        forget(case)

        with pytest.raises(Refused) as refusal:
            decide.approve(case, brief.dpo, timezone.now())

        assert refusal.value.code == "identity_suffices_for_answer"
        assert again(case).state == State.APPROVAL

    def test_refusal_that_tells_nothing_needs_none(self, brief):
        case = brief.case()
        title, body = decide.draft_letter(case, Outcome.REFUSED, "Abusive.", timezone.now())
        decide.propose_closing(
            case, Outcome.REFUSED, title, body, brief.handler, timezone.now(), reasons="Abusive."
        )

        decide.approve(case, brief.dpo, timezone.now())
        run_jobs()

        assert (again(case).state, case.outcome) == (State.CLOSED, Outcome.REFUSED)


class TestJobs:
    @pytest.fixture
    def approved(self, brief):
        case = brief.in_approval()
        decide.approve(case, brief.dpo, timezone.now())
        return case

    def test_answer_is_not_built_for_somebody_unknown(self, approved):
        forget(approved)

        run_jobs()

        pack = ResponsePack.objects.get()
        assert (pack.state, pack.error_code) == (PackState.FAILED, "identity_lapsed")
        assert (Delivery.objects.count(), Letter.objects.filter(kind="answer").count()) == (0, 0)
        assert again(approved).state == State.FULFILLING

    def test_answer_is_not_built_after_the_policy_was_tightened(self, approved, brief):
        give_policy(brief.controller, {"default": 3})

        run_jobs()

        assert ResponsePack.objects.get().error_code == "identity_lapsed"
        assert Delivery.objects.count() == 0

    def test_letter_of_an_answer_does_not_leave(self, approved):
        first_job(answer.BUILD)
        forget(approved)

        run_jobs()

        letter = Letter.objects.get(kind="answer")
        assert (letter.state, letter.error_code) == (LetterState.FAILED, "identity_lapsed")
        assert (Delivery.objects.get().sent_at, again(approved).state) == (None, State.FULFILLING)

    def test_answer_goes_out_once_the_person_is_known_again(self, approved, brief):
        forget(approved)
        run_jobs()
        identity.record_evidence(approved, Level.LOW, "call_back", "Rang.", brief.handler, timezone.now())

        answer.rebuild(ResponsePack.objects.get(), brief.handler, timezone.now())
        run_jobs()

        assert again(approved).state == State.CLOSED

    @pytest.mark.parametrize("right", [Right.ERASURE, Right.RECTIFICATION])
    def test_nothing_is_erased_or_corrected_for_somebody_unknown(self, brief, right):
        case = brief.in_approval(right, claims=[{"field": "nickname", "wrong": "nobody's", "right": "Addie"}])
        decide.approve(case, brief.dpo, timezone.now())
        task = FulfilmentTask.objects.get(case=case)
        forget(case)

        with pytest.raises(Refused) as refusal:
            carry_out.record_task(task, True, "Done.", brief.handler, timezone.now())

        assert refusal.value.code == "identity_suffices"
        task.refresh_from_db()
        assert (task.state, again(case).carried_out) == (TaskState.OPEN, False)


class TestDownload:
    @pytest.fixture
    def delivery(self, brief):
        case = brief.in_approval()
        decide.approve(case, brief.dpo, timezone.now())
        run_jobs()
        return Delivery.objects.select_related("pack__case").get()

    def fetch(self, delivery, at):
        case = delivery.pack.case
        with unit_of_work([case.controller_id]):
            return answer.fetch(delivery, by_customer(case.subject_request_id), at)

    def test_known_person_fetches(self, delivery):
        self.fetch(delivery, timezone.now())

        assert Delivery.objects.get().downloads == 1

    def test_stale_proof_fetches_nothing(self, delivery):
        with pytest.raises(NotAllowed):
            self.fetch(delivery, timezone.now() + STALE)

        assert Delivery.objects.get().downloads == 0

    def test_tightened_policy_fetches_nothing(self, delivery, brief):
        give_policy(brief.controller, {"default": 3})

        with pytest.raises(NotAllowed):
            self.fetch(delivery, timezone.now())

        assert Delivery.objects.get().downloads == 0


class TestWhoseProof:
    """A proof belongs to one person and their request."""

    def test_another_persons_proof_does_not_count(self, desk):
        mine, theirs = desk.case(), desk.case(person=Person(name="Bob", email="bob@example.com"))
        known(theirs, Level.HIGH)

        found = assurance.standing(mine, timezone.now())

        assert (found.level, found.evidence) == (Level.NONE, ())

    def test_proof_of_whom_the_request_named_before_does_not_count(self, desk):
        """A row that names this request, but another person, opens nothing."""
        mine, theirs = desk.case(), desk.case(person=Person(name="Bob", email="bob@example.com"))
        known(mine, Level.HIGH)
        Verification.objects.filter(subject_request=mine.subject_request).update(subject=theirs.subject)

        level.refresh(lock(mine.pk), timezone.now())

        assert again(mine).identity_level == Level.NONE

    def test_another_brands_proof_does_not_count(self, desk, serve):
        other = make_desk(ControllerFactory.create())
        serve([desk.controller.pk, other.controller.pk])
        theirs = other.case()
        known(theirs, Level.HIGH)
        give_policy(desk.controller, ANY, reuse_days=30)
        mine = desk.case()
        known(mine, Level.LOW)

        assert assurance.standing(mine, timezone.now()).level == Level.LOW

    def test_sibling_cases_share_it(self, desk):
        request = log(desk.controller, Right.ACCESS, Right.ERASURE, by=desk.agent)
        access, erasure = request.cases.order_by("right")
        identity.record_evidence(access, Level.LOW, "call_back", "Rang.", desk.handler, timezone.now())

        assert (again(access).identity_level, again(erasure).identity_level) == (1, 1)

    @pytest.fixture
    def twice(self, desk):
        """The same person asks again; the first time a document was seen."""

        def ask(**fields):
            first = desk.case()
            known(first, Level.HIGH)
            fields.setdefault("person", Person())
            return desk.case(subject_id=first.subject_id, **fields)

        return ask

    def test_later_request_proves_anew_where_the_policy_is_silent(self, desk, twice):
        case = twice()
        known(case, Level.LOW)

        assert assurance.standing(case, timezone.now()).level == Level.LOW

    def test_later_request_reuses_it_where_the_policy_says_so(self, desk, twice):
        give_policy(desk.controller, ANY, reuse_days=30)
        case = twice()
        known(case, Level.LOW)

        assert assurance.standing(case, timezone.now()).level == Level.HIGH

    def test_whoever_names_a_known_person_is_not_known_by_that(self, desk, twice):
        give_policy(desk.controller, ANY, reuse_days=30)
        case = twice()

        assert assurance.standing(case, timezone.now()).level == Level.NONE
        assert again(case).state == State.AWAITING_IDENTITY

    def test_representative_inherits_nothing(self, desk, twice):
        give_policy(desk.controller, ANY, reuse_days=30)
        case = twice(representation=Representation("agent", "Alex Agent", "alex@example.com"))
        known(case, Level.LOW)

        assert assurance.standing(case, timezone.now()).level == Level.LOW


class TestCodes:
    """What a code proves, and for how long."""

    def prove(self, case, at):
        request = case.subject_request
        identity.send_code(request, identity.VERIFY, by_customer(request.pk), at)
        run_jobs()
        verification = services.open_verification(request, at)
        code_id = services.count_try(verification, identity.VERIFY, at)
        return identity.accept_code(
            request, code_id, self.newest_code(), identity.VERIFY, by_customer(request.pk), at
        )

    def newest_code(self):
        return re.search(r"\b(\d{6})\b", mails()[0].body)[1]

    def test_address_that_no_source_knows_opens_nothing(self, desk):
        case = desk.case(person=Person(name="Ada Example", email="new@example.com"))
        run_jobs()

        assert self.prove(case, timezone.now())
        assert (again(case).state, case.identity_level) == (State.AWAITING_IDENTITY, Level.NONE)

    def test_address_that_no_source_knows_may_ask_for_more(self, desk):
        rules = [
            {"name": "all", "level": "low"},
            {"name": "elsewhere", "when": {"new_address": True}, "level": "high"},
        ]
        issue_policy(desk.controller, {"rules": rules}, desk.dpo.actor, timezone.now())
        case = desk.case(person=Person(name="Ada Example", email="new@example.com"))
        assert case.required_level == Level.LOW

        run_jobs()

        assert (again(case).required_level, case.identity_rule) == (Level.HIGH, "elsewhere")

    def test_shown_again_counts_from_then_on(self, brief):
        case, now = brief.case(), timezone.now()
        run_jobs()
        self.prove(case, now)
        long_ago = now - timedelta(days=4)
        Verification.objects.filter(state=VerificationState.ACHIEVED).update(ended_at=long_ago)
        assert not assurance.standing(case, now + timedelta(days=2)).is_enough

        self.prove(case, now)

        assert assurance.standing(case, now + timedelta(days=2)).is_enough
        assert Verification.objects.filter(method=Method.EMAIL_CODE, state="achieved").count() == 2

    def test_address_whose_proof_was_taken_back_proves_nothing_more(self, brief):
        case = brief.case()
        run_jobs()
        self.prove(case, timezone.now())
        forget(case)

        assert self.prove(case, timezone.now())

        assert not assurance.standing(case, timezone.now()).is_enough


class TestEvidence:
    def test_weak_evidence_reaches_no_high_level(self, desk):
        case = desk.case()

        with pytest.raises(Refused) as refusal:
            identity.record_evidence(
                case, Level.HIGH, "known_answers", "Knew it.", desk.handler, timezone.now()
            )

        assert refusal.value.code == "evidence_too_weak"
        assert (again(case).identity_level, Verification.objects.filter(method="staff_recorded").count()) == (
            0,
            0,
        )

    def test_agent_takes_no_proof_back(self, desk):
        case = desk.in_review()
        proof = case.subject_request.verifications.get(state=VerificationState.ACHIEVED)

        with pytest.raises(NotAllowed):
            identity.retract(case, proof.pk, "Wrong.", desk.agent, timezone.now())

        assert again(case).identity_level == Level.SUBSTANTIAL

    def test_proof_of_another_request_is_not_taken_back_from_here(self, desk):
        case, other = desk.in_review(), desk.in_review(person=Person(name="Bob", email="bob@example.com"))
        proof = other.subject_request.verifications.get(state=VerificationState.ACHIEVED)

        with pytest.raises(Refused) as refusal:
            identity.retract(case, proof.pk, "Wrong.", desk.handler, timezone.now())

        assert (refusal.value.code, again(other).identity_level) == ("nothing_to_retract", Level.SUBSTANTIAL)

    def test_check_names_the_version_under_which_it_was_taken(self, desk):
        give_policy(desk.controller, ANY)
        case = desk.in_review()

        proof = case.subject_request.verifications.get(state=VerificationState.ACHIEVED)

        assert (proof.policy.version, case.identity_policy.version, case.identity_rule) == (2, 2, "access")


class TestTightened:
    def test_open_cases_learn_of_it(self, desk, monkeypatch):
        """More than a batch of them; a closed one stays as it was."""
        monkeypatch.setattr(level, "BATCH", 2)
        cases = [desk.case() for _each in range(3)]
        closed = people.withdraw(desk.case(), desk.agent, timezone.now())
        give_policy(desk.controller, {"default": 3})

        last = None
        while (last := level.refresh_open(desk.controller.pk, last, timezone.now())) is not None:
            pass

        assert [again(case).required_level for case in cases] == [Level.HIGH] * 3
        assert again(closed).required_level == Level.LOW

    def test_applying_a_policy_sets_it_off(self, desk):
        case = desk.case()
        give_policy(desk.controller, {"default": 2})
        enqueue(level.REFRESH, controller_id=desk.controller.pk, key="levels:1", args={}, now=timezone.now())

        run_jobs()

        assert again(case).required_level == Level.SUBSTANTIAL


class TestProposal:
    def test_least_intrusive_is_proposed(self, desk):
        case = desk.case()

        assert [one.code for one in assurance.proposal(case, timezone.now()).methods] == ["email_code"]

    def test_code_is_not_proposed_to_an_address_that_nobody_knows(self, desk):
        case = desk.case(person=Person(name="Ada Example", email="new@example.com"))
        run_jobs()

        assert Need.EMAIL not in assurance.needs_met(case.subject_request, timezone.now())


def test_policy_knows_every_right_that_a_case_can_be():
    assert set(Right.values) | {"marketing"} == set(RIGHTS)
