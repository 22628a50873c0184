import pytest
from django.utils import timezone

from cases.law import loader as law
from cases.models import Decision, Item, ItemDecision, Letter, ResponsePack
from cases.permissions import by_staff
from cases.words import Channel, Outcome, Right, State
from cases.workflow import carry_out, decide, identity, people, review, search
from cases.workflow.perform import AlreadyDone
from cases.workflow.review import Choice, Selection
from dsar.audit.models import AuditEvent
from dsar.lib.errors import Conflict, NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller, Level, Membership, User
from identity.roles import Role
from tests.factories.cases import forget, in_state, run_jobs

pytestmark = pytest.mark.django_db


def test_submit_is_refused_while_items_are_undecided(desk):
    case = desk.in_review()

    with pytest.raises(Refused) as refusal:
        desk.submitted(case)

    assert refusal.value.code == "items_undecided"
    assert Decision.objects.count() == 0


def test_preparer_cannot_approve_even_with_the_permission(desk):
    case = desk.in_approval()
    desk.allow()
    decision = decide.open_decision(case)
    Decision.objects.filter(pk=decision.pk).update(proposed_by=desk.dpo.person_id)

    with pytest.raises(Refused) as refusal, unit_of_work([desk.controller.pk]):
        decide.approve(case, desk.dpo, timezone.now())

    assert refusal.value.code == "own_proposal"
    case.refresh_from_db()
    assert case.state == State.APPROVAL
    assert AuditEvent.objects.filter(case_id=case.pk, data__code="own_proposal").count() == 1


def test_approve_hands_to_the_controller_where_there_is_no_instruction(desk):
    case = desk.in_approval()

    case = decide.approve(case, desk.dpo, timezone.now())

    assert case.state == State.WITH_CONTROLLER
    assert Decision.objects.get().instruction_says == "ask"
    assert ResponsePack.objects.count() == 0


def test_approve_decides_where_the_instruction_allows(desk):
    desk.allow()
    case = desk.in_approval()

    case = decide.approve(case, desk.dpo, timezone.now())

    assert case.state == State.FULFILLING
    assert Decision.objects.get().instruction.version == 1
    assert ResponsePack.objects.count() == 1


def test_instruction_is_asked_per_right(desk):
    desk.allow(**{"release": "ask", "release:access": "allow", "refuse": "allow"})
    case = desk.in_approval()

    assert decide.approve(case, desk.dpo, timezone.now()).state == State.FULFILLING


def test_approve_is_refused_when_the_content_changed_since(desk):
    desk.allow()
    case = desk.in_approval()
    Item.objects.filter(case=case).update(decision=ItemDecision.DISCLOSE, exemption="", redactions=None)

    with pytest.raises(Refused) as refusal:
        decide.approve(case, desk.dpo, timezone.now())

    assert refusal.value.code == "digest_differs"
    case.refresh_from_db()
    assert case.state == State.APPROVAL


def test_approve_is_refused_when_identity_fell_below_the_level(desk):
    desk.allow()
    case = desk.in_approval()
    forget(case)

    with pytest.raises(Refused) as refusal:
        decide.approve(case, desk.dpo, timezone.now())

    assert refusal.value.code == "identity_suffices_for_answer"
    assert ResponsePack.objects.count() == 0


def test_approving_twice_approves_once(desk):
    desk.allow()
    case = desk.in_approval()
    seen = case.version
    decide.approve(case, desk.dpo, timezone.now(), version=seen)

    with pytest.raises(AlreadyDone):
        decide.approve(case, desk.dpo, timezone.now(), version=seen)

    assert ResponsePack.objects.count() == 1


def test_agent_cannot_approve(desk):
    case = desk.in_approval()

    with pytest.raises(NotAllowed):
        decide.approve(case, desk.agent, timezone.now())

    case.refresh_from_db()
    assert case.state == State.APPROVAL


def test_returned_case_can_be_submitted_anew(desk):
    case = desk.in_approval()

    case = decide.return_case(case, "The letter is too long.", desk.dpo, timezone.now())
    case = desk.submitted(case)

    assert case.state == State.APPROVAL
    assert list(Decision.objects.order_by("proposed_at").values_list("verdict", flat=True)) == [
        "returned",
        "open",
    ]
    assert Decision.objects.earliest("proposed_at").return_reason == "The letter is too long."


