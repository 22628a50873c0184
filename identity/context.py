"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def surface(request: HttpRequest) -> dict[str, Any]:
    """Flags that templates ask for."""
    return {"demo": settings.DEMO, "has_outbox": settings.OUTBOX}
