"""A customer points at what is wrong: what they are shown of what was found, and what they never are."""

from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from cases import corrections
from cases.models import Case, Item, RequestFile, SourceSystem
from cases.words import Right, State
from cases.workflow import rectify
from cases.workflow.rectify import Pointed
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.lib.errors import Refused
from tests.cases.connectors.demo_crm.crm_world import LETTER
from tests.cases.portal.conftest import Visitor, at_once, make_brand, text_of
from tests.cases.workflow.conftest import Desk
from tests.cases.workflow.rectifying import Shop
from tests.factories.cases import forget, in_state, known, log, run_jobs
from tests.factories.crm import Lent, shop_of_world
from tests.factories.identity import ControllerFactory

EMAIL = "ada.example@shop.test"
STREET = ("Street", "Mill Lane 4", "Mill Lane 14")


pytestmark = pytest.mark.usefixtures("world")


@dataclass(frozen=True)
class World:
    """Ada's rectification at a brand with a CRM, and the cookies with which she is signed in there."""

    desk: Desk
    source: SourceSystem
    crm: Lent
    case: Case
    cookies: SimpleCookie


def build_world(patch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> World:
    at_once(patch)
    brand = ControllerFactory.create(slug="crm-brand", name="Crm", languages=["en-gb"])
    shop, crm = shop_of_world(request, brand)
    case = shop.case(words="Something is wrong with my address.")
    visitor = Visitor(brand)
    visitor.sign_in(case.subject_request, EMAIL)
    return World(shop.desk, shop.source, crm, case, visitor.cookies)


@pytest.fixture
def here(world: World) -> Iterator[Shop]:
    with world.crm.as_it_was() as server:
        yield Shop(world.desk, server, world.source)


@pytest.fixture
def case(here: Shop, world: World) -> Case:
    return world.case


@pytest.fixture
def ada(here: Shop, world: World) -> Visitor:
    return Visitor(here.desk.controller, world.cookies)


def place(case, collection: str, name: str, number: int = 0) -> str:
    item = Item.objects.filter(case=case, collection=collection).order_by("number")[number]
    return f"{item.pk}:{name}"


def test_plain_facts_of_ones_own_are_shown_and_nothing_else(ada, case):
    page = text_of(ada.see("corrections", case.pk))

    shown = ("Mill Lane 4", "Ada.Example@shop.test", "03/02/1980", "Harbour View 9")
    hidden = (
        "Prefers letters",
        "Kim",
        "Bob",
        "Where is my parcel",
        "C-1001",
        "Asked for a bill",
        "19.90",
    )
    assert [value in page for value in shown] == [True] * len(shown)
    assert [value in page for value in hidden] == [False] * len(hidden)


def test_that_it_was_seen_is_on_record_without_what_was_seen(ada, case):
    ada.see("corrections", case.pk)

    event = AuditEvent.objects.get(case_id=case.pk, action=Action.VALUES_SHOWN)
    assert (set(event.data), "Mill" in str(event.data)) == ({"count"}, False)


def test_what_was_pointed_at_is_found_again_with_its_evidence(ada, case):
    letter = SimpleUploadedFile("letter.pdf", LETTER + b"\n%%EOF", content_type="application/pdf")

    answer = ada.send(
        "corrections", case.pk, place=place(case, "contacts", "street"), right="Mill Lane 14", shows=[letter]
    )
    run_jobs()

    (one,) = corrections.of(case)
    assert answer.status_code == 303
    assert (one.found, one.field, one.claimed) == ("pointed", "street", "Mill Lane 14")
    assert RequestFile.objects.get(subject_request=case.subject_request).claim == one.claim


def test_what_cannot_stand_there_is_said_and_what_was_typed_stays(ada, case):
    answer = ada.send("corrections", case.pk, place=place(case, "contacts", "email"), right="not an address")

    assert answer.status_code == 422
    assert "This is no e-mail address." in text_of(answer)
    assert 'value="not an address"' in text_of(answer)
    assert case.subject_request.claims == []


@pytest.mark.parametrize(
    ("collection", "name"),
    [
        ("contacts", "note"),
        ("contacts", "number"),
        ("contacts", "other_emails"),
        ("tickets", "agent"),
        ("messages", "text"),
        ("calls", "summary"),
        ("contacts", "no_such_field"),
    ],
)
def test_a_claim_cannot_name_a_field_that_is_not_shown(here, ada, case, collection, name):
    hidden = place(case, collection, name)

    answer = ada.send("corrections", case.pk, place=hidden, right="anything")
    with pytest.raises(Refused) as refused:
        item, _colon, field = hidden.partition(":")
        rectify.point(case, Pointed(item, field, "anything"), here.desk.handler, timezone.now())

    case.subject_request.refresh_from_db()
    assert (answer.status_code, refused.value.code) == (422, "not_shown")
    assert case.subject_request.claims == []


def test_records_about_others_are_never_shown(ada, case):
    Item.objects.filter(case=case, collection="contacts").update(is_third_party=True)

    assert "Mill Lane 4" not in text_of(ada.see("corrections", case.pk))


def test_what_is_withheld_is_never_shown(ada, case):
    Item.objects.filter(case=case, collection="contacts").update(decision="withhold", exemption="TP")

    assert "Mill Lane 4" not in text_of(ada.see("corrections", case.pk))


def test_a_record_of_another_case_cannot_be_pointed_at(here, ada, case):
    other = here.case(words="Another request of somebody else.")

    answer = ada.send("corrections", case.pk, place=place(other, "contacts", "street"), right="X")

    assert answer.status_code == 422
    assert case.subject_request.claims == []


def test_another_request_is_not_found(here, ada):
    other = here.case(words="Another request.")

    assert ada.see("corrections", other.pk).status_code == 404


def test_nothing_is_shown_to_whoever_is_not_known_well_enough(ada, case):
    forget(case)
    known(case, 0)

    pages = [ada.see("corrections", case.pk).status_code, "corrections" in text_of(ada.see("mine"))]

    assert pages == [404, False]


@pytest.mark.parametrize("state", [State.APPROVAL, State.FULFILLING])
def test_what_is_being_decided_takes_no_more(ada, case, state):
    in_state(case, state)

    answer = ada.send("corrections", case.pk, place=place(case, "contacts", "street"), right="X")

    assert (answer.status_code, case.subject_request.claims) == (404, [])


def test_the_form_of_a_request_takes_evidence_for_each_correction():
    brand = make_brand()
    visitor = Visitor(brand)
    data = {
        "submission": "0190d0de-0000-7000-8000-000000000001",
        "wishes": ["correct"],
        "for_whom": "me",
        "name": "Ada Example",
        "email": "ada@example.com",
        "answer_by": "portal",
        "language": "en-gb",
        "claim_2_field": "address",
        "claim_2_right": "Mill Lane 14",
        "claim_2_files": SimpleUploadedFile("bill.pdf", LETTER + b"\n%%EOF"),
        "claim_3_files": SimpleUploadedFile("loose.pdf", LETTER + b"\n%%EOF"),
    }

    answer = visitor.post(visitor.at("ask"), data)

    kept = RequestFile.objects.order_by("claim").values_list("file__name", "claim")
    names = [file.file.name for file in RequestFile.objects.select_related("file")]
    assert answer.status_code == 303
    assert sorted(claim is None for _name, claim in kept) == [False, True]
    assert sorted(names) == ["bill.pdf", "loose.pdf"]


def test_an_access_case_has_no_such_page(here):
    case = log(here.desk.controller, Right.ACCESS).cases.get()
    in_state(case, State.REVIEW)

    assert rectify.may_point(case, timezone.now()) is False
