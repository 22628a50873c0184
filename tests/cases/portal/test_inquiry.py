"""The owner of a source, who has a link and nothing else."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from cases.correspondence.outbox import mails
from cases.models import Case, Inquiry, InquiryFile, Item, SearchState, SourceSearch, SourceSystem
from cases.permissions import by_staff
from cases.words import State
from cases.workflow import identity, inquiry
from cases.workflow.intake import Person
from dsar.audit.models import AuditEvent
from dsar.vault.models import StoredFile
from identity.models import AccessToken, Controller, Level, TokenPurpose
from identity.roles import Role
from tests.cases.portal.conftest import Visitor, at_once, make_brand, meridian
from tests.factories.cases import SourceFactory, one_case, run_jobs
from tests.factories.identity import staff
from tests.leaks import leaked
from tests.worlds import part

pytestmark = pytest.mark.usefixtures("world")

OWNER = "archive@meridian.example"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
PERSON = Person(
    name="Ada Example", email="ada@example.com", phone="+44 20 7946 0000", external_id="C-4711-secret"
)


def filing_cabinet(brand: Controller) -> SourceSystem:
    SourceSystem.objects.filter(controller=brand).update(is_active=False)
    options = {"instructions": "Room 3, cabinets A to F.", "search_by": "name, email"}
    made: SourceSystem = SourceFactory.create(
        controller=brand, name="Filing cabinet", connector="manual", options=options, owner_email=OWNER
    )
    return made


def proven(brand: Controller) -> Case:
    """A case whose person is proven."""
    made = one_case(brand, person=PERSON)
    handler = by_staff(staff(Role.HANDLER, brand))
    identity.record_evidence(made, Level.SUBSTANTIAL, "known_answers", "Knew it.", handler, timezone.now())
    run_jobs()
    return Case.objects.get(pk=made.pk)


@dataclass(frozen=True)
class World:
    """A brand whose only source is a filing cabinet, and a case there."""

    brand: Controller
    archive: SourceSystem
    case: Case


def build_world(patch: pytest.MonkeyPatch, _request: pytest.FixtureRequest) -> World:
    at_once(patch)
    brand = meridian()
    return World(brand, filing_cabinet(brand), proven(brand))


brand, archive, case = part("brand"), part("archive"), part("case")


def links() -> list[str]:
    """The links of the owner's mails, the newest first."""
    found = [re.search(r"http\S+/source/\S+", mail.body) for mail in mails() if mail.to == OWNER]
    return [one[0].partition("example")[2] or one[0] for one in found if one]


def path(link: str) -> str:
    return "/p/" + link.partition("/p/")[2]


def opened() -> Client:
    """A browser in which the link's button was pressed."""
    client = Client()
    assert client.post(path(links()[0])).status_code == 303
    return client


def at(visitor: Visitor) -> str:
    return visitor.at("inquiry")


def search() -> SourceSearch:
    return SourceSearch.objects.select_related("run__case", "source").get()


