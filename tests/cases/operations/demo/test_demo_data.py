"""The demonstration is made by the workflow, in the order of its dates, and once."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import date
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.management import CommandError, call_command
from django.utils import timezone

from cases.models import (
    Case,
    ChangePlan,
    ChangeStep,
    Extension,
    PlannedChange,
    RecipientNotice,
    SourceSearch,
    SourceSystem,
)
from cases.operations.demo import crm, help_desk, papers, people, stories
from cases.operations.demo.make import PASSWORD
from cases.operations.demo.people import ENGLISH, GERMAN, customers
from cases.words import Outcome, State
from dsar.audit.models import AuditEvent
from dsar.lib.tenancy import unit_of_work
from identity.access import all_controllers
from identity.documents import mrz
from identity.models import DocumentPicture, IdentityDocument, TotpDevice, User
from tests.conftest import as_superuser

pytestmark = pytest.mark.django_db

FEW_PEOPLE = 60


@pytest.fixture(scope="module")
def _customers_databases(django_db_setup: None) -> Iterator[None]:
    """What the first test made serves the others, and is dropped after the last."""
    yield
    with psycopg.connect(os.environ["DATABASE_ADMIN_URL"], autocommit=True) as server:
        for slug in crm.TABLES:
            name = f"{settings.DATABASES['default']['NAME']}_{slug}"
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            for role in ("reader", "eraser"):
                server.execute(f'DROP ROLE IF EXISTS "{name}_{role}"')


@pytest.fixture(autouse=True)
def _demonstration(_customers_databases: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demonstration site, with few customers and the least costly hashes."""
    settings.DEMO = True
    monkeypatch.setattr(people, "customers", lambda tongue, today: customers(tongue, today, FEW_PEOPLE))
    for name, value in {"time_cost": 1, "memory_cost": 8, "parallelism": 1}.items():
        monkeypatch.setattr(Argon2PasswordHasher, name, value)


