"""The health page, before sessions and database work; and the page of what was forgotten."""

from collections.abc import Callable

from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from dsar.vault.keyring import KeyDestroyed

GetResponse = Callable[[HttpRequest], HttpResponse]


class HealthMiddleware:
    """``/healthz``: 200 where the database answers, else 503."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path != "/healthz":
            return self.get_response(request)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            return HttpResponse("database away\n", status=503, content_type="text/plain")
        return HttpResponse("ok\n", content_type="text/plain")


class ForgottenMiddleware:
    """Whoever asks for what was destroyed by a rule of retention is told so, wherever they ask: 410."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return render(request, "errors/410.html", status=410) if isinstance(exception, KeyDestroyed) else None
