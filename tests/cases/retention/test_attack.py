"""After purging, nothing of the person can be read, found or computed; and nobody else lost anything."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.utils import timezone

from cases import queries
from cases.models import Case, SourceSystem
from cases.words import Channel
from cases.workflow import retention, signals
from cases.workflow.contact import Contact, note_contact
from cases.workflow.intake import Person, Upload
from cases.workflow.perform import note
from dsar.audit.verify import Tally, broken_chains
from dsar.jobs import queue
from dsar.lib.tenancy import unit_of_work
from dsar.lib.uuid7 import uuid7
from dsar.vault import files
from dsar.vault.keyring import KeyDestroyed
from dsar.vault.models import StoredFile
from identity.access import all_controllers
from tests.cases.retention.kept import answered, complained, in_days
from tests.cases.workflow.conftest import Desk, make_desk
from tests.conftest import as_superuser
from tests.factories.cases import SourceFactory, in_state
from tests.factories.identity import ControllerFactory

pytestmark = pytest.mark.usefixtures("committed_db")

ZELDA = Person(
    name="Zelda Quist",
    email="zelda@planted.example",
    phone="+44 20 7946 0555",
    external_id="PLANTED-77",
    postal_address="9 Planted Lane",
)
BOB = Person(name="Bob Stranger", email="bob@example.com")
CONTACT = "call-planted-1"
# Words of hers, from all ways by which they come in.
PLANTED = (
    "Zelda",
    "zelda@planted.example",
    "7946 0555",
    "PLANTED-77",
    "9 Planted Lane",
    "the yellow bicycle",
    "owes for a kite",
    "a note on her",
    "scan of her letter",
    "asked on the spot",
    CONTACT,
    "You forgot a recording.",
)
RECORDS = {
    "people": [
        {"id": 1, "email": "zelda@planted.example", "name": "Zelda Quist"},
        {"id": 2, "email": "bob@example.com", "name": "Bob Stranger"},
    ],
    "notes": [
        {"id": 10, "person_id": 1, "agent": "Carla Agent", "text": "She owes for a kite."},
        {"id": 11, "person_id": 2, "agent": "Carla Agent", "text": "Stranger's note."},
    ],
}

# Where the demo connector has what a real source would hold in its own database.
ITS_OWN_RECORDS = (SourceSystem, "options")

Dump = dict[str, set[str]]


@dataclass(frozen=True)
class World:
    """Zelda asked two brands; Bob asked the first."""

    brand: Desk
    other: Desk
    hers: Case
    bobs: Case
    elsewhere: Case


@pytest.fixture
def world(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(queue, "publish", lambda *_args, **_kwargs: True)
    with unit_of_work([]):
        brand, other = _brand(), _brand()
        bobs = brand.in_review(person=BOB)
        return World(brand, other, _hers(brand), bobs, _hers(other))


def _brand() -> Desk:
    controller = ControllerFactory.create()
    SourceFactory.create(controller=controller, slug="crm", options={"records": json.dumps(RECORDS)})
    return make_desk(controller)


def _hers(desk: Desk) -> Case:
    now = timezone.now()
    upload = Upload("planted.txt", "text/plain", [b"scan of her letter"])
    words = "It is about the yellow bicycle."
    case = answered(desk, person=ZELDA, words=words, files=[upload], contact_reference=CONTACT)
    note(case, desk.handler, now, "This is a note on her.")
    signals.note_origin(case.subject_request, "203.0.113.0/24", "en", "GB", now)
    in_state(complained(desk, case), "closed")
    spoken = Contact(desk.controller, Channel.CALL, "Zelda asked on the spot.", now, uuid7(), CONTACT)
    note_contact(spoken, desk.agent, now)
    return case


def readable() -> str:
    """All that the desk can read: every field of every row, opened, and every file on the disk."""
    with unit_of_work(all_controllers()):
        return "\n".join([*_words(), *_names_on_disk()])


def _words() -> Iterator[str]:
    for model in apps.get_models():
        for row in model._base_manager.all():
            for field in model._meta.concrete_fields:
                with suppress(KeyDestroyed):
                    if (model, field.name) != ITS_OWN_RECORDS:
                        yield repr(getattr(row, field.attname))
    for stored in StoredFile.objects.all():
        with suppress(KeyDestroyed):
            yield b"".join(files.read(stored)).decode("latin-1")


def _names_on_disk() -> list[str]:
    return [path.name for path in Path(settings.DATA_DIR).glob("??/*") if len(path.name) == 32]


def of_brand(brand: Desk) -> str:
    with unit_of_work([brand.controller.pk]):
        return "\n".join(_words())


def dump() -> Dump:
    """Every row of every table, as the superuser sees it."""
    with as_superuser() as database:
        tables = database.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        return {
            table: {row[0] for row in database.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')}
            for (table,) in tables
        }


def hashes(desk: Desk) -> set[str]:
    """The keyed hashes by which she could be found, as the database shows bytes."""
    with unit_of_work([desk.controller.pk]):
        known = vars(ZELDA) | {"postal_address": None}
        typed = {name: value for name, value in known.items() if value}
        blinds = queries.blind_identifiers(desk.controller, timezone.now(), **typed)
        return {blind.hex() for _kind, blind in blinds}


def purge(desk: Desk, days: int) -> None:
    step = partial(unit_of_work, [desk.controller.pk])
    assert all(done.failed == 0 for _rule, done in retention.purge(desk.controller.pk, in_days(days), step))


def lines(rows: Dump, *ids: object, without: tuple[str, ...] = ()) -> Dump:
    """The rows that mention one of these."""
    return {
        table: {row for row in held if any(str(one) in row for one in ids)}
        for table, held in rows.items()
        if table not in without
    }


def test_nothing_of_her_is_left_that_can_be_read_or_found(world: World) -> None:
    before, found_before = of_brand(world.brand), dump()
    digest = hashlib.sha256(b"scan of her letter").hexdigest()

    purge(world.brand, 1500)

    after, found_after = of_brand(world.brand), dump()
    mine = lines(found_after, world.brand.controller.pk)
    every = "\n".join(row for rows in mine.values() for row in rows)
    assert [word for word in PLANTED if word not in before] == []
    assert [word for word in PLANTED if word in after] == []
    assert [one for one in hashes(world.brand) if one in every] == []
    assert len([one for one in hashes(world.brand) if one in str(found_before)]) == len(hashes(world.brand))
    assert digest in str(lines(found_before, world.brand.controller.pk))
    assert digest not in every
    assert world.hers.subject_request.reference not in every


def test_nothing_is_left_over_but_what_rows_name(world: World) -> None:
    purge(world.brand, 1500)

    step = partial(unit_of_work, [world.brand.controller.pk])
    again = [done.of for _rule, done in retention.purge(world.brand.controller.pk, in_days(1500), step)]
    with unit_of_work(all_controllers()):
        named = sorted(stored.pk.hex for stored in StoredFile.objects.all())
        of_whom = set(StoredFile.objects.values_list("controller_id", flat=True))
        breaks = list(broken_chains(Tally()))
    assert sorted(_names_on_disk()) == named
    assert of_whom == {world.other.controller.pk}
    assert again == [0] * len(again)
    assert breaks == []


def test_others_keep_every_row(world: World) -> None:
    ids = (world.bobs.pk, world.bobs.subject_request_id, world.bobs.subject_id)
    by_age = ("jobs_job", "identity_accesstoken", "identity_onetimecode", "cases_requestorigin")
    whole = dump()
    elsewhere, bobs = lines(whole, world.other.controller.pk), lines(whole, *ids, without=by_age)

    purge(world.brand, 1500)

    whole = dump()
    assert lines(whole, world.other.controller.pk) == elsewhere
    assert lines(whole, *ids, without=by_age) == bobs
    assert "the yellow bicycle" in readable()
    assert "Stranger's note." in of_brand(world.brand)


def test_what_was_collected_is_gone_and_the_rest_of_the_file_is_there(world: World) -> None:
    purge(world.brand, 100)

    after = of_brand(world.brand)
    assert "owes for a kite" not in after
    assert [word for word in ("Zelda", "the yellow bicycle", "a note on her") if word not in after] == []