def _tell(monkeypatch: pytest.MonkeyPatch, *told: tuple[stories.Tale, tuple[float, ...]]) -> None:
    monkeypatch.setattr(stories, "OPEN", told)
    monkeypatch.setattr(stories, "ENDED", ())
    monkeypatch.setattr(stories, "ONLY", {"meridian": (), "nordlicht": ()})


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some stories of each brand."""
    _tell(
        monkeypatch,
        (stories.awaiting_identity, (3,)),
        (stories.in_review, (45,)),
        (stories.answered, (35,)),
        (stories.refused, (55,)),
    )


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch) -> None:
    """One story of each brand, in which a source fails for a while."""
    _tell(monkeypatch, (stories.source_failed, (12,)))


def demo_data() -> dict[str, Any]:
    out = StringIO()
    call_command("demo_data", "--json", stdout=out, stderr=StringIO())
    made: dict[str, Any] = json.loads(out.getvalue())
    return made


def test_demo_data_leaves_each_story_where_it_belongs(few):
    made = demo_data()

    assert made["by_state"] == {"awaiting_identity": 2, "closed": 4, "review": 2}
    assert (made["by_outcome"]["refused"], made["customers"]) == (2, {"meridian": 60, "nordlicht": 60})
    with unit_of_work(all_controllers()):
        late = Case.objects.filter(due_on__lt=timezone.now().date()).exclude(state=State.CLOSED)
        assert {case.state for case in late} == {State.REVIEW}
        assert set(
            Case.objects.filter(outcome=Outcome.REFUSED).values_list("controller__slug", flat=True)
        ) == {
            "meridian",
            "nordlicht",
        }


@pytest.mark.thorough
def test_demo_data_extends_a_case_and_proposes_it_for_another(monkeypatch):
    _tell(monkeypatch, (stories.extension_proposed, (13,)), (stories.extended, (28,)))

    demo_data()

    with unit_of_work(all_controllers()):
        states = sorted(Extension.objects.values_list("case__controller__slug", "state"))
        told = Extension.objects.filter(state="notified").values_list("due_after", "case__due_on")
        assert states == [
            ("meridian", "notified"),
            ("meridian", "proposed"),
            ("nordlicht", "notified"),
            ("nordlicht", "proposed"),
        ]
        assert [named == due_on for named, due_on in told] == [True, True]


def test_demo_data_shows_a_passport_that_can_be_read(monkeypatch):
    _tell(monkeypatch, (stories.document_shown, (2,)))

    demo_data()

    with unit_of_work(all_controllers()):
        shown = IdentityDocument.objects.filter(stage="waiting").order_by("controller__slug")
        assert list(shown.values_list("controller__slug", flat=True)) == ["meridian", "nordlicht"]
        assert [picture.quality["faults"] for picture in DocumentPicture.objects.all()] == [[], []]


def test_the_passports_of_the_demonstration_are_sound():
    today = date(2026, 11, 21)

    zones = [
        mrz.find("\n".join(papers.zone(person, date(2029, 1, 1))), today)
        for tongue in (ENGLISH, GERMAN)
        for person in customers(tongue, today)
    ]

    assert {zone is not None and zone.is_sound and zone.is_specimen for zone in zones} == {True}


def test_demo_data_twice_is_once(one):
    first = demo_data()

    second = demo_data()

    assert {**second, "seconds": 0} == {**first, "seconds": 0}


@pytest.mark.thorough
def test_demo_data_shows_a_plan_to_decide_one_to_cancel_and_one_carried_out(monkeypatch):
    _tell(
        monkeypatch,
        (stories.erasure_in_review, (5,)),
        (stories.erasure_in_grace, (8,)),
        (stories.erased, (38,)),
    )

    made = demo_data()

    assert made["by_state"] == {"review": 2, "fulfilling": 2, "closed": 2}
    with unit_of_work(all_controllers()):
        plans = ChangePlan.objects.select_related("controller").order_by("controller__slug", "made_at")
        assert Counter(plans.values_list("case__state", "stage")) == {
            ("review", "ready"): 2, ("fulfilling", "approved"): 2, ("closed", "done"): 2,
        }  # fmt: skip
        assert {plan.executes_at > timezone.now() for plan in plans if plan.stage == "approved"} == {True}
        kept = PlannedChange.objects.filter(rule__startswith="keeping:").values_list("collection", flat=True)
        assert set(kept) == {"bill", "rechnung"}
        receipts = ChangeStep.objects.exclude(ended_at=None).select_related("part__plan__case")
        in_time = {step.started_at <= step.ended_at <= step.part.plan.case.closed_at for step in receipts}
        assert in_time == {True}
        told = RecipientNotice.objects.values_list("recipient__slug", "state")
        assert sorted(told) == [("debt-advice", "sent"), ("meters", "answered"), ("zahlungen", "answered")]


def test_demo_data_moves_time_and_puts_it_back(few):
    demo_data()

    now = timezone.now()
    with unit_of_work(all_controllers()):
        opened = Case.objects.values_list("opened_at", flat=True)
        assert sorted({(now - at).days // 10 for at in opened}) == [0, 3, 4, 5]
        for case in Case.objects.all():
            events = AuditEvent.objects.filter(case_id=case.pk).order_by("seq")
            moments = list(events.values_list("at", flat=True))
            assert moments == sorted(moments)
            assert moments[-1] < now


def test_demo_data_mends_what_it_broke(one):
    demo_data()

    with unit_of_work(all_controllers()):
        secrets = [
            source.secrets for source in SourceSystem.objects.filter(slug="chat").order_by("connector")
        ]
        states = sorted(SourceSearch.objects.values_list("source__slug", "state"))
        assert secrets == [{"token": crm.chat_token()}, {"api_key": help_desk.KEY}]
        # What was refused waits and goes on by itself; what was not understood has failed.
        assert states == [("chat", "done"), ("chat", "failed"), ("crm", "done"), ("kunden", "done")]


@pytest.mark.thorough
def test_demo_data_waives_and_repeats_what_failed(monkeypatch):
    told = (
        (stories.waiver_proposed, (12,)),
        (stories.waived_and_answered, (58,)),
        (stories.rerun_and_answered, (36,)),
    )
    monkeypatch.setattr(stories, "OPEN", ())
    monkeypatch.setattr(stories, "ENDED", ())
    monkeypatch.setattr(stories, "ONLY", {"meridian": told, "nordlicht": ()})

    made = demo_data()

    assert made["by_state"] == {"closed": 2, "searching": 1}


def test_demo_data_gives_everybody_a_password_and_an_app(one):
    made = demo_data()

    with unit_of_work([]):
        members = {person.email: person for person in User.objects.all()}
        assert set(members) == {each["email"] for each in made["sign_ins"]}
        assert {person.check_password(PASSWORD) for person in members.values()} == {True}
        assert TotpDevice.objects.filter(confirmed=True).count() == len(members)


def test_demo_code_is_what_the_app_shows(one):
    demo_data()
    out = StringIO()

    call_command("demo_code", "dana@desk.example", stdout=out)

    with unit_of_work([]):
        device = TotpDevice.objects.get(user__email="dana@desk.example")
        assert device.verify_token(out.getvalue().strip()) is True


@pytest.mark.parametrize("command", [("demo_data",), ("demo_code", "dana@desk.example")])
def test_demo_commands_need_a_demonstration_site(command, settings):
    settings.DEMO = False

    with pytest.raises(CommandError) as refused:
        call_command(*command)

    assert (refused.value.returncode, all_controllers(), User.objects.count()) == (2, [], 0)


@pytest.fixture
def no_administrator(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server on which nobody lets us make databases."""
    monkeypatch.setattr(crm.env, "text", lambda name, default="": default)
    yield
    with as_superuser() as database:
        database.execute("DROP SCHEMA IF EXISTS demo_meridian CASCADE")


def test_customers_lie_within_our_database_where_no_other_can_be_made(no_administrator):
    five = customers(ENGLISH, date(2026, 3, 2), 5)

    place = crm.prepare("meridian", ENGLISH, five, date(2026, 3, 2))

    reader = {**place.reader, "dbname": place.reader["database"]}
    with psycopg.connect(
        **{name: reader[name] for name in ("host", "port", "dbname", "user", "password")}
    ) as found:
        assert found.execute("SELECT count(*) FROM demo_meridian.customer").fetchone() == (5,)


@pytest.mark.soak
def test_demo_data_as_a_whole_shows_every_state(monkeypatch):
    monkeypatch.setattr(people, "customers", customers)

    made = demo_data()

    assert made["cases"] >= 60
    assert set(made["by_state"]) == {state.value for state in State} - {"received"}
    assert len(made["by_outcome"]) >= 9
