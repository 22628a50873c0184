"""What a source cannot prove goes nowhere: planted sources that give everybody, and what people decide then."""

import re
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cases.collection import doubts
from cases.connectors.base import Transient
from cases.models import Belongs, Candidate, Case, Item, SetAside, SourceSearch
from cases.permissions import By
from cases.words import State
from cases.workflow import decide, identity, review, search
from cases.workflow import doubts as verbs
from cases.workflow.intake import Person
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job
from dsar.lib.errors import NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from identity.models import Level, Method
from tests.cases.collection.planted import planted
from tests.cases.workflow.conftest import Desk, make_desk
from tests.factories.cases import SourceFactory, known, run_jobs
from tests.factories.identity import ControllerFactory

__all__ = ["planted"]

pytestmark = pytest.mark.django_db

ADA = {"id": 1, "email": "ada@example.com", "name": "Ada Example"}
BOB = {"id": 2, "email": "bob@example.com", "name": "Bob Stranger"}
NOTES = [
    {"id": 10, "person_id": 1, "text": "Ada called."},
    {"id": 11, "person_id": 2, "text": "Bob is ill."},
    {"id": 12, "person_id": 1, "text": "Ada called again."},
]


@pytest.fixture
def desk(serve: Any, planted: Any) -> Desk:
    return make_desk(ControllerFactory.create())


def source(desk: Desk, **options: Any) -> Any:
    options = {"people": [ADA, BOB], "notes": NOTES} | options
    return SourceFactory.create(controller=desk.controller, connector="planted", options=options, dataset="")


def searched(desk: Desk, **fields: Any) -> Case:
    case = desk.case(**fields)
    identity.record_evidence(case, Level.LOW, "callback", "Called back.", desk.handler, timezone.now())
    run_jobs()
    case.refresh_from_db()
    return case


def by_code(desk: Desk, **person: Any) -> Case:
    """Only the address was verified."""
    case = desk.case(**person)
    known(case, Level.LOW, Method.EMAIL_CODE)
    search.begin(case, desk.handler, timezone.now())
    run_jobs()
    case.refresh_from_db()
    return case


def found() -> list[str]:
    return sorted(item.content["ref"] for item in Item.objects.select_related("case"))


def aside() -> list[tuple[str, str]]:
    kept = SetAside.objects.filter(verdict=Belongs.OPEN).select_related("case")
    return sorted((one.content["ref"], one.why) for one in kept)


def stored() -> bytes:
    """Everything of the case in these tables, as it lies in the database, its bytes as bytes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, ' ') FROM cases_setaside t")
        text = str(cursor.fetchone()[0])
    return b" ".join([text.encode(), *(bytes.fromhex(run) for run in re.findall(r"\\x([0-9a-f]+)", text))])


def test_source_that_ignores_its_filter_leaks_nobody(desk: Desk) -> None:
    source(desk, ignores_filter=True)

    case = searched(desk)

    assert case.state == State.REVIEW
    assert found() == ["notes/10", "notes/12", "people/1"]
    assert aside() == [("notes/11", "reference"), ("people/2", "identity")]
    assert SourceSearch.objects.get().found == 3
    secrets, kept = (b"Bob is", b"bob@example.com", b"is ill", b"notes/11"), stored()
    assert [word for word in secrets if word in kept] == []


def test_source_that_finds_everybody_leaks_nobody(desk: Desk) -> None:
    """Each match is called exact, and so whatever hangs on it is collected."""
    source(desk, finds_all=True)

    searched(desk)

    assert found() == ["notes/10", "notes/12", "people/1"]
    assert aside() == [("notes/11", "reference"), ("people/2", "identity")]


def test_source_that_gives_very_many_strangers_is_stopped(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setattr(doubts, "MOST_ASIDE", 3)
    crowd = [{"id": number, "email": f"s{number}@example.com"} for number in range(100, 200)]
    source(desk, people=[ADA, *crowd], ignores_filter=True)

    case = searched(desk)

    one = SourceSearch.objects.get()
    assert (case.state, one.state, one.error_code, SetAside.objects.count()) == (
        State.SEARCHING,
        "failed",
        "unproved",
        3,
    )
    assert found() == ["people/1"]


def test_record_that_comes_before_the_one_it_hangs_on_is_taken_in_at_the_end(desk: Desk) -> None:
    replies = [{"id": 20, "person_id": 0, "owner": 1, "note_id": 21, "text": "Re: Re:"}]
    replies += [{"id": 21, "person_id": 0, "owner": 1, "note_id": 10, "text": "Re:"}]
    source(desk, notes=[*replies, *NOTES])

    searched(desk)

    assert (found(), aside()) == (["notes/10", "notes/12", "notes/20", "notes/21", "people/1"], [])


def test_search_that_goes_on_knows_what_it_had_found(desk: Desk, planted: Any, monkeypatch: Any) -> None:
    """Broken off after the person's own record: what hangs on it comes in another attempt."""
    source(desk)
    collect, asked = planted.collect, []

    def breaking(self: Any, matches: Any, cursor: Any) -> Any:
        asked.append(cursor and cursor.seen)
        if asked == [None, 2]:
            raise Transient
        return collect(self, matches, cursor)

    monkeypatch.setattr(planted, "collect", breaking)
    searched(desk)
    Job.objects.filter(kind="search_source").update(not_before=timezone.now())
    run_jobs()

    assert asked == [None, 2, 2]
    assert (found(), aside()) == (["notes/10", "notes/12", "people/1"], [])


