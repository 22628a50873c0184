"""Administrators read no case; who breaks the glass reads them for a while, for a reason, and loudly."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as site
from django.db import IntegrityError, connection, transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from cases.correspondence import outbox
from cases.models import Case, Item
from dsar.audit.models import AuditEvent
from dsar.lib.errors import NotAllowed, Refused
from identity.emergency import mark_seen, open_emergency
from identity.models import Emergency, Membership, User
from identity.roles import Permission, Role
from tests.cases.desk_cases import in_approval, make_office, office
from tests.cases.staff_client import signed_in
from tests.factories.cases import run_jobs
from tests.factories.identity import ControllerFactory, staff

__all__ = ["office"]

pytestmark = pytest.mark.django_db
WHY = "The whole privacy team is unreachable and a court asks by noon."
PAGE = "/staff/emergency/"


@pytest.fixture
def case(office):
    return in_approval(office.brand, office.handler)


@pytest.fixture
def rescuer(office):
    """Somebody who may break the glass, and nothing else."""
    return staff(Role.BREAK_GLASS, office.brand, full_name="Rex Rescuer")


def again(person: User) -> User:
    return User.objects.get(pk=person.pk)


def break_glass(person: User, office: Any, minutes: int = 30, reason: str = WHY) -> Emergency:
    return open_emergency(again(person), office.brand.pk, reason, minutes, timezone.now())


def addresses(case: Case) -> list[str]:
    """An address for each route of the staff's surfaces, with ids that exist wherever something has that name."""
    ids = {
        "case_id": case.pk,
        "request_id": case.subject_request_id,
        "item_id": Item.objects.filter(case=case).values_list("pk", flat=True).first(),
        "letter_id": case.subject_request.letters.values_list("pk", flat=True).first(),
        "name": "note",
        "act": "accept",
    }
    return [
        _filled(route, ids)
        for route in _routes(get_resolver().url_patterns, "/")
        if not route.startswith("/p/")
    ]


def _routes(patterns: list[Any], prefix: str) -> Any:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern)


def _filled(route: str, ids: dict[str, Any]) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(ids.get(match[1]) or case_less()), route)


def case_less() -> str:
    return "00000000-0000-7000-8000-000000000000"


def shown(answers: Any) -> bytes:
    return b"".join(answer.getvalue() if answer.streaming else answer.content for answer in answers)


@pytest.mark.parametrize("who", ["administrator", "rescuer"])
def test_no_page_tells_who_reads_no_case_anything_of_one(office, case, rescuer, who):
    person = rescuer if who == "rescuer" else office.administrator
    client = signed_in(person)

    answers = {address: client.get(address) for address in addresses(case)}

    opened = {
        address
        for address, answer in answers.items()
        if answer.status_code == 200 and str(case.pk) in address
    }
    told = shown(answers.values())
    words = (
        case.subject.name,
        case.reference,
        case.subject_request.reference,
        "Sent a new one",
        "Called about",
    )
    assert (opened, [word.encode() in told for word in words]) == (set(), [False] * len(words))


def test_same_pages_do_tell_the_handler(office, case):
    """What the test above looks for is there to be found."""
    client = signed_in(office.handler)

    told = shown(client.get(address) for address in addresses(case))

    assert [word.encode() in told for word in (case.reference, "Sent a new one")] == [True, True]


@pytest.mark.parametrize("who", ["administrator", "rescuer"])
def test_no_form_lets_who_reads_no_case_change_one(office, case, rescuer, who):
    client = signed_in(rescuer if who == "rescuer" else office.administrator)
    before = (case.version, case.state)

    answers = [client.post(address).status_code for address in addresses(case) if str(case.pk) in address]

    after = Case.objects.get(pk=case.pk)
    assert ({*answers} <= {403, 404, 405}, (after.version, after.state)) == (True, before)


def test_administrator_cannot_break_the_glass(office):
    with pytest.raises(NotAllowed):
        break_glass(office.administrator, office)

    assert Emergency.objects.count() == 0


