"""Somebody who asks for another person gets nothing of theirs before they have shown that they may."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cases.models import Authority, AuthorityState, Case, Delivery, LetterState, ResponsePack, SubjectRequest
from cases.models.case import authority_suffices, requester_suffices
from cases.permissions import by_customer, by_staff
from cases.words import Outcome, Party, Right, State
from cases.workflow import (
    answer,
    authority,
    carry_out,
    decide,
    identity,
    people,
    review,
    unanswered,
    upkeep,
)
from cases.workflow.authority import Judged, Shown
from cases.workflow.intake import Person, Representation
from dsar.lib.errors import NotAllowed, Refused
from dsar.vault import files
from dsar.vault.keyring import KeyDestroyed
from identity.evidence.intake import Picture
from identity.models import AccessToken, Level
from identity.roles import Role
from tests.cases.workflow.conftest import make_desk
from tests.factories.cases import authorised, log, run_jobs
from tests.factories.identity import ControllerFactory, staff
from tests.identity.documents.pictures import jpeg as encoded
from tests.identity.documents.pictures import page

ADA = Person(name="Ada Example", email="ada@example.com", external_id="1")
PICTURE = Picture(encoded(page()))
FIRM = Representation("solicitor", "Blythe and Marsh", "office@blythe.example")
NOBODY = Person(name="Una Known", email="una@elsewhere.example")


def asked(desk, *rights, person=ADA, representation=FIRM, **fields) -> Case:
    request = log(
        desk.controller, *rights, by=desk.agent, person=person, representation=representation, **fields
    )
    run_jobs()
    return request.cases.order_by("right").first()


def fresh(case) -> Case:
    return Case.objects.get(pk=case.pk)


def now():
    return timezone.now()


def newest(case) -> Authority:
    return case.subject_request.authorities.first()


def received(desk, case, **fields) -> Authority:
    return authority.record(case, Shown(now(), words="A signed letter.", **fields), desk.handler, now())


def judged(case, **fields) -> Judged:
    usual = {
        "mandate": "signed_authority",
        "rights": tuple(case.subject_request.cases.values_list("right", flat=True)),
        "matters": "All that is held.",
        "remark": "Signature compared.",
        "answer_to": "representative",
        "answer_reason": "It says so.",
        "valid_from": now().date(),
    }
    return Judged(**usual | fields)


def in_review(desk, **fields) -> Case:
    """A solicitor's case whose authority was accepted, and whose sources are searched."""
    case = asked(desk)
    authorised(case, desk.handler, **fields)
    run_jobs()
    return fresh(case)


def approved(desk, **fields) -> Case:
    """The answer is approved, and the job that builds it has not run yet."""
    desk.allow()
    case = in_review(desk, **fields)
    review.decide_by_rules(case, desk.handler, now())
    return decide.approve(desk.submitted(fresh(case)), desk.dpo, now())


def facts(case) -> list[str]:
    return [event.kind for event in case.clock_events.all()]


