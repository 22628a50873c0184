"""What the clock knows: facts learned late, corrected and removed, each seen before it is done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from cases.deadlines.events import EventKind
from cases.models import Case, ClockEvent
from cases.permissions import by_staff
from cases.words import Right, State
from cases.workflow import facts
from cases.workflow.facts import Change
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.lib.errors import Refused
from tests.cases.desk_cases import Office, make_office, office
from tests.cases.staff_client import signed_in
from tests.factories.cases import in_state, log, one_case

__all__ = ["office"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(office: Office) -> Case:
    """Received ten days ago; identity was asked for at once."""
    past = timezone.now() - timedelta(days=10)
    return one_case(office.brand, now=past, received_at=past)


def url(name: str, case: Case, event: ClockEvent | None = None) -> str:
    return reverse(f"console:{name}", args=[case.pk, *([event.pk] if event else [])])


def asked(case: Case) -> ClockEvent:
    return case.clock_events.get(kind=EventKind.IDENTITY_REQUESTED)


def typed(at: datetime, **fields: Any) -> dict[str, Any]:
    local = at.astimezone(timezone.get_default_timezone())
    return {"at": local.strftime("%Y-%m-%dT%H:%M"), "reason": "The letter lay in the shop.", **fields}


def arrived(days_ago: float, **fields: Any) -> dict[str, Any]:
    """The form for information on identity that came in then."""
    at = timezone.now() - timedelta(days=days_ago)
    return typed(at, what=EventKind.IDENTITY_RECEIVED.value, **fields)


def again(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def known(case: Case) -> int:
    return case.clock_events.count()


def test_preview_shows_both_dates_and_keeps_nothing(office, case):
    client = signed_in(office.handler)

    answer = client.post(url("clock-add", case), arrived(3, version=case.version))

    start = (timezone.now() - timedelta(days=3)).astimezone(office.brand.zone).date()
    assert answer.status_code == 200
    assert answer.context["before"].deadline.due_on is None
    assert answer.context["after"].deadline.started_on == start
    assert (known(case), again(case).due_on, again(case).version) == (2, case.due_on, case.version)


def test_confirmed_fact_moves_the_date_and_is_on_the_trail(office, case):
    client = signed_in(office.handler)

    answer = client.post(url("clock-add", case), arrived(3, version=case.version, confirm="1"))

    assert (answer.status_code, answer.url) == (303, url("clock", case))
    event = case.clock_events.get(kind=EventKind.IDENTITY_RECEIVED)
    assert (event.recorded_by, event.reason) == (office.handler, "The letter lay in the shop.")
    assert again(case).clock_state == "running"
    assert again(case).due_on > case.due_on
    told = AuditEvent.objects.filter(case_id=case.pk, action=Action.CLOCK_EVENT).last()
    assert (told.data["kind"], told.actor_id) == ("identity_received", office.handler.pk)


def test_second_press_records_it_once_and_says_done(office, case):
    client = signed_in(office.handler)
    form = arrived(3, version=case.version, confirm="1")

    first, second = (client.post(url("clock-add", case), form) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    assert case.clock_events.filter(kind=EventKind.IDENTITY_RECEIVED).count() == 1


def test_stale_form_is_refused_and_keeps_what_was_typed(office, case):
    signed_in(office.other).post(url("clock-add", case), arrived(2, version=case.version, confirm="1"))

    answer = signed_in(office.handler).post(
        url("clock-add", case), arrived(3, version=case.version, confirm="1")
    )

    assert answer.status_code == 422
    assert "Somebody else changed this case" in str(answer.context["form"].non_field_errors())
    assert answer.context["form"]["reason"].value() == "The letter lay in the shop."
    assert case.clock_events.filter(kind=EventKind.IDENTITY_RECEIVED).count() == 1


@pytest.mark.parametrize(
    ("days_ago", "sentence"),
    [(-1, "A fact cannot lie in the future."), (11, "That is before the request was received.")],
)
@pytest.mark.parametrize("button", ["preview", "confirm"])
def test_fact_outside_of_the_case_is_refused(office, case, days_ago, sentence, button):
    answer = signed_in(office.handler).post(
        url("clock-add", case), arrived(days_ago, version=case.version, **{button: "1"})
    )

    assert answer.status_code == 422
    assert answer.context["form"].non_field_errors() == [sentence]
    assert known(case) == 2


def test_fact_without_a_reason_is_refused(office, case):
    answer = signed_in(office.handler).post(url("clock-add", case), arrived(3, reason=" ", confirm="1"))

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["reason"])
    assert known(case) == 2


def test_corrected_fact_replaces_the_old_row_which_stays(office, case):
    event, client = asked(case), signed_in(office.handler)
    later = event.at + timedelta(days=2)

    client.post(
        url("clock-correct", case, event), typed(later, reasonable="on", version=case.version, confirm="1")
    )

    lines = client.get(url("clock", case)).context["lines"]
    found = [(line.words, line.stands, line.is_removed) for line in lines]
    assert found == [
        ("Request received", True, False),
        ("Identity asked for", False, False),
        ("Identity asked for", True, False),
    ]
    assert lines[1].replaced_by == lines[2].event
    assert lines[2].event.data["reasonable"] is True


def test_question_without_good_reason_starts_the_clock(office, case):
    event, client = asked(case), signed_in(office.handler)

    client.post(url("clock-correct", case, event), typed(event.at, version=case.version, confirm="1"))

    # The form shows no seconds; who leaves the time alone leaves the moment alone.
    corrected = case.clock_events.get(supersedes=event)
    assert (corrected.at, corrected.data) == (event.at, {"reasonable": False})
    assert again(case).clock_state == "running"


def test_removed_fact_no_longer_counts_and_says_so(office, case):
    event, client = asked(case), signed_in(office.dpo)

    answer = client.post(
        url("clock-remove", case, event),
        {"reason": "Nobody ever asked.", "version": case.version, "confirm": "1"},
    )

    assert answer.status_code == 303
    assert again(case).clock_state == "running"
    lines = client.get(url("clock", case)).context["lines"]
    assert [(line.words, line.is_removed) for line in lines] == [
        ("Request received", False),
        ("Identity asked for", True),
    ]
    told = AuditEvent.objects.filter(case_id=case.pk, action=Action.CLOCK_EVENT).last()
    assert (told.data["what"], told.data["replaces"]) == ("removed", str(event.pk))


def test_fact_is_replaced_once(office, case):
    event, now = asked(case), timezone.now()
    remove = Change(EventKind.IDENTITY_REQUESTED, event.at, "Twice", replaces=event.pk, removes=True)
    facts.change(case, remove, by_staff(office.handler), now)

    with pytest.raises(Refused, match="corrected or removed meanwhile"):
        facts.change(case, remove, by_staff(office.handler), now)

    assert known(case) == 3


def test_receipt_is_corrected_for_every_open_case_and_never_removed(office):
    past = timezone.now() - timedelta(days=5)
    request = log(office.brand, Right.ACCESS, Right.ERASURE, now=past, received_at=past)
    one, other = request.cases.order_by("right")
    receipt, client = one.clock_events.get(kind=EventKind.RECEIVED), signed_in(office.handler)
    earlier = past - timedelta(days=3)

    removed = client.post(url("clock-remove", one, receipt), {"reason": "No", "confirm": "1"})
    seen = client.post(url("clock-correct", one, receipt), typed(earlier, version=one.version))
    done = client.post(url("clock-correct", one, receipt), typed(earlier, version=one.version, confirm="1"))

    assert (removed.status_code, seen.status_code, done.status_code) == (422, 200, 303)
    assert seen.context["all_cases"] is True
    minute = earlier.replace(second=0, microsecond=0)
    assert [again(case).received_at for case in (one, other)] == [minute, minute]
    assert [again(case).due_on < case.due_on for case in (one, other)] == [True, True]


def test_receipt_after_another_fact_is_refused(office, case):
    receipt = case.clock_events.get(kind=EventKind.RECEIVED)

    answer = signed_in(office.handler).post(
        url("clock-correct", case, receipt), typed(timezone.now() - timedelta(days=1), confirm="1")
    )

    assert answer.status_code == 422
    assert again(case).received_at == case.received_at


def test_receipt_before_a_change_of_law_brings_the_law_of_its_day(office, case):
    receipt = case.clock_events.get(kind=EventKind.RECEIVED)
    before = datetime(2026, 2, 4, 12, tzinfo=UTC)
    form = typed(before, version=case.version)

    seen = signed_in(office.handler).post(url("clock-correct", case, receipt), form)
    signed_in(office.handler).post(url("clock-correct", case, receipt), {**form, "confirm": "1"})

    assert seen.context["after"].deadline.rule_version == "uk-gdpr 2020-10-21"
    assert again(case).regime_version == "2020-10-21"


def test_closed_case_takes_no_fact(office, case):
    in_state(case, State.CLOSED)
    client = signed_in(office.handler)

    answers = [
        client.get(url("clock-add", case)),
        client.post(url("clock-add", case), arrived(3)),
        client.post(url("clock-add", case), arrived(3, confirm="1")),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 422]
    assert known(case) == 2


def test_receipt_of_a_closed_sibling_stays(office):
    past = timezone.now() - timedelta(days=5)
    request = log(office.brand, Right.ACCESS, Right.ERASURE, now=past, received_at=past)
    open_case, closed = request.cases.order_by("right")
    in_state(closed, State.CLOSED)
    receipt = open_case.clock_events.get(kind=EventKind.RECEIVED)
    wanted = Change(
        EventKind.RECEIVED, past - timedelta(days=3), "Came to the shop first", replaces=receipt.pk
    )

    facts.change(open_case, wanted, by_staff(office.handler), timezone.now())

    assert (again(closed).due_on, known(closed)) == (closed.due_on, 2)


@pytest.mark.parametrize("kind", [EventKind.EXTENSION_NOTIFIED, EventKind.RECEIVED])
def test_what_has_its_own_way_is_not_added_by_hand(office, case, kind):
    wanted = Change(kind, timezone.now() - timedelta(days=1), "By hand")

    with pytest.raises(Refused):
        facts.change(case, wanted, by_staff(office.handler), timezone.now())

    assert known(case) == 2


def test_answer_that_the_case_waits_for_is_recorded_where_the_case_goes_on(office, case):
    in_state(case, State.AWAITING_CLARIFICATION)

    answer = signed_in(office.handler).post(
        url("clock-add", case), arrived(1, confirm="1") | {"what": EventKind.CLARIFICATION_RECEIVED.value}
    )

    assert answer.status_code == 422
    assert "so that the case goes on as well" in answer.context["form"].non_field_errors()[0]


@pytest.mark.parametrize("who", ["agent", "reviewer", "auditor"])
def test_who_may_not_keep_facts_is_offered_none_and_refused_on_record(office, case, who):
    client = signed_in(getattr(office, who))

    assert client.get(url("clock-add", case)).status_code == 404
    assert client.post(url("clock-add", case), arrived(3)).status_code == 404
    answer = client.post(url("clock-add", case), arrived(3, version=case.version, confirm="1"))

    assert answer.status_code == (404 if who == "auditor" else 422)
    assert known(case) == 2


def test_facts_of_another_brand_are_not_found(office, case):
    stranger = one_case(make_office().brand)
    client = signed_in(office.handler)

    assert client.get(url("clock", stranger)).status_code == 404
    assert client.post(url("clock-add", stranger), arrived(0, confirm="1")).status_code == 404
    assert client.get(url("clock-correct", case, asked(stranger))).status_code == 404
    assert (
        client.post(url("clock-remove", case, asked(stranger)), {"reason": "x", "confirm": "1"}).status_code
        == 404
    )
    assert (known(stranger), known(case)) == (2, 2)


def test_typed_values_come_back_from_the_preview(office, case):
    client = signed_in(office.handler)

    answer = client.post(url("clock-add", case), arrived(3, version=case.version, edit="1"))

    assert (answer.status_code, answer.context["form"]["reason"].value()) == (
        200,
        "The letter lay in the shop.",
    )


def test_card_number_in_a_reason_is_masked(office, case):
    client = signed_in(office.handler)

    client.post(
        url("clock-add", case),
        arrived(3, version=case.version, confirm="1", reason="Card 4111 1111 1111 1111"),
    )

    event = case.clock_events.get(kind=EventKind.IDENTITY_RECEIVED)
    assert event.reason == "Card **** **** **** 1111"
