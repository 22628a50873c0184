"""Exit code 0: every open case's dates were right, or are now; 1: with --check, some are not."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from cases.workflow.upkeep import recompute_open
from dsar.lib.tenancy import unit_of_work
from identity.access import all_controllers, controller_for_slug

DIFFER = 1
USAGE = 2


class Command(BaseCommand):
    help = (
        "Compute the dates of every open case anew from its facts, after new rules or holidays; each change is "
        "on the record. Exit code 0: all are right now; 1: with --check, some are not; 2: wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--controller", metavar="SLUG", help="of this controller alone")
        parser.add_argument("--check", action="store_true", help="change nothing, tell how many differ")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        moved = 0
        for controller_id in _controllers(options["controller"]):
            with unit_of_work([controller_id]):
                moved += recompute_open(controller_id, timezone.now())
                if options["check"]:
                    transaction.set_rollback(True)
        word = "differ" if options["check"] else "moved"
        self.stdout.write(json.dumps({word: moved}) if options["json"] else f"{moved} cases {word}")
        if options["check"] and moved:
            raise SystemExit(DIFFER)


def _controllers(slug: str | None) -> list[Any]:
    if slug is None:
        return list(all_controllers())
    found = controller_for_slug(slug)
    if found is None:
        raise CommandError(f"There is no controller {slug}.", returncode=USAGE)
    return [found]
