"""Run the simulated provider of identity checks, for development and demonstrations."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from identity.providers.external.simulator.server import Server


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8090)

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DEBUG or settings.DEMO):
            raise CommandError("The simulator is for development and demonstrations: set DEBUG or DSAR_DEMO.")
        try:
            server = Server(options["port"])
        except OSError as trouble:
            raise CommandError(f"Port {options['port']} cannot be used: {trouble.strerror}.") from None
        self.stdout.write(f"The simulated identity provider is at {server.url}/")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("")
        finally:
            server.server_close()
