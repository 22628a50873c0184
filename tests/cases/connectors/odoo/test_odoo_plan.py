"""Plans for a real Odoo: what they say it refuses, it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from cases.connectors.base import JSON
from cases.connectors.changes import Obstacle, Verb
from tests.cases.connectors.odoo.office import Office, wish
from tests.cases.connectors.odoo.real import Odoo, Place


@pytest.fixture
def office(odoo: Odoo, place: Place) -> Office:
    """A customer with papers. What is posted cannot be removed again, so each test leaves a customer behind."""
    made = Office(odoo, place)
    customer = made.partner("customer")
    made.make("address", "res.partner", name="Garden", parent_id=customer, type="delivery")
    made.make("lead", "crm.lead", name="Lead", partner_id=customer)
    made.partner("free")
    [product] = odoo("product.product", "search", domain=[["sale_ok", "=", True]], limit=1)
    line = [[0, 0, {"product_id": product, "product_uom_qty": 1}]]
    confirmed = made.make("order", "sale.order", partner_id=customer, order_line=line)
    made.make("draft order", "sale.order", partner_id=customer)
    odoo("sale.order", "action_confirm", ids=[confirmed])
    item = [[0, 0, {"name": "Service", "quantity": 1, "price_unit": 10, "tax_ids": [[6, 0, []]]}]]
    invoice: dict[str, Any] = {"move_type": "out_invoice", "partner_id": customer, "invoice_line_ids": item}
    posted = made.make("invoice", "account.move", invoice_date="2026-03-01", **invoice)
    made.make("draft invoice", "account.move", move_type="out_invoice", partner_id=customer)
    odoo("account.move", "action_post", ids=[posted])
    return made


def test_plan_foresees_what_odoo_refuses(office: Office) -> None:
    names = [*office.ids]
    # What hangs on a record is decided about with it; else that would stand in the way.
    parts = {name: [wish(*place) for place in office.hanging(name)] for name in names}

    found = {name: office.blockers(*parts[name], office.wish(name)).get(name) for name in names}

    assert found == {
        "customer": Obstacle.REFERENCED,
        "address": Obstacle.REFERENCED,  # the orders go there
        "lead": None,
        "free": None,
        "order": Obstacle.STATE,
        "draft order": None,
        "invoice": Obstacle.LEGAL_RETENTION,
        "draft invoice": None,
    }
    # The other way round: each that it lets through goes, and each that it stops is refused.
    assert {name for name in names if office.refuses(name)} == {name for name, why in found.items() if why}


def test_contact_that_has_to_stay_is_anonymised_with_its_tracked_values(office: Office) -> None:
    office.write("customer", email=f"new.{office.mark}@office.example")

    plan = office.plan(office.wish("customer", Verb.ANONYMISE))

    assert plan.blockers == ()
    assert [(action.verb, action.type) for action in plan.actions] == [
        (Verb.ANONYMISE, "res.partner"),
        (Verb.DELETE, "mail.tracking.value"),
    ]
    assert plan.actions[0].payload["email"] is False


@pytest.fixture
def plain(odoo: Odoo, place: Place) -> Office:
    """One contact with a child, of which nothing is left behind."""
    made = Office(odoo, place)
    made.make("child", "res.partner", name="Her garden", parent_id=made.partner("free"), type="delivery")
    return made


def test_plan_puts_what_refers_first(plain: Office) -> None:
    wishes = plain.with_all("free", "child")
    notes = {wish(*one).key for one in plain.hanging("free")}

    plan = plain.plan(*wishes)

    plain.remove()
    keys = [action.key for action in plan.actions]
    after = {action.key: set(action.after) for action in plan.actions}
    assert plan.blockers == ()
    assert [key for key in keys if key.startswith("key of")] == ["key of child", "key of free"]
    assert after["key of free"] == {"key of child"} | notes


def test_part_of_a_plan_knows_what_goes_in_another(plain: Office) -> None:
    *parts, top = plain.with_all("child", "free")
    connector, going = plain.place.connect(), {(one.type, one.ref): f"elsewhere {one.ref}" for one in parts}

    alone, together = connector.plan_part([top], {}), connector.plan_part([top], going)

    connector.close()
    plain.remove()
    assert [one.obstacle for one in alone.blockers] == [Obstacle.REFERENCED]
    assert together.blockers == ()
    assert f"elsewhere res.partner/{plain.ids['child'][1]}" in together.actions[0].after


@pytest.mark.parametrize(
    ("values", "obstacle"),
    [
        ({"country_id": "Sweden"}, Obstacle.NO_API),
        ({"no_such_field": "x"}, Obstacle.NO_API),
        ({"child_ids": []}, Obstacle.NO_API),
        ({"complete_name": "x"}, Obstacle.NO_API),
        ({"active": "banana"}, Obstacle.STATE),
        ({"type": "nowhere"}, Obstacle.STATE),
        ({"autopost_bills": None}, Obstacle.STATE),
        ({}, Obstacle.STATE),
        ({"city": "Leeds"}, None),
    ],
)
def test_correction_that_odoo_would_swallow_is_not_planned(
    plain: Office, values: dict[str, JSON], obstacle: Obstacle | None
) -> None:
    found = plain.blockers(plain.wish("free", Verb.SET, values=values))

    plain.remove()
    assert found == ({"free": obstacle} if obstacle else {})


def test_record_that_somebody_changed_is_a_blocker(plain: Office) -> None:
    found = plain.blockers(
        plain.wish("free", Verb.SET, values={"city": "Leeds"}, expected={"name": "Another"})
    )

    plain.remove()
    assert found == {"free": Obstacle.CHANGED}


def test_record_that_has_gone_needs_no_deletion_and_takes_no_correction(plain: Office) -> None:
    plain.odoo.remove("res.partner", [plain.ids["child"][1]])

    found = [
        plain.blockers(plain.wish("child")),
        plain.blockers(plain.wish("child", Verb.SET, values={"city": "L"})),
    ]

    plain.remove()
    assert found == [{}, {"child": Obstacle.NOT_FOUND}]


def test_block_and_unknown_kinds_are_left_to_a_person(plain: Office) -> None:
    """An archived contact is merely hidden; nothing in Odoo keeps it from being used."""
    found = plain.blockers(plain.wish("free", Verb.RESTRICT), wish("res.users", 2), wish("no.such.model", 1))

    plain.remove()
    assert set(found.values()) == {Obstacle.NO_API}
    assert len(found) == 3


def test_same_wishes_make_the_same_plan(plain: Office) -> None:
    wishes = plain.with_all("free", "child")

    digests = {plain.plan(*wishes).digest for _ in range(2)}

    plain.remove()
    assert len(digests) == 1
