"""Reminders: who is told of which date, each once, over simulated days. UK, unless a test says otherwise."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cases.correspondence import outbox
from cases.deadlines.events import EventKind
from cases.models import Case, Notice, Reminder
from cases.permissions import BY_SYSTEM, by_staff
from cases.words import Right
from cases.workflow import people, reminders
from cases.workflow.clock import add_fact
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job
from identity.models import Membership, Team, User
from identity.roles import Role
from tests.cases.desk_cases import Office, make_office, office
from tests.factories.cases import in_state, one_case, run_jobs
from tests.factories.identity import ControllerFactory, give_policy, staff

__all__ = ["office"]

pytestmark = pytest.mark.django_db

RECEIVED = date(2026, 9, 1)
TARGET, DUE = date(2026, 9, 22), date(2026, 10, 1)


def at(day: date, hour: int = 9, zone: str = "Europe/London") -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(zone))


@pytest.fixture(autouse=True)
def _only_limit(office: Office) -> None:
    """These tests are about the limit; those about the rest arm it. No identity is asked, so the clock runs."""
    give_policy(office.brand, {"default": 0})
    arm(office, before_target=[], before_due=[7, 3, 1], before_letter=[], pause=3000, dpo=3)


def arm(office: Office, **policy: Any) -> None:
    office.brand.reminders = {**office.brand.reminders, **policy}
    office.brand.save()


def received(office: Office, owner: User | None = None, **fields: Any) -> Case:
    """A case received on 1 September 2026, due on 1 October, with its search begun."""
    case = one_case(office.brand, received_at=at(RECEIVED), now=at(RECEIVED), **fields)
    return in_state(case, "searching", owner=owner or office.handler)


def remind(office: Office, day: date, hour: int = 9) -> int:
    return reminders.remind(office.brand.pk, at(day, hour, office.brand.time_zone))


def said(case: Case) -> list[tuple[str, int, list[str]]]:
    """What was told, and to whom, in order."""
    rows = Reminder.objects.filter(case=case).order_by("made_at", "pk")
    return [
        (row.kind, row.days, sorted(row.notices.values_list("person__full_name", flat=True)))
        for row in rows
        if row.notices.exists()
    ]


def over(office: Office, first: date, last: date) -> None:
    """Every day of a stretch, twice a day, as a scheduler does that is never away."""
    for number in range((last - first).days + 1):
        remind(office, first + timedelta(days=number))
        remind(office, first + timedelta(days=number), 15)


def mails() -> list[outbox.Mail]:
    """What staff were sent."""
    to_staff = [mail for mail in outbox.mails() if mail.to.endswith("@desk.example")]
    return sorted(to_staff, key=lambda mail: mail.to)


HANNAH, DORA, RITA = "Hannah Handler", "Dora Protector", "Rita Reviewer"


def test_each_threshold_is_told_once_and_the_officer_joins_near_the_limit(office):
    case = received(office)

    over(office, RECEIVED, DUE + timedelta(days=20))

    assert said(case) == [
        ("due", 7, [HANNAH]),
        ("due", 3, [DORA, HANNAH]),
        ("due", 1, [DORA, HANNAH]),
        ("late", 0, [DORA, HANNAH]),
    ]


def test_thresholds_fall_on_their_days(office):
    case = received(office)

    over(office, RECEIVED, DUE + timedelta(days=2))

    days = Reminder.objects.filter(case=case).order_by("made_at").values_list("made_at__date", flat=True)
    assert list(days) == [date(2026, 9, 24), date(2026, 9, 28), date(2026, 9, 30), date(2026, 10, 2)]


def test_scheduler_down_for_days_tells_the_most_urgent_alone(office):
    case = received(office)

    over(office, DUE - timedelta(days=2), DUE)

    assert said(case) == [("due", 3, [DORA, HANNAH]), ("due", 1, [DORA, HANNAH])]


def test_scheduler_down_over_the_date_tells_that_it_is_late(office):
    case = received(office)
    arm(office, before_target=[3, 0])

    over(office, DUE + timedelta(days=5), DUE + timedelta(days=9))

    assert said(case) == [("late", 0, [DORA, HANNAH])]


def test_due_day_itself_is_not_late(office):
    case = received(office)

    remind(office, DUE)

    assert said(case) == [("due", 1, [DORA, HANNAH])]


def test_nothing_is_told_in_the_night(office):
    case = received(office)

    told = [remind(office, DUE + timedelta(days=1), hour) for hour in (0, 5, 6)]

    assert (told, said(case)) == ([0, 0, 1], [("late", 0, [DORA, HANNAH])])


def test_day_is_the_brands_own(office):
    """21:30 in London on the last day is the next morning in Auckland."""
    office.brand.time_zone = "Pacific/Auckland"
    office.brand.save()
    case = one_case(office.brand, received_at=at(RECEIVED, 9, "Pacific/Auckland"), now=at(RECEIVED))
    in_state(case, "searching", owner=office.handler)

    reminders.remind(office.brand.pk, datetime(2026, 10, 1, 21, 30, tzinfo=ZoneInfo("Europe/London")))

    assert said(case) == [("late", 0, [DORA, HANNAH])]


@pytest.mark.parametrize("day", [date(2026, 10, 25), date(2026, 3, 29)])
def test_day_on_which_clocks_change_tells_once(office, day):
    """Every half hour of a day of 25 or of 23 hours."""
    case = received(office)
    Case.objects.filter(pk=case.pk).update(due_on=day + timedelta(days=1))
    begin = datetime.combine(day, time(), ZoneInfo("Europe/London")).astimezone(UTC)

    for half_hours in range(52):
        reminders.remind(office.brand.pk, begin + timedelta(minutes=30 * half_hours))

    assert said(case) == [("due", 1, [DORA, HANNAH])]


def test_target_is_told_to_who_is_in_charge(office):
    case = received(office)
    arm(office, before_target=[2], before_due=[])

    over(office, RECEIVED, DUE)

    assert said(case) == [("target", 2, [HANNAH])]
    assert Reminder.objects.get(case=case).aimed_on == TARGET


def test_target_that_passed_unseen_is_told_late(office):
    case = received(office)
    arm(office, before_target=[2], before_due=[])

    remind(office, DUE)

    assert said(case) == [("target", 2, [HANNAH])]


def test_several_dates_on_one_day_are_one_reminder(office):
    case = received(office)
    arm(office, before_target=[1], before_due=[3])

    over(office, DUE - timedelta(days=3), DUE)

    assert said(case) == [("due", 3, [DORA, HANNAH])]
    assert Reminder.objects.filter(case=case).count() == 2


def test_date_that_moves_is_armed_again(office):
    case = received(office)
    over(office, RECEIVED, DUE)
    before = len(said(case))

    add_fact(case, EventKind.EXTENSION_NOTIFIED, at(DUE), BY_SYSTEM, at(DUE, 18))
    over(office, DUE + timedelta(days=1), date(2026, 11, 30))

    assert [kind_and_days[:2] for kind_and_days in said(case)[before:]] == [
        ("due", 7),
        ("due", 3),
        ("due", 1),
    ]


def test_late_case_that_is_extended_is_not_reminded_of_the_old_date(office):
    case = received(office)
    remind(office, DUE)
    add_fact(case, EventKind.EXTENSION_NOTIFIED, at(DUE), BY_SYSTEM, at(DUE, 18))

    told = reminders.notices_for(User.objects.get(pk=office.handler.pk)).count()

    assert (Notice.objects.filter(ended_at=None).count() > 0, told) == (True, 0)


def asked(office: Office, **fields: Any) -> Case:
    """The customer was asked who they are on the day after receipt; nothing came."""
    case = received(office, **fields)
    add_fact(case, EventKind.IDENTITY_REQUESTED, at(RECEIVED), BY_SYSTEM, at(RECEIVED, 10))
    return case


def test_clock_that_stands_still_is_never_late(office):
    case = asked(office)

    over(office, RECEIVED, DUE + timedelta(days=30))

    assert said(case) == []


def test_letter_with_reasons_is_aimed_at_while_nothing_came(office):
    arm(office, before_letter=[5, 2])
    case = asked(office)

    over(office, RECEIVED, DUE + timedelta(days=30))

    assert said(case) == [("letter", 5, [HANNAH]), ("letter", 2, [DORA, HANNAH])]
    assert set(Reminder.objects.filter(case=case).values_list("aimed_on", flat=True)) == {DUE}


def test_letter_under_eu_law_is_aimed_at_though_the_clock_runs(serve):
    """A late question does not suspend the period, and an extension does not move the day of a refusal (E8)."""
    office = make_office(regime="EU-DE", time_zone="Europe/Berlin")
    arm(office, before_target=[], before_due=[], before_letter=[2], pause=3000)
    case = one_case(office.brand, received_at=at(RECEIVED), now=at(RECEIVED))
    in_state(case, "awaiting_identity", owner=office.handler)
    late = RECEIVED + timedelta(days=20)
    add_fact(case, EventKind.IDENTITY_REQUESTED, at(late), BY_SYSTEM, at(late, 10))
    add_fact(case, EventKind.EXTENSION_NOTIFIED, at(late), BY_SYSTEM, at(late, 11))

    over(office, RECEIVED, DUE + timedelta(days=3))

    assert said(case) == [("letter", 2, [DORA, HANNAH])]


def test_pause_that_lasts_too_long_is_told_once(office):
    arm(office, pause=10)
    case = asked(office)

    over(office, RECEIVED, DUE + timedelta(days=40))

    assert said(case) == [("pause", 10, [HANNAH])]
    assert Reminder.objects.get(case=case).made_at == at(RECEIVED + timedelta(days=10))


def test_answer_ends_the_pause(office):
    arm(office, pause=10)
    case = asked(office)
    answered = RECEIVED + timedelta(days=5)
    add_fact(case, EventKind.IDENTITY_RECEIVED, at(answered), BY_SYSTEM, at(answered, 10))

    over(office, RECEIVED, answered + timedelta(days=15))

    assert said(case) == []


def test_closed_case_reminds_nobody(office):
    closed = in_state(received(office), "closed", outcome="fulfilled")

    over(office, RECEIVED, DUE + timedelta(days=3))

    assert said(closed) == []


def test_drill_reminds_nobody(office):
    case = received(office)
    Case.objects.filter(pk=case.pk).update(is_drill=True)

    over(office, RECEIVED, DUE + timedelta(days=3))

    assert said(case) == []


def test_reviewer_is_told_while_the_case_lies_with_them(office):
    case = received(office)
    in_state(case, "with_controller", resume_state="review")

    remind(office, DUE - timedelta(days=7))

    assert said(case) == [("due", 7, [HANNAH, RITA])]


def test_owner_who_is_away_is_stood_in_for(office):
    case = received(office)
    User.objects.filter(pk=office.handler.pk).update(away_until=DUE, cover=office.other)

    remind(office, DUE - timedelta(days=7))

    assert said(case) == [("due", 7, ["Omar Other"])]


def test_owner_who_is_back_is_told_again(office):
    case = received(office)
    away = DUE - timedelta(days=8)
    User.objects.filter(pk=office.handler.pk).update(away_until=away, cover=office.other)

    remind(office, DUE - timedelta(days=7))

    assert said(case) == [("due", 7, [HANNAH])]


def test_team_is_told_of_a_case_without_owner(office):
    case = received(office)
    team = Team.objects.get(memberships__user=office.other)
    Case.objects.filter(pk=case.pk).update(owner=None, team=team)

    remind(office, DUE - timedelta(days=7))

    assert said(case) == [("due", 7, ["Omar Other"])]


def test_everybody_is_told_of_a_case_without_owner_and_team(office):
    case = received(office)
    Case.objects.filter(pk=case.pk).update(owner=None, team=None)

    remind(office, DUE - timedelta(days=7))

    assert said(case) == [("due", 7, [HANNAH, "Omar Other"])]


def test_owner_who_left_is_not_told(office):
    case = received(office)
    Case.objects.filter(pk=case.pk).update(team=None)
    User.objects.filter(pk=office.handler.pk).update(is_active=False)

    remind(office, DUE - timedelta(days=7))

    assert said(case) == [("due", 7, ["Omar Other"])]


def test_withheld_permission_is_not_told(office):
    case = received(office)
    Membership.objects.filter(user=office.dpo).update(withheld=["view_case"])

    remind(office, DUE + timedelta(days=1))

    assert said(case) == [("late", 0, [HANNAH])]


def test_other_brand_hears_nothing(office):
    """Both brands have a late case; each one's people are told of their own."""
    other = make_office(levels={"default": 0})
    ours, theirs = received(office), received(other)
    arm(other, before_target=[], before_due=[], before_letter=[], pause=3000)

    remind(office, DUE + timedelta(days=1))
    remind(other, DUE + timedelta(days=1))
    run_jobs()

    told = {brand.brand.pk: {brand.handler.pk, brand.dpo.pk} for brand in (office, other)}
    found: dict[Any, set[Any]] = {office.brand.pk: set(), other.brand.pk: set()}
    for notice in Notice.objects.all():
        found[notice.controller_id].add(notice.person_id)
    assert found == told
    mixed = [
        mail.to
        for mail in mails()
        if (ours.reference in mail.body) == (theirs.reference in mail.body)
        or (ours.reference in mail.body) != (mail.to in {office.handler.email, office.dpo.email})
    ]
    assert (len(mails()), mixed) == (4, [])


