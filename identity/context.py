"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from identity import emergency, sessions
from identity.models import User
from identity.roles import Permission


def surface(request: HttpRequest) -> dict[str, Any]:
    """Flags that templates ask for, and the menu of who is signed in."""
    return {"demo": settings.DEMO, "has_outbox": settings.OUTBOX, **_menu(request)}


def _menu(request: HttpRequest) -> dict[str, Any]:
    # A page of an error may be made before anybody is known.
    if not hasattr(request, "user") or not sessions.is_verified(request):
        return {}
    user = request.user
    assert isinstance(user, User)
    return {
        "account_url": reverse("identity:account"),
        "sign_out_url": reverse("identity:sign-out"),
        "alarms": SimpleLazyObject(lambda: emergency.alarms(user)),
        "emergency_url": reverse("identity:emergency") if user.access.anywhere(Permission.OVERSEE) else "",
    }
