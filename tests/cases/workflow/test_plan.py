"""The plan of an erasure over a real PostgreSQL: what the rules propose, what the source answers, who decides."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.formats import date_format

from cases.collection.store import Form
from cases.correspondence.compose import Kind
from cases.fulfilment import dry_run, plans
from cases.fulfilment.wishes import NoWish, wish_of
from cases.models import (
    Belongs,
    Case,
    ChangeStep,
    Item,
    LineState,
    PartStage,
    PlannedChange,
    PlanStage,
    SetAside,
    SourceSystem,
    Treatment,
)
from cases.permissions import BY_SYSTEM, by_staff
from cases.words import Right, State
from cases.workflow import decide, hold, identity, plan, search, standing
from cases.workflow.returning import return_lines
from dsar.lib.errors import NotAllowed, Refused
from identity.models import Level, Membership, User
from identity.roles import Role
from tests.cases.chinook import LUIS, Shop, keep_invoices, luis_in_review, make_shop, needs_chinook
from tests.cases.connectors.sql.conftest import Source, database, make_source  # noqa: F401  (fixtures)
from tests.cases.workflow.conftest import Desk, make_desk
from tests.factories.cases import run_jobs
from tests.factories.identity import ControllerFactory, staff

pytestmark = [pytest.mark.django_db, needs_chinook]


@pytest.fixture
def desk(serve) -> Desk:
    return make_desk(ControllerFactory.create())


@pytest.fixture
def shop(desk: Desk, make_source: Callable[[str], Source]) -> Shop:  # noqa: F811  (the fixture)
    return make_shop(desk.controller, make_source)


def fresh(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def only(case: Case, collection: str) -> plan.Lines:
    return plan.Lines(
        ids=[line.pk for line in PlannedChange.objects.filter(case=case, collection=collection)]
    )


def decided(desk: Desk, case: Case) -> Case:
    plan.accept(case, plan.Lines(everything=True), desk.handler, timezone.now())
    return fresh(case)


def why_not_submitted(desk: Desk, case: Case) -> str:
    with pytest.raises(Refused) as refusal:
        desk.submitted(fresh(case))
    return refusal.value.code


def took_in(case: Case, item: Item) -> None:
    """Somebody says of a record that proved nothing that it is the person's."""
    content = item.content
    aside = SetAside(controller_id=case.controller_id, case=case, source=item.source, search=item.search)
    aside.ref_hash = Form.of(case).blind(f"ref|{item.collection}|{content['ref']}")
    aside.collection, aside.why, aside.verdict = item.collection, "identity", Belongs.THEIRS
    aside.save()


def hangs_on(line: PlannedChange, number: int) -> bool:
    data = line.item.content["data"]
    return line.collection.startswith("invoice") and data["invoice_id"] == number


def proposals(made) -> Counter:
    return Counter(made.lines.values_list("collection", "treatment", "rule", "by_hand", "obstacle"))


def test_plan_keeps_young_invoices_deletes_old_ones_and_anonymises_the_customer(desk, shop):
    keep_invoices(shop)

    case = luis_in_review(desk)

    made = plan.live(case)
    assert made.stage == PlanStage.READY
    assert proposals(made) == {
        ("customer", "anonymise", "referenced", False, ""): 1,
        ("employee", "keep", "third_party", False, ""): 1,
        ("invoice", "delete", "past:invoices", False, ""): 4,
        ("invoice", "keep", "keeping:invoices", False, ""): 3,
        ("invoice_line", "delete", "usual", False, ""): 13,
        ("invoice_line", "keep", "part_of:invoices", False, ""): 25,
    }
    part = made.parts.get()
    assert (part.stage, part.steps_total, part.looked) == (PartStage.PLANNED, 18, 18)


