"""Guessing a code in earnest: real commits, real threads."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cases.models import SubjectRequest
from cases.permissions import by_customer
from cases.portal import claims
from cases.words import Right
from cases.workflow import identity
from dsar.lib.tenancy import unit_of_work
from identity import services
from identity.models import OneTimeCode
from tests.cases.portal.conftest import Visitor, make_brand
from tests.factories.cases import log


@pytest.fixture
def committed(committed_db: None) -> Any:
    with unit_of_work([]):
        brand = make_brand()
        request = log(brand, Right.ACCESS)
        identity.send_code(request, identity.VERIFY, by_customer(request.pk), timezone.now())
    return brand, request


def claim_cookie(brand: Any, request: SubjectRequest) -> str:
    here = Visitor(brand)
    here.claim(request.reference)
    return str(here.cookies[claims.COOKIE].value)


def test_guesses_at_once_get_no_more_tries_than_one_after_another(committed):
    brand, request = committed
    cookie = claim_cookie(brand, request)

    def guess(number: int) -> int:
        try:
            guesser = Visitor(brand, REMOTE_ADDR=f"192.0.2.{number}")
            guesser.cookies[claims.COOKIE] = cookie
            return int(guesser.send("code", code="not it").status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(guess, range(16)))

    with unit_of_work([brand.pk]):
        newest = OneTimeCode.objects.order_by("-sent_at").first()
        assert newest is not None
        assert (set(statuses), newest.tries) == ({422}, services.CODE_TRIES)


def test_guess_counts_though_the_comparison_fails(committed, monkeypatch):
    brand, request = committed
    guesser = Visitor(brand, raise_request_exception=False)
    guesser.cookies[claims.COOKIE] = claim_cookie(brand, request)

    def fail(*_: Any) -> bool:
        raise RuntimeError("the machine fails in the middle")

    monkeypatch.setattr(services, "try_code", fail)
    statuses = [guesser.send("code", code="not it").status_code for _ in range(7)]

    with unit_of_work([brand.pk]):
        newest = OneTimeCode.objects.order_by("-sent_at").first()
        assert newest is not None
        assert newest.tries == services.CODE_TRIES
    assert statuses == [500] * services.CODE_TRIES + [422] * 2
