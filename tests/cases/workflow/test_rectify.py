"""Disputed values: found in a real source, decided one by one, approved by another, written, and read back."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from django.utils import timezone

from cases import corrections
from cases.fulfilment import plans, tasks
from cases.models import (
    Case,
    ChangeStep,
    Correction,
    CorrectionOutcome,
    ItemDecision,
    Letter,
    PlannedChange,
    SourceSystem,
)
from cases.words import Outcome, State
from cases.workflow import aftermath, decide, rectify
from cases.workflow.rectify import Judged, NewClaim
from cases.workflow.returning import return_values
from dsar.lib.errors import Conflict, NotAllowed, Refused
from tests.cases.connectors.demo_crm.crm_world import ADA, ADA_AGAIN
from tests.cases.workflow.conftest import Desk
from tests.cases.workflow.rectifying import Shop, value
from tests.factories.cases import run_jobs
from tests.factories.crm import Lent, shop_of_world

CORRECTED, COMPLETED, REFUSED = (
    CorrectionOutcome.CORRECTED,
    CorrectionOutcome.COMPLETED,
    CorrectionOutcome.REFUSED,
)
STREET = ("Street", "Mill Lane 4", "Mill Lane 14")


pytestmark = pytest.mark.usefixtures("world")


@dataclass(frozen=True)
class World:
    """A brand with a CRM, and a case of Ada's there about her street."""

    desk: Desk
    source: SourceSystem
    crm: Lent
    case: Case


def build_world(_patch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> World:
    found, crm = shop_of_world(request)
    return World(found.desk, found.source, crm, found.case(STREET))


@pytest.fixture
def here(world: World) -> Iterator[Shop]:
    with world.crm.as_it_was() as server:
        yield Shop(world.desk, server, world.source)


@pytest.fixture
def case(here: Shop, world: World) -> Case:
    return world.case


def judge(here: Shop, one: Correction, outcome=CORRECTED, **words) -> Correction:
    return rectify.decide(one, Judged(outcome, **words), here.desk.handler, timezone.now())


def rest_not_meant(here: Shop, case) -> None:
    for one in corrections.of(case).filter(outcome=""):
        judge(here, one, CorrectionOutcome.NOT_MEANT)


def answered(here: Shop, case):
    """Submitted by the handler, approved by the officer, and carried out."""
    here.desk.allow()
    rest_not_meant(here, case)
    run_jobs()
    here.desk.submitted(case)
    approved = decide.approve(case, here.desk.dpo, timezone.now())
    run_jobs()
    approved.refresh_from_db()
    return approved


def told(case) -> list[tuple[str, str, str, object, object]]:
    return [
        (one.collection, one.field, one.found, one.held, one.claimed)
        for one in corrections.of(case).order_by("item__number", "field")
    ]


# -- finding -------------------------------------------------------------------------------------------


def test_the_wrong_value_is_found_in_every_record_of_the_person(here):
    case = here.case(("Name", "ada example", "Ada Lovelace"))

    assert told(case) == [
        ("contacts", "name", "value", "Ada Example", "Ada Lovelace"),
        ("messages", "author", "value", "Ada Example", "Ada Lovelace"),
    ]


def test_another_persons_record_with_the_same_value_is_not_found(here):
    case = here.case(("City", "Norwich", "Leeds"))

    assert [held for _kind, _name, found, held, _claimed in told(case) if found == "value"] == []


def test_a_claim_in_free_words_alone_is_looked_for_once_somebody_wrote_it_down(here):
    case = here.case(words="My street is wrong!")
    before = told(case)

    rectify.add_claim(case, NewClaim(*STREET), here.desk.handler, timezone.now())
    run_jobs()

    assert (before, told(case)) == ([], [("contacts", "street", "value", "Mill Lane 4", "Mill Lane 14")])


def test_looking_again_keeps_what_was_decided_where_nothing_changed(here, case):
    judge(here, value(case, "contacts", "street"), wanted="Mill Lane 14")

    rectify.add_claim(case, NewClaim("City", "Leeds", "York"), here.desk.handler, timezone.now())
    run_jobs()

    contacts = corrections.of(case).filter(collection="contacts")
    outcomes = [(one.field, one.outcome) for one in contacts]
    assert sorted(outcomes) == [("city", ""), ("street", CORRECTED)]


# -- deciding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("judged", "code"),
    [
        (Judged(CORRECTED, wanted="no address"), "email"),
        (Judged(CORRECTED, wanted=""), "empty"),
        (Judged(CORRECTED, wanted="Ada.Example@shop.test"), "same_value"),
        (Judged(CORRECTED, wanted="other@shop.test"), "reasons_missing"),
        (Judged(REFUSED), "reasons_missing"),
        (Judged(COMPLETED, reason="It is not whole."), "statement_missing"),
        (Judged(CorrectionOutcome.OPEN), "nothing_chosen"),
    ],
)
def test_what_cannot_be_decided_so_is_refused_and_nothing_changes(here, judged, code):
    case = here.case(("E-mail", "ada.example@shop.test", "ada@shop.test"))
    one = value(case, "contacts", "email")

    with pytest.raises(Refused) as refused:
        rectify.decide(one, judged, here.desk.handler, timezone.now())

    one.refresh_from_db()
    assert (refused.value.code, one.outcome, one.wanted) == (code, "", None)


