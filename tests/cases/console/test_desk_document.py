"""The review of a document: for whom it is there, how pictures leave the house, and what is pressed in it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases import worklist
from cases.models import Case, RequestFile
from cases.permissions import by_customer, by_staff
from cases.workflow import document as documents
from cases.workflow.intake import Upload
from dsar.audit.models import AuditEvent
from identity.evidence.intake import Picture
from identity.evidence.keeping import Checked
from identity.models import Controller, DocumentKind, DocumentStage, IdentityDocument
from identity.roles import Role
from tests.cases.staff_client import signed_in
from tests.factories.cases import log
from tests.factories.identity import ControllerFactory, give_policy, staff
from tests.identity.documents.pictures import jpeg, page
from tests.identity.documents.specimens import SPECIMENS

pytestmark = pytest.mark.django_db

PICTURE = Checked(Picture(jpeg(page())))


@pytest.fixture
def brand(serve: Any) -> Controller:
    made = ControllerFactory.create()
    give_policy(made, {"default": 2})
    return made


def sent(brand: Controller) -> tuple[Case, IdentityDocument]:
    request = log(brand)
    by = by_customer(request.pk)
    made = documents.hand_in(request, DocumentKind.PASSPORT, [PICTURE], by, timezone.now())
    return request.cases.get(), made


def address(case: Case, document: IdentityDocument, act: str = "") -> str:
    if act:
        return reverse("console:document-act", args=[case.pk, document.pk, act])
    return reverse("console:document", args=[case.pk, document.pk])


def picture_of(case: Case, document: IdentityDocument) -> str:
    return reverse("console:document-picture", args=[case.pk, document.pk, document.pictures.get().pk])


@pytest.fixture
def handler(brand: Controller) -> Client:
    return signed_in(staff(Role.HANDLER, brand))


def test_the_case_leads_to_the_document(brand: Controller, handler: Client) -> None:
    case, document = sent(brand)

    shown = handler.get(reverse("console:case", args=[case.pk])).content.decode()

    assert shown.count(address(case, document)) == 2


def test_a_case_with_a_document_waits_for_us_and_one_without_for_the_customer(brand: Controller) -> None:
    (case, document), other = sent(brand), log(brand).cases.get()
    user, now = staff(Role.HANDLER, brand), timezone.now()
    before = [worklist.blocked_on(one) for one in (case, other)]
    page_of_us = worklist.page(user, [brand], worklist.Wanted(blocked="us"), now)

    documents.ask_more(case, document.pk, "back_missing", by_staff(user), now)

    assert before == ["us", "customer"]
    assert [row.case.pk for row in page_of_us.rows] == [case.pk]
    assert worklist.blocked_on(case) == "customer"


def test_a_picture_never_leaves_as_a_page(brand: Controller, handler: Client) -> None:
    case, document = sent(brand)

    answer = handler.get(picture_of(case, document), headers={"Sec-Fetch-Dest": "image"})

    assert (answer.status_code, answer["Content-Type"], answer.content[:2]) == (
        200,
        "image/jpeg",
        b"\xff\xd8",
    )
    assert answer["Content-Disposition"] == 'attachment; filename="document.jpg"'
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Cache-Control"] == "no-store, private"
    assert AuditEvent.objects.filter(case_id=case.pk, action="identity.document_viewed").count() == 1


@pytest.mark.parametrize("destination", ["document", "iframe", "object", "embed"])
def test_a_picture_is_opened_nowhere_else(brand: Controller, handler: Client, destination: str) -> None:
    case, document = sent(brand)

    answer = handler.get(picture_of(case, document), headers={"Sec-Fetch-Dest": destination})

    assert answer.status_code == 404
    assert AuditEvent.objects.filter(action="identity.document_viewed").count() == 0


@pytest.mark.parametrize("role", [Role.AGENT, Role.DPO, Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR])
def test_for_others_there_is_no_document(brand: Controller, role: Role) -> None:
    case, document = sent(brand)
    client = signed_in(staff(role, brand))

    answers = [
        client.get(address(case, document)),
        client.get(picture_of(case, document)),
        *(client.post(address(case, document, act)) for act in ("reading", "accept", "refuse", "more")),
    ]

    assert [answer.status_code for answer in answers] == [404] * 6
    assert IdentityDocument.objects.get(pk=document.pk).stage == DocumentStage.WAITING


def test_an_agents_case_page_does_not_name_the_document(brand: Controller) -> None:
    case, document = sent(brand)
    client = signed_in(staff(Role.AGENT, brand))

    shown = client.get(reverse("console:case", args=[case.pk])).content.decode()

    assert str(document.pk) not in shown


def test_evidence_that_came_with_the_request_is_not_for_agents(brand: Controller) -> None:
    request = log(brand, files=[Upload("authority.txt", "text/plain", [b"Signed: Ada Example"])])
    case, attached = request.cases.get(), RequestFile.objects.get(subject_request=request)
    where = reverse("console:case-file", args=[case.pk, attached.pk])

    answers = [
        signed_in(staff(role, brand)).get(where) for role in (Role.AGENT, Role.ADMINISTRATOR, Role.HANDLER)
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 200]
    assert answers[-1]["Content-Disposition"].startswith("attachment")


def test_a_handler_of_another_brand_finds_nothing(brand: Controller) -> None:
    case, document = sent(brand)
    client = signed_in(staff(Role.HANDLER, ControllerFactory.create()))

    answers = [client.get(address(case, document)), client.get(picture_of(case, document))]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_a_document_is_not_reached_through_another_case(brand: Controller, handler: Client) -> None:
    (case, document), (other, _) = sent(brand), sent(brand)

    answers = [
        handler.get(address(other, document)),
        handler.post(address(other, document, "accept"), {"level": 2}),
        handler.get(
            reverse("console:document-picture", args=[other.pk, document.pk, document.pictures.get().pk])
        ),
    ]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert Case.objects.get(pk=case.pk).identity_level == 0


def test_a_typed_zone_is_shown_beside_the_record(brand: Controller, handler: Client) -> None:
    case, document = sent(brand)

    typed = handler.post(address(case, document, "reading"), {"text": SPECIMENS["TD3"]})
    shown = handler.get(address(case, document))

    assert (typed.status_code, typed["Location"]) == (303, address(case, document))
    rows = {str(row.label): (row.value, str(row.badge)) for row in shown.context["reading"].rows}
    assert rows["Number"] == ("L898902C3", "fits")
    assert rows["Valid until"] == ("2012-04-15", "expired")
    assert rows["Issued by"] == ("UTO", "Utopia: a specimen, no state")
    assert [(one.document, one.record, str(one.badge)) for one in shown.context["beside"]] == [
        ("ERIKSSON, ANNA MARIA", "Ada Example", "different"),
        ("1974-08-12", "", "cannot be compared"),
    ]


def test_a_slip_in_a_typed_zone_is_named(brand: Controller, handler: Client) -> None:
    case, document = sent(brand)

    handler.post(
        address(case, document, "reading"), {"text": SPECIMENS["TD3"].replace("L898902C3", "L898902C4")}
    )

    rows = {
        str(row.label): str(row.badge) for row in handler.get(address(case, document)).context["reading"].rows
    }
    assert (rows["Number"], rows["Check digit of the whole"]) == ("the check digit does not fit",) * 2


def test_accepting_leads_back_to_the_case(brand: Controller, handler: Client) -> None:
    case, document = sent(brand)

    answer = handler.post(address(case, document, "accept"), {"level": 2})

    assert (answer.status_code, answer["Location"]) == (303, reverse("console:case", args=[case.pk]))
    assert Case.objects.get(pk=case.pk).identity_level == 2
    assert "were destroyed" in handler.get(address(case, document)).content.decode()


@pytest.mark.parametrize(
    ("act", "given"),
    [
        ("accept", {}),
        ("accept", {"level": 3}),
        ("accept", {"level": "x"}),
        ("refuse", {}),
        ("refuse", {"reason": "x"}),
        ("more", {}),
    ],
)
def test_an_incomplete_judgement_is_asked_for_again(
    brand: Controller, handler: Client, act: str, given: dict[str, Any]
) -> None:
    case, document = sent(brand)

    answer = handler.post(address(case, document, act), given)

    assert answer.status_code == 422
    assert IdentityDocument.objects.get(pk=document.pk).stage == DocumentStage.WAITING


def test_an_unknown_act_is_not_there(brand: Controller, handler: Client) -> None:
    case, document = sent(brand)

    answers = [handler.post(address(case, document, "frame")), handler.get(address(case, document, "accept"))]

    assert [answer.status_code for answer in answers] == [404, 404]
