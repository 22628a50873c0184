"""The plan of an erasure over a real PostgreSQL: what the rules propose, what the source answers, who decides."""

from collections import Counter
from collections.abc import Callable

import pytest

from cases.models import PartStage, PlanStage
from cases.workflow import plan
from tests.cases.chinook import Shop, keep_invoices, luis_in_review, make_shop, needs_chinook
from tests.cases.connectors.sql.conftest import Source, database, make_source  # noqa: F401  (fixtures)
from tests.cases.workflow.conftest import Desk, make_desk
from tests.factories.identity import ControllerFactory

pytestmark = [pytest.mark.django_db, needs_chinook]


@pytest.fixture
def desk(serve) -> Desk:
    return make_desk(ControllerFactory.create())


@pytest.fixture
def shop(desk: Desk, make_source: Callable[[str], Source]) -> Shop:  # noqa: F811  (the fixture)
    return make_shop(desk.controller, make_source)


def proposals(made) -> Counter:
    return Counter(made.lines.values_list("collection", "treatment", "rule", "by_hand", "obstacle"))


def test_plan_keeps_young_invoices_deletes_old_ones_and_anonymises_the_customer(desk, shop):
    keep_invoices(shop)

    case = luis_in_review(desk)

    made = plan.live(case)
    assert made.stage == PlanStage.READY
    assert proposals(made) == {
        ("customer", "anonymise", "referenced", False, ""): 1,
        ("employee", "keep", "third_party", False, ""): 1,
        ("invoice", "delete", "past:invoices", False, ""): 4,
        ("invoice", "keep", "keeping:invoices", False, ""): 3,
        ("invoice_line", "delete", "usual", False, ""): 13,
        ("invoice_line", "keep", "part_of:invoices", False, ""): 25,
    }
    part = made.parts.get()
    assert (part.stage, part.steps_total, part.looked) == (PartStage.PLANNED, 18, 18)
