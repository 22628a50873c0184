"""What a visitor sees when something breaks."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

RETRY_SECONDS = 10


def broken(request: HttpRequest) -> HttpResponse:
    """The page of an error; while the database is away it says so, and when to come back (503)."""
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return server_error(request)
    # Without the request: whoever it is stands in the database.
    page = render_to_string("errors/503.html")
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_SECONDS)})
