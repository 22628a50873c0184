"""A drill goes all the way, and is no back door."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cases.correspondence.outbox import mails
from cases.models import Case, Letter, SubjectRequest, TaskState
from cases.operations.apply import hashes_of
from cases.words import Outcome, State
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.lib.tenancy import unit_of_work
from identity.models import User
from tests.factories.cases import SourceFactory, one_case
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.django_db

RECORDS = json.dumps(
    {
        "people": [
            {"id": 1, "email": "ada@example.com", "name": "Ada Example", "phone_number": "+44 20 7946 0000"},
            {"id": 2, "email": "bob@example.com", "name": "Bob Stranger", "phone_number": "+44 20 7946 0001"},
        ],
        "notes": [
            {"id": 10, "person_id": 1, "agent": "Carla Agent", "text": "Called about the bill."},
            {"id": 11, "person_id": 2, "agent": "Carla Agent", "text": "Stranger's note."},
        ],
    }
)


@pytest.fixture
def brand(serve: Any) -> Any:
    return ControllerFactory.create(slug="acme")


@pytest.fixture
def drill(tmp_path: Any) -> Any:
    """Run the command in this process; gives its report."""

    def run(*more: str, email: str = "ada@example.com", right: str = "access") -> Any:
        out = StringIO()
        flags = ["--controller", "acme", "--right", right, "--email", email, "--out", str(tmp_path / "out")]
        call_command("drill", *flags, "--json", "--in-process", *more, stdout=out)
        return json.loads(out.getvalue())

    return run


def source(brand: Any, **fields: Any) -> Any:
    return SourceFactory.create(controller=brand, slug="crm", options={"records": RECORDS}, **fields)


def test_drill_answers_with_the_person_and_nobody_else(brand, drill, tmp_path):
    source(brand, is_test=True)

    report = drill()

    content = (tmp_path / "out" / "data.json").read_text()
    case = Case.objects.get()
    assert (report["state"], report["outcome"], report["files"] != []) == ("closed", "partly_fulfilled", True)
    assert report["reference"] == case.reference
    assert report["due_on"] == case.due_on.isoformat()
    assert [step["state"] for step in report["history"]] == [
        "received", "awaiting_identity", "searching", "review", "approval", "with_controller", "fulfilling", "closed",
    ]  # fmt: skip
    assert [(each["source"], each["state"], each["collections"]) for each in report["sources"]] == [
        ("crm", "done", {"notes": 1, "people": 1})
    ]
    assert ("Ada Example" in content, "Bob" in content, "Carla" in content) == (True, False, False)


def test_drill_is_marked_and_writes_to_nobody(brand, drill):
    source(brand, is_test=True, owner_email="owner@acme.example", purged_after_days=30)

    drill()

    assert [(case.is_drill, case.team) for case in Case.objects.all()] == [(True, None)]
    assert Case.objects.counted().count() == 0
    assert (Letter.objects.count(), mails()) == (0, [])
    verification = SubjectRequest.objects.get().verifications.get(state="achieved")
    assert verification.method == "drill"


def test_drill_takes_two_principals_and_names_the_operator(brand, drill):
    source(brand, is_test=True)
    drill()
    drill()

    decision = Case.objects.first().decisions.get()
    principals = User.objects.all()
    assert [(person.is_principal, person.has_usable_password()) for person in principals] == [
        (True, False)
    ] * 2
    assert {decision.proposed_by, decision.approved_by} == set(principals)
    assert set(AuditEvent.objects.filter(action=Action.DRILL_RUN).values_list("actor_kind", flat=True)) == {
        "operator"
    }


def test_drill_leaves_later_cases_to_the_people_of_the_brand(brand, drill):
    source(brand, is_test=True)
    drill()

    case = one_case(brand)

    assert case.team is None


def test_drill_files_are_for_their_owner_alone(brand, drill, tmp_path):
    source(brand, is_test=True)

    drill()

    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert modes == {0o600}


def test_drill_of_portability_comes_to_its_end(brand, drill):
    source(brand, is_test=True)

    report = drill(right="portability")

    assert (report["right"], Case.objects.get().state) == ("portability", State.CLOSED)


def test_drill_of_an_erasure_ends_with_its_plan(brand, drill):
    source(brand, is_test=True)

    report = drill(right="erasure")

    case = Case.objects.get()
    treated = [(line["collection"], line["treatment"], line["count"]) for line in report["changes"]["lines"]]
    assert (case.state, case.outcome, case.tasks.count()) == (State.CLOSED, Outcome.WITHDRAWN, 0)
    assert sorted(treated) == [("notes", "delete", 1), ("people", "delete", 1)]


def test_drill_of_an_erasure_by_hand_comes_to_its_end(brand, drill):
    source(brand, is_test=True)

    report = drill("--execute", right="erasure")

    case = Case.objects.get()
    assert (report["state"], report["outcome"]) == (State.CLOSED, Outcome.FULFILLED)
    assert [task.state for task in case.tasks.all()] == [TaskState.DONE]


def test_drill_of_a_person_who_is_not_there_finds_no_data(brand, drill):
    source(brand, is_test=True)

    report = drill(email="nobody@example.com")

    assert (report["outcome"], report["files"]) == (Outcome.NO_DATA, [])


def test_drill_asks_for_listed_test_persons_of_a_live_system(brand, drill):
    listed = hashes_of(brand, timezone.now(), email="Ada@Example.com", external_id="77")
    source(brand, test_persons=sorted(listed))

    report = drill("--external-id", "77")

    assert report["state"] == "closed"


def refusal(drill: Any, *more: str, **fields: str) -> int:
    with pytest.raises(CommandError) as refused:
        drill(*more, **fields)
    return refused.value.returncode


@pytest.mark.parametrize(
    ("email", "more"),
    [
        ("bob@example.com", ()),
        ("ada@example.com", ("--phone", "+44 20 7946 0001")),
        ("ada@example.com", ("--external-id", "2")),
    ],
)
def test_drill_refuses_anybody_who_is_not_listed_with_all_of_it(email, more, brand, drill, tmp_path):
    source(brand, test_persons=sorted(hashes_of(brand, timezone.now(), email="ada@example.com")))

    assert refusal(drill, *more, email=email) == 3

    event = AuditEvent.objects.get(action=Action.DRILL_REFUSED)
    assert (event.actor_kind, event.data["code"]) == ("operator", "not_a_test_person")
    assert (Case.objects.count(), User.objects.count(), (tmp_path / "out").exists()) == (0, 0, False)


def test_drill_refuses_when_one_source_of_several_is_live(brand, drill):
    source(brand, is_test=True)
    SourceFactory.create(controller=brand, slug="live", options={"records": RECORDS})

    assert refusal(drill) == 3

    assert Case.objects.count() == 0


def test_drill_passes_over_a_live_source_that_is_not_searched(brand, drill):
    source(brand, is_test=True)
    SourceFactory.create(controller=brand, slug="old", options={"records": RECORDS}, is_active=False)

    assert drill()["state"] == "closed"


def test_drill_without_any_source_is_refused(brand, drill):
    assert refusal(drill) == 3


def test_drill_of_an_unknown_brand_is_wrong_usage(drill):
    assert refusal(drill) == 2


def test_drill_tells_which_source_failed_and_writes_nothing(brand, drill, tmp_path):
    source(brand, is_test=True)
    SourceFactory.create(
        controller=brand, slug="gone", options={"records": RECORDS}, secrets={"token": "wrong"}, is_test=True
    )

    assert refusal(drill) == 1

    assert (Case.objects.get().state, (tmp_path / "out").exists()) == (State.SEARCHING, False)


def test_drill_does_not_see_another_brand(brand, drill):
    other = ControllerFactory.create()
    SourceFactory.create(controller=other, options={"records": RECORDS}, is_test=True)
    source(brand, is_test=True)

    drill()

    with unit_of_work([other.pk]):
        assert Case.objects.filter(controller=other).count() == 0
