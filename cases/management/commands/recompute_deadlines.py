"""Exit code 0: every open case's dates were right, or are now; 1: with --check, some are not."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from cases.management.named import controllers
from cases.workflow import recomputation
from dsar.lib.tenancy import unit_of_work

DIFFER = 1


@dataclass
class Tally:
    """What was done so far."""

    examined: int = 0
    moved: int = 0
    resumed_after: int = 0


class Command(BaseCommand):
    help = (
        "Compute the dates of every open case anew from its facts; each change is on the record. It works in batches "
        "and may be killed at any time: started again within a day it goes on where it was. The desk does the same "
        "by itself when law files, holidays or local days change. Exit code 0: all are right now; 1: with --check, "
        "some are not; 2: wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--controller", metavar="SLUG", help="of this controller alone")
        parser.add_argument("--check", action="store_true", help="change nothing, tell how many differ")
        parser.add_argument("--anew", action="store_true", help="begin anew where a run was cut off")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        tally = Tally()
        for controller_id in controllers(options["controller"]):
            if options["check"]:
                _compare(controller_id, tally)
            else:
                _recompute(controller_id, tally, anew=options["anew"])
        word = "differ" if options["check"] else "moved"
        report = _as_json if options["json"] else _as_text
        self.stdout.write(report(tally, word))
        if options["check"] and tally.moved:
            raise SystemExit(DIFFER)


def _recompute(controller_id: UUID, tally: Tally, *, anew: bool) -> None:
    with unit_of_work([controller_id]):
        walk = recomputation.begin_by_hand(controller_id, timezone.now(), anew=anew)
    tally.resumed_after += walk.examined
    while walk.ended_at is None:
        with unit_of_work([controller_id]):
            walk = recomputation.go_on(walk.pk, timezone.now())
    tally.examined += walk.examined
    tally.moved += walk.moved


def _compare(controller_id: UUID, tally: Tally) -> None:
    after: UUID | None = None
    while True:
        with unit_of_work([controller_id]):
            found = recomputation.compare(controller_id, after, timezone.now())
        tally.examined += found.examined
        tally.moved += found.differing
        if found.last is None:
            return
        after = found.last


def _as_json(tally: Tally, word: str) -> str:
    return json.dumps({word: tally.moved, "examined": tally.examined, "resumed_after": tally.resumed_after})


def _as_text(tally: Tally, word: str) -> str:
    resumed = f" (went on after {tally.resumed_after})" if tally.resumed_after else ""
    return f"{tally.moved} of {tally.examined} cases {word}{resumed}"