def test_person_of_two_brands_has_a_mail_of_each(office):
    second = ControllerFactory.create(reminders=office.brand.reminders, levels={"default": 0})
    both = staff(Role.HANDLER, office.brand, second)
    one = received(office, owner=both)
    two = in_state(one_case(second, received_at=at(RECEIVED), now=at(RECEIVED)), "searching", owner=both)

    remind(office, DUE - timedelta(days=7))
    reminders.remind(second.pk, at(DUE - timedelta(days=7)))
    run_jobs()

    bodies = [mail.body for mail in mails()]
    assert sorted([(one.reference in body, two.reference in body) for body in bodies]) == [
        (False, True),
        (True, False),
    ]


# -- the mail --------------------------------------------------------------------------------------------


def test_mail_has_reference_right_days_and_link_and_no_customer(office, settings):
    settings.BASE_URL = "https://desk.example"
    case = received(office, right=Right.ERASURE)

    remind(office, DUE - timedelta(days=7))
    run_jobs()

    (mail,) = mails()
    body = mail.body.split("\n")
    assert (mail.to, mail.title) == (
        office.handler.email,
        f"{case.reference} (Erasure): a date comes near or has passed",
    )
    assert body[:5] == [
        "Dear Hannah Handler,",
        "",
        f"{case.reference} · Erasure · {office.brand.name}",
        body[3],
        f"https://desk.example/cases/{case.pk}/",
    ]
    assert body[3].startswith(("The answer is due on", "Late: the answer was due on"))
    assert [word in mail.body for word in ("Ada", "Example", "ada@example.com")] == [False, False, False]


