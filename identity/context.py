"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from identity import sessions


def surface(request: HttpRequest) -> dict[str, Any]:
    """Flags that templates ask for, and the menu of who is signed in."""
    return {"demo": settings.DEMO, "has_outbox": settings.OUTBOX, **_menu(request)}


def _menu(request: HttpRequest) -> dict[str, str]:
    # A page of an error may be made before anybody is known.
    if not hasattr(request, "user") or not sessions.is_verified(request):
        return {}
    return {"account_url": reverse("identity:account"), "sign_out_url": reverse("identity:sign-out")}
