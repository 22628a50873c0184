"""Exit code 0: intact; 1: broken, with the place; 2: the command was used wrongly."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dsar.audit import anchor
from dsar.audit.verify import Break, Tally, broken_anchors, broken_chains
from dsar.lib.tenancy import unit_of_work
from dsar.vault import keyring
from identity.access import all_controllers

BROKEN = 1
USAGE = 2


class Command(BaseCommand):
    help = (
        "Verify every chain of the audit trail, and compare it with its anchors. "
        "Exit code 0: intact; 1: broken; 2: wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anchor",
            type=Path,
            metavar="FILE",
            help="anchors to compare with (default: the data folder's, if any)",
        )
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *args: Any, anchor: Path | None, **options: Any) -> None:
        if anchor is not None and not anchor.is_file():
            raise CommandError(f"There is no file {anchor}.", returncode=USAGE)
        tally = Tally()
        with unit_of_work(all_controllers()):
            breaks = list(_breaks(anchor or settings.DATA_DIR / "anchors.jsonl", tally))
        report = _as_json if options["json"] else _as_text
        self.stdout.write(report(breaks, tally))
        if breaks:
            raise SystemExit(BROKEN)


def _breaks(where: Path, tally: Tally) -> Iterator[Break]:
    yield from broken_chains(tally)
    if where.is_file():
        yield from broken_anchors(anchor.read(where, keyring.masters()), tally)


def _as_json(breaks: list[Break], tally: Tally) -> str:
    found = [{"chain": _id(each), "seq": each.seq, "what": each.what, "words": each.words} for each in breaks]
    counts = {"chains": tally.chains, "events": tally.events, "anchors": tally.anchors}
    return json.dumps({"intact": not breaks, **counts, "breaks": found}, indent=2)


def _as_text(breaks: list[Break], tally: Tally) -> str:
    lines = [f"{_place(each)}: {each.words} ({each.what})" for each in breaks]
    counts = f"{tally.chains} chains, {tally.events} events, {tally.anchors} anchors"
    return "\n".join([*lines, f"{'BROKEN' if breaks else 'intact'}: {counts}"])


def _id(each: Break) -> str | None:
    return None if each.chain is None else str(each.chain)


def _place(each: Break) -> str:
    return f"anchors, line {each.seq}" if each.chain is None else f"chain {each.chain}, event {each.seq}"