class TestAsking:
    def test_solicitor_is_asked_for_authority_at_once_and_told_what_it_is(self, desk):
        case = asked(desk)

        letter = case.subject_request.letters.get(kind="acknowledgement")
        assert (case.state, case.authority) == (State.AWAITING_IDENTITY, "missing")
        assert newest(case).state == AuthorityState.ASKED
        assert facts(case).count("authority_requested") == 1
        assert letter.address == "office@blythe.example"
        assert "An authority that the person has signed" in letter.body

    def test_what_came_along_is_not_asked_for(self, desk):
        came = Representation("solicitor", "Blythe", "o@blythe.example", pictures=[PICTURE])

        case = asked(desk, representation=came)

        assert (newest(case).state, newest(case).pictures.count()) == (AuthorityState.RECEIVED, 1)
        assert "authority_requested" not in facts(case)
        assert fresh(case).authority == "unjudged"

    @pytest.mark.parametrize(
        ("right", "fields"), [(Right.OBJECTION, {"about_marketing": True}), (Right.COMPLAINT, {})]
    )
    def test_opt_out_and_complaint_ask_for_no_authority(self, desk, right, fields):
        case = asked(desk, right, **fields)

        assert (case.authority, list(case.subject_request.authorities.all())) == ("", [])

    def test_law_that_gives_heirs_no_right_asks_for_nothing(self, desk):
        case = asked(desk, representation=Representation("executor", "Hal Heir", "hal@example.org"))

        assert (case.state, fresh(case).authority) == (State.RECEIVED, "outside")
        assert "authority_requested" not in facts(case)
        with pytest.raises(Refused, match="no right"):
            authority.ask(case, "Send the will.", desk.handler, now())

    def test_case_of_an_heir_without_a_right_ends_with_a_letter(self, desk):
        desk.allow()
        case = asked(desk, representation=Representation("executor", "Hal Heir", "hal@example.org"))
        title, body = decide.draft_letter(case, Outcome.NOT_A_REQUEST, "The dead.", now())

        decide.propose_closing(
            case,
            Outcome.NOT_A_REQUEST,
            title,
            body,
            desk.handler,
            now(),
            reasons="The law covers the living.",
        )
        decide.approve(fresh(case), desk.dpo, now())
        run_jobs()

        assert (fresh(case).state, fresh(case).outcome) == (State.CLOSED, Outcome.NOT_A_REQUEST)
        assert case.letters.get(kind="not_a_request").address == "hal@example.org"

    def test_state_that_gives_heirs_rights_asks_for_what_it_names(self, serve):
        controller = ControllerFactory.create(regime="EU-FR")
        desk = make_desk(controller)

        case = asked(desk, representation=Representation("executor", "Hal Heir", "hal@example.org"))

        assert (case.state, case.authority) == (State.AWAITING_IDENTITY, "missing")
        assert "death certificate" in case.subject_request.letters.get(kind="acknowledgement").body


