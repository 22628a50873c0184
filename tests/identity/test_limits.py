"""Tries of strangers are counted for good, and no page that a stranger can open is without a limit."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from cases.models import SubjectRequest
from cases.workflow import upkeep
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job
from identity import limits
from identity.limits import FREE, STEPS, Limit, Per, network_of, take
from identity.middleware import HALF_WAY
from identity.models import Attempt, Controller
from tests.factories.identity import ControllerFactory
from tests.identity.signing_in import HTTP_LOCKED, give_code, give_password, member
from tests.leaks import leaked

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
FROM_HERE = Limit("from_here", 2, per=Per.NETWORK)
FOR_ADDRESS = Limit("for_address", 1)
ADA = "ada@example.com"

db = pytest.mark.django_db


def counted() -> list[str]:
    return sorted(Attempt.objects.values_list("what", flat=True))


def on_record() -> list[tuple[str, Any, Any]]:
    events = AuditEvent.objects.filter(action="limit.reached").order_by("at", "seq")
    return [(event.actor_kind, event.controller_id, event.data) for event in events]


@db
class TestCounting:
    def test_each_try_counts_until_one_has_too_many(self) -> None:
        tries = [(FROM_HERE, "192.0.2.1"), (FOR_ADDRESS, ADA)]

        answers = [take(tries, NOW) is None for _time in range(3)]

        assert answers == [True, False, False]
        assert [what for what in counted() if not what.startswith("told")] == [
            "for_address",
            "from_here",
            "from_here",
        ]

    def test_nothing_counts_after_the_first_that_had_too_many(self) -> None:
        take([(FOR_ADDRESS, ADA)], NOW)

        over = take([(FOR_ADDRESS, ADA), (FROM_HERE, "192.0.2.1")], NOW)

        assert over is not None
        assert "from_here" not in counted()

    def test_says_when_there_is_room_again_and_then_there_is(self) -> None:
        take([(FROM_HERE, "192.0.2.1")], NOW - timedelta(minutes=50))
        take([(FROM_HERE, "192.0.2.1")], NOW - timedelta(minutes=20))

        over = take([(FROM_HERE, "192.0.2.1")], NOW)

        assert over is not None
        assert (over.limit, over.free_at) == (FROM_HERE, NOW + timedelta(minutes=10))
        assert take([(FROM_HERE, "192.0.2.1")], over.free_at) is None

    def test_trying_meanwhile_does_not_make_it_longer(self) -> None:
        take([(FOR_ADDRESS, ADA)], NOW)

        waits = [take([(FOR_ADDRESS, ADA)], NOW + timedelta(minutes=minute)) for minute in (1, 30, 59)]

        assert {over.free_at for over in waits if over} == {NOW + timedelta(hours=1)}

    def test_tries_of_others_and_at_another_brand_do_not_count(self) -> None:
        brand = ControllerFactory.create()
        take([(FOR_ADDRESS, "bob@example.com")], NOW)
        take([(FOR_ADDRESS, ADA)], NOW, brand=brand.pk)

        assert take([(FOR_ADDRESS, ADA)], NOW) is None

    def test_two_limits_cost_no_more_statements_than_one(self) -> None:
        with CaptureQueriesContext(connection) as one:
            take([(FROM_HERE, "192.0.2.1")], NOW)
        with CaptureQueriesContext(connection) as two:
            take([(FROM_HERE, "192.0.2.2"), (FOR_ADDRESS, ADA)], NOW)

        assert len(two) == len(one)

    def test_what_was_right_is_forgiven(self) -> None:
        take([(FOR_ADDRESS, ADA)], NOW)
        limits.forgive([(FOR_ADDRESS, ADA)])

        assert take([(FOR_ADDRESS, ADA)], NOW) is None

    def test_nothing_that_was_typed_is_kept(self) -> None:
        take([(FROM_HERE, "192.0.2.1"), (FOR_ADDRESS, ADA)], NOW)

        kept = repr([vars(one) for one in Attempt.objects.all()])
        assert leaked(["192.0.2", "ada"], kept) == []

    def test_on_the_record_once_with_codes_alone(self) -> None:
        brand = ControllerFactory.create()
        for _time in range(5):
            take([(FOR_ADDRESS, ADA)], NOW, brand=brand.pk)

        codes = {"limit": "for_address", "per": "address", "most": 1}
        assert on_record() == [("customer", brand.pk, codes)]

    def test_upkeep_forgets_after_a_day(self) -> None:
        take([(FOR_ADDRESS, ADA)], NOW - timedelta(days=1, seconds=1))
        take([(FOR_ADDRESS, "bob@example.com")], NOW)

        with time_machine.travel(NOW.replace(minute=0), tick=False):
            upkeep.run_for_all(NOW.replace(minute=0))

        assert Attempt.objects.count() == 1


def test_a_rollback_keeps_the_count(committed_db: None) -> None:
    with pytest.raises(ZeroDivisionError):
        take([(FOR_ADDRESS, ADA)], NOW)
        with transaction.atomic():
            _fail()

    assert take([(FOR_ADDRESS, ADA)], NOW) is not None


def _fail() -> float:
    return 1 / 0


def test_tries_at_once_get_no_more_than_one_after_another(committed_db: None) -> None:
    five = Limit("five", 5)

    def attempt(_number: int) -> bool:
        try:
            return take([(five, ADA)], NOW) is None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        allowed = sum(threads.map(attempt, range(24)))

    assert allowed == 5


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
    ],
)
def test_a_place_is_an_address_or_what_one_line_has(address: str, place: str) -> None:
    assert network_of(address) == place


# -- every page ------------------------------------------------------------------------------------------

# Public without a view of ours: files, and a page before the database.
FILES = {"/static/", "/healthz"}


def public_names() -> set[str]:
    """The names of all pages that can be asked for without both factors; unnamed ones by their route."""
    found = set(HALF_WAY)
    for route, name in _routes(get_resolver().url_patterns):
        opened = [path for path in configured.PUBLIC_PATHS if path not in FILES]
        if any(route.startswith(path) for path in opened):
            found.add(name or route)
    return found


def _routes(patterns: list[Any], prefix: str = "/", space: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else space
            found += _routes(pattern.url_patterns, route, inner)
        elif isinstance(pattern, URLPattern):
            found.append((route, f"{space}{pattern.name}" if pattern.name else ""))
    return found


def test_every_public_page_has_a_limit_or_says_why_it_needs_none() -> None:
    public = public_names()

    assert len(public) > 30
    assert public - set(STEPS) - set(FREE) == set()


def test_no_limit_is_declared_for_a_page_that_is_gone() -> None:
    assert (set(STEPS) | set(FREE)) - public_names() <= {"console:outbox"}


def test_limits_of_one_name_are_one() -> None:
    declared = [limit for step in STEPS.values() for limit in step.limits]

    assert len({limit.what for limit in declared}) == len(set(declared))


def test_every_step_counts_by_network() -> None:
    without = {name for name, step in STEPS.items() if not any(one.per == Per.NETWORK for one in step.limits)}

    assert without == set()


def addresses(name: str, brand: Controller) -> str:
    """An address of the page, with made-up values."""
    pattern = next(
        route
        for route, found in _routes(get_resolver().url_patterns)
        if found == name and "rest" not in route
    )
    kwargs: dict[str, Any] = {}
    for part in ("token", "receipt"):
        kwargs |= {part: "x" * 20} if f":{part}>" in pattern else {}
    for part in ("case_id", "delivery_id"):
        kwargs |= {part: "00000000-0000-7000-8000-000000000000"} if f":{part}>" in pattern else {}
    kwargs |= {"slug": brand.slug} if ":slug>" in pattern else {}
    return reverse(name, kwargs=kwargs)


@db
@pytest.mark.parametrize("name", sorted(STEPS))
def test_a_full_limit_stops_the_page_before_it_is_called(name: str, client: Client) -> None:
    brand, step = ControllerFactory.create(), STEPS[name]
    if name in HALF_WAY:
        give_password(client, member().email)
    whose = brand.pk if name.startswith("portal:") else None
    full = next(limit for limit in step.limits if limit.per == Per.NETWORK)
    now = datetime.now(UTC)
    keyed = limits._key(full, "127.0.0.1", whose)
    Attempt.objects.bulk_create(Attempt(what=full.what, who=keyed, at=now) for _one in range(full.most))

    address = addresses(name, brand)
    answer = client.get(address) if step.on_reading else client.post(address, {"words": "what I typed"})

    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    assert (SubjectRequest.objects.count(), Job.objects.count()) == (0, 0)


@db
def test_another_network_is_not_stopped(client: Client) -> None:
    brand = ControllerFactory.create()
    limit = STEPS["portal:ask"].limits[0]
    keyed = limits._key(limit, "127.0.0.1", brand.pk)
    Attempt.objects.bulk_create(
        Attempt(what=limit.what, who=keyed, at=datetime.now(UTC)) for _one in range(limit.most)
    )

    there = client.post(reverse("portal:ask", args=[brand.slug]), REMOTE_ADDR="192.0.2.9")

    assert there.status_code == 422


@db
def test_a_whole_ipv6_line_is_one_place(client: Client, settings: Any) -> None:
    brand = ControllerFactory.create()
    limit = STEPS["portal:ask"].limits[0]
    address = reverse("portal:ask", args=[brand.slug])
    keyed = limits._key(limit, "2001:db8::1", brand.pk)
    Attempt.objects.bulk_create(
        Attempt(what=limit.what, who=keyed, at=datetime.now(UTC)) for _one in range(limit.most)
    )

    answers = [client.post(address, REMOTE_ADDR=f"2001:db8::{n}").status_code for n in ("2", "ffff")]

    assert answers == [429, 429]
    assert client.post(address, REMOTE_ADDR="2001:db8:0:1::2").status_code == 422


@db
def test_a_forged_header_makes_nobody_another_place(client: Client, settings: Any) -> None:
    """Without a proxy in the settings nobody's word is taken for where they come from."""
    settings.TRUSTED_PROXIES = 0
    brand = ControllerFactory.create()
    limit = STEPS["portal:ask"].limits[0]
    keyed = limits._key(limit, "127.0.0.1", brand.pk)
    Attempt.objects.bulk_create(
        Attempt(what=limit.what, who=keyed, at=datetime.now(UTC)) for _one in range(limit.most)
    )

    answer = client.post(reverse("portal:ask", args=[brand.slug]), headers={"x-forwarded-for": "192.0.2.77"})

    assert answer.status_code == 429