def test_an_agent_and_an_officer_decide_nothing(here, case):
    one = value(case, "contacts", "street")

    for by in (here.desk.agent, here.desk.dpo):
        with pytest.raises(NotAllowed):
            rectify.decide(one, Judged(CORRECTED, wanted="Mill Lane 14"), by, timezone.now())


def test_a_record_follows_the_decisions_about_its_values(here):
    case = here.case(STREET, ("City", "Leeds", "York"))
    seen = []

    judge(here, value(case, "contacts", "street"), REFUSED, reason="The post says so.")
    seen.append(value(case, "contacts", "street").item.decision)
    judge(here, value(case, "contacts", "city"), REFUSED, reason="The post says so.")
    item = value(case, "contacts", "city").item
    seen.append((item.decision, item.exemption))
    judge(here, value(case, "contacts", "city"), wanted="York")
    seen.append(value(case, "contacts", "city").item.decision)

    assert seen == [ItemDecision.UNDECIDED, (ItemDecision.KEEP, "REFUSED"), ItemDecision.ACT]


def test_one_decision_serves_all_places_that_are_alike(here):
    case = here.case(("Language", "en", "de"))
    one = value(case, "contacts", "language")

    count = rectify.decide_alike(one, Judged(CORRECTED, wanted="de"), here.desk.handler, timezone.now())

    assert (count, corrections.undecided(case)) == (2, 0)


# -- the whole path ------------------------------------------------------------------------------------


def test_exactly_the_planned_field_is_written_and_nothing_else(here, case):
    before = here.everything()
    judge(here, value(case, "contacts", "street"), wanted="Mill Lane 14")

    closed = answered(here, case)

    expected = {**before, ("contacts", ADA): {**before["contacts", ADA], "street": "Mill Lane 14"}}
    assert here.everything() == expected
    assert (closed.state, closed.outcome) == (State.CLOSED, Outcome.FULFILLED)
    assert [(step.verb, step.state) for step in ChangeStep.objects.all()] == [("set", "done")]


def test_the_letter_says_what_became_of_each_detail(here):
    case = here.case(STREET, ("City", "Leeds", "York"))
    judge(here, value(case, "contacts", "street"), wanted="Mill Lane 14")
    judge(here, value(case, "contacts", "city"), REFUSED, reason="The post office confirms Leeds.")

    closed = answered(here, case)

    body = Letter.objects.get(case=case, kind="done").body
    assert closed.outcome == Outcome.PARTLY_FULFILLED
    assert "- Street (Shop CRM): We have corrected the data as you asked." in body
    assert "- City (Shop CRM): We have found the data to be accurate" in body
    assert "The post office confirms Leeds." in body


def test_a_refusal_leaves_a_note_behind_what_the_record_says_already(here, case):
    before = here.everything()
    judge(here, value(case, "contacts", "street"), REFUSED, reason="The post office confirms it.")

    closed = answered(here, case)

    (note,) = {row["note"] for place, row in here.everything().items() if place == ("contacts", ADA)}
    assert (closed.state, closed.outcome) == (State.CLOSED, Outcome.REFUSED)
    assert note.splitlines()[0] == "Prefers letters"
    assert note.splitlines()[1].endswith("the person disputes “street” and states: Mill Lane 14")
    assert {**here.everything(), ("contacts", ADA): None} == {**before, ("contacts", ADA): None}
    assert Letter.objects.filter(case=case, kind="refusal", state="sent").count() == 1