class TestJudging:
    def test_accepted_authority_lets_the_case_go_on(self, desk):
        case = asked(desk)

        authorised(case, desk.handler)

        found = fresh(case)
        assert (found.authority, found.identity_level, found.state) == (
            "valid",
            Level.SUBSTANTIAL,
            State.SEARCHING,
        )
        assert facts(case).count("authority_received") == 1

    def test_authority_without_knowing_the_representative_opens_nothing(self, desk):
        case = asked(desk)

        authority.accept(case, received(desk, case).pk, judged(case), desk.handler, now())

        assert (authority_suffices(fresh(case)), fresh(case).state) == (True, State.AWAITING_IDENTITY)

    def test_known_representative_without_authority_opens_nothing(self, desk):
        case = asked(desk)

        identity.record_evidence(case, Level.HIGH, "public_register", "Called the firm.", desk.handler, now())

        assert (fresh(case).identity_level, fresh(case).authority) == (Level.HIGH, "missing")
        assert (requester_suffices(fresh(case)), fresh(case).state) == (False, State.AWAITING_IDENTITY)

    def test_identity_that_was_recorded_first_goes_on_with_the_authority(self, desk):
        case = asked(desk)
        identity.record_evidence(case, Level.HIGH, "public_register", "Called the firm.", desk.handler, now())

        authority.accept(case, received(desk, case).pk, judged(case), desk.handler, now())

        assert fresh(case).state == State.SEARCHING

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"mandate": "nothing"}, "unknown_mandate"),
            ({"mandate": "lpa_property"}, "unknown_mandate"),
            ({"rights": ()}, "rights_missing"),
            ({"rights": ("erasure",)}, "rights_missing"),
            ({"matters": " "}, "judgement_incomplete"),
            ({"remark": ""}, "judgement_incomplete"),
            ({"valid_from": None}, "date_missing"),
            ({"valid_from": timezone.now().date() - timedelta(days=240)}, "too_old"),
            ({"valid_from": timezone.now().date() + timedelta(days=9)}, "not_yet"),
            (
                {"valid_until": timezone.now().date() - timedelta(days=3), "valid_from": None},
                "dates_reversed",
            ),
            ({"answer_reason": ""}, "recipient_reason_missing"),
            ({"answer_to": "everybody"}, "recipient_not_covered"),
            ({"level": Level.HIGH, "evidence": "call_back"}, "evidence_too_weak"),
        ],
    )
    def test_what_is_missing_is_refused_and_nothing_is_kept(self, desk, fields, code):
        case = asked(desk)
        held = received(desk, case)

        with pytest.raises(Refused) as refusal:
            authority.accept(case, held.pk, judged(case, **fields), desk.handler, now())

        assert refusal.value.code == code
        assert (newest(case).state, newest(case).mandate) == (AuthorityState.RECEIVED, "")
        assert fresh(case).authority == "unjudged"

    def test_power_that_has_to_be_registered_was_looked_up(self, desk):
        case = asked(desk, representation=Representation("attorney", "Alba Attorney", "alba@example.org"))
        held = received(desk, case)
        lasting = judged(case, mandate="lpa_property", valid_from=None)

        with pytest.raises(Refused, match="Office of the Public Guardian"):
            authority.accept(case, held.pk, lasting, desk.handler, now())

        registered = judged(
            case,
            mandate="lpa_property",
            valid_from=None,
            register="OPG online",
            register_checked_on=now().date(),
            reference="V-1234",
        )
        accepted = authority.accept(case, held.pk, registered, desk.handler, now())
        assert (accepted.state, accepted.reference) == (AuthorityState.ACCEPTED, "V-1234")

    def test_refusal_says_why_and_asks_for_what_is_missing(self, desk):
        case = asked(desk)

        authority.refuse(case, received(desk, case).pk, "not_signed", desk.handler, now())

        states = list(case.subject_request.authorities.values_list("version", "state", "reason"))
        letter = case.letters.get(kind="authority")
        assert states == [(2, "asked", ""), (1, "refused", "not_signed")]
        assert "does not bear the signature" in letter.body
        assert "An authority that the person has signed" in letter.body
        assert facts(case).count("authority_requested") == 2

    def test_refusal_for_good_asks_for_nothing_more(self, desk):
        case = asked(desk, representation=Representation("parent", "Petra Parent", "petra@example.org"))

        authority.refuse(case, received(desk, case).pk, "child_decides", desk.handler, now())

        assert list(case.subject_request.authorities.values_list("state", flat=True)) == ["refused"]
        assert "One of these is enough" not in case.letters.get(kind="authority").body

    def test_case_without_authority_ends_as_not_verified_whoever_the_firm_is(self, desk):
        case = asked(desk)
        identity.record_evidence(case, Level.HIGH, "public_register", "Called the firm.", desk.handler, now())
        title, body = decide.draft_letter(case, Outcome.IDENTITY_NOT_VERIFIED, "No authority.", now())

        proposed = decide.propose_closing(
            case,
            Outcome.IDENTITY_NOT_VERIFIED,
            title,
            body,
            desk.handler,
            now(),
            reasons="No authority came.",
        )

        assert proposed.state == State.APPROVAL

    @pytest.mark.parametrize("actor", ["agent", "reviewer"])
    def test_whoever_may_not_record_identity_judges_nothing(self, desk, actor):
        case = asked(desk)
        held = received(desk, case)

        with pytest.raises(NotAllowed):
            authority.accept(case, held.pk, judged(case), getattr(desk, actor), now())

        assert newest(case).state == AuthorityState.RECEIVED

    def test_newer_version_takes_the_place_of_the_one_before(self, desk):
        case = in_review(desk)

        authorised(case, desk.handler)

        found = list(case.subject_request.authorities.values_list("version", "state", "reason"))
        assert found == [(2, "accepted", ""), (1, "revoked", "replaced")]
        assert fresh(case).authority == "valid"


