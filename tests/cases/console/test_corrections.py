"""The screens of a rectification: on the Chinook sample from claim to closed case, and what each page refuses."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases import corrections
from cases.connectors.demo_crm.system.api import Switches
from cases.models import Case, PlaceState, RequestFile
from cases.permissions import by_staff
from cases.words import Outcome, Right, State
from cases.workflow import restriction
from cases.workflow.restriction import Chosen
from identity.roles import Role
from tests.cases.chinook import LUIS, make_shop, needs_chinook
from tests.cases.connectors.demo_crm.crm_world import LETTER
from tests.cases.connectors.sql.conftest import database, make_source  # noqa: F401  (fixtures)
from tests.cases.desk_cases import allow_all, in_review
from tests.cases.fulfilment.whole import changes, everything
from tests.cases.staff_client import signed_in
from tests.cases.workflow.rectifying import ADA, shop
from tests.cases.workflow.test_marking import breaking
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


def submitted(case: Case, handler):
    """Written and sent to approval, as people do it on their pages."""
    run_jobs()
    client = signed_in(handler)
    letter = client.get(reverse("console:submit", args=[case.pk])).context["form"]
    words = {name: letter[name].value() for name in ("title", "body")}
    return press(client, case, "console:submit", **words, reasons="As each value says.")


def approved(case: Case, handler, dpo) -> Case:
    """The same, and approved."""
    sent = submitted(case, handler)
    agreed = press(signed_in(dpo), case, "dpo:approve")
    run_jobs()
    case.refresh_from_db()
    assert (sent.status_code, agreed.status_code) == (303, 303)
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


def test_approver_sends_one_value_back_with_a_reason(here):
    case = here.case(tuple(STREET.values()))
    handler, dpo = people(here.desk.controller)
    one, *others = corrections.of(case)
    press(signed_in(handler), case, "console:correction", one.pk, outcome="CORRECTED", wanted="Mill Lane 14")
    for other in others:
        press(signed_in(handler), case, "console:correction", other.pk, outcome="NOT_MEANT")
    submitted(case, handler)
    client = signed_in(dpo)

    page = client.get(reverse("dpo:decision", args=[case.pk])).content.decode()
    without = press(client, case, "dpo:return", value=str(one.pk))
    sent = press(client, case, "dpo:return", value=str(one.pk), reason="Is it really 14?")

    case.refresh_from_db()
    open_ones = list(corrections.of(case).filter(outcome="").values_list("pk", flat=True))
    assert (page.count(f'value="{one.pk}"'), without.status_code, sent.status_code) == (1, 422, 303)
    assert f'value="{one.pk}" checked' in without.content.decode()
    assert (open_ones, str(case.state)) == ([one.pk], State.REVIEW)


def test_mark_that_a_source_cut_off_is_told_and_tried_again_from_the_page(here):
    case = here.case(tuple(STREET.values()))
    handler, _dpo = people(here.desk.controller)
    client, at = signed_in(handler), {"args": [case.pk]}
    breaking(here)
    found = restriction.begin_meanwhile(
        case, Chosen("ACCURACY", [here.source.pk]), by_staff(handler), timezone.now()
    )
    run_jobs()
    place = found.places.get()

    warned = client.get(reverse("console:corrections", **at)).content.decode()
    text = client.get(reverse("console:case", **at)).content.decode()
    form = text.partition(reverse("console:act-on", args=[case.pk, "mark-again", place.pk]))[2]
    here.crm.crm.switches = Switches()
    pressed = press(client, case, "console:act-on", "mark-again", place.pk)
    run_jobs()

    place.refresh_from_db()
    assert ("Their use does not rest everywhere yet" in warned, "Done in 1 of 2 records" in text) == (
        True,
        True,
    )
    assert "csrfmiddlewaretoken" in form.partition("</form>")[0]
    assert (pressed.status_code, place.state) == (303, PlaceState.MARKED)
    assert (
        "The use of these records rests" in client.get(reverse("console:corrections", **at)).content.decode()
    )


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