# --- Decisions about records --------------------------------------------------------------------------------


def decide_about(
    desk: Desk, case: Case, verdict: Belongs, *refs: str, by: By | None = None, reason: str = "Seen."
) -> int:
    kept = [one for one in SetAside.objects.select_related("case") if (one.content or {}).get("ref") in refs]
    ids = [one.pk for one in kept]
    return verbs.decide_records(case, ids, verdict, reason, by or desk.handler, timezone.now())


def test_nothing_goes_to_approval_before_it_is_decided(desk: Desk) -> None:
    source(desk, ignores_filter=True)
    case = searched(desk)
    review.decide_by_rules(case, desk.handler, timezone.now())

    with pytest.raises(Refused) as refusal:
        desk.submitted(case)
    decide_about(desk, case, Belongs.NOT_THEIRS, "notes/11", "people/2")
    submitted = desk.submitted(Case.objects.get(pk=case.pk))

    assert (refusal.value.code, submitted.state) == ("records_set_aside", State.APPROVAL)


def test_approval_is_refused_where_something_came_up_since(desk: Desk) -> None:
    desk.allow()
    source(desk, ignores_filter=True)
    case = searched(desk)
    review.decide_by_rules(case, desk.handler, timezone.now())
    decide_about(desk, case, Belongs.NOT_THEIRS, "notes/11", "people/2")
    case = desk.submitted(Case.objects.get(pk=case.pk))
    SetAside.objects.update(verdict=Belongs.OPEN)

    with pytest.raises(Refused) as refusal:
        decide.approve(case, desk.dpo, timezone.now())

    assert (refusal.value.code, Case.objects.get().state) == ("records_set_aside", State.APPROVAL)


def test_record_that_is_theirs_brings_what_hangs_on_it(desk: Desk) -> None:
    source(desk, ignores_filter=True)
    case = searched(desk)

    decide_about(desk, case, Belongs.THEIRS, "people/2")

    assert found() == ["notes/10", "notes/11", "notes/12", "people/1", "people/2"]
    assert (aside(), SourceSearch.objects.get().found) == ([], 5)
    assert Item.objects.filter(decision="undecided").count() == 5


def test_record_that_is_not_theirs_is_destroyed_and_counted(desk: Desk) -> None:
    source(desk, ignores_filter=True)
    case = searched(desk)

    decide_about(desk, case, Belongs.NOT_THEIRS, "people/2", "notes/11", reason="Bob is another customer.")

    kept = list(SetAside.objects.select_related("case"))
    assert [(one.content, one.verdict, one.reason) for one in kept] == [
        (None, "not_theirs", "Bob is another customer.")
    ] * 2
    assert found() == ["notes/10", "notes/12", "people/1"]
    told = AuditEvent.objects.get(action="collection.records_decided")
    assert (told.data["verdict"], told.data["count"]) == ("not_theirs", 2)


def test_what_was_decided_holds_in_the_next_search(desk: Desk) -> None:
    source(desk, ignores_filter=True)
    case = searched(desk)
    decide_about(desk, case, Belongs.NOT_THEIRS, "notes/11")
    decide_about(desk, case, Belongs.THEIRS, "people/2")

    search.again(Case.objects.get(pk=case.pk), desk.handler, timezone.now(), reason="New call.")
    run_jobs()

    assert (found(), aside()) == (["notes/10", "notes/12", "people/1", "people/2"], [])


