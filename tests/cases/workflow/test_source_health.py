"""Trials of connections, credentials that change hands, and settings that are judged before they are kept."""

import json
import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from cases.connectors.base import Check, Unreachable
from cases.connectors.demo.connector import DemoConnector
from cases.models import CheckStage, SourceCheck, SourceSearch, SourceSystem
from cases.permissions import By, by_staff
from cases.workflow import health, identity, sources, standing, upkeep
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job
from dsar.lib.errors import NotAllowed, Refused
from dsar.lib.tenancy import unit_of_work
from identity.models import Level
from identity.roles import Role
from tests.cases.workflow.conftest import RECORDS
from tests.factories.cases import run_jobs
from tests.factories.identity import ControllerFactory, staff

pytestmark = pytest.mark.django_db

LOCKED = {"records": json.dumps({**RECORDS, "token": "new-secret"})}


@pytest.fixture
def crm(desk: Any) -> SourceSystem:
    found: SourceSystem = SourceSystem.objects.get()
    return found


@pytest.fixture
def administrator(desk: Any) -> By:
    return by_staff(staff(Role.ADMINISTRATOR, desk.controller, email="anna@desk.example"))


@pytest.fixture(autouse=True)
def _mails(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def fresh(source: SourceSystem) -> SourceSystem:
    return SourceSystem.objects.get(pk=source.pk)


def actions() -> list[str]:
    found = AuditEvent.objects.filter(action__startswith="configuration.").order_by("at", "seq")
    return [
        event.action.removeprefix("configuration.")
        for event in found
        if "source" in event.data or event.data.get("kind") == "source"
    ]


def test_trial_is_kept(crm: Any, administrator: By) -> None:
    asked = health.ask(crm, administrator, timezone.now())
    again = health.ask(crm, administrator, timezone.now())

    run_jobs()

    check = SourceCheck.objects.get()
    assert (asked.pk, again.pk) == (check.pk, check.pk)
    assert (check.stage, check.account, check.server) == ("good", "demo", "Demonstration records 1")
    assert check.latency_ms is not None


def test_trial_that_fails_says_what_to_do(crm: Any, administrator: By) -> None:
    SourceSystem.objects.update(options=LOCKED)
    health.ask(crm, administrator, timezone.now())

    run_jobs()

    check = SourceCheck.objects.get()
    assert (check.stage, check.error_code) == ("bad", "auth")
    assert "Enter the credentials again" in check.error_text
    assert fresh(crm).needs_admin_at is not None


def test_source_that_hangs_is_given_up(crm: Any, monkeypatch: Any) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(DemoConnector, "check", lambda self: let_go.wait(30))
    connector = DemoConnector.create.__func__  # the class's own, not a stand-in
    made = health.identifiers.connect(crm)

    trial = health.try_out(made, seconds=0.05)
    let_go.set()

    assert connector is not None
    assert (trial.check, trial.error.code if trial.error else "") == (None, "timeout")


def test_trial_whose_connector_is_broken_names_the_error_and_no_words(
    crm: Any, administrator: By, monkeypatch: Any, caplog: Any
) -> None:
    def breaks(self: Any) -> Any:
        raise ValueError("ada@example.com is not a number")

    monkeypatch.setattr(DemoConnector, "check", breaks)
    health.ask(crm, administrator, timezone.now())

    run_jobs()

    check = SourceCheck.objects.get()
    assert (check.stage, check.error_code, check.error_text) == ("bad", "unexpected_ValueError", "")
    assert "ada@example.com" not in caplog.text


def test_connections_are_tried_by_the_clock_and_not_all_at_once(desk: Any, crm: Any) -> None:
    now = timezone.now()

    upkeep.run(desk.controller.pk, now)
    upkeep.run(desk.controller.pk, now + timedelta(minutes=59))
    upkeep.run(desk.controller.pk, now + timedelta(minutes=61))

    jobs = Job.objects.filter(kind=health.CHECK)
    assert SourceCheck.objects.count() == 2
    assert {job.not_before - job.created_at for job in jobs} == {
        timedelta(seconds=crm.pk.int % health.SPREAD_SECONDS)
    }


@pytest.mark.parametrize("how", ["paused_at", "needs_admin_at", "is_active"])
def test_what_is_not_to_be_asked_is_not_tried_by_the_clock(desk: Any, crm: Any, how: str) -> None:
    SourceSystem.objects.update(**{how: False if how == "is_active" else timezone.now()})

    health.order_due(desk.controller.pk, timezone.now())

    assert SourceCheck.objects.count() == 0


def test_new_credentials_are_tried_before_the_old_are_dropped(crm: Any, administrator: By) -> None:
    SourceSystem.objects.update(options={"records": json.dumps({**RECORDS, "token": "old"})})
    crm = fresh(crm)
    crm.secrets = {"token": "old"}
    crm.save()

    health.offer(crm, {"token": "wrong"}, administrator, timezone.now())
    run_jobs()
    after_wrong = fresh(crm).secrets
    SourceSystem.objects.update(options=LOCKED)
    health.offer(crm, {"token": "new-secret"}, administrator, timezone.now())
    before_trial = fresh(crm).secrets
    run_jobs()

    assert (after_wrong, before_trial) == ({"token": "old"}, {"token": "old"})
    assert fresh(crm).secrets == {"token": "new-secret"}
    assert [check.candidate for check in SourceCheck.objects.all()] == [None, None]
    assert actions() == [
        "credentials_offered", "credentials_refused", "credentials_offered", "credentials_changed",
    ]  # fmt: skip


def test_wrong_candidate_does_not_stop_a_source_that_works(crm: Any, administrator: By) -> None:
    health.offer(crm, {"token": "wrong"}, administrator, timezone.now())

    run_jobs()

    assert fresh(crm).needs_admin_at is None


def test_credentials_for_erasing_are_apart(crm: Any, administrator: By) -> None:
    SourceSystem.objects.update(options=LOCKED)
    health.offer(crm, {"token": "new-secret"}, administrator, timezone.now(), for_erasing=True)

    run_jobs()

    found = fresh(crm)
    assert (found.secrets, found.erasing_secrets) == ({}, {"token": "new-secret"})
    health.drop_erasing(found, administrator, timezone.now())
    assert fresh(crm).erasing_secrets is None


def test_credentials_that_work_let_waiting_cases_go_on(desk: Any, crm: Any, administrator: By) -> None:
    SourceSystem.objects.update(options=LOCKED)
    for _ in range(2):
        case = desk.case()
        identity.record_evidence(case, Level.LOW, "callback", "Called.", desk.handler, timezone.now())
    run_jobs()
    before = set(SourceSearch.objects.values_list("state", flat=True))

    health.offer(crm, {"token": "new-secret"}, administrator, timezone.now())
    run_jobs()

    assert (before, set(SourceSearch.objects.values_list("state", flat=True))) == (
        {"failed", "held"},
        {"done"},
    )


def test_nothing_entered_changes_nothing(crm: Any, administrator: By) -> None:
    with pytest.raises(Refused) as refusal:
        health.offer(crm, {"token": ""}, administrator, timezone.now())

    assert (refusal.value.code, SourceCheck.objects.count()) == ("nothing_given", 0)


def test_secrets_are_in_no_trail_job_row_or_log(crm: Any, administrator: By, caplog: Any) -> None:
    SourceSystem.objects.update(options=LOCKED)
    health.offer(crm, {"token": "new-secret"}, administrator, timezone.now())
    health.offer(crm, {"token": "sesame-4711"}, administrator, timezone.now())
    run_jobs()

    trail = json.dumps([event.data for event in AuditEvent.objects.all()])
    jobs = json.dumps([job.args for job in Job.objects.all()])
    rows = repr(list(SourceCheck.objects.values())) + repr(list(SourceSystem.objects.values("trouble_text")))
    for place in (trail, jobs, rows, caplog.text):
        assert "sesame-4711" not in place
        assert "new-secret" not in place


def test_administrators_are_told_once_that_an_account_is_refused(
    desk: Any, crm: Any, administrator: By
) -> None:
    staff(Role.HANDLER, desk.controller, email="hanna@desk.example")
    SourceSystem.objects.update(options=LOCKED)
    for _ in range(3):
        identity.record_evidence(desk.case(), Level.LOW, "callback", "Called.", desk.handler, timezone.now())

    run_jobs()

    told = [message for message in mail.outbox if "refuses our account" in message.subject]
    assert [message.to for message in told] == [["anna@desk.example"]]
    assert "Enter the credentials again" in told[0].body
    assert "Ada" not in told[0].body


@pytest.mark.parametrize("source", ["said", "known"])
def test_end_of_credentials_is_told_once(
    desk: Any, crm: Any, administrator: By, monkeypatch: Any, source: str
) -> None:
    ends = timezone.now() + timedelta(days=10)
    if source == "known":
        SourceSystem.objects.update(credentials_expire_on=ends.date())
    else:
        check = DemoConnector.check
        monkeypatch.setattr(
            DemoConnector, "check", lambda self: replace(check(self), credentials_expire_at=ends)
        )

    for _ in range(2):
        health.ask(crm, administrator, timezone.now())
        run_jobs()

    told = [message for message in mail.outbox if "credentials end soon" in message.subject]
    assert (len(told), health.expires_on(fresh(crm))) == (1, ends.date())


def test_good_trial_ends_a_rest_and_not_a_pause(crm: Any, administrator: By) -> None:
    standing.pause(crm, "Moves.", administrator, timezone.now())
    SourceSystem.objects.update(failures=7, held_until=timezone.now() + timedelta(hours=1))
    health.ask(crm, administrator, timezone.now())

    run_jobs()

    found = fresh(crm)
    assert (found.failures, found.held_until, found.paused_at is None) == (0, None, False)


def test_trial_that_fails_counts_towards_the_rest(crm: Any, administrator: By, monkeypatch: Any) -> None:
    def away(self: Any) -> Check:
        raise Unreachable

    monkeypatch.setattr(DemoConnector, "check", away)
    for _ in range(5):
        health.ask(crm, administrator, timezone.now())
        run_jobs()

    found = fresh(crm)
    assert (found.failures, found.held_until is None) == (5, False)


# -- settings --------------------------------------------------------------------------------------------


def made(desk: Any, administrator: By, slug: str = "shop", **wanted: Any) -> SourceSystem:
    source = sources.new(desk.controller, slug, timezone.now())
    settings = {"name": "Shop", "connector": "demo", "options": {"records": json.dumps(RECORDS)}}
    sources.save(source, settings | wanted, administrator, timezone.now())
    return source


def test_new_source_is_tried_at_once(desk: Any, administrator: By) -> None:
    source = made(desk, administrator, secrets={"token": ""})

    run_jobs()

    assert source.checks.get().stage == CheckStage.GOOD
    assert actions() == ["source_changed"]


def test_change_is_on_record_by_name_and_not_by_value(desk: Any, administrator: By) -> None:
    source = made(desk, administrator)

    changed = sources.save(
        fresh(source), {"name": "Store", "country": "Norway"}, administrator, timezone.now()
    )

    event = AuditEvent.objects.filter(action="configuration.source_changed").order_by("-at", "-seq")[0]
    assert (changed, event.data["fields"]) == (["name", "country"], ["name", "country"])
    assert "Norway" not in json.dumps(event.data)
    assert source.checks.count() == 1  # nothing of it is said to the source, so nothing has to be tried


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ({"options": {"records": "not JSON"}}, ""),
        ({"erase_after": ["nowhere"]}, "erase_after"),
        ({"erase_after": ["shop"]}, "erase_after"),
    ],
)
def test_settings_that_cannot_work_change_nothing(
    desk: Any, administrator: By, wanted: dict[str, Any], name: str
) -> None:
    source = made(desk, administrator)

    with pytest.raises(sources.SettingsWrong) as wrong:
        sources.save(fresh(source), {"name": "Store", **wanted}, administrator, timezone.now())

    assert [one.name for one in wrong.value.problems] == [name]
    assert (fresh(source).name, fresh(source).erase_after) == ("Shop", [])


