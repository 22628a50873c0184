"""After a source was restored from a backup: erase again what had been erased."""

import csv
from contextlib import closing
from datetime import datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date

from cases.collection import turns
from cases.connectors.base import ConnectorError, Identifier
from cases.connectors.changes import ChangesRecords
from cases.management.named import controller
from cases.models import SourceSystem
from cases.permissions import BY_OPERATOR
from cases.workflow import reerasure
from dsar.lib.tenancy import unit_of_work


class Command(BaseCommand):
    help = "Erase again what came back when a source was restored from a backup. Shows what it would do, unless --do."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--controller", required=True, help="slug of the controller")
        parser.add_argument("--source", required=True, help="slug of the source that was restored")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--dry-run", action="store_true", help="show what would be done (the default)")
        how.add_argument("--do", action="store_true", help="erase")
        parser.add_argument(
            "--restored-at", help="the day of the restore; what was erased later did not come back"
        )
        parser.add_argument(
            "--identifiers",
            help="CSV of kind and value, such as those of all customers in the backup, for a source that cannot be"
            " walked through; only those on the list are used",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now, controller_id = timezone.now(), controller(options["controller"])
        listed = self._listed(controller_id, options, now)
        if not listed.places:
            self.stdout.write("Nothing on the list of this source: nothing to do.")
            return
        try:
            self._go(listed, _identifiers(options["identifiers"]), now, do=options["do"])
        except reerasure.CannotList:
            raise CommandError(
                "This source cannot be walked through: give --identifiers, a CSV of those whom the backup holds."
            ) from None
        except ConnectorError as error:
            raise CommandError(f"{error} {error.what_to_do}") from None

    def _listed(self, controller_id: UUID, options: dict[str, Any], now: datetime) -> reerasure.Listed:
        with unit_of_work([controller_id]):
            source = SourceSystem.objects.select_related("controller").filter(
                controller=controller_id, slug=options["source"]
            )
            found = source.first()
            if found is None:
                raise CommandError(f"There is no source “{options['source']}” of this controller.")
            if options["do"] and not turns.may_be_asked(found, now):
                raise CommandError(
                    "This source is paused, or collection is stopped: nothing is changed there."
                )
            # Opened here, where their key can be had; what follows runs outside of the transaction.
            found.secrets, found.erasing_secrets = found.secrets, found.erasing_secrets
            return reerasure.Listed.of(found, _restored_at(options["restored_at"], found, now), now)

    def _go(self, listed: reerasure.Listed, given: list[Identifier], now: datetime, *, do: bool) -> None:
        with closing(reerasure.connect(listed.source)) as connector:
            assert isinstance(connector, ChangesRecords)
            found = reerasure.look(listed, connector, given)
            self._tell(found)
            if do:
                outcomes = reerasure.do(found, listed, connector, now)
            else:
                self._show_plan(found, listed, connector, now)
                return
        with unit_of_work([listed.source.controller_id]):
            reerasure.put_on_record(listed.source, outcomes, BY_OPERATOR, now)
        self.stdout.write(f"Erased again: {_told(outcomes.counts)}.")
        if outcomes.blocked:
            self.stdout.write(f"The source refuses: {_told(outcomes.blocked)}.")
        if outcomes.left:
            raise CommandError(f"{outcomes.left} records are still there. Look into the source.")

    def _tell(self, found: reerasure.Found) -> None:
        if found.walked:
            self.stdout.write(f"{found.walked} records walked through.")
        if found.skipped:
            self.stdout.write(f"Without keys, and so not looked at: {', '.join(found.skipped)}.")
        self.stdout.write(f"Came back, and to be erased again: {_told(found.by_type) or 'nothing'}.")
        if found.newer:
            self.stdout.write(f"Other records of these people, left alone: {found.newer}.")
        if found.alone:
            told = _told(found.alone)
            self.stdout.write(
                f"At the place of an erased record, but nobody's of the list: {told}. Look at them."
            )

    def _show_plan(
        self, found: reerasure.Found, listed: reerasure.Listed, connector: ChangesRecords, now: datetime
    ) -> None:
        for _wishes, plan in reerasure.plans(found, listed, connector, now):
            for blocker in plan.blockers:
                self.stdout.write(f"Would be refused: {blocker.type}, {blocker.obstacle.value}.")
        self.stdout.write("Nothing was changed. Run it with --do to erase.")


def _told(counts: Any) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))


def _restored_at(text: str | None, source: SourceSystem, now: datetime) -> datetime:
    """The end of the day of the restore, in the controller's zone; now where none is given."""
    if text is None:
        return now
    day = parse_date(text)
    if day is None:
        raise CommandError("--restored-at is a day, such as 2026-11-22.")
    return min(now, datetime.combine(day, time.max, source.controller.zone))


def _identifiers(name: str | None) -> list[Identifier]:
    if name is None:
        return []
    try:
        with Path(name).open(encoding="utf-8-sig", newline="") as lines:
            return [
                Identifier(row[0], row[1]) for row in csv.reader(lines) if len(row) > 1 and row[1].strip()
            ]
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The file cannot be read: {type(error).__name__}.") from None
