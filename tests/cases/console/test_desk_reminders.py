"""The page of one's reminders."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.models import Case, Notice, Reminder
from cases.workflow import reminders
from dsar.lib.uuid7 import uuid7
from identity.models import User
from tests.cases.desk_cases import Office, make_office, office
from tests.cases.staff_client import signed_in
from tests.factories.cases import in_state, one_case

__all__ = ["office"]

pytestmark = pytest.mark.django_db

PAGE = "/reminders/"


def reminded(office: Office, person: User, kind: str = "due", days: int = 3, **fields: Any) -> Notice:
    """A case whose date comes near, told to this person."""
    fields = {"owner": office.handler, "clock_state": "running", **fields}
    case = in_state(one_case(office.brand), "review", **fields)
    aimed_on = case.target_on if kind == "target" else case.due_on
    row = {"case": case, "controller": office.brand}
    reminder = Reminder.objects.create(kind=kind, days=days, aimed_on=aimed_on, made_at=timezone.now(), **row)
    told: Notice = Notice.objects.create(
        reminder=reminder, person=person, batch=uuid7(), told_at=timezone.now(), **row
    )
    return told


def shown(answer: Any) -> list[str]:
    return [row["case"].reference for row in answer.context["rows"]]


def test_page_shows_what_stands_most_urgent_first(office):
    target = reminded(office, office.handler, "target")
    due = reminded(office, office.handler, "due")
    late = reminded(office, office.handler, "late", due_on=timezone.now().date() - timedelta(days=2))

    answer = signed_in(office.handler).get(PAGE)

    assert shown(answer) == [one.case.reference for one in (late, due, target)]


def test_page_shows_nobody_elses_and_nothing_that_is_over(office):
    """There are a colleague's, one put aside, one of a closed case, one of a date that moved, one of another brand."""
    other = make_office()
    stands = reminded(office, office.handler)
    reminded(office, office.other)
    Notice.objects.filter(pk=reminded(office, office.handler).pk).update(ended_at=timezone.now())
    in_state(reminded(office, office.handler).case, "closed", outcome="fulfilled")
    Case.objects.filter(pk=reminded(office, office.handler).case_id).update(due_on=None)
    reminded(other, office.handler)

    answer = signed_in(office.handler).get(PAGE)

    assert shown(answer) == [stands.case.reference]


def test_navigation_counts_what_stands(office):
    reminded(office, office.handler)
    reminded(office, office.other)

    answer = signed_in(office.handler).get("/queue/")

    counts = {item.label: item.count for item in answer.context["nav"]}
    assert counts["Reminders"] == 1


def test_putting_one_aside_leaves_the_rest(office):
    gone, stays = reminded(office, office.handler), reminded(office, office.handler)
    client = signed_in(office.handler)

    answer = client.post(f"{PAGE}put-aside/", {"notice": str(gone.pk)})

    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert shown(client.get(PAGE)) == [stays.case.reference]


def test_putting_aside_somebody_elses_changes_nothing(office):
    theirs = reminded(office, office.other)

    signed_in(office.handler).post(f"{PAGE}put-aside/", {"notice": [str(theirs.pk), "nonsense"]})

    assert list(reminders.notices_for(office.other)) == [theirs]


def test_page_says_when_the_brand_warns(office):
    office.brand.reminders = {"before_due": [1], "before_letter": [], "pause": 21}
    office.brand.save()

    answer = signed_in(office.handler).get(PAGE)

    (brand,) = answer.context["brands"]
    assert (brand["name"], [fact["value"] for fact in brand["facts"]]) == (
        office.brand.name,
        [
            "3 days before; on the day itself",
            "1 day before",
            "never",
            "3 days before",
            "21 days",
        ],
    )


def test_page_is_not_there_for_who_sees_no_cases(office):
    assert signed_in(office.administrator).get(PAGE).status_code == 404


def statements(office: Office, more: int) -> int:
    for _ in range(more):
        reminded(office, office.handler)
    client = signed_in(office.handler)
    with CaptureQueriesContext(connection) as captured:
        client.get(PAGE)
    return len(captured)


def test_number_of_statements_does_not_grow_with_the_reminders(office):
    few, many = statements(office, 1), statements(office, 12)

    assert many == few
