"""Acts of weight ask for the second factor once more, on whichever surface, and lose nothing that was typed."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as site
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from cases.console.desk_acts import ACTS
from cases.models import Case
from cases.words import State
from identity.models import TotpDevice
from identity.second_factor import make_recovery_codes
from tests.cases.desk_cases import allow_all, in_approval, in_review, office
from tests.cases.staff_client import signed_in
from tests.identity.signing_in import code_now, wrong_code

__all__ = ["office"]

pytestmark = pytest.mark.django_db
LATER = timedelta(seconds=site.STEP_UP_SECONDS + 5)


@pytest.fixture
def case(office):
    allow_all(office.brand)
    return in_approval(office.brand, office.handler)


def state(case: Case) -> str:
    return Case.objects.get(pk=case.pk).state


def approve(client: Any, case: Case, **fields: Any) -> Any:
    return client.post(reverse("dpo:approve", args=[case.pk]), {"version": case.version, **fields})


def asked(page: Any) -> bool:
    return bool(page.templates and page.templates[0].name == "identity/step_up.html")


def test_fresh_sign_in_approves_without_a_question(office, case):
    approve(signed_in(office.dpo), case)

    assert state(case) != State.APPROVAL


def test_approval_after_a_while_asks_first_and_goes_on_with_what_was_typed(office, case):
    client = signed_in(office.dpo)

    with time_machine.travel(timezone.now() + LATER, tick=False):
        question = approve(client, case, note="typed with care")
        before = state(case)
        carried = dict(question.context["carried"])
        answer = approve(client, case, **carried | {"step_up-from": "POST", "step_up-code": code_now()})

    assert (asked(question), before, carried) == (
        True,
        State.APPROVAL,
        {"version": str(case.version), "note": "typed with care"},
    )
    assert (answer.status_code, state(case) != State.APPROVAL) == (303, True)


def test_wrong_code_approves_nothing_and_keeps_what_was_typed(office, case):
    client = signed_in(office.dpo)

    with time_machine.travel(timezone.now() + LATER, tick=False):
        question = approve(
            client, case, note="typed", **{"step_up-from": "POST", "step_up-code": wrong_code()}
        )

    assert (question.status_code, asked(question), state(case)) == (422, True, State.APPROVAL)
    assert dict(question.context["carried"])["note"] == "typed"


def test_second_factor_is_asked_once_in_a_while(office, case):
    client = signed_in(office.dpo)
    second = in_approval(office.brand, office.handler)

    with time_machine.travel(timezone.now() + LATER, tick=False):
        approve(client, case, **{"step_up-from": "POST", "step_up-code": code_now()})
        approve(client, second)

    assert [state(one) != State.APPROVAL for one in (case, second)] == [True, True]


def test_code_of_somebody_else_approves_nothing(office, case):
    client, colleague = signed_in(office.dpo), signed_in(office.handler)
    assert colleague
    theirs = TotpDevice.objects.get(user=office.handler)
    theirs.secret = "ab" * 20
    theirs.save()

    with time_machine.travel(timezone.now() + LATER, tick=False):
        answer = approve(client, case, **{"step_up-from": "POST", "step_up-code": code_now("ab" * 20)})

    assert (answer.status_code, state(case)) == (422, State.APPROVAL)


def test_recovery_code_answers_once(office, case):
    client = signed_in(office.dpo)
    code = make_recovery_codes(office.dpo)[0]
    fields = {"step_up-from": "POST", "step_up-code": code}

    with time_machine.travel(timezone.now() + LATER, tick=False):
        first = approve(client, case, **fields)
    with time_machine.travel(timezone.now() + LATER * 2, tick=False):
        second = approve(client, case, **fields)

    assert (first.status_code, second.status_code) == (303, 422)


def test_saying_that_it_was_answered_is_no_answer(office, case):
    client = signed_in(office.dpo)

    with time_machine.travel(timezone.now() + LATER, tick=False):
        answers = [
            approve(client, case, **fields).status_code
            for fields in (
                {"step_up-from": "POST"},
                {"step_up-from": "GET"},
                {"step_up-from": "POST", "step_up-code": ""},
                {"step_up-from": "POST", "step_up-passkey": "{}"},
                {"step_up-from": "GET", "step_up-passkey": "[]"},
            )
        ]

    assert (answers, state(case)) == ([422] * 5, State.APPROVAL)


# Every act


def views(patterns: list[Any], prefix: str = "") -> Any:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            space = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from views(pattern.url_patterns, space)
        elif isinstance(pattern, URLPattern):
            yield f"{prefix}{pattern.name}", pattern.callback


def test_views_that_ask_are_these():
    asking = {
        name
        for name, view in views(get_resolver().url_patterns)
        if getattr(view, "asks_second_factor", False)
    }

    assert asking == {
        "administration:add-recipient",
        "administration:recipient",
        "administration:remove-credentials",
        "administration:revoke-token",
        "administration:suppression",
        "console:pack-file",
        "dpo:approve",
        "dpo:approve-extension",
        "identity:emergency",
        "identity:new-passkey",
        "identity:remove-passkey",
        "identity:remove-app",
        "identity:sign-on-link",
        "identity:sign-on-unlink",
    }


def test_every_view_that_approves_asks():
    approving = [
        view for name, view in views(get_resolver().url_patterns) if name.split(":")[-1].startswith("approve")
    ]

    assert [getattr(view, "asks_second_factor", False) for view in approving] == [True] * len(approving)


def test_acts_that_ask_are_those_that_send_erase_or_agree():
    assert {name for name, act in ACTS.items() if act.has_weight} == {
        "accept-leftover",
        "agree-to-lift",
        "approve-changed",
        "carry-out-again",
        "deliver-again",
        "expedite",
        "lift-hold",
        "lift-restriction",
        "look-ended",
        "rebuild",
        "send-again",
        "task",
        "waive",
    }


@pytest.mark.parametrize("name", sorted(name for name, act in ACTS.items() if act.has_weight))
def test_act_of_weight_asks_before_anything_else(office, name):
    case = in_review(office.brand, office.handler)
    client = signed_in(office.handler)
    arguments = [case.pk, name, *([case.pk] if ACTS[name].find else [])]
    address = reverse("console:act-on" if ACTS[name].find else "console:act", args=arguments)

    with time_machine.travel(timezone.now() + LATER, tick=False):
        answer = client.post(address, {"reason": "typed"})

    assert (answer.status_code, asked(answer)) == (200, True)
