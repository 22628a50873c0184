"""Exit code 0: the demonstration is there; 2: this is not a demonstration site."""

import base64
import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from cases.operations.demo.make import PASSWORD, TONGUES, TOTP_SECRET, Made, make
from identity.models import Membership

USAGE = 2


class Command(BaseCommand):
    help = (
        "Make the demonstration: two brands, staff, customers' databases, and cases in every state. "
        "Needs DSAR_DEMO, since it makes accounts with a known password. May be run again at any time. "
        "Exit code 0: it is there; 2: this is not a demonstration site."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "Accounts with a known password are made only where DSAR_DEMO is set.", returncode=USAGE
            )
        made = make(lambda line: self.stderr.write(f"  making {line} ..."))
        self.stdout.write(_as_json(made) if options["json"] else _as_text(made))


def sign_ins() -> list[tuple[str, str]]:
    """E-mail address and role of everybody in the demonstration."""
    memberships = Membership.objects.filter(user__is_principal=False).select_related("user", "team")
    return [
        (each.user.email, f"{each.get_role_display()}, {each.team.name}")
        for each in memberships.order_by("pk")
    ]


def _secret() -> str:
    return base64.b32encode(bytes.fromhex(TOTP_SECRET)).decode()


def _as_json(made: Made) -> str:
    people = [{"email": email, "role": role} for email, role in sign_ins()]
    return json.dumps(
        {**asdict(made), "password": PASSWORD, "totp_secret": _secret(), "sign_ins": people}, indent=2
    )


def _as_text(made: Made) -> str:
    states = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in made.by_state.items())
    lines = [f"{made.cases} cases: {states}. Made in {made.seconds} seconds.", "", "Sign-ins"]
    lines += [f"  {email:<26} {role}" for email, role in sign_ins()]
    lines += [
        f"  password                   {PASSWORD}",
        f"  authenticator secret       {_secret()}   (or: manage.py demo_code)",
        "",
        *(f"Portal  {settings.BASE_URL}{reverse('portal:home', args=[slug])}" for slug in TONGUES),
    ]
    return "\n".join(lines)