def pdf(name: str = "letter.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="application/pdf")


def test_mail_names_the_source_and_nobody_else(case: Case) -> None:
    mail = next(mail for mail in mails() if mail.to == OWNER)

    said = f"{mail.title} {mail.body}"
    assert "Filing cabinet" in said
    assert "Room 3, cabinets A to F." in said
    assert leaked(["Ada", "ada@", "4711", case.reference], said) == []
    assert (search().state, search().held_for) == (SearchState.HELD, "owner")
    assert case.state == State.SEARCHING


def test_link_shows_no_person_before_the_button(case: Case) -> None:
    """Programs that look into mails open links."""
    page = Client().get(path(links()[0]))

    assert page.status_code == 200
    assert leaked(["Ada"], page.content.decode()) == []
    assert Inquiry.objects.get().opened_at is None


def test_owner_sees_what_the_source_is_searched_by_alone(case: Case, visitor: Visitor) -> None:
    page = opened().get(at(visitor)).content.decode()

    assert "Ada Example" in page
    assert "ada@example.com" in page
    assert leaked(["4711", "7946", case.reference], page) == []
    assert AuditEvent.objects.filter(action="collection.owner_looked", actor_kind="source_owner").count() == 1


def test_files_handed_in_become_items_and_end_the_search(case: Case, visitor: Visitor) -> None:
    browser = opened()

    added = browser.post(at(visitor), {"act": "add", "found": [pdf("a.pdf"), pdf("b.pdf", PDF + b"\n")]})
    answered = browser.post(at(visitor), {"act": "answer", "said": "handed_in", "note": "Two letters."})

    assert (added.status_code, answered.status_code) == (200, 200)
    case.refresh_from_db()
    items = list(Item.objects.filter(case=case).order_by("number"))
    assert [item.content["data"]["title"] or item.content["data"]["text"] for item in items] == [
        "a.pdf",
        "b.pdf",
        "Two letters.",
    ]
    assert [item.file is not None for item in items] == [True, True, False]
    assert (search().state, search().found, case.state) == (SearchState.DONE, 3, State.REVIEW)


def test_files_are_handed_in_together_with_the_answer(case: Case, visitor: Visitor) -> None:
    data = {"act": "answer", "said": "handed_in", "note": "", "found": [pdf("a.pdf")]}

    page = opened().post(at(visitor), data)

    assert page.status_code == 200
    assert [item.file.name for item in Item.objects.filter(case=case)] == ["a.pdf"]


def test_what_was_typed_is_kept_and_the_same_file_taken_once(case: Case, visitor: Visitor) -> None:
    browser = opened()
    data = {"act": "add", "said": "handed_in", "note": "In cabinet C."}

    pages = [browser.post(at(visitor), data | {"found": [pdf()]}) for _ in range(2)]

    assert ["In cabinet C." in page.content.decode() for page in pages] == [True, True]
    assert InquiryFile.objects.count() == StoredFile.objects.count() == 1


def test_nothing_found_ends_the_search(case: Case, visitor: Visitor) -> None:
    opened().post(at(visitor), {"act": "answer", "said": "nothing"})

    case.refresh_from_db()
    assert (search().state, case.state) == (SearchState.NO_DATA, State.REVIEW)


def test_declining_needs_a_reason_and_leaves_the_search_failed(case: Case, visitor: Visitor) -> None:
    browser = opened()

    bare = browser.post(at(visitor), {"act": "answer", "said": "declined", "note": " "})
    said = browser.post(at(visitor), {"act": "answer", "said": "declined", "note": "The room is flooded."})

    case.refresh_from_db()
    assert (bare.status_code, said.status_code) == (422, 200)
    assert "checked" in bare.content.decode()
    assert (search().state, search().error_code, case.state) == (
        SearchState.FAILED,
        "owner_declined",
        State.SEARCHING,
    )
    assert "flooded" not in search().error_text
    assert Inquiry.objects.get().note == "The room is flooded."


@pytest.mark.parametrize("said", ["handed_in", ""])
def test_answer_without_what_it_says_is_refused(case: Case, visitor: Visitor, said: str) -> None:
    page = opened().post(at(visitor), {"act": "answer", "said": said})

    assert page.status_code == 422
    assert search().state == SearchState.HELD


def test_nothing_is_refused_beside_files(case: Case, visitor: Visitor) -> None:
    browser = opened()
    browser.post(at(visitor), {"act": "add", "found": [pdf()]})

    page = browser.post(at(visitor), {"act": "answer", "said": "nothing"})

    assert page.status_code == 422
    assert search().state == SearchState.HELD


def test_file_is_taken_back_with_its_bytes(case: Case, visitor: Visitor) -> None:
    browser = opened()
    browser.post(at(visitor), {"act": "add", "found": [pdf()]})

    browser.post(at(visitor), {"act": "remove", "file": str(InquiryFile.objects.get().pk)})

    assert InquiryFile.objects.count() == 0
    assert StoredFile.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "content"), [("a.exe", b"MZ\x90\0"), ("a.pdf", b"MZ\x90\0"), ("a.html", b"<script>1</script>")]
)
def test_dangerous_file_is_refused_and_the_answer_still_open(
    case: Case, visitor: Visitor, name: str, content: bytes
) -> None:
    browser = opened()

    page = browser.post(at(visitor), {"act": "add", "found": [pdf(name, content)]})

    assert page.status_code == 422
    assert StoredFile.objects.count() == 0
    assert search().state == SearchState.HELD


