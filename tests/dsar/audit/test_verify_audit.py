"""Tampering as superuser, who can do anything: each is found, with its place."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from dsar.audit import anchor
from dsar.audit.actions import Action
from dsar.audit.models import SYSTEM_CHAIN, AuditEvent
from dsar.audit.record import SYSTEM, record
from dsar.audit.sql import HASH
from dsar.audit.verify import WORDS
from dsar.lib.crypto import MasterKeys
from dsar.lib.tenancy import unit_of_work
from tests.conftest import as_superuser
from tests.dsar.rows import ALPHA, BETA, MOMENT
from tests.dsar.vault.masters import master_keys
from tests.factories.identity import ControllerFactory

CASE = UUID(int=77)
OTHER = UUID(int=78)
LENGTH = 6


@pytest.fixture
def trail(committed_db: None) -> None:
    """Two controllers, a chain of six events for a case of each, and shorter ones."""
    with unit_of_work([]):
        for controller_id, case_id in ((ALPHA, CASE), (BETA, OTHER)):
            ControllerFactory.create(id=controller_id)
            record(Action.CONFIGURATION_APPLIED, SYSTEM, MOMENT, controller_id=controller_id)
            for number in range(LENGTH):
                record(
                    Action.NOTE_ADDED,
                    SYSTEM,
                    MOMENT,
                    controller_id=controller_id,
                    case_id=case_id,
                    data={"n": number},
                )
        record(Action.KEYS_ROTATED, SYSTEM, MOMENT)


def verify(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and report."""
    out = StringIO()
    try:
        call_command("verify_audit", "--json", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def found(*arguments: str) -> list[tuple[str | None, int, str]]:
    """The breaks: chain, place and what."""
    return [(each["chain"], each["seq"], each["what"]) for each in verify(*arguments)[1]["breaks"]]


def tamper(*statements: str) -> None:
    with as_superuser() as database:
        database.execute("SET session_replication_role = replica")
        for statement in statements:
            database.execute(statement)


# What stands in a chain after somebody with every right rewrote it by the rule.
RELINK = f"""
DO $$ DECLARE event audit_event; before bytea := ''; place bigint := 0;
BEGIN
    FOR event IN SELECT * FROM audit_event WHERE chain = '{CASE}' ORDER BY seq LOOP
        event.prev := before; place := place + 1; event.seq := place;
        before := {HASH.format(row="event")};
        UPDATE audit_event SET seq = place, prev = event.prev, hash = before WHERE id = event.id;
    END LOOP;
    UPDATE audit_head SET seq = place, hash = before WHERE chain = '{CASE}';
END $$"""

COPY = (
    "INSERT INTO audit_event SELECT gen_random_uuid(), chain, {seq}, at, action, actor_kind, actor_id, controller_id,"
    f" case_id, data, prev, hash FROM audit_event WHERE chain = '{CASE}' AND seq = {{source}}"
)
OF_CASE = f"chain = '{CASE}'"

# How it was done: the statements, the place and the kind of the break that shows it.
TAMPERINGS: dict[str, tuple[list[str], int, str]] = {
    "edited data": ([f"UPDATE audit_event SET data = '{{}}' WHERE {OF_CASE} AND seq = 3"], 3, "edited"),
    "edited time": (
        [f"UPDATE audit_event SET at = at + interval '1 us' WHERE {OF_CASE} AND seq = 1"],
        1,
        "edited",
    ),
    "edited actor": (
        [f"UPDATE audit_event SET actor_kind = 'staff' WHERE {OF_CASE} AND seq = 6"],
        6,
        "edited",
    ),
    "edited hash": ([f"UPDATE audit_event SET hash = sha256('x') WHERE {OF_CASE} AND seq = 4"], 4, "edited"),
    "edited link": (
        [f"UPDATE audit_event SET prev = sha256('x') WHERE {OF_CASE} AND seq = 4"],
        4,
        "unlinked",
    ),
    "deleted in the middle": ([f"DELETE FROM audit_event WHERE {OF_CASE} AND seq = 3"], 3, "gap"),
    "deleted at the beginning": ([f"DELETE FROM audit_event WHERE {OF_CASE} AND seq <= 2"], 1, "gap"),
    "deleted at the end": ([f"DELETE FROM audit_event WHERE {OF_CASE} AND seq >= 5"], 5, "cut_tail"),
    "deleted wholly": ([f"DELETE FROM audit_event WHERE {OF_CASE}"], 1, "cut_tail"),
    "deleted head": ([f"DELETE FROM audit_head WHERE {OF_CASE}"], 1, "head_missing"),
    "rewritten head": ([f"UPDATE audit_head SET hash = sha256('x') WHERE {OF_CASE}"], 6, "head_mismatch"),
    "appended past the trigger": ([COPY.format(seq=7, source=6)], 7, "unlinked"),
    "inserted and moved on": (
        [
            f"UPDATE audit_event SET seq = seq + 100 WHERE {OF_CASE} AND seq > 3",
            f"UPDATE audit_event SET seq = seq - 99 WHERE {OF_CASE} AND seq > 100",
            COPY.format(seq=4, source=3),
        ],
        4,
        "unlinked",
    ),
    "swapped": (
        [
            f"UPDATE audit_event SET seq = 100 WHERE {OF_CASE} AND seq = 2",
            f"UPDATE audit_event SET seq = 2 WHERE {OF_CASE} AND seq = 3",
            f"UPDATE audit_event SET seq = 3 WHERE {OF_CASE} AND seq = 100",
        ],
        2,
        "unlinked",
    ),
    "hidden under a controller that is not": (
        [f"UPDATE audit_event SET controller_id = gen_random_uuid() WHERE {OF_CASE} AND seq = 3"],
        3,
        "gap",
    ),
}


def test_untouched_trail_is_intact(trail: None) -> None:
    code, report = verify()

    assert code == 0
    assert report == {"intact": True, "chains": 5, "events": 2 * LENGTH + 5, "anchors": 0, "breaks": []}


@pytest.mark.parametrize(("statements", "place", "what"), TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_tampering_is_found_at_its_place(trail: None, statements: list[str], place: int, what: str) -> None:
    tamper(*statements)

    code, report = verify()

    assert code == 1
    assert report["breaks"] == [{"chain": str(CASE), "seq": place, "what": what, "words": WORDS[what]}]


def test_head_set_back_with_the_tail_is_found_by_the_anchor_alone(trail: None, tmp_path: Path) -> None:
    where = anchored(tmp_path)

    tamper(f"DELETE FROM audit_event WHERE {OF_CASE} AND seq >= 5", RELINK)

    assert verify()[0] == 0
    assert found("--anchor", str(where)) == [(str(CASE), 6, "anchor_mismatch")]


REWRITINGS: dict[str, list[str]] = {
    "edit": [f"UPDATE audit_event SET data = '{{}}' WHERE {OF_CASE} AND seq = 2", RELINK],
    "deletion in the middle": [f"DELETE FROM audit_event WHERE {OF_CASE} AND seq = 2", RELINK],
    "whole chain gone": [
        f"DELETE FROM audit_event WHERE {OF_CASE}",
        f"DELETE FROM audit_head WHERE {OF_CASE}",
    ],
}


@pytest.mark.parametrize("statements", REWRITINGS.values(), ids=REWRITINGS.keys())
def test_chain_rewritten_by_the_rule_is_found_by_the_anchor(
    trail: None, tmp_path: Path, statements: list[str]
) -> None:
    where = anchored(tmp_path)

    tamper(*statements)

    assert found() == []
    assert found("--anchor", str(where)) == [(str(CASE), 6, "anchor_mismatch")]


def test_several_broken_chains_are_all_told(trail: None) -> None:
    tamper(
        f"UPDATE audit_event SET data = '{{}}' WHERE {OF_CASE} AND seq IN (2, 5)",
        f"DELETE FROM audit_event WHERE chain = '{OTHER}' AND seq = 6",
        f"UPDATE audit_event SET action = 'x' WHERE chain = '{SYSTEM_CHAIN}'",
    )

    breaks = sorted(found())

    assert breaks == [(str(SYSTEM_CHAIN), 1, "edited"), (str(CASE), 2, "edited"), (str(OTHER), 6, "cut_tail")]


def test_text_names_chain_event_and_kind(trail: None) -> None:
    tamper(f"UPDATE audit_event SET data = '{{}}' WHERE {OF_CASE} AND seq = 3")
    out = StringIO()

    with pytest.raises(SystemExit) as end:
        call_command("verify_audit", stdout=out)

    assert end.value.code == 1
    assert out.getvalue().splitlines() == [
        f"chain {CASE}, event 3: this event is not what was recorded (edited)",
        f"BROKEN: 5 chains, {2 * LENGTH + 5} events, 0 anchors",
    ]


def test_missing_anchor_file_is_wrong_usage(trail: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("verify_audit", "--anchor", str(tmp_path / "none"))

    assert refusal.value.returncode == 2


# -- anchors -----------------------------------------------------------------------------------------


def anchored(folder: Path, times: int = 1) -> Path:
    """A file of anchors, each a little later than the one before."""
    where = folder / "anchors.jsonl"
    for _ in range(times):
        call_command("anchor_audit", "--out", str(where), stdout=StringIO())
    return where


def test_anchor_holds_every_head_and_is_itself_on_record(trail: None, tmp_path: Path) -> None:
    where = anchored(tmp_path)

    heads = json.loads(where.read_text())["heads"]
    assert {chain: head[0] for chain, head in heads.items()} == {
        str(SYSTEM_CHAIN): 1, str(ALPHA): 2, str(BETA): 2, str(CASE): LENGTH, str(OTHER): LENGTH,
    }  # fmt: skip
    with unit_of_work([]):
        last = AuditEvent.objects.order_by("seq").last()
    assert last is not None
    assert (last.action, last.actor_kind, last.data) == ("audit.anchored", "operator", {"chains": 5})


def test_trail_that_went_on_agrees_with_its_anchors(trail: None, tmp_path: Path) -> None:
    where = anchored(tmp_path, times=3)

    code, report = verify("--anchor", str(where))

    assert (code, report["anchors"]) == (0, 3)


def test_anchors_in_the_data_folder_are_found_unasked(trail: None, settings: Any) -> None:
    call_command("anchor_audit", stdout=StringIO())

    assert (settings.DATA_DIR / "anchors.jsonl").stat().st_mode & 0o777 == 0o600
    assert verify()[1]["anchors"] == 1


def edited(lines: list[str]) -> list[str]:
    return [lines[0].replace('"at":"20', '"at":"19'), *lines[1:]]


FORGERIES: dict[str, tuple[Callable[[list[str]], list[str]], list[tuple[None, int, str]]]] = {
    "edited line": (edited, [(None, 1, "anchor_altered")]),
    "line cut out": (lambda lines: [lines[0], lines[2]], [(None, 2, "anchor_cut")]),
    "first line cut off": (lambda lines: lines[1:], [(None, 1, "anchor_cut")]),
    "no JSON": (
        lambda lines: ["gibberish", *lines[1:]],
        [(None, 1, "anchor_altered"), (None, 2, "anchor_cut")],
    ),
    "no signature": (
        lambda lines: [lines[0], lines[1].split(',"signature"')[0] + "}", lines[2]],
        [(None, 2, "anchor_altered"), (None, 3, "anchor_cut")],
    ),
    "another key's number": (
        lambda lines: [*lines[:2], lines[2].replace('"key":1', '"key":9')],
        [(None, 3, "anchor_key_unknown")],
    ),
    "strange types": (
        lambda lines: [*lines, '{"key": [1], "signature": "é"}'],
        [(None, 4, "anchor_altered")],
    ),
}


@pytest.mark.parametrize(("forge", "breaks"), FORGERIES.values(), ids=FORGERIES.keys())
def test_forged_anchors_are_found_at_their_line(
    trail: None, tmp_path: Path, settings: Any,
    forge: Callable[[list[str]], list[str]], breaks: list[tuple[None, int, str]],
) -> None:  # fmt: skip
    settings.MASTER_KEYS = master_keys(1)
    where = anchored(tmp_path, times=3)
    where.write_text("\n".join(forge(where.read_text().splitlines())) + "\n")

    assert found("--anchor", str(where)) == breaks


def test_anchor_signed_without_the_master_key_is_refused(trail: None, tmp_path: Path, settings: Any) -> None:
    where = anchored(tmp_path)
    stranger = MasterKeys.parse(master_keys(1, mark=b"s"))
    settings.MASTER_KEYS = master_keys(1)

    anchor.append(where, anchor.Anchor(MOMENT, {}), stranger)

    assert found("--anchor", str(where))[-1] == (None, 2, "anchor_altered")


def test_torn_line_does_not_swallow_the_next_anchor(trail: None, tmp_path: Path) -> None:
    where = anchored(tmp_path)
    where.write_text(where.read_text() + '{"at": "20')

    anchored(tmp_path)

    assert found("--anchor", str(where)) == [(None, 2, "anchor_altered")]


def test_anchors_outlive_a_rotation_of_the_master_key(trail: None, tmp_path: Path, settings: Any) -> None:
    settings.MASTER_KEYS = master_keys(1)
    anchored(tmp_path)
    settings.MASTER_KEYS = master_keys(1, 2)

    where = anchored(tmp_path)

    assert [json.loads(line)["key"] for line in where.read_text().splitlines()] == [1, 2]
    assert found("--anchor", str(where)) == []
