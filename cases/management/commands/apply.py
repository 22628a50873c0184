"""Exit code 0: applied; 1: the file is wrong, and nothing was changed; 2: wrong usage."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cases.operations.apply import Change, apply
from cases.operations.reading import FileWrong, Problem

WRONG = 1
USAGE = 2


class Command(BaseCommand):
    help = (
        "Create or update controllers, teams, staff and source systems from a file (docs/apply.md). "
        "Exit code 0: applied; 1: the file is wrong, and nothing was changed; 2: wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.yaml")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would change, and change nothing"
        )
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            changes = apply(file, timezone.now(), dry_run=options["dry_run"])
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.", returncode=USAGE) from None
        except FileWrong as wrong:
            self._say_what_is_wrong(wrong.problems, options["json"])
            raise SystemExit(WRONG) from None
        self.stdout.write(
            _as_json(changes, options["dry_run"])
            if options["json"]
            else _as_text(changes, options["dry_run"])
        )

    def _say_what_is_wrong(self, problems: Sequence[Problem], as_json: bool) -> None:
        if as_json:
            report = {"applied": False, "problems": [asdict(each) for each in problems]}
            self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False))
        else:
            lines = [*map(str, problems), "Nothing was changed."]
            self.stderr.write("\n".join(lines))


def _as_json(changes: Sequence[Change], dry_run: bool) -> str:
    report = {"applied": not dry_run, "changes": [asdict(each) for each in changes]}
    return json.dumps(report, indent=2, ensure_ascii=False)


def _as_text(changes: Sequence[Change], dry_run: bool) -> str:
    counts = [
        f"{sum(each.what == what for each in changes)} {what}" for what in ("created", "updated", "unchanged")
    ]
    closing = f"{', '.join(counts)}{' (dry run: nothing was changed)' if dry_run else ''}"
    return "\n".join([*map(str, changes), closing])
