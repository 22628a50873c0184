"""Approvals: who sees which proposal, exactly what would go out, and the decision."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from cases.models import Case, ItemDecision
from cases.permissions import by_staff
from cases.words import Right, State
from cases.workflow import decide, review
from cases.workflow.review import Choice, Selection
from dsar.audit.models import AuditEvent
from tests.cases.desk_cases import allow_all, in_approval, in_review, make_office, office
from tests.cases.staff_client import signed_in

__all__ = ["office"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(office):
    return in_approval(office.brand, office.handler)


def page(case: Case) -> str:
    return reverse("dpo:decision", args=[case.pk])


def press(client: Any, case: Case, name: str, **data: Any) -> Any:
    return client.post(reverse(f"dpo:{name}", args=[case.pk]), {"version": case.version, **data})


def again(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def waiting(client: Any) -> list[str]:
    return [one.row.case.reference for one in client.get(reverse("dpo:approvals")).context["waiting"]]


def test_list_holds_ones_own_brands_and_step(office, case):
    stranger = make_office()
    in_approval(stranger.brand, stranger.handler)

    assert waiting(signed_in(office.dpo)) == [case.reference]
    assert waiting(signed_in(office.reviewer)) == []


@pytest.mark.parametrize("person", ["agent", "handler", "auditor", "administrator"])
def test_approvals_are_not_there_for_others(office, case, person):
    client = signed_in(getattr(office, person))

    assert client.get(reverse("dpo:approvals")).status_code == 404
    assert client.get(page(case)).status_code == 404


def test_proposal_of_another_brand_is_not_found(office):
    stranger = make_office()
    theirs = in_approval(stranger.brand, stranger.handler)
    client = signed_in(office.dpo)

    assert client.get(page(theirs)).status_code == 404
    assert client.get(reverse("dpo:letter", args=[theirs.pk])).status_code == 404
    assert press(client, theirs, "approve").status_code == 404
    assert again(theirs).state == State.APPROVAL


def test_page_shows_what_goes_out_and_nothing_else(office):
    case = in_review(office.brand, office.handler)
    by = by_staff(office.handler)
    note = case.items.filter(collection="notes").order_by("number")[0]
    passages = [{"field": "text", "start": 23, "end": 26, "code": "TP"}]
    marks = {"fields": [{"field": "agent", "code": "TP"}], "passages": passages}
    review.redact(note, marks, by, timezone.now())
    rest = case.items.filter(collection="notes").exclude(pk=note.pk)
    silent = Choice(ItemDecision.WITHHOLD, "CRIME", silent=True)
    review.decide(case, Selection(ids=[rest.get().pk]), silent, by, timezone.now())
    case = in_approval(office.brand, office.handler, case=case)

    answer = signed_in(office.dpo).get(f"{page(case)}?source={note.source_id}&collection=notes")

    shown = answer.context["outgoing"].shown
    assert [[field.text for field in one.fields] for one in shown] == [
        ["10", "1", "", "Called about the bill.  was angry."]
    ]
    assert [(one.code, one.is_silent, one.count) for one in answer.context["withheld"]] == [
        ("CRIME", True, 1)
    ]
    assert "Carla Agent" not in answer.content.decode()
    assert AuditEvent.objects.filter(action="case.content_viewed", actor_id=office.dpo.pk).count() == 1


def test_approval_hands_to_the_controller_where_nothing_is_instructed(office, case):
    answer = press(signed_in(office.dpo), case, "approve")

    assert (answer.status_code, again(case).state) == (303, State.WITH_CONTROLLER)
    assert waiting(signed_in(office.reviewer)) == [case.reference]

    press(signed_in(office.reviewer), again(case), "approve")

    assert again(case).state == State.FULFILLING


def test_approval_suffices_where_the_instruction_allows_it(office):
    allow_all(office.brand)
    case = in_approval(office.brand, office.handler)

    shown = signed_in(office.dpo).get(page(case))
    press(signed_in(office.dpo), case, "approve")

    assert shown.context["said"] == [
        ("Refuse in whole or in part", "may do by itself"),
        ("Release an answer", "may do by itself"),
    ]
    assert again(case).state == State.FULFILLING


def test_own_proposal_cannot_be_approved_and_says_so(office, case):
    office.handler.memberships.update(extra=["approve"])
    client = signed_in(type(office.handler).objects.get(pk=office.handler.pk))

    shown = client.get(page(case))
    answer = press(client, case, "approve")

    assert shown.context["is_own"] is True
    assert (answer.status_code, again(case).state) == (422, State.APPROVAL)
    assert "second pair of eyes" in answer.content.decode()


def test_return_needs_a_reason_and_goes_back_with_it(office, case):
    client = signed_in(office.dpo)

    empty = press(client, case, "return", reason="")
    answer = press(client, case, "return", reason="The letter has the wrong name.")

    assert (empty.status_code, answer.status_code) == (422, 303)
    assert again(case).state == State.REVIEW
    assert case.decisions.get().return_reason == "The letter has the wrong name."


def test_stale_return_keeps_what_was_typed(office, case):
    answer = signed_in(office.dpo).post(
        reverse("dpo:return", args=[case.pk]), {"version": case.version - 1, "reason": "Wrong name."}
    )

    assert (answer.status_code, again(case).state) == (422, State.APPROVAL)
    assert answer.context["returning"]["reason"].value() == "Wrong name."


def test_handler_cannot_approve_by_posting(office, case):
    answer = press(signed_in(office.other), case, "approve")

    assert (answer.status_code, again(case).state) == (422, State.APPROVAL)


def test_letter_is_shown_as_a_pdf(office, case):
    answer = signed_in(office.dpo).get(reverse("dpo:letter", args=[case.pk]))

    assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")


def test_decided_proposal_says_so(office, case):
    decide.return_case(case, "Not like this.", by_staff(office.dpo), timezone.now())

    answer = signed_in(office.dpo).get(page(case))

    assert (answer.status_code, answer.context["decision"]) == (200, None)


def test_erasure_shows_what_will_be_acted_on(office):
    case = in_approval(office.brand, office.handler, Right.ERASURE)

    answer = signed_in(office.dpo).get(page(case))

    assert {one.item.decision for one in answer.context["outgoing"].shown} == {ItemDecision.ACT}