class TestChildren:
    def test_child_who_understands_gets_the_answer(self, desk):
        case = asked(desk, representation=Representation("parent", "Petra Parent", "petra@example.org"))

        held = authorised(
            case, desk.handler, mandate="parent_child_agrees", answer_to="", answer_reason="", valid_from=None
        )

        assert held.answer_to == "subject"

    def test_parent_of_a_child_who_cannot_judge_gets_it(self, desk):
        case = asked(desk, representation=Representation("parent", "Petra Parent", "petra@example.org"))

        held = authorised(case, desk.handler, mandate="parent_child_cannot_judge", answer_to="")

        assert held.answer_to == "representative"

    def test_child_s_own_request_is_answered_to_the_child(self, desk):
        desk.allow()
        child = Person(name="Ada Example", email="ada@example.com", birth_date="2013-05-01")
        case = desk.case(person=child)
        identity.record_evidence(
            case, Level.HIGH, "in_person", "With the class teacher.", desk.handler, now()
        )
        run_jobs()
        review.decide_by_rules(fresh(case), desk.handler, now())
        decide.approve(desk.submitted(fresh(case)), desk.dpo, now())
        run_jobs()

        assert [letter.address for letter in case.letters.filter(kind="answer")] == ["ada@example.com"]


class TestScope:
    def test_right_that_is_not_covered_opens_nothing(self, desk):
        access = asked(desk, Right.ACCESS, Right.ERASURE)
        erasure = access.subject_request.cases.get(right=Right.ERASURE)

        authorised(access, desk.handler, rights=("access",))
        run_jobs()

        assert (fresh(access).authority, fresh(access).state) == ("valid", State.REVIEW)
        assert (fresh(erasure).authority, fresh(erasure).state) == ("not_covered", State.AWAITING_IDENTITY)

    def test_expired_authority_opens_nothing(self, desk):
        case = in_review(desk, valid_until=now().date() + timedelta(days=1))
        later = now() + timedelta(days=5)
        review.decide_by_rules(case, desk.handler, later)
        title, body = decide.draft_letter(case, decide.outcome_of(case), "", later)

        with pytest.raises(Refused) as refusal:
            decide.submit(fresh(case), title, body, desk.handler, later)

        assert refusal.value.code == "authority_suffices_for_answer"
        assert (fresh(case).state, case.decisions.count()) == (State.REVIEW, 0)

    def test_authority_of_another_request_counts_for_nothing(self, desk):
        first, second = asked(desk), asked(desk)
        held = authorised(first, desk.handler)
        received(desk, second)

        with pytest.raises(Authority.DoesNotExist):
            authority.accept(second, held.pk, judged(second), desk.handler, now())

        assert (fresh(first).authority, fresh(second).authority) == ("valid", "unjudged")

    def test_authority_for_another_person_counts_for_nothing(self, desk):
        first, second = asked(desk), asked(desk, person=NOBODY)
        authorised(first, desk.handler)

        assert (fresh(second).authority, fresh(second).state) == ("missing", State.AWAITING_IDENTITY)

    def test_authority_shown_to_another_brand_counts_for_nothing(self, desk):
        other = make_desk(ControllerFactory.create())
        case, foreign = asked(desk), asked(other)
        held = authorised(foreign, other.handler)

        with pytest.raises(NotAllowed):
            authority.to_review(foreign, held.pk, desk.handler)
        with pytest.raises(Authority.DoesNotExist):
            authority.to_review(case, held.pk, desk.handler)

        assert fresh(case).authority == "missing"

    def test_corrected_person_needs_an_authority_of_their_own(self, desk):
        case = asked(desk)
        authority.accept(case, received(desk, case).pk, judged(case), desk.handler, now())

        people.correct_person(fresh(case), NOBODY, "It is about Una.", desk.handler, now())

        states = list(case.subject_request.authorities.values_list("state", "reason"))
        assert states == [("asked", ""), ("revoked", "person_corrected")]
        assert fresh(case).authority == "missing"

    def test_corrected_brand_asks_for_authority_anew(self, desk):
        other = ControllerFactory.create()
        case = asked(desk)
        received(desk, case)
        handler = by_staff(staff(Role.HANDLER, desk.controller, other))

        again = people.correct_brand(case, other, "The other brand.", handler, now())

        assert (again.controller, [one.state for one in again.authorities.all()]) == (other, ["asked"])


