"""What is kept, and what is gone, in a real browser: accessible, and no wider than a phone."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from cases.permissions import BY_OPERATOR
from cases.retention import rules
from cases.words import State
from cases.workflow import retention
from dsar.lib.tenancy import unit_of_work
from identity.roles import Role
from tests.browser import Judge, browser, page, serving
from tests.cases.desk_cases import in_review, source
from tests.cases.retention.kept import step
from tests.cases.staff_client import enter
from tests.factories.cases import in_state
from tests.factories.identity import ControllerFactory, staff

__all__ = ["browser", "page"]

pytestmark = pytest.mark.browser


@pytest.fixture
def site(committed_db: None, settings: Any) -> Iterator[str]:
    """The application's address, served by threads of this process."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    with serving() as url:
        yield url


def test_pages_of_what_is_kept_and_gone(site: str, page: Page) -> None:
    judge = Judge("retention")
    look = judge.look
    with unit_of_work([]):
        brand = ControllerFactory.create(name="Northwind Energy")
        source(brand, name="Customer system")
        handler = staff(Role.HANDLER, brand, full_name="Hannah Handler")
        dpo = staff(Role.DPO, brand, full_name="Dora Protector")
        content = {"case_file": {"keep": "6 years", "because": "Limitation Act 1980, s. 5"}}
        retention.issue_periods(brand, content, BY_OPERATOR, timezone.now())
        case, kept = in_review(brand, handler), in_review(brand, handler)
        in_state(case, State.CLOSED)
        later = timezone.now() + timedelta(days=91)
        retention.carry_out(rules.COLLECTED, brand.pk, later, step)
        in_state(kept, State.CLOSED)
        item = kept.items.first()
    enter(page, site, dpo)

    page.goto(f"{site}/dpo/retention/")
    look(page, "rules")
    page.get_by_role("link", name="Count what is due now").click()
    page.get_by_role("columnheader", name="Due now").first.wait_for()
    look(page, "counted")
    page.goto(site + reverse("console:case", args=[case.pk]))
    look(page, "case")
    page.get_by_text("What there was").click()
    assert page.get_by_text("not decided").count() > 0
    page.goto(site + reverse("console:review", args=[case.pk]))
    look(page, "review")
    page.goto(site + reverse("console:item", args=[case.pk, item.pk]))
    look(page, "gone")
    assert page.get_by_role("heading", name="This is not kept any more").is_visible()
    assert judge.complaints == []