def test_mail_tells_of_all_that_was_told_together(office):
    cases = [received(office) for _ in range(3)]

    remind(office, DUE - timedelta(days=7))
    run_jobs()

    (mail,) = mails()
    assert [case.reference in mail.body for case in cases] == [True, True, True]
    assert mail.title == "3 cases have a date that comes near or has passed"


def test_case_closed_meanwhile_is_not_in_the_mail(office):
    still, gone = received(office), received(office)
    remind(office, DUE - timedelta(days=7))
    in_state(gone, "closed", outcome="fulfilled")

    run_jobs()

    (mail,) = mails()
    assert (still.reference in mail.body, gone.reference in mail.body) == (True, False)


def test_nobody_is_written_to_who_left_meanwhile(office):
    received(office)
    remind(office, DUE - timedelta(days=7))
    Membership.objects.filter(user=office.handler).delete()

    run_jobs()

    assert mails() == []


def test_mail_is_sent_once_however_often_the_job_runs(office):
    received(office)
    remind(office, DUE - timedelta(days=7))
    run_jobs()

    Job.objects.filter(kind=reminders.MAIL).update(state="queued", ended_at=None)
    run_jobs()

    assert len(mails()) == 1


def test_worker_that_dies_before_the_mail_loses_none(office):
    """The row is there and the worker is gone: the job's lease runs out, and another sends it."""
    received(office)
    remind(office, DUE - timedelta(days=7))
    Job.objects.filter(kind=reminders.MAIL).update(attempts=1)

    run_jobs()

    assert len(mails()) == 1


