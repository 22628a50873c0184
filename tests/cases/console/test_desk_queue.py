"""The queue: its order, its filters, whose cases it shows, and what it costs."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases import worklist
from cases.models import Case
from cases.permissions import by_staff
from cases.words import Right
from cases.workflow import people
from identity.roles import Role
from tests.cases.desk_cases import (
    Office,
    allow_all,
    broken_source,
    in_approval,
    in_review,
    make_office,
    office,
)
from tests.cases.staff_client import signed_in
from tests.factories.cases import one_case
from tests.factories.identity import staff

__all__ = ["office"]

pytestmark = pytest.mark.django_db

QUEUE = "/queue/"
QUERIES = 14


def references(answer: Any) -> list[str]:
    """The references shown, in their order."""
    return [row.case.reference for row in answer.context["page"].rows]


def received(office: Office, days: int, **fields: Any) -> Case:
    """A case that arrived some days ago."""
    then = timezone.now() - timedelta(days=days)
    return one_case(office.brand, received_at=then, **fields)


def test_queue_in_due_order(office):
    newest, oldest, middle = received(office, 1), received(office, 60), received(office, 20)

    answer = signed_in(office.handler).get(QUEUE)

    assert references(answer) == [oldest.reference, middle.reference, newest.reference]


def test_queue_hides_names(office):
    one_case(office.brand)

    answer = signed_in(office.handler).get(QUEUE)

    assert "Ada Example" not in answer.content.decode()


def test_queue_without_cases_of_other_brands(office):
    mine = one_case(office.brand)
    stranger = make_office()
    one_case(stranger.brand)

    answer = signed_in(office.handler).get(QUEUE)

    assert references(answer) == [mine.reference]


def test_queue_with_several_brands_is_in_one_order(office):
    second = make_office()
    both = staff(Role.HANDLER, office.brand, second.brand)
    late, later = received(second, 50), received(office, 40)

    answer = signed_in(both).get(QUEUE)
    narrowed = signed_in(both).get(QUEUE, {"brand": str(office.brand.pk)})

    assert references(answer) == [late.reference, later.reference]
    assert references(narrowed) == [later.reference]


def test_queue_of_a_brand_that_is_not_ones_own_is_empty(office):
    stranger = make_office()
    one_case(stranger.brand)

    answer = signed_in(office.handler).get(QUEUE, {"brand": str(stranger.brand.pk)})

    assert references(answer) == []


@pytest.mark.parametrize("person", ["administrator", "auditor"])
def test_queue_is_not_there_for_those_who_see_no_cases(office, person):
    assert signed_in(getattr(office, person)).get(QUEUE).status_code == 404


def test_tabs_narrow_and_count(office):
    late = in_review(office.brand, office.handler, received_at=timezone.now() - timedelta(days=70))
    people.assign(late, office.other, by_staff(office.other), timezone.now())
    mine = in_review(office.brand, office.handler)
    free = one_case(office.brand)
    client = signed_in(office.handler)

    shown = {tab: references(client.get(QUEUE, {"tab": tab})) for tab in worklist.TABS}
    counts = {tab["label"]: tab["count"] for tab in client.get(QUEUE).context["tabs"]}

    assert shown["mine"] == [mine.reference]
    assert shown["unassigned"] == [free.reference]
    assert len(shown["all"]) == 3
    assert counts == {"All open": "3", "Mine": "1", "Unassigned": "1", "Late": str(len(shown["late"]))}


def test_late_tab_shows_only_running_clocks_that_ran_out(office):
    late = in_review(office.brand, office.handler, received_at=timezone.now() - timedelta(days=70))
    Case.objects.filter(pk=late.pk).update(due_on=timezone.localdate() - timedelta(days=1))
    waiting = received(office, 2)
    Case.objects.filter(pk=waiting.pk).update(due_on=timezone.localdate() - timedelta(days=1))

    answer = signed_in(office.handler).get(QUEUE, {"tab": "late"})

    assert references(answer) == [late.reference]
    assert answer.context["page"].rows[0].days_left == -1


def test_counts_are_capped(office, monkeypatch):
    monkeypatch.setattr(worklist, "COUNTED", 2)
    for _number in range(3):
        one_case(office.brand)

    answer = signed_in(office.handler).get(QUEUE)

    assert [tab["count"] for tab in answer.context["tabs"]] == ["99+", "0", "99+", "0"]


def test_filters_by_right_state_and_whom_it_waits_for(office):
    access = one_case(office.brand)
    erasure = in_review(office.brand, office.handler, Right.ERASURE)
    client = signed_in(office.handler)

    assert references(client.get(QUEUE, {"right": "access"})) == [access.reference]
    assert references(client.get(QUEUE, {"state": "review"})) == [erasure.reference]
    assert references(client.get(QUEUE, {"blocked": "customer"})) == [access.reference]
    assert references(client.get(QUEUE, {"blocked": "us"})) == [erasure.reference]
    assert references(client.get(QUEUE, {"blocked": "controller"})) == []


def test_search_finds_by_the_beginning_in_lower_case(office):
    wanted = one_case(office.brand)
    one_case(office.brand)

    answer = signed_in(office.handler).get(QUEUE, {"q": wanted.reference[:6].lower()})

    assert references(answer) == [wanted.reference]


def test_search_finds_no_case_of_another_brand(office):
    stranger = one_case(make_office().brand)

    answer = signed_in(office.handler).get(QUEUE, {"q": stranger.reference})

    assert references(answer) == []


def test_pages_follow_each_other_without_gap(office, monkeypatch):
    monkeypatch.setattr(worklist, "PAGE", 2)
    cases = [received(office, days) for days in (9, 9, 8, 7, 6)]
    client, address, seen = signed_in(office.handler), QUEUE, []

    while address:
        answer = client.get(address)
        seen += references(answer)
        address = answer.context["next_url"]

    assert sorted(seen) == sorted(case.reference for case in cases)
    assert len(seen) == len(set(seen))


def test_queue_costs_the_same_whatever_its_size(office):
    client = signed_in(office.handler)
    one_case(office.brand)
    client.get(QUEUE)

    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(QUEUE)
    for _number in range(6):
        one_case(office.brand)
    with CaptureQueriesContext(connection) as many:
        client.get(QUEUE)

    assert len(many) == len(few)


def test_whom_a_case_waits_for(office):
    allow_all(office.brand)
    approval = in_approval(office.brand, office.handler)
    waiting = one_case(office.brand)
    broken_source(office.brand)
    failed = in_review(office.brand, office.handler)

    found = {case: worklist.blocked_on(case) for case in (approval, waiting, failed)}

    assert list(found.values()) == ["approver", "customer", "us"]


def test_absence_hands_the_open_cases_over(office):
    case = in_review(office.brand, office.handler)
    until = timezone.localdate() + timedelta(days=7)

    answer = signed_in(office.handler).post(
        reverse("console:absence"), {"until": until.isoformat(), "cover": str(office.other.pk)}
    )

    office.handler.refresh_from_db()
    case.refresh_from_db()
    assert answer.status_code == 303
    assert (office.handler.away_until, office.handler.cover, case.owner) == (
        until,
        office.other,
        office.other,
    )


def test_absence_without_cover_keeps_what_was_typed(office):
    until = (timezone.localdate() + timedelta(days=7)).isoformat()

    answer = signed_in(office.handler).post(reverse("console:absence"), {"until": until, "cover": ""})

    office.handler.refresh_from_db()
    assert answer.status_code == 422
    assert answer.context["form"]["until"].value() == until
    assert office.handler.away_until is None


def test_absence_offers_no_colleague_of_another_brand(office):
    make_office()

    answer = signed_in(office.handler).get(reverse("console:absence"))

    assert list(answer.context["form"].fields["cover"].queryset) == [office.other]
