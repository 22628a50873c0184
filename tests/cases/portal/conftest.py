"""A brand with a portal, a stranger's brand beside it, and a visitor's browser."""

import json
import re
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.correspondence.outbox import mails
from cases.models import Case, Delivery, ItemDecision, SubjectRequest
from cases.permissions import by_staff
from cases.portal import door
from cases.words import Right, State
from cases.workflow import answer, decide, review
from cases.workflow.review import Choice, Selection
from identity.models import Controller
from identity.roles import Role
from tests.factories.cases import SourceFactory, log, run_jobs
from tests.factories.identity import ControllerFactory, staff

ADA = "ada@example.com"
RECORDS = {
    "people": [
        {"id": 1, "email": ADA, "name": "Ada Example", "phone_number": "+44 20 7946 0000"},
        {"id": 2, "email": "bob@example.com", "name": "Bob Stranger", "phone_number": "+44 20 7946 0001"},
    ],
    "notes": [{"id": 10, "person_id": 1, "agent": "Carla Agent", "text": "Called about the bill."}],
}


@pytest.fixture(autouse=True)
def _static_root(tmp_path_factory: pytest.TempPathFactory, settings: Any) -> None:
    settings.STATIC_ROOT = tmp_path_factory.mktemp("static")


def at_once(patch: pytest.MonkeyPatch) -> None:
    """Answers that are slow on purpose are not, in tests."""
    patch.setattr(door, "UNHURRIED_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once(monkeypatch)


def make_brand(slug: str = "meridian", **fields: Any) -> Controller:
    brand = ControllerFactory.create(
        slug=slug,
        name=slug.capitalize(),
        accent="#5b2a86",
        language="en-gb",
        languages=["en-gb", "de", "fr"],
        **fields,
    )
    SourceFactory.create(controller=brand, options={"records": json.dumps(RECORDS)})
    return brand


def meridian() -> Controller:
    return make_brand(logo="img/brands/meridian.svg", privacy_phone="+44 20 7946 0999")


@pytest.fixture
def brand(serve: Any) -> Controller:
    return meridian()


@pytest.fixture
def stranger(brand: Controller) -> Controller:
    """Another brand, which knows the same person."""
    return make_brand("nordlicht")


class Visitor(Client):
    """A browser at one brand's portal, with the cookies of an earlier visit where it is given them."""

    def __init__(self, brand: Controller, cookies: SimpleCookie | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.brand = brand
        if cookies is not None:
            self.cookies = cookies

    def at(self, name: str, *args: Any) -> str:
        return reverse(f"portal:{name}", args=[self.brand.slug, *args])

    def see(self, name: str, *args: Any) -> Any:
        return self.get(self.at(name, *args))

    def send(self, name: str, *args: Any, **data: Any) -> Any:
        return self.post(self.at(name, *args), data)

    def claim(self, reference: str, email: str = ADA) -> Any:
        """Ask for a code with reference and address."""
        return self.send("enter", reference=reference, email=email)

    def sign_in(self, request: SubjectRequest, email: str = ADA) -> Any:
        self.claim(request.reference, email)
        run_jobs()
        return self.send("code", code=newest_code(email))

    def step_up(self, delivery: Delivery, email: str = ADA) -> Any:
        """A fresh code for fetching; gives the page with the buttons."""
        self.send("pack-code", delivery.pk)
        run_jobs()
        self.send("pack", delivery.pk, code=newest_code(email))
        return self.see("pack", delivery.pk)


@pytest.fixture
def visitor(brand: Controller) -> Visitor:
    return Visitor(brand)


def newest_code(to: str = ADA) -> str:
    mail = next(mail for mail in mails() if mail.to == to and "code" in mail.title)
    found = re.search(r"\d{6}", mail.body)
    assert found is not None
    return found[0]


def tokens(page: Any) -> list[str]:
    """The download tokens of a page, the whole pack's first."""
    return re.findall(r'name="token" value="([^"]+)"', page.content.decode())


def text_of(page: Any) -> str:
    """What a page says, without what differs from one press to the next."""
    html = page.content.decode()
    return re.sub(r'(csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]+"', "", html)


def ask(brand: Controller) -> SubjectRequest:
    """An access request whose address is on file."""
    request = log(brand, Right.ACCESS)
    run_jobs()
    return request


@pytest.fixture
def asked(brand: Controller) -> SubjectRequest:
    return ask(brand)


@dataclass(frozen=True)
class Inside:
    """A brand, an access request there, and the cookies of who made it and is in."""

    brand: Controller
    asked: SubjectRequest
    cookies: SimpleCookie


def go_inside(patch: pytest.MonkeyPatch) -> Inside:
    """For the world of a module."""
    at_once(patch)
    visitor = Visitor(meridian())
    asked = ask(visitor.brand)
    visitor.sign_in(asked)
    return Inside(visitor.brand, asked, visitor.cookies)


def answer_it(case: Case) -> Delivery:
    """Work a case of a signed-in customer to its closed end, and give what lies ready."""
    brand, now = case.controller, timezone.now
    run_jobs()
    case.refresh_from_db()
    assert case.state == State.REVIEW
    handler, dpo, reviewer = (staff(role, brand) for role in (Role.HANDLER, Role.DPO, Role.REVIEWER))
    review.decide(
        case, Selection(only_undecided=True), Choice(ItemDecision.DISCLOSE), by_staff(handler), now()
    )
    title, body = decide.draft_letter(case, decide.outcome_of(case), "", now())
    case = decide.submit(case, title, body, by_staff(handler), now())
    case = decide.approve(case, by_staff(dpo), now())
    if case.state == State.WITH_CONTROLLER:
        decide.approve_for_controller(case, by_staff(reviewer), now())
    run_jobs()
    delivery = answer.live_delivery(case)
    assert delivery is not None
    return delivery


@pytest.fixture
def delivered(asked: SubjectRequest, visitor: Visitor) -> Delivery:
    """An answer that lies ready for the signed-in visitor."""
    visitor.sign_in(asked)
    return answer_it(asked.cases.get())
