"""People and papers in a real Odoo, and what a connector does about them."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import psycopg

from cases.connectors.base import EMAIL, JSON, Identifier, Match
from cases.connectors.changes import Action, Finding, Obstacle, Outcome, Plan, Receipt, Verb, Wish
from cases.connectors.web import recording
from tests.cases.connectors.odoo.real import Odoo, Place

# Of a picture, the smallest that there is.
DOT = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002"
        "000001e221bc330000000049454e44ae426082"
    )
).decode()


@dataclass
class Office:
    """Records by the names that a test gives them, and the wishes for them."""

    odoo: Odoo
    place: Place
    mark: str = field(default_factory=lambda: uuid4().hex[:8])
    ids: dict[str, tuple[str, int]] = field(default_factory=dict)

    # -- what there is -------------------------------------------------------------------------------------------

    def make(self, called: str, model: str, /, **values: Any) -> int:
        number = self.odoo.create(model, **values)
        self.ids[called] = (model, number)
        return number

    def partner(self, called: str, **values: Any) -> int:
        known = {"name": f"{called.title()} {self.mark}", "email": f"{called}.{self.mark}@office.example"}
        return self.make(called, "res.partner", **{**known, **values})

    def note(self, called: str, body: str) -> None:
        model, number = self.ids[called]
        self.odoo(model, "message_post", ids=[number], body=body, message_type="comment")

    def write(self, called: str, **values: Any) -> None:
        model, number = self.ids[called]
        self.odoo(model, "write", ids=[number], vals=values)

    def held(self, called: str, *fields: str) -> dict[str, Any]:
        """What a record holds; nothing where it is gone."""
        model, number = self.ids[called]
        domain, hidden = [["id", "=", number]], {"active_test": False}
        rows = self.odoo(model, "search_read", domain=domain, fields=[*fields], context=hidden)
        return {name: rows[0][name] for name in fields} if rows else {}

    def hanging(self, called: str, *models: str) -> list[tuple[str, int]]:
        """What hangs on a record by model and number."""
        model, number = self.ids[called]
        return [
            (other, one)
            for other in models or ("mail.message", "ir.attachment", "mail.activity")
            for one in self.odoo.found(
                other,
                ["res_model" if other != "mail.message" else "model", "=", model],
                ["res_id", "=", number],
                *([["id", "!=", 0]] if other == "ir.attachment" else []),
            )
        ]

    # -- what is wished for ------------------------------------------------------------------------------------------

    def wish(self, called: str, verb: Verb = Verb.DELETE, **given: Any) -> Wish:
        return wish(*self.ids[called], verb, key=f"key of {called}", **given)

    def with_all(self, *names: str) -> list[Wish]:
        """Deletions of records, each with what hangs on it."""
        parts = [place for name in names for place in self.hanging(name)]
        return [*(wish(*place) for place in parts), *(self.wish(name) for name in names)]

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

    def apply(self, actions: Sequence[Action]) -> list[Receipt]:
        connector = self.place.connect()
        receipts = [connector.apply(action) for action in actions]
        connector.close()
        return receipts

    def outcomes(self, *wishes: Wish) -> list[Outcome]:
        plan = self.plan(*wishes)
        assert plan.blockers == ()
        return [receipt.outcome for receipt in self.apply(plan.actions)]

    def findings(self, actions: Sequence[Action], email: str = "") -> set[tuple[str, str]]:
        connector = self.place.connect()
        asked, matches = ([Identifier(EMAIL, email)] if email else []), list[Match]()
        found: Sequence[Finding] = connector.verify(asked, matches, actions)
        connector.close()
        return {(one.ref, one.where) for one in found}

    def refuses(self, called: str) -> bool:
        """Whether Odoo itself refuses the deletion."""
        model, number = self.ids[called]
        headers = {"Authorization": f"bearer {self.place.key}"}
        with httpx2.Client(base_url=self.place.url, timeout=60, trust_env=False, headers=headers) as http:
            return http.post(f"/json/2/{model}/unlink", json={"ids": [number]}).status_code == 422

    def remove(self) -> None:
        """Take away what is left, the last first; what Odoo keeps for good stays."""
        for model, number in reversed(self.ids.values()):
            if self.odoo.found(model, ["id", "=", number]):
                self.odoo.try_to_remove(model, number)


def wish(model: str, number: int, verb: Verb = Verb.DELETE, **given: Any) -> Wish:
    values: dict[str, JSON] = given.pop("values", {})
    key = given.pop("key", f"{model}/{number}")
    return Wish(key, verb, f"{model}/{number}", model, {"id": number}, values, **given)


# --- A whole database ---------------------------------------------------------------------------------------------

Rows = Mapping[str, Mapping[str, Mapping[str, Any]]]


def everything(database: psycopg.Connection[Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """Each row of each table, by table and by its id; rows of relations by all that they hold."""
    tables = database.execute(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).fetchall()
    return {table: dict(_rows(database, table)) for (table,) in tables if table not in _OF_THE_TEST}


# The calls of the test itself: who is there, and messages to open browsers.
_OF_THE_TEST = frozenset({"bus_bus", "bus_presence", "mail_presence", "res_device_log", "res_users_apikeys"})


def _rows(database: psycopg.Connection[Any], table: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for (row,) in database.execute(f"SELECT to_jsonb(t) FROM {table} t"):  # type: ignore[call-overload]
        yield str(row["id"] if "id" in row else sorted(row.items())), row
