"""The kit, on a real Odoo behind a proxy that makes it misbehave."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, ClassVar
from uuid import uuid4

import psycopg
import pytest

from cases.connectors.base import OPEN_GATE, Connector, Gate, Record, Setup
from cases.connectors.changes import Verb
from cases.connectors.conformance.kit import Aspect, Change, ConnectorContract, Trouble, World
from tests.cases.connectors.odoo.proxy import Proxy, before
from tests.cases.connectors.odoo.real import Odoo, Place
from tests.cases.connectors.odoo.truth import Truth

SCAN = b"%PDF-1.4 a scan of Ada's" * 40
BATCH = 1000


class People:
    """Ada with a second, archived entry and an address of hers; and Bob. Removed again afterwards."""

    def __init__(self, odoo: Odoo) -> None:
        self.odoo = odoo
        self.mark = uuid4().hex[:10]
        self.email, self.bob_email = f"ada.{self.mark}@kit.example", f"bob.{self.mark}@kit.example"
        self._made: list[tuple[str, int]] = []
        number = str(int(self.mark, 16))[:7].zfill(7)
        self.phone = f"+44 20 7{number}"
        self.ada = self._make("res.partner", name=f"Ada {self.mark}", email=self.email, phone=self.phone)
        self.old = self._make(
            "res.partner", name=f"A. Old {self.mark}", email=self.email.upper(), active=False
        )
        # Odoo tracks what the address was before.
        odoo("res.partner", "write", ids=[self.ada], vals={"email": f"former.{self.email}"})
        odoo("res.partner", "write", ids=[self.ada], vals={"email": self.email})
        self._make(
            "res.partner", name="Her garden", parent_id=self.ada, type="delivery", city=f"Ely {self.mark}"
        )
        self.lead = self._make("crm.lead", name="Wants a quote", partner_id=self.ada)
        self._make("crm.lead", name="By form", email_from=f'"Ada E." <{self.email}>')
        self._make("mailing.contact", name=f"Ada {self.mark}", email=self.email)
        for number in range(8):
            self.note(self.ada, f"Call {number}: asked for her parcel {self.mark}")
        self.scan(self.ada, "scan.pdf", SCAN)
        self.bob = self._make("res.partner", name=f"Bob {self.mark}", email=self.bob_email)
        self._make("crm.lead", name=f"Heating of Bob {self.mark}", partner_id=self.bob)
        self.note(self.bob, f"Bob moved out {self.mark}")

    def _make(self, model: str, **values: Any) -> int:
        number = self.odoo.create(model, **values)
        self._made.append((model, number))
        return number

    def note(self, partner: int, body: str) -> None:
        arguments = {"body": body, "message_type": "comment", "subtype_xmlid": "mail.mt_note"}
        self.odoo("res.partner", "message_post", ids=[partner], **arguments)

    def scan(self, partner: int, name: str, content: bytes) -> None:
        about = {"res_model": "res.partner", "res_id": partner}
        self._make("ir.attachment", name=name, datas=base64.b64encode(content).decode(), **about)

    def remove(self) -> None:
        for model, number in reversed(self._made):
            if self.odoo.found(model, ["id", "=", number]):
                self.odoo.remove(model, [number])


class TestOdoo(ConnectorContract):
    connector: ClassVar[str] = "odoo"
    not_claimed: ClassVar = {
        Trouble.LIMIT_AS_FORBIDDEN: "Odoo has no limit that speaks as something else: a 403 is a want of rights.",
    }

    @pytest.fixture(autouse=True)
    def _source(self, place: Place, odoo: Odoo, database: psycopg.Connection[Any]) -> Iterator[None]:
        self.place, self.odoo, self.database = place, odoo, database
        self.people = People(odoo)
        self._connected: list[Connector] = []
        self.records_of_ada = Counter(model for model, _ in Truth(database, self.people.email).records())
        with ExitStack() as stack:
            self.proxy: Proxy = stack.enter_context(before(place.url))
            yield
            for connector in self._connected:
                connector.close()
        self.people.remove()

    def connect(
        self, *, page_size: int = 1000, wrong_secret: bool = False, gate: Gate = OPEN_GATE
    ) -> Connector:
        """Not every test of the kit closes what it opened."""
        self._connected.append(super().connect(page_size=page_size, wrong_secret=wrong_secret, gate=gate))
        return self._connected[-1]

    def way_in(self, *, page_size: int = 1000, wrong_secret: bool = False) -> Setup:
        return self.place.setup(
            url=self.proxy.url, key="wrong-key" if wrong_secret else self.place.key, page_size=page_size
        )

    def world(self) -> World:
        mark = self.people.mark
        return World(
            subject=self.people.email,
            spellings=(self.people.email.upper(), f" {self.people.email.title()}\n"),
            near_misses=(
                self.people.email[1:],
                self.people.email.removesuffix("e"),
                "%",
                "ada_%@kit.example",
            ),
            stranger=self.people.bob_email,
            stranger_marks=(f"Bob {mark}", f"Heating of Bob {mark}", f"Bob moved out {mark}"),
            confidential=(
                self.place.key,
                "wrong-key",
                self.people.email,
                f"Ada {mark}",
                f"Bob {mark}",
                "her parcel",
            ),
            records=self.records_of_ada,
            phone=self.people.phone,
            phone_spellings=(
                self.people.phone.replace("+", "00").replace(" ", ""),
                self.people.phone.replace(" ", "-"),
            ),
            duplicate_marks=(f"A. Old {mark}",),
            archived_marks=(f"A. Old {mark}",),
            unknown_fields=self._custom_fields(),
            files={"scan.pdf": hashlib.sha256(SCAN).hexdigest()},
            # What hangs on a record goes before it; the contact, after which nobody is found, comes last.
            changes=(
                Change(Verb.DELETE, "mail.message", {"model": "crm.lead", "res_id": self.people.lead}),
                Change(Verb.SET, "res.partner", {"name": f"Ada {mark}"}, {"city": "Bradford on Avon"}),
                Change(Verb.DELETE, "crm.lead", {"name": "Wants a quote"}),
                Change(Verb.DELETE, "ir.attachment", {"name": "scan.pdf"}),
                Change(Verb.DELETE, "mail.message", {"model": "res.partner", "res_id": self.people.old}),
                Change(Verb.DELETE, "res.partner", {"name": f"A. Old {mark}"}),
                Change(Verb.ANONYMISE, "res.partner", {"name": f"Ada {mark}"}),
            ),
            refused=Change(Verb.DELETE, "res.partner", {"name": f"Ada {mark}"}),
        )

    def _custom_fields(self) -> dict[str, tuple[str, ...]]:
        rows = self.database.execute(
            "SELECT model, name FROM ir_model_fields WHERE state = 'manual' AND store ORDER BY name"
        )
        found = defaultdict(list)
        for model, name in rows:
            found[model].append(name)
        # Only in models that can be about a person.
        return {
            model: tuple(names)
            for model, names in found.items()
            if model in {"account.analytic.line", "project.project"}
        }

    def misbehave(self, trouble: Trouble) -> None:
        self.proxy.trouble = trouble

    def behave(self) -> None:
        self.proxy.trouble = None

    def change_while_paging(self, taken: Sequence[Record]) -> None:
        model, _, number = taken[-1].ref.partition("/")
        assert model == "mail.message"  # nothing hangs on it
        self.odoo.remove(model, [int(number)])
        self.people.note(self.people.ada, "Called again")

    def fill(self, count: int, size: int) -> None:
        about = {"model": "res.partner", "res_id": self.people.ada, "message_type": "comment"}
        for begin in range(0, count, BATCH):
            rows = [{**about, "body": f"{begin + one} " + "x" * size} for one in range(BATCH)]
            self.odoo("mail.message", "create", vals_list=rows)

    def attach(self, size: int) -> str:
        content = bytes(range(256)) * (size // 256)
        self.people.scan(self.people.ada, "long.wav", content)
        return hashlib.sha256(content).hexdigest()

    def writes(self) -> int:
        return self.proxy.writes


def test_nothing_of_the_kit_is_left_out_but_what_odoo_has_not() -> None:
    claims = set(TestOdoo.not_claimed)

    assert claims == {Trouble.LIMIT_AS_FORBIDDEN}
    assert not claims & set(Aspect)