def test_order_that_leads_in_a_circle_is_refused(desk: Any, crm: Any, administrator: By) -> None:
    shop = made(desk, administrator, erase_after=[crm.slug])

    with pytest.raises(sources.SettingsWrong) as wrong:
        sources.save(fresh(crm), {"erase_after": [shop.slug]}, administrator, timezone.now())

    assert "→" in wrong.value.problems[0].message
    assert fresh(crm).erase_after == []


def test_dataset_is_judged_line_by_line(desk: Any, administrator: By) -> None:
    source = sources.new(desk.controller, "db", timezone.now())
    wanted = {
        "name": "DB",
        "connector": "postgresql",
        "options": {"host": "db.example", "database": "shop", "user": "reader"},
        "secrets": {"password": "x"},
        "dataset": "dataset:\n  - fides_key: shop\n    name: Shop\n    collections: 7\n",
    }

    with pytest.raises(sources.SettingsWrong) as wrong:
        sources.save(source, wanted, administrator, timezone.now())

    assert {(one.name, one.line is None) for one in wrong.value.problems} == {("dataset", False)}
    assert not SourceSystem.objects.filter(slug="db").exists()


@pytest.mark.parametrize("role", [Role.AGENT, Role.HANDLER, Role.DPO, Role.REVIEWER, Role.AUDITOR])
def test_nobody_but_an_administrator_changes_a_source(desk: Any, crm: Any, role: Role) -> None:
    by, now = by_staff(staff(role, desk.controller)), timezone.now()

    for act in (
        lambda: sources.save(crm, {"name": "Mine"}, by, now),
        lambda: health.ask(crm, by, now),
        lambda: health.offer(crm, {"token": "x"}, by, now),
        lambda: health.drop_erasing(crm, by, now),
    ):
        with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
            act()

    assert (fresh(crm).name, SourceCheck.objects.count()) == ("CRM", 0)


def test_administrator_of_another_brand_changes_nothing_here(desk: Any, crm: Any) -> None:
    other = by_staff(staff(Role.ADMINISTRATOR, ControllerFactory.create()))

    with pytest.raises(NotAllowed), unit_of_work([desk.controller.pk]):
        sources.save(crm, {"name": "Mine"}, other, timezone.now())

    assert fresh(crm).name == "CRM"


def test_known_end_of_old_credentials_goes_with_them(crm: Any, administrator: By) -> None:
    SourceSystem.objects.update(options=LOCKED, credentials_expire_on=date(2027, 1, 1))
    health.offer(crm, {"token": "new-secret"}, administrator, timezone.now())

    run_jobs()

    assert fresh(crm).credentials_expire_on is None