@db
def test_what_was_typed_is_kept_but_for_what_opens_doors(client: Client) -> None:
    brand = ControllerFactory.create()
    limit = STEPS["portal:ask"].limits[0]
    keyed = limits._key(limit, "127.0.0.1", brand.pk)
    Attempt.objects.bulk_create(
        Attempt(what=limit.what, who=keyed, at=datetime.now(UTC)) for _one in range(limit.most)
    )

    answer = client.post(
        reverse("portal:ask", args=[brand.slug]),
        {"words": 'My "long" story', "wishes": ["access", "erasure"], "code": "123456"},
    )

    html = answer.content.decode()
    assert '<input type="hidden" name="words" value="My &quot;long&quot; story">' in html
    assert html.count('name="wishes"') == 2
    assert leaked(["123456"], html) == []


@db
def test_second_factors_are_limited_for_the_account_across_networks() -> None:
    person, full = member(), limits.FACTOR
    key = limits._key(full, str(person.pk), None)
    Attempt.objects.bulk_create(
        Attempt(what=full.what, who=key, at=datetime.now(UTC)) for _one in range(full.most)
    )
    client = Client(REMOTE_ADDR="192.0.2.4")
    give_password(client, person.email)

    answer = give_code(client, "000000")

    assert answer.status_code == HTTP_LOCKED


@db
def test_passwords_are_limited_for_the_account_across_networks() -> None:
    person, full = member(), limits.PASSWORD_ANYWHERE
    key = limits._key(full, person.email, None)
    Attempt.objects.bulk_create(
        Attempt(what=full.what, who=key, at=datetime.now(UTC)) for _one in range(full.most)
    )

    answer = give_password(Client(REMOTE_ADDR="192.0.2.5"), person.email)

    assert answer.status_code == HTTP_LOCKED