def test_line_that_a_person_decided_is_not_approved_by_them(desk, shop):
    case = luis_in_review(desk)
    user = User.objects.get(pk=desk.second_handler.person_id)
    Membership.objects.create(team=user.teams.get(), user=user, role=Role.DPO)
    both = by_staff(User.objects.get(pk=user.pk))
    plan.accept(case, plan.Lines(everything=True), desk.handler, timezone.now())
    plan.treat(case, only(case, "customer"), plan.Treat(Treatment.ANONYMISE), both, timezone.now())
    run_jobs()
    case = desk.submitted(fresh(case))

    with pytest.raises(Refused) as refusal:
        decide.approve(case, both, timezone.now())

    assert refusal.value.code == "own_preparation"
    assert fresh(case).state == State.APPROVAL


def test_plan_that_was_changed_since_is_not_approved(desk, shop):
    keep_invoices(shop)
    case = decided(desk, luis_in_review(desk))
    case = desk.submitted(case)
    PlannedChange.objects.filter(case=case, collection="invoice", treatment="delete").update(by_hand=True)

    with pytest.raises(Refused) as refusal:
        decide.approve(case, desk.dpo, timezone.now())

    assert refusal.value.code == "digest_differs"


def test_approval_starts_the_time_to_cancel(desk, shop):
    keep_invoices(shop)
    desk.allow()
    type(desk.controller).objects.filter(pk=desk.controller.pk).update(grace_days=5)
    case = desk.submitted(decided(desk, luis_in_review(desk)))
    now = timezone.now()

    decide.approve(case, desk.dpo, now)

    made = plan.live(case)
    assert (made.stage, made.executes_at) == (
        PlanStage.APPROVED,
        now + timedelta(days=5),
    )
    assert set(made.lines.values_list("state", "approved_by")) == {(LineState.APPROVED, desk.dpo.person_id)}
    assert made.decision.case_id == case.pk
    assert fresh(case).state == State.FULFILLING
    day = date_format(timezone.localtime(made.executes_at, desk.controller.zone), "l j F Y, H:i")
    told = case.letters.get(kind=Kind.ERASURE_PLANNED)
    assert f"erase the data after {day}." in told.body.replace("\n", " ")


def test_record_of_somebody_else_makes_an_erasure_no_less_whole(desk, shop):
    case = desk.submitted(decided(desk, luis_in_review(desk)))

    decision = case.decisions.get()

    assert case.items.filter(is_third_party=True).count() == 1
    assert (decision.outcome, plans.kept(case), "people" in decision.letter_body) == ("fulfilled", [], False)


def test_nothing_of_somebody_else_is_erased(desk, shop):
    case = luis_in_review(desk)
    helper = PlannedChange.objects.get(case=case, collection="employee")

    with pytest.raises(Refused) as refusal:
        plan.treat(case, plan.Lines(ids=[helper.pk]), plan.Treat("delete"), desk.handler, timezone.now())
    changed = plan.treat(
        case, plan.Lines(everything=True), plan.Treat("delete"), desk.handler, timezone.now()
    )

    helper.refresh_from_db()
    assert (refusal.value.code, changed) == ("third_party", 46)
    assert (helper.treatment, helper.may_write) == ("keep", False)
    with pytest.raises(IntegrityError), transaction.atomic():
        PlannedChange.objects.filter(pk=helper.pk).update(treatment="delete")


def test_what_a_human_took_in_is_never_written_to_nor_what_hangs_on_it(desk, shop):
    case = luis_in_review(desk)
    item = Item.objects.filter(case=case, collection="invoice").order_by("number").first()
    took_in(case, item)
    number = item.content["data"]["invoice_id"]

    plan.propose(fresh(case), BY_SYSTEM, timezone.now())
    run_jobs()

    mine = [line for line in PlannedChange.objects.filter(case=case) if hangs_on(line, number)]
    assert {(line.by_hand, line.may_write) for line in mine} == {(True, False)}
    assert len(mine) > 1
    plan.treat(case, plan.Lines(ids=[mine[0].pk]), plan.Treat("delete"), desk.handler, timezone.now())
    mine[0].refresh_from_db()
    assert mine[0].by_hand
    with pytest.raises(NoWish):
        wish_of(mine[0])
    assert not ChangeStep.objects.filter(line__in=mine).exists()


