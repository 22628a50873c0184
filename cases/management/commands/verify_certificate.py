"""Compare a certificate's JSON with the trail that it names."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cases.workflow import certificate
from dsar.lib.tenancy import unit_of_work
from identity.access import all_controllers


class Command(BaseCommand):
    help = "Verify that a certificate (its JSON file) is as it was made, and that the trail bears it out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            data = Path(options["file"]).read_bytes()
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from None
        with unit_of_work(all_controllers()):
            found = certificate.problems(data)
        if found:
            raise CommandError(f"Not verified: {' '.join(found)}")
        self.stdout.write("Verified: the certificate is as it was made, and the trail bears it out.")
