"""Data that is kept and not used: since when, where, and that nobody lifts it before the person was told."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cases import rights
from cases.models import (
    FulfilmentTask,
    Letter,
    LetterState,
    PlaceState,
    RestrictedPlace,
    Restriction,
    SourceSystem,
)
from cases.words import Outcome, Right, State
from cases.workflow import carry_out, decide, restriction
from cases.workflow.intake import Person
from cases.workflow.restriction import Chosen, Ending
from dsar.audit.models import AuditEvent
from dsar.lib.errors import Conflict, NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from tests.factories.cases import SourceFactory, run_jobs
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db


def now():
    return timezone.now()


def sources(desk):
    return [source.pk for source in SourceSystem.objects.filter(controller=desk.controller)]


def chosen(desk, ground="ACCURACY", **fields):
    return Chosen(ground, fields.pop("source_ids", sources(desk)), "The billing address.")


def approved(desk):
    """A restriction that two have decided, with a task in the one system."""
    desk.allow()
    case = desk.in_review(Right.RESTRICTION)
    restriction.choose(case, chosen(desk), desk.handler, now())
    return decide.approve(desk.submitted(case), desk.dpo, now())


def in_force(desk):
    """The same, marked in its system and told: the case is closed, the restriction lasts."""
    case = approved(desk)
    carry_out.record_task(FulfilmentTask.objects.get(case=case), True, "Flag set.", desk.handler, now())
    run_jobs()
    return Restriction.objects.get()


def ending(lifts_on=None):
    return Ending("The address was checked and is right.", lifts_on or now().date(), "It ends", "We lift it.")


def agreed(desk, lifts_on=None):
    """Its end is proposed and agreed, and the letter waits to be sent."""
    found = in_force(desk)
    restriction.propose_lift(found, ending(lifts_on), desk.handler, now())
    return restriction.agree_to_lift(found, desk.dpo, now())


def test_restriction_is_in_force_from_the_approval_and_outlives_its_case(desk):
    case = approved(desk)
    assert rights.restrictions_in_force(case.subject).count() == 1

    carry_out.record_task(FulfilmentTask.objects.get(case=case), True, "Flag set.", desk.handler, now())
    run_jobs()

    case.refresh_from_db()
    place = RestrictedPlace.objects.get()
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.FULFILLED)
    assert (place.state, place.evidence, place.source.name) == (PlaceState.MARKED, "Flag set.", "CRM")
    assert [one.ground for one in rights.restrictions_in_force(case.subject)] == ["ACCURACY"]


def test_letter_names_the_ground(desk):
    case = desk.in_review(Right.RESTRICTION)
    restriction.choose(case, chosen(desk), desk.handler, now())

    _title, body = decide.draft_letter(case, Outcome.FULFILLED, "", now())

    assert "We restrict the data while we check whether it is accurate." in body


def test_answer_waits_for_ground_and_places(desk):
    case = desk.in_review(Right.RESTRICTION)

    with pytest.raises(Refused) as refusal:
        decide.submit(case, "Title", "Body", desk.handler, now())

    assert refusal.value.code == "no_restriction"
    case.refresh_from_db()
    assert case.state == State.REVIEW


@pytest.mark.parametrize("ground", ["", "MARKETING", "NOT_NEEDED"])
def test_ground_is_one_of_the_four(desk, ground):
    case = desk.in_review(Right.RESTRICTION)

    with pytest.raises(Refused) as refusal:
        restriction.choose(case, chosen(desk, ground), desk.handler, now())

    assert (refusal.value.code, Restriction.objects.count()) == ("unknown_ground", 0)


def test_places_are_systems_of_the_brand(desk):
    stranger = SourceFactory.create(controller=ControllerFactory.create())
    case = desk.in_review(Right.RESTRICTION)

    for wrong in ([], [stranger.pk], [*sources(desk), stranger.pk]):
        with pytest.raises(Refused) as refusal:
            restriction.choose(case, chosen(desk, source_ids=wrong), desk.handler, now())
        assert refusal.value.code == "no_place"

    assert Restriction.objects.count() == 0


def test_only_chosen_systems_get_a_task(desk):
    crm = SourceSystem.objects.get(slug="crm")
    SourceFactory.create(controller=desk.controller, slug="shop", name="Shop", options=crm.options)
    desk.allow()
    case = desk.in_review(Right.RESTRICTION)
    restriction.choose(case, chosen(desk, source_ids=[crm.pk]), desk.handler, now())

    decide.approve(desk.submitted(case), desk.dpo, now())

    assert [task.source.slug for task in FulfilmentTask.objects.all()] == ["crm"]


def test_whoever_chose_it_does_not_approve_it(desk):
    desk.allow()
    case = desk.in_review(Right.RESTRICTION)
    restriction.choose(case, chosen(desk), desk.second_handler, now())
    Restriction.objects.update(chosen_by=desk.dpo.person_id)
    case.items.update(decided_by=desk.second_handler.person_id)

    with pytest.raises(Refused) as refusal:
        decide.approve(desk.submitted(case), desk.dpo, now())

    assert refusal.value.code == "own_preparation"
    assert Restriction.objects.get().begun_at is None


def test_places_changed_after_the_proposal_are_not_approved(desk):
    desk.allow()
    case = desk.in_review(Right.RESTRICTION)
    restriction.choose(case, chosen(desk), desk.handler, now())
    case = desk.submitted(case)
    Restriction.objects.update(ground="UNLAWFUL_KEEP")

    with pytest.raises(Refused) as refusal:
        decide.approve(case, desk.dpo, now())

    assert refusal.value.code == "digest_differs"


def test_taken_back_approval_restricts_nothing(desk):
    case = approved(desk)

    carry_out.take_back(case, "Another system as well.", desk.handler, now())

    assert Restriction.objects.get().begun_at is None
    assert rights.restrictions_in_force(case.subject).count() == 0


def test_restriction_ends_after_two_agreed_and_the_letter_is_out(desk):
    found = agreed(desk)
    run_jobs()

    lifted = restriction.lift(found, desk.handler, now())

    assert Letter.objects.get(kind="restriction_ends").state == LetterState.SENT
    assert (lifted.told_at <= lifted.lifted_at, lifted.is_in_force) == (True, False)
    place = RestrictedPlace.objects.get()
    assert place.state == PlaceState.TO_FREE
    restriction.free(place, "Flag taken away.", desk.handler, now())
    place.refresh_from_db()
    assert (place.state, place.freed_evidence) == (PlaceState.FREED, "Flag taken away.")


def refused_to_lift(desk, found):
    with pytest.raises(Refused) as refusal, unit_of_work([desk.controller.pk]):
        restriction.lift(found, desk.handler, now())
    assert Restriction.objects.get().lifted_at is None
    assert RestrictedPlace.objects.get().state == PlaceState.MARKED
    return refusal.value.code


def test_nobody_lifts_what_nobody_agreed_to(desk):
    found = in_force(desk)
    assert refused_to_lift(desk, found) == "not_agreed"

    restriction.propose_lift(found, ending(), desk.handler, now())

    assert refused_to_lift(desk, found) == "not_agreed"
    assert AuditEvent.objects.filter(action="case.act_refused", data__code="not_agreed").count() == 2


def test_nobody_lifts_before_the_letter_is_out(desk):
    found = agreed(desk)
    assert Letter.objects.get(kind="restriction_ends").state == LetterState.QUEUED

    assert refused_to_lift(desk, found) == "not_told"


def test_nobody_lifts_before_the_day_of_the_letter(desk):
    found = agreed(desk, now().date() + timedelta(days=7))
    run_jobs()

    assert refused_to_lift(desk, found) == "too_early"


def test_letter_that_came_back_told_nobody(desk):
    found = agreed(desk)
    run_jobs()
    carry_out.letter_bounced(Letter.objects.get(kind="restriction_ends"), desk.handler, now())

    assert refused_to_lift(desk, found) == "not_told"


@pytest.mark.parametrize("untold", [{"told_at": None}, {"told_at": timezone.now() + timedelta(days=1)}])
def test_database_itself_lifts_nothing_untold(desk, untold):
    found = agreed(desk)
    run_jobs()

    with pytest.raises(IntegrityError), transaction.atomic():
        Restriction.objects.filter(pk=found.pk).update(lifted_at=now(), **untold)

    assert Restriction.objects.get().is_in_force


def test_who_proposed_the_end_does_not_agree_to_it(desk):
    found = in_force(desk)
    restriction.propose_lift(found, ending(), desk.handler, now())
    Restriction.objects.update(lift_proposed_by=desk.dpo.person_id)

    with pytest.raises(Refused) as refusal:
        restriction.agree_to_lift(found, desk.dpo, now())

    assert refusal.value.code == "own_proposal"
    assert Letter.objects.filter(kind="restriction_ends").count() == 0


@pytest.mark.parametrize("who", ["agent", "dpo", "reviewer"])
def test_only_handlers_propose_its_end(desk, who):
    found = in_force(desk)

    with pytest.raises(NotAllowed):
        restriction.propose_lift(found, ending(), getattr(desk, who), now())

    assert Restriction.objects.get().lift_proposed_at is None


def test_proposal_that_goes_back_can_be_made_again(desk):
    found = in_force(desk)
    restriction.propose_lift(found, ending(), desk.handler, now())

    restriction.keep(found, "Ask the branch first.", desk.dpo, now())

    back = Restriction.objects.get()
    assert (back.lift_proposed_at, back.return_reason, back.is_in_force) == (
        None,
        "Ask the branch first.",
        True,
    )
    restriction.propose_lift(found, ending(), desk.handler, now())
    assert Restriction.objects.get().lift_proposed_at is not None


def test_end_is_not_taken_back_while_its_letter_is_on_the_way(desk):
    found = agreed(desk)

    with pytest.raises(Refused) as refusal:
        restriction.keep(found, "Wait.", desk.handler, now())

    assert refusal.value.code == "being_sent"


def test_use_rests_at_once_while_an_objection_is_weighed(desk):
    case = desk.in_review(Right.OBJECTION)

    made = restriction.begin_meanwhile(case, chosen(desk, "OBJECTION_PENDING"), desk.handler, now())
    run_jobs()

    place = RestrictedPlace.objects.get()
    assert made.is_in_force
    assert Letter.objects.get(kind="restricted").state == LetterState.SENT
    restriction.mark(place, True, "Flag set.", desk.handler, now())
    place.refresh_from_db()
    assert place.state == PlaceState.MARKED
    with pytest.raises(Conflict):
        restriction.mark(place, True, "Again.", desk.handler, now())


@pytest.mark.parametrize(
    ("right", "fields", "ground"),
    [
        (Right.OBJECTION, {"about_marketing": True}, "OBJECTION_PENDING"),
        (Right.ACCESS, {}, "ACCURACY"),
        (Right.OBJECTION, {}, "NEEDED_FOR_CLAIMS"),
    ],
)
def test_nothing_rests_where_nothing_is_checked(desk, right, fields, ground):
    case = desk.case(right, **fields)

    with pytest.raises(Refused):
        restriction.begin_meanwhile(case, chosen(desk, ground), desk.handler, now())

    assert Restriction.objects.count() == 0


def test_restriction_is_seen_under_every_row_of_the_person_and_by_no_other_brand(desk):
    found = in_force(desk)
    again = desk.case(Right.ACCESS)
    stranger = desk.case(Right.ACCESS, person=Person(name="Bob Stranger", email="bob@example.com"))

    assert again.subject_id != found.subject_id
    assert list(rights.restrictions_in_force(again.subject)) == [found]
    assert rights.restricted_among([again.subject_id, stranger.subject_id]) == {again.subject_id}
    assert list(rights.restrictions_in_force(stranger.subject)) == []
