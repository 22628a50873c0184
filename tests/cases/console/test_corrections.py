"""The screens of a rectification: on the Chinook sample from claim to closed case, and what each page refuses."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases import corrections
from cases.models import Case, RequestFile
from cases.words import Outcome, Right, State
from identity.roles import Role
from tests.cases.chinook import LUIS, make_shop, needs_chinook
from tests.cases.connectors.demo_crm.crm_world import LETTER
from tests.cases.connectors.sql.conftest import database, make_source  # noqa: F401  (fixtures)
from tests.cases.desk_cases import allow_all, in_review
from tests.cases.fulfilment.whole import changes, everything
from tests.cases.staff_client import signed_in
from tests.cases.workflow.rectifying import ADA, shop
from tests.factories.cases import run_jobs
from tests.factories.identity import ControllerFactory, staff

CITY = {"field": "City", "wrong": "São José dos Campos", "right": "São Paulo"}
STREET = {"field": "Street", "wrong": "Mill Lane 4", "right": "Mill Lane 14"}


@pytest.fixture
def here(serve):
    with shop() as found:
        yield found


def people(brand):
    return staff(Role.HANDLER, brand), staff(Role.DPO, brand)


def press(client, case: Case, name: str, *args, **data):
    case.refresh_from_db()
    return client.post(reverse(name, args=[case.pk, *args]), {"version": case.version, **data})


def approved(case: Case, handler, dpo) -> Case:
    """Written, sent to approval and approved, as people do it on their pages."""
    run_jobs()
    client = signed_in(handler)
    letter = client.get(reverse("console:submit", args=[case.pk])).context["form"]
    words = {name: letter[name].value() for name in ("title", "body")}
    reasons = {"reasons": "As each value says."}
    submitted = press(client, case, "console:submit", **words, **reasons)
    agreed = press(signed_in(dpo), case, "dpo:approve")
    run_jobs()
    case.refresh_from_db()
    assert (submitted.status_code, agreed.status_code) == (303, 303)
    return case


@needs_chinook
def test_exactly_the_planned_fields_of_the_whole_database_are_changed(serve, make_source):  # noqa: F811
    brand = ControllerFactory.create()
    allow_all(brand)
    sample = make_shop(brand, make_source)
    handler, dpo = people(brand)
    case = in_review(brand, handler, Right.RECTIFICATION, person=LUIS, claims=[CITY])
    client, before = signed_in(handler), everything(sample.source)
    page = client.get(reverse("console:corrections", args=[case.pk]))
    invoice = corrections.of(case).filter(collection="invoice").first()
    customer = corrections.of(case).get(collection="customer")

    left = press(client, case, "console:correction", invoice.pk, outcome="NOT_MEANT", also_alike="on")
    put_right = press(
        client, case, "console:correction", customer.pk, outcome="CORRECTED", wanted="São Paulo"
    )
    closed = approved(case, handler, dpo)

    assert (page.context["total"], left.status_code, put_right.status_code) == (8, 303, 303)
    assert changes(before, everything(sample.source)) == {"customer/1": {"city": "São Paulo"}}
    assert (closed.state, closed.outcome) == (State.CLOSED, Outcome.FULFILLED)


def test_what_was_typed_stays_where_it_cannot_stand_in_the_field(here):
    case = here.case(("E-mail", "ada.example@shop.test", "ada@shop.test"))
    handler, _dpo = people(here.desk.controller)
    one = corrections.of(case).filter(collection="contacts").first()

    answer = press(
        signed_in(handler),
        case,
        "console:correction",
        one.pk,
        outcome="CORRECTED",
        wanted="nobody",
        evidence="A letter.",
    )

    form = answer.context["form"]
    assert answer.status_code == 422
    assert form.errors == {"wanted": ["This is no e-mail address."]}
    assert (form["wanted"].value(), form["evidence"].value()) == ("nobody", "A letter.")


def test_pages_are_not_there_for_strangers_agents_and_other_rights(here):
    case = here.case(tuple(STREET.values()))
    access = in_review(
        here.desk.controller, staff(Role.HANDLER, here.desk.controller), Right.ACCESS, person=ADA
    )
    one = corrections.of(case).first()
    stranger = staff(Role.HANDLER, ControllerFactory.create())
    agent = staff(Role.AGENT, here.desk.controller)
    handler, _dpo = people(here.desk.controller)

    found = [
        signed_in(person).get(url).status_code
        for person in (stranger, agent)
        for url in (
            reverse("console:corrections", args=[case.pk]),
            reverse("console:correction", args=[case.pk, one.pk]),
        )
    ]
    found.append(signed_in(handler).get(reverse("console:corrections", args=[access.pk])).status_code)

    assert found == [404] * 5


def test_a_value_of_another_case_is_not_found(here):
    case, other = here.case(tuple(STREET.values())), here.case(tuple(STREET.values()))
    handler, _dpo = people(here.desk.controller)
    foreign = corrections.of(other).first()

    answer = press(
        signed_in(handler), case, "console:correction", foreign.pk, outcome="CORRECTED", wanted="X"
    )

    foreign.refresh_from_db()
    assert (answer.status_code, foreign.outcome) == (404, "")


def test_evidence_is_kept_with_its_claim_and_of_no_claim_refused(here):
    case = here.case(tuple(STREET.values()))
    handler, _dpo = people(here.desk.controller)
    client = signed_in(handler)
    pdf = {"file": SimpleUploadedFile("bill.pdf", LETTER + b"\n%%EOF")}

    kept = client.post(reverse("console:evidence", args=[case.pk, 0]), pdf)
    pdf["file"].seek(0)
    refused = client.post(reverse("console:evidence", args=[case.pk, 1]), pdf)

    claims = list(RequestFile.objects.values_list("subject_request", "claim"))
    assert (kept.status_code, refused.status_code) == (303, 422)
    assert claims == [(case.subject_request_id, 0)]


def test_evidence_of_another_case_is_not_shown(here):
    case, other = here.case(tuple(STREET.values())), here.case(tuple(STREET.values()))
    handler, _dpo = people(here.desk.controller)
    client = signed_in(handler)
    pdf = SimpleUploadedFile("planted.pdf", LETTER + b"\n%%EOF")
    client.post(reverse("console:evidence", args=[other.pk, 0]), {"file": pdf})
    foreign = RequestFile.objects.get()

    page = client.get(reverse("console:corrections", args=[case.pk])).content.decode()
    opened = client.get(reverse("console:case-file", args=[case.pk, foreign.pk]))

    assert ("planted.pdf" in page, opened.status_code) == (False, 404)


def test_a_correction_that_a_colleague_writes_down_is_found(here):
    case = here.case(words="My street is wrong.")
    handler, _dpo = people(here.desk.controller)

    answer = press(
        signed_in(handler),
        case,
        "console:corrections",
        detail="Street",
        wrong="Mill Lane 4",
        right="Mill Lane 14",
    )
    run_jobs()

    assert answer.status_code == 303
    assert [one.field for one in corrections.of(case)] == ["street"]


def test_the_list_asks_the_database_as_often_however_long_it_is(here):
    few = here.case(tuple(STREET.values()))
    many = here.case(tuple(STREET.values()), ("Language", "en", "de"), ("City", "Leeds", "York"))
    client = signed_in(people(here.desk.controller)[0])
    client.get(reverse("console:corrections", args=[few.pk]))

    counts = []
    for case in (few, many):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(reverse("console:corrections", args=[case.pk]))
        counts.append(len(queries))

    assert corrections.of(many).count() > corrections.of(few).count() + 2
    assert counts[0] == counts[1]


def test_what_a_source_refuses_is_shown_and_can_be_done_by_hand(here):
    case = here.case(tuple(STREET.values()))
    handler, _dpo = people(here.desk.controller)
    client, one = signed_in(handler), corrections.of(case).get(collection="contacts")
    store = here.crm.crm.store
    store.change(store.get("contacts", 1), {"street": "Castle Street 1"}, "Kim")
    press(client, case, "console:correction", one.pk, outcome="CORRECTED", wanted="Mill Lane 14")
    run_jobs()
    (line,) = client.get(reverse("console:corrections", args=[case.pk])).context["refused"]

    press(client, case, "console:correct-by-hand", line.pk)

    line.refresh_from_db()
    assert (line.obstacle, line.by_hand) == ("", True)