def test_plan_of_another_controller_is_not_found(desk, shop):
    case = luis_in_review(desk)
    stranger = make_desk(ControllerFactory.create())

    with pytest.raises(NotAllowed):
        plan.accept(case, plan.Lines(everything=True), stranger.handler, timezone.now())

    assert PlannedChange.objects.filter(case=case, state=LineState.PROPOSED).count() == 46


def test_plan_is_submitted_only_when_it_is_decided_tried_and_possible(desk, shop):
    shop.source.administer(f'REVOKE DELETE ON "{shop.source.schema}".invoice FROM "{shop.source.eraser}"')
    case = luis_in_review(desk)
    refused = PlannedChange.objects.filter(case=case, obstacle="permission")

    codes = [why_not_submitted(desk, case)]
    plan.accept(case, plan.Lines(everything=True), desk.handler, timezone.now())
    codes.append(why_not_submitted(desk, case))
    by_hand = plan.Treat("delete", by_hand=True, reason="The shop's own people delete them.")
    plan.treat(case, only(case, "invoice"), by_hand, desk.handler, timezone.now())
    codes.append(why_not_submitted(desk, case))
    run_jobs()
    submitted = desk.submitted(fresh(case))

    assert codes == ["items_undecided", "obstacles_open", "dry_run_open"]
    assert (submitted.state, refused.count()) == (State.APPROVAL, 0)
    customer = PlannedChange.objects.get(case=case, collection="customer")
    assert (customer.treatment, customer.obstacle) == ("anonymise", "")


def test_human_who_wants_more_than_the_source_allows_is_told_why(desk, shop):
    keep_invoices(shop)
    case = luis_in_review(desk)

    plan.treat(case, only(case, "customer"), plan.Treat("delete"), desk.handler, timezone.now())
    run_jobs()

    customer = PlannedChange.objects.get(case=case, collection="customer")
    assert (customer.treatment, customer.obstacle, customer.state) == (
        "delete",
        "referenced",
        LineState.DECIDED,
    )
    assert "invoice" in customer.remedy


def test_lines_sent_back_are_open_and_the_others_stand(desk, shop):
    keep_invoices(shop)
    case = desk.submitted(decided(desk, luis_in_review(desk)))
    line = PlannedChange.objects.filter(case=case, collection="invoice", treatment="delete").first()

    returned = return_lines(case, plan.Lines(ids=[line.pk]), "A claim is open.", desk.dpo, timezone.now())

    line.refresh_from_db()
    assert (returned.state, line.state, line.return_reason) == (
        State.REVIEW,
        LineState.RETURNED,
        "A claim is open.",
    )
    assert Item.objects.filter(case=case, decision="undecided").get() == line.item
    assert PlannedChange.objects.filter(case=case, state=LineState.DECIDED).count() == 46
    assert why_not_submitted(desk, case) == "items_undecided"


def test_taking_all_as_proposed_leaves_out_what_was_sent_back(desk, shop):
    keep_invoices(shop)
    case = desk.submitted(decided(desk, luis_in_review(desk)))
    line = PlannedChange.objects.filter(case=case, collection="invoice", treatment="delete").first()
    one = plan.Lines(ids=[line.pk])
    case = return_lines(case, one, "A claim is open.", desk.dpo, timezone.now())

    of_all = plan.accept(case, plan.Lines(everything=True), desk.handler, timezone.now())
    by_itself = plan.accept(fresh(case), one, desk.handler, timezone.now())

    line.refresh_from_db()
    assert (of_all, by_itself, line.state) == (0, 1, LineState.DECIDED)


def test_record_that_changed_is_proposed_anew_and_the_others_stand(desk, shop):
    keep_invoices(shop)
    case = decided(desk, luis_in_review(desk))
    shop.source.execute("UPDATE invoice SET total = 99 WHERE invoice_id = 98")

    search.again(case, desk.handler, timezone.now(), reason="It took long.")
    run_jobs()

    opened = PlannedChange.objects.filter(case=case, state=LineState.PROPOSED).get()
    assert opened.item.content["data"]["invoice_id"] == 98
    assert opened.expected["total"] == "99.00"
    assert PlannedChange.objects.filter(case=case, state=LineState.DECIDED).count() == 46