def test_refusal_needs_reasons(desk):
    case = desk.in_review()
    review.decide(
        case,
        Selection(only_undecided=True),
        Choice(ItemDecision.WITHHOLD, "LPP"),
        desk.handler,
        timezone.now(),
    )
    Item.objects.filter(case=case).update(decision="withhold", exemption="LPP", redactions=None)

    with pytest.raises(Refused) as refusal:
        desk.submitted(case)

    assert refusal.value.code == "reasons_missing"
    assert decide.outcome_of(case) == Outcome.REFUSED


@pytest.mark.parametrize(
    "outcome",
    [Outcome.NOT_A_REQUEST, Outcome.DUPLICATE, Outcome.TRANSFERRED, Outcome.NO_REPLY, Outcome.REFUSED],
)
def test_closing_without_an_answer_takes_a_second_person_and_a_letter(desk, outcome):
    desk.allow()
    case = desk.case()
    title, body = decide.draft_letter(case, outcome, "Because.", timezone.now())

    case = decide.propose_closing(
        case, outcome, title, body, desk.handler, timezone.now(), reasons="Because."
    )
    assert case.state == State.APPROVAL
    decide.approve(case, desk.dpo, timezone.now())
    run_jobs()

    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.CLOSED, outcome)
    letter = Letter.objects.get(case=case, kind=carry_out.KIND_OF[outcome].value)
    assert "Because." in letter.body
    assert "ico.org.uk" in letter.body


def test_returned_closing_goes_back_to_where_it_came_from(desk):
    case = desk.case()
    case = decide.propose_closing(
        case, Outcome.DUPLICATE, "Title", "Body", desk.handler, timezone.now(), reasons="Asked before."
    )

    case = decide.return_case(case, "Not the same.", desk.dpo, timezone.now())

    assert case.state == State.AWAITING_IDENTITY


def test_late_answer_voids_the_approval(desk):
    case = desk.in_approval()

    case = search.late_answer(case, desk.handler, timezone.now())
    run_jobs()

    case.refresh_from_db()
    assert case.state == State.REVIEW
    assert Decision.objects.get().verdict == "void"
    with pytest.raises(Conflict):
        decide.approve(case, desk.dpo, timezone.now())


def test_complaint_is_answered_by_its_letter(desk):
    desk.allow()
    case = desk.case(Right.COMPLAINT)
    assert case.state == State.REVIEW

    outcome = Outcome.PARTLY_UPHELD
    title, body = decide.draft_letter(case, outcome, "The letter went out twice.", timezone.now())
    case = decide.submit(
        case,
        title,
        body,
        desk.handler,
        timezone.now(),
        reasons="The letter went out twice.",
        complaint_outcome=outcome,
    )
    decide.approve(case, desk.dpo, timezone.now())
    run_jobs()

    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.PARTLY_UPHELD)
    letter = Letter.objects.get(case=case, kind="complaint_outcome")
    assert "The letter went out twice." in letter.body


def test_no_data_is_answered_without_a_pack(desk):
    desk.allow()
    case = desk.in_review()
    Item.objects.filter(case=case).delete()

    case = desk.submitted(case)
    decide.approve(case, desk.dpo, timezone.now())
    run_jobs()

    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.NO_DATA)
    assert ResponsePack.objects.count() == 0


def test_who_decided_about_records_cannot_approve(desk):
    """One who holds both roles reviews, a colleague presses the button, and the first would approve."""
    desk.allow()
    user = User.objects.get(pk=desk.handler.person_id)
    team = user.teams.get()
    Membership.objects.create(team=team, user=user, role=Role.DPO)
    both = by_staff(User.objects.get(pk=user.pk))
    case = desk.in_review()
    review.decide_by_rules(case, both, timezone.now())
    title, body = decide.draft_letter(case, decide.outcome_of(case), "", timezone.now())
    case = decide.submit(case, title, body, desk.second_handler, timezone.now())

    with pytest.raises(Refused) as refusal:
        decide.approve(case, both, timezone.now())

    assert refusal.value.code == "own_preparation"
    assert ResponsePack.objects.count() == 0


