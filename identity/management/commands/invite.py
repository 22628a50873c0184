"""Print a link with which a member of staff sets their password."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from dsar.audit.actions import Action
from dsar.audit.record import OPERATOR, Codes, record
from dsar.lib.tenancy import unit_of_work
from identity.invitations import invite
from identity.models import User


class Command(BaseCommand):
    help = "Print a link, good once and for some days, with which a member of staff sets their password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the person's e-mail address, as given to 'apply'")
        parser.add_argument(
            "--remove-second-factor",
            action="store_true",
            help="for who has lost both phone and recovery codes",
        )
        parser.add_argument("--json", action="store_true", help="print link and expiry as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        with unit_of_work([]):
            link = self._link(_member(options["email"]), options["remove_second_factor"])
        if options["json"]:
            self.stdout.write(json.dumps({"link": link, "days": settings.INVITATION_DAYS}))
        else:
            self.stdout.write(
                f"{link}\nGood once, for {settings.INVITATION_DAYS} days. Give it to nobody else."
            )

    def _link(self, person: User, removes_second_factor: bool) -> str:
        now = timezone.now()
        token = invite(person, now, removes_second_factor=removes_second_factor)
        data: Codes = {
            "command": "invite",
            "user": str(person.pk),
            "removes_second_factor": removes_second_factor,
        }
        record(Action.COMMAND_RUN, OPERATOR, now, data=data)
        return settings.BASE_URL + reverse("identity:invitation", args=[token])


def _member(email: str) -> User:
    found = User.objects.filter(email__iexact=email.strip(), is_active=True, is_principal=False).first()
    if found is None:
        raise CommandError(f"No active member of staff has the address {email}. Add them with 'apply' first.")
    return found
