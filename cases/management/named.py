"""The controller that a command line names."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.core.management.base import CommandError

from identity.access import all_controllers, controller_for_slug

USAGE: Final = 2  # the exit code of a command line that cannot be carried out as it was typed


def controller(slug: str) -> UUID:
    """Its id. Raises CommandError where there is none of this short name."""
    found = controller_for_slug(slug)
    if found is None:
        raise CommandError(f"There is no controller “{slug}”.", returncode=USAGE)
    return found


def controllers(slug: str | None) -> Sequence[UUID]:
    """The one that is named, or all."""
    return list(all_controllers()) if slug is None else [controller(slug)]
