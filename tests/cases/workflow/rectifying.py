"""A brand on a real demo CRM, and rectifications of Ada's there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cases import corrections
from cases.connectors.demo_crm.system.api import READ_KEY, WRITE_KEY
from cases.connectors.demo_crm.system.server import Server, running
from cases.models import Case, Correction, SourceSystem
from cases.words import Right
from cases.workflow.intake import Person
from identity.models import Controller
from tests.cases.connectors.demo_crm.crm_world import WORLD
from tests.cases.workflow.conftest import Desk, make_desk
from tests.factories.cases import SourceFactory
from tests.factories.identity import ControllerFactory

ADA = Person(name="Ada Example", email="ada.example@shop.test")
KINDS = ("contacts", "subscriptions", "tickets", "messages", "calls", "invoices", "files", "history")


@dataclass(frozen=True)
class Shop:
    """The desk of a brand, its CRM, and what stands in that."""

    desk: Desk
    crm: Server
    source: SourceSystem

    def case(self, *claims: tuple[str, str, str], **fields: Any) -> Case:
        """Ada's request, searched and in review: each claim says detail, wrong and right."""
        kept = [{"field": detail, "wrong": wrong, "right": right} for detail, wrong, right in claims]
        fields.setdefault("person", ADA)
        return self.desk.in_review(Right.RECTIFICATION, claims=kept, **fields)

    def everything(self) -> dict[tuple[str, int], dict[str, Any]]:
        """Every record of the CRM but what its own history says of it."""
        store = self.crm.crm.store
        found = {}
        for kind in KINDS:
            for number in range(1, 100):
                kept = store.get(kind, number)
                if kept is not None and kind != "history":
                    found[kind, number] = dict(kept.data)
        return found


@contextmanager
def shop(controller: Controller | None = None) -> Iterator[Shop]:
    """Inside a test that serves the database."""
    with running() as server:
        for kind, rows in WORLD.items():
            # Without the field that nobody described: what it is has to be said before any answer.
            server.crm.store.add(
                kind, [{k: v for k, v in row.items() if k != "loyalty_score"} for row in rows]
            )
        controller = controller or ControllerFactory.create()
        options = {"base_url": server.url, "network": "private", "page_size": 100}
        source = SourceFactory.create(
            controller=controller,
            slug="crm",
            name="Shop CRM",
            connector="demo_crm",
            options=options,
            dataset="",
        )
        source.secrets, source.erasing_secrets = {"api_key": READ_KEY}, {"api_key": WRITE_KEY}
        source.save()
        yield Shop(make_desk(controller), server, source)


def value(case: Case, collection: str, field: str, number: int = 0) -> Correction:
    """One disputed value of a case, in the order of the records."""
    found = corrections.of(case).filter(collection=collection, field=field).order_by("item__number")
    return found[number]
