"""The session of a member of staff: when it began, when it ends and why, and where it leads."""

import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django_otp import DEVICE_ID_SESSION_KEY, devices_for_user

from identity import whereabouts
from identity.models import User

STARTED = "started_at"
SEEN = "seen_at"
DESTINATION = "destination"
BROWSER = "browser"
NETWORK = "network"
FACTOR_AT = "factor_at"
VOUCHED_BY = "vouched_by"
SEEN_EVERY_SECONDS = 60


class Reason(StrEnum):
    """Why a session ended, as the sign-in page is told."""

    ASKED = "asked"
    IDLE = "idle"
    EXPIRED = "expired"
    PASSWORD_SET = "password-set"  # noqa: S105 - a reason, not a secret


def begin(request: HttpRequest, destination: str) -> None:
    """Note when the session began, from where, and where the person wanted to go."""
    request.session[STARTED] = request.session[SEEN] = int(time.time())
    request.session[BROWSER] = whereabouts.browser_of(request)
    request.session[NETWORK] = whereabouts.network_of(request)
    request.session[DESTINATION] = safe_destination(request, destination)


def end(request: HttpRequest) -> None:
    """Destroy the session with all it held."""
    logout(request)


def is_verified(request: HttpRequest) -> bool:
    """Whether the visitor is a member of staff who has passed both factors."""
    if not request.user.is_authenticated:
        return False
    return getattr(request.user, "otp_device", None) is not None or VOUCHED_BY in request.session


def is_complete(data: Mapping[str, Any]) -> bool:
    """The same of a session's data, whoever's it is."""
    return DEVICE_ID_SESSION_KEY in data or VOUCHED_BY in data


def vouch(request: HttpRequest, provider_id: UUID) -> None:
    """The provider of the single sign-on has seen a second factor just now."""
    request.session[VOUCHED_BY] = str(provider_id)
    note_factor(request)


def end_reason(session: Mapping[str, Any] | SessionBase, now: int) -> Reason | None:
    """Why this session is over at ``now`` (Unix seconds); None while it lasts."""
    if now - session.get(STARTED, now) > settings.SESSION_ABSOLUTE_SECONDS:
        return Reason.EXPIRED
    if now - session.get(SEEN, now) > settings.SESSION_IDLE_SECONDS:
        return Reason.IDLE
    return None


def touch(request: HttpRequest, now: int) -> None:
    """Note that the person is here; at most once a minute, so that not every page costs a write."""
    request.session.setdefault(STARTED, now)
    if now - request.session.get(SEEN, 0) > SEEN_EVERY_SECONDS:
        request.session[SEEN] = now


def note_factor(request: HttpRequest) -> None:
    """The second factor was given just now."""
    request.session[FACTOR_AT] = int(time.time())


def is_fresh(request: HttpRequest) -> bool:
    """Whether the second factor was given so lately that acts of weight may follow."""
    return bool(time.time() - request.session.get(FACTOR_AT, 0) <= settings.STEP_UP_SECONDS)


def safe_destination(request: HttpRequest, wanted: str) -> str:
    """A path of this site, or the home page: a link to us must not lead elsewhere."""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else settings.LOGIN_REDIRECT_URL


def next_page(request: HttpRequest) -> str:
    """Where a visitor goes now: through what is still missing, then to where they wanted."""
    if not isinstance(request.user, User):
        return reverse("identity:sign-in")
    if is_verified(request):
        return str(request.session.pop(DESTINATION, settings.LOGIN_REDIRECT_URL))
    has_factor = next(devices_for_user(request.user), None) is not None
    return reverse("identity:second-factor" if has_factor else "identity:enrolment")


def sign_in_address(wanted: str, reason: Reason | None, *, unsent: bool = False) -> str:
    """The sign-in page, told where to go afterwards, why it is shown, and whether something sent was not kept."""
    query = {"next": wanted, "reason": reason or "", "unsent": "1" if reason and unsent else ""}
    return (
        f"{reverse('identity:sign-in')}?{urlencode({name: value for name, value in query.items() if value})}"
    )
