"""Run the whole desk for development: the supervisor takes this process over, before any database is needed."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from dsar.embedded import CHECKOUT
from dsar.supervisor import add_arguments


class Command(BaseCommand):
    help = "Run database, broker, web server, workers and scheduler on this machine; Ctrl-C stops them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        arguments = ["--port", str(options["port"])]
        arguments += ["--data", str(options["data"].absolute())] if options["data"] else []
        arguments += [
            f"--{name.replace('_', '-')}" for name in ("demo", "no_worker", "no_scheduler") if options[name]
        ]
        os.chdir(CHECKOUT)
        os.execv(sys.executable, [sys.executable, "-m", "dsar.supervisor", *arguments])