def test_broken_glass_opens_reading_and_nothing_else(office, case, rescuer):
    break_glass(rescuer, office)
    client = signed_in(again(rescuer))

    page = client.get(reverse("console:case", args=[case.pk]))
    held = again(rescuer).access.by_controller[office.brand.pk]
    approval = client.post(reverse("dpo:approve", args=[case.pk]), {"version": case.version})

    assert (page.status_code, case.reference in page.content.decode()) == (200, True)
    assert held == {Permission.BREAK_GLASS, Permission.VIEW_CASE, Permission.VIEW_CONTENT}
    assert (approval.status_code, Case.objects.get(pk=case.pk).state) != (303, "fulfilling")
    assert Case.objects.get(pk=case.pk).version == case.version


def test_broken_glass_opens_no_other_brand(office, rescuer):
    stranger = make_office()
    theirs = in_approval(stranger.brand, stranger.handler)
    break_glass(rescuer, office)

    client = signed_in(again(rescuer))

    assert client.get(reverse("console:case", args=[theirs.pk])).status_code == 404


def test_emergency_ends_by_itself(office, case, rescuer):
    break_glass(rescuer, office, minutes=30)
    client = signed_in(again(rescuer))
    address = reverse("console:case", args=[case.pk])

    with time_machine.travel(timezone.now() + timedelta(minutes=29), tick=False):
        during = client.get(address).status_code
    with time_machine.travel(timezone.now() + timedelta(minutes=30, seconds=5), tick=False):
        after = client.get(address).status_code

    assert (during, after) == (200, 404)


def test_emergency_ends_with_the_right_to_open_one(office, case, rescuer):
    break_glass(rescuer, office)
    client = signed_in(again(rescuer))
    Membership.objects.filter(user=rescuer).update(role=Role.ADMINISTRATOR)

    assert client.get(reverse("console:case", args=[case.pk])).status_code == 404


@pytest.mark.parametrize(
    ("minutes", "reason"), [(0, WHY), (61, WHY), (30, ""), (30, "urgent"), (30, " " * 40)]
)
def test_emergency_needs_a_reason_and_an_end(office, rescuer, minutes, reason):
    with pytest.raises(Refused):
        break_glass(rescuer, office, minutes, reason)

    assert Emergency.objects.count() == 0


def test_emergency_is_not_prolonged_by_a_second_one(office, rescuer):
    break_glass(rescuer, office)

    with pytest.raises(Refused):
        break_glass(rescuer, office)

    assert Emergency.objects.count() == 1


def test_officers_are_written_to_at_once_without_the_reason(office, rescuer):
    away = staff(Role.DPO, office.brand, is_active=False)
    staff(Role.DPO, ControllerFactory.create())

    break_glass(rescuer, office)
    run_jobs()

    written = outbox.mails()
    assert {mail.to for mail in written} == {office.dpo.email, office.reviewer.email}
    assert away.email not in {mail.to for mail in written}
    assert ["Rex Rescuer has opened" in mail.body for mail in written] == [True, True]
    assert [WHY in mail.body for mail in written] == [False, False]


def test_everybody_at_the_brand_sees_it_on_every_page(office, rescuer):
    stranger = make_office()
    break_glass(rescuer, office)
    sentence = "Emergency access is open: Rex Rescuer can read every case"

    told = [
        sentence in signed_in(person).get("/staff/account/").content.decode()
        for person in (office.agent, office.dpo, rescuer, stranger.dpo)
    ]

    assert told == [True, True, True, False]


def test_every_page_is_put_on_record(office, case, rescuer):
    made = break_glass(rescuer, office)
    client = signed_in(again(rescuer))

    client.get(reverse("console:case", args=[case.pk]))
    client.get(reverse("console:case", args=["00000000-0000-7000-8000-000000000000"]))

    events = AuditEvent.objects.filter(action="staff.emergency_viewed").order_by("seq")
    assert [(event.actor_id, event.data) for event in events] == [
        (rescuer.pk, {"emergency": str(made.pk), "page": "console:case", "case_id": str(case.pk)}),
        (
            rescuer.pk,
            {
                "emergency": str(made.pk),
                "page": "console:case",
                "case_id": "00000000-0000-7000-8000-000000000000",
            },
        ),
    ]