class TestRevoked:
    def test_revoked_before_approval_is_refused(self, desk):
        case = in_review(desk)
        review.decide_by_rules(case, desk.handler, now())
        case = desk.submitted(fresh(case))
        authority.revoke(case, newest(case).pk, "person_revoked", "She called.", desk.handler, now())

        with pytest.raises(Refused) as refusal:
            decide.approve(fresh(case), desk.dpo, now())

        assert refusal.value.code == "authority_suffices_for_answer"
        assert (fresh(case).state, ResponsePack.objects.count()) == (State.APPROVAL, 0)

    def test_revoked_between_approval_and_the_job_builds_nothing(self, desk):
        case = approved(desk)

        authority.revoke(case, newest(case).pk, "person_revoked", "She called.", desk.handler, now())
        run_jobs()

        pack = case.packs.get()
        assert (pack.state, pack.error_code) == ("failed", "authority_lapsed")
        assert (Delivery.objects.count(), case.letters.filter(kind="answer").count()) == (0, 0)

    def test_revoked_between_the_pack_and_its_letter_sends_nothing(self, desk):
        case = approved(desk)
        pack = case.packs.get()
        run_jobs(rounds=1)
        authority.revoke(fresh(case), newest(case).pk, "ended", "The firm wrote.", desk.handler, now())
        run_jobs()

        letter = case.letters.get(kind="answer")
        pack.refresh_from_db()
        assert (letter.state, letter.error_code) == (LetterState.FAILED, "authority_lapsed")
        assert (pack.state, fresh(case).state) == ("ready", State.FULFILLING)

    def test_revoked_after_delivery_closes_the_door(self, desk):
        case = approved(desk)
        run_jobs()
        delivery = answer.live_delivery(case)
        authority.revoke(fresh(case), newest(case).pk, "false", "Forged.", desk.handler, now())

        with pytest.raises(Refused) as refusal:
            answer.fetch(delivery, by_customer(case.subject_request_id), now())

        delivery.refresh_from_db()
        assert (refusal.value.code, delivery.downloads) == ("authority_suffices", 0)
        living = AccessToken.objects.filter(subject_request=case.subject_request, revoked_at=None)
        assert living.count() == 0

    def test_revoking_takes_a_reason_of_the_list(self, desk):
        case = in_review(desk)

        for reason, remark in (("because", "So."), ("ended", " ")):
            with pytest.raises(Refused):
                authority.revoke(case, newest(case).pk, reason, remark, desk.handler, now())

        assert fresh(case).authority == "valid"

    def test_task_is_not_recorded_without_authority(self, desk):
        desk.allow()
        case = asked(desk, Right.ERASURE)
        authorised(case, desk.handler)
        run_jobs()
        review.decide_by_rules(fresh(case), desk.handler, now())
        decide.approve(desk.submitted(fresh(case)), desk.dpo, now())
        authority.revoke(fresh(case), newest(case).pk, "ended", "The firm wrote.", desk.handler, now())
        task = case.tasks.first()

        with pytest.raises(Refused) as refusal:
            carry_out.record_task(task, True, "Deleted.", desk.handler, now())

        task.refresh_from_db()
        assert (refusal.value.code, task.state) == ("authority_suffices", "open")


class TestExpired:
    """It held when the answer was approved, and holds no more when the answer would leave."""

    def test_letter_of_the_answer_does_not_leave(self, desk):
        case = approved(desk, valid_until=now().date() + timedelta(days=1))
        run_jobs(rounds=1)
        letter = case.letters.get(kind="answer")

        left = carry_out.leaving(letter.pk, now() + timedelta(days=3))

        letter.refresh_from_db()
        assert (left, letter.state, letter.error_code) == (None, LetterState.FAILED, "authority_lapsed")

    def test_answer_that_lies_ready_is_not_fetched(self, desk):
        case = approved(desk, valid_until=now().date() + timedelta(days=1))
        run_jobs()
        delivery = answer.live_delivery(case)

        with pytest.raises(Refused) as refusal:
            answer.fetch(delivery, by_customer(case.subject_request_id), now() + timedelta(days=3))

        delivery.refresh_from_db()
        assert (refusal.value.code, delivery.downloads) == ("authority_suffices", 0)