def test_case_returned_to_searching_goes_on_when_the_sources_have_answered(desk):
    case = desk.case()
    identity.record_evidence(case, Level.LOW, "callback", "Called back.", desk.handler, timezone.now())
    case.refresh_from_db()
    case = decide.propose_closing(
        case, Outcome.DUPLICATE, "Title", "Body", desk.handler, timezone.now(), reasons="Asked before."
    )
    run_jobs()

    case = decide.return_case(case, "Not the same.", desk.dpo, timezone.now())

    assert case.state == State.REVIEW


def test_proof_of_identity_voids_the_closing_for_want_of_it(desk):
    case = desk.case()
    case = decide.propose_closing(
        case,
        Outcome.IDENTITY_NOT_VERIFIED,
        "Title",
        "Body",
        desk.handler,
        timezone.now(),
        reasons="No proof.",
    )

    identity.record_evidence(case, Level.LOW, "callback", "Called back.", desk.handler, timezone.now())
    run_jobs()

    case.refresh_from_db()
    assert (case.state, Decision.objects.get().verdict) == (State.REVIEW, "void")
    kinds = set(case.clock_events.values_list("kind", flat=True))
    assert {"identity_received", "identity_confirmed"} <= kinds


def test_proved_identity_is_no_reason_to_close(desk):
    case = desk.in_review()

    with pytest.raises(Refused) as refusal:
        decide.propose_closing(
            case,
            Outcome.IDENTITY_NOT_VERIFIED,
            "Title",
            "Body",
            desk.handler,
            timezone.now(),
            reasons="No proof.",
        )

    assert refusal.value.code == "identity_verified"
    assert Decision.objects.count() == 0


def test_no_reply_ends_nothing_under_eu_law(desk):
    Controller.objects.filter(pk=desk.controller.pk).update(regime="EU-DE")
    desk.controller.refresh_from_db()
    case = desk.case()

    with pytest.raises(Refused) as refusal:
        decide.propose_closing(
            case, Outcome.NO_REPLY, "Title", "Body", desk.handler, timezone.now(), reasons="No reply."
        )

    assert refusal.value.code == "no_reply_here"
    assert Decision.objects.count() == 0


@pytest.mark.parametrize(("code", "refused"), [("ABUSE", "silent"), ("free text", "unknown_reason")])
def test_reason_that_would_betray_is_not_named(desk, code, refused):
    code = (
        next((one.code for one in law.exemptions_for("UK-ENG") if one.silence == "must"), code)
        if refused == "silent"
        else code
    )
    case = desk.in_review()

    with pytest.raises(Refused) as refusal:
        decide.propose_closing(
            case, Outcome.REFUSED, "T", "B", desk.handler, timezone.now(), reasons="R", reason_code=code
        )

    assert refusal.value.code == refused
    assert Decision.objects.count() == 0


def test_returning_twice_returns_once_from_the_controller(desk):
    case = decide.approve(desk.in_approval(), desk.dpo, timezone.now())
    seen = case.version
    decide.return_case(case, "Not so.", desk.reviewer, timezone.now(), version=seen)

    with pytest.raises(AlreadyDone):
        decide.return_case(case, "Not so.", desk.reviewer, timezone.now(), version=seen)


def test_complaint_is_not_worked_or_approved_by_who_worked_the_case(desk):
    desk.allow()
    case = desk.in_approval()
    request = people.complain(case, "Too slow.", Channel.CALL, timezone.now(), desk.agent, timezone.now())
    complaint = request.cases.get()
    handler = User.objects.get(pk=desk.handler.person_id)

    with pytest.raises(Refused) as refusal:
        people.assign(complaint, handler, desk.second_handler, timezone.now())

    assert refusal.value.code == "worked_it_before"
    complaint.refresh_from_db()
    assert complaint.owner is None


def test_state_reached_by_hand_has_nothing_to_approve(desk):
    case = in_state(desk.case(), State.APPROVAL)

    with pytest.raises(Conflict):
        decide.approve(case, desk.dpo, timezone.now())


def test_letter_names_what_was_left_out_of_a_record(desk):
    case = desk.in_review()
    review.decide_by_rules(case, desk.handler, timezone.now())

    _title, body = decide.draft_letter(case, decide.outcome_of(case), "", timezone.now())

    assert decide.outcome_of(case) == Outcome.PARTLY_FULFILLED
    assert "information about other people" in body
