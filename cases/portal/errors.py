"""Refusals that come before any view, in the look of the brand whose page it was."""

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.views.csrf import csrf_failure as plain_csrf_failure

from cases.portal.door import open_door, page
from identity.models import Controller


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open for too long, or came from elsewhere; in the portal the brand says so."""
    slug = _slug(request)
    return _refused(request, slug=slug) if slug else plain_csrf_failure(request, reason)


@open_door
def _refused(request: HttpRequest, controller: Controller) -> HttpResponse:
    return page(request, controller, "portal/refused.html", status=403)


def _slug(request: HttpRequest) -> str:
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return ""
    return str(match.kwargs.get("slug", "")) if match.app_names == ["portal"] else ""
