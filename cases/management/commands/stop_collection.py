"""Stop all collection, or let it go on, from the command line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cases.models import CollectionStop
from cases.permissions import BY_OPERATOR
from cases.workflow import standing
from dsar.lib.errors import Refused
from dsar.lib.tenancy import unit_of_work
from identity.access import all_controllers
from identity.models import Controller


class Command(BaseCommand):
    help = (
        "Stop collecting from all source systems, of one controller or everywhere; or let it go on (--lift)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--controller", help="slug of one controller; without it everywhere")
        parser.add_argument("--reason", default="", help="read by everybody who works here; name no customer")
        parser.add_argument("--lift", action="store_true", help="let collection go on")

    def handle(self, *args: Any, **options: Any) -> None:
        with unit_of_work(all_controllers()):
            controller_id = self._controller(options["controller"])
            try:
                if options["lift"]:
                    self._lift(controller_id)
                else:
                    standing.stop_collection(controller_id, options["reason"], BY_OPERATOR, timezone.now())
            except Refused as refusal:
                raise CommandError(str(refusal)) from None
        self.stdout.write("Collection goes on." if options["lift"] else "Collection is stopped.")

    def _controller(self, slug: str | None) -> Any:
        if slug is None:
            return None
        found = Controller.objects.filter(slug=slug).first()
        if found is None:
            raise CommandError(f"There is no controller “{slug}”.")
        return found.pk

    def _lift(self, controller_id: Any) -> None:
        stop = CollectionStop.objects.filter(controller=controller_id, lifted_at=None).first()
        if stop is None:
            raise CommandError("Collection is not stopped there.")
        standing.lift_stop(stop, BY_OPERATOR, timezone.now())