def test_legal_hold_proposes_to_keep_everything(desk, shop):
    case = desk.case(Right.ERASURE, person=LUIS)
    hold.set_hold(case, "A court asks for it.", desk.dpo, timezone.now())
    identity.record_evidence(case, Level.SUBSTANTIAL, "passport", "Seen.", desk.handler, timezone.now())

    run_jobs()

    assert set(plan.live(case).lines.values_list("treatment", "rule", "basis")) == {
        ("keep", "legal_hold", "LEGAL_CLAIMS"),
        ("keep", "third_party", "TP"),
    }


def test_letter_of_a_partial_erasure_says_what_stays_and_why(desk, shop):
    keep_invoices(shop)
    case = decided(desk, luis_in_review(desk))

    _title, body = decide.draft_letter(case, decide.outcome_of(case), "", timezone.now())

    assert (
        "- We keep this data because the law requires us to, or because it is needed for a public task."
        " The tax law wants invoices kept. (28)" in body
    )


def test_dry_run_in_small_batches_plans_the_same(desk, shop, monkeypatch):
    keep_invoices(shop)
    whole = luis_in_review(desk)
    monkeypatch.setattr(dry_run, "BATCH", 9)

    plan.rerun_dry(whole, desk.handler, timezone.now())
    run_jobs()

    part = plan.live(whole).parts.get()
    assert (part.stage, part.looked, part.steps_total) == (PartStage.PLANNED, 18, 18)
    invoices = ChangeStep.objects.filter(part=part, line__collection="invoice")
    lines = ChangeStep.objects.filter(part=part, line__collection="invoice_line")
    assert sorted(key for step in invoices for key in step.after) == sorted(step.key for step in lines)
    assert max(step.number for step in lines) < max(step.number for step in invoices)


def test_what_waits_for_a_refused_record_in_another_batch_is_refused_too(desk, shop, monkeypatch):
    monkeypatch.setattr(dry_run, "BATCH", 23)
    schema, eraser = shop.source.schema, shop.source.eraser
    shop.source.administer(f'REVOKE DELETE ON "{schema}".invoice_line FROM "{eraser}"')

    case = luis_in_review(desk)

    lines = PlannedChange.objects.filter(case=case, collection__startswith="invoice")
    assert set(lines.values_list("collection", "obstacle", "treatment")) == {
        ("invoice_line", "permission", "delete"),
        ("invoice", "state", "anonymise"),
    }
    assert not ChangeStep.objects.filter(line__collection="invoice_line").exists()


def test_dry_run_waits_while_its_source_is_paused_and_goes_on_after(desk, shop):
    administrator = by_staff(staff(Role.ADMINISTRATOR, desk.controller))
    case = luis_in_review(desk)
    standing.pause(shop.system, "It is being moved.", administrator, timezone.now())
    plan.rerun_dry(case, desk.handler, timezone.now())
    run_jobs()
    held = plan.live(case).parts.get()

    standing.resume(SourceSystem.objects.get(pk=shop.system.pk), administrator, timezone.now())
    run_jobs()

    part = plan.live(case).parts.get()
    assert (held.stage, held.held_for, held.looked) == (PartStage.HELD, "paused", 0)
    assert (part.stage, part.held_for, part.looked) == (PartStage.PLANNED, "", part.steps_total)


def test_dry_run_that_fails_says_what_to_do_and_holds_nothing_else(desk, shop):
    case = luis_in_review(desk)
    shop.source.administer(f'ALTER SCHEMA "{shop.source.schema}" RENAME TO "{shop.source.schema}x"')
    plan.rerun_dry(case, desk.handler, timezone.now())
    run_jobs()
    shop.source.administer(f'ALTER SCHEMA "{shop.source.schema}x" RENAME TO "{shop.source.schema}"')

    part = plan.live(case).parts.get()

    assert part.stage == PartStage.FAILED
    assert "" not in {part.error_code, part.error_text}
    plan.accept(case, plan.Lines(everything=True), desk.handler, timezone.now())
    assert why_not_submitted(desk, case) == "dry_run_open"
