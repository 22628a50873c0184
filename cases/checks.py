"""Deploy checks of the cases: what ``manage.py check --deploy`` refuses in production."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

from cases.deadlines.calendars import load_overrides
from cases.deadlines.errors import DataFileError


def check_local_days(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """That the file of local days can be used: a process that begins without it would compute other dates."""
    if settings.CALENDAR_OVERRIDES is None:
        return []
    try:
        load_overrides(settings.CALENDAR_OVERRIDES)
    except (OSError, DataFileError) as error:
        hint = "Correct the file that DSAR_CALENDAR_OVERRIDES names, or unset it."
        return [Error(f"The local days cannot be read: {error}.", hint=hint, id="DSAR.E011")]
    return []