def test_nothing_is_put_on_record_for_others(office, case, rescuer):
    break_glass(rescuer, office)

    signed_in(office.handler).get(reverse("console:case", args=[case.pk]))

    assert not AuditEvent.objects.filter(action="staff.emergency_viewed").exists()


# The page


def post(client: Any, office: Any, **fields: Any) -> Any:
    return client.post(PAGE, {"brand": str(office.brand.pk), "reason": WHY, "minutes": 20} | fields)


def test_form_opens_it_after_a_fresh_second_factor(office, rescuer):
    client = signed_in(rescuer)

    with time_machine.travel(timezone.now() + timedelta(seconds=site.STEP_UP_SECONDS + 5), tick=False):
        question = post(client, office)
    before = Emergency.objects.count()
    post(client, office)

    assert (question.templates[0].name, before, Emergency.objects.count()) == ("identity/step_up.html", 0, 1)


def test_brand_of_others_is_not_offered(office, rescuer):
    other = ControllerFactory.create()

    answer = post(signed_in(rescuer), office, brand=str(other.pk))

    assert (answer.status_code, Emergency.objects.count()) == (422, 0)


@pytest.mark.parametrize("person", ["agent", "handler", "administrator", "auditor"])
def test_page_is_not_there_for_others(office, person):
    client = signed_in(getattr(office, person))

    assert [client.get(PAGE).status_code, post(client, office).status_code] == [404, 404]


def test_officer_sees_the_uses_of_their_brands_with_reason_and_pages(office, case, rescuer):
    stranger = make_office()
    theirs = staff(Role.BREAK_GLASS, stranger.brand)
    open_emergency(theirs, stranger.brand.pk, WHY, 10, timezone.now())
    made = break_glass(rescuer, office)
    signed_in(again(rescuer)).get(reverse("console:case", args=[case.pk]))

    page = signed_in(office.dpo).get(PAGE)

    (use,) = page.context["uses"]
    assert (use.emergency, use.emergency.reason, use.pages, use.is_open) == (made, WHY, 1, True)


def test_officer_ends_it_and_it_is_over_at_once(office, case, rescuer):
    made = break_glass(rescuer, office)
    client = signed_in(again(rescuer))

    signed_in(office.dpo).post(f"{PAGE}{made.pk}/end/")

    assert client.get(reverse("console:case", args=[case.pk])).status_code == 404


def test_stranger_neither_ends_nor_sees_it(office, rescuer):
    made = break_glass(rescuer, office)
    stranger = signed_in(make_office().dpo)

    answers = [stranger.post(f"{PAGE}{made.pk}/{act}/").status_code for act in ("end", "seen")]

    made.refresh_from_db()
    assert (answers, made.ended_at, made.seen_at) == ([404, 404], None, None)


def test_second_person_notes_that_they_have_looked(office, rescuer):
    made = break_glass(rescuer, office)

    signed_in(office.dpo).post(f"{PAGE}{made.pk}/seen/")

    made.refresh_from_db()
    assert made.seen_by == office.dpo


def test_who_opened_it_is_not_the_second_person(office):
    both = staff(Role.BREAK_GLASS, office.brand)
    Membership.objects.filter(user=both).update(extra=["oversee"])
    made = break_glass(both, office)

    with pytest.raises(NotAllowed):
        mark_seen(made, again(both), timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Emergency.objects.filter(pk=made.pk).update(seen_by=both, seen_at=timezone.now())

    made.refresh_from_db()
    assert made.seen_by is None


def test_reason_is_ciphertext_in_the_database(office, rescuer):
    break_glass(rescuer, office)

    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM identity_emergency")
        stored = bytes(cursor.fetchone()[0])

    assert (b"court" in stored, Emergency.objects.get().reason) == (False, WHY)
