"""The pages on which an erasure's plan is decided and approved, over a real shop."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases import history
from cases.models import Case, ItemDecision, LineState, PlannedChange
from cases.words import Right
from cases.workflow import plan
from dsar.audit.models import AuditEvent
from tests.cases.chinook import LUIS, keep_invoices, make_shop, needs_chinook
from tests.cases.connectors.sql.conftest import Source, database
from tests.cases.desk_cases import Office, in_review, make_office
from tests.cases.staff_client import signed_in
from tests.factories.cases import run_jobs
from tests.worlds import part

__all__ = ["database"]

pytestmark = [pytest.mark.usefixtures("world"), needs_chinook]

DIGEST = "SELECT md5(string_agg(row::text, ';' ORDER BY row::text)) FROM \"{table}\" row"


@dataclass(frozen=True)
class World:
    office: Office
    case: Case
    shop: Source
    held: dict[str, Any]


def build_world(_patch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> World:
    office, server = make_office(), request.getfixturevalue("database")

    def schema(statements: str) -> Source:
        made = Source(server.admin, f"s_{uuid4().hex[:12]}", server.reader, server.password)
        server.execute(f'CREATE SCHEMA "{made.schema}"')
        request.addfinalizer(lambda: server.execute(f'DROP SCHEMA "{made.schema}" CASCADE'))
        made.execute(statements)
        return made

    shop = make_shop(office.brand, schema)
    keep_invoices(shop)
    case = in_review(office.brand, office.handler, Right.ERASURE, person=LUIS)
    return World(office, case, shop.source, held_by(shop.source))


def held_by(shop: Source) -> dict[str, Any]:
    tables = shop.rows(f"SELECT tablename FROM pg_tables WHERE schemaname = '{shop.schema}'")
    return {table: shop.rows(DIGEST.format(table=table)) for (table,) in tables}


@pytest.fixture(autouse=True)
def _shop_is_left_as_it_was(world: World) -> Iterator[None]:
    """No transaction of ours holds the shop, which the tests share: plans try every change there and make none."""
    yield
    assert held_by(world.shop) == world.held


office, case = part("office"), part("case")


def page(case: Case, **query: str) -> str:
    return f"{reverse('console:plan', args=[case.pk])}?{'&'.join(f'{k}={v}' for k, v in query.items())}"


def decide(client: Any, case: Case, **data: Any) -> Any:
    version = Case.objects.get(pk=case.pk).version
    return client.post(reverse("console:decide-lines", args=[case.pk]), {"version": version, **data})


def lines(case: Case, **fields: Any) -> Any:
    return PlannedChange.objects.filter(case=case, **fields).order_by("number")


def test_plan_shows_what_becomes_of_records_and_why(office, case):
    response = signed_in(office.handler).get(page(case, collection="customer", treatment="anonymise"))

    text = response.content.decode()
    assert response.status_code == 200
    assert "The tax law wants invoices kept." in text
    assert "Records that stay refer to it" in text
    assert "will be anonymous" in text


def test_everything_as_proposed_leaves_nothing_open(office, case):
    response = decide(signed_in(office.handler), case, scope="everything", treatment="as_proposed")

    shown = signed_in(office.handler).get(reverse("console:case", args=[case.pk])).content.decode()
    assert (response.status_code, lines(case, state=LineState.PROPOSED).count()) == (303, 0)
    assert "As proposed: " in shown
    assert lines(case, state=LineState.DECIDED).count() == 47


def test_ticked_lines_are_kept_under_an_exception_with_a_reason(office, case):
    line = lines(case, collection="invoice", treatment="delete").first()
    data = {"line": str(line.pk), "treatment": "keep", "basis": "LEGAL_CLAIMS", "reason": "A claim is open."}

    response = decide(signed_in(office.handler), case, scope="lines", **data)

    line.refresh_from_db()
    assert response.status_code == 303
    assert (line.treatment, line.basis, line.reason, line.state) == (
        "keep",
        "LEGAL_CLAIMS",
        "A claim is open.",
        "decided",
    )
    assert (line.item.decision, line.item.exemption) == (ItemDecision.KEEP, "LEGAL_CLAIMS")


def test_refused_decision_keeps_what_was_typed(office, case):
    line = lines(case, collection="invoice", treatment="delete").first()
    data = {"line": str(line.pk), "treatment": "keep", "basis": "", "reason": "A claim is open."}

    response = decide(signed_in(office.handler), case, scope="lines", **data)

    assert response.status_code == 422
    assert "A claim is open." in response.content.decode()
    assert "Choose the exception under which this is kept." in response.content.decode()
    assert lines(case, state=LineState.DECIDED).count() == 1


def test_group_is_decided_as_a_whole_and_nothing_else(office, case):
    source = lines(case).first().source_id
    shown = {
        "source": str(source),
        "collection": "invoice_line",
        "shown_treatment": "delete",
        "shown_rule": "usual",
    }

    decide(signed_in(office.handler), case, scope="group", treatment="refer", **shown)

    decided = lines(case, state=LineState.DECIDED).exclude(collection="employee")
    assert set(decided.values_list("collection", "treatment", "basis")) == {
        ("invoice_line", "refer", "NOT_OURS")
    }
    assert decided.count() == 13


def test_nothing_chosen_is_said(office, case):
    response = decide(signed_in(office.handler), case, scope="lines", treatment="delete")

    assert (response.status_code, lines(case, state=LineState.DECIDED).count()) == (422, 1)


def test_fields_are_made_anonymous_as_a_line_says(office, case):
    line = lines(case, collection="customer").get()
    address = reverse("console:plan-line", args=[case.pk, line.pk])
    version = Case.objects.get(pk=case.pk).version
    ways = {
        "field-city": "keep", "field-postal_code": "postcode:2", "field-email": "keyed_hash",
        "field-company": "constant", "constant-company": "-",
    }  # fmt: skip

    response = signed_in(office.handler).post(address, {"version": version, "treatment": "anonymise", **ways})

    run_jobs()
    line.refresh_from_db()
    assert response.status_code == 303
    assert line.wanted == {
        "city": "keep", "postal_code": {"postcode": 2}, "email": "keyed_hash", "company": {"constant": "-"},
    }  # fmt: skip
    values = line.steps.get().action["payload"]["values"]
    assert (values["city"], values["postal_code"], values["company"]) == ("São José dos Campos", "12", "-")
    assert values["email"].endswith("@anonymised.invalid")
    assert (values["phone"], values["first_name"][:7]) == (None, "erased-")


def test_ground_is_recorded_and_an_unknown_one_refused(office, case):
    client, address = signed_in(office.handler), reverse("console:plan-ground", args=[case.pk])

    for code in ("NO_SUCH", "CONSENT_WITHDRAWN"):
        client.post(address, {"ground": code, "version": Case.objects.get(pk=case.pk).version})

    assert plan.live(case).ground == "CONSENT_WITHDRAWN"
    (chosen,) = AuditEvent.objects.filter(action="fulfilment.plan_ground_chosen")
    told = [history.told([chosen])[0].text]
    del chosen.data["regime"]
    told += [history.told([chosen])[0].text]
    assert told == ["Consent withdrawn (Art 17(1)(b))", "Consent withdrawn"]


def test_pages_are_for_those_who_may_see_content_of_that_very_case(office, case):
    line, stranger = lines(case).first(), make_office()
    other = in_review(stranger.brand, stranger.handler, Right.ERASURE)
    theirs = lines(other).first()
    own = [
        page(case),
        reverse("console:plan-line", args=[case.pk, line.pk]),
        reverse("dpo:plan", args=[case.pk]),
    ]
    mixed = reverse("console:plan-line", args=[case.pk, theirs.pk])

    for user in (office.agent, stranger.handler, stranger.dpo):
        assert [signed_in(user).get(address).status_code for address in own] == [404, 404, 404]
    assert signed_in(office.handler).get(mixed).status_code == 404
    assert signed_in(stranger.handler).get(mixed).status_code == 404
    assert signed_in(office.handler).get(reverse("dpo:plan", args=[case.pk])).status_code == 404


def test_viewing_a_plan_is_on_record(office, case):
    signed_in(office.handler).get(page(case))

    seen = AuditEvent.objects.filter(action="case.content_viewed").values_list("data", flat=True)
    assert list(seen) == [{"plan": 1, "page": 1, "count": 1}]


def test_queries_do_not_grow_with_lines(office, case):
    client = signed_in(office.handler)
    few = page(
        case,
        source=str(lines(case).first().source_id),
        collection="customer",
        treatment="anonymise",
        rule="referenced",
    )
    many = (
        few.replace("customer", "invoice_line").replace("anonymise", "delete").replace("referenced", "usual")
    )
    client.get(few)

    with CaptureQueriesContext(connection) as one:
        client.get(few)
    with CaptureQueriesContext(connection) as thirteen:
        response = client.get(many)

    assert response.content.decode().count('name="line"') == 13
    assert len(thirteen) == len(one)
