"""The agent's page for logging a request."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from cases.models import Case, ContactNote, DataSubject, SubjectRequest
from cases.words import AnswerBy, Channel, Right
from cases.workflow.intake import Person
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from identity.models import Controller
from identity.roles import Role
from tests.cases.staff_client import signed_in
from tests.factories.cases import log
from tests.factories.identity import ControllerFactory, staff
from tests.identity.documents.pictures import jpeg, page

pytestmark = pytest.mark.django_db
LOG = "/log/"
CARD = "4111 1111 1111 1111"


@pytest.fixture
def brand(serve: Any) -> Controller:
    return ControllerFactory.create(name="Meridian")


@pytest.fixture
def agent(brand: Controller) -> Any:
    return signed_in(staff(Role.AGENT, brand))


def typed(controller: Controller, **fields: Any) -> dict[str, Any]:
    """What an agent has typed at least, and what the test adds."""
    usual = {
        "submission": str(uuid4()),
        "brand": str(controller.pk),
        "name": "Ada Example",
        "email": "ada@example.com",
        "rights": [Right.ACCESS],
        "channel": Channel.CALL,
        "language": "en-gb",
        "answer_by": AnswerBy.PORTAL,
    }
    return {name: value for name, value in {**usual, **fields}.items() if value is not None}


def test_log_request_opens_a_case_for_each_right(agent, brand):
    fields = typed(brand, rights=[Right.ACCESS, Right.ERASURE], words="Send it all, then delete it.")

    answer = agent.post(LOG, fields)

    request = SubjectRequest.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, reverse("console:read-out", args=[request.pk]))
    assert sorted(request.cases.values_list("right", flat=True)) == [Right.ACCESS, Right.ERASURE]
    assert request.words == "Send it all, then delete it."
    assert request.subject.email == "ada@example.com"


@pytest.mark.parametrize(("rights", "asked"), [([Right.ERASURE], True), ([Right.ACCESS], False)])
def test_log_request_notes_with_an_erasure_that_no_advertising_is_wanted(agent, brand, rights, asked):
    fields = typed(brand, rights=rights, ends_marketing="on")

    agent.post(LOG, fields)

    told = AuditEvent.objects.filter(action=Action.SUPPRESSION_CHANGED, data__what="asked")
    assert (Case.objects.get().ends_marketing, told.count()) == (asked, int(asked))


def test_log_request_sent_twice_logs_once(agent, brand):
    fields = typed(brand)

    first, second = agent.post(LOG, fields), agent.post(LOG, fields)

    assert first["Location"] == second["Location"]
    assert SubjectRequest.objects.count() == 1


def test_log_request_masks_card_numbers(agent, brand):
    fields = typed(
        brand,
        words=f"I paid with {CARD}.",
        rights=[Right.RECTIFICATION],
        claim_field_0="card",
        claim_wrong_0=CARD,
        claim_right_0="none",
    )

    page = agent.post(LOG, fields, follow=True)

    request = SubjectRequest.objects.get()
    assert request.words == "I paid with **** **** **** 1111."
    assert request.claims == [{"field": "card", "wrong": "**** **** **** 1111", "right": "none"}]
    assert "1 payment card number was masked" in page.content.decode()


def test_log_request_keeps_when_it_was_said_in_the_brands_zone(agent, serve):
    berlin = ControllerFactory.create(time_zone="Europe/Berlin")
    agent = signed_in(staff(Role.AGENT, berlin))

    agent.post(LOG, typed(berlin, said_on="2026-07-01", said_at="00:30"))

    assert SubjectRequest.objects.get().received_at.isoformat() == "2026-06-30T22:30:00+00:00"


def test_log_request_of_the_future_is_refused_and_keeps_what_was_typed(agent, brand):
    fields = typed(brand, said_on="2999-01-01", words="Everything, please.")

    page = agent.post(LOG, fields)

    assert page.status_code == 422
    assert SubjectRequest.objects.count() == 0
    assert page.context["form"].errors == {
        "said_on": ["This lies in the future: a request counts from when it was made."]
    }
    assert "Everything, please." in page.content.decode()


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"rights": []}, "rights"),
        ({"name": "", "email": ""}, "name"),
        ({"email": "", "phone": "020 7946 0000"}, "postal_address"),
        ({"answer_by": AnswerBy.POST}, "postal_address"),
        ({"rights": [Right.RECTIFICATION]}, "claim_field_0"),
        ({"said_at": "10:00"}, "said_on"),
        ({"brand": "somebody else's"}, "brand"),
    ],
)
def test_log_request_says_what_is_missing(agent, brand, fields, fault):
    ControllerFactory.create()

    page = agent.post(LOG, typed(brand, **fields))

    assert page.status_code == 422
    assert fault in page.context["form"].errors
    assert SubjectRequest.objects.count() == 0


def test_log_request_without_email_is_answered_by_post(agent, brand):
    fields = typed(brand, email="", postal_address="1 High Street\nLondon")

    agent.post(LOG, fields)

    request = SubjectRequest.objects.get()
    assert (request.answer_by, request.subject.postal_address) == (AnswerBy.POST, "1 High Street\nLondon")
    assert [letter.by_post for letter in request.letters.all()] == [True]


def test_log_request_for_somebody_else(agent, brand):
    fields = typed(
        brand,
        email="",
        for_another="on",
        representative_kind="solicitor",
        representative_name="Sol Icitor",
        representative_email="sol@law.example",
        authority="Letter of 1 May",
    )

    agent.post(LOG, fields)

    request = SubjectRequest.objects.get()
    assert (request.representative.name, request.representative.email) == ("Sol Icitor", "sol@law.example")
    assert request.subject.name == "Ada Example"


FOR_ANOTHER = {
    "email": "",
    "for_another": "on",
    "representative_kind": "solicitor",
    "representative_name": "Sol Icitor",
    "representative_email": "sol@law.example",
}


def test_copy_of_an_authority_waits_for_a_colleague(agent, brand):
    copy = SimpleUploadedFile("authority.jpg", jpeg(page()), content_type="image/jpeg")

    read_out = agent.get(agent.post(LOG, typed(brand, **FOR_ANOTHER, authority_copy=copy))["Location"])

    held = SubjectRequest.objects.get().authorities.get()
    assert (held.state, held.pictures.count()) == ("received", 1)
    assert "We look at what you sent" in read_out.content.decode()


def test_copy_that_cannot_be_taken_does_not_hold_up_the_request(agent, brand):
    copy = SimpleUploadedFile("authority.pdf", b"MZ" + bytes(400), content_type="application/pdf")

    answer = agent.post(LOG, typed(brand, **FOR_ANOTHER, authority_copy=copy))

    assert answer.status_code == 303
    assert SubjectRequest.objects.get().authorities.get().state == "asked"


def test_log_request_of_a_known_person_leaves_their_address_alone(agent, brand):
    known = log(brand).subject
    fields = typed(brand, subject=str(known.pk), email="evil@example.com")

    page = agent.post(LOG, fields)

    known.refresh_from_db()
    assert (page.status_code, list(page.context["form"].errors)) == (422, ["email"])
    assert known.email == "ada@example.com"


def test_log_request_of_a_known_person_adds_what_was_not_known(agent, brand):
    known = log(brand).subject
    fields = typed(brand, subject=str(known.pk), name="Eve", email="", phone="020 7946 0000")

    agent.post(LOG, fields)

    known.refresh_from_db()
    assert DataSubject.objects.count() == 1
    assert (known.name, known.phone) == ("Ada Example", "020 7946 0000")


def test_log_request_of_another_brands_person_is_refused(agent, brand):
    stranger = log(ControllerFactory.create()).subject

    page = agent.post(LOG, typed(brand, subject=str(stranger.pk)))

    assert (page.status_code, list(page.context["form"].errors)) == (422, ["subject"])
    assert SubjectRequest.objects.filter(controller=brand).count() == 0


def test_log_request_keeps_files_and_says_which_it_cannot(agent, brand):
    letter = SimpleUploadedFile("letter.txt", b"Dear Sir or Madam")
    program = SimpleUploadedFile("tool.exe", b"MZ\x90\x00")

    page = agent.post(LOG, typed(brand, attachments=[letter, program]), follow=True)

    names = [one.file.name for one in SubjectRequest.objects.get().files.all()]
    assert names == ["letter.txt"]
    assert "The file “tool.exe” was not kept." in page.content.decode()


def test_business_done_within_the_conversation_is_noted_without_a_case(agent, brand):
    fields = typed(
        brand, business="done", rights=None, name="", email="", words=f"Wanted to pay with {CARD}."
    )

    answer = agent.post(LOG, fields)

    noted = ContactNote.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, LOG)
    assert noted.summary == "Wanted to pay with **** **** **** 1111."
    assert Case.objects.count() == 0
    assert AuditEvent.objects.filter(action="contact.noted").count() == 1


def test_business_without_words_is_refused(agent, brand):
    page = agent.post(LOG, typed(brand, business="done", words=""))

    assert page.status_code == 422
    assert page.context["form"].non_field_errors() == ["Say what was asked and what was done."]
    assert ContactNote.objects.count() == 0


def test_check_shows_who_is_known_and_what_is_open_without_judging(agent, brand):
    known = log(brand, Right.ACCESS)

    page = agent.post(LOG, typed(brand, check="who", rights=None))

    assert page.status_code == 200
    assert [one.subject for one in page.context["known"]] == [known.subject]
    assert [case.reference for case in page.context["known"][0].open_cases] == [known.cases.get().reference]
    assert "error-summary" not in page.content.decode()


def test_lookup_never_shows_another_brands_person(agent, brand):
    stranger = ControllerFactory.create()
    log(stranger)

    page = agent.post("/log/who/", typed(brand))
    forced = agent.post("/log/who/", typed(brand, brand=str(stranger.pk)))

    for answer in (page, forced):
        assert 'type="radio"' not in answer.content.decode()
        assert "ada@example.com" not in answer.content.decode()


def test_lookup_in_a_fragment_shows_the_brands_own(agent, brand):
    known = log(brand, person=Person(name="Ada Example", email="ada@example.com", birth_date="1990-12-03"))

    page = agent.post("/log/who/", typed(brand, name=""))

    assert f'value="{known.subject_id}"' in page.content.decode()
    assert known.reference in page.content.decode()
    assert "born 3 December 1990" in page.content.decode()


def test_words_come_back_masked(agent):
    page = agent.post("/log/words/", {"words": f"My card {CARD}"})

    assert "My card **** **** **** 1111" in page.content.decode()
    assert CARD not in page.content.decode()


def test_words_without_a_card_stay_as_they_are(agent):
    assert agent.post("/log/words/", {"words": "Order 12345"}).status_code == 204


def test_card_is_narrowed_by_what_is_said(agent):
    page = agent.post("/log/card/", {"said": "copy of my last invoice"})

    assert "Copy of my last invoice?" in page.content.decode()
    assert "Take me off your list" not in page.content.decode()


def test_card_shows_everything_where_nothing_fits(agent):
    page = agent.post("/log/card/", {"said": "xylophone"})

    assert "Nothing on the card is like that." in page.content.decode()
    assert "Take me off your list" in page.content.decode()


@pytest.mark.parametrize("role", [Role.DPO, Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR])
@pytest.mark.parametrize("path", [LOG, "/log/who/", "/log/words/", "/log/card/"])
def test_log_is_not_there_for_those_who_may_not(brand, role, path):
    person = signed_in(staff(role, brand))

    answer = person.post(path, typed(brand))

    assert answer.status_code == 404
    assert SubjectRequest.objects.count() == 0


def test_log_asks_strangers_to_sign_in(client):
    answer = client.get(LOG)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/staff/sign-in/")


def test_log_offers_only_the_brands_that_one_logs_for(brand):
    other = ControllerFactory.create(name="Nordlicht")
    agent = signed_in(staff(Role.AGENT, brand, other))
    ControllerFactory.create(name="Stranger")

    page = agent.get(f"{LOG}?brand={other.pk}")

    assert [name for _key, name in page.context["form"].fields["brand"].choices] == [
        "Choose the brand",
        "Meridian",
        "Nordlicht",
    ]
    assert page.context["form"]["brand"].value() == other.pk


def test_received_now_is_the_present(agent, brand):
    before = timezone.now()

    agent.post(LOG, typed(brand))

    assert before <= SubjectRequest.objects.get().received_at <= timezone.now()
