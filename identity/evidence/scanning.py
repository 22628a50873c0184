"""Every file from outside is scanned for viruses where a scanner is configured; without an answer none is taken."""

from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import gettext as _

from dsar.lib import clamd
from dsar.lib.errors import Refused


def refuse_infected(chunks: Iterable[bytes]) -> None:
    """Raises Refused for an infected file, and for any file while the scanner is away."""
    if not settings.CLAMD:
        return
    try:
        found = clamd.infection(chunks, clamd.Address.parse(settings.CLAMD), settings.CLAMD_SECONDS)
    except clamd.ScannerAway:
        raise Refused(
            _("Files cannot be checked for viruses at the moment, so none is taken. Please try again later."),
            "scanner_away",
        ) from None
    if found is not None:
        raise Refused(_("A virus was found in this file. It was not taken."), "infected")
