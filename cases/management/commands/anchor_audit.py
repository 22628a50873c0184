"""Run daily, and carry the file away from this machine: what leaves in time cannot be rewritten later."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dsar.audit import anchor
from dsar.audit.actions import Action
from dsar.audit.record import OPERATOR, record
from dsar.lib.tenancy import unit_of_work
from dsar.vault import keyring
from identity.access import all_controllers


class Command(BaseCommand):
    help = "Append a signed line with the end of every chain of the audit trail to a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--out", type=Path, metavar="FILE", help="default: anchors.jsonl in the data folder"
        )

    def handle(self, *args: Any, out: Path | None, **options: Any) -> None:
        where, now = out or settings.DATA_DIR / "anchors.jsonl", timezone.now()
        with unit_of_work(all_controllers()):
            heads = anchor.present_heads()
            try:
                anchor.append(where, anchor.Anchor(now, heads), keyring.masters())
            except OSError as error:
                raise CommandError(f"{where}: {error.strerror}") from None
            record(Action.HEADS_ANCHORED, OPERATOR, now, data={"chains": len(heads)})
        self.stdout.write(f"{len(heads)} chains anchored in {where}")
