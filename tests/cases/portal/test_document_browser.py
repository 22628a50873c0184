"""From the customer's telephone to the handler's desk: a blurred picture, a sharp one, a person's look, and on."""

from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from cases.models import Case
from cases.words import State
from dsar.lib.tenancy import unit_of_work
from dsar.vault import files
from identity.models import DocumentPicture, IdentityDocument
from identity.roles import Role
from tests.browser import Judge, browser, server
from tests.cases.portal.conftest import make_brand
from tests.cases.portal.in_browser import ask, desk, phone
from tests.cases.staff_client import enter
from tests.factories.cases import run_jobs
from tests.factories.identity import give_policy, staff
from tests.identity.documents import pictures
from tests.identity.documents.specimens import Holder, encode

__all__ = ["browser", "desk", "phone", "server"]

pytestmark = pytest.mark.browser

ADAS = encode(Holder("TD3", "GBR", "GBR", "EXAMPLE", "ADA MARIA", "925076473", "881231", "F", "330115"))
LINES = ("PASSPORT", "EXAMPLE", "ADA MARIA", "31 DEC 1988")


@pytest.fixture
def photos(tmp_path: Path) -> dict[str, Path]:
    """What the customer's telephone has taken."""
    passport = pictures.noisy(pictures.on_a_table(pictures.page(ADAS, LINES)))
    made = {"sharp": passport, "blurred": pictures.blurred(passport)}
    for name, picture in made.items():
        (tmp_path / f"{name}.jpg").write_bytes(pictures.jpeg(picture))
    return {name: tmp_path / f"{name}.jpg" for name in made}


def test_a_document_from_the_telephone_to_the_search(
    server: str, phone: Page, desk: Page, photos: dict[str, Path]
) -> None:
    judge = Judge("document")
    with unit_of_work([]):
        brand = make_brand(logo="img/brands/meridian.svg")
        give_policy(brand, {"default": 2})
        handler = staff(Role.HANDLER, brand, full_name="Hannah Handler")
    ask(phone, f"{server}/p/{brand.slug}/", brand)
    judge.look(phone, "mine")

    phone.get_by_role("link", name="Send a picture").click()
    judge.look(phone, "form")
    phone.locator("label", has_text="Passport").click()
    phone.get_by_label("Picture of the page with your name").set_input_files(photos["blurred"])
    phone.get_by_role("button", name="Send the picture").click()
    expect(phone.locator(".error-summary, [role=alert]").first).to_contain_text("The picture is blurred")
    judge.look(phone, "blurred")
    phone.get_by_label("Picture of the page with your name").set_input_files(photos["sharp"])
    phone.get_by_role("button", name="Send the picture").click()
    expect(phone.get_by_role("heading", name="We have your picture")).to_be_visible()
    judge.look(phone, "waiting")

    with unit_of_work([brand.pk]):
        case = Case.objects.get(controller=brand)
        document = IdentityDocument.objects.get()
        kept = [files.path(one.file_id) for one in DocumentPicture.objects.all()]
        IdentityDocument.objects.filter(pk=document.pk).update(reading=None)  # as where no program reads it
    enter(desk, server, handler)
    desk.goto(server + reverse("console:case", args=[case.pk]))
    judge.look(desk, "case")
    desk.get_by_role("link", name="Look at it").click()
    expect(desk.locator(".evidence img")).to_have_js_property("complete", True)
    assert desk.locator(".evidence img").evaluate("picture => picture.naturalWidth") > 1000
    judge.look(desk, "unread")
    desk.get_by_label("The lines with < signs").fill(ADAS)
    desk.get_by_role("button", name="Check these lines").click()
    expect(desk.locator("#zone-fields, table").first).to_contain_text("925076473")
    judge.look(desk, "review")
    desk.get_by_role("button", name="It shows who asks").click()
    desk.wait_for_url(f"**{reverse('console:case', args=[case.pk])}")
    desk.goto(server + reverse("console:document", args=[case.pk, document.pk]))
    judge.look(desk, "destroyed")

    with unit_of_work([brand.pk]):
        case.refresh_from_db()
        run_jobs()
    assert (case.state, case.identity_level) == (State.SEARCHING, 2)
    assert [path.exists() for path in kept] == [False]
    phone.reload()
    expect(phone.get_by_role("heading", name="We have your picture")).to_have_count(0)
    assert judge.complaints == []