def test_run_that_is_undone_is_told_by_the_next(office):
    """Killed before the commit: nothing was kept, so nothing was said, and nothing is lost."""
    case = received(office)
    with transaction.atomic():
        remind(office, DUE - timedelta(days=7))
        transaction.set_rollback(True)

    remind(office, DUE - timedelta(days=7))
    run_jobs()

    assert (said(case), len(mails())) == ([("due", 7, [HANNAH])], 1)


# -- the job ---------------------------------------------------------------------------------------------


def test_tick_orders_where_there_is_something_to_say(office):
    received(office)

    ordered = [reminders.order(office.brand.pk, at(day)) for day in (RECEIVED, DUE, DUE)]

    assert (ordered, Job.objects.filter(kind=reminders.REMIND).count()) == ([False, True, True], 1)


def test_job_tells_all_in_batches(office, monkeypatch):
    monkeypatch.setattr(reminders, "BATCH", 2)
    cases = [received(office) for _ in range(5)]

    told = [reminders.remind(office.brand.pk, at(DUE), 2) for _ in range(4)]

    assert told == [2, 2, 1, 0]
    assert [len(said(case)) for case in cases] == [1, 1, 1, 1, 1]


def statements(office: Office, cases: int) -> int:
    for _ in range(cases):
        received(office)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        remind(office, DUE - timedelta(days=7))
    return len(captured)