class TestGivenUp:
    def closed(self, desk) -> Case:
        """Ended, because no authority came."""
        desk.allow()
        case = asked(desk)
        title, body = decide.draft_letter(case, Outcome.IDENTITY_NOT_VERIFIED, "No authority came.", now())
        decide.propose_closing(
            case,
            Outcome.IDENTITY_NOT_VERIFIED,
            title,
            body,
            desk.handler,
            now(),
            reasons="No authority came.",
        )
        decide.approve(fresh(case), desk.dpo, now())
        run_jobs()
        return fresh(case)

    def test_letter_says_what_was_not_shown(self, desk):
        case = self.closed(desk)

        letter = case.letters.get(kind="identity_not_verified")
        assert (case.state, letter.address) == (State.CLOSED, "office@blythe.example")
        assert "could not establish that you may ask for this person" in letter.body

    def test_late_authority_opens_it_again(self, desk):
        case = self.closed(desk)

        authorised(case, desk.handler)

        assert (fresh(case).state, fresh(case).authority) == (State.SEARCHING, "valid")

    def test_knowing_the_firm_alone_opens_nothing_again(self, desk):
        case = self.closed(desk)

        identity.record_evidence(case, Level.HIGH, "public_register", "Called the firm.", desk.handler, now())

        assert (fresh(case).state, fresh(case).identity_level) == (State.CLOSED, Level.HIGH)

    @pytest.mark.parametrize("accepted", [False, True])
    def test_what_came_is_ours_to_judge_and_not_reminded_of(self, desk, accepted):
        case = asked(desk)
        before = unanswered.lies_with_us(case.subject_request, now())
        held = received(desk, case)
        if accepted:
            authority.accept(case, held.pk, judged(case), desk.handler, now())

        assert (before, unanswered.lies_with_us(case.subject_request, now())) == (False, True)


class TestRecipient:
    def test_pack_reaches_the_solicitor_alone(self, desk):
        case = approved(desk)
        run_jobs()

        assert fresh(case).state == State.CLOSED
        assert [letter.address for letter in case.letters.filter(kind="answer")] == ["office@blythe.example"]
        assert [one.party for one in Delivery.objects.all()] == [Party.REQUESTER]

    def test_pack_reaches_the_person_alone(self, desk):
        case = approved(desk, answer_to="subject", answer_reason="")
        run_jobs()
        delivery = answer.live_delivery(case)

        with pytest.raises(NotAllowed):
            answer.fetch(delivery, by_customer(case.subject_request_id), now())

        assert [letter.address for letter in case.letters.filter(kind="answer")] == ["ada@example.com"]
        assert (delivery.party, fresh(case).state) == (Party.SUBJECT, State.CLOSED)

    def test_pack_reaches_both_and_the_case_waits_for_both(self, desk):
        case = approved(desk, answer_to="both")
        run_jobs(rounds=1)
        letters = {letter.party: letter for letter in case.letters.filter(kind="answer")}
        carry_out.mailed(letters[Party.REQUESTER], now())
        half = fresh(case).state
        run_jobs()

        assert {one.party: one.address for one in letters.values()} == {
            Party.REQUESTER: "office@blythe.example",
            Party.SUBJECT: "ada@example.com",
        }
        assert (half, fresh(case).state) == (State.FULFILLING, State.CLOSED)
        assert sorted(Delivery.objects.values_list("party", flat=True)) == ["requester", "subject"]

    def test_letter_to_the_solicitor_speaks_of_the_person(self, desk):
        case = approved(desk)
        run_jobs()

        body = case.letters.get(kind="answer").body
        assert "that we hold about Ada Example" in body
        assert "about you" not in body

    def test_letter_to_the_person_speaks_to_them(self, desk):
        case = approved(desk, answer_to="subject", answer_reason="")
        run_jobs()

        body = case.letters.get(kind="answer").body
        assert "that we hold about you" in body

    def test_letter_to_both_greets_neither_by_name(self, desk):
        case = approved(desk, answer_to="both")
        run_jobs()

        bodies = {letter.body.partition("\n")[0] for letter in case.letters.filter(kind="answer")}
        assert bodies == {"Hello,"}

    @pytest.mark.parametrize("email", ["una@elsewhere.example", "office@blythe.example", ""])
    def test_address_that_the_representative_named_gets_nothing(self, desk, email):
        case = asked(desk, person=Person(name="Ada Example", email=email, external_id="1"))
        held = received(desk, case)
        to_person = judged(case, answer_to="subject", answer_reason="")

        with pytest.raises(Refused) as refusal:
            authority.accept(case, held.pk, to_person, desk.handler, now())

        assert (refusal.value.code, newest(case).state) == ("address_unknown", AuthorityState.RECEIVED)

    def test_address_that_staff_compared_gets_it(self, desk):
        case = asked(desk, person=NOBODY)

        held = authorised(case, desk.handler, answer_to="subject", address_compared=True)

        assert (held.answer_to, held.address_compared_at is not None) == ("subject", True)

    def test_recipient_changed_after_submission_is_proposed_anew(self, desk):
        case = in_review(desk)
        review.decide_by_rules(case, desk.handler, now())
        case = desk.submitted(fresh(case))
        authority.choose_recipient(
            case, newest(case).pk, "both", "Ada asked for a copy.", desk.handler, now()
        )

        with pytest.raises(Refused) as refusal:
            decide.approve(fresh(case), desk.dpo, now())

        assert refusal.value.code == "digest_differs"

    def test_recipient_changed_after_delivery_closes_the_door_of_the_one_before(self, desk):
        case = approved(desk)
        run_jobs()
        authority.choose_recipient(case, newest(case).pk, "subject", "", desk.handler, now())

        with pytest.raises(Refused) as refusal:
            answer.fetch(answer.live_delivery(case), by_customer(case.subject_request_id), now())

        assert refusal.value.code == "authority_suffices"

    def test_letter_that_says_nothing_of_the_person_goes_to_whoever_asked(self, desk):
        case = asked(desk)

        people.withdraw(case, desk.agent, now())

        assert case.letters.get(kind="withdrawn").address == "office@blythe.example"


