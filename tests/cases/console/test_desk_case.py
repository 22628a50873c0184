"""The case page and the acts on it: what each role sees, what is done, and what is refused."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from cases.console.desk_acts import ACTS
from cases.models import Case, LetterState, SearchState, TaskState
from cases.permissions import by_customer, by_staff
from cases.words import AnswerBy, Outcome, Right, State
from cases.workflow import decide, questions
from cases.workflow.intake import Person
from dsar.audit.models import AuditEvent
from identity import sessions
from tests.cases.desk_cases import (
    Office,
    allow_all,
    broken_source,
    in_approval,
    in_review,
    make_office,
)
from tests.cases.staff_client import signed_in
from tests.factories.cases import one_case, run_jobs
from tests.worlds import part

pytestmark = pytest.mark.usefixtures("world")

BY_POST = Person(name="Grace Post", email="ada@example.com", postal_address="2 High Street\nYork")


@dataclass(frozen=True)
class World:
    """A brand, and a case of the handler's that is in review there."""

    office: Office
    case: Case


def build_world(_patch: pytest.MonkeyPatch, _request: pytest.FixtureRequest) -> World:
    office = make_office()
    return World(office, in_review(office.brand, office.handler))


office, case = part("office"), part("case")


def page(case: Case) -> str:
    return reverse("console:case", args=[case.pk])


def do(client: Any, case: Case, name: str, target: Any = None, **data: Any) -> Any:
    """Press the button of an act, with the version that the page had."""
    args = [case.pk, name] if target is None else [case.pk, name, target.pk]
    route = "console:act" if target is None else "console:act-on"
    return client.post(reverse(route, args=args), {"version": case.version, **data})


