"""The other rights in a real browser: logged, filled in by keyboard, looked at again, approved; and as they look."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page

from cases.models import Case, Restriction, SecondLook, SourceSystem
from cases.permissions import by_staff
from cases.words import Right
from cases.workflow import decide, restriction
from cases.workflow.restriction import Chosen
from dsar.lib.tenancy import unit_of_work
from tests.browser import DESKTOP, Judge, browser, open_context, page
from tests.cases.console.test_desk_browser import site
from tests.cases.desk_cases import Office, allow_all, in_review, make_office
from tests.cases.staff_client import enter

__all__ = ["browser", "page", "site"]

pytestmark = pytest.mark.browser


@pytest.fixture
def office(site: str) -> Office:
    with unit_of_work([]):
        made = make_office(name="Northwind Energy", slug="northwind")
    with unit_of_work([made.brand.pk]):
        allow_all(made.brand)
        SourceSystem.objects.update(
            portable={"basis": "contract", "collections": {"notes": {"origin": "inferred"}}}
        )
    return made


def fresh(office: Office, right: Right) -> Case:
    with unit_of_work([office.brand.pk]):
        return in_review(office.brand, office.handler, right)


def restricted(office: Office) -> tuple[Case, Restriction]:
    """A restriction in force, not marked in its system yet."""
    case = fresh(office, Right.RESTRICTION)
    with unit_of_work([office.brand.pk]):
        handler, now = by_staff(office.handler), timezone.now()
        source = SourceSystem.objects.get()
        chosen = Chosen("ACCURACY", [source.pk], "The billing address of this year.")
        made = restriction.choose(case, chosen, handler, now)
        title, body = decide.draft_letter(case, decide.outcome_of(case), "", now)
        decide.approve(decide.submit(case, title, body, handler, now), by_staff(office.dpo), now)
    return case, made


def test_decision_is_logged_looked_at_again_and_approved(
    page: Page, browser: Browser, site: str, office: Office
) -> None:
    judge, case = Judge("rights"), fresh(office, Right.AUTOMATED)
    enter(page, site, office.handler)
    page.goto(f"{site}{reverse('console:case', args=[case.pk])}")

    page.keyboard.press("f")
    page.get_by_label("Which decision, and what it did to the person").fill("The loan of 3 May was refused.")
    page.get_by_label("Representations, human intervention, contest").check()
    page.get_by_label("How the decision was made").fill("Income and debts are added up.")
    page.get_by_label("Who looks at it again").select_option(label="Omar Other")
    page.get_by_role("group", name="Colleagues who had a part in it").get_by_label("Omar Other").check()
    page.get_by_role("button", name="Name who looks again").click()
    assert page.get_by_role("alert").count() == 1
    judge.look(page, "decision-refused")
    page.get_by_role("group", name="Colleagues who had a part in it").get_by_label("Omar Other").uncheck()
    page.get_by_role("button", name="Name who looks again").click()
    page.get_by_role("heading", name="Omar Other looks at the decision again").wait_for()

    other = open_context(browser, viewport=DESKTOP).new_page()
    enter(other, site, office.other)
    other.goto(f"{site}{reverse('console:case', args=[case.pk])}")
    other.keyboard.press("f")
    other.get_by_label("the decision is changed").check()
    other.get_by_label("Why").fill("The income was read wrongly.")
    other.get_by_label("I had no part in the decision").check()
    judge.look(other, "finding")
    other.get_by_role("button", name="Put it on record").click()
    other.context.close()

    page.reload()
    page.get_by_role("link", name="Prepare the answer").click()
    assert "The income was read wrongly." in page.get_by_label("Letter", exact=True).input_value()
    page.get_by_role("button", name="Send to approval").click()
    dpo = open_context(browser, viewport=DESKTOP).new_page()
    enter(dpo, site, office.dpo)
    dpo.goto(f"{site}{reverse('dpo:decision', args=[case.pk])}")
    dpo.get_by_role("heading", name="The decision, looked at again").wait_for()
    judge.look(dpo, "approval")
    dpo.context.close()
    with unit_of_work([office.brand.pk]):
        assert SecondLook.objects.get().finding == "changed"
    assert judge.complaints == []


def test_forms_and_panels_look_as_they_should(page: Page, site: str, office: Office) -> None:
    judge, (case, made) = Judge("rights"), restricted(office)
    enter(page, site, office.handler)

    places = {
        "restriction": reverse("console:case", args=[case.pk]),
        "lift": reverse("console:lift", args=[case.pk, made.pk]),
        "portability": reverse("console:right", args=[fresh(office, Right.PORTABILITY).pk]),
    }
    for name, place in places.items():
        page.goto(f"{site}{place}")
        judge.look(page, name)
    page.goto(f"{site}{reverse('console:log')}")
    for words in ("Restriction", "Objection", "Portability", "Automated decision"):
        page.locator("label", has_text=words).first.click()
    judge.look(page, "log")
    page.goto(f"{site}{reverse('portal:ask', args=[office.brand.slug])}")
    for words in (
        "Pause the use of my data",
        "Object to a use",
        "Take my data with me",
        "Have a person decide",
    ):
        page.locator("label", has_text=words).first.click()
    judge.look(page, "ask")

    assert judge.complaints == []
