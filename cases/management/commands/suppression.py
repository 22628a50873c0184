"""The suppression list from the command line. Addresses come from a file or the standard input, never as arguments."""

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cases.management import named
from cases.models import SuppressionOrigin, SuppressionToken
from cases.permissions import BY_OPERATOR
from cases.workflow import suppression
from dsar.audit.actions import Action
from dsar.audit.record import OPERATOR, Codes, record
from dsar.lib.tenancy import unit_of_work
from identity.models import Controller

WORDS = {True: "yes", False: "no", None: "unreadable"}
VERBS = {
    "check": "say of each address whether it is on the list",
    "add": "put addresses on the list",
    "remove": "take addresses off the list, because the person wants to hear again",
    "export": "write the list: keyed hashes and why, nothing that names anybody",
    "make-token": "make a token for an importer, shown once",
    "revoke-token": "let a token open nothing any more",
}


class Command(BaseCommand):
    help = "The list of addresses that are not to be used for marketing."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        for name, told in VERBS.items():
            verb = verbs.add_parser(name, help=told)
            verb.add_argument("--controller", required=True, help="slug of the controller")
            if name in {"check", "add", "remove"}:
                verb.add_argument(
                    "file", nargs="?", default="-", help="CSV, its first column; - reads the input"
                )
            if name.endswith("-token"):
                verb.add_argument("name", help="which importer uses it")

    def handle(self, *args: Any, **options: Any) -> None:
        controller_id = named.controller(options["controller"])
        with unit_of_work([controller_id]):
            controller = Controller.objects.get(pk=controller_id)
            getattr(self, f"_{options['verb'].replace('-', '_')}")(controller, options)
            self._on_record(controller, options["verb"])

    def _check(self, controller: Controller, options: dict[str, Any]) -> None:
        out, now = csv.writer(self.stdout, lineterminator="\n"), timezone.now()
        out.writerow(["value", "suppressed"])
        with _opened(options["file"]) as lines:
            for values in _batches(lines):
                found = suppression.check(controller, values, now)
                out.writerows((value, WORDS[one]) for value, one in zip(values, found, strict=True))

    def _add(self, controller: Controller, options: dict[str, Any]) -> None:
        added, now = 0, timezone.now()
        with _opened(options["file"]) as lines:
            for values in _batches(lines):
                added += suppression.add(controller, values, SuppressionOrigin.OPERATOR, BY_OPERATOR, now)
        self.stdout.write(f"{added} added.")

    def _remove(self, controller: Controller, options: dict[str, Any]) -> None:
        removed, now = 0, timezone.now()
        with _opened(options["file"]) as lines:
            for values in _batches(lines):
                removed += suppression.remove(controller, values, BY_OPERATOR, now)
        self.stdout.write(f"{removed} removed.")

    def _export(self, controller: Controller, options: dict[str, Any]) -> None:
        out = csv.writer(self.stdout, lineterminator="\n")
        out.writerow(["purpose", "kind", "hash", "origin", "added_at"])
        for one in suppression.listed(controller):
            out.writerow(
                [one.purpose, one.kind, bytes(one.value_hash).hex(), one.origin, one.added_at.isoformat()]
            )

    def _make_token(self, controller: Controller, options: dict[str, Any]) -> None:
        value = suppression.make_token(controller, options["name"], BY_OPERATOR, timezone.now())
        self.stdout.write(value)
        self.stderr.write("Keep it now: it is not shown again.")

    def _revoke_token(self, controller: Controller, options: dict[str, Any]) -> None:
        living = SuppressionToken.objects.filter(controller=controller, name=options["name"], revoked_at=None)
        if not living:
            raise CommandError(f"There is no living token “{options['name']}”.")
        for token in living:
            suppression.revoke_token(token, BY_OPERATOR, timezone.now())
        self.stdout.write("Revoked.")

    def _on_record(self, controller: Controller, verb: str) -> None:
        codes: Codes = {"command": "suppression", "verb": verb}
        record(Action.COMMAND_RUN, OPERATOR, timezone.now(), controller_id=controller.pk, data=codes)


@contextmanager
def _opened(name: str) -> Iterator[TextIO]:
    """The file, or the standard input for a dash. Raises CommandError, which does not quote what was read."""
    if name == "-":
        yield sys.stdin
        return
    try:
        with Path(name).open(encoding="utf-8-sig", newline="") as lines:
            yield lines
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The file cannot be read: {type(error).__name__}.") from None


def _values(lines: TextIO) -> Iterator[str]:
    """The first column of each row; a head that is no address is left out."""
    rows = (row[0].strip() for row in csv.reader(lines) if row and row[0].strip())
    first = next(rows, None)
    if first is None:
        return iter(())
    return rows if _is_head(first) else chain([first], rows)


def _batches(lines: TextIO) -> Iterator[list[str]]:
    values = _values(lines)
    while batch := list(islice(values, suppression.MOST_AT_ONCE)):
        yield batch


def _is_head(value: str) -> bool:
    return "@" not in value and not any(sign.isdigit() for sign in value)