def test_values_sent_back_are_open_again_and_no_others(here):
    case = here.case(STREET, ("Subject", "Wrong size", "Wrong colour"))
    here.desk.allow()
    street, subject = value(case, "contacts", "street"), value(case, "tickets", "subject")
    judge(here, street, wanted="Mill Lane 14")
    judge(here, subject, REFUSED, reason="It is what she wrote.")
    rest_not_meant(here, case)
    run_jobs()
    here.desk.submitted(case)

    with pytest.raises(NotAllowed):
        return_values(case, [street.pk], "Number 14?", here.desk.agent, timezone.now())
    case = return_values(case, [street.pk], "Number 14?", here.desk.dpo, timezone.now())

    left = corrections.of(case).filter(outcome="").values_list("pk", flat=True)
    assert (list(left), str(case.state), case.items.get(pk=street.item_id).decision) == (
        [street.pk],
        State.REVIEW,
        ItemDecision.UNDECIDED,
    )

    judge(here, value(case, "contacts", "street"), wanted="Mill Lane 14")
    answered(here, case)
    assert here.everything()["contacts", ADA]["street"] == "Mill Lane 14"


def test_recipients_hear_the_right_value_and_no_note_beside_it(here, case):
    one = value(case, "contacts", "street")
    judge(here, one, wanted="Mill Lane 14", statement="She said so on the telephone.")

    closed = answered(here, case)

    row = here.everything()["contacts", ADA]
    assert (row["street"], row["note"]) == ("Mill Lane 14", "Prefers letters\nShe said so on the telephone.")
    assert aftermath.corrected_by(closed.plans.get()) == {"crm": {"street": "Mill Lane 14"}}


def test_a_supplementary_statement_leaves_the_value_as_it_is(here, case):
    judge(here, value(case, "contacts", "street"), COMPLETED, statement="Second door on the left.")

    closed = answered(here, case)

    row = here.everything()["contacts", ADA]
    assert (row["street"], row["note"]) == ("Mill Lane 4", "Prefers letters\nSecond door on the left.")
    assert closed.outcome == Outcome.FULFILLED


def test_a_record_of_a_mistake_stays_and_says_what_is_right(here, case):
    judge(
        here, value(case, "contacts", "street"), CorrectionOutcome.RECORD_OF_MISTAKE, reason="We wrote there."
    )

    closed = answered(here, case)

    row = here.everything()["contacts", ADA]
    assert (row["street"], closed.outcome) == ("Mill Lane 4", Outcome.PARTLY_FULFILLED)
    assert row["note"].endswith("“street” tells of a mistake; what is right: Mill Lane 14")


def test_what_the_source_cannot_write_is_a_task_for_a_person(here):
    case = here.case(("Subject", "Wrong size", "Wrong colour"))
    judge(here, value(case, "tickets", "subject"), wanted="Wrong colour")
    here.desk.allow()
    run_jobs()
    here.desk.submitted(case)

    approved = decide.approve(case, here.desk.dpo, timezone.now())
    run_jobs()

    (task,) = approved.tasks.all()
    assert (task.source, task.verb, task.state) == (here.source, "rectify", "open")
    assert "  subject: Wrong colour" in task.what.splitlines()
    assert here.everything()["tickets", 12]["subject"] == "Wrong size"


def test_task_of_a_second_line_names_the_record_of_its_first(here):
    case = here.case(("Subject", "Wrong size", "Wrong colour"))
    judge(here, value(case, "tickets", "subject"), wanted="Wrong colour")
    run_jobs()
    first = PlannedChange.objects.get(case=case)
    about = {"case": case, "plan": first.plan, "source": here.source, "controller_id": case.controller_id}
    second = PlannedChange(
        collection="tickets", number=first.number + 1, treatment="supplement", by_hand=True, **about
    )
    second.wanted, second.expected, second.reason, second.return_reason = {"+": "Disputed."}, {}, "", ""
    second.save()

    tasks.add_by_hand(first.plan, PlannedChange.objects.filter(pk=second.pk), timezone.now())

    assert case.tasks.get().what.startswith("- tickets tickets/12: add a statement")