def test_link_opens_once_answered_never_again(case: Case, visitor: Visitor) -> None:
    browser = opened()
    browser.post(at(visitor), {"act": "answer", "said": "nothing"})

    later = [browser.get(at(visitor)), browser.get(path(links()[0])), Client().post(path(links()[0]))]
    again = browser.post(at(visitor), {"act": "answer", "said": "declined", "note": "Changed my mind."})

    assert [page.status_code for page in later] == [404, 404, 404]
    assert again.status_code == 404
    assert Inquiry.objects.get().state == "nothing"


def test_link_expires(case: Case) -> None:
    AccessToken.objects.filter(purpose=TokenPurpose.INQUIRY).update(expires_at=timezone.now())

    assert Client().get(path(links()[0])).status_code == 404


def test_link_of_an_overtaken_run_is_closed(case: Case) -> None:
    case.runs.update(state="abandoned")

    assert Client().get(path(links()[0])).status_code == 404


def test_link_opens_nothing_at_another_brand(case: Case) -> None:
    other = make_brand("nordlicht")
    stolen = path(links()[0]).replace("meridian", other.slug)

    pages = [Client().get(stolen), Client().post(stolen)]

    assert [page.status_code for page in pages] == [404, 404]


def test_link_opens_nothing_else_of_the_request(case: Case, visitor: Visitor) -> None:
    """A token serves one purpose: it is no session, and no customer's link."""
    value = path(links()[0]).rstrip("/").rpartition("/")[2]
    browser = opened()
    browser.cookies["dsar_portal"] = value

    pages = [browser.get(visitor.at("mine")), browser.get(visitor.at("follow", value))]

    assert [page.status_code for page in pages] == [303, 404]


def test_file_of_another_inquiry_is_not_removed(
    case: Case, brand: Controller, visitor: Visitor, archive: SourceSystem
) -> None:
    browser = opened()
    browser.post(at(visitor), {"act": "add", "found": [pdf()]})
    others = str(InquiryFile.objects.get().pk)
    other = one_case(brand, person=Person(name="Bob Stranger", email="bob@example.com"))
    handler = by_staff(staff(Role.HANDLER, brand))
    identity.record_evidence(other, Level.SUBSTANTIAL, "known_answers", "Knew.", handler, timezone.now())
    run_jobs()

    opened().post(at(visitor), {"act": "remove", "file": others})

    assert InquiryFile.objects.count() == 1


def test_owner_is_reminded_and_staff_are_told_each_once(case: Case, brand: Controller) -> None:
    chased = []
    for days in (1, 3, 4, 6, 8, 9, 30):
        asked_at = timezone.now() - timedelta(days=days, minutes=1)
        Inquiry.objects.update(asked_at=asked_at, answer_by=asked_at + timedelta(days=7))
        chased.append(inquiry.chase(brand.pk, timezone.now()))
        run_jobs()

    assert chased == [0, 1, 0, 1, 1, 0, 0]
    assert len(links()) == 4
    assert len({path(link) for link in links()}) == 4
    told = [mail for mail in mails() if "No answer from the owner" in mail.title]
    assert len(told) == 1
    assert "Ada" not in told[0].title + told[0].body


def test_source_without_an_owner_fails_with_what_to_do(brand: Controller, archive: SourceSystem) -> None:
    SourceSystem.objects.filter(pk=archive.pk).update(owner_email="")
    made = one_case(brand, person=PERSON)
    handler = by_staff(staff(Role.HANDLER, brand))

    identity.record_evidence(made, Level.SUBSTANTIAL, "known_answers", "Knew.", handler, timezone.now())

    search = SourceSearch.objects.get(run__case=made)
    assert (search.state, search.error_code) == (SearchState.FAILED, "owner_missing")
    assert not Inquiry.objects.filter(search=search).exists()


def test_double_answer_ends_the_search_once(case: Case, visitor: Visitor) -> None:
    first, second = opened(), opened()
    first.get(at(visitor))
    second.get(at(visitor))

    pages: list[Any] = [
        browser.post(at(visitor), {"act": "answer", "said": "nothing"}) for browser in (first, second)
    ]

    assert [page.status_code for page in pages] == [200, 404]
    assert AuditEvent.objects.filter(action="collection.search_ended").count() == 1
