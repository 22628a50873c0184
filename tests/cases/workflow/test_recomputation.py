"""A change of law, holidays or local days reaches every open case, once, whoever dies meanwhile."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.management import call_command
from django.db import connections
from django.urls import reverse

from cases import calendars
from cases.correspondence.outbox import mails
from cases.deadlines.calendars import PACKAGE_VERSION
from cases.models import Case, DateMove, Recomputation
from cases.permissions import by_staff
from cases.words import Right, State
from cases.workflow import date_moves, people, recomputation
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.lib.errors import NotAllowed
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller
from identity.roles import Role
from tests.cases.staff_client import signed_in
from tests.factories.cases import in_state, one_case, run_jobs
from tests.factories.identity import ControllerFactory, staff

NOW = datetime(2026, 9, 2, 9, tzinfo=UTC)
RECEIVED = datetime(2026, 9, 1, 9, tzinfo=UTC)
DUE, NEXT_DAY = date(2026, 10, 1), date(2026, 10, 2)
ROOT = Path(__file__).parents[3]


def brand(slug: str, regime: str = "UK-ENG", **fields: Any) -> Controller:
    return ControllerFactory.create(slug=slug, regime=regime, levels={"default": 0}, **fields)


def received(controller: Controller, **fields: Any) -> Case:
    return one_case(controller, now=NOW, received_at=RECEIVED, **fields)


@pytest.fixture
def local_day(settings: Any, tmp_path: Path) -> Any:
    """Proclaim the first of October a holiday in these places; nowhere: the file is empty."""
    path = tmp_path / "days.toml"

    def proclaim(*calendars: str) -> None:
        day = f'on = {DUE}\nkind = "holiday"\nname = "Day"\ncalendars = {json.dumps(calendars)}\nsource = "us"\n'
        path.write_text("format = 1\n" + (f"[[days]]\n{day}" if calendars else ""))
        settings.CALENDAR_OVERRIDES = path

    return proclaim


def follow(controller: Controller) -> bool:
    """What the scheduler does once a minute, and the worker after it; whether there was anything to do."""
    ordered = recomputation.follow_the_law(controller.pk, NOW)
    run_jobs()
    return ordered is not None


def due(case: Case) -> date | None:
    case.refresh_from_db()
    return case.due_on


def moves(case: Case) -> list[tuple[date | None, date | None]]:
    return list(case.date_moves.values_list("from_on", "to_on"))


@pytest.mark.django_db
def test_local_day_moves_open_cases_once_and_is_recorded(serve, local_day):
    case = received(brand("acme"))
    assert follow(case.controller)
    local_day("GB/ENG")

    assert [follow(case.controller) for _ in range(3)] == [True, False, False]

    assert (due(case), moves(case)) == (NEXT_DAY, [(DUE, NEXT_DAY)])
    told = AuditEvent.objects.get(case_id=case.pk, action=Action.DUE_DATE_MOVED)
    assert (told.data["from"], told.data["to"]) == ("2026-10-01", "2026-10-02")
    assert told.data["calendar"].startswith(f"holidays {PACKAGE_VERSION} GB/ENG +")
    assert told.actor_kind == "system"


@pytest.mark.django_db
def test_people_in_charge_are_told_by_mail_and_on_the_page_until_it_is_seen(serve, local_day):
    controller = brand("acme")
    handler, other = (
        staff(Role.HANDLER, controller, full_name=name) for name in ("Hannah Handler", "Omar Other")
    )
    staff(Role.DPO, controller)
    case, drill = received(controller), received(controller, is_drill=True)
    people.assign(case, handler, by_staff(handler), NOW)
    stranger = received(brand("other"))
    run_jobs()
    for one in (controller, stranger.controller):
        follow(one)
    before = len(mails())
    local_day("GB/ENG")

    for one in (controller, stranger.controller):
        follow(one)

    sent = mails()[: len(mails()) - before]
    assert [(mail.to, mail.title) for mail in sent] == [(handler.email, "1 due date moved")]
    assert f"{case.reference} · Access · {controller.name}" in sent[0].body
    assert "from 1 Oct 2026 to 2 Oct 2026" in sent[0].body
    assert "Ada" not in sent[0].body
    assert drill.reference not in sent[0].body
    assert date_moves.unseen(case).count() == 1
    with pytest.raises(NotAllowed):
        date_moves.seen(case, by_staff(staff(Role.AGENT, controller)), NOW)
    date_moves.seen(case, by_staff(other), NOW)
    assert date_moves.unseen(case).count() == 0
    assert AuditEvent.objects.filter(case_id=case.pk, action=Action.DATE_MOVE_SEEN).count() == 1


@pytest.mark.django_db
def test_moved_date_stands_on_page_and_queue_until_it_is_seen(serve, local_day):
    controller = brand("acme")
    handler, case = staff(Role.HANDLER, controller), received(controller)
    follow(controller)
    local_day("GB/ENG")
    follow(controller)
    client = signed_in(handler)
    queue, page = reverse("console:queue"), reverse("console:case", args=[case.pk])

    shown = [client.get(queue).context["page"].rows[0].has_moved, client.get(page).context["moves"]]
    client.post(reverse("console:act", args=[case.pk, "date-seen"]), {"version": case.version})

    assert shown == [True, ["The due date moved from 1 Oct 2026 to 2 Oct 2026."]]
    assert [client.get(queue).context["page"].rows[0].has_moved, client.get(page).context["moves"]] == [
        False,
        [],
    ]


@pytest.mark.django_db
def test_day_that_is_taken_back_moves_the_date_back(serve, local_day):
    case = received(brand("acme"))
    follow(case.controller)
    local_day("GB/ENG")
    follow(case.controller)
    local_day()

    assert follow(case.controller)

    assert moves(case) == [(DUE, NEXT_DAY), (NEXT_DAY, DUE)]


@pytest.mark.django_db
def test_day_of_one_place_moves_nothing_elsewhere(serve, local_day):
    english, german = received(brand("acme")), received(brand("nord", "EU-DE"))
    closed = in_state(received(english.controller), State.CLOSED)
    local_day("GB/SCT", "DE")

    assert [follow(english.controller), follow(german.controller)] == [True, True]

    assert [due(case) for case in (english, closed, german)] == [DUE, DUE, NEXT_DAY]
    assert DateMove.objects.count() == 1


@pytest.mark.django_db
def test_closed_case_keeps_the_date_that_it_had(serve, local_day):
    case = in_state(received(brand("acme")), State.CLOSED)
    local_day("GB")

    follow(case.controller)

    assert (due(case), moves(case)) == (DUE, [])


@pytest.mark.django_db
def test_intake_and_portal_know_local_days(serve, local_day):
    local_day("GB/ENG")

    assert due(received(brand("acme"))) == NEXT_DAY


@pytest.mark.django_db
def test_region_of_the_controller_decides_and_its_change_moves_open_cases(serve):
    corpus_christi_eve = datetime(2026, 5, 4, 9, tzinfo=UTC)
    munich = brand("sued", "EU-DE", region="BY", time_zone="Europe/Berlin")
    case = one_case(munich, now=NOW, received_at=corpus_christi_eve)
    follow(munich)
    assert due(case) == date(2026, 6, 5)
    Controller.objects.filter(pk=munich.pk).update(region="")

    assert follow(munich)

    assert (due(case), moves(case)) == (date(2026, 6, 4), [(date(2026, 6, 5), date(2026, 6, 4))])


@pytest.mark.django_db
def test_target_of_the_controller_is_kept(serve):
    case = received(brand("acme", target_days=10))

    assert case.target_on == date(2026, 9, 11)


@pytest.mark.django_db
def test_case_keeps_the_version_of_its_day_of_receipt(serve, local_day):
    case = one_case(brand("acme"), now=NOW, received_at=datetime(2026, 2, 4, 23, 59, tzinfo=UTC))
    local_day("GB")

    follow(case.controller)

    case.refresh_from_db()
    assert case.regime_version == "2020-10-21"


@pytest.mark.django_db
def test_unreadable_file_of_days_changes_nothing(serve, local_day, settings):
    local_day("GB/ENG")
    case = received(brand("acme"))
    follow(case.controller)
    settings.CALENDAR_OVERRIDES.write_text("format = 1\n[[days]]\non = tomorrow")

    assert not follow(case.controller)

    assert due(case) == NEXT_DAY
    assert due(received(case.controller)) == NEXT_DAY


@pytest.mark.django_db
def test_walk_that_was_given_up_is_made_up_for(serve):
    controller = brand("acme")
    first = recomputation.follow_the_law(controller.pk, NOW)

    assert recomputation.follow_the_law(controller.pk, NOW) == first

    assert Recomputation.objects.count() == 1


@pytest.mark.django_db
def test_walk_goes_on_in_batches_from_where_it_was(serve):
    controller = brand("acme")
    for _ in range(5):
        received(controller)
    Case.objects.update(due_on=date(2020, 1, 1))
    walk = recomputation.begin_by_hand(controller.pk, NOW, anew=False)

    seen = [recomputation.go_on(walk.pk, NOW, batch=2).moved for _ in range(4)]

    assert seen == [2, 4, 5, 5]
    assert set(Case.objects.values_list("due_on", flat=True)) == {DUE}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("later", "anew", "resumed"),
    [(timedelta(hours=1), False, True), (timedelta(hours=1), True, False), (timedelta(days=2), False, False)],
)
def test_command_resumes_a_walk_of_today(serve, later, anew, resumed):
    controller = brand("acme")
    first = recomputation.begin_by_hand(controller.pk, NOW, anew=False)

    second = recomputation.begin_by_hand(controller.pk, NOW + later, anew=anew)

    assert (second.pk == first.pk) == resumed


DIES = """
import os, signal, django
django.setup()
from django.core.management import call_command
from cases.workflow import date_moves, people, recomputation
whole, batches = recomputation.go_on, []
def dies(*args):
    found = whole(*args, batch=4)
    batches.append(found)
    if len(batches) == 3:
        os.kill(os.getpid(), signal.SIGKILL)  # with the third batch done and not committed
    return found
