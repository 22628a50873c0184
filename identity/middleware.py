"""Each request: who is it, whom do they serve, and one transaction."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control

from dsar.lib.tenancy import unit_of_work
from identity import emergency, limits, sessions, signin
from identity.access import controller_for_slug
from identity.limits import Limit, Over, Per
from identity.models import User
from identity.whereabouts import client_address

GetResponse = Callable[[HttpRequest], HttpResponse]

# What somebody may open who has given the password and not yet the second factor.
HALF_WAY = frozenset(
    {
        "identity:second-factor",
        "identity:second-factor-passkey",
        "identity:recovery-code",
        "identity:enrolment",
        "identity:passkey-enrolment",
    }
)

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

# Paths whose views bring their own transactions, or need none.
OWN_UNITS = ("/static/", "/p/", "/api/")


class StaffAccessMiddleware:
    """Opens nothing but the public paths to anybody who has not passed both factors.

    It also signs out who was idle for too long or has been here for too long.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        _expire(request)
        _speak(request)
        response = self.get_response(request)
        # The back button after signing out, and shared machines, show nothing.
        patch_cache_control(response, no_store=True, private=True)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if sessions.is_verified(request) and not is_public(request.path_info):
            match = request.resolver_match
            emergency.note_page(request, match.view_name if match else "", kwargs)
            return None
        if is_public(request.path_info) or _is_half_way(request):
            return None
        return _turn_away(request)


def is_public(path: str) -> bool:
    """Whether a path is open to everybody: one of the list, or below one that ends in a slash."""
    return any(
        path == public or (public.endswith("/") and path.startswith(public))
        for public in settings.PUBLIC_PATHS
    )


def _is_half_way(request: HttpRequest) -> bool:
    match = request.resolver_match
    return request.user.is_authenticated and match is not None and match.view_name in HALF_WAY


def _speak(request: HttpRequest) -> None:
    """Staff read the desk in the language of their account, whatever browser they sit at."""
    if isinstance(request.user, User):
        translation.activate(request.user.language)
        request.LANGUAGE_CODE = translation.get_language()


def _turn_away(request: HttpRequest) -> HttpResponse:
    """Send the visitor to what is missing; a fragment's request takes the whole page along."""
    address = _missing(request)
    if not request.headers.get("HX-Request"):
        return redirect(address)
    return HttpResponse(status=204, headers={"HX-Redirect": address})


def _missing(request: HttpRequest) -> str:
    wanted = _wanted(request)
    if isinstance(request.user, User):
        if wanted:
            request.session[sessions.DESTINATION] = wanted
        return sessions.next_page(request)
    reason = getattr(request, "signed_out_because", None)
    return sessions.sign_in_address(wanted, reason, unsent=request.method != "GET")


def _wanted(request: HttpRequest) -> str:
    """The page to come back to: what was asked for, but never the target of a form or a fragment."""
    htmx = getattr(request, "htmx", None)
    if htmx:
        return str(htmx.current_url_abs_path or "")
    return request.get_full_path() if request.method == "GET" else ""


def _expire(request: HttpRequest) -> None:
    now = int(time.time())
    reason = sessions.end_reason(request.session, now)
    if reason is None:
        sessions.touch(request, now)
    elif isinstance(request.user, User):
        with unit_of_work([]):
            signin.sign_out(request, request.user, reason)
        request.signed_out_because = reason  # type: ignore[attr-defined]


class LimitsMiddleware:
    """Counts what strangers may do so often and no more, before the page is called and outside of its transaction."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        over = self._over(request)
        return self.get_response(request) if over is None else limits.refuse(request, over)

    def _over(self, request: HttpRequest) -> Over | None:
        match = _match(request)
        step = limits.STEPS.get(match.view_name) if match else None
        if match is None or step is None or (request.method in SAFE and not step.on_reading):
            return None
        slug = str(match.kwargs.get("slug", "")) if match.app_names == ["portal"] else ""
        brand = controller_for_slug(slug) if slug else None
        if slug and brand is None:
            return None
        tries = [(limit, _whose(request, limit)) for limit in step.limits]
        return limits.take(tries, timezone.now(), brand=brand, actor="customer" if slug else "staff")


def _match(request: HttpRequest) -> ResolverMatch | None:
    try:
        return resolve(request.path_info)
    except Resolver404:
        return None


def _whose(request: HttpRequest, limit: Limit) -> str:
    """Whose tries these are; the account is the one that is half signed in, else the address that was typed."""
    if limit.per == Per.NETWORK:
        return client_address(request)
    if limit.per == Per.BRAND:
        return ""
    account = str(request.user.pk) if request.user.is_authenticated else signin.account(request)
    return signin.place(request, account) if limit.per == Per.PLACE else account


class UnitOfWorkMiddleware:
    """Runs the view in one transaction that serves the user's controllers; an exception undoes it.

    A signed-out visitor serves nobody. The portal's views open their own units of work, for the brand of
    their address: a try at a code must be counted for good before it is looked at.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(OWN_UNITS):
            return self.get_response(request)
        with unit_of_work(_controllers(request)):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if not request.path_info.startswith(OWN_UNITS) and transaction.get_connection().in_atomic_block:
            transaction.set_rollback(True)


def _controllers(request: HttpRequest) -> list[UUID]:
    user = request.user
    return list(user.access.by_controller) if isinstance(user, User) and sessions.is_verified(request) else []
