"""While a value is checked its record is marked in the source, and freed only after the person was told."""

import pytest
from django.utils import timezone

from cases.models import FulfilmentTask, Letter, PlaceState, RestrictedPlace
from cases.words import Right
from cases.workflow import carry_out, decide, restriction
from cases.workflow.restriction import Chosen, Ending
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.lib.errors import Refused
from tests.cases.connectors.demo_crm.crm_world import ADA, ADA_AGAIN, BOB
from tests.cases.workflow.rectifying import ADA as ADA_PERSON
from tests.cases.workflow.rectifying import Shop, shop
from tests.factories.cases import run_jobs

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
