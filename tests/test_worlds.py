"""A module's world: what one test does to it is undone for the next. Each proof is done twice, in whatever order."""

from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone, translation

from cases.collection.gate import SharedGate, calls_left
from cases.connectors.base import Limit, Throttled
from cases.connectors.demo_crm.system.api import Switches
from cases.connectors.demo_crm.system.server import running
from cases.models import Case, SourceSystem
from cases.portal import door
from dsar.lib import tenancy
from dsar.vault.models import VaultKey
from identity import limits
from identity.models import Controller, User
from tests import worlds
from tests.cases.desk_cases import Office, in_approval, make_office
from tests.factories.crm import Lent

twice = pytest.mark.parametrize("turn", ["first", "second"])
CALLS = [Limit(10, 60.0)]
ROWS = (Case, Controller, User, SourceSystem, VaultKey)


@dataclass(frozen=True)
class World:
    office: Office
    case: Case
    rows: dict[str, int]
    served: frozenset[Any]
    files: dict[str, bytes]
    unhurried: float


def rows() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in ROWS}


def files() -> dict[str, bytes]:
    base = Path(settings.DATA_DIR)
    return {str(one.relative_to(base)): one.read_bytes() for one in base.rglob("*") if one.is_file()}


def build_world(patch: pytest.MonkeyPatch, _request: pytest.FixtureRequest) -> World:
    patch.setattr(door, "UNHURRIED_SECONDS", 0.0)
    office = make_office()
    case = in_approval(office.brand, office.handler)
    gate = SharedGate(SourceSystem.objects.get().pk)
    gate.declare(CALLS)
    gate.take()
    translation.activate("fr")
    return World(office, case, rows(), tenancy.served(), files(), door.UNHURRIED_SECONDS)


@twice
def test_rows_that_a_test_changed_are_as_they_were(world: World, turn: str) -> None:
    case = Case.objects.get(pk=world.case.pk)
    assert (rows(), case.version, tenancy.served()) == (world.rows, world.case.version, world.served)
    assert User.objects.get(pk=world.office.agent.pk).full_name == "Aggie Agent"

    User.objects.filter(pk=world.office.agent.pk).update(full_name="Somebody Else")
    SourceSystem.objects.create(controller=world.office.brand, key=SourceSystem.objects.get().key, slug=turn)
    make_office()

    assert rows() != world.rows


@twice
def test_what_was_served_is_served_again(world: World, turn: str) -> None:
    assert tenancy.served() == world.served

    tenancy.serve([])

    assert Case.objects.count() == 0


@twice
def test_transaction_that_a_test_broke_is_whole_again(world: World, turn: str) -> None:
    assert rows() == world.rows

    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    transaction.set_rollback(True)


@twice
def test_files_that_a_test_changed_are_as_they_were(world: World, turn: str) -> None:
    assert (files(), len(world.files) > 0) == (world.files, True)

    first, *others = (path for path in Path(settings.DATA_DIR).rglob("*") if path.is_file())
    first.write_bytes(b"something else")
    for path in others:
        path.unlink()
    (settings.DATA_DIR / "new").write_text(turn)


@twice
def test_objects_that_a_test_changed_are_as_they_were(world: World, turn: str) -> None:
    brand, case = world.office.brand, world.case
    assert (brand.name.startswith("Brand"), brand.languages, case.controller.name) == (
        True,
        ["en-gb"],
        brand.name,
    )
    assert len(world.rows) == len(ROWS)

    brand.name = case.controller.name = turn
    brand.languages.append("de")
    world.rows.clear()


@twice
def test_calls_that_were_counted_for_a_source_count_in_no_other_test(world: World, turn: str) -> None:
    source = SourceSystem.objects.get()
    gate = SharedGate(source.pk, world.case.pk)
    gate.declare(CALLS)
    assert calls_left([source.pk]) == {}

    for _ in range(8):
        gate.take()
    with pytest.raises(Throttled):
        gate.take()
    gate.learn(wait=60.0, remaining=0)
    with pytest.raises(Throttled):
        SharedGate(source.pk).take()
    assert calls_left([source.pk]) == {source.pk: 0}


@twice
def test_tries_of_strangers_that_were_counted_count_in_no_other_test(world: World, turn: str) -> None:
    limit = limits.Limit("worlds", 1, timedelta(hours=1))

    taken = [limits.take([(limit, "ada@example.com")], timezone.now()) is None for _ in range(2)]

    assert taken == [True, False]


@twice
def test_language_is_the_one_in_which_the_world_was_left(world: World, turn: str) -> None:
    assert translation.get_language() == "fr"

    translation.activate("de")


@twice
def test_what_waits_for_a_commit_waits_in_vain(world: World, turn: str) -> None:
    assert turn not in BEGUN

    transaction.on_commit(lambda: BEGUN.append(turn))


BEGUN: list[str] = []


def test_what_a_world_sets_holds_while_it_is_built(world: World) -> None:
    assert (world.unhurried, door.UNHURRIED_SECONDS > 0) == (0.0, True)


@pytest.mark.usefixtures("standing")
def test_database_is_closed_to_a_test_that_does_not_ask_for_it() -> None:
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        User.objects.count()


@pytest.mark.parametrize(
    ("fixtures", "marked"), [(["world", "committed_db"], True), (["world", "live_server"], False)]
)
def test_test_that_commits_is_refused_beside_a_world(fixtures: list[str], marked: bool) -> None:
    with pytest.raises(pytest.fail.Exception, match="commits"):
        worlds.refuse_outsiders([item(fixtures, marked)])


@pytest.mark.parametrize(("fixtures", "marked"), [(["db"], False), ([], True), (["serve", "db"], True)])
def test_test_that_stands_outside_of_its_modules_world_is_refused(fixtures: list[str], marked: bool) -> None:
    with pytest.raises(pytest.fail.Exception, match="not the world"):
        worlds.refuse_outsiders([item(fixtures, marked)])


def test_commits_are_refused_inside_of_a_world(world: World, request: pytest.FixtureRequest) -> None:
    with pytest.raises(AssertionError, match="can't stand in a world"):
        request.getfixturevalue("committed_db")


def test_world_whose_transaction_ended_is_not_entered(world: World, standing: worlds.Standing) -> None:
    ended = replace(standing, transaction=standing.transaction + 1)

    with pytest.raises(AssertionError, match="ended before"), worlds.entered(ended):
        pass


def test_crm_of_a_world_is_as_it_was_for_each_test() -> None:
    with running() as server:
        server.crm.store.add("contacts", [{"id": 1, "name": "Ada"}])
        lent = Lent(server, server.crm)
        seen = []
        for _ in range(2):
            with deepcopy(lent).as_it_was() as crm:
                found = crm.crm.store.get("contacts", 1)
                assert found is not None
                seen.append((found.data["name"], crm.crm.switches, crm.crm.writes))
                crm.crm.store.change(found, {"name": "Bob"}, "somebody")
                crm.crm.switches, crm.crm.writes = Switches(keys_revoked=True), 7

    assert seen == [("Ada", Switches(), 0)] * 2


def item(fixtures: list[str], marked: bool) -> Any:
    return SimpleNamespace(
        nodeid="test", fixturenames=fixtures, get_closest_marker=lambda _name: marked or None
    )
