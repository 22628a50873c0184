"""A picture of a document through the portal: poor ones are asked for again, and what is none is refused."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from cases.models import SubjectRequest
from cases.portal import sessions
from cases.portal.document import FAULTS
from dsar.vault.models import StoredFile
from identity.documents.quality import Fault
from identity.limits import DOCUMENT
from identity.models import Controller, IdentityDocument
from tests.cases.portal.conftest import ADA, Visitor
from tests.factories.cases import log
from tests.factories.identity import give_policy
from tests.identity.documents import pictures
from tests.identity.evidence.clamd_server import EICAR, running

pytestmark = pytest.mark.django_db

GOOD = pictures.jpeg(pictures.page())
BLURRED = pictures.jpeg(pictures.blurred(pictures.page()))


@pytest.fixture
def inside(brand: Controller, visitor: Visitor) -> SubjectRequest:
    """A request whose customer is in the portal, and has to show more than an address."""
    give_policy(brand, {"default": 2})
    request = log(brand)
    visitor.sign_in(request, ADA)
    return request


def upload(
    content: bytes = GOOD, name: str = "passport.jpg", media_type: str = "image/jpeg"
) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, media_type)


def errors(page: Any, field: str) -> list[str]:
    return [str(error) for error in page.context["form"].errors.get(field, [])]


def test_the_page_of_the_request_leads_here(inside: SubjectRequest, visitor: Visitor) -> None:
    assert visitor.at("document") in visitor.see("mine").content.decode()


def test_the_page_says_what_to_cover_and_how_long_it_is_kept(
    inside: SubjectRequest, visitor: Visitor
) -> None:
    page = visitor.see("document")

    text = page.content.decode()
    assert page.status_code == 200
    said = ("Cover what we do not need", "your photo and your signature", "We delete the pictures as soon as")
    assert [words for words in said if words not in text] == []


def test_a_blurred_picture_is_asked_for_again_at_once_and_a_sharp_one_taken(
    inside: SubjectRequest, visitor: Visitor
) -> None:
    first = visitor.send("document", kind="passport", front=upload(BLURRED))
    kept_of_first = IdentityDocument.objects.count()
    second = visitor.send("document", kind="passport", front=upload())

    assert (first.status_code, errors(first, "front"), kept_of_first) == (
        422,
        [str(FAULTS[Fault.BLURRED])],
        0,
    )
    assert first.context["form"]["kind"].value() == "passport"
    assert (second.status_code, second["Location"]) == (303, visitor.at("mine") + "?done=document")
    assert IdentityDocument.objects.get().pictures.get().quality["faults"] == []


def test_after_two_poor_pictures_a_person_looks_at_the_third(
    inside: SubjectRequest, visitor: Visitor
) -> None:
    answers = [visitor.send("document", kind="passport", front=upload(BLURRED)).status_code for _ in range(3)]

    assert answers == [422, 422, 303]
    assert IdentityDocument.objects.get().pictures.get().quality["faults"] == ["blurred"]


def test_front_and_back_of_a_card_are_taken(inside: SubjectRequest, visitor: Visitor) -> None:
    visitor.send("document", kind="identity_card", front=upload(), back=upload())

    document = IdentityDocument.objects.get()
    assert (document.kind, document.pictures.count()) == ("identity_card", 2)


def test_what_waits_is_said_on_both_pages(inside: SubjectRequest, visitor: Visitor) -> None:
    visitor.send("document", kind="passport", front=upload())

    pages = [visitor.see(name).content.decode() for name in ("mine", "document")]

    assert ["We have your picture" in page for page in pages] == [True, True]


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (b"<html><script>alert(1)</script></html>", "passport.jpg", "image/jpeg"),
        (b"MZ\x90\x00" + bytes(200), "passport.png", "image/png"),
        (GOOD + b"PK\x05\x06" + bytes(18), "passport.jpg", "image/jpeg"),
        (b"%PDF-1.7\nbroken", "passport.pdf", "application/pdf"),
        (b"", "passport.jpg", "image/jpeg"),
    ],
)
def test_what_is_no_picture_is_refused_and_nothing_kept(
    inside: SubjectRequest, visitor: Visitor, content: bytes, name: str, media_type: str
) -> None:
    page = visitor.send("document", kind="passport", front=upload(content, name, media_type))

    assert (page.status_code, len(errors(page, "front"))) == (422, 1)
    assert (IdentityDocument.objects.count(), StoredFile.objects.count()) == (0, 0)


def test_an_infected_picture_is_refused_and_nothing_kept(
    inside: SubjectRequest, visitor: Visitor, settings: Any
) -> None:
    infected = pictures.jpeg(pictures.page(), comment=EICAR)

    with tempfile.TemporaryDirectory(prefix="clamd") as folder, running(Path(folder)) as (address, _):
        settings.CLAMD = address
        page = visitor.send("document", kind="passport", front=upload(infected))

    assert errors(page, "front") == ["A virus was found in this file. It was not taken."]
    assert StoredFile.objects.count() == 0


def test_files_beside_a_message_are_scanned_as_well(
    inside: SubjectRequest, visitor: Visitor, settings: Any
) -> None:
    before = StoredFile.objects.count()

    with tempfile.TemporaryDirectory(prefix="clamd") as folder, running(Path(folder)) as (address, _):
        settings.CLAMD = address
        page = visitor.send(
            "message", text="See the file.", attachments=upload(EICAR, "letter.txt", "text/plain")
        )

    assert errors(page, "attachments") == ["A virus was found in this file. It was not taken."]
    assert StoredFile.objects.count() == before


def test_nothing_is_taken_while_the_scanner_is_down(
    inside: SubjectRequest, visitor: Visitor, settings: Any
) -> None:
    settings.CLAMD = "unix:/nowhere/clamd.ctl"

    page = visitor.send("document", kind="passport", front=upload())

    assert (page.status_code, IdentityDocument.objects.count()) == (422, 0)


def test_who_is_not_inside_is_asked_for_their_reference(brand: Controller, visitor: Visitor) -> None:
    answers = [visitor.see("document"), visitor.send("document", kind="passport", front=upload())]

    assert [answer["Location"] for answer in answers] == [visitor.at("enter") + "?ended"] * 2
    assert IdentityDocument.objects.count() == 0


def test_a_session_of_one_brand_sends_nothing_to_another(
    inside: SubjectRequest, visitor: Visitor, stranger: Controller
) -> None:
    there = Visitor(stranger)
    there.cookies[sessions.COOKIE] = visitor.cookies[sessions.COOKIE].value

    answer = there.send("document", kind="passport", front=upload())

    assert (answer["Location"], IdentityDocument.objects.count()) == (there.at("enter") + "?ended", 0)


def test_pictures_are_decoded_so_often_and_no_more(inside: SubjectRequest, visitor: Visitor) -> None:
    for _ in range(DOCUMENT.most):
        visitor.send("document", kind="passport", front=upload(b"no picture"))

    page = visitor.send("document", kind="passport", front=upload())

    assert (page.status_code, IdentityDocument.objects.count()) == (422, 0)


def test_nobody_is_asked_who_has_shown_enough(brand: Controller, visitor: Visitor) -> None:
    give_policy(brand, {"default": 1})
    request = log(brand)
    visitor.sign_in(request, ADA)

    page = visitor.send("document", kind="passport", front=upload())

    assert visitor.at("document") not in visitor.see("mine").content.decode()
    assert (page.status_code, IdentityDocument.objects.count()) == (422, 0)