def again(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def closed(office: Office, **fields: Any) -> Case:
    """A case that was answered."""
    allow_all(office.brand)
    case = in_approval(office.brand, office.handler, **fields)
    decide.approve(case, by_staff(office.dpo), timezone.now())
    run_jobs()
    return again(case)


def test_case_of_another_brand_is_not_found(office):
    stranger = in_review((other := make_office()).brand, other.handler)
    client = signed_in(office.handler)

    for route in ("case", "sources", "review", "submit", "close", "add-item"):
        assert client.get(reverse(f"console:{route}", args=[stranger.pk])).status_code == 404
    assert do(client, stranger, "note", text="Leaks?").status_code == 404
    assert stranger.notes.filter(about="").count() == 0


def test_next_action_begins_with_the_state(office, case):
    waiting, reviewed = one_case(office.brand), case
    client = signed_in(office.handler)

    assert client.get(page(waiting)).context["next"].title == "The customer has to prove who they are"
    assert client.get(page(reviewed)).context["next"].title == "Review what was found"


def test_agent_sees_neither_items_nor_offers(office, case):
    answer = signed_in(office.agent).get(page(case))

    assert (answer.status_code, list(answer.context["groups"]), answer.context["next"].offers) == (
        200,
        [],
        (),
    )
    assert "collection.search_ended" in {event.action for event in answer.context["history"]}
    assert "review.items_decided" not in {event.action for event in answer.context["history"]}


def test_why_this_date_names_the_articles(office, case):
    why = signed_in(office.handler).get(page(case)).context["why"]

    assert why.deadline.due_on == case.due_on
    assert all(article for _sentence, article in why.reasons)
    assert [bar.kind for bar in why.bars] == ["running"]


def test_history_tells_who_did_what(office, case):
    told = signed_in(office.handler).get(page(case)).context["history"]

    assert (told[0].title, told[0].text, told[0].actor) == ("Assigned", "Hannah Handler", "Hannah Handler")


def test_note_is_kept(office):
    case = one_case(office.brand)

    answer = do(signed_in(office.agent), case, "note", text="Prefers mornings.")

    assert (answer.status_code, answer.url) == (303, page(case))
    assert [note.text for note in case.notes.all()] == ["Prefers mornings."]


def test_refused_act_keeps_what_was_typed_and_is_on_record(office, case):
    answer = do(signed_in(office.agent), case, "clarify", question="Which year?")

    assert answer.status_code == 422
    assert answer.context["form"]["question"].value() == "Which year?"
    assert again(case).state == State.REVIEW
    refusal = AuditEvent.objects.filter(case_id=case.pk, action="case.act_refused").last()
    assert (refusal.data["act"], refusal.data["code"]) == ("ask_clarification", "not_allowed")


def test_act_that_is_not_offered_is_not_found(office, case):
    assert signed_in(office.agent).get(reverse("console:act", args=[case.pk, "clarify"])).status_code == 404
    assert signed_in(office.handler).get(reverse("console:act", args=[case.pk, "fly"])).status_code == 404


def test_stale_page_is_refused_with_a_sentence(office, case):
    stale = case.version - 1

    answer = signed_in(office.handler).post(
        reverse("console:act", args=[case.pk, "withdraw"]), {"version": stale, "reason": "Called."}
    )

    assert answer.status_code == 422
    assert "Somebody else changed this case" in answer.content.decode()
    assert again(case).state == State.REVIEW


OF_THE_SECOND = {"approve-changed", "return-changed"}


@pytest.mark.parametrize("name", [name for name, act in ACTS.items() if act.find is None])
def test_every_act_shows_its_form(office, case, name):
    person = office.dpo if name.endswith("hold") or name in OF_THE_SECOND else office.handler

    answer = signed_in(person).get(reverse("console:act", args=[case.pk, name]))

    assert answer.status_code == 200


@pytest.mark.parametrize("name", [name for name, act in ACTS.items() if act.find is not None])
def test_act_on_nothing_is_not_found(office, case, name):
    assert (
        signed_in(office.handler).get(reverse("console:act-on", args=[case.pk, name, uuid4()])).status_code
        == 404
    )


def test_evidence_moves_the_case_on(office):
    case = one_case(office.brand)

    answer = do(
        signed_in(office.handler),
        case,
        "record-identity",
        code="call_back",
        level="1",
        remark="Called the number.",
    )

    assert answer.status_code == 303
    assert (again(case).state, again(case).identity_level) == (State.SEARCHING, 1)


def test_question_and_answer(office, case):
    client = signed_in(office.handler)

    do(client, case, "clarify", question="Which account?", large_quantity="on")
    asked = again(case)
    do(client, asked, "clarified", text="All of them.", at=timezone.localtime().strftime("%Y-%m-%dT%H:%M"))

    assert asked.state == State.AWAITING_CLARIFICATION
    assert again(case).state == State.REVIEW


def test_assignment_to_a_colleague(office, case):
    do(signed_in(office.handler), case, "assign", owner=str(office.other.pk))

    assert again(case).owner == office.other


def test_assignment_to_a_stranger_is_refused(office, case):
    stranger = make_office().handler

    answer = do(signed_in(office.handler), case, "assign", owner=str(stranger.pk))

    assert (answer.status_code, again(case).owner) == (422, office.handler)


def test_failed_source_is_waived_by_a_second_person(office):
    broken_source(office.brand)
    case = in_review(office.brand, office.handler)
    failed = case.runs.get().searches.get(state=SearchState.FAILED)

    do(signed_in(office.handler), case, "propose-waiver", failed, reason="Shut down in 2019.")
    refused = do(signed_in(office.handler), again(case), "waive", failed)
    agreed = do(signed_in(office.dpo), again(case), "waive", failed)

    failed.refresh_from_db()
    assert (refused.status_code, agreed.status_code, failed.state) == (422, 303, SearchState.WAIVED)
    assert again(case).state == State.REVIEW


def test_source_of_another_case_is_not_found(office):
    broken_source(office.brand)
    mine, theirs = in_review(office.brand, office.handler), in_review(office.brand, office.handler)
    held = theirs.runs.get().searches.get(state=SearchState.HELD)

    assert do(signed_in(office.handler), mine, "rerun", held).status_code == 404


def test_sources_ask_to_reload_when_the_search_is_over(office, case):
    answer = signed_in(office.handler).get(reverse("console:sources", args=[case.pk]))

    assert answer["HX-Refresh"] == "true"


def test_sources_are_polled_while_they_run(office):
    case = one_case(office.brand)
    do(signed_in(office.handler), case, "record-identity", code="call_back", level="1", remark="Called.")

    answer = signed_in(office.handler).get(reverse("console:sources", args=[case.pk]))

    assert "HX-Refresh" not in answer
    assert 'hx-trigger="every 2s"' in answer.content.decode()


def test_posted_answer_closes_the_case(office):
    case = closed(office, person=BY_POST, answer_by=AnswerBy.POST)
    letter = case.letters.get(kind="answer")
    before = case.state

    answer = do(signed_in(office.handler), case, "posted", letter, tracking="RB123456789GB")

    letter.refresh_from_db()
    assert (before, answer.status_code) == (State.FULFILLING, 303)
    assert (letter.state, letter.tracking, again(case).state) == (
        LetterState.SENT,
        "RB123456789GB",
        State.CLOSED,
    )


def test_letters_are_not_for_agents_to_mark(office):
    case = closed(office, person=BY_POST, answer_by=AnswerBy.POST)
    letter = case.letters.get(kind="answer")

    answer = do(signed_in(office.agent), case, "posted", letter, tracking="X")

    letter.refresh_from_db()
    assert (answer.status_code, letter.state) == (422, LetterState.TO_PRINT)


def test_bounced_answer_reopens_the_case(office):
    case = closed(office)

    do(signed_in(office.handler), case, "bounced", case.letters.get(kind="answer"))

    assert again(case).state == State.REVIEW


def test_failed_mail_is_sent_again_or_printed(office):
    case = one_case(office.brand, person=BY_POST)
    letter = case.subject_request.letters.get(kind="acknowledgement")
    type(letter).objects.filter(pk=letter.pk).update(state=LetterState.FAILED, error_code="mail_refused")
    client = signed_in(office.handler)

    do(client, case, "send-again", letter)
    letter.refresh_from_db()
    queued = letter.state
    type(letter).objects.filter(pk=letter.pk).update(state=LetterState.FAILED)
    do(client, case, "print-instead", letter)
    letter.refresh_from_db()

    assert queued == LetterState.QUEUED
    assert (letter.state, letter.by_post, letter.address) == (
        LetterState.TO_PRINT,
        True,
        "Grace Post\n2 High Street\nYork",
    )


def test_message_of_the_customer_is_marked_as_read(office):
    case = one_case(office.brand)
    letter = questions.take_message(
        case.subject_request, "Any news?", by_customer(case.subject_request_id), timezone.now()
    )

    do(signed_in(office.handler), case, "read", letter)

    letter.refresh_from_db()
    assert letter.read_at is not None


def test_letter_is_printed_as_a_pdf_and_put_on_record(office):
    case = one_case(office.brand)
    letter = case.subject_request.letters.get(kind="acknowledgement")

    answer = signed_in(office.handler).get(reverse("console:letter", args=[case.pk, letter.pk]))

    assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")
    assert AuditEvent.objects.get(action="case.file_opened").data == {"letter": str(letter.pk)}


def test_letter_of_another_request_is_not_found(office):
    mine, theirs = one_case(office.brand), one_case(office.brand)
    letter = theirs.subject_request.letters.get(kind="acknowledgement")

    answer = signed_in(office.handler).get(reverse("console:letter", args=[mine.pk, letter.pk]))

    assert answer.status_code == 404


def test_pack_is_downloaded_by_those_who_may_see_the_content(office):
    case = closed(office)
    entry = next(one for one in case.packs.get().files.select_related("file") if one.file.name == "data.json")
    address = reverse("console:pack-file", args=[case.pk, entry.pk])

    answer = signed_in(office.handler).get(address)

    assert b"Ada Example" in b"".join(answer.streaming_content)
    assert AuditEvent.objects.get(action="case.file_opened").data == {"file": str(entry.file_id)}
    assert signed_in(office.agent).get(address).status_code == 404


def test_pack_leaves_after_a_fresh_second_factor_alone(office):
    case = closed(office)
    entry = case.packs.get().files.select_related("file").first()
    client = signed_in(office.handler)
    session = client.session
    session[sessions.FACTOR_AT] = int(time.time()) - settings.STEP_UP_SECONDS - 1
    session.save()

    answer = client.get(reverse("console:pack-file", args=[case.pk, entry.pk]))

    assert "identity/step_up.html" in [template.name for template in answer.templates]
    assert AuditEvent.objects.filter(action="case.file_opened").count() == 0


def test_misdirected_answer_is_recalled(office):
    case = closed(office)
    delivery = case.packs.get().deliveries.get()

    do(signed_in(office.handler), case, "revoke", delivery, reason="Wrong address.", is_misdirected="on")

    delivery.refresh_from_db()
    assert delivery.revoked_at is not None
    assert AuditEvent.objects.filter(case_id=case.pk, action="pack.misdirected").count() == 1


def test_tasks_are_recorded_with_their_evidence():
    office = (
        make_office()
    )  # At a brand where the person has asked for nothing else: a copy goes before an erasure.
    allow_all(office.brand)
    case = in_approval(office.brand, office.handler, Right.ERASURE)
    decide.approve(case, by_staff(office.dpo), timezone.now())
    task = case.tasks.get()

    empty = do(signed_in(office.handler), again(case), "task", task, result="done", evidence="")
    answer = do(
        signed_in(office.handler), again(case), "task", task, result="done", evidence="Deleted, looked again."
    )

    task.refresh_from_db()
    assert (empty.status_code, answer.status_code) == (422, 303)
    assert (task.state, task.evidence) == (TaskState.DONE, "Deleted, looked again.")


def test_closed_case_is_reopened_with_a_reason(office):
    case = closed(office)

    do(signed_in(office.handler), case, "reopen", where="search", reason="A mailbox was forgotten.")

    assert again(case).state == State.SEARCHING


def test_closing_is_drafted_then_proposed(office):
    case = one_case(office.brand)
    client, address = signed_in(office.handler), reverse("console:close", args=[case.pk])
    typed = {"version": case.version, "outcome": "not_a_request", "reasons": "A question about the tariff."}

    drafted = client.post(address, {**typed, "draft": "1"})
    letter = {name: drafted.context["form"].initial[name] for name in ("title", "body")}
    answer = client.post(address, {**typed, **letter})

    assert drafted.status_code == 200
    assert (answer.status_code, again(case).state) == (303, State.APPROVAL)
    assert again(case).proposed_outcome == Outcome.NOT_A_REQUEST
    assert again(case).decisions.get().letter_body == letter["body"]


def test_refusal_without_its_ground_comes_back_as_typed(office, case):
    answer = signed_in(office.handler).post(
        reverse("console:close", args=[case.pk]),
        {
            "version": case.version,
            "outcome": "refused",
            "reasons": "No.",
            "title": "Your request",
            "body": "No.",
        },
    )

    assert answer.status_code == 422
    assert answer.context["form"]["body"].value() == "No."
    assert again(case).state == State.REVIEW


def test_closing_by_an_agent_is_refused(office):
    case = one_case(office.brand)
    address = reverse("console:close", args=[case.pk])
    sent = {"outcome": "duplicate", "reasons": "Again.", "title": "T", "body": "B", "version": case.version}

    assert signed_in(office.agent).get(address).status_code == 404
    assert signed_in(office.agent).post(address, sent).status_code == 404
    assert signed_in(office.dpo).post(address, sent).status_code == 422
    assert again(case).state == State.AWAITING_IDENTITY


def test_letter_is_previewed_without_being_kept(office, case):
    answer = signed_in(office.handler).post(
        reverse("console:submit", args=[case.pk]), {"title": "Hello", "body": "Words.", "preview": "1"}
    )

    assert (answer["Content-Type"], case.decisions.count()) == ("application/pdf", 0)


def test_submission_waits_for_undecided_items(office, case):
    answer = signed_in(office.handler).post(
        reverse("console:submit", args=[case.pk]),
        {"title": "Hello", "body": "Words.", "version": case.version},
    )

    assert answer.status_code == 422
    assert (answer.context["form"]["body"].value(), again(case).state) == ("Words.", State.REVIEW)


def test_late_answer_voids_the_proposal(office):
    case = in_approval(office.brand, office.handler)

    do(signed_in(office.handler), case, "late-answer")

    assert again(case).state == State.SEARCHING
    assert case.decisions.get().verdict == "void"


def test_answer_is_read_by_those_who_may_see_the_content(office):
    case = closed(office)
    letter = case.letters.get(kind="answer")
    path = reverse("console:letter", args=[case.pk, letter.pk])

    assert signed_in(office.handler).get(path).status_code == 200
    assert signed_in(office.agent).get(path).status_code == 404
    assert letter.body[:40] not in signed_in(office.agent).get(reverse("console:case", args=[case.pk])).text
