"""More time from page to page: proposed at the desk, decided by somebody else, seen by the customer."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.models import Case, Extension, ExtensionState, Lateness, LegalHold
from cases.permissions import by_staff
from cases.portal import story
from cases.words import Channel, Outcome, Right, State
from cases.workflow import decide, extension, hold, people
from identity.models import Controller
from tests.cases.desk_cases import allow_all, in_approval, in_review, make_office, office
from tests.cases.staff_client import signed_in
from tests.factories.cases import one_case, run_jobs

__all__ = ["office"]

pytestmark = pytest.mark.django_db

WHY = "Four archives have to be read by hand."
CHOSEN = {"reason": "complexity", "explanation": WHY}
APPROVALS = "/dpo/approvals/"


def page(case: Case) -> str:
    return reverse("console:extend", args=[case.pk])


def of(made: Extension, name: str = "extension") -> str:
    return reverse(f"dpo:{name}", args=[made.case_id, made.pk])


def drafted(client: Any, case: Case) -> dict[str, Any]:
    """What the form holds once the letter was drafted."""
    shown = client.post(page(case), {**CHOSEN, "version": case.version, "draft": "1"}).context["form"]
    return {**CHOSEN, "title": shown["title"].value(), "body": shown["body"].value()}


def propose(office: Any, case: Case) -> Extension:
    client = signed_in(office.handler)
    answer = client.post(page(case), {**drafted(client, case), "version": case.version})
    assert answer.status_code == 303
    return Extension.objects.get(case=case, state=ExtensionState.PROPOSED)


def again(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def test_extension_goes_from_desk_to_customer(office):
    allow_all(office.brand)
    case = in_review(office.brand, office.handler)

    made = propose(office, case)
    dpo = signed_in(office.dpo)
    listed = [one.made for one in dpo.get(APPROVALS).context["extensions"]]
    shown = dpo.get(of(made))
    answer = dpo.post(of(made, "approve-extension"), {"version": shown.context["case"].version})
    run_jobs()

    told = story.tell(story.cases_of(case.subject_request), timezone.now())[0]
    assert (listed, shown.context["hindrance"], answer.status_code) == ([made], "", 303)
    assert (told.more_time.until, told.more_time.explanation) == (made.due_after, WHY)
    assert told.due.on == made.due_after == again(case).due_on
    assert made.letter_subject in shown.content.decode()


def test_draft_speaks_of_dates_and_reason(office):
    case = in_review(office.brand, office.handler)

    shown = signed_in(office.handler).get(page(case))
    letter = drafted(signed_in(office.handler), case)

    assert shown.context["plan"].before == case.due_on
    assert WHY in letter["body"]
    assert case.reference in letter["title"]


def test_page_says_when_it_is_too_late(office):
    case = one_case(office.brand, received_at=timezone.now() - timedelta(days=70))
    Case.objects.filter(pk=case.pk).update(clock_state="running")

    shown = signed_in(office.handler).get(page(case))

    assert "It is too late for an extension" in shown.context["hindrance"]
    assert "propose" not in shown.content.decode().lower().split("<main")[1].split("</main")[0]


def test_refused_form_keeps_what_was_typed(office):
    case = in_review(office.brand, office.handler)

    answer = signed_in(office.handler).post(
        page(case), {**CHOSEN, "title": "More time", "body": "Soon.", "version": case.version - 1}
    )

    assert (answer.status_code, Extension.objects.count()) == (422, 0)
    assert answer.context["form"]["body"].value() == "Soon."


@pytest.mark.parametrize("person", ["agent", "dpo", "reviewer", "auditor", "administrator"])
def test_only_who_works_cases_proposes(office, person):
    case = in_review(office.brand, office.handler)
    client = signed_in(getattr(office, person))

    client.post(page(case), {**CHOSEN, "title": "T", "body": "B", "version": case.version})

    assert client.get(page(case)).status_code == 404
    assert Extension.objects.count() == 0


def test_extension_of_another_brand_is_not_found(office):
    stranger = make_office()
    case = in_review(stranger.brand, stranger.handler)
    made = propose(stranger, case)

    assert signed_in(office.handler).get(page(case)).status_code == 404
    for client in (signed_in(office.dpo), signed_in(office.reviewer)):
        assert client.get(of(made)).status_code == 404
        assert client.get(of(made, "extension-letter")).status_code == 404
        assert client.post(of(made, "approve-extension"), {"version": again(case).version}).status_code == 404
        assert list(client.get(APPROVALS).context["extensions"]) == []
    assert Extension.objects.get().state == ExtensionState.PROPOSED


def test_own_proposal_cannot_be_approved_by_posting(office):
    allow_all(office.brand)
    made = propose(office, in_review(office.brand, office.handler))
    office.handler.memberships.update(extra=["approve"])
    client = signed_in(type(office.handler).objects.get(pk=office.handler.pk))

    answer = client.post(of(made, "approve-extension"), {"version": again(made.case).version})

    assert (answer.status_code, Extension.objects.get().state) == (422, ExtensionState.PROPOSED)
    assert "second pair of eyes" in answer.content.decode()


def test_return_keeps_its_reason(office):
    made = propose(office, in_review(office.brand, office.handler))
    dpo = signed_in(office.dpo)

    empty = dpo.post(of(made, "return-extension"), {"version": again(made.case).version, "reason": ""})
    answer = dpo.post(
        of(made, "return-extension"), {"version": again(made.case).version, "reason": "Which archives?"}
    )

    found = Extension.objects.select_related("case").get()
    assert (empty.status_code, answer.status_code) == (422, 303)
    assert (found.state, found.return_reason) == (ExtensionState.RETURNED, "Which archives?")


def test_list_of_extensions_costs_the_same_whatever_its_length(office):
    propose(office, in_review(office.brand, office.handler))
    client = signed_in(office.dpo)
    client.get(APPROVALS)
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(APPROVALS)
    for _number in range(2):
        propose(office, in_review(office.brand, office.handler))

    with CaptureQueriesContext(connection) as three:
        shown = client.get(APPROVALS)

    assert (len(shown.context["extensions"]), len(three)) == (3, len(one))


def test_agent_does_not_read_the_explanation(office):
    case = in_review(office.brand, office.handler)
    propose(office, case)

    shown = signed_in(office.agent).get(reverse("console:case", args=[case.pk]))

    assert WHY not in shown.content.decode()


# -- lateness, holds, complaints on pages ---------------------------------------------------------------------


def late(case: Case) -> Case:
    """The case as if it had come in long ago."""
    long_ago = timezone.now() - timedelta(days=80)
    for event in case.clock_events.all():
        type(event).objects.filter(pk=event.pk).update(at=long_ago)
    people.recompute(case, by_staff(case.owner), timezone.now())
    return again(case)


def test_late_answer_asks_why_and_the_dpo_sees_it(office):
    case = late(in_review(office.brand, office.handler))
    decided = case.items.update(decision="disclose")
    client = signed_in(office.handler)
    submit = reverse("console:submit", args=[case.pk])
    letter = {"title": "Your data", "body": "Here it is.", "version": case.version}

    asked = client.get(submit).context["form"]
    refused = client.post(submit, letter)
    answer = client.post(submit, {**letter, "late_code": "staff_shortage", "late_remark": "Two were ill."})

    shown = signed_in(office.dpo).get(reverse("dpo:decision", args=[case.pk])).content.decode()
    counted = signed_in(office.dpo).get("/dpo/oversight/").context["late_reasons"]
    assert (bool(decided), asked.late_on, refused.status_code, answer.status_code) == (
        True,
        case.due_on,
        422,
        303,
    )
    assert "Two were ill." in shown
    assert counted == [("Too few staff", 1)]


def test_approver_is_asked_why_it_became_late(office):
    allow_all(office.brand)
    case = late(in_approval(office.brand, office.handler))
    client = signed_in(office.dpo)
    approve = reverse("dpo:approve", args=[case.pk])

    refused = client.post(approve, {"version": case.version})
    answer = client.post(approve, {"version": case.version, "late_code": "volume"})

    assert (refused.status_code, answer.status_code) == (422, 303)
    assert (Lateness.objects.get().given_by, again(case).state) == (office.dpo, State.FULFILLING)


def test_hold_is_set_and_shown_and_lifted(office):
    case = in_review(office.brand, office.handler, Right.ERASURE)
    client = signed_in(office.dpo)

    client.post(
        reverse("console:act", args=[case.pk, "hold"]), {"reason": "A claim.", "version": case.version}
    )
    shown = signed_in(office.handler).get(reverse("console:case", args=[case.pk])).content.decode()
    agents = signed_in(office.agent).get(reverse("console:case", args=[case.pk])).content.decode()
    client.post(
        reverse("console:act", args=[case.pk, "lift-hold"]),
        {"reason": "Settled.", "version": again(case).version},
    )

    assert ("A claim." in shown, "A claim." in agents) == (True, False)
    assert LegalHold.objects.get().lifted_by == office.dpo


def test_handler_sets_no_hold_by_posting(office):
    case = in_review(office.brand, office.handler)

    answer = signed_in(office.handler).post(
        reverse("console:act", args=[case.pk, "hold"]), {"reason": "Mine.", "version": case.version}
    )

    assert (answer.status_code, LegalHold.objects.count()) == (422, 0)


def test_complaint_and_case_show_each_other(office):
    case = in_review(office.brand, office.handler)
    now = timezone.now()
    people.complain(case, "Too slow.", Channel.CALL, now, by_staff(office.agent), now)
    complaint = case.linked_from.get()
    client = signed_in(office.other)

    about = client.get(reverse("console:case", args=[case.pk])).content.decode()
    back = client.get(reverse("console:case", args=[complaint.pk])).content.decode()

    assert (complaint.reference in about, case.reference in back) == (True, True)


def test_complaint_is_answered_from_its_page(office):
    case = in_review(office.brand, office.handler)
    now = timezone.now()
    people.complain(case, "Too slow.", Channel.CALL, now, by_staff(office.agent), now)
    complaint = case.linked_from.get()
    client = signed_in(office.other)
    submit = reverse("console:submit", args=[complaint.pk])
    chosen = {"complaint_outcome": "upheld", "reasons": "We lost the letter.", "version": complaint.version}

    draft = client.post(submit, {**chosen, "draft": "1"}).context["form"]
    letter = {"title": draft["title"].value(), "body": draft["body"].value()}
    answer = client.post(submit, {**chosen, **letter})
    told = story.tell(story.cases_of(case.subject_request), timezone.now())

    assert "You are right." in letter["body"]
    assert (answer.status_code, complaint.decisions.get().outcome) == (303, Outcome.UPHELD)
    assert [str(one.stage.title) for one in told if one.is_complaint] == [
        "We are looking into your complaint"
    ]


def test_reasoned_letter_is_shown_and_comes_first_in_the_queue(office):
    """GDPR Art 12(4): due within a month of receipt, though the clock of the answer has not begun."""
    Controller.objects.filter(pk=office.brand.pk).update(regime="EU-DE", time_zone="Europe/Berlin")
    brand = Controller.objects.get(pk=office.brand.pk)
    answered = in_review(brand, office.handler, received_at=timezone.now() - timedelta(days=5))
    waiting = one_case(brand, received_at=timezone.now() - timedelta(days=12))
    Case.objects.filter(pk=waiting.pk).update(due_on=waiting.due_on + timedelta(days=60))
    client = signed_in(office.handler)

    queue = [row.case.reference for row in client.get("/queue/").context["page"].rows]
    shown = client.get(reverse("console:case", args=[waiting.pk])).context["notices"]

    assert queue == [waiting.reference, answered.reference]
    assert [one.title for one in shown if "letter with reasons" in one.title] != []


def test_notice_that_did_not_arrive_is_said(office):
    allow_all(office.brand)
    case = in_review(office.brand, office.handler)
    made = extension.approve(propose(office, case), by_staff(office.dpo), timezone.now())
    assert made.letter is not None
    type(made.letter).objects.filter(pk=made.letter.pk).update(state="failed")

    shown = signed_in(office.handler).get(reverse("console:case", args=[case.pk])).context["notices"]

    assert [one.title for one in shown] == ["The letter about more time did not arrive"]


def test_hold_stands_above_an_approval(office):
    case = in_approval(office.brand, office.handler, Right.ERASURE)
    hold.set_hold(case, "A claim.", by_staff(office.dpo), timezone.now())

    shown = signed_in(office.dpo).get(reverse("dpo:decision", args=[case.pk]))

    assert (shown.context["is_held"], decide.open_decision(case) is not None) == (True, True)
