"""A brand whose shop is the public Chinook sample, with an account that may read it and one that may change it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from cases.models import Case, KeepingRule, SourceSystem, Treatment
from cases.words import Right
from cases.workflow.intake import Person
from identity.models import Controller
from tests.cases.connectors.sql.conftest import Source
from tests.factories.cases import SourceFactory

CHINOOK = Path(__file__).parents[3] / "shared" / "data" / "chinook"
LUIS = Person(name="Luís Gonçalves", email="luisg@embraer.com.br")
needs_chinook = pytest.mark.skipif(
    not CHINOOK.exists(), reason="the Chinook sample database is not beside the project"
)
# Of Luís's seven invoices three are younger.
CUT = date(2023, 7, 1)


@dataclass(frozen=True)
class Shop:
    """The sample's database, and the source system that speaks with it."""

    source: Source
    system: SourceSystem

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        return self.source.rows(f"SELECT * FROM {table} ORDER BY 1, 2")


def make_shop(controller: Controller, make_source: Callable[[str], Source], **fields: Any) -> Shop:
    """The sample in a schema of its own, connected."""
    source = make_source((CHINOOK / "chinook.sql").read_text(encoding="utf-8"))
    source.allow_changes()
    system = SourceFactory.create(
        controller=controller,
        slug="shop",
        name="Music shop",
        connector="postgresql",
        options=source.options(),
        secrets={"password": source.password},
        erasing_secrets=source.erase_secrets,
        dataset=(CHINOOK / "dataset.yml").read_text(encoding="utf-8"),
        **fields,
    )
    return Shop(source, system)


def keep_invoices(shop: Shop, since: date = CUT, **fields: Any) -> KeepingRule:
    """The tax law wants invoices kept; those of before this day are old enough to go today."""
    today = timezone.localdate()
    months = (today.year - since.year) * 12 + today.month - since.month
    wanted: dict[str, Any] = {
        "slug": "invoices",
        "source": shop.system,
        "collection": "invoice",
        "parts": ["invoice_line"],
        "date_field": "invoice_date",
        "keep_months": months,
        "treatment": Treatment.KEEP,
        "exception": "LEGAL_OBLIGATION_OR_PUBLIC_TASK",
        "words": "The tax law wants invoices kept.",
    }
    made: KeepingRule = KeepingRule.objects.create(controller_id=shop.system.controller_id, **wanted | fields)
    return made


def luis_in_review(desk: Any, **fields: Any) -> Case:
    """The erasure that Luís asked for: his identity seen, the shop searched, the plan made and tried."""
    case: Case = desk.in_review(Right.ERASURE, person=LUIS, **fields)
    return case
