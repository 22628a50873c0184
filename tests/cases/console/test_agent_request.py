"""What an agent does when the customer calls again."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.models import Case, Letter, Note, SubjectRequest
from cases.permissions import by_staff
from cases.words import AnswerBy, Channel, Outcome, Right, State
from cases.workflow import people
from cases.workflow.intake import Person
from dsar.audit.models import AuditEvent
from identity.models import Controller, VerificationState
from identity.roles import Role
from tests.cases.staff_client import signed_in
from tests.factories.cases import SourceFactory, in_state, log, run_jobs
from tests.factories.identity import ControllerFactory, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def brand(serve: Any) -> Controller:
    return ControllerFactory.create(name="Meridian")


@pytest.fixture
def person(brand: Controller) -> Any:
    return staff(Role.AGENT, brand, full_name="Agnes Agent")


@pytest.fixture
def agent(person: Any) -> Any:
    return signed_in(person)


@pytest.fixture
def logged(brand: Controller, person: Any) -> SubjectRequest:
    return log(brand, by=by_staff(person))


def at(name: str, request: SubjectRequest, *more: Any) -> str:
    return reverse(f"console:{name}", args=[request.pk, *more])


def one_case(request: SubjectRequest) -> Case:
    return request.cases.order_by("opened_at").first()


# -- reading out ---------------------------------------------------------------------------------------


def test_read_out_says_reference_and_date_with_its_condition(agent, brand, serve):
    said = datetime(2026, 11, 20, 10, tzinfo=UTC)
    logged = log(brand, received_at=said)

    page = agent.get(at("read-out", logged))

    assert page.context["spelled"].count(",") == len(logged.reference.replace("-", "")) - 1
    assert page.context["date_sentence"].startswith("Once you have shown that it is you")
    assert f"{one_case(logged).due_on:%Y}" in page.context["date_sentence"]


def test_read_out_without_identity_outstanding_sets_no_condition(agent):
    lenient = ControllerFactory.create(levels={"default": 0})
    agent = signed_in(staff(Role.AGENT, lenient))

    page = agent.get(at("read-out", log(lenient)))

    assert page.context["date_sentence"].startswith("You have our answer by ")


def test_read_out_is_noted_once(agent, logged):
    agent.post(at("read-out", logged))
    answer = agent.post(at("read-out", logged))

    logged.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (303, at("request", logged))
    assert logged.script_read is True
    assert AuditEvent.objects.filter(action="request.script_read").count() == 1


def test_acknowledgement_to_print_is_a_pdf(agent, brand):
    by_post = log(brand, answer_by=AnswerBy.POST, person=Person(name="Ada", postal_address="1 High Street"))

    answer = agent.get(at("acknowledgement", by_post))

    assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")
    assert AuditEvent.objects.filter(action="case.file_opened").count() == 1


def test_acknowledgement_by_mail_is_not_there_to_print(agent, logged):
    assert agent.get(at("acknowledgement", logged)).status_code == 404


# -- where it stands -----------------------------------------------------------------------------------


def test_request_page_says_where_it_stands(agent, logged):
    page = agent.get(at("request", logged))

    assert page.status_code == 200
    assert [one.says for one in page.context["standings"]] == [
        "We wait for the customer to show that it is them."
    ]
    assert "Ada Example" in page.content.decode()


@pytest.mark.parametrize("state", State.values)
def test_request_page_stands_in_every_state(agent, logged, state):
    in_state(one_case(logged), state)

    page = agent.get(at("request", logged))

    assert page.status_code == 200
    assert len(page.context["standings"][0].says) > 10


def test_request_page_never_tells_what_was_found(agent, brand):
    records = {
        "people": [{"id": 1, "email": "ada@example.com", "name": "Ada Example", "phone_number": "SECRET"}]
    }
    SourceFactory.create(controller=brand, options={"records": json.dumps(records)})
    logged = log(brand)
    case = one_case(logged)
    handler = staff(Role.HANDLER, brand)
    people.add_note(case, "Withheld the medical note.", by_staff(handler), timezone.now())
    run_jobs()

    text = agent.get(at("request", logged)).content.decode()

    assert "Withheld the medical note." not in text
    assert "SECRET" not in text
    assert "found" not in text.lower()


def test_request_of_another_brand_is_not_found(agent):
    stranger = log(ControllerFactory.create())
    case = one_case(stranger)

    answers = {
        agent.get(at("request", stranger)).status_code,
        agent.get(at("read-out", stranger)).status_code,
        agent.post(at("read-out", stranger)).status_code,
        agent.get(at("acknowledgement", stranger)).status_code,
        agent.post(at("request-note", stranger), {"text": "Hello"}).status_code,
        agent.post(at("request-resend", stranger)).status_code,
        agent.post(at("request-file", stranger)).status_code,
        agent.get(at("withdraw", stranger, case.pk)).status_code,
        agent.post(at("withdraw", stranger, case.pk), {"version": case.version}).status_code,
        agent.get(at("complain", stranger, case.pk)).status_code,
        agent.post(at("complain", stranger, case.pk), {"words": "Late"}).status_code,
        *(
            agent.get(at("correct", stranger, what)).status_code
            for what in ("date", "person", "right", "brand")
        ),
    }

    assert answers == {404}
    case.refresh_from_db()
    assert (case.state, Note.objects.count()) == (State.AWAITING_IDENTITY, 0)


def test_case_of_another_request_is_not_found_under_this_one(agent, brand, logged):
    other = one_case(log(brand, Right.ERASURE))

    assert agent.get(at("withdraw", logged, other.pk)).status_code == 404


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
def test_request_is_not_there_without_sight_of_cases(brand, logged, role):
    assert signed_in(staff(role, brand)).get(at("request", logged)).status_code == 404


# -- what can be done ----------------------------------------------------------------------------------


def test_note_is_kept_masked_and_shown(agent, logged):
    answer = agent.post(at("request-note", logged), {"text": "Called again. 4111 1111 1111 1111"})

    assert (answer.status_code, Note.objects.get().text) == (303, "Called again. **** **** **** 1111")
    assert "Called again." in agent.get(at("request", logged)).content.decode()


def test_empty_note_is_refused(agent, logged):
    page = agent.post(at("request-note", logged), {"text": "  "})

    assert (page.status_code, page.context["note_form"].errors) == (422, {"text": ["Write something first."]})
    assert Note.objects.count() == 0


def test_note_goes_to_the_case_that_was_chosen(agent, brand):
    both = log(brand, Right.ACCESS, Right.ERASURE)
    erasure = both.cases.get(right=Right.ERASURE)

    agent.post(at("request-note", both), {"text": "About the deletion", "case_id": str(erasure.pk)})

    assert Note.objects.get().case == erasure


def test_withdrawal_asks_then_closes_the_case(agent, logged):
    case = one_case(logged)
    question = agent.get(at("withdraw", logged, case.pk))

    answer = agent.post(at("withdraw", logged, case.pk), {"version": case.version, "reason": "Settled"})

    case.refresh_from_db()
    assert (question.status_code, answer.status_code) == (200, 303)
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.WITHDRAWN)


def test_withdrawal_from_an_old_page_is_refused_and_keeps_the_reason(agent, logged):
    case = one_case(logged)
    Case.objects.filter(pk=case.pk).update(version=case.version + 1)

    page = agent.post(at("withdraw", logged, case.pk), {"version": case.version, "reason": "Settled"})

    case.refresh_from_db()
    assert (page.status_code, case.state) == (422, State.AWAITING_IDENTITY)
    assert "Settled" in page.content.decode()


def test_complaint_becomes_a_linked_case_to_be_read_out(agent, logged):
    case = one_case(logged)
    fields = {"words": "It takes too long.", "how": Channel.CALL, "submission": str(uuid4())}

    answer = agent.post(at("complain", logged, case.pk), fields)
    agent.post(at("complain", logged, case.pk), fields)

    complaint = Case.objects.get(right=Right.COMPLAINT)
    assert (answer.status_code, answer["Location"]) == (303, at("read-out", complaint.subject_request))
    assert complaint.linked_to == case
    assert complaint.reference in agent.get(at("request", logged)).content.decode()


def test_complaint_without_words_is_refused(agent, logged):
    fields = {"words": "", "how": Channel.CHAT, "submission": str(uuid4())}

    page = agent.post(at("complain", logged, one_case(logged).pk), fields)

    assert (page.status_code, list(page.context["form"].errors)) == (422, ["words"])
    assert Case.objects.filter(right=Right.COMPLAINT).count() == 0


def test_link_is_sent_again_a_few_times_an_hour(agent, logged):
    for _press in range(6):
        agent.post(at("request-resend", logged))

    assert Letter.objects.filter(kind="acknowledgement").count() == 4


def test_file_is_added_and_a_program_refused(agent, logged):
    taken = agent.post(at("request-file", logged), {"file": SimpleUploadedFile("letter.txt", b"Dear all")})
    refused = agent.post(at("request-file", logged), {"file": SimpleUploadedFile("tool.exe", b"MZ\x90")})

    assert (taken.status_code, refused.status_code) == (303, 422)
    assert [one.file.name for one in logged.files.all()] == ["letter.txt"]
    assert list(refused.context["file_form"].errors) == ["file"]


def test_reviewer_sees_and_changes_nothing(brand, logged):
    reviewer = signed_in(staff(Role.REVIEWER, brand))
    case = one_case(logged)

    page = reviewer.get(at("request", logged))
    withdrawal = reviewer.post(at("withdraw", logged, case.pk), {"version": case.version})

    case.refresh_from_db()
    assert (page.status_code, withdrawal.status_code, case.state) == (200, 422, State.AWAITING_IDENTITY)


# -- correcting ----------------------------------------------------------------------------------------


def test_date_is_corrected_with_its_reason(agent, brand, person):
    said = timezone.now() - timedelta(days=10)
    logged = log(brand, by=by_staff(person))
    day = said.astimezone(brand.zone)

    answer = agent.post(
        at("correct", logged, "date"),
        {"said_on": f"{day:%Y-%m-%d}", "said_at_hour": f"{day:%H:%M}", "why": "It was in a letter."},
    )

    logged.refresh_from_db()
    assert answer.status_code == 303
    assert logged.received_at == said.replace(second=0, microsecond=0)
    assert Note.objects.get(about="correct_received").text == "It was in a letter."


def test_correction_without_a_reason_is_refused(agent, logged):
    before = logged.received_at

    page = agent.post(at("correct", logged, "date"), {"said_on": "2026-01-01"})

    logged.refresh_from_db()
    assert (page.status_code, list(page.context["form"].errors)) == (422, ["why"])
    assert logged.received_at == before


def test_person_is_corrected_and_has_to_show_who_they_are_anew(agent, logged):
    old = logged.verifications.get()
    fields = {"name": "Adah Example", "email": "adah@example.com", "why": "Misheard."}

    answer = agent.post(at("correct", logged, "person"), fields)

    logged.refresh_from_db()
    old.refresh_from_db()
    assert answer.status_code == 303
    assert (logged.subject.name, logged.subject.email) == ("Adah Example", "adah@example.com")
    assert old.state == VerificationState.FAILED
    assert logged.verifications.filter(state=VerificationState.OPEN).count() == 1
    assert logged.subject.identifiers.filter(kind="email").count() == 1


def test_correcting_a_person_leaves_their_other_requests_alone(agent, brand, person, logged):
    wrongly = log(brand, Right.ERASURE, by=by_staff(person), subject_id=logged.subject_id)

    agent.post(
        at("correct", wrongly, "person"), {"name": "Bob", "email": "bob@example.com", "why": "Wrong one."}
    )

    logged.refresh_from_db()
    wrongly.refresh_from_db()
    assert (logged.subject.email, wrongly.subject.email) == ("ada@example.com", "bob@example.com")
    assert one_case(wrongly).subject == wrongly.subject


def test_right_is_corrected(agent, logged):
    case = one_case(logged)

    agent.post(
        at("correct", logged, "right"),
        {"case_id": str(case.pk), "becomes": Right.ERASURE, "why": "Misheard."},
    )

    case.refresh_from_db()
    assert (case.right, case.state) == (Right.ERASURE, State.AWAITING_IDENTITY)


def test_brand_is_corrected_by_logging_anew(brand):
    other = ControllerFactory.create()
    agent = staff(Role.AGENT, brand, other)
    logged = log(brand, by=by_staff(agent), words="Everything, please.")

    answer = signed_in(agent).post(
        at("correct", logged, "brand"), {"brand": str(other.pk), "why": "Wrong button."}
    )

    again = SubjectRequest.objects.get(controller=other)
    assert (answer.status_code, answer["Location"]) == (303, at("request", again))
    assert (again.words, again.received_at) == ("Everything, please.", logged.received_at)
    assert one_case(logged).outcome == Outcome.LOGGED_IN_ERROR


def test_brand_of_strangers_is_no_choice(agent, logged):
    stranger = ControllerFactory.create()

    page = agent.post(at("correct", logged, "brand"), {"brand": str(stranger.pk), "why": "Wrong button."})

    assert (page.status_code, list(page.context["form"].errors)) == (422, ["brand"])
    assert SubjectRequest.objects.filter(controller=stranger).count() == 0


def test_agent_cannot_correct_once_work_has_begun(agent, logged):
    case = in_state(one_case(logged), State.REVIEW)
    fields = {"name": "Eve", "email": "eve@example.com", "why": "They asked."}

    page = agent.post(at("correct", logged, "person"), fields)

    case.refresh_from_db()
    assert page.status_code == 422
    assert case.subject.email == "ada@example.com"


def test_unknown_correction_is_not_found(agent, logged):
    assert agent.get(at("correct", logged, "everything")).status_code == 404


# -- finding -------------------------------------------------------------------------------------------

FIND = "/requests/"


def test_reference_in_lower_case_with_spaces_finds_the_request(agent, logged):
    answer = agent.get(FIND, {"q": logged.reference.lower().replace("-", "  ")})

    assert (answer.status_code, answer["Location"]) == (303, at("request", logged))


def test_reference_with_a_wrong_letter_says_so(agent, logged):
    first = "3" if logged.reference[0] != "3" else "4"

    page = agent.get(FIND, {"q": first + logged.reference[1:]})

    assert page.status_code == 404
    assert len(page.context["trouble"]) > 20


def test_reference_of_another_brand_is_not_found(agent):
    stranger = log(ControllerFactory.create())

    page = agent.get(FIND, {"q": stranger.reference})

    assert page.status_code == 404
    assert page.context["trouble"].startswith("No request of your brands has this reference.")


def test_person_is_found_in_own_brands_only(agent, logged):
    log(ControllerFactory.create())

    page = agent.post(FIND, {"email": "ADA@example.com"})

    assert [row.subject_request for row in page.context["rows"]] == [logged]


def test_search_for_nobody_says_what_to_give(agent):
    page = agent.post(FIND, {})

    assert (page.status_code, list(page.context["form"].errors)) == (422, ["name"])


def test_list_of_requests_takes_the_same_queries_however_long(agent, brand, person):
    log(brand, by=by_staff(person))
    with CaptureQueriesContext(connection) as few:
        agent.get(FIND)
    for number in range(5):
        log(brand, by=by_staff(person), person=Person(name=f"Ada {number}", email=f"ada{number}@example.com"))

    with CaptureQueriesContext(connection) as many:
        page = agent.get(FIND)

    assert len(page.context["rows"]) == 6
    assert len(many) == len(few)


# -- the shell -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "name"),
    [
        (Role.AGENT, "console:log"),
        (Role.HANDLER, "console:queue"),
        (Role.DPO, "dpo:approvals"),
        (Role.REVIEWER, "dpo:approvals"),
        (Role.AUDITOR, "dpo:trail"),
        (Role.ADMINISTRATOR, "identity:people"),
    ],
)
def test_start_page_leads_to_where_work_begins(brand, role, name):
    answer = signed_in(staff(role, brand)).get("/")

    assert answer["Location"] == reverse(name)


def test_navigation_of_an_agent(agent):
    page = agent.get(FIND)

    assert [(item.label, item.current) for item in page.context["nav"]] == [
        ("Log a request", False),
        ("Find a request", True),
    ]
    assert str(page.context["brand_context"]) == "Meridian"


def test_navigation_of_a_handler_counts_their_cases(brand, logged):
    handler = staff(Role.HANDLER, brand)
    people.assign(one_case(logged), handler, by_staff(handler), timezone.now())

    page = signed_in(handler).get(FIND)

    assert {item.label: item.count for item in page.context["nav"]}["Queue"] == 1


# -- the outbox ----------------------------------------------------------------------------------------


def test_outbox_shows_mails_with_links(client, settings, logged):
    settings.OUTBOX = True
    settings.PUBLIC_PATHS = (*settings.PUBLIC_PATHS, "/outbox/")
    run_jobs()

    page = client.get("/outbox/")

    assert page.status_code == 200
    assert [mail.to for mail in page.context["mails"]] == ["ada@example.com"]
    assert '<a href="http' in page.content.decode()


def test_outbox_is_not_there_on_a_real_desk(agent, settings):
    settings.OUTBOX = False

    assert agent.get("/outbox/").status_code == 404
