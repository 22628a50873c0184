"""Every page of the desk and of the DPO in a real browser: accessible, and no wider than a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from cases.models import Case, ItemDecision
from cases.permissions import by_staff
from cases.words import Channel, Right
from cases.workflow import decide, letters, people, review, search
from cases.workflow.intake import Person
from cases.workflow.review import Choice, Selection
from dsar.lib.tenancy import unit_of_work
from identity.models import User
from identity.roles import Role
from tests.browser import Judge, browser, page, serving
from tests.cases.desk_cases import allow_all, broken_source, in_approval, in_review, source
from tests.cases.staff_client import enter
from tests.factories.cases import one_case, run_jobs
from tests.factories.identity import ControllerFactory, staff

__all__ = ["browser", "page"]

pytestmark = pytest.mark.browser

WORDS = "I want a copy of everything that you hold about me, and I want to know who has seen it."


@pytest.fixture
def site(committed_db: None, settings: Any) -> Iterator[str]:
    """The application's address, served by threads of this process."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    with serving() as url:
        yield url


@pytest.fixture
def cases(site: str) -> dict[str, Any]:
    """One brand with a case at each turn of its way, and those who work them."""
    with unit_of_work([]):
        brand = ControllerFactory.create(name="Northwind Energy", postal_address="1 Mill Lane\nLeeds LS1 1AA")
        source(brand, name="Customer system")
        handler = staff(Role.HANDLER, brand, full_name="Hannah Handler")
        other = staff(Role.HANDLER, brand, full_name="Omar Other")
        dpo = staff(Role.DPO, brand, full_name="Dora Protector")
        found: dict[str, Any] = {"handler": handler, "other": other, "dpo": dpo, "brand": brand}
        found["review"] = in_review(
            brand, handler, words=WORDS, channel=Channel.CHAT, contact_reference="CHAT-4711"
        )
        people.add_note(found["review"], "Calls every week; be patient.", by_staff(handler), timezone.now())
        letters.say(found["review"], "We are looking for your records.", by_staff(handler), timezone.now())
        found["waiting"] = one_case(brand, person=Person(name="Grace Post", postal_address="2 High St\nYork"))
        found["approval"] = approval(brand, handler)
        found["closed"] = closed(brand, other, dpo)
        found["tasks"] = with_tasks(brand, handler, dpo)
        broken_source(brand)
        found["failed"] = in_review(brand, handler)
        failed = found["failed"].runs.get().searches.get(state="failed")
        search.propose_waiver(failed, "The archive was shut down in 2019.", by_staff(handler), timezone.now())
    return found


def approval(brand: Any, handler: User) -> Case:
    """A proposal with something redacted, and something withheld in silence."""
    case, by = in_review(brand, handler), by_staff(handler)
    note = case.items.get(
        collection="notes", number=min(item.number for item in case.items.filter(collection="notes"))
    )
    marks = {"fields": [], "passages": [{"field": "text", "start": 0, "end": 6, "code": "LPP"}]}
    review.redact(note, marks, by, timezone.now())
    rest = case.items.filter(collection="notes").exclude(pk=note.pk)
    silent = Choice(ItemDecision.WITHHOLD, "CRIME", silent=True)
    review.decide(case, Selection(ids=[item.pk for item in rest]), silent, by, timezone.now())
    return in_approval(brand, handler, case=case)


def closed(brand: Any, handler: User, dpo: User) -> Case:
    allow_all(brand)
    case = in_approval(brand, handler)
    decide.approve(case, by_staff(dpo), timezone.now())
    run_jobs()
    return Case.objects.get(pk=case.pk)


def with_tasks(brand: Any, handler: User, dpo: User) -> Case:
    case = in_approval(
        brand, handler, Right.ERASURE, person=Person(name="Erik Gone", email="ada@example.com")
    )
    decide.approve(case, by_staff(dpo), timezone.now())
    return Case.objects.get(pk=case.pk)


def test_desk_is_accessible_and_fits(site: str, page: Page, cases: dict[str, Any]) -> None:
    enter(page, site, cases["handler"])
    reviewed = cases["review"]
    judge = Judge("desk")

    page.goto(site + reverse("console:queue"))
    judge.look(page, "queue")
    for name in ("review", "waiting", "approval", "closed", "tasks", "failed"):
        page.goto(site + reverse("console:case", args=[cases[name].pk]))
        judge.look(page, f"case-{name}")
    for name in ("review", "submit", "close", "add-item"):
        page.goto(site + reverse(f"console:{name}", args=[reviewed.pk]))
        judge.look(page, name)
    with unit_of_work([cases["brand"].pk]):
        item = reviewed.items.filter(collection="notes").first()
    page.goto(site + reverse("console:item", args=[reviewed.pk, item.pk]))
    judge.look(page, "item")
    for act in ("clarify", "record-identity", "withdraw", "assign"):
        page.goto(site + reverse("console:act", args=[reviewed.pk, act]))
        judge.look(page, f"act-{act}")
    page.goto(site + reverse("console:absence"))
    judge.look(page, "absence")

    assert judge.complaints == []


def test_dpo_is_accessible_and_fits(site: str, page: Page, cases: dict[str, Any]) -> None:
    enter(page, site, cases["dpo"])
    judge = Judge("desk")

    for name, args in (
        ("approvals", []),
        ("decision", [cases["approval"].pk]),
        ("oversight", []),
        ("trail", []),
        ("case-trail", [cases["approval"].pk]),
    ):
        page.goto(f"{site}{reverse(f'dpo:{name}', args=args)}{'?verify=1' if 'trail' in name else ''}")
        judge.look(page, f"dpo-{name}")

    assert judge.complaints == []


def test_passage_is_withheld_by_selecting_it(site: str, page: Page, cases: dict[str, Any]) -> None:
    enter(page, site, cases["handler"])
    case = cases["review"]
    with unit_of_work([cases["brand"].pk]):
        item = case.items.filter(collection="notes").order_by("number").first()
    page.goto(site + reverse("console:item", args=[case.pk, item.pk]))

    page.locator("[data-field=text]").select_text()
    page.get_by_label("Exemption", exact=True).select_option("TP")
    page.get_by_role("button", name="Withhold the passage").click()

    with unit_of_work([cases["brand"].pk]):
        item.refresh_from_db()
        text = item.content["data"]["text"]
        assert [(mark["field"], mark["start"], mark["end"]) for mark in item.redactions["passages"]] == [
            ("text", 0, len(text))
        ]
