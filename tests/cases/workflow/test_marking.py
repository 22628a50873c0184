"""While a value is checked its record is marked in the source, and freed only after the person was told."""

import pytest
from django.utils import timezone

from cases.connectors.base import AuthError
from cases.connectors.demo_crm.system.api import Switches
from cases.models import FulfilmentTask, Letter, PlaceState, RestrictedPlace
from cases.permissions import By, by_staff
from cases.words import Right
from cases.workflow import carry_out, decide, restriction, standing
from cases.workflow.restriction import Chosen, Ending
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.lib.errors import Conflict, Refused
from identity.roles import Role
from tests.cases.connectors.demo_crm.crm_world import ADA, ADA_AGAIN, BOB
from tests.cases.fulfilment.erasing import run_all
from tests.cases.workflow.rectifying import ADA as ADA_PERSON
from tests.cases.workflow.rectifying import Shop, shop
from tests.factories.cases import run_jobs
from tests.factories.identity import staff

STREET = ("Street", "Mill Lane 4", "Mill Lane 14")


@pytest.fixture
def here(serve):
    with shop() as found:
        yield found


def marked(here: Shop) -> dict[int, object]:
    everything = here.everything()
    return {number: everything["contacts", number]["restricted"] for number in (ADA, ADA_AGAIN, BOB)}


def begun(here: Shop):
    case = here.case(STREET)
    chosen = Chosen("ACCURACY", [here.source.pk])
    found = restriction.begin_meanwhile(case, chosen, here.desk.handler, timezone.now())
    run_jobs()
    return found


def proposed(here: Shop, found):
    today = timezone.localdate(timezone.now(), here.desk.controller.zone)
    ending = Ending("It was checked.", today, "The restriction ends", "We use your data again.")
    return restriction.propose_lift(found, ending, here.desk.handler, timezone.now())


def test_the_persons_own_records_are_marked_and_nobody_elses(here):
    found = begun(here)

    place = found.places.get()
    assert marked(here) == {ADA: True, ADA_AGAIN: True, BOB: False}
    assert (place.state, place.marked_by) == (PlaceState.MARKED, None)
    assert place.evidence == (
        "Done in 2 records by the connector, and read back. Call: PATCH /v1/{kind}/{id}"
    )


def test_what_was_done_is_on_record_by_counts_alone(here):
    begun(here)

    event = AuditEvent.objects.get(action=Action.PLACE_RECORDED)
    assert event.data == {"source": str(here.source.pk), "state": "marked", "records": 2}


def test_nothing_is_freed_before_the_person_was_told(here):
    found = proposed(here, begun(here))

    with pytest.raises(Refused) as refused:
        restriction.lift(found, here.desk.handler, timezone.now())
    run_jobs()

    assert refused.value.code == "not_agreed"
    assert marked(here) == {ADA: True, ADA_AGAIN: True, BOB: False}


def test_it_is_freed_once_the_letter_is_out(here):
    found = proposed(here, begun(here))
    restriction.agree_to_lift(found, here.desk.dpo, timezone.now())
    run_jobs()

    restriction.lift(found, here.desk.handler, timezone.now())
    run_jobs()

    place = RestrictedPlace.objects.get()
    assert Letter.objects.get(kind="restriction_ends").state == "sent"
    assert marked(here) == {ADA: False, ADA_AGAIN: False, BOB: False}
    assert (place.state, place.freed_by) == (PlaceState.FREED, None)


def test_a_source_that_may_not_be_written_to_is_left_to_a_person(here):
    here.source.erasing_secrets = None
    here.source.save()

    found = begun(here)

    assert marked(here) == {ADA: False, ADA_AGAIN: False, BOB: False}
    assert found.places.get().state == PlaceState.TO_MARK


def test_a_decided_restriction_is_marked_and_a_person_sees_to_the_rest(here):
    desk, now = here.desk, timezone.now
    desk.allow()
    case = desk.in_review(Right.RESTRICTION, person=ADA_PERSON)
    restriction.choose(case, Chosen("ACCURACY", [here.source.pk]), desk.handler, now())
    decide.approve(desk.submitted(case), desk.dpo, now())
    run_jobs()

    place, task = RestrictedPlace.objects.get(), FulfilmentTask.objects.get()
    assert marked(here) == {ADA: True, ADA_AGAIN: True, BOB: False}
    assert (place.state, place.task) == (PlaceState.TO_MARK, task)

    carry_out.record_task(task, True, "The invoices are locked.", desk.handler, now())

    place.refresh_from_db()
    assert place.state == PlaceState.MARKED
    assert place.evidence.split("\n")[1] == "The invoices are locked."
    assert place.evidence.startswith("Done in 2 records by the connector")


def test_a_record_of_somebody_else_is_not_marked_by_a_decided_restriction(here):
    desk, now = here.desk, timezone.now
    desk.allow()
    case = desk.in_review(Right.RESTRICTION, person=ADA_PERSON)
    restriction.choose(case, Chosen("ACCURACY", [here.source.pk]), desk.handler, now())
    case.items.filter(collection="contacts").update(is_third_party=True)
    decide.approve(desk.submitted(case), desk.dpo, now())

    run_jobs()

    assert marked(here) == {ADA: False, ADA_AGAIN: False, BOB: False}


