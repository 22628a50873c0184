"""After a new master key was added to the environment: bring every data key under it.

Exit code 0: nothing depends on an older master key; 1: something does; 2: wrong usage.
"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from dsar.vault import keyring
from dsar.vault.rotate import rotate, versions_in_use
from identity.access import all_controllers

STILL_NEEDED = 1


class Command(BaseCommand):
    help = (
        "Wrap every data key under the newest master key; may be stopped and run again at any time. "
        "Exit code 0: no older master key is needed any more; 1: one is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing, tell what is in use")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        controllers = all_controllers()
        batches = [] if options["check"] else list(rotate(controllers, timezone.now()))
        current, in_use = keyring.masters().current, versions_in_use(controllers)
        report = {
            "master_version": current,
            "rewrapped": sum(batch.rewrapped for batch in batches),
            "unopened": [str(key_id) for batch in batches for key_id in batch.unopened],
            "in_use": in_use,
        }
        self.stdout.write(json.dumps(report, indent=2) if options["json"] else _as_text(report))
        if set(in_use) - {current}:
            raise SystemExit(STILL_NEEDED)


def _as_text(report: dict[str, Any]) -> str:
    lines = [f"{report['rewrapped']} keys rewrapped under master key {report['master_version']}"]
    lines += [f"key {key_id} does not open: its master key is not at hand" for key_id in report["unopened"]]
    lines += [f"master key {version} wraps {keys} keys" for version, keys in report["in_use"].items()]
    return "\n".join(lines)