# -- attacks -------------------------------------------------------------------------------------------


def test_a_later_change_by_somebody_else_is_not_overwritten(here, case):
    judge(here, value(case, "contacts", "street"), wanted="Mill Lane 14")
    here.desk.allow()
    run_jobs()
    here.desk.submitted(case)
    approved = decide.approve(case, here.desk.dpo, timezone.now())
    store = here.crm.crm.store
    store.change(store.get("contacts", ADA), {"street": "Castle Street 1"}, "Kim")

    run_jobs()

    approved.refresh_from_db()
    assert here.everything()["contacts", ADA]["street"] == "Castle Street 1"
    assert approved.state == State.FULFILLING
    assert PlannedChange.objects.get().state == "stale"


def test_whoever_decided_about_a_value_cannot_approve_it(here, case):
    second = replace(here.desk.dpo)
    judge(here, value(case, "contacts", "street"), wanted="Mill Lane 14")
    Correction.objects.update(decided_by=second.person_id)
    here.desk.allow()
    run_jobs()
    here.desk.submitted(case)

    with pytest.raises(Refused) as refused:
        decide.approve(case, second, timezone.now())

    assert refused.value.code == "own_preparation"
    assert here.everything()["contacts", ADA]["street"] == "Mill Lane 4"


def test_nothing_is_submitted_while_a_value_is_undecided(here):
    case = here.case(STREET, ("City", "Leeds", "York"))
    judge(here, value(case, "contacts", "street"), wanted="Mill Lane 14")

    with pytest.raises(Refused) as refused:
        here.desk.submitted(case)

    assert refused.value.code == "values_undecided"


def test_nothing_is_submitted_before_the_sources_were_tried(here, case):
    judge(here, value(case, "contacts", "street"), wanted="Mill Lane 14")

    with pytest.raises(Refused) as refused:
        here.desk.submitted(case)

    assert refused.value.code == "plan_being_made"


def test_what_was_decided_otherwise_since_is_not_approved(here, case):
    judge(here, value(case, "contacts", "street"), wanted="Mill Lane 14")
    here.desk.allow()
    run_jobs()
    here.desk.submitted(case)
    PlannedChange.objects.update(basis="COMPLETED")

    with pytest.raises(Refused) as refused:
        decide.approve(case, here.desk.dpo, timezone.now())

    assert refused.value.code == "digest_differs"


def test_a_case_refused_as_a_whole_writes_nothing_that_was_decided_before(here, case):
    before = here.everything()
    judge(here, value(case, "contacts", "street"), wanted="Mill Lane 14")
    here.desk.allow()
    run_jobs()
    words = {"reasons": "It is the tenth time this week.", "reason_code": "EXCESSIVE"}
    decide.propose_closing(
        case, Outcome.REFUSED, "No", "We refuse.", here.desk.handler, timezone.now(), reasons=words["reasons"]
    )

    decide.approve(case, here.desk.dpo, timezone.now())
    run_jobs()

    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.REFUSED)
    assert here.everything() == before
    assert plans.live(case) is None


def test_two_tabs_do_not_decide_past_each_other(here, case):
    one = value(case, "contacts", "street")
    judge(here, one, wanted="Mill Lane 14")

    with pytest.raises(Conflict):
        rectify.decide(
            one, Judged(REFUSED, reason="No."), here.desk.handler, timezone.now(), version=case.version
        )

    one.refresh_from_db()
    assert one.outcome == CORRECTED


def test_the_second_contact_of_the_same_person_is_put_right_as_well(here):
    case = here.case(("E-mail", "ada.example@shop.test", "ada@shop.test"))
    for number in range(2):
        judge(here, value(case, "contacts", "email", number), wanted="ada@shop.test")
    judge(here, value(case, "subscriptions", "email"), CorrectionOutcome.NOT_MEANT)

    answered(here, case)

    emails = [here.everything()["contacts", number]["email"] for number in (ADA, ADA_AGAIN)]
    assert emails == ["ada@shop.test", "ada@shop.test"]
    assert here.everything()["subscriptions", 5]["email"] == "ada.example@shop.test"