@pytest.mark.parametrize(("reason", "code"), [(" ", "reason_missing")])
def test_decision_needs_a_reason(desk: Desk, reason: str, code: str) -> None:
    source(desk, ignores_filter=True)
    case = searched(desk)

    with pytest.raises(Refused) as refusal:
        decide_about(desk, case, Belongs.THEIRS, "people/2", reason=reason)

    assert (refusal.value.code, len(aside())) == (code, 2)


def test_agent_decides_nothing(desk: Desk) -> None:
    source(desk, ignores_filter=True)
    case = searched(desk)

    with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
        decide_about(desk, case, Belongs.THEIRS, "people/2", by=desk.agent)

    assert (len(aside()), len(found())) == (2, 3)


# --- Matches ------------------------------------------------------------------------------------------------


def candidate() -> Candidate:
    return Candidate.objects.select_related("case").get()


def decide_match(desk: Desk, verdict: Belongs, by: By | None = None) -> Case:
    return verbs.decide_match(candidate(), verdict, "Spoke to them.", by or desk.handler, timezone.now())


def test_probable_match_waits_for_somebody(desk: Desk) -> None:
    source(desk, confidence="probable")

    case = searched(desk)

    one = candidate()
    assert (case.state, found(), aside()) == (State.REVIEW, [], [])
    assert (one.why, one.matched_on, one.match["summary"]) == ("probable", ["email"], {"name": "Ada Example"})
    with pytest.raises(Refused) as refusal:
        desk.submitted(case)
    assert refusal.value.code == "matches_undecided"


def test_match_that_is_the_person_is_collected_by_its_own_source(desk: Desk) -> None:
    source(desk, confidence="probable", slug="doubtful")
    SourceFactory.create(
        controller=desk.controller, connector="planted", dataset="", options={"people": [ADA], "notes": []}
    )
    case = searched(desk)

    after = decide_match(desk, Belongs.THEIRS)
    run_jobs()

    case.refresh_from_db()
    assert (after.state, case.state) == (State.SEARCHING, State.REVIEW)
    assert (found(), aside()) == (["notes/10", "notes/12", "people/1", "people/1"], [])
    assert (case.runs.count(), candidate().is_collected) == (1, True)
    assert AuditEvent.objects.filter(action="collection.search_ended").count() == 3


def test_person_by_an_unverified_number_brings_only_what_was_confirmed(desk: Desk) -> None:
    """Two people share the number that a caller gave; one of them is the caller, and the source ignores its filter."""
    number = {"phone_number": "+44 20 7946 0000"}
    ada, bob = ADA | {"email": ""} | number, BOB | number
    source(desk, people=[ada, bob], ignores_filter=True)
    by_code(desk, person=Person(name="Ada", email="new@example.com", phone="+44 20 7946 0000"))
    waiting = {one.match["ref"]: one for one in Candidate.objects.select_related("case")}

    verbs.decide_match(waiting["people/1"], Belongs.THEIRS, "Called back.", desk.handler, timezone.now())
    run_jobs()

    assert [one.why for one in waiting.values()] == ["unverified"] * 2
    assert found() == ["notes/10", "notes/12", "people/1"]
    assert aside() == [("notes/11", "reference"), ("people/2", "match")]


def test_match_that_is_not_the_person_is_destroyed_and_not_asked_again(desk: Desk) -> None:
    source(desk, confidence="mention")
    case = searched(desk)

    decide_match(desk, Belongs.NOT_THEIRS)
    search.again(Case.objects.get(pk=case.pk), desk.handler, timezone.now(), reason="New call.")
    run_jobs()

    one = candidate()
    assert (one.match, one.verdict, one.reason, found()) == (None, "not_theirs", "Spoke to them.", [])


def test_match_is_decided_once(desk: Desk) -> None:
    source(desk, confidence="probable")
    searched(desk)
    decide_match(desk, Belongs.NOT_THEIRS)

    with pytest.raises(Refused) as refusal:
        decide_match(desk, Belongs.THEIRS)

    assert (refusal.value.code, candidate().verdict) == ("already_decided", "not_theirs")


def test_agent_says_of_nobody_that_it_is_the_person(desk: Desk) -> None:
    source(desk, confidence="probable")
    searched(desk)

    with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
        decide_match(desk, Belongs.THEIRS, by=desk.agent)

    assert candidate().verdict == "open"
