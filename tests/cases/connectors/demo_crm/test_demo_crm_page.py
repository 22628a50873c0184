"""The page of switches, as a person uses it, and as another page in the same browser would like to."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Page

from cases.connectors.demo_crm.system.api import Switches
from cases.connectors.demo_crm.system.server import Server, running
from tests.browser import Judge, browser, page
from tests.cases.connectors.demo_crm.crm_world import fill

__all__ = ["browser", "page"]


@pytest.fixture
def crm() -> Iterator[Server]:
    with running() as server:
        fill(server.crm.store)
        yield server


@pytest.mark.browser
def test_person_makes_it_misbehave_and_behave(crm: Server, page: Page) -> None:
    page.goto(crm.url)
    judge = Judge("demo-crm")
    judge.look(page, "switches")

    page.get_by_label("Filters are passed over in silence").check()
    page.get_by_label("Deletions take so many questions (0: at once)").fill("3")
    page.get_by_role("button", name="Set").click()

    assert judge.complaints == []
    assert crm.crm.switches == Switches(filters_ignored=True, eventual_deletion=3)
    assert page.get_by_label("Filters are passed over in silence").is_checked()

    page.get_by_label("Filters are passed over in silence").uncheck()
    page.get_by_label("Deletions take so many questions (0: at once)").fill("0")
    page.get_by_role("button", name="Set").click()

    assert crm.crm.switches == Switches()


def test_another_page_cannot_turn_the_switches(crm: Server) -> None:
    headers = {"Origin": "https://elsewhere.test"}

    answer = httpx2.post(f"{crm.url}/switches", data={"keys_revoked": "on"}, headers=headers, trust_env=False)

    assert answer.status_code == 403
    assert crm.crm.switches == Switches()


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [
        ("GET", "/v1/contacts", "demo-crm", 401),
        ("GET", "/v1/contacts", "wrong", 401),
        ("DELETE", "/v1/contacts/1", "demo-crm-read", 403),
        ("DELETE", "/v1/contacts/1", "demo-crm-write", 428),
        ("GET", "/v1/contacts?colour=red", "demo-crm-read", 400),
        ("GET", "/v1/contacts?limit=-1", "demo-crm-read", 400),
        ("GET", "/v1/contacts?cursor=x", "demo-crm-read", 400),
        ("GET", "/v1/tickets?contact_id=1,x", "demo-crm-read", 400),
        ("GET", "/v1/secrets", "demo-crm-read", 404),
        ("POST", "/v1/import", "demo-crm-write", 400),
        ("GET", "/v1/jobs/9", "demo-crm-read", 404),
    ],
)
def test_interface_refuses_what_is_not_right(
    crm: Server, method: str, path: str, key: str, status: int
) -> None:
    headers = {"Authorization": f"Bearer {key}"}

    answer = httpx2.request(method, crm.url + path, headers=headers, trust_env=False)

    assert answer.status_code == status
    assert crm.crm.store.counts()["contacts"] == 3


def test_limit_is_kept_and_told(crm: Server) -> None:
    crm.crm.switches = Switches(calls=3, seconds=60)
    headers = {"Authorization": "Bearer demo-crm-read"}

    answers = [httpx2.get(f"{crm.url}/v1/account", headers=headers, trust_env=False) for _ in range(4)]

    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert [one.headers["X-RateLimit-Remaining"] for one in answers] == ["2", "1", "0", "0"]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


def test_uploaded_file_is_what_is_read_back(crm: Server) -> None:
    headers = {"Authorization": "Bearer demo-crm-write"}
    content = bytes(range(256)) * 3000
    params = {"contact_id": "1", "name": "voice.wav", "on_type": "calls", "on_id": "31"}

    made = httpx2.post(
        f"{crm.url}/v1/files", params=params, content=content, headers=headers, trust_env=False
    ).json()

    read = httpx2.get(f"{crm.url}/v1/files/{made['id']}/content", headers=headers, trust_env=False)
    assert read.content == content


def test_data_outlive_the_server(tmp_path: object) -> None:
    place = f"{tmp_path}/crm.sqlite"
    with running(data=place) as server:
        fill(server.crm.store)

    with running(data=place) as server:
        assert server.crm.store.counts()["contacts"] == 3
