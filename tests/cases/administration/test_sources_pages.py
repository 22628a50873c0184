"""The administrator's pages: what they show and do, who may not see them, and that no secret stands in any."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.models import CollectionStop, SourceCheck, SourceSystem
from cases.permissions import BY_OPERATOR, by_staff
from cases.workflow import standing
from dsar.audit.actions import Action
from dsar.audit.models import AuditEvent
from dsar.audit.record import record
from dsar.jobs.models import Job
from dsar.lib.tenancy import unit_of_work
from identity import sessions
from identity.models import User
from identity.roles import Role
from tests.cases.desk_cases import RECORDS, Office, broken_source, in_review, make_office, office, source
from tests.cases.staff_client import signed_in
from tests.factories.cases import DATASET, run_jobs
from tests.factories.identity import staff

__all__ = ["office"]

pytestmark = pytest.mark.django_db

SECRET = "sesame-4711"


@pytest.fixture
def crm(office: Office) -> SourceSystem:
    found: SourceSystem = SourceSystem.objects.get()
    return found


@pytest.fixture
def client(office: Office) -> Client:
    return signed_in(office.administrator)


def url(name: str, *args: Any) -> str:
    return reverse(f"administration:{name}", args=args)


def fresh(source: SourceSystem) -> SourceSystem:
    return SourceSystem.objects.get(pk=source.pk)


def every_page(crm: SourceSystem, stop: CollectionStop) -> list[tuple[str, str]]:
    """Each address of the surface, and how it is asked for."""
    return [
        ("get", url("sources")),
        ("get", url("choose-connector")),
        ("get", url("add-source", crm.controller.slug, "demo")),
        ("post", url("add-source", crm.controller.slug, "demo")),
        ("get", url("stop")),
        ("post", url("stop")),
        ("post", url("lift-stop", stop.pk)),
        ("get", url("source", crm.pk)),
        ("get", url("tried-source", crm.pk)),
        ("get", url("edit-source", crm.pk)),
        ("post", url("edit-source", crm.pk)),
        ("get", url("credentials", crm.pk, "reading")),
        ("post", url("credentials", crm.pk, "reading")),
        ("post", url("remove-credentials", crm.pk)),
        ("post", url("try-source", crm.pk)),
        ("get", url("pause-source", crm.pk)),
        ("post", url("pause-source", crm.pk)),
        ("post", url("resume-source", crm.pk)),
        ("post", url("search-source-again", crm.pk)),
    ]


SENT = {"reason": "Because.", "where": "*", "name": "Mine", "secret_token": SECRET, "option_records": "{}"}


def untouched(crm: SourceSystem, before: SourceSystem) -> bool:
    after = fresh(crm)
    return (
        all(getattr(after, field.attname) == getattr(before, field.attname) for field in crm._meta.fields)
        and SourceCheck.objects.count() == 0
        and CollectionStop.objects.filter(lifted_at=None).count() == 1
        and SourceSystem.objects.filter(controller=crm.controller_id).count() == 1
    )


# -- who may not -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["agent", "handler", "dpo", "reviewer", "auditor"])
def test_nobody_but_an_administrator_finds_these_pages(office: Office, crm: Any, who: str) -> None:
    stop = standing.stop_collection(office.brand.pk, "An incident.", BY_OPERATOR, timezone.now())
    before, client = fresh(crm), signed_in(getattr(office, who))

    answers = {
        (how, address): getattr(client, how)(address, SENT if how == "post" else {}).status_code
        for how, address in every_page(crm, stop)
    }

    assert set(answers.values()) == {404}
    assert untouched(crm, before)


def test_source_of_another_brand_is_not_found(office: Office, crm: Any) -> None:
    stop = standing.stop_collection(office.brand.pk, "An incident.", BY_OPERATOR, timezone.now())
    before, other = fresh(crm), make_office(name="Elsewhere")
    client = signed_in(other.administrator)
    own = {url("sources"), url("choose-connector"), url("stop")}

    answers = {
        (how, address): getattr(client, how)(address, SENT if how == "post" else {}).status_code
        for how, address in every_page(crm, stop)
        if address not in own
    }

    assert set(answers.values()) == {404}
    assert "Customer system" in client.get(url("sources")).content.decode()  # their own of the same name
    assert office.brand.name not in client.get(url("sources")).content.decode()
    assert untouched(crm, before)


def test_administrator_of_one_brand_cannot_stop_everything(office: Office, client: Client) -> None:
    make_office(name="Elsewhere")

    page = client.get(url("stop")).content.decode()
    answer = client.post(url("stop"), {"where": "*", "reason": "Because."})

    assert "whole installation" not in page
    assert (answer.status_code, CollectionStop.objects.count()) == (422, 0)


def test_administrator_of_every_brand_can(office: Office) -> None:
    person = staff(Role.ADMINISTRATOR, office.brand)
    with unit_of_work([office.brand.pk]):
        answer = signed_in(person).post(url("stop"), {"where": "*", "reason": "An incident."})

    stop = CollectionStop.objects.get()
    assert (answer.status_code, stop.controller_id, stop.reason) == (303, None, "An incident.")


def test_administrator_still_has_no_way_into_a_case(office: Office, client: Client) -> None:
    case = in_review(office.brand, office.handler)
    page = client.get(url("source", SourceSystem.objects.get().pk)).content.decode()

    assert client.get(reverse("console:case", args=[case.pk])).status_code == 404
    assert case.reference not in page
    assert "Called about the bill" not in page


# -- the list --------------------------------------------------------------------------------------------


def test_list_costs_the_same_however_many_sources_there_are(office: Office, client: Client) -> None:
    with CaptureQueriesContext(connection) as few:
        client.get(url("sources"))
    for number in range(12):
        source(office.brand, name=f"System {number}")

    with CaptureQueriesContext(connection) as many:
        answer = client.get(url("sources"))

    assert len(many) == len(few)
    assert answer.content.decode().count("data-row-link") == 13


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"is_active": False}, "Not in use"),
        ({"needs_admin_at": timezone.now()}, "Refuses our account"),
        ({"failures": 7, "held_until": timezone.now() + timedelta(hours=2)}, "Rests after failures"),
        ({"held_until": timezone.now() + timedelta(hours=2)}, "Asked for patience"),
        ({"credentials_expire_on": (timezone.now() + timedelta(days=3)).date()}, "Credentials end"),
        ({}, "Not tried yet"),
    ],
)
def test_list_says_how_each_stands(
    office: Office, client: Client, crm: Any, fields: dict[str, Any], said: str
) -> None:
    SourceSystem.objects.filter(pk=crm.pk).update(**fields)

    page = client.get(url("sources")).content.decode()

    badges = [part.partition("</span>")[0] for part in page.split('<span class="badge')[1:]]
    assert [said in badge for badge in badges] == [True]


def test_list_counts_what_waits_and_names_nobody(office: Office, client: Client, crm: Any) -> None:
    broken_source(office.brand)
    case = in_review(office.brand, office.handler)

    page = client.get(url("sources")).content.decode()

    assert "1 search failed" in page
    assert case.reference not in page


# -- what can be done ------------------------------------------------------------------------------------


def test_connection_is_tried_and_the_page_follows(office: Office, client: Client, crm: Any) -> None:
    client.post(url("try-source", crm.pk))
    waiting = client.get(url("tried-source", crm.pk))
    run_jobs()

    ended = client.get(url("tried-source", crm.pk))

    assert "hx-trigger" in waiting.content.decode()
    assert "hx-trigger" not in ended.content.decode()
    assert (ended["HX-Refresh"], "In order" in ended.content.decode()) == ("true", True)


def test_source_is_paused_with_a_reason_and_resumed(office: Office, client: Client, crm: Any) -> None:
    without = client.post(url("pause-source", crm.pk), {"reason": " "})
    paused = client.post(url("pause-source", crm.pk), {"reason": "Moves to another house."})
    shown = client.get(url("source", crm.pk)).content.decode()
    resumed = client.post(url("resume-source", crm.pk))

    assert (without.status_code, paused.status_code, resumed.status_code) == (422, 303, 303)
    assert "Moves to another house." in shown
    assert fresh(crm).paused_at is None


def test_stop_is_told_to_everybody_and_lifted(office: Office, client: Client) -> None:
    client.post(url("stop"), {"where": office.brand.slug, "reason": "An incident."})
    told = signed_in(office.agent).get(reverse("console:log")).content.decode()
    other = make_office(name="Elsewhere")
    elsewhere = signed_in(other.agent).get(reverse("console:log")).content.decode()

    client.post(url("lift-stop", CollectionStop.objects.get().pk))

    after = signed_in(office.agent).get(reverse("console:log")).content.decode()
    assert ["An incident." in page for page in (told, elsewhere, after)] == [True, False, False]


def test_new_source_is_built_from_what_its_connector_declares(office: Office, client: Client) -> None:
    chosen = client.get(url("choose-connector"), {"brand": office.brand.slug, "connector": "demo"})
    form = client.get(chosen["Location"]).content.decode()
    stated = {
        "name": "Web shop", "slug": "shop", "is_active": "on", "option_records": json.dumps(RECORDS),
        "option_page_size": "7", "data_kinds": ["financial"], "fact_purposes": "To deliver\nTo bill",
        "country": "Norway", "safeguard": "None needed", "erase_after": [SourceSystem.objects.get().slug],
    }  # fmt: skip

    answer = client.post(chosen["Location"], stated)
    run_jobs()

    made = SourceSystem.objects.get(slug="shop")
    assert [f'name="{name}"' in form for name in ("option_records", "option_page_size", "secret_token")] == [
        True
    ] * 3
    assert (answer.status_code, answer["Location"]) == (303, url("source", made.pk))
    assert (made.options["page_size"], made.data_kinds, made.country) == (7, ["financial"], "Norway")
    assert made.facts == {"purposes": ["To deliver", "To bill"]}
    assert (made.checks.get().stage, made.controller_id) == ("good", office.brand.pk)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"slug": "Not A Slug"}, "Only small letters"),
        ({"slug": "TAKEN"}, "Another source of this brand"),
        ({"option_records": "not JSON"}, "the records are not JSON"),
        ({"option_page_size": "0"}, "greater than or equal to 1"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_form_keeps_what_was_typed_and_says_what_is_wrong(
    office: Office, client: Client, crm: Any, stated: dict[str, str], said: str
) -> None:
    typed = {
        "name": "Web shop", "slug": "shop", "option_records": json.dumps(RECORDS), "country": "Norway",
        "secret_token": SECRET,
    } | {name: crm.slug if value == "TAKEN" else value for name, value in stated.items()}  # fmt: skip

    answer = client.post(url("add-source", office.brand.slug, "demo"), typed)

    page = answer.content.decode()
    assert (answer.status_code, said in page, 'value="Norway"' in page) == (422, True, True)
    assert SECRET not in page
    assert SourceSystem.objects.count() == 1


def test_dataset_comes_as_a_file_and_is_judged_by_line(office: Office, client: Client) -> None:
    address = url("add-source", office.brand.slug, "postgresql")
    stated = {
        "name": "Database", "slug": "db", "option_host": "db.example", "option_database": "shop",
        "option_user": "reader", "secret_password": SECRET, "option_port": "5432", "option_sslmode": "prefer",
    }  # fmt: skip
    wrong = SimpleUploadedFile(
        "shop.yml", b"dataset:\n  - fides_key: shop\n    name: Shop\n    collections: 7\n"
    )
    good = SimpleUploadedFile("shop.yml", DATASET.encode())

    refused = client.post(address, {**stated, "dataset_file": wrong})
    taken = client.post(address, {**stated, "dataset_file": good})

    assert (refused.status_code, "Line 4" in refused.content.decode()) == (422, True)
    assert SECRET not in refused.content.decode()
    assert (taken.status_code, SourceSystem.objects.get(slug="db").dataset) == (303, DATASET)


def test_settings_are_changed_and_on_record_without_values(office: Office, client: Client, crm: Any) -> None:
    stated = {"name": "Store", "option_records": json.dumps(RECORDS), "country": "Norway", "is_active": "on"}

    answer = client.post(url("edit-source", crm.pk), stated)

    event = AuditEvent.objects.filter(action="configuration.source_changed").get()
    assert (answer.status_code, fresh(crm).name) == (303, "Store")
    assert set(event.data["fields"]) == {"name", "country"}
    assert (event.actor_id, "Norway" in json.dumps(event.data)) == (office.administrator.pk, False)


# -- secrets ---------------------------------------------------------------------------------------------


def test_credentials_are_written_tried_and_never_shown(
    office: Office, client: Client, crm: Any, caplog: Any
) -> None:
    SourceSystem.objects.update(options={"records": json.dumps({**RECORDS, "token": SECRET})})
    answer = client.post(url("credentials", crm.pk, "reading"), {"secret_token": SECRET})
    run_jobs()

    pages = [
        client.get(address).content.decode()
        for address in (
            url("credentials", crm.pk, "reading"), url("edit-source", crm.pk), url("sources"),
        )
    ]  # fmt: skip
    shown = client.get(url("source", crm.pk)).content.decode()
    assert (answer.status_code, fresh(crm).secrets) == (303, {"token": SECRET})
    assert [f'value="{SECRET}"' in page for page in (*pages, shown)] == [False] * 4
    assert "set" in shown
    assert SECRET not in json.dumps([event.data for event in AuditEvent.objects.all()])
    assert SECRET not in json.dumps([job.args for job in Job.objects.all()])
    assert SECRET not in caplog.text


def test_credentials_that_do_not_work_leave_the_old_ones(office: Office, client: Client, crm: Any) -> None:
    crm.secrets, crm.options = {"token": "old"}, {"records": json.dumps({**RECORDS, "token": "old"})}
    crm.save()

    client.post(url("credentials", crm.pk, "reading"), {"secret_token": "wrong"})
    run_jobs()

    assert fresh(crm).secrets == {"token": "old"}


def test_stale_second_factor_drops_what_was_typed(office: Office, crm: Any) -> None:
    """The question that comes between carries forms along; a secret must not stand in its page."""
    client = signed_in(office.administrator)
    session = client.session
    session[sessions.FACTOR_AT] = 1
    session.save()

    answer = client.post(url("credentials", crm.pk, "reading"), {"secret_token": SECRET}, follow=True)

    assert SECRET not in answer.content.decode()
    assert (fresh(crm).secrets, SourceCheck.objects.count()) == ({}, 0)


def test_broken_connector_leaves_the_pages_whole(office: Office, client: Client, crm: Any) -> None:
    """A connector that is not installed any more, or settings that cannot work, are told of and break nothing."""
    SourceSystem.objects.filter(pk=crm.pk).update(options={"records": "not JSON"})
    source(office.brand, name="Gone", connector="no-such-connector")

    answers = [client.get(url("sources"))] + [
        client.get(url("source", one.pk)) for one in SourceSystem.objects.all()
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


def test_settings_and_identifiers_have_their_words(office: Office, client: Client, crm: Any) -> None:
    codes = {"id": str(crm.pk), "fields": ["is_test", "test_persons", "purged_after_days", "secrets"]}
    actor = by_staff(office.administrator).actor
    record(Action.SOURCE_CHANGED, actor, timezone.now(), controller_id=crm.controller_id, data=codes)

    page = client.get(url("source", crm.pk))

    told = [event.text for event in page.context["history"]]
    assert told == ["Test system, Recordings are deleted there after days, Credentials"]
    assert page.context["found_by"] == "e-mail address, telephone number"
    assert page.context["found_by"] in page.content.decode()


def test_history_of_a_source_is_told(office: Office, client: Client, crm: Any) -> None:
    client.post(url("pause-source", crm.pk), {"reason": "Moves."})
    client.post(url("resume-source", crm.pk))
    other = source(office.brand, name="Other")
    client.post(url("pause-source", other.pk), {"reason": "Moves, too."})

    page = client.get(url("source", crm.pk)).content.decode()

    history = page.partition('id="history"')[2]
    assert (history.count(">Paused</strong>"), history.count(">Resumed</strong>")) == (1, 1)
    assert User.objects.get(pk=office.administrator.pk).full_name in history