class TestKeeping:
    def sent(self, desk) -> tuple[SubjectRequest, Authority]:
        request = asked(desk).subject_request
        held = authority.hand_in(request, [PICTURE], by_customer(request.pk), now())
        return request, held

    def test_representative_hands_it_in(self, desk):
        request, held = self.sent(desk)

        case = request.cases.get()
        assert (held.state, held.pictures.count(), case.authority) == ("received", 1, "unjudged")
        assert facts(case).count("authority_received") == 1

    def test_nobody_hands_it_in_for_another_request(self, desk):
        request, other = asked(desk).subject_request, asked(desk).subject_request

        with pytest.raises(NotAllowed):
            authority.hand_in(request, [PICTURE], by_customer(other.pk), now())

        assert request.authorities.get().pictures.count() == 0

    def test_whoever_asks_for_themselves_hands_in_nothing(self, desk):
        request = desk.case().subject_request

        with pytest.raises(Refused):
            authority.hand_in(request, [PICTURE], by_customer(request.pk), now())

        assert request.authorities.count() == 0

    def test_pictures_go_with_the_judgement_and_the_outcome_stays(self, desk):
        request, held = self.sent(desk)
        case, picture = request.cases.get(), held.pictures.get()
        stored = picture.file

        authority.accept(case, held.pk, judged(case), desk.handler, now())

        held.refresh_from_db()
        assert (held.pictures.count(), held.destroyed_at is not None) == (0, True)
        assert (held.state, held.matters) == ("accepted", "All that is held.")
        with pytest.raises((KeyDestroyed, FileNotFoundError)):
            b"".join(files.read(stored))

    def test_pictures_that_nobody_judged_go_after_thirty_days(self, desk):
        _request, held = self.sent(desk)

        upkeep.run(desk.controller.pk, now() + timedelta(days=31))

        held.refresh_from_db()
        assert (held.pictures.count(), held.state) == (0, "received")

    def test_each_look_is_on_the_record(self, desk):
        request, held = self.sent(desk)

        shown = authority.view_picture(
            request.cases.get(), held.pk, held.pictures.get().pk, 0, desk.handler, now()
        )

        assert shown[:2] == b"\xff\xd8"

    def test_agent_sees_no_picture(self, desk):
        request, held = self.sent(desk)

        with pytest.raises(NotAllowed):
            authority.view_picture(request.cases.get(), held.pk, held.pictures.get().pk, 0, desk.agent, now())
