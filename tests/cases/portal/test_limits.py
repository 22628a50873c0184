"""Tries that are counted together."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.models import Attempt
from cases.portal import limits
from cases.portal.limits import Limit

pytestmark = pytest.mark.django_db

FROM_HERE, FOR_ADDRESS = Limit("from_here", 2), Limit("for_address", 1)


def counted() -> list[str]:
    return sorted(Attempt.objects.values_list("what", flat=True))


def test_each_try_counts_until_one_has_too_many(brand):
    now, tries = timezone.now(), [(FROM_HERE, "192.0.2.1"), (FOR_ADDRESS, "ada@example.com")]

    answers = [limits.spend_each(brand, tries, now) for _time in range(3)]

    assert answers == [True, False, False]
    assert counted() == ["for_address", "from_here", "from_here"]


def test_nothing_counts_after_the_first_that_had_too_many(brand):
    now = timezone.now()
    limits.spend_each(brand, [(FOR_ADDRESS, "ada@example.com")], now)

    answer = limits.spend_each(brand, [(FOR_ADDRESS, "ada@example.com"), (FROM_HERE, "192.0.2.1")], now)

    assert not answer
    assert counted() == ["for_address"]


def test_tries_of_others_and_of_before_do_not_count(brand):
    now = timezone.now()
    limits.spend(brand, FOR_ADDRESS, "ada@example.com", now - timedelta(hours=1))
    limits.spend(brand, FOR_ADDRESS, "bob@example.com", now)

    assert limits.spend(brand, FOR_ADDRESS, "ada@example.com", now)


def test_two_limits_cost_no_more_statements_than_one(brand):
    now = timezone.now()
    limits.spend_each(brand, [(FROM_HERE, "192.0.2.3")], now)  # the first makes the key

    with CaptureQueriesContext(connection) as one:
        limits.spend_each(brand, [(FROM_HERE, "192.0.2.1")], now)
    with CaptureQueriesContext(connection) as two:
        limits.spend_each(brand, [(FROM_HERE, "192.0.2.2"), (FOR_ADDRESS, "ada@example.com")], now)

    assert len(two) == len(one)
