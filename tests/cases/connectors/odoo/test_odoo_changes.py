"""Changes in a real Odoo: exactly the rows that were planned, and what Odoo would do beyond them is foreseen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from cases.connectors.base import (
    EMAIL,
    Confidence,
    Conflict,
    ContractBroken,
    Effect,
    Identifier,
    Record,
)
from cases.connectors.changes import Obstacle, Outcome, Verb, Wish
from cases.connectors.odoo.behaviour import DELETABLE
from tests.cases.connectors.odoo.office import DOT, Office, everything, wish
from tests.cases.connectors.odoo.real import Odoo, Place
from tests.cases.connectors.odoo.truth import TABLES
from tests.cases.fulfilment.whole import changes

KEPT = {"account.move", "account.move.line"}  # a posted invoice, by the law on accounts


@pytest.fixture
def office(odoo: Odoo, place: Place) -> Iterator[Office]:
    made = Office(odoo, place)
    yield made
    made.remove()


# --- Row by row ---------------------------------------------------------------------------------------------------


def furnish(office: Office) -> None:
    """Ada with a bit of everything, and Bob, who comes close to her wherever he can."""
    ada, bob = office.partner("ada", street="Elm 1", city="York", image_1920=DOT), office.partner("bob")
    office.write("ada", email=f"former.{office.mark}@office.example")
    office.write("ada", email=f"ada.{office.mark}@office.example", name=f"Ada Elm {office.mark}")
    office.make("garden", "res.partner", name="Her garden", parent_id=ada, type="delivery", city="Ely")
    for called, partner in {"lead": ada, "his lead": bob}.items():
        office.make(called, "crm.lead", name=f"{called} {office.mark}", partner_id=partner)
        office.note(called, f"About {called}")
    office.make("form", "crm.lead", name="By form", email_from=f"Ada E. <ada.{office.mark}@office.example>")
    office.note("ada", "Asked for her parcel")
    office.odoo("crm.lead", "message_subscribe", ids=[office.ids["his lead"][1]], partner_ids=[ada])
    scan = {"datas": DOT, "res_model": "res.partner"}
    office.make("scan", "ir.attachment", name="scan.png", res_id=ada, **scan)
    office.make("his scan", "ir.attachment", name="scan.png", res_id=bob, **scan)
    times = {"start": "2026-04-01 09:00:00", "stop": "2026-04-01 10:00:00"}
    office.make("talk", "calendar.event", name="Talk", partner_ids=[[6, 0, [ada]]], **times)
    office.make("meeting", "calendar.event", name="Both", partner_ids=[[6, 0, [ada, bob]]], **times)
    # Odoo writes down there whom of them to call.
    office.write("meeting", description="<p>By phone</p>")
    office.make("task", "project.task", name="Ticket", partner_id=ada)
    [product] = office.odoo("product.product", "search", domain=[["sale_ok", "=", True]], limit=1)
    line = [[0, 0, {"product_id": product, "product_uom_qty": 1}]]
    office.make("quote", "sale.order", partner_id=ada, order_line=line)
    office.make("his quote", "sale.order", partner_id=bob, partner_shipping_id=ada, order_line=line)
    [newsletter] = office.odoo("mailing.list", "search", domain=[], limit=1)
    for called in ("ada", "bob"):
        subscribed = {"email": f"{called}.{office.mark}@office.example", "list_ids": [[6, 0, [newsletter]]]}
        office.make(f"{called} reads", "mailing.contact", name=called, **subscribed)
    item = [[0, 0, {"name": "Service", "quantity": 1, "price_unit": 10, "tax_ids": [[6, 0, []]]}]]
    invoice: dict[str, Any] = {"move_type": "out_invoice", "partner_id": ada, "invoice_line_ids": item}
    office.make("draft", "account.move", **invoice)
    office.make("invoice", "account.move", invoice_date="2026-03-01", **invoice)
    office.odoo("account.move", "action_post", ids=[office.ids["invoice"][1]])


def collected(office: Office, email: str) -> list[Record]:
    connector = office.place.connect()
    found = connector.find([Identifier(EMAIL, email, verified=True)])
    page = connector.collect([one for one in found if one.confidence is Confidence.EXACT], None)
    assert page.next is None
    connector.close()
    return [*page.records]


def wishes_of(records: list[Record], invoice: int) -> list[Wish]:
    """All goes but a posted invoice with what hangs on it; the contacts that it names lose their person."""
    found = []
    for one in records:
        data = json.loads(json.dumps(one.data))
        if one.type in DELETABLE and not is_of_invoice(one.type, data, invoice):
            verb = Verb.ANONYMISE if one.type == "res.partner" else Verb.DELETE
            found.append(wish(one.type, data["id"], verb, expected=data))
    return found


def is_of_invoice(model: str, data: dict[str, Any], invoice: int) -> bool:
    hangs = "account.move" in {data.get("model"), data.get("res_model")} and data["res_id"] == invoice
    return hangs or (model == "account.move" and data["id"] == invoice) or data.get("move_id") == invoice


# What Odoo takes along: rows that are nothing without the record that they name.
ALONG: dict[str, Any] = {
    "calendar_event_res_partner_rel": lambda row: f"calendar_event/{row['calendar_event_id']}",
    "mail_message": lambda row: f"{table(row['model'])}/{row['res_id']}",
    "mail_followers": lambda row: f"{table(row['res_model'])}/{row['res_id']}",
    "mail_followers_mail_message_subtype_rel": lambda row: f"mail_followers/{row['mail_followers_id']}",
}
# Columns in which Odoo keeps who changed a row and when, and copies that it makes of a name or an address.
BY_ITSELF = {"write_date", "write_uid"}
COPIES = {"complete_name", "email_normalized", "phone_sanitized", "partner_latitude", "partner_longitude"}


def table(ref: str) -> str:
    """Where a record, or a model, stands in the database."""
    model, slash, number = ref.partition("/")
    return TABLES.get(model, model.replace(".", "_")) + slash + number


def test_database_is_row_by_row_what_the_plan_said(office: Office, database: psycopg.Connection[Any]) -> None:
    furnish(office)
    invoice = f"account_move/{office.ids['invoice'][1]}"
    email = f"ada.{office.mark}@office.example"
    wishes = wishes_of(collected(office, email), office.ids["invoice"][1])
    before = everything(database)

    plan = office.plan(*wishes)
    receipts = office.apply(plan.actions)

    found = changes(before, everything(database))
    gone = {table(one.ref) for one in plan.actions if one.verb is Verb.DELETE and one.ref.count("/") == 1}
    nobody = {f"res_partner/{one.handle['id']}" for one in plan.actions if one.verb is Verb.ANONYMISE}
    along = {
        place: ALONG[place.partition("/")[0]](before[place.partition("/")[0]][place.partition("/")[2]])
        for place in found.keys() - gone - nobody - {invoice}
    }
    # Somebody else's quotation and meeting are left alone, though Ada is named in them.
    assert {blocker.ref: blocker.obstacle for blocker in plan.blockers} == {
        f"sale.order/{office.ids['his quote'][1]}": Obstacle.SHARED_RECORD,
        f"calendar.event/{office.ids['meeting'][1]}": Obstacle.SHARED_RECORD,
    }
    assert {receipt.outcome for receipt in receipts} <= {Outcome.DONE, Outcome.ALREADY}
    assert {place: found.get(place) for place in gone if found.get(place) != "gone"} == {}
    assert {
        place for place, owner in along.items() if found[place] != "gone" or found.get(owner) != "gone"
    } == set()
    # The kept invoice shows what its contact is called now, and is otherwise as it was.
    assert set(found[invoice]) - BY_ITSELF == {"invoice_partner_display_name"}
    payloads = {one.handle["id"]: {*one.payload} for one in plan.actions if one.verb is Verb.ANONYMISE}
    for place in nobody:
        columns = set(found[place]) - BY_ITSELF - COPIES
        assert columns <= payloads[int(place.partition("/")[2])]
    assert mentions(database, office.mark, email) == []
    assert office.findings(plan.actions, email) == set()


def mentions(database: psycopg.Connection[Any], mark: str, email: str) -> list[str]:
    """Every row of any table in which her address or name still stands."""
    held = everything(database)
    words = (email, f"former.{mark}", f"Ada {mark}", f"Ada Elm {mark}")
    return sorted(
        f"{name}/{key}"
        for name, rows in held.items()
        for key, row in rows.items()
        if any(word in json.dumps(row, ensure_ascii=False, default=str) for word in words)
    )


# --- What Odoo would do beyond the record that is meant -----------------------------------------------------------


def test_task_takes_no_subtask_of_another_along(office: Office) -> None:
    project = office.make("project", "project.project", name=f"Desk {office.mark}")
    hers = {"project_id": project, "partner_id": office.partner("ada")}
    task = office.make("task", "project.task", name="Hers", **hers)
    his = {"project_id": project, "partner_id": office.partner("bob"), "parent_id": task}
    office.make("subtask", "project.task", name="His", **his)

    plan = office.plan(*office.with_all("task"))

    assert [(one.key, one.obstacle) for one in plan.blockers] == [("key of task", Obstacle.REFERENCED)]


def test_message_to_several_goes_with_its_record_and_else_stays(office: Office) -> None:
    both = [office.partner("ada"), office.partner("bob")]
    lead = office.make("lead", "crm.lead", name="Lead", partner_id=both[0])
    said = {"model": "crm.lead", "res_id": lead, "message_type": "comment"}
    office.make("word", "mail.message", body="To both", partner_ids=[[6, 0, both]], **said)

    alone, together = office.blockers(office.wish("word")), office.blockers(*office.with_all("lead"))

    assert (alone, together) == ({"word": Obstacle.SHARED_RECORD}, {})


def test_bank_account_goes_with_its_contact_alone(office: Office) -> None:
    """By itself it would be archived, and its number noted down in the chatter."""
    ada = office.partner("ada")
    office.make("bank", "res.partner.bank", acc_number=f"DE {office.mark}", partner_id=ada)

    alone = office.blockers(office.wish("bank"))
    plan = office.plan(*office.with_all("bank", "ada"))
    outcomes = {receipt.key: receipt.outcome for receipt in office.apply(plan.actions)}

    assert alone == {"bank": Obstacle.REFERENCED}
    assert (plan.blockers, plan.tasks) == ((), ())
    assert [outcomes[f"key of {one}"] for one in ("ada", "bank")] == [Outcome.DONE, Outcome.ALREADY]
    assert (office.held("ada", "name"), office.held("bank", "acc_number")) == ({}, {})


def test_address_is_not_handed_to_the_company_and_the_colleagues(office: Office) -> None:
    firm = office.partner("firm", is_company=True, street="Elm 1", city="York")
    office.partner("eva", parent_id=firm)
    office.partner("colleague", parent_id=firm)

    found = office.blockers(office.wish("eva", Verb.SET, values={"city": "Leeds"}))
    outcomes = office.outcomes(office.wish("eva", Verb.SET, values={"phone": "+44 20 7946 0009"}))
    # A contact without an address hands none on.
    outcomes += office.outcomes(office.wish("eva", Verb.ANONYMISE))

    assert found == {"eva": Obstacle.SHARED_RECORD}
    assert outcomes == [Outcome.DONE, Outcome.DONE]
    assert [office.held(one, "street", "city") for one in ("firm", "colleague", "eva")] == [
        {"street": "Elm 1", "city": "York"},
        {"street": "Elm 1", "city": "York"},
        {"street": False, "city": False},
    ]


def test_contact_under_another_does_not_lose_its_address_with_it(office: Office) -> None:
    ada = office.partner("ada", street="Elm 1")
    office.partner("spouse", parent_id=ada, type="contact")

    assert office.blockers(office.wish("ada", Verb.ANONYMISE)) == {"ada": Obstacle.SHARED_RECORD}
    both = [office.wish("ada", Verb.ANONYMISE), office.wish("spouse", Verb.ANONYMISE)]
    assert office.blockers(*both) == {}


def test_contact_with_an_account_waits_for_that_to_be_archived(office: Office) -> None:
    ada = office.partner("ada")
    plan = office.plan(office.wish("ada", Verb.ANONYMISE))
    office.make("account", "res.users", login=f"ada.{office.mark}", partner_id=ada)

    found = office.blockers(office.wish("ada", Verb.ANONYMISE))
    receipts = office.apply(plan.actions)

    # Odoo says no by an error of the server's, and offers another way.
    assert found == {"ada": Obstacle.STATE}
    assert [(one.outcome, one.obstacle, one.effect) for one in receipts] == [
        (Outcome.REFUSED, Obstacle.STATE, Effect.RETAINED)
    ]
    office.write("account", active=False)
    assert office.outcomes(office.wish("ada", Verb.ANONYMISE)) == [Outcome.DONE]


# --- At the moment of the call --------------------------------------------------------------------------------------


def test_what_changed_meanwhile_is_a_conflict_and_nothing_is_overwritten(office: Office) -> None:
    office.partner("ada", city="York")
    given = {"expected": {"city": "York"}, "values": {"city": "Leeds"}}
    plan = office.plan(office.wish("ada", Verb.SET, **given))
    office.write("ada", city="Ely")

    with pytest.raises(Conflict):
        office.apply(plan.actions)

    connector = office.place.connect()
    now = connector.read_again(office.wish("ada"))
    connector.close()
    assert now is not None
    assert (now["city"], now["type"], now["country_id.name"]) == ("Ely", "contact", None)


def test_record_on_which_something_was_put_meanwhile_is_left_alone(office: Office) -> None:
    office.make("lead", "crm.lead", name="Lead")
    plan = office.plan(*office.with_all("lead"))
    office.note("lead", "A word that nobody has decided about")

    *_parts, last = office.apply(plan.actions)

    assert (last.outcome, last.obstacle) == (Outcome.REFUSED, Obstacle.REFERENCED)
    assert office.held("lead", "name") == {"name": "Lead"}


def test_refusals_at_the_last_moment_are_told_by_the_receipt(office: Office) -> None:
    customer = office.partner("customer")
    [product] = office.odoo("product.product", "search", domain=[["sale_ok", "=", True]], limit=1)
    line = [[0, 0, {"product_id": product, "product_uom_qty": 1}]]
    order = office.make("order", "sale.order", partner_id=customer, order_line=line)
    lead = office.make("lead", "crm.lead", name=f"Guarded {office.mark}")
    parts = [
        wish("sale.order.line", one) for one in office.odoo.found("sale.order.line", ["order_id", "=", order])
    ]
    plan = office.plan(*parts, *office.with_all("order", "lead"))
    office.odoo(
        "sale.order", "write", ids=[order], vals={"state": "sale"}, context={"tracking_disable": True}
    )
    [model] = office.odoo.found("ir.model", ["model", "=", "crm.lead"])
    rule = {
        "domain_force": f"[('id', '!=', {lead})]",
        "perm_read": False,
        "perm_create": False,
        "perm_write": False,
    }
    office.make("rule", "ir.rule", name="Guard", model_id=model, **rule)

    found = {one.key: (one.outcome, one.obstacle) for one in office.apply(plan.actions)}

    assert plan.blockers == ()
    assert found["key of order"] == (Outcome.REFUSED, Obstacle.STATE)
    assert found["key of lead"] == (Outcome.REFUSED, Obstacle.PERMISSION)
    assert office.blockers(office.wish("lead"))["lead"] == Obstacle.PERMISSION
    office.odoo("sale.order", "write", ids=[order], vals={"state": "draft"})


def test_correction_takes_the_wrong_value_out_of_history_and_leaves_the_rest(office: Office) -> None:
    office.partner("ada", name=f"Ida {office.mark}")
    office.write("ada", name=f"Eda {office.mark}")
    office.write("ada", name=f"Oda {office.mark}")
    known = {"expected": {"name": f"Oda {office.mark}"}, "values": {"name": f"Ada {office.mark}"}}
    made = office.wish("ada", Verb.SET, **known)

    plan = office.plan(made)
    before = office.findings(plan.actions)
    outcomes = [one.outcome for one in office.apply(plan.actions)]

    domain = (
        ["mail_message_id.res_id", "=", office.ids["ada"][1]],
        ["mail_message_id.model", "=", "res.partner"],
    )
    left = office.odoo.found("mail.tracking.value", *domain)
    kept = office.odoo("mail.tracking.value", "read", ids=left, fields=["old_value_char", "new_value_char"])
    assert outcomes == [Outcome.DONE, Outcome.DONE]
    assert {where for _ref, where in before} == {"res.partner.name", "values before the change"}
    assert office.findings(plan.actions) == set()
    assert [(one["old_value_char"], one["new_value_char"]) for one in kept] == [
        (f"Ida {office.mark}", f"Eda {office.mark}")
    ]


def test_what_came_back_is_found(office: Office) -> None:
    office.partner("ada", street="Elm 1", image_1920=DOT)
    office.write("ada", email=f"new.{office.mark}@office.example")
    plan = office.plan(office.wish("ada", Verb.ANONYMISE))
    office.apply(plan.actions)
    clean = office.findings(plan.actions, f"new.{office.mark}@office.example")
    office.write("ada", email=f"new.{office.mark}@office.example", image_1920=DOT)

    found = {where for _ref, where in office.findings(plan.actions, f"new.{office.mark}@office.example")}

    assert clean == set()
    assert found >= {"res.partner.email", "res.partner.image_1920", "search of res.partner by email"}
    assert "values before the change" in found


def test_action_of_another_connector_is_refused_as_broken(office: Office) -> None:
    office.partner("ada")
    [action] = office.plan(office.wish("ada", Verb.ANONYMISE)).actions
    connector = office.place.connect()

    for wrong in (
        replace(action, verb=Verb.RESTRICT),
        replace(action, type="no.such"),
        replace(action, handle={}),
    ):
        with pytest.raises(ContractBroken):
            connector.apply(wrong)

    connector.close()
    assert office.held("ada", "active") == {"active": True}


def test_plan_tells_which_records_would_no_longer_say_whom_they_are_about(office: Office) -> None:
    office.make("lead", "crm.lead", name="Stays", partner_id=office.partner("ada"))

    plan = office.plan(*office.with_all("ada"))

    told = "Where a contact is deleted, Odoo empties what refers to it in crm.lead: see that this is right."
    assert (plan.blockers, plan.tasks) == ((), (told,))
