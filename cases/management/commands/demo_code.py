"""Exit code 0: the code was printed; 2: this is not a demonstration site, or there is no such person."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_otp.oath import TOTP

from dsar.lib.tenancy import unit_of_work
from identity.models import TotpDevice

USAGE = 2


class Command(BaseCommand):
    help = (
        "Print the code that the authenticator app of a member of staff shows now. Needs DSAR_DEMO. "
        "Exit code 0: printed; 2: not a demonstration site, or no such person."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Codes are printed only where DSAR_DEMO is set.", returncode=USAGE)
        with unit_of_work([]):
            device = TotpDevice.objects.filter(user__email__iexact=email.strip(), confirmed=True).first()
            if device is None:
                raise CommandError(
                    f"Nobody with the address {email} has an authenticator app.", returncode=USAGE
                )
            self.stdout.write(f"{TOTP(bytes.fromhex(device.secret)).token():06d}")
