"""Plans for a real Odoo: what they say it refuses, it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from cases.connectors.base import JSON
from cases.connectors.changes import Obstacle, Plan, Verb, Wish
from cases.connectors.web import recording
from tests.cases.connectors.odoo.real import Odoo, Place


@dataclass
class Office:
    """A customer with a posted invoice, a confirmed order, a draft of each, a lead and an address."""

    odoo: Odoo
    place: Place
    ids: dict[str, tuple[str, int]] = field(default_factory=dict)

    def make(self, called: str, model: str, /, **values: Any) -> int:
        number = self.odoo.create(model, **values)
        self.ids[called] = (model, number)
        return number

    def wish(self, name: str, verb: Verb = Verb.DELETE, **given: Any) -> Wish:
        model, number = self.ids[name]
        values: dict[str, JSON] = given.pop("values", {})
        return Wish(f"key of {name}", verb, f"{model}/{number}", model, {"id": number}, values, **given)

    def plan(self, *wishes: Wish) -> Plan:
        connector = self.place.connect()
        with recording() as calls:
            plan = connector.plan(wishes)
        connector.close()
        assert [call.request for call in calls if call.writes] == []
        return plan

    def blockers(self, *wishes: Wish) -> dict[str, Obstacle]:
        return {
            blocker.key.removeprefix("key of "): blocker.obstacle for blocker in self.plan(*wishes).blockers
        }

    def refuses(self, name: str) -> bool:
        """Whether Odoo itself refuses the deletion."""
        model, number = self.ids[name]
        headers = {"Authorization": f"bearer {self.place.key}"}
        with httpx2.Client(base_url=self.place.url, timeout=60, trust_env=False, headers=headers) as http:
            return http.post(f"/json/2/{model}/unlink", json={"ids": [number]}).status_code == 422


@pytest.fixture
def office(odoo: Odoo, place: Place) -> Office:
    """What is posted cannot be removed again, so each test leaves a customer behind."""
    made = Office(odoo, place)
    mark = uuid4().hex[:8]
    customer = made.make("customer", "res.partner", name=f"Customer {mark}", email=f"c.{mark}@plan.example")
    made.make("address", "res.partner", name="Garden", parent_id=customer, type="delivery")
    made.make("lead", "crm.lead", name="Lead", partner_id=customer)
    made.make("free", "res.partner", name=f"Free {mark}", email=f"f.{mark}@plan.example")
    [product] = odoo("product.product", "search", domain=[["sale_ok", "=", True]], limit=1)
    line = [[0, 0, {"product_id": product, "product_uom_qty": 1}]]
    confirmed = made.make("order", "sale.order", partner_id=customer, order_line=line)
    made.make("draft order", "sale.order", partner_id=customer, order_line=line)
    odoo("sale.order", "action_confirm", ids=[confirmed])
    item = [[0, 0, {"name": "Service", "quantity": 1, "price_unit": 10, "tax_ids": [[6, 0, []]]}]]
    invoice: dict[str, Any] = {"move_type": "out_invoice", "partner_id": customer, "invoice_line_ids": item}
    posted = made.make("invoice", "account.move", invoice_date="2026-03-01", **invoice)
    made.make("draft invoice", "account.move", **invoice)
    odoo("account.move", "action_post", ids=[posted])
    return made


@pytest.fixture
def names(office: Office) -> list[str]:
    return [*office.ids]


def test_plan_foresees_what_odoo_refuses(office: Office, names: list[str]) -> None:
    found = {name: office.blockers(office.wish(name)) for name in names}

    assert found == {
        "customer": {"customer": Obstacle.REFERENCED},
        "address": {"address": Obstacle.REFERENCED},  # the orders go there
        "lead": {},
        "free": {},
        "order": {"order": Obstacle.STATE},
        "draft order": {},
        "invoice": {"invoice": Obstacle.LEGAL_RETENTION},
        "draft invoice": {},
    }
    # The other way round: each that it lets through goes, and each that it stops is refused.
    assert {name for name in names if office.refuses(name)} == {name for name, why in found.items() if why}


def test_plan_puts_what_refers_first(office: Office) -> None:
    parent = office.make("parent", "res.partner", name="Parent")
    office.make("child", "res.partner", name="Her garden", parent_id=parent, type="delivery")

    plan = office.plan(office.wish("parent"), office.wish("child"))

    assert plan.blockers == ()
    assert [(action.key, action.after) for action in plan.actions] == [
        ("key of child", ()),
        ("key of parent", ("key of child",)),
    ]


def test_contact_that_has_to_stay_is_anonymised_with_its_tracked_values(office: Office) -> None:
    plan = office.plan(office.wish("customer", Verb.ANONYMISE))

    assert plan.blockers == ()
    assert [(action.verb, action.type) for action in plan.actions] == [
        (Verb.ANONYMISE, "res.partner"),
        (Verb.DELETE, "mail.tracking.value"),
    ]
    assert plan.actions[0].payload["email"] is False


@pytest.mark.parametrize(
    ("values", "obstacle"),
    [
        ({"country_id": "Sweden"}, Obstacle.NO_API),
        ({"no_such_field": "x"}, Obstacle.NO_API),
        ({"child_ids": []}, Obstacle.NO_API),
        ({"city": "Leeds"}, None),
    ],
)
def test_correction_that_odoo_would_swallow_is_not_planned(
    office: Office, values: dict[str, JSON], obstacle: Obstacle | None
) -> None:
    found = office.blockers(office.wish("free", Verb.SET, values=values))

    assert found == ({"free": obstacle} if obstacle else {})


def test_record_that_somebody_changed_is_a_blocker(office: Office) -> None:
    found = office.blockers(
        office.wish("free", Verb.SET, values={"city": "Leeds"}, expected={"name": "Another"})
    )

    assert found == {"free": Obstacle.CHANGED}


def test_record_that_has_gone_needs_no_deletion_and_takes_no_correction(office: Office) -> None:
    office.odoo.remove("res.partner", [office.ids["free"][1]])

    found = [
        office.blockers(office.wish("free")),
        office.blockers(office.wish("free", Verb.SET, values={"city": "L"})),
    ]

    assert found == [{}, {"free": Obstacle.NOT_FOUND}]


def test_same_wishes_make_the_same_plan(office: Office, names: list[str]) -> None:
    wishes = [office.wish(name) for name in names]

    assert office.plan(*wishes).digest == office.plan(*wishes).digest
