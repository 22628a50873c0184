"""A query that is composed once finds what the queryset would find, whoever asks for what."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from cases.models import Case, ClockEvent, SourceSystem
from dsar.lib.prepared import Prepared, write
from dsar.lib.tenancy import unit_of_work
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.models import Controller
from tests.dsar.rows import MOMENT

ONE, TWO = UUID(int=1), UUID(int=2)


def source(brand: Controller, slug: str, **fields: Any) -> SourceSystem:
    key = keyring.shared_key(KeyPurpose.CONTROLLER, brand.pk, MOMENT)
    made = SourceSystem(
        controller=brand, key=key, slug=slug, name=slug, connector="demo", options={"n": [1]}, **fields
    )
    made.secrets = {"token": slug}
    made.save()
    return made


@pytest.fixture
def brands(committed_db: None) -> None:
    """Each has a shop; the first has a desk as well."""
    with unit_of_work([ONE, TWO]):
        one, two = (
            Controller.objects.create(
                id=pk, slug=f"b{pk.int}", name=f"B{pk.int}", legal_name="B", regime="UK-ENG"
            )
            for pk in (ONE, TWO)
        )
        source(one, "shop"), source(one, "desk", data_kinds=["ordinary"]), source(two, "shop")


def of_brand(controller_id: UUID, slug: str) -> QuerySet[SourceSystem]:
    return SourceSystem.objects.select_related("controller", "paused_by").filter(
        controller_id=controller_id, slug=slug
    )


def test_prepared_finds_the_same_objects_with_their_relations(brands: None) -> None:
    prepared = Prepared(of_brand, UUID, str)
    with unit_of_work([ONE, TWO]):
        wanted = [of_brand(ONE, "shop").get(), of_brand(TWO, "shop").get(), of_brand(ONE, "desk").get()]

        with CaptureQueriesContext(connection) as asked:
            found = [prepared.get(ONE, "shop"), prepared.get(TWO, "shop"), prepared.get(ONE, "desk")]
            names = [(one.controller.name, one.paused_by) for one in found]

    def columns(one: SourceSystem) -> dict[str, Any]:
        return {name: value for name, value in one.__dict__.items() if name != "_state"}

    assert [columns(one) for one in found] == [columns(one) for one in wanted]
    assert names == [("B1", None), ("B2", None), ("B1", None)]
    assert ([type(one.options) for one in found], len(asked)) == ([dict] * 3, 3)


def test_prepared_opens_sealed_fields_and_saves_what_was_found(brands: None) -> None:
    prepared = Prepared(of_brand, UUID, str)
    with unit_of_work([ONE]):
        found = prepared.get(ONE, "shop")
        opened = found.secrets
        found.name = "Shop of the town"
        found.save()

        assert (opened, of_brand(ONE, "shop").get().name) == ({"token": "shop"}, "Shop of the town")


def test_prepared_gives_values_as_the_query_asks_for_them(brands: None) -> None:
    flat = Prepared(
        lambda brand: SourceSystem.objects.filter(controller_id=brand).values_list("slug", flat=True), UUID
    )
    pairs = Prepared(
        lambda brand: SourceSystem.objects.filter(controller_id=brand).values_list("slug", "data_kinds"), UUID
    )
    with unit_of_work([ONE]):
        assert sorted(flat.all(ONE)) == ["desk", "shop"]
        assert sorted(pairs.all(ONE)) == [("desk", ["ordinary"]), ("shop", [])]


def test_prepared_sees_no_other_controller(brands: None) -> None:
    prepared = Prepared(of_brand, UUID, str)
    with unit_of_work([ONE, TWO]):
        prepared.get(TWO, "shop")

    with unit_of_work([ONE]):
        assert (prepared.all(TWO, "shop"), prepared.first(TWO, "shop")) == ([], None)
        with pytest.raises(SourceSystem.DoesNotExist):
            prepared.get(TWO, "shop")


def test_prepared_get_of_several(brands: None) -> None:
    prepared = Prepared(lambda brand: SourceSystem.objects.filter(controller_id=brand), UUID)

    with unit_of_work([ONE]), pytest.raises(SourceSystem.MultipleObjectsReturned):
        prepared.get(ONE)


@pytest.mark.parametrize("values", [(), (ONE,), (None, "shop"), ("1", "shop"), (ONE, "shop", "more")])
def test_prepared_takes_what_it_was_declared_for(values: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        Prepared(of_brand, UUID, str).all(*values)


def test_prepared_lock_is_refused_outside_of_a_transaction(committed_db: None) -> None:
    prepared = Prepared(lambda pk: Case.objects.select_for_update().filter(pk=pk), UUID)
    with transaction.atomic():
        prepared.all(uuid4())

    with pytest.raises(TransactionManagementError):
        prepared.all(uuid4())


def test_prepared_keeps_the_order_and_the_number_of_rows(brands: None) -> None:
    prepared = Prepared(lambda pk: ClockEvent.objects.filter(case_id=pk).order_by("-at", "id")[:1], UUID)
    composed = str(ClockEvent.objects.filter(case_id=ONE).order_by("-at", "id")[:1].query)

    with unit_of_work([ONE]), CaptureQueriesContext(connection) as asked:
        prepared.all(ONE)

    assert plain(asked.captured_queries[0]["sql"]) == plain(composed)


def test_write_saves_these_fields_alone_of_each_kind(brands: None) -> None:
    with unit_of_work([ONE]):
        found = of_brand(ONE, "shop").get()
        found.name, found.options, found.data_kinds, found.secrets = (
            "Shop",
            {"n": 2},
            ["health"],
            {"token": "new"},
        )
        found.succeeded_at, found.connector = MOMENT, "not written"
        write(found, "name", "options", "data_kinds", "secrets", "succeeded_at")

        kept, other = of_brand(ONE, "shop").get(), of_brand(ONE, "desk").get()
        assert (
            kept.name,
            kept.options,
            kept.data_kinds,
            kept.secrets,
            kept.succeeded_at,
            kept.connector,
        ) == (
            "Shop",
            {"n": 2},
            ["health"],
            {"token": "new"},
            MOMENT,
            "demo",
        )
        assert other.name == "desk"


def test_write_refuses_a_row_that_is_not_to_be_seen(brands: None) -> None:
    with unit_of_work([TWO]):
        found = of_brand(TWO, "shop").get()
    found.name = "Taken over"

    with unit_of_work([ONE]), pytest.raises(DatabaseError):
        write(found, "name")

    with unit_of_work([TWO]):
        assert of_brand(TWO, "shop").get().name == "shop"


def plain(statement: str) -> str:
    """Without what differs by who wrote the values into it."""
    return re.sub("'|::uuid|(?<=[0-9a-f])-(?=[0-9a-f])", "", statement)
