import json

import pytest
from django.utils import timezone

from cases.connectors.demo.connector import DemoConnector
from cases.models import Candidate, Item, SourceSearch, SourceSystem
from cases.words import Right, State
from cases.workflow import identity, people, search
from cases.workflow.intake import Person
from dsar.lib.errors import NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from identity.models import Level, Method, Verification
from tests.cases.workflow.conftest import RECORDS
from tests.factories.cases import SourceFactory, known, run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def broken(desk):
    """A second source whose settings cannot work."""
    return SourceFactory.create(controller=desk.controller, name="Broken", options={"records": "not JSON"})


def searched(desk):
    case = desk.case()
    identity.record_evidence(case, Level.LOW, "callback", "Called back.", desk.handler, timezone.now())
    run_jobs()
    case.refresh_from_db()
    return case


def failed() -> SourceSearch:
    return SourceSearch.objects.select_related("run__case").get(state="failed")


def test_failed_source_does_not_stop_the_others(desk, broken):
    case = searched(desk)

    assert case.state == State.SEARCHING
    assert set(SourceSearch.objects.values_list("source__name", "state")) == {
        ("CRM", "done"),
        ("Broken", "failed"),
    }
    assert Item.objects.count() == 2
    assert failed().error_text != ""


def test_failed_source_is_searched_again_alone(desk, broken):
    case = searched(desk)
    SourceSystem.objects.filter(pk=broken.pk).update(options={"records": json.dumps(RECORDS)})

    search.rerun(failed(), desk.handler, timezone.now())
    run_jobs()

    case.refresh_from_db()
    assert case.state == State.REVIEW
    assert Item.objects.count() == 4


def test_waiver_takes_a_second_person(desk, broken):
    case = searched(desk)
    search.propose_waiver(failed(), "The system was switched off in March.", desk.handler, timezone.now())

    with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
        search.waive(failed(), desk.second_handler, timezone.now())
    search.waive(failed(), desk.dpo, timezone.now())

    case.refresh_from_db()
    assert case.state == State.REVIEW
    assert SourceSearch.objects.get(state="waived").waiver == "The system was switched off in March."


def test_waiver_needs_a_reason(desk, broken):
    searched(desk)

    with pytest.raises(Refused) as refusal:
        search.propose_waiver(failed(), " ", desk.handler, timezone.now())

    assert refusal.value.code == "reason_missing"


def test_record_found_again_keeps_its_decision_unless_it_changed(desk):
    case = desk.in_review()
    Item.objects.filter(collection="people").update(decision="disclose")
    changed = json.loads(json.dumps(RECORDS))
    changed["notes"][0]["text"] = "Called again."
    source = SourceSystem.objects.get()
    source.options = {"records": json.dumps(changed)}
    source.save()
    Item.objects.filter(collection="notes").update(decision="disclose", redactions=None)

    search.again(case, desk.handler, timezone.now(), reason="New call.")
    run_jobs()

    case.refresh_from_db()
    assert case.state == State.REVIEW
    assert dict(Item.objects.values_list("collection", "decision")) == {
        "people": "disclose",
        "notes": "redact",
    }
    assert (
        Item.objects.select_related("case").get(collection="notes").content["data"]["text"] == "Called again."
    )


def test_unverified_identifier_takes_in_nobody(desk):
    """A caller gives their own address and somebody else's telephone number."""
    person = Person(name="Eve", email="eve@example.com", phone="+44 20 7946 0001")
    case = desk.case(Right.ACCESS, person=person)
    known(case, Level.LOW, Method.EMAIL_CODE)

    search.begin(case, desk.handler, timezone.now())
    run_jobs()

    assert Item.objects.count() == 0
    found = SourceSearch.objects.get()
    assert (found.state, found.found, found.warnings) == ("no_data", 0, [])
    waiting = Candidate.objects.select_related("case").get()
    assert (waiting.why, waiting.match["ref"], waiting.verdict) == ("unverified", "people/2", "open")


def test_source_that_answers_after_the_withdrawal_is_not_stored(desk, monkeypatch):
    case = desk.case()
    identity.record_evidence(case, Level.LOW, "callback", "Called back.", desk.handler, timezone.now())
    collect = DemoConnector.collect

    def withdrawn_meanwhile(self, matches, cursor):
        with unit_of_work([case.controller_id]):
            people.withdraw(case, desk.agent, timezone.now())
        return collect(self, matches, cursor)

    monkeypatch.setattr(DemoConnector, "collect", withdrawn_meanwhile)
    run_jobs()

    case.refresh_from_db()
    assert (case.state, Item.objects.count()) == (State.CLOSED, 0)
    assert case.runs.get().state == "abandoned"


def test_search_of_an_earlier_run_is_not_repeated(desk, broken):
    case = searched(desk)
    late = failed()
    case.runs.update(state="abandoned")

    with pytest.raises(Refused) as refusal:
        search.rerun(late, desk.handler, timezone.now())

    assert refusal.value.code == "run_over"
    assert failed().pk == late.pk


def test_address_is_looked_up_though_one_source_is_broken(desk, broken):
    desk.case()

    run_jobs()

    assert Verification.objects.get().address_on_file is True


def test_case_without_sources_goes_on_to_review(desk):
    SourceSystem.objects.update(is_active=False)

    assert searched(desk).state == State.REVIEW
