"""One's own request: what it tells, what it does not, and what one can do there."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.deadlines import steps
from cases.deadlines.steps import StepCode
from cases.models import Case, Letter, LetterFile, LetterState, Note
from cases.permissions import by_staff
from cases.portal import story
from cases.words import Outcome, Right, State
from cases.workflow import identity, people, questions
from cases.workflow.intake import Person, Representation
from dsar.vault import files
from identity.models import Level
from identity.roles import Role
from tests.cases.portal.conftest import ADA, Visitor, answer_it, go_inside
from tests.factories.cases import log, run_jobs
from tests.factories.identity import staff
from tests.worlds import part

pytestmark = pytest.mark.usefixtures("world")


def build_world(patch, _request):
    return go_inside(patch)


brand, asked = part("brand"), part("asked")


@pytest.fixture
def inside(world):
    """A visitor who is in."""
    return Visitor(world.brand, world.cookies)


def page_of(visitor):
    return visitor.see("mine").content.decode()


def test_every_state_and_outcome_has_plain_words():
    open_states = {state for state in State if state != State.CLOSED}

    assert set(story._STAGES) == open_states
    steps = {outcome: story.stage_of(Case(state=State.CLOSED, outcome=outcome)).step for outcome in Outcome}
    # Whoever did not show who they are can still do so, and is shown that step.
    assert steps.pop(Outcome.IDENTITY_NOT_VERIFIED) == story.IDENTITY
    assert set(steps.values()) == {story.ANSWER}


def test_internal_states_read_alike():
    told = {
        story.stage_of(Case(state=state)) for state in (State.REVIEW, State.APPROVAL, State.WITH_CONTROLLER)
    }

    assert len(told) == 1


def test_page_tells_the_date_and_its_reasons(inside, asked):
    response = inside.see("mine")

    told = response.context["stories"][0]
    case = asked.cases.get()
    assert (told.due.on, told.due.tone, told.stage.step) == (case.due_on, "ok", story.WORK)
    assert told.due.reasons[0].startswith("We received your request on ")
    assert any("1 month" in reason for reason in told.due.reasons)


def test_every_step_that_sets_the_date_has_plain_words():
    moving = steps._SETS | steps._ADDS | steps._STANDS
    # They stand in no answer to a customer: a right, or a duty, that the law of the case does not know.
    unknown = {StepCode.NOT_IN_FORCE, StepCode.UNKNOWN_TO_REGIME}

    told = set(story._SENTENCES) | set(story._COUNTED)

    assert moving - unknown - told == set()


def test_timeline_tells_what_ran_and_what_stood_still(inside, asked, brand):
    case, handler = asked.cases.get(), staff(Role.HANDLER, brand)
    questions.ask_clarification(case, "Which account?", True, by_staff(handler), timezone.now())

    due = inside.see("mine").context["stories"][0].due

    assert [(bar.kind, str(bar.words), bar.to_on is None) for bar in due.bars][-1] == (
        "paused",
        "The time stood still",
        True,
    )
    assert "until we hear from you" in page_of(inside)


def test_late_answer_is_admitted(inside, asked):
    told = story.due_of(asked.cases.get(), timezone.now() + timedelta(days=60))

    assert (told.tone, told.days_left < 0) == ("late", True)


def test_notes_and_letters_to_others_stay_inside(inside, asked, brand):
    case = asked.cases.get()
    handler = by_staff(staff(Role.HANDLER, brand, full_name="Hanna Handler"))
    people.add_note(case, "SECRET note", handler, timezone.now())
    hidden = Letter.objects.filter(subject_request=asked).first()
    for state, to_requester in (
        (LetterState.SENT, False),
        (LetterState.QUEUED, True),
        (LetterState.FAILED, True),
    ):
        copy = Letter.objects.get(pk=hidden.pk)
        copy.pk, copy._state.adding = uuid4(), True
        copy.title, copy.body, copy.address = "SECRET letter", "SECRET body", ADA
        copy.state, copy.to_requester, copy.kind = state, to_requester, "message"
        copy.save()

    page = page_of(inside)

    assert (Note.objects.count(), "SECRET" in page, "Hanna" in page) == (1, False, False)


def test_code_from_an_address_that_is_not_on_file_asks_for_more_without_a_hint(brand, visitor):
    request = log(brand, Right.ACCESS, person=Person(name="No Body", email="nobody@example.com"))
    visitor.sign_in(request, "nobody@example.com")

    page = page_of(visitor)

    assert "our team will write to you" in page
    assert ("on file" in page, "not known" in page, "unknown" in page) == (False, False, False)
    assert request.cases.get().state == State.AWAITING_IDENTITY


def test_message_is_kept_with_its_file(inside, asked):
    note = SimpleUploadedFile("bill.txt", b"Bill of May", content_type="text/plain")

    response = inside.send("message", text="Here is my bill.", attachments=[note])

    letter = asked.letters.get(is_incoming=True)
    assert (response.status_code, letter.body) == (303, "Here is my bill.")
    assert b"".join(files.read(letter.files.get().file)) == b"Bill of May"
    assert "bill.txt" in page_of(inside)


def test_markup_in_a_message_is_shown_as_text(inside, asked):
    inside.send("message", text="<script>alert(1)</script><img src=x onerror=alert(1)>")

    page = page_of(inside)

    assert ("<script>alert" in page, "<img src=x" in page) == (False, False)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_empty_message_is_refused(inside, asked):
    response = inside.send("message", text="  ")

    assert (response.status_code, asked.letters.filter(is_incoming=True).count()) == (422, 0)


def test_message_with_a_bad_file_keeps_the_words(inside, asked):
    program = SimpleUploadedFile("a.pdf", b"MZ" + b"\0" * 99)

    response = inside.send("message", text="Keep these words", attachments=[program])

    assert (response.status_code, LetterFile.objects.count()) == (422, 0)
    assert "Keep these words" in response.content.decode()


def test_message_answers_an_open_question(inside, asked, brand):
    run_jobs()
    handler = by_staff(staff(Role.HANDLER, brand))
    questions.ask_clarification(asked.cases.get(), "Which calls?", True, handler, timezone.now())
    run_jobs()
    assert ("Which calls?" in page_of(inside), asked.cases.get().state) == (
        True,
        State.AWAITING_CLARIFICATION,
    )

    inside.send("message", text="All of them.")

    assert asked.cases.get().state == State.REVIEW


def test_case_is_taken_back_once(inside, asked):
    case = asked.cases.get()
    shown = inside.see("withdraw", case.pk)

    first = inside.send("withdraw", case.pk, version=shown.context["case"].version)
    again = inside.send("withdraw", case.pk, version=shown.context["case"].version)

    case.refresh_from_db()
    assert (first.status_code, again.status_code) == (303, 303)
    assert (case.state, case.outcome) == (State.CLOSED, Outcome.WITHDRAWN)
    assert asked.letters.filter(kind="withdrawn").count() == 1
    assert "You took this request back" in page_of(inside)


def test_case_whose_answer_is_out_cannot_be_taken_back(inside, asked):
    answer_it(asked.cases.get())

    response = inside.send("withdraw", asked.cases.get().pk)

    assert (response.status_code, asked.cases.get().outcome) == (422, Outcome.PARTLY_FULFILLED)


def test_complaint_becomes_a_case_of_its_own_once(inside, asked):
    given = {"text": "It takes too long.", "submission": str(uuid4())}

    first = inside.send("complain", asked.cases.get().pk, **given)
    inside.send("complain", asked.cases.get().pk, **given)

    complaint = Case.objects.get(right=Right.COMPLAINT)
    assert (first.status_code, complaint.linked_to) == (303, asked.cases.get())
    assert complaint.subject_request.words == "It takes too long."
    assert complaint.reference in page_of(inside)


def test_complaint_of_a_representative_is_answered_to_them(brand, visitor):
    child = Person(name="Bob Child")
    parent = Representation(kind="parent", name="Ada Example", email=ADA)
    request = log(brand, Right.ACCESS, person=child, representation=parent)
    visitor.sign_in(request)

    visitor.send("complain", request.cases.get().pk, text="Too slow.", submission=str(uuid4()))

    letters = Letter.objects.filter(subject_request__cases__right=Right.COMPLAINT, kind="acknowledgement")
    assert [letter.address for letter in letters] == [ADA]


def test_complaint_can_be_taken_back(inside, asked):
    inside.send("complain", asked.cases.get().pk, text="Too slow.", submission=str(uuid4()))
    complaint = Case.objects.get(right=Right.COMPLAINT)

    response = inside.send("withdraw", complaint.pk, version=complaint.version)

    complaint.refresh_from_db()
    assert (response.status_code, complaint.outcome) == (303, Outcome.WITHDRAWN)


def test_complaint_about_a_complaint_has_no_page(inside, asked):
    inside.send("complain", asked.cases.get().pk, text="Too slow.", submission=str(uuid4()))

    assert inside.see("complain", Case.objects.get(right=Right.COMPLAINT).pk).status_code == 404


def test_empty_complaint_is_refused(inside, asked):
    response = inside.send("complain", asked.cases.get().pk, text="", submission=str(uuid4()))

    assert (response.status_code, Case.objects.filter(right=Right.COMPLAINT).count()) == (422, 0)


@pytest.mark.parametrize("page", ["withdraw", "complain"])
def test_case_of_somebody_else_is_not_found(inside, brand, stranger, page):
    neighbour = log(brand, Right.ACCESS).cases.get()
    foreign = log(stranger, Right.ACCESS).cases.get()

    answers = [inside.send(page, case.pk, text="Mine now").status_code for case in (neighbour, foreign)]

    assert answers == [404, 404]
    assert set(Case.objects.exclude(state=State.CLOSED).values_list("pk", flat=True)) >= {
        neighbour.pk,
        foreign.pk,
    }


def test_every_right_of_a_request_is_told(brand, visitor):
    request = log(brand, Right.ACCESS, Right.ERASURE)
    run_jobs()
    visitor.sign_in(request)

    told = visitor.see("mine").context["stories"]

    assert [(one.case.right, one.stage.step) for one in told] == [
        ("access", story.WORK),
        ("erasure", story.WORK),
    ]


def test_page_asks_the_database_no_more_for_longer_histories(inside, asked):
    inside.see("mine")
    for number in range(3):
        inside.send("message", text=f"Message {number}")

    with CaptureQueriesContext(connection) as few:
        inside.see("mine")
    for number in range(10):
        inside.send("message", text=f"More {number}")
    with CaptureQueriesContext(connection) as many:
        inside.see("mine")

    assert len(many) == len(few)


def test_evidence_seen_by_staff_opens_the_next_step(brand, visitor):
    request = log(brand, Right.ACCESS, person=Person(name="No Body", email="nobody@example.com"))
    visitor.sign_in(request, "nobody@example.com")
    handler = by_staff(staff(Role.HANDLER, brand))

    identity.record_evidence(
        request.cases.get(), Level.LOW, "callback", "Called back", handler, timezone.now()
    )

    assert visitor.see("mine").context["stories"][0].stage.step == story.WORK


def test_session_of_one_request_shows_no_other_of_the_same_person(brand, asked, visitor):
    other = log(brand, Right.ERASURE)
    visitor.sign_in(asked)

    page = page_of(visitor)

    assert (asked.reference in page, other.reference in page) == (True, False)


def test_welcome_sentence_cannot_be_planted(inside):
    response = inside.get(inside.at("mine") + "?done=<script>")

    assert response.context["done"] is None


def test_visitor_without_a_session_is_led_back(brand):
    assert Visitor(brand).see("mine").status_code == 303