recomputation.go_on = dies
call_command("recompute_deadlines")
"""


def test_killed_command_goes_on_where_it_was(committed_db):
    with unit_of_work([]):
        controller = brand("acme")
    with unit_of_work([controller.pk]):
        for _ in range(14):
            received(controller)
        Case.objects.update(due_on=date(2020, 1, 1))
    name = str(connections["default"].settings_dict["NAME"])
    url = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))

    killed = subprocess.run(
        [sys.executable, "-c", DIES], cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=False
    )

    assert killed.returncode == -signal.SIGKILL
    with unit_of_work([controller.pk]):
        assert Case.objects.filter(due_on=DUE).count() == 8
    out = StringIO()
    call_command("recompute_deadlines", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"moved": 14, "examined": 14, "resumed_after": 8}
    with unit_of_work([controller.pk]):
        assert Case.objects.filter(due_on=DUE).count() == 14
        assert AuditEvent.objects.filter(action=Action.DUE_DATE_MOVED).count() == 14
        assert DateMove.objects.count() == 14


@pytest.mark.django_db
def test_case_whose_law_is_no_longer_installed_holds_up_no_other(serve):
    controller = brand("acme")
    lost, other = received(controller), received(controller)
    Case.objects.update(due_on=date(2020, 1, 1))
    Case.objects.filter(pk=lost.pk).update(regime="XX-GONE")
    walk = recomputation.begin_by_hand(controller.pk, NOW, anew=False)

    ended = recomputation.go_on(walk.pk, NOW)

    assert (ended.examined, ended.moved, ended.ended_at) == (2, 1, NOW)
    assert [due(lost), due(other)] == [date(2020, 1, 1), DUE]


@pytest.mark.django_db
def test_new_version_of_the_holidays_computes_once(serve, monkeypatch):
    case = received(brand("acme"))
    follow(case.controller)
    monkeypatch.setattr(calendars, "_shipped", lambda: "another version of the package")

    assert [follow(case.controller), follow(case.controller)] == [True, False]

    assert Recomputation.objects.filter(by_command=False).count() == 2


@pytest.mark.django_db
def test_walk_for_a_law_that_this_process_does_not_know_waits(serve, monkeypatch):
    case = received(brand("acme"))
    recomputation.follow_the_law(case.controller_id, NOW)
    monkeypatch.setattr(calendars, "_shipped", lambda: "an older version of the package")
    Case.objects.update(due_on=date(2020, 1, 1))

    run_jobs(rounds=1)

    assert due(case) == date(2020, 1, 1)
    assert Recomputation.objects.get().ended_at is None


@pytest.mark.django_db
def test_walk_leaves_other_brands_alone(serve):
    ours, theirs = received(brand("acme")), received(brand("other"), right=Right.ERASURE)
    Case.objects.update(due_on=date(2020, 1, 1))
    walk = recomputation.begin_by_hand(ours.controller_id, NOW, anew=False)

    recomputation.go_on(walk.pk, NOW)

    assert (due(ours), due(theirs)) == (DUE, date(2020, 1, 1))