# -- when it does not work ---------------------------------------------------------------------------


def breaking(here: Shop) -> None:
    """From its second write on the CRM refuses the account."""
    crm, writes = here.crm.crm, iter(range(1, 100))
    answer = crm.answer

    def answered(request):
        if request.method == "PATCH" and next(writes) == 2:
            crm.switches = Switches(keys_revoked=True)
        return answer(request)

    crm.answer = answered


def admin_of(here: Shop) -> By:
    return by_staff(staff(Role.ADMINISTRATOR, here.desk.controller))


def ended(here: Shop, found) -> None:
    """The restriction's end proposed, agreed, told and carried out."""
    proposed(here, found)
    restriction.agree_to_lift(found, here.desk.dpo, timezone.now())
    run_jobs()
    restriction.lift(found, here.desk.handler, timezone.now())


def test_source_that_fails_half_way_is_told_of_and_gone_on_with(here):
    breaking(here)

    found = begun(here)

    place = found.places.get()
    assert marked(here) == {ADA: True, ADA_AGAIN: False, BOB: False}
    assert (place.state, place.evidence.split("\n")) == (
        PlaceState.TO_MARK,
        [
            "Done in 1 of 2 records by the connector, and read back. Call: PATCH /v1/{kind}/{id}",
            f"{AuthError()} {AuthError().what_to_do}",
        ],
    )

    here.crm.crm.switches = Switches()
    restriction.try_again(place, here.desk.handler, timezone.now())
    run_jobs()

    place.refresh_from_db()
    assert marked(here) == {ADA: True, ADA_AGAIN: True, BOB: False}
    assert place.state == PlaceState.MARKED
    assert place.evidence.split("\n")[-1].startswith("Done in 2 records by the connector")


def test_marks_that_a_failing_source_left_are_taken_away_at_the_end(here):
    breaking(here)
    found = begun(here)
    here.crm.crm.switches = Switches()

    ended(here, found)
    run_jobs()

    assert marked(here) == {ADA: False, ADA_AGAIN: False, BOB: False}
    assert found.places.get().state == PlaceState.FREED


def test_nothing_is_marked_once_the_restriction_was_lifted(here):
    case = here.case(STREET)
    chosen = Chosen("ACCURACY", [here.source.pk])
    standing.pause(here.source, "Maintenance.", admin_of(here), timezone.now())
    found = restriction.begin_meanwhile(case, chosen, here.desk.handler, timezone.now())
    run_jobs()
    ended(here, found)

    standing.resume(here.source, admin_of(here), timezone.now())
    run_all()

    assert marked(here) == {ADA: False, ADA_AGAIN: False, BOB: False}
    assert found.places.get().state == PlaceState.FREED


def test_paused_source_is_marked_as_soon_as_it_goes_on(here):
    admin, now = admin_of(here), timezone.now
    standing.pause(here.source, "Maintenance.", admin, now())

    found = begun(here)
    assert (marked(here)[ADA], found.places.get().state) == (False, PlaceState.TO_MARK)

    standing.resume(here.source, admin, now())
    run_jobs()
    assert (marked(here)[ADA], found.places.get().state) == (True, PlaceState.MARKED)


def test_approval_taken_back_marks_nothing(here):
    desk, now = here.desk, timezone.now
    desk.allow()
    case = desk.in_review(Right.RESTRICTION, person=ADA_PERSON)
    restriction.choose(case, Chosen("ACCURACY", [here.source.pk]), desk.handler, now())
    case = decide.approve(desk.submitted(case), desk.dpo, now())

    carry_out.take_back(case, "The wrong system.", desk.dpo, now())
    run_jobs()

    assert marked(here) == {ADA: False, ADA_AGAIN: False, BOB: False}


def test_approval_is_not_taken_back_once_records_are_marked(here):
    desk, now = here.desk, timezone.now
    desk.allow()
    case = desk.in_review(Right.RESTRICTION, person=ADA_PERSON)
    restriction.choose(case, Chosen("ACCURACY", [here.source.pk]), desk.handler, now())
    case = decide.approve(desk.submitted(case), desk.dpo, now())
    run_jobs()
    case.refresh_from_db()

    with pytest.raises(Refused) as refused:
        carry_out.take_back(case, "The wrong system.", desk.dpo, now())

    assert refused.value.code == "nothing_carried_out"
    assert marked(here) == {ADA: True, ADA_AGAIN: True, BOB: False}


def test_place_without_a_connector_is_not_tried_again(here):
    here.source.erasing_secrets = None
    here.source.save()
    found = begun(here)

    with pytest.raises(Conflict) as refused:
        restriction.try_again(found.places.get(), here.desk.handler, timezone.now())

    assert refused.value.code == "place_not_open"
