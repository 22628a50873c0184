"""Each request: who is it, whom do they serve, and one transaction."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from dsar.lib.tenancy import unit_of_work

GetResponse = Callable[[HttpRequest], HttpResponse]

SEEN = "seen_at"


class StaffAccessMiddleware:
    """Signs out who was idle for too long; marks the request with the controllers that it may touch."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            _expire_idle(request)
        return self.get_response(request)


def _expire_idle(request: HttpRequest) -> None:
    now = int(time.time())
    if now - request.session.get(SEEN, now) > settings.SESSION_IDLE_SECONDS:
        logout(request)
        return
    # Written at most once a minute, so that not every page costs a write.
    if now - request.session.get(SEEN, 0) > 60:
        request.session[SEEN] = now


class UnitOfWorkMiddleware:
    """Runs the view in one transaction that serves the user's controllers; an exception undoes it.

    A signed-out visitor serves nobody; the portal's views serve their own brand after finding it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/static/"):
            return self.get_response(request)
        with unit_of_work(_controllers(request)):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if transaction.get_connection().in_atomic_block:
            transaction.set_rollback(True)


def _controllers(request: HttpRequest) -> list[object]:
    user = request.user
    is_verified = getattr(user, "is_verified", None)
    if not user.is_authenticated or is_verified is None or not is_verified():
        return []
    return list(user.access.by_controller)
