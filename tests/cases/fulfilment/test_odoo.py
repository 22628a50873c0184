"""One whole erasure over a real Odoo, from the search to the proof, with a record that changes meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from cases.models import ChangeStep, Leftover, PartStage
from cases.words import Outcome, Right, State
from cases.workflow import mending
from cases.workflow.intake import Person
from tests.cases.connectors.odoo.conftest import odoo, place  # noqa: F401  (fixtures)
from tests.cases.connectors.odoo.office import Office
from tests.cases.connectors.odoo.real import Odoo, Place
from tests.cases.fulfilment.erasing import approved, live, open_desk, run_all, the_part
from tests.cases.workflow.conftest import Desk
from tests.factories.cases import SourceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(odoo: Odoo, place: Place) -> Iterator[Office]:  # noqa: F811
    made = Office(odoo, place)
    [product] = odoo("product.product", "search", domain=[["sale_ok", "=", True]], limit=1)
    line = [[0, 0, {"product_id": product, "product_uom_qty": 1}]]
    for called in ("ada", "bob"):
        partner = made.partner(called)
        made.make(f"{called}'s lead", "crm.lead", name=f"Lead {called}", partner_id=partner)
        made.make(f"{called}'s quote", "sale.order", partner_id=partner, order_line=line)
        made.note(called, f"A call with {called}")
    made.write("ada", email=f"former.{made.mark}@office.example")
    made.write("ada", email=f"ada.{made.mark}@office.example")
    yield made
    made.remove()


@pytest.fixture
def desk(serve: Any, place: Place) -> Desk:  # noqa: F811
    made = open_desk()
    SourceFactory.create(
        controller=made.controller,
        connector="odoo",
        options={"base_url": place.url, "network": "private", "calls_per_minute": 60_000},
        secrets={"api_key": place.key},
        erasing_secrets={"api_key": place.key},
        dataset="",
    )
    return made


def there(office: Office) -> set[str]:
    return {name for name in office.ids if office.held(name, "id")}


def test_person_is_erased_and_nobody_else(desk: Desk, office: Office) -> None:
    case = approved(
        desk,
        desk.in_review(Right.ERASURE, person=Person(name="Ada", email=f"ada.{office.mark}@office.example")),
    )
    office.write("ada's quote", client_order_ref="Changed after it was approved")

    run_all()

    # What hangs on the changed record, and what it keeps, waits with it.
    lines = live(case).lines.filter(state="stale")
    assert {line.collection for line in lines} == {"sale.order", "sale.order.line", "res.partner"}
    assert (the_part(case).stage, the_part(case).held_for) == (PartStage.HELD, "stale")
    assert there(office) >= {"ada's quote"}
    mending.redecide(case, [line.pk for line in lines], mending.AGAIN, "", "", desk.handler, timezone.now())
    mending.approve_changed(case, desk.dpo, timezone.now())
    run_all()

    case.refresh_from_db()
    states = Counter(ChangeStep.objects.filter(part__plan__case=case).values_list("state", flat=True))
    assert list(Leftover.objects.values_list("where", "remains")) == []
    assert there(office) == {"bob", "bob's lead", "bob's quote"}
    assert (set(states), str(case.state), case.outcome) == (
        {"done", "already"},
        State.CLOSED,
        Outcome.FULFILLED,
    )
