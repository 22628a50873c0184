"""Asking: what is logged, what is refused, and that nothing tells whether the person is known."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.models import Case, SubjectRequest
from cases.words import AnswerBy, Right
from cases.workflow import upkeep
from dsar.jobs.models import Job
from dsar.vault import files
from identity import limits
from identity.limits import Limit, Per, Step
from identity.models import Attempt
from tests.cases.portal.conftest import ADA, Visitor, text_of
from tests.factories.cases import log

pytestmark = pytest.mark.django_db


def form(**changes: Any) -> dict[str, Any]:
    given = {
        "submission": str(uuid4()),
        "wishes": ["access"],
        "words": "All my calls.",
        "for_whom": "me",
        "name": "Ada Example",
        "email": ADA,
        "answer_by": "portal",
        "language": "en-gb",
    }
    return given | changes


def rights() -> set[str]:
    return set(Case.objects.values_list("right", flat=True))


def test_home_of_a_brand_that_does_not_exist_is_not_found(brand, client):
    response = client.get("/p/nobody/")

    assert response.status_code == 404


def test_page_that_does_not_exist_is_in_the_brands_look(visitor):
    response = visitor.get(visitor.at("home") + "nowhere/")

    assert (response.status_code, response.templates[0].name) == (404, "portal/missing.html")


def test_theme_gives_the_brands_one_colour(visitor):
    response = visitor.see("theme")

    assert response.content == b":root { --brand-seed: #5b2a86; }\n"
    assert response["Content-Type"] == "text/css; charset=utf-8"


def test_language_is_remembered_for_this_brand_alone(visitor):
    response = visitor.send("language", language="de", next=visitor.at("ask"))

    assert response["Location"] == visitor.at("ask")
    assert response.cookies["django_language"]["path"] == visitor.at("home")
    assert visitor.see("ask")["Content-Language"] == "de"


def test_language_that_the_brand_does_not_speak_is_not_used(brand):
    brand.languages = ["en-gb"]
    brand.save()

    response = Visitor(brand, headers={"accept-language": "fr"}).see("home")

    assert response["Content-Language"] == "en-gb"


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/staff/", "javascript:alert(1)"]
)
def test_language_leads_nowhere_else(visitor, back):
    response = visitor.send("language", language="de", next=back)

    assert response["Location"] == visitor.at("home")


def test_every_wish_becomes_its_right(visitor):
    every = ["access", "correct", "erase", "marketing", "move", "restrict", "object", "human"]

    visitor.post(visitor.at("ask"), form(wishes=every, ends_marketing="on"))

    assert Case.objects.get(ends_marketing=True).right == Right.ERASURE
    assert rights() == set(Right.values) - {Right.COMPLAINT}


@pytest.mark.parametrize(("wishes", "marketing"), [(["marketing"], True), (["marketing", "object"], False)])
def test_objection_is_about_marketing_when_nothing_else_is_objected_to(visitor, wishes, marketing):
    visitor.post(visitor.at("ask"), form(wishes=wishes))

    assert Case.objects.get().about_marketing is marketing
    assert ("Stop marketing" in SubjectRequest.objects.get().words) is not marketing


def test_two_presses_log_once(visitor):
    given = form()

    first, second = visitor.post(visitor.at("ask"), given), visitor.post(visitor.at("ask"), given)

    assert (first.status_code, second.status_code) == (303, 303)
    assert SubjectRequest.objects.count() == 1


def test_request_for_somebody_else_keeps_both(visitor):
    other = {
        "for_whom": "other",
        "their_name": "Bob Child",
        "relation": "parent",
        "authority": "Birth certificate",
    }

    visitor.post(visitor.at("ask"), form(**other))

    request = SubjectRequest.objects.get()
    assert (request.subject.name, request.subject.email) == ("Bob Child", "")
    assert (request.representative.name, request.representative.email) == ("Ada Example", ADA)
    assert (request.representative.kind, request.representative.authority) == ("parent", "Birth certificate")


def test_answer_by_post_needs_an_address_and_no_email(visitor):
    post = {"answer_by": "post", "email": ""}

    without = visitor.post(visitor.at("ask"), form(**post))
    visitor.post(visitor.at("ask"), form(**post, address="1 Mill Lane"))

    assert list(without.context["form"].errors) == ["address"]
    request = SubjectRequest.objects.get()
    assert (request.answer_by, request.subject.postal_address) == (AnswerBy.POST, "1 Mill Lane")


def test_answer_online_needs_an_email(visitor):
    response = visitor.post(visitor.at("ask"), form(email=""))

    assert (response.status_code, list(response.context["form"].errors)) == (422, ["email"])


def test_corrections_are_kept_as_claims(visitor):
    row = {"claim_1_field": "Street", "claim_1_wrong": "Old Lane", "claim_1_right": "New Lane"}

    visitor.post(visitor.at("ask"), form(wishes=["correct"], words="", **row))

    assert SubjectRequest.objects.get().claims == [
        {"field": "Street", "wrong": "Old Lane", "right": "New Lane"}
    ]


def test_correction_without_a_word_is_asked_for(visitor):
    response = visitor.post(visitor.at("ask"), form(wishes=["correct"], words=" "))

    assert list(response.context["form"].errors) == ["words"]


def test_what_was_typed_stays_when_something_is_missing(visitor):
    response = visitor.post(
        visitor.at("ask"), form(name="", words="Everything <b>of 2024</b>", email="nonsense")
    )

    page = response.content.decode()
    assert response.status_code == 422
    assert ("Everything &lt;b&gt;of 2024&lt;/b&gt;" in page, 'value="nonsense"' in page) == (True, True)
    assert SubjectRequest.objects.count() == 0


def test_program_that_fills_the_trap_logs_nothing(visitor):
    response = visitor.post(visitor.at("ask"), form(website="https://spam.example"))

    assert (response.status_code, SubjectRequest.objects.count()) == (422, 0)


def test_file_that_is_not_what_it_says_is_refused_and_the_rest_stays(visitor):
    program = SimpleUploadedFile("../../letter.pdf", b"MZ" + b"\0" * 200, content_type="application/pdf")

    response = visitor.post(visitor.at("ask"), form(attachments=[program]))

    assert (response.status_code, list(response.context["form"].errors)) == (422, ["attachments"])
    assert "All my calls." in response.content.decode()


def test_file_is_kept_sealed_under_a_plain_name(visitor):
    letter = SimpleUploadedFile("../../authority.txt", b"I authorise her.", content_type="text/html")

    visitor.post(visitor.at("ask"), form(attachments=[letter]))

    kept = SubjectRequest.objects.get().files.get().file
    assert (kept.name, kept.media_type) == ("authority.txt", "text/plain")
    assert b"".join(files.read(kept)) == b"I authorise her."


def test_known_and_unknown_people_get_the_same_confirmation(brand, visitor):
    log(brand, Right.ACCESS)

    known = visitor.post(visitor.at("ask"), form())
    unknown = visitor.post(visitor.at("ask"), form(email="nobody@example.com", name="No Body"))

    pages = [visitor.get(response["Location"]) for response in (known, unknown)]
    requests = SubjectRequest.objects.order_by("-logged_at")[:2]
    texts = {
        text_of(page).replace(request.reference, "").replace(response["Location"], "")
        for page, request, response in zip(pages, reversed(requests), (known, unknown), strict=True)
    }
    assert len(texts) == 1


def test_confirmation_cannot_be_guessed_nor_read_through_another_brand(visitor, stranger):
    sent = visitor.post(visitor.at("ask"), form())

    through_other = Client().get(sent["Location"].replace("/p/meridian/", "/p/nordlicht/"))
    guessed = visitor.get(visitor.at("asked", str(SubjectRequest.objects.get().pk)))

    assert (through_other.status_code, guessed.status_code) == (404, 404)


def test_too_many_requests_from_one_place_are_refused_and_nothing_is_lost(visitor, monkeypatch):
    step = Step((Limit("ask_from_here", 2, per=Per.NETWORK),))
    monkeypatch.setattr(limits, "STEPS", {**limits.STEPS, "portal:ask": step})

    statuses = [
        visitor.post(visitor.at("ask"), form(email=f"a{n}@example.com", words="Keep me")).status_code
        for n in range(2)
    ]
    third = visitor.post(visitor.at("ask"), form(email="a3@example.com", words="Keep me"))

    assert [*statuses, third.status_code] == [303, 303, 429]
    assert "Keep me" in third.content.decode()
    assert SubjectRequest.objects.count() == 2


def test_too_many_requests_for_one_address_are_refused_from_anywhere(brand):
    statuses = [
        Client(REMOTE_ADDR=f"192.0.2.{n}").post(f"/p/{brand.slug}/ask/", form()).status_code for n in range(8)
    ]

    assert statuses == [303] * 6 + [429] * 2


def test_attempts_hold_no_address_and_go_after_a_day(brand, visitor):
    visitor.post(visitor.at("ask"), form())
    assert all(ADA.encode() not in bytes(attempt.who) for attempt in Attempt.objects.all())

    upkeep.run_for_all((timezone.now() + timedelta(days=2)).replace(minute=0))

    assert Attempt.objects.count() == 0


def test_form_without_its_token_is_refused(brand):
    strict = Client(enforce_csrf_checks=True)

    response = strict.post(f"/p/{brand.slug}/ask/", form())

    assert (response.status_code, SubjectRequest.objects.count()) == (403, 0)
    assert response.templates[0].name == "portal/refused.html"


@pytest.mark.parametrize("path", ["/staff/sign-in/", "/p/nobody/ask/"])
def test_refusal_elsewhere_wears_no_brand(brand, path):
    response = Client(enforce_csrf_checks=True).post(path, {})

    assert "Meridian" not in response.content.decode()
    assert response.status_code in {403, 404}


def test_asking_costs_the_same_work_for_a_known_and_an_unknown_person(brand):
    """So that neither the answer, nor its time, nor the load tells whether somebody is a customer."""
    visitor, costs = Visitor(brand), {}
    visitor.post(visitor.at("ask"), form())  # Ada is known from now on, and the brand has its keys
    for who, email in (("known", ADA), ("unknown", "nobody@example.com")):
        before = Job.objects.count()
        with CaptureQueriesContext(connection) as statements:
            sent = visitor.post(visitor.at("ask"), form(email=email))
        costs[who] = (sent.status_code, len(statements), Job.objects.count() - before)

    assert costs["known"] == costs["unknown"]
    assert costs["known"][0] == 303
