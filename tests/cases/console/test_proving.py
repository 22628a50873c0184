"""What the desk and the agent are told of who asks, and taking a proof back."""

import pytest
from django.urls import reverse
from django.utils import timezone

from cases.models import Case
from cases.permissions import by_staff
from cases.words import State
from cases.workflow import identity
from identity.models import Level, VerificationState
from tests.cases.desk_cases import in_approval, in_review, office
from tests.cases.staff_client import signed_in
from tests.factories.cases import forget, one_case
from tests.factories.identity import give_policy

__all__ = ["office"]

pytestmark = pytest.mark.django_db


def page_of(case, user):
    return signed_in(user).get(reverse("console:case", args=[case.pk]))


def test_case_says_what_is_asked_why_and_what_takes_least(office):
    case = one_case(office.brand)

    told = page_of(case, office.handler).context["proving"]

    assert (told.level, told.needed, told.is_enough) == ("none", "low", False)
    assert (told.rule, told.version, told.next.code) == ("access", 1, "email_code")
    assert told.reason == "It takes no more than an address that is held anyway."
    assert len(told.pursued.planned) == 2
    assert told.pursued.propose_on > told.pursued.planned[1]


def test_case_says_at_once_that_a_policy_was_tightened(office):
    case = in_review(office.brand, office.handler)
    give_policy(office.brand, {"default": 3})

    told = page_of(case, office.handler).context["proving"]

    assert (told.level, told.needed, told.is_enough, told.version) == ("substantial", "high", False, 2)


def test_check_is_named_as_its_method_is(office):
    case = in_review(office.brand, office.handler)

    assert "Evidence seen by staff: achieved, substantial" in page_of(case, office.handler).content.decode()


def test_proof_is_taken_back_with_its_reason(office):
    case = in_review(office.brand, office.handler)
    proof = case.subject_request.verifications.get(state=VerificationState.ACHIEVED)
    address = reverse("console:act-on", args=[case.pk, "retract-identity", proof.pk])
    client = signed_in(office.handler)

    empty = client.post(address, {"version": case.version, "reason": ""})
    done = client.post(address, {"version": case.version, "reason": "It was her sister's."})

    proof.refresh_from_db()
    assert (empty.status_code, done.status_code) == (422, 303)
    assert (proof.state, proof.level, Case.objects.get().identity_level) == ("retracted", 0, 0)


def test_proof_of_another_case_is_not_found(office):
    case, other = in_review(office.brand, office.handler), in_review(office.brand, office.handler)
    proof = other.subject_request.verifications.get(state=VerificationState.ACHIEVED)

    answer = signed_in(office.handler).post(
        reverse("console:act-on", args=[case.pk, "retract-identity", proof.pk]), {"reason": "Wrong."}
    )

    proof.refresh_from_db()
    assert (answer.status_code, proof.state) == (404, "achieved")


def test_approval_below_the_level_is_refused_on_the_screen(office):
    case = in_approval(office.brand, office.handler)
    forget(case)
    client = signed_in(office.dpo)

    answer = client.post(reverse("dpo:approve", args=[case.pk]), {"version": case.version})

    assert answer.status_code in {409, 422}
    assert "identity is not verified" in answer.content.decode()
    assert Case.objects.get().state == State.APPROVAL


def test_agent_is_told_what_to_ask_while_they_are_on_the_line(office):
    case = one_case(office.brand)
    client = signed_in(office.agent)

    for name in ("read-out", "request"):
        page = client.get(reverse(f"console:{name}", args=[case.subject_request_id]))

        assert page.context["proving"].next.code == "email_code"
        assert "One-time code by e-mail" in page.content.decode()


def test_agent_is_told_nothing_where_it_is_enough(office):
    case = one_case(office.brand)
    identity.record_evidence(case, Level.LOW, "call_back", "Rang.", by_staff(office.handler), timezone.now())

    page = signed_in(office.agent).get(reverse("console:request", args=[case.subject_request_id]))

    assert page.context["proving"] is None
