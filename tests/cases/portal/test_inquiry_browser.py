"""The owner of a source at a telephone and at a desk."""

from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from cases.models import SourceSystem
from cases.permissions import by_staff
from cases.workflow import identity
from dsar.lib.tenancy import unit_of_work
from identity.models import Level
from identity.roles import Role
from tests.browser import Judge, browser
from tests.cases.portal.conftest import make_brand
from tests.cases.portal.in_browser import phone
from tests.cases.portal.test_document_browser import server
from tests.cases.portal.test_inquiry import OWNER, PDF, PERSON, links, path
from tests.factories.cases import SourceFactory, one_case, run_jobs
from tests.factories.identity import staff

__all__ = ["browser", "phone", "server"]

pytestmark = pytest.mark.browser


def test_owner_hands_in_what_they_found(server: str, phone: Page, tmp_path: Path) -> None:
    found = tmp_path / "letter-2019.pdf"
    found.write_bytes(PDF)
    with unit_of_work([]):
        brand = make_brand(logo="img/brands/meridian.svg")
    with unit_of_work([brand.pk]):
        SourceSystem.objects.update(is_active=False)
        options = {"instructions": "Room 3, cabinets A to F."}
        SourceFactory.create(
            controller=brand, name="Filing cabinet", connector="manual", options=options, owner_email=OWNER
        )
        case = one_case(brand, person=PERSON)
        handler = by_staff(staff(Role.HANDLER, brand))
        identity.record_evidence(case, Level.SUBSTANTIAL, "known_answers", "Knew.", handler, timezone.now())
        run_jobs()
    judge = Judge("inquiry")

    phone.goto(server + path(links()[0]))
    judge.look(phone, "open")
    phone.get_by_role("button", name="Show whom to look for").click()
    phone.get_by_role("heading", name="Whom to look for").wait_for()
    judge.look(phone, "asked")
    phone.get_by_role("button", name="Send my answer").click()
    phone.get_by_text("Choose your answer").first.wait_for()
    judge.look(phone, "refused")
    phone.get_by_label("Files").set_input_files(found)
    phone.get_by_role("button", name="Add these files").click()
    phone.get_by_text("letter-2019.pdf").first.wait_for()
    judge.look(phone, "added")
    phone.locator("label", has_text="I found data").click()
    phone.get_by_role("button", name="Send my answer").click()
    phone.get_by_role("heading", name="Thank you").wait_for()
    judge.look(phone, "done")
    phone.goto(server + path(links()[0]))
    judge.look(phone, "closed")

    assert judge.complaints == []
