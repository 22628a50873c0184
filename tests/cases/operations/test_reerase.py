"""A source comes back from a backup: what had been erased goes again, and nothing beside it."""

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import timezone

from cases.connectors.demo_crm.system.store import Store
from cases.models import Case, ErasedPlace
from cases.words import Right
from cases.workflow.intake import Person
from dsar.audit.models import AuditEvent
from dsar.jobs.models import Job
from dsar.vault import keyring
from tests.cases.chinook import needs_chinook
from tests.cases.connectors.demo_crm.crm_world import WORLD
from tests.cases.connectors.sql.conftest import Source, database, make_source  # noqa: F401  (fixtures)
from tests.cases.fulfilment.erasing import approved, erasure, open_desk, run_all
from tests.cases.fulfilment.whole import changes, everything
from tests.cases.workflow.rectifying import shop as crm_shop
from tests.factories.cases import SourceFactory

pytestmark = pytest.mark.django_db

Make = Callable[[str], Source]
BOB = Person(name="Bob Sample", email="bob@shop.test")


def run(controller, *args: str) -> str:
    out = io.StringIO()
    call_command("reerase", "--controller", controller.slug, *args, stdout=out)
    return out.getvalue()


class Backup:
    """A copy of every table, to be put back."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tables = list(everything(source))
        source.administer(f'CREATE SCHEMA "{source.schema}_bak"')
        for table in self.tables:
            source.administer(
                f'CREATE TABLE "{source.schema}_bak"."{table}" AS TABLE "{source.schema}"."{table}"'
            )

    def restore(self) -> None:
        held = "SET session_replication_role = replica;"
        every = ", ".join(f'"{self.source.schema}"."{table}"' for table in self.tables)
        back = ";".join(
            f'INSERT INTO "{self.source.schema}"."{table}" SELECT * FROM "{self.source.schema}_bak"."{table}"'
            for table in self.tables
        )
        self.source.administer(f"{held} TRUNCATE {every}; {back}")

    def drop(self) -> None:
        self.source.administer(f'DROP SCHEMA "{self.source.schema}_bak" CASCADE')


@pytest.fixture
def restored(serve, make_source: Make):  # noqa: F811
    """Luís was erased from the shop, his case forgot what was collected, and then the shop came back from a backup."""
    desk = open_desk()
    shop, case = erasure(desk, make_source)
    backup = Backup(shop.source)
    before = everything(shop.source)
    run_all()
    assert ErasedPlace.objects.exists(), str(list(Job.objects.values_list("kind", "state", "error_code")))
    erased = everything(shop.source)
    keyring.destroy(case.collected_key_id, timezone.now())
    backup.restore()
    assert changes(before, everything(shop.source)) == {}
    yield shop, case, erased
    backup.drop()


@needs_chinook
def test_what_was_erased_goes_again_row_by_row(restored) -> None:
    shop, case, erased = restored

    said = run(case.controller, "--source", "shop", "--do")

    again = changes(erased, everything(shop.source))
    told = AuditEvent.objects.get(action="reerasure.done").data
    # What hashes were made of his name the first time is made anew: the key of that time is gone.
    assert set(again) <= {"customer/1"}
    assert "Luís" not in str(everything(shop.source)["customer"]["1"])
    assert ("to be erased again: customer 1" in said, told["done"], told["left"]) == (True, 18, 0)


@needs_chinook
def test_dry_run_is_the_default_and_changes_nothing(restored) -> None:
    shop, case, _erased = restored
    before = everything(shop.source)

    said = run(case.controller, "--source", "shop")

    assert changes(before, everything(shop.source)) == {}
    assert "Nothing was changed" in said
    assert ("Luís" in said, "luisg" in said) == (False, False)


@needs_chinook
def test_number_that_is_somebody_elses_by_now_is_left_alone(restored) -> None:
    """After the restore the shop gave the number of an erased customer to another person."""
    shop, case, _erased = restored
    shop.source.execute(
        "UPDATE customer SET first_name = 'New', last_name = 'Person', email = 'new@example.com', phone = NULL"
        " WHERE customer_id = 1"
    )
    before = everything(shop.source)

    said = run(case.controller, "--source", "shop", "--do")

    assert changes(before, everything(shop.source)) == {}
    assert ("to be erased again: nothing" in said, "customer 1" in said) == (True, True)


@needs_chinook
def test_what_was_erased_after_the_restore_did_not_come_back(restored) -> None:
    shop, case, _erased = restored
    before = everything(shop.source)
    ErasedPlace.objects.update(erased_at=F("erased_at") + timedelta(days=3))

    said = run(case.controller, "--source", "shop", "--do", "--restored-at", str(timezone.localdate()))

    assert (changes(before, everything(shop.source)), "nothing to do" in said) == ({}, True)


def crm_erased(shop) -> Case:
    """Bob was erased from the demo CRM."""
    shop.desk.allow()
    case = approved(shop.desk, shop.desk.in_review(Right.ERASURE, person=BOB))
    run_all()
    return case


def filled() -> Store:
    store = Store()
    for kind, rows in WORLD.items():
        store.add(kind, [{k: v for k, v in row.items() if k != "loyalty_score"} for row in rows])
    return store


def test_system_over_http_is_walked_through_and_others_records_stay(serve) -> None:
    with crm_shop() as shop:
        case = crm_erased(shop)
        erased = shop.everything()
        shop.crm.crm.store = filled()
        restored = shop.everything()

        said = run(case.controller, "--source", "crm", "--do")
        after = shop.everything()

    assert (len(erased) < len(restored), after, "Bob" in said) == (True, erased, False)


def test_list_names_nobody_and_is_told_apart_by_brand(serve) -> None:
    with crm_shop() as shop:
        case = crm_erased(shop)

    kept = [bytes(one) for one in ErasedPlace.objects.values_list("value_hash", flat=True)]
    kinds = set(ErasedPlace.objects.values_list("kind", flat=True))
    assert ({len(one) for one in kept}, "email" in kinds, "place" in kinds) == ({32}, True, True)
    assert str(case.subject.email) not in str([*AuditEvent.objects.values_list("data", flat=True)])


def test_unknown_source_and_empty_list_are_told(serve) -> None:
    desk = open_desk()
    SourceFactory.create(controller=desk.controller, slug="crm")

    with pytest.raises(CommandError, match="no source"):
        run(desk.controller, "--source", "elsewhere")

    assert "nothing to do" in run(desk.controller, "--source", "crm")
