"""The page of identity providers: who sees whose, what it says, and the try of a connection over real HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from identity.models import Controller, IdentityProvider
from identity.providers.external.simulator.server import Server, running
from identity.roles import Role
from tests.cases.staff_client import signed_in
from tests.factories.external import provider_for
from tests.factories.identity import ControllerFactory, staff

pytestmark = pytest.mark.django_db

PAGE = reverse("identity:providers")


@pytest.fixture
def simulator() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def brand(serve: Any) -> Controller:
    return ControllerFactory.create(name="Acme", slug="acme")


def test_administrators_read_what_is_sent_and_what_comes_back(brand, simulator):
    provider_for(brand, simulator.url)

    page = signed_in(staff(Role.ADMINISTRATOR, brand)).get(PAGE)

    (shown,) = page.context["providers"]
    assert (page.status_code, shown.keys) == (200, 1)
    assert shown.sent == (
        "our reference of the check, where the customer is sent back to, where messages go, language, name"
    )
    assert "simulator-" not in page.content.decode()


def test_without_a_provider_the_page_says_so(brand):
    page = signed_in(staff(Role.ADMINISTRATOR, brand)).get(PAGE)

    assert "No provider is connected" in page.content.decode()


@pytest.mark.parametrize("role", [Role.AGENT, Role.HANDLER, Role.DPO, Role.AUDITOR])
def test_others_find_neither_page_nor_button(brand, simulator, role):
    provider = provider_for(brand, simulator.url)
    client = signed_in(staff(role, brand))

    answers = [client.get(PAGE), client.post(reverse("identity:try-provider", args=[provider.pk]))]

    provider.refresh_from_db()
    assert ([answer.status_code for answer in answers], provider.tried_at) == ([404, 404], None)


def test_a_stranger_brands_provider_is_neither_shown_nor_tried(brand, simulator):
    stranger = ControllerFactory.create(name="Stranger", slug="stranger")
    theirs = provider_for(stranger, simulator.url)
    client = signed_in(staff(Role.ADMINISTRATOR, brand))

    page, tried = client.get(PAGE), client.post(reverse("identity:try-provider", args=[theirs.pk]))

    assert (page.context["providers"], tried.status_code) == ([], 404)


@pytest.mark.parametrize(
    ("token", "base_url", "code"),
    [
        ("simulator-token", "", "answers"),
        ("another", "", "http_401"),
        ("simulator-token", "http://127.0.0.1:9", "no_connection"),
        ("simulator-token", "http://169.254.169.254", "forbidden_destination"),
    ],
)
def test_a_try_says_whether_it_answers(brand, simulator, token, base_url, code):
    provider = provider_for(brand, base_url or simulator.url)
    provider.secrets = provider.secrets | {"token": token}
    provider.save()

    answer = signed_in(staff(Role.ADMINISTRATOR, brand)).post(
        reverse("identity:try-provider", args=[provider.pk])
    )

    found = IdentityProvider.objects.get()
    assert (answer.status_code, found.tried_code, simulator.simulator._by_id) == (303, code, {})
