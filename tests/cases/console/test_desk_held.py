"""A search on hold as the case page shows it: why, what is to be done, and by whom."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from cases.connectors.base import Capabilities
from cases.connectors.demo.connector import DemoConnector
from cases.models import Case, SearchState, SourceSearch, SourceSystem
from cases.permissions import by_staff
from cases.words import State
from cases.workflow import standing
from tests.cases.desk_cases import Office, broken_source, in_review, office
from tests.cases.staff_client import signed_in
from tests.factories.cases import run_jobs

__all__ = ["office"]

pytestmark = pytest.mark.django_db


def page(office: Office, case: Case) -> str:
    answer = signed_in(office.handler).get(reverse("console:case", args=[case.pk]))
    return str(answer.content.decode())


def do(office: Office, case: Case, name: str, search: SourceSearch) -> int:
    address = reverse("console:act-on", args=[case.pk, name, search.pk])
    return int(signed_in(office.handler).post(address).status_code)


def test_paused_source_shows_its_reason(office: Office) -> None:
    source = SourceSystem.objects.get()
    standing.pause(source, "Moves to another house.", by_staff(office.administrator), timezone.now())
    case = in_review(office.brand, office.handler)

    shown = page(office, case)

    assert case.state == State.SEARCHING
    assert ("Moves to another house." in shown, "The search waits" in shown) == (True, True)


def test_refused_account_is_told_to_whom_it_holds_up(office: Office) -> None:
    broken_source(office.brand)
    in_review(office.brand, office.handler)
    case = in_review(office.brand, office.handler)

    shown = page(office, case)

    assert "The source refuses our account. The source refused the user name or the password." in shown
    assert "Go on without it" in shown


def test_resting_source_says_when_it_is_tried_again(office: Office) -> None:
    until = timezone.now() + timedelta(minutes=9)
    SourceSystem.objects.update(failures=8, held_until=until, trouble_text="It could not be reached.")
    case = in_review(office.brand, office.handler)

    shown = page(office, case)

    local = until.astimezone(office.brand.zone)
    assert f"It is tried again at {local:%H:%M}, by itself." in shown


def test_handler_agrees_to_whole_lists_from_the_page(office: Office, monkeypatch: Any) -> None:
    declared = DemoConnector.capabilities
    monkeypatch.setattr(
        DemoConnector,
        "capabilities",
        lambda self: Capabilities(
            declared(self).identifier_kinds,
            declared(self).types,
            100,
            lists_whole="All 90,000 rows are read.",
        ),
    )
    case = in_review(office.brand, office.handler)
    shown = page(office, case)

    answer = do(office, case, "agree-to-search", SourceSearch.objects.get())
    run_jobs()

    case.refresh_from_db()
    assert ("All 90,000 rows are read." in shown, answer, case.state) == (True, 303, State.REVIEW)


def test_agent_cannot_agree(office: Office) -> None:
    SourceSystem.objects.update(paused_at=timezone.now())
    case = in_review(office.brand, office.handler)
    held = SourceSearch.objects.get()
    SourceSearch.objects.update(held_for="agreement")

    address = reverse("console:act-on", args=[case.pk, "agree-to-search", held.pk])
    signed_in(office.agent).post(address)

    held.refresh_from_db()
    assert (held.state, held.held_for, held.agreed_by_id) == (SearchState.HELD, "agreement", None)