def test_number_of_statements_does_not_grow_with_the_cases(office):
    few, many = statements(office, 1), statements(office, 12)

    assert many == few


def test_reminder_is_on_record_with_codes_alone(office):
    case = received(office)

    remind(office, DUE - timedelta(days=7))

    event = AuditEvent.objects.get(case_id=case.pk, action=Action.REMINDED)
    assert event.data == {
        "kind": "due",
        "days": 7,
        "aimed_on": DUE.isoformat(),
        "told": [str(office.handler.pk)],
    }


# -- in the desk -----------------------------------------------------------------------------------------


def test_newer_reminder_takes_the_place_of_the_older(office):
    received(office)

    remind(office, DUE - timedelta(days=7))
    remind(office, DUE - timedelta(days=3))

    (notice,) = reminders.notices_for(office.handler)
    assert notice.reminder.days == 3


def test_what_others_are_told_ends_nobodys_notice(office):
    """The officer was told of the limit; a target that moved is told to the handler alone."""
    case = received(office)
    arm(office, before_target=[9])
    remind(office, DUE + timedelta(days=1))

    Case.objects.filter(pk=case.pk).update(target_on=DUE + timedelta(days=4))
    remind(office, DUE + timedelta(days=2))

    kinds = [
        [notice.reminder.kind for notice in reminders.notices_for(User.objects.get(pk=person.pk))]
        for person in (office.handler, office.dpo)
    ]
    assert kinds == [["target"], ["late"]]


def test_clock_that_stops_silences_what_was_said_of_its_date(office):
    case = received(office)
    remind(office, DUE - timedelta(days=7))

    Case.objects.filter(pk=case.pk).update(clock_state="paused")

    assert reminders.notices_for(office.handler).count() == 0


def test_answer_silences_what_was_said_of_a_letter(office):
    arm(office, before_letter=[2])
    case = asked(office)
    remind(office, DUE - timedelta(days=2))
    before = reminders.notices_for(office.handler).count()

    add_fact(case, EventKind.IDENTITY_RECEIVED, at(DUE), BY_SYSTEM, at(DUE, 18))

    assert (before, reminders.notices_for(office.handler).count()) == (1, 0)


def test_what_is_over_is_put_aside_and_the_rest_stays(office):
    other = make_office(levels={"default": 0})
    arm(other, before_target=[], before_due=[7], before_letter=[], pause=3000)
    closed, moved, stays, theirs = received(office), received(office), received(office), received(other)
    remind(office, DUE - timedelta(days=7))
    remind(other, DUE - timedelta(days=7))
    in_state(closed, "closed", outcome="fulfilled")
    Case.objects.filter(pk=moved.pk).update(due_on=DUE + timedelta(days=60))
    in_state(theirs, "closed", outcome="fulfilled")

    ended = reminders.end_what_is_over(office.brand.pk, at(DUE))

    left = Notice.objects.filter(ended_at=None).values_list("case_id", flat=True)
    assert (ended, set(left)) == (2, {stays.pk, theirs.pk})


def test_list_looks_at_the_latest_alone(office, monkeypatch):
    monkeypatch.setattr(reminders, "LOOKED_AT", 1)
    received(office)
    remind(office, DUE - timedelta(days=7))
    late = received(office)
    Case.objects.filter(pk=late.pk).update(due_on=DUE - timedelta(days=20))
    remind(office, DUE - timedelta(days=6))

    assert [notice.case_id for notice in reminders.most_urgent(office.handler)] == [late.pk]


def test_one_puts_aside_ones_own_alone(office):
    received(office)
    remind(office, DUE + timedelta(days=1))
    every = list(Notice.objects.values_list("pk", flat=True))

    put = reminders.put_aside(office.handler, every, at(DUE + timedelta(days=1)))

    left = [reminders.notices_for(person).count() for person in (office.handler, office.dpo)]
    assert (put, left) == (1, [0, 1])


def test_case_handed_over_is_owned_by_the_next(office):
    case = received(office)
    remind(office, DUE - timedelta(days=7))

    people.assign(case, office.other, by_staff(office.handler), at(DUE - timedelta(days=6)))
    remind(office, DUE - timedelta(days=3))

    assert said(case)[-1] == ("due", 3, [DORA, "Omar Other"])
