"""More time in a real browser: proposed by one, approved by another, sent, and seen by the customer."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page

from cases.models import Case, Extension, ExtensionState
from cases.permissions import by_staff
from cases.words import Channel, Right
from cases.workflow import people
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller
from tests.browser import Judge, browser, open_context, page
from tests.cases.console.test_desk_browser import site
from tests.cases.desk_cases import Office, allow_all, in_approval, in_review, make_office
from tests.cases.portal.conftest import Visitor
from tests.cases.staff_client import enter
from tests.factories.cases import one_case, run_jobs

__all__ = ["browser", "page", "site"]

pytestmark = pytest.mark.browser

WHY = "Your records lie in four archives, and each has to be read by hand."


def late_again(case: Case) -> None:
    """As if it had come in long ago."""
    long_ago = timezone.now() - timedelta(days=80)
    case.clock_events.update(at=long_ago)
    people.recompute(case, by_staff(case.owner), timezone.now())


@pytest.fixture
def office(site: str) -> Office:
    with unit_of_work([]):
        return make_office(
            name="Northwind Energy", slug="northwind", postal_address="1 Mill Lane\nLeeds LS1 1AA"
        )


@pytest.fixture
def case(office: Office) -> Case:
    with unit_of_work([office.brand.pk]):
        allow_all(office.brand)
        return in_review(office.brand, office.handler, channel=Channel.CHAT)


def visitor_of(case: Case) -> Visitor:
    """The customer's browser, signed in to the portal."""
    with unit_of_work([case.controller_id]):
        visitor = Visitor(case.controller)
        visitor.sign_in(case.subject_request)
    return visitor


def test_extension_is_proposed_approved_sent_and_seen(
    site: str, page: Page, browser: Browser, office: Office, case: Case
) -> None:
    judge = Judge("desk")
    enter(page, site, office.handler)
    page.goto(site + reverse("console:case", args=[case.pk]))
    page.get_by_text("Other things to do").click()
    page.get_by_role("link", name="Extend the time").click()
    page.get_by_label("The request is complex").check()
    page.get_by_label("Why, in plain words").fill(WHY)
    page.get_by_role("button", name="Draft the letter").click()
    page.wait_for_load_state()
    judge.look(page, "extend")
    page.get_by_role("button", name="Propose the extension").click()
    page.get_by_role("heading", name="More time").wait_for()
    judge.look(page, "case-extension-proposed")

    enter(page, site, office.dpo)
    page.goto(site + reverse("dpo:approvals"))
    judge.look(page, "approvals-extension")
    page.get_by_role("link", name=case.reference).click()
    page.get_by_role("heading", name="The dates").wait_for()
    judge.look(page, "dpo-extension")
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url("**/approvals/")
    with unit_of_work([office.brand.pk]):
        run_jobs()
        made = Extension.objects.get()
        due_on = Case.objects.get(pk=case.pk).due_on
    page.goto(site + reverse("console:case", args=[case.pk]))
    judge.look(page, "case-extended")

    visitor = visitor_of(case)
    context = open_context(browser)
    cookies = [(one.key, one.value) for one in visitor.cookies.values()]
    context.add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies])
    customers = context.new_page()
    customers.goto(site + visitor.at("mine"))
    at_home = Judge("desk")
    at_home.look(customers, "portal-more-time")
    told = customers.get_by_text("We wrote to you that we need more time, until").inner_text()
    reasons = customers.get_by_text(WHY).count()
    context.close()

    assert judge.complaints + at_home.complaints == []
    assert (made.state, made.due_after) == (ExtensionState.NOTIFIED, due_on)
    assert str(due_on.day) in told
    assert reasons >= 1


def test_late_held_and_complaining_pages_are_accessible_and_fit(
    site: str, page: Page, office: Office
) -> None:
    brand = office.brand
    with unit_of_work([brand.pk]):
        now = timezone.now()
        worked = in_review(brand, office.handler, Right.ERASURE)
        people.complain(worked, "Nobody ever calls back.", Channel.CALL, now, by_staff(office.agent), now)
        complaint = worked.linked_from.get()
        people.assign(complaint, office.other, by_staff(office.other), now)
        late = in_approval(brand, office.handler)
        late_again(late)
    judge = Judge("desk")

    enter(page, site, office.dpo)
    page.goto(site + reverse("console:act", args=[worked.pk, "hold"]))
    judge.look(page, "act-hold")
    page.get_by_label("Reason").fill("The customer has announced a claim.")
    page.get_by_role("button", name="Set the hold").click()
    page.get_by_text("A legal hold lies on this person").first.wait_for()
    judge.look(page, "case-held")
    page.goto(site + reverse("dpo:decision", args=[late.pk]))
    judge.look(page, "dpo-late")
    page.get_by_label("Why is it late?").select_option("staff_shortage")
    page.get_by_role("button", name="Approve, and hand to the controller").click()
    page.wait_for_url("**/approvals/")
    page.goto(site + reverse("dpo:oversight"))
    judge.look(page, "oversight-late")
    enter(page, site, office.other)
    page.goto(site + reverse("console:case", args=[complaint.pk]))
    judge.look(page, "case-complaint")
    page.goto(site + reverse("console:submit", args=[complaint.pk]))
    page.get_by_label("Complaint partly upheld").check()
    page.get_by_label("Reasons").fill("One call was promised and not made.")
    page.get_by_role("button", name="Draft the letter").click()
    page.wait_for_load_state()
    judge.look(page, "submit-complaint")
    with unit_of_work([brand.pk]):
        Controller.objects.filter(pk=brand.pk).update(regime="EU-DE", time_zone="Europe/Berlin")
        waiting = one_case(Controller.objects.get(pk=brand.pk), received_at=now - timedelta(days=10))
    page.goto(site + reverse("console:case", args=[waiting.pk]))
    judge.look(page, "case-letter-by")
    page.goto(site + reverse("console:queue"))
    judge.look(page, "queue-letter-by")

    assert judge.complaints == []
